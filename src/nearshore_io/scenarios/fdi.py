"""Foreign direct investment: a plant that is built once and then runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nearshore_io.errors import ShockError, first_few
from nearshore_io.scenarios.base import (
    Phase,
    in_table,
    output_shares,
    require_labels,
    require_positive,
    require_share,
    require_shares,
)
from nearshore_io.scenarios.capital import capital_formation
from nearshore_io.scenarios.change import Change, Fact
from nearshore_io.table import IOTable
from nearshore_io.units import Amount, is_number

COMPONENTS = ("new", "reinvested", "intercompany")


@dataclass(frozen=True)
class FDI:
    """Investment from abroad, in two phases with clocks of their own.

    FDI is not capital formation. What becomes capital expenditure is

        I = (1 − d) (1 − μ) Σ_k κ_k FDI_k   over new equity, reinvested earnings and inter-company debt,

    and it is all of the amount where no components are given.

    *build*, once: I is spent as capital formation of the host, by asset, product and origin (`capital_formation`), jobs
    in job-years; 1ᵀΔf and product taxes sum to I.

    *run*, every year: the plant's output X̄ = I/k is given, and is not multiplied again by its own industry's demand,

        Δx = L_{·o} (L_oo)⁻¹ X̄,   so that Δx_o = X̄ exactly.

    Parameters
    ----------
    region, sector : where the plant stands and what it makes; a country with several regions shares it by output.
    amount : ``"610 million USD"``, or a number together with ``unit``.
    output : yearly output once it runs, of which (1 − d) is additional; or
    capital_output_ratio : k, capital expenditure per unit of yearly output. Without either there is no run phase.
    profile : shares of the amount by product, such as ``{"c18": 0.4, "c13": 0.6}``; each is bought where the host
        buys that product for capital formation. By default the host's own mix.
    assets : in the place of a profile, α, shares by asset: structures, machinery, transport_equipment, ict, software.
    category : final-demand category of capital formation.
    components : shares of the amount: new, reinvested, intercompany, summing to one.
    capitalised : κ, how much of each component becomes capital expenditure, between 0 and 1.
    acquisitions : μ, the share that buys what exists already: mergers, land, used buildings.
    displacement : d, the share that others would have invested and produced in any case.

    Source: the mixed model is Miller & Blair (2009), section 13.2; additionality as in the Additionality Guide (Homes
    and Communities Agency 2014).
    """

    region: str
    sector: str | Sequence[str]
    amount: Amount
    unit: str | None = None
    output: Amount | None = None
    capital_output_ratio: float | None = None
    profile: Mapping[str, float] | None = None
    assets: Mapping[str, float] | None = None
    category: str = "GFCF"
    components: Mapping[str, float] | None = None
    capitalised: Mapping[str, float] | None = None
    acquisitions: float = 0.0
    displacement: float = 0.0

    kind: ClassVar[str] = "fdi"

    def __post_init__(self) -> None:
        require_labels("FDI", region=self.region, sector=self.sector)
        if self.output is not None and self.capital_output_ratio is not None:
            raise ShockError("FDI: give the plant's output or its capital_output_ratio, not both.")
        if self.capital_output_ratio is not None:
            require_positive(self.capital_output_ratio, "FDI capital_output_ratio")
        if self.profile is not None and self.assets is not None:
            raise ShockError("FDI: give a profile by product or assets, not both.")
        for name in ("profile", "assets", "components"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, require_shares(getattr(self, name), f"FDI {name}"))
        require_share(self.acquisitions, "FDI acquisitions")
        require_share(self.displacement, "FDI displacement")
        self._require_components()

    def _require_components(self) -> None:
        if (self.components is None) != (self.capitalised is None):
            raise ShockError(
                "FDI: components and capitalised go together: shares of the amount, and what becomes capital."
            )
        for name in ("components", "capitalised"):
            strange = [part for part in getattr(self, name) or () if part not in COMPONENTS]
            if strange:
                raise ShockError(f"FDI {name}: {first_few(strange)} is none of {', '.join(COMPONENTS)}.")
        for part in self.components or ():
            require_share((self.capitalised or {}).get(part), f"FDI capitalised of {part}")

    @property
    def basis(self) -> str:
        """Gross: nobody's sales are displaced; with displacement, of the part that is additional."""
        if self.displacement == 0.0:
            return "gross: no other investment is displaced"
        return f"gross, of the {100 * (1.0 - self.displacement):.0f} % that is additional; nobody loses sales"

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔY of the build phase, and the given output of the run phase where it is known."""
        amount = in_table(self.amount, self.unit, table, deflator, "FDI amount")
        spent = amount * self._capital_share() * (1.0 - self.displacement)
        host = self._host(table)
        bought = capital_formation(table, host, spent, self.category, profile=self.profile, assets=self.assets)
        facts = {"capital expenditure": Fact(spent, table.unit)}
        if bought.taxes:
            facts["product taxes on capital goods"] = Fact(bought.taxes, table.unit)
        phases: dict[Phase, Change] = {
            "build": Change.of(table, demand=bought.demand, patterned=bought.demand, facts=facts)
        }
        output = self._yearly_output(spent, table, deflator)
        if output is not None:
            plant = table.positions(self.region, self.sector)
            given = np.zeros(table.n)
            given[plant] = output * output_shares(table, plant, "FDI")
            phases["run"] = Change.of(table, output=given)
        return phases

    def _capital_share(self) -> float:
        """Return (1 − μ) Σ κ_k s_k, capital expenditure per unit of the amount."""
        if self.components is None or self.capitalised is None:
            return 1.0 - self.acquisitions
        capitalised = sum(share * self.capitalised[part] for part, share in self.components.items())
        return (1.0 - self.acquisitions) * capitalised

    def _host(self, table: IOTable) -> str:
        industries = table.positions(self.region, self.sector)
        output_shares(table, industries, "FDI")
        hosts = dict.fromkeys(table.country[table.regions[i // len(table.sectors)]] for i in industries)
        if len(hosts) != 1:
            raise ShockError(f"FDI: {self.region!r} is several countries ({first_few(hosts)}); give each its own FDI.")
        return next(iter(hosts))

    def _yearly_output(self, spent: float, table: IOTable, deflator: Mapping[int, float]) -> float | None:
        if self.output is not None:
            unit = self.unit if is_number(self.output) else None
            return in_table(self.output, unit, table, deflator, "FDI output") * (1.0 - self.displacement)
        return None if self.capital_output_ratio is None else spent / self.capital_output_ratio
