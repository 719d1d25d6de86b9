"""Iterative solution without factors: GMRES and BiCGSTAB, right-preconditioned by the regions' own blocks.

The system (I − A) x = y is solved as (I − A) M⁻¹ u = y, x = M⁻¹ u, with M the block diagonal of I − A: a region buys
most of its inputs from itself, so M⁻¹ leaves little to iterate on (12 to 15 products with A to 1e-13 on world tables).
All right-hand sides advance in lockstep, so that a product with A serves them all, each with coefficients of its own.
Sources: Saad & Schultz (1986); van der Vorst (1992); Saad (2003), algorithms 9.5 and 7.7.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import issparse

from nearshore_io.errors import SolverError
from nearshore_io.solvers import memory
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix, Solution, checked_matrix, multiply
from nearshore_io.solvers.dense import DenseFactors, DenseLU
from nearshore_io.solvers.spectral import productive_matrix

Operator = Callable[[Array], Array]
BREAKDOWN = 1e-30


@dataclass(frozen=True)
class Krylov:
    """Iterative solver: a few products with A for each right-hand side, and no memory beyond a few vectors.

    Parameters
    ----------
    method : "gmres" (never stalls before n steps, keeps its basis) or "bicgstab" (two products a step, four vectors).
    block : industries of a region, the size of the diagonal blocks; None preconditions by the diagonal alone.
        `Leontief` fills it in.
    rtol : relative residual in the 2-norm at which a right-hand side is done.
    maxiter : products with A at most, for each group of right-hand sides.
    group : right-hand sides that advance together.
    single : iterate in float32 on a copy of A, corrected in float64 until ``rtol`` is reached.
    fallback : when it stalls, factorise with `DenseLU` if memory allows (``choice`` says so); otherwise raise.
    tolerance : largest relative residual that is returned.
    """

    method: Literal["gmres", "bicgstab"] = "gmres"
    block: int | None = None
    rtol: float = 1e-13
    maxiter: int = 120
    group: int = 128
    single: bool = False
    fallback: bool = True
    tolerance: float = 1e-9

    def __post_init__(self) -> None:
        whole = {"block": self.block or 1, "maxiter": self.maxiter, "group": self.group}
        wrong = [name for name, value in whole.items() if not isinstance(value, int) or value < 1]
        if wrong:
            raise SolverError(f"Krylov: {', '.join(wrong)} must be a whole number of at least 1.")
        if not 0 < self.rtol < 1:
            raise SolverError(f"Krylov: rtol must lie between 0 and 1, not {self.rtol!r}.")

    def factorise(self, A: Matrix) -> "KrylovFactors":
        """Return the system ready to iterate: the inverted diagonal blocks, shape (n / block, block, block).

        Raises
        ------
        SolverError
            If A is not square and finite, the block does not divide it, a block is singular, or ρ(A) ≥ 1: a Krylov
            method converges there without complaint, to numbers that mean nothing.
        """
        matrix = productive_matrix(A)
        if self.method not in _METHODS:
            raise SolverError(f"no Krylov method {self.method!r}: use 'gmres' or 'bicgstab'.")
        dtype = np.float32 if self.single else np.float64
        inverse: Array = np.asarray(_inverse_blocks(matrix, self.block or 1), dtype=dtype)
        working = checked_matrix(matrix, dtype) if self.single else matrix
        return KrylovFactors(
            n=matrix.shape[0], A=matrix, working=working, inverse=inverse, options=self, tolerance=self.tolerance
        )


@dataclass(frozen=True, eq=False)
class KrylovFactors(CertifiedFactorisation):
    """A system ready to iterate; "factors" by courtesy."""

    n: int
    A: Matrix
    working: Matrix
    inverse: Array
    options: Krylov
    tolerance: float

    @cached_property
    def choice(self) -> str:  # type: ignore[override]
        """Which method this is; says so when it fell back to LU."""
        precision = " in float32 with correction" if self.options.single else ""
        fallen = "; stalled, fell back to DenseLU" if "lu" in vars(self) else ""
        return f"Krylov({self.options.method}{precision}, blocks of {self.inverse.shape[1]}){fallen}"

    @cached_property
    def lu(self) -> DenseFactors:
        """Factors made when the iteration stalled."""
        vars(self).pop("choice", None)
        return DenseLU(tolerance=self.tolerance).factorise(self.A)

    def solution(self, y: Array, *, transposed: bool = False) -> Solution:
        """Return the solution with its residuals; from the factors, once an iteration has stalled."""
        if "lu" in vars(self):
            return self.lu.solution(y, transposed=transposed)
        return super().solution(y, transposed=transposed)

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        columns = y.reshape(self.n, -1)
        x = np.zeros(columns.shape, order="F")
        for start in range(0, columns.shape[1], self.options.group):
            part = slice(start, start + self.options.group)
            x[:, part] = self._group(np.asfortranarray(columns[:, part]), transposed)
        return x.reshape(y.shape)

    def _group(self, y: Array, transposed: bool) -> Array:
        """Iterate until the residual, measured in float64, is below ``rtol`` or stops shrinking by half."""
        inverse = self.inverse.transpose(0, 2, 1) if transposed else self.inverse
        iterate = _METHODS[self.options.method]

        def precondition(u: Array) -> Array:
            return _apply_blocks(inverse, u)

        def operate(u: Array) -> Array:
            w = precondition(u)
            return w - multiply(self.working, w, transposed=transposed)

        size = np.linalg.norm(y, axis=0)
        size = np.where(size > 0, size, 1.0)
        x, error, before = np.zeros_like(y), y, np.inf
        goal = 1e-5 if self.options.single else self.options.rtol
        for _ in range(4 if self.options.single else 2):
            scale = np.linalg.norm(error, axis=0)
            worst = float((scale / size).max(initial=0.0))
            if worst <= self.options.rtol or worst > 0.5 * before:
                break
            before = worst
            scale = np.where(scale > 0, scale, 1.0)
            start = (error / scale).astype(self.working.dtype)
            u = iterate(operate, start, max(goal, self.options.rtol * 0.5 / worst), self.options.maxiter)
            x = x + precondition(u).astype(np.float64) * scale
            error = y + self.product(x, transposed=transposed) - x if self.options.single else np.zeros_like(y)
        return x

    def _rescued(self, y: Array, reached: float, *, transposed: bool) -> Solution:
        products = self.options.maxiter
        words = f"{self.options.method} stalled at a relative residual of {reached:.1e} after {products} products"
        if not self.options.fallback:
            raise SolverError(f"{words}: allow the fallback to DenseLU, or raise maxiter.")
        memory.require(8.0 * self.n**2, f"{words}; DenseLU")
        return self.lu.solution(y, transposed=transposed)


def _inverse_blocks(A: Matrix, block: int) -> Array:
    """Return the inverses of the diagonal blocks of I − A, shape (n / block, block, block)."""
    n = A.shape[0]
    if n % block:
        raise SolverError(f"blocks of {block} industries do not divide a system of {n}.")
    inverses = np.empty((n // block, block, block))
    for k, start in enumerate(range(0, n, block)):
        part = A[start : start + block, start : start + block]
        system = np.eye(block) - (part.toarray() if issparse(part) else part)
        # scipy's LAPACK: a call into numpy's would leave its threads spinning beside the products that follow.
        lu, pivots, info = lapack.dgetrf(system.T, overwrite_a=1)
        if info > 0:
            raise SolverError(
                "a region's own block of I − A is singular: one region alone uses up what it makes.", [start + info - 1]
            )
        inverses[k] = lapack.dgetri(lu, pivots, overwrite_lu=1)[0].T
    return inverses


def _apply_blocks(inverse: Array, u: Array) -> Array:
    """Return M⁻¹ u for inverted blocks (R, S, S) and u of shape (R·S, k)."""
    regions, size = inverse.shape[:2]
    if size == 1:
        return np.asfortranarray(inverse[:, :, 0] * u)
    return np.asfortranarray((inverse @ u.reshape(regions, size, -1)).reshape(u.shape))


def _gmres(operate: Operator, y: Array, rtol: float, maxiter: int) -> Array:
    """Return u with operate(u) ≈ y, column by column in lockstep (Saad & Schultz 1986, modified Gram–Schmidt).

    Parameters
    ----------
    y : right-hand sides of norm one (or zero), shape (n, k).
    """
    n, k = y.shape
    basis = [y]
    R = np.zeros((maxiter + 1, maxiter, k), dtype=y.dtype)
    turns: list[tuple[Array, Array]] = []
    g = np.zeros((maxiter + 1, k), dtype=y.dtype)
    g[0] = np.linalg.norm(y, axis=0)
    steps = 0
    while steps < maxiter and float(np.abs(g[steps]).max(initial=0.0)) > rtol:
        w = operate(basis[steps])
        for i, q in enumerate(basis):
            R[i, steps] = np.einsum("nk,nk->k", q, w)
            w -= q * R[i, steps]
        length = np.linalg.norm(w, axis=0)
        for i, (c, s) in enumerate(turns):
            R[i, steps], R[i + 1, steps] = c * R[i, steps] + s * R[i + 1, steps], c * R[i + 1, steps] - s * R[i, steps]
        c, s, R[steps, steps] = _turn(R[steps, steps], length)
        turns.append((c, s))
        g[steps], g[steps + 1] = c * g[steps], -s * g[steps]
        basis.append(np.asfortranarray(w / np.where(length > BREAKDOWN, length, 1.0)))
        steps += 1
    return _combined(basis, R[:steps, :steps], g[:steps], (n, k))


def _turn(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Return the Givens rotation (c, s) that takes (a, b) to (r, 0), and r; one where both are zero."""
    r = np.hypot(a, b)
    safe = np.where(r > 0, r, 1.0)
    return np.where(r > 0, a / safe, 1.0), np.where(r > 0, b / safe, 0.0), safe


