"""The household closure (type II): labour income that is spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nearshore_io import labels
from nearshore_io.errors import ClosureError, first_few
from nearshore_io.labels import Positions
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import is_number

Rate = float | Mapping[str, float]
RATES = ("tax", "saving", "remittances", "unemployed", "benefit")


@dataclass(frozen=True)
class Households:
    """The household (type II) closure: labour income is spent as the average household of its country spends.

        A* = A + h_c h_r,   h_r[c, j] = w_j (1 − t_c)(1 − s_c)(1 − m_c)(1 − u_c b_c) for j in country c,
        h_c[:, c] = household consumption of c by product and origin, as shares of its total.

    Source: Miller & Blair (2009), section 2.5; across borders the induced spending includes imports.
    Type II effects are an upper bound: average equals marginal spending, and no household gives anything up.

    Parameters
    ----------
    income : stressor that holds labour income; by default ``labour_income`` where there is one, else ``compensation``.
    tax, saving, remittances : rates t, s and m that leak from income, one for all or by country.
    unemployed, benefit : the extended closure: u, the share of new jobs that people without one take, and b, what they
        lived on before as a share of the wage; only what is new is spent anew (Batey & Madden 1981; Batey 1985).
    category : final-demand category of household consumption.

    Notes
    -----
    A country with no accounts at all (the rest of the world) keeps exogenous households; results name it.
    """

    income: str | None = None
    tax: Rate = 0.0
    saving: Rate = 0.0
    remittances: Rate = 0.0
    unemployed: Rate = 0.0
    benefit: Rate = 0.0
    category: str = "HFCE"

    def __post_init__(self) -> None:
        for name in RATES:
            rate = getattr(self, name)
            values: list[Any] = list(rate.values()) if isinstance(rate, Mapping) else [rate]
            if not all(is_number(value) and 0.0 <= value <= 1.0 for value in values):
                raise ClosureError(f"household {name} rate {rate!r} must lie in [0, 1].")

    def spent(self, country: str) -> float:
        """Return (1 − t)(1 − s)(1 − m)(1 − u b) of a country: what is spent of a unit of labour income."""
        leaks = [_rate(rate, country) for rate in (self.tax, self.saving, self.remittances)]
        leaks.append(_rate(self.unemployed, country) * _rate(self.benefit, country))
        return float(np.prod([1.0 - leak for leak in leaks]))


@dataclass(frozen=True)
class HouseholdLoop:
    """The two sides of the household loop: ``spending`` h_c, shape (n, G), and ``earning`` h_r, shape (G, n).

    ``kept`` is what is spent of a unit of labour income paid by an industry, shape (G, n); h_r is that times w.
    ``exogenous`` lists the countries whose households stay outside the loop.
    """

    spending: Array
    earning: Array
    kept: Array
    exogenous: tuple[str, ...]


def household_loop(table: IOTable, closure: Households, y: Array) -> HouseholdLoop:
    """Return the household loop of a table for a final demand, shape (n, final regions × categories).

    Raises
    ------
    ClosureError
        If a country has labour accounts but no income, if nobody has, or if households buy nothing.
    """
    income = _income(table, closure)
    known = {name: ~np.isnan(income[_industries_of(table, name)]).all() for name in table.countries}
    exogenous = tuple(name for name in table.countries if not known[name])
    _require_income(table, income, exogenous)
    for rate in (getattr(closure, name) for name in RATES):
        strangers = [name for name in rate if name not in table.countries] if isinstance(rate, Mapping) else []
        if strangers:
            raise labels.unknown(strangers[0], "country (of a household rate)", table.countries)
    endogenous = [name for name in table.countries if known[name]]
    category = labels.position(closure.category, table.categories, "category")
    demand = y.reshape(table.n, table.Y.sizes["final_region"], -1)[:, :, category]
    wages = table.per_output(np.where(np.isnan(income), 0.0, income))
    spending, kept = np.zeros((table.n, len(endogenous))), np.zeros((len(endogenous), table.n))
    for k, name in enumerate(endogenous):
        final_region = labels.position(name, table.final_regions, "final_region")
        basket = demand[:, final_region]
        if not basket.sum() > 0:
            raise ClosureError(f"households of {name} buy nothing ({closure.category}), so they cannot spend more.")
        places = _industries_of(table, name)
        kept[k, places] = closure.spent(name)
        spending[:, k] = basket / basket.sum()
    return HouseholdLoop(spending, kept * wages, kept, exogenous)


def income_stressor(table: IOTable, closure: Households) -> str:
    """Return the name of the stressor that holds labour income. Raises `ClosureError` if there is none."""
    stressors = table.stressors
    name = closure.income or next((s for s in ("labour_income", "compensation") if s in stressors), None)
    if name is None or name not in stressors:
        raise ClosureError(
            "the household closure needs labour income; the table's stressors are "
            f"{first_few(stressors, 10) or 'none'}. "
            "Read the table with its labour accounts, or name the stressor: nio.Households(income=...)."
        )
    return name


def _income(table: IOTable, closure: Households) -> Array:
    name = income_stressor(table, closure)
    values, unit = table.stressors[name]
    if unit != table.unit:
        raise ClosureError(f"household income must be in {table.unit}, the table's unit; {name} is in {unit}.")
    return values


def _require_income(table: IOTable, income: Array, exogenous: tuple[str, ...]) -> None:
    """Raise when income is missing where other accounts exist, or in part: that is a gap, not a rest of the world."""
    active = table.x.values.ravel() != 0
    accounts = ~np.isnan(table.F.values.reshape(table.F.sizes["stressor"], -1)).all(axis=0)
    gaps = [
        name
        for name in table.countries
        if (places := _industries_of(table, name)).size
        and (accounts[places].any() if name in exogenous else np.isnan(income[places][active[places]]).any())
    ]
    if gaps or len(exogenous) == len(table.countries):
        raise ClosureError(
            f"labour income is missing for {first_few(gaps or exogenous)} in {table.year}: the induced effects of "
            "their households would be left out unseen. Use a year that has it (WIOD: up to 2009), the bundled table, "
            "which carries an estimate, or another stressor: nio.Households(income=...)."
        )


def _industries_of(table: IOTable, country: str) -> Positions:
    regions = [i for i, region in enumerate(table.regions) if table.country[region] == country]
    width = len(table.sectors)
    return np.array([i * width + j for i in regions for j in range(width)], dtype=np.intp)


def _rate(rate: Rate, country: str) -> float:
    return float(rate.get(country, 0.0)) if isinstance(rate, Mapping) else float(rate)
