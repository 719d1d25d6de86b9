"""Deliveries that stop for some days, and inventories that carry production for a while."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ShockError
from nearshore_io.products import inputs_by_product, sold_by_origin
from nearshore_io.solvers.base import Array, Matrix

DAYS_OF_A_YEAR = 365


@dataclass(frozen=True)
class Blockade:
    """Deliveries that stop, and how industries manage their stocks.

    Attributes
    ----------
    blocked : share of each delivery that stops, sparse (n, n + m): to industries, to final uses.
    days : for how long.
    horizon : days that are simulated, the stop included.
    stock : days of use that industries keep of each product, shape (width,).
    restock : days over which they fill a gap in their stocks.
    sensitivity : share of its target below which a stock holds production back.
    overcapacity : what an industry can make at most, relative to its output in the table.
    industries_first : whether industries' orders are served before final users, or everybody in proportion.
    """

    blocked: csr_array
    days: int
    horizon: int
    stock: Array
    restock: float
    sensitivity: float
    overcapacity: float
    industries_first: bool

    @classmethod
    def together(cls, blockades: Sequence["Blockade"]) -> "Blockade | None":
        """Return the only blockade, None of none. Raises `ShockError` for several: give one several pairs."""
        if len(blockades) > 1:
            raise ShockError("a scenario has one set of inventories: give one shock all the pairs of countries.")
        return blockades[0] if blockades else None


@dataclass(frozen=True)
class Disruption:
    """Output by day, and final demand that was not served, against the days before. Money, at yearly units.

    Attributes
    ----------
    lost : output lost over the horizon, shape (n,), negative.
    unserved : final demand that was not served over the horizon, shape (n,).
    path : output of all industries by day, relative to before, shape (horizon,).
    left : output by day relative to before on the last day, the lowest of all industries.
    """

    lost: Array
    unserved: Array
    path: Array
    left: float


def disrupted(A: Matrix, x: Array, Y: Array, blockade: Blockade, width: int) -> Disruption:
    """Return what a blockade costs, day by day, with inventories ω and orders O by product and industry.

        D = O 1 + y,   x° = min(α x̄, D),   x = x° min(1, min_p ω_p / (ψ s_p Aᵀ_p x̂)),   x̂ = min(x°, x̄),
        ω ← ω + O ∘ filled − Aᵀ x,   O_pj = Aᵀ_pj x_j + (s_p Aᵀ_pj x̂_j − ω_pj)⁺ / τ,

    orders being spread over origins as in the table. What is made goes to industries first, filled = min(1, x / O 1),
    and to final users from what is left; or to all in proportion, x / D. Blocked orders reach nobody; buyers live on
    their stocks, and what these lack is ordered from all origins. Without a blockade nothing changes; once stocks are
    what they were, the output lost is what the final demand that was not served would have taken, L Δf.

    Parameters
    ----------
    A : coefficients (n, n). x : output, shape (n,), a year. Y : final purchases (n, m), a year.
    width : products of a region.

    Source: Hallegatte (2008), Risk Analysis 28, 779–799; (2014), Risk Analysis 34, 152–167, without price or labour.
    """
    n = len(x)
    daily, y = x / DAYS_OF_A_YEAR, Y / DAYS_OF_A_YEAR
    recipe = inputs_by_product(A, width)
    target = blockade.stock[:, None] * recipe
    stock, orders = target * daily, recipe * daily
    stopped, final_stopped = csr_array(blockade.blocked[:, :n]), csr_array(blockade.blocked[:, n:])
    served_final = y.sum(axis=1) - np.asarray(final_stopped.multiply(y).sum(axis=1)).ravel()
    cells = stopped.tocoo()
    i, j = cells.coords
    share_stopped = cells.data * np.asarray(A[i, j]).ravel()
    lost, unserved, path = np.zeros(n), np.zeros(n), np.empty(blockade.horizon)
    x_day = daily
    for day in range(blockade.horizon):
        per_need = np.divide(orders, recipe, out=np.zeros_like(orders), where=recipe != 0)
        closed = day < blockade.days
        demand = sold_by_origin(A, width, per_need) + (served_final if closed else y.sum(axis=1))
        if closed:
            demand -= np.bincount(i, share_stopped * per_need[i % width, j], minlength=n)
        wanted = np.clip(demand, 0.0, blockade.overcapacity * np.maximum(daily, 0.0))
        usual = np.minimum(wanted, np.maximum(daily, 0.0))
        needed = blockade.sensitivity * target * usual
        supply = np.divide(stock, needed, out=np.ones_like(stock), where=needed > 0)
        x_day = wanted * np.minimum(1.0, supply.min(axis=0))
        asked = demand - (served_final if closed else y.sum(axis=1))
        first = asked if blockade.industries_first else demand
        filled = np.minimum(1.0, np.divide(x_day, first, out=np.ones(n), where=first > 0))
        received = inputs_by_product(A, width, filled)
        if closed:
            np.add.at(received, (i % width, j), -share_stopped * filled[i])
        stock = stock + received * per_need - recipe * x_day
        orders = recipe * x_day + np.maximum(target * usual - stock, 0.0) / blockade.restock
        lost += x_day - daily
        unserved += y.sum(axis=1) - (x_day - filled * asked)
        path[day] = x_day.sum() / daily.sum()
    active = daily > 0
    return Disruption(lost, unserved, path, float((x_day[active] / daily[active]).min()))
