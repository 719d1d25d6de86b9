"""The spectral radius of A, and the proof that an economy can reproduce itself (Hawkins–Simon)."""

import numpy as np
from scipy.sparse import issparse
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs

from nearshore_io.errors import SolverError, first_few
from nearshore_io.solvers.base import Array, Matrix, checked_matrix, largest_column_sum, multiply, square_matrix

_SMALL = 200


def column_sums(A: Matrix) -> Array:
    """Return 1ᵀA, the direct inputs per unit of output."""
    return np.asarray(A.sum(axis=0), dtype=np.float64).ravel()


def spectral_radius(A: Matrix) -> float:
    """Return ρ(A), the largest modulus among the eigenvalues of A.

    Small matrices by a full eigenvalue decomposition, larger ones by ARPACK's implicitly restarted Arnoldi iteration.

    Raises
    ------
    SolverError
        If the iteration does not converge.
    """
    n = A.shape[0]
    if n <= _SMALL:
        dense = A.toarray() if issparse(A) else A
        return float(np.abs(np.linalg.eigvals(dense)).max(initial=0.0))
    operator = LinearOperator((n, n), matvec=lambda x: multiply(A, np.ravel(x)), dtype=np.float64)
    try:
        found = eigs(operator, k=1, which="LM", v0=np.ones(n), return_eigenvectors=False, tol=1e-10, maxiter=20 * n)
    except ArpackError as error:
        raise SolverError(f"the spectral radius of A did not converge: {error}") from error
    return float(np.abs(found).max())


def bounded_below_one(A: Matrix, powers: int = 40) -> bool:
    """Tell whether ρ(A) < 1 follows from max 1ᵀ|A|ᵏ < 1 for some k ≤ ``powers``, at the price of k products.

    ρ(A) ≤ ρ(|A|) ≤ ‖|A|ᵏ‖₁^(1/k). False means "not shown this way", not "ρ(A) ≥ 1".
    """
    row = np.ones(A.shape[0])
    cells = A.data if issparse(A) else A
    size = A if cells.size == 0 or cells.min() >= 0 else abs(A)
    for _ in range(powers):
        row = multiply(size, row, transposed=True)
        if row.max(initial=0.0) < 1.0:
            return True
    return False


def productive_matrix(A: Matrix) -> Matrix:
    """Return A as a solver wants it (`checked_matrix`) once it is shown to be productive (`require_productive`).

    Where all column sums are below one, one pass over A shows both.
    """
    matrix = square_matrix(A)
    largest = largest_column_sum(matrix)
    if not np.isfinite(largest):
        checked_matrix(matrix)  # says which rows
    if largest >= 1.0:
        _require_small_radius(matrix)
    return matrix


def require_productive(A: Matrix) -> None:
    """Raise `SolverError` unless ρ(A) < 1, naming the industries whose inputs exceed their output.

    Without it the power series I + A + A² + … diverges and I − A has no meaningful inverse, though LU
    and Krylov methods still return numbers. Column sums above one alone are legal.
    Source: Hawkins & Simon (1949).
    """
    if not largest_column_sum(A) < 1.0:
        _require_small_radius(A)


def _require_small_radius(A: Matrix) -> None:
    """Raise `SolverError` unless ρ(A) < 1, where column sums alone do not show it."""
    if bounded_below_one(A):
        return
    radius = spectral_radius(A)
    if radius < 1.0:
        return
    sums = column_sums(A)
    worst = np.argsort(sums)[::-1]
    guilty = worst[sums[worst] >= 1.0][:10]
    guilty = guilty if guilty.size else worst[:3]
    raise SolverError(
        f"the spectral radius of A is {radius:.4f}, not below one: the economy uses up more than it makes "
        f"(Hawkins–Simon). Largest column sums: {first_few(f'{sums[i]:.3f}' for i in guilty)}.",
        guilty.tolist(),
    )
