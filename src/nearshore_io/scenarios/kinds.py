"""The kinds of shock there are, by the name they have in scenario files."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nearshore_io.scenarios.capacity import Capacity
from nearshore_io.scenarios.content_rule import ContentRule
from nearshore_io.scenarios.extraction import Extraction
from nearshore_io.scenarios.fdi import FDI
from nearshore_io.scenarios.final_demand import FinalDemand
from nearshore_io.scenarios.inventories import Inventories
from nearshore_io.scenarios.output import Output
from nearshore_io.scenarios.plant import Plant
from nearshore_io.scenarios.relocation import Relocation
from nearshore_io.scenarios.tariff import Tariff
from nearshore_io.scenarios.technology import Technology
from nearshore_io.scenarios.trade_cost import TradeCost
from nearshore_io.scenarios.wage import Wage

__all__ = [
    "FDI",
    "KINDS",
    "Capacity",
    "ContentRule",
    "Extraction",
    "FinalDemand",
    "Inventories",
    "Output",
    "Plant",
    "Relocation",
    "Tariff",
    "Technology",
    "TradeCost",
    "Wage",
]

SHOCKS: tuple[Any, ...] = (
    FinalDemand,
    Output,
    FDI,
    Plant,
    Relocation,
    Technology,
    Extraction,
    Capacity,
    Inventories,
    Tariff,
    TradeCost,
    Wage,
    ContentRule,
)
KINDS: Mapping[str, type[Any]] = MappingProxyType({shock.kind: shock for shock in SHOCKS})
