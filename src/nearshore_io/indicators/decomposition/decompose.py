"""`decompose_exports`: methods and perspectives by name, reduced to the dims asked for, with their identity checked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from nearshore_io import labels
from nearshore_io.errors import BalanceError, LabelError, ShockError, first_few
from nearshore_io.indicators.areas import Areas, areas_of, importer_columns, importers_beside, residual_value_added
from nearshore_io.indicators.content import exporters_named, without_exports
from nearshore_io.indicators.decomposition import borin_mancini, koopman_wang_wei, perimeters, tiva, wang_wei_zhu
from nearshore_io.labels import Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import stamp

By = Literal["sector", "importer"]
Terms = dict[str, Array]
CLOSES = 1e-9
"""What terms may miss exports by, relative to the exporter's largest cell of exports."""

FOUR = ("dva", "ddc", "fva", "fdc")


@dataclass(frozen=True)
class Method:
    """A decomposition: the terms that add up to exports, whose it is, and whether single cells of it mean anything."""

    adds_up: tuple[str, ...]
    source: str
    cells: bool = True


@dataclass(frozen=True, eq=False)
class Part:
    """One exporter's terms over the dims asked for, each (sectors or 1, importers or 1)."""

    exporter: str
    importers: list[str]
    terms: Terms


BORIN_MANCINI = Method(FOUR, "Borin & Mancini (2019, 2023)")
METHODS: Mapping[str, Mapping[str, Method]] = {
    "borin-mancini": dict.fromkeys(
        ("source", "sink", "world-source", "world-sink", "importer", "own-flow"), BORIN_MANCINI
    ),
    "koopman-wang-wei": {"": Method(koopman_wang_wei.TERMS, "Koopman, Wang & Wei (2014)", cells=False)},
    "wang-wei-zhu": {"": Method(wang_wei_zhu.TERMS, "Wang, Wei & Zhu (2013, 2018)")},
    "miroudot-ye": {name: Method(FOUR, "Miroudot & Ye (2021)") for name in ("source", "world-source", "own-flow")},
    "tiva": {"": Method(("exgr_dva", "exgr_fva"), "OECD, Guide to Trade in Value Added indicators")},
}
"""Methods, and the perspectives each has; the first is the default."""

LONG_NAMES = {
    "exports": "gross exports", "dva": "domestic value added", "ddc": "domestic content counted twice",
    "fva": "foreign value added", "fdc": "foreign content counted twice", "dc": "domestic content",
    "fc": "foreign content", "davax": "value added absorbed by the first importer", "ref": "value added that returns",
    "vax": "value added absorbed abroad", "vaxim": "value added absorbed by the importer",
    "gvc": "exports in value chains (two borders or more)", "gvcb": "backward participation",
    "gvcf": "forward participation", "taxes": "taxes less subsidies on products",
}  # fmt: skip


def decompose_exports(
    model: Leontief,
    exporter: Wanted | None = None,
    importer: Wanted | None = None,
    by: Sequence[By] | By = (),
    method: str = "borin-mancini",
    perspective: str | None = None,
    taxes: Literal["folded", "separate"] = "folded",
) -> xr.Dataset:
    """Return gross exports decomposed, one variable for each term, million USD.

    Parameters
    ----------
    exporter : country, or a group taken as one exporter ("north_america"); several give a dim ``exporter``, None all
        countries.
    importer : country, group or several; by default all of the world.
    by : further dims, any of "sector" (exporting industry's sector) and "importer".
    method : "borin-mancini" (perspectives "source", "sink", "world-source", "world-sink", "importer", "own-flow"),
        "koopman-wang-wei" (nine terms, of total exports alone), "wang-wei-zhu" (sixteen), "miroudot-ye" ("source",
        "world-source", "own-flow") or "tiva" (OECD's indicators by their codes).
    perspective : by default the method's first. "importer" and "own-flow" look at each flow on its own: with "importer"
        in ``by`` each bilateral flow is its own perimeter, without it the flows to all importers named are one.
    taxes : "folded" takes all that is no input as value added, v = 1 − 1ᵀA, as these methods are defined;
        "separate" takes the table's value added, and what else is paid (product taxes) becomes the term ``taxes``.

    Returns
    -------
    Dataset over ``exporter`` (where several), ``sector`` and ``importer`` as asked. The terms that add up to exports
    are named in the attribute ``adds_up``; the definitions stand in the functions of `indicators.decomposition`.

    Raises
    ------
    LabelError, ShockError
        Unknown names, methods or dims; an exporter among its importers; no exports at all.
    BalanceError
        Terms that do not add up to exports, to 1e-9: the identity is checked in every call.

    Source: Koopman, Wang & Wei (2014); Wang, Wei & Zhu (2013); Borin & Mancini (2019, 2023); Miroudot & Ye (2021).
    """
    if not isinstance(model, Leontief):
        raise ShockError(f"decompose_exports needs a model, nio.Leontief(table), not {type(model).__name__}.")
    view, chosen = _chosen(method, perspective)
    dims = _dims(by, method, chosen)
    labels.position(taxes, ("folded", "separate"), "way to treat taxes")
    listed = exporters_named(model.table, exporter)
    several = exporter is None or not isinstance(exporter, str)
    silent = without_exports(model.table) if exporter is None else []
    selling = [name for name in listed if name not in silent]
    parts = list(_results(model, selling, importer, dims, method, view, taxes))
    dataset = _dataset(model.table, parts, listed, _importers(model, importer), dims, several=several)
    described = _described(dataset, model, listed, importer, method, view, chosen, taxes)
    return described.assign_attrs(without_exports=", ".join(silent)) if silent else described


