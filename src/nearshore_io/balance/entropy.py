"""Cross-entropy: coefficients that stay nearest in information to those before."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.balance.conflict import unreached
from nearshore_io.balance.fit import Balanced, Progress, balanced, relative
from nearshore_io.balance.margins import (
    Totals,
    agreed,
    line_names,
    readable_matrix,
    require_reachable,
    require_rounds,
    targets,
)
from nearshore_io.errors import BalanceError, ConflictError, first_few
from nearshore_io.solvers.base import Array, Matrix, Positions, dense


def cross_entropy(
    Z: Matrix,
    *,
    rows: Array | Sequence[float] | None = None,
    columns: Array | Sequence[float],
    outputs: Array | Sequence[float],
    totals: Totals = "check",
    rtol: float = 1e-10,
    maxiter: int = 200,
    progress: Progress | None = None,
) -> Balanced:
    """Return flows whose coefficients a = z/x minimise Σ a ln(a/a⁰) under column and row sums.

    Σ_i a_ij = w_j/x_j, Σ_j a_ij x_j = u_i; so a_ij = (w_j/x_j) a⁰_ij e^{λ_i x_j} / Σ_h a⁰_hj e^{λ_h x_j}. Newton's
    method on the convex dual in λ, one number for each row. RAS minimises Σ z ln(z/z⁰): there large industries weigh
    more.

    Parameters
    ----------
    Z : flows before at the new outputs, a⁰ x̂, without negative cells, shape (m, n).
    rows, columns : targets u ≥ 0 and w ≥ 0; rows may be NaN where there is none.
    outputs : x > 0, shape (n,), in the unit of Z.

    Raises
    ------
    BalanceError
        Negative cells or targets; outputs that are not positive; a column without target.
    ConflictError
        Targets that cannot be met, named.

    Source: Golan, Judge & Robinson (1994), Review of Economics and Statistics 76, 541–549.
    """
    Z = readable_matrix(Z)
    require_rounds(maxiter)
    flows = dense(Z)
    x = np.asarray(outputs, dtype=np.float64).ravel()
    u, w = agreed(targets(rows, Z.shape[0], "rows"), targets(columns, Z.shape[1], "columns"), totals)
    _require_domain(flows, u, w, x)
    uncovered = np.flatnonzero((w > 0) & ~((flows > 0) & (u != 0)[:, None]).any(axis=0))
    if uncovered.size:
        raise ConflictError(
            f"columns {first_few(uncovered)} have a target, and cells only in rows that shall sum to zero.",
            tuple(f"column {j}" for j in uncovered),
        )
    weights = x / x.mean()
    kept = (flows > 0) & (u != 0)[:, None]  # a row that shall sum to zero has no cells
    logs = np.log(flows, out=np.full(flows.shape, -np.inf), where=kept)
    given = np.flatnonzero(~np.isnan(u) & (u != 0))
    theta, gaps, iteration = np.zeros(len(u)), np.zeros(0), 0
    scale = np.where(u[given] > 0, u[given], 1.0)
    for iteration in range(1, maxiter + 1):
        shares = _shares(logs, theta, weights)
        found = shares @ w
        gaps = relative(found, u, found)
        if progress is not None:
            progress(iteration, float(np.nanmax(gaps, initial=0.0)))
        if float(np.nanmax(gaps, initial=0.0)) <= rtol:
            break
        gradient = (found - u)[given]
        part = shares[given]
        hessian = np.diag(part @ (w * weights)) - (part * (w * weights)) @ part.T
        ridge = 1e-13 * np.trace(hessian) / len(given)
        hessian[np.diag_indices_from(hessian)] += ridge
        try:
            direction = np.linalg.solve(hessian / scale[:, None], -gradient / scale)
        except np.linalg.LinAlgError:  # the dual has no bottom: targets that no coefficients meet
            break
        theta[given] += _step(logs, theta, given, direction, weights, u, w) * direction
    residuals = {"rows": gaps, "columns": np.zeros(len(w))}
    if float(np.nanmax(gaps, initial=0.0)) > rtol:
        named = {"rows": (u, line_names("row", len(u))), "columns": (w, line_names("column", len(w)))}
        raise unreached("cross-entropy", Z, named, residuals, iteration, rtol)
    result = shares * w
    return balanced(
        csr_array(result) if issparse(Z) else result, Z, "cross-entropy", iteration, residuals,
        {"rows": np.exp(theta)}, {"rows": u, "columns": w},
    )  # fmt: skip


def _shares(logs: Array, theta: Array, weights: Array) -> Array:
    """Return a_ij / Σ_i a_ij = a⁰ e^{λ x} / Σ a⁰ e^{λ x}; a column without cells stays zero."""
    powers = logs + np.outer(theta, weights)
    top = powers.max(axis=0)
    values = np.exp(powers - np.where(np.isfinite(top), top, 0.0))
    sums = values.sum(axis=0)
    return np.asarray(np.divide(values, sums, out=np.zeros_like(values), where=sums > 0))


def _dual(logs: Array, theta: Array, weights: Array, u: Array, w: Array) -> float:
    """Return Σ_j (w_j/x_j) ln Σ_i a⁰_ij e^{λ_i x_j} − Σ_i λ_i u_i, which Newton's method lowers."""
    powers = logs + np.outer(theta, weights)
    top = powers.max(axis=0)
    kept = np.isfinite(top)
    sums = np.log(np.exp(powers[:, kept] - top[kept]).sum(axis=0)) + top[kept]
    return float((w[kept] / weights[kept] * sums).sum() - np.nansum(theta * u))


def _step(logs: Array, theta: Array, given: Positions, direction: Array, weights: Array, u: Array, w: Array) -> float:
    """Return the largest step of 1, ½, ¼, … that lowers the dual."""
    here = _dual(logs, theta, weights, u, w)
    step = 1.0
    while step > 1e-6:
        tried = theta.copy()
        tried[given] += step * direction
        if _dual(logs, tried, weights, u, w) <= here + 1e-12 * abs(here):
            return step
        step /= 2
    return step


def _require_domain(flows: Array, u: Array, w: Array, x: Array) -> None:
    """Raise where cross-entropy is not defined."""
    if (flows < 0).any():
        raise BalanceError("cross-entropy is for matrices without negative cells: `gras` keeps signs.")
    if len(x) != flows.shape[1] or not (np.isfinite(x) & (x > 0)).all():
        raise BalanceError(f"outputs: {flows.shape[1]} positive numbers are needed; leave idle industries out.")
    if np.isnan(w).any():
        missing = np.flatnonzero(np.isnan(w))
        raise BalanceError(f"cross-entropy needs every column's target: {first_few(missing)} have none.")
    for kind, wanted, sums in (("row", u, flows.sum(axis=1)), ("column", w, flows.sum(axis=0))):
        require_reachable(sums, np.zeros(len(sums)), wanted, line_names(kind, len(sums)))