def _combined(basis: list[Array], R: Array, g: Array, shape: tuple[int, int]) -> Array:
    """Return Σ basis_i c_i with R c = g, by back substitution for all columns at once."""
    coefficients = g.copy()
    for i in reversed(range(len(g))):
        coefficients[i] = (g[i] - np.einsum("jk,jk->k", R[i, i + 1 :], coefficients[i + 1 :])) / R[i, i]
    u = np.zeros(shape, dtype=g.dtype, order="F")
    for q, c in zip(basis, coefficients, strict=False):
        u += q * c
    return u


def _bicgstab(operate: Operator, y: Array, rtol: float, maxiter: int) -> Array:
    """Return u with operate(u) ≈ y, column by column in lockstep (van der Vorst 1992).

    A column whose recurrence breaks down is restarted from its residual; one that is done keeps its solution.
    """
    u = np.zeros_like(y)
    r = y.copy()
    shadow, p = r.copy(), r.copy()
    rho = np.einsum("nk,nk->k", shadow, r)
    for _ in range(maxiter // 2):
        going = np.linalg.norm(r, axis=0) > rtol
        if not going.any():
            break
        v = operate(p)
        alpha = _ratio(rho, np.einsum("nk,nk->k", shadow, v), going)
        s = r - v * alpha
        t = operate(s)
        omega = _ratio(np.einsum("nk,nk->k", t, s), np.einsum("nk,nk->k", t, t), going)
        u += p * alpha + s * omega
        r = s - t * omega
        after = np.einsum("nk,nk->k", shadow, r)
        broken = going & ((np.abs(after) < BREAKDOWN) | (omega == 0))
        beta = _ratio(after * alpha, rho * omega, going & ~broken)
        p = r + (p - v * omega) * beta
        shadow[:, broken] = r[:, broken]
        rho = np.where(broken, np.einsum("nk,nk->k", shadow, r), after)
    return u


def _ratio(a: Array, b: Array, where: npt.NDArray[np.bool_]) -> Array:
    return np.asarray(np.divide(a, b, out=np.zeros_like(a), where=where & (np.abs(b) > BREAKDOWN)))


_METHODS: dict[str, Callable[[Operator, Array, float, int], Array]] = {"gmres": _gmres, "bicgstab": _bicgstab}
