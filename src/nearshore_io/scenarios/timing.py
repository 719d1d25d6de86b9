"""When a scenario happens: years of building, and how production comes up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp
from types import MappingProxyType
from typing import Literal, get_args

from nearshore_io.errors import ShockError
from nearshore_io.units import is_number

Shape = Literal["linear", "logistic", "step"]
STEEP = 10.0
"""Steepness of the logistic curve over the whole ramp: from 1 % to 99 % of the way."""


@dataclass(frozen=True)
class Ramp:
    """How the run phase comes up: u_t, nothing before ``start``, all from ``end`` on.

    linear: u_t = (t − start + 1)/(end − start + 1); logistic: 1/(1 + e^(−10 (s − ½))) with s as in linear, scaled to
    reach one; step: all at ``end``.

    Raises
    ------
    ShockError
        If it ends before it starts.
    """

    start: int
    end: int
    shape: Shape = "linear"

    def __post_init__(self) -> None:
        if not all(isinstance(year, int) and not isinstance(year, bool) for year in (self.start, self.end)):
            raise ShockError(f"ramp: start and end are years, not {self.start!r} and {self.end!r}.")
        if self.end < self.start:
            raise ShockError(f"ramp: it ends in {self.end}, before it starts in {self.start}.")
        if self.shape not in get_args(Shape):
            raise ShockError(f"ramp: shape is one of {', '.join(get_args(Shape))}, not {self.shape!r}.")

    def at(self, year: int) -> float:
        """Return the share of the run phase that is reached in a year."""
        if year < self.start or (self.shape == "step" and year < self.end):
            return 0.0
        if year >= self.end:
            return 1.0
        way = (year - self.start + 1) / (self.end - self.start + 1)
        if self.shape == "linear":
            return way
        return (1.0 + exp(-STEEP / 2)) / (1.0 + exp(-STEEP * (way - 0.5)))


@dataclass(frozen=True)
class Timing:
    """The years of a scenario.

    Parameters
    ----------
    build : share of the build phase by year, summing to one.
    ramp : how the run phase comes up; by default all of it, from the year after building.
    until : last year shown; by default the first in which the run phase is whole.
    productivity : g, yearly growth of output per job after ``base``: jobs per output fall by 1/(1 + g)^t.
    inflation : π, yearly drift of prices after ``base``: money of the result is also given at prices of the year.
    elasticity : η, jobs per job that average intensities give, in the run phase; at most one for growth within plants.
    base : the year whose productivity and prices the intensities describe; by default the table's year.

    Raises
    ------
    ShockError
        Shares that do not sum to one; rates that are not numbers. `run_years` has the equation.
    """

    build: Mapping[int, float] = field(default_factory=dict)
    ramp: Ramp | None = None
    until: int | None = None
    productivity: float = 0.0
    inflation: float = 0.0
    elasticity: float = 1.0
    base: int | None = None

    def __post_init__(self) -> None:
        shares = dict(self.build)
        if not all(isinstance(year, int) and is_number(share) and 0 <= share <= 1 for year, share in shares.items()):
            raise ShockError(f"timing: build gives shares between 0 and 1 by year, not {shares!r}.")
        if shares and abs(sum(shares.values()) - 1.0) > 1e-9:
            raise ShockError(f"timing: the shares of build sum to {sum(shares.values()):.6g}, not to one.")
        object.__setattr__(self, "build", MappingProxyType(shares))
        for name in ("productivity", "inflation"):
            rate = getattr(self, name)
            if not is_number(rate) or not -1 < rate < 1:
                raise ShockError(f"timing: {name} is a yearly rate between -1 and 1, not {rate!r}; 2 % is 0.02.")
        if not is_number(self.elasticity) or not 0 <= self.elasticity <= 1:
            raise ShockError(f"timing: elasticity lies between 0 and 1, not {self.elasticity!r}.")
        if not shares and self.ramp is None:
            raise ShockError("timing: give build, the shares by year, or a ramp, or both.")
        if self.until is not None and self.until < self.years[0]:
            raise ShockError(f"timing: until {self.until} lies before the first year, {self.years[0]}.")

    @property
    def years(self) -> range:
        """All years from the first that does something to the last shown."""
        begun = [*self.build, *([self.ramp.start] if self.ramp else [])]
        ready = self.ramp.end if self.ramp else max(self.build) + 1
        return range(min(begun), (self.until if self.until is not None else max([*self.build, ready])) + 1)

    def run_share(self, year: int) -> float:
        """Return u_t, the share of the run phase reached in a year."""
        if self.ramp is not None:
            return self.ramp.at(year)
        return float(year > max(self.build))
