"""Results for people: two or three significant digits, both countries in every table, the measure by its name."""

import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from nearshore_io.batch import counterfactual
from nearshore_io.batch.run import Progress as Callback
from nearshore_io.indicators import export_content
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Scenario
from nearshore_io.table import CheckReport, IOTable

FOCUS = ("USA", "MEX", "CHN")
UNKNOWN = "no data"
JOBS = "persons; build: job-years"
CLOCK = {"build": "build, once", "run": "run, per year"}
SHOWN_ORIGINS = 5
FLOWS = (("USA", "MEX", None), ("USA", "MEX", "USA"), ("MEX", "USA", "MEX"))
"""Content shown before and after: origin, exporter, importer (None: the world)."""


def significant(value: float, digits: int = 3) -> str:
    """Return a number with a sign, thousands separators and so many significant digits."""
    if math.isnan(value):
        return UNKNOWN
    if abs(value) < 5e-7:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):+,.{max(decimals, 0)}f}"


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show a spinner on standard error while something is read, on a terminal only."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


@contextmanager
def progress(what: str) -> Iterator[Callback]:
    """Yield a callback that draws a bar on standard error once the work has taken a second."""
    started = time.monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)

    def advance(done: int, total: int) -> None:
        if not bar.live.is_started and time.monotonic() - started > 1.0 and sys.stderr.isatty():
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        bar.stop()


def impacts(
    console: Console, model: Leontief, scenarios: Sequence[Scenario], impact: xr.Dataset, *, effects: bool
) -> None:
    """Print one table of impacts for each scenario, then content before and after."""
    for scenario in scenarios:
        _impact(console, scenario, impact.sel(scenario=scenario.name), effects=effects)
    if {"USA", "MEX"} <= set(model.table.countries):
        _contents(console, model, scenarios)
    console.print(
        f"Table: {impact.attrs['table']} ({impact.attrs['price_basis']}, sha256 {impact.attrs['table_sha256'][:12]}…). "
        f"Model: {impact.attrs['closure']}. Largest residual {impact.attrs['residual']:.0e}.",
        highlight=False,
    )
    console.print(f"Limits: {impact.attrs['limits']}.", highlight=False)


def _impact(console: Console, scenario: Scenario, impact: xr.Dataset, *, effects: bool) -> None:
    table = Table(title=f"{scenario.name}: {scenario.title}" if scenario.title else scenario.name, title_justify="left")
    table.add_column("Phase")
    if effects:
        table.add_column("Effect")
    table.add_column("Region")
    for name, unit in (("Value added", "million USD"), ("Output", "million USD"), ("Jobs", JOBS)):
        table.add_column(f"{name}\n({unit})", justify="right")
    for phase in impact["phase"].values.tolist():
        part = impact.sel(phase=phase)
        if bool(part["output"].isnull().all()):
            continue
        for effect in impact["effect"].values.tolist() if effects else [None]:
            chosen = part if effect is None else part.sel(effect=effect)
            for place, values in _regions(chosen):
                lead = [CLOCK[phase]] + ([str(effect)] if effects else [])
                table.add_row(*lead, place, *values)
            table.add_section()
    console.print(table)
    console.print(f"Counted: {impact['basis'].item()}.\n", highlight=False)


def _regions(impact: xr.Dataset) -> Iterator[tuple[str, list[str]]]:
    owner = impact["country"].values
    groups = [(name, owner == name) for name in FOCUS if name in owner]
    groups += [("other countries", ~np.isin(owner, FOCUS)), ("world", np.ones(len(owner), dtype=bool))]
    for name, members in groups:
        part = impact.isel(region=members)
        money = [part[variable].sum(["region", "sector"]).item() for variable in ("value_added", "output")]
        jobs = part["jobs"].sum(["region", "sector"], skipna=False).item() * 1e3 if "jobs" in part else math.nan
        yield name, [*(significant(value) for value in money), significant(jobs)]


def _contents(console: Console, model: Leontief, scenarios: Sequence[Scenario]) -> None:
    """Print cents of one country's value added per dollar of the other's exports, before and after."""
    table = Table(title="Cents of value added per export dollar, before and after", title_justify="left")
    table.add_column("Scenario", overflow="fold")
    for origin, exporter, importer in FLOWS:
        table.add_column(f"{origin} cents in {exporter} exports\nto {importer or 'all countries'}", justify="right")
    before = _cents(Leontief(model.table, solver=model.solver))
    table.add_row("before", *(f"{cents:.2f}" for cents in before))
    opened = Leontief(model.table, solver=model.solver)
    for scenario in scenarios:
        if "run" in scenario.changes(model.table):
            after = _cents(counterfactual(opened, scenario))
            table.add_row(
                scenario.name, *(f"{new:.2f} ({new - old:+.2f})" for new, old in zip(after, before, strict=True))
            )
        else:
            table.add_row(scenario.name, *("no run phase" for _ in FLOWS))
    console.print(table)
    console.print("Measure: value added by origin embodied in gross exports, v L e / 1'e, at the table's prices.\n")


