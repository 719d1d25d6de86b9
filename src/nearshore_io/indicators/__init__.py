"""Indicators read off a solved model."""

from nearshore_io.indicators.content import export_content, exports

__all__ = ["export_content", "exports"]
