"""Figures: each takes results, returns matplotlib axes, never shows them, and keeps its data (`data`, `write_data`)."""

from nearshore_io.errors import MissingExtraError

try:
    import matplotlib as _  # noqa: F401
except ImportError as error:
    raise MissingExtraError("drawing a figure", "matplotlib", "plot") from error

from nearshore_io.plot.flows import bilateral, content_bars, waterfall
from nearshore_io.plot.impacts import heatmap, impact_bars, time_path
from nearshore_io.plot.sankey import sankey
from nearshore_io.plot.spread import fan, tornado
from nearshore_io.plot.structure import positions, solver_benchmark, spy
from nearshore_io.plot.style import PALETTE, colour, data, write_data

__all__ = [
    "PALETTE",
    "bilateral",
    "colour",
    "content_bars",
    "data",
    "fan",
    "heatmap",
    "impact_bars",
    "positions",
    "sankey",
    "solver_benchmark",
    "spy",
    "time_path",
    "tornado",
    "waterfall",
    "write_data",
]
