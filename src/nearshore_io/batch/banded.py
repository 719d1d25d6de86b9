"""How sure a table makes us of a result: its standard deviation in closed form, and the cells it comes from."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from nearshore_io.batch.economy import direct_effect
from nearshore_io.batch.engine.prepared import Prepared
from nearshore_io.batch.engine.singles import solve_each
from nearshore_io.batch.respond import respond
from nearshore_io.batch.run import named
from nearshore_io.errors import FormatError
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Phase, Scenario
from nearshore_io.solvers.base import dense
from nearshore_io.totals import Request, read_totals
from nearshore_io.uncertainty import DirichletErrors
from nearshore_io.uncertainty.gradients import Gradient
from nearshore_io.uncertainty.propagate import Propagation, Solved
from nearshore_io.uncertainty.spreads import assumed, spreads
from nearshore_io.units import is_number

LEVEL = 0.9


def table_band(
    model: Leontief,
    scenarios: Scenario | Iterable[Scenario],
    totals: str | Sequence[str],
    errors: DirichletErrors | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return totals of scenarios with the band that errors of the table's cells give them, one line for each total.

    Columns: scenario, phase, variable, place, sector, value, sd, low, high, unit. The band is value ± z sd, z the
    normal quantile of the level: first order in the errors, amounts and parameters of the shocks certain.

    Parameters
    ----------
    totals : such as "jobs by country, value_added of MEX"; not contents, which `content_band` has.
    errors : by default the grades of the table's cells; of a table without grades, an assumption (home 0.1, across
        0.3), which the attribute ``errors`` of the frame then says.

    Raises
    ------
    ShockError
        Shocks without a closed form (recipes, prices, limits, new plants): draw tables for those.

    Source: the delta method on Dirichlet columns; `uncertainty.propagate` has the equations.
    """
    z = _normal_quantile(level)
    errors, words = _errors(model, errors)
    prepared = Prepared.of(model, read_totals(totals), (), errors)
    if prepared.request.flows:
        raise FormatError("table_band: contents have content_band(model, exporter, importer, origin).")
    listed = named(scenarios)
    solved, failures = solve_each(prepared, enumerate(listed))
    for failure in failures:
        raise failure.error
    rows = []
    for part in sorted(solved, key=lambda found: int(found.places.min())):
        for k, place in enumerate(part.places.tolist()):
            for j, row in enumerate(prepared.request.rows):
                value = float(part.values[k, j])
                sd = float(part.sd[k, j]) if part.sd is not None else float("nan")
                rows.append(
                    {
                        "scenario": listed[place].name, "phase": part.phase, "variable": row.variable,
                        "place": row.place, "sector": row.sector, "value": value, "sd": sd,
                        "low": value - z * sd, "high": value + z * sd, "unit": row.unit,
                    }
                )  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.attrs = {"errors": words, "level": level, **model.table.provenance}
    return frame


