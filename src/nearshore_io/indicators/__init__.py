"""Indicators read off a solved model."""

from nearshore_io.indicators.comparisons import Comparison, compare_published
from nearshore_io.indicators.content import content_by_measure, export_content, exports
from nearshore_io.indicators.decomposition import decompose_exports, tiva_indicators
from nearshore_io.indicators.exposure import concentration, exposure, origins, trust_weighted_exposure
from nearshore_io.indicators.footprint import embodied_in_exports, footprint, trade_balances
from nearshore_io.indicators.positions import (
    downstreamness,
    extraction,
    linkages,
    multiplier_table,
    propagation_length,
    upstreamness,
)
from nearshore_io.indicators.rules import (
    content_rules,
    exim_content,
    labour_value_content,
    metals_content,
    regional_value_content,
)

__all__ = [
    "Comparison",
    "compare_published",
    "concentration",
    "content_by_measure",
    "content_rules",
    "decompose_exports",
    "downstreamness",
    "embodied_in_exports",
    "exim_content",
    "export_content",
    "exports",
    "exposure",
    "extraction",
    "footprint",
    "labour_value_content",
    "linkages",
    "metals_content",
    "multiplier_table",
    "origins",
    "propagation_length",
    "regional_value_content",
    "tiva_indicators",
    "trade_balances",
    "trust_weighted_exposure",
    "upstreamness",
]
