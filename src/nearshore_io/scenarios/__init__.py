"""Shocks, one file for each kind, and scenarios made of them."""

from nearshore_io.scenarios.base import Phase, Scenario, Shock
from nearshore_io.scenarios.change import Activity, Change, Fact
from nearshore_io.scenarios.gallery import list_gallery, load_scenario
from nearshore_io.scenarios.kinds import (
    FDI,
    Capacity,
    ContentRule,
    Extraction,
    FinalDemand,
    Inventories,
    Output,
    Plant,
    Relocation,
    Tariff,
    Technology,
    TradeCost,
    Wage,
)
from nearshore_io.scenarios.parameters import Parameter
from nearshore_io.scenarios.phased import phased_in
from nearshore_io.scenarios.question import Question
from nearshore_io.scenarios.spec import read_scenarios
from nearshore_io.scenarios.timing import Ramp, Timing

__all__ = [
    "FDI",
    "Activity",
    "Capacity",
    "Change",
    "ContentRule",
    "Extraction",
    "Fact",
    "FinalDemand",
    "Inventories",
    "Output",
    "Parameter",
    "Phase",
    "Plant",
    "Question",
    "Ramp",
    "Relocation",
    "Scenario",
    "Shock",
    "Tariff",
    "Technology",
    "Timing",
    "TradeCost",
    "Wage",
    "list_gallery",
    "load_scenario",
    "phased_in",
    "read_scenarios",
]
