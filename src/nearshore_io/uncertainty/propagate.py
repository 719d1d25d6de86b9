"""Errors of a table carried through to results in closed form, to first order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ClosureError, ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.products import inputs_by_product
from nearshore_io.scenarios import Change
from nearshore_io.solvers import CertifiedFactorisation
from nearshore_io.solvers.base import Array, dense
from nearshore_io.totals import Flow, Request
from nearshore_io.uncertainty.dirichlet import DirichletErrors, Shares
from nearshore_io.uncertainty.gradients import Gradient, variances


@dataclass(frozen=True)
class Solved:
    """A change that was solved: Δx of the table's industries, shape (n,), and the factors of the system after it."""

    change: Change
    dx: Array
    factors: CertifiedFactorisation


@dataclass(frozen=True, eq=False)
class Propagation:
    """Standard deviations of totals, given how far a table's cells may be off.

    Attributes
    ----------
    request : the totals.
    errors : of the table's cells.
    """

    request: Request
    errors: DirichletErrors

    def __post_init__(self) -> None:
        if self.request.model.closure is not None:
            raise ClosureError(
                "errors of the table have a closed form in the open model only: baskets and incomes of a closed one "
                "are uncertain too. Draw tables (table_errors of a sweep), or leave the closure out."
            )

    @property
    def model(self) -> Leontief:
        """The model of the request."""
        return self.request.model

    @cached_property
    def industries(self) -> Shares:
        """Input columns."""
        return self.errors.columns(self.model.table)

    @cached_property
    def baskets(self) -> Shares:
        """Columns of final users."""
        return self.errors.baskets(self.model.table)

    @cached_property
    def per_output(self) -> Array:
        """Variance of every linear row per unit of Δx_j², shape (R, n): Var T = Σ_j Δx_j² q_j for demand alone.

        Source: with μ = W L and w = μ for inputs, Var T = Σ_j Δx_j²/(κ_j + 1) [Σ_k m_kj w_kj² − (Σ_k m_kj w_kj)²] for
        one Dirichlet a column; here for recipes and origins apart.
        """
        M, ones = self.request.functionals.M, np.ones((1, self.model.table.n))
        found = [
            variances(self.industries, Gradient(M[[r]], ones, self._primary(r))) for r in range(self.request.linear)
        ]
        return np.array(found).reshape(-1, self.model.table.n)

    def _primary(self, row: int) -> Array:
        """Return ∂T/∂(primary inputs per unit of output) over Δx_j: one where a row counts it, shape (q, n)."""
        table = self.model.table
        counted = self.request.rows[row].variable
        return np.array([self.request.members[row] * (name == counted) for name in table.inputs]).reshape(-1, table.n)

    def of_demand(self, dx: Array) -> Array:
        """Return standard deviations of the linear rows for demand alone, Δx of shape (k, n); shape (k, R)."""
        return np.asarray(np.sqrt(dx**2 @ self.per_output.T))

    def of(self, solved: Solved) -> Array:
        """Return standard deviations of the linear rows after demand, given output or trade that moves, (R,).

        With μ' = W L' the gradient of T = W x' − W x is x'_j (μ' T_j)_k − x_j μ_k, where T_j says where the cell of
        column j goes: k itself, but for the share φ that moves. Purchases that move are as uncertain as the cells they
        are taken from, final users' too, and capital formation is as uncertain in its products and sellers as the
        host's own. Amounts of a shock are certain, and how regions of a country share them.

        Raises
        ------
        ShockError
            For changes of recipes, prices, limits and new plants: draw tables for those.
        """
        change = solved.change
        _require_closed_form(change)
        if not change.P.shape[1] and not change.output.any():
            found = self.of_demand(solved.dx[None])[0] ** 2 + self._of_pattern(change)
            return np.asarray(np.sqrt(found) * change.period)
        around = self._around(solved)
        known = ~self.request.unknown
        variance = np.array([self._variance(solved, row, around) if known[row] else 0.0 for row in range(len(known))])
        return np.asarray(np.sqrt(variance + self._of_pattern(change)) * change.period)

    def _of_pattern(self, change: Change) -> Array:
        """Return the variance that comes from how added demand is spread, as uncertain as the baskets, (R,)."""
        request = self.request
        if not change.patterned.nnz:
            return np.zeros(request.linear)
        cells = np.maximum(change.patterned.toarray(), 0.0)
        products = inputs_by_product(cells, len(self.model.table.sectors))
        none = np.zeros((0, cells.shape[1]))
        added = Shares(cells, none, products, self.baskets.recipe, self.baskets.origins)
        ones = np.ones((1, cells.shape[1]))
        return np.array([variances(added, Gradient(mu[None], ones, none)).sum() for mu in request.functionals.M])

    def _around(self, solved: Solved) -> "_Around":
        """Return what the gradients of all rows after a change have in common."""
        _require_closed_form(solved.change)
        change, M = solved.change, self.request.functionals.M
        if change.output.any():
            return _Around(_with_given(solved, M), ())
        if not change.P.shape[1]:
            return _Around(M, ())
        shifts = [change.shift(row.variable) for row in self.request.rows[: self.request.linear]]
        weights = self.request.weights + self.request.members * np.array(shifts)
        return _Around(np.asarray(solved.factors.solve_transposed(weights.T).T), _row_moves(self.model, change))

    def _variance(self, solved: Solved, row: int, around: "_Around") -> float:
        inputs, baskets = self.gradients(solved, row, around)
        total = float(variances(self.industries, inputs).sum())
        return total if baskets is None else total + float(variances(self.baskets, baskets).sum())

    def gradients(self, solved: Solved, row: int, around: "_Around | None" = None) -> tuple[Gradient, Gradient | None]:
        """Return what a linear row gains per unit of input coefficients, and of final users' purchases.

        The second is None where purchases of final users make no difference: for demand alone, and given output.
        ``around`` is what all rows have in common, where it is known already.

        Raises
        ------
        ShockError
            As `of`.
        """
        around = self._around(solved) if around is None else around
        table, change, mu = self.model.table, solved.change, around.multipliers[row]
        primary = self._primary(row) * solved.dx
        if not change.P.shape[1]:
            return Gradient(mu[None], solved.dx[None], primary), None
        M, x = self.request.functionals.M[row], table.x.values.ravel()
        later = x + solved.dx
        member = self.request.members[row] * (self.request.rows[row].variable == "value_added")
        extra, extra_final = [], []
        for move in around.moves:
            gain = float(move.arrivals @ mu) - mu[move.row]
            paid = move.dearer * member if change.cost.any() else 0.0
            extra.append((move.row, move.inputs * later * (gain - paid)))
            extra_final.append((move.row, move.final * gain))
        inputs = Gradient(np.array([mu, M]), np.array([later, -x]), primary, extra)
        m = table.y.shape[1]
        return inputs, Gradient((mu - M)[None], np.ones((1, m)), np.zeros((0, m)), extra_final)

    def of_content(self, flow: Flow, origin: str) -> float:
        """Return the standard deviation of C = v_o L e / 1'e, value added of an origin per dollar of an export flow.

        With z = L e, μ = v_o L, η = ((μ − C) A)_X,I L and D = 1'e, the gradient is, over D, μ_k z_j + η_k x_j, and
        (μ_k − C) x_j more where seller k sells to buyer j; z_j for the origin's own value added.
        """
        table, factors = self.model.table, self.model.factors
        x = table.x.values.ravel()
        member = np.zeros(table.n)
        member[table.positions(region=origin)] = 1.0
        buys, uses = np.zeros(table.n), np.zeros(table.y.shape[1])
        buys[flow.buyers], uses[flow.uses] = 1.0, 1.0
        sells = np.zeros(table.n)
        sells[flow.sellers] = 1.0
        A = dense(table.A)
        e = sells * (A @ (buys * x) + table.y @ uses)
        D = e.sum()
        z = factors.solve(e)
        mu = factors.solve_transposed(member * table.intensity("value_added"))
        C = float(mu @ e / D)
        per = sells * (mu - C)
        eta = factors.solve_transposed(buys * (A.T @ per))
        primary = np.array([member * z * (name == "value_added") for name in table.inputs])
        inputs = Gradient(np.array([mu, eta, per]), np.array([z, x, buys * x]), primary)
        final = Gradient(np.array([eta, per]), np.array([np.ones_like(uses), uses]), np.zeros((0, len(uses))))
        total = variances(self.industries, inputs).sum() + variances(self.baskets, final).sum()
        return float(np.sqrt(total) / D)


