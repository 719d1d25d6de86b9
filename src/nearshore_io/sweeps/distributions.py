"""Distributions of a parameter, by name: points of the unit interval to values, so that any design can draw them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

import numpy as np

from nearshore_io.errors import FormatError, first_few
from nearshore_io.solvers.base import Array
from nearshore_io.units import is_number

TAIL = 1e-12
"""Probability beyond which the tail of an unbounded distribution is not looked at, seven standard deviations."""


@runtime_checkable
class Distribution(Protocol):
    """A frozen dataclass that turns points of the unit cube into values."""

    @property
    def kind(self) -> str:
        """The name of the distribution in sweep files."""
        ...

    @property
    def width(self) -> int:
        """Coordinates of the unit cube that one value takes."""
        ...

    def values(self, u: Array) -> Any:
        """Return values at points u in (0, 1), shape (k, width): an array (k,), or a list of k values."""
        ...

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values at the ends of its support, or where its tails are left: what a parameter has to accept."""
        ...


def _require_numbers(distribution: Any) -> None:
    for part in fields(distribution):
        value = getattr(distribution, part.name)
        if value is not None and not (is_number(value) and np.isfinite(value)):
            raise FormatError(f"{distribution.kind} distribution: {part.name} must be a number, not {value!r}.")


def _require(good: bool, distribution: Any, what: str) -> None:
    if not good:
        given = ", ".join(
            f"{part.name} = {getattr(distribution, part.name)!r}" for part in fields(distribution) if part.init
        )
        raise FormatError(f"{distribution.kind} distribution ({given}): {what}.")


@dataclass(frozen=True)
class _Continuous:
    """A distribution of one number, by its quantile function."""

    kind: ClassVar[str]
    width: ClassVar[int] = 1

    def frozen(self) -> Any:
        """Return scipy's distribution."""
        raise NotImplementedError

    def values(self, u: Array) -> Array:
        """Return quantiles at u, shape (k, 1), as an array (k,)."""
        return np.asarray(self.frozen().ppf(u[:, 0]), dtype=np.float64)

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of the support; of an unbounded tail, its quantile of 1e-12."""
        low, high = (float(end) for end in self.frozen().support())
        tail = [float(end) for end in self.frozen().ppf([TAIL, 1.0 - TAIL])]
        return (tail[0] if not np.isfinite(low) or self.open_below else low, tail[1] if not np.isfinite(high) else high)

    @property
    def open_below(self) -> bool:
        """True where the lower end is approached and never drawn."""
        return False


@dataclass(frozen=True)
class Uniform(_Continuous):
    """Every value between low and high alike."""

    low: float
    high: float
    kind: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        _require_numbers(self)
        _require(self.low < self.high, self, "low must be below high")

    def frozen(self) -> Any:
        """Return scipy's distribution."""
        from scipy import stats

        return stats.uniform(self.low, self.high - self.low)


@dataclass(frozen=True)
class Triangular(_Continuous):
    """Between low and high, most likely at the mode: what a low, a central and a high value say, and no more."""

    low: float
    mode: float
    high: float
    kind: ClassVar[str] = "triangular"

    def __post_init__(self) -> None:
        _require_numbers(self)
        _require(
            self.low <= self.mode <= self.high and self.low < self.high, self, "needs low ≤ mode ≤ high, low < high"
        )

    def frozen(self) -> Any:
        """Return scipy's distribution."""
        span = self.high - self.low
        from scipy import stats

        return stats.triang((self.mode - self.low) / span, self.low, span)


@dataclass(frozen=True)
class Normal(_Continuous):
    """Normal with a mean and a standard deviation, cut off at low and high where they are given."""

    mean: float
    sd: float
    low: float | None = None
    high: float | None = None
    kind: ClassVar[str] = "normal"

    def __post_init__(self) -> None:
        _require_numbers(self)
        _require(self.sd > 0, self, "sd must be above zero")
        low, high = self._limits
        _require(low < high and low < self.mean + 8 * self.sd and high > self.mean - 8 * self.sd, self, "cuts off all")

    @property
    def _limits(self) -> tuple[float, float]:
        low = -np.inf if self.low is None else self.low
        return low, np.inf if self.high is None else self.high

    def frozen(self) -> Any:
        """Return scipy's distribution."""
        a, b = ((end - self.mean) / self.sd for end in self._limits)
        from scipy import stats

        return stats.truncnorm(a, b, self.mean, self.sd)


@dataclass(frozen=True)
class LogNormal(_Continuous):
    """Lognormal: median e^μ and the standard deviation sigma of the logarithm."""

    median: float
    sigma: float
    kind: ClassVar[str] = "lognormal"

    def __post_init__(self) -> None:
        _require_numbers(self)
        _require(self.median > 0 and self.sigma > 0, self, "median and sigma must be above zero")

    def frozen(self) -> Any:
        """Return scipy's distribution."""
        from scipy import stats

        return stats.lognorm(self.sigma, scale=self.median)

    @property
    def open_below(self) -> bool:
        """True: zero is never drawn."""
        return True


