"""What a scenario changes in a table: demand, coefficients, intensities, prices and limits, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack, issparse, vstack

from nearshore_io.errors import ShockError
from nearshore_io.limits import Blockade, Caps
from nearshore_io.prices import Wedge
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Fact:
    """A number a shock states beside its results, such as a coherence ratio or a bill, with its unit."""

    value: float
    unit: str


@dataclass(frozen=True)
class Activity:
    """Production with a recipe of its own, booked in an industry of the table: a new column of A, and its row.

    Its output is x_p = b x + 1ᵀy, its purchases are a x_p.

    Attributes
    ----------
    at : position of the industry it is booked in.
    recipe : a, purchases per unit of its output, shape (n,).
    sales : b, what industries buy of it per unit of their output, shape (n,).
    final : y, what final users buy of it, shape (m,). Money.
    intensities : its own inputs and stressors per unit of output, by name; ``value_added`` among them.
    """

    at: int
    recipe: Array
    sales: Array
    final: Array
    intensities: Mapping[str, float]

    def output(self, x: Array) -> float:
        """Return x_p for outputs x of the table's industries."""
        return float(self.sales @ x) + float(self.final.sum())

    def scaled(self, share: float) -> "Activity":
        """Return a share of it: smaller sales, the same recipe."""
        return replace(self, sales=self.sales * share, final=self.final * share)


@dataclass(frozen=True)
class Change:
    """What one phase of a scenario changes in a table of n industries and m final uses.

    Attributes
    ----------
    demand : ΔY, sparse (n, m). Money.
    moved : the part of ΔY by which existing purchases change their origin, sparse (n, m). Households that buy elsewhere
        spend further income elsewhere too; demand added from outside leaves their basket as it is. Money.
    patterned : the part of ΔY that is spread over products and sellers as the table's own final uses are, sparse
        (n, m): as uncertain as they are. Money.
    taken : the part of ΔY that is taken away from existing sales, sparse (n, m), of the sign of those sales. Money.
    P, Q : ΔA = P Q, sparse (n, r) and (r, n).
    cost : what a unit of output gains in input cost and loses in value added, shape (n,).
    output : ΔX̄, output that is given rather than demanded (the mixed model), shape (n,). Money.
    activities : production with recipes of its own.
    intensities : changes of inputs and stressors per unit of output, by name, each (n,).
    charge : what a unit of output costs more and is passed on in its price, shape (n,).
    wedge : taxes and costs on sales, which prices and sourcing answer to.
    caps : limits on output, and the rule by which the economy keeps them.
    blockade : deliveries that stop for some days.
    period : share of a year that it lasts; results are scaled by it.
    facts : numbers that stand beside the results.
    """

    demand: csr_array
    moved: csr_array
    taken: csr_array
    P: csr_array
    Q: csr_array
    cost: Array
    output: Array
    charge: Array
    patterned: csr_array
    activities: tuple[Activity, ...] = ()
    intensities: Mapping[str, Array] = field(default_factory=dict)
    wedge: Wedge | None = None
    caps: Caps | None = None
    blockade: Blockade | None = None
    period: float = 1.0
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @classmethod
    def of(cls, table: IOTable, **parts: Any) -> "Change":
        """Return a change with these parts, and nothing else."""
        n, m = table.y.shape
        nothing: dict[str, Any] = {
            "demand": csr_array((n, m)),
            "moved": csr_array((n, m)),
            "taken": csr_array((n, m)),
            "patterned": csr_array((n, m)),
            "P": csr_array((n, 0)),
            "Q": csr_array((0, n)),
            **{name: np.zeros(n) for name in ("cost", "output", "charge")},
        }
        return cls(**nothing | parts)

    @property
    def leaving(self) -> csr_array:
        """The coefficients that leave their sellers, the negative part of P times Q, sparse (n, n)."""
        if not self.P.shape[1]:
            return csr_array((self.P.shape[0], self.P.shape[0]))
        rising, falling = self.Q.maximum(0.0), -self.Q.minimum(0.0)
        return csr_array(-self.P.minimum(0.0) @ rising + self.P.maximum(0.0) @ falling)

    @property
    def low_rank(self) -> tuple[csr_array, csr_array]:
        """P and Q with the columns and rows of activities: A' = A + P Q once activities are solved out."""
        if not self.activities:
            return self.P, self.Q
        recipes = csr_array(np.column_stack([activity.recipe for activity in self.activities]))
        sales = csr_array(np.array([activity.sales for activity in self.activities]))
        return csr_array(hstack([self.P, recipes])), csr_array(vstack([self.Q, sales]))

    def shift(self, name: str) -> Array:
        """Return Δs of an input or stressor per unit of output, shape (n,); value added less the cost of inputs."""
        given = self.intensities.get(name, np.zeros(len(self.cost)))
        return given - self.cost if name == "value_added" else given

    @property
    def only_demand(self) -> bool:
        """True when nothing but final demand changes output."""
        more = (self.activities, self.intensities, self.wedge, self.caps, self.blockade)
        return self.P.shape[1] == 0 and not (self.output.any() or self.charge.any() or any(part for part in more))

    @property
    def only_coefficients(self) -> bool:
        """True when nothing but final demand and coefficients changes, at the intensities of the table."""
        more = (self.activities, self.intensities, self.wedge, self.caps, self.blockade, self.period != 1.0)
        return not (self.output.any() or self.charge.any() or self.cost.any() or any(part for part in more))

    def scaled(self, share: float) -> "Change":
        """Return a share u of the change: u ΔA, u ΔY, u ΔX̄, …; what is limited has no share.

        Raises
        ------
        ShockError
            If it holds limits on output, or deliveries that stop.
        """
        if self.caps is not None or self.blockade is not None:
            raise ShockError("limits on output hold or do not: they cannot be phased in over years.")
        linear = ("demand", "moved", "taken", "patterned", "Q", "cost", "output", "charge")
        return replace(
            self,
            **{name: getattr(self, name) * share for name in linear},
            activities=tuple(activity.scaled(share) for activity in self.activities),
            intensities={name: values * share for name, values in self.intensities.items()},
            wedge=None if self.wedge is None else self.wedge.scaled(share),
        )


