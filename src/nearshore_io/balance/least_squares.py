"""Weighted least squares with bounds: the quadratic program of Stone and Byron."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csc_array, csc_matrix, csr_array, diags_array, eye_array, hstack, vstack
from scipy.sparse.linalg import spsolve

from nearshore_io.balance.conflict import CELLS_UP_TO, conflicting
from nearshore_io.balance.constraints import Constraints, constrained, sign_bounds
from nearshore_io.balance.fit import Balanced, balanced, relative
from nearshore_io.balance.margins import readable_matrix, require_rounds
from nearshore_io.errors import BalanceError, ConflictError, MissingExtraError, first_few
from nearshore_io.solvers.base import Array, Matrix

_NEWTON = 25


def least_squares(
    Z: Matrix,
    *,
    rows: Array | Sequence[float] | None = None,
    columns: Array | Sequence[float] | None = None,
    constraints: Matrix | None = None,
    values: Array | Sequence[float] | None = None,
    spread: Array | Sequence[float] | None = None,
    names: Sequence[str] | None = None,
    variance: Matrix | None = None,
    lower: Matrix | None = None,
    upper: Matrix | None = None,
    keep_signs: bool = True,
    rtol: float = 1e-8,
    maxiter: int = 200,
) -> Balanced:
    """Return the matrix that moves least, min Σ (z − z⁰)²/w + Σ_k (g_k z − c_k)²/σ_k², within bounds.

    Targets with σ = 0 must hold, g_k z = c_k; without bounds and soft targets z = z⁰ + W G'(G W G')⁻¹(c − G z⁰).

    Parameters
    ----------
    rows, columns, constraints, values, spread, names : as `kras`; ``spread`` is σ.
    variance : w of every cell, shape of Z; |z⁰| by default, as in Koopman, Wang & Wei's min Σ (z − z⁰)²/z⁰.
    lower, upper : bounds of cells, shape of Z. By default signs are kept: z ≥ 0 where z⁰ > 0, z ≤ 0 where z⁰ < 0.
    keep_signs : False leaves cells without a bound of their own free.

    Raises
    ------
    BalanceError
        Shapes that do not fit; a variance that is not positive; no accurate solution.
    ConflictError
        Targets that cannot hold together within the bounds, named.
    MissingExtraError
        If the solver (extra ``calibrate``) is not installed.

    Source: Stone, Champernowne & Meade (1942), Review of Economic Studies 9, 111–125; Byron (1978), Journal of the
    Royal Statistical Society A 141, 359–367. Solved by Clarabel, an interior-point method
    (Goulart & Chen 2024): OSQP left residuals of 2e-4 on a table of 385 industries after 240 s, and HiGHS took over a
    minute for 3,600 cells.
    """
    Z = readable_matrix(Z)
    require_rounds(maxiter)
    problem = constrained(Z, rows, columns, constraints, values, spread, names)
    w = np.abs(problem.z) if variance is None else _cells(variance, problem, "variance")
    if not (np.isfinite(w) & (w > 0)).all():
        raise BalanceError("variance: a positive number is needed for every cell that is not zero.")
    free = (np.full(len(w), -np.inf), np.full(len(w), np.inf))
    low, high = sign_bounds(problem.z) if keep_signs else free
    low = low if lower is None else _cells(lower, problem, "lower")
    high = high if upper is None else _cells(upper, problem, "upper")
    if (low > high).any():
        crossed = np.flatnonzero(low > high)
        where = first_few(f"({problem.rows[i]}, {problem.columns[i]})" for i in crossed)
        raise BalanceError(f"lower bounds lie above upper ones at {where}.")
    if len(problem.z) == 0:
        return balanced(
            Z, Z, "weighted least squares", 0, problem.by_kind(problem.wanted), {}, problem.by_kind(problem.wanted)
        )
    z, dual, iterations, solved = _solved(problem, w, low, high, maxiter)
    z = _refined(problem, w, low, high, z, dual) if solved else z
    met = np.where(problem.spread > 0, problem.G @ z, problem.wanted)
    gaps = relative(problem.G @ z, met, np.asarray(abs(problem.G) @ np.abs(z)))
    if float(gaps.max(initial=0.0)) > rtol or not solved:
        _explain(problem, low, high, gaps, iterations)
    return balanced(
        problem.matrix(z, Z), Z, "weighted least squares", iterations, problem.by_kind(gaps), {}, problem.by_kind(met)
    )


def _cells(given: Matrix, problem: Constraints, what: str) -> Array:
    found = np.asarray(given.toarray() if hasattr(given, "toarray") else given, dtype=np.float64)
    if found.shape != problem.shape:
        raise BalanceError(f"{what}: shape {found.shape}, and the matrix has {problem.shape}.")
    if np.isnan(found).any():
        raise BalanceError(f"{what}: cells that are not numbers; −∞ and ∞ say that there is no bound.")
    empty = np.ones(problem.shape, dtype=bool)
    empty[problem.rows, problem.columns] = False
    if (what == "lower" and (found[empty] > 0).any()) or (what == "upper" and (found[empty] < 0).any()):
        raise BalanceError(f"{what}: a cell that is zero stays zero, and a bound excludes that.")
    return np.asarray(found[problem.rows, problem.columns])


def _solved(problem: Constraints, w: Array, low: Array, high: Array, maxiter: int) -> tuple[Array, Array, int, bool]:
    """Return cells, multipliers of the constraints, iterations, and whether the program was solved.

    In q = (z − z⁰)/(√w s) the Hessian is the identity; s makes cells of one unit of money as good as those of another.
    """
    try:
        import clarabel
    except ImportError as error:
        raise MissingExtraError("weighted least squares", "clarabel", "calibrate") from error
    unit = float(np.abs(problem.z).mean() / np.sqrt(w.mean()))
    root = np.sqrt(w) * unit
    soft = np.flatnonzero(problem.spread > 0)
    size = _sizes(problem)
    G = csr_array(diags_array(1 / size) @ problem.G @ diags_array(root))
    slack = csr_array(
        (unit * problem.spread[soft] / size[soft], (soft, np.arange(len(soft)))), shape=(len(size), len(soft))
    )
    gap = (problem.wanted - problem.G @ problem.z) / size
    n, k = len(w), len(soft)
    below, above = np.flatnonzero(np.isfinite(low)), np.flatnonzero(np.isfinite(high))
    box = csr_array(eye_array(n + k, format="csr"))
    A = vstack([hstack([G, slack]), -box[below], box[above]])
    b = np.concatenate([gap, ((problem.z - low) / root)[below], ((high - problem.z) / root)[above]])
    cones = [clarabel.ZeroConeT(len(gap)), clarabel.NonnegativeConeT(len(below) + len(above))]
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_iter = False, maxiter
    hessian = csc_matrix(csc_array(eye_array(n + k)))
    found = clarabel.DefaultSolver(hessian, np.zeros(n + k), csc_matrix(csc_array(A)), b, cones, settings).solve()
    q, y = np.asarray(found.x)[:n], np.asarray(found.z)[: len(gap)]
    solved = str(found.status) in ("Solved", "AlmostSolved") and np.isfinite(q).all()
    if not solved:
        return problem.z, np.zeros(len(gap)), int(found.iterations), False
    return np.clip(problem.z + q * root, low, high), -y * unit**2 / size, int(found.iterations), True


def _sizes(problem: Constraints) -> Array:
    """Return a size for each constraint: its target, or its cells."""
    size = np.maximum(np.abs(problem.wanted), np.asarray(abs(problem.G) @ np.abs(problem.z)))
    return np.where(size > 0, size, 1.0)


def _refined(problem: Constraints, w: Array, low: Array, high: Array, z: Array, dual: Array) -> Array:
    """Return cells to the last digits, by Newton's method on the multipliers from those of the interior-point method.

    z(λ) = clip(z⁰ + w G'λ) is the optimum for given λ; G z(λ) + σ²λ = c says λ is right. A step that does not lower
    what is left ends it, and the cells before it are returned.
    """
    G, sigma, size = problem.G, problem.spread**2, _sizes(problem)

    def cells(at: Array) -> Array:
        return np.asarray(np.clip(problem.z + w * (G.T @ at), low, high))

    def left(at: Array) -> Array:
        return np.asarray((G @ cells(at) + sigma * at - problem.wanted) / size)

    best, here = z, np.abs((G @ z + sigma * dual - problem.wanted) / size).max(initial=0.0)
    scale = diags_array(1 / size)
    for _ in range(_NEWTON):
        free = (cells(dual) > low) & (cells(dual) < high)
        jacobian = scale @ (G @ diags_array(w * free) @ G.T + diags_array(sigma)) @ scale
        ridge = 1e-14 * max(float(jacobian.diagonal().max()), 1e-300)
        step = spsolve(csc_array(jacobian + ridge * eye_array(len(size))), -left(dual)) / size
        dual = dual + step
        now = float(np.abs(left(dual)).max(initial=0.0))
        if not np.isfinite(now) or now > max(here, 1e-12):
            break
        best, here = cells(dual), now
        if now < 1e-14:
            break
    return best


def _explain(problem: Constraints, low: Array, high: Array, gaps: Array, iterations: int) -> None:
    """Raise the error that names what stands against what."""
    hard = np.flatnonzero(problem.spread == 0)
    conflict = None
    if len(problem.z) <= CELLS_UP_TO:
        conflict = conflicting(csr_array(problem.G[hard]), problem.wanted[hard], low, high)
    at = hard[conflict.constraints] if conflict is not None else np.argsort(-gaps)[:5]
    listed = [f"{problem.names[i]} = {problem.wanted[i]:,.6g}" for i in at]
    if conflict is None:
        raise BalanceError(
            f"the quadratic program was not solved in {iterations} iterations: a residual of {gaps.max():.2g} is "
            f"left, the largest at {first_few(listed)}. Raise maxiter or rtol."
        )
    raise ConflictError(
        f"weighted least squares: {len(listed)} targets cannot hold together within the bounds: "
        f"{first_few(listed, 12)}. Together they are off by {conflict.gap:,.6g}. Correct one, leave it out (NaN), give "
        "it a spread, or widen the bounds.",
        tuple(problem.names[i] for i in at),
    )
