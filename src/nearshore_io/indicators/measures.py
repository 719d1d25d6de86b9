"""What counts as content of an export: four measures, each in the literature under the same words.

Each returns what is inside export vectors by the industry it comes from, split into what is added there and what is
paid as other inputs (product taxes): two arrays of the shape of the exports, (n, k), that sum to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from nearshore_io.errors import LabelError, ShockError, first_few
from nearshore_io.labels import Positions
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable

Specialised: TypeAlias = Mapping[str, float] | Literal["upper", "lower"]
"""Inputs of exports to one importer: shares of imported inputs by country, or the bounds of the importer's own."""

DEFINITIONS = {
    "value_added": "value added by origin anywhere in the chain, v L e",
    "direct_inputs": "inputs bought at the first tier by origin, A e; the exporter's own value added is its own",
    "vertical_specialisation": "imported inputs by origin anywhere in the exporter's own chain, A_rs (I − A_ss)⁻¹ e",
    "specialised": "value added by origin, with inputs specific to the importer: v (e + L A* e)",
}
SOURCES = {
    "value_added": "Koopman, Wang & Wei (2014)",
    "direct_inputs": "tier-one accounting",
    "vertical_specialisation": "Hummels, Ishii & Yi (2001)",
    "specialised": "de Gortari (2019)",
}


@dataclass(frozen=True, eq=False)
class Inside:
    """What is inside exports by industry of origin: added there, paid as each other input, and the solve's residual."""

    added: Array
    paid: Mapping[str, Array]
    residual: float


def value_added(model: Leontief, sold: Array) -> Inside:
    """Return v L e by origin.

    Source: Koopman, Wang & Wei (2014), American Economic Review 104, 459–494.
    """
    with model.naming_industries():
        solution = model.factors.solution(sold)
    return _weighted(model.table, solution.x, float(solution.residual.max()))


@dataclass(frozen=True, eq=False)
class Multipliers:
    """What a dollar of each industry's output holds by country of origin, (countries, n), for each input."""

    by_input: Mapping[str, Array]
    residual: float


def multipliers_by_origin(model: Leontief) -> Multipliers:
    """Return v_r L for each country r and each input, by one transposed block solve.

    Source: Koopman, Wang & Wei (2014), American Economic Review 104, 459–494.
    """
    table = model.table
    owner = [table.countries.index(table.country[region]) for region in table.regions]
    members = np.eye(len(table.countries))[np.repeat(owner, len(table.sectors))]
    weights = np.hstack([table.intensity(name)[:, None] * members for name in table.inputs])
    with model.naming_industries():
        solution = model.factors.solution(weights, transposed=True)
    parts = np.split(np.ascontiguousarray(solution.x.T), len(table.inputs))
    return Multipliers(dict(zip(table.inputs, parts, strict=True)), float(solution.residual.max()))


def direct_inputs(model: Leontief, sold: Array) -> Inside:
    """Return A e by origin, with the exporter's own value added under the exporter."""
    inside = _weighted(model.table, sold, 0.0)
    return Inside(np.asarray(model.table.A @ sold) + inside.added, inside.paid, 0.0)


def vertical_specialisation(model: Leontief, sold: Array, own: Positions) -> Inside:
    """Return imports by origin in the exporter's chain at home, A_rs L_ss e, and what is added at home, v_s L_ss e.

    It exceeds foreign value added by the exporter's own value added that comes back inside imports.

    Parameters
    ----------
    own : positions of the exporter's industries.

    Source: Hummels, Ishii & Yi (2001), Journal of International Economics 54, 75–96.
    """
    output = np.zeros_like(sold)
    output[own] = np.linalg.solve(np.eye(len(own)) - dense(model.table.A[own][:, own]), sold[own])
    bought = np.asarray(model.table.A @ output)
    bought[own] = 0.0
    inside = _weighted(model.table, output, 0.0)
    return Inside(bought + inside.added, inside.paid, 0.0)


