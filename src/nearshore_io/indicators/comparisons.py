"""A table held against published figures of its year: the number, ours, and the difference."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nearshore_io import labels
from nearshore_io.errors import LabelError, first_few
from nearshore_io.indicators.content import exports
from nearshore_io.labels import Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.shipped import shipped
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Comparison:
    """One published figure beside the table's own.

    Attributes
    ----------
    id, quantity, source : which figure, what it measures, whose it is.
    year, published, tolerance : as ``tables/published-comparisons.toml`` has it.
    ours : the table's number; NaN where the table cannot say, and ``detail`` why.
    """

    id: str
    quantity: str
    year: int
    published: float
    ours: float
    tolerance: float
    source: str
    detail: str

    @property
    def difference(self) -> float:
        """Ours less the published figure."""
        return self.ours - self.published

    @property
    def within(self) -> bool:
        """Whether the difference is within the tolerance; False where there is no number of ours."""
        return abs(self.difference) <= self.tolerance


def compare_published(model: Leontief, years: Literal["own", "nearest"] = "own") -> list[Comparison]:
    """Return published figures, each with the table's own number.

    Parameters
    ----------
    years : "own" takes figures of the table's year; "nearest" takes every figure, of the year nearest to the table's:
        for a table whose year nobody has published figures of, where differences are changes over time too.

    Raises
    ------
    SolverError
        If the model has no trustworthy solution.
    """
    with shipped("tables", "published-comparisons.toml").open("rb") as file:
        entries = tomllib.load(file)["comparison"]
    own = int(model.table.year or 0)
    nearest = [min((int(year) for year in entry["values"]), key=lambda year: abs(year - own)) for entry in entries]
    return [
        _compared(model, entry, year)
        for entry, year in zip(entries, nearest, strict=True)
        if years == "nearest" or year == own
    ]


def _compared(model: Leontief, entry: Mapping[str, Any], year: int) -> Comparison:
    measure = _KINDS[entry["kind"]]
    try:
        ours, detail = measure(model, entry), ""
    except LabelError as error:
        ours, detail = float("nan"), str(error)
    return Comparison(
        entry["id"], entry["quantity"], year, float(entry["values"][str(year)]), ours, float(entry["tolerance"]),
        entry["source"], detail,
    )  # fmt: skip


def _content(model: Leontief, entry: Mapping[str, Any]) -> float:
    """Return Σ over origins of (v + τ)_r L e / 1ᵀe."""
    table = model.table
    sold = _sold(table, entry)
    with model.naming_industries():
        output = model.factors.solution(sold).x
    weights = np.sum([table.intensity(name) for name in table.inputs], axis=0)
    embodied = (weights * output).reshape(len(table.regions), -1).sum(axis=1)
    countries = np.array([table.country[region] for region in table.regions])
    named = labels.as_list(entry.get("origins") or entry["not_origins"])
    chosen = np.isin(countries, list(table.countries_of(named)))
    return float(embodied[chosen if "origins" in entry else ~chosen].sum() / sold.sum())


def _sold(table: IOTable, entry: Mapping[str, Any]) -> Array:
    """Return exports of the exporters, each on its own, to the importers, (n,), of the sectors alone."""
    sold = np.zeros(table.n)
    for exporter in labels.as_list(entry["exporters"]):
        own = table.countries_of(exporter)
        importers = labels.as_list(entry.get("importers", [c for c in table.countries if c not in own]))
        sold += exports(table, exporter, importers).sum(axis=1)
    return _only(table, sold, entry.get("sectors"))


def _only(table: IOTable, values: Array, sectors: Wanted | None) -> Array:
    if sectors is None:
        return values
    kept = np.zeros(table.n)
    at = table.positions(sector=sectors)
    kept[at] = values[at]
    return kept


def _national(model: Leontief, entry: Mapping[str, Any]) -> float:
    """Return 1 − inputs bought abroad per output, of some regions' industries."""
    table = model.table
    buyers = table.positions(region=entry["regions"], sector=entry["sectors"])
    own = table.countries_of(entry["regions"])
    abroad = np.array([table.country[region] not in own for region in table.regions]).repeat(len(table.sectors))
    output = float(table.x.values.ravel()[buyers].sum())
    if output == 0:
        raise LabelError(f"{entry['regions']} makes nothing of {entry['sectors']} in this table.")
    return 1.0 - float(table.Z[abroad][:, buyers].sum()) / output


def _jobs(model: Leontief, entry: Mapping[str, Any]) -> float:
    """Return jobs of the exporter in its exports, per billion."""
    table = model.table
    if "jobs" not in table.stressors:
        raise LabelError("the table has no jobs: nio.read_stressors.")
    sold = _sold(table, entry)
    with model.naming_industries():
        output = model.factors.solution(sold).x
    own = table.positions(region=entry["exporters"])
    jobs = table.intensity("jobs")[own] * output[own]
    persons = 1e3 if table.stressors["jobs"][1].startswith("thousand") else 1.0
    if np.isnan(jobs).any():
        raise LabelError(f"jobs are unknown in {first_few(labels.as_list(entry['exporters']))}.")
    return float(jobs.sum() * persons / (sold.sum() / 1e3))


def _goods_trade(model: Leontief, entry: Mapping[str, Any]) -> float:
    """Return sales both ways, billion."""
    one, other = entry["exporters"], entry["importers"]
    sides: Sequence[Array] = [
        _sold(model.table, {**entry, "exporters": a, "importers": b}) for a, b in ((one, other), (other, one))
    ]
    return float(np.sum(sides) / 1e3)


_KINDS: Mapping[str, Callable[[Leontief, Mapping[str, Any]], float]] = {
    "content": _content,
    "national": _national,
    "jobs": _jobs,
    "goods_trade": _goods_trade,
}
