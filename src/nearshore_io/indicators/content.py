"""What is inside an export: value added by origin, per dollar exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import LabelError, ShockError, first_few
from nearshore_io.indicators import measures
from nearshore_io.indicators.areas import importers_beside, whole_countries
from nearshore_io.indicators.measures import DEFINITIONS, SOURCES, Inside, Multipliers, Specialised
from nearshore_io.labels import Positions, Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array, dense
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
    place = {country: k for k, country in enumerate(table.countries)}
    by_country = np.zeros((len(rows), len(place)))
    to_regions = dense(table.Z[rows]).reshape(len(rows), len(table.regions), -1).sum(axis=2)
    np.add.at(by_country.T, [place[table.country[region]] for region in table.regions], to_regions.T)
    to_final = table.y[rows].reshape(len(rows), len(table.final_regions), -1).sum(axis=2)
    np.add.at(by_country.T, [place[country] for country in table.final_regions], to_final.T)
    picked = np.zeros((len(place), len(importers)))
    for k, importer in enumerate(importers):
        picked[[place[country] for country in _whole_countries(table, importer)], k] = 1.0
    sold = np.zeros((table.n, len(importers)))
    sold[rows] = by_country @ picked
    return sold


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked about the exports of each exporter."""

    model: Leontief
    importer: Wanted | None
    dims: tuple[str, ...]
    measure: str
    taxes: str
    values: str
    specialised: Specialised
    inputs: tuple[str, ...]
    multipliers: Multipliers | None
    """What each industry's output holds by origin, where that is solved for once for several exporters."""


@dataclass(frozen=True, eq=False)
class Part:
    """What is inside one exporter's exports: ([input,] origin, [origin sector,] [sector,] [importer])."""

    importers: list[str]
    origins: list[str]
    values: Array
    sold: float
    unexplained: float
    residual: float


