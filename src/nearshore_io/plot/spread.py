"""How sure a result is: what moves it (tornado), and its quantiles along a parameter (fan)."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nearshore_io.errors import LabelError, ShockError, first_few
from nearshore_io.plot import style
from nearshore_io.plot.style import Words

LOW, HIGH = "#56B4E9", "#E69F00"


def tornado(effects: pd.DataFrame, *, top: int = 12, ax: Axes | None = None, words: Words = str) -> Axes:
    """Draw what moves a total, the strongest on top.

    Parameters
    ----------
    effects : from `main_effects` (the total at the low and at the high end of each parameter, around its central
        value), or from `SweepResults.tornado` (rank correlations, with their span over combinations).
    top : parameters shown; the data behind the figure have all.

    Raises
    ------
    ShockError
        If it is something else, or nothing varies.
    """
    if not isinstance(effects, pd.DataFrame) or not {"at_low", "correlation"} & set(effects.columns):
        raise ShockError("a tornado needs nio.main_effects(...) or SweepResults.tornado(...).")
    if not len(effects):
        raise ShockError("no parameter has a band: nothing to draw.")
    frame = effects.reset_index() if "parameter" not in effects else effects
    part = frame.head(top)[::-1]
    ax = style.axes(ax, 7.0, 1.0 + 0.42 * len(part))
    places = np.arange(len(part))
    if "at_low" in frame:
        _ends(ax, places, part, words)
    else:
        values = part["correlation"].to_numpy()
        ax.barh(places, values, color=np.where(values >= 0, HIGH, LOW), height=0.6)
        ax.hlines(places, part["lowest"], part["highest"], color="black", linewidth=1.2)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set(xlim=(-1.02, 1.02))
        ax.set_xlabel(words("rank correlation (of words: correlation ratio)"))
        ax.set_yticks(places, part["parameter"].astype(str))
    style.bare(ax, "top", "right", "left")
    ax.tick_params(left=False)
    return style.record(ax, frame)


def _ends(ax: Axes, places: np.ndarray, part: pd.DataFrame, words: Words) -> None:
    """Draw the total from the low to the high end of each parameter, and a line at its central value."""
    middle = float(part["central"].iloc[0])
    halfway = (part["at_low"] + part["at_high"]) / 2
    for side, colour, label in (("at_low", LOW, "low"), ("at_high", HIGH, "high")):
        ax.barh(places, part[side] - halfway, left=halfway, color=colour, height=0.6, label=words(label))
    ax.axvline(float(halfway.mean()), color="black", linewidth=0.9, label=words("mean over the ends"))
    ax.axvline(middle, color="black", linewidth=1.2, linestyle="--", label=words("central value"))
    named = [
        f"{row.parameter}\n({_shown(row.low)} … {_shown(row.high)})"
        for row in part[["parameter", "low", "high"]].itertuples()
    ]
    ax.set_yticks(places, named, fontsize=8)
    ax.set_xlabel(f"{words(str(part['unit'].iloc[0]))}")
    ax.legend(frameon=False, fontsize=8)
    ax.margins(x=0.08)


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def fan(quantiles: pd.DataFrame, over: str, *, label: str = "", ax: Axes | None = None, words: Words = str) -> Axes:
    """Draw the quantiles of a total along a parameter: the median, and a band for each pair of quantiles.

    Parameters
    ----------
    quantiles : from ``SweepResults.quantiles(variable, by=over)``, of one total.
    over : the parameter along the axis, a number.

    Raises
    ------
    LabelError
        If there is no such column, it is no number, or there are several totals.
    ShockError
        If there are no quantiles.
    """
    if not isinstance(quantiles, pd.DataFrame) or over not in quantiles:
        known = list(quantiles.columns) if isinstance(quantiles, pd.DataFrame) else []
        raise LabelError(f"no column {over!r} to draw quantiles along; there are {first_few(map(str, known), 8)}.")
    if not pd.api.types.is_numeric_dtype(quantiles[over]):
        raise LabelError(f"{over} is no number: a fan needs a parameter that is one.")
    frame = quantiles.sort_values(over)
    if frame[over].duplicated().any():
        keys = [name for name in ("variable", "place", "sector", "phase", "table") if frame[name].nunique() > 1]
        raise LabelError(f"several totals at one {over}: choose one, of {', '.join(keys) or 'them'}.")
    levels = sorted((float(name[1:]), name) for name in frame.columns if re.fullmatch(r"P[\d.]+", str(name)))
    if not levels:
        raise ShockError("a fan needs SweepResults.quantiles(variable, by=...).")
    ax = style.axes(ax, 7.0, 3.8)
    place = str(frame["place"].iloc[0]) if "place" in frame else ""
    colour = style.colour(place)
    pairs = [(low, high) for low, high in zip(levels, reversed(levels), strict=True) if low[0] < 50 < high[0]]
    for low, high in pairs:
        name = f"{low[1]} … {high[1]}"
        ax.fill_between(frame[over], frame[low[1]], frame[high[1]], color=colour, alpha=0.5 / len(pairs), label=name)
    if "P50" in frame:
        ax.plot(frame[over], frame["P50"], color=colour, label="P50", marker="o", markersize=3)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_xlabel(words(over))
    what = label or " ".join(str(frame[name].iloc[0]) for name in ("variable", "place") if name in frame)
    ax.set_ylabel(f"{words(what)}\n({words(str(frame['unit'].iloc[0]))})")
    ax.legend(frameon=False, fontsize=8)
    style.bare(ax)
    return style.record(ax, frame)
