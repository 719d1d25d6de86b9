"""A sweep run part by part into a store, here or on a cluster; a run that was killed goes on where it was."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any

from nearshore_io.batch.content import contents_before
from nearshore_io.batch.engine.distributed import LOCAL, Cluster, solved_on
from nearshore_io.batch.engine.probe import require_runnable
from nearshore_io.batch.engine.work import Finished, Work
from nearshore_io.errors import FormatError, ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.solvers import Auto
from nearshore_io.stores import SweepResults, encode, sink_at, vectors
from nearshore_io.stores.manifest import begin, checksum, entry_of, machine, manifest, opened, write_entry
from nearshore_io.stores.sinks import Memory, Sink
from nearshore_io.sweeps import Sweep
from nearshore_io.sweeps.axes import plain
from nearshore_io.totals import read_totals, unit_of
from nearshore_io.uncertainty import DirichletErrors, errors_of
from nearshore_io.units import is_number

Progress = Callable[[int, int], None]
TRIAL = 512
"""Scenarios that are solved to estimate what a large sweep takes."""
RIGHT_HAND_SIDES = 100_000
"""What the solver is told to expect: it factorises at once, and numbers do not depend on what was asked before."""


@dataclass(frozen=True)
class Options:
    """How a sweep is run.

    Attributes
    ----------
    totals : words, "jobs by country"; by default those of the sweep. vectors : variables kept by industry.
    store : a folder, an address ("s3://…"), or None for memory.
    band : errors of the table's cells, for a standard deviation beside every total.
    scheduler : None for this process, "local" for worker processes here, or the address of a Dask scheduler.
    workers : how many, of "local". strict : stop at the first scenario without a result.
    at_most : more scenarios than this are refused, with an estimate of time and space. chunk : scenarios of a part.
    """

    totals: str | Sequence[str] = ()
    vectors: Sequence[str] = ()
    store: str | os.PathLike[str] | None = None
    band: DirichletErrors | None = None
    scheduler: str | Cluster | None = None
    workers: int | None = None
    strict: bool = False
    at_most: int = 1_000_000
    chunk: int | None = None


def options_of(given: Mapping[str, Any]) -> Options:
    """Return options from keywords. Raises `ShockError` for one there is none of."""
    known = [part.name for part in fields(Options)]
    if strange := [name for name in given if name not in known]:
        raise ShockError(f"run has no option {strange[0]!r} for a sweep; it has {', '.join(known)}.")
    options = Options(**given)
    if isinstance(options.vectors, str):
        options = replace(options, vectors=(options.vectors,))
    if not is_number(options.at_most):
        raise ShockError(f"at_most is a number of scenarios, not {options.at_most!r}.")
    if not (options.store is None or isinstance(options.store, (str, os.PathLike))):
        raise ShockError(f"store is a folder or an address, not {options.store!r}.")
    return options


def run_sweep(
    models: Leontief | Sequence[Leontief], sweep: Sweep, options: Options, progress: Progress | None = None
) -> SweepResults:
    """Return the results of a sweep, opened where they lie; see `run`."""
    sink = sink_at(options.store)
    options = replace(options, chunk=_chunk(sink, options.chunk))
    works = list(works_of([models] if isinstance(models, Leontief) else list(models), sweep, options))
    words = encode.Words.of(row for work in works for row in work.rows)
    works = [work.with_words(words) for work in works]
    for work in works:
        work.sweep.require_domains()
        require_runnable(work)
    every = sum(len(work.sweep) for work in works)
    if every > options.at_most:
        raise ShockError(_estimate(works, every, options))
    with sink.held():
        begin(sink, _manifest(works, sweep, options))
        for work in works if options.vectors else ():
            _describe(sink, work)
        kept = _fill(sink, works, options, progress, every)
    return SweepResults(sink, kept)


def _chunk(sink: Sink, asked: int | None) -> int | None:
    """Return the scenarios of a part: as asked, or as in a store that was begun."""
    begun = opened(sink) if asked is None else None
    sizes = set() if begun is None else {int(table["scenarios_of_a_part"]) for table in begun["tables"]}
    return sizes.pop() if len(sizes) == 1 else asked  # tables of different sizes have parts as their routes suggest


def works_of(models: Sequence[Leontief], sweep: Sweep, options: Options) -> Iterator[Work]:
    """Yield the work on each table. Raises `FormatError` where nothing is kept, or an axis differs between tables."""
    totals = options.totals or sweep.totals
    if not totals and not options.vectors:
        raise FormatError(
            f'sweep {sweep.name!r}: nothing to keep; say totals="jobs by country, value_added by country", or '
            'vectors=["output"].'
        )
    if options.band is not None and sweep.table_errors is not None:
        raise ShockError("band is the closed form of what table_errors draws: ask for one of the two.")
    if options.workers is not None and options.scheduler != LOCAL:
        raise ShockError('workers are those of scheduler="local" (--scheduler local); another scheduler has its own.')
    if options.chunk is not None and (not isinstance(options.chunk, int) or options.chunk < 1):
        raise FormatError(f"chunk is the scenarios of one part, one or more, not {options.chunk!r}.")
    if options.vectors:
        vectors.require_zarr()
    if not models:
        raise ShockError("run needs a model, nio.Leontief(table), or several.")
    asked = read_totals(totals) if totals else ()
    filled = sweep.on(models[0].table)
    for place, model in enumerate(models):
        solver = replace(model.solver, expected=RIGHT_HAND_SIDES) if isinstance(model.solver, Auto) else model.solver
        here = sweep.on(model.table)
        if here.axes != filled.axes:
            differing = next(name for name in filled.axes if here.axes[name] != filled.axes[name])
            raise FormatError(
                f"sweep {sweep.name!r}: axis {differing!r} has other members in {model.table.name} than in "
                f"{models[0].table.name}: list its values, or run the tables apart."
            )
        work = Work(
            replace(model, solver=solver), filled, asked, tuple(options.vectors),
            None if options.band is None else _band(options.band), place == 0, options.chunk,
        )  # fmt: skip
        if filled.table_errors is not None:
            filled.table_errors.around(model.table)  # says early when nobody knows how far cells may be off
        yield work


def _band(errors: object) -> DirichletErrors:
    found = errors_of(errors, "band")
    if not isinstance(found, DirichletErrors):
        raise FormatError("band: errors have a closed form for DirichletErrors only; draw tables for others.")
    return found


def _manifest(works: Sequence[Work], sweep: Sweep, options: Options) -> dict[str, Any]:
    described = json.loads(works[0].sweep.to_json())
    tables = []
    for work in works:
        table, request = work.model.table, work.prepared.request
        tables.append(
            {
                **table.provenance,
                "year": table.year,
                "grades_sha256": checksum(json.dumps(plain(table.meta.get("grades", ())), ensure_ascii=False)),
                "partition": work.partition,
                "group": work.group,
                "scenarios_of_a_part": work.size,
                "parts": work.parts,
                "variables": list(dict.fromkeys(row.variable for row in request.rows)),
                "rows": [row.name for row in request.rows],
                "before": _baseline(work),
            }
        )
    partitions = [table["partition"] for table in tables]
    if len(set(partitions)) < len(partitions):
        raise FormatError(f"two tables are called {partitions[0]}: give tables different names or years.")
    return manifest(
        {
            "name": sweep.name,
            "title": sweep.title,
            "sweep": described,
            "sweep_sha256": checksum(works[0].sweep.to_json()),
            "seed": sweep.seed if sweep.samples else None,
            "parameters": list(sweep.parameters),
            "shape": list(works[0].sweep.shape),
            "scenarios": len(works[0].sweep),
            "tables": tables,
            "basis": _basis(works[0].sweep),
            "closure": works[0].model.closure_words,
            "closures": [repr(work.model.closure) for work in works],
            "totals": list(_texts(options.totals or sweep.totals)),
            "vectors": list(options.vectors),
            "band": None if options.band is None else options.band.described,
        }
    )


def _basis(sweep: Sweep) -> str:
    """Return whether numbers are gross or net, as the shocks say."""
    return sweep.scenario(sweep.usual()).basis


def _texts(totals: str | Iterable[str]) -> list[str]:
    return [part.strip() for text in ([totals] if isinstance(totals, str) else totals) for part in text.split(",")]


def _baseline(work: Work) -> dict[str, float]:
    """Return contents of exports before any change."""
    found: dict[str, float] = {}
    for flow in work.prepared.request.moving_flows:
        names = [row.name for row in work.prepared.request.rows[flow.first :]]
        found |= dict(zip(names, contents_before(work.model, flow.triples).tolist(), strict=False))
    return found


def _describe(sink: Sink, work: Work) -> None:
    table = work.model.table
    described = {
        name: (unit_of(table, name), f"change of {'gross output' if name == 'output' else name.replace('_', ' ')}")
        for name in work.vectors
    }
    coords = {
        "scenario": [len(work.sweep)],
        "phase": work.phases,
        "region": table.regions,
        "sector": table.sectors,
    }
    vectors.describe(sink, work.group, described, coords, work.size, table.provenance)


def _fill(sink: Sink, works: Sequence[Work], options: Options, progress: Progress | None, every: int) -> int:
    """Solve and write every part that is not in the store yet, and return how many scenarios it had."""
    todo, done, failed = [], 0, 0
    first = 0
    for work in works:
        for part in range(work.parts):
            entry = entry_of(sink, first + part)
            if entry is None:
                todo.append((work, part, first + part))
            else:
                done, failed = done + entry.stop - entry.start, failed + entry.failed
        first += work.parts
    if options.strict and failed:
        raise ShockError(f"{sink.where} has {failed} scenarios without a result already, and strict stops there.")
    started, resumed = time.time(), done
    if progress is not None and done:
        progress(done, every)

    def keep(finished: Finished) -> None:
        for name, content in finished.files.items():
            sink.write(name, content)
        if options.strict and finished.failures:
            number, message = finished.failures[0]
            raise ShockError(f"scenario {number} has no result, and strict stops there: {message}")
        write_entry(sink, finished.entry)
        nonlocal done
        done += finished.entry.stop - finished.entry.start
        if progress is not None:
            progress(done, every)

    if options.scheduler is None:
        _here(todo, keep)
    else:
        solved_on(options.scheduler, options.workers, todo, keep)
    _log(sink, started, resumed, done)
    return resumed


def _here(todo: Sequence[tuple[Work, int, int]], keep: Callable[[Finished], None]) -> None:
    """Solve parts one after the other in this process; each is written while the next one is solved."""

    def write(work: Work, part: int, number: int, found: Any) -> None:
        keep(work.finished(part, number, *found))

    with ThreadPoolExecutor(max_workers=1) as writer:
        pending: Future[None] | None = None
        last: Work | None = None
        for work, part, number in todo:
            if last is not None and last is not work and pending is not None:
                pending.result()
                last.release()
            last, found = work, work.answer(*work.span(part))
            if pending is not None:
                pending.result()
            pending = writer.submit(write, work, part, number, found)
        if pending is not None:
            pending.result()


def _log(sink: Sink, started: float, resumed: int, done: int) -> None:
    """Add a line on this run to the log: when, where and how long, which are no results."""
    if isinstance(sink, Memory):
        return
    line = {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
        "scenarios_before": resumed,
        "scenarios_after": done,
        "machine": machine(),
    }
    before = sink.read("log.jsonl") or b""
    sink.write("log.jsonl", before + (json.dumps(line, sort_keys=True) + "\n").encode())


def _estimate(works: Sequence[Work], every: int, options: Options) -> str:
    """Return what a sweep would take, measured on its first scenarios, as the text of a refusal."""
    work = works[0]
    number = min(TRIAL if work.by_closed_form else 8, len(work.sweep))
    seconds, size = 0.0, 0
    for _ in range(2):  # the first one pays for the factors
        before = time.perf_counter()
        points, found = work.answer(0, number)
        finished = work.finished(0, 0, points, found)
        seconds = time.perf_counter() - before
        size = sum(len(content) for content in finished.files.values())
    scale = every / number
    return (
        f"{every:,} scenarios, over at_most = {options.at_most:,}: about {_duration(seconds * scale)} in one process "
        f"and {_bytes(size * scale)} of results, judged by the first {number}. Say at_most={every} to run them "
        "(nearshore batch --yes), or keep fewer totals."
    )


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} seconds"


def _bytes(size: float) -> str:
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size / 1e3:.2g} kB"
