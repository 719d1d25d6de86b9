"""Production that moves from one country to another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io import labels
from nearshore_io.errors import ShockError, first_few
from nearshore_io.labels import Positions
from nearshore_io.scenarios.base import Change, Phase, output_shares, require_labels, require_positive, require_share
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

Use = Literal["intermediate", "final"]


@dataclass(frozen=True)
class Relocation:
    """A share of what buyers buy from the origin is bought from the destination instead.

    For every product i, buyer j, from origin c to destination m,

        a'_(c,i),j = (1 − φ) a_(c,i),j,     a'_(m,i),j = a_(m,i),j + ρ φ a_(c,i),j,

    and the same for columns of final demand. It is the rank-r change ΔA = P Q with columns ρ e_m − e_c of P and rows
    φ A_(c,i),J of Q. With ρ = 1 it moves value added between countries and leaves the world total as it is.
    With ρ ≠ 1 buying industries pay the difference out of their value added, final buyers spend it on top.

    Parameters
    ----------
    sectors : products, by code or group.
    origin, destination : region, country or group; several destination regions share by their output.
    buyers : regions or countries whose purchases move. A country's final users move only with all its regions.
    share : φ, in [0, 1].
    uses : which purchases move, of "intermediate" and "final".
    relative_cost : ρ, cost of the destination's product relative to the origin's.

    Raises
    ------
    ShockError
        A share outside [0, 1]; a relocation to itself; a destination that does not make the product.

    Source: Dietzenbacher, van Burken & Kondo (2019), Economic Systems Research 31, 505–519 (global extraction).
    """

    sectors: str | Sequence[str]
    origin: str
    destination: str
    buyers: str | Sequence[str]
    share: float
    uses: Use | Sequence[Use] = ("intermediate", "final")
    relative_cost: float = 1.0

    kind: ClassVar[str] = "relocation"

    def __post_init__(self) -> None:
        require_labels(
            "relocation",
            sectors=self.sectors,
            origin=self.origin,
            destination=self.destination,
            buyers=self.buyers,
            uses=self.uses,
        )
        object.__setattr__(self, "sectors", tuple(labels.as_list(self.sectors)))
        object.__setattr__(self, "buyers", tuple(labels.as_list(self.buyers)))
        object.__setattr__(self, "uses", tuple(labels.as_list(self.uses)))
        require_share(self.share, "relocation share")
        require_positive(self.relative_cost, "relocation relative_cost")
        strange = set(self.uses) - {"intermediate", "final"}
        if strange or not self.uses:
            raise ShockError(f"relocation uses must be 'intermediate', 'final' or both, not {list(self.uses)}.")
        if self.origin == self.destination:
            raise ShockError(f"relocation from {self.origin} to itself: origin and destination must differ.")

    @property
    def basis(self) -> str:
        """Net of what the origin loses; zero-sum for the world when the cost is the same."""
        if self.relative_cost == 1.0:
            return (
                "net of the origin's losses: world value added and product taxes stay the same, induced effects aside"
            )
        return "net of the origin's losses and of the cost difference"

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔA = P Q, ΔY and the cost to buying industries, in the run phase."""
        del deflator  # shares have no prices
        products = table.sector_positions(self.sectors)
        origins, destinations = table.region_positions(self.origin), table.region_positions(self.destination)
        both = set(origins.tolist()) & set(destinations.tolist())
        if both:
            raise ShockError(
                f"relocation to itself: {first_few(table.regions[i] for i in both)} is origin and destination."
            )
        self._require_uses(table)
        width = len(table.sectors)
        rows = np.array([origin * width + product for origin in origins for product in products], dtype=np.intp)
        purchases = self._intermediate(table, rows)
        final = self._final(table, rows)
        arrivals = self._arrivals(table, rows, destinations, abs(purchases).sum(axis=1) + abs(final).sum(axis=1))
        r = len(rows)
        leave = csr_array((np.ones(r), (rows, np.arange(r))), shape=(table.n, r))
        P = csr_array(self.relative_cost * arrivals - leave)
        change = Change(
            demand=csr_array(P @ final),
            moved=csr_array(P @ final),
            taken=csr_array(leave @ final),
            P=P,
            Q=purchases,
            cost=(self.relative_cost - 1.0) * np.asarray(purchases.sum(axis=0)).ravel(),
            output=np.zeros(table.n),
        )
        return {"run": change}

    def _require_uses(self, table: IOTable) -> None:
        """Raise where nothing can move: costs without value added to pay them, final users of a part of a country."""
        if self.relative_cost != 1.0 and "value_added" not in table.inputs:
            raise ShockError(
                "relocation relative_cost: the table has no input called 'value_added' for buyers to pay the "
                f"difference from; it has {first_few(table.inputs)}."
            )
        if "intermediate" not in self.uses and not self._moving_final_regions(table):
            raise ShockError(
                f"relocation of final uses: {first_few(self.buyers)} is only a part of its country, and final users "
                "belong to the country. Name the country as the buyer."
            )

    def _moving_final_regions(self, table: IOTable) -> list[int]:
        """Return the places of final regions all of whose regions are among the buyers."""
        buying = {table.regions[i] for i in table.region_positions(self.buyers)}
        return [
            place
            for place, name in enumerate(table.final_regions)
            if {region for region in table.regions if table.country[region] == name} <= buying
        ]

    def _intermediate(self, table: IOTable, rows: Positions) -> csr_array:
        """Return φ A_(c,i),J: coefficients that move, sparse (r, n)."""
        taken = np.zeros((len(rows), table.n))
        if "intermediate" in self.uses:
            columns = table.positions(region=self.buyers)
            block = table.A[rows][:, columns]
            taken[:, columns] = self.share * (block.toarray() if issparse(block) else block)
        return csr_array(taken)

    def _final(self, table: IOTable, rows: Positions) -> csr_array:
        """Return φ Y_(c,i),J: final purchases that move, sparse (r, final uses)."""
        taken = np.zeros((len(rows), table.y.shape[1]))
        if "final" in self.uses:
            k = table.Y.sizes["category"]
            for place in self._moving_final_regions(table):
                columns = slice(place * k, (place + 1) * k)
                taken[:, columns] = self.share * table.y[rows, columns]
        return csr_array(taken)

    def _arrivals(self, table: IOTable, rows: Positions, destinations: Positions, moved: Array) -> csr_array:
        """Return where each moved row arrives, sparse (n, r), columns summing to one."""
        width = len(table.sectors)
        arrivals = np.zeros((table.n, len(rows)))
        for k, row in enumerate(rows):
            industries = destinations * width + row % width
            if moved[k] > 0:
                arrivals[industries, k] = output_shares(table, industries, "relocation")
        return csr_array(arrivals)
