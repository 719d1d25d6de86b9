"""Dense LU factorisation by LAPACK, in double precision or in single precision with refinement."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import issparse

from nearshore_io.errors import SolverError
from nearshore_io.solvers import memory
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix, largest_column_sum
from nearshore_io.solvers.spectral import productive_matrix

SINGLE_UP_TO = 1e5
"""Condition number up to which factors in single precision, of 7 digits, can tell it."""


@dataclass(frozen=True)
class DenseLU:
    """LU factorisation with partial pivoting (LAPACK getrf), in place on one array of its own.

    Parameters
    ----------
    tolerance : largest relative residual that is returned.
    """

    tolerance: float = 1e-9

    def factorise(self, A: Matrix) -> "DenseFactors":
        """Return the LU factors of I − A.

        Raises
        ------
        SolverError
            If A is not square and finite, ρ(A) ≥ 1, I − A is singular, or the factors do not fit in memory.
        """
        matrix = productive_matrix(A)
        memory.require(8.0 * matrix.shape[0] ** 2, "DenseLU")
        lu, pivots = _factors(matrix, np.float64)
        return DenseFactors(n=matrix.shape[0], A=matrix, lu=lu, pivots=pivots, tolerance=self.tolerance)


@dataclass(frozen=True)
class MixedLU:
    """LU factors in single precision, refined to double: half the memory, and half the factorisation.

    Each refinement solves for the residual measured in double precision,

        x ← x + (I − A)⁻¹₃₂ (y + A x − x),

    until it stops shrinking or falls below ``rtol``.
    Source: Langou et al. (2006), "Exploiting the performance of 32 bit floating point arithmetic".

    Parameters
    ----------
    rtol : relative residual at which refinement stops.
    maxiter : refinements at most.
    tolerance : largest relative residual that is returned.
    """

    rtol: float = 1e-14
    maxiter: int = 10
    tolerance: float = 1e-9

    def factorise(self, A: Matrix) -> "MixedFactors":
        """Return the single-precision LU factors of I − A.

        Raises
        ------
        SolverError
            As `DenseLU`; also if a coefficient overflows single precision.
        """
        matrix = productive_matrix(A)
        memory.require(4.0 * matrix.shape[0] ** 2, "MixedLU")
        if largest_column_sum(matrix) > float(np.finfo(np.float32).max):
            raise SolverError("a coefficient overflows float32: use DenseLU.")
        lu, pivots = _factors(matrix, np.float32)
        return MixedFactors(matrix.shape[0], matrix, lu, pivots, self.rtol, self.maxiter, self.tolerance)


@dataclass(frozen=True, eq=False)
class DenseFactors(CertifiedFactorisation):
    """LU factors of (I − A)ᵀ: forward systems are LAPACK's transposed ones and the other way round."""

    n: int
    A: Matrix
    lu: Array
    pivots: npt.NDArray[np.int32]
    tolerance: float
    choice: str = "DenseLU"

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        # A copy of the pivots for each call: getrs shifts them in place, and shared ones corrupted threaded solves.
        x, _ = lapack.dgetrs(self.lu, self.pivots.copy(), y, trans=0 if transposed else 1)
        return np.asarray(x)

    def _solve_in_place(self, y: Array) -> Array:
        x, _ = lapack.dgetrs(self.lu, self.pivots.copy(), y, trans=1, overwrite_b=1)
        return np.asarray(x)


@dataclass(frozen=True, eq=False)
class MixedFactors(CertifiedFactorisation):
    """Single-precision LU factors of (I − A)ᵀ, refined against A in double precision."""

    n: int
    A: Matrix
    lu: Array
    pivots: npt.NDArray[np.int32]
    rtol: float
    maxiter: int
    tolerance: float
    choice: str = "MixedLU"

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        x = self._single(y, transposed)
        error = y + self.product(x, transposed=transposed) - x
        size = max(float(np.abs(y).max(initial=0.0)), np.finfo(np.float64).tiny)
        for _ in range(self.maxiter):
            before = float(np.abs(error).max(initial=0.0))
            if before <= self.rtol * size:
                break
            better = x + self._single(error, transposed)
            remaining = y + self.product(better, transposed=transposed) - better
            if not float(np.abs(remaining).max()) < before:
                break
            x, error = better, remaining
        return x

    def _single(self, y: Array, transposed: bool) -> Array:
        """Solve in single precision, each column scaled to one so that small residuals do not underflow."""
        scale = np.abs(y).max(axis=0, initial=0.0)
        scale = np.where(scale > 0, scale, 1.0)
        x, _ = lapack.sgetrs(self.lu, self.pivots.copy(), (y / scale).astype(np.float32), trans=0 if transposed else 1)
        return np.asarray(x.astype(np.float64) * scale)


def condition(A: Matrix) -> float:
    """Return an estimate of the condition number of I − A in the ∞-norm (LAPACK gecon, on LU factors).

    It says how many digits a solve loses: log₁₀ of it. Factors in single precision, at half the time, are enough for
    that where it is below `SINGLE_UP_TO`.

    Raises
    ------
    SolverError
        As `DenseLU`.

    Source: Higham (1988), ACM TOMS 14, 381–396.
    """
    matrix = productive_matrix(A)
    diagonal = matrix.diagonal()
    largest = float((_row_sums(matrix) - np.abs(diagonal) + np.abs(1.0 - diagonal)).max())
    rcond, _ = lapack.sgecon(_factors(matrix, np.float32)[0], largest, norm="1")
    if rcond * SINGLE_UP_TO < 1.0:
        rcond, _ = lapack.dgecon(_factors(matrix, np.float64)[0], largest, norm="1")
    return float(np.inf if rcond == 0 else 1.0 / rcond)


def _row_sums(matrix: Matrix) -> Array:
    """Return Σⱼ |aᵢⱼ|, by blocks that stay in the cache."""
    blocks = [abs(matrix[start : start + 128]).sum(axis=1) for start in range(0, matrix.shape[0], 128)]
    return np.concatenate([np.asarray(block).ravel() for block in blocks])


def leontief_inverse(A: Matrix) -> Array:
    """Return L = (I − A)⁻¹ in full, for teaching and small tables; the package itself never needs it.

    Raises
    ------
    SolverError
        As `DenseLU`.

    Source: Leontief (1936); Miller & Blair (2009), eq. 2.11.
    """
    factors = DenseLU().factorise(A)
    return factors.solve(np.eye(factors.n))


def _factors(matrix: Matrix, dtype: npt.DTypeLike) -> tuple[Array, npt.NDArray[np.int32]]:
    """Return LAPACK's factors of (I − A)ᵀ and the pivots, in place on one new array."""
    if issparse(matrix):
        system = matrix.toarray(order="C").astype(dtype, copy=False)
        np.negative(system, out=system)
    else:
        system = np.negative(matrix, dtype=dtype, casting="same_kind", order="C")
    system.flat[:: matrix.shape[0] + 1] += 1.0
    getrf = lapack.dgetrf if dtype is np.float64 else lapack.sgetrf
    # The C-ordered array seen as its transpose is LAPACK's own layout, so nothing is copied.
    lu, pivots, info = getrf(system.T, overwrite_a=1)
    if info > 0:
        raise SolverError(
            f"I − A is singular: the pivot of industry {info - 1} is exactly zero. "
            "An industry that buys as much as it sells has no finite multiplier.",
            [info - 1],
        )
    return lu, pivots