def _require_closed_form(change: Change) -> None:
    more = (change.activities, change.intensities, change.wedge, change.caps, change.blockade, change.charge.any())
    if any(more) or (change.output.any() and change.P.shape[1]):
        raise ShockError(
            "errors of the table have a closed form for demand, given output, and trade that moves at buyers' expense; "
            "for other shocks draw tables (table_errors of a sweep)."
        )


@dataclass(frozen=True)
class _Move:
    """What leaves a row: shares φ of its sales to industries (n,) and to final uses (m,), and where they arrive.

    ``dearer`` is what a unit costs more where it arrives, 1ᵀP.
    """

    row: int
    arrivals: Array
    inputs: Array
    final: Array
    dearer: float


@dataclass(frozen=True)
class _Around:
    """What gradients after a change have in common: μ' = W' L' of every row, shape (R, n), and what moves.

    W' is W with what the change makes of it; of given outputs, μ' is `_with_given`.
    """

    multipliers: Array
    moves: Sequence[_Move]


def _with_given(solved: Solved, M: Array) -> Array:
    """Return μ − μ_o (L_oo)⁻¹ L_o· for given outputs o: what their own cells cannot move, (R, n)."""
    given = np.flatnonzero(solved.change.output)
    units = np.zeros((M.shape[1], given.size))
    units[given, np.arange(given.size)] = 1.0
    rows = solved.factors.solve_transposed(units).T
    return np.asarray(M - M[:, given] @ np.linalg.solve(rows[:, given], rows))


def _row_moves(model: Leontief, change: Change) -> list[_Move]:
    """Return the moves of a change of coefficients. Raises `ShockError` where it is no move of purchases."""
    table = model.table
    P, Q = dense(csr_array(change.P)), csr_array(change.Q)
    found: dict[int, _Move] = {}
    for r in range(P.shape[1]):
        falling = np.flatnonzero(P[:, r] < 0)
        if falling.size != 1 or P[falling[0], r] != -1.0:
            raise ShockError(
                "errors of the table have no closed form for changed recipes, only for purchases that move or stop: "
                "draw tables (table_errors of a sweep)."
            )
        row = int(falling[0])
        sold = dense(table.A[[row]]).ravel()
        inputs = np.divide(Q[[r]].toarray().ravel(), sold, out=np.zeros(table.n), where=sold != 0)
        left = -np.minimum(change.moved[[row]].toarray().ravel(), 0.0)
        held = table.y[row]
        final = np.divide(left, held, out=np.zeros_like(held), where=held != 0)
        arrivals = P[:, r].copy()
        arrivals[row] = 0.0
        if row in found:
            raise ShockError("no closed form for two moves out of one industry: draw tables.")
        found[row] = _Move(row, arrivals, inputs, final, float(P[:, r].sum()))
    return list(found.values())
