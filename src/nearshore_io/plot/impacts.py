"""Impacts by country, by country and sector, and over the years."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.ticker import MaxNLocator

from nearshore_io.batch import band, is_band
from nearshore_io.errors import ShockError
from nearshore_io.labels import unknown
from nearshore_io.plot import style
from nearshore_io.plot.chosen import by_country, central, merged, one
from nearshore_io.plot.style import Words
from nearshore_io.scenarios.parameters import of_the_band

FOCUS = ("USA", "MEX")
SHADES = {"direct": 1.0, "indirect": 0.55, "induced": 0.25}


def impact_bars(
    results: xr.Dataset,
    variable: str = "value_added",
    *,
    scenario: str | None = None,
    phase: str | None = None,
    bands: pd.DataFrame | None = None,
    most: int = 8,
    ax: Axes | None = None,
    words: Words = str,
) -> Axes:
    """Draw the change of a variable by country, its effects stacked, with the band.

    Parameters
    ----------
    results : from `run`; a dim ``effect`` is stacked, a dim ``variant`` gives the band (low … high of its corners).
    bands : from `table_band`, in the place of variants: errors of the table's cells.
    most : countries shown, the United States and Mexico always; the rest are added up as others.

    Raises
    ------
    LabelError
        No such variable, scenario or phase, or several of them.
    """
    values = one(results, variable, scenario=scenario, phase=phase)
    middle = central(values)
    total = middle.sum("effect", skipna=False) if "effect" in middle.dims else middle
    sums = by_country(total).to_series()
    shown = style.pooled(sums, FOCUS, most)[::-1]
    frame = pd.DataFrame({"country": shown.index, "value": shown.to_numpy()})
    low, high = _spans(values, variable, bands, frame["country"].tolist())
    frame["low"], frame["high"] = low, high
    effects = _effects(middle, frame) if "effect" in middle.dims else {}
    frame = frame.assign(**effects, unit=values.attrs["units"])
    ax = style.axes(ax, 7.0, 0.6 + 0.42 * len(frame))
    places = np.arange(len(frame))
    colours = [style.colour(name) for name in frame["country"]]
    if effects:
        _stacked(ax, places, effects, colours, words)
    else:
        ax.barh(places, frame["value"], color=colours, height=0.62)
    known = ~np.isnan(frame["low"].to_numpy())
    if known.any():
        spans = frame[known]
        ax.hlines(places[known], spans["low"], spans["high"], color="black", linewidth=1.4)
        for end in ("low", "high"):
            ax.plot(spans[end], places[known], "|", color="black", markersize=7)
    ax.set_yticks(places, [words(name) for name in frame["country"]])
    ax.axvline(0, color="black", linewidth=0.8)
    missing = [name for name, value in sums.items() if np.isnan(value)]
    note = f"\n{words('no data')}: {_wrapped([words(str(name)) for name in missing])}" if missing else ""
    ax.set_xlabel(f"{style.labelled(values, words)}{note}", wrap=True)
    style.bare(ax, "top", "right", "left")
    ax.tick_params(left=False)
    return style.record(ax, frame[::-1])


def _wrapped(names: Sequence[str]) -> str:
    return "\n".join(wrap(", ".join(names), 80))


def _spans(
    values: xr.DataArray, variable: str, bands: pd.DataFrame | None, countries: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Return low and high of every country, NaN where there is no band."""
    found: dict[str, tuple[float, float]] = {}
    if bands is not None:
        wanted = {
            "variable": variable,
            "phase": values["phase"].item(),
            "scenario": values["scenario"].item(),
            "sector": "all",
        }
        rows = bands[(bands[list(wanted)] == list(wanted.values())).all(axis=1)]
        if not len(rows):
            raise ShockError(f"these bands have none of {variable} in {wanted['scenario']}, {wanted['phase']}.")
        found = {row.place: (row.low, row.high) for row in rows.itertuples()}
    elif "variant" in values.dims:
        corners = values.sel(variant=[name for name in values["variant"].values.tolist() if of_the_band(name)])
        if "effect" in corners.dims:
            corners = corners.sum("effect", skipna=False)
        spread = band(by_country(corners))
        for name in spread["country"].values.tolist():
            low, _, high = spread.sel(country=name).values.tolist()
            found[name] = (low, high) if is_band(low, high) else (np.nan, np.nan)
    pairs = [found.get(name, (np.nan, np.nan)) for name in countries]
    return [low for low, _ in pairs], [high for _, high in pairs]


