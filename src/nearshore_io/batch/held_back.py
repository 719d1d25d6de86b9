"""A response that limits hold back: caps by their rule, and deliveries that stop."""

from dataclasses import dataclass, replace

import numpy as np

from nearshore_io.batch.economy import Economy, coefficients_after, of_sales, output_of
from nearshore_io.batch.response import Response
from nearshore_io.errors import ClosureError, ShockError, first_few
from nearshore_io.leontief import Leontief
from nearshore_io.limits import Blockade, Caps, disrupted, optimum, rationed
from nearshore_io.limits.blockade import DAYS_OF_A_YEAR
from nearshore_io.scenarios import Change, Fact
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable


def require_open(model: Leontief, change: Change) -> None:
    """Raise unless limits stand alone with demand, and the model is open."""
    if model.closure is not None:
        raise ClosureError("limits on output are defined for the open model only (closure=None).")
    if change.activities or change.wedge is not None or change.charge.any():
        raise ShockError("limits are not defined with new plants or prices: run them as scenarios apart.")
    if change.intensities or change.cost.any():
        raise ShockError(
            "limits are not defined with shocks that change value added or jobs per unit of output: run them apart."
        )


def capped(model: Leontief, change: Change, economy: Economy, response: Response, caps: Caps) -> Response:
    """Return the response within caps, by their rule.

    Raises
    ------
    ShockError
        If no cap binds, or no output keeps them.
    """
    table, x = model.table, output_of(model.table)
    wanted = x + response.open
    needed = np.asarray(caps.rows @ wanted)
    if caps.rule == "scale":
        if change.P.shape[1]:
            raise ShockError(
                "capacity rule 'scale' scales demand and given outputs, not coefficients: use the optimum."
            )
        return _scaled(response, caps, np.asarray(caps.rows @ x), needed)
    _require_binding(caps, needed)
    demand = economy.Y.sum(axis=1)
    if change.output.any():
        demand = wanted - economy.factors.product(wanted)  # with what given outputs imply for their own products
    left = (
        _best(table, economy, demand, caps) if caps.rule == "optimum" else _shared(table, change, economy, demand, caps)
    )
    facts = left.facts | {"final demand not met": Fact(float((demand - left.final).sum()), table.unit)}
    held = _shortfall(caps, needed, table.n)
    if held.any():
        per = float(caps.weights @ (left.x - wanted) / held.sum())
        facts["lost per unit of output that is capped"] = Fact(per, f"{caps.objective} per {table.unit}")
    return replace(
        response,
        direct=response.direct + held,
        open=left.x - x,
        closed=left.x - x,
        shadow_price=left.shadow_price,
        economy=None,
        facts={**response.facts, **facts},
    )


@dataclass(frozen=True)
class _Left:
    """Output that is left, the final demand it serves, the worth of one more unit of capped output, and facts."""

    x: Array
    final: Array
    shadow_price: Array | None
    facts: dict[str, Fact]


def _require_binding(caps: Caps, needed: Array) -> None:
    if (needed > caps.limits * (1.0 + 1e-9)).any():
        return
    k = int(np.argmin(caps.limits - needed))
    raise ShockError(
        f"none of the caps binds: {caps.names[k]} needs {needed[k]:,.5g} {caps.units[k]} of {caps.limits[k]:,.5g}. "
        "A cap above what is asked for limits nothing: lower it, or raise demand."
    )


def _best(table: IOTable, economy: Economy, demand: Array, caps: Caps) -> _Left:
    """Return the optimum, with its duals."""
    best = optimum(economy.factors, demand, caps)
    own = caps.industry >= 0
    shadow = np.zeros(table.n)
    shadow[caps.industry[own]] = best.duals[own]
    worth = {
        f"worth of one more unit: {name}": Fact(float(dual), f"{caps.objective} per {unit}")
        for name, dual, unit in zip(caps.names, best.duals, caps.units, strict=True)
        if dual > 0
    }
    return _Left(best.x, best.final, shadow, worth)


def _shared(table: IOTable, change: Change, economy: Economy, demand: Array, caps: Caps) -> _Left:
    """Return what is left under rationing."""
    left = rationed(economy.factors, coefficients_after(table, change), demand, caps, len(table.sectors))
    return _Left(left.x, left.final, None, {"rounds of rationing": Fact(float(left.rounds), "1")})


def _shortfall(caps: Caps, needed: Array, n: int) -> Array:
    """Return what capped industries cannot make of what they are asked for, shape (n,)."""
    found = np.zeros(n)
    own = caps.industry >= 0
    found[caps.industry[own]] = np.minimum(0.0, caps.limits - needed)[own]
    return found


def _scaled(response: Response, caps: Caps, used: Array, needed: Array) -> Response:
    """Return the largest share of a response that the caps allow, s = min (cap − R x)/(R Δx)."""
    more = needed - used
    room = np.divide(caps.limits - used, more, out=np.full(len(more), np.inf), where=more > 0)
    if (caps.limits < used * (1.0 - 1e-12)).any():
        short = [name for name, limit, now in zip(caps.names, caps.limits, used, strict=True) if limit < now]
        raise ShockError(
            f"the caps on {first_few(short)} lie below present use, so no share of the change is feasible."
        )
    share = float(min(1.0, room.min(initial=np.inf)))
    facts = {
        f"share that {name} allows": Fact(float(allowed), "share")
        for name, allowed in zip(caps.names, room, strict=True)
        if np.isfinite(allowed)
    }
    binding = caps.names[int(np.argmin(room))] if share < 1.0 else "nothing binds"
    facts["feasible share"] = Fact(share, f"share ({binding})")
    parts = {name: getattr(response, name) * share for name in ("direct", "open", "closed")}
    return replace(response, **parts, facts={**response.facts, **facts})


def blocked(model: Leontief, change: Change, blockade: Blockade) -> Response:
    """Return what is lost from the first day of a blockade to its horizon.

    Raises
    ------
    ShockError
        If something else changes at the same time.
    """
    if change.P.shape[1] or change.demand.nnz or change.output.any() or change.intensities:
        raise ShockError("inventories run on the table as it is: give other shocks a scenario of their own.")
    table, x = model.table, output_of(model.table)
    run = disrupted(table.A, x, table.y, blockade, len(table.sectors))
    stopped = of_sales(blockade.blocked, table.A, table.y, x).sum(axis=1)
    deliveries = np.asarray(stopped).ravel() * blockade.days / DAYS_OF_A_YEAR
    v, owners = table.intensity("value_added"), np.array([table.country[region] for region in table.regions])
    by_region = (v * run.lost).reshape(len(owners), -1).sum(axis=1)
    sellers = dict.fromkeys(owners[np.flatnonzero(deliveries.reshape(len(owners), -1).any(axis=1))].tolist())
    a_day = {
        f"value added lost for each day of the stop, {name}": Fact(
            -float(by_region[owners == name].sum()) / blockade.days, f"{table.unit} a day"
        )
        for name in sellers
    }
    facts = {
        **a_day,
        "deliveries that stop": Fact(float(deliveries.sum()), table.unit),
        "final demand not served": Fact(float(run.unserved.sum()), table.unit),
        "world output on the worst day": Fact(100.0 * float(run.path.min()), "per cent of before"),
        "worst day": Fact(float(run.path.argmin() + 1), "day"),
        "world output on the last day": Fact(100.0 * float(run.path[-1]), "per cent of before"),
    }
    return Response(-deliveries, run.lost, run.lost, 0.0, "day steps, no system to solve", facts=facts)
