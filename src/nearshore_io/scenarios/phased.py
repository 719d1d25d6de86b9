"""Scenarios that have come up in part."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nearshore_io.scenarios.base import Phase, Scenario, Shock
from nearshore_io.scenarios.change import Change
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Phased:
    """A share u of what a shock changes in its run phase: u ΔA, u ΔY, u ΔX̄, … ."""

    shock: Shock
    share: float

    @property
    def kind(self) -> str:
        """The kind of the shock."""
        return self.shock.kind

    @property
    def basis(self) -> str:
        """The basis of the shock."""
        return self.shock.basis

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return the share of the run phase, and no other phase."""
        whole = self.shock.changes(table, deflator)
        return {"run": whole["run"].scaled(self.share)} if "run" in whole else {}


def phased_in(scenario: Scenario, share: float) -> Scenario:
    """Return a scenario of which this share has come up."""
    return replace(scenario, shocks=tuple(Phased(shock, share) for shock in scenario.shocks), variants={})
