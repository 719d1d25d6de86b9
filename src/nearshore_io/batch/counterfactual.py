"""The table as it would stand after a scenario."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.batch.content import balanced
from nearshore_io.batch.economy import coefficients_after, output_of
from nearshore_io.batch.respond import respond
from nearshore_io.errors import ClosureError, ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Change, Phase, Scenario
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table import IOTable


def counterfactual(model: Leontief, scenario: Scenario, phase: Phase = "run") -> Leontief:
    """Return the model over the table after a scenario, so that content and multipliers can be read off it.

    Z' = A' x̂', Y' = Y + ΔY, primary inputs and stressors at their intensities, value added less the cost of a
    relocation. New activities are added to the industries they are booked in. Output that is given (a running plant)
    and not bought by industries goes to final users in the proportions in which its industry sells to them already.
    Where costs are passed on, the table is at the new prices: p̂ Z', p̂ Y'.

    Raises
    ------
    ShockError
        If the scenario has no such phase; if it has no table after it (limits on output, duties and trade costs).
    ClosureError
        If the model is closed for households: their spending would have to be moved into final demand.
    """
    if not isinstance(model, Leontief) or not isinstance(scenario, Scenario):
        raise ShockError("counterfactual needs a model, nio.Leontief(table), and one nio.Scenario.")
    if model.closure is not None:
        raise ClosureError("counterfactual is defined for the open model: use Leontief(table) without closure.")
    change = scenario.change(model.table, phase)
    if change.wedge is not None or change.caps is not None or change.blockade is not None:
        raise ShockError(
            f"scenario {scenario.name!r}: no balanced table at one set of prices stands after duties, trade costs or "
            "limits on output. run(..., content=True) gives content after duties."
        )
    table = model.table
    if not balanced(table, change) or (change.activities and change.charge.any()) or change.period != 1.0:
        raise ShockError(
            f"scenario {scenario.name!r}: no balanced table stands after it: purchases are lost and nothing is paid "
            "less for it, or it lasts days, or a new plant's price differs from its industry's."
        )
    (response,) = respond(model, [change])
    x = output_of(table) + response.open
    A = coefficients_after(table, replace(change, activities=()))
    Z, Y = _scaled(A, x), table.y + change.demand.toarray()
    Z, Y = _with_activities(table, change, x, Z, Y)
    made = np.zeros(table.n)
    for activity in change.activities:
        made[activity.at] += activity.output(x)
    Y = Y + _unsold(table, change, x + made - np.asarray(Z.sum(axis=1)).ravel() - Y.sum(axis=1))
    if response.price is not None:
        p = 1.0 + response.price
        Z, Y = (csr_array(Z.multiply(p[:, None])) if issparse(Z) else Z * p[:, None]), Y * p[:, None]
    new = {name: np.zeros(table.n) for name in change.intensities if name not in (*table.inputs, *table.stressors)}
    facts = {key: value for key, value in table.meta.items() if key not in ("output", "name")}
    after = table.with_numbers(
        Z,
        Y,
        _totals(change, x, {**new, **{name: table.intensity(name) for name in table.inputs}}),
        {
            name: (values, table.stressors[name][1])
            for name, values in _totals(change, x, {name: table.intensity(name) for name in table.stressors}).items()
        },
        {
            **facts,
            "name": f"{table.name} after {scenario.name}",
            "history": (*table.meta["history"], f"counterfactual of {scenario.name!r}, {phase} phase"),
        },
    )
    return Leontief(after, solver=model.solver)


def _scaled(A: Matrix, x: Array) -> Matrix:
    return csr_array(A.multiply(x[None, :])) if issparse(A) else A * x


def _with_activities(table: IOTable, change: Change, x: Array, Z: Matrix, Y: Array) -> tuple[Matrix, Array]:
    """Return flows and final demand with what new activities buy and sell, in the industries they are booked in."""
    if not change.activities:
        return Z, Y
    flows, final = (Z.toarray() if issparse(Z) else Z.copy()), Y.copy()
    for activity in change.activities:
        flows[:, activity.at] += activity.recipe * activity.output(x)
        flows[activity.at] += activity.sales * x
        final[activity.at] += activity.final
    return csr_array(flows) if issparse(table.Z) else flows, final


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


def _totals(change: Change, x: Array, intensities: dict[str, Array]) -> dict[str, Array]:
    """Return inputs or stressors after a change, (s + Δs) x + Σ s_p x_p, each (n,)."""
    found = {}
    for name, intensity in intensities.items():
        found[name] = (intensity + change.shift(name)) * x
        for activity in change.activities:
            found[name][activity.at] += activity.intensities.get(name, 0.0) * activity.output(x)
    return found
