"""Scenarios one by one, by the route of `run`: what no route of many can answer, and the check of those that can."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from nearshore_io.batch.assemble import Cell, changes_of
from nearshore_io.batch.content import contents_after
from nearshore_io.batch.economy import direct_effect
from nearshore_io.batch.engine.block import Failure, Solved
from nearshore_io.batch.engine.prepared import Prepared
from nearshore_io.batch.respond import respond
from nearshore_io.batch.response import Response
from nearshore_io.errors import NearshoreError
from nearshore_io.scenarios import Change, Phase, Scenario
from nearshore_io.solvers.base import Array
from nearshore_io.uncertainty.propagate import Solved as SolvedChange

Job = tuple[int, Phase, Change]


ONE_THREAD = 2000
"""Industries up to which scenarios solved one by one take one thread of BLAS: at 800 a duty takes 8 ms with one and 26
with two, since numpy and scipy each keep a pool of threads; at 4,250 factorising is worth two."""


def solve_each(
    prepared: Prepared, scenarios: Iterable[tuple[int, Scenario | Exception]]
) -> tuple[list[Solved], list[Failure]]:
    """Return results of scenarios, demand alone in one block, and those that have none with their error.

    Parameters
    ----------
    scenarios : place in the block and the scenario, or what stood against making it.
    """
    small = prepared.model.table.n <= ONE_THREAD
    with threadpool_limits(1) if small else nullcontext():
        return _solve_each(prepared, scenarios)


def _solve_each(
    prepared: Prepared, scenarios: Iterable[tuple[int, Scenario | Exception]]
) -> tuple[list[Solved], list[Failure]]:
    jobs: list[Job] = []
    failures: list[Failure] = []
    for place, scenario in scenarios:
        try:
            if isinstance(scenario, Exception):
                raise scenario
            changes = scenario.changes(prepared.model.table)
            for change in changes.values():
                direct_effect(prepared.model, change)  # raises where an industry without output is to produce
            jobs += [(place, phase, change) for phase, change in changes.items()]
        except NearshoreError as error:
            failures.append(Failure(place, error))
    whole = bool(prepared.vectors or prepared.request.moving_flows or prepared.propagation is not None)
    by_adjoint = [] if whole else [job for job in jobs if job[2].only_demand]
    solved = _by_adjoint(prepared, by_adjoint)
    for batch in _batches([job for job in jobs if whole or not job[2].only_demand]):
        found, failed = _respond(prepared, batch)
        solved += found
        failures += failed
    without = {failure.place for failure in failures}
    return [part for part in solved if not without & set(part.places.tolist())], failures


def _batches(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """Yield jobs in batches that are solved together: demand alone in one, everything else by itself."""
    demand = [job for job in jobs if job[2].only_demand]
    yield from [demand] if demand else []
    yield from ([job] for job in jobs if not job[2].only_demand)


def _respond(prepared: Prepared, batch: Sequence[Job]) -> tuple[list[Solved], list[Failure]]:
    """Return results of a batch; where it fails, those of its members one by one."""
    try:
        responses = respond(prepared.model, [change for _, _, change in batch])
        return [_result(prepared, job, response) for job, response in zip(batch, responses, strict=True)], []
    except NearshoreError as error:
        if len(batch) == 1:
            return [], [Failure(batch[0][0], error)]
    parts = [_respond(prepared, [job]) for job in batch]
    return [found for solved, _ in parts for found in solved], [failure for _, failed in parts for failure in failed]


def _by_adjoint(prepared: Prepared, jobs: Sequence[Job]) -> list[Solved]:
    """Return totals of demand alone, W L δ, for each phase."""
    model, found = prepared.model, []
    for phase in dict.fromkeys(phase for _, phase, _ in jobs):
        mine = [(place, change) for place, its, change in jobs if its == phase]
        direct = np.array([direct_effect(model, change) * change.period for _, change in mine])
        direct[:, model.held] = 0.0
        places = np.array([place for place, _ in mine], dtype=np.intp)
        found.append(Solved(places, phase, prepared.masked(direct @ prepared.M.T)))
    return found


def _result(prepared: Prepared, job: Job, response: Response) -> Solved:
    """Return the totals and vectors of one scenario in one phase, as `run` sums them."""
    place, phase, change = job
    request = prepared.request
    cell = Cell(0, phase, change, replace(response, economy=None))
    found = {name: _whole(prepared, cell, name) for name in dict.fromkeys((*request.variables, *prepared.vectors))}
    values = np.empty((1, len(request.rows)))
    for name in request.variables:
        rows, sums = request.sums(name, found[name])
        values[0, rows] = sums
    for flow in request.moving_flows:
        after = contents_after(prepared.model, change, response, flow.triples)
        values[0, flow.first : flow.first + len(flow.origins)] = after
    sd = _deviations(prepared, change, response)
    vectors = {name: found[name][None] for name in prepared.vectors}
    return Solved(np.array([place], dtype=np.intp), phase, prepared.masked(values), sd, vectors)


def _whole(prepared: Prepared, cell: Cell, name: str) -> Array:
    return np.asarray(np.sum(changes_of(prepared.model, cell, name), axis=0))


def _deviations(prepared: Prepared, change: Change, response: Response) -> Array | None:
    """Return standard deviations of the rows, unknown for content, shape (1, rows); None where nobody asked."""
    if prepared.propagation is None:
        return None
    factors = prepared.model.factors if response.economy is None else response.economy.factors
    found = np.full((1, len(prepared.request.rows)), np.nan)
    found[0, : prepared.request.linear] = prepared.propagation.of(SolvedChange(change, response.closed, factors))
    return prepared.without_unknown(found)
