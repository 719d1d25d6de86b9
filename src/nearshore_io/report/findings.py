"""Everything a report says, worked out once and in no language: from results, and the model they came from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io.batch import (
    content_band,
    run,
    scenarios_of,
    table_band,
)
from nearshore_io.errors import FormatError, NearshoreError, ShockError, first_few
from nearshore_io.indicators import compare_published, export_content, footprint
from nearshore_io.indicators.comparisons import Comparison
from nearshore_io.leontief import Leontief
from nearshore_io.report.studied import Study, of_country, scale_of
from nearshore_io.scenarios import Scenario

Progress = Callable[[int, int | None], None]
FOCUS = ("USA", "MEX")
DETAILED = 3
"""Scenarios shown in full where there are more: the smallest, the median and the largest."""
LISTED = 100
"""Scenarios in the summary table at most."""
SAID = ("table", "table_sha256", "closure", "residual", "package", "price_basis", "table_year")
"""What results of `run` say of themselves, and a report repeats."""
SAME = 1e-9
"""Difference between results and what is worked out from their assumptions, relative to the largest number."""


@dataclass(frozen=True)
class Findings:
    """All a report rests on.

    Attributes
    ----------
    results : as they were given. scenarios : what they were run from.
    studies : scenarios in full.
    gap : largest difference of any number that is listed to what was worked out anew, relative to the largest.
    """

    model: Leontief
    results: xr.Dataset
    scenarios: tuple[Scenario, ...]
    studies: tuple[Study, ...]
    gap: float
    published: tuple[Comparison, ...] = ()
    content: xr.DataArray | None = field(default=None, repr=False)

    @cached_property
    def before(self) -> xr.DataArray:
        """Value added in final demand by country, before any scenario."""
        return footprint(self.model)

    @cached_property
    def content_ends(self) -> tuple[float, float]:
        """The band of US content in Mexican exports to the United States that errors of the table's cells give."""
        row = content_band(self.model, "MEX", "USA", "USA").loc["USA"]
        return float(row["low"]), float(row["high"])

    def summary(self, variable: str, country: str) -> xr.DataArray:
        """Return a total of every scenario and phase, (scenario, phase), jobs in persons."""
        values = _central(self.results)[variable]
        return of_country(values, country, keep=("scenario", "phase")) * scale_of(self.results, variable)

    @property
    def listed(self) -> list[str]:
        """Names of the scenarios in the summary table: all, or evenly spaced ones of a large result."""
        return [scenario.name for scenario in _listed(self.scenarios)]


def findings_of(results: xr.Dataset, model: Leontief, progress: Progress | None = None) -> Findings:
    """Work out what a report says; results are run again from their own assumptions, and must come out the same.

    Raises
    ------
    FormatError
        If these are no results of `run`, are of another table than the model, or differ from what the model gives.
    """
    scenarios = scenarios_of(results)
    missing = [name for name in SAID if name not in results.attrs]
    if missing:
        raise FormatError(f"these are no results of nio.run: they do not say {first_few(missing)}.")
    if not scenarios:
        raise FormatError("these results say that they were run from no scenario.")
    if "region" not in results.dims or "scenario" not in results.dims:
        raise FormatError("a report needs results of nio.run, with the dims scenario, phase, region and sector.")
    if "year" in results.dims:
        raise FormatError("these are results year by year: give those of nio.run; the report has the years as well.")
    if results.attrs["table_sha256"] != model.table.sha256:
        raise FormatError(
            f"these results are of {results.attrs['table']} (sha256 {results.attrs['table_sha256'][:12]}…), the "
            f"model's table is {model.table.name} ({model.table.sha256[:12]}…): give the table they were made with."
        )
    if not str(results.attrs["closure"]).startswith("open"):
        raise FormatError(
            f"these results are of another model ({results.attrs['closure']}): give those of the open one; the report "
            "adds households as an upper bound."
        )
    here = [str(name) for name in results["scenario"].values.tolist()]
    by_name = {scenario.name: scenario for scenario in scenarios}
    strange = [name for name in here if name not in by_name]
    if strange:
        raise FormatError(f"scenarios {first_few(strange)} are not among those these results say they were run from.")
    scenarios = [by_name[name] for name in here]
    if model.closure is not None:
        raise FormatError("a report needs the open model, Leontief(table): it adds households as an upper bound.")
    chosen = _chosen(results, scenarios)
    gap = _gap(results, run(model, _listed(scenarios), content="content" in results))
    if gap > SAME:
        raise FormatError(
            f"these results differ from what their own assumptions give on {model.table.name} (by up to "
            f"{gap:.1e} of the largest number): they were changed, or made by another version of the package."
        )
    closed, studies = _closed(model), []
    for done, scenario in enumerate(chosen):
        if progress is not None:
            progress(done, len(chosen))
        studies.append(_study(model, closed, scenario))
    if progress is not None:
        progress(len(chosen), len(chosen))
    return Findings(
        model, results, tuple(scenarios), tuple(studies), gap,
        tuple(compare_published(model)), _content(model),
    )  # fmt: skip


