"""The command ``calibrate``: a recipe run, its report written, its targets explained."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from nearshore_io.bundled import load_shipped, sources
from nearshore_io.calibration import Calibration, calibrate, write_calibration_report
from nearshore_io.calibration.report import require_format
from nearshore_io.cli import show
from nearshore_io.cli.inputs import require_native
from nearshore_io.cli.options import app
from nearshore_io.errors import FormatError
from nearshore_io.readers import write_table
from nearshore_io.table import IOTable


@app.command("calibrate")
def calibrate_command(
    recipe: Annotated[
        Path, typer.Argument(help="Recipe (TOML), such as those in the folder calibration of the source.")
    ],
    raw: Annotated[
        Path | None, typer.Option(help="Folder of the published files the recipe names; by default the recipe's own.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write the table; by default its name, here.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Where to write the quality report: .html or .md.")] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="TARGET", help="Say what moved to meet a target, and write nothing.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Where finished steps are kept, so that a run that broke off goes on.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Take over nothing from an earlier run.")] = False,
) -> None:
    """Build a table from a recipe; what an earlier run of the same recipe and files has finished is taken over."""
    if explain is not None and (out is not None or report is not None):
        raise FormatError("--explain writes nothing: leave --out and --report out.")
    if out is not None:
        require_native(out)
    if report is not None:
        require_format(report)
    console = show.console()
    with show.rounds("calibrating") as watcher:
        found = calibrate(recipe, raw, work=work, fresh=fresh, watch=watcher.step, progress=watcher.round)
    if explain is not None:
        _explain(found, explain)
        return
    target = out or Path(f"{found.table.name}.nc")
    write_table(found.table, target)
    taken = f", {found.resumed} of {len(found.recipe.steps)} steps taken over" if found.resumed else ""
    console.print(f"{found.table.name}: {target}, sha256 {found.table.sha256}{taken}", soft_wrap=True)
    if report is not None:
        console.print(f"Report: {write_calibration_report(found.report, report)}", soft_wrap=True)
    shipped = sources().get(found.table.name, {}).get("sha256")
    if shipped is not None:
        console.print(_against_shipped(found.table, shipped), soft_wrap=True)
    show.estimate(console, found.table.provenance)


def _against_shipped(table: IOTable, sha256: str) -> str:
    """Return how a table differs from the shipped one of its name."""
    if table.sha256 == sha256:
        return "This is the same content as the shipped table of that name."
    other = load_shipped(table.name)
    if (table.regions, table.sectors) != (other.regions, other.sectors):
        return f"This is NOT the content of the shipped table of that name (sha256 {sha256}): its labels differ."
    gap = max(float(abs(table.Z - other.Z).max()), float(abs(table.y - other.y).max()))
    return (
        f"This is NOT the content of the shipped table of that name (sha256 {sha256}): cells differ by up to "
        f"{gap:,.3g} {table.unit}. Another processor rounds the last decimal differently; more than that is another "
        "table."
    )


def _explain(found: Calibration, name: str) -> None:
    frame = found.explain(name)
    console = show.console()
    console.print(f"What moved for {name!r}, {found.table.unit}")
    for where, rows in frame.groupby("where", sort=False):
        table = Table(title=str(where), title_justify="left")
        shown = rows.drop(columns="where")
        for column in shown:
            table.add_column(str(column), justify="right" if shown[column].dtype.kind == "f" else "left")
        for row in shown.itertuples(index=False):
            table.add_row(*(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row))
        console.print(table)
