"""Tables for people: what is at hand, what was imported, what is odd, and how published figures compare."""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from nearshore_io.bars import progress
from nearshore_io.fetch import Progress as Fetched
from nearshore_io.indicators import Comparison
from nearshore_io.library import Entry, Kept
from nearshore_io.table import CheckReport, IOTable


def entries(console: Console, tables: Mapping[str, Entry]) -> None:
    """Print the tables at hand with year, edition, licence and checksum."""
    table = Table(title="Tables at hand", title_justify="left")
    table.add_column("Name", no_wrap=True)
    for heading in ("Year", "Edition", "Licence"):
        table.add_column(heading)
    table.add_column("sha256", no_wrap=True)
    for name, entry in tables.items():
        year = "" if entry.year is None else str(entry.year)
        table.add_row(name, year, entry.edition, entry.licence, f"{entry.sha256[:12]}…")
    console.print(table)
    for name, entry in tables.items():
        where = "with the package" if entry.shipped else str(entry.path)
        console.print(f"{name}: {entry.title}; {entry.citation} ({where}).", soft_wrap=True)


def report(console: Console, report: CheckReport) -> None:
    """Print the report on a table."""
    table = Table(title=f"Check of {report.table}", title_justify="left")
    for heading, justify in (
        ("What", "left"),
        ("Kind", "left"),
        ("Count", "right"),
        ("Value", "right"),
        ("Detail", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for finding in report.findings:
        value = f"{finding.value:,.6g}" if finding.value or finding.count else ""
        table.add_row(finding.what, finding.severity, f"{finding.count:,}", value, finding.detail)
    console.print(table)


def comparisons(console: Console, listed: Sequence[Comparison]) -> None:
    """Print published figures beside the table's own."""
    if not listed:
        console.print("No published figure of this year to hold the table against.")
        return
    table = Table(title="Held against published figures", title_justify="left")
    for heading in ("", "Year", "Published", "Here", "Difference", "Expected within"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    for one in listed:
        known = not math.isnan(one.ours)
        difference = f"{'+' if one.difference >= 0 else ''}{_figure(one.difference)}" if known else ""
        expected = f"±{_figure(one.tolerance)}: {'yes' if one.within else 'no'}" if known else ""
        ours = _figure(one.ours) if known else "not here"
        table.add_row(one.id, str(one.year), _figure(one.published), ours, difference, expected)
    console.print(table)
    for one in listed:
        missing = f" Not in this table: {one.detail}" if one.detail else ""
        console.print(f"{one.id}: {one.quantity} ({one.source}).{missing}", soft_wrap=True)


def _figure(value: float) -> str:
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3f}"


def imported(console: Console, table: IOTable, kept: Kept, seconds: float, report: CheckReport) -> None:
    """Print what an import has read and written, and every oddity."""
    meta = table.meta
    console.print(
        f"{kept.path.stem}: {meta.get('source', 'table')}, {table.year or 'year unknown'}; "
        f"{len(table.regions)} regions × {len(table.sectors)} sectors, {table.unit}; {seconds:.1f} s.",
        soft_wrap=True,
    )
    for finding in report.findings:
        if finding.severity != "info":
            value = f", {finding.value:,.6g}" if finding.value else ""
            console.print(
                f"  {finding.severity}: {finding.what}: {finding.count:,}{value} ({finding.detail})", soft_wrap=True
            )
    unpacked = f"; unpacked for fast reading: {kept.unpacked_size / 1e6:.0f} MB" if kept.unpacked else ""
    console.print(f"  {kept.path} ({kept.size / 1e6:.1f} MB, sha256 {table.sha256[:12]}…{unpacked}).", soft_wrap=True)


def download(what: str) -> AbstractContextManager[Fetched]:
    """Return `progress` with a bar of bytes."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return progress(what, *columns)
