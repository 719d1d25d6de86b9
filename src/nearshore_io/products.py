"""Inputs by product whatever their origin, from coefficients by origin: arrays only."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.solvers.base import Array, Matrix


def inputs_by_product(A: Matrix, width: int, weights: Array | None = None) -> Array:
    """Return Aᵀ_pj = Σ_k w_(k,p) a_(k,p),j, shape (width, columns), summing over the regions k a product comes from.

    Parameters
    ----------
    A : coefficients or purchases, rows region-major, shape (regions × width, columns); dense or sparse.
    width : products of a region.
    weights : w, one for each row; one where none are given.
    """
    n = A.shape[0]
    w = np.ones(n) if weights is None else weights
    if issparse(A):
        summing = csr_array((w, (np.arange(n) % width, np.arange(n))), shape=(width, n))
        return np.asarray((summing @ A).toarray())
    total = np.zeros((width, A.shape[1]))
    for start in range(0, n, width):
        total += A[start : start + width] * w[start : start + width, None]
    return total


def spread_over_origins(A: Matrix, width: int, factors: Array) -> Matrix:
    """Return a_(k,p),j φ_pj, every coefficient times the factor of its product and buyer, of A's own storage."""
    if issparse(A):
        A = csr_array(A)
        rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr)) % width
        return csr_array((A.data * factors[rows, A.indices], A.indices, A.indptr), shape=A.shape)
    return np.concatenate([A[start : start + width] * factors for start in range(0, A.shape[0], width)])


def sold_by_origin(A: Matrix, width: int, factors: Array) -> Array:
    """Return Σ_j a_(k,p),j φ_pj for every row, shape (n,): sales where buyers' needs of products are φ."""
    if issparse(A):
        return np.asarray(spread_over_origins(A, width, factors).sum(axis=1)).ravel()
    parts = [np.einsum("pj,pj->p", A[start : start + width], factors) for start in range(0, A.shape[0], width)]
    return np.concatenate(parts)


@dataclass(frozen=True)
class Sourcing:
    """Where one buyer's inputs come from: ``recipe`` Aᵀ, shape (width,), and ``shares`` θ by origin, shape (n,)."""

    recipe: Array
    shares: Array

    @classmethod
    def of(cls, column: Array, width: int) -> "Sourcing":
        """Return Aᵀ_p = Σ_k a_(k,p) and θ_(k,p) = a_(k,p)/Aᵀ_p of a column; θ is zero for products not bought."""
        recipe = inputs_by_product(column[:, None], width)[:, 0]
        bought = np.tile(recipe, len(column) // width)
        return cls(recipe, np.divide(column, bought, out=np.zeros_like(column), where=bought != 0))
