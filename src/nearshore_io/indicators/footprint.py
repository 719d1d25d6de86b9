"""What one country's final demand, or its imports, hold of another's value added, jobs and other stressors."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from nearshore_io import labels
from nearshore_io.errors import ShockError
from nearshore_io.indicators.areas import Areas, areas_of, residual_value_added
from nearshore_io.indicators.content import exports
from nearshore_io.labels import Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array
from nearshore_io.units import stamp

By = Literal["origin_sector", "final_sector"]


def footprint(model: Leontief, stressor: str = "value_added", by: Sequence[By] | By = ()) -> xr.DataArray:
    """Return what each country's final demand needs of a stressor in each country: s_o L Y_d.

    "Mexican jobs in US final demand" is ``footprint(model, "jobs").sel(origin="MEX", destination="USA")``.

    Parameters
    ----------
    stressor : an input or a stressor of the table: "value_added", "jobs", ….
    by : "origin_sector" (where it is used: the sector of the jobs) or "final_sector" (the product that is bought).

    Returns
    -------
    DataArray (origin, destination[, origin_sector or final_sector]) in the stressor's own unit. It sums over
    destinations to the stressor of the origin. An origin with unknown numbers is NaN.

    Raises
    ------
    LabelError
        An unknown stressor or dim, or both dims at once.

    Source: Johnson & Noguera (2012), Journal of International Economics 86, 224–236 (value added); Miller & Blair
    (2009).
    """
    dims = labels.as_list(by)
    for dim in dims:
        labels.position(dim, ("origin_sector", "final_sector"), "dim of footprint")
    if len(dims) > 1:
        raise labels.unknown("both", "dim of footprint", ["origin_sector", "final_sector"])
    table = model.table
    intensity = model.intensities(stressor)
    values = intensity.values.ravel()
    areas = _countries(model)
    coords: dict[str, list[str]] = {"origin": list(areas.names), "destination": list(areas.names)}
    if dims == ["final_sector"]:
        found = _by_product(areas, values)
    else:
        embodied = values[:, None] * areas.BY
        found = _summed(areas, embodied, by_sector=dims == ["origin_sector"])
    names = ["origin", "destination", *dims]
    if dims:
        coords[dims[0]] = list(table.sectors)
    unit = str(intensity.attrs["units"]).split(" per ")[0]
    array = xr.DataArray(found, dims=names, coords=coords).rename("footprint")
    return stamp(array, unit, f"{stressor} of the origin in final demand of the destination", **table.provenance)


def _countries(model: Leontief) -> Areas:
    areas, _ = areas_of(model, list(model.table.countries), np.zeros(model.table.n))
    return areas


def _summed(areas: Areas, values: Array, *, by_sector: bool) -> Array:
    """Return (n, G) summed to (origin, G) or (origin, G, sector)."""
    if not by_sector:
        return np.array([values[rows].sum(axis=0) for rows in areas.rows])
    width = len(areas.model.table.sectors)
    return np.array([values[rows].reshape(-1, width, values.shape[1]).sum(axis=0).T for rows in areas.rows])


def _by_product(areas: Areas, intensity: Array) -> Array:
    """Return s_o L diag(Y_d) by product, (origin, destination, sector)."""
    width, n = len(areas.model.table.sectors), len(areas.x)
    weights = np.zeros((n, len(areas.names)))
    known = np.array([not np.isnan(intensity[rows]).any() for rows in areas.rows])
    for o, rows in enumerate(areas.rows):
        weights[rows, o] = intensity[rows] if known[o] else 0.0
    with areas.model.naming_industries():
        multipliers = areas.model.factors.solve_transposed(weights)
    found = np.einsum("no,nd->ond", multipliers, areas.Y).reshape(len(areas.names), -1, width, len(areas.names))
    result = found.sum(axis=1).transpose(0, 2, 1)
    result[~known] = np.nan
    return np.asarray(result)


def embodied_in_exports(
    model: Leontief,
    stressor: str,
    exporter: str,
    importer: Wanted | None = None,
    by: Literal["sector"] | tuple[()] = (),
) -> xr.DataArray:
    """Return what exports need of a stressor in each country: s_o L e, not per dollar but in the stressor's own unit.

    "US jobs in Mexican exports to the world" is ``embodied_in_exports(model, "jobs", "MEX").sel(origin="USA")``.

    Parameters
    ----------
    by : "sector" for the exporting sector.

    Raises
    ------
    LabelError, ShockError
        Unknown names; a country as its own importer; no exports.
    """
    table = model.table
    own = table.countries_of(exporter)
    importers = [c for c in table.countries if c not in own] if importer is None else labels.as_list(importer)
    for name in importers:
        if own & table.countries_of(name):
            raise ShockError(f"{name} does not import from itself: exporter and importer must be different countries.")
    sold = exports(table, exporter, importers).sum(axis=1)
    if not np.abs(sold).sum() > 0:
        raise ShockError(f"{exporter} exports nothing to {', '.join(importers)} in this table.")
    dims = labels.as_list(by)
    for dim in dims:
        labels.position(dim, ("sector",), "dim of embodied_in_exports")
    width = len(table.sectors)
    demand = np.zeros((table.n, width if dims else 1))
    demand[np.arange(table.n), np.arange(table.n) % width if dims else 0] = sold
    intensity = model.intensities(stressor)
    with model.naming_industries():
        output = model.factors.solve(demand)
    areas = _countries(model)
    found = _summed(areas, intensity.values.ravel()[:, None] * output, by_sector=False)
    coords: dict[str, list[str]] = {"origin": list(areas.names)} | ({"sector": list(table.sectors)} if dims else {})
    array = xr.DataArray(found if dims else found[:, 0], dims=list(coords), coords=coords).rename("embodied")
    unit = str(intensity.attrs["units"]).split(" per ")[0]
    return stamp(
        array, unit, f"{stressor} in exports of {exporter}", importer=", ".join(importers), exports=float(sold.sum()),
        **table.provenance,
    )  # fmt: skip


def trade_balances(model: Leontief) -> xr.Dataset:
    """Return bilateral trade gross and in value added, and the balances of both, million USD.

    Variables over (country, partner): ``gross_exports`` E_sr; ``value_added_exports`` VAX_sr = v_s L Y_r, value added
    of the country in the partner's final demand; ``gross_balance`` and ``value_added_balance``, exports less the
    partner's. The two balances of a country with the whole world are the same where v is the full residual 1 − 1ᵀA, as
    it is here.

    Source: Johnson & Noguera (2012), Journal of International Economics 86, 224–236.
    """
    table = model.table
    v = residual_value_added(table)
    areas, _ = areas_of(model, list(table.countries), v)
    gross = np.array([areas.exports(s).sum(axis=0) for s in range(len(areas.names))])
    added = _summed(areas, v[:, None] * areas.BY, by_sector=False)
    np.fill_diagonal(gross, np.nan)
    np.fill_diagonal(added, np.nan)
    parts = {
        "gross_exports": (gross, "gross exports"),
        "value_added_exports": (added, "value added in the partner's final demand"),
        "gross_balance": (gross - gross.T, "gross exports less the partner's"),
        "value_added_balance": (added - added.T, "value added exports less the partner's"),
    }
    coords = {"country": list(areas.names), "partner": list(areas.names)}
    found = {
        name: stamp(xr.DataArray(values, dims=list(coords), coords=coords), table.unit, long_name, **table.marks)
        for name, (values, long_name) in parts.items()
    }
    return xr.Dataset(found, attrs=table.provenance)
