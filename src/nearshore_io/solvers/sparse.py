"""Sparse LU factorisation by SuperLU."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

from nearshore_io.errors import SolverError
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix
from nearshore_io.solvers.spectral import productive_matrix


@dataclass(frozen=True)
class SparseLU:
    """LU factorisation with fill-reducing column order (SuperLU).

    It pays for national tables side by side that do not trade (n = 4,250 in 85 blocks: 14 ms against 460 ms for
    dense LU). Trade fills the factors in: 20 % of n² with a cross-border cell in ten thousand, 95 % with one in 100.

    Parameters
    ----------
    tolerance : largest relative residual that is returned.
    """

    tolerance: float = 1e-9

    def factorise(self, A: Matrix) -> "SparseFactors":
        """Return the sparse LU factors of I − A.

        Raises
        ------
        SolverError
            If A is not square and finite, or I − A is singular.
        """
        matrix = productive_matrix(A)
        system = csc_array(eye_array(matrix.shape[0], format="csc") - csc_array(matrix))
        try:
            lu = splu(system)
        except RuntimeError as error:
            raise SolverError(f"I − A is singular ({error}).") from error
        return SparseFactors(n=matrix.shape[0], A=matrix, lu=lu, tolerance=self.tolerance)


@dataclass(frozen=True, eq=False)
class SparseFactors(CertifiedFactorisation):
    """SuperLU factors of I − A."""

    n: int
    A: Matrix
    lu: Any
    tolerance: float
    choice: str = "SparseLU"

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        return np.asarray(self.lu.solve(y, trans="T" if transposed else "N"))
