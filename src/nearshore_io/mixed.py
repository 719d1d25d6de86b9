"""The mixed closure: some outputs are given, and demand adapts to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ClosureError
from nearshore_io.labels import Positions
from nearshore_io.solvers.base import dense
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Mixed:
    """The mixed closure: the outputs of some industries o are exogenous, all others answer to demand.

        x_n = (I − A_nn)⁻¹ (f_n + A_no x̄_o),   f_o = (I − A_oo) x̄_o − A_on x_n,

    which is the Leontief model with the rows o of A set to zero. Demand for a product of o is not met by more of it:
    its industries make what they are given (`Output`), by default what they make in the table.

    Parameters
    ----------
    exogenous : (region, sector) of the industries, by code, country or group.

    Source: Miller & Blair (2009), section 13.2; Steinback (2004).
    """

    exogenous: Sequence[tuple[str, str]]

    def __post_init__(self) -> None:
        listed = list(self.exogenous) if isinstance(self.exogenous, (list, tuple)) else []
        good = [
            isinstance(p, (list, tuple)) and len(p) == 2 and all(isinstance(name, str) for name in p) for p in listed
        ]
        if not listed or not all(good):
            raise ClosureError(f'mixed closure: exogenous must be pairs, [("MEX", "c15")], not {self.exogenous!r}.')
        object.__setattr__(self, "exogenous", tuple((region, sector) for region, sector in listed))

    def positions(self, table: IOTable) -> Positions:
        """Return the positions of the industries whose outputs are given. Raises `LabelError`."""
        found = np.concatenate([table.positions(region, sector) for region, sector in self.exogenous])
        return np.unique(found)


def without_rows(table: IOTable, held: Positions) -> tuple[csr_array, csr_array]:
    """Return P and Q that set rows of A to zero: P = −e_o, Q = A_o, sparse (n, r) and (r, n)."""
    r = len(held)
    P = csr_array((-np.ones(r), (held, np.arange(r))), shape=(table.n, r))
    return P, csr_array(dense(table.A[held]))
