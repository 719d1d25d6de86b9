"""Relocations, many shares and costs at a time: what moves is worked out once for each product, partner and buyers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nearshore_io.batch.engine.block import Routed, Solved
from nearshore_io.batch.engine.prepared import Prepared, Trade
from nearshore_io.errors import NearshoreError
from nearshore_io.labels import Positions
from nearshore_io.scenarios.parameters import substituted
from nearshore_io.scenarios.relocation import Moving, Relocation
from nearshore_io.solvers.base import Array
from nearshore_io.sweeps import Points, Sweep, used
from nearshore_io.units import is_number

SLOTS = ("sectors", "origin", "destination", "buyers", "uses", "cost_paid_by")
"""Fields that may differ from move to move; shares and costs scale what they give."""
DIALS = ("share", "relative_cost")
SETTLED = 1e-11
"""Residual of the small systems, relative to their right-hand side, above which a scenario takes the general route."""
CELLS = 2_000_000
"""Numbers that the small systems of one batch hold at most, 16 MB."""


@dataclass(frozen=True)
class Relocations:
    """The route of sweeps with one relocation whose share φ and relative cost ρ are numbers, in the open model.

    For a move of r rows c to hosts with weights R, q = A_c,J, f_c what final users move, and L the Leontief inverse,

        ΔA = φ P q,   P = ρ R − E_c,   H = q L P = ρ q L R − q L E_c,   g = q x + f_c,
        y = (I − φ H)⁻¹ g,   x' − x = φ L P y,

    so that after the columns L R and L E_c a scenario takes a system of r numbers. Costs ρ ≠ 1 come out of value added,
    Δc = (ρ − 1) φ 1ᵀq, or are a subsidy of that size. Content after a move needs the rows q L too:
    v' L' e' = m e' + φ m P u − Δc L' e', with u = (I − φ H)⁻¹ q L e'.

    Source: Woodbury (1950), Sherman & Morrison (1950); the change is that of `Relocation`.
    """

    sweep: Sweep

    @classmethod
    def of(cls, sweep: Sweep, prepared: Prepared) -> "Relocations | None":
        """Return the route, None where a sweep is something else or needs more than it gives."""
        entry = sweep.shocks[0]
        known = set(entry) <= {"kind", *SLOTS, *DIALS} and "share" in entry
        if len(sweep.shocks) > 1 or entry["kind"] != Relocation.kind or not known:
            return None
        if prepared.model.closure is not None or prepared.errors is not None:
            return None
        return cls(sweep)

    def solve(self, prepared: Prepared, points: Points) -> Routed:
        """Return results of the scenarios this route can answer; those it cannot are left out."""
        entry = self.sweep.shocks[0]
        share, cost = (_dial(points, entry.get(name, 1.0)) for name in DIALS)
        names = [n for n in dict.fromkeys(used({k: entry[k] for k in SLOTS if k in entry})) if n in points.columns]
        if share is None or cost is None or any(not points.columns[name].options for name in names):
            return Routed()
        first, group = points.alike(names)
        good = (share >= 0) & (share <= 1) & (cost > 0) & np.isfinite(cost)
        if "value_added" not in prepared.model.table.inputs:
            good &= cost == 1.0
        moves = [_move(prepared, entry, points.values(int(i))) for i in first.tolist()]
        refused = [np.flatnonzero(good & (group == k)) for k, move in enumerate(moves) if move is None]
        listed = [k for k, move in enumerate(moves) if move is not None]
        if not listed:
            return Routed(refused=refused)
        known = [move for move in moves if move is not None]
        columns = _Columns.of(prepared, known)
        found = []
        for number, (k, move) in enumerate(zip(listed, known, strict=True)):
            places = np.flatnonzero(good & (group == k))
            places = places[_affordable(move, share[places], cost[places])]
            step = max(1, CELLS // len(move.moving.rows) ** 2)
            for start in range(0, len(places), step):
                part = places[start : start + step]
                solved = _solved(prepared, columns, number, move, share[part], cost[part], part)
                if solved is not None:
                    found.append(solved)
        return Routed(found, refused)


def _dial(points: Points, given: Any) -> Array | None:
    """Return a number for every scenario, (k,), None where it is none."""
    if isinstance(given, str) and given.startswith("$"):
        if given[1:] in points.constants:
            given = points.constants[given[1:]]
        else:
            return points.columns[given[1:]].numbers
    return np.full(len(points), float(given)) if is_number(given) else None


@dataclass(frozen=True)
class _Move:
    """A relocation of all its buyers buy, at equal cost, and what limits its cost.

    Attributes
    ----------
    payer : who pays the difference in cost.
    limit : the largest (ρ − 1) φ that buyers can pay.
    """

    moving: Moving
    payer: str
    limit: float


def _move(prepared: Prepared, entry: Mapping[str, Any], values: Mapping[str, Any]) -> _Move | None:
    """Return a move, None where the shock refuses it: its own route then says why."""
    table = prepared.model.table
    filled = substituted({key: entry[key] for key in SLOTS if key in entry}, values, "sweep")
    try:
        shock = Relocation(**filled, share=1.0)
        moving = shock.moving(table)
    except (NearshoreError, TypeError):
        return None
    bought = moving.inputs.sum(axis=0)
    if shock.cost_paid_by == "profit":
        room = (
            prepared.intensity("value_added")[moving.buyers] if "value_added" in table.inputs else np.zeros(len(bought))
        )
        room = np.where(room >= 0, room, np.inf)
    else:
        room = 1.0 - prepared.column_sums[moving.buyers]
    with np.errstate(over="ignore"):  # next to nothing is bought: no limit
        limit = np.divide(room, bought, out=np.full(len(bought), np.inf), where=bought > 0).min(initial=np.inf)
    return _Move(moving, shock.cost_paid_by, float(limit))


def _affordable(move: _Move, share: Array, cost: Array) -> Any:
    return (cost - 1.0) * share <= move.limit


@dataclass(frozen=True)
class _Columns:
    """Columns of L that the moves of a block touch, shape (n, t), and where each industry stands among them."""

    L: Array
    place: Positions
    rows: Sequence[tuple[Array, Array]]

    @classmethod
    def of(cls, prepared: Prepared, moves: Sequence[_Move]) -> "_Columns":
        """Solve for all touched columns in one block, and for the rows q L of every move where content is wanted."""
        touched = np.unique(np.concatenate([np.concatenate([m.moving.rows, m.moving.hosts]) for m in moves]))
        place = np.full(prepared.model.table.n, -1, dtype=np.intp)
        place[touched] = np.arange(len(touched))
        with prepared.model.naming_industries():
            L = prepared.model.factors.inverse_columns(touched)
        return cls(L, place, _rows(prepared, moves) if prepared.trades else ())


def _rows(prepared: Prepared, moves: Sequence[_Move]) -> list[tuple[Array, Array]]:
    """Return q L, shape (r, n), and (1ᵀq within each origin) L, shape (origins, n), of every move, in one block."""
    n = prepared.model.table.n
    masks = [(trade.own != 0) for trade in prepared.trades]
    blocks = []
    for move in moves:
        q = np.zeros((len(move.moving.rows), n))
        q[:, move.moving.buyers] = move.moving.inputs
        blocks.append(np.vstack([q, *(mask * q.sum(axis=0) for mask in masks)]))
    solved = prepared.model.factors.solve_transposed(np.concatenate(blocks).T).T
    found, start = [], 0
    for move, block in zip(moves, blocks, strict=True):
        r = len(move.moving.rows)
        found.append((solved[start : start + r], solved[start + r : start + len(block)]))
        start += len(block)
    return found


@dataclass(frozen=True)
class _Scaled:
    """A solved move for k scenarios: x' − x = LR (φ ρ y) − LE (φ y), with y of shape (k, r)."""

    LR: Array
    LE: Array
    H: Array
    arriving: Array
    leaving: Array

    def on(self, left: Array, industries: Positions) -> Array:
        """Return ``left`` (t, j) times Δx in some industries (j,), shape (k, t)."""
        return self.arriving @ (left @ self.LR[industries]).T - self.leaving @ (left @ self.LE[industries]).T

    def at(self, industries: Positions) -> Array:
        """Return Δx in some industries, shape (k, j)."""
        return np.asarray(self.arriving @ self.LR[industries].T - self.leaving @ self.LE[industries].T)


