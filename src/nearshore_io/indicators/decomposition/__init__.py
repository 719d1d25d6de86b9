"""Gross exports taken apart: whose value added, how often counted, and where it ends."""

from nearshore_io.indicators.decomposition.decompose import decompose_exports
from nearshore_io.indicators.decomposition.tiva import tiva_indicators

__all__ = ["decompose_exports", "tiva_indicators"]
