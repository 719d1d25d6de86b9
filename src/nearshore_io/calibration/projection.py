"""A table moved to another year by that year's published margins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io import labels
from nearshore_io.balance import Balanced, cross_entropy, gras, kras, least_squares, mr_gras, ras
from nearshore_io.balance.fit import Progress, balanced, relative
from nearshore_io.errors import BalanceError, ConflictError, first_few
from nearshore_io.solvers.base import Array, Positions, dense
from nearshore_io.table import IOTable

Method = Literal["ras", "gras", "mr_gras", "kras", "least_squares", "cross_entropy"]
Kept = Literal["check", "outputs", "final_demand"]
METHODS: tuple[str, ...] = ("ras", "gras", "mr_gras", "kras", "least_squares", "cross_entropy")


@dataclass(frozen=True)
class Margins:
    """What is published of a year, in the table's unit and order.

    Attributes
    ----------
    output : (n,). inputs : primary inputs by name, each (n,). final_demand : totals by final region and category,
        (final regions × categories,). trade : flows and final purchases between regions, (regions, final regions), for
        `mr_gras`; NaN where unknown.
    """

    output: Array
    inputs: Mapping[str, Array]
    final_demand: Array
    trade: Array | None = None


@dataclass(frozen=True)
class Projection:
    """A projected table and the balancing of [Z | Y] that made it."""

    table: IOTable
    fit: Balanced


def margins_of(table: IOTable) -> Margins:
    """Return the margins of a table, as a statistical office would publish them without the table."""
    return Margins(table.x.values.ravel(), table.inputs, table.y.sum(axis=0), _between(table))


def _between(table: IOTable) -> Array:
    groups, columns = _groups(table)
    M = np.hstack([dense(table.Z), table.y])
    wide = np.zeros((len(table.regions), int(columns.max()) + 1))
    np.add.at(wide, (groups[:, None], columns[None, :]), M)
    return wide


def _groups(table: IOTable) -> tuple[Positions, Positions]:
    """Return the region of every row, and the country of every column as a number."""
    owners = [table.country[region] for region in table.regions]
    order = list(dict.fromkeys([*owners, *table.final_regions]))
    buyers = np.repeat([order.index(owner) for owner in owners], len(table.sectors))
    final = np.repeat([order.index(region) for region in table.final_regions], len(table.categories))
    return np.repeat(np.arange(len(owners)), len(table.sectors)), np.concatenate([buyers, final])


def project(
    table: IOTable,
    year: int,
    margins: Margins,
    *,
    method: Method = "gras",
    price_change: Array | None = None,
    totals: Kept = "check",
    progress: Progress | None = None,
) -> Projection:
    """Return the table of another year: [Z | Y] nearest to this one's, with that year's margins.

    Rows sum to output, columns of industries to output less primary inputs, columns of final users to their totals;
    under "mr_gras" trade between countries sums to what is published as well.

    Parameters
    ----------
    margins : of the other year, at its prices.
    price_change : ratio of prices to those of this table by seller, (n,): rows are revalued by it before anything is
        balanced, so that the structure kept is that of volumes.
    method : "ras" and "cross_entropy" hold negative cells as they are; the others scale or move them too.
    totals : what to do if outputs less primary inputs, and final demand, do not add up to outputs: "check" raises;
        "outputs" scales the totals of final demand; "final_demand" scales outputs and primary inputs alike.

    Notes
    -----
    Taxes of final users keep their rates to purchases; stressors are of the year before, and are left out.

    Raises
    ------
    BalanceError
        Margins that do not fit the table, or cannot be projected to by this method.
    ConflictError
        Margins that do not add up, or that the table's cells cannot reach; named by position.

    Source: Miller & Blair (2009), chapter 7.
    """
    labels.position(method, METHODS, "method")
    n, width = table.n, table.y.shape[1]
    output = np.asarray(margins.output, dtype=float).ravel()
    final = np.asarray(margins.final_demand, dtype=float).ravel()
    if len(output) != n or len(final) != width or set(margins.inputs) != set(table.inputs):
        raise BalanceError(
            f"margins do not fit {table.name}: {n} outputs, {width} final totals and the inputs "
            f"{', '.join(table.inputs)} are needed."
        )
    inputs = {name: np.asarray(margins.inputs[name], dtype=float).ravel() for name in table.inputs}
    M = np.hstack([dense(table.Z), table.y])
    if price_change is not None:
        prices = np.asarray(price_change, dtype=float).ravel()
        if len(prices) != n or not (np.isfinite(prices) & (prices > 0)).all():
            raise BalanceError(f"price_change: {n} positive ratios are needed, one for each seller.")
        M = M * prices[:, None]
    output, inputs, final = _agreed(output, inputs, final, totals)
    columns = np.concatenate([output - np.sum(list(inputs.values()), axis=0), final])
    fit = _METHODS[method](_Task(table, M, output, columns, margins.trade, progress))
    Z = np.asarray(fit.Z)
    result = table.with_numbers(
        Z=csr_array(Z[:, :n]) if issparse(table.Z) else Z[:, :n],
        Y=Z[:, n:],
        inputs=inputs,
        stressors={},
        final_inputs=_taxes_of_final_users(table, final),
        meta=table.moved(f"projected from {table.year} to {year} ({method})", year=year),
    )
    return Projection(result, fit)


def _taxes_of_final_users(table: IOTable, final: Array) -> dict[str, Array]:
    """Return what final users pay of primary inputs at the rates of before; without purchases, as before."""
    before = table.y.sum(axis=0)
    growth = np.divide(final, before, out=np.ones_like(final), where=before != 0)
    return {name: paid * growth for name, paid in table.paid_by_final_users.items()}


def _agreed(
    output: Array, inputs: dict[str, Array], final: Array, totals: Kept
) -> tuple[Array, dict[str, Array], Array]:
    """Return outputs, primary inputs and totals of final demand that sum to the same."""
    labels.position(totals, ("check", "outputs", "final_demand"), "treatment of margins that do not add up")
    earned = sum(float(values.sum()) for values in inputs.values())
    spent = float(final.sum())
    if abs(earned - spent) <= 1e-9 * float(np.abs(output).sum()):
        return output, inputs, final
    if totals == "outputs":
        return output, inputs, final * (earned / spent)
    if totals == "final_demand":
        factor = spent / earned
        return output * factor, {name: values * factor for name, values in inputs.items()}, final
    raise ConflictError(
        f"primary inputs sum to {earned:,.10g}, final demand to {spent:,.10g}: they differ by "
        f"{abs(earned - spent):,.6g} ({100 * abs(earned / spent - 1):.3g} %), so no table has both. Correct them, or "
        'say which to keep: totals="outputs" scales the totals of final demand, totals="final_demand" outputs and '
        "primary inputs.",
        ("primary inputs", "final demand"),
    )


@dataclass(frozen=True)
class _Task:
    """[Z | Y] before, the sums it shall have, and what else a method may use."""

    table: IOTable
    M: Array
    rows: Array
    columns: Array
    trade: Array | None
    progress: Progress | None


def _ras(task: _Task) -> Balanced:
    held = np.minimum(task.M, 0.0)
    fit = ras(
        np.maximum(task.M, 0.0),
        rows=task.rows - held.sum(axis=1),
        columns=task.columns - held.sum(axis=0),
        rtol=1e-9,
        progress=task.progress,
    )
    return _rebuilt(fit, task, np.asarray(fit.Z) + held)


def _gras(task: _Task) -> Balanced:
    return gras(task.M, rows=task.rows, columns=task.columns, rtol=1e-9, progress=task.progress)


def _mr_gras(task: _Task) -> Balanced:
    if task.trade is None:
        raise BalanceError("mr_gras needs trade between countries: Margins(..., trade=...).")
    rows, columns = _groups(task.table)
    return mr_gras(
        task.M, rows=task.rows, columns=task.columns, blocks=task.trade, row_blocks=rows, column_blocks=columns,
        rtol=1e-8, progress=task.progress,
    )  # fmt: skip


def _kras(task: _Task) -> Balanced:
    return kras(task.M, rows=task.rows, columns=task.columns, rtol=1e-8, progress=task.progress)


def _least(task: _Task) -> Balanced:
    return least_squares(task.M, rows=task.rows, columns=task.columns, rtol=1e-6)


def _entropy(task: _Task) -> Balanced:
    n = task.table.n
    held = np.minimum(task.M, 0.0)
    wanted = task.columns - held.sum(axis=0)
    spent = np.concatenate([task.rows, wanted[n:]])
    cells = np.maximum(task.M, 0.0)
    used = np.flatnonzero((cells.sum(axis=0) > 0) & (spent > 0))
    odd = np.setdiff1d(np.flatnonzero(wanted != 0), used)
    if odd.size:
        raise BalanceError(
            f"cross-entropy needs cells and a positive total in every column: not so at {first_few(odd)}. `gras` keeps "
            "signs."
        )
    old = np.concatenate([task.table.x.values.ravel(), np.maximum(task.table.y, 0.0).sum(axis=0)])[used]
    fit = cross_entropy(
        cells[:, used] * (spent[used] / np.where(old > 0, old, 1.0)),
        rows=task.rows - held.sum(axis=1),
        columns=wanted[used],
        outputs=spent[used],
        rtol=1e-9,
        progress=task.progress,
    )
    whole = held.copy()
    whole[:, used] += fit.Z
    return _rebuilt(fit, task, whole)


def _rebuilt(fit: Balanced, task: _Task, Z: Array) -> Balanced:
    """Return a fit of the whole matrix: with the cells that were held, and measured against them."""
    wanted = {"rows": task.rows, "columns": task.columns}
    gaps = {
        kind: relative(Z.sum(axis=axis), wanted[kind], np.abs(Z).sum(axis=axis))
        for kind, axis in (("rows", 1), ("columns", 0))
    }
    return balanced(Z, task.M, fit.method, fit.iterations, gaps, fit.multipliers, wanted)


_METHODS: Mapping[str, Callable[[_Task], Balanced]] = {
    "ras": _ras, "gras": _gras, "mr_gras": _mr_gras, "kras": _kras, "least_squares": _least,
    "cross_entropy": _entropy,
}  # fmt: skip
