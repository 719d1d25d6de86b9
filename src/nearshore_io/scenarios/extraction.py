"""Trade that stops: closed borders, slowdowns, sanctions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ShockError
from nearshore_io.labels import Positions
from nearshore_io.limits.blockade import DAYS_OF_A_YEAR
from nearshore_io.products import inputs_by_product
from nearshore_io.scenarios.base import Phase, require_choice, require_labels, require_positive, require_share
from nearshore_io.scenarios.change import Change, Fact
from nearshore_io.scenarios.trade import (
    DIRECTIONS,
    Direction,
    Pair,
    checked_pairs,
    final_uses,
    flows_between,
    industries_of,
)
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Extraction:
    """A share h of what countries sell each other is no longer sold (hypothetical extraction).

        a'_ij = (1 − h) a_ij,   f'_i = (1 − h) f_i   for i in one country of a pair, j and f in the other.

    Without re-sourcing (HEM) users go on without these inputs: it measures what depends on the trade, and is no bound
    of what a closed border would cost. With re-sourcing (GEM) each buyer's lost purchases are made up by the other
    origins of the same product, pro rata; column sums and the world's value added stay as they are, and it only moves
    them. What has no other origin stays where it is, and is stated.

    Parameters
    ----------
    pairs : of regions, countries or groups; "all" is everybody else. ``[("USA", "MEX")]``. Of a region that is a part
        of its country, final users' purchases stay: they belong to the country.
    share : h, in [0, 1]: intensity of the closure times the share of the trade it touches.
    direction : "both", "forward" (sales of the first to the second), or "backward".
    sectors : products; by default all.
    resourced : whether lost purchases are made up elsewhere.
    relative_cost : ρ of what is bought elsewhere; the difference comes out of the buyers' value added.
    days : for how long; the result is then of these days (phase ``event``, jobs in job-years), else of a year.

    Source: Dietzenbacher & Lahr (2013), Economic Systems Research 25, 341–360 (partial extraction); Dietzenbacher, van
    Burken & Kondo (2019), ibid. 31, 505–519 (global extraction).
    """

    pairs: Sequence[Pair]
    share: float = 1.0
    direction: Direction = "both"
    sectors: str | Sequence[str] | None = None
    resourced: bool = False
    relative_cost: float = 1.0
    days: float | None = None

    kind: ClassVar[str] = "extraction"

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", checked_pairs(self.pairs, "extraction"))
        require_share(self.share, "extraction share")
        require_choice(self.direction, DIRECTIONS, "extraction direction")
        if self.sectors is not None:
            require_labels("extraction", sectors=self.sectors)
        require_positive(self.relative_cost, "extraction relative_cost")
        if self.days is not None:
            require_positive(self.days, "extraction days")
        if self.relative_cost != 1.0 and not self.resourced:
            raise ShockError("extraction relative_cost is that of other origins: it needs resourced = true.")

    @property
    def basis(self) -> str:
        """Gross loss of what depends on the trade, or net of what others sell instead."""
        if not self.resourced:
            return "gross: users go on without what they no longer buy, and nobody sells it instead"
        same = "" if self.relative_cost != 1.0 else ": the sum of world value added and product taxes stays the same"
        return f"net of what other origins sell instead{same}"

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔA and ΔY of the cells between the countries, in the run or the event phase."""
        del deflator  # shares have no prices
        inputs, final = self._removed(table)
        facts: dict[str, Fact] = {}
        period = 1.0 if self.days is None else self.days / DAYS_OF_A_YEAR
        if self.resourced:
            change, kept = self._resourced(table, inputs, final)
            if kept:
                facts["purchases without another origin"] = Fact(kept * period, table.unit)
        else:
            change = self._extracted(table, inputs, final)
        parts = change | {"period": period, "facts": facts}
        return {"run" if self.days is None else "event": Change.of(table, **parts)}

    def _removed(self, table: IOTable) -> tuple[dict[int, Array], dict[int, Array]]:
        """Return h A and h Y of the trade that stops: by seller's row, each (n,) and (m,)."""
        inputs: dict[int, Array] = {}
        final: dict[int, Array] = {}
        for sellers, buyers in flows_between(table, self.pairs, self.direction, "extraction"):
            rows = industries_of(table, sellers, self.sectors)
            columns, uses = industries_of(table, buyers), final_uses(table, buyers)
            for i in rows.tolist():
                taken, sold = inputs.setdefault(i, np.zeros(table.n)), final.setdefault(i, np.zeros(table.y.shape[1]))
                taken[columns] = self.share * dense(table.A[[i]][:, columns])[0]
                sold[uses] = self.share * table.y[i, uses]
        return inputs, final

    def _extracted(self, table: IOTable, inputs: Mapping[int, Array], final: Mapping[int, Array]) -> dict[str, object]:
        rows = list(inputs)
        r = len(rows)
        leave = csr_array((np.ones(r), (rows, np.arange(r))), shape=(table.n, r))
        sold = np.array(list(final.values()))
        lost = csr_array(leave @ csr_array(sold))
        Q = csr_array(np.array(list(inputs.values())))
        return {
            "P": csr_array(-leave),
            "Q": Q,
            "demand": -lost,
            "moved": -csr_array(leave @ csr_array(np.maximum(sold, 0.0))),
            "taken": lost,
        }

    def _resourced(
        self, table: IOTable, inputs: Mapping[int, Array], final: Mapping[int, Array]
    ) -> tuple[dict[str, object], float]:
        """Return the change by buying industry, and the purchases that had no other origin. Money."""
        rows = np.array(list(inputs), dtype=np.intp)
        taken = np.array(list(inputs.values()))
        columns = np.flatnonzero(taken.any(axis=0))
        A, kept = self._made_up(table, rows, taken[:, columns], dense(table.A[:, columns]))
        x = table.x.values.ravel()
        without = float((kept @ x[columns]).sum())
        Q = csr_array((np.ones(len(columns)), (np.arange(len(columns)), columns)), shape=(len(columns), table.n))
        sold = np.maximum(np.array(list(final.values())), 0.0)
        Y, left = self._made_up(table, rows, sold, np.maximum(table.y, 0.0))
        cost = np.zeros(table.n)
        cost[columns] = A.sum(axis=0)
        lost = np.zeros(table.y.shape)
        lost[rows] = sold - left
        parts = {"P": csr_array(A), "Q": Q, "demand": csr_array(Y), "moved": csr_array(Y), "taken": csr_array(lost)}
        return parts | {"cost": cost}, without + float(left.sum())

    def _made_up(self, table: IOTable, rows: Positions, taken: Array, bought: Array) -> tuple[Array, Array]:
        """Return the change of purchases, (n, columns), and what stays for want of another origin, (r, columns).

        Parameters
        ----------
        taken : what stops, by row, (r, columns). bought : all purchases, (n, columns).
        """
        width = len(table.sectors)
        others = bought.copy()
        for k, i in enumerate(rows.tolist()):
            others[i] = np.where(taken[k] != 0, 0.0, others[i])
        there = inputs_by_product(others, width)
        product = rows % width
        without = (taken > 0) & ~(there[product] > 0)
        kept = np.where(without, taken, 0.0)
        moving = taken - kept
        wanted = np.zeros_like(there)
        np.add.at(wanted, product, moving)
        scale = self.relative_cost * np.divide(wanted, there, out=np.zeros_like(there), where=there > 0)
        change = others * np.tile(scale, (len(table.regions), 1))
        change[rows] -= moving
        return change, kept
