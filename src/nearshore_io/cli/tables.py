"""Commands about tables: ``tables``, ``check``, ``import``, ``fetch``."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nearshore_io.bars import progress
from nearshore_io.cli import show, show_tables
from nearshore_io.cli.inputs import open_table
from nearshore_io.cli.options import Format, FormatOption, YearOption, app
from nearshore_io.errors import FormatError, NearshoreError
from nearshore_io.fetch import fetch_icio
from nearshore_io.indicators import compare_published
from nearshore_io.leontief import Leontief
from nearshore_io.library import described, entries, keep, unpack
from nearshore_io.readers import read_published, write_table
from nearshore_io.readers.icio import find_members
from nearshore_io.table import IOTable


class Totals(StrEnum):
    """What an import does where a line misses its published total."""

    check = "check"
    report = "report"


class Imports(StrEnum):
    """How imports of a national table are treated."""

    in_flows = "in_flows"
    separate = "separate"


class Database(StrEnum):
    """What can be fetched."""

    icio = "icio"


FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Where imported tables are kept, if not by default.")
]


@app.command("tables")
def tables_command(folder: FolderOption = None) -> None:
    """List the tables at hand: those that come with the package, and those imported."""
    show_tables.entries(show.console(), entries(folder))


@app.command("check")
def check_command(
    table: Annotated[str, typer.Argument(help="A table by name, a .nc table, or a published file.")],
    year: YearOption = None,
    form: FormatOption = Format.table,
) -> None:
    """Report every oddity of a table, and hold it against published figures; exit code 1 if no model can be solved."""
    opened = open_table(table, year, verify=True)
    report = opened.check()
    if form is Format.json:
        print(report.to_pandas().to_json(orient="records"))
    else:
        show_tables.report(show.console(), report)
        if report.ok:
            show_tables.comparisons(show.console(), compare_published(Leontief(opened)))
    if not report.ok:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Job:
    """One table to import: its file, the year in it, and the name to keep it by."""

    path: Path
    year: int | None
    name: str | None


@app.command("import")
def import_command(
    files: Annotated[
        list[Path], typer.Argument(help="Published files, archives, or folders of them.", show_default=False)
    ],
    year: Annotated[
        list[int] | None, typer.Option(help="Year; repeat for several. By default all that an archive holds.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to keep tables in, or a .nc file for one table.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name to keep one table by; by default one like icio-2022.")] = None,
    edition: Annotated[str | None, typer.Option(help="Force an ICIO edition, such as 2023-EXT.")] = None,
    totals: Annotated[
        Totals, typer.Option(help="Where a line misses its published total: check stops, report reads on.")
    ] = Totals.check,
    imports: Annotated[Imports | None, typer.Option(help="Imports in a national table of OECD's.")] = None,
    close_rows: Annotated[
        bool, typer.Option("--close-rows", help="Book WIOD's rounding remainder under changes in inventories.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace another table of that name.")] = False,
) -> None:
    """Read published tables, check them, and keep them where `--table NAME` finds them."""
    options: dict[str, Any] = {
        "edition": edition,
        "totals": totals.value if totals is Totals.report else None,
        "imports": imports.value if imports else None,
        "close_rows": close_rows or None,
    }
    jobs = [job for file in files for job in _jobs(file, year or [], edition, name)]
    single = out is not None and out.suffix.lower() == ".nc"
    if len(jobs) > 1 and (single or name):
        raise FormatError(f"{len(jobs)} tables would be imported: name a folder with --out, and no --name.")
    failed: list[NearshoreError] = []
    with progress("tables") as advance:
        for i, job in enumerate(jobs):
            advance(i, len(jobs))
            try:
                _import(job, options, out if single else None, None if single else out, replace=replace)
            except NearshoreError as error:
                if len(jobs) == 1:
                    raise
                show.console(stderr=True).print(f"Error: {error}", soft_wrap=True)
                failed.append(error)
    if failed:
        raise type(failed[0])(f"{len(failed)} of {len(jobs)} tables were not imported; the others are kept.")


def _jobs(path: Path, years: list[int], edition: str | None, name: str | None) -> list[_Job]:
    """Return the tables a path leads to: one for each year asked for, or for each year there is."""
    if years:
        return [_Job(path, year, name) for year in years]
    if path.suffix.lower() == ".zip" or path.is_dir():
        found = sorted({member.year for member in find_members(path) if member.year is not None}) if _csv(path) else []
        if len(found) > 1:
            return [_Job(path, year, name) for year in found]
    del edition
    return [_Job(path, None, name)]


def _csv(path: Path) -> bool:
    return path.is_file() or any(file.suffix.lower() in (".csv", ".zip") for file in path.iterdir())


def _import(job: _Job, options: dict[str, Any], file: Path | None, folder: Path | None, *, replace: bool) -> None:
    started = time.monotonic()
    console = show.console()
    with show.busy(f"reading {job.path}"):
        table = read_published(job.path, job.year, **options)
    with ThreadPoolExecutor(1) as pool, show.busy("checking and writing"):
        unpacked = pool.submit(unpack, table)  # while the check solves, the disk is idle
        report = table.check()
        path = write_table(table, file) if file else keep(table, job.name or _slug(table), folder, replace=replace)
        try:
            copy = unpacked.result()
        except NearshoreError as error:  # a full disk: the table itself is kept
            copy = None
            console.print(f"  note: not unpacked for fast reading: {error}", soft_wrap=True)
    show_tables.imported(console, table, described(path, copy), time.monotonic() - started, report)
    use = path if file or folder else path.stem
    console.print(f"  Use it with --table {use}.", soft_wrap=True)


def _slug(table: IOTable) -> str:
    return re.sub(r"[^a-z0-9]+", "-", table.name.lower()).strip("-")


@app.command("fetch")
def fetch_command(
    database: Annotated[Database, typer.Argument(help="Which database.", show_default=False)],
    year: Annotated[int, typer.Option(help="Year of the table.", show_default=False)],
    extended: Annotated[
        bool, typer.Option("--extended", help="With Mexico's and China's economies split: MX1, MX2, CN1, CN2.")
    ] = False,
    edition: Annotated[str | None, typer.Option(help="Edition; by default the newest that has the year.")] = None,
    folder: FolderOption = None,
    registry: Annotated[Path | None, typer.Option(help="Another registry of addresses (TOML).")] = None,
) -> None:
    """Download the publisher's archive of a year; a download that broke off goes on where it was."""
    with show_tables.download(f"{database.value} {year}") as advance:
        found = fetch_icio(year, extended=extended, edition=edition, folder=folder, registry=registry, progress=advance)
    show.console().print(f"{found}\nNow: nearshore import {found} --year {year}", soft_wrap=True)
