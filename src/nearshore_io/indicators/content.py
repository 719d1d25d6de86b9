"""What is inside an export: value added by origin, per dollar exported."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import LabelError, ShockError, first_few
from nearshore_io.indicators import measures
from nearshore_io.indicators.measures import DEFINITIONS, SOURCES, Inside, Specialised
from nearshore_io.labels import Positions, Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import stamp

By = Literal["sector", "importer", "origin_sector", "input"]
Measure = Literal["value_added", "direct_inputs", "vertical_specialisation", "specialised"]
UNITS = {"per_dollar": (1.0, "{unit} per {unit}"), "cents": (100.0, "cents per dollar"), "money": (1.0, "{unit}")}
LONG_NAMES = {
    "value_added": "value added by origin",
    "direct_inputs": "direct inputs by origin",
    "vertical_specialisation": "imported inputs by origin",
    "specialised": "value added by origin, with inputs specific to the importer,",
}
TAXES = "taxes"


def exports(table: IOTable, exporter: str, importers: Sequence[str]) -> Array:
    """Return gross exports e_sr of a country (or a group as one exporter) to each importer, shape (n, importers).

    Exports are intermediate and final sales that leave the exporter: flows between regions of one country are domestic.
    An importer is a country or a group of them: final users belong to a country, not to one of its regions.

    Raises
    ------
    LabelError
        If a name is unknown, or an importer is only a part of a country.
    """
    rows = table.positions(region=exporter)
    sold = np.zeros((table.n, len(importers)))
    for k, importer in enumerate(importers):
        columns = table.positions(region=importer)
        uses = _final_uses(table, _whole_countries(table, importer))
        sold[rows, k] = table.Z[rows][:, columns].sum(axis=1) + table.y[rows][:, uses].sum(axis=1)
    return sold


def export_content(
    model: Leontief | Sequence[Leontief],
    exporter: str,
    importer: Wanted | None = None,
    by: Sequence[By] | By = (),
    measure: Measure = "value_added",
    taxes: Literal["separate", "folded"] = "separate",
    values: Literal["per_dollar", "cents", "money"] = "per_dollar",
    specialised: Specialised = "upper",
) -> xr.DataArray:
    """Return the content of exports by origin, dollars per dollar exported; by default C_r = v_r L e / 1ᵀe.

    Parameters
    ----------
    model : a model, or several of different years, which give a dim ``year``.
    exporter : country, or a group taken as one exporter.
    importer : country, group or several; by default all of the world but the exporter.
    by : further dims, any of "sector" (exporting sector), "importer", "origin_sector" (where the content is from),
        "input" (value added and each other input apart, by who pays it).
    measure : what counts as content (`indicators.measures.DEFINITIONS`): "value_added", "direct_inputs",
        "vertical_specialisation" or "specialised".
    taxes : "separate" puts inputs other than value added (taxes, margins) under an origin ``taxes``;
        "folded" adds them to the content of the country that pays them.
    values : "per_dollar", "cents" (per dollar), or "money" in the table's unit.
    specialised : for the measure of that name, shares of imported inputs by country, or the bound "upper" or "lower".

    Returns
    -------
    DataArray with dim ``origin`` (countries, and ``taxes`` where the table has such a row) and the dims of ``by``.
    It sums to one over the origins, as far as the table's primary inputs are its outputs less its inputs: the
    attribute ``unexplained`` is the largest gap. Cells without exports are NaN.

    Raises
    ------
    LabelError, ShockError
        Unknown labels or dims; a country as its own importer; no exports at all; specialised inputs that are not
        possible,
        or not to one importer; several tables of one year.

    Source: Koopman, Wang & Wei (2014), American Economic Review 104, 459–494; Σ_r C_r + τ L e / 1ᵀe = 1. The other
    measures have theirs.
    """
    if not isinstance(model, Leontief):
        return _by_year(model, exporter, importer, by, measure, taxes, values, specialised)
    table = model.table
    dims = _require_dims(by, measure, taxes)
    labels.position(values, list(UNITS), "kind of values")
    if "input" in dims and (taxes == "folded" or measure in ("direct_inputs", "vertical_specialisation")):
        raise LabelError("by='input' needs taxes='separate' and a measure of value added.")
    importers = _importers(table, exporter, importer)
    sold = exports(table, exporter, importers)
    if not np.abs(sold).sum() > 0:
        raise ShockError(f"{exporter} exports nothing to {first_few(importers) or 'anyone else'} in this table.")
    columns, totals, group_shape = _groups(table, sold, exporter, dims)
    inside = _inside(model, measure, columns, exporter, importer, importers, specialised)
    origins, content = _by_origin(table, inside, taxes, keep_sector="origin_sector" in dims, keep_input="input" in dims)
    shares = np.divide(content, totals, out=np.full(content.shape, np.nan), where=totals != 0)
    explained = shares.reshape(-1, shares.shape[-1]).sum(axis=0)
    scale, unit = UNITS[values]
    found = content if values == "money" else scale * shares
    array = _dimensioned(found, origins, importers, table, dims, group_shape)
    to = "all countries" if importer is None else ", ".join(importers)
    per = "" if values == "money" else " per unit"
    return stamp(
        array.rename("export_content"),
        unit.format(unit=table.unit),
        f"{LONG_NAMES[measure]}{per} of exports of {exporter} to {to}",
        measure=measure,
        definition=DEFINITIONS[measure],
        source=SOURCES[measure],
        taxes=taxes if table.v.sizes["input"] > 1 else "the table has no tax row",
        value_added=str(table.meta.get("value_added", "as published")),
        exports=float(sold.sum()),
        table=table.name,
        table_sha256=table.sha256,
        solver=model.factors.choice,
        residual=inside.residual,
        unexplained=float(np.nanmax(np.abs(1.0 - explained))),
    )


def content_by_measure(
    model: Leontief, exporter: str, importer: Wanted | None = None, by: Sequence[By] | By = ()
) -> dict[str, xr.DataArray]:
    """Return the content of exports by each measure, in cents per dollar, taxes folded, by the measure's name.

    Where there is one importer and no further dim, the measure with inputs specific to it is there by both its bounds.

    Raises
    ------
    LabelError, ShockError
        As `export_content`.
    """
    found = {
        name: export_content(model, exporter, importer, by, name, "folded", "cents")  # type: ignore[arg-type]
        for name in DEFINITIONS
        if name != "specialised"
    }
    if importer is not None and len(labels.as_list(importer)) == 1 and not labels.as_list(by):
        for bound in ("lower", "upper"):
            name = f"specialised ({bound} bound)"
            found[name] = export_content(model, exporter, importer, by, "specialised", "folded", "cents", bound)
    return found


def _by_year(models: Sequence[Leontief], *arguments: Any) -> xr.DataArray:
    """Return content in several tables, with a dim ``year``."""
    if not isinstance(models, Sequence) or not all(isinstance(model, Leontief) for model in models) or not models:
        raise ShockError(f"export_content needs a model, nio.Leontief(table), or several, not {type(models).__name__}.")
    years = [model.table.year for model in models]
    if None in years or len(set(years)) < len(years):
        raise ShockError(f"several tables need a year each, and different ones; these have {first_few(years)}.")
    parts = [export_content(model, *arguments) for model in models]
    joined = xr.concat(parts, pd.Index(years, name="year"), join="outer", combine_attrs="drop_conflicts")
    joined.attrs["table"] = ", ".join(model.table.name for model in models)
    return joined


def _inside(
    model: Leontief,
    measure: str,
    columns: Array,
    exporter: str,
    importer: Wanted | None,
    importers: Sequence[str],
    inputs: Specialised,
) -> Inside:
    """Return what is inside export vectors by the measure asked for."""
    own = model.table.positions(region=exporter)
    if measure == "direct_inputs":
        return measures.direct_inputs(model, columns)
    if measure == "vertical_specialisation":
        return measures.vertical_specialisation(model, columns, own)
    if measure == "specialised":
        if importer is None or len(importers) != 1:
            raise ShockError("specialised inputs are those of exports to one importer: name it.")
        if not (isinstance(inputs, Mapping) or inputs in ("upper", "lower")):
            raise ShockError(f"specialised is {inputs!r}: shares by country, 'upper' or 'lower'.")
        return measures.specialised(model, columns, own, model.table.positions(region=importers[0]), inputs)
    return measures.value_added(model, columns)


def _require_dims(by: Sequence[By] | By, measure: str, taxes: str) -> tuple[str, ...]:
    dims = tuple(labels.as_list(by))
    known = ("sector", "importer", "origin_sector", "input")
    for dim in dims:
        labels.position(dim, known, "dim of export_content")
    labels.position(measure, list(DEFINITIONS), "measure")
    labels.position(taxes, ("separate", "folded"), "way to treat taxes")
    return tuple(dim for dim in known if dim in dims)


def _importers(table: IOTable, exporter: str, importer: Wanted | None) -> list[str]:
    own = {table.country[table.regions[i]] for i in table.region_positions(exporter)}
    if importer is None:
        return [name for name in table.countries if name not in own]
    wanted = labels.as_list(importer)
    named: set[str] = set()
    for name in wanted:
        theirs = _whole_countries(table, name)
        if own & theirs:
            raise ShockError(f"{name} does not import from itself: exporter and importer must be different countries.")
        if named & theirs:
            raise ShockError(
                f"importer {first_few(sorted(named & theirs))} is named twice: its imports would count twice."
            )
        named |= theirs
    return wanted


def _whole_countries(table: IOTable, importer: str) -> set[str]:
    """Return the countries an importer consists of; raise `LabelError` where it is only a part of one."""
    regions = {table.regions[i] for i in table.region_positions(importer)}
    countries = {table.country[region] for region in regions}
    missing = [region for region in table.regions if table.country[region] in countries and region not in regions]
    if missing:
        raise LabelError(
            f"importer {importer!r} is only a part of {first_few(sorted(countries))}, and final users belong to the "
            f"country: name the country, or all its regions ({first_few(missing)} is left out)."
        )
    return countries


def _final_uses(table: IOTable, countries: set[str]) -> Positions:
    """Return the columns of Y that belong to these countries."""
    k = table.Y.sizes["category"]
    places = [i for i, name in enumerate(table.final_regions) if name in countries]
    return np.array([place * k + j for place in places for j in range(k)], dtype=np.intp)


def _groups(table: IOTable, sold: Array, exporter: str, dims: tuple[str, ...]) -> tuple[Array, Array, tuple[int, ...]]:
    """Return export vectors as columns (n, groups), their totals, and the shape (sector?, importer?) of the groups."""
    by_importer = sold if "importer" in dims else sold.sum(axis=1, keepdims=True)
    if "sector" not in dims:
        return by_importer, by_importer.sum(axis=0), by_importer.shape[1:] if "importer" in dims else ()
    width, k = len(table.sectors), by_importer.shape[1]
    spread = np.zeros((table.n, width, k))
    rows = table.positions(region=exporter)
    spread[rows, rows % width] = by_importer[rows]
    flat = spread.reshape(table.n, -1)
    return flat, flat.sum(axis=0), (width, k) if "importer" in dims else (width,)


def _by_origin(
    table: IOTable, inside: Inside, taxes: str, *, keep_sector: bool, keep_input: bool
) -> tuple[list[str], Array]:
    """Return origins, and what is inside by origin, ([input,] origin, [origin sector,] groups)."""
    labels.position("value_added", list(table.inputs), "input")
    collapse = _country_matrix(table, keep_sector=keep_sector)
    origins = list(table.countries)
    shape = (len(origins), len(table.sectors), -1) if keep_sector else (len(origins), -1)
    parts = {"value_added": inside.added, **inside.paid}
    if keep_input:
        return origins, np.array([(collapse @ parts[name]).reshape(shape) for name in table.inputs])
    rest = np.sum(list(inside.paid.values()), axis=0) if inside.paid else np.zeros_like(inside.added)
    content = (collapse @ (inside.added + rest if taxes == "folded" else inside.added)).reshape(shape)
    if taxes == "separate" and inside.paid:
        taxed = rest.reshape(len(table.regions), len(table.sectors), -1).sum(axis=0)
        content = np.concatenate([content, (taxed if keep_sector else taxed.sum(axis=0))[None]])
        origins.append(TAXES)
    return origins, content


def _country_matrix(table: IOTable, *, keep_sector: bool) -> csr_array:
    """Return the sums over industries of a country, sparse (countries [× sectors], n)."""
    owner = np.array([table.countries.index(table.country[region]) for region in table.regions])
    width = len(table.sectors)
    industry = np.arange(table.n)
    rows = owner[industry // width] * width + industry % width if keep_sector else owner[industry // width]
    size = len(table.countries) * (width if keep_sector else 1)
    return csr_array((np.ones(table.n), (rows, industry)), shape=(size, table.n))


def _dimensioned(
    values: Array,
    origins: list[str],
    importers: list[str],
    table: IOTable,
    dims: tuple[str, ...],
    groups: tuple[int, ...],
) -> xr.DataArray:
    leading = [*(["input"] if "input" in dims else []), "origin"]
    names = [
        *leading,
        *(["origin_sector"] if "origin_sector" in dims else []),
        *(d for d in dims if d not in ("origin_sector", "input")),
    ]
    sector_names = table.Y["sector_name"].values
    coords: dict[str, object] = {"origin": origins}
    if "input" in dims:
        coords["input"] = list(table.inputs)
    if "origin_sector" in dims:
        coords["origin_sector"] = list(table.sectors)
    if "sector" in dims:
        coords |= {"sector": list(table.sectors), "sector_name": ("sector", sector_names)}
    if "importer" in dims:
        coords["importer"] = importers
    return xr.DataArray(values.reshape(*values.shape[:-1], *groups), dims=names, coords=coords)
