"""A recipe that is replaced, or bought elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ShockError, first_few
from nearshore_io.products import Sourcing
from nearshore_io.scenarios.base import Phase, require_labels, require_positive, require_share, require_shares
from nearshore_io.scenarios.change import Change
from nearshore_io.scenarios.recipes import host_sourcing
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable
from nearshore_io.units import is_number


@dataclass(frozen=True)
class Technology:
    """A share s of an industry's output is made by another recipe, or from inputs bought elsewhere.

        a'_j = (1 − s) a_j + s a^new_j,   v'_j = 1 − 1ᵀa'_j − τ_j,   ε'_j = (1 − s) ε_j + s η ε_j,

    with a^new_(k,h) = θ^new_(k|h) (Aᵀ_h + Δ_h). Columns are replaced one by one: ΔA = (a' − a_j) e_jᵀ.

    Parameters
    ----------
    region, sector : the industries whose recipe changes; each its own.
    share : s, in [0, 1].
    inputs : what is added (above zero) and saved (below) per unit of output by product, such as
        ``{"electrical_equipment": 0.10, "machinery": -0.06}`` for an electric car; the balance is value added.
    origins : θ^add by product, where it is given: ``{"electrical_equipment": {"CHN": 0.7, "USA": 0.3}}``; by default
        what is added comes from where the industry buys the product, or its region does.
    localised : products whose suppliers change to those at home.
    localisation : λ, how much of them: θ^new = (1 − λ) θ + λ θ^home, θ^home being the country's own producers.
    labour : η, jobs per unit of output of the new recipe relative to the old one.

    Raises
    ------
    ShockError
        A recipe that uses more than it makes, or less than nothing; a product nobody at home makes.

    Source: Miller & Blair (2009), section 7.4.3 (changed coefficients); Dietzenbacher & Los (1998).
    """

    region: str
    sector: str | Sequence[str]
    share: float = 1.0
    inputs: Mapping[str, float] | None = None
    origins: Mapping[str, Mapping[str, float]] | None = None
    localised: str | Sequence[str] | None = None
    localisation: float = 0.0
    labour: float = 1.0

    kind: ClassVar[str] = "technology"
    basis: ClassVar[str] = "net: suppliers of the old recipe lose what those of the new one gain"

    def __post_init__(self) -> None:
        require_labels("technology", region=self.region, sector=self.sector)
        require_share(self.share, "technology share")
        require_share(self.localisation, "technology localisation")
        require_positive(self.labour, "technology labour")
        if self.localisation > 0 and self.localised is None:
            raise ShockError("technology: a localisation needs the products that are localised.")
        for name, value in (self.inputs or {}).items():
            if not is_number(value) or not abs(value) < 1.0:
                raise ShockError(f"technology inputs of {name} must be a change per unit of output, not {value!r}.")
        strangers = [name for name in self.origins or {} if (self.inputs or {}).get(name, 0.0) <= 0]
        if strangers:
            raise ShockError(
                f"technology origins: nothing is added of {first_few(strangers)}; inputs says what is added."
            )
        object.__setattr__(self, "inputs", MappingProxyType(dict(self.inputs or {})))
        shares = {
            name: require_shares(value, f"technology origins of {name}") for name, value in (self.origins or {}).items()
        }
        object.__setattr__(self, "origins", MappingProxyType(shares))

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔA by columns, and what the new recipe leaves of value added and jobs, in the run phase."""
        del deflator  # recipes have no prices of another year
        x = table.x.values.ravel()
        industries = [i for i in table.positions(self.region, self.sector).tolist() if x[i] > 0]
        if not industries:
            raise ShockError(f"technology: {self.sector} of {self.region} has no output in the table, hence no recipe.")
        columns = np.column_stack([self._column(table, i) for i in industries])
        Q = csr_array(
            (np.ones(len(industries)), (np.arange(len(industries)), industries)), shape=(len(industries), table.n)
        )
        cost = np.zeros(table.n)
        cost[industries] = columns.sum(axis=0)
        parts: dict[str, Any] = {"P": csr_array(columns), "Q": Q, "cost": cost}
        if self.labour != 1.0 and "jobs" in table.stressors:
            jobs = np.zeros(table.n)
            jobs[industries] = self.share * (self.labour - 1.0) * table.intensity("jobs")[industries]
            parts["intensities"] = {"jobs": jobs}
        return {"run": Change.of(table, **parts)}

    def _column(self, table: IOTable, j: int) -> Array:
        """Return s (a^new − a_j), shape (n,)."""
        old = dense(table.A[:, [j]])[:, 0]
        kept = Sourcing.of(old, len(table.sectors)).recipe
        added = np.zeros(table.n)
        where = table.industry_names([j])
        for name, change in (self.inputs or {}).items():
            places = table.sector_positions(name)
            weights = kept[places] if kept[places].sum() > 0 else np.ones(len(places))
            amounts = np.zeros(len(table.sectors))
            amounts[places] = change * weights / weights.sum()
            if change < 0:
                kept = kept + amounts
            else:
                added += self._added(table, j, name, amounts) * np.tile(amounts, len(table.regions))
        short = [table.sectors[p] for p in np.flatnonzero(kept < -1e-12)]
        if short:
            raise ShockError(f"technology inputs: {where} would use less than no {first_few(short)}: save less of it.")
        kept = np.maximum(kept, 0.0)
        total = float(kept.sum() + added.sum())
        if total >= 1.0:
            raise ShockError(
                f"technology inputs: {where} would use {total:.3f} of inputs for each unit it makes; a recipe must "
                "leave something for value added."
            )
        new = self._sourcing(table, j, kept) * np.tile(kept, len(table.regions)) + added
        return np.asarray(self.share * (new - old))

    def _added(self, table: IOTable, j: int, name: str, amounts: Array) -> Array:
        """Return θ^add, shape (n,): where what is added of a product is bought."""
        if name not in (self.origins or {}):
            return host_sourcing(table, j, amounts, "technology inputs")
        width = len(table.sectors)
        theta = np.zeros(table.n)
        for p in np.flatnonzero(amounts):
            for origin, share in (self.origins or {})[name].items():
                industries = table.region_positions(origin) * width + p
                made = np.maximum(table.x.values.ravel()[industries], 0.0)
                if share > 0 and not made.sum() > 0:
                    raise ShockError(f"technology origins: {origin} makes no {table.sectors[p]}.")
                theta[industries] += share * made / made.sum() if share > 0 else 0.0
        return theta

    def _sourcing(self, table: IOTable, j: int, kept: Array) -> Array:
        """Return θ^new, shape (n,): where what is left of the old recipe is bought."""
        width = len(table.sectors)
        theta = host_sourcing(table, j, kept, "technology")
        if self.localised is not None and self.localisation > 0:
            for p in table.sector_positions(self.localised).tolist():
                home = self._home(table, j, p, kept)
                theta[p::width] = (1.0 - self.localisation) * theta[p::width] + self.localisation * home
        return theta

    def _home(self, table: IOTable, j: int, product: int, recipe: Array) -> Array:
        """Return the shares of the country's own regions in what it makes of a product, shape (regions,)."""
        width = len(table.sectors)
        country = table.country[table.regions[j // width]]
        own = np.array([table.country[region] == country for region in table.regions])
        made = np.maximum(table.x.values.ravel()[product::width], 0.0) * own
        if recipe[product] > 0 and not made.sum() > 0:
            raise ShockError(
                f"technology localised: {country} makes no {table.sectors[product]}, so a localised share has no "
                "supplier. Leave the product out."
            )
        return np.asarray(made / made.sum()) if made.sum() > 0 else made
