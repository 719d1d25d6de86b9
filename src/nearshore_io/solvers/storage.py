"""Smaller storage of A, as an explicit choice whose error is stated: never by default."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import SolverError
from nearshore_io.solvers.base import Array, Matrix, checked_matrix
from nearshore_io.solvers.spectral import column_sums


@dataclass(frozen=True)
class Stored:
    """A changed matrix and what the change costs.

    Attributes
    ----------
    A : the matrix as it is now.
    lost : 1ᵀ|A − Ã|, the coefficients lost (or rounded) in each column, shape (n,).
    share_of_cells : share of the non-zero cells that are gone.
    """

    A: Matrix
    lost: Array
    share_of_cells: float

    def bound(self, x: Array) -> float:
        """Return an upper bound on the error of any country's value added, in the unit of output x̃ = L̃ y.

        The dropped inputs E would have called forth output L E x̃, and each unit of demand ends as at most one unit
        of value added (vL ≤ 1): Σ_j (1ᵀE)_j x̃_j.
        """
        return float(self.lost @ np.abs(x))


def threshold(A: Matrix, eps: float) -> Stored:
    """Return A without the coefficients below eps, sparse, and what that loses.

    Dropping what lies under 1e-6 already moves a country's value added by up to 2 % on world tables.

    Raises
    ------
    SolverError
        If eps is not a positive number, or A is not finite and square.
    """
    if not (np.isfinite(eps) and eps > 0):
        raise SolverError(f"eps must be a positive number, not {eps!r}.")
    matrix = checked_matrix(A)
    kept = csr_array(matrix) if issparse(matrix) else csr_array(np.where(np.abs(matrix) >= eps, matrix, 0.0))
    if issparse(matrix):
        kept = csr_array(kept.multiply(abs(kept) >= eps))
    kept.eliminate_zeros()
    cells = matrix.nnz if issparse(matrix) else int(np.count_nonzero(matrix))
    lost = column_sums(abs(matrix)) - column_sums(abs(kept))
    return Stored(kept, np.maximum(lost, 0.0), 1.0 - kept.nnz / max(cells, 1))


def single(A: Matrix) -> Stored:
    """Return A rounded to float32 and back, with what the rounding moves.

    Raises
    ------
    SolverError
        If a coefficient overflows float32.
    """
    rounded = checked_matrix(A, np.float32)
    wide = rounded.astype(np.float64)
    return Stored(wide, column_sums(abs(checked_matrix(A) - wide)), 0.0)