def _cents(model: Leontief) -> list[float]:
    return [
        100 * export_content(model, exporter, importer).sel(origin=origin).item()
        for origin, exporter, importer in FLOWS
    ]


def content(console: Console, content: xr.DataArray) -> None:
    """Print content in cents per dollar: origins down, or the largest origins across and further dims down."""
    attrs = content.attrs
    others = [str(dim) for dim in content.dims if dim != "origin"]
    title = f"{attrs['long_name']}, cents per dollar"
    console.print(_by_cell(content, others, title) if others else _by_origin(content, title))
    console.print(
        f"Measure: {attrs['measure']} (v L e / 1'e); value added: {attrs['value_added']}; taxes: {attrs['taxes']}. "
        f"Exports: {attrs['exports']:,.0f} million USD. Table: {attrs['table']}. Residual {attrs['residual']:.0e}.",
        highlight=False,
    )


def _by_origin(content: xr.DataArray, title: str) -> Table:
    table = Table("origin", title=title, title_justify="left")
    table.add_column("cents", justify="right")
    for origin in content.sortby(content, ascending=False)["origin"].values:
        table.add_row(str(origin), f"{100 * content.sel(origin=origin).item():.2f}")
    table.add_section()
    table.add_row("sum", f"{100 * content.sum().item():.2f}")
    return table


def _by_cell(content: xr.DataArray, others: Sequence[str], title: str) -> Table:
    size = content.sum(others)
    largest = size.sortby(size, ascending=False)["origin"].values[:SHOWN_ORIGINS].tolist()
    table = Table(title=title, title_justify="left")
    for dim in others:
        table.add_column(dim, overflow="fold")
    for origin in [*largest, "others"]:
        table.add_column(str(origin), justify="right", no_wrap=True)
    cells = content.stack(cell=others).transpose("cell", "origin")
    for cell, values in zip(cells["cell"].values.tolist(), cells, strict=True):
        if bool(values.isnull().all()):
            continue
        shown = [values.sel(origin=origin).item() for origin in largest]
        shown.append(values.sum().item() - sum(shown))
        table.add_row(*_named(content, others, cell), *(f"{100 * value:.2f}" for value in shown))
    return table


def _named(content: xr.DataArray, dims: Sequence[str], cell: Any) -> list[str]:
    labels = list(cell) if isinstance(cell, tuple) else [cell]
    names = dict(zip(content["sector"].values, content["sector_name"].values, strict=True)) if "sector" in dims else {}
    return [
        f"{label} {names[label]}" if dim == "sector" else str(label) for dim, label in zip(dims, labels, strict=True)
    ]


def sources(console: Console, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the shipped tables with their source and licence."""
    table = Table(title="Tables that come with the package", title_justify="left")
    for heading in ("Name", "What", "Source", "Licence", "sha256"):
        table.add_column(heading)
    for name, facts in tables.items():
        table.add_row(name, facts["title"], facts["citation"], facts["licence"], f"{facts['sha256'][:12]}…")
    console.print(table)


def report(console: Console, report: CheckReport) -> None:
    """Print the report on a table."""
    table = Table(title=f"Check of {report.table}", title_justify="left")
    for heading, justify in (
        ("What", "left"),
        ("", "left"),
        ("Count", "right"),
        ("Value", "right"),
        ("Detail", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for finding in report.findings:
        value = f"{finding.value:,.4g}" if finding.value or finding.count else ""
        table.add_row(finding.what, finding.severity, f"{finding.count:,}", value, finding.detail)
    console.print(table)


def solver(console: Console, table: IOTable, choice: str, crossovers: Mapping[str, Any]) -> None:
    """Print the solver chosen for a table, and the crossovers."""
    console.print(f"{table.name}, {table.n:,} industries: {choice}", highlight=False)
    grid = Table(title="Krylov from nothing beats LU with its factorisation up to", title_justify="left")
    grid.add_column("industries", justify="right")
    grid.add_column("right-hand sides", justify="right")
    for point in crossovers["point"]:
        grid.add_row(f"{point['n']:,}", f"{point['right_hand_sides']:,}")
    console.print(grid)
    console.print(f"Measured on {crossovers['date']}: {crossovers['machine']}.", highlight=False)
