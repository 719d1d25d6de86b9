"""Scenarios over years: building once, coming up, and what a job makes by then."""

from collections.abc import Iterable

import xarray as xr

from nearshore_io.batch.run import CLOCK, Progress, facts_of_scenarios, named, run
from nearshore_io.errors import ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Scenario, Timing, phased_in
from nearshore_io.units import stamp

LABOUR = ("jobs", "hours")
"""Words in the names of stressors that productivity makes smaller."""
CELLS = {"scenario", "phase", "region", "sector"}


def run_years(
    model: Leontief, scenarios: Scenario | Iterable[Scenario], *, progress: Progress | None = None
) -> xr.Dataset:
    """Return what scenarios change year by year, Dataset over (scenario, phase, year, region, sector).

    In year t the build phase is b_t of the whole, in job-years, and the run phase that of u_t times the change of the
    scenario: coefficients and demand move by u_t, not the result. Jobs of the run phase are

        jobs_t = η ε Δx(u_t) / (1 + g)^(t − t₀),

    those of the build phase the same without η. Money is at the table's prices; ``price_level`` = (1 + π)^(t − t₀)
    takes it to prices of the year. t₀ is the timing's ``base``, by default the table's year. Build and run do not add
    up.

    Raises
    ------
    ShockError
        A scenario without timing, with limits on output, or of a disruption (phase event), which has days and no years.
    """
    listed = named(scenarios)
    timed = [(scenario, _timing(scenario)) for scenario in listed]
    years = range(min(timing.years[0] for _, timing in timed), max(timing.years[-1] for _, timing in timed) + 1)
    parts = []
    for place, (scenario, timing) in enumerate(timed):
        parts.append(_of_scenario(model, scenario, timing, years))
        if progress is not None:
            progress(place + 1, len(timed))
    found = xr.concat(parts, "scenario", data_vars="all", coords="minimal", compat="override", join="outer")
    for name, variable in parts[0].data_vars.items():
        found[name].attrs = dict(variable.attrs)
    found.attrs = dict(parts[0].attrs) | facts_of_scenarios(model, listed)
    found["clock"] = ("phase", [CLOCK[phase] for phase in found["phase"].values.tolist()])
    return found.set_coords("clock")


def _timing(scenario: Scenario) -> Timing:
    if scenario.timing is None:
        raise ShockError(
            f"scenario {scenario.name!r} has no timing: give it one, [scenario.timing] with build and ramp in a file, "
            "nio.Timing(build=..., ramp=nio.Ramp(...)) in Python."
        )
    return scenario.timing


def _of_scenario(model: Leontief, scenario: Scenario, timing: Timing, years: range) -> xr.Dataset:
    """Return one scenario over all years."""
    base = timing.base if timing.base is not None else model.table.year
    if base is None:
        raise ShockError(f"scenario {scenario.name!r}: the table does not say its year; give the timing its base.")
    whole = run(model, scenario)
    if "event" in whole["phase"].values:
        raise ShockError(f"scenario {scenario.name!r} lasts days, not years: run it with `run`.")
    if "build" in whole["phase"].values and not timing.build:
        raise ShockError(f"scenario {scenario.name!r} builds something: say when, timing build = {{ YEAR = 1.0 }}.")
    names = [str(name) for name in whole.data_vars if set(whole[name].dims) == CELLS and "price" not in str(name)]
    amounts = whole[names].drop_vars(["residual", "redirected", "clock"])
    layers = []
    if "build" in whole["phase"].values:
        layers.append(_by_year([amounts.sel(phase=["build"]) * timing.build.get(year, 0.0) for year in years], years))
    if "run" in whole["phase"].values:
        shares = [timing.run_share(year) for year in years]
        once = amounts.sel(phase=["run"])
        at = {0.0: once * 0.0, 1.0: once}
        for share in set(shares) - set(at):
            part = run(model, phased_in(scenario, share))[names]
            at[share] = part.drop_vars(["residual", "redirected", "clock"])
        layers.append(_with_elasticity(_by_year([at[share] for share in shares], years), timing.elasticity))
    found = xr.concat(layers, "phase", data_vars="all", coords="minimal", compat="override", join="exact")
    since = found["year"] - base
    for name in names:
        if any(word in name for word in LABOUR):
            found[name] = found[name] / (1.0 + timing.productivity) ** since
        found[name].attrs = dict(whole[name].attrs)
    found["price_level"] = ((1.0 + timing.inflation) ** since).expand_dims(scenario=found["scenario"])
    stamp(found["price_level"], "1", f"prices of the year relative to {base}")
    found.attrs = dict(whole.attrs)
    return found.transpose("scenario", "phase", "year", "region", "sector")


def _by_year(layers: list[xr.Dataset], years: range) -> xr.Dataset:
    index = xr.Variable("year", list(years))
    return xr.concat(layers, index, data_vars="all", coords="minimal", compat="override", join="exact")


def _with_elasticity(found: xr.Dataset, elasticity: float) -> xr.Dataset:
    """Return results with jobs at the marginal intensity η ε."""
    labour = [name for name in found.data_vars if any(word in str(name) for word in LABOUR)]
    return found.assign({name: found[name] * elasticity for name in labour})
