"""GRAS and MR-GRAS: scaling that keeps signs, with totals of blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.balance.conflict import unreached
from nearshore_io.balance.fit import Balanced, Progress, balanced, relative
from nearshore_io.balance.margins import (
    Totals,
    agreed,
    line_names,
    readable_matrix,
    require_reachable,
    require_rounds,
    targets,
)
from nearshore_io.errors import BalanceError
from nearshore_io.solvers.base import Array, Matrix, Positions

Wanted = Array | Sequence[float] | None
Groups = Sequence[int] | Positions | None

_STALL = 500
"""Rounds after which a residual that has not fallen by a hundredth counts as stalled."""


def gras(
    Z: Matrix,
    *,
    rows: Wanted = None,
    columns: Wanted = None,
    totals: Totals = "check",
    rtol: float = 1e-10,
    maxiter: int = 10_000,
    progress: Progress | None = None,
) -> Balanced:
    """Return the matrix of given row and column sums that is nearest to Z and has its signs.

    With Z = P − N, both ≥ 0: z_ij = r_i p_ij s_j − n_ij / (r_i s_j), where in turn

        r_i = [u_i + √(u_i² + 4 p_i n_i)] / (2 p_i),   p_i = Σ_j p_ij s_j,   n_i = Σ_j n_ij / s_j,

    r_i = −n_i/u_i where p_i = 0, r_i = u_i/p_i where n_i = 0, and s_j alike.

    Parameters
    ----------
    Z : matrix, shape (m, n); dense or sparse. Zeros stay zero.
    rows, columns : targets, shapes (m,) and (n,); NaN where there is none.
    totals : what to do if both are complete and their sums differ: "check" raises, "rows" or "columns" keeps that side.
    rtol : largest relative residual of a target; see `Balanced.residual`.

    Raises
    ------
    BalanceError
        Cells that are not numbers, targets of another length.
    ConflictError
        Targets that no scaling can reach, named; or that were not reached in ``maxiter`` rounds.

    Source: Junius & Oosterhaven (2003), Economic Systems Research 15, 87–96, with the objective of Lenzen, Wood &
    Gallego (2007), ESR 19, 461–465; the root, Temurshoev, Miller & Bouwmeester (2013), ESR 25, 361–367.
    """
    return scaled(readable_matrix(Z), rows, columns, None, "GRAS", totals, rtol, maxiter, progress)


def mr_gras(
    Z: Matrix,
    *,
    rows: Wanted = None,
    columns: Wanted = None,
    blocks: Array | None = None,
    row_blocks: Groups = None,
    column_blocks: Groups = None,
    totals: Totals = "check",
    rtol: float = 1e-10,
    maxiter: int = 10_000,
    progress: Progress | None = None,
) -> Balanced:
    """Return the matrix of given row, column and block sums that is nearest to Z and has its signs.

    z_ij = r_i s_j t_IJ p_ij − n_ij / (r_i s_j t_IJ), with the root of `gras` for each of r, s and t in turn.

    Parameters
    ----------
    blocks : targets of blocks, shape (row groups, column groups), such as bilateral trade; NaN where there is none.
    row_blocks, column_blocks : group of each row and column, 0, 1, …

    Raises
    ------
    BalanceError, ConflictError
        As `gras`; a conflict names the blocks too.

    Source: Temursho, Oosterhaven & Cardenete (2021), Spatial Economic Analysis 16, 158–174.
    """
    Z = readable_matrix(Z)
    if blocks is None:
        return scaled(Z, rows, columns, None, "MR-GRAS", totals, rtol, maxiter, progress)
    grouped = _blocks(blocks, row_blocks, column_blocks, Z.shape)
    return scaled(Z, rows, columns, grouped, "MR-GRAS", totals, rtol, maxiter, progress)


@dataclass(frozen=True)
class _Blocks:
    """Targets of blocks, shape (I, J), and the group of every row and column."""

    wanted: Array
    rows: Positions
    columns: Positions


def _blocks(blocks: Array, rows: Groups, columns: Groups, shape: tuple[int, int]) -> _Blocks:
    wanted = np.array(blocks, dtype=np.float64)
    if wanted.ndim != 2 or np.isinf(wanted).any():
        raise BalanceError("blocks: a matrix of targets is needed, with NaN where there is none.")
    groups = []
    for what, given, size, count in (
        ("row_blocks", rows, shape[0], wanted.shape[0]),
        ("column_blocks", columns, shape[1], wanted.shape[1]),
    ):
        numbers = np.zeros(0) if given is None else np.array(given, dtype=np.float64).ravel()
        whole = np.isfinite(numbers) & (numbers == np.floor(numbers))
        found = np.where(whole, numbers, -1).astype(np.intp)
        if len(found) != size or found.min(initial=0) < 0 or found.max(initial=0) >= count:
            raise BalanceError(f"{what}: {size} group numbers from 0 to {count - 1} are needed, one for each line.")
        groups.append(found)
    return _Blocks(wanted, *groups)


class _Cells:
    """P or N of Z = P − N, with the sums that scaling needs, by groups of rows."""

    def __init__(self, cells: Matrix, groups: Sequence[Positions]) -> None:
        self.parts = [cells[_slice(rows)] for rows in groups]
        self.groups = groups
        self.shape = cells.shape

    def row_sums(self, right: Array) -> Array:
        """Return Σ_j c_ij · right_Ij, shape (m,), for weights of columns by group of rows, shape (I, n)."""
        sums = np.empty(self.shape[0])
        for rows, part, weights in zip(self.groups, self.parts, right, strict=True):
            sums[rows] = part @ weights
        return sums

    def column_sums(self, left: Array) -> Array:
        """Return Σ_i left_i c_ij by group of rows, shape (I, n), for weights of rows, shape (m,)."""
        return np.array([part.T @ left[rows] for rows, part in zip(self.groups, self.parts, strict=True)])


def _slice(rows: Positions) -> slice | Positions:
    """Return a slice where rows follow each other: a view, not a copy."""
    if rows.size and np.array_equal(rows, np.arange(rows[0], rows[-1] + 1)):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _root(p: Array, n: Array, u: Array) -> tuple[Array, Array]:
    """Return the multipliers of positive and of negative cells: m with m·p − n/m = u, and 1/m.

    Without positive cells −n/m = u, without negative ones m·p = u; a line without target or cells keeps m = 1. Where
    a target has no such m the multiplier is zero: the cells vanish, and the residual shows it.
    """
    up, down = np.ones_like(p), np.ones_like(p)
    given = ~np.isnan(u)
    both = given & (p > 0) & (n > 0)
    a, b, c = p[both], n[both], u[both]
    root = np.sqrt(c * c + 4 * a * b)
    m = np.where(c >= 0, (c + root) / (2 * a), 2 * b / np.where(c >= 0, 1.0, root - c))
    up[both], down[both] = m, 1 / m
    only_up, only_down = given & (n == 0) & (p > 0), given & (p == 0) & (n > 0)
    up[only_up] = np.maximum(u[only_up], 0.0) / p[only_up]
    down[only_down] = np.maximum(-u[only_down], 0.0) / n[only_down]
    return up, down


def scaled(
    Z: Matrix,
    rows: Wanted,
    columns: Wanted,
    blocks: _Blocks | None,
    method: str,
    totals: Totals,
    rtol: float,
    maxiter: int,
    progress: Progress | None,
) -> Balanced:
    """Return Z scaled to its targets: what `ras`, `gras` and `mr_gras` share."""
    require_rounds(maxiter)
    u, w = agreed(targets(rows, Z.shape[0], "rows"), targets(columns, Z.shape[1], "columns"), totals)
    grouped = blocks or _Blocks(np.full((1, 1), np.nan), *(np.zeros(size, dtype=np.intp) for size in Z.shape))
    problem = _Problem(Z, u, w, grouped)
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # in a conflict multipliers run away: no residual
        found = problem.iterate(rtol, maxiter, progress)
    if found.residual > rtol:
        groups = (grouped.rows, grouped.columns) if "blocks" in problem.kinds else None
        raise unreached(method, Z, problem.named(), found.residuals, found.iterations, rtol, groups)
    return balanced(
        problem.result(found),
        Z,
        method,
        found.iterations,
        {kind: found.residuals[kind] for kind in problem.kinds},
        {kind: values for kind, values in problem.multipliers(found).items() if kind in problem.kinds},
        {"rows": u, "columns": w, **({"blocks": grouped.wanted} if "blocks" in problem.kinds else {})},
    )


@dataclass(frozen=True)
class _State:
    """Multipliers of positive and of negative cells, by rows, columns and blocks, and what they leave."""

    r: tuple[Array, Array]
    s: tuple[Array, Array]
    t: tuple[Array, Array]
    residuals: dict[str, Array]
    iterations: int

    @property
    def residual(self) -> float:
        return max(float(np.nanmax(values, initial=0.0)) for values in self.residuals.values())


class _Problem:
    def __init__(self, Z: Matrix, u: Array, w: Array, blocks: _Blocks) -> None:
        self.u, self.w, self.blocks = u, w, blocks
        self.kinds = ["rows", "columns"] if np.isnan(blocks.wanted).all() else ["rows", "columns", "blocks"]
        groups = [np.flatnonzero(blocks.rows == g) for g in range(len(blocks.wanted))]
        positive, negative = _split(Z)
        self.positive = positive
        self.negative = negative
        self.P, self.N = _Cells(positive, groups), _Cells(negative, groups)
        ones = np.ones((len(groups), Z.shape[1]))
        self.gross_rows = [cells.row_sums(ones) for cells in (self.P, self.N)]
        self.gross_columns = [cells.column_sums(np.ones(Z.shape[0])) for cells in (self.P, self.N)]
        for sums, wanted, names in (
            (self.gross_rows, u, line_names("row", len(u))),
            ([H.sum(axis=0) for H in self.gross_columns], w, line_names("column", len(w))),
            ([self._by_block(H).ravel() for H in self.gross_columns], blocks.wanted.ravel(), self._block_names()),
        ):
            require_reachable(sums[0], sums[1], wanted, names)

    def _block_names(self) -> list[str]:
        return [f"block ({i}, {j})" for i, j in np.ndindex(*self.blocks.wanted.shape)]

    def named(self) -> dict[str, tuple[Array, list[str]]]:
        """Return targets and names by kind of constraint."""
        found = {
            "rows": (self.u, line_names("row", len(self.u))),
            "columns": (self.w, line_names("column", len(self.w))),
            "blocks": (self.blocks.wanted.ravel(), self._block_names()),
        }
        return {kind: found[kind] for kind in self.kinds}

    def _by_block(self, H: Array) -> Array:
        """Return sums over groups of columns, (I, n) → (I, J)."""
        sums = np.zeros(self.blocks.wanted.shape)
        for i, values in enumerate(H):
            sums[i] = np.bincount(self.blocks.columns, weights=values, minlength=self.blocks.wanted.shape[1])
        return sums

    def _spread(self, t: Array) -> Array:
        return t[:, self.blocks.columns]

    def iterate(self, rtol: float, maxiter: int, progress: Progress | None) -> _State:
        """Return multipliers after rounds of rows, columns and blocks, until a residual of rtol or a stall."""
        s = (np.ones_like(self.w), np.ones_like(self.w))
        t = (np.ones_like(self.blocks.wanted), np.ones_like(self.blocks.wanted))
        r = (np.ones_like(self.u), np.ones_like(self.u))
        others: dict[str, Array] = {}
        checkpoint = np.inf
        for iteration in range(maxiter + 1):
            p, n = (cells.row_sums(ss * self._spread(tt)) for cells, ss, tt in zip((self.P, self.N), s, t, strict=True))
            if iteration:
                gaps = {"rows": relative(r[0] * p - r[1] * n, self.u, r[0] * p + r[1] * n), **others}
                state = _State(r, s, t, gaps, iteration)
                if progress is not None:
                    progress(iteration, state.residual)
                if state.residual <= rtol or iteration == maxiter or np.isinf(state.residual):
                    return state
                if iteration % _STALL == 0:
                    if state.residual > 0.99 * checkpoint:
                        return state
                    checkpoint = state.residual
            r = _root(p, n, self.u)
            H = [cells.column_sums(rr) for cells, rr in zip((self.P, self.N), r, strict=True)]
            p, n = ((h * self._spread(tt)).sum(axis=0) for h, tt in zip(H, t, strict=True))
            s = _root(p, n, self.w)
            sums = [self._by_block(h * ss) for h, ss in zip(H, s, strict=True)]
            t = _root(sums[0], sums[1], self.blocks.wanted)
            up, down = ((h * self._spread(tt)).sum(axis=0) * ss for h, tt, ss in zip(H, t, s, strict=True))
            others = {"columns": relative(up - down, self.w, up + down)}
            if "blocks" in self.kinds:
                up, down = t[0] * sums[0], t[1] * sums[1]
                others["blocks"] = relative(up - down, self.blocks.wanted, up + down).ravel()
        raise BalanceError(f"maxiter={maxiter}: at least one round is needed.")

    def multipliers(self, state: _State) -> dict[str, Array]:
        """Return r, s and t; of a line with negative cells alone, the one that divides them."""
        found = {}
        sums = {
            "rows": self.gross_rows,
            "columns": [H.sum(axis=0) for H in self.gross_columns],
            "blocks": [self._by_block(H) for H in self.gross_columns],
        }
        for kind, (up, down) in {"rows": state.r, "columns": state.s, "blocks": state.t}.items():
            alone = (sums[kind][0] == 0) & (sums[kind][1] > 0)
            with np.errstate(divide="ignore"):  # cells that vanished were divided by infinity
                found[kind] = np.where(alone, 1.0 / down, up)
        return found

    def result(self, state: _State) -> Matrix:
        """Return the scaled matrix, in the storage of P."""
        parts = []
        for cells, r, s, t in zip((self.positive, self.negative), state.r, state.s, state.t, strict=True):
            if issparse(cells):
                rows = np.repeat(np.arange(cells.shape[0]), np.diff(cells.indptr))
                factors = r[rows] * s[cells.indices] * t[self.blocks.rows[rows], self.blocks.columns[cells.indices]]
                parts.append(csr_array((cells.data * factors, cells.indices, cells.indptr), shape=cells.shape))
            else:
                cells *= r[:, None]
                cells *= s
                if (t != 1).any():
                    for group, weights in enumerate(self._spread(t)):
                        cells[self.blocks.rows == group] *= weights
                parts.append(cells)
        up, down = parts
        if issparse(up):
            return csr_array(up - down)
        rows = np.repeat(np.arange(down.shape[0]), np.diff(down.indptr))
        up[rows, down.indices] = -down.data  # where a cell is negative, it is zero in P
        return up


def _split(Z: Matrix) -> tuple[Matrix, csr_array]:
    """Return P, stored as Z is, and N, sparse, with Z = P − N and both ≥ 0; P is a copy that may be written to."""
    if issparse(Z):
        P, N = (csr_array((f(Z.data), Z.indices, Z.indptr), shape=Z.shape) for f in (_above, _below))
        return P, N
    rows, columns = np.nonzero(Z < 0)
    N = csr_array((-Z[rows, columns], (rows, columns)), shape=Z.shape)
    return np.maximum(Z, 0.0), N


def _above(values: Array) -> Array:
    return np.maximum(values, 0.0)


def _below(values: Array) -> Array:
    return np.maximum(-values, 0.0)
