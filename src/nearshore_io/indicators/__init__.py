"""Indicators read off a solved model."""

from nearshore_io.indicators.comparisons import Comparison, compare_published
from nearshore_io.indicators.content import export_content, exports

__all__ = ["Comparison", "compare_published", "export_content", "exports"]
