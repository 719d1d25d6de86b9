"""One part of a sweep: a block of scenarios on one table, solved by the fastest route that gives their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nearshore_io.batch.engine.block import Failure, Routed, Solved
from nearshore_io.batch.engine.demands import Demands
from nearshore_io.batch.engine.prepared import Prepared
from nearshore_io.batch.engine.relocations import Relocations
from nearshore_io.batch.engine.singles import solve_each
from nearshore_io.errors import NearshoreError, SolverError
from nearshore_io.labels import Positions
from nearshore_io.scenarios import Phase, Scenario
from nearshore_io.scenarios.base import PHASES
from nearshore_io.solvers.base import Array
from nearshore_io.sweeps import Points, Sweep

ROUTES = (Relocations, Demands)
AGREES = 1e-9
"""Difference, relative to the largest number of a scenario, between its route and that of `run` that is no rounding."""


@dataclass(frozen=True)
class Answer:
    """What a part has to say, ordered by scenario and phase.

    Attributes
    ----------
    places : which scenario of the block, shape (k,). phases : in which phase, k names.
    values, sd : (k, rows); sd None where nobody asked.
    vectors : by variable, (k, n).
    failures : scenarios without a result.
    checked : the largest relative difference between a route of many and the route of `run`, on one scenario; NaN where
        all took the route of `run`.
    residual : the largest relative residual of the functionals.
    """

    places: Positions
    phases: list[Phase]
    values: Array
    sd: Array | None
    vectors: dict[str, Array]
    failures: list[Failure]
    checked: float
    residual: float


def answer(prepared: Prepared, sweep: Sweep, points: Points) -> Answer:
    """Return results of a block of scenarios on one table.

    Scenarios that differ in numbers alone go by closed forms (`Relocations`, `Demands`), the rest one by one. One
    scenario of each block takes both ways, and they have to agree.

    Raises
    ------
    SolverError
        If they do not.
    """
    routes = (kind.of(sweep, prepared) for kind in ROUTES)
    route = next((found for found in routes if found is not None), None)
    routed = Routed() if route is None else route.solve(prepared, points)
    done = np.zeros(len(points), dtype=bool)
    for part in routed.solved:
        done[part.places] = True
    checked = float("nan")
    if done.any():
        place = int(np.flatnonzero(done)[done.sum() // 2])
        checked = _compared(prepared, routed.solved, place, _scenario(sweep, points, place))
    failures = [failure for group in routed.refused for failure in _refused(prepared, sweep, points, group)]
    done[[failure.place for failure in failures]] = True
    rest = [(place, _scenario(sweep, points, place)) for place in np.flatnonzero(~done).tolist()]
    solved, failed = solve_each(prepared, rest)
    return _together(prepared, [*routed.solved, *solved], [*failures, *failed], checked)


def _refused(prepared: Prepared, sweep: Sweep, points: Points, group: Positions) -> list[Failure]:
    """Return the failures of scenarios that differ in numbers alone, if the first and the last one say the same."""
    if not group.size:
        return []
    ends = [int(group[0]), int(group[-1])]
    _, failures = solve_each(prepared, [(place, _scenario(sweep, points, place)) for place in ends])
    if len(failures) < len(ends) or str(failures[0].error) != str(failures[1].error):
        return []
    return [Failure(place, failures[0].error) for place in group.tolist()]


def _scenario(sweep: Sweep, points: Points, place: int) -> Scenario | Exception:
    try:
        return sweep.scenario(points.values(place))
    except NearshoreError as error:
        return error


def _compared(prepared: Prepared, quick: Sequence[Solved], place: int, scenario: Scenario | Exception) -> float:
    """Return the difference between two routes to one scenario, relative to its largest number; raise if it is one."""
    alone, failures = solve_each(prepared, [(place, scenario)])
    if failures:
        raise SolverError(f"scenario {place} has a result by one route and none by the other: {failures[0].error}")
    part = next(part for part in quick if place in part.places)
    at = int(np.flatnonzero(part.places == place)[0])
    linear = prepared.request.linear
    ours, theirs = part.values[at], alone[0].values[0]
    worst = 0.0
    for these in (slice(0, linear), slice(linear, None)):
        size = np.nanmax(np.abs(theirs[these]), initial=0.0)
        gap = np.nanmax(np.abs(ours[these] - theirs[these]), initial=0.0)
        worst = max(worst, float(gap / size) if size > 0 else float(gap))
    if not worst <= AGREES or (np.isnan(ours) != np.isnan(theirs)).any():
        raise SolverError(
            f"two routes to one scenario differ by {worst:.0e}: I − A is too close to singular after this change."
        )
    return worst


def _together(prepared: Prepared, parts: Sequence[Solved], failures: list[Failure], checked: float) -> Answer:
    rows, n = len(prepared.request.rows), prepared.model.table.n
    places = np.concatenate([part.places for part in parts]) if parts else np.zeros(0, dtype=np.intp)
    phases = [phase for part in parts for phase in [part.phase] * len(part.places)]
    order = (
        np.lexsort((np.array([PHASES.index(phase) for phase in phases]), places))
        if parts
        else np.zeros(0, dtype=np.intp)
    )
    values = np.concatenate([part.values for part in parts]) if parts else np.zeros((0, rows))
    wanted = prepared.errors is not None
    sd = np.concatenate([part.sd for part in parts if part.sd is not None]) if wanted and parts else None
    vectors = {
        name: np.concatenate([part.vectors[name] for part in parts])[order] if parts else np.zeros((0, n))
        for name in prepared.vectors
    }
    return Answer(
        places=places[order],
        phases=[phases[i] for i in order.tolist()],
        values=values[order],
        sd=None if sd is None else sd[order],
        vectors=vectors,
        failures=sorted(failures, key=lambda failure: failure.place),
        checked=checked,
        residual=prepared.request.functionals.residual if prepared.request.linear else 0.0,
    )
