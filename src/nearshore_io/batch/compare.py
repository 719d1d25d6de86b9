"""Results of shipped scenarios beside published figures, with the difference in definition."""

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io.errors import LabelError
from nearshore_io.scenarios.parameters import CENTRAL, of_the_band
from nearshore_io.shipped import shipped

COLUMNS = ("scenario", "id", "quantity", "published", "year", "ours", "low", "high", "unit", "definition", "source")


@cache
def published_benchmarks() -> tuple[Mapping[str, Any], ...]:
    """Return the entries of ``tables/published-benchmarks.toml``."""
    with shipped("tables", "published-benchmarks.toml").open("rb") as file:
        return tuple(tomllib.load(file)["benchmark"])


def compare(results: xr.Dataset, against: Literal["published"] = "published") -> pd.DataFrame:
    """Return published counterparts of scenarios beside ours, a row for each.

    Parameters
    ----------
    results : from `run`, with ``effects=True`` for figures per direct job, with ``variants=True`` for low and high.

    Returns
    -------
    Table with scenario, id, quantity, published, year, ours, low, high, unit, definition (how theirs differs from
    ours) and source. ``ours`` is NaN where results have no counterpart, and ``definition`` says why.
    Scenarios without a published counterpart have no row.

    Raises
    ------
    LabelError
        If results are to be compared with something else.
    """
    if against != "published":
        raise LabelError(f"results can be compared against 'published', not {against!r}.")
    names = set(results["scenario"].values.tolist())
    rows = []
    for entry in published_benchmarks():
        if entry["scenario"] in names:
            low, ours, high = _ours(results, entry)
            stated = {key: entry[key] for key in ("scenario", "id", "quantity", "year", "unit", "definition", "source")}
            rows.append(stated | {"published": entry["value"], "ours": ours, "low": low, "high": high})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _ours(results: xr.Dataset, entry: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return our counterpart: low, central, high; low and high NaN without variants."""
    how = entry.get("ours")
    if how is None or how["variable"] not in results or how["phase"] not in results["phase"].values:
        return np.nan, np.nan, np.nan
    at = results.sel(scenario=entry["scenario"], phase=how["phase"])
    if "variant" in how:
        if "variant" not in at.dims or how["variant"] not in at["variant"].values:
            return np.nan, np.nan, np.nan
        at = at.sel(variant=how["variant"])
    cells = at[how["variable"]]
    chosen = cells.isel(region=np.isin(cells["country"].values, how["countries"])).sum(
        ["region", "sector"], skipna=False
    )
    total = chosen.sum("effect", skipna=False) if "effect" in chosen.dims else chosen
    values = total * how["scale"] / _divisor(at, how, chosen)
    if "variant" not in values.dims:
        return np.nan, float(values), np.nan
    corners = [name for name in values["variant"].values.tolist() if of_the_band(name)]
    spread = values.sel(variant=corners)
    return float(spread.min("variant")), float(values.sel(variant=CENTRAL)), float(spread.max("variant"))


def _divisor(at: xr.Dataset, how: Mapping[str, Any], chosen: xr.DataArray) -> Any:
    per = how["per"]
    if per == "direct":
        return chosen.sel(effect="direct") if "effect" in chosen.dims else np.nan
    if not isinstance(per, str):
        return per
    kind, _, name = per.partition(":")
    if kind == "fact":
        wanted = [fact for fact in at["fact_name"].values.tolist() if str(fact).startswith(name)]
        return at["fact"].sel(fact_name=wanted).sum("fact_name")
    base = at[f"{name}_before"]
    return float(base.isel(region=np.isin(base["country"].values, how["countries"])).sum())
