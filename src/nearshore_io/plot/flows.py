"""Where a dollar goes: the waterfall of an export dollar, the Sankey of a shock, value added between countries."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm

from nearshore_io.errors import ShockError
from nearshore_io.labels import unknown
from nearshore_io.plot import style
from nearshore_io.plot.style import POOLED, Words

LARGER = {"million USD": ("billion USD", 1e-3), "thousand persons": ("million persons", 1e-3)}
"""Units that large numbers are shown in instead, and by how much they are multiplied."""
SMALL = 0.5
"""Cents under which an origin is added to the others."""


def waterfall(content: xr.DataArray, *, ax: Axes | None = None, words: Words = str) -> Axes:
    """Draw 100 cents of an export dollar by origin: the largest first, small ones pooled, product taxes last.

    Parameters
    ----------
    content : from `export_content`, with the dim ``origin`` alone.

    Raises
    ------
    ShockError
        If it is something else, or has further dims.
    """
    if not isinstance(content, xr.DataArray) or content.dims != ("origin",):
        raise ShockError(
            "a waterfall needs content with the dim origin alone: nio.export_content(model, 'MEX', 'USA')."
        )
    cents = 100.0 * content.to_series()
    taxes = cents[[name for name in cents.index if name == "taxes"]]
    origins = cents.drop(taxes.index).sort_values(ascending=False)
    large = origins[origins >= SMALL]
    rest = float(origins[origins < SMALL].sum())
    steps = pd.concat([large, pd.Series({POOLED: rest}) if rest else large.iloc[:0], taxes])
    ax = style.axes(ax, 7.0, 0.9 + 0.34 * (len(steps) + 1))
    start = 0.0
    for k, (name, value) in enumerate(steps.items()):
        ax.barh(k, value, left=start, color=style.colour(str(name)), height=0.66)
        ax.text(max(start, start + value) + 1, k, style.short(value, 3), va="center", fontsize=8)
        if k:
            ax.plot([start, start], [k - 1.33, k + 0.33], color="#777777", linewidth=0.6)
        start += float(value)
    ax.barh(len(steps), start, color="#D0D0D0", height=0.66)
    ax.text(start + 1, len(steps), style.short(start, 3), va="center", fontsize=8)
    ax.set_yticks(range(len(steps) + 1), [*(words(str(name)) for name in steps.index), words("sum")])
    ax.set(xlim=(0, 112), xticks=range(0, 101, 20))
    ax.invert_yaxis()
    ax.set_xlabel(words("cents per dollar of exports, by origin of value added"))
    style.bare(ax, "top", "right", "left")
    ax.tick_params(left=False)
    frame = pd.DataFrame({"origin": cents.index, "value": cents.to_numpy(), "unit": "cents per dollar"})
    return style.record(ax, frame)


def bilateral(
    matrix: xr.DataArray,
    before: xr.DataArray | None = None,
    *,
    countries: int = 8,
    ax: Axes | None = None,
    words: Words = str,
) -> Axes:
    """Draw value added (or another stressor) of each country in the final demand of each other one.

    Parameters
    ----------
    matrix : from `footprint` or `embodied_in_exports`, dims (origin, destination).
    before : the same before a scenario: the change is drawn, in diverging colours.

    Raises
    ------
    ShockError
        If it is something else, or nothing changes.
    """
    if not isinstance(matrix, xr.DataArray) or set(matrix.dims) != {"origin", "destination"}:
        raise ShockError("this figure needs a matrix by origin and destination: nio.footprint(model).")
    values = matrix if before is None else matrix - before
    frame = pd.DataFrame(
        values.transpose("origin", "destination").values,
        index=matrix["origin"].values,
        columns=matrix["destination"].values,
    ).dropna(axis="index", how="all")
    abroad = frame.copy()
    for name in set(frame.index) & set(frame.columns):
        abroad.loc[name, name] = np.nan
    size = abroad.abs().sum(axis="columns").add(abroad.abs().sum(), fill_value=0.0)
    listed = [name for name in ("USA", "MEX") if name in frame.index]
    listed += size.drop(listed).nlargest(max(countries - len(listed), 0)).index.tolist()
    rows = [name for name in listed if name in frame.index]
    part = abroad.loc[rows, listed]
    numbers = np.abs(part.to_numpy())
    limit = float(np.nanmax(numbers))
    if not limit > 0:
        raise ShockError("nothing changes between these countries: nothing to draw.")
    ax = style.axes(ax, 1.6 + 0.66 * len(listed), 1.2 + 0.42 * len(rows))
    norm: Normalize
    if before is None:
        norm, cmap = LogNorm(max(limit / 1e4, float(numbers[numbers > 0].min())), limit), style.LEVELS
    else:
        norm, cmap = TwoSlopeNorm(0.0, -limit, limit), style.CHANGES
    ax.imshow(part.to_numpy(), cmap=cmap, norm=norm, aspect="auto")
    unit = str(matrix.attrs["units"])
    shown, scale = LARGER.get(unit, (unit, 1.0)) if limit >= 1e5 else (unit, 1.0)
    for i in range(len(rows)):
        for j in range(len(listed)):
            value = float(part.iloc[i, j])
            if not np.isnan(value) and abs(value) >= (0.0 if before is None else 0.005 * limit):
                ink = style.ink(cmap(norm(value)))
                ax.text(j, i, style.short(value * scale), ha="center", va="center", fontsize=7, color=ink)
    ax.set_xticks(range(len(listed)), [style.wrapped(words(name)) for name in listed], fontsize=8)
    ax.set_yticks(range(len(rows)), [words(name) for name in rows], fontsize=8)
    ax.xaxis.tick_top()
    ax.set_ylabel(words("value added of"))
    what = words("in final demand of") if before is None else words("in final demand of, change")
    ax.set_xlabel(f"{what} ({words(shown)})")
    ax.tick_params(length=0)
    style.bare(ax, "top", "right", "left", "bottom")
    long = frame.rename_axis("origin").reset_index().melt("origin", var_name="destination", value_name="value")
    return style.record(ax, long.assign(unit=unit))


def content_bars(content: xr.DataArray, *, ax: Axes | None = None, words: Words = str) -> Axes:
    """Draw content of exports before and after a scenario, in cents per dollar.

    Parameters
    ----------
    content : the variable ``content`` of ``run(model, scenarios, content=True)``, of one scenario and phase.

    Raises
    ------
    ShockError
        If it is something else.
    """
    if not isinstance(content, xr.DataArray) or set(content.dims) != {"flow", "when"}:
        raise ShockError("this figure needs results.content of one scenario and one phase.")
    frame = 100.0 * content.transpose("flow", "when").to_pandas()
    if not {"before", "after"} <= set(frame.columns):
        raise unknown("after", "when", list(map(str, frame.columns)))
    ax = style.axes(ax, 7.0, 0.9 + 0.55 * len(frame))
    places = np.arange(len(frame))
    colours = [style.colour(str(name).partition(" in exports")[0]) for name in frame.index]
    ax.barh(places - 0.19, frame["before"], height=0.34, color=colours, alpha=0.45)
    ax.barh(places + 0.19, frame["after"], height=0.34, color=colours)
    for shift, when in ((-0.19, "before"), (0.19, "after")):
        for place, value in zip(places, frame[when], strict=True):
            if not np.isnan(value):
                ax.text(value, place + shift, f" {words(when)} {style.short(value, 3)}", va="center", fontsize=8)
    ax.set_yticks(places, [words(str(name)) for name in frame.index])
    ax.invert_yaxis()
    ax.margins(x=0.25)
    ax.set_xlabel(words("cents per dollar of exports"))
    style.bare(ax, "top", "right", "left")
    ax.tick_params(left=False)
    long = frame.rename_axis("flow").reset_index().melt("flow", var_name="when", value_name="value")
    return style.record(ax, long.assign(unit="cents per dollar"))
