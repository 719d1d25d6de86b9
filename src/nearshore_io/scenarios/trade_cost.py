"""Trade that becomes cheaper or dearer to carry out: a smart border, waiting times, paperwork."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from scipy.sparse import csr_array

from nearshore_io.prices import Wedge
from nearshore_io.scenarios.base import Phase, require_choice, require_elasticity, require_labels, require_rate
from nearshore_io.scenarios.change import Change
from nearshore_io.scenarios.trade import DIRECTIONS, Direction, Pair, checked_pairs, flows_between, on_trade
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class TradeCost:
    """A cost δ of moving goods between countries, which uses up resources and which nobody collects.

        p̂_ij = p_i (1 + δ) for i in one country of a pair and j in the other,

    with prices and sourcing as for `Tariff`: p_j = Σ_p Aᵀ_pj P_pj + v_j + τ_j, a'_ij = a_ij (P_pj / p̂_ij)^σ. A
    negative δ is a saving. Where transport that is saved is itself produced (trucks that wait), that production is not
    reduced.

    Parameters
    ----------
    pairs : of regions, countries or groups, ``[("USA", "MEX")]``.
    rate : δ, such as -0.01; above -1.
    direction : "both", "forward" (what the first sells to the second), or "backward".
    sectors : products; by default all goods of the table.
    elasticity : σ between origins of a product, 0 or more, not 1.

    Raises
    ------
    ShockError
        A rate of -100 % or less; an elasticity of 1 exactly.

    Source: Samuelson (1954) for costs that melt; Armington (1969), IMF Staff Papers 16, 159–178.
    """

    pairs: Sequence[Pair]
    rate: float
    direction: Direction = "both"
    sectors: str | Sequence[str] = "goods"
    elasticity: float = 0.0

    kind: ClassVar[str] = "trade_cost"
    basis: ClassVar[str] = "net of sales lost, in volumes at the table's prices (the world total is no welfare measure)"

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", checked_pairs(self.pairs, "trade cost"))
        require_choice(self.direction, DIRECTIONS, "trade cost direction")
        require_labels("trade cost", sectors=self.sectors)
        require_elasticity(self.elasticity, "trade cost elasticity")
        require_rate(self.rate, "trade cost rate")

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return the wedge between what buyers pay and sellers get, in the run phase."""
        del deflator  # a rate has no price year
        nothing = csr_array((table.n, table.n + table.y.shape[1]))
        flows = flows_between(table, self.pairs, self.direction, "trade cost")
        parts = [on_trade(table, sellers, buyers, self.sectors, self.rate) for sellers, buyers in flows]
        paid = csr_array(sum(parts, start=nothing))
        return {"run": Change.of(table, wedge=Wedge(paid, nothing, nothing, float(self.elasticity), None))}
