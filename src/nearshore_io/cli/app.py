"""Commands, their options, and what an error looks like from a shell."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from nearshore_io.batch import run
from nearshore_io.bundled import build_table, sources
from nearshore_io.cli import save, show
from nearshore_io.cli.inputs import open_table, require_native, scenario_file
from nearshore_io.errors import NearshoreError, SolverError
from nearshore_io.indicators import export_content
from nearshore_io.leontief import Leontief
from nearshore_io.readers import write_table
from nearshore_io.scenarios import read_scenarios
from nearshore_io.solvers import Auto, crossovers

app = typer.Typer(
    help="Jobs, value added and US content when production, investment or trade moves between the United States, "
    "Mexico and the rest of the world.",
    epilog="Exit codes: 0 done, 1 bad input, 2 wrong usage, 3 no trustworthy solution, 4 a file cannot be read or "
    "written, 70 a fault of this program.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EXIT_CODES: tuple[tuple[type[Exception], int], ...] = ((SolverError, 3), (OSError, 4), (NearshoreError, 1))


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"


class Closure(StrEnum):
    """How households behave."""

    open = "open"
    households = "households"


TableOption = Annotated[
    str, typer.Option("--table", "-t", help="Shipped table (see `nearshore tables`), a .nc table, or a published file.")
]
YearOption = Annotated[int | None, typer.Option(help="Year, where the path is a folder of several.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Also write results here: .nc, .parquet or .csv.")]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to print.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"nearshore_io {version('nearshore_io')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take options that every command has."""


@app.command("run")
def run_command(
    scenarios: Annotated[
        str, typer.Argument(help="Scenario file (TOML), or the name of a shipped one: nearshoring.", show_default=False)
    ],
    table: TableOption = "north-america-2011",
    year: YearOption = None,
    out: OutOption = None,
    form: FormatOption = Format.table,
    effects: Annotated[bool, typer.Option("--effects", help="Split into direct, indirect and induced.")] = False,
    closure: Annotated[
        Closure, typer.Option(help="open is type I; households is type II, an upper bound.")
    ] = Closure.open,
) -> None:
    """Run scenarios: jobs, value added and US content per export dollar, before and after."""
    if out is not None:
        save.require_format(out)
    listed = read_scenarios(scenario_file(scenarios))
    model = _model(table, year, closure)
    with show.progress("scenarios") as progress:
        impact = run(model, listed, effects=effects, progress=progress)
    if out is not None:
        save.dataset(impact, out)
    if form is Format.json:
        print(save.as_json(impact))
        return
    show.impacts(show.console(), model, listed, impact, effects=effects)
    if out is not None:
        show.console().print(f"Full results by region and sector: {out}")


@app.command("content")
def content_command(
    exporter: Annotated[str, typer.Argument(help="Exporting country or group, such as MEX or north_america.")],
    importer: Annotated[list[str] | None, typer.Option(help="Importing country or group; repeat for several.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="sector, importer or origin_sector; repeat for several.")] = None,
    table: TableOption = "north-america-2011",
    year: YearOption = None,
    out: OutOption = None,
    form: FormatOption = Format.table,
) -> None:
    """Show what is inside an export: cents of value added per dollar, by origin."""
    if out is not None:
        save.require_format(out)
    model = _model(table, year, Closure.open)
    content = export_content(model, exporter, importer, by=by or ())  # type: ignore[arg-type]
    dataset = content.to_dataset(promote_attrs=True)
    dataset["export_content"].attrs = dict(content.attrs)
    if out is not None:
        save.dataset(dataset, out)
    if form is Format.json:
        print(save.as_json(dataset))
        return
    show.content(show.console(), content)


@app.command("tables")
def tables_command() -> None:
    """List the tables that come with the package."""
    show.sources(show.console(), sources())


@app.command("check")
def check_command(
    table: Annotated[str, typer.Argument(help="Shipped table, a .nc table, or a published file.")],
    year: YearOption = None,
    form: FormatOption = Format.table,
) -> None:
    """Report every oddity of a table; exit code 1 if no model can be solved on it."""
    report = open_table(table, year).check()
    if form is Format.json:
        print(report.to_pandas().to_json(orient="records"))
    else:
        show.report(show.console(), report)
    if not report.ok:
        raise typer.Exit(1)


@app.command("solvers")
def solvers_command(
    table: TableOption = "north-america-2011",
    year: YearOption = None,
    expected: Annotated[int, typer.Option(min=1, help="Right-hand sides (shocks) that will be asked for.")] = 1,
) -> None:
    """Show which solver a table gets and why, and the measured crossovers behind the choice."""
    with show.busy(f"reading {table}"):
        opened = open_table(table, year)
    factors = Leontief(opened, solver=Auto(expected=expected)).factors
    show.solver(show.console(), opened, factors.choice, crossovers())


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="Published file, or a folder together with --year.")],
    year: YearOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write the table; by default NAME.nc here.")
    ] = None,
    close_rows: Annotated[
        bool, typer.Option("--close-rows", help="Book the publisher's rounding remainder under changes in inventories.")
    ] = False,
) -> None:
    """Read a published table, check it, and keep it in the package's own format."""
    console = show.console()
    if out is not None:
        require_native(out)
    with show.busy(f"reading {file}"):
        table = open_table(str(file), year, close_rows=close_rows)
    target = write_table(table, out or Path(f"{file.stem if file.is_file() else table.name.replace(' ', '-')}.nc"))
    show.report(console, table.check())
    console.print(f"{table!r}", soft_wrap=True)
    console.print(f"Written to {target} (sha256 {table.sha256[:12]}…). Use it with --table {target}.", soft_wrap=True)


@app.command("calibrate")
def calibrate_command(
    recipe: Annotated[Path, typer.Argument(help="Recipe, such as calibration/north-america-2011.toml.")],
    raw: Annotated[Path, typer.Option(help="Folder of the published files the recipe names.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the table.")],
) -> None:
    """Build a table from a recipe and published files, and print its checksum."""
    console = show.console()
    require_native(out)
    with show.busy(f"building from {recipe}"):
        table = build_table(recipe, raw)
    write_table(table, out)
    console.print(f"{table.name}: sha256 {table.sha256}", soft_wrap=True)
    shipped = sources().get(table.name, {}).get("sha256")
    if shipped is not None:
        verdict = "the same content as" if shipped == table.sha256 else f"NOT the content of (sha256 {shipped})"
        console.print(f"This is {verdict} the shipped table of that name.", soft_wrap=True)


def _model(table: str, year: int | None, closure: Closure) -> Leontief:

    with show.busy(f"reading {table}"):
        return Leontief(open_table(table, year), closure="households" if closure is Closure.households else None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every error is one paragraph on standard error and an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        app(args=[argument for argument in given if argument != "--debug"], prog_name="nearshore")
    except Exception as error:
        if debug:
            raise
        known = isinstance(error, (NearshoreError, OSError))
        text = f"Error: {error}" if known else f"Unexpected error: {type(error).__name__}: {error}. Run with --debug."
        show.console(stderr=True).print(text, soft_wrap=True)
        sys.exit(next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 70))
