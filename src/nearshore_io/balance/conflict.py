"""Which constraints stand against each other: a certificate by linear programming."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array, hstack, issparse, vstack

from nearshore_io.balance.constraints import cells_of, margins, sign_bounds
from nearshore_io.errors import ConflictError, first_few
from nearshore_io.solvers.base import Array, Matrix, Positions

CELLS_UP_TO = 20_000
"""Cells up to which a conflict is proved; beyond it the targets missed most are named."""
_MET = 1e-8
"""Sum of relative deviations that counts as none."""


@dataclass(frozen=True)
class Conflict:
    """Constraints that cannot hold together.

    Attributes
    ----------
    constraints : their positions.
    weights : one each; the weighted sum of the constraints asks cells of one sign to sum to the other.
    gap : by how much: the least total |G z − c| over the scaled constraints, in their own unit.
    """

    constraints: Positions
    weights: Array
    gap: float


def conflicting(G: csr_array, wanted: Array, lower: Array | None = None, upper: Array | None = None) -> Conflict | None:
    """Return constraints G z = c that no z within its bounds can meet together; None where all can be met.

    The program min Σ|e_k|, e = c − G z, lower ≤ z ≤ upper, has a positive optimum exactly where they conflict; its dual
    solution λ is the certificate (Farkas): λ'G pulls every cell against a bound, and λ'c is not reached.

    Parameters
    ----------
    G : constraints × cells. wanted : c. lower, upper : bounds of cells; by default z ≥ 0.

    Raises
    ------
    ConflictError
        If the program itself fails, which bounds that cross make it do.
    """
    from scipy.optimize import linprog  # 0.1 s of import that only conflicts need

    G = csr_array(G)
    k, n = G.shape
    low = np.zeros(n) if lower is None else np.asarray(lower, dtype=np.float64)
    high = np.full(n, np.inf) if upper is None else np.asarray(upper, dtype=np.float64)
    cells, lines = _units(G, np.asarray(wanted, dtype=np.float64))
    scaled = csr_array(diags_array(1 / lines) @ G @ diags_array(cells))
    target = wanted / lines
    both = csr_array(hstack([scaled, eye_array(k), -eye_array(k)]))
    bounds = np.column_stack(
        [np.concatenate([low / cells, np.zeros(2 * k)]), np.concatenate([high / cells, np.full(2 * k, np.inf)])]
    )
    cost = np.concatenate([np.zeros(n), np.ones(2 * k)])
    precise = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(cost, A_eq=both, b_eq=target, bounds=bounds, method="highs", options=precise)
    if not found.success:
        raise ConflictError(f"the bounds of cells leave no matrix at all ({found.message}).")
    if found.fun <= _MET:
        return None
    dual = np.asarray(found.eqlin.marginals)
    kept = np.flatnonzero(np.abs(dual) > 1e-7)
    gap = np.abs(scaled @ found.x[:n] - target) * lines
    return Conflict(kept, dual[kept] / lines[kept], float(gap.sum()))


def _units(G: csr_array, wanted: Array) -> tuple[Array, Array]:
    """Return a size for every cell and for every constraint, so that the program has coefficients of one at most.

    A cell is measured against the smallest target it could fill alone, a constraint against its target; a target of
    zero, against the largest cell in it.
    """
    k, n = G.shape
    owners = np.repeat(np.arange(k), np.diff(G.indptr))
    weight = np.abs(G.data)
    alone = np.divide(np.abs(wanted)[owners], weight, out=np.full(len(weight), np.inf), where=weight > 0)
    alone[np.abs(wanted)[owners] == 0] = np.inf
    cells = np.full(n, np.inf)
    np.minimum.at(cells, G.indices, alone)
    known = np.isfinite(cells)
    cells[~known] = cells[known].mean() if known.any() else 1.0
    largest = np.zeros(k)
    np.maximum.at(largest, owners, weight * cells[G.indices])
    lines = np.where(wanted != 0, np.abs(wanted), largest)
    return cells, np.where(lines > 0, lines, 1.0)


def unreached(
    method: str,
    Z: Matrix,
    named: Mapping[str, tuple[Array, Sequence[str]]],
    residuals: Mapping[str, Array],
    iterations: int,
    rtol: float,
    groups: tuple[Positions, Positions] | None = None,
) -> ConflictError:
    """Return the error that says which targets of rows, columns and blocks stand against each other.

    Parameters
    ----------
    groups : group of every row and of every column, where blocks have targets.
    """
    worst = _worst(named, residuals)
    left = f"{iterations} rounds left {_listed(worst)}"
    cells = Z.nnz if issparse(Z) else int(np.count_nonzero(Z))
    if cells <= CELLS_UP_TO:
        signs, rows, columns = cells_of(Z)
        parts = [margins(rows, columns, Z.shape)]
        if groups is not None:
            width = len(named["blocks"][0]) // (int(groups[0].max()) + 1)
            owners = groups[0][rows] * width + groups[1][columns]
            shape = (len(named["blocks"][0]), len(rows))
            parts.append(csr_array((np.ones(len(rows)), (owners, np.arange(len(rows)))), shape=shape))
        wanted = np.concatenate([target for target, _ in named.values()])
        names = [name for _, listed in named.values() for name in listed]
        return proved(method, csr_array(vstack(parts)), wanted, names, signs, left, rtol)
    return ConflictError(
        f"{method} did not reach {rtol:g}: {left}. Either these do not close with the cells and the signs there are, "
        "or it takes more rounds: raise maxiter, leave some of them out (NaN), or give reliabilities and use `kras`.",
        tuple(name for name, _ in worst),
    )


def proved(
    method: str, G: csr_array, wanted: Array, names: Sequence[str], signs: Array, left: str, rtol: float
) -> ConflictError:
    """Return the error with the certificate, or, if the targets can be met, with what to do.

    Parameters
    ----------
    signs : sign of each cell, which scaling keeps.
    """
    given = np.flatnonzero(~np.isnan(wanted))
    conflict = conflicting(csr_array(G[given]), wanted[given], *sign_bounds(signs))
    if conflict is None:
        return ConflictError(
            f"{method} did not reach {rtol:g}: {left}. Its targets can be met, some perhaps only with cells at or "
            "near zero, which scaling approaches without end: raise maxiter or rtol, or look at those lines.",
        )
    at = given[conflict.constraints]
    listed = [f"{names[i]} = {wanted[i]:,.6g}" for i in at]
    return ConflictError(
        f"{method}: {len(listed)} targets cannot hold together with the cells and signs there are: "
        f"{first_few(listed, 12)}. Together they are off by {conflict.gap:,.6g}. Correct one, leave it out (NaN), give "
        "the cells it needs a value, or give reliabilities and use `kras`.",
        tuple(names[i] for i in at),
    )


def _worst(named: Mapping[str, tuple[Array, Sequence[str]]], residuals: Mapping[str, Array]) -> list[tuple[str, float]]:
    """Return the five targets that are missed most, with their residuals."""
    values = np.concatenate([residuals[kind] for kind in named])
    names = [name for _, listed in named.values() for name in listed]
    order = np.argsort(-values)[:5]  # lines without a target are NaN and come last
    return [(names[i], float(values[i])) for i in order if values[i] > 0]


def _listed(worst: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} off by {100 * value:.3g} %" for name, value in worst)