def _solved(
    prepared: Prepared, columns: _Columns, number: int, move: _Move, share: Array, cost: Array, places: Positions
) -> Solved | None:
    moving = move.moving
    LE = columns.L[:, columns.place[moving.rows]]
    LR = columns.L[:, columns.place[moving.hosts]] @ moving.weights
    q = moving.inputs
    g = q @ prepared.x[moving.buyers] + moving.final.sum(axis=1)
    HR, HE = q @ LR[moving.buyers], q @ LE[moving.buyers]
    H = cost[:, None, None] * HR - HE
    y = _small(H, share, np.broadcast_to(g, (len(share), len(g))))
    if y is None:
        return None
    leaving = share[:, None] * y
    scaled = _Scaled(LR, LE, H, cost[:, None] * leaving, leaving)
    request = prepared.request
    values = np.empty((len(places), len(request.rows)))
    MR, ME = prepared.M[:, moving.hosts] @ moving.weights, prepared.M[:, moving.rows]
    values[:, : request.linear] = scaled.arriving @ MR.T - scaled.leaving @ ME.T
    extra = (cost - 1.0) * share
    payer = {"profit": "value_added", "subsidy": "taxes_less_subsidies"}.get(move.payer)
    bought = q.sum(axis=0)
    if payer is not None and extra.any():
        rows = request.rows_of(payer)
        paying = request.members[rows][:, moving.buyers] * bought
        values[:, rows] -= extra[:, None] * (paying @ prepared.x[moving.buyers] + scaled.on(paying, moving.buyers))
    for k, trade in enumerate(prepared.trades):
        found = _content(prepared, trade, k, move, columns.rows[number], scaled, share, cost)
        if found is None:
            return None
        values[:, trade.flow.first : trade.flow.first + len(trade.flow.origins)] = found
    vectors = _vectors(prepared, move, scaled, extra, payer) if prepared.vectors else {}
    return Solved(places, "run", prepared.masked(values), None, vectors)


