"""The model's response to a change: output, split into direct, indirect and induced."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Change
from nearshore_io.solvers import CertifiedFactorisation, Updated
from nearshore_io.solvers.base import Array


@dataclass(frozen=True)
class Response:
    """Change of gross output, shape (n,), as the effects add up: direct + indirect + induced.

    Attributes
    ----------
    direct : what the shock itself asks for.
    open : with all rounds of suppliers (type I).
    closed : with households' spending as well (type II); equal to ``open`` in the open model.
    residual : largest relative residual of the solves.
    solver : which factors were used.
    """

    direct: Array
    open: Array
    closed: Array
    residual: float
    solver: str


def respond(model: Leontief, changes: Sequence[Change]) -> list[Response]:
    """Return the response to each change; demand-only changes are solved in one block.

    Equations: methods of `FinalDemand`, `FDI` and `Relocation`; in general, with A' = A + P Q and direct effect

        δ = P Q x + ΔY·1,    Δx = L' δ + L'_{·o} (L'_oo)⁻¹ X̄.
    """
    direct = [direct_effect(model, change) for change in changes]
    demand_only = [i for i, change in enumerate(changes) if change.only_demand]
    found: dict[int, Response] = {}
    if demand_only:
        block = np.array([direct[i] for i in demand_only]).T
        for i, response in zip(demand_only, _block(model, block), strict=True):
            found[i] = response
    for i, change in enumerate(changes):
        if i not in found:
            found[i] = _single(model, change, direct[i])
    return [found[i] for i in range(len(changes))]


def direct_effect(model: Leontief, change: Change) -> Array:
    """Return δ = P Q x + ΔY·1, shape (n,); raise `ShockError` where an industry without output is to produce."""
    demand = np.asarray(change.demand.sum(axis=1)).ravel()
    moved = change.P @ (change.Q @ model.table.x.values.ravel())
    direct: Array = demand + np.asarray(moved).ravel()
    model.require_active(np.flatnonzero((direct != 0) | (change.output != 0)), "a shock")
    return direct


def _block(model: Leontief, direct: Array) -> list[Response]:
    with model.naming_industries():
        first = model.factors.solution(direct)
        second = first if model.closure is None else model.system.solution(direct)
    residual = np.maximum(first.residual, second.residual)
    return [
        Response(direct[:, k], first.x[:, k], second.x[:, k], float(residual[k]), model.system.choice)
        for k in range(direct.shape[1])
    ]


def _single(model: Leontief, change: Change, direct: Array) -> Response:
    with model.naming_industries():
        factors: CertifiedFactorisation = model.factors
        system = model.system
        if change.P.shape[1]:
            factors = Updated(model.factors, change.P, change.Q)
            system = _closed(model, change, factors)
        first, residual = _mixed(factors, direct, change.output)
        second, residual_closed = (first, residual) if model.closure is None else _mixed(system, direct, change.output)
    return Response(direct + change.output, first, second, max(residual, residual_closed), system.choice)


def _closed(model: Leontief, change: Change, factors: CertifiedFactorisation) -> CertifiedFactorisation:
    """Return the changed system with the household loop over the changed baskets."""
    if model.closure is None:
        return factors
    loop = model.household_loop(model.table.y + change.moved.toarray())
    return model.closed(factors, loop)


def _mixed(system: CertifiedFactorisation, direct: Array, output: Array) -> tuple[Array, float]:
    """Return L δ + L_{·o} (L_oo)⁻¹ X̄ and the worst residual: output o is given, and not multiplied by itself.

    Source: Miller & Blair (2009), section 13.2.
    """
    given = np.flatnonzero(output)
    units = np.zeros((len(output), given.size + 1), order="F")
    units[:, -1] = direct
    units[given, np.arange(given.size)] = 1.0
    solution = system.solution(units)
    columns, total = solution.x[:, :-1], solution.x[:, -1].copy()
    if given.size:
        scale = np.asarray(np.linalg.solve(columns[given], output[given]), dtype=np.float64)
        total += columns @ scale
    return total, float(solution.residual.max())
