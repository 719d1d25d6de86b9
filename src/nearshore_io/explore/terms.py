"""What a page needs to work out scenarios by itself: totals by adjoint, and the small systems of relocations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nearshore_io import labels
from nearshore_io.batch.engine.prepared import Prepared, Trade
from nearshore_io.batch.respond import respond
from nearshore_io.errors import NearshoreError, ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import FDI, Change, FinalDemand, Relocation
from nearshore_io.scenarios.relocation import Moving
from nearshore_io.solvers import Functionals
from nearshore_io.solvers.base import Array
from nearshore_io.totals import read_totals

PLACES = ("USA", "MEX")
HOSTS = ("USA", "MEX", "CAN")
MARKETS = (("USA",), ("MEX",), ("USA", "MEX"))
"""Whose purchases a relocation moves."""
FLOWS = ("content MEX→USA of USA", "content USA→MEX of MEX")
MOST = 15
"""Partners offered where a table has more: those that sell most to the United States and Mexico."""
UNIT = 1.0
"""The amount that demand and investment are worked out for, in the table's unit; they are linear in it."""


@dataclass(frozen=True)
class Terms:
    """Numbers a page computes with; R rows of totals, F flows of exports, H hosts, P partners, S sectors, n industries.

    Of demand Δf, of an investment and of a running plant X̄, W Δx for one unit; of a relocation of r rows by a share φ
    with D = L (R − E_c), H = q D[J], g = q x + f_c,

        y = (I − φ H)⁻¹ g,   W Δx = φ W D y,

    and of the exports e of a flow, with what moves among them P (φ (s + φ S y)),

        e' = e + φ E y + P moved,   content = (m e' + φ m D u) / 1ᵀe',   u = (I − φ H)⁻¹ (a + φ A₁ y + A₂ moved).

    Attributes
    ----------
    rows : (variable, country, unit) of every total.
    M : W L, shape (R + 2 F, n); the rows after R are m E' and 1ᵀE' of each flow: how output of its buyers turns into
        its exports, and into their content.
    origin_rows : row of M that is v_o L of each flow's origin, shape (F,).
    exports, content : 1ᵀe and m e of each flow in the table, shape (F,).
    demand, build, run : totals and flows (Δ m e, Δ 1ᵀe) of one unit, shape (H, S, R + 2 F); NaN where impossible.
    arrivals : regions a host's production arrives in, positions and shares by host and sector.
    ranks : rows r of each relocation, (P, S, H, markets); zero where impossible.
    moves : for each of them g (r), H (r × r), then for each flow s (r), S (r × r), a (r), A₁ (r × r), A₂ (r × r).
    move_rows : positions of the r rows of each partner and sector.
    """

    rows: tuple[tuple[str, str, str], ...]
    flows: tuple[tuple[str, str, str], ...]
    hosts: tuple[str, ...]
    partners: tuple[str, ...]
    markets: tuple[tuple[str, ...], ...]
    M: Array
    origin_rows: tuple[int, ...]
    exports: Array
    content: Array
    demand: Array
    build: Array
    run: Array
    arrivals: dict[str, list[list[tuple[int, float]]]]
    move_rows: dict[str, list[list[int]]]
    ranks: Array
    moves: Array
    residual: float