def _small(H: Array, share: Array, g: Array) -> Array | None:
    """Return (I − φ H)⁻¹ g for k systems of r numbers, shape (k, r); None where one has no trustworthy solution."""
    r = H.shape[1]
    system = np.eye(r) - share[:, None, None] * H
    if r == 1:
        if not (system[:, 0, 0] > SETTLED).all():
            return None
        return np.asarray(g / system[:, 0])
    try:
        y = np.linalg.solve(system, g[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return None
    gap = np.abs(np.einsum("kij,kj->ki", system, y) - g).max(axis=1)
    return np.asarray(y) if (gap <= SETTLED * np.abs(g).max(axis=1)).all() else None


def _vectors(prepared: Prepared, move: _Move, scaled: _Scaled, extra: Array, payer: str | None) -> dict[str, Array]:
    """Return changes by industry, each (k, n)."""
    dx = scaled.arriving @ scaled.LR.T - scaled.leaving @ scaled.LE.T
    found = {}
    for name in prepared.vectors:
        found[name] = dx * prepared.intensity(name)
        if name == payer and extra.any():
            buyers = move.moving.buyers
            paid = move.moving.inputs.sum(axis=0) * (prepared.x[buyers] + dx[:, buyers])
            found[name][:, buyers] -= extra[:, None] * paid
    return found


def _content(
    prepared: Prepared,
    trade: Trade,
    number: int,
    move: _Move,
    rows_of_move: tuple[Array, Array],
    scaled: _Scaled,
    share: Array,
    cost: Array,
) -> Array | None:
    """Return v'_o L' e' / 1'e' of a flow, shape (k, origins); None where prices move."""
    extra = (cost - 1.0) * share
    if move.payer == "price" and extra.any():
        return None
    moving, flow = move.moving, trade.flow
    exports = trade.exports + scaled.at(flow.buyers) @ trade.inputs.T
    shared, mine, _ = np.intersect1d(moving.buyers, flow.buyers, assume_unique=True, return_indices=True)
    moved = (prepared.x[shared] + scaled.at(shared)) @ moving.inputs[:, mine].T
    _, ours, _ = np.intersect1d(moving.uses, flow.uses, assume_unique=True, return_indices=True)
    moved = share[:, None] * (moved + moving.final[:, ours].sum(axis=1))
    for industries, weights, amount in (
        (moving.hosts, moving.weights, cost[:, None] * moved),
        (moving.rows, np.eye(len(moving.rows)), -moved),
    ):
        _, here, there = np.intersect1d(industries, flow.sellers, assume_unique=True, return_indices=True)
        exports[:, there] += amount @ weights[here].T
    qL, paidL = rows_of_move
    u = _small(scaled.H, share, exports @ qL[:, flow.sellers].T)
    if u is None:
        return None
    rising, falling = (share * cost)[:, None] * u, share[:, None] * u
    first = sum(len(t.flow.origins) for t in prepared.trades[:number])
    inside = np.zeros((len(share), len(flow.origins)))
    for sign, rows in ((None, trade.multipliers), (-extra[:, None], paidL[first : first + len(flow.origins)])):
        part = exports @ rows[:, flow.sellers].T
        part += rising @ (rows[:, moving.hosts] @ moving.weights).T - falling @ rows[:, moving.rows].T
        if sign is None:
            inside += part
        elif move.payer == "profit":
            inside += sign * part
    total = exports.sum(axis=1)[:, None]
    share_of = np.divide(inside, total, out=np.full(inside.shape, np.nan), where=total > trade.nothing)
    return np.asarray(share_of)
