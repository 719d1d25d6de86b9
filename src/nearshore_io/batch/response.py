"""The model's response to a change: output, split into direct, indirect and induced."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.batch.economy import Economy, output_of
from nearshore_io.households import HouseholdLoop
from nearshore_io.leontief import Leontief
from nearshore_io.mixed import without_rows
from nearshore_io.scenarios import Change, Fact
from nearshore_io.solvers import CertifiedFactorisation, Updated
from nearshore_io.solvers.base import Array


@dataclass(frozen=True)
class Response:
    """Change of gross output of the table's industries, shape (n,), as the effects add up: direct + indirect + induced.

    Attributes
    ----------
    direct : what the shock itself asks for.
    open : with all rounds of suppliers (type I).
    closed : with households' spending as well (type II); equal to ``open`` in the open model.
    residual : largest relative residual of the solves.
    solver : which factors were used.
    given_up : value added that sellers give up at their output, shape (n,); None where there is no such thing.
    price : change of sellers' prices relative to the table's, shape (n,); None where prices stay.
    shadow_price : worth of one more unit of output, shape (n,), where output is capped; None elsewhere.
    economy : the economy it was solved in; None where final demand alone changed, or limits held output back.
    facts : numbers beside the results.
    """

    direct: Array
    open: Array
    closed: Array
    residual: float
    solver: str
    given_up: Array | None = None
    price: Array | None = None
    shadow_price: Array | None = None
    economy: Economy | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


def demand_responses(model: Leontief, direct: Array) -> list[Response]:
    """Return the responses to demand alone, δ of shape (n, k), solved in one block."""
    with model.naming_industries():
        asked = direct
        if model.held.size:
            asked = direct.copy()
            asked[model.held] = 0.0
        second = model.system.solution(asked)
        first = model.factors.solution(asked) if model.spends else second
    residual = np.maximum(first.residual, second.residual)
    return [
        Response(direct[:, k], first.x[:, k], second.x[:, k], float(residual[k]), model.system.choice)
        for k in range(direct.shape[1])
    ]


def general_response(model: Leontief, change: Change, economy: Economy) -> Response:
    """Return the response to any change without limits.

    With A' = A + P Q (and the columns of new activities p, solved out as a_p b_p) and direct effect δ,

        Δx = L' (δ + Σ_p a_p x_p) + L'_{·o} (L'_oo)⁻¹ X̄,   δ = (A' − A) x + ΔY·1.
    """
    asked, output = economy.asked, change.output
    if model.held.size:
        asked, output = asked.copy(), output.copy()
        asked[model.held], output[model.held] = output[model.held], 0.0
    with model.naming_industries():
        if model.spends:
            first, residual = _mixed(economy.factors, asked, output)
            loop, spent = _household_income(model, change, economy)
            system = model.closed(economy.factors, loop)
            second, again = _mixed(system, asked + spent, output)
        else:
            system = _without_held(model, change, economy)
            second, again = _mixed(system, asked, output)
            first, residual = second, again
    return Response(
        direct=economy.direct + change.output,
        open=first,
        closed=second,
        residual=max(residual, again),
        solver=f"{f'prices in {economy.steps} steps; ' if economy.steps else ''}{system.choice}",
        given_up=economy.given_up,
        price=economy.price,
        economy=economy,
        facts=economy.facts,
    )


def _without_held(model: Leontief, change: Change, economy: Economy) -> CertifiedFactorisation:
    """Return the factors without the rows of industries whose outputs are given."""
    if not model.held.size:
        return economy.factors
    P, Q = without_rows(model.table, model.held)
    left, right = change.low_rank
    if left.shape[1]:
        Q = csr_array(Q + left[model.held] @ right)
    return Updated(economy.factors, P, Q)


def _household_income(model: Leontief, change: Change, economy: Economy) -> tuple[HouseholdLoop, Array]:
    """Return the household loop after a change, and the spending of income that is new at unchanged output, (n,).

    Wages that change, and those of new plants, are earned in the loop as well: h_r gains κ (Δw + Σ_p w_p b_p).
    """
    table, x = model.table, output_of(model.table)
    baskets = table.y + change.moved.toarray() if economy.baskets is None else economy.baskets
    loop = model.household_loop(baskets)
    inside = np.asarray(loop.kept.any(axis=0))  # of other households nobody has to know the income
    wages = np.where(inside, change.intensities.get(model.income, np.zeros(table.n)), 0.0)
    income, earning = wages * x, loop.earning + loop.kept * wages
    for activity in change.activities:
        if not inside[activity.at]:
            continue
        wage = activity.intensities[model.income]
        income[activity.at] += wage * activity.output(x)
        earning = earning + np.outer(loop.kept[:, activity.at] * wage, activity.sales)
    return replace(loop, earning=earning), np.asarray(loop.spending @ (loop.kept @ income))


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
