"""A low-rank change of coefficients on top of existing factors (Woodbury)."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import SolverError
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix, multiply
from nearshore_io.solvers.dense import DenseLU
from nearshore_io.solvers.spectral import require_productive

SINGULAR_BELOW = 1e-8
"""Smallest singular value of I − Q X, relative to its largest or to one, under which half of the digits are lost."""


@dataclass(frozen=True, eq=False)
class Updated(CertifiedFactorisation):
    """The factors of I − A − P Q, from those of I − A, for P of shape (n, r) and Q of shape (r, n).

    With X = (I − A)⁻¹ P,

        (I − A − P Q)⁻¹ y = x₀ + X (I − Q X)⁻¹ Q x₀,   x₀ = (I − A)⁻¹ y,

    so that r changed rows or columns cost r solves with existing factors instead of a factorisation. When the small
    system I − Q X is ill-conditioned, the changed matrix is factorised anew, and ``choice`` says so.
    Source: Woodbury (1950); for Leontief systems Sherman & Morrison (1950), Miller & Blair (2009), section 12.2.

    Parameters
    ----------
    base : certified factors of I − A; an `Updated` may stand on another.
    P, Q : arrays or sparse arrays. `rows`, `columns` and `entries` make them from changed coefficients.

    Raises
    ------
    SolverError
        If the changed system is singular, or ρ(A + P Q) ≥ 1; if P and Q do not fit or hold NaN.
    """

    base: CertifiedFactorisation
    P: Matrix
    Q: Matrix
    tolerance: float = 1e-9
    n: int = field(init=False)
    choice: str = field(init=False)
    _X: Array = field(init=False, repr=False)
    _small: tuple[Array, npt.NDArray[np.int32]] = field(init=False, repr=False)
    _anew: CertifiedFactorisation | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        P = self.P.toarray() if issparse(self.P) else np.asarray(self.P, dtype=np.float64)
        n = self.base.n
        if P.ndim != 2 or P.shape[0] != n or self.Q.shape != (P.shape[1], n):
            raise SolverError(
                f"P of shape {P.shape} and Q of shape {self.Q.shape} do not fit n = {n}: they are (n, r) and (r, n)."
            )
        if not np.isfinite(self.Q.data if issparse(self.Q) else self.Q).all():
            raise SolverError("Q holds NaN or infinity.")
        if not np.isfinite(P).all():
            raise SolverError("P holds NaN or infinity.")
        solved = self.base.solve(np.column_stack([P, np.ones(n)]))
        X, probe = np.asfortranarray(solved[:, :-1]), solved[:, -1]
        small = np.eye(X.shape[1]) - _times(self.Q, X)
        sizes = linalg.svdvals(small) if X.shape[1] else np.ones(0)
        poor = bool(X.shape[1]) and not sizes[-1] > SINGULAR_BELOW * max(1.0, sizes[0])
        anew = self._refactorised(float(sizes[-1])) if poor else None
        what = "refactorised, the update was ill-conditioned, over" if poor else f"rank-{X.shape[1]} update of"
        made = {"n": self.base.n, "choice": f"{what} {self.base.choice}", "_X": X, "_anew": anew}
        for name, value in (made | {"_small": linalg.lu_factor(small) if not poor else (small, sizes)}).items():
            object.__setattr__(self, name, value)
        if not poor:
            self._require_productive(probe)

    def _require_productive(self, probe: Array) -> None:
        """Raise unless the changed economy is productive: for A' ≥ 0, x = (I − A')⁻¹ 1 > 0 proves ρ(A') < 1."""
        lu, pivots = self._small
        if self._X.shape[1]:
            probe = probe + _times(self._X, linalg.lu_solve((lu, pivots.copy()), _times(self.Q, probe)))
        if not probe.min(initial=1.0) > 0:
            require_productive(self.matrix())

    @classmethod
    def columns(cls, base: CertifiedFactorisation, columns: npt.ArrayLike, values: Array) -> "Updated":
        """Return the factors with columns of A replaced (recipes of industries), values of shape (n, k)."""
        places = _places(columns, base.n, "columns")
        k = len(places)
        Q = csr_array((np.ones(k), (np.arange(k), places)), shape=(k, base.n))
        return cls(base, _values(values, (base.n, k)) - _part(base.matrix(), columns=places), Q)

    @classmethod
    def rows(cls, base: CertifiedFactorisation, rows: npt.ArrayLike, values: Array) -> "Updated":
        """Return the factors with rows of A replaced (sales of industries), values of shape (k, n)."""
        places = _places(rows, base.n, "rows")
        k = len(places)
        P = csr_array((np.ones(k), (places, np.arange(k))), shape=(base.n, k))
        return cls(base, P, _values(values, (k, base.n)) - _part(base.matrix(), rows=places))

    @classmethod
    def entries(
        cls, base: CertifiedFactorisation, rows: npt.ArrayLike, columns: npt.ArrayLike, values: npt.ArrayLike
    ) -> "Updated":
        """Return the factors with single coefficients replaced, through the fewer of touched rows and columns."""
        i, j = (_places(places, base.n, what, unique=False) for places, what in ((rows, "rows"), (columns, "columns")))
        if len(i) != len(j) or len(set(zip(i.tolist(), j.tolist(), strict=False))) < len(i):
            raise SolverError("entries need as many rows as columns, and each cell once.")
        A = base.matrix()
        change = csr_array((_values(values, i.shape) - np.asarray(A[i, j]).ravel(), (i, j)), shape=A.shape)
        touched_rows, touched_columns = np.unique(i), np.unique(j)
        if len(touched_rows) <= len(touched_columns):
            k = len(touched_rows)
            P = csr_array((np.ones(k), (touched_rows, np.arange(k))), shape=(base.n, k))
            return cls(base, P, csr_array(change[touched_rows]))
        k = len(touched_columns)
        Q = csr_array((np.ones(k), (np.arange(k), touched_columns)), shape=(k, base.n))
        return cls(base, csr_array(change[:, touched_columns]), Q)

    def matrix(self) -> Matrix:
        """Return A + P Q."""
        change = self.P @ self.Q
        A = self.base.matrix()
        if issparse(A) and issparse(change):
            return csr_array(A + change)
        dense = A.toarray() if issparse(A) else A
        return np.asarray(dense + (change.toarray() if issparse(change) else change))

    def product(self, x: Array, *, transposed: bool = False) -> Array:
        """Return (A + P Q) x, or its transpose times x."""
        left, right = (self.Q.T, self.P.T) if transposed else (self.P, self.Q)
        change = _times(left, _times(right, x))
        return self.base.product(x, transposed=transposed) + change

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        if self._anew is not None:
            return self._anew.solve_transposed(y) if transposed else self._anew.solve(y)
        lu, pivots = self._small
        if transposed:
            weights = linalg.lu_solve((lu, pivots.copy()), _times(self._X.T, y), trans=1)
            return self.base.solve_transposed(y + _times(self.Q.T, weights))
        x0 = self.base.solve(y)
        return x0 + _times(self._X, linalg.lu_solve((lu, pivots.copy()), _times(self.Q, x0)))

    def _refactorised(self, smallest: float) -> CertifiedFactorisation:
        try:
            return DenseLU(tolerance=self.tolerance).factorise(self.matrix())
        except SolverError as error:
            raise SolverError(
                "this change of coefficients makes I − A singular, or nearly so: the smallest singular value of the "
                f"update is {smallest:.0e}, and {error}",
                error.industries,
            ) from error


def _places(places: npt.ArrayLike, n: int, what: str, *, unique: bool = True) -> npt.NDArray[np.intp]:
    """Return positions as integers; raise `SolverError` for anything but whole numbers from 0 to n − 1, each once."""
    found = np.atleast_1d(np.asarray(places))
    if found.ndim != 1 or found.dtype.kind not in "iu" or ((found < 0) | (found >= n)).any():
        raise SolverError(f"{what} must be positions from 0 to {n - 1}, whole numbers in one list.")
    if unique and len(np.unique(found)) < len(found):
        raise SolverError(f"{what} must be named once each; some occur twice.")
    return found.astype(np.intp)


def _values(values: npt.ArrayLike, shape: tuple[int, ...]) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != shape:
        raise SolverError(f"new coefficients of shape {found.shape} do not fit: {shape} is needed.")
    return found


def _times(M: Matrix, x: Array) -> Array:
    """Return M x for a sparse or rectangular dense M, without copying either layout, in scipy's thread pool."""
    if issparse(M):
        return np.asarray(M @ x)
    if M.flags.f_contiguous and not M.flags.c_contiguous:
        return multiply(M.T, x, transposed=True)
    return multiply(np.ascontiguousarray(M), x)


def _part(A: Matrix, rows: npt.NDArray[np.intp] | None = None, columns: npt.NDArray[np.intp] | None = None) -> Array:
    part = A[rows] if rows is not None else A[:, columns]
    return np.asarray(part.toarray() if issparse(part) else part)
