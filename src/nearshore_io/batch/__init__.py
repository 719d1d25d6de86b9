"""Scenarios through the model: one labelled result for all of them, and the table as it stands after one."""

from nearshore_io.batch.answers import answers
from nearshore_io.batch.assumed import assumptions_of, scenarios_of
from nearshore_io.batch.banded import content_band, error_sources, table_band
from nearshore_io.batch.compare import compare
from nearshore_io.batch.counterfactual import counterfactual
from nearshore_io.batch.losers import gainers_and_losers
from nearshore_io.batch.run import band, is_band, run
from nearshore_io.batch.sensitivity import main_effects
from nearshore_io.batch.tiers import demand_flows
from nearshore_io.batch.totals import run_totals
from nearshore_io.batch.years import run_years

__all__ = [
    "answers",
    "assumptions_of",
    "band",
    "compare",
    "content_band",
    "counterfactual",
    "demand_flows",
    "error_sources",
    "gainers_and_losers",
    "is_band",
    "main_effects",
    "run",
    "run_totals",
    "run_years",
    "scenarios_of",
    "table_band",
]
