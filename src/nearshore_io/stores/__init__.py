"""Where results of sweeps lie, and how they are read."""

from nearshore_io.stores.results import SweepResults, open_results
from nearshore_io.stores.sinks import sink_at

__all__ = ["SweepResults", "open_results", "sink_at"]
