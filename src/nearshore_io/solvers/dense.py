"""Dense LU factorisation by LAPACK."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import issparse

from nearshore_io.errors import SolverError
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix, checked_matrix, multiply


@dataclass(frozen=True)
class DenseLU:
    """LU factorisation with partial pivoting (LAPACK getrf), in place on one array of its own.

    Parameters
    ----------
    rtol : largest relative residual that is returned.
    """

    rtol: float = 1e-9

    def factorise(self, A: Matrix) -> "DenseFactors":
        """Return the LU factors of I − A.

        Raises
        ------
        SolverError
            If A is not square and finite, or I − A is singular.
        """
        matrix = checked_matrix(A)
        system = -matrix.toarray() if issparse(matrix) else -matrix
        system.flat[:: matrix.shape[0] + 1] += 1.0
        # The C-ordered array seen as its transpose is LAPACK's own layout: these are the factors of (I − A)ᵀ.
        lu, pivots, info = lapack.dgetrf(system.T, overwrite_a=1)
        if info > 0:
            raise SolverError(
                f"I − A is singular: the pivot of industry {info - 1} is exactly zero. "
                "An industry that buys as much as it sells has no finite multiplier.",
                [info - 1],
            )
        return DenseFactors(n=matrix.shape[0], A=matrix, lu=lu, pivots=pivots, rtol=self.rtol)


@dataclass(frozen=True, eq=False)
class DenseFactors(CertifiedFactorisation):
    """LU factors of (I − A)ᵀ: forward systems are LAPACK's transposed ones and the other way round."""

    n: int
    A: Matrix
    lu: Array
    pivots: npt.NDArray[np.int32]
    rtol: float
    choice: str = "DenseLU"

    def product(self, x: Array, *, transposed: bool = False) -> Array:
        """Return A x, or Aᵀ x."""
        return multiply(self.A, x, transposed=transposed)

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        # A copy of the pivots for each call: getrs shifts them in place, and shared ones corrupted threaded solves.
        x, _ = lapack.dgetrs(self.lu, self.pivots.copy(), y, trans=0 if transposed else 1)
        return np.asarray(x)
