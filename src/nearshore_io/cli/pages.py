"""Commands that write pages for people: ``report`` and ``explore``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nearshore_io.bars import progress
from nearshore_io.bundled import DEFAULT
from nearshore_io.cli import show
from nearshore_io.cli.inputs import open_table
from nearshore_io.cli.options import TableOption, YearOption, app
from nearshore_io.errors import FormatError
from nearshore_io.explore import write_explorer
from nearshore_io.leontief import Leontief
from nearshore_io.stores import SweepResults


class Language(StrEnum):
    """Languages of pages."""

    en = "en"
    es = "es"


LanguageOption = Annotated[Language, typer.Option("--lang", "-l", help="Language of the page: English or Spanish.")]


@app.command("report")
def report_command(
    results: Annotated[
        str, typer.Argument(help="What `nearshore run --out results.nc` wrote, or the store of `nearshore batch`.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Where the report goes: .html, .md, or .xlsx (a sheet for each table).")
    ] = Path("report.html"),
    lang: LanguageOption = Language.en,
    calculator: Annotated[
        bool, typer.Option("--calculator", help="Put the calculator of `nearshore explore` into the page.")
    ] = False,
    table: Annotated[
        str | None,
        typer.Option(
            "--table", "-t", help="The table the results were made with, where it is not at hand by its name."
        ),
    ] = None,
    year: YearOption = None,
) -> None:
    """Write a report for people who decide: the answer with its band first, then what it rests on."""
    from nearshore_io.report import read_results, write_report
    from nearshore_io.report.write import require_format

    require_format(out)
    found = read_results(results)
    if table is not None and isinstance(found, SweepResults):
        raise FormatError("a report on a sweep is written from its store alone: leave --table out.")
    model = None if table is None else Leontief(open_table(table, year))
    with progress("scenarios in full") as advance:
        written = write_report(found, out, model, lang=lang.value, with_calculator=calculator, progress=advance)
    kind = "sweep" if isinstance(found, SweepResults) else f"{found.sizes['scenario']} scenario(s)"
    show.console().print(f"Report on {kind}: {written} ({written.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)


@app.command("explore")
def explore_command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the page goes, .html.")] = Path("explore.html"),
    lang: LanguageOption = Language.en,
    table: TableOption = DEFAULT,
    year: YearOption = None,
) -> None:
    """Write the calculator: a page that works offline, in which a reader moves sliders and sees both countries."""
    with show.busy(f"working out {table}"):
        written = write_explorer(Leontief(open_table(table, year)), out, lang.value)
    show.console().print(f"Calculator: {written} ({written.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)
