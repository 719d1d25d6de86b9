"""Content of exports before and after a change, from the factors at hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nearshore_io.batch.economy import coefficients_after, output_of
from nearshore_io.batch.response import Response
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Activity, Change
from nearshore_io.scenarios.trade import final_uses
from nearshore_io.solvers import CertifiedFactorisation
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table import IOTable

Wanted = tuple[str, str, str | None]
"""Origin, exporter, importer (None: the world)."""
FLOWS: tuple[Wanted, ...] = (("USA", "MEX", None), ("USA", "MEX", "USA"), ("MEX", "USA", "MEX"))
WHEN = ("before", "after")
NOTHING = 1e-12
"""Exports, relative to the output of their sellers, that are no exports but what rounding leaves of them."""


def flow_names(table: IOTable) -> list[str]:
    """Return the names of the flows whose content is known in a table."""
    if not {"USA", "MEX"} <= set(table.countries):
        return []
    return [f"{origin} in exports of {exporter} to {importer or 'all'}" for origin, exporter, importer in FLOWS]


def content_before(model: Leontief) -> Array:
    """Return v_o L e / 1'e of the flows of `FLOWS`, shape (flows,); of no flow where a country is missing."""
    return contents_before(model, FLOWS) if flow_names(model.table) else np.zeros(0)


def contents_before(model: Leontief, flows: Sequence[Wanted]) -> Array:
    """Return v_o L e / 1'e of every flow in the table, shape (flows,)."""
    table = model.table
    v = table.intensity("value_added")
    return _contents(table, flows, model.factors, table.A, table.y, output_of(table), v, (), np.ones(table.n))


def content_after(model: Leontief, change: Change, response: Response) -> Array:
    """Return v_o L e / p e of the flows of `FLOWS` after a change, (flows,); of no flow where a country is missing."""
    return contents_after(model, change, response, FLOWS) if flow_names(model.table) else np.zeros(0)


def contents_after(model: Leontief, change: Change, response: Response, flows: Sequence[Wanted]) -> Array:
    """Return v_o L e / p e of every flow after a change, shape (flows,).

    NaN after what leaves no balanced table: limits on output, purchases that are lost, disruptions of days. Households'
    induced imports are not exports of the table and stay out.
    """
    table, x = model.table, output_of(model.table)
    if change.caps is not None or change.blockade is not None or change.period != 1.0 or not balanced(table, change):
        return np.full(len(flows), np.nan)
    price = np.ones(table.n) if response.price is None else 1.0 + response.price
    v = table.intensity("value_added") + change.shift("value_added")
    after = x + response.open
    if response.economy is None:
        Y = table.y + change.demand.toarray()
        return _contents(table, flows, model.factors, table.A, Y, after, v, (), price)
    economy = response.economy
    A = economy.resourced
    if A is None:
        A = coefficients_after(table, replace(change, activities=()))
    return _contents(table, flows, economy.factors, A, economy.Y, after, v, change.activities, price)


def balanced(table: IOTable, change: Change) -> bool:
    """Tell whether costs still add up to prices: 1ᵀΔA = cost + charge − Δ(inputs), which lost purchases break."""
    if not change.P.shape[1]:
        return True
    columns = np.asarray(change.Q.T @ np.asarray(change.P.sum(axis=0)).ravel()).ravel()
    for activity in change.activities:
        columns = columns + activity.sales
    paid = np.asarray(change.cost + change.charge)
    for name, values in change.intensities.items():
        if name not in table.stressors:
            paid = paid - values
    return bool(np.abs(columns - paid).max(initial=0.0) <= 1e-9)


def _contents(
    table: IOTable,
    flows: Sequence[Wanted],
    factors: CertifiedFactorisation,
    A: Matrix,
    Y: Array,
    x: Array,
    v: Array,
    activities: Sequence[Activity],
    price: Array,
) -> Array:
    """Return v_o L e / p e of every flow, shape (flows,).

    A new activity p is solved out of the factors: who buys b_p of it buys v_p b_p of its value added; its own exports
    carry v_p + m a_p, and what it buys abroad is part of the exports of others.
    """
    width = len(table.sectors)
    origins = list(dict.fromkeys(origin for origin, _, _ in flows))
    weights = np.zeros((table.n, len(origins)))
    for k, origin in enumerate(origins):
        rows = table.positions(region=origin)
        weights[rows, k] = v[rows]
        for p in activities:
            if table.country[table.regions[p.at // width]] == origin:
                weights[:, k] += p.intensities["value_added"] * p.sales
    multipliers = factors.solve_transposed(weights)
    found = []
    for origin, exporter, importer in flows:
        k = origins.index(origin)
        rows = table.positions(region=exporter)
        own = table.countries_of(exporter)
        wanted = set(table.countries) - own if importer is None else table.countries_of(importer)
        abroad = [country for country in table.countries if country in wanted]
        buyers, uses = table.positions(region=abroad), final_uses(table, table.region_positions(abroad))
        exports = np.asarray(A[rows][:, buyers] @ x[buyers]).ravel() + Y[rows][:, uses].sum(axis=1)
        for p in activities:
            if table.country[table.regions[p.at // width]] in abroad:
                exports += p.recipe[rows] * p.output(x)
        total, inside = float(price[rows] @ exports), float(multipliers[rows, k] @ exports)
        for p in activities:
            if table.country[table.regions[p.at // width]] in own:
                sold = float(p.sales[buyers] @ x[buyers] + p.final[uses].sum())
                added = p.intensities["value_added"] if origin in own else 0.0
                costs = price @ p.recipe + sum(p.intensities[name] for name in table.inputs)
                total, inside = (
                    total + float(costs) * sold,
                    inside + sold * (added + float(multipliers[:, k] @ p.recipe)),
                )
        found.append(inside / total if total > NOTHING * x[rows].sum() else np.nan)
    return np.array(found)
