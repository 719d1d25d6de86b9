"""A low-rank change of coefficients on top of existing factors (Woodbury)."""

from dataclasses import dataclass, field

import numpy as np
from scipy import linalg

from nearshore_io.errors import SolverError
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix, multiply

SINGULAR_BELOW = 1e-8
"""Smallest singular value of I − Q X, relative to its largest or to one, under which half of the digits are lost."""


@dataclass(frozen=True, eq=False)
class Updated(CertifiedFactorisation):
    """The factors of I − A − P Q, from those of I − A, for P of shape (n, r) and Q of shape (r, n).

    With X = (I − A)⁻¹ P,

        (I − A − P Q)⁻¹ y = x₀ + X (I − Q X)⁻¹ Q x₀,   x₀ = (I − A)⁻¹ y,

    so that r changed rows or columns cost r solves with existing factors instead of a factorisation.
    Source: Woodbury (1950); for Leontief systems Sherman & Morrison (1950), Miller & Blair (2009), section 12.2.

    Parameters
    ----------
    base : certified factors of I − A; an `Updated` may stand on another.
    P, Q : arrays or sparse arrays.

    Raises
    ------
    SolverError
        If the changed system is singular, or so close to it that factors have to be made anew.
    """

    base: CertifiedFactorisation
    P: Matrix
    Q: Matrix
    rtol: float = 1e-9
    n: int = field(init=False)
    choice: str = field(init=False)
    _X: Array = field(init=False, repr=False)
    _small: tuple[Array, Array] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        P = self.P.toarray() if hasattr(self.P, "toarray") else np.asarray(self.P, dtype=np.float64)
        X = self.base.solve(P)
        small = np.eye(X.shape[1]) - np.asarray(self.Q @ X)
        sizes = np.linalg.svd(small, compute_uv=False)
        if X.shape[1] and not sizes[-1] > SINGULAR_BELOW * max(1.0, sizes[0]):
            raise SolverError(
                "this change of coefficients makes I − A singular, or nearly so: the smallest singular value of the "
                f"update is {sizes[-1]:.0e}."
            )
        object.__setattr__(self, "n", self.base.n)
        object.__setattr__(self, "choice", f"rank-{X.shape[1]} update of {self.base.choice}")
        object.__setattr__(self, "_X", X)
        object.__setattr__(self, "_small", linalg.lu_factor(small))

    def product(self, x: Array, *, transposed: bool = False) -> Array:
        """Return (A + P Q) x, or its transpose times x."""
        left, right = (self.Q.T, self.P.T) if transposed else (self.P, self.Q)
        change: Array = np.asarray(left @ (right @ x))
        return self.base.product(x, transposed=transposed) + change

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        lu, pivots = self._small
        if transposed:
            weights = linalg.lu_solve((lu, pivots.copy()), self._X.T @ y, trans=1)
            return self.base.solve_transposed(y + np.asarray(self.Q.T @ weights))
        x0 = self.base.solve(y)
        return x0 + multiply(self._X, linalg.lu_solve((lu, pivots.copy()), np.asarray(self.Q @ x0)))
