"""The best that can be made of what there is: a linear program."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ShockError, SolverError, first_few
from nearshore_io.limits.caps import Caps
from nearshore_io.solvers.base import Array, CertifiedFactorisation

NEGLIGIBLE = 1e-9
"""Share of the largest output below which a negative one is rounding."""
ROUNDS = 20


@dataclass(frozen=True)
class Optimum:
    """The optimum, with the value of relaxing each cap.

    Attributes
    ----------
    x : output, shape (n,).
    final : final demand that is served, shape (n,).
    duals : what the objective gains from one more unit of each cap, shape (k,).
    """

    x: Array
    final: Array
    duals: Array


def optimum(factors: CertifiedFactorisation, demand: Array, caps: Caps) -> Optimum:
    """Return the output that is worth most within the caps, serving no more than the final demand.

        max c'x   subject to   R x ≤ cap,   x ≥ 0,   s f ≤ (I − A) x ≤ f.

    Output is x = L f', so the program is solved for final demand f' with as many rows as there are caps,

        max (c L) f'   subject to   (R L) f' ≤ cap,   s f ≤ f' ≤ f,

    which needs one transposed solve and no inverse; rows for x ≥ 0 join where an output would be negative. Negative
    final demand (inventories drawn down) stays as it is: an industry that sells from them, and less of it, may make
    less than nothing, as few industries of published tables do.

    Parameters
    ----------
    factors : of I − A.
    demand : f, shape (n,).

    Raises
    ------
    ShockError
        If no output is possible: the caps that would have to be relaxed, and by how much.
    SolverError
        If the program is not solved.

    Source: Miller & Blair (2009), section 14.4; solved by HiGHS (Huangfu & Hall 2018).
    """
    from scipy.optimize import linprog  # 0.3 s of import that only caps need

    solved = factors.solve_transposed(np.column_stack([caps.weights, caps.rows.toarray().T]))
    worth, needs = solved[:, 0], solved[:, 1:].T
    lower = np.where(demand > 0, caps.served * demand, demand)
    short = needs @ lower - caps.limits
    lacking = np.flatnonzero(short > 1e-9 * np.maximum(np.abs(caps.limits), 1.0))
    if lacking.size:
        relax = [f"{caps.names[k]} by {short[k]:,.4g} {caps.units[k]}" for k in lacking]
        raise ShockError(
            f"no output keeps these caps and serves {caps.served:.0%} of final demand: relax {first_few(relax)}."
        )
    limits, rows, held = caps.limits, needs, 0
    makes = (demand >= 0) & (factors.solve(demand) >= 0)
    for _ in range(ROUNDS):
        found = linprog(-worth, A_ub=rows, b_ub=limits, bounds=np.column_stack([lower, demand]), method="highs")
        if found.status != 0:
            raise SolverError(f"the best output within the caps was not found: {found.message}")
        x = factors.solve(np.asarray(found.x))
        negative = np.flatnonzero(makes & (x < -NEGLIGIBLE * np.abs(x).max()))
        if not negative.size:
            duals = -np.asarray(found.ineqlin.marginals)[: len(caps.limits)]
            return Optimum(x, np.asarray(found.x), duals)
        unit = csr_array((np.ones(len(negative)), (negative, np.arange(len(negative)))), shape=(len(x), len(negative)))
        rows = np.vstack([rows, -factors.solve_transposed(unit.toarray()).T])
        limits, held = np.concatenate([limits, np.zeros(len(negative))]), held + len(negative)
    raise SolverError(
        f"the best output within the caps keeps making {held} outputs negative: inventories are too large."
    )
