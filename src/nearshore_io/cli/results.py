"""Commands that run models: ``run``, ``gallery``, ``content``, ``solvers``."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
import xarray as xr

from nearshore_io.bars import progress
from nearshore_io.batch import answers, run, run_years, table_band
from nearshore_io.bundled import DEFAULT
from nearshore_io.cli import save, show, show_impacts, show_tables
from nearshore_io.cli.gallery_page import gallery_page
from nearshore_io.cli.inputs import chosen, open_table
from nearshore_io.cli.options import (
    Closure,
    Format,
    FormatOption,
    OutOption,
    TableOption,
    YearOption,
    app,
    command_line,
)
from nearshore_io.errors import ClosureError, ShockError
from nearshore_io.indicators import compare_published, content_by_measure, export_content
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Scenario, list_gallery, load_scenario
from nearshore_io.solvers import Auto, crossovers


class Measures(StrEnum):
    """What counts as content of an export."""

    value_added = "value_added"
    direct_inputs = "direct_inputs"
    vertical_specialisation = "vertical_specialisation"


@app.command("run")
def run_command(
    context: typer.Context,
    scenarios: Annotated[
        str,
        typer.Argument(
            help="Scenario file (TOML), or a shipped one: gallery:S01 to gallery:S18, or nearshoring.",
            show_default=False,
        ),
    ],
    table: TableOption = DEFAULT,
    year: YearOption = None,
    out: OutOption = None,
    form: FormatOption = Format.table,
    effects: Annotated[bool, typer.Option("--effects", help="Split into direct, indirect and induced.")] = False,
    variants: Annotated[
        bool, typer.Option("--variants", help="Keep every variant of the band in what is written.")
    ] = False,
    years: Annotated[bool, typer.Option("--years", help="Year by year, for scenarios with a timing.")] = False,
    closure: Annotated[
        Closure, typer.Option(help="open is type I; households prints type I first, then type II, an upper bound.")
    ] = Closure.open,
) -> None:
    """Run scenarios: jobs, value added and US content per export dollar, before and after, with their band."""
    if out is not None:
        save.require_format(out)
    listed = chosen(scenarios)
    model = _model(table, year, Closure.open)
    closed = Leontief(model.table, closure="households") if closure is Closure.households else None
    if years:
        _by_year(closed or model, listed, out, form)
        return
    with progress("scenarios") as advance:
        impact = run(model, listed, effects=True, content=True, progress=advance)
        upper = _upper_bound(closed, listed)
        banded = any(scenario.variants for scenario in listed) and form is Format.table
        bands = run(model, listed, effects=True, variants=True, progress=advance) if banded else None
    if out is not None or form is Format.json:
        kept = run(closed or model, listed, effects=effects, variants=variants, content=closed is None)
        kept.attrs["command"] = command_line(context)
    if out is not None:
        save.dataset(kept, out)
    if form is Format.json:
        print(save.as_json(kept))
        return
    answered = {scenario.name: answers(model, scenario) for scenario in listed if scenario.indicators}
    sure = {scenario.name: _sure(model, scenario) for scenario in listed}
    show_impacts.impacts(
        show.console(), listed, impact, upper, effects=effects, bands=bands, answered=answered, sure=sure
    )
    if out is not None:
        show.console().print(f"Full results by region and sector: {out}")


def _by_year(model: Leontief, scenarios: Sequence[Scenario], out: Path | None, form: Format) -> None:
    """Run, write and print scenarios year by year; those without a timing are left out, and named."""
    untimed = [scenario.name for scenario in scenarios if scenario.timing is None]
    timed = [scenario for scenario in scenarios if scenario.timing is not None] or list(scenarios)
    found = run_years(model, timed)
    if out is not None:
        save.dataset(found, out)
    if form is Format.json:
        print(save.as_json(found))
        return
    if untimed:
        show.console().print(f"Without a [scenario.timing], and left out: {', '.join(untimed)}.")
    show_impacts.over_years(show.console(), timed, found)


def _sure(model: Leontief, scenario: Scenario) -> pd.DataFrame | str | None:
    """Return the band of the headline from errors of the table's cells, or why there is none."""
    table = model.table
    names = [name for name in ("value_added", "jobs") if name in table.inputs or name in table.stressors]
    places = [place for place in ("USA", "MEX") if place in table.countries]
    if not names or not places:
        return None
    try:
        return table_band(model, scenario, [f"{name} of {place}" for name in names for place in places])
    except ShockError as error:
        return str(error)


def _upper_bound(closed: Leontief | None, scenarios: Sequence[Scenario]) -> xr.Dataset | str | None:
    """Return results of the model closed for households, or why there are none."""
    if closed is None:
        return None
    try:
        return run(closed, scenarios, effects=True)
    except ClosureError as error:
        return str(error)


@app.command("gallery")
def gallery_command(
    answered: Annotated[bool, typer.Option("--answers", help="Run them all, and print a page in Markdown.")] = False,
    table: TableOption = DEFAULT,
    year: YearOption = None,
) -> None:
    """List the shipped scenarios: policy questions, with parameters, their sources and bands."""
    if answered:
        print(gallery_page(_model(table, year, Closure.open)), end="")
        return
    show_impacts.gallery(show.console(), [load_scenario(name) for name in list_gallery()])


@app.command("content")
def content_command(
    exporter: Annotated[str, typer.Argument(help="Exporting country or group, such as MEX or north_america.")],
    importer: Annotated[list[str] | None, typer.Option(help="Importing country or group; repeat for several.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="sector, importer or origin_sector; repeat for several.")] = None,
    measure: Annotated[Measures, typer.Option(help="What counts as content.")] = Measures.value_added,
    compare_measures: Annotated[
        bool, typer.Option("--compare-measures", help="All measures side by side, with published figures.")
    ] = False,
    origin: Annotated[str, typer.Option(help="Whose content --compare-measures shows.")] = "USA",
    table: TableOption = DEFAULT,
    year: YearOption = None,
    out: OutOption = None,
    form: FormatOption = Format.table,
) -> None:
    """Show what is inside an export: cents per dollar, by origin."""
    if out is not None:
        save.require_format(out)
    model = _model(table, year, Closure.open)
    if compare_measures:
        listed = content_by_measure(model, exporter, importer, by or ())  # type: ignore[arg-type]
        dataset = xr.Dataset(dict(listed))
        if form is Format.table:
            show.measures(show.console(), listed, origin)
            show_tables.comparisons(show.console(), compare_published(model))
    else:
        content = export_content(model, exporter, importer, by=by or (), measure=measure.value)  # type: ignore[arg-type]
        dataset = content.to_dataset(promote_attrs=True)
        dataset["export_content"].attrs = dict(content.attrs)
        if form is Format.table:
            show.content(show.console(), content)
    if out is not None:
        save.dataset(dataset, out)
    if form is Format.json:
        print(save.as_json(dataset))


@app.command("solvers")
def solvers_command(
    table: TableOption = DEFAULT,
    year: YearOption = None,
    expected: Annotated[int, typer.Option(min=1, help="Right-hand sides (shocks) that will be asked for.")] = 1,
) -> None:
    """Show which solver a table gets and why, and the measured crossovers behind the choice."""
    with show.busy(f"reading {table}"):
        opened = open_table(table, year)
    factors = Leontief(opened, solver=Auto(expected=expected)).factors
    show.solver(show.console(), opened, factors.choice, crossovers())


def _model(table: str, year: int | None, closure: Closure) -> Leontief:
    with show.busy(f"reading {table}"):
        return Leontief(open_table(table, year), closure="households" if closure is Closure.households else None)
