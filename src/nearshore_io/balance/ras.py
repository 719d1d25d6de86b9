"""RAS: biproportional scaling of a matrix without negative cells."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import issparse

from nearshore_io.balance.fit import Balanced, Progress
from nearshore_io.balance.gras import scaled
from nearshore_io.balance.margins import Totals, readable_matrix, targets
from nearshore_io.errors import BalanceError, first_few
from nearshore_io.solvers.base import Array, Matrix


def ras(
    Z: Matrix,
    *,
    rows: Array | Sequence[float] | None = None,
    columns: Array | Sequence[float] | None = None,
    totals: Totals = "check",
    rtol: float = 1e-10,
    maxiter: int = 10_000,
    progress: Progress | None = None,
) -> Balanced:
    """Return z_ij = r_i z⁰_ij s_j with given row and column sums: the least Σ z ln(z/z⁰) under them.

    Parameters
    ----------
    Z : matrix without negative cells, shape (m, n); dense or sparse.
    rows, columns : targets ≥ 0, shapes (m,) and (n,); NaN where there is none.
    totals : what to do if both are complete and their sums differ: "check" raises, "rows" or "columns" keeps that side.
    rtol : largest relative residual of a target; see `Balanced.residual`.

    Raises
    ------
    BalanceError
        Negative cells or targets.
    ConflictError
        Targets that no scaling can reach, named; or that were not reached in ``maxiter`` rounds.

    Source: Stone & Brown (1962), A Computable Model of Economic Growth; Miller & Blair (2009), section 7.4.
    """
    Z = readable_matrix(Z)
    if (Z.data if issparse(Z) else Z).min(initial=0.0) < 0:
        raise BalanceError("RAS is for matrices without negative cells: `gras` keeps signs.")
    for what, values, size in (("rows", rows, Z.shape[0]), ("columns", columns, Z.shape[1])):
        below = np.flatnonzero(targets(values, size, what) < 0)
        if below.size:
            raise BalanceError(f"RAS cannot reach negative targets: {what} {first_few(below)}. `gras` keeps signs.")
    return scaled(Z, rows, columns, None, "RAS", totals, rtol, maxiter, progress)
