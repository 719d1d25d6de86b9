"""A border that closes for some days, with inventories that carry production for a while."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ShockError
from nearshore_io.limits import Blockade
from nearshore_io.scenarios.base import Phase, require_choice, require_positive, require_share
from nearshore_io.scenarios.change import Change
from nearshore_io.scenarios.trade import DIRECTIONS, Direction, Pair, checked_pairs, flows_between, on_trade
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Inventories:
    """Deliveries between countries stop for some days; industries live on their stocks, then produce less.

    Day steps of the adaptive regional input-output model (`limits.blockade`): output is what was ordered, less where a
    stock runs low; orders restore stocks, from all origins as in the table; there is no other re-sourcing. The result
    is what is lost from the first day to the horizon (phase ``event``, jobs in job-years); the path by day is a fact
    of it.

    Parameters
    ----------
    pairs, direction : whose deliveries stop, as in `Extraction`.
    days : for how long, whole days.
    share : of the deliveries that stop.
    sectors : products whose deliveries stop; by default all.
    horizon : days that are simulated; by default the stop and 90 days of catching up.
    stock : days of use that industries keep of each product; one number, or by sector with "other" for the rest.
    restock : days over which a gap in the stocks is filled.
    sensitivity : ψ, the share of its target below which a stock holds production back.
    overcapacity : what an industry can make at most relative to the table, one or more.
    served_first : "industries", whose orders come before final users', or "everybody" in proportion, which can end in
        collapse.

    Source: Hallegatte (2008), Risk Analysis 28, 779–799; (2014), Risk Analysis 34, 152–167.

    Notes
    -----
    BoARIO, the published implementation, lets capacity fail but no deliveries between two countries, so it cannot
    close a border: hence this version of our own, without prices, labour or reconstruction.
    """

    pairs: Sequence[Pair]
    days: int
    direction: Direction = "both"
    share: float = 1.0
    sectors: str | Sequence[str] | None = None
    horizon: int | None = None
    stock: float | Mapping[str, float] = 15.0
    restock: float = 10.0
    sensitivity: float = 0.8
    overcapacity: float = 1.1
    served_first: Literal["industries", "everybody"] = "industries"

    kind: ClassVar[str] = "inventories"
    basis: ClassVar[str] = "net of what is caught up within the horizon, and of what others sell to refill stocks"

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", checked_pairs(self.pairs, "inventories"))
        require_share(self.share, "inventories share")
        require_choice(self.direction, DIRECTIONS, "inventories direction")
        for name, value in (("days", self.days), ("horizon", self.days if self.horizon is None else self.horizon)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ShockError(f"inventories {name} must be a whole number of days, not {value!r}.")
        if self.horizon is not None and self.horizon < self.days:
            raise ShockError(
                f"inventories horizon of {self.horizon} days ends before the {self.days} days of the stop."
            )
        for name, days in self.stock.items() if isinstance(self.stock, Mapping) else [("", self.stock)]:
            require_positive(days, f"inventories stock {name}".strip())
        if isinstance(self.stock, Mapping):
            object.__setattr__(self, "stock", MappingProxyType(dict(self.stock)))
        require_positive(self.restock, "inventories restock")
        require_share(self.sensitivity, "inventories sensitivity")
        require_choice(self.served_first, ("industries", "everybody"), "inventories served_first")
        if self.restock < 1.0:
            raise ShockError("inventories restock: a gap takes a day or more to fill.")
        if self.overcapacity < 1.0:
            raise ShockError(f"inventories overcapacity is one or more, not {self.overcapacity!r}.")
        stocks = self.stock.values() if isinstance(self.stock, Mapping) else [self.stock]
        if min(stocks) * self.sensitivity < 1.0:
            raise ShockError(
                "inventories: stock × sensitivity is under a day of use, so that nothing could be produced."
            )

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return the deliveries that stop, in the event phase."""
        del deflator  # shares have no prices
        flows = flows_between(table, self.pairs, self.direction, "inventories")
        stopping = [on_trade(table, sellers, buyers, self.sectors, self.share) for sellers, buyers in flows]
        blockade = Blockade(
            blocked=csr_array(sum(stopping[1:], start=stopping[0])),
            days=self.days,
            horizon=self.horizon if self.horizon is not None else self.days + 90,
            stock=self._stocks(table),
            restock=self.restock,
            sensitivity=self.sensitivity,
            overcapacity=self.overcapacity,
            industries_first=self.served_first == "industries",
        )
        return {"event": Change.of(table, blockade=blockade)}

    def _stocks(self, table: IOTable) -> Array:
        """Return days of stock by product, shape (width,)."""
        if not isinstance(self.stock, Mapping):
            return np.full(len(table.sectors), float(self.stock))
        named = {name: days for name, days in self.stock.items() if name != "other"}
        found = np.full(len(table.sectors), np.nan if "other" not in self.stock else float(self.stock["other"]))
        for name, days in named.items():
            found[table.sector_positions(name)] = days
        missing = [sector for sector, days in zip(table.sectors, found, strict=True) if np.isnan(days)]
        if missing:
            raise ShockError(f"inventories stock says nothing of {missing[0]}: give it, or 'other' for the rest.")
        return found