def _listed(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return all scenarios, or evenly spaced ones of very many."""
    if len(scenarios) <= LISTED:
        return list(scenarios)
    places = np.unique(np.linspace(0, len(scenarios) - 1, LISTED).round().astype(int))
    return [scenarios[place] for place in places.tolist()]


def _chosen(results: xr.Dataset, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios shown in full: all of a few, or the smallest, the median and the largest for Mexico.

    The change is that of value added (or output) in the last phase a scenario has; phases are never added up.
    """
    if len(scenarios) <= DETAILED:
        return list(scenarios)
    central = _central(results)
    values = central["value_added" if "value_added" in central else "output"]
    country = "MEX" if "MEX" in values["country"].values else str(values["country"].values[0])
    sums = of_country(values, country, keep=("scenario", "phase")).transpose("scenario", "phase").values
    known = [row[~np.isnan(row)] for row in sums]
    order = np.argsort([row[-1] if row.size else 0.0 for row in known], kind="stable")
    places = sorted({int(order[0]), int(order[len(order) // 2]), int(order[-1])})
    return [scenarios[place] for place in places]


def _study(model: Leontief, closed: Leontief | str, scenario: Scenario) -> Study:
    impact = run(model, [scenario], effects=True, content=True).isel(scenario=0)
    variants = run(model, [scenario], effects=True, variants=True) if scenario.variants else None
    return Study(model, scenario, impact, variants, _sure(model, scenario), _upper(closed, scenario))


def _sure(model: Leontief, scenario: Scenario) -> pd.DataFrame | str:
    table = model.table
    names = [name for name in ("value_added", "jobs") if name in {*table.inputs, *table.stressors}]
    places = [place for place in FOCUS if place in table.countries]
    if not names or not places:
        return "the table lacks the United States, Mexico, or value added"
    try:
        return table_band(model, scenario, [f"{name} of {place}" for name in names for place in places])
    except ShockError as error:
        return str(error)


def _closed(model: Leontief) -> Leontief | str:
    """Return the model closed for households, or why there is none."""
    try:
        return Leontief(model.table, solver=model.solver, closure="households")
    except NearshoreError as error:
        return str(error)


def _upper(closed: Leontief | str, scenario: Scenario) -> xr.Dataset | str:
    if isinstance(closed, str):
        return closed
    try:
        return run(closed, [scenario], effects=True).isel(scenario=0)
    except NearshoreError as error:
        return str(error)


def _central(results: xr.Dataset) -> xr.Dataset:
    return results.sel(variant="central") if "variant" in results.dims else results


def _gap(results: xr.Dataset, again: xr.Dataset) -> float:
    """Return the largest difference of any variable in the scenarios that were run again, relative to its largest."""
    largest = 0.0
    for name, ours in again.data_vars.items():
        if "region" not in ours.dims and name != "content":
            continue
        if name not in results:
            return float("inf")
        given = _central(results)[name].sel(scenario=ours["scenario"])
        given = given.sum("effect", skipna=False) if "effect" in given.dims else given
        phases = [p for p in ours["phase"].values.tolist() if p in given["phase"].values]
        here = given.sel(phase=phases).transpose(*ours.dims).values
        there = ours.sel(phase=phases).values
        if here.shape != there.shape or (np.isnan(here) != np.isnan(there)).any():
            return float("inf")
        size = float(np.nanmax(np.abs(there), initial=0.0))
        if np.nanmax(np.abs(here - there), initial=0.0) > 0:
            largest = max(largest, float(np.nanmax(np.abs(here - there))) / max(size, 1e-300))
    return largest


def _content(model: Leontief) -> xr.DataArray | None:
    if not set(FOCUS) <= set(model.table.countries) or "value_added" not in model.table.inputs:
        return None
    return export_content(model, "MEX", "USA")
