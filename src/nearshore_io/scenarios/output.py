"""Output that is given: the mixed model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from nearshore_io.errors import ShockError
from nearshore_io.scenarios.base import Phase, in_table, output_shares, require_choice, require_labels
from nearshore_io.scenarios.change import Change
from nearshore_io.table import IOTable
from nearshore_io.units import Amount


@dataclass(frozen=True)
class Output:
    """An industry's output changes by a given amount, whoever buys it: a plant that opens, a mine that closes.

        Δx_o = X̄,   Δx = L_·o (L_oo)⁻¹ X̄,

    so that its suppliers follow, and its own output is not multiplied again by its own industry's demand. Demand for
    its product adapts by Δf_o = (I − A_oo) X̄ − A_on Δx_n.

    Parameters
    ----------
    region, sector : the producer, by code, country or group; several share the amount by their output.
    amount : of yearly output, ``"1 billion USD"``, or a number together with ``unit``.
    direction : "increase" or "decrease".

    Source: Miller & Blair (2009), section 13.2.
    """

    region: str
    sector: str | Sequence[str]
    amount: Amount
    unit: str | None = None
    direction: Literal["increase", "decrease"] = "increase"

    kind: ClassVar[str] = "output"
    basis: ClassVar[str] = "gross: output is given, and demand adapts to it"

    def __post_init__(self) -> None:
        require_labels("output", region=self.region, sector=self.sector)
        require_choice(self.direction, ("increase", "decrease"), "direction")

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔX̄ in the run phase."""
        value = in_table(self.amount, self.unit, table, deflator, "output amount")
        industries = table.positions(self.region, self.sector)
        before = table.x.values.ravel()[industries]
        shares = output_shares(table, industries, "output")
        if self.direction == "decrease" and (value * shares > before * (1 + 1e-9)).any():
            raise ShockError(
                f"output amount: {table.industry_names(industries)} makes {before.sum():,.4g} {table.unit}, "
                f"less than the {value:,.4g} to be taken away."
            )
        given = np.zeros(table.n)
        given[industries] = value * shares * (-1.0 if self.direction == "decrease" else 1.0)
        return {"run": Change.of(table, output=given)}
