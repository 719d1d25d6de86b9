"""One scenario in full, in no language: its totals, bands, flows, and what may be compared with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io.batch import (
    answers,
    band,
    compare,
    counterfactual,
    demand_flows,
    gainers_and_losers,
    is_band,
    main_effects,
    run_years,
)
from nearshore_io.errors import NearshoreError, ShockError
from nearshore_io.indicators import footprint
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Scenario
from nearshore_io.scenarios.parameters import SPAN, of_the_band
from nearshore_io.units import single

PEOPLE = ("jobs", "hours", "jobs_high_skilled", "jobs_medium_skilled", "jobs_low_skilled", "informal_jobs")
"""Variables that are counted in persons or hours."""


@dataclass(frozen=True)
class Span:
    """A total with its band: low and high are NaN where there is none; ``by`` says what the band is of."""

    low: float
    central: float
    high: float
    by: str = ""

    @property
    def known(self) -> bool:
        """True where there is a band."""
        return not np.isnan(self.low)


@dataclass(frozen=True)
class Study:
    """One scenario in full.

    Attributes
    ----------
    impact : results of the open model with effects and content, without the dim scenario.
    variants : results with effects over the variants, with the dim scenario; None where there are none.
    sure : the band that errors of the table's cells give, or why there is none.
    upper : results with households' spending, or why there are none.
    """

    model: Leontief
    scenario: Scenario
    impact: xr.Dataset
    variants: xr.Dataset | None
    sure: pd.DataFrame | str
    upper: xr.Dataset | str

    def scale(self, variable: str) -> float:
        """Return what a number of a variable is multiplied by to be said: jobs in persons, money as it is."""
        return scale_of(self.impact, variable)

    @property
    def phases(self) -> list[str]:
        """Phases the scenario has."""
        known = self.impact["output"].sum("effect", skipna=False)
        return [str(p) for p in known["phase"].values.tolist() if not bool(known.sel(phase=p).isnull().all())]

    def total(self, variable: str, country: str, phase: str, effect: str | None = None) -> float:
        """Return a total of a country, NaN where it is unknown."""
        return _total(self.impact, variable, country, phase, effect)

    def upper_total(self, variable: str, country: str, phase: str) -> float:
        """Return a total of the model closed for households, NaN where there is none."""
        if isinstance(self.upper, str):
            return float("nan")
        return _total(self.upper, variable, country, phase, None)

    def span(self, variable: str, country: str, phase: str) -> Span:
        """Return a total with the band of its parameters, or else that of the table's cells, or none."""
        central = self.total(variable, country, phase)
        if self.variants is not None:
            low, _, high = band(self._over_variants(variable, country, phase, corners=True)).values.tolist()
            if is_band(low, high):
                return Span(low, central, high, "parameters")
        if isinstance(self.sure, pd.DataFrame):
            rows = self.sure[
                (self.sure["variable"] == variable) & (self.sure["place"] == country) & (self.sure["phase"] == phase)
            ]
            if len(rows) and is_band(float(rows["low"].iloc[0]), float(rows["high"].iloc[0])):
                return Span(float(rows["low"].iloc[0]), central, float(rows["high"].iloc[0]), "table")
        return Span(float("nan"), central, float("nan"))

    def _over_variants(self, variable: str, country: str, phase: str, *, corners: bool) -> xr.DataArray:
        assert self.variants is not None
        names = [n for n in self.variants["variant"].values.tolist() if of_the_band(n) or not corners]
        chosen = self.variants[variable].sel(phase=phase, variant=names)
        return of_country(chosen, country, keep=("variant",))

    @property
    def own_variants(self) -> list[str]:
        """Variants that are questions of their own, named by the file."""
        return [name for name in self.scenario.variants if SPAN not in name]

    def variant_total(self, name: str, variable: str, country: str, phase: str) -> float:
        """Return a total in a variant."""
        return float(self._over_variants(variable, country, phase, corners=False).sel(variant=name))

    def effects_of_parameters(self, variable: str, country: str, phase: str) -> pd.DataFrame | None:
        """Return what each parameter does to a total, None where none has a band."""
        if self.variants is None or not any(parameter.ends for parameter in self.scenario.parameters):
            return None
        found = main_effects(self.variants, variable, country, self.scenario.name, phase)
        return found if (found["at_low"] != found["at_high"]).any() else None

    def flows(self, phase: str) -> pd.DataFrame | str:
        """Return where the money of the shock goes, or why that has no answer."""
        try:
            found = demand_flows(self.model, self.scenario, phase)  # type: ignore[arg-type]
        except NearshoreError as error:
            return str(error)
        return found

    @cached_property
    def after(self) -> Leontief | str:
        """The model of the table after the scenario, or why there is none."""
        try:
            return counterfactual(self.model, self.scenario, self.phases[-1])  # type: ignore[arg-type]
        except NearshoreError as error:
            return str(error)

    @cached_property
    def traded(self) -> xr.DataArray | str:
        """Value added in final demand by country after the scenario, or why there is none."""
        return self.after if isinstance(self.after, str) else footprint(self.after)

    @cached_property
    def years(self) -> xr.Dataset | None:
        """Results year by year, None without a timing."""
        return None if self.scenario.timing is None else run_years(self.model, [self.scenario])

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Indicators before and after."""
        try:
            return answers(self.model, self.scenario)
        except ShockError:
            return pd.DataFrame(columns=["indicator", "before", "after", "unit"])

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Published counterparts of the results."""
        return compare(self.impact.expand_dims("scenario") if self.variants is None else self.variants)

    def ranked(self, phase: str, top: int) -> pd.DataFrame:
        """Return the industries that gain and lose most value added."""
        found = gainers_and_losers(self.impact.expand_dims("scenario"), "value_added", "industry", top)
        return found[found["phase"] == phase]


def _total(impact: xr.Dataset, variable: str, country: str, phase: str, effect: str | None) -> float:
    if variable not in impact:
        return float("nan")
    values = impact[variable].sel(phase=phase)
    if effect is not None:
        values = values.sel(effect=effect)
    return float(of_country(values, country))


def of_country(values: xr.DataArray, country: str, keep: Sequence[str] = ()) -> xr.DataArray:
    """Return sums over a country and all dims but some; unknown where a part is, or where the table lacks it."""
    inside = np.flatnonzero(values["country"].values == country)
    dims = [dim for dim in values.dims if dim not in keep]
    if not inside.size:
        return xr.full_like(values.isel(region=0).sum([dim for dim in dims if dim != "region"]), np.nan)
    return values.isel(region=inside).sum(dims, skipna=False)


def scale_of(results: xr.Dataset, variable: str) -> float:
    """Return how many persons or hours a unit of a variable is, one for money. Raises `UnitError`."""
    if variable in PEOPLE and variable in results:
        return single(str(results[variable].attrs["units"]))
    return 1.0
