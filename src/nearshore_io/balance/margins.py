"""Row and column targets, checked before anything is scaled."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import BalanceError, ConflictError, first_few
from nearshore_io.solvers.base import Array, Matrix

Totals: TypeAlias = Literal["check", "rows", "columns"]
"""What happens when row and column targets do not sum to the same: an error, or the named side is kept."""

_AGREE = 1e-9


def readable_matrix(Z: Matrix) -> Matrix:
    """Return Z as float64, dense or CSR with every cell once.

    Raises
    ------
    BalanceError
        Unless it is a matrix of finite real numbers.
    """
    if isinstance(Z, np.ma.MaskedArray):
        raise BalanceError("the matrix is masked: fill its cells, or leave their lines out.")
    kind = (Z if issparse(Z) else np.asarray(Z)).dtype.kind
    if kind not in "biuf":
        raise BalanceError(f"the matrix has cells that are not real numbers (type kind {kind!r}).")
    if issparse(Z):
        Z = csr_array(Z, dtype=np.float64)
        if not Z.has_canonical_format:
            Z = Z.copy()
            Z.sum_duplicates()
    else:
        Z = np.asarray(Z, dtype=np.float64)
    if Z.ndim != 2 or 0 in Z.shape:
        raise BalanceError(f"a matrix is needed, not an array of shape {Z.shape}.")
    if not np.isfinite(Z.data if issparse(Z) else Z).all():
        raise BalanceError("the matrix has cells that are not numbers. Nothing is filled in.")
    return Z


def require_rounds(maxiter: int) -> None:
    """Raise `BalanceError` unless at least one round is allowed."""
    if maxiter < 1:
        raise BalanceError(f"maxiter={maxiter}: at least one round is needed.")


def targets(values: Array | Sequence[float] | None, size: int, what: str) -> Array:
    """Return targets as floats, NaN where there is none. Raises `BalanceError` on a wrong length or infinities."""
    if values is None:
        return np.full(size, np.nan)
    found = np.array(values, dtype=np.float64).ravel()
    if len(found) != size:
        raise BalanceError(f"{what}: {len(found)} targets, and the matrix has {size}.")
    if np.isinf(found).any():
        raise BalanceError(f"{what}: a target is infinite. NaN says that there is none.")
    return found


def agreed(rows: Array, columns: Array, totals: Totals) -> tuple[Array, Array]:
    """Return targets that sum to the same.

    Raises
    ------
    ConflictError
        If all rows and columns have a target, the sums differ, and ``totals`` is "check".
    """
    if totals not in ("check", "rows", "columns"):
        raise BalanceError(f'totals={totals!r}: "check", "rows" or "columns" can be said.')
    if np.isnan(rows).any() or np.isnan(columns).any():
        return rows, columns
    gap = rows.sum() - columns.sum()
    if abs(gap) <= _AGREE * max(np.abs(rows).sum(), np.abs(columns).sum()):
        return rows, columns * (rows.sum() / columns.sum()) if columns.sum() != 0 else columns
    kept, other = (columns, rows) if totals == "columns" else (rows, columns)
    if totals != "check" and (other.sum() == 0 or kept.sum() / other.sum() <= 0):
        raise ConflictError(
            f"row targets sum to {rows.sum():,.10g}, column targets to {columns.sum():,.10g}: no scaling of one "
            "makes it the other. Correct them.",
            ("rows", "columns"),
        )
    if totals == "check":
        share = 100 * abs(gap) / max(abs(rows.sum()), abs(columns.sum()))
        raise ConflictError(
            f"row targets sum to {rows.sum():,.10g}, column targets to {columns.sum():,.10g}: they differ by "
            f"{abs(gap):,.6g} ({share:.3g} %), so no matrix has both. Correct them, leave some out (NaN), or say which "
            'to keep: totals="rows" scales the columns to the rows, totals="columns" the rows to the columns.',
            ("rows", "columns"),
        )
    scaled = other * (kept.sum() / other.sum())
    return (scaled, columns) if totals == "columns" else (rows, scaled)


def require_reachable(positive: Array, negative: Array, wanted: Array, names: Sequence[str]) -> None:
    """Raise `ConflictError` where the cells of a constraint cannot have its sign.

    Parameters
    ----------
    positive, negative : sums of the cells that pull a constraint up and down, both ≥ 0.
    """
    bad = [
        (names[i], wanted[i], "cells, all zero" if positive[i] == negative[i] == 0 else f"{sign} cells only")
        for i in np.flatnonzero(~np.isnan(wanted)).tolist()
        for sign, reached in (("negative", positive[i] > 0), ("positive", negative[i] > 0))
        if (sign == "negative" and wanted[i] > 0 and not reached)
        or (sign == "positive" and wanted[i] < 0 and not reached)
    ]
    if bad:
        listed = [f"{name} (target {value:,.6g}, {cells})" for name, value, cells in bad]
        raise ConflictError(
            f"targets that no scaling of their cells can reach: {first_few(listed)}. Signs and zeros are kept: "
            "correct the target, or give an empty line cells to scale.",
            tuple(name for name, _, _ in bad),
        )


def line_names(kind: str, count: int) -> list[str]:
    """Return names of constraints by position, such as "row 3"."""
    return [f"{kind} {i}" for i in range(count)]
