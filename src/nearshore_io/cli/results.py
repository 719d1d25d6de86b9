"""Commands that run models: ``run``, ``content``, ``solvers``."""

from enum import StrEnum
from typing import Annotated

import typer
import xarray as xr

from nearshore_io.batch import run
from nearshore_io.cli import save, show, show_tables
from nearshore_io.cli.inputs import open_table, scenario_file
from nearshore_io.cli.options import Closure, Format, FormatOption, OutOption, TableOption, YearOption, app
from nearshore_io.indicators import compare_published, content_by_measure, export_content
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import read_scenarios
from nearshore_io.solvers import Auto, crossovers


class Measures(StrEnum):
    """What counts as content of an export."""

    value_added = "value_added"
    direct_inputs = "direct_inputs"
    vertical_specialisation = "vertical_specialisation"


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
    measure: Annotated[Measures, typer.Option(help="What counts as content.")] = Measures.value_added,
    compare_measures: Annotated[
        bool, typer.Option("--compare-measures", help="All measures side by side, with published figures.")
    ] = False,
    origin: Annotated[str, typer.Option(help="Whose content --compare-measures shows.")] = "USA",
    table: TableOption = "north-america-2011",
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
    table: TableOption = "north-america-2011",
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
