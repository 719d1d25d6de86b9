"""The table as it would stand after a scenario."""

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.batch.response import respond
from nearshore_io.errors import ClosureError, ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Change, Phase, Scenario
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table import IOTable


def counterfactual(model: Leontief, scenario: Scenario, phase: Phase = "run") -> Leontief:
    """Return the model over the table after a scenario, so that content and multipliers can be read off it.

    Z' = A' x̂', Y' = Y + ΔY, primary inputs and stressors at their intensities, value added less the cost of a
    relocation. Output that is given (a running plant) and not bought by industries goes to final users in the
    proportions in which its industry sells to them already.

    Raises
    ------
    ShockError
        If the scenario has no such phase.
    ClosureError
        If the model is closed for households: their spending would have to be moved into final demand.
    """
    if not isinstance(model, Leontief) or not isinstance(scenario, Scenario):
        raise ShockError("counterfactual needs a model, nio.Leontief(table), and one nio.Scenario.")
    if model.closure is not None:
        raise ClosureError("counterfactual is defined for the open model: use Leontief(table) without closure.")
    changes = scenario.changes(model.table)
    if phase not in changes:
        raise ShockError(f"scenario {scenario.name!r} has no {phase} phase, only {', '.join(changes)}.")
    change = changes[phase]
    table = model.table
    (response,) = respond(model, [change])
    x = table.x.values.ravel() + response.open
    A = _coefficients(table, change)
    Y = table.y + change.demand.toarray()
    Y = Y + _unsold(table, change, x - A @ x - Y.sum(axis=1))
    facts = {key: value for key, value in table.meta.items() if key not in ("output", "name")}
    after = table.with_numbers(
        _scaled(A, x),
        Y,
        _inputs(model, change, x),
        {name: (model.table.per_output(values) * x, unit) for name, (values, unit) in table.stressors.items()},
        {
            **facts,
            "name": f"{table.name} after {scenario.name}",
            "history": (*table.meta["history"], f"counterfactual of {scenario.name!r}, {phase} phase"),
        },
    )
    return Leontief(after, solver=model.solver)


def _coefficients(table: IOTable, change: Change) -> Matrix:
    if not change.P.shape[1]:
        return table.A
    if issparse(table.A):
        return csr_array(table.A + change.P @ change.Q)
    A = table.A.copy()
    rows = np.flatnonzero(np.diff(change.P.indptr))
    A[rows] += (change.P[rows] @ change.Q).toarray()
    return A


def _scaled(A: Matrix, x: Array) -> Matrix:
    return csr_array(A.multiply(x[None, :])) if issparse(A) else A * x


def _unsold(table: IOTable, change: Change, rest: Array) -> Array:
    """Return the given output that industries do not buy, by final use, shape (n, final uses)."""
    sales = np.zeros(table.y.shape)
    for i in np.flatnonzero(change.output).tolist():
        existing = np.maximum(table.y[i], 0.0)
        if not existing.sum() > 0:
            raise ShockError(
                f"{table.industry_names([i])} sells nothing to final users, so it is unknown who would buy the "
                "plant's output: model its buyers with FinalDemand or Relocation."
            )
        sales[i] = rest[i] * existing / existing.sum()
    return sales


def _inputs(model: Leontief, change: Change, x: Array) -> dict[str, Array]:
    inputs = {name: model.table.intensity(name) * x for name in model.table.inputs}
    if change.cost.any():
        inputs["value_added"] = inputs["value_added"] - change.cost * x
    return inputs
