"""Indicators of the table before and after a scenario: what its question asks beside jobs and value added."""

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io import labels
from nearshore_io.batch.counterfactual import counterfactual
from nearshore_io.indicators import exim_content, exposure, regional_value_content
from nearshore_io.labels import as_list
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Question, Scenario

COLUMNS = ("indicator", "before", "after", "unit")


def answers(model: Leontief, scenario: Scenario) -> pd.DataFrame:
    """Return a scenario's indicators before and after it, a row for each.

    Several industries are averaged by their output. New plants are part of the industry they are booked in.

    Columns: indicator, before, after, unit.

    Raises
    ------
    ShockError
        If the scenario leaves no table after it (limits, duties).
    """
    if not scenario.indicators:
        return pd.DataFrame(columns=list(COLUMNS))
    after = counterfactual(model, scenario)
    rows = []
    for question in scenario.indicators:
        then, now = _values(model, question), _values(after, question)
        rows += [(name, then[name][0], now[name][0], unit) for name, (_, unit) in then.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _values(model: Leontief, question: Question) -> dict[str, tuple[float, str]]:
    """Return the values of an indicator by name, each with its unit."""
    region, sector = question.region, question.sector
    users = f"{_named(region)} {_named(sector)}"
    if question.kind == "exposure":
        found = exposure(model, question.to or (), question.to_sector, region, sector)
        suppliers = f"{_named(question.to)} {_named(question.to_sector)}".strip()
        passes = "cents of sales at all tiers, per dollar of output"
        return {
            f"{users} on {suppliers}, face value": (
                100 * _mean(model, found["face_value"]),
                "cents per dollar of output",
            ),
            f"{users} on {suppliers}, looked through": (100 * _mean(model, found["look_through"]), passes),
            f"{users} on {suppliers}, value added": (
                100 * _mean(model, found["value_added"]),
                "cents per dollar of output",
            ),
        }
    if question.kind == "market":
        return _market(model, str(region), str(question.to))
    if question.kind == "regional_value_content":
        content = regional_value_content(model, region, sector, excluded=question.excluded)["content"]
        return {f"regional value content of {users}": (100 * _mean(model, content), "per cent")}
    tested = exim_content(model, sector)
    content, exported = tested["content"], _exports(model, tested["content"])  # idle industries have no content
    threshold = float(tested["threshold"].max())
    passing = float(exported.where(tested["passes"], 0.0).sum() / exported.sum())
    return {
        f"US content of US exports of {_named(sector)}, direct": (
            100 * float((content * exported).sum() / exported.sum()),
            "per cent",
        ),
        f"lowest US content among exporting industries of {_named(sector)}": (100 * float(content.min()), "per cent"),
        f"share of US exports of {_named(sector)} with {threshold:.0%} US content or more": (100 * passing, "per cent"),
    }


def _market(model: Leontief, exporter: str, market: str) -> dict[str, tuple[float, str]]:
    """Return what a market takes of a country's gross exports, e_sr / e_s, and of its value added abroad, v_s L f_r."""
    table = model.table
    for name in (exporter, market):
        labels.position(name, table.countries, "country")
    rows = table.positions(region=exporter)
    weights = np.zeros(table.n)
    weights[rows] = table.intensity("value_added")[rows]
    earned = model.factors.solve_transposed(weights)
    gross, added = {}, {}
    for name in table.countries:
        if name != exporter:
            final = table.Y.sel(final_region=name).sum("category").values.ravel()
            flows = float(table.flows(exporter, None, name).sum())
            gross[name] = flows + float(final[rows].sum())
            added[name] = float(earned @ final)
    return {
        f"{exporter} exports that {market} takes, gross": (100 * gross[market] / sum(gross.values()), "per cent"),
        f"{exporter} value added abroad that {market} takes": (100 * added[market] / sum(added.values()), "per cent"),
    }


def _mean(model: Leontief, values: xr.DataArray) -> float:
    """Return the mean weighted by output."""
    x = model.table.x.sel(region=values["region"], sector=values["sector"])
    known = np.isfinite(values)
    return float((values.where(known, 0.0) * x).sum() / x.where(known, 0.0).sum())


def _exports(model: Leontief, like: xr.DataArray) -> xr.DataArray:
    """Return exports by industry, for the industries of an array."""
    table = model.table
    total = xr.zeros_like(table.x)
    for region in like["region"].values.tolist():
        abroad = [name for name in table.countries if name != table.country[region]]
        flows = table.flows(region, None, abroad).sum(["to_region", "to_sector"])
        final = table.Y.sel(region=[region], final_region=abroad).sum(["final_region", "category"])
        total.loc[{"region": [region]}] = (flows + final).values
    return total.sel(region=like["region"], sector=like["sector"])


def _named(wanted: object) -> str:
    return "" if wanted is None else ", ".join(as_list(wanted))  # type: ignore[arg-type]
