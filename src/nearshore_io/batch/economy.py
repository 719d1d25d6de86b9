"""The table after a change of coefficients, final demand and prices, with its factors."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import ShockError, SolverError
from nearshore_io.leontief import Leontief
from nearshore_io.prices import ROUNDS, Prices, Wedge, equilibrium, resourced_final
from nearshore_io.scenarios import Change, Fact
from nearshore_io.solvers import CertifiedFactorisation, Updated, with_block
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table import IOTable

NOTICED = 1e-4
"""Change of consumer prices that is worth a line of its own; in the two countries this is about, any is."""
ALWAYS = ("USA", "MEX")
SETTLED = 1e-10
"""Change of recycled revenue, relative to it, at which its spending is taken to have settled."""


@dataclass(frozen=True)
class Economy:
    """A table of n industries and m final uses after a change.

    Attributes
    ----------
    Y : final demand, shape (n, m).
    factors : of I − A', the columns of new activities solved out.
    direct : what the shock itself asks of the table's industries, shape (n,).
    asked : the same with what new activities buy: Δx = L' asked, shape (n,).
    price : change of sellers' prices, shape (n,); None where they stay.
    given_up : value added that sellers give up at their output, shape (n,); None where there is no such thing.
    resourced : A' as prices have changed it; None where it is A + P Q.
    baskets : existing purchases as prices have changed them, shape (n, m), for households to spend as; None elsewhere.
    steps : to the equilibrium of prices, where there is one.
    facts : numbers beside the results.
    """

    Y: Array
    factors: CertifiedFactorisation
    direct: Array
    asked: Array
    price: Array | None = None
    given_up: Array | None = None
    resourced: Matrix | None = None
    baskets: Array | None = None
    steps: int = 0
    facts: Mapping[str, Fact] = field(default_factory=dict)


def output_of(table: IOTable) -> Array:
    """Return x as a plain vector, shape (n,)."""
    return np.asarray(table.x.values.ravel())


def direct_effect(model: Leontief, change: Change) -> Array:
    """Return δ = P Q x + ΔY·1, shape (n,); raise `ShockError` where an industry without output is to produce."""
    demand = np.asarray(change.demand.sum(axis=1)).ravel()
    direct = demand + np.asarray(change.P @ (change.Q @ output_of(model.table))).ravel()
    model.require_active(np.flatnonzero((direct != 0) | (change.output != 0)), "a shock")
    return np.asarray(direct)


def coefficients_after(table: IOTable, change: Change) -> Matrix:
    """Return A' = A + P Q, with the columns of activities solved out, of A's own storage."""
    P, Q = change.low_rank
    if not P.shape[1]:
        return table.A
    if issparse(table.A):
        return csr_array(table.A + P @ Q)
    return np.asarray(table.A + (P @ Q).toarray())


def economy_after(model: Leontief, change: Change) -> Economy:
    """Return the economy after a change: low-rank factors, and the equilibrium of prices where there is a wedge.

    Costs that are passed on raise prices by Δp = charge L'.
    """
    table = model.table
    P, Q = change.low_rank
    factors: CertifiedFactorisation = Updated(model.factors, P, Q) if P.shape[1] else model.factors
    direct = direct_effect(model, change)
    asked = direct
    for activity in change.activities:
        asked = asked + activity.recipe * activity.output(output_of(table))
    Y = table.y + change.demand.toarray() if change.demand.nnz else table.y
    changed = Economy(Y=Y, factors=factors, direct=direct, asked=asked)
    if change.wedge is not None:
        return _with_wedge(model, change, changed, change.wedge)
    if not change.charge.any():
        return changed
    price = factors.solve_transposed(change.charge)
    return replace(changed, price=price, facts=_consumer_prices(table, price))


def _with_wedge(model: Leontief, change: Change, economy: Economy, wedge: Wedge) -> Economy:
    """Return the economy at the equilibrium of prices, with who pays what, at the open model's outputs."""
    if model.held.size or change.activities:
        raise ShockError("prices are not defined with given outputs or new plants: run them as scenarios apart.")
    table, x = model.table, output_of(model.table)
    A = coefficients_after(table, change)
    primary = 1.0 - np.asarray(A.sum(axis=0)).ravel() + change.charge
    found = equilibrium(economy.factors, A, economy.Y, primary, wedge, len(table.sectors))
    factors = economy.factors
    if wedge.elasticity != 0.0:
        factors = cast(CertifiedFactorisation, with_block(model.solver, len(table.sectors)).factorise(found.A))
    Y = _recycled(table, found, wedge, factors)
    asked = np.asarray(found.A @ x + Y.sum(axis=1) - x)
    after = x + factors.solve(asked)
    facts = _consumer_prices(table, found.p - 1.0, found.paid_final)
    if wedge.collected.nnz:
        revenue = _paid(found, Y, wedge.collected, after).sum()
        facts["revenue of the duty"] = Fact(float(revenue), table.unit)
    given_up = -np.asarray(_paid(found, Y, wedge.borne, after).sum(axis=1)).ravel() if wedge.borne.nnz else None
    existing = table.y + change.moved.toarray() if change.moved.nnz else table.y
    return Economy(
        Y=Y,
        factors=factors,
        direct=asked,
        asked=asked,
        price=found.p - 1.0,
        given_up=given_up,
        resourced=found.A,
        baskets=resourced_final(existing, found.p, wedge, len(table.sectors))[0] if model.spends else None,
        steps=found.iterations,
        facts=facts,
    )


