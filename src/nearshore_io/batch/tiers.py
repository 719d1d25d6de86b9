"""Where the dollar of a shock goes: producers, their first-tier suppliers, and whose value added it becomes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from nearshore_io.batch.economy import coefficients_after, output_of
from nearshore_io.batch.respond import respond
from nearshore_io.errors import ClosureError, ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Activity, Change, Phase, Scenario
from nearshore_io.solvers import CertifiedFactorisation
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table import IOTable

SHOCK, OWN, TAXES, UNEXPLAINED = "shock", "own value added", "taxes", "unexplained"
COLUMNS = ["phase", "direction", "tier", "source", "target", "value", "unit"]
ROUNDING = 1e-11
"""Demand, relative to the largest change of output, that is what rounding leaves."""
GAP = 0.02
"""Part of a shock that may be nobody's income before the account is refused."""


def demand_flows(model: Leontief, scenario: Scenario, phase: Phase = "run") -> pd.DataFrame:
    """Return where the money of a shock goes, in three tiers, what is gained and what is lost apart.

    Tier 1 is the shock's demand δ by the country that produces; tier 2 what those producers buy from suppliers of each
    country, A' δ, and their own value added; tier 3 whose value added the suppliers' sales become, v'_o L' A' δ. With
    δ = Δx − A' Δx, every node pays out what it takes in: value added and taxes add up to the shock. What buyers pay out
    of their own income for dearer suppliers is no flow of demand, and stays out.

    Columns: phase, direction ("gained", "lost"), tier, source, target, value (positive), unit. Names are countries,
    ``shock``, ``own value added``, ``taxes`` (product taxes, of all countries), other primary inputs by their name, and
    ``unexplained`` (what a published table's inputs miss of its outputs).

    Raises
    ------
    ShockError
        If the scenario has no such phase, or its money does not add up: limits, duties, disruptions of days, costs
        passed on in prices.
    LabelError
        If the table has no value added.
    ClosureError
        If the model is closed for households, whose spending would be a tier of its own.

    Source: Miller & Blair (2009), section 2.4 (rounds); value added by origin as in Koopman, Wang & Wei (2014).
    """
    if model.closure is not None:
        raise ClosureError("the flows of a shock are defined for the open model: use Leontief(table) without closure.")
    change = scenario.change(model.table, phase)
    if change.caps is not None or change.blockade is not None or change.wedge is not None or change.period != 1.0:
        raise ShockError(
            f"scenario {scenario.name!r}: after limits, duties or a disruption of days, demand and income are no flows "
            "of one account."
        )
    (response,) = respond(model, [change])
    flows = _Flows(
        model.table,
        change,
        model.factors if response.economy is None else response.economy.factors,
        model.table.A if response.economy is None else coefficients_after(model.table, change),
        response.open,
    )
    rows = [
        {"phase": phase, "direction": direction, **row, "unit": model.table.unit}
        for direction, sign in (("gained", 1.0), ("lost", -1.0))
        for row in flows.rows(sign)
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    total = frame.loc[frame["tier"] == 1, "value"].sum()
    unexplained = frame.loc[frame["target"] == UNEXPLAINED, "value"].abs().sum()
    if unexplained > GAP * total:
        raise ShockError(
            f"scenario {scenario.name!r}: {unexplained / total:.0%} of the shock is nobody's income, since costs no "
            "longer add up to prices (cost_paid_by='price', or purchases that are lost)."
        )
    frame.attrs = {**model.table.provenance, "scenario": scenario.name}
    return frame


@dataclass(frozen=True)
class _Flows:
    """A shock after it is solved.

    Attributes
    ----------
    factors, A : of the table after the change, the columns of new activities solved out.
    dx : change of output, shape (n,).
    """

    table: IOTable
    change: Change
    factors: CertifiedFactorisation
    A: Matrix
    dx: Array

    @property
    def other_inputs(self) -> list[str]:
        """Primary inputs beside value added: product taxes, and imports where the table has them so."""
        return [name for name in self.table.inputs if name != "value_added"]

    @cached_property
    def incomes(self) -> dict[str, Array]:
        """Income per unit of output by who gets it: value added by country, taxes, what nobody is said to get; (n,)."""
        table = self.table
        added = table.intensity("value_added") + self.change.shift("value_added")
        found = {country: np.zeros(table.n) for country in table.countries}
        for region in table.regions:
            rows = table.positions(region=region)
            found[table.country[region]][rows] = added[rows]
        for name in self.other_inputs:
            found[_getter(name)] = table.intensity(name) + self.change.shift(name)
        for activity in self.change.activities:
            for name, value in self._paid_by(activity).items():
                found[name] += value * activity.sales
        active = output_of(table) > 0
        gap = active * (1.0 - np.asarray(self.A.sum(axis=0)).ravel()) - sum(found.values())
        found[UNEXPLAINED] = np.where(active, gap, 0.0)
        return found

    @cached_property
    def embodied(self) -> Array:
        """Income of each getter embodied in a unit of final demand, m = s L', shape (n, getters)."""
        return np.asarray(self.factors.solve_transposed(np.column_stack(list(self.incomes.values()))))

    def _country(self, activity: Activity) -> str:
        return self.table.country[self.table.regions[activity.at // len(self.table.sectors)]]

    def _paid_by(self, activity: Activity) -> dict[str, float]:
        """Return income per unit of a new activity's output, by who gets it."""
        paid = {_getter(name): float(activity.intensities[name]) for name in self.other_inputs}
        return {self._country(activity): float(activity.intensities["value_added"]), **paid}

    def rows(self, sign: float) -> list[dict[str, object]]:
        """Return the rows of all tiers for demand that is gained (sign 1) or lost (−1)."""
        asked = self.dx - np.asarray(self.A @ self.dx).ravel()
        at_work = [(p, p.output(output_of(self.table))) for p in self.change.activities]
        for activity, output in at_work:
            asked = asked - activity.recipe * output
        noise = ROUNDING * np.abs(self.dx).max(initial=0.0)
        asked = np.where(sign * asked > noise, sign * asked, 0.0)
        ledger = _Ledger(self)
        for country in self.table.countries:
            of_country = np.zeros(self.table.n)
            rows = self.table.positions(region=country)
            of_country[rows] = asked[rows]
            own = {name: float(values @ of_country) for name, values in self.incomes.items()}
            ledger.add(country, own, np.asarray(self.A @ of_country).ravel())
        for activity, output in at_work:
            if sign * output > 0:
                own = {name: value * abs(output) for name, value in self._paid_by(activity).items()}
                ledger.add(self._country(activity), own, activity.recipe * abs(output))
        return ledger.rows()


def _getter(name: str) -> str:
    """Return who gets a primary input: product taxes by that name, others by their own."""
    return TAXES if name == "taxes_less_subsidies" else name


class _Ledger:
    """Payments by tier, added up by who pays and who gets them."""

    def __init__(self, flows: _Flows) -> None:
        self.flows = flows
        self.size = float(np.abs(flows.dx).max(initial=0.0))
        self.paid: dict[tuple[int, str, str], float] = {}

    def add(self, producer: str, own: dict[str, float], bought: Array) -> None:
        """Book what producers of a country earn themselves, and what they buy, shape (n,)."""
        self._book(1, SHOCK, producer, sum(own.values()) + float(bought.sum()))
        self._book(2, producer, OWN, sum(own.values()))
        for name, value in own.items():
            self._book(3, OWN, name, value)
        table = self.flows.table
        for supplier in table.countries:
            rows = table.positions(region=supplier)
            self._book(2, producer, supplier, float(bought[rows].sum()))
            for name, value in zip(self.flows.incomes, bought[rows] @ self.flows.embodied[rows], strict=True):
                self._book(3, supplier, name, float(value))

    def _book(self, tier: int, source: str, target: str, value: float) -> None:
        if abs(value) > ROUNDING * self.size:
            self.paid[tier, source, target] = self.paid.get((tier, source, target), 0.0) + value

    def rows(self) -> list[dict[str, object]]:
        """Return payments, the first tier first."""
        return [
            {"tier": tier, "source": source, "target": target, "value": value}
            for (tier, source, target), value in sorted(self.paid.items(), key=lambda item: (item[0][0], -item[1]))
        ]