def export_content(
    model: Leontief | Sequence[Leontief],
    exporter: Wanted | None = None,
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
    exporter : country, or a group taken as one exporter; several give a dim ``exporter``, None all countries. What
        each dollar of each industry's output holds by origin, v_r L, is then solved for once.
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
    attribute ``unexplained`` is the largest gap. Cells without exports are NaN; among all countries, those that export
    nothing are NaN and named in the attribute ``without_exports``.

    Raises
    ------
    LabelError, ShockError
        Unknown labels or dims; a country as its own importer; no exports at all; specialised inputs that are not
        possible, or not to one importer; several tables of one year.

    Source: Koopman, Wang & Wei (2014), American Economic Review 104, 459–494; Σ_r C_r + τ L e / 1ᵀe = 1. The other
    measures have theirs.
    """
    if not isinstance(model, Leontief):
        return _by_year(model, exporter, importer, by, measure, taxes, values, specialised)
    dims = _require_dims(by, measure, taxes)
    labels.position(values, list(UNITS), "kind of values")
    if "input" in dims and (taxes == "folded" or measure in ("direct_inputs", "vertical_specialisation")):
        raise LabelError("by='input' needs taxes='separate' and a measure of value added.")
    several = not isinstance(exporter, str)
    names = exporters_named(model.table, exporter)
    at_once = several and measure == "value_added" and "origin_sector" not in dims
    multipliers = measures.multipliers_by_origin(model) if at_once else None
    asked = Question(model, importer, dims, measure, taxes, values, specialised, tuple(model.table.inputs), multipliers)
    silent = without_exports(model.table) if exporter is None else []
    selling = [name for name in names if name not in silent]
    parts = [_part(asked, name, several=several) for name in selling]
    array = _described(_joined(parts, selling if several else None, asked), asked, names, parts)
    if silent:
        array = array.reindex(exporter=names).assign_attrs(without_exports=", ".join(silent))
    return array


def exporters_named(table: IOTable, exporter: Wanted | None) -> list[str]:
    """Return exporters by name, all countries for None. Raises `LabelError` where there is none, or one twice."""
    names = list(table.countries) if exporter is None else labels.as_list(exporter)
    if not names:
        raise LabelError("no exporter was named: give at least one, or None for all countries.")
    labels.require_unique(names, "exporter")
    return names


def without_exports(table: IOTable) -> list[str]:
    """Return the countries that export nothing; raise `ShockError` where that is all of them."""
    found = [c for c in table.countries if not exports(table, c, [o for o in table.countries if o != c]).any()]
    if len(found) == len(table.countries):
        raise ShockError(f"no country of {table.name} exports anything: there is nothing to look into.")
    return found


def _part(asked: Question, exporter: str, *, several: bool) -> Part:
    """Return content of one exporter's exports, by multipliers that are solved for already or by a solve of its own."""
    table, dims = asked.model.table, asked.dims
    named = importers_beside(table, exporter, asked.importer) if several else asked.importer
    importers = _importers(table, exporter, named)
    rows = table.positions(region=exporter)
    sold = exports(table, exporter, importers)[rows]
    if not np.abs(sold).sum() > 0:
        raise ShockError(f"{exporter} exports nothing to {first_few(importers) or 'anyone else'} in this table.")
    width = len(table.sectors)
    columns, group_shape = _groups(sold, rows % width, width, dims)
    totals = columns.sum(axis=0)
    if asked.multipliers is None:
        everywhere = np.zeros((table.n, columns.shape[1]))
        everywhere[rows] = columns
        inside = _inside(asked, everywhere, rows, importers)
        collapse = _country_matrix(table, keep_sector="origin_sector" in dims)
        by_input = {name: collapse @ part for name, part in {"value_added": inside.added, **inside.paid}.items()}
        residual = inside.residual
    else:
        by_input = {name: part[:, rows] @ columns for name, part in asked.multipliers.by_input.items()}
        residual = asked.multipliers.residual
    origins, content = _by_origin(asked, by_input)
    shares = np.divide(content, totals, out=np.full(content.shape, np.nan), where=totals != 0)
    explained = shares.reshape(-1, shares.shape[-1]).sum(axis=0)
    found = content if asked.values == "money" else UNITS[asked.values][0] * shares
    gap = float(np.nanmax(np.abs(1.0 - explained)))
    shaped = found.reshape(*found.shape[:-1], *group_shape)
    return Part(importers, origins, shaped, float(sold.sum()), gap, residual)


def _joined(parts: Sequence[Part], exporters: list[str] | None, asked: Question) -> xr.DataArray:
    """Return parts in one array; where there are several exporters, what one would sell to itself is NaN."""
    if exporters is None:
        return _dimensioned(parts[0].values, parts[0].origins, parts[0].importers, asked)
    if "importer" not in asked.dims:
        return _dimensioned(np.array([p.values for p in parts]), parts[0].origins, [], asked, exporters)
    wanted = asked.model.table.countries if asked.importer is None else labels.as_list(asked.importer)
    importers = [name for name in wanted if any(name in part.importers for part in parts)]
    values = np.full((len(parts), *parts[0].values.shape[:-1], len(importers)), np.nan)
    for k, part in enumerate(parts):
        values[k][..., [importers.index(name) for name in part.importers]] = part.values
    return _dimensioned(values, parts[0].origins, importers, asked, exporters)


def _described(array: xr.DataArray, asked: Question, exporters: list[str], parts: Sequence[Part]) -> xr.DataArray:
    table = asked.model.table
    to = "all countries" if asked.importer is None else ", ".join(labels.as_list(asked.importer))
    per = "" if asked.values == "money" else " per unit"
    return stamp(
        array.rename("export_content"),
        UNITS[asked.values][1].format(unit=table.unit),
        f"{LONG_NAMES[asked.measure]}{per} of exports of {first_few(exporters)} to {to}",
        measure=asked.measure,
        definition=DEFINITIONS[asked.measure],
        source=SOURCES[asked.measure],
        taxes=asked.taxes if len(asked.inputs) > 1 else "the table has no tax row",
        value_added=str(table.meta.get("value_added", "as published")),
        exports=sum(part.sold for part in parts),
        **table.provenance,
        solver=asked.model.factors.choice,
        residual=max(part.residual for part in parts),
        unexplained=max(part.unexplained for part in parts),
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


def _inside(asked: Question, columns: Array, own: Positions, importers: Sequence[str]) -> Inside:
    """Return what is inside export vectors by the measure asked for."""
    model, inputs = asked.model, asked.specialised
    if asked.measure == "direct_inputs":
        return measures.direct_inputs(model, columns)
    if asked.measure == "vertical_specialisation":
        return measures.vertical_specialisation(model, columns, own)
    if asked.measure == "specialised":
        if asked.importer is None or len(importers) != 1:
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
    own = table.countries_of(exporter)
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
    countries, missing = whole_countries(table, importer)
    if missing:
        raise LabelError(
            f"importer {importer!r} is only a part of {first_few(sorted(countries))}, and final users belong to the "
            f"country: name the country, or all its regions ({first_few(missing)} is left out)."
        )
    return countries


def _groups(sold: Array, sector: Positions, width: int, dims: tuple[str, ...]) -> tuple[Array, tuple[int, ...]]:
    """Return an exporter's sales as columns (its industries, groups), and the groups' shape (sector?, importer?)."""
    by_importer = sold if "importer" in dims else sold.sum(axis=1, keepdims=True)
    if "sector" not in dims:
        return by_importer, by_importer.shape[1:] if "importer" in dims else ()
    spread = np.zeros((len(sold), width, by_importer.shape[1]))
    spread[np.arange(len(sold)), sector] = by_importer
    return spread.reshape(len(sold), -1), (width, *by_importer.shape[1:]) if "importer" in dims else (width,)


def _by_origin(asked: Question, by_input: Mapping[str, Array]) -> tuple[list[str], Array]:
    """Return origins, and what is inside by origin, ([input,] origin, [origin sector,] groups)."""
    labels.position("value_added", list(asked.inputs), "input")
    origins = list(asked.model.table.countries)
    keep_sector = "origin_sector" in asked.dims
    shape = (len(origins), len(asked.model.table.sectors), -1) if keep_sector else (len(origins), -1)
    parts = {name: part.reshape(shape) for name, part in by_input.items()}
    if "input" in asked.dims:
        return origins, np.array([parts[name] for name in asked.inputs])
    added = parts.pop("value_added")
    if not parts:
        return origins, added
    rest = np.sum(list(parts.values()), axis=0)
    if asked.taxes == "folded":
        return origins, added + rest
    return [*origins, TAXES], np.concatenate([added, rest.sum(axis=0)[None]])


def _country_matrix(table: IOTable, *, keep_sector: bool) -> csr_array:
    """Return the sums over industries of a country, sparse (countries [× sectors], n)."""
    owner = np.array([table.countries.index(table.country[region]) for region in table.regions])
    width = len(table.sectors)
    industry = np.arange(table.n)
    rows = owner[industry // width] * width + industry % width if keep_sector else owner[industry // width]
    size = len(table.countries) * (width if keep_sector else 1)
    return csr_array((np.ones(table.n), (rows, industry)), shape=(size, table.n))


def _dimensioned(
    values: Array, origins: list[str], importers: list[str], asked: Question, exporters: list[str] | None = None
) -> xr.DataArray:
    table, dims = asked.model.table, asked.dims
    coords: dict[str, object] = {} if exporters is None else {"exporter": exporters}
    if "input" in dims:
        coords["input"] = list(asked.inputs)
    coords["origin"] = origins
    if "origin_sector" in dims:
        coords["origin_sector"] = list(table.sectors)
    if "sector" in dims:
        coords["sector"] = list(table.sectors)
    if "importer" in dims:
        coords["importer"] = importers
    array = xr.DataArray(values, dims=list(coords), coords=coords)
    if "sector" in dims:
        array = array.assign_coords(sector_name=("sector", table.Y["sector_name"].values))
    return array
