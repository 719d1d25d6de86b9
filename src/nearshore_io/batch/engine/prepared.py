"""A model with everything that all scenarios of a sweep share, worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nearshore_io.batch.content import NOTHING, contents_before
from nearshore_io.batch.economy import output_of
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array, dense
from nearshore_io.totals import Content, Flow, Request, Total, intensity_of, unit_of
from nearshore_io.uncertainty import DirichletErrors
from nearshore_io.uncertainty.propagate import Propagation


@dataclass(frozen=True)
class Trade:
    """An export flow in the table: what is needed to follow its content through a change.

    Attributes
    ----------
    inputs : A in the rows of its sellers and the columns of its buyers, shape (s, b).
    exports : e of the sellers, shape (s,).
    multipliers : v_o L of every origin, shape (origins, n). own : v_o, shape (origins, n).
    nothing : exports that are none, but what rounding leaves.
    """

    flow: Flow
    inputs: Array
    exports: Array
    multipliers: Array
    own: Array
    nothing: float


@dataclass(frozen=True, eq=False)
class Prepared:
    """A request on a model, its functionals M = W L, and what its export flows need.

    Attributes
    ----------
    vectors : variables whose changes by industry are wanted too.
    errors : of the table's cells, for standard deviations; None where none are wanted.
    """

    model: Leontief
    request: Request
    vectors: tuple[str, ...]
    errors: DirichletErrors | None

    @classmethod
    def of(
        cls, model: Leontief, totals: Sequence[Total | Content], vectors: Sequence[str], errors: DirichletErrors | None
    ) -> "Prepared":
        """Return a request resolved on a model. Raises `LabelError` for what the table does not have."""
        for name in vectors:
            unit_of(model.table, name)
        return cls(model, Request.of(model, totals), tuple(vectors), errors)

    @property
    def x(self) -> Array:
        """Outputs of the table, shape (n,)."""
        return output_of(self.model.table)

    @cached_property
    def M(self) -> Array:
        """W L, shape (linear rows, n)."""
        return self.request.functionals.M

    @cached_property
    def propagation(self) -> Propagation | None:
        """Closed-form errors of the totals, where they are wanted."""
        return None if self.errors is None else Propagation(self.request, self.errors)

    @cached_property
    def trades(self) -> tuple[Trade, ...]:
        """The flows of the request."""
        table, found = self.model.table, []
        v = table.intensity("value_added") if self.request.flows else np.zeros(table.n)
        for flow in self.request.moving_flows:
            own = np.zeros((len(flow.origins), table.n))
            for k, origin in enumerate(flow.origins):
                rows = table.positions(region=origin)
                own[k, rows] = v[rows]
            inputs = dense(table.A[flow.sellers][:, flow.buyers])
            exports = inputs @ self.x[flow.buyers] + table.y[flow.sellers][:, flow.uses].sum(axis=1)
            multipliers = np.asarray(self.model.factors.solve_transposed(own.T).T)
            nothing = NOTHING * float(self.x[flow.sellers].sum())
            found.append(Trade(flow, inputs, exports, multipliers, own, nothing))
        return tuple(found)

    @cached_property
    def baseline(self) -> Array:
        """Every row before any change: zero for changes, contents of exports as the table has them."""
        before = np.zeros(len(self.request.rows))
        for flow in self.request.flows:
            before[flow.first : flow.first + len(flow.origins)] = contents_before(self.model, flow.triples)
        return before

    @cached_property
    def column_sums(self) -> Array:
        """1ᵀA, shape (n,)."""
        return np.asarray(self.model.table.A.sum(axis=0)).ravel()

    def without_unknown(self, values: Array) -> Array:
        """Return values (k, rows) with rows that nobody has data for unknown."""
        values[:, : self.request.linear][:, self.request.unknown] = np.nan
        return values

    def masked(self, values: Array) -> Array:
        """Return values (k, rows) with rows that nobody has data for unknown, and contents before any change."""
        self.without_unknown(values)
        for flow in self.request.flows:
            if flow.before:
                rows = slice(flow.first, flow.first + len(flow.origins))
                values[:, rows] = self.baseline[rows]
        return values

    def intensity(self, name: str) -> Array:
        """Return a variable per unit of output, shape (n,); unknown stays unknown."""
        return intensity_of(self.model.table, name)
