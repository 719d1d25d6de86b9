"""A table brought to targets, with an account of every one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, issparse, vstack

from nearshore_io import labels
from nearshore_io.balance import Balanced, conflicting, inverse_change, kras, least_squares
from nearshore_io.balance.constraints import sign_bounds
from nearshore_io.balance.fit import Progress
from nearshore_io.calibration.system import Row, System, constraint_matrix
from nearshore_io.calibration.targets import Target
from nearshore_io.errors import ConflictError, LabelError, first_few
from nearshore_io.solvers.base import Array, Positions
from nearshore_io.table import IOTable

Method = Literal["kras", "least_squares"]
Outputs = Literal["free", "kept"]
HIT = 1e-4
"""Relative deviation up to which a target counts as hit."""


@dataclass(frozen=True)
class Outcome:
    """What became of a target.

    Attributes
    ----------
    status : "hit", "missed" or "dropped". wanted, before, after : in the table's unit (a content is a share).
    deviation : after / wanted − 1. reason : why it was missed or dropped.
    """

    target: Target
    status: Literal["hit", "missed", "dropped"]
    wanted: float
    before: float
    after: float
    reason: str = ""

    @property
    def deviation(self) -> float:
        """Return after / wanted − 1."""
        return self.after / self.wanted - 1 if self.wanted else np.inf if self.after else 0.0


@dataclass(frozen=True)
class Adjusted:
    """A balanced table, what became of every target, and how far it moved.

    Attributes
    ----------
    table, before : the tables. outcomes : one for each target. fit : the balancing of [[Z, Y], [v, 0]].
    change_of_inverse : mean absolute change of L; NaN above `INVERSE_UP_TO` industries.
    """

    table: IOTable
    before: IOTable
    outcomes: tuple[Outcome, ...]
    fit: Balanced
    change_of_inverse: float

    def to_pandas(self) -> pd.DataFrame:
        """Return one row for each target."""
        return pd.DataFrame(
            [
                {
                    "target": outcome.target.name,
                    "status": outcome.status,
                    "wanted": outcome.wanted,
                    "before": outcome.before,
                    "after": outcome.after,
                    "deviation": outcome.deviation,
                    "reliability": outcome.target.reliability,
                    "source": outcome.target.source,
                    "year": outcome.target.year,
                    "reason": outcome.reason,
                }
                for outcome in self.outcomes
            ]
        )

    def explain(self, name: str, top: int = 15) -> pd.DataFrame:
        """Return the cells that moved most to meet a target, and what moved most against them in their lines.

        Raises
        ------
        LabelError
            If no target has that name.
        """
        names = [outcome.target.name for outcome in self.outcomes]
        target = self.outcomes[labels.position(name, names, "target")].target
        return explained(self.before, self.table, target, top)


INVERSE_UP_TO = 2_000
_CELL_SPREAD = 0.5
"""Relative standard deviation of a cell, beside which those of targets are weighed by least squares."""


def adjust(
    table: IOTable,
    targets: Sequence[Target],
    *,
    method: Method = "kras",
    outputs: Outputs = "free",
    empty: Literal["error", "drop"] = "error",
    exchange_rates: Mapping[str, float] | None = None,
    deflator: Mapping[int, float] | None = None,
    rtol: float = 1e-7,
    maxiter: int = 5_000,
    progress: Progress | None = None,
) -> Adjusted:
    """Return the table nearest to one that meets targets, its rows and columns balanced.

    The cells of [[Z, Y], [v, 0]] are scaled (`kras`) or moved least (`least_squares`) until every industry's sales
    equal its inputs, Σ_j z_ij + Σ y_i = Σ_k z_ki + Σ v_i (as far as they did before), and every target holds. Targets
    that conflict move by their reliability; those of reliability 1 must hold.

    Parameters
    ----------
    method : "kras", or "least_squares": min Σ ((z − z⁰)/(½ z⁰))² + Σ ((g z − c)/σ)² over soft
        targets, whatever the unit.
    outputs : "free" lets outputs follow; "kept" holds every industry's sales and inputs.
    empty : what to do about a target on cells that are all zero: "error", or "drop" it and say so.
    exchange_rates : units of other currencies per unit of the table's. deflator : price index by year.

    Notes
    -----
    Stressors and the taxes of final users stay as they are: jobs are counted, not scaled with output. The table's name,
    its note as an estimate, its band and its grades are no longer those of the table before.

    Raises
    ------
    LabelError, UnitError
        A target the table has no labels for; a value that does not convert.
    ConflictError
        Targets of full reliability that cannot hold together, named.

    Source: Lenzen, Gallego & Wood (2009), Economic Systems Research 21, 23–45.
    """
    labels.position(method, ("kras", "least_squares"), "method")
    labels.position(outputs, ("free", "kept"), "treatment of outputs")
    labels.require_unique([target.name for target in targets], "target")
    system = System(table, exchange_rates or {}, deflator or {})
    rows: list[Row] = []
    dropped: dict[str, str] = {}
    for target in targets:
        try:
            rows.append(system.of(target))
        except ConflictError as error:
            if empty == "error":
                raise
            dropped[target.name] = str(error)
    _require_compatible(system, rows)
    fit = _fitted(system, rows, method, outputs, rtol, maxiter, progress)
    result = _table(table, np.asarray(fit.Z), method, len(rows))
    after = System(result, exchange_rates or {}, deflator or {})
    fitted = {row.target.name: row for row in rows}
    outcomes = []
    for target in targets:
        was = system.measured(target)
        if target.name in dropped:
            outcomes.append(Outcome(target, "dropped", np.nan, was, after.measured(target), dropped[target.name]))
            continue
        row = fitted[target.name]
        now = after.measured(target)
        hit = abs(now - row.value) <= HIT * abs(row.value)
        reason = (
            "" if hit else f"moved towards what the cells and other targets say (reliability {target.reliability:g})"
        )
        outcomes.append(Outcome(target, "hit" if hit else "missed", row.value, was, now, reason))
    return Adjusted(result, table, tuple(outcomes), fit, _change(table, result))


def _change(before: IOTable, after: IOTable) -> float:
    if before.n > INVERSE_UP_TO:
        return float("nan")
    return inverse_change(before.Z, before.x.values.ravel(), after.Z, after.x.values.ravel())


def _require_compatible(system: System, rows: Sequence[Row]) -> None:
    """Raise `ConflictError` where targets that must hold contradict each other whatever the rest of the table does.

    Cells that the same targets count in the same way are one cell to them, so few are left to look at.
    """
    hard = [row for row in rows if row.spread == 0]
    if len(hard) < 2:
        return
    cells = np.unique(np.concatenate([row.cells for row in hard]))
    counts = np.zeros((len(hard), len(cells)))
    for k, row in enumerate(hard):
        np.add.at(counts[k], np.searchsorted(cells, row.cells), row.weights)
    signs = np.sign(system.matrix.ravel()[cells])
    kinds = np.unique(np.vstack([counts, signs])[:, signs != 0], axis=1)
    G, sign = csr_array(kinds[:-1]), kinds[-1]
    wanted = np.array([row.wanted for row in hard])
    conflict = conflicting(G, wanted, *sign_bounds(sign))
    if conflict is not None:
        listed = [f"{hard[i].target.name} = {hard[i].value:,.6g}" for i in conflict.constraints]
        raise ConflictError(
            f"targets that cannot hold together: {first_few(listed, 12)}. Together they are off by "
            f"{conflict.gap:,.6g}. Correct one, leave it out, or give one a reliability below 1, and it moves towards "
            "what the others say.",
            tuple(hard[i].target.name for i in conflict.constraints),
        )


def _fitted(
    system: System,
    rows: Sequence[Row],
    method: Method,
    outputs: Outputs,
    rtol: float,
    maxiter: int,
    progress: Progress | None,
) -> Balanced:
    M, n = system.matrix, system.table.n
    wide = system.shape[1]
    parts = [constraint_matrix(rows, M.size)]
    wanted = [np.array([row.wanted for row in rows])]
    spread = [np.array([row.spread for row in rows])]
    names = [row.target.name for row in rows]
    row_targets, column_targets = np.full(M.shape[0], np.nan), np.full(M.shape[1], np.nan)
    sold, bought = M[:n].sum(axis=1), M[:, :n].sum(axis=0)
    active = np.flatnonzero((np.abs(M[:n]).sum(axis=1) > 0) | (np.abs(M[:, :n]).sum(axis=0) > 0))
    if outputs == "kept":
        row_targets[active], column_targets[active] = sold[active], bought[active]
    else:
        parts.append(_balances(active, wide, M.shape[0]))
        wanted.append((sold - bought)[active])
        spread.append(np.zeros(len(active)))
        names += [f"balance of {system.table.industry_names([i])}" for i in active.tolist()]
    hard = np.zeros(sum(M.shape))
    G, c = csr_array(vstack(parts)), np.concatenate(wanted)
    sd = np.concatenate([hard, *spread])
    if method == "kras":
        return kras(
            M, rows=row_targets, columns=column_targets, constraints=G, values=c, spread=sd, names=names, rtol=rtol,
            maxiter=maxiter, progress=progress,
        )  # fmt: skip
    return least_squares(
        M, rows=row_targets, columns=column_targets, constraints=G, values=c, spread=sd, names=names, rtol=rtol,
        variance=(_CELL_SPREAD * np.abs(M)) ** 2, maxiter=min(maxiter, 200),
    )  # fmt: skip


def _balances(active: Positions, wide: int, tall: int) -> csr_array:
    """Return Σ_j M_ij − Σ_k M_ki of every industry as constraints on cells; the diagonal cancels."""
    count = len(active)
    sales = active[:, None] * wide + np.arange(wide)[None, :]
    inputs = np.arange(tall)[None, :] * wide + active[:, None]
    owners = np.arange(count)
    rows = np.concatenate([np.repeat(owners, wide), np.repeat(owners, tall)])
    cells = np.concatenate([sales.ravel(), inputs.ravel()])
    signs = np.concatenate([np.ones(sales.size), -np.ones(inputs.size)])
    found = csr_array((signs, (rows, cells)), shape=(count, tall * wide))
    found.sum_duplicates()
    found.eliminate_zeros()
    return found


def _table(table: IOTable, M: Array, method: Method, count: int) -> IOTable:
    n = table.n
    Z = M[:n, :n]
    return table.with_numbers(
        Z=csr_array(Z) if issparse(table.Z) else Z,
        Y=M[:n, n:],
        inputs={name: M[n + i, :n] for i, name in enumerate(table.inputs)},
        meta=table.moved(f"balanced to {count} targets ({method}); stressors and taxes of final users as before"),
    )


def explained(before: IOTable, after: IOTable, target: Target, top: int) -> pd.DataFrame:
    """Return the largest changes among the cells of a target, and among the rest of their rows and columns."""
    old, new = System(before), System(after)
    rows, columns = old.lines(target)
    names_r = [*_industries(before), *(f"{name} of" for name in before.inputs)]
    names_c = [*_industries(before), *(f"{r}/{c}" for r in before.final_regions for c in before.categories)]
    change = new.matrix - old.matrix
    inside = np.zeros(change.shape, dtype=bool)
    inside[np.ix_(rows, columns)] = True
    lines = np.zeros(change.shape, dtype=bool)
    lines[rows] = True
    lines[:, columns] = True
    frames = []
    for where, mask in (("in the target", inside), ("in its rows and columns", lines & ~inside)):
        size = np.where(mask, np.abs(change), 0.0).ravel()
        order = [i for i in np.argsort(-size)[:top] if size[i] > 0]
        frames += [
            {
                "where": where, "seller": names_r[i // change.shape[1]], "buyer": names_c[i % change.shape[1]],
                "before": float(old.matrix.flat[i]), "after": float(new.matrix.flat[i]),
                "change": float(change.flat[i]),
            }
            for i in order
        ]  # fmt: skip
    if not frames:
        raise LabelError(
            f"nothing moved for target {target.name!r}: the table said so already ({first_few([target.value])})."
        )
    return pd.DataFrame(frames)


def _industries(table: IOTable) -> list[str]:
    return [f"{region}/{sector}" for region in table.regions for sector in table.sectors]
