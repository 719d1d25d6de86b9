"""What each parameter does to a result, read off the corners of its band."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io.batch.assumed import scenarios_of
from nearshore_io.errors import LabelError, ShockError
from nearshore_io.labels import unknown
from nearshore_io.scenarios.parameters import CENTRAL, Parameter, corners

COLUMNS = ["parameter", "low", "high", "at_low", "at_high", "central", "unit", "source"]


def main_effects(
    results: xr.Dataset, variable: str, place: str, scenario: str | None = None, phase: str = "run"
) -> pd.DataFrame:
    """Return what one total is at the low and the high end of each parameter, averaged over the ends of the others.

    The corners of a scenario's band are a full factorial design; ``at_high − at_low`` is its main effect. One line for
    each parameter with a band, the strongest first. Of a parameter with alternatives, which is no number, the lowest
    and the highest of the averages.

    Columns: parameter, low, high (its ends), at_low, at_high, central (of the total), unit (of the total), source.

    Parameters
    ----------
    results : from ``run(model, scenarios, variants=True)``.
    variable, place : such as "jobs" and "USA"; a country or a region.

    Raises
    ------
    ShockError
        Results without variants.
    LabelError
        No such variable, place, scenario or phase.

    Source: Box, Hunter & Hunter (2005), Statistics for Experimenters, chapter 5 (factorial designs at two levels).
    """
    if "year" in results.dims:
        raise ShockError(
            "these results are year by year: main effects are of one year, run(model, scenarios, variants=True)."
        )
    if "variant" not in results.dims:
        raise ShockError("these results have no variants: run(model, scenarios, variants=True) keeps them.")
    if variable not in results.data_vars or "region" not in results[variable].dims:
        raise unknown(variable, "variable", [str(name) for name in results.data_vars])
    if "rate" in results[variable].attrs:
        raise LabelError(f"{variable} is a rate ({results[variable].attrs['units']}), which has no total.")
    listed = {found.name: found for found in scenarios_of(results)}
    if scenario is None and len(listed) > 1:
        raise LabelError(f"these results are of several scenarios: choose one of {', '.join(listed)}.")
    chosen = listed.get(scenario or next(iter(listed)))
    if chosen is None:
        raise unknown(str(scenario), "scenario", listed)
    if phase not in results["phase"].values:
        raise unknown(phase, "phase", results["phase"].values.tolist())
    at = results[variable].sel(scenario=chosen.name, phase=phase)
    members = (at["region"].values == place) | (at["country"].values == place)
    if not members.any():
        raise unknown(place, "place", [*at["region"].values.tolist(), *at["country"].values.tolist()])
    dims = [dim for dim in at.dims if dim != "variant"]
    totals = at.isel(region=np.flatnonzero(members)).sum(dims, skipna=False)
    central = float(totals.sel(variant=CENTRAL))
    banded = [parameter for parameter in chosen.parameters if parameter.ends]
    points = [({parameter.name: parameter.value for parameter in banded}, CENTRAL)] if _on_a_corner(banded) else []
    points += [(values, name) for name, values in corners(chosen.parameters)]
    rows = []
    for parameter in banded:
        means = [
            float(
                np.mean([float(totals.sel(variant=name)) for values, name in points if values[parameter.name] == end])
            )
            for end in parameter.ends
        ]
        first, last = (0, -1) if not parameter.alternatives else (int(np.argmin(means)), int(np.argmax(means)))
        rows.append(
            (parameter.name, parameter.ends[first], parameter.ends[last], means[first], means[last], central,
             at.attrs["units"], parameter.source)
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=COLUMNS)
    order = (frame["at_high"] - frame["at_low"]).abs().sort_values(ascending=False).index
    return frame.loc[order].reset_index(drop=True)


def _on_a_corner(banded: Sequence[Parameter]) -> bool:
    """Tell whether the central values are a corner themselves, which then has no variant of its own."""
    return all(parameter.value in parameter.ends for parameter in banded)