def _chosen(method: str, perspective: str | None) -> tuple[str, Method]:
    labels.position(method, list(METHODS), "method")
    known = METHODS[method]
    if perspective is None:
        first = next(iter(known))
        return first, known[first]
    if perspective not in known:
        has = f"its perspectives: {first_few(known, 9)}" if "" not in known else "it has none"
        raise LabelError(f"method {method!r} has no perspective {perspective!r}; {has}.")
    return perspective, known[perspective]


def _dims(by: Sequence[By] | By, method: str, chosen: Method) -> tuple[str, ...]:
    dims = labels.as_list(by)
    for dim in dims:
        labels.position(dim, ("sector", "importer"), "dim of decompose_exports")
    if dims and not chosen.cells:
        raise LabelError(f"{method} decomposes total exports only; for {first_few(dims)} take wang-wei-zhu or another.")
    return tuple(dim for dim in ("sector", "importer") if dim in dims)


def _results(
    model: Leontief,
    exporters: list[str],
    importer: Wanted | None,
    dims: tuple[str, ...],
    method: str,
    view: str,
    taxes: str,
) -> Iterator[Part]:
    """Yield the decomposition of each exporter; countries share one set of blocks, a bloc has one of its own."""
    chosen = METHODS[method][view]
    if importer is not None and not chosen.cells:
        raise LabelError(f"{method} decomposes total exports only: leave out importer=.")
    v = _value_added(model, taxes)
    for group in _apart(model, exporters):
        areas, positions = areas_of(model, group, v)
        paths = wang_wei_zhu.Paths(areas)
        for s, B in _with_columns(areas, positions, needed=view in ("source", "sink") and method != "tiva"):
            name = areas.names[s]
            named = importer if len(exporters) == 1 else importers_beside(model.table, name, importer)
            columns = importer_columns(areas, name, named)
            areas.total_exports_of(s)
            terms = _terms(areas, s, B, paths, method, view, columns, dims)
            if taxes == "separate":
                # (v + τ) B = 1ᵀ, so what is not value added per export is the product taxes on the way to it
                paid = (1.0 - areas.VB[:, areas.rows[s]].sum(axis=0))[:, None] * areas.exports(s)
                terms["taxes"] = paid if chosen.cells else paid.sum(axis=0, keepdims=True)
            _require_closed(terms, chosen, areas, s, [k for _, members in columns for k in members])
            yield Part(name, [importer for importer, _ in columns], _reduced(terms, areas, columns, dims))


def _apart(model: Leontief, exporters: list[str]) -> list[list[str]]:
    """Return the exporters that are countries in one group, and each bloc in one of its own."""
    labels.require_unique(exporters, "exporter")
    table = model.table
    size = {e: len(table.countries_of(e)) for e in exporters}
    countries = [exporter for exporter in exporters if size[exporter] == 1]
    return ([countries] if countries else []) + [[exporter] for exporter in exporters if size[exporter] > 1]


def _importers(model: Leontief, importer: Wanted | None) -> list[str]:
    return list(model.table.countries) if importer is None else labels.as_list(importer)


def _value_added(model: Leontief, taxes: str) -> Array:
    table = model.table
    if taxes == "separate":
        labels.position("value_added", list(table.inputs), "input")
        return table.intensity("value_added")
    return residual_value_added(table)


def _with_columns(areas: Areas, positions: Sequence[int], *, needed: bool) -> Iterator[tuple[int, Array]]:
    """Yield exporters with their columns of B, where the method needs them; else with none."""
    if needed:
        yield from areas.columns(positions)
    else:
        yield from ((s, np.zeros((0, 0))) for s in positions)


VIEWS: Mapping[str, Callable[[Areas, int, Array], Terms]] = {
    "source": borin_mancini.source,
    "sink": borin_mancini.sink,
    "world-source": borin_mancini.world_source,
    "world-sink": borin_mancini.world_sink,
}


def _terms(
    areas: Areas,
    s: int,
    B: Array,
    paths: wang_wei_zhu.Paths,
    method: str,
    view: str,
    columns: list[tuple[str, list[int]]],
    dims: tuple[str, ...],
) -> Terms:
    """Return the terms of one exporter, each (n_s, G) or (1, G)."""
    if method == "koopman-wang-wei":
        return koopman_wang_wei.terms(areas, s)
    if method == "wang-wei-zhu":
        return wang_wei_zhu.terms(areas, s, paths)
    if method == "tiva":
        return tiva.terms(areas, s)
    if view in ("own-flow", "importer"):
        return _flow_by_flow(areas, s, view, columns, dims)
    terms = VIEWS[view](areas, s, B)
    return {name: terms[name] for name in ("exports", *FOUR, "dc", "fc")} if method == "miroudot-ye" else terms


