"""Cells as one vector, and linear constraints on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse, vstack

from nearshore_io.balance.margins import line_names, targets
from nearshore_io.errors import BalanceError, ConflictError, first_few
from nearshore_io.solvers.base import Array, Matrix, Positions


def cells_of(Z: Matrix) -> tuple[Array, Positions, Positions]:
    """Return the cells that are not zero, with their rows and columns, row by row."""
    if issparse(Z):
        flows = csr_array(Z)
        kept = flows.data != 0
        rows = np.repeat(np.arange(flows.shape[0]), np.diff(flows.indptr))
        return flows.data[kept], rows[kept], flows.indices[kept].astype(np.intp)
    rows, columns = np.nonzero(Z)
    return Z[rows, columns], rows, columns


def sign_bounds(z: Array) -> tuple[Array, Array]:
    """Return the bounds of cells that keep their signs: 0 ≤ z where it is positive, z ≤ 0 elsewhere."""
    positive = z > 0
    return np.where(positive, 0.0, -np.inf), np.where(positive, np.inf, 0.0)


def margins(rows: Positions, columns: Positions, shape: tuple[int, int]) -> csr_array:
    """Return row sums above column sums as constraints on cells."""
    cells = np.arange(len(rows))
    ones = np.ones(len(rows))
    by_row = csr_array((ones, (rows, cells)), shape=(shape[0], len(rows)))
    by_column = csr_array((ones, (columns, cells)), shape=(shape[1], len(rows)))
    return csr_array(vstack([by_row, by_column]))


@dataclass(frozen=True)
class Constraints:
    """G z = c on the non-zero cells z of a matrix.

    Attributes
    ----------
    z : cells, shape (cells,). rows, columns : where they stand. shape : of the matrix.
    G : constraints × cells. wanted : c. spread : standard deviation of each target, in its own unit; zero for one that
        must hold. names : of the constraints. counts : rows, columns and further constraints, with a target
        or without one. given : positions of those that have one.
    """

    z: Array
    rows: Positions
    columns: Positions
    shape: tuple[int, int]
    G: csr_array
    wanted: Array
    spread: Array
    names: tuple[str, ...]
    counts: Mapping[str, int]
    given: Positions

    def by_kind(self, values: Array) -> dict[str, Array]:
        """Return values of constraints by kind, NaN where there is no target."""
        every = np.full(sum(self.counts.values()), np.nan)
        every[self.given] = values
        ends = np.cumsum(list(self.counts.values()))
        return dict(zip(self.counts, np.split(every, ends[:-1]), strict=True))

    def matrix(self, z: Array, like: Matrix) -> Matrix:
        """Return the matrix with these cells, stored as another is."""
        if issparse(like):
            return csr_array((z, (self.rows, self.columns)), shape=self.shape)
        Z = np.zeros(self.shape)
        Z[self.rows, self.columns] = z
        return Z


def constrained(
    Z: Matrix,
    rows: Array | Sequence[float] | None,
    columns: Array | Sequence[float] | None,
    constraints: Matrix | None,
    values: Array | Sequence[float] | None,
    spread: Array | Sequence[float] | None,
    names: Sequence[str] | None,
) -> Constraints:
    """Return the constraints on a matrix: its margins, and any others.

    Parameters
    ----------
    constraints : coefficients, shape (k, rows × columns of Z), over the cells of Z row by row; any real numbers.
    values : their targets, shape (k,). names : what errors call them.
    spread : standard deviations of all targets, rows first, then columns, then the others; zero by default.

    Raises
    ------
    BalanceError
        Shapes that do not fit; targets that are not numbers.
    ConflictError
        A constraint on cells that are all zero, with a target that is not.
    """
    z, at_rows, at_columns = cells_of(Z)
    m, n = Z.shape
    u, w = targets(rows, m, "rows"), targets(columns, n, "columns")
    parts = [margins(at_rows, at_columns, (m, n))]
    wanted, labels = [u, w], [*line_names("row", m), *line_names("column", n)]
    counts = {"rows": m, "columns": n}
    if (constraints is None) != (values is None):
        raise BalanceError("constraints and their values: give both, or neither.")
    if constraints is not None:
        given = csr_array(constraints if issparse(constraints) else np.atleast_2d(np.asarray(constraints, float)))
        if not np.isfinite(given.data).all():
            raise BalanceError("constraints: a coefficient is not a number.")
        if given.shape[1] != m * n:
            raise BalanceError(f"constraints have {given.shape[1]} coefficients each, the matrix {m * n} cells.")
        extra = targets(values, given.shape[0], "values")
        parts.append(csr_array(given[:, at_rows * n + at_columns]))
        wanted.append(extra)
        if names is not None and len(names) != len(extra):
            raise BalanceError(f"names: {len(names)} for {len(extra)} constraints.")
        labels += list(names) if names is not None else line_names("constraint", len(extra))
        counts["constraints"] = len(extra)
    c = np.concatenate(wanted)
    sd = np.zeros(len(c)) if spread is None else targets(spread, len(c), "spread")
    if np.isnan(sd).any() or (sd < 0).any():
        raise BalanceError("spread: a standard deviation ≥ 0 is needed for every target, rows first, then columns.")
    G = csr_array(vstack(parts))
    kept = np.flatnonzero(~np.isnan(c))
    G, c, sd = csr_array(G[kept]), c[kept], sd[kept]
    labels = [labels[i] for i in kept]
    empty = np.flatnonzero((np.diff(G.indptr) == 0) & (c != 0))
    if empty.size:
        listed = [f"{labels[i]} = {c[i]:,.6g}" for i in empty]
        raise ConflictError(
            f"targets on cells that are all zero: {first_few(listed)}. Give those cells a value, or drop the target.",
            tuple(labels[i] for i in empty),
        )
    return Constraints(z, at_rows, at_columns, (m, n), G, c, sd, tuple(labels), counts, kept)
