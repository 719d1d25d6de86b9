"""Who gains and who loses, with the same prominence."""

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io.errors import LabelError, ShockError


def gainers_and_losers(
    impact: xr.Dataset, variable: str = "value_added", by: str = "industry", top: int = 5
) -> pd.DataFrame:
    """Return the largest gains and the largest losses of each scenario and phase, as many of one as of the other.

    Parameters
    ----------
    impact : from `run`; a dim ``effect`` is summed over, of a dim ``variant`` the central one is taken.
    variable : such as "value_added" or "jobs".
    by : "industry", "sector", "region" or "country".
    top : of each.

    Returns
    -------
    Table with scenario, phase, direction ("gain", "loss"), rank, name, value and unit; sorted from the largest gain to
    the largest loss. What nobody knows (NaN) is in neither.

    Raises
    ------
    LabelError
        If there is no such variable or grouping.
    ShockError
        If the results are of several years.
    """
    if variable not in impact.data_vars:
        raise LabelError(
            f"no variable {variable!r} in these results; there are {', '.join(map(str, impact.data_vars))}."
        )
    if "year" in impact[variable].dims:
        raise ShockError("gainers and losers are those of a year: choose one, results.sel(year=...).")
    values = impact[variable]
    values = values.sum("effect", skipna=False) if "effect" in values.dims else values
    values = values.sel(variant="central") if "variant" in values.dims else values
    sums = {
        "industry": lambda array: array.stack(name=("region", "sector")),
        "sector": lambda array: array.sum("region", skipna=False).rename(sector="name"),
        "region": lambda array: array.sum("sector", skipna=False).rename(region="name"),
        "country": lambda array: (
            array.sum("sector", skipna=False).groupby("country").sum(skipna=False).rename(country="name")
        ),
    }
    if by not in sums:
        raise LabelError(f"by must be one of {', '.join(sums)}, not {by!r}.")
    rows = []
    for scenario in values["scenario"].values.tolist():
        for phase in values["phase"].values.tolist():
            cells = sums[by](values.sel(scenario=scenario, phase=phase, drop=True))
            names = ["/".join(key) if isinstance(key, tuple) else str(key) for key in cells["name"].values.tolist()]
            found = pd.Series(np.asarray(cells.values), index=names).dropna()
            for direction, listed in (
                ("gain", found[found > 0].nlargest(top)),
                ("loss", found[found < 0].nsmallest(top)),
            ):
                for rank, (name, value) in enumerate(listed.items(), start=1):
                    rows.append((scenario, phase, direction, rank, name, float(value), impact[variable].attrs["units"]))
    columns = ["scenario", "phase", "direction", "rank", "name", "value", "unit"]
    return pd.DataFrame(rows, columns=columns)