def terms_of(model: Leontief, partners: Sequence[str] | None = None) -> Terms:
    """Return the terms of a model for all sectors of its hosts and partners.

    Raises
    ------
    ShockError
        If the table lacks the United States or Mexico, or value added; or the model is closed for households.
    """
    table = model.table
    if not set(PLACES) <= set(table.countries) or "value_added" not in table.inputs:
        raise ShockError("the calculator is about the United States and Mexico, and value added: this table lacks one.")
    if model.closure is not None:
        raise ShockError("the calculator is defined for the open model: use Leontief(table) without closure.")
    names = [name for name in ("jobs", "compensation") if name in {**table.inputs, **table.stressors}]
    wanted = ["value_added by country", *(f"{name} of {place}" for name in names for place in PLACES), *FLOWS]
    prepared = Prepared.of(model, read_totals(wanted), (), None)
    known = np.flatnonzero(~prepared.request.unknown)
    W = np.vstack([prepared.request.weights[known], *(_of_exports(trade, table.n) for trade in prepared.trades)])
    with model.naming_industries():
        functionals = Functionals.prepare(model.factors, W)
    hosts = tuple(name for name in HOSTS if name in table.countries)
    listed = tuple(partners) if partners is not None else _partners(model)
    for name in listed:
        labels.position(name, table.countries, "country")
    rows = tuple((row.variable, row.place, row.unit) for row in (prepared.request.rows[k] for k in known.tolist()))
    builder = _Builder(prepared, W)
    demand, build, run = (builder.linear(kind, hosts) for kind in ("demand", "build", "run"))
    arrivals = {host: [builder.arrivals(host, sector) for sector in table.sectors] for host in hosts}
    ranks, moves, move_rows = builder.relocations(listed, hosts)
    return Terms(
        rows=rows,
        flows=tuple((t.flow.origins[0], t.flow.exporter, str(t.flow.importer)) for t in prepared.trades),
        hosts=hosts,
        partners=listed,
        markets=MARKETS,
        M=functionals.M,
        origin_rows=tuple(rows.index(("value_added", t.flow.origins[0], table.unit)) for t in prepared.trades),
        exports=np.array([t.exports.sum() for t in prepared.trades]),
        content=np.array([t.multipliers[0][t.flow.sellers] @ t.exports for t in prepared.trades]),
        demand=demand,
        build=build,
        run=run,
        arrivals=arrivals,
        move_rows=move_rows,
        ranks=ranks,
        moves=moves,
        residual=functionals.residual,
    )


def _of_exports(trade: Trade, n: int) -> Array:
    """Return what output of a flow's buyers does to m e and to 1ᵀe of the flow, shape (2, n)."""
    weights = np.zeros((2, n))
    weights[0, trade.flow.buyers] = trade.multipliers[0][trade.flow.sellers] @ trade.inputs
    weights[1, trade.flow.buyers] = trade.inputs.sum(axis=0)
    return weights


def _partners(model: Leontief) -> tuple[str, ...]:
    """Return all countries, or those that sell most to the United States and Mexico where there are many."""
    table = model.table
    if len(table.countries) <= MOST + 1:
        return table.countries
    sold = {name: float(table.flows(name, None, list(PLACES)).sum()) for name in table.countries if name not in PLACES}
    largest = sorted(sold, key=lambda name: -sold[name])[: MOST - len(PLACES)]
    return tuple(name for name in table.countries if name in (*PLACES, *largest))


