"""Final demand that rises or falls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ShockError
from nearshore_io.labels import Positions
from nearshore_io.scenarios.base import Change, Phase, output_shares, require_labels
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import Amount, money


@dataclass(frozen=True)
class FinalDemand:
    """More (or less) final demand for what an industry makes: Δx = L Δf.

    Parameters
    ----------
    region, sector : the producer, by code, country or group; several share the amount by their output.
    amount : ``"1 billion USD"``, or a number together with ``unit``; never negative.
    direction : "increase" or "decrease".
    final_region, category : who buys. They change no impact, only where the sale is booked when a
        counterfactual table is drawn up; by default in proportion to what the industry sells to final users already.

    Source: Leontief (1936); Miller & Blair (2009), section 2.3.
    """

    region: str
    sector: str | Sequence[str]
    amount: Amount
    unit: str | None = None
    direction: Literal["increase", "decrease"] = "increase"
    final_region: str | None = None
    category: str | None = None

    kind: ClassVar[str] = "final_demand"
    basis: ClassVar[str] = "gross: nothing is displaced"

    def __post_init__(self) -> None:
        require_labels("final demand", region=self.region, sector=self.sector)
        if self.direction not in ("increase", "decrease"):
            raise ShockError(f"direction must be 'increase' or 'decrease', not {self.direction!r}.")

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔY in the run phase."""
        value = money(
            self.amount,
            self.unit,
            table_unit=table.unit,
            table_year=table.year,
            deflator=deflator,
            what="final demand amount",
        )
        value = -value if self.direction == "decrease" else value
        industries = table.positions(self.region, self.sector)
        shares = output_shares(table, industries, "final demand")
        uses = self._uses(table, industries)
        n, m = table.y.shape
        cells = (value * shares[:, None] * uses).ravel()
        rows, columns = np.repeat(industries, m), np.tile(np.arange(m), len(industries))
        demand = csr_array((cells, (rows, columns)), shape=(n, m))
        demand.eliminate_zeros()
        taken = -demand if self.direction == "decrease" else csr_array((n, m))
        return {"run": Change.of(table, demand=demand, taken=taken)}

    def _uses(self, table: IOTable, industries: Positions) -> Array:
        """Return how each industry's amount is shared over final uses, rows sum to one."""
        chosen = np.ones((table.Y.sizes["final_region"], table.Y.sizes["category"]))
        if self.final_region is not None:
            known = table.final_regions
            chosen[np.arange(len(known)) != labels.position(self.final_region, known, "final_region")] = 0
        if self.category is not None:
            known = table.categories
            chosen[:, np.arange(len(known)) != labels.position(self.category, known, "category")] = 0
        existing = np.maximum(table.y[industries], 0.0) * chosen.ravel()
        sold = existing.sum(axis=1, keepdims=True) > 0
        even = chosen.ravel() / chosen.sum()
        totals = existing.sum(axis=1, keepdims=True)
        return np.asarray(np.where(sold, existing / np.where(sold, totals, 1.0), even))