@dataclass(frozen=True)
class Beta(_Continuous):
    """Beta with shapes a and b, between low and high: for shares."""

    a: float
    b: float
    low: float = 0.0
    high: float = 1.0
    kind: ClassVar[str] = "beta"

    def __post_init__(self) -> None:
        _require_numbers(self)
        _require(self.a > 0 and self.b > 0 and self.low < self.high, self, "needs a > 0, b > 0 and low < high")

    def frozen(self) -> Any:
        """Return scipy's distribution."""
        from scipy import stats

        return stats.beta(self.a, self.b, self.low, self.high - self.low)


@dataclass(frozen=True)
class Dirichlet:
    """Shares by name that sum to one, around given means; a higher concentration κ keeps them nearer.

    The variance of a share m is m (1 − m)/(κ + 1). Drawn as gamma quantiles divided by their sum.
    """

    shares: Mapping[str, float]
    concentration: float
    kind: ClassVar[str] = "dirichlet"

    def __post_init__(self) -> None:
        listed = dict(self.shares) if isinstance(self.shares, Mapping) else {}
        numbers = [share for share in listed.values() if is_number(share) and share > 0]
        _require(len(listed) > 1 and len(numbers) == len(listed), self, "needs two shares or more, each above zero")
        _require(abs(sum(listed.values()) - 1.0) < 1e-6, self, "the shares must sum to one")
        good = is_number(self.concentration) and np.isfinite(self.concentration) and self.concentration > 0
        _require(good, self, "concentration must be above zero")
        object.__setattr__(self, "shares", listed)

    @property
    def width(self) -> int:
        """One coordinate for each share."""
        return len(self.shares)

    def values(self, u: Array) -> list[dict[str, float]]:
        """Return shares by name for each of k points."""
        from scipy import stats

        shape = self.concentration * np.array(list(self.shares.values()))
        weights = np.maximum(stats.gamma.ppf(u, shape), np.finfo(np.float64).tiny)
        drawn = weights / weights.sum(axis=1, keepdims=True)
        return [dict(zip(self.shares, row, strict=True)) for row in drawn.tolist()]

    @property
    def ends(self) -> tuple[dict[str, float], ...]:
        """All of it with one name, for each."""
        return tuple({name: float(name == one) for name in self.shares} for one in self.shares)


@dataclass(frozen=True)
class Choice:
    """One of several values, of any type, with probabilities; alike where none are given."""

    options: tuple[Any, ...]
    probabilities: tuple[float, ...] | None = None
    kind: ClassVar[str] = "choice"
    width: ClassVar[int] = 1
    _edges: Array = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        listed = isinstance(self.options, (list, tuple))
        options = tuple(self.options) if listed else ()
        _require(listed and len(options) > 0, self, "needs a list of options")
        _require(
            self.probabilities is None or isinstance(self.probabilities, (list, tuple)),
            self,
            "needs a list of probabilities",
        )
        given: list[Any] = (
            [1.0 / len(options)] * len(options) if self.probabilities is None else list(self.probabilities)
        )
        good = len(given) == len(options) and all(is_number(p) and p >= 0 for p in given)
        _require(good and abs(sum(given) - 1.0) < 1e-6, self, "needs a probability for each option, summing to one")
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "_edges", np.cumsum(given)[:-1])

    def values(self, u: Array) -> list[Any]:
        """Return one option for each of k points."""
        return [self.options[i] for i in np.searchsorted(self._edges, u[:, 0], side="right")]

    @property
    def ends(self) -> tuple[Any, ...]:
        """Every option."""
        return self.options


DISTRIBUTIONS: Mapping[str, type[Any]] = {
    kind.kind: kind for kind in cast(tuple[Any, ...], (Uniform, Triangular, Normal, LogNormal, Beta, Dirichlet, Choice))
}


def distribution_of(entry: Any, where: str) -> Distribution:
    """Return a distribution from a TOML table, ``{distribution = "triangular", low = …}``.

    Raises
    ------
    FormatError
        An unknown name, a key it does not have or lacks, a value it refuses.
    """
    if isinstance(entry, Distribution):
        return entry
    if not isinstance(entry, Mapping) or "distribution" not in entry:
        raise FormatError(f'{where}: a distribution is {{distribution = "triangular", low = …, mode = …, high = …}}.')
    kind = entry["distribution"]
    if kind not in DISTRIBUTIONS:
        raise FormatError(f"{where}: no distribution {kind!r}; known: {', '.join(DISTRIBUTIONS)}.")
    made_from = DISTRIBUTIONS[kind]
    given = {key: value for key, value in entry.items() if key != "distribution"}
    known = [part.name for part in fields(made_from) if part.init]
    if strange := [key for key in given if key not in known]:
        raise FormatError(f"{where}: {kind} has no {first_few(strange)}; it has {', '.join(known)}.")
    try:
        return cast(Distribution, made_from(**given))
    except FormatError as error:
        raise FormatError(f"{where}: {error}") from error
    except TypeError as error:
        raise FormatError(f"{where}: {kind} needs {', '.join(known)} ({error}).") from error
