"""Parameters of scenarios, each with its unit, its source and its band; and the variants that span the band."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from nearshore_io.errors import FormatError
from nearshore_io.units import is_number

CENTRAL = "central"
MOST = 32
"""Variants of one scenario at most: five parameters with a low and a high."""


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
        if self.low is not None and not (is_number(self.value) and self.low <= self.value <= (self.high or self.low)):
            raise FormatError(f"{where}: {self.value!r} does not lie between low {self.low!r} and high {self.high!r}.")

    @property
    def others(self) -> tuple[Any, ...]:
        """The values beside the central one."""
        ends = () if self.low is None else (self.low, self.high)
        return tuple(value for value in (*ends, *self.alternatives) if value != self.value)


def corners(parameters: Sequence[Parameter]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every combination of the ends of the bands, as a name and the values that differ from the central ones.

    Raises
    ------
    FormatError
        If there are more than `MOST`.
    """
    banded = [parameter for parameter in parameters if parameter.others]
    choices = [(parameter.value, *parameter.others) for parameter in banded]
    every = 1
    for parameter, values in zip(banded, choices, strict=True):
        every *= len(values) if parameter.alternatives else len(values) - 1
    if every > MOST:
        raise FormatError(f"the bands of {len(banded)} parameters make {every} variants, over {MOST}: drop some.")
    ends = [
        values if parameter.alternatives or len(banded) == 1 else values[1:]
        for parameter, values in zip(banded, choices, strict=True)
    ]
    for values in product(*ends) if banded else ():
        changed = {p.name: value for p, value in zip(banded, values, strict=True) if value != p.value}
        if changed:
            yield ", ".join(f"{name} = {_shown(value)}" for name, value in changed.items()), changed


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
