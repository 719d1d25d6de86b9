"""Flows drawn cell by cell, and balanced to the table's own margins again."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, issparse

from nearshore_io.balance import gras
from nearshore_io.errors import FormatError
from nearshore_io.solvers.base import dense
from nearshore_io.table import IOTable
from nearshore_io.uncertainty.redrawn import Draw
from nearshore_io.uncertainty.spreads import require_spreads, spreads
from nearshore_io.units import is_number


@dataclass(frozen=True)
class LognormalErrors:
    """Flows drawn one by one, z_ij = z⁰_ij e^(s_ij ε − s_ij²/2), then balanced by GRAS to the table's own margins.

    Before balancing the mean of a cell is the table's, and its relative standard deviation σ_ij, s² = ln(1 + σ²).
    Outputs, final demand and primary inputs stay as they are; what is drawn is who buys from whom.

    Parameters
    ----------
    home, across : σ of cells within a country and between two, both or neither; by default the table's grades.
    small_cells : exponent b of σ_ij (z_ij/z̄)^(−b) for cells below the mean of the table, z̄: small cells are worse
        known. 0 leaves them as they are.

    Source: Lenzen, Wood & Wiedmann (2010), Economic Systems Research 22, 43–63, on errors that rise for small cells;
    balanced by Lenzen, Wood & Gallego (2007).
    """

    home: float | None = None
    across: float | None = None
    small_cells: float = 0.0
    kind: ClassVar[str] = "lognormal"

    def __post_init__(self) -> None:
        require_spreads(self.home, self.across)
        if not is_number(self.small_cells) or not 0.0 <= self.small_cells < 1.0:
            raise FormatError(
                f"lognormal errors: small_cells is an exponent from 0 to below 1, not {self.small_cells!r}."
            )

    @property
    def described(self) -> dict[str, Any]:
        """What reproduces them, as JSON has it."""
        return {"errors": self.kind, **vars(self)}

    def around(self, table: IOTable) -> Draw:
        """Return what draws tables around one, by seed and number, each balanced to the table's own margins.

        Raises
        ------
        LabelError
            Without spreads. A draw that cannot be balanced raises `ConflictError`.
        """
        Z = dense(table.Z)
        sigma = spreads(table, self.home, self.across)
        if self.small_cells:
            size = np.abs(Z) / np.abs(Z[Z != 0]).mean()
            sigma = sigma * np.where((size > 0) & (size < 1), np.where(size > 0, size, 1.0) ** -self.small_cells, 1.0)
        log = np.log1p(sigma**2)

        def draw(seed: int, number: int) -> IOTable:
            rng = np.random.default_rng([seed, number])
            drawn = Z * np.exp(np.sqrt(log) * rng.standard_normal(Z.shape) - log / 2)
            fit = gras(drawn, rows=Z.sum(axis=1), columns=Z.sum(axis=0), totals="rows", rtol=1e-12)
            note = f"flows drawn: {self.kind}, seed {seed}, draw {number}"
            return table.with_numbers(Z=csr_array(fit.Z) if issparse(table.Z) else fit.Z, meta=table.moved(note))

        return draw
