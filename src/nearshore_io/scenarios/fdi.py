"""Foreign direct investment: a plant that is built once and then runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ShockError, first_few
from nearshore_io.scenarios.base import Change, Phase, output_shares, require_labels, require_positive, require_share
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import Amount, is_number, money


@dataclass(frozen=True)
class FDI:
    """Capital expenditure of an investor, in two phases with clocks of their own.

    *build*, once: the amount is spent as the host's gross fixed capital formation is, by product and origin,

        Δf = g θ,   θ the host's capital-formation column as shares, jobs in job-years.

    *run*, every year: the plant's output X̄ is given, and is not multiplied again by its own industry's demand,

        Δx = L_{·o} (L_oo)⁻¹ X̄,   so that Δx_o = X̄ exactly.

    Parameters
    ----------
    region, sector : where the plant stands and what it makes; a country with several regions shares it by output.
    amount : capital expenditure, ``"610 million USD"``, or a number together with ``unit``. FDI totals are not
        capital expenditure: leave out acquisitions, land and refinanced debt.
    output : yearly output once it runs; or
    capital_output_ratio : capital expenditure per unit of yearly output. Without either there is no run phase.
    profile : shares of the amount by product, such as ``{"c18": 0.4, "c13": 0.6}``; each is bought where the host
        buys that product for capital formation. By default the host's own mix.
    category : final-demand category of capital formation.

    Source: the mixed model is Miller & Blair (2009), section 13.2.
    """

    region: str
    sector: str
    amount: Amount
    unit: str | None = None
    output: Amount | None = None
    capital_output_ratio: float | None = None
    profile: Mapping[str, float] | None = None
    category: str = "GFCF"

    kind: ClassVar[str] = "fdi"
    basis: ClassVar[str] = "gross: no other investment is displaced"

    def __post_init__(self) -> None:
        require_labels("FDI", region=self.region, sector=self.sector)
        if self.output is not None and self.capital_output_ratio is not None:
            raise ShockError("FDI: give the plant's output or its capital_output_ratio, not both.")
        if self.capital_output_ratio is not None:
            require_positive(self.capital_output_ratio, "FDI capital_output_ratio")
        if self.profile is not None and not isinstance(self.profile, Mapping):
            raise ShockError(f"FDI profile must give a share for each product, not {self.profile!r}.")
        if self.profile is not None:
            object.__setattr__(self, "profile", MappingProxyType(dict(self.profile)))
            for sector, share in self.profile.items():
                require_share(share, f"FDI profile of {sector}")
            if abs(sum(self.profile.values()) - 1.0) > 1e-6:
                raise ShockError(f"FDI profile: the shares sum to {sum(self.profile.values()):.6g}, not to one.")

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔY of the build phase, and the given output of the run phase where it is known."""
        amount = self._money(self.amount, self.unit, table, deflator, "FDI amount")
        host = self._host(table)
        phases: dict[Phase, Change] = {"build": Change.of(table, demand=self._capital_formation(table, host, amount))}
        output = self._yearly_output(amount, table, deflator)
        if output is not None:
            plant = table.positions(self.region, self.sector)
            given = np.zeros(table.n)
            given[plant] = output * output_shares(table, plant, "FDI")
            phases["run"] = Change.of(table, output=given)
        return phases

    def _money(
        self, amount: Amount, unit: str | None, table: IOTable, deflator: Mapping[int, float], what: str
    ) -> float:
        return money(amount, unit, table_unit=table.unit, table_year=table.year, deflator=deflator, what=what)

    def _host(self, table: IOTable) -> str:
        industries = table.positions(self.region, self.sector)
        output_shares(table, industries, "FDI")
        hosts = dict.fromkeys(table.country[table.regions[i // len(table.sectors)]] for i in industries)
        if len(hosts) != 1:
            raise ShockError(f"FDI: {self.region!r} is several countries ({first_few(hosts)}); give each its own FDI.")
        return next(iter(hosts))

    def _yearly_output(self, amount: float, table: IOTable, deflator: Mapping[int, float]) -> float | None:
        if self.output is not None:
            unit = self.unit if is_number(self.output) else None
            return self._money(self.output, unit, table, deflator, "FDI output")
        return None if self.capital_output_ratio is None else amount / self.capital_output_ratio

    def _capital_formation(self, table: IOTable, host: str, amount: float) -> csr_array:
        """Return ΔY of the build phase, sparse (n, final uses)."""
        region = labels.position(host, table.final_regions, "final_region")
        category = labels.position(self.category, table.categories, "category")
        use = region * table.Y.sizes["category"] + category
        shares = self._shares(table, table.y[:, use], host)
        rows = np.flatnonzero(shares)
        return csr_array((amount * shares[rows], (rows, np.full(rows.size, use))), shape=table.y.shape)

    def _shares(self, table: IOTable, column: Array, host: str) -> Array:
        """Return the amount's shares by supplying industry, shape (n,), summing to one."""
        if self.profile is None:
            if not column.sum() > 0:
                raise ShockError(
                    f"FDI: {host} has no capital formation ({self.category}) in the table; give a profile."
                )
            return np.asarray(column / column.sum())
        shares = np.zeros(table.n)
        for sector, share in self.profile.items():
            rows = table.positions(sector=sector)
            bought = column[rows]
            if not bought.sum() > 0 and share > 0:
                raise ShockError(
                    f"FDI profile: {host} buys no {sector} for capital formation, so its origin is unknown. "
                    "Leave it out, or put its share on a product that is bought."
                )
            shares[rows] += share * bought / bought.sum() if share > 0 else 0.0
        return shares