def _effects(middle: xr.DataArray, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return every effect of the countries shown; induced only where there is some."""
    found = {}
    for name in middle["effect"].values.tolist():
        sums = by_country(middle.sel(effect=name)).to_series()
        if name == "induced" and not sums.abs().sum() > 0:
            continue
        listed = [country for country in frame["country"] if country != style.POOLED]
        rest = float(sums.dropna().drop(listed).sum())
        found[name] = np.array([rest if c == style.POOLED else float(sums[c]) for c in frame["country"]])
    return found


def _stacked(
    ax: Axes, places: np.ndarray, effects: dict[str, np.ndarray], colours: Sequence[str], words: Words
) -> None:
    up, down = np.zeros(len(places)), np.zeros(len(places))
    for name, values in effects.items():
        start = np.where(values >= 0, up, down)
        ax.barh(places, values, left=start, color=colours, alpha=SHADES[name], height=0.62)
        up, down = up + np.maximum(values, 0), down + np.minimum(values, 0)
        ax.barh([0], [0], color="#333333", alpha=SHADES[name], label=words(name))
    ax.legend(loc="best", frameon=False, fontsize=8)


def heatmap(
    results: xr.Dataset,
    variable: str = "value_added",
    *,
    scenario: str | None = None,
    phase: str | None = None,
    top: int = 15,
    countries: int = 8,
    names: bool = True,
    ax: Axes | None = None,
    words: Words = str,
) -> Axes:
    """Draw the change by country and sector: the sectors that change most, in diverging colours around zero.

    Parameters
    ----------
    top : sectors shown, by the largest change in the countries shown; the data behind the figure have all of them.
    names : readable names of sectors beside their codes.

    Raises
    ------
    LabelError
        No such variable, scenario or phase, or several of them.
    """
    values = central(one(results, variable, scenario=scenario, phase=phase))
    values = values.sum("effect", skipna=False) if "effect" in values.dims else values
    sums = merged(values).transpose("sector", "country")
    grid = pd.DataFrame(sums.values, index=sums["sector"].values, columns=sums["country"].values)
    grid = grid.dropna(axis="columns", how="all")
    size = grid.abs().sum()
    columns = [name for name in FOCUS if name in grid]
    columns += size.drop(columns).nlargest(max(countries - len(columns), 0)).index.tolist()
    listed = grid[columns].abs().max(axis="columns").nlargest(top).index
    listed = [sector for sector in listed if grid.loc[sector, columns].abs().max() > 0]
    if not listed:
        raise ShockError(f"{variable} does not change anywhere: nothing to draw.")
    part = grid.loc[listed, columns]
    limit = float(np.nanmax(np.abs(part.to_numpy())))
    ax = style.axes(ax, 1.6 + 0.72 * len(columns) + (3.4 if names else 0.6), 1.1 + 0.3 * len(listed))
    norm = TwoSlopeNorm(0.0, -limit, limit)
    ax.imshow(part.to_numpy(), cmap=style.CHANGES, norm=norm, aspect="auto")
    for i, sector in enumerate(part.index):
        for j, country in enumerate(part.columns):
            value = float(part.loc[sector, country])
            if abs(value) >= 0.005 * limit:
                ink = style.ink(style.CHANGES(norm(value)))
                ax.text(j, i, style.short(value), ha="center", va="center", fontsize=7, color=ink)
    titles = dict(zip(values["sector"].values.tolist(), values["sector_name"].values.tolist(), strict=True))
    labels = [f"{_cut(words(titles[sector]))} ({sector})" if names else sector for sector in part.index]
    ax.set_yticks(range(len(part)), labels, fontsize=8)
    ax.set_xticks(range(len(columns)), [style.wrapped(words(name)) for name in columns], fontsize=8)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set_xlabel(style.labelled(values, words))
    style.bare(ax, "top", "right", "left", "bottom")
    long = grid.rename_axis("sector").reset_index().melt("sector", var_name="country", value_name="value")
    return style.record(ax, long.assign(unit=values.attrs["units"]))


def _cut(name: str, most: int = 44) -> str:
    return name if len(name) <= most else f"{name[: most - 1].rstrip(' ,;')}…"


def time_path(
    results: xr.Dataset,
    variable: str = "jobs",
    *,
    scenario: str | None = None,
    countries: Sequence[str] | None = None,
    ax: Axes | None = None,
    words: Words = str,
) -> Axes:
    """Draw build and run year by year, never added up: what is built is counted once, what runs every year.

    Parameters
    ----------
    results : from `run_years`.
    countries : by default the United States and Mexico.

    Raises
    ------
    ShockError
        If the results are of one year.
    LabelError
        No such variable, scenario or country.
    """
    if not isinstance(results, xr.Dataset) or "year" not in results.dims:
        raise ShockError("a path over time needs results of nio.run_years(model, scenarios).")
    values = one(results, variable, keep=("year", "phase"), scenario=scenario)
    values = values.sum("effect", skipna=False) if "effect" in values.dims else values
    sums = by_country(central(values), results["country"])
    ax = style.axes(ax, 7.0, 3.6)
    rows: list[tuple[str, str, int, float]] = []
    here = sums["country"].values.tolist()
    for country in [name for name in FOCUS if name in here] if countries is None else countries:
        if country not in sums["country"].values:
            raise unknown(country, "country", sums["country"].values.tolist())
        for phase, line in (("build", "--"), ("run", "-"), ("event", ":")):
            if phase not in sums["phase"].values:
                continue
            path = sums.sel(country=country, phase=phase)
            years, numbers = path["year"].values, path.values
            if np.isnan(numbers).all() or not np.nansum(np.abs(numbers)) > 0:
                continue
            label = f"{words(country)}, {words(phase)}"
            ax.plot(years, numbers, line, color=style.colour(country), label=label, marker="o", markersize=3)
            rows += [(country, phase, int(y), float(v)) for y, v in zip(years, numbers, strict=True)]
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_ylabel(style.labelled(values, words))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False, fontsize=8)
    style.bare(ax)
    frame = pd.DataFrame(rows, columns=["country", "phase", "year", "value"])
    return style.record(ax, frame.assign(unit=values.attrs["units"]))
