"""Shocks, one file for each kind, and scenarios made of them."""

from nearshore_io.scenarios.base import Change, Phase, Scenario, Shock
from nearshore_io.scenarios.fdi import FDI
from nearshore_io.scenarios.final_demand import FinalDemand
from nearshore_io.scenarios.relocation import Relocation
from nearshore_io.scenarios.spec import read_scenarios

__all__ = ["FDI", "Change", "FinalDemand", "Phase", "Relocation", "Scenario", "Shock", "read_scenarios"]