def content_band(
    model: Leontief,
    exporter: str,
    importer: str,
    origin: str | None = None,
    errors: DirichletErrors | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return value added of origins per dollar of an export flow with its band: origin, value, sd, low, high.

    Parameters
    ----------
    importer : a country, or "all". origin : a country; by default every country.
    errors : as in `table_band`.

    Source: the delta method on C = v L e / 1'e; `Propagation.of_content` has the gradient.
    """
    z = _normal_quantile(level)
    errors, words = _errors(model, errors)
    whose = "by origin" if origin is None else f"of {origin}"
    prepared = Prepared.of(model, read_totals(f"content {exporter}→{importer} {whose}"), (), errors)
    flow = prepared.request.flows[0]
    propagation = Propagation(prepared.request, errors)
    rows = []
    for name, value in zip(flow.origins, prepared.baseline[flow.first :].tolist(), strict=True):
        sd = propagation.of_content(flow, name)
        rows.append({"origin": name, "value": value, "sd": sd, "low": value - z * sd, "high": value + z * sd})
    frame = pd.DataFrame(rows).set_index("origin")
    frame.attrs = {"errors": words, "level": level, **model.table.provenance}
    return frame


def error_sources(
    model: Leontief,
    scenario: Scenario,
    total: str,
    errors: DirichletErrors | None = None,
    *,
    phase: Phase = "run",
    top: int = 20,
) -> pd.DataFrame:
    """Return the coefficients whose errors matter most for one total, one line each, the largest share first.

    Cells are taken as independent here, each with its own relative standard deviation σ, and value added of the buyer
    takes what a cell gains: dT = Σ_kj (g_kj − h_j) da_kj, g_kj = μ_k Δx_j for demand alone, h_j of the buyer's value
    added. Columns: seller, buyer, coefficient, sd (of the coefficient), elasticity (∂T/∂a · a/T), share (of Var T).
    The attribute ``sd`` has the standard deviation of all cells together.

    Raises
    ------
    FormatError
        If the total is not one number.
    ShockError
        As `table_band`; a phase the scenario does not have.

    Source: Bullard & Sebald (1977), Review of Economics and Statistics 59, 75–81; dL = L dA L.
    """
    errors, words = _errors(model, errors)
    request = Request.of(model, read_totals(total))
    if len(request.rows) != 1 or not request.linear:
        raise FormatError(f'error_sources takes one number, such as "jobs of MEX", not {total!r}.')
    gradient, value, period = _gradient(model, request, errors, scenario, phase)
    table = model.table
    counted = list(table.inputs).index("value_added") if "value_added" in table.inputs else None
    residual = np.zeros(table.n) if counted is None else gradient.primary[counted]
    A, sigma = dense(table.A), spreads(table, errors.home, errors.across)
    weight = period * (gradient.block(0, table.n) - residual)
    parts = (weight * sigma * A) ** 2
    whole = float(parts.sum())
    best = np.argsort(parts, axis=None)[::-1][:top]
    rows = []
    for k, j in zip(*(index.tolist() for index in np.unravel_index(best, parts.shape)), strict=True):
        a = float(A[k, j])
        rows.append(
            {
                "seller": table.industry_names([k]), "buyer": table.industry_names([j]), "coefficient": a,
                "sd": float(sigma[k, j] * abs(a)),
                "elasticity": float(weight[k, j] * a / value) if value else float("nan"),
                "share": float(parts[k, j] / whole) if whole else float("nan"),
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.attrs = {"errors": words, "sd": float(np.sqrt(whole)), "value": value, **table.provenance}
    return frame


def _gradient(
    model: Leontief, request: Request, errors: DirichletErrors, scenario: Scenario, phase: Phase
) -> tuple[Gradient, float, float]:
    """Return what one total gains per unit of every coefficient over a year, the total, and the share of a year."""
    change = scenario.change(model.table, phase)
    direct_effect(model, change)
    response = respond(model, [change])[0]
    factors = model.factors if response.economy is None else response.economy.factors
    inputs, _ = Propagation(request, errors).gradients(Solved(change, response.closed, factors), 0)
    shift = change.shift(request.rows[0].variable) * request.members[0]
    x = model.table.x.values.ravel()
    value = float((request.weights[0] + shift) @ response.closed + shift @ x) * change.period
    return inputs, value, change.period


def _normal_quantile(level: float) -> float:
    """Return z of a band of this level, value ± z sd. Raises `FormatError` for what is no probability."""
    if not is_number(level) or not 0.0 < level < 1.0:
        raise FormatError(f"level is a probability between 0 and 1, not {level!r}.")
    return float(ndtri(0.5 + level / 2))


def _errors(model: Leontief, errors: DirichletErrors | None) -> tuple[DirichletErrors, str]:
    """Return errors of a table, and in words what they rest on."""
    if errors is not None and not isinstance(errors, DirichletErrors):
        raise FormatError(
            f"errors have a closed form for DirichletErrors, not for {type(errors).__name__}: draw tables."
        )
    if errors is not None:
        given = ", ".join(f"{name} {value:g}" for name, value in vars(errors).items() if value is not None)
        return errors, given or "the grades of the table's cells"
    stated = assumed(model.table)
    if stated is None:
        return DirichletErrors(), "the grades of the table's cells"
    home, across = stated
    words = f"an assumption, ±{100 * home:.0f} % for cells within a country and ±{100 * across:.0f} % across borders"
    return DirichletErrors(home=home, across=across), words
