"""How far each cell of flows may be off: its grade where the table has grades, else what somebody states."""

import numpy as np

from nearshore_io.errors import FormatError, LabelError
from nearshore_io.grades import reliability
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import is_number

STATED = (0.1, 0.3)
"""Relative standard deviations within and across countries that stand in for grades where a caller wants some band of a
published table: an assumption, of the order of grades B and C of the shipped one."""


def require_spreads(home: object, across: object) -> None:
    """Raise `FormatError` unless both relative standard deviations are numbers above zero, or neither is given."""
    given = [value for value in (home, across) if value is not None]
    if len(given) == 1 or not all(is_number(value) and 0 < value < np.inf for value in given):
        raise FormatError(
            f"errors of a table: home and across are relative standard deviations above zero, both or neither, not "
            f"{home!r} and {across!r}; ten per cent is 0.10."
        )


def spreads(table: IOTable, home: float | None, across: float | None) -> Array:
    """Return the relative standard deviation of every cell of flows, shape (n, n).

    Parameters
    ----------
    home, across : of cells within a country, and between two; None takes the grades of the table's cells.

    Raises
    ------
    LabelError
        If nothing is stated and the table has no grades.
    """
    if home is None or across is None:
        try:
            found = reliability(table)["spread"].values
        except LabelError as error:
            raise LabelError(
                f"{error} State how far its cells may be off: DirichletErrors(home=0.1, across=0.3), relative standard "
                "deviations within a country and across borders."
            ) from error
        return np.asarray(found.reshape(table.n, table.n), dtype=np.float64)
    owner = np.repeat([table.country[region] for region in table.regions], len(table.sectors))
    return np.where(owner[:, None] == owner[None, :], home, across)


def assumed(table: IOTable) -> tuple[float, float] | None:
    """Return what stands in for grades, (home, across); None where the table has grades of its own."""
    return None if table.meta.get("grades") else STATED