def combine(changes: Sequence[Change], numbers: Sequence[int]) -> Change:
    """Return the sum of changes, in which their order does not matter; low-rank parts stand side by side.

    Parameters
    ----------
    numbers : of their shocks in the scenario, for facts that several of them state.

    Raises
    ------
    ShockError
        If two limits hold by different rules, two wedges have different elasticities, or changes last differently long.
    """
    if len(changes) == 1:
        return changes[0]
    if len({change.period for change in changes}) > 1:
        raise ShockError("shocks of one scenario last equally long: give them the same days.")
    summed: dict[str, Any] = {}
    for name in ("demand", "moved", "taken", "patterned"):
        summed[name] = csr_array(sum((getattr(c, name) for c in changes[1:]), start=getattr(changes[0], name)))
    for name in ("cost", "output", "charge"):
        summed[name] = np.sum([getattr(c, name) for c in changes], axis=0)
    intensities: dict[str, Array] = {}
    for change in changes:
        for name, values in change.intensities.items():
            intensities[name] = intensities.get(name, 0.0) + values
    return Change(
        **summed,
        P=csr_array(hstack([c.P for c in changes])),
        Q=csr_array(vstack([c.Q for c in changes])),
        activities=tuple(activity for c in changes for activity in c.activities),
        intensities=intensities,
        wedge=Wedge.together([c.wedge for c in changes if c.wedge is not None]),
        caps=Caps.together([c.caps for c in changes if c.caps is not None]),
        blockade=Blockade.together([c.blockade for c in changes if c.blockade is not None]),
        period=changes[0].period,
        facts=_numbered([c.facts for c in changes], numbers),
    )


def _numbered(facts: Sequence[Mapping[str, Fact]], numbers: Sequence[int]) -> dict[str, Fact]:
    """Return all facts; one that several shocks state carries the number of its shock."""
    names = [name for stated in facts for name in stated]
    return {
        f"{name} (shock {number})" if names.count(name) > 1 else name: fact
        for number, stated in zip(numbers, facts, strict=True)
        for name, fact in stated.items()
    }


def require_possible(change: Change, table: IOTable, name: str) -> None:
    """Raise when shocks together take more from a cell than it holds, or than an industry's value added can pay."""
    _require_something_left(change, table, name)
    _require_income_left(change, table, name)


def _require_something_left(change: Change, table: IOTable, name: str) -> None:
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
    if change.cost.any():
        before = table.intensity("value_added")
        broke = np.flatnonzero((before >= 0) & (before - change.cost < -1e-12))
        if broke.size:
            raise ShockError(
                f"scenario {name!r}: {table.industry_names(broke)} would pay more for inputs than its value added. "
                "Move a smaller share, or at a lower cost."
            )


def _row(matrix: Matrix, i: int) -> Array:
    row = matrix[[i]]
    return np.asarray(row.toarray() if issparse(row) else row).ravel()
