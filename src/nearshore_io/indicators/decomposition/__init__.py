"""Gross exports taken apart: whose value added, how often counted, and where it ends."""

from nearshore_io.indicators.decomposition.decompose import decompose_exports

__all__ = ["decompose_exports"]
