"""What an industry's production rests on: directly, looked through the chain, and how concentrated it is."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from nearshore_io.errors import LabelError, ShockError, first_few
from nearshore_io.labels import Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable
from nearshore_io.units import stamp


def exposure(
    model: Leontief,
    to: Wanted,
    to_sector: Wanted | None = None,
    region: Wanted | None = None,
    sector: Wanted | None = None,
) -> xr.Dataset:
    """Return how much industries rest on a set T of countries (and sectors), per unit of their output.

    Variables over (region, sector) of the industries that use:

    - ``face_value``: Σ_i∈T a_ij, what they buy from T themselves
    - ``look_through``: Σ_i∈T (L − I)_ij, what comes from T anywhere in their chain; the expected number of passes of a
      unit's value chain through T
    - ``hidden``: look_through − face_value
    - ``value_added``: v_T L_·j, the share of their value that is added in T

    and ``through`` over (supplier, region, sector): look_through by the country of the first-tier supplier, so that
    "on East Asia, directly and through Mexico" is ``through.sel(supplier=["CHN", …])`` and
    ``through.sel(supplier="MEX")``.

    Parameters
    ----------
    to, to_sector : the set T: countries or groups, and sectors or groups (all where none is named).
    region, sector : which industries' exposure; all by default.

    Raises
    ------
    LabelError
        Unknown names.

    Source: Baldwin, Freeman & Theodorakopoulos (2023), Brookings Papers on Economic Activity, Fall, 79–128; Inomata
    & Hanaka (2021), IDE Discussion Paper 828.
    """
    table = model.table
    at = table.positions(to, to_sector)
    members = np.zeros(table.n)
    members[at] = 1.0
    v = np.where(members > 0, table.intensity("value_added"), 0.0)
    with model.naming_industries():
        passes, added = model.factors.solve_transposed(np.column_stack([members, v])).T
    face = np.asarray(members @ table.A).ravel()
    unit = f"{table.unit} per {table.unit} of output"
    through = _by_supplier(table, passes)
    found = xr.Dataset({
        "face_value": table.labelled(face, unit, "bought from them directly"),
        "look_through": table.labelled(passes - members, unit, "bought from them anywhere in the chain"),
        "hidden": table.labelled(passes - members - face, unit, "looked through less face value"),
        "value_added": table.labelled(added, unit, "value added there"),
        "through": stamp(through, unit, "looked through, by first-tier supplier", **table.marks),
    })  # fmt: skip
    found.attrs = {"to": ", ".join([to] if isinstance(to, str) else to), **table.provenance}
    return found.sel(table.select(region, sector))


def _by_supplier(table: IOTable, passes: Array) -> xr.DataArray:
    """Return Σ_i∈k a_ij (1_T L)_i by supplying country k, DataArray (supplier, region, sector)."""
    parts = []
    for country in table.countries:
        rows = table.positions(region=country)
        parts.append(np.asarray(passes[rows] @ table.A[rows]).ravel())
    values = np.array(parts).reshape(len(parts), len(table.regions), len(table.sectors))
    coords = {name: table.x.coords[name] for name in ("region", "sector", "country", "sector_name")}
    return xr.DataArray(
        values, dims=("supplier", "region", "sector"), coords={"supplier": list(table.countries), **coords}
    )


def origins(model: Leontief, region: Wanted, sector: Wanted) -> xr.DataArray:
    """Return where the value of industries' output is added, v_c L_·j by country c, DataArray (origin, region, sector).

    With the product taxes on the way it sums to one.
    """
    table = model.table
    return model.multipliers("value_added", origin=list(table.countries)).sel(table.select(region, sector))


def concentration(model: Leontief, region: Wanted | None = None, sector: Wanted | None = None) -> xr.Dataset:
    """Return Herfindahl–Hirschman indices of where industries' inputs and value come from, between 0 and 1.

    Variables over (region, sector) of the users: ``by_product``, Σ_k θ² over countries k for each product, weighted
    by the product's share in inputs; ``inputs``, of all inputs together; ``look_through``, Σ_c (v_c L_·j)² of value
    added by origin, taxes left out. NaN where nothing is bought.

    Source: Herfindahl (1950); Hirschman (1964); the look-through index as in Inomata & Hanaka (2021).
    """
    table = model.table
    width = len(table.sectors)
    buyers = table.positions(region, sector)
    bought = dense(table.A[:, buyers])
    by_country = np.array([
        bought[table.positions(region=country)].reshape(-1, width, len(buyers)).sum(axis=0)
        for country in table.countries
    ])  # fmt: skip
    product = by_country.sum(axis=0)
    squares = (by_country**2).sum(axis=0)
    each = np.divide(squares, product**2, out=np.zeros_like(squares), where=product > 0)
    total = product.sum(axis=0)
    mean = np.divide((each * product).sum(axis=0), total, out=np.full(len(buyers), np.nan), where=total > 0)
    whole = (by_country.sum(axis=1) ** 2).sum(axis=0)
    inputs = np.divide(whole, total**2, out=np.full(len(buyers), np.nan), where=total > 0)
    shares = model.multipliers("value_added", origin=list(table.countries)).values.reshape(len(table.countries), -1)
    shares = shares[:, buyers] / shares[:, buyers].sum(axis=0)
    idle = table.x.values.ravel()[buyers] == 0
    parts = {"by_product": mean, "inputs": inputs, "look_through": np.where(idle, np.nan, (shares**2).sum(axis=0))}
    chosen = table.select(region, sector)
    found = {}
    for name, values in parts.items():
        spread = np.full(table.n, np.nan)
        spread[buyers] = values
        found[name] = table.labelled(spread, "1 (Herfindahl–Hirschman index)", f"concentration: {name}").sel(chosen)
    return xr.Dataset(found, attrs={**table.provenance})


def trust_weighted_exposure(
    model: Leontief, trust: Mapping[str, float], region: Wanted | None = None, sector: Wanted | None = None
) -> xr.DataArray:
    """Return Σ_c (1 − t_c) v_c L_·j: the part of an industry's value that rests on countries one does not trust.

    Parameters
    ----------
    trust : t_c in [0, 1] by country; every country of the table needs one.

    Raises
    ------
    LabelError
        Countries without a trust, or trust in unknown ones.
    ShockError
        Trust outside [0, 1].
    """
    table = model.table
    missing = [country for country in table.countries if country not in trust]
    strange = [country for country in trust if country not in table.countries]
    if missing or strange:
        raise LabelError(
            f"trust is needed of every country: missing {first_few(missing) or 'none'}; "
            f"unknown {first_few(strange) or 'none'}."
        )
    outside = {country: t for country, t in trust.items() if not 0.0 <= t <= 1.0}
    if outside:
        raise ShockError(f"trust of {first_few(outside)} is {first_few(outside.values())}: it lies between 0 and 1.")
    shares = model.multipliers("value_added", origin=list(table.countries))
    weight = xr.DataArray(
        [1.0 - trust[c] for c in table.countries], dims="origin", coords={"origin": list(table.countries)}
    )
    found = (shares * weight).sum("origin").rename("trust_weighted_exposure")
    unit = f"{table.unit} per {table.unit} of output"
    return stamp(found, unit, "value added in countries not trusted", **table.marks).sel(table.select(region, sector))
