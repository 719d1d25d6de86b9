"""The cost-push price model, with sourcing that answers to prices: arrays only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import ShockError, SolverError
from nearshore_io.products import inputs_by_product, spread_over_origins
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix

ROUNDS = 50
"""Steps after which a fixed point of prices is taken not to exist."""
CLOSE = 1e-12
"""Largest change of a price in the last step, relative to base prices of one."""


@dataclass(frozen=True)
class Wedge:
    """Rates on sales between what buyers pay and sellers get, each sparse (n, n + m): to industries, to final uses.

    Attributes
    ----------
    paid : T, by which the buyer's price lies above the seller's; negative where a cost falls away.
    borne : what the seller gives up out of its value added instead of charging it.
    collected : what governments receive. Zero where a cost uses up goods rather than being paid to somebody.
    elasticity : σ between origins of the same product; zero is the Leontief limit, where sourcing does not answer.
    recycled : final-demand category that the buyer's country spends the revenue on, as it spends already.
    """

    paid: csr_array
    borne: csr_array
    collected: csr_array
    elasticity: float
    recycled: str | None

    @classmethod
    def together(cls, wedges: Sequence["Wedge"]) -> "Wedge | None":
        """Return the sum of wedges, None of none.

        Raises
        ------
        ShockError
            If they have different elasticities, or recycle their revenue differently.
        """
        if not wedges:
            return None
        first = wedges[0]
        for other in wedges[1:]:
            if (other.elasticity, other.recycled) != (first.elasticity, first.recycled):
                raise ShockError(
                    "tariffs and trade costs of one scenario need the same elasticity and the same use of the revenue, "
                    f"not {first.elasticity:g}, {first.recycled!r} and {other.elasticity:g}, {other.recycled!r}."
                )
        summed: dict[str, Any] = {}
        for name in ("paid", "borne", "collected"):
            summed[name] = csr_array(sum((getattr(w, name) for w in wedges[1:]), start=getattr(first, name)))
        if (summed["paid"].data <= -1.0).any():
            raise ShockError("tariffs and trade costs of this scenario add up to -100 % or less on some sales.")
        return cls(**summed, elasticity=first.elasticity, recycled=first.recycled)

    def scaled(self, share: float) -> "Wedge":
        """Return a share of the rates."""
        return replace(self, paid=self.paid * share, borne=self.borne * share, collected=self.collected * share)


@dataclass(frozen=True)
class Prices:
    """Prices relative to base prices of one, and purchases that answer to them.

    Attributes
    ----------
    p : sellers' prices, shape (n,).
    paid_final : what final users pay for a unit of their purchases of each product, relative to before, (width, m).
    A : real coefficients at base prices, of the storage of the A that was given.
    Y : real final purchases, (n, m).
    iterations : steps to the fixed point.
    """

    p: Array
    paid_final: Array
    A: Matrix
    Y: Array
    iterations: int


def equilibrium(
    factors: CertifiedFactorisation, A: Matrix, Y: Array, primary: Array, wedge: Wedge, width: int
) -> Prices:
    """Return the prices at which every industry covers its cost, and the sourcing that goes with them.

        p̂_ij = p_i (1 + T_ij),   θ_ij = a_ij / Aᵀ_pj,   P_pj = (Σ_k θ_kj p̂_kj^(1−σ))^(1/(1−σ)),
        p_j = Σ_p Aᵀ_pj P_pj + primary_j,   a'_ij = Aᵀ_pj θ_ij (P_pj / p̂_ij)^σ,

    and the same shares for final purchases, each product's real composite being kept. σ = 0 is the Leontief price
    model p = p (A ∘ (1 + T)) + primary. Since ∂(cost of j)/∂p_i is a'_ij (1 + T_ij), steps of Newton with the factors
    of A reach the fixed point in a few rounds.

    Parameters
    ----------
    factors : of I − A.
    A, Y : coefficients (n, n) and final purchases (n, m) before the wedge; negative purchases keep their origin.
    primary : value added and taxes per unit of output, shape (n,), charges included.
    width : products of a region.

    Raises
    ------
    SolverError
        If there is no fixed point within `ROUNDS` steps, or a price would be negative.

    Source: Miller & Blair (2009), section 2.6.3, for the price model; Armington (1969) for the shares.
    """
    n = A.shape[0]
    T = csr_array(wedge.paid[:, :n])
    recipe = inputs_by_product(A, width)
    p, step, rounds = np.ones(n), np.inf, 0
    while step > CLOSE:
        if rounds == ROUNDS:
            raise _no_fixed_point(p, step)
        composite = _composite(A, recipe, T, p, wedge.elasticity, width)
        excess = (recipe * composite).sum(axis=0) + primary - p
        move = factors.solve_transposed(excess)
        p, step, rounds = p + move, float(np.abs(move).max(initial=0.0)), rounds + 1
        if not (p > 0).all() or not np.isfinite(p).all():
            raise _no_fixed_point(p, step)
    composite = _composite(A, recipe, T, p, wedge.elasticity, width)
    final, paid = resourced_final(Y, p, wedge, width)
    return Prices(
        p=p,
        paid_final=paid,
        A=_resourced(A, T, p, composite, wedge.elasticity, width),
        Y=final,
        iterations=rounds,
    )


def resourced_final(Y: Array, p: Array, wedge: Wedge, width: int) -> tuple[Array, Array]:
    """Return final purchases as prices move them, (n, m), and what is paid for each product, (width, m)."""
    bought = np.maximum(Y, 0.0)
    T = csr_array(wedge.paid[:, len(p) :])
    paid = _composite(bought, inputs_by_product(bought, width), T, p, wedge.elasticity, width)
    return np.minimum(Y, 0.0) + _resourced(bought, T, p, paid, wedge.elasticity, width), paid


def _composite(A: Matrix, recipe: Array, T: csr_array, p: Array, elasticity: float, width: int) -> Array:
    """Return P_pj, the price of product p to buyer j, shape (width, columns); one where nothing is bought."""
    power = 1.0 - elasticity
    total = inputs_by_product(A, width, p**power)
    rows, columns, rates = _cells(T)
    at = np.asarray(A[rows, columns]).ravel() * p[rows] ** power * ((1.0 + rates) ** power - 1.0)
    np.add.at(total, (rows % width, columns), at)
    mean = np.divide(total, recipe, out=np.ones_like(total), where=recipe != 0)
    return np.asarray(mean ** (1.0 / power))


def _resourced(A: Matrix, T: csr_array, p: Array, composite: Array, elasticity: float, width: int) -> Matrix:
    """Return a'_ij = a_ij (P_pj / p̂_ij)^σ, of A's own storage."""
    if elasticity == 0.0:
        return A
    by_product = spread_over_origins(A, width, composite**elasticity)
    scale = p**-elasticity
    rows, columns, rates = _cells(T)
    dearer = (1.0 + rates) ** -elasticity
    if issparse(by_product):
        found = csr_array(csr_array((scale, (np.arange(len(p)), np.arange(len(p))))) @ by_product)
        there = np.asarray(found[rows, columns]).ravel()
        return csr_array(found + csr_array((there * (dearer - 1.0), (rows, columns)), shape=found.shape))
    found = np.asarray(by_product * scale[:, None])
    found[rows, columns] *= dearer
    return found


def _cells(T: csr_array) -> tuple[Any, Any, Array]:
    cells = T.tocoo()
    return cells.coords[0], cells.coords[1], cells.data


def _no_fixed_point(p: Array, step: float) -> SolverError:
    worst = np.argsort(-np.abs(p - 1.0))[:3]
    return SolverError(
        f"no prices at which every industry covers its cost were found in {ROUNDS} steps (the last moved a price by "
        f"{step:.1e}): the wedge feeds back into costs faster than they are passed on. Take a smaller rate, or an "
        "elasticity that lets buyers turn away.",
        worst.tolist(),
    )
