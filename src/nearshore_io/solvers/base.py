"""The two protocols of the numeric core, and the certificate every solution carries.

The core knows arrays only. The system is (I − A) x = y, its transpose (I − A)ᵀ m = s.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas, lapack
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import SolverError, first_few

Array = npt.NDArray[np.float64]

Positions = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Matrix = Any
"""A square coefficient matrix: an ndarray, or a scipy ``csr_array``."""


def dense(matrix: Matrix) -> Array:
    """Return a matrix as a plain array; a dense one is itself."""
    return matrix if isinstance(matrix, np.ndarray) else np.asarray(matrix.toarray())


@runtime_checkable
class Factorisation(Protocol):
    """A factorised system (I − A), ready for any number of right-hand sides."""

    @property
    def n(self) -> int:
        """Order of the system."""
        ...

    def solve(self, y: Array) -> Array:
        """Return x with (I − A) x = y, for y of shape (n,) or (n, k)."""
        ...

    def solve_transposed(self, s: Array) -> Array:
        """Return m with (I − A)ᵀ m = s, for s of shape (n,) or (n, k)."""
        ...


@runtime_checkable
class Solver(Protocol):
    """A frozen dataclass of options that makes factorisations."""

    def factorise(self, A: Matrix) -> Factorisation:
        """Return the factorised system (I − A)."""
        ...


def with_block(solver: Solver, block: int) -> Solver:
    """Return the solver told how many industries a region has, where it has such an option and it is open."""
    options: Any = solver
    return replace(options, block=block) if getattr(solver, "block", block) is None else solver


@dataclass(frozen=True)
class Solution:
    """A solution with its certificate.

    Attributes
    ----------
    x : shape (n,) or (n, k).
    residual : ‖y + A x − x‖∞ / ‖y‖∞ in float64, one for each right-hand side, shape () or (k,).
    """

    x: Array
    residual: Array


PROBES = 4
"""Random combinations by which many columns are certified at once."""


class CertifiedFactorisation(ABC):
    """A factorisation that measures the residual of every solve, and raises above its tolerance.

    Attributes
    ----------
    n : order of the system.
    A : the matrix that was factorised; a kind without one of its own overrides `matrix` and `product`.
    tolerance : largest relative residual that is returned.
    choice : which method this is and why it was taken, for people.
    """

    n: int
    A: Matrix
    tolerance: float
    choice: str

    def solve(self, y: Array) -> Array:
        """Return x with (I − A) x = y. Raises `SolverError` above the tolerance."""
        return self.solution(y).x

    def solve_transposed(self, s: Array) -> Array:
        """Return m with (I − A)ᵀ m = s. Raises `SolverError` above the tolerance."""
        return self.solution(s, transposed=True).x

    def solution(self, y: Array, *, transposed: bool = False) -> Solution:
        """Return the solution together with its measured residuals.

        Raises
        ------
        SolverError
            If y has the wrong length or holds NaN or infinity, or if a residual exceeds the tolerance.
        """
        rhs = checked_rhs(y, self.n)
        x = self._solve(rhs, transposed=transposed)
        residual = relative_residual(rhs, x, self.product(x, transposed=transposed))
        worst = float(residual.max(initial=0.0))
        if not worst <= self.tolerance:
            return self._rescued(rhs, worst, transposed=transposed)
        return Solution(x=x, residual=residual)

    def inverse_columns(self, places: npt.NDArray[np.intp]) -> Array:
        """Return some columns of (I − A)⁻¹, shape (n, k), for what needs many of them.

        They are certified together: the residuals of `PROBES` random combinations of them, with weights of one and
        minus one, are measured in the place of all k, which would cost another product with A each. A column that is
        wrong by δ makes every combination wrong by δ; where one is above the tolerance, all are solved for and
        measured one by one.

        Raises
        ------
        SolverError
            As `solution`.
        """
        unit = np.zeros((self.n, len(places)), order="F")
        unit[places, np.arange(len(places))] = 1.0
        x = self._solve_in_place(unit)
        weights = np.random.default_rng(0).choice([-1.0, 1.0], (len(places), PROBES))
        sums = np.asarray(blas.dgemm(1.0, x, weights))
        asked = np.zeros_like(sums)
        np.add.at(asked, places, weights)
        residual = relative_residual(asked, sums, self.product(sums))
        if not float(residual.max(initial=0.0)) <= self.tolerance:
            unit = np.zeros_like(x)
            unit[places, np.arange(len(places))] = 1.0
            return self.solution(unit).x
        return x

    def _solve_in_place(self, y: Array) -> Array:
        """Return x for right-hand sides that nobody needs any more."""
        return self._solve(y, transposed=False)

    def _rescued(self, y: Array, reached: float, *, transposed: bool) -> Solution:
        """Return a solution by another way when the residual is above tolerance; without one, raise."""
        del y, transposed
        raise SolverError(
            f"the relative residual is {reached:.1e}, above the tolerance {self.tolerance:.0e} "
            f"({self.choice}): I − A is close to singular. Look at `table.check()` for columns that sum to one."
        )

    def matrix(self) -> Matrix:
        """Return the A that was factorised, for factors to be made anew from it."""
        return self.A

    def product(self, x: Array, *, transposed: bool = False) -> Array:
        """Return A x, or Aᵀ x."""
        return multiply(self.A, x, transposed=transposed)

    @abstractmethod
    def _solve(self, y: Array, *, transposed: bool) -> Array:
        """Return the uncertified solution."""


def checked_rhs(y: Array, n: int) -> Array:
    """Return y as float64, or raise `SolverError` when its shape or its cells are unusable."""
    if issparse(y) or np.asarray(y).dtype.kind not in "biuf":
        raise SolverError("a right-hand side must be a dense array of real numbers.")
    rhs = np.asarray(y, dtype=np.float64)
    if rhs.ndim not in (1, 2) or rhs.shape[0] != n:
        raise SolverError(f"a right-hand side of shape {rhs.shape} does not fit a system of {n} industries.")
    if not np.isfinite(rhs).all():
        rows = np.flatnonzero(~np.isfinite(rhs if rhs.ndim == 1 else rhs.sum(axis=1)))
        raise SolverError(f"the right-hand side holds NaN or infinity in rows {first_few(rows)}.", rows.tolist())
    return rhs


def checked_matrix(A: Matrix, dtype: npt.DTypeLike = np.float64) -> Matrix:
    """Return A in C order (or CSR) and in the precision asked for.

    Raises
    ------
    SolverError
        If A is not square, holds NaN or infinity, or overflows the precision.
    """
    matrix = square_matrix(A, dtype)
    if not np.isfinite(largest_column_sum(matrix)):
        sums = np.asarray(abs(matrix).sum(axis=1), dtype=np.float64).ravel()
        rows = np.flatnonzero(~np.isfinite(sums))
        overflow = np.isfinite(np.asarray(A.sum(axis=1))[rows]).all()
        what = f"overflows {np.dtype(dtype).name}" if overflow else "holds NaN or infinity"
        raise SolverError(f"A {what} in rows {first_few(rows)}.", rows.tolist())
    return matrix


def square_matrix(A: Matrix, dtype: npt.DTypeLike = np.float64) -> Matrix:
    """Return A in C order (or CSR) and in the precision asked for; raise `SolverError` when it is not square."""
    if (A if issparse(A) else np.asarray(A)).dtype.kind not in "biuf":
        raise SolverError("A must hold real numbers.")
    with np.errstate(over="ignore"):  # an overflow becomes infinity, which `checked_matrix` reports with its rows
        matrix = csr_array(A, dtype=dtype) if issparse(A) else np.ascontiguousarray(A, dtype=dtype)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise SolverError(f"A must be square, not {matrix.shape}.")
    return matrix


def largest_column_sum(A: Matrix) -> float:
    """Return max 1ᵀ|A|, NaN or infinity where a cell is, in one pass over A (LAPACK lange, 10 ms at n = 4,250)."""
    if issparse(A):
        return float(np.asarray(abs(A).sum(axis=0)).max(initial=0.0))
    lange = lapack.dlange if A.dtype == np.float64 else lapack.slange
    return float(lange("I", A.T))


def relative_residual(y: Array, x: Array, product: Array) -> Array:
    """Return ‖y + product − x‖∞ / ‖y‖∞ for each right-hand side.

    Where y is zero, or so small that double precision has lost its digits (1e-308), the plain norm of the error.
    """
    error = np.abs(y + product - x).max(axis=0, initial=0.0)
    size = np.abs(y).max(axis=0, initial=0.0)
    return np.asarray(
        np.divide(error, size, out=np.array(error, dtype=np.float64), where=size > np.finfo(np.float64).tiny)
    )


def multiply(A: Matrix, x: Array, *, transposed: bool = False) -> Array:
    """Return A x or Aᵀ x, in the precision of both.

    Dense products go through scipy's BLAS, so that they share one thread pool with LAPACK: alternating numpy's
    and scipy's pools was measured 1.5 to 3.7 times slower. Two or three columns go one by one: OpenBLAS multiplies a
    matrix by two columns in 16 ms where one takes 5 (n = 4,250).
    """
    if issparse(A):
        return np.asarray((A.T if transposed else A) @ x)
    if 0 in A.shape or 0 in x.shape:
        return np.zeros((A.shape[1 if transposed else 0], *x.shape[1:]))
    gemv, gemm = (blas.dgemv, blas.dgemm) if A.dtype == np.float64 else (blas.sgemv, blas.sgemm)
    side = 0 if transposed else 1
    if x.ndim == 1:
        return np.asarray(gemv(1.0, A.T, x, trans=side))
    if 1 <= x.shape[1] <= 3:
        columns = [gemv(1.0, A.T, x[:, j], trans=side) for j in range(x.shape[1])]
        return np.asarray(np.array(columns, order="C").T)
    return np.asarray(gemm(1.0, A.T, x, trans_a=side))
