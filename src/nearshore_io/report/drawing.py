"""Figures of a report: drawn only when the page is written, so that nothing else needs matplotlib."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def drawn(name: str, *what: Any, **how: Any) -> "Callable[[], Axes]":
    """Return how a figure of `nearshore_io.plot` is drawn, by the name of its function."""
    return partial(_draw, name, what, how)


def _draw(name: str, what: tuple[Any, ...], how: dict[str, Any]) -> "Axes":
    from nearshore_io import plot

    figure: Axes = getattr(plot, name)(*what, **how)
    return figure