@dataclass(frozen=True)
class _Builder:
    """Works out the terms of one kind of scenario after the other; W has the totals and the flows, (R + 2 F, n)."""

    prepared: Prepared
    W: Array

    def linear(self, kind: str, hosts: Sequence[str]) -> Array:
        """Return totals and flows of one unit, shape (H, S, R + 2 F); NaN where that is impossible.

        A kind is "demand", "build" or "run".
        """
        table = self.prepared.model.table
        found = np.full((len(hosts), len(table.sectors), len(self.W)), np.nan)
        places, changes = [], []
        for h, host in enumerate(hosts):
            for s, sector in enumerate(table.sectors):
                change = self._change(kind, host, sector)
                if change is not None:
                    places.append((h, s))
                    changes.append(change)
        for (h, s), change, response in zip(places, changes, respond(self.prepared.model, changes), strict=True):
            found[h, s] = self.W @ response.open
            sold = change.demand.tocsr() if change.demand.nnz else None
            for f, trade in enumerate(self.prepared.trades):
                if sold is not None:
                    direct = np.asarray(sold[trade.flow.sellers][:, trade.flow.uses].sum(axis=1)).ravel()
                    first = len(self.W) - 2 * len(self.prepared.trades) + 2 * f
                    found[h, s, first] += trade.multipliers[0][trade.flow.sellers] @ direct
                    found[h, s, first + 1] += direct.sum()
        return found

    def _change(self, kind: str, host: str, sector: str) -> Change | None:
        """Return the change that one unit makes, None where the host does not make the product."""
        table = self.prepared.model.table
        shock: FinalDemand | FDI
        if kind == "demand":
            buyer = "MEX" if host == "USA" else "USA"
            shock = FinalDemand(host, sector, UNIT, unit=table.unit, final_region=buyer, mix="exports")
        else:
            shock = FDI(host, sector, UNIT, unit=table.unit, capital_output_ratio=1.0)
        try:
            changes = shock.changes(table, {})
        except NearshoreError:
            return None
        return changes["build" if kind == "build" else "run"]

    def arrivals(self, host: str, sector: str) -> list[tuple[int, float]]:
        """Return the industries of a host that make a product, each with its share of their output."""
        table = self.prepared.model.table
        industries = table.positions(region=host, sector=sector)
        x = np.maximum(self.prepared.x[industries], 0.0)
        if not x.sum() > 0:
            return []
        return [(int(at), float(share)) for at, share in zip(industries, x / x.sum(), strict=True) if share > 0]

    def relocations(
        self, partners: Sequence[str], hosts: Sequence[str]
    ) -> tuple[Array, Array, dict[str, list[list[int]]]]:
        """Return ranks (P, S, H, markets), the terms of all relocations one after the other, and the rows of each."""
        table, model = self.prepared.model.table, self.prepared.model
        with model.naming_industries():
            L = model.factors.inverse_columns(np.arange(table.n))
        ranks: Array = np.zeros((len(partners), len(table.sectors), len(hosts), len(MARKETS)), dtype=np.uint8)
        listed: list[Array] = []
        rows: dict[str, list[list[int]]] = {name: [[] for _ in table.sectors] for name in partners}
        for p, s, h, k in np.ndindex(*ranks.shape):
            moving = self._moving(partners[p], table.sectors[s], hosts[h], MARKETS[k])
            if moving is not None:
                ranks[p, s, h, k] = len(moving.rows)
                rows[partners[p]][s] = moving.rows.tolist()
                listed.append(self._terms(L, moving))
        return ranks, np.concatenate(listed) if listed else np.zeros(0), rows

    def _moving(self, partner: str, sector: str, host: str, market: Sequence[str]) -> Moving | None:
        """Return what a relocation of everything moves, None where nothing does, or the host does not make it."""
        if partner == host or not self.arrivals(host, sector):
            return None
        try:
            shock = Relocation(sectors=[sector], origin=partner, destination=host, buyers=list(market), share=1.0)
            moving = shock.moving(self.prepared.model.table)
        except NearshoreError:
            return None
        return moving if moving.inputs.any() or moving.final.any() else None

    def _terms(self, L: Array, moving: Moving) -> Array:
        """Return g, H, and s, S, a, A₁, A₂ of every flow, one after the other."""
        x, q = self.prepared.x, moving.inputs
        D = L[:, moving.hosts] @ moving.weights - L[:, moving.rows]
        found = [q @ x[moving.buyers] + moving.final.sum(axis=1), q @ D[moving.buyers]]
        qL = q @ L[moving.buyers]
        for trade in self.prepared.trades:
            flow = trade.flow
            shared, mine, _ = np.intersect1d(moving.buyers, flow.buyers, assume_unique=True, return_indices=True)
            _, ours, _ = np.intersect1d(moving.uses, flow.uses, assume_unique=True, return_indices=True)
            place = np.zeros((self.prepared.model.table.n, len(moving.rows)))
            place[moving.hosts] = moving.weights
            place[moving.rows, np.arange(len(moving.rows))] -= 1.0
            found += [
                q[:, mine] @ x[shared] + moving.final[:, ours].sum(axis=1),
                q[:, mine] @ D[shared],
                qL[:, flow.sellers] @ trade.exports,
                qL[:, flow.sellers] @ (trade.inputs @ D[flow.buyers]),
                qL[:, flow.sellers] @ place[flow.sellers],
            ]
        return np.concatenate([np.ravel(part) for part in found])
