"""The application, and options that several commands have."""

import shlex
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Jobs, value added and US content when production, investment or trade moves between the United States, "
    "Mexico and the rest of the world.",
    epilog="Exit codes: 0 done, 1 bad input, 2 wrong usage, 3 no trustworthy solution, 4 a file cannot be read or "
    "written, 5 not enough memory, 6 some scenarios of a batch have no result, 70 a fault of this program.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"


class Closure(StrEnum):
    """How households behave."""

    open = "open"
    households = "households"


TableOption = Annotated[
    str,
    typer.Option("--table", "-t", help="A table by name (see `nearshore tables`), a .nc table, or a published file."),
]
YearOption = Annotated[int | None, typer.Option(help="Year, where the path is a folder of several.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Also write results here: .nc, .parquet or .csv.")]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to print.")]


def command_line(context: typer.Context) -> str:
    """Return the command as it was typed, for results that say how they were made."""
    return shlex.join(["nearshore", *(context.obj or ())])


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