def specialised(model: Leontief, sold: Array, own: Positions, importer: Positions, inputs: Specialised) -> Inside:
    """Return value added by origin where the exports' own inputs are specific to their importer: v (e + L A* e).

    The exporter's imported inputs of each product, m_ij, keep their amount; A* gives them other origins. The exports
    are the share ω_j of an industry's output, and what its other output then uses, (a − ω a*) / (1 − ω), must not be
    negative. Suppliers further up are the table's averages.

    Parameters
    ----------
    inputs : shares of imported inputs by country, for each product alike, the other countries keeping their
        proportions; or "upper" and "lower": as much, or as little, of the importer's own as the table's totals allow.

    Raises
    ------
    LabelError
        Countries that the table lacks.
    ShockError
        Shares that are no shares, or more than the table's totals allow.

    Source: de Gortari (2019), NBER Working Paper 25868.
    """
    table = model.table
    total = sold.sum(axis=1)
    x = table.x.values.ravel()
    share = np.divide(total[own], x[own], out=np.zeros(len(own)), where=x[own] > 0)
    average = dense(table.A[:, own])
    if isinstance(inputs, Mapping):
        specific = _by_shares(table, average, own, inputs)
        beyond = (share * specific > average * (1 + 1e-9) + 1e-15) & (specific > 0)
        if beyond.any():
            cells = np.argwhere(beyond)
            names = [f"{table.industry_names([i])} in {table.industry_names([own[j]])}" for i, j in cells[:3]]
            raise ShockError(
                f"these shares ask for more than the totals in {len(cells):,} cells (such as {first_few(names)}): "
                "other output would use less than nothing. 'upper' and 'lower' give what is possible."
            )
    else:
        specific = _bound(table, average, own, importer, share, most=inputs == "upper")
    output = sold.copy()
    with model.naming_industries():
        solution = model.factors.solution(specific @ sold[own])
    return _weighted(table, output + solution.x, float(solution.residual.max()))


def _by_shares(table: IOTable, average: Array, own: Positions, inputs: Mapping[str, float]) -> Array:
    strange = [name for name in inputs if name not in table.countries]
    if strange:
        raise LabelError(f"specialised inputs name {first_few(strange)}; countries: {first_few(table.countries, 60)}.")
    if min(inputs.values()) < 0 or sum(inputs.values()) > 1 + 1e-12:
        raise ShockError("specialised inputs are shares of imported inputs: at least 0 each, together at most 1.")
    if set(inputs) & {table.country[table.regions[i // len(table.sectors)]] for i in own}:
        raise ShockError("specialised inputs are about imported inputs: the exporter itself has no share in them.")
    width = len(table.sectors)
    named = {name: table.positions(region=name) for name in inputs}
    imported = np.setdiff1d(np.arange(table.n), own)
    rest = np.setdiff1d(imported, np.concatenate(list(named.values())))
    bought = _by_product(average, imported, width)
    specific = average.copy()
    for name, rows in named.items():
        specific[rows] = _spread(table, average, rows, inputs[name] * bought)
    specific[rest] = _spread(table, average, rest, (1.0 - sum(inputs.values())) * bought)
    return specific


def _bound(table: IOTable, average: Array, own: Positions, importer: Positions, share: Array, *, most: bool) -> Array:
    width = len(table.sectors)
    imported = np.setdiff1d(np.arange(table.n), own)
    theirs = np.intersect1d(imported, importer)
    others = np.setdiff1d(imported, theirs)
    bought = _by_product(average, imported, width)
    favoured, left = (theirs, others) if most else (others, theirs)
    usual = _by_product(average, favoured, width)
    limit = np.divide(usual, share, out=np.full_like(usual, np.inf), where=share > 0)
    taken = np.minimum(bought, np.where(usual > 0, limit, 0.0))
    specific = average.copy()
    specific[favoured] = _spread(table, average, favoured, taken)
    specific[left] = _spread(table, average, left, bought - taken)
    return specific


def _by_product(average: Array, rows: Positions, width: int) -> Array:
    """Return inputs by product, (sectors, buyers), of some sellers."""
    found = np.zeros((width, average.shape[1]))
    np.add.at(found, rows % width, average[rows])
    return found


def _spread(table: IOTable, average: Array, rows: Positions, wanted: Array) -> Array:
    """Return amounts by product, (sectors, buyers), spread over sellers in their usual proportions."""
    width = len(table.sectors)
    usual = _by_product(average, rows, width)
    missing = (usual <= 0) & (wanted > 1e-12)
    if missing.any():
        products = [table.sectors[i] for i in np.unique(np.nonzero(missing)[0]).tolist()]
        raise ShockError(
            f"specialised inputs ask for {first_few(products)} of countries that sell none of it to the exporter: a "
            "share by country holds for every product. The bounds 'upper' and 'lower' move what each country does sell."
        )
    factor = np.divide(wanted, usual, out=np.zeros_like(usual), where=usual > 0)
    return np.asarray(average[rows] * factor[rows % width])


def _weighted(table: IOTable, output: Array, residual: float) -> Inside:
    paid = {name: table.intensity(name)[:, None] * output for name in table.inputs if name != "value_added"}
    return Inside(table.intensity("value_added")[:, None] * output, paid, residual)
