"""Parameters of scenarios, each with its unit, its source and its band; and the variants that span the band."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from nearshore_io.errors import FormatError
from nearshore_io.units import is_number

CENTRAL = "central"
SPAN = " = "
"""What the name of a variant holds that is a corner of the band, and not a variant of its own."""
MOST = 32
"""Corners of one scenario's band at most: five parameters with a low and a high."""


@dataclass(frozen=True)
class Parameter:
    """One number (or word) a scenario rests on.

    Attributes
    ----------
    value : the central value.
    unit : what it counts, such as "share of purchases".
    source : where it comes from, or the word ``assumption``.
    low, high : the band, where there is one.
    alternatives : other values to span the band, for what is no number: rules, engines.
    """

    name: str
    value: Any
    unit: str
    source: str
    low: float | None = None
    high: float | None = None
    alternatives: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        where = f"parameter {self.name!r}"
        if not self.unit or not self.source:
            raise FormatError(
                f"{where} needs a unit and a source; where nobody has measured it, source = 'assumption'."
            )
        if (self.low is None) != (self.high is None):
            raise FormatError(f"{where} has only one end of a band: give low and high, or neither.")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise FormatError(f"{where}: low {self.low!r} is above high {self.high!r}; swap them.")
        if self.low is not None and not (is_number(self.value) and self.low <= self.value <= (self.high or self.low)):
            raise FormatError(f"{where}: {self.value!r} does not lie between low {self.low!r} and high {self.high!r}.")

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that span the band: low and high, or the central one and its alternatives; none without a band."""
        if self.alternatives:
            return (self.value, *self.alternatives)
        return () if self.low is None or self.low == self.high else (self.low, self.high)


def corners(parameters: Sequence[Parameter]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every combination of the ends of the bands but the central one, as a name and values by parameter.

    Raises
    ------
    FormatError
        If there are more than `MOST`.
    """
    banded = [parameter for parameter in parameters if parameter.ends]
    every = 1
    for parameter in banded:
        every *= len(parameter.ends)
    if every > MOST:
        raise FormatError(f"the bands of {len(banded)} parameters make {every} variants, over {MOST}: drop some.")
    for values in product(*(parameter.ends for parameter in banded)) if banded else ():
        chosen = dict(zip((parameter.name for parameter in banded), values, strict=True))
        if any(chosen[parameter.name] != parameter.value for parameter in banded):
            yield ", ".join(f"{name} = {_shown(value)}" for name, value in chosen.items()), chosen


def of_the_band(variant: str) -> bool:
    """Tell whether a variant is the central one or a corner of the band, and not a variant of its own."""
    return variant == CENTRAL or SPAN in variant


def _shown(value: Any) -> str:
    return f"{value:g}" if is_number(value) else str(value)


def substituted(content: Any, values: Mapping[str, Any], where: str) -> Any:
    """Return a TOML value with every ``"$name"`` replaced by the parameter's value.

    Raises
    ------
    FormatError
        If there is no such parameter.
    """
    if isinstance(content, str) and content.startswith("$"):
        if content[1:] not in values:
            known = ", ".join(values) or "none"
            raise FormatError(f"{where}: no parameter {content[1:]!r}; known: {known}.")
        return values[content[1:]]
    if isinstance(content, Mapping):
        return {key: substituted(value, values, f"{where}.{key}") for key, value in content.items()}
    if isinstance(content, list):
        return [substituted(value, values, f"{where}[{i}]") for i, value in enumerate(content)]
    return content
