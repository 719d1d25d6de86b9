"""What a balancing returns, and the measures of how far it moved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import BalanceError
from nearshore_io.solvers.base import Array, Matrix

Progress: TypeAlias = Callable[[int, float], None]
"""Called now and then with the number of iterations done and the residual reached."""

_BAND = 256
"""Rows compared at a time, so that comparing two tables takes no third one."""


@dataclass(frozen=True)
class Balanced:
    """A balanced matrix.

    Attributes
    ----------
    Z : the balanced matrix, stored as the one that was given.
    before : the matrix that was given (no copy).
    method : name of the method.
    iterations : rounds it took.
    residual : the largest relative residual over all constraints; see `relative`.
    residuals : relative residuals by kind of constraint: "rows", "columns", "blocks", "constraints". NaN where no
        target was given.
    multipliers : what scaled the cells, by kind of constraint, where the method has such.
    targets : the targets that were met, by kind; they differ from the given ones only where conflicting targets were
        moved (`kras`, soft constraints of `least_squares`).
    sign_flips : cells whose sign changed.
    stpe : standardised total percentage error, 100 Σ|z − z⁰| / Σ|z⁰|.
    """

    Z: Matrix
    before: Matrix
    method: str
    iterations: int
    residual: float
    residuals: Mapping[str, Array]
    multipliers: Mapping[str, Array]
    targets: Mapping[str, Array]
    sign_flips: int
    stpe: float

    def change_of_inverse(self, x_before: Array, x_after: Array) -> float:
        """Return the mean absolute change of L of the first n columns; see `inverse_change`."""
        n = len(x_before)
        return inverse_change(self.before[:, :n], x_before, self.Z[:, :n], x_after)


def balanced(
    Z: Matrix,
    before: Matrix,
    method: str,
    iterations: int,
    residuals: Mapping[str, Array],
    multipliers: Mapping[str, Array],
    targets: Mapping[str, Array],
) -> Balanced:
    """Return the result with its measures taken."""
    flips, stpe = _moved(before, Z)
    worst = max((float(np.nanmax(r, initial=0.0)) for r in residuals.values()), default=0.0)
    return Balanced(Z, before, method, iterations, worst, residuals, multipliers, targets, flips, stpe)


def relative(found: Array, wanted: Array, gross: Array) -> Array:
    """Return |found − wanted| / max(|wanted|, gross / 1000), NaN where nothing is wanted, ∞ where nothing was found.

    ``gross`` is the sum of absolute cells of the constraint: a target of zero, or one that is a small difference of
    large cells, is measured against them, since it cannot be met more closely than they can be added.
    """
    finite = np.isfinite(found) & np.isfinite(gross)
    scale = np.maximum(np.abs(wanted), np.where(finite, gross, 0.0) / 1000)
    gap = np.abs(np.where(finite, found, 0.0) - wanted)
    residual = np.divide(gap, scale, out=np.where(gap > 0, np.inf, gap * 0.0), where=scale > 0)
    return np.asarray(np.where(finite | np.isnan(wanted), residual, np.inf))


def _moved(before: Matrix, after: Matrix) -> tuple[int, float]:
    """Return the number of sign flips, and the STPE."""
    if issparse(before):
        old, new = csr_array(before), csr_array(after)
        flips = int((old.multiply(new) < 0).sum())
        size = float(abs(old).sum())
        return flips, 100.0 * float(abs(new - old).sum()) / size if size else 0.0
    flips, gap, size = 0, 0.0, 0.0
    for start in range(0, before.shape[0], _BAND):
        old, new = before[start : start + _BAND], after[start : start + _BAND]
        flips += int(np.count_nonzero(old * new < 0))
        gap += float(np.abs(new - old).sum())
        size += float(np.abs(old).sum())
    return flips, 100.0 * gap / size if size else 0.0


def inverse_change(Z0: Matrix, x0: Array, Z1: Matrix, x1: Array) -> float:
    """Return the mean absolute change of the Leontief inverse, Σ|L¹ − L⁰| / n².

    Parameters
    ----------
    Z0, Z1 : flows before and after, shape (n, n); dense or sparse. x0, x1 : outputs, shape (n,).

    Raises
    ------
    BalanceError
        If I − A is singular before or after.

    Notes
    -----
    Both inverses are formed: a report on one table, not a step of a computation. An industry without output has no
    inputs.
    """
    return float(np.abs(_inverse(Z1, x1) - _inverse(Z0, x0)).mean())


def _inverse(Z: Matrix, outputs: Array) -> Array:
    flows = np.asarray(Z.toarray() if issparse(Z) else Z, dtype=np.float64)
    x = np.asarray(outputs, dtype=np.float64)
    A = np.divide(flows, x, out=np.zeros_like(flows), where=x != 0)
    try:
        return np.asarray(np.linalg.inv(np.eye(len(x)) - A))
    except np.linalg.LinAlgError as error:
        raise BalanceError("I − A is singular: there is no Leontief inverse to compare.") from error
