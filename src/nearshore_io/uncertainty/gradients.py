"""What a result gains per unit of every cell of a table, as sums of outer products; and its variance by column."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nearshore_io.solvers.base import Array
from nearshore_io.uncertainty.dirichlet import Shares


@dataclass(frozen=True)
class Gradient:
    """∂T/∂cell_kj = Σ_r left_rk right_rj, more in some rows, for columns j of payments of a table.

    Attributes
    ----------
    left, right : shapes (R, n) and (R, c).
    primary : ∂T/∂ of the primary inputs, shape (q, c).
    rows : (k, values (c,)), what row k gains beside the outer products.
    """

    left: Array
    right: Array
    primary: Array
    rows: Sequence[tuple[int, Array]] = field(default=())

    def block(self, start: int, stop: int) -> Array:
        """Return rows start … stop − 1, shape (stop − start, c)."""
        found = np.asarray(self.left[:, start:stop].T @ self.right)
        for k, values in self.rows:
            if start <= k < stop:
                found[k - start] += values
        return found


def variances(shares: Shares, gradient: Gradient) -> Array:
    """Return the variance of T that each column contributes, to first order, shape (c,); columns are independent.

    Source: the delta method with Dirichlet covariances; `Shares.variance` has the equation.
    """
    width = len(shares.products)
    sums, squares = np.zeros_like(shares.products), np.zeros_like(shares.products)
    for start in range(0, len(shares.cells), width):
        cells = shares.cells[start : start + width]
        weight = gradient.block(start, start + width)
        part = cells * weight
        sums += part
        squares += part * weight
    return shares.variance(sums, squares, gradient.primary)
