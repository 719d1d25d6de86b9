"""Duties on imports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ShockError
from nearshore_io.prices import Wedge
from nearshore_io.scenarios.base import (
    Phase,
    Use,
    require_elasticity,
    require_labels,
    require_rate,
    require_share,
    require_uses,
)
from nearshore_io.scenarios.change import Change
from nearshore_io.scenarios.trade import on_trade
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Tariff:
    """A duty T on what an importer buys from an exporter: prices rise with cost, and buyers turn to other origins.

        p_j = Σ_p Aᵀ_pj P_pj + v_j + τ_j,   P_pj = (Σ_k θ_kj p̂_kj^(1−σ))^(1/(1−σ)),   p̂_ij = p_i (1 + π T_ij),
        a'_ij = a_ij (P_pj / p̂_ij)^σ,   and so for final purchases,

    to a fixed point (`prices.equilibrium`). σ = 0 is the Leontief limit p = p (A ∘ (1 + π T)) + v + τ: prices move,
    quantities stay. Sellers bear (1 − π) T out of their value added. Revenue is Σ T p q; recycled, the importer's final
    users spend it as they spend already. Volumes are at the table's prices; ``price`` is the change of sellers' prices.

    Parameters
    ----------
    importer, exporter : regions, countries or groups; trade within a country is left out. "all" exports are
        everybody's.
    rate : T, such as 0.25; above -1.
    sectors : products; by default all goods of the table.
    elasticity : σ between origins of a product, 0 or more, not 1. Trade elasticities of 4 to 7: Romalis (2002).
    pass_through : π, the part of the duty that buyers pay.
    uses : "intermediate", "final" or both.
    recycle : final-demand category that the revenue is spent on, such as "HFCE"; by default it is not spent.

    Raises
    ------
    ShockError
        A rate of -100 % or less; an elasticity of 1 exactly.

    Source: Miller & Blair (2009), section 2.6; Armington (1969), IMF Staff Papers 16, 159–178.
    """

    importer: str | Sequence[str]
    exporter: str | Sequence[str]
    rate: float
    sectors: str | Sequence[str] = "goods"
    elasticity: float = 0.0
    pass_through: float = 1.0
    uses: Use | Sequence[Use] = ("intermediate", "final")
    recycle: str | None = None

    kind: ClassVar[str] = "tariff"
    basis: ClassVar[str] = "net of sales lost, in volumes at the table's prices (the world total is no welfare measure)"

    def __post_init__(self) -> None:
        require_labels("tariff", importer=self.importer, exporter=self.exporter, sectors=self.sectors, uses=self.uses)
        object.__setattr__(self, "uses", tuple(labels.as_list(self.uses)))
        require_rate(self.rate, "tariff rate")
        require_elasticity(self.elasticity, "tariff elasticity")
        require_share(self.pass_through, "tariff pass_through")
        require_uses(self.uses, "tariff")

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return the wedge between what buyers pay and sellers get, in the run phase."""
        del deflator  # a rate has no price year
        rates = csr_array((table.n, table.n + table.y.shape[1]))
        owner = np.array([table.country[region] for region in table.regions])
        sellers = table.region_positions(list(table.regions) if self.exporter == "all" else self.exporter)
        buyers = table.region_positions(self.importer)
        for country in dict.fromkeys(owner[buyers].tolist()):
            abroad, here = sellers[owner[sellers] != country], buyers[owner[buyers] == country]
            if abroad.size:
                rates = csr_array(rates + on_trade(table, abroad, here, self.sectors, self.rate, self.uses))
        if not rates.nnz and self.rate != 0.0:
            raise ShockError(f"tariff: {self.importer} imports nothing from {self.exporter}: name another country.")
        if self.recycle is not None:
            labels.position(self.recycle, table.categories, "category")
        wedge = Wedge(
            paid=rates * self.pass_through,
            borne=rates * (1.0 - self.pass_through),
            collected=rates,
            elasticity=float(self.elasticity),
            recycled=self.recycle,
        )
        return {"run": Change.of(table, wedge=wedge)}
