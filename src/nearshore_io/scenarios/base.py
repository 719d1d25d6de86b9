"""What a shock is, what it changes, and scenarios made of several."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from scipy.sparse import csr_array, hstack, issparse, vstack

from nearshore_io.errors import LabelError, ShockError, UnitError, first_few
from nearshore_io.labels import Positions
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table import IOTable
from nearshore_io.units import is_number

Phase = Literal["build", "run"]
PHASES: tuple[Phase, ...] = ("build", "run")


@dataclass(frozen=True)
class Change:
    """What one phase of a scenario changes in a table of n industries and m final uses.

    Attributes
    ----------
    demand : ΔY, sparse (n, m). Money.
    moved : the part of ΔY by which existing purchases change their origin, sparse (n, m). Households that buy elsewhere
        spend further income elsewhere too; demand added from outside leaves their basket as it is. Money.
    taken : the part of ΔY that is taken away from existing sales, sparse (n, m), of the sign of those sales. Money.
    P, Q : ΔA = P Q, sparse (n, r) and (r, n).
    cost : what a unit of output gains in input cost and loses in value added, shape (n,).
    output : ΔX̄, output that is given rather than demanded (the mixed model), shape (n,). Money.
    """

    demand: csr_array
    moved: csr_array
    taken: csr_array
    P: csr_array
    Q: csr_array
    cost: Array
    output: Array

    @classmethod
    def of(cls, table: IOTable, **parts: Any) -> "Change":
        """Return a change with these parts, and nothing else."""
        n, m = table.y.shape
        nothing: dict[str, Any] = {
            "demand": csr_array((n, m)),
            "moved": csr_array((n, m)),
            "taken": csr_array((n, m)),
            "P": csr_array((n, 0)),
            "Q": csr_array((0, n)),
            "cost": np.zeros(n),
            "output": np.zeros(n),
        }
        return cls(**nothing | parts)

    @property
    def leaving(self) -> csr_array:
        """The coefficients that leave their sellers, the negative part of P times Q, sparse (n, n)."""
        return csr_array(-self.P.minimum(0.0) @ self.Q)

    @property
    def only_demand(self) -> bool:
        """True when coefficients and given outputs stay as they are."""
        return self.P.shape[1] == 0 and not self.output.any()


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

    Parameters
    ----------
    name : label along the ``scenario`` dimension of results.
    shocks : at least one.
    title : a line for readers.
    deflator : price index by year, for amounts at prices of another year than the table's.

    Raises
    ------
    ShockError
        If it has no name or no shocks.
    """

    name: str
    shocks: Sequence[Shock]
    title: str = ""
    deflator: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        shocks = (self.shocks,) if isinstance(self.shocks, Shock) else self.shocks
        object.__setattr__(self, "shocks", tuple(shocks) if isinstance(shocks, Iterable) else (shocks,))
        if not isinstance(self.deflator, Mapping) or not all(is_number(index) for index in self.deflator.values()):
            raise ShockError(f"scenario {self.name!r}: deflator must be a price index by year, not {self.deflator!r}.")
        object.__setattr__(self, "deflator", MappingProxyType(dict(self.deflator)))
        if not self.name:
            raise ShockError("a scenario needs a name.")
        strangers = [shock for shock in self.shocks if isinstance(shock, type) or not isinstance(shock, Shock)]
        if strangers or not self.shocks:
            what = f"{first_few(strangers)} is no shock" if strangers else "it has no shocks"
            raise ShockError(f"scenario {self.name!r}: {what}; give shocks=[nio.FDI(...), nio.Relocation(...), ...].")

    @property
    def basis(self) -> str:
        """Gross or net, for each kind of shock in the scenario."""
        return "; ".join(dict.fromkeys(shock.basis for shock in self.shocks))

    def changes(self, table: IOTable) -> dict[Phase, Change]:
        """Return the combined changes of all shocks, by phase.

        Raises
        ------
        ShockError, LabelError, UnitError
            If a shock does not fit the table; the message names the scenario and the shock.
        """
        parts: dict[Phase, list[Change]] = {}
        for number, shock in enumerate(self.shocks, start=1):
            with _naming(f"scenario {self.name!r}, shock {number} ({shock.kind})"):
                for phase, change in shock.changes(table, self.deflator).items():
                    parts.setdefault(phase, []).append(change)
        combined = {phase: combine(parts[phase]) for phase in PHASES if phase in parts}
        for change in combined.values():
            _require_something_left(change, table, self.name)
            _require_income_left(change, table, self.name)
        return combined


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """Put where it happened before the message of an error a user can mend."""
    try:
        yield
    except (LabelError, ShockError, UnitError) as error:
        raise type(error)(f"{where}: {error}") from error


def combine(changes: Sequence[Change]) -> Change:
    """Return the sum of changes: demands, costs and given outputs add; low-rank parts stand side by side."""
    if len(changes) == 1:
        return changes[0]
    return Change(
        demand=csr_array(sum((c.demand for c in changes[1:]), start=changes[0].demand)),
        moved=csr_array(sum((c.moved for c in changes[1:]), start=changes[0].moved)),
        taken=csr_array(sum((c.taken for c in changes[1:]), start=changes[0].taken)),
        P=csr_array(hstack([c.P for c in changes])),
        Q=csr_array(vstack([c.Q for c in changes])),
        cost=np.sum([c.cost for c in changes], axis=0),
        output=np.sum([c.output for c in changes], axis=0),
    )


def _require_something_left(change: Change, table: IOTable, name: str) -> None:
    """Raise when shocks together take more from a cell than it holds and they add to it."""
    added = csr_array(change.demand + change.taken)
    for taken, base, more in ((change.leaving, table.A, None), (change.taken, table.y, added)):
        for i in np.flatnonzero(np.diff(taken.indptr)).tolist():
            held = np.abs(_row(base, i)) + (0.0 if more is None else np.maximum(_row(more, i), 0.0))
            if (np.abs(_row(taken, i)) > held * (1.0 + 1e-9)).any():
                raise ShockError(
                    f"scenario {name!r} takes more of {table.industry_names([i])} from a buyer than that buyer has: "
                    "the shares or decreases of its shocks add up to over 100 %."
                )


def _require_income_left(change: Change, table: IOTable, name: str) -> None:
    """Raise when the cost of a relocation is more than a buying industry's value added can pay."""
    if change.cost.any():
        before = table.intensity("value_added")
        broke = np.flatnonzero((before >= 0) & (before - change.cost < 0))
        if broke.size:
            raise ShockError(
                f"scenario {name!r}: at this relative_cost {table.industry_names(broke)} would pay more for inputs "
                "than its value added. Move a smaller share, or at a lower cost."
            )


def _row(matrix: Matrix, i: int) -> Array:
    row = matrix[[i]]
    return np.asarray(row.toarray() if issparse(row) else row).ravel()


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


def require_positive(value: Any, what: str) -> None:
    """Raise `ShockError` unless the value is a positive, finite number."""
    if not is_number(value) or not (np.isfinite(value) and value > 0):
        raise ShockError(f"{what} must be a positive number, not {value!r}.")


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
