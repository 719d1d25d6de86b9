"""Decompositions in which one flow, or one importer, is the border that counts."""

import numpy as np

from nearshore_io.errors import SolverError
from nearshore_io.indicators.areas import Areas
from nearshore_io.solvers import Updated
from nearshore_io.solvers.base import Array, dense


def own_flow(areas: Areas, s: int, importers: list[int], industries: list[int] | None) -> dict[str, Array]:
    """Return what is lost when only this flow is extracted: value added counts when it first crosses in this flow.

    A̸ is A without the rows of s (or of some of its industries) in the columns of the importers:

        dva = v_s B̸_s· # E,  ddc = v_s (B − B̸)_s· # E,  fva = Σ_t≠s v_t B̸_t· # E,  fdc = the rest

    Parameters
    ----------
    industries : positions within the exporter's rows; None for all. Terms of other cells are zero.

    Source: Borin & Mancini (2019), section 4; Los & Timmer (2018), NBER Working Paper 24891; Miroudot & Ye (2021).
    """
    rows = areas.rows[s]
    chosen = rows if industries is None else rows[industries]
    columns = np.concatenate([areas.rows[r] for r in importers])
    P = np.zeros((len(areas.x), len(chosen)))
    P[chosen, np.arange(len(chosen))] = -1.0
    Q = np.zeros((len(chosen), len(areas.x)))
    Q[:, columns] = dense(areas.model.table.A[chosen][:, columns])
    E = np.zeros((len(rows), len(areas.names)))
    flow = np.ix_(np.flatnonzero(np.isin(rows, chosen)), np.array(importers, dtype=np.intp))
    E[flow] = areas.exports(s)[flow]
    return _split(areas, s, E, _weights(areas, P, Q))


def importer(areas: Areas, s: int, r: int) -> dict[str, Array]:
    """Return the importer's perspective on the flow s → r: value added counts when it first enters r.

    A̸ is A without what r buys abroad, A_jr = 0 for j ≠ r; terms as in `own_flow`.

    Source: Borin & Mancini (2019), section 5.
    """
    columns = areas.rows[r]
    P = -dense(areas.model.table.A[:, columns])
    P[columns] = 0.0
    Q = np.zeros((len(columns), len(areas.x)))
    Q[np.arange(len(columns)), columns] = 1.0
    E = np.zeros((len(areas.rows[s]), len(areas.names)))
    E[:, r] = areas.exports(s)[:, r]
    return _split(areas, s, E, _weights(areas, P, Q))


def _weights(areas: Areas, P: Array, Q: Array) -> Array:
    """Return v_t B̸ by origin t, shape (G, n), of A̸ = A + P Q."""
    with areas.model.naming_industries():
        try:
            return Updated(areas.model.factors, P, Q).solve_transposed(areas.weights).T
        except SolverError as error:
            raise SolverError(f"the flow cannot be extracted: {error}") from error


def _split(areas: Areas, s: int, E: Array, first: Array) -> dict[str, Array]:
    rows = areas.rows[s]
    own, own_first = areas.VB[s, rows][:, None], first[s, rows][:, None]
    foreign = areas.foreign(s)[:, None]
    foreign_first = (first[:, rows].sum(axis=0) - first[s, rows])[:, None]
    terms = {
        "exports": E,
        "dva": own_first * E,
        "ddc": (own - own_first) * E,
        "fva": foreign_first * E,
        "fdc": (foreign - foreign_first) * E,
    }
    return terms | {"dc": terms["dva"] + terms["ddc"], "fc": terms["fva"] + terms["fdc"]}
