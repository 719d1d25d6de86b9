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
    """Output, and final demand that was not served, over the horizon, against the days before. Money.

    Attributes
    ----------
    lost : output lost over the horizon, shape (n,), negative.
    unserved : final demand that was not served over the horizon, shape (n,).
    stocks : change of stocks from the first day to the last, shape (width, n).
    path : output of all industries by day, relative to before, shape (horizon,).
    """

    lost: Array
    unserved: Array
    stocks: Array
    path: Array


def disrupted(A: Matrix, x: Array, Y: Array, blockade: Blockade, width: int) -> Disruption:
    """Return what a blockade costs, day by day, with inventories ω and orders O by product and industry.

        D = O 1 + y,   x° = min(α x̄, (D − drawn)⁺),   x = x° min(1, min_p ω_p / (ψ s_p Aᵀ_p x̂)),   x̂ = min(x°, x̄),
        ω ← ω + O ∘ filled − Aᵀ x,   O_pj = Aᵀ_pj x_j + (s_p Aᵀ_pj x̂_j − ω_pj)⁺ / τ,

    orders being spread over origins as in the table. What is made goes to industries first, filled = min(1, x / O 1),
    and to final users from what is left; or to all in proportion, x / D. Blocked orders reach nobody; buyers live on
    their stocks, and what these lack is ordered from all origins. Inventories that final demand draws down (cells below
    zero) supply as before. Without a blockade nothing changes. Of every product, output lost is inputs not used, plus
    final demand not served, less what stocks have gained.

    Parameters
    ----------
    A : coefficients (n, n). x : output, shape (n,), a year. Y : final purchases (n, m), a year.
    width : products of a region.

    Source: Hallegatte (2008), Risk Analysis 28, 779–799; (2014), Risk Analysis 34, 152–167, without price or labour.
    """
    n, daily = len(x), x / DAYS_OF_A_YEAR
    recipe = inputs_by_product(A, width)
    target = blockade.stock[:, None] * recipe
    stock, orders = target * daily, recipe * daily
    bought, drawn = np.maximum(Y, 0.0) / DAYS_OF_A_YEAR, -np.minimum(Y, 0.0).sum(axis=1) / DAYS_OF_A_YEAR
    wish = bought.sum(axis=1)
    final_stopped = csr_array(blockade.blocked[:, n:]).multiply(bought).sum(axis=1)
    cells = csr_array(blockade.blocked[:, :n]).tocoo()
    i, j = cells.coords
    stopped = cells.data * np.asarray(A[i, j]).ravel()
    lost, unserved, path = np.zeros(n), np.zeros(n), np.empty(blockade.horizon)
    most = blockade.overcapacity * np.maximum(daily, 0.0)
    made = daily
    for day in range(blockade.horizon):
        closed = day < blockade.days
        needs = np.divide(orders, recipe, out=np.zeros_like(orders), where=recipe != 0)
        asked, eaten = sold_by_origin(A, width, needs), wish
        if closed:
            asked = asked - np.bincount(i, stopped * needs[i % width, j], minlength=n)
            eaten = wish - np.asarray(final_stopped).ravel()
        wanted = np.clip(asked + eaten - drawn, 0.0, most)
        usual = np.minimum(wanted, np.maximum(daily, 0.0))
        short = blockade.sensitivity * target * usual
        made = wanted * np.divide(stock, short, out=np.ones_like(stock), where=short > 0).min(axis=0).clip(max=1.0)
        there = made + drawn
        first = asked if blockade.industries_first else asked + eaten
        filled = np.divide(there, first, out=np.ones(n), where=first > 0).clip(max=1.0)
        received = inputs_by_product(A, width, filled)
        if closed:
            np.add.at(received, (i % width, j), -stopped * filled[i])
        stock = stock + received * needs - recipe * made
        orders = recipe * made + np.maximum(target * usual - stock, 0.0) / blockade.restock
        lost += made - daily
        unserved += wish - (there - filled * asked)
        path[day] = made.sum() / daily.sum()
    return Disruption(lost, unserved, stock - target * daily, path)
