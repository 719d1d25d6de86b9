"""A few totals of very many shocks, by adjoint: M = W L once, then a product for each shock."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from nearshore_io.errors import SolverError
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix, Positions, checked_rhs, multiply

SINGULAR = 1e-8
"""Determinant of the small system under which a change has lost half of its digits."""


@dataclass(frozen=True)
class RowMoves:
    """k relocations, each of one product between two industries for the same buyers: rank-one changes of A.

    Relocation j takes ``share[j]`` of what ``buyers`` buy from industry ``origin[j]`` to industry ``destination[j]``,

        A' = A + φ (e_m − e_c) (A_c ∘ 1_J),   and Δf = φ (e_m − e_c) final_c.

    Attributes
    ----------
    origin, destination : positions, shape (k,).
    share : φ, shape (k,).
    buyers : positions of the buying industries J.
    final : purchases of the moving final users from every industry, shape (n,); zeros where final uses stay.
    """

    origin: Positions
    destination: Positions
    share: Array
    buyers: Positions
    final: Array

    def __post_init__(self) -> None:
        for name in ("origin", "destination", "buyers"):
            array = np.asarray(getattr(self, name))
            if array.ndim != 1 or array.dtype.kind not in "iu" or (array < 0).any():
                raise SolverError(f"relocations: {name} must be positions, whole numbers in one list.")
        share = np.asarray(self.share, dtype=np.float64)
        if not self.origin.shape == self.destination.shape == share.shape:
            raise SolverError("relocations: origin, destination and share must be equally long.")
        if not ((share >= 0) & (share <= 1)).all():
            raise SolverError("relocations: shares must lie between 0 and 1.")
        if len(np.unique(self.buyers)) < len(self.buyers) or not np.isfinite(self.final).all():
            raise SolverError("relocations: a buyer is named twice, or a final purchase is not a number.")


@dataclass(frozen=True)
class Functionals:
    """R linear totals of gross output, W x, ready for any number of shocks: M = W L, shape (R, n).

    One transposed block solve prepares it. After that a demand shock costs a product with M, and a low-rank change of
    coefficients M and the touched rows of L. Same numbers as the full solution.

    Attributes
    ----------
    factors : factors of I − A.
    weights : W, shape (R, n).
    M : W L, shape (R, n).
    residual : largest relative residual of the transposed solves.
    """

    factors: CertifiedFactorisation
    weights: Array
    M: Array
    residual: float

    @classmethod
    def prepare(cls, factors: CertifiedFactorisation, weights: Array) -> "Functionals":
        """Return the functionals of these weights, shape (R, n).

        Raises
        ------
        SolverError
            If the weights do not fit or hold NaN, or the solve has no trustworthy solution.
        """
        W = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        solution = factors.solution(W.T, transposed=True)
        return cls(factors, W, np.ascontiguousarray(solution.x.T), float(solution.residual.max(initial=0.0)))

    def of_demand(self, demand: Matrix) -> Array:
        """Return W L Δf, shape (R,) or (R, k), for demand shocks (n,) or (n, k), dense or sparse."""
        if issparse(demand):
            if demand.shape[0] != self.M.shape[1]:
                raise SolverError(f"demand of shape {demand.shape} does not fit {self.M.shape[1]} industries.")
            if not np.isfinite(demand.data).all():
                raise SolverError("demand holds NaN or infinity.")
            return np.asarray(demand.T @ self.M.T).T
        return multiply(self.M, checked_rhs(demand, self.M.shape[1]))

    def of_change(self, P: Matrix, Q: Matrix, x: Array, demand: Array) -> Array:
        """Return W (x' − x), shape (R,), for A' = A + P Q and f' = f + Δf at output x.

        x' − x = L' δ with δ = P Q x + Δf, and W L' δ = M δ + M P (I − Q L P)⁻¹ Q L δ.
        """
        dense = P.toarray() if issparse(P) else np.asarray(P)
        delta = dense @ np.asarray(Q @ x) + demand
        solved = self.factors.solve(np.column_stack([dense, delta]))
        r = dense.shape[1]
        small = np.eye(r) - np.asarray(Q @ solved[:, :r])
        if r and not abs(np.linalg.det(small)) > SINGULAR:
            raise SolverError("this change of coefficients makes I − A singular, or nearly so.")
        correction = np.linalg.solve(small, np.asarray(Q @ solved[:, r]))
        return np.asarray(self.M @ delta + (self.M @ dense) @ correction)

    def of_row_moves(self, moves: RowMoves, A: Matrix, x: Array) -> Array:
        """Return W (x' − x), shape (R, k), for k relocations of rank one.

        With p = e_m − e_c, q = A_c ∘ 1_J and g = q x + final_c, Sherman & Morrison (1950) give

            W (x' − x) = φ g · W L p / (1 − φ q L p),

        which needs L only in the rows J, or only in the touched columns, whichever are fewer.

        Raises
        ------
        SolverError
            If a relocation makes I − A singular.
        """
        n = self.M.shape[1]
        if A.shape != (n, n) or x.shape != (n,) or moves.final.shape != (n,):
            raise SolverError(f"A, x and final purchases must be those of {n} industries.")
        if max(moves.origin.max(initial=0), moves.destination.max(initial=0), moves.buyers.max(initial=0)) >= n:
            raise SolverError(f"relocations name industries beyond the {n} there are.")
        touched, inverse = np.unique(np.concatenate([moves.origin, moves.destination]), return_inverse=True)
        from_, to = inverse[: len(moves.origin)], inverse[len(moves.origin) :]
        block = self._inverse_block(moves.buyers, touched)
        origins, place = np.unique(moves.origin, return_inverse=True)
        q = A[np.ix_(origins, moves.buyers)]
        q = q.toarray() if issparse(q) else q
        q = np.ascontiguousarray(q)
        spent = (multiply(q, x[moves.buyers]) + moves.final[origins])[place]
        priced = multiply(q, block)
        scale = 1.0 - moves.share * (priced[place, to] - priced[place, from_])
        bad = np.flatnonzero(~(np.abs(scale) > SINGULAR))
        if bad.size:
            raise SolverError(f"relocation {bad[0]} makes I − A singular.", [int(moves.origin[bad[0]])])
        return np.asarray((self.M[:, moves.destination] - self.M[:, moves.origin]) * (moves.share * spent / scale))

    def _inverse_block(self, rows: Positions, columns: Positions) -> Array:
        """Return L in these rows and columns, by the fewer of transposed and forward solves."""
        n = self.M.shape[1]
        by_rows = len(rows) <= len(columns)
        wanted = rows if by_rows else columns
        units = np.zeros((n, len(wanted)), order="F")
        units[wanted, np.arange(len(wanted))] = 1.0
        if by_rows:
            return np.asarray(self.factors.solve_transposed(units)[columns].T)
        return np.asarray(self.factors.solve(units)[rows])
