"""Final demand, many amounts at a time: one solve for each producer, a product for each scenario."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nearshore_io.batch.engine.block import Routed, Solved
from nearshore_io.batch.engine.prepared import Prepared
from nearshore_io.errors import NearshoreError
from nearshore_io.labels import Positions
from nearshore_io.scenarios.base import in_table
from nearshore_io.scenarios.final_demand import FinalDemand
from nearshore_io.scenarios.parameters import substituted
from nearshore_io.scenarios.trade import chosen_uses, sales_mix
from nearshore_io.solvers.base import Array
from nearshore_io.sweeps import Points, Sweep, used

SLOTS = ("region", "sector", "final_region", "category", "mix")
"""Fields that may differ from producer to producer; the amount scales what they give."""


@dataclass(frozen=True)
class Demands:
    """The route of sweeps with one shock of additional final demand for an amount of money.

    Results are linear in the amount: with a producer's shares s, T = amount · M s, and Δx = amount · L s. What falls
    has to be there, which depends on the amount: a decrease takes its own route.
    """

    sweep: Sweep

    @classmethod
    def of(cls, sweep: Sweep, prepared: Prepared) -> "Demands | None":
        """Return the route, None where a sweep is something else."""
        entry = sweep.shocks[0]
        plain = (
            len(sweep.shocks) == 1
            and entry["kind"] == FinalDemand.kind
            and set(entry) <= {"kind", "amount", "unit", *SLOTS}
        )
        if not plain or prepared.model.held.size or (prepared.model.spends and prepared.request.moving_flows):
            return None
        return cls(sweep)

    def solve(self, prepared: Prepared, points: Points) -> Routed:
        """Return results of the scenarios this route can answer; those it cannot are left out."""
        entry = self.sweep.shocks[0]
        amounts = self._amounts(prepared, points, entry)
        names = list(dict.fromkeys(used({key: entry[key] for key in SLOTS if key in entry})))
        if amounts is None or any(not points.columns[name].options for name in names if name in points.columns):
            return Routed()
        first, group = points.alike([name for name in names if name in points.columns])
        good = np.isfinite(amounts) & (amounts >= 0)
        makers = [_maker(prepared, entry, points.values(int(i))) for i in first.tolist()]
        refused = [np.flatnonzero(good & (group == k)) for k, maker in enumerate(makers) if maker is None]
        places = np.flatnonzero(good & np.array([maker is not None for maker in makers])[group])
        if not places.size:
            return Routed(refused=refused)
        known = [maker for maker in makers if maker is not None]
        slot = np.cumsum([maker is not None for maker in makers]) - 1
        at, scale = slot[group[places]], amounts[places]
        return Routed([_solved(prepared, known, at, scale, places)], refused)

    def _amounts(self, prepared: Prepared, points: Points, entry: Mapping[str, Any]) -> Array | None:
        """Return the amount of every scenario in the table's unit, (k,); NaN where it cannot be read."""
        amount, unit = entry.get("amount"), entry.get("unit")
        if isinstance(unit, str) and unit.startswith("$"):
            return None
        prices = self.sweep.scenario(self.sweep.usual()).prices
        name = amount[1:] if isinstance(amount, str) and amount.startswith("$") else None
        if name is None or name in points.constants:
            value = amount if name is None else points.constants[name]
            return np.full(len(points), _in_table(prepared, value, unit, prices))
        column = points.columns[name]
        if column.numbers is not None:
            return None if unit is None else np.asarray(column.numbers * _in_table(prepared, 1.0, unit, prices))
        return np.array([_in_table(prepared, value, unit, prices) for value in column.options])[column.codes]


def _in_table(prepared: Prepared, amount: Any, unit: str | None, prices: Mapping[int, float]) -> float:
    """Return an amount in the table's unit; NaN where it cannot be read."""
    try:
        return in_table(amount, unit, prepared.model.table, prices, "final demand amount")
    except NearshoreError:
        return float("nan")


@dataclass(frozen=True)
class _Maker:
    """Who produces one more unit, and what sellers of each flow sell of it to its final users."""

    industries: Positions
    shares: Array
    exported: tuple[Array, ...]


def _maker(prepared: Prepared, entry: Mapping[str, Any], values: Mapping[str, Any]) -> _Maker | None:
    """Return the producers of a scenario, None where the shock refuses: its own route then says why."""
    table = prepared.model.table
    filled = substituted({key: entry[key] for key in SLOTS if key in entry}, values, "sweep")
    try:
        shock = FinalDemand(**filled, amount=1.0, unit=table.unit)
        industries = shock.industries(table)
        chosen = chosen_uses(table, shock.final_region, shock.category)
        shares = shock.producers(table, industries)
        prepared.model.require_active(industries[shares != 0], "a shock")
    except (NearshoreError, TypeError):
        return None
    exported = []
    for trade in prepared.trades:
        sold = np.zeros(len(trade.flow.sellers))
        cells = shares[:, None] * sales_mix(table, industries, chosen)
        at = {int(i): k for k, i in enumerate(trade.flow.sellers)}
        for i, row in zip(industries.tolist(), cells, strict=True):
            if i in at:
                sold[at[i]] += row[trade.flow.uses].sum()
        exported.append(sold)
    return _Maker(industries, shares, tuple(exported))


def _solved(prepared: Prepared, makers: list[_Maker], at: Positions, scale: Array, places: Positions) -> Solved:
    request, n = prepared.request, prepared.model.table.n
    values = np.empty((len(places), len(request.rows)))
    unit = np.array([prepared.M[:, maker.industries] @ maker.shares for maker in makers]).reshape(len(makers), -1)
    values[:, : request.linear] = scale[:, None] * unit[at]
    sd, vectors = None, {}
    if prepared.vectors or prepared.trades or prepared.propagation is not None:
        wanted, inverse = np.unique(np.concatenate([maker.industries for maker in makers]), return_inverse=True)
        with prepared.model.naming_industries():
            columns = prepared.model.system.inverse_columns(wanted)
        ends = np.cumsum([len(maker.industries) for maker in makers])
        dx = np.empty((len(makers), n))
        for k, (maker, places_of) in enumerate(zip(makers, np.split(inverse, ends[:-1]), strict=True)):
            dx[k] = columns[:, places_of] @ maker.shares
        if prepared.propagation is not None:
            per_unit = prepared.propagation.of_demand(dx)
            sd = np.full(values.shape, np.nan)
            sd[:, : request.linear] = scale[:, None] * per_unit[at]
            prepared.without_unknown(sd)
        moved = scale[:, None] * dx[at] if prepared.vectors else np.zeros((0, n))
        vectors = {name: moved * prepared.intensity(name) for name in prepared.vectors}
        for k, trade in enumerate(prepared.trades):
            more = dx[:, trade.flow.buyers] @ trade.inputs.T + np.array([maker.exported[k] for maker in makers])
            exports = trade.exports + scale[:, None] * more[at]
            total = exports.sum(axis=1)
            inside = exports @ trade.multipliers[:, trade.flow.sellers].T
            share = np.divide(
                inside, total[:, None], out=np.full(inside.shape, np.nan), where=total[:, None] > trade.nothing
            )
            values[:, trade.flow.first : trade.flow.first + len(trade.flow.origins)] = share
    return Solved(places, "run", prepared.masked(values), sd, vectors)
