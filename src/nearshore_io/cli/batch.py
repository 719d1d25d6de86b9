"""The command that runs sweeps: ``batch``."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from nearshore_io.bars import progress
from nearshore_io.batch import run
from nearshore_io.bundled import DEFAULT
from nearshore_io.cli import show, show_batch
from nearshore_io.cli.inputs import PREFIX, open_table
from nearshore_io.cli.options import Closure, Format, FormatOption, app
from nearshore_io.errors import FormatError, ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.sweeps import Sweep, read_sweep, scenario_sweep
from nearshore_io.uncertainty import DirichletErrors
from nearshore_io.uncertainty.spreads import STATED

UNASKED = 1_000_000
"""Scenarios that are run without asking."""
SOME_FAILED = 6
"""Exit code of a run in which some scenarios have no result."""


SweepArgument = Annotated[
    str,
    typer.Argument(
        help="Sweep file (TOML), or a scenario with bands: gallery:S04, file.toml:name.", show_default=False
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option("--out", "-o", help="Folder or address (s3://…) of the store; a killed run goes on there."),
]
TotalsOption = Annotated[
    str | None, typer.Option(help='What is kept of each scenario: "jobs by country, content MEX→USA".')
]
TablesOption = Annotated[
    list[str] | None,
    typer.Option("--table", "-t", help="A table by name or path; repeat for several. [default: the sweep's]"),
]
ByOption = Annotated[
    list[str] | None, typer.Option(help="A parameter whose values are printed apart; repeat for several.")
]
VectorsOption = Annotated[
    list[str] | None, typer.Option(help="A variable whose changes by industry are kept too; repeat for several.")
]
SamplesOption = Annotated[
    int | None, typer.Option(min=1, help="Draws, where the argument is a scenario with bands. [default: 1024]")
]
BandOption = Annotated[
    bool, typer.Option("--band", help="A standard deviation beside every total, from errors of the table's cells.")
]
ClosureOption = Annotated[Closure, typer.Option(help="open is type I; households is type II, an upper bound.")]
SchedulerOption = Annotated[
    str | None, typer.Option(help="A Dask scheduler, tcp://host:8786, or local for worker processes here.")
]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="How many, with --scheduler local.")]
ChunkOption = Annotated[int | None, typer.Option(min=1, help="Scenarios of one part. [default: as the route suggests]")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Stop at the first scenario without a result.")]
YesOption = Annotated[bool, typer.Option("--yes", help=f"Run more than {UNASKED:,} scenarios without asking.")]


@app.command("batch")
def batch_command(
    sweep: SweepArgument,
    out: StoreOption = None,
    totals: TotalsOption = None,
    table: TablesOption = None,
    by: ByOption = None,
    vectors: VectorsOption = None,
    samples: SamplesOption = None,
    band: BandOption = False,
    closure: ClosureOption = Closure.open,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    chunk: ChunkOption = None,
    strict: StrictOption = False,
    yes: YesOption = False,
    form: FormatOption = Format.table,
) -> None:
    """Run a sweep: thousands of scenarios from one file, with their quantiles; a run that was killed goes on."""
    read = _sweep(sweep, samples)
    models = list(_models(read, table or [], closure))
    options: dict[str, Any] = {
        "store": out, "vectors": vectors or (), "scheduler": scheduler, "workers": workers, "strict": strict,
        "chunk": chunk, **({"totals": totals} if totals else {}), **({"band": _band(models)} if band else {}),
    }  # fmt: skip
    with progress("scenarios") as advance:
        results = _run(models, read, options, advance, yes=yes)
    if form is Format.json:
        print(show_batch.as_json(results))
    else:
        show_batch.results(show.console(), read, results, by or ())
    if results.failed:
        sys.exit(SOME_FAILED)


def _run(models: list[Leontief], sweep: Sweep, options: dict[str, Any], advance: Any, *, yes: bool) -> Any:
    """Run a sweep, asking before very many scenarios where somebody can answer."""
    try:
        return run(models, sweep, progress=advance, at_most=sys.maxsize if yes else UNASKED, **options)
    except ShockError as error:
        if "at_most" not in str(error) or not sys.stdin.isatty():
            raise
        typer.confirm(f"{str(error).split(' Say at_most')[0]} Run them?", abort=True, err=True)
        return run(models, sweep, progress=advance, at_most=sys.maxsize, **options)


def _sweep(spec: str, samples: int | None) -> Sweep:
    """Return the sweep of a file, or of a scenario with bands."""
    if spec.startswith(PREFIX) or ".toml:" in spec:
        return scenario_sweep(spec, samples=samples or 1024, totals=show_batch.USUAL)
    if samples is not None:
        raise FormatError("--samples is for scenarios with bands; a sweep file says samples = … itself.")
    return read_sweep(spec)


def _models(sweep: Sweep, named: list[str], closure: Closure) -> Iterator[Leontief]:
    """Yield a model for every table that is named, on the command line or in the sweep."""
    listed: list[tuple[str, int | None]] = [(name, None) for name in named]
    for entry in () if named else sweep.tables:
        if isinstance(entry, str):
            listed.append((entry, None))
        elif isinstance(entry, dict) and set(entry) <= {"table", "years"} and "table" in entry:
            listed += [(str(entry["table"]), int(year)) for year in entry.get("years", ())] or [
                (str(entry["table"]), None)
            ]
        else:
            raise FormatError(
                f'tables: a name, a path, or {{table = "wiod2013", years = [2005, 2011]}}, not {entry!r}.'
            )
    for name, year in listed or [(DEFAULT, None)]:
        with show.busy(f"reading {name}"):
            yield Leontief(open_table(name, year), closure="households" if closure is Closure.households else None)


def _band(models: list[Leontief]) -> DirichletErrors:
    """Return errors of the tables' cells: their grades, or an assumption where they have none, which is said."""
    graded = all(model.table.meta.get("grades") for model in models)
    if graded:
        return DirichletErrors()
    home, across = STATED
    show.console(stderr=True).print(
        f"Band: the cells are published and have no grades; assumed are ±{100 * home:.0f} % within a country and "
        f"±{100 * across:.0f} % across borders.",
        soft_wrap=True,
    )
    return DirichletErrors(home=home, across=across)
