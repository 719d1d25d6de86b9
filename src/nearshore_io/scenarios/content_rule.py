"""A rule of origin, and the least re-sourcing that meets it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ShockError
from nearshore_io.scenarios.base import Phase, require_labels, require_positive, require_share
from nearshore_io.scenarios.change import Change, Fact
from nearshore_io.solvers.base import Array, Flags, dense
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class ContentRule:
    """Industries that miss a content rule buy as little as will do inside the area instead of outside.

    With NA the area, NC_j = 1 − excluded, content RVC_j = 1 − Σ_i∉NA a_ij / NC_j and gap g_j = max(0, θ* − RVC_j), each
    industry solves

        min ½ Σ_i (Δa_ij)² / a_ij   subject to   Σ_i∈NA Δa_ij = g_j NC_j,
        Σ_k Δa_(k,p),j = 0 for every product p,   a + Δa ≥ 0.

    Within a product all suppliers outside shrink, and all inside grow, in proportion; product p moves
    t_p = min(out_p, λ in_p out_p / (in_p + out_p)), and λ is found so that Σ t_p is the gap. ρ is applied to what moves
    afterwards. A product nobody inside sells to the industry stays outside.

    Parameters
    ----------
    region, sector : the industries that have to comply.
    threshold : θ*, such as 0.75.
    area : countries that count.
    excluded : share of the value of output that is not net cost: profit, royalties, shipping.
    relative_cost : ρ of what is bought inside instead; paid out of value added.
    complying : share of an industry's output that complies; the rest pays the duty instead.

    Raises
    ------
    ShockError
        A gap that cannot be closed with the products the area makes.

    Source: USMCA annex 4-B (regional value content); quadratic program with weights 1/a as in Koopman, Wang & Wei
    (2012).
    """

    region: str | Sequence[str]
    sector: str | Sequence[str]
    threshold: float
    area: str | Sequence[str] = "usmca"
    excluded: float = 0.0
    relative_cost: float = 1.0
    complying: float = 1.0

    kind: ClassVar[str] = "content_rule"
    basis: ClassVar[str] = "net of what suppliers outside the area lose"

    def __post_init__(self) -> None:
        require_labels("content rule", region=self.region, sector=self.sector, area=self.area)
        require_share(self.threshold, "content rule threshold")
        require_share(self.excluded, "content rule excluded")
        require_share(self.complying, "content rule complying")
        require_positive(self.relative_cost, "content rule relative_cost")
        if self.excluded == 1.0:
            raise ShockError("content rule excluded: nothing is left of net cost.")

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔA by columns, in the run phase; the content before, and the amount that moves, as facts."""
        del deflator  # shares have no prices
        x = table.x.values.ravel()
        inside = np.isin(np.arange(table.n), table.positions(region=self.area))
        industries = [j for j in table.positions(self.region, self.sector).tolist() if x[j] > 0]
        if not industries:
            raise ShockError(f"content rule: {self.region} has no output of {self.sector}.")
        columns, facts, cost = [], {}, np.zeros(table.n)
        for j in industries:
            bought = dense(table.A[:, [j]])[:, 0]
            content = 1.0 - float(np.maximum(bought, 0.0)[~inside].sum()) / (1.0 - self.excluded)
            gap = max(0.0, self.threshold - content) * (1.0 - self.excluded)
            value = "net cost" if self.excluded else "transaction value"
            facts[f"content of {table.industry_names([j])} before"] = Fact(content, f"share of {value}")
            moved = self._moved(table, j, np.maximum(bought, 0.0), inside, gap)
            change = self.complying * moved
            change[inside] *= self.relative_cost
            cost[j] = change.sum()
            columns.append(change)
            if gap:
                facts[f"purchases of {table.industry_names([j])} that move"] = Fact(
                    gap * self.complying * x[j], table.unit
                )
        rows = np.arange(len(industries))
        Q = csr_array((np.ones(len(industries)), (rows, industries)), shape=(len(industries), table.n))
        return {"run": Change.of(table, P=csr_array(np.column_stack(columns)), Q=Q, cost=cost, facts=facts)}

    def _moved(self, table: IOTable, j: int, bought: Array, inside: Flags, gap: float) -> Array:
        """Return Δa_j that closes the gap, shape (n,)."""
        if gap == 0.0:
            return np.zeros(table.n)
        width = len(table.sectors)
        own = (bought * inside).reshape(-1, width).sum(axis=0)
        foreign = (bought * ~inside).reshape(-1, width).sum(axis=0)
        product = np.divide(own * foreign, own + foreign, out=np.zeros(width), where=own + foreign > 0)
        reachable = float(foreign[own > 0].sum())
        if gap > reachable * (1 + 1e-12):
            raise ShockError(
                f"content rule: {table.industry_names([j])} misses {self.threshold:.0%} by {gap:.3f} of its output, "
                f"but only {reachable:.3f} of what it buys outside is sold to it inside the area too. Lower the "
                "threshold."
            )
        moving = _filled(product, np.where(own > 0, foreign, 0.0), gap)
        grow = np.divide(moving, own, out=np.zeros(width), where=own > 0)
        shrink = np.divide(moving, foreign, out=np.zeros(width), where=foreign > 0)
        repeat = len(table.regions)
        return np.asarray(bought * np.where(inside, np.tile(grow, repeat), -np.tile(shrink, repeat)))


def _filled(slopes: Array, most: Array, total: float) -> Array:
    """Return t_p = min(most_p, λ slope_p) with Σ t_p = total, for the λ that does it, exactly.

    Products reach their most in the order of most/slope; between two of them the sum is linear in λ.
    """
    active = np.flatnonzero(slopes > 0)
    order = active[np.argsort(most[active] / slopes[active])]
    done, rising = 0.0, float(slopes[order].sum())
    level = 0.0
    for p in order:
        full = most[p] / slopes[p]
        if done + rising * full >= total:
            level = (total - done) / rising
            break
        done, rising, level = done + most[p], rising - slopes[p], full
    return np.minimum(most, level * slopes)
