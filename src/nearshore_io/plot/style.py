"""What all figures share: one colour for each country, numbers, axes, and the data behind them."""

import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import wrap
from typing import Any
from weakref import WeakKeyDictionary

import pandas as pd
from matplotlib import colormaps
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from nearshore_io.errors import ShockError
from nearshore_io.files import write_bytes
from nearshore_io.palette import PALETTE, POOLED, colour
from nearshore_io.rounding import MINUS, significant

__all__ = [
    "PALETTE",
    "POOLED",
    "Words",
    "axes",
    "bare",
    "colour",
    "data",
    "ink",
    "labelled",
    "pooled",
    "record",
    "short",
    "write_data",
]

Words = Callable[[str], str]
"""Translates what a figure says; `str` leaves it in English."""

_DATA: WeakKeyDictionary[Axes, pd.DataFrame] = WeakKeyDictionary()

ONCE = ("build", "event")
"""Phases that happen once: their jobs are job-years."""
LEVELS = colormaps["cividis"]
CHANGES = colormaps["PuOr_r"]


def ink(background: Any) -> str:
    """Return black or white, whichever can be read on a colour (W3C relative luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(background)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.179 else "white"


def short(value: float, digits: int = 2) -> str:
    """Return a number to so many significant digits, with a true minus; nothing of what nobody knows."""
    return "" if math.isnan(value) else significant(value, digits).lstrip("+").replace("-", MINUS)


def wrapped(name: str) -> str:
    """Return a name on lines short enough to stand beside others."""
    return "\n".join(wrap(name, 11, break_long_words=False))


def axes(ax: Axes | None, width: float = 7.0, height: float = 4.0) -> Axes:
    """Return the axes to draw on: those given, or new ones of a figure of its own."""
    if ax is not None:
        return ax
    _, made = plt.subplots(figsize=(width, height), layout="constrained")
    return made


def labelled(values: Any, words: Words) -> str:
    """Return the name and the unit of a quantity, from its own attributes."""
    unit = str(values.attrs["units"])
    if "phase" in values.coords and values["phase"].ndim == 0 and str(values["phase"].item()) in ONCE:
        unit = unit.replace("persons", "job-years")
    return f"{words(str(values.attrs['long_name']))}, {words(unit)}"


def bare(ax: Axes, *sides: str) -> None:
    """Take frame lines away that carry nothing."""
    for side in sides or ("top", "right"):
        ax.spines[side].set_visible(False)


def record(ax: Axes, frame: pd.DataFrame) -> Axes:
    """Keep the data behind a figure, for `data` and `write_data`; return the axes."""
    _DATA[ax] = frame.reset_index(drop=True)
    return ax


def data(ax: Axes) -> pd.DataFrame:
    """Return the numbers behind a figure, a table with its units.

    Raises
    ------
    ShockError
        If the axes are not of a figure of `nearshore_io.plot`.
    """
    if ax not in _DATA:
        raise ShockError("no data are known of these axes: give those that a function of nearshore_io.plot returned.")
    return _DATA[ax].copy()


def write_data(ax: Axes, path: str | os.PathLike[str]) -> Path:
    """Write the numbers behind a figure as CSV, whole or not at all.

    Raises
    ------
    ShockError, StorageError
        Axes of another figure; a place that cannot be written.
    """
    return write_bytes(path, data(ax).to_csv(index=False).encode())


def pooled(values: pd.Series, keep: Iterable[str], most: int) -> pd.Series:
    """Return the values of some names and of the largest others, the rest added up as ``others``."""
    known = values.dropna()
    wanted = [name for name in keep if name in known]
    rest = known.drop(wanted)
    largest = rest.abs().nlargest(max(most - len(wanted), 0)).index.tolist()
    small = rest.drop(largest)
    found = known[[*wanted, *largest]]
    if len(small):
        found = pd.concat([found, pd.Series({POOLED: float(small.sum())})])
    return found
