"""Final demand that rises or falls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ShockError, first_few
from nearshore_io.labels import Positions
from nearshore_io.scenarios.base import (
    Phase,
    in_table,
    output_shares,
    require_choice,
    require_labels,
    require_share,
)
from nearshore_io.scenarios.change import Change
from nearshore_io.scenarios.trade import chosen_uses, sales_mix
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable
from nearshore_io.units import Amount


@dataclass(frozen=True)
class FinalDemand:
    """More (or less) final demand for what an industry makes: Δx = L Δf.

    Additional by default. With ``displaces``, a share d of the amount is taken from what the same final users buy of
    the same product from somebody else, so that Δf sums to (1 − d) of the amount.

    Parameters
    ----------
    region, sector : the producer, by code, country or group, or "all"; several share the amount by ``mix``.
    amount : ``"1 billion USD"``, or a number together with ``unit``; never negative.
    direction : "increase" or "decrease".
    final_region, category : who buys. Without ``displaces`` they change no impact, only where the sale is booked when a
        counterfactual table is drawn up; by default in proportion to what the industry sells to final users already.
    mix : how several producers share the amount: by their "output", or by their "exports" (to ``final_region``, where
        it is named), whoever uses them there.
    share : in the place of an amount, the share of existing final demand that is added or falls away.
    displaces : region, country or group whose sales fall.
    displacement : d, the share of the amount that is displaced.

    Source: Leontief (1936); Miller & Blair (2009), section 2.3. Displacement as in the Additionality Guide (Homes and
    Communities Agency 2014), entered on the competing rows.
    """

    region: str | Sequence[str]
    sector: str | Sequence[str]
    amount: Amount | None = None
    unit: str | None = None
    direction: Literal["increase", "decrease"] = "increase"
    final_region: str | None = None
    category: str | None = None
    mix: Literal["output", "exports"] = "output"
    share: float | None = None
    displaces: str | Sequence[str] | None = None
    displacement: float = 1.0

    kind: ClassVar[str] = "final_demand"

    def __post_init__(self) -> None:
        require_labels("final demand", region=self.region, sector=self.sector)
        require_choice(self.direction, ("increase", "decrease"), "direction")
        require_choice(self.mix, ("output", "exports"), "final demand mix")
        require_share(self.displacement, "final demand displacement")
        if (self.amount is None) == (self.share is None):
            raise ShockError("final demand: give an amount, or the share of existing final demand, one of the two.")
        if self.share is not None:
            require_share(self.share, "final demand share")
        if self.displaces is not None:
            require_labels("final demand", displaces=self.displaces)
            if self.direction == "decrease":
                raise ShockError("final demand: a decrease displaces nothing; leave displaces out.")

    @property
    def basis(self) -> str:
        """Gross, or net of what is displaced."""
        if self.displaces is None:
            return "gross: nothing is displaced"
        return f"net of the {self.displacement:.0%} that displaces sales of {first_few(labels.as_list(self.displaces))}"

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔY in the run phase."""
        industries = self.industries(table)
        chosen = chosen_uses(table, self.final_region, self.category)
        if self.share is not None:
            cells = self.share * np.maximum(table.y[industries], 0.0) * chosen
        else:
            value = in_table(self.amount, self.unit, table, deflator, "final demand amount")
            cells = value * self.producers(table, industries)[:, None] * sales_mix(table, industries, chosen)
        sign = -1.0 if self.direction == "decrease" else 1.0
        added = _on_rows(sign * cells, industries, table)
        taken = -added if self.direction == "decrease" else self._displaced(table, industries, cells)
        falls = -taken if self.direction == "increase" else csr_array(added.shape)
        return {"run": Change.of(table, demand=csr_array(added + falls), taken=taken)}

    def industries(self, table: IOTable) -> Positions:
        """Return the positions of the producers. Raises `LabelError`."""
        region, sector = (None if wanted == "all" else wanted for wanted in (self.region, self.sector))
        return table.positions(region, sector)

    def producers(self, table: IOTable, industries: Positions) -> Array:
        """Return how the amount is shared over producers, shape (k,). Raises `ShockError` where nobody produces."""
        shares = output_shares(table, industries, "final demand")
        if self.mix == "output":
            return shares
        buyers = {self.final_region} if self.final_region is not None else set(table.countries)
        owner = np.array([table.country[region] for region in table.regions])
        sold = np.zeros(len(industries))
        for country in buyers:
            labels.position(country, table.countries, "country")
            foreign = owner[industries // len(table.sectors)] != country
            k = table.Y.sizes["category"]
            place = labels.position(country, table.final_regions, "final_region")
            flows = dense(table.Z[industries][:, table.positions(region=country)]).sum(axis=1)
            sold += foreign * (flows + table.y[industries, place * k : (place + 1) * k].sum(axis=1))
        if not sold.sum() > 0:
            raise ShockError(f"final demand mix: {self.region} exports nothing of {self.sector} there.")
        return np.asarray(sold / sold.sum())

    def _displaced(self, table: IOTable, industries: Positions, cells: Array) -> csr_array:
        """Return what rivals sell less, sparse (n, m), pro rata of what they sell of the product to each final use."""
        nothing = csr_array(table.y.shape)
        if self.displaces is None:
            return nothing
        width = len(table.sectors)
        rivals = table.region_positions(self.displaces).tolist()
        total = nothing
        for product in np.unique(industries % width):
            wanted = self.displacement * cells[industries % width == product].sum(axis=0)
            rows = np.array([rival * width + product for rival in rivals], dtype=np.intp)
            rows = rows[~np.isin(rows, industries)]
            held = np.maximum(table.y[rows], 0.0)
            there = held.sum(axis=0)
            if (wanted > there * (1 + 1e-9)).any():
                raise ShockError(
                    f"final demand displaces {wanted.sum():,.4g} {table.unit} of {table.sectors[product]}, of which "
                    f"these final users buy only {there[wanted > 0].sum():,.4g} from "
                    f"{first_few(labels.as_list(self.displaces))}: "
                    "displace less, name more rivals, or more final users."
                )
            part = held * np.divide(wanted, there, out=np.zeros_like(there), where=there > 0)
            total = csr_array(total + _on_rows(part, rows, table))
        return total


def _on_rows(cells: Array, rows: Positions, table: IOTable) -> csr_array:
    """Return cells of some rows, shape (k, m), in their place, sparse (n, m)."""
    n, m = table.y.shape
    found = csr_array((cells.ravel(), (np.repeat(rows, m), np.tile(np.arange(m), len(rows)))), shape=(n, m))
    found.eliminate_zeros()
    return found
