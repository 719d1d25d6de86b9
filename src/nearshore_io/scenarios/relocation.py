"""Production that moves from one country to others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ShockError, first_few
from nearshore_io.labels import Positions
from nearshore_io.products import Sourcing
from nearshore_io.scenarios.base import (
    Phase,
    Use,
    output_shares,
    require_choice,
    require_labels,
    require_positive,
    require_share,
    require_shares,
    require_uses,
)
from nearshore_io.scenarios.change import Activity, Change, Fact
from nearshore_io.scenarios.recipes import blended, host_sourcing, own_intensities
from nearshore_io.scenarios.trade import final_uses
from nearshore_io.solvers.base import Array, Matrix, dense
from nearshore_io.table import IOTable
from nearshore_io.units import is_number

Shares = float | Mapping[str, float | Mapping[str, float]]
PAYERS = ("profit", "price", "subsidy")


@dataclass(frozen=True)
class Moving:
    """What a relocation moves: r rows of the table, to h industries, for some buyers and final uses.

    Attributes
    ----------
    rows : positions of the industries that lose the sales, shape (r,).
    hosts : positions of those that gain them, shape (h,); weights : how each row arrives there, shape (h, r), columns
        summing to one, or to zero where nothing moves.
    buyers : positions of the buying industries, shape (j,); inputs : φ ∘ A in these rows and columns, shape (r, j).
    uses : columns of the final users who buy, shape (u,); final : φ ∘ Y there, shape (r, u). Money.
    """

    rows: Positions
    hosts: Positions
    weights: Array
    buyers: Positions
    inputs: Array
    uses: Positions
    final: Array


@dataclass(frozen=True)
class Relocation:
    """A share of what buyers buy from the origin is bought from the destination instead.

    For every product i, buyer j, from origin c to destinations m with shares π_m,

        a'_(c,i),j = (1 − φ_ij) a_(c,i),j,     a'_(m,i),j = a_(m,i),j + π_m ρ φ_ij a_(c,i),j,

    and the same for columns of final demand. It is the rank-r change ΔA = P Q with columns ρ Σ π_m e_m − e_c of P and
    rows φ ∘ A_(c,i),J of Q. With ρ = 1 it moves value added between countries and leaves the world total as it is.
    With ρ ≠ 1 industries pay Δc_j = Σ_i (ρ − 1) φ_ij a_(c,i),j more, and final buyers spend it on top. Δc_j comes

    - "profit": out of the buyers' value added, v' = v − Δc
    - "price": out of their customers' pockets, p' = (v + τ) L' = 1 + Δc L'; quantities stay as they are
    - "subsidy": from governments, as product subsidies; the bill, final buyers' part included, is a fact of the result

    With a ``localisation`` λ the production that moves has a recipe of its own (see `Plant`): λ = 0 keeps the origin's
    suppliers ("China + 1"), λ = 1 buys where the destination's industry buys; without it, it is produced as the
    destination produces now.

    Parameters
    ----------
    sectors : products, by code or group.
    origin : region, country or group.
    destination : region, country or group, or shares π by name; several regions of one name share by their output.
    buyers : regions or countries whose purchases move. A country's final users move only with all its regions.
    share : φ, in [0, 1]; or by sector; or by sector and buyer, ``{"c14": {"USA": 0.1, "MEX": 0.2}}``.
    uses : which purchases move, of "intermediate" and "final".
    relative_cost : ρ, cost of the destination's product relative to the origin's.
    cost_paid_by : "profit", "price" or "subsidy".
    localisation : λ, in [0, 1].
    technology : "origin" or "destination", whose recipe Aᵀ the production has when λ is given.
    elasticity : σ, in the place of a share; with
    price_change : δ of the destination's product to these buyers. Of what they buy from both, the origins keep
        Θ_c / (Θ_c + Θ_m (1 + δ)^(1−σ)), so that φ_ij = 1 − (Θ_c + Θ_m) / (Θ_c + Θ_m (1 + δ)^(1−σ)), Θ_c the sum over
        all origins.

    Raises
    ------
    ShockError
        A share outside [0, 1]; a relocation to itself; a destination that does not make the product; σ = 1.

    Source: Dietzenbacher, van Burken & Kondo (2019), Economic Systems Research 31, 505–519 (global extraction); shares
    from prices as in Armington (1969).
    """

    sectors: str | Sequence[str]
    origin: str
    destination: str | Mapping[str, float]
    buyers: str | Sequence[str]
    share: Shares | None = None
    uses: Use | Sequence[Use] = ("intermediate", "final")
    relative_cost: float = 1.0
    cost_paid_by: Literal["profit", "price", "subsidy"] = "profit"
    localisation: float | None = None
    technology: Literal["origin", "destination"] = "origin"
    elasticity: float | None = None
    price_change: float | None = None

    kind: ClassVar[str] = "relocation"

    def __post_init__(self) -> None:
        require_labels("relocation", sectors=self.sectors, origin=self.origin, buyers=self.buyers, uses=self.uses)
        object.__setattr__(self, "sectors", tuple(labels.as_list(self.sectors)))
        object.__setattr__(self, "buyers", tuple(labels.as_list(self.buyers)))
        object.__setattr__(self, "uses", tuple(labels.as_list(self.uses)))
        if isinstance(self.destination, Mapping):
            object.__setattr__(self, "destination", require_shares(self.destination, "relocation destination"))
        else:
            require_labels("relocation", destination=self.destination)
        require_positive(self.relative_cost, "relocation relative_cost")
        require_choice(self.cost_paid_by, PAYERS, "relocation cost_paid_by")
        require_choice(self.technology, ("origin", "destination"), "relocation technology")
        if self.localisation is not None:
            require_share(self.localisation, "relocation localisation")
        require_uses(self.uses, "relocation")
        if self.origin == self.destination:
            raise ShockError(f"relocation from {self.origin} to itself: origin and destination must differ.")
        self._require_amount()

    def _require_amount(self) -> None:
        """Raise unless how much moves is said once: as shares, or by an elasticity and a change of price."""
        if self.share is not None and (self.elasticity is not None or self.price_change is not None):
            raise ShockError("relocation: give a share, or an elasticity and a price_change, not both.")
        if self.share is None:
            require_positive(self.elasticity, "relocation elasticity (needed without a share)")
            if not is_number(self.price_change) or not -1.0 < self.price_change < np.inf:
                raise ShockError(
                    f"relocation price_change must be above -1, not {self.price_change!r}; 5 % cheaper is -0.05."
                )
            if self.elasticity == 1.0:
                raise ShockError(
                    "relocation elasticity 1 exactly leaves shares of spending as they are (Cobb-Douglas): nothing "
                    "moves. Give another elasticity, or a share."
                )
        for name, value in self._shares_given():
            require_share(value, f"relocation share{name}")

    def _shares_given(self) -> list[tuple[str, object]]:
        if self.share is None:
            return []
        if not isinstance(self.share, Mapping):
            return [("", self.share)]
        listed: list[tuple[str, object]] = []
        for sector, value in self.share.items():
            inner = value.items() if isinstance(value, Mapping) else [(None, value)]
            listed += [(f" of {sector}{f' to {buyer}' if buyer else ''}", part) for buyer, part in inner]
        return listed

    @property
    def basis(self) -> str:
        """Net of what the origin loses; zero-sum for the world when the cost is the same."""
        if self.relative_cost == 1.0:
            return (
                "net of the origin's losses: the sum of world value added and product taxes stays the same, induced "
                "effects aside"
            )
        who = {
            "profit": "industries pay the difference in cost out of profits, final buyers spend theirs on top",
            "price": "customers pay the difference in cost in prices, final buyers spend theirs on top",
            "subsidy": "gross of the subsidy, which nobody is taxed for",
        }[self.cost_paid_by]
        return f"net of the origin's losses ({who})"

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return ΔA = P Q, ΔY, new columns and the cost to buying industries, in the run phase."""
        del deflator  # shares have no prices
        moving = self.moving(table)
        r = len(moving.rows)
        inputs, final = np.zeros((r, table.n)), np.zeros((r, table.y.shape[1]))
        inputs[:, moving.buyers], final[:, moving.uses] = moving.inputs, moving.final
        arrivals = np.zeros((table.n, r))
        arrivals[moving.hosts] = moving.weights
        leave = csr_array((np.ones(r), (moving.rows, np.arange(r))), shape=(table.n, r))
        new = self.localisation is not None
        P = csr_array(-leave if new else self.relative_cost * csr_array(arrivals) - leave)
        demand = csr_array(P @ csr_array(final))
        change = Change.of(
            table,
            demand=demand,
            moved=demand,
            taken=csr_array(leave @ csr_array(final)),
            P=P,
            Q=csr_array(inputs),
            activities=self._columns(table, moving, inputs, final) if new else (),
            **self._paid(table, inputs, final),
        )
        return {"run": change}

    def moving(self, table: IOTable) -> Moving:
        """Return what moves, and where to.

        Raises
        ------
        LabelError, ShockError
            Names the table does not have; a relocation to itself; a destination that does not make the product.
        """
        products = table.sector_positions(self.sectors)
        origins, destinations = table.region_positions(self.origin), self._destinations(table)
        arriving = np.unique(np.concatenate([regions for regions, _ in destinations]))
        both = set(origins.tolist()) & set(arriving.tolist())
        if both:
            raise ShockError(
                f"relocation to itself: {first_few(table.regions[i] for i in both)} is origin and destination."
            )
        uses = np.array(final_uses(table, table.region_positions(self.buyers)), dtype=np.intp)
        self._require_uses(table, uses)
        self._require_shares_of_what_moves(table)
        rows = (origins[:, None] * len(table.sectors) + products).ravel()
        buyers = table.positions(region=self.buyers)
        inputs, final = self._moving(table, rows, arriving, buyers, uses)
        moved = np.abs(inputs).sum(axis=1) + np.abs(final).sum(axis=1)
        hosts, weights = self._arrivals(table, rows, destinations, moved)
        return Moving(rows, hosts, weights, buyers, inputs, uses, final)

    def _destinations(self, table: IOTable) -> list[tuple[Positions, float]]:
        """Return the regions of each destination, and its share."""
        named = self.destination if isinstance(self.destination, Mapping) else {self.destination: 1.0}
        return [(table.region_positions(name), share) for name, share in named.items() if share > 0]

    def _paid(self, table: IOTable, inputs: Array, final: Array) -> dict[str, object]:
        """Return who pays the difference in cost, as parts of a change."""
        if self.relative_cost == 1.0:
            return {}
        extra = (self.relative_cost - 1.0) * inputs.sum(axis=0)
        on_top = (self.relative_cost - 1.0) * float(final.sum())
        if self.cost_paid_by == "subsidy":
            bill = Fact(float(extra @ table.x.values.ravel()) + on_top, table.unit)
            return {
                "intensities": {"taxes_less_subsidies": -extra},
                "facts": {"subsidy bill at the table's outputs": bill},
            }
        facts = {"final buyers spend on top": Fact(on_top, table.unit)} if on_top else {}
        return {"cost" if self.cost_paid_by == "profit" else "charge": extra, "facts": facts}

    def _require_uses(self, table: IOTable, uses: Positions) -> None:
        """Raise where nothing can move: costs without value added to pay them, final users of a part of a country."""
        if self.relative_cost != 1.0 and "value_added" not in table.inputs:
            raise ShockError(
                "relocation relative_cost: the table has no input called 'value_added' for buyers to pay the "
                f"difference from; it has {first_few(table.inputs)}."
            )
        if "intermediate" not in self.uses and not uses.size:
            raise ShockError(
                f"relocation of final uses: {first_few(self.buyers)} is only a part of its country, and final users "
                "belong to the country. Name the country as the buyer."
            )

    def _require_shares_of_what_moves(self, table: IOTable) -> None:
        """Raise where a share is given for a product or a buyer that the relocation does not name."""
        if not isinstance(self.share, Mapping):
            return
        products = set(table.sector_positions(self.sectors).tolist())
        regions = [table.regions[i] for i in table.region_positions(self.buyers).tolist()]
        buyers = {*regions, *(table.country[region] for region in regions)}
        for sector, value in self.share.items():
            if not set(table.sector_positions(sector).tolist()) <= products:
                raise ShockError(
                    f"relocation share: {sector!r} is none of the sectors that move, {list(self.sectors)}."
                )
            strangers = [name for name in value if name not in buyers] if isinstance(value, Mapping) else []
            if strangers:
                raise ShockError(
                    f"relocation share of {sector}: {strangers[0]!r} is none of the buyers, {list(self.buyers)}."
                )

    def _moving(
        self, table: IOTable, rows: Positions, destinations: Positions, buyers: Positions, uses: Positions
    ) -> tuple[Array, Array]:
        """Return φ ∘ A_(c,i),J, shape (r, j), and φ ∘ Y_(c,i),J, shape (r, u): what moves."""
        inputs, final = np.zeros((len(rows), len(buyers))), np.zeros((len(rows), len(uses)))
        width, k = len(table.sectors), table.Y.sizes["category"]
        if "intermediate" in self.uses:
            names = [table.regions[j // width] for j in buyers.tolist()]
            inputs = self._shares(table, rows, destinations, names, table.A, buyers)
        if "final" in self.uses and uses.size:
            names = [table.final_regions[u // k] for u in uses.tolist()]
            final = self._shares(table, rows, destinations, names, table.y, uses)
        return inputs, final

    def _shares(
        self,
        table: IOTable,
        rows: Positions,
        destinations: Positions,
        names: Sequence[str],
        purchases: Matrix,
        columns: Positions,
    ) -> Array:
        """Return φ ∘ purchases in some rows and columns, the columns belonging to buyers of these names."""
        bought = dense(purchases[rows][:, columns])
        if is_number(self.share):
            return np.asarray(float(self.share) * bought)
        width = len(table.sectors)
        rivals = [destinations * width + row % width for row in rows.tolist()]
        others = np.array([dense(purchases[places][:, columns]).sum(axis=0) for places in rivals])
        return np.asarray(self._phi(table, rows, names, bought, others) * bought)

    def _phi(self, table: IOTable, rows: Positions, buyer_of: Sequence[str], bought: Array, others: Array) -> Array:
        """Return φ by row and buyer, shape (r, buyers): by sector as given, or what a change of price moves."""
        if not isinstance(self.share, Mapping):
            dearer = (1.0 + float(self.price_change or 0.0)) ** (1.0 - float(self.elasticity or 0.0))
            product = rows % len(table.sectors)
            by_product = np.zeros((len(table.sectors), bought.shape[1]))
            np.add.at(by_product, product, np.maximum(bought, 0.0))
            held, rival = by_product[product], np.maximum(others, 0.0)
            after = held + rival * dearer
            kept = np.divide(held + rival, after, out=np.ones_like(held), where=after > 0)
            if (kept > 1.0 + 1e-12).any():
                raise ShockError("relocation price_change makes the destination dearer: purchases move the other way.")
            return np.asarray(1.0 - kept)
        found = np.zeros(bought.shape)
        width = len(table.sectors)
        product = rows % width
        countries = [table.country.get(name, name) for name in buyer_of]
        for sector, value in self.share.items():
            at = np.isin(product, table.sector_positions(sector))
            for buyer, share in (value if isinstance(value, Mapping) else {None: value}).items():
                to = [
                    buyer is None or buyer in (name, country) for name, country in zip(buyer_of, countries, strict=True)
                ]
                found[np.ix_(at, np.array(to))] = share
        return found

    def _arrivals(
        self, table: IOTable, rows: Positions, destinations: Sequence[tuple[Positions, float]], moved: Array
    ) -> tuple[Positions, Array]:
        """Return the industries where rows arrive, shape (h,), and the shares that arrive there, shape (h, r)."""
        width = len(table.sectors)
        regions = np.unique(np.concatenate([places for places, _ in destinations]))
        hosts = (regions[:, None] * width + np.unique(rows % width)).ravel()
        weights = np.zeros((len(hosts), len(rows)))
        for k, row in enumerate(rows.tolist()):
            if moved[k] > 0:
                for places, share in destinations:
                    industries = places * width + row % width
                    at = np.searchsorted(hosts, np.sort(industries))
                    weights[at, k] += share * output_shares(table, np.sort(industries), "relocation")
        return hosts, weights

    def _columns(self, table: IOTable, moving: Moving, inputs: Array, final: Array) -> tuple[Activity, ...]:
        """Return the moved production as new columns, one for each row that moves and destination."""
        found = []
        for at, k in np.argwhere(moving.weights).tolist():
            host, row = int(moving.hosts[at]), int(moving.rows[k])
            origin = dense(table.A[:, [row]])[:, 0]
            own = dense(table.A[:, [host]])[:, 0]
            needed = Sourcing.of(origin if self.technology == "origin" else own, len(table.sectors)).recipe
            local = float(self.localisation or 0.0)
            kits = Sourcing.of(origin, len(table.sectors)).shares if local < 1.0 else np.zeros(table.n)
            at_home = host_sourcing(table, host, needed, "relocation localisation") if local > 0.0 else kits
            recipe = blended(needed, at_home, kits, local)
            scale = float(moving.weights[at, k]) * self.relative_cost
            intensities = own_intensities(table, recipe, host, "relocation")
            found.append(Activity(host, recipe, scale * inputs[k], scale * final[k], intensities))
        return tuple(found)
