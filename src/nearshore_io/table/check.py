"""The report of every oddity in a table. Nothing here changes a number."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from nearshore_io import notebook
from nearshore_io.errors import first_few
from nearshore_io.labels import Positions
from nearshore_io.solvers.base import Array
from nearshore_io.solvers.dense import condition
from nearshore_io.solvers.spectral import column_sums, spectral_radius

if TYPE_CHECKING:
    from nearshore_io.table.iotable import IOTable

INCOMES = ("compensation", "labour_compensation", "labour_income")
CONDITION_UP_TO = 10_000
"""Industries up to which the report factorises I − A for its condition: 4 s at 9,800."""

Severity = Literal["info", "note", "error"]


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    what : the oddity looked for.
    severity : "info" for a measured fact, "note" for an oddity real tables have, "error" for a table no model can use.
    count : how many cells or industries show it.
    value : its size, in the unit named in ``detail`` where it has one.
    detail : the first few offenders, or what was measured.
    """

    what: str
    severity: Severity
    count: int
    value: float
    detail: str


@dataclass(frozen=True)
class CheckReport:
    """Everything odd about a table, printable as a table of its own."""

    table: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True unless something would stop a model from being solved."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row for each finding."""
        return pd.DataFrame([vars(finding) for finding in self.findings])

    def __getitem__(self, what: str) -> Finding:
        found = {finding.what: finding for finding in self.findings}
        return found[what]

    def __str__(self) -> str:
        return f"{self.table}\n{self.to_pandas().to_string(index=False)}"

    def _repr_html_(self) -> str:
        counts = {
            name: sum(finding.severity == name for finding in self.findings) for name in ("error", "note", "info")
        }
        facts = {"findings": ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"}
        return notebook.card(f"Check of {self.table}", facts, notebook.frame(self.to_pandas()))


def check_table(table: "IOTable") -> CheckReport:
    """Return the report on a table."""
    parts: tuple[Callable[[IOTable], Iterator[Finding]], ...] = (_file, _balance, _signs, _coefficients, _satellites)
    return CheckReport(table=table.name, findings=tuple(finding for part in parts for finding in part(table)))


def _file(table: "IOTable") -> Iterator[Finding]:
    for number, line in enumerate(table.meta.get("oddities", ()), start=1):
        yield Finding(f"oddity {number} of the file", "note", 1, 0.0, str(line))


def _balance(table: "IOTable") -> Iterator[Finding]:
    if table.meta.get("output") is not None:
        yield _gap(table, "row sum against publisher's output", table.imbalance("output").values)
    yield _gap(table, "row output against column inputs", table.imbalance("inputs").values)


def _gap(table: "IOTable", what: str, gap: Array) -> Finding:
    size = np.abs(gap).ravel()
    scale = np.abs(table.x.values).ravel()
    off = size > 1e-9 * np.maximum(scale, 1.0)
    worst = int(size.argmax())
    return Finding(
        what,
        "note" if off.any() else "info",
        int(off.sum()),
        float(size.sum()),
        f"{table.unit}, absolute differences; largest {gap.ravel()[worst]:,.6g} at {table.industry_names([worst])}",
    )


def _signs(table: "IOTable") -> Iterator[Finding]:
    below = table.Z < 0
    cells = table.Z.data[table.Z.data < 0] if issparse(table.Z) else table.Z[below]
    yield _cells(table, "negative intermediate flows", below.nonzero()[0], cells)
    for category in table.Y["category"].values:
        cells = table.Y.sel(category=category).values.reshape(table.n, -1)
        rows = np.nonzero(cells < 0)[0]
        yield _cells(table, f"negative final demand: {category}", rows, cells[cells < 0])
    for name, amounts in table.inputs.items():
        if name == "value_added":
            rows = np.flatnonzero((amounts <= 0) & (table.x.values.ravel() != 0))
            yield _cells(table, "value added zero or negative (with output)", rows, amounts[rows])
        else:
            rows = np.flatnonzero(amounts < 0)
            yield _cells(table, f"negative input: {name}", rows, amounts[rows])


def _cells(table: "IOTable", what: str, rows: Positions, values: Array) -> Finding:
    where = table.industry_names(np.unique(rows).astype(np.intp))
    return Finding(what, "note" if rows.size else "info", int(rows.size), float(values.sum()), where)


def _coefficients(table: "IOTable") -> Iterator[Finding]:
    x = table.x.values.ravel()
    zero = np.flatnonzero(x == 0)
    yield Finding("zero-output industries", "note" if zero.size else "info", zero.size, 0.0, table.industry_names(zero))
    cancelled = np.flatnonzero((x == 0) & (np.abs(table.y).sum(axis=1) > 0))
    yield Finding(
        "final demand that cancels to zero output",
        "note" if cancelled.size else "info",
        cancelled.size,
        float(np.abs(table.y[cancelled]).sum()),
        table.industry_names(cancelled),
    )
    below = np.flatnonzero(x < 0)
    yield Finding(
        "negative output",
        "note" if below.size else "info",
        below.size,
        float(x[below].sum()),
        table.industry_names(below),
    )
    orphans = np.flatnonzero((x == 0) & (np.abs(table.v.values).sum(axis=0).ravel() > 0))
    yield Finding(
        "primary inputs without output",
        "note" if orphans.size else "info",
        orphans.size,
        float(table.v.values.sum(axis=0).ravel()[orphans].sum()),
        table.industry_names(orphans),
    )
    sums = column_sums(table.A)
    heavy = np.flatnonzero((column_sums(table.Z) >= x) & (x > 0))
    yield Finding(
        "columns of A that sum to one or more",
        "note" if heavy.size else "info",
        heavy.size,
        float(sums.max(initial=0.0)),
        f"largest sum; {table.industry_names(heavy)}" if heavy.size else "largest sum",
    )
    radius = spectral_radius(table.A)
    verdict = "below one: the economy reproduces itself" if radius < 1 else "NOT below one: no model can be solved"
    yield Finding("spectral radius of A", "info" if radius < 1 else "error", 1, radius, f"{verdict} (Hawkins–Simon)")
    if radius < 1 and table.n <= CONDITION_UP_TO:
        number = condition(table.A)
        detail = f"∞-norm estimate on the LU factors: solves lose about {np.log10(number):.0f} of 16 digits"
        yield Finding("condition of I − A", "info", 1, number, detail)


def _satellites(table: "IOTable") -> Iterator[Finding]:
    x = np.abs(table.x.values)
    value_added = table.inputs.get("value_added")
    for name, (values, unit) in table.stressors.items():
        if unit == table.unit and value_added is not None and name in INCOMES:
            above = np.flatnonzero(values > value_added)
            yield _cells(table, f"{name} above value added", above, (values - value_added)[above])
    for name in table.F["stressor"].values:
        missing = np.isnan(table.F.sel(stressor=name).values)
        regions = [
            region for region, all_missing in zip(table.regions, missing.all(axis=1), strict=True) if all_missing
        ]
        share = float(x[missing].sum() / x.sum())
        yield Finding(
            f"missing {name}",
            "note" if missing.any() else "info",
            int(missing.sum()),
            share,
            f"share of world output without data; no data at all for {first_few(regions)}"
            if regions
            else "share of world output without data",
        )
