"""Results of some scenarios of a block, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nearshore_io.labels import Positions
from nearshore_io.scenarios import Phase
from nearshore_io.solvers.base import Array


@dataclass(frozen=True)
class Solved:
    """What a route answers for k results of a block of scenarios.

    Attributes
    ----------
    places : which scenarios of the block, shape (k,). phase : in which phase.
    values : every row of the request, shape (k, rows).
    sd : standard deviations of the linear rows from errors of the table, shape (k, rows); None where not asked for.
    vectors : changes by industry of the variables that were asked for, each (k, n).
    """

    places: Positions
    phase: Phase
    values: Array
    sd: Array | None = None
    vectors: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A scenario that has no result, and why."""

    place: int
    error: Exception


@dataclass(frozen=True)
class Routed:
    """What a route of many gives for a block.

    Attributes
    ----------
    solved : results. refused : groups of scenarios that differ in numbers alone, and whose shock does not fit the table
        whatever the number.
    """

    solved: Sequence[Solved] = ()
    refused: Sequence[Positions] = ()