def _recycled(table: IOTable, found: Prices, wedge: Wedge, factors: CertifiedFactorisation) -> Array:
    """Return final demand with the revenue spent, to the fixed point: spending makes imports, which pay duty."""
    if wedge.recycled is None:
        return found.Y
    Y, before = found.Y, 0.0
    for _ in range(ROUNDS):
        x = factors.solve(Y.sum(axis=1))
        collected = np.asarray(_paid(found, Y, wedge.collected, x).sum(axis=0)).ravel()
        if abs(collected.sum() - before) <= SETTLED * abs(collected.sum()):
            return Y
        Y, before = found.Y + _spent(table, collected, wedge.recycled), float(collected.sum())
    raise SolverError("the revenue of the duty feeds on its own spending and does not settle: do not recycle it.")


def of_sales(rates: csr_array, A: Matrix, Y: Array, x: Array) -> csr_array:
    """Return rate × sale of every cell with a rate, sparse (n, n + m): a_ij x_j to industries, y_iu to final uses."""
    n = len(x)
    cells = rates.tocoo()
    i, j = cells.coords
    inner = j < n
    amounts = np.empty(len(i))
    amounts[inner] = np.asarray(A[i[inner], j[inner]]).ravel() * x[j[inner]]
    amounts[~inner] = Y[i[~inner], j[~inner] - n]
    return csr_array((cells.data * amounts, (i, j)), shape=rates.shape)


def _paid(found: Prices, Y: Array, rates: csr_array, x: Array) -> csr_array:
    """Return rate × price × quantity of every cell that has a rate, sparse (n, n + m)."""
    return csr_array(of_sales(rates, found.A, Y, x).multiply(found.p[:, None]))


def _spent(table: IOTable, collected: Array, category: str) -> Array:
    """Return how countries spend what they collected from their own buyers, shape (n, m)."""
    k, width = len(table.categories), len(table.sectors)
    revenue = dict.fromkeys(table.final_regions, 0.0)
    for j in np.flatnonzero(collected).tolist():
        inner = j < table.n
        owner = table.country[table.regions[j // width]] if inner else table.final_regions[(j - table.n) // k]
        revenue[owner] += float(collected[j])
    extra = np.zeros(table.y.shape)
    for place, amount in enumerate(revenue.values()):
        use = place * k + table.categories.index(category)
        basket = np.maximum(table.y[:, use], 0.0)
        if amount and not basket.sum() > 0:
            raise ShockError(
                f"{table.final_regions[place]} buys nothing as {category}, so it cannot spend the revenue so."
            )
        if amount:
            extra[:, use] = amount * basket / basket.sum()
    return extra


def _consumer_prices(table: IOTable, price: Array, paid: Array | None = None) -> dict[str, Fact]:
    """Return Δp · HFCE_c / 1ᵀHFCE_c by country where it is more than `NOTICED`, and what households pay more.

    Parameters
    ----------
    price : change of sellers' prices, shape (n,).
    paid : what final users pay for each product relative to before, (width, m), where it differs from sellers' prices.
    """
    if "HFCE" not in table.categories:
        return {}
    k, width = len(table.categories), len(table.sectors)
    found = {}
    for place, name in enumerate(table.final_regions):
        use = place * k + table.categories.index("HFCE")
        basket = np.maximum(table.y[:, use], 0.0)
        if not basket.sum() > 0:
            continue
        by_product = basket.reshape(-1, width).sum(axis=0)
        change = price @ basket if paid is None else (paid[:, use] - 1.0) @ by_product
        if abs(change) > (1e-9 if name in ALWAYS else NOTICED) * basket.sum():
            found[f"consumer prices, {name}"] = Fact(100.0 * float(change / basket.sum()), "per cent")
            found[f"households of {name} pay more"] = Fact(float(change), table.unit)
    return found
