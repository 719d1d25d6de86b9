"""Results for people: two or three significant digits, both countries in every table, the measure by its name."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import xarray as xr
from rich.console import Console
from rich.status import Status
from rich.table import Table

from nearshore_io.labels import unknown
from nearshore_io.table import IOTable

SHOWN_ORIGINS = 5
SMALL = 1e-6


def console(*, stderr: bool = False) -> Console:
    """Return a console that prints labels as they are, brackets included."""
    return Console(stderr=stderr, markup=False)


def estimate(console: Console, attrs: Mapping[Any, Any]) -> None:
    """Print, under results from an estimated table, that they are estimates, and their band."""
    if "estimate" in attrs:
        console.print(f"Estimate: {attrs['estimate']}. Band: {attrs['estimate_band']}.")


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show a spinner on standard error while something is read, on a terminal only."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield
        return
    with screen.status(what):
        yield


class Rounds:
    """What a calibration is doing, on one line of standard error: the step, and the rounds of its balancing."""

    def __init__(self, status: Status | None) -> None:
        self.status, self.now = status, ""

    def step(self, number: int, count: int, name: str) -> None:
        """Show which step begins."""
        self.now = f"step {number + 1} of {count}: {name}"
        self._show(self.now)

    def round(self, iteration: int, residual: float) -> None:
        """Show the round and the largest residual, every 25 rounds."""
        if iteration % 25 == 0:
            self._show(f"{self.now}, round {iteration}, largest residual {residual:.1e}")

    def _show(self, text: str) -> None:
        if self.status is not None:
            self.status.update(text)


@contextmanager
def rounds(what: str) -> Iterator[Rounds]:
    """Yield what a calibration tells its steps and rounds to; shown on a terminal only."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield Rounds(None)
        return
    with screen.status(what) as status:
        yield Rounds(status)


def content(console: Console, content: xr.DataArray) -> None:
    """Print content in cents per dollar: origins down, or the largest origins across and further dims down."""
    attrs = content.attrs
    others = [str(dim) for dim in content.dims if dim != "origin"]
    title = f"{attrs['long_name']}, cents per dollar"
    console.print(title)
    console.print(_by_cell(content, others) if others else _by_origin(content))
    console.print(
        f"Measure: {attrs['measure']} (v L e / 1'e); value added: {attrs['value_added']}; taxes: {attrs['taxes']}. "
        f"Exports: {attrs['exports']:,.0f} {str(attrs['units']).split(' per ')[0]}. Table: {attrs['table']}. "
        f"Residual {attrs['residual']:.0e}."
    )
    estimate(console, attrs)
    if attrs["unexplained"] > SMALL:
        console.print(
            f"Up to {100 * attrs['unexplained']:.2f} cents are not explained: the table's primary inputs are not its "
            "outputs less its inputs (see `nearshore check`)."
        )


def measures(console: Console, listed: Mapping[str, xr.DataArray], origin: str) -> None:
    """Print one origin's content by each measure, with the definition and the source of each."""
    first = next(iter(listed.values()))
    if origin not in first["origin"].values:
        raise unknown(origin, "origin", first["origin"].values.tolist())
    flow = str(first.attrs["long_name"]).partition(" of exports of ")[2]
    others = [str(dim) for dim in first.dims if dim != "origin"]
    table = Table(title=f"{origin} content of exports of {flow}, cents per dollar", title_justify="left")
    for dim in others:
        table.add_column(dim, overflow="fold")
    if others:
        for name in listed:
            table.add_column(name, justify="right")
        chosen = {name: array.sel(origin=origin).stack(cell=others) for name, array in listed.items()}
        for cell in chosen["value_added"]["cell"].values.tolist():
            values = [array.sel(cell=cell).item() for array in chosen.values()]
            if not all(math.isnan(value) for value in values):
                table.add_row(*_named(first, others, cell), *(f"{value:.2f}" for value in values))
        console.print(table)
    else:
        table.add_column("measure", no_wrap=True)
        table.add_column("cents", justify="right")
        for heading in ("definition", "source"):
            table.add_column(heading)
        for name, array in listed.items():
            cents = f"{array.sel(origin=origin).item():.2f}"
            table.add_row(name, cents, str(array.attrs["definition"]), str(array.attrs["source"]))
        console.print(table)
    console.print(
        "Product taxes are folded into the content of who pays them. Inputs specific to the importer are known to "
        "customs only: the bounds say what the table's totals allow; `export_content(..., specialised={...})` "
        "takes shares.\n"
        f"Exports: {first.attrs['exports']:,.0f}. Table: {first.attrs['table']}."
    )
    estimate(console, first.attrs)


def _by_origin(content: xr.DataArray) -> Table:
    table = Table("origin")
    table.add_column("cents", justify="right")
    for origin in content.sortby(content, ascending=False)["origin"].values:
        table.add_row(str(origin), f"{100 * content.sel(origin=origin).item():.2f}")
    table.add_section()
    table.add_row("sum", f"{100 * content.sum().item():.2f}")
    return table


def _by_cell(content: xr.DataArray, others: Sequence[str]) -> Table:
    size = content.sum(others)
    largest = size.sortby(size, ascending=False)["origin"].values[:SHOWN_ORIGINS].tolist()
    table = Table()
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


def solver(console: Console, table: IOTable, choice: str, crossovers: Mapping[str, Any]) -> None:
    """Print the solver chosen for a table, and the crossovers."""
    console.print(f"{table.name}, {table.n:,} industries: {choice}")
    grid = Table(title="Krylov from nothing beats LU with its factorisation up to", title_justify="left")
    grid.add_column("industries", justify="right")
    grid.add_column("right-hand sides", justify="right")
    for point in crossovers["point"]:
        grid.add_row(f"{point['n']:,}", f"{point['right_hand_sides']:,}")
    console.print(grid)
    console.print(f"Measured on {crossovers['date']}: {crossovers['machine']}.")
