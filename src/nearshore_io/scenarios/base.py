"""What a shock is, and scenarios made of several."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from nearshore_io import deflators, labels, notebook
from nearshore_io.errors import LabelError, ShockError, UnitError, first_few
from nearshore_io.labels import Positions
from nearshore_io.scenarios.change import Change, combine, require_possible
from nearshore_io.scenarios.parameters import Parameter
from nearshore_io.scenarios.question import Question
from nearshore_io.scenarios.timing import Timing
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import Amount, is_number, money

Phase = Literal["build", "run", "event"]
HIGHEST_RATE = 5.0
Use = Literal["intermediate", "final"]
PHASES: tuple[Phase, ...] = ("build", "run", "event")
"""Once, with jobs in job-years; every year; once over the days of a disruption, with jobs in job-years."""


@runtime_checkable
class Shock(Protocol):
    """A kind of shock: a frozen dataclass that says what it changes in each phase."""

    @property
    def kind(self) -> str:
        """The name of the kind in scenario files."""
        ...

    @property
    def basis(self) -> str:
        """Whether its numbers are gross or net, in words that stand beside them."""
        ...

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return the changes by phase."""
        ...


@dataclass(frozen=True)
class Scenario:
    """A named set of shocks that happen together, each defined against the same table.

    Their changes add up, so their order does not matter; what they take from a cell together is checked.

    Parameters
    ----------
    name : label along the ``scenario`` dimension of results.
    shocks : at least one.
    title : a line for readers.
    deflator : price index by year, for amounts at prices of another year than the table's; or the name of a shipped
        one, "us-gdp".
    timing : the years of building and of coming up, for `run_years`.
    question, method, limits : what it asks, by which equations, and what it cannot say.
    parameters : what the shocks were made from, with sources and bands.
    indicators : what is read off the table before and after it, for `answers`.
    variants : other shocks that span the band, by name.

    Raises
    ------
    ShockError
        If it has no name or no shocks.
    """

    name: str
    shocks: Sequence[Shock]
    title: str = ""
    deflator: Mapping[int, float] | str = field(default_factory=lambda: MappingProxyType({}))
    timing: Timing | None = None
    question: str = ""
    method: str = ""
    limits: str = ""
    parameters: Sequence[Parameter] = field(default=(), repr=False)
    indicators: Sequence[Question] = ()
    variants: Mapping[str, Sequence[Shock]] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise ShockError("a scenario needs a name.")
        if isinstance(self.deflator, str):
            deflators.index(self.deflator)
        elif not isinstance(self.deflator, Mapping) or not all(is_number(index) for index in self.deflator.values()):
            raise ShockError(f"scenario {self.name!r}: deflator must be a price index by year, not {self.deflator!r}.")
        if not (self.timing is None or isinstance(self.timing, Timing)):
            raise ShockError(f"scenario {self.name!r}: timing must be a nio.Timing, not {self.timing!r}.")
        variants = {str(name): _listed(shocks, self.name) for name, shocks in self.variants.items()}
        object.__setattr__(self, "shocks", _listed(self.shocks, self.name))
        object.__setattr__(self, "parameters", tuple(self.parameters))
        object.__setattr__(self, "indicators", tuple(self.indicators))
        if isinstance(self.deflator, Mapping):
            object.__setattr__(self, "deflator", MappingProxyType(dict(self.deflator)))
        object.__setattr__(self, "variants", MappingProxyType(variants))

    def _repr_html_(self) -> str:
        facts = {"question": self.question, "method": self.method, "counted": self.basis, "limits": self.limits}
        bands = pd.DataFrame(
            [
                (p.name, str(p.value), "" if p.low is None else f"{p.low:g} … {p.high:g}", p.unit, p.source)
                for p in self.parameters
            ],
            columns=["parameter", "value", "band", "unit", "source"],
        )
        listed = notebook.listing([repr(shock) for shock in self.shocks])
        title = f"Scenario {self.name}" + (f": {self.title}" if self.title else "")
        return notebook.card(title, facts, listed, notebook.frame(bands) if len(bands) else "")

    @property
    def basis(self) -> str:
        """Gross or net, for each kind of shock in the scenario."""
        return "; ".join(dict.fromkeys(shock.basis for shock in self.shocks))

    @property
    def prices(self) -> Mapping[int, float]:
        """The deflator as a price index by year."""
        return deflators.index(self.deflator) if isinstance(self.deflator, str) else self.deflator

    def variant(self, name: str) -> "Scenario":
        """Return the scenario with the shocks of a variant."""
        return Scenario(
            f"{self.name}: {name}", self.variants[name], title=self.title, deflator=self.deflator, timing=self.timing
        )

    def changes(self, table: IOTable) -> dict[Phase, Change]:
        """Return the combined changes of all shocks, by phase.

        Raises
        ------
        ShockError, LabelError, UnitError
            If a shock does not fit the table; the message names the scenario and the shock.
        """
        parts: dict[Phase, list[Change]] = {}
        numbers: dict[Phase, list[int]] = {}
        for number, shock in enumerate(self.shocks, start=1):
            with _naming(f"scenario {self.name!r}, shock {number} ({shock.kind})", shock):
                for phase, change in shock.changes(table, self.prices).items():
                    parts.setdefault(phase, []).append(change)
                    numbers.setdefault(phase, []).append(number)
        with _naming(f"scenario {self.name!r}"):
            combined = {phase: combine(parts[phase], numbers[phase]) for phase in PHASES if phase in parts}
        for change in combined.values():
            require_possible(change, table, self.name)
        return combined

    def change(self, table: IOTable, phase: Phase) -> Change:
        """Return the combined change of one phase. Raises as `changes`, and `ShockError` if there is no such phase."""
        changes = self.changes(table)
        if phase not in changes:
            raise ShockError(f"scenario {self.name!r} has no {phase} phase, only {', '.join(changes)}.")
        return changes[phase]

    def stand_ins(self, table: IOTable) -> list[str]:
        """Return what the table has in the place of what the shocks name: "motor vehicles: c15 holds ships too"."""
        named = [name for shock in self.shocks for name in _labels_in(shock)]
        found = [labels.stand_in(name, table.regions, table.sectors) for name in dict.fromkeys(named)]
        return [note for note in found if note]