def _flow_by_flow(
    areas: Areas, s: int, view: str, columns: list[tuple[str, list[int]]], dims: tuple[str, ...]
) -> Terms:
    """Return the sum over flows of their own decompositions; what is one flow follows from the dims."""
    if view == "importer":
        parts = [perimeters.importer(areas, s, r) for _, members in columns for r in members]
    else:
        everywhere = [[k for _, members in columns for k in members]]
        importers = [members for _, members in columns] if "importer" in dims else everywhere
        width = len(areas.model.table.sectors)
        sector = areas.rows[s] % width
        flows = [np.flatnonzero(sector == j).tolist() for j in range(width)] if "sector" in dims else [None]
        exported = areas.exports(s)
        parts = [
            perimeters.own_flow(areas, s, members, industries)
            for members in importers
            for industries in flows
            if exported[:, members][industries if industries is not None else slice(None)].any()
        ]
    return {name: np.sum([part[name] for part in parts], axis=0) for name in parts[0]}


def _require_closed(terms: Terms, chosen: Method, areas: Areas, s: int, importers: list[int]) -> None:
    """Raise `BalanceError` where the terms do not add up to exports."""
    exports = areas.exports(s)[:, importers]
    named = [*chosen.adds_up, *(["taxes"] if "taxes" in terms else [])]
    total = np.sum([terms[name] for name in named], axis=0)[:, importers]
    gap = total - exports if chosen.cells else np.atleast_2d(total.sum() - exports.sum())
    worst = float(np.abs(gap).max(initial=0.0))
    scale = float(np.abs(exports).max() if chosen.cells else np.abs(exports).sum())
    if not worst <= CLOSES * scale:
        raise BalanceError(
            f"the terms of {areas.names[s]} miss its exports by {worst:.3g} in a cell: the table's coefficients and "
            "its output do not belong together."
        )


def _reduced(terms: Terms, areas: Areas, columns: list[tuple[str, list[int]]], dims: tuple[str, ...]) -> Terms:
    """Return terms summed to (sectors or 1, importers or 1)."""
    width = len(areas.model.table.sectors)
    gather = np.zeros((len(areas.names), len(columns) if "importer" in dims else 1))
    for j, (_, members) in enumerate(columns):
        gather[members, j if "importer" in dims else 0] = 1.0
    found = {}
    for name, values in terms.items():
        cells = values @ gather
        if "sector" in dims:  # the rows of an area are its regions' sectors, region by region
            found[name] = cells.reshape(-1, width, cells.shape[1]).sum(axis=0)
        else:
            found[name] = cells.sum(axis=0, keepdims=True)
    return found


def _dataset(
    table: IOTable,
    parts: list[Part],
    exporters: list[str],
    importers: list[str],
    dims: tuple[str, ...],
    *,
    several: bool,
) -> xr.Dataset:
    """Return the parts of all exporters in one Dataset; what an exporter would sell to itself is NaN."""
    own = {name for part in parts for name in part.importers}
    names = [name for name in importers if name in own] + [n for n in dict.fromkeys(own) if n not in importers]
    at = {name: j for j, name in enumerate(names)}
    coords: dict[str, list[str]] = {"exporter": exporters} if several else {}
    if "sector" in dims:
        coords["sector"] = list(table.sectors)
    if "importer" in dims:
        coords["importer"] = names
    order = {part.exporter: part for part in parts}
    found = {}
    for term in parts[0].terms:
        shape = (len(exporters), parts[0].terms[term].shape[0], len(names) if "importer" in dims else 1)
        values = np.full(shape, np.nan)
        for k, exporter in enumerate(exporters):
            if exporter not in order:
                continue  # it exports nothing
            part = order[exporter]
            columns = [at[name] for name in part.importers] if "importer" in dims else [0]
            values[k][:, columns] = part.terms[term]
        found[term] = (list(coords), values.reshape([len(c) for c in coords.values()]))
    dataset = xr.Dataset(found, coords=coords)
    if "sector" in dims:
        dataset = dataset.assign_coords(sector_name=("sector", table.Y["sector_name"].values))
    return dataset


def _described(
    dataset: xr.Dataset,
    model: Leontief,
    exporters: list[str],
    importer: Wanted | None,
    method: str,
    view: str,
    chosen: Method,
    taxes: str,
) -> xr.Dataset:
    table = model.table
    for name, variable in dataset.data_vars.items():
        stamp(variable, table.unit, LONG_NAMES.get(str(name), str(name)), **table.marks)
    dataset.attrs = {
        "method": method,
        "perspective": view,
        "adds_up": ", ".join([*chosen.adds_up, *(["taxes"] if taxes == "separate" else [])]),
        "source": chosen.source,
        "exporter": ", ".join(exporters) if len(exporters) < 9 else "all countries",
        "importer": "all countries" if importer is None else ", ".join(labels.as_list(importer)),
        "taxes": taxes,
        **table.provenance,
        "solver": model.factors.choice,
    }
    return dataset