def _listed(shocks: Any, name: str) -> tuple[Shock, ...]:
    """Return shocks as a tuple; raise `ShockError` unless there are some, and nothing else."""
    listed = (shocks,) if isinstance(shocks, Shock) or not isinstance(shocks, Iterable) else tuple(shocks)
    strangers = [shock for shock in listed if isinstance(shock, type) or not isinstance(shock, Shock)]
    if strangers or not listed:
        what = f"{first_few(strangers)} is no shock" if strangers else "it has no shocks"
        raise ShockError(f"scenario {name!r}: {what}; give shocks=[nio.FDI(...), nio.Relocation(...), ...].")
    return listed


def _labels_in(value: Any) -> Iterator[str]:
    """Yield every text in the fields of a shock."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, held in value.items():
            yield from (*_labels_in(key), *_labels_in(held))
    elif is_dataclass(value):
        for part in fields(value):
            yield from _labels_in(getattr(value, part.name))
    elif isinstance(value, Iterable):
        for held in value:
            yield from _labels_in(held)


@contextmanager
def _naming(where: str, shock: Shock | None = None) -> Iterator[None]:
    """Put where it happened before the message of an error a user can mend; for a label, the field that holds it."""
    try:
        yield
    except LabelError as error:
        field_at_fault = next((f", {name}" for name, text in _texts_by_field(shock) if f"{text!r}" in str(error)), "")
        raise LabelError(f"{where}{field_at_fault}: {error}") from error
    except (ShockError, UnitError) as error:
        raise type(error)(f"{where}: {error}") from error


def _texts_by_field(shock: Any) -> Iterator[tuple[str, str]]:
    """Yield the name of every field of a shock with each text it holds."""
    for part in fields(shock) if is_dataclass(shock) else ():
        for text in _labels_in(getattr(shock, part.name)):
            yield part.name, text


def require_labels(what: str, **named: object) -> None:
    """Raise `ShockError` unless each is a code or several codes."""
    for name, value in named.items():
        several = isinstance(value, Sequence) and bool(value) and all(isinstance(item, str) for item in value)
        if not (isinstance(value, str) and value) and not several:
            raise ShockError(f"{what} {name} must be a code (or several), not {value!r}.")


def require_share(value: Any, what: str) -> None:
    """Raise `ShockError` unless 0 ≤ value ≤ 1."""
    if not is_number(value) or not 0.0 <= value <= 1.0:
        raise ShockError(f"{what} must be a share between 0 and 1, not {value!r}; ten per cent is 0.10.")


def in_table(amount: Amount, unit: str | None, table: IOTable, deflator: Mapping[int, float], what: str) -> float:
    """Return an amount in the table's unit, at the table's prices. Raises `UnitError`."""
    return money(amount, unit, table_unit=table.unit, table_year=table.year, deflator=deflator, what=what)


def require_positive(value: Any, what: str) -> None:
    """Raise `ShockError` unless the value is a positive, finite number."""
    if not is_number(value) or not (np.isfinite(value) and value > 0):
        raise ShockError(f"{what} must be a positive number, not {value!r}.")


def require_rate(value: Any, what: str) -> None:
    """Raise `ShockError` unless −1 < value ≤ 5: a rate of change as a share, which nobody means to be 25."""
    if not is_number(value) or not -1.0 < value <= HIGHEST_RATE:
        raise ShockError(
            f"{what} must be above -1 (-100 %) and at most {HIGHEST_RATE:g} ({100 * HIGHEST_RATE:.0f} %), not "
            f"{value!r}; 25 per cent is 0.25."
        )


def require_choice(value: Any, choices: Sequence[str], what: str) -> None:
    """Raise `ShockError` unless the value is one of the choices."""
    if value not in choices:
        raise ShockError(f"{what} must be one of {', '.join(map(repr, choices))}, not {value!r}.")


def require_uses(uses: Sequence[str], what: str) -> None:
    """Raise `ShockError` unless purchases are "intermediate", "final" or both."""
    if set(uses) - {"intermediate", "final"}:
        raise ShockError(f"{what} uses must be 'intermediate', 'final' or both, not {list(uses)}.")


def require_shares(values: Any, what: str) -> Mapping[str, float]:
    """Return shares by name, read-only; raise `ShockError` unless each lies in [0, 1] and they sum to one."""
    if not isinstance(values, Mapping):
        raise ShockError(f"{what} must give a share for each name, not {values!r}.")
    for name, share in values.items():
        require_share(share, f"{what} of {name}")
    if abs(sum(values.values()) - 1.0) > 1e-6:
        raise ShockError(f"{what}: the shares sum to {sum(values.values()):.6g}, not to one.")
    return MappingProxyType(dict(values))


def require_elasticity(value: object, what: str) -> None:
    """Raise `ShockError` unless it is a number of zero or more, and not one."""
    if not is_number(value) or not 0.0 <= value < float("inf"):
        raise ShockError(f"{what} must be a number of zero or more, not {value!r}.")
    if value == 1.0:
        raise ShockError(
            f"{what} of 1 exactly is Cobb-Douglas, for which this formula has no value: give one beside it, such as "
            "1.001."
        )


def output_shares(table: IOTable, industries: Positions, what: str) -> Array:
    """Return shares of these industries in their joint output, shape (len(industries),).

    Raises
    ------
    ShockError
        If none of them has output: nothing is known about how they would produce.
    """
    x = np.maximum(table.x.values.ravel()[industries], 0.0)
    if not x.sum() > 0:
        raise ShockError(
            f"{what}: {table.industry_names(industries)} has no output in the table, hence no recipe. "
            "Choose an industry with output."
        )
    return np.asarray(x / x.sum())
