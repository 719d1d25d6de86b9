"""Laws of balancing: optima checked against their conditions and scipy, conflicts against Farkas' lemma."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import qr
from scipy.optimize import linprog, minimize
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix

import nearshore_io as nio
from nearshore_io.balance import Balanced
from nearshore_io.errors import BalanceError, ConflictError

balance = nio.balance
Array = np.ndarray

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=10)

# of Miller & Blair (2009), section 7.4.2: coefficients before, outputs and flows after
A0 = np.array([[0.120, 0.100, 0.049], [0.210, 0.247, 0.265], [0.026, 0.249, 0.145]])
OUTPUT = np.array([421.0, 284.0, 283.0])
LATER = np.array([[98.0, 72.0, 75.0], [65.0, 8.0, 63.0], [88.0, 27.0, 44.0]])
U, V = LATER.sum(axis=1), LATER.sum(axis=0)

# the example of Junius & Oosterhaven (2003), with its signs
SIGNED = np.array([[7.0, 3.0, 5.0, -3.0], [2.0, 9.0, 8.0, 1.0], [-2.0, 0.0, 2.0, 1.0]])
ROWS, COLUMNS = np.array([15.0, 26.0, -1.0]), np.array([9.0, 16.0, 17.0, -2.0])


def margins(shape: tuple[int, int]) -> Array:
    """Return row sums above column sums as constraints on all cells of a matrix."""
    m, n = shape
    return np.vstack([np.kron(np.eye(m), np.ones(n)), np.kron(np.ones(m), np.eye(n))])


def dense(Z: Any) -> Array:
    return np.asarray(Z.toarray() if hasattr(Z, "toarray") else Z)


def minimum(objective: Callable[[Array], tuple[float, Array]], start: Array, G: Array, c: Array, low: float) -> Array:
    """Return the minimum under G y = c, y ≥ low, by sequential quadratic programming, of an objective and its slope."""
    _, triangle, order = qr(G.T, mode="economic", pivoting=True)
    rank = int((np.abs(np.diag(triangle)) > 1e-10 * np.abs(triangle).max()).sum())
    G, c = G[order[:rank]], c[order[:rank]]
    equal = {"type": "eq", "fun": lambda y: G @ y - c, "jac": lambda _: G}
    bounds = [(low, None)] * len(start)
    options = {"maxiter": 1000, "ftol": 1e-15}
    found = minimize(objective, start, jac=True, bounds=bounds, constraints=[equal], method="SLSQP", options=options)
    assert np.abs(G @ found.x - c).max() < 1e-9 * np.abs(c).max()
    return np.asarray(found.x)


def information(weights: Array) -> Callable[[Array], tuple[float, Array]]:
    """Return Σ w y ln(y/e) and its slope w ln y, in ratios y."""
    return lambda y: (float((weights * y * (np.log(y) - 1)).sum()), weights * np.log(y))


def powers_fit(Z0: Array, Z: Array, G: Array) -> float:
    """Return the largest part of sgn(z⁰) ln(z/z⁰) that no combination of constraints explains: zero at the optimum."""
    cells = np.flatnonzero(Z0.ravel())
    z0, z = Z0.ravel()[cells], Z.ravel()[cells]
    powers = np.sign(z0) * np.log(z / z0)
    basis = G[:, cells].T
    return float(np.abs(powers - basis @ np.linalg.lstsq(basis, powers)[0]).max())


def signed(seed: int, *, negative: float = 0.2, empty: float = 0.2) -> tuple[Array, Array]:
    """Return a random signed matrix with some zeros, and another with its signs."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(2, 9, 2))
    Z = rng.lognormal(0, 1, shape) * np.where(rng.random(shape) < negative, -1.0, 1.0) * (rng.random(shape) >= empty)
    Z[0, 0], Z[-1, -1] = 1.0, 2.0
    return Z, Z * rng.lognormal(0, 0.5, shape)


def assert_margins(Z: Any, rows: Array, columns: Array, rtol: float = 1e-9) -> None:
    """Check the sums that have a target against it, relative to it or to a millionth of the cells summed."""
    Z = dense(Z)
    for axis, wanted in ((1, rows), (0, columns)):
        gap = np.abs(Z.sum(axis=axis) - wanted)
        size = np.maximum(np.abs(wanted), 1e-6 * np.abs(Z).sum(axis=axis))
        assert (np.isnan(wanted) | (gap <= rtol * size)).all()


def reach(G: Array, c: Array, z: Array) -> bool:
    """Return whether cells of the signs of z can meet G z = c."""
    if not len(c):
        return True
    bounds = [(0.0, None) if cell > 0 else (None, 0.0) for cell in z]
    return bool(linprog(np.zeros(len(z)), A_eq=G, b_eq=c, bounds=bounds, method="highs").status == 0)


# ---------------------------------------------------------------- RAS and cross-entropy


def test_ras_reproduces_miller_and_blair() -> None:
    found = balance.ras(A0 * OUTPUT, rows=U, columns=V)
    published = [[0.393, 0.122, 0.160], [0.151, 0.066, 0.190], [0.053, 0.189, 0.294]]
    assert_allclose(found.Z / OUTPUT, published, atol=1e-3, rtol=0)  # up to the last digit printed
    assert_margins(found.Z, U, V)


def test_ras_is_the_least_information() -> None:
    Z0 = A0 * OUTPUT
    ratios = minimum(information(Z0.ravel()), np.ones(9), margins((3, 3)) * Z0.ravel(), np.concatenate([U, V]), 1e-9)
    assert_allclose(balance.ras(Z0, rows=U, columns=V).Z, ratios.reshape(3, 3) * Z0, rtol=1e-6)


def test_cross_entropy_is_the_least_information_in_coefficients() -> None:
    Z0 = A0 * OUTPUT
    found = balance.cross_entropy(Z0, rows=U, columns=V, outputs=OUTPUT)
    ratios = minimum(information(A0.ravel()), np.ones(9), margins((3, 3)) * Z0.ravel(), np.concatenate([U, V]), 1e-9)
    assert_allclose(found.Z, ratios.reshape(3, 3) * Z0, rtol=1e-6)
    assert_margins(found.Z, U, V)
    assert np.abs(found.Z - balance.ras(Z0, rows=U, columns=V).Z).max() > 1.0  # another objective, another matrix


@given(SEEDS)
def test_cross_entropy_with_equal_outputs_is_ras(seed: int) -> None:
    Z, target = signed(seed, negative=0.0)
    u, w = target.sum(axis=1), target.sum(axis=0)
    found = balance.cross_entropy(Z, rows=u, columns=w, outputs=np.full(len(w), 7.0))
    assert_allclose(found.Z, balance.ras(Z, rows=u, columns=w).Z, rtol=1e-7, atol=1e-12)


@given(SEEDS)
def test_cross_entropy_meets_its_first_order_conditions(seed: int) -> None:
    """ln(a/a⁰) = λ_i x_j + μ_j: constraints of rows weigh by output, those of columns do not."""
    Z, target = signed(seed, negative=0.0)
    x = np.random.default_rng(seed).uniform(1, 5, Z.shape[1])
    u, w = target.sum(axis=1), target.sum(axis=0)
    u[-1] = np.nan
    for given_ in (Z, csr_array(Z)):
        found = dense(balance.cross_entropy(given_, rows=u, columns=w, outputs=x).Z)
        assert_margins(found, u, w)
        G = margins(Z.shape)
        G[: len(u)] *= np.tile(x, len(u))
        G[len(u) - 1] = 0.0  # it has no target
        assert powers_fit(Z, found, G) < 1e-9


@given(SEEDS)
def test_ras_ends_where_its_targets_came_from(seed: int) -> None:
    """Targets taken from r z s lead back to it."""
    Z, _ = signed(seed, negative=0.0)
    rng = np.random.default_rng(seed)
    scaled = rng.lognormal(0, 0.5, len(Z))[:, None] * Z * rng.lognormal(0, 0.5, Z.shape[1])
    found = balance.ras(Z, rows=scaled.sum(axis=1), columns=scaled.sum(axis=0))
    assert_allclose(found.Z, scaled, rtol=1e-6)
    product = found.multipliers["rows"][:, None] * Z * found.multipliers["columns"]
    assert_allclose(found.Z, product, rtol=1e-13)


def test_one_sided_ras_scales_each_row() -> None:
    found = balance.ras(LATER, rows=2 * U)
    assert_allclose(found.Z, 2 * LATER, rtol=1e-14)
    assert np.isnan(found.residuals["columns"]).all()


# ---------------------------------------------------------------- GRAS


def test_gras_is_the_optimum_of_lenzen_wood_and_gallego() -> None:
    at = SIGNED.ravel() != 0
    z0 = SIGNED.ravel()[at]
    G, c = margins(SIGNED.shape)[:, at] * z0, np.concatenate([ROWS, COLUMNS])
    ratios = minimum(information(np.abs(z0)), np.ones(len(z0)), G, c, 1e-9)
    found = balance.gras(SIGNED, rows=ROWS, columns=COLUMNS)
    assert_allclose(found.Z.ravel()[at], ratios * z0, rtol=1e-6)
    assert found.Z[2, 1] == 0


def test_gras_multipliers_scale_the_cells() -> None:
    """z = r z⁰ s where z⁰ > 0, z⁰/(r s) where z⁰ < 0."""
    found = balance.gras(SIGNED, rows=ROWS, columns=COLUMNS)
    both = np.outer(found.multipliers["rows"], found.multipliers["columns"])
    assert_allclose(found.Z, np.where(SIGNED > 0, SIGNED * both, SIGNED / both), rtol=1e-13)


def test_gras_multipliers_scale_a_row_of_negative_cells() -> None:
    found = balance.gras(-np.ones((1, 2)), rows=[-6.0])
    assert_allclose(found.Z, -1 / found.multipliers["rows"][0] * np.ones((1, 2)))


@given(SEEDS)
def test_gras_meets_its_first_order_conditions(seed: int) -> None:
    Z, target = signed(seed)
    u, w = target.sum(axis=1), target.sum(axis=0)
    found = balance.gras(Z, rows=u, columns=w)
    assert_margins(found.Z, u, w)
    assert powers_fit(Z, found.Z, margins(Z.shape)) < 1e-9
    assert_array_equal(np.sign(found.Z), np.sign(Z))


@given(SEEDS)
def test_gras_leaves_lines_without_target_free(seed: int) -> None:
    Z, target = signed(seed)
    rng = np.random.default_rng(seed)
    u = np.where(rng.random(len(Z)) < 0.5, np.nan, target.sum(axis=1))
    w = np.where(rng.random(Z.shape[1]) < 0.5, np.nan, target.sum(axis=0))
    found = balance.gras(Z, rows=u, columns=w)
    assert_margins(found.Z, u, w)
    G = margins(Z.shape)
    assert powers_fit(Z, found.Z, G[~np.isnan(np.concatenate([u, w]))]) < 1e-9


def hard_matrix(seed: int = 3, shape: tuple[int, int] = (60, 45)) -> tuple[Array, Array]:
    """Return a signed matrix with empty lines, an all-negative row, and one that has its zeros, signs, and targets."""
    rng = np.random.default_rng(seed)
    Z = rng.lognormal(0, 2, shape) * np.where(rng.random(shape) < 0.05, -1.0, 1.0) * (rng.random(shape) < 0.7)
    Z[[4, 30]], Z[:, [0, 17]] = 0.0, 0.0
    Z[7] = -np.abs(Z[7])
    Z[9] = np.abs(Z[9])
    target = Z * rng.lognormal(0, 0.3, shape)
    target[9] = 0.0
    return Z, target


def test_gras_on_empty_negative_and_vanishing_lines() -> None:
    Z, target = hard_matrix()
    u, w = target.sum(axis=1), target.sum(axis=0)
    found = balance.gras(Z, rows=u, columns=w)
    assert_margins(found.Z, u, w)
    assert_array_equal(found.Z[9], 0.0)  # positive cells that sum to nothing
    assert (found.Z[7][Z[7] != 0] < 0).all()
    others = np.delete(np.arange(len(Z)), 9)
    assert_array_equal(np.sign(found.Z[others]), np.sign(Z[others]))
    assert powers_fit(Z[others], found.Z[others], margins((len(others), Z.shape[1]))) < 1e-9
    assert found.sign_flips == 0


def test_gras_meets_a_target_of_zero_on_a_mixed_row() -> None:
    """r²Σp s = Σn/s: positive and negative cells end equal."""
    Z = np.array([[4.0, -1.0], [3.0, 5.0]])
    found = balance.gras(Z, rows=[0.0, 8.0])
    assert_allclose(found.Z[0], [2.0, -2.0], rtol=1e-14)  # geometric mean of 4 and 1


@pytest.mark.parametrize("shape", [(30, 40), (300, 1000)])
def test_gras_meets_zero_on_many_mixed_rows(shape: tuple[int, int]) -> None:
    Z = np.random.default_rng(0).normal(size=shape)
    up, down = np.maximum(Z, 0).sum(axis=1), np.maximum(-Z, 0).sum(axis=1)
    r = np.sqrt(down / up)[:, None]
    assert_allclose(balance.gras(Z, rows=np.zeros(len(Z))).Z, np.where(Z > 0, r * Z, Z / r), rtol=1e-9)


@pytest.mark.parametrize("store", [csr_array, csc_array, coo_array, csr_matrix])
def test_storage_does_not_change_the_result(store: Callable[[Array], Any]) -> None:
    Z, target = hard_matrix(shape=(31, 20))
    u, w = target.sum(axis=1), target.sum(axis=0)
    u[3] = w[5] = np.nan
    for method in (balance.gras, balance.kras):
        whole, part = method(Z, rows=u, columns=w), method(store(Z), rows=u, columns=w)
        assert_allclose(dense(part.Z), whole.Z, rtol=1e-9, atol=1e-12)
        assert part.stpe == pytest.approx(whole.stpe, rel=1e-9)
    tiny = balance.least_squares(store(SIGNED), rows=ROWS, columns=COLUMNS)
    assert_allclose(dense(tiny.Z), balance.least_squares(SIGNED, rows=ROWS, columns=COLUMNS).Z, rtol=1e-9)


def test_entries_of_one_cell_are_added() -> None:
    twice = csr_array((np.array([3.0, -2.0, 1.0, 1.0, 1.0]), np.array([0, 0, 1, 0, 1]), np.array([0, 3, 5])))
    expected = balance.gras(twice.toarray(), rows=[5.0, 2.0], columns=[3.0, 4.0]).Z
    assert_allclose(dense(balance.gras(twice, rows=[5.0, 2.0], columns=[3.0, 4.0]).Z), expected, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e9, 1e15])
def test_scaling_methods_do_not_see_the_unit(scale: float) -> None:
    for method in (balance.gras, balance.kras):
        one = method(SIGNED, rows=ROWS, columns=COLUMNS)
        found = method(SIGNED * scale, rows=ROWS * scale, columns=COLUMNS * scale)
        assert_allclose(found.Z / scale, one.Z, rtol=1e-12)


@given(SEEDS)
def test_gras_of_the_transpose_is_the_transpose(seed: int) -> None:
    Z, target = signed(seed)
    u, w = target.sum(axis=1), target.sum(axis=0)
    one, other = balance.gras(Z, rows=u, columns=w).Z, balance.gras(Z.T, rows=w, columns=u).Z
    assert_allclose(other.T, one, rtol=1e-7, atol=1e-12)


@given(SEEDS)
def test_gras_of_positive_cells_is_ras(seed: int) -> None:
    """The two share code; that RAS is the optimum is proved above, that GRAS keeps to it here by its conditions."""
    Z, target = signed(seed, negative=0.0)
    u, w = target.sum(axis=1), target.sum(axis=0)
    negative = balance.gras(-Z, rows=-u, columns=-w).Z  # through the root of all-negative lines
    assert_allclose(-negative, balance.ras(Z, rows=u, columns=w).Z, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("Z", [[[2]], [[0, 0], [0, 5]], [[0, 0], [0, -5]]])
def test_a_single_cell_becomes_its_target(Z: list[list[int]]) -> None:
    target = 1.4 * np.array(Z, dtype=float)
    for method in (balance.gras, balance.kras, balance.least_squares):
        found = method(Z, rows=target.sum(axis=1), columns=target.sum(axis=0))
        assert_allclose(found.Z, target, rtol=1e-8)


# ---------------------------------------------------------------- MR-GRAS


def blocked(seed: int) -> tuple[Array, Array, Array, Array, Array]:
    """Return a signed matrix, one with its signs, groups in any order, and block sums of the second."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(4, 9, 2))
    Z = rng.lognormal(0, 1, shape) * np.where(rng.random(shape) < 0.15, -1.0, 1.0)
    target = Z * rng.lognormal(0, 0.4, shape)
    rows = rng.permutation(np.arange(shape[0]) % 3)
    columns = rng.permutation(np.arange(shape[1]) % 2)
    return Z, target, rows, columns, sums_of(target, rows, columns)


def sums_of(Z: Array, rows: Array, columns: Array) -> Array:
    return np.array([[Z[np.ix_(rows == i, columns == j)].sum() for j in range(2)] for i in range(3)])


def block_constraints(rows: Array, columns: Array) -> Array:
    return np.array([np.outer(rows == i, columns == j).ravel() for i in range(3) for j in range(2)], dtype=float)


@given(SEEDS)
@pytest.mark.parametrize("store", [np.asarray, csr_array])
def test_mr_gras_meets_blocks_and_first_order_conditions(store: Callable[[Array], Any], seed: int) -> None:
    Z, target, rows, columns, blocks = blocked(seed)
    u, w = target.sum(axis=1), target.sum(axis=0)
    blocks[0, 1] = np.nan
    u[0] = np.nan
    found = balance.mr_gras(store(Z), rows=u, columns=w, blocks=blocks, row_blocks=rows, column_blocks=columns)
    assert_margins(found.Z, u, w)
    gap = np.abs(sums_of(dense(found.Z), rows, columns) - blocks)
    size = np.maximum(np.abs(blocks), 1e-6 * sums_of(np.abs(dense(found.Z)), rows, columns))
    assert (np.isnan(blocks) | (gap <= 1e-9 * size)).all()
    G = np.vstack([margins(Z.shape), block_constraints(rows, columns)])
    wanted = np.concatenate([u, w, blocks.ravel()])
    assert powers_fit(Z, dense(found.Z), G[~np.isnan(wanted)]) < 1e-9


@FEW
@given(SEEDS)
def test_mr_gras_is_kras_with_blocks_as_constraints(seed: int) -> None:
    Z, target, rows, columns, blocks = blocked(seed)
    u, w = target.sum(axis=1), target.sum(axis=0)
    one = balance.mr_gras(Z, rows=u, columns=w, blocks=blocks, row_blocks=rows, column_blocks=columns)
    G = block_constraints(rows, columns)
    other = balance.kras(Z, rows=u, columns=w, constraints=G, values=blocks.ravel(), rtol=1e-10)
    assert_allclose(other.Z, one.Z, rtol=1e-6)


@given(SEEDS)
def test_mr_gras_without_block_targets_is_gras(seed: int) -> None:
    Z, target, rows, columns, blocks = blocked(seed)
    u, w = target.sum(axis=1), target.sum(axis=0)
    free = np.full_like(blocks, np.nan)
    found = balance.mr_gras(Z, rows=u, columns=w, blocks=free, row_blocks=rows, column_blocks=columns)
    assert_allclose(found.Z, balance.gras(Z, rows=u, columns=w).Z, rtol=1e-9)


@given(SEEDS)
def test_mr_gras_does_not_see_the_order_of_lines(seed: int) -> None:
    """Groups of rows that follow each other and groups that do not take different paths."""
    Z, target, rows, columns, blocks = blocked(seed)
    u, w = target.sum(axis=1), target.sum(axis=0)
    mixed = balance.mr_gras(Z, rows=u, columns=w, blocks=blocks, row_blocks=rows, column_blocks=columns).Z
    p, q = np.argsort(rows, kind="stable"), np.argsort(columns, kind="stable")
    sorted_ = balance.mr_gras(
        Z[np.ix_(p, q)], rows=u[p], columns=w[q], blocks=blocks, row_blocks=rows[p], column_blocks=columns[q]
    ).Z
    assert_allclose(sorted_, mixed[np.ix_(p, q)], rtol=1e-7)


@pytest.mark.parametrize("store", [csr_array, pytest.param(np.array)])
def test_one_block_is_scaled_as_a_whole(store: Callable[[Array], Any]) -> None:
    found = balance.mr_gras(store(LATER), blocks=[[2 * LATER.sum()]], row_blocks=[0] * 3, column_blocks=[0] * 3)
    assert_allclose(dense(found.Z), 2 * LATER, rtol=1e-14)


# ---------------------------------------------------------------- KRAS


@given(SEEDS)
def test_kras_on_margins_is_gras(seed: int) -> None:
    Z, target = signed(seed)
    u, w = target.sum(axis=1), target.sum(axis=0)
    one, other = balance.gras(Z, rows=u, columns=w).Z, balance.kras(Z, rows=u, columns=w, rtol=1e-10).Z
    assert_allclose(other, one, rtol=1e-6, atol=1e-12)


def general(seed: int) -> tuple[Array, Array, Array, Array]:
    """Return a signed matrix, row targets, real constraints and their values, all met by one matrix of its signs."""
    rng = np.random.default_rng(seed)
    m, n = (int(i) for i in rng.integers(1, 5, 2))
    Z = rng.lognormal(0, 1, (m, n)) * np.where(rng.random((m, n)) < 0.2, -1, 1)
    k = int(rng.integers(1, 4))
    G = rng.normal(size=(k, m * n)) * rng.choice([1e-2, 1, 30]) * (rng.random((k, m * n)) < 0.6)
    G[:, 0] += np.abs(G).sum(axis=1) == 0
    target = Z * rng.lognormal(0, 1, (m, n))
    return Z, target.sum(axis=1), G, G @ target.ravel()


STALLS = (2, 74, 79, 90, 209, 258)
"""Seeds of problems that can be met with all cells away from zero, and on which KRAS gives up."""


def assert_kras_optimal(seed: int) -> None:
    Z, u, G, c = general(seed)
    found = balance.kras(Z, rows=u, constraints=G, values=c).Z
    whole = np.vstack([margins(Z.shape)[: len(Z)], G])
    wanted = np.concatenate([u, c])
    size = np.maximum(np.abs(wanted), 1e-6 * np.abs(whole) @ np.abs(found.ravel()))
    assert (np.abs(whole @ found.ravel() - wanted) <= 1.0001e-8 * size).all()
    assert powers_fit(Z, found, whole) < 1e-9
    assert_array_equal(np.sign(found), np.sign(Z))


@pytest.mark.parametrize("seed", range(13, 53))
def test_kras_meets_real_constraints_and_their_kkt_conditions(seed: int) -> None:
    assert_kras_optimal(seed)


@pytest.mark.parametrize("seed", STALLS)
def test_kras_meets_what_can_be_met(seed: int) -> None:
    assert_kras_optimal(seed)


def test_kras_is_the_least_information_under_real_constraints() -> None:
    G, c = np.array([[1.0, -2.0, 0, 0], [0.5, 0, 0, 1.5]]), np.array([0.0, 9.0])
    z0 = np.array([1.0, 2.0, 3.0, 5.0])
    found = balance.kras(z0.reshape(2, 2), rows=[5.0, 9.0], constraints=G, values=c)
    whole, wanted = np.vstack([margins((2, 2))[:2], G]), np.concatenate([[5.0, 9.0], c])
    ratios = minimum(information(z0), np.ones(4), whole * z0, wanted, 1e-9)
    assert_allclose(found.Z.ravel(), ratios * z0, rtol=1e-6)


LIMITED = "Newton's steps are limited in the logarithm of the multiplier, not of the cells"


@pytest.mark.parametrize("coefficient", [pytest.param(1e-6), 1e-3, 1.0, pytest.param(1e3)])
def test_kras_does_not_see_the_unit_of_a_constraint(coefficient: float) -> None:
    """Two cells whose sum grows ten thousandfold both do, whatever unit the constraint is in."""
    G = coefficient * np.array([[1.0, 1.0, 0.0, 0.0]])
    found = balance.kras(np.ones((2, 2)), constraints=G, values=[2e4 * coefficient])
    assert_allclose(found.Z, [[1e4, 1e4], [1.0, 1.0]], rtol=1e-8)


@pytest.mark.parametrize(
    "spreads",
    [
        (1.0, 3.0),
        (0.5, 5.0),
        (0.01, 1.0),
        (2.0, 2.0),
        pytest.param((100.0, 1000.0)),
    ],
)
def test_more_reliable_targets_move_less(spreads: tuple[float, float]) -> None:
    """The same sum asked for as 10 and as 20."""
    G = np.ones((2, 4))
    found = balance.kras(np.ones((2, 2)), constraints=G, values=[10.0, 20.0], spread=[0, 0, 0, 0, *spreads])
    met = found.targets["constraints"]
    assert_allclose(met, found.Z.sum(), rtol=1e-7)
    first, second = met[0] - 10.0, 20.0 - met[1]
    assert first > 0 < second
    if spreads[0] == spreads[1]:
        assert first == pytest.approx(second, rel=1e-9)
    else:
        assert first < second
    swapped = balance.kras(np.ones((2, 2)), constraints=G, values=[20.0, 10.0], spread=[0, 0, 0, 0, *spreads[::-1]])
    assert swapped.Z.sum() == pytest.approx(found.Z.sum(), rel=1e-6)


def test_targets_without_spread_do_not_move() -> None:
    found = balance.kras(np.ones((2, 2)), rows=[3, 4], columns=[5, 6], spread=[0, 2, 0, 4])
    assert_array_equal([found.targets["rows"][0], found.targets["columns"][0]], [3.0, 5.0])
    assert found.Z.sum(axis=1)[0] == pytest.approx(3, rel=1e-7)
    assert found.Z.sum(axis=0)[0] == pytest.approx(5, rel=1e-7)
    moved = found.targets["rows"][1] - 4, 6 - found.targets["columns"][1]
    assert 0 < moved[0] < moved[1]
    assert sum(moved) == pytest.approx(4.0, rel=1e-6)  # the whole gap between 7 and 11


def test_targets_that_agree_do_not_move() -> None:
    spread = np.ones(7)
    found = balance.kras(SIGNED, rows=ROWS, columns=COLUMNS, spread=spread)
    assert_array_equal(found.targets["rows"], ROWS)
    assert_array_equal(found.targets["columns"], COLUMNS)


def test_targets_that_agree_do_not_move_while_convergence_is_slow() -> None:
    rows, columns = [1.001, 1.0], [1.0, 1.001]
    found = balance.kras(np.array([[1.0, 1.0], [0.0, 1.0]]), rows=rows, columns=columns, spread=np.ones(4))
    assert_allclose(found.Z, [[1.0, 0.001], [0.0, 1.0]], atol=1e-6)


# ---------------------------------------------------------------- least squares


def quadratic(seed: int) -> tuple[Array, Array, Array, Array]:
    """Return cells, variances, constraints (row sums and two others) and values that cells of those signs meet."""
    rng = np.random.default_rng(seed)
    m, n = (int(i) for i in rng.integers(2, 5, 2))
    Z = rng.lognormal(0, 1, (m, n)) * np.where(rng.random((m, n)) < 0.2, -1, 1)
    G = np.vstack([margins((m, n))[:m], rng.normal(size=(2, m * n))])
    return Z, rng.uniform(0.5, 2, (m, n)), G, G @ (Z * rng.lognormal(0, 0.5, (m, n))).ravel()


@given(SEEDS)
def test_least_squares_without_bounds_is_the_closed_form(seed: int) -> None:
    Z, variance, G, c = quadratic(seed)
    m = len(Z)
    z0, W = Z.ravel(), np.diag(variance.ravel())
    expected = z0 + W @ G.T @ np.linalg.solve(G @ W @ G.T, c - G @ z0)
    found = balance.least_squares(
        Z, rows=c[:m], constraints=G[m:], values=c[m:], variance=variance, keep_signs=False, rtol=1e-8
    )
    assert_allclose(found.Z.ravel(), expected, rtol=1e-6, atol=1e-7)


@given(SEEDS)
def test_soft_targets_are_generalised_least_squares(seed: int) -> None:
    """A target with a spread is one more observation: z = z⁰ + W G'(G W G' + S)⁻¹(c − G z⁰)."""
    Z, _, G, c = quadratic(seed)
    m = len(Z)
    rng = np.random.default_rng(seed)
    sd = rng.uniform(0.1, 2.0, len(c)) * (rng.random(len(c)) < 0.7)
    c = c + rng.normal(size=len(c))
    z0, W = Z.ravel(), np.diag(np.abs(Z.ravel()))
    expected = z0 + W @ G.T @ np.linalg.solve(G @ W @ G.T + np.diag(sd**2), c - G @ z0)
    spread = np.concatenate([sd[:m], np.zeros(Z.shape[1]), sd[m:]])
    found = balance.least_squares(Z, rows=c[:m], constraints=G[m:], values=c[m:], spread=spread, keep_signs=False)
    assert_allclose(found.Z.ravel(), expected, rtol=1e-6, atol=1e-6)
    assert_allclose(found.targets["rows"], (G @ expected)[:m], rtol=1e-6, atol=1e-6)


@FEW
@given(SEEDS)
def test_least_squares_with_bounds_is_the_quadratic_program(seed: int) -> None:
    Z, variance, G, c = quadratic(seed)
    m, z0 = len(Z), Z.ravel()
    found = balance.least_squares(Z, rows=c[:m], constraints=G[m:], values=c[m:], variance=variance)
    assert_array_equal(np.sign(found.Z) * np.sign(Z) >= 0, True)
    weights = z0**2 / variance.ravel()

    def objective(y: Array) -> tuple[float, Array]:
        return 0.5 * float((weights * (y - 1) ** 2).sum()), weights * (y - 1)

    start = np.ones(len(z0))
    expected = minimum(objective, start, G * z0, c, 0.0) * z0
    assert_allclose(found.Z.ravel(), expected, rtol=1e-4, atol=1e-5)
    size = variance.ravel()
    assert ((found.Z.ravel() - z0) ** 2 / size).sum() <= ((expected - z0) ** 2 / size).sum() * (1 + 1e-6)


def test_a_binding_bound_holds_and_the_rest_moves() -> None:
    """One cell held at its cap; the other two share the rest by their variances."""
    Z = np.array([[1.0, 2.0, 3.0]])
    cap = np.array([[1.5, 99.0, 99.0]])
    found = balance.least_squares(Z, rows=[12.0], upper=cap)
    assert_allclose(found.Z, [[1.5, 2 + 5.5 * 2 / 5, 3 + 5.5 * 3 / 5]], rtol=1e-7)


def test_signs_bind_unless_they_are_released() -> None:
    Z = np.array([[1.0, 2.0]])
    G, c = np.array([[1.0, -1.0]]), [-6.0]
    kept = balance.least_squares(Z, rows=[3.0], constraints=[[1.0, 0.0]], values=[-1.0], keep_signs=False)
    assert_allclose(kept.Z, [[-1.0, 4.0]], rtol=1e-7)
    bound = balance.least_squares(Z, constraints=G, values=c, variance=np.ones((1, 2)))
    assert_allclose(bound.Z, [[0.0, 6.0]], atol=1e-6)  # free, it would be (−1.5, 4.5)


ABSOLUTE = "the tolerances of the solver are absolute, in the unit of the table"


@pytest.mark.parametrize(
    "scale",
    [pytest.param(1e-12), pytest.param(1e-6), 1e-3, 1e6, pytest.param(1e12)],
)
def test_least_squares_does_not_see_the_unit(scale: float) -> None:
    one = balance.least_squares(SIGNED, rows=ROWS, columns=COLUMNS).Z
    found = balance.least_squares(SIGNED * scale, rows=ROWS * scale, columns=COLUMNS * scale)
    assert_allclose(found.Z / scale, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("spread_of_cells", [1.0, pytest.param(6.0)])
def test_least_squares_grows_all_cells_with_all_targets(spread_of_cells: float) -> None:
    """Under the variance |z⁰|, (z − z⁰)/z⁰ is the sum of a row's and a column's multiplier: here a tenth for all."""
    Z = np.random.default_rng(1).lognormal(0, spread_of_cells, (10, 10))
    found = balance.least_squares(Z, rows=1.1 * Z.sum(axis=1), columns=1.1 * Z.sum(axis=0))
    assert_allclose(found.Z, 1.1 * Z, rtol=1e-6)


# ---------------------------------------------------------------- conflicts


def assert_proves(found: Any, G: Array, c: Array, low: Array, high: Array) -> None:
    """Check Farkas: for no cells within bounds does the weighted sum of the constraints reach that of their targets."""
    w, at = found.weights, found.constraints
    pull, wanted = w @ G[at], w @ c[at]
    tiny = 1e-9 * np.abs(w) @ np.abs(G[at])
    pull = np.where(np.abs(pull) <= tiny, 0.0, pull)
    with np.errstate(invalid="ignore"):
        most = np.where(pull > 0, pull * high, np.where(pull < 0, pull * low, 0.0)).sum()
    assert most < wanted
    assert reach_bounded(np.delete(G, at, axis=0), np.delete(c, at), low, high)
    assert not reach_bounded(G[at], c[at], low, high)


def reach_bounded(G: Array, c: Array, low: Array, high: Array) -> bool:
    if not len(c):
        return True
    found = linprog(np.zeros(G.shape[1]), A_eq=G, b_eq=c, bounds=np.column_stack([low, high]), method="highs")
    return bool(found.status == 0)


@given(SEEDS, st.booleans())
def test_conflicts_are_proved_and_feasible_problems_have_none(seed: int, capped: bool) -> None:
    rng = np.random.default_rng(seed)
    k, n = (int(i) for i in rng.integers(2, 7, 2))
    G = rng.normal(size=(k, n)).round(1) * (rng.random((k, n)) < 0.7)
    low = rng.uniform(-2, 0, n) if capped else np.zeros(n)
    high = low + rng.uniform(1, 4, n) if capped else np.full(n, np.inf)
    inside = low + rng.uniform(0.1, 0.9, n)
    assert balance.conflicting(csr_array(G), G @ inside, low, high) is None
    c = 3 * rng.normal(size=k)
    found = balance.conflicting(csr_array(G), c, low, high)
    assert (found is None) == reach_bounded(G, c, low, high)
    if found is not None:
        assert found.gap > 0
        assert_proves(found, G, c, low, high)


def test_conflict_is_by_the_gap_of_the_sums() -> None:
    """Rows sum to 5, columns to 6: the least total miss is 1."""
    found = balance.conflicting(csr_array(margins((2, 2))), np.array([2.0, 3.0, 1.0, 5.0]))
    assert found is not None
    assert found.gap == pytest.approx(1.0)
    assert_array_equal(found.constraints, [0, 1, 2, 3])
    w = found.weights / found.weights[2]
    assert_allclose(w, [-1, -1, 1, 1])


DROPPED = "HiGHS drops coefficients below 1e-9, so all targets above 1e9 seem to conflict"


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e8, pytest.param(1e9), pytest.param(1e12)])
def test_conflicts_do_not_see_the_unit(scale: float) -> None:
    G = csr_array(margins((2, 2)))
    assert balance.conflicting(G, scale * np.array([2.0, 3.0, 1.0, 4.0])) is None
    found = balance.conflicting(G, scale * np.array([2.0, 3.0, 1.0, 5.0]))
    assert found is not None
    assert found.gap == pytest.approx(scale)


def test_targets_of_zero_do_not_conflict() -> None:
    assert balance.conflicting(csr_array(margins((2, 2))), np.zeros(4)) is None


METHODS: dict[str, Callable[..., Balanced]] = {
    "ras": balance.ras,
    "gras": balance.gras,
    "kras": balance.kras,
    "least_squares": balance.least_squares,
    "cross_entropy": lambda Z, **totals: balance.cross_entropy(Z, outputs=np.ones(Z.shape[1]), **totals),
}
METHOD = pytest.mark.parametrize("method", METHODS)


def assert_names_conflict(error: ConflictError, Z: Array, wanted: Array) -> None:
    """Check that the constraints named cannot hold together, and that the others can."""
    names = [f"row {i}" for i in range(Z.shape[0])] + [f"column {i}" for i in range(Z.shape[1])]
    cells = np.flatnonzero(Z.ravel())
    G, z = margins(Z.shape)[:, cells], Z.ravel()[cells]
    named = [names.index(name) for name in error.constraints]
    assert named
    if "no scaling of their cells" in str(error):  # seen before any round: each of these is impossible by itself
        assert not any(reach(G[[k]], wanted[[k]], z) for k in named)
        return
    assert not reach(G[named], wanted[named], z)
    rest = np.setdiff1d(np.flatnonzero(~np.isnan(wanted)), named)
    assert reach(G[rest], wanted[rest], z)


STAIRS = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
CROWDED = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
MADE = {
    "stairs": (STAIRS, [1.0, 1.0, 1.5], [0.8, 1.4, 1.3]),  # row 2 needs more of column 2 than it has
    "crowded": (CROWDED, [2.0, 2.0, 2.0], [1.5, 1.5, 3.0]),  # rows 1 and 2 need 4 of a column that has 3
    "crowded, open": (CROWDED, [np.nan, 2.0, 2.0], [1.5, 1.5, 3.0]),
}


@METHOD
@pytest.mark.parametrize("case", MADE)
def test_made_conflicts_are_named(method: str, case: str) -> None:
    Z, u, w = MADE[case]
    with pytest.raises(ConflictError) as raised:
        METHODS[method](Z, rows=u, columns=w)
    assert_names_conflict(raised.value, Z, np.concatenate([u, w]))


@pytest.mark.parametrize(
    ("method", "seed"),
    [
        *(("gras", seed) for seed in range(12) if seed != 9),
        pytest.param("gras", 9),
        *(("least_squares", seed) for seed in range(12)),
    ],
)
def test_random_conflicts_are_named(method: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.lognormal(0, 1, (4, 4)) * (rng.random((4, 4)) < 0.6) * np.where(rng.random((4, 4)) < 0.2, -1.0, 1.0)
    Z[np.arange(4), rng.permutation(4)] = 1.0
    target = Z * rng.lognormal(0, 0.5, (4, 4))
    u, w = target.sum(axis=1), target.sum(axis=0)
    u += 3 * np.array([1.0, -1.0, 0.5, -0.5])
    cells = np.flatnonzero(Z.ravel())
    if reach(margins(Z.shape)[:, cells], np.concatenate([u, w]), Z.ravel()[cells]):
        assert_margins(METHODS[method](Z, rows=u, columns=w).Z, u, w, rtol=1e-7)
        return
    with pytest.raises(ConflictError) as raised:
        METHODS[method](Z, rows=u, columns=w)
    assert_names_conflict(raised.value, Z, np.concatenate([u, w]))


@pytest.mark.parametrize("method", ["ras", "gras"])
def test_a_gross_conflict_is_one(method: str) -> None:
    with pytest.raises(ConflictError) as raised:
        METHODS[method](np.eye(2), rows=[1.0, 10.0], columns=[10.0, 1.0])
    assert_names_conflict(raised.value, np.eye(2), np.array([1.0, 10.0, 10.0, 1.0]))


def test_conflicts_of_blocks_are_named() -> None:
    blocks = np.array([[9.0, np.nan], [np.nan, np.nan]])
    with pytest.raises(ConflictError) as raised:
        balance.mr_gras(
            np.ones((4, 4)), rows=[4.0] * 4, columns=[4.0] * 4, blocks=blocks, row_blocks=[0, 0, 1, 1],
            column_blocks=[0, 0, 1, 1],
        )  # fmt: skip
    names = {f"{kind} {i}" for kind in ("row", "column") for i in range(4)} | {"block (0, 0)"}
    assert "block (0, 0)" in raised.value.constraints
    assert set(raised.value.constraints) <= names


# ---------------------------------------------------------------- what cannot be balanced


@pytest.mark.parametrize("method", ["ras", "gras", "cross_entropy"])
def test_sums_that_disagree_say_by_how_much_or_keep_a_side(method: str) -> None:
    run = METHODS[method]
    u, w = [3.0, 5.0], [4.0, 6.0]
    with pytest.raises(ConflictError, match=r"sum to 8, column targets to 10: they differ by 2 \(20 %\)") as raised:
        run(np.ones((2, 2)), rows=u, columns=w)
    assert raised.value.constraints == ("rows", "columns")
    by_rows = run(np.ones((2, 2)), rows=u, columns=w, totals="rows")
    assert_margins(by_rows.Z, np.array(u), 0.8 * np.array(w))
    assert_allclose(by_rows.targets["columns"], [3.2, 4.8])
    by_columns = run(np.ones((2, 2)), rows=u, columns=w, totals="columns")
    assert_margins(by_columns.Z, 1.25 * np.array(u), np.array(w))
    with pytest.raises(BalanceError, match="totals='both'"):
        run(np.ones((2, 2)), rows=u, columns=w, totals="both")


def test_sums_that_agree_to_nine_digits_can_be_met() -> None:
    found = balance.ras(LATER, rows=1.1 * U, columns=1.1 * V * (1 + 5e-10))
    assert_allclose(found.Z, 1.1 * LATER, rtol=1e-9)


@METHOD
def test_an_empty_line_has_no_target_but_zero(method: str) -> None:
    Z = np.array([[0.0, 0.0], [1.0, 2.0]])
    with pytest.raises(ConflictError, match="row 0") as raised:
        METHODS[method](Z, rows=[1.0, 2.0], columns=[1.0, 2.0])
    assert raised.value.constraints == ("row 0",)
    found = METHODS[method](Z, rows=[0.0, 6.0], columns=[2.0, 4.0])
    assert_allclose(found.Z, 2 * Z, rtol=1e-8)


@pytest.mark.parametrize("method", ["gras", "least_squares", pytest.param("kras")])
@pytest.mark.parametrize(("Z", "row"), [(np.ones((1, 2)), -1.0), (-np.ones((1, 2)), 1.0)])
def test_a_target_against_the_sign_of_its_cells_is_named(method: str, Z: Array, row: float) -> None:
    with pytest.raises(ConflictError) as raised:
        METHODS[method](Z, rows=[row])
    assert raised.value.constraints == ("row 0",)


VANISHING = "cells that must vanish leave a residual relative to themselves, which never falls"


@pytest.mark.parametrize(
    "method",
    ["ras", "gras", "kras", pytest.param("least_squares"), pytest.param("cross_entropy")],
)
def test_a_target_of_zero_empties_a_positive_row(method: str) -> None:
    found = METHODS[method](np.array([[1.0, 2.0], [3.0, 4.0]]), rows=[0.0, 10.0], columns=[4.0, 6.0])
    assert_allclose(found.Z, [[0.0, 0.0], [4.0, 6.0]], rtol=1e-8, atol=1e-8)


def test_ras_and_cross_entropy_need_positive_numbers() -> None:
    for method in ("ras", "cross_entropy"):
        with pytest.raises(BalanceError, match=r"without negative cells: `gras` keeps signs"):
            METHODS[method](SIGNED, rows=ROWS, columns=COLUMNS)
    with pytest.raises(BalanceError, match="columns 1"):
        balance.ras(LATER, columns=[1.0, -2.0, 3.0])
    for outputs in ([1.0, 0.0, 2.0], [1.0, 2.0], [1.0, np.nan, 2.0]):
        with pytest.raises(BalanceError, match="3 positive numbers"):
            balance.cross_entropy(LATER, columns=V, outputs=outputs)
    with pytest.raises(BalanceError, match="every column's target: 1 have none"):
        balance.cross_entropy(LATER, columns=[1.0, np.nan, 2.0], outputs=OUTPUT)


@METHOD
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"rows": [1.0, 2.0, 3.0, 4.0]}, "rows: 4 targets, and the matrix has 3"),
        ({"columns": [1.0]}, "columns: 1 targets, and the matrix has 3"),
        ({"rows": [1.0, np.inf, 1.0]}, "rows: a target is infinite"),
        ({"columns": [1.0, -np.inf, 1.0]}, "columns: a target is infinite"),
    ],
)
def test_bad_targets_are_refused(method: str, damage: dict[str, list[float]], said: str) -> None:
    with pytest.raises(BalanceError, match=said):
        METHODS[method](LATER, **{"rows": U, "columns": V, **damage})


@METHOD
@pytest.mark.parametrize("cell", [np.nan, np.inf, -np.inf])
def test_cells_that_are_not_numbers_are_refused(method: str, cell: float) -> None:
    Z = LATER.copy()
    Z[1, 1] = cell
    for given_ in (Z, csr_array(Z)):
        with pytest.raises(BalanceError, match="not numbers"):
            METHODS[method](given_, rows=U, columns=V)


@METHOD
def test_only_matrices_are_balanced(method: str) -> None:
    for Z in (np.zeros((0, 3)), np.zeros((3, 0))):
        with pytest.raises(BalanceError, match="a matrix is needed"):
            METHODS[method](Z, rows=np.zeros(Z.shape[0]), columns=np.zeros(Z.shape[1]))


@pytest.mark.parametrize(
    "run",
    [
        lambda: balance.kras(LATER, constraints=[[np.nan, *[1.0] * 8]], values=[5.0], maxiter=50),
        lambda: balance.least_squares(LATER, constraints=[[np.nan, *[1.0] * 8]], values=[5.0]),
        lambda: balance.least_squares(LATER, rows=U, lower=np.full((3, 3), np.nan)),
    ],
    ids=["kras", "least squares", "bounds"],
)
def test_coefficients_and_bounds_that_are_not_numbers_are_refused(run: Callable[[], Balanced]) -> None:
    with pytest.raises(BalanceError):
        run()


@pytest.mark.parametrize(
    "method",
    [
        "gras",
        pytest.param("kras"),
        pytest.param("least_squares"),
        pytest.param("cross_entropy"),
    ],
)
def test_no_round_is_not_enough(method: str) -> None:
    with pytest.raises(BalanceError):
        METHODS[method](LATER, rows=2 * U, columns=2 * V, maxiter=0)


def test_least_squares_of_few_rounds_is_refused_or_optimal() -> None:
    Z = np.array([[1.0, 2.0], [3.0, 4.0]])
    targets = {"rows": [10.0, 4.0], "columns": [9.0, 5.0]}
    best = balance.least_squares(Z, **targets).Z
    try:
        found = balance.least_squares(Z, maxiter=2, **targets).Z
    except BalanceError:
        return
    assert_allclose(found, best, rtol=1e-6)


# ---------------------------------------------------------------- measures and memory


@given(SEEDS)
def test_measures_are_their_definitions(seed: int) -> None:
    Z, target = signed(seed)
    u, w = target.sum(axis=1), target.sum(axis=0)
    for before in (Z, csr_array(Z)):
        found = balance.gras(before, rows=u, columns=w)
        stpe = 100 * np.abs(dense(found.Z) - Z).sum() / np.abs(Z).sum()
        assert found.stpe == pytest.approx(stpe, rel=1e-12)
        assert found.sign_flips == 0
        gross = np.abs(dense(found.Z)).sum(axis=1)
        gap, size = np.abs(dense(found.Z).sum(axis=1) - u), np.maximum(np.abs(u), gross / 1000)
        assert_allclose(
            found.residuals["rows"] * size, gap, rtol=1e-3, atol=1e-13 * gross.max()
        )  # sums in another order
        assert found.residual == max(np.nanmax(values) for values in found.residuals.values())


def test_sign_flips_count_cells_that_crossed_zero() -> None:
    rng = np.random.default_rng(0)
    for shape in ((3, 4), (600, 3)):  # more rows than are compared at a time
        Z, move = rng.normal(size=shape), rng.normal(size=shape)
        rows = (Z + 3 * move).sum(axis=1)
        for before in (Z, csr_array(Z)):
            found = balance.least_squares(before, rows=rows, variance=np.ones(shape), keep_signs=False)
            expected = Z + (3 * move).sum(axis=1, keepdims=True) / shape[1]
            assert_allclose(dense(found.Z), expected, atol=1e-6)
            assert found.sign_flips == (np.sign(expected) != np.sign(Z)).sum() > 0


@given(SEEDS)
def test_change_of_inverse_is_the_mean_change_of_leontief(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    Z = rng.lognormal(0, 1, (n, n + 2))  # intermediates, then final demand
    x = Z.sum(axis=1) + Z.sum(axis=0)[:n]
    found = balance.ras(Z, rows=1.2 * Z.sum(axis=1))
    after = 1.3 * x
    eye = np.eye(n)
    before_inverse = np.linalg.solve(eye - Z[:, :n] / x, eye)
    after_inverse = np.linalg.solve(eye - 1.2 * Z[:, :n] / after, eye)
    expected = np.abs(after_inverse - before_inverse).sum() / n**2
    assert found.change_of_inverse(x, after) == pytest.approx(expected, rel=1e-9)
    sparse = balance.inverse_change(csr_array(Z[:, :n]), x, csr_array(1.2 * Z[:, :n]), after)
    assert sparse == pytest.approx(expected, rel=1e-9)


def test_an_idle_industry_has_no_inputs_in_the_inverse() -> None:
    """Its column of L is a column of the identity, before and after."""
    Z = np.array([[2.0, 1.0], [3.0, 0.0]])
    A = np.array([[0.2, 0.0], [0.3, 0.0]])
    more = np.array([[0.4, 0.0], [0.3, 0.0]])
    expected = np.abs(np.linalg.inv(np.eye(2) - more) - np.linalg.inv(np.eye(2) - A)).mean()
    idle = np.array([10.0, 0.0])
    assert balance.inverse_change(Z, idle, [[4.0, 1.0], [3.0, 0.0]], idle) == pytest.approx(expected)


@METHOD
@pytest.mark.parametrize("store", [np.array, np.asfortranarray, csr_array])
def test_inputs_stay_and_results_own_their_memory(method: str, store: Callable[[Array], Any]) -> None:
    Z, u, w = store(LATER[:, ::-1]), 1.2 * U, 1.2 * V[::-1] * np.array([1.1, 1.0, 0.9])
    u *= w.sum() / u.sum()
    inputs = [getattr(Z, "data", Z) if hasattr(Z, "toarray") else Z, u, w]
    kept = [values.copy() for values in inputs]
    for values in inputs:
        values.flags.writeable = False
    found = METHODS[method](Z, rows=u, columns=w)
    for values, copy in zip(inputs, kept, strict=True):
        assert_array_equal(values, copy)
        values.flags.writeable = True
    result = dense(found.Z).copy()
    targets = {kind: np.copy(values) for kind, values in found.targets.items()}
    for values in inputs:
        values[...] = -7.0
    if hasattr(Z, "indices"):
        Z.indices[:] = 0
    assert_array_equal(dense(found.Z), result)
    for kind, values in targets.items():
        assert_array_equal(found.targets[kind], values)
    assert_margins(result, kept[1], kept[2], rtol=2e-8)


@METHOD
def test_integers_and_lists_are_read_as_floats(method: str) -> None:
    expected = METHODS[method](LATER, rows=1.5 * U, columns=1.5 * V).Z
    assert_allclose(expected, 1.5 * LATER, rtol=1e-7)
    whole = METHODS[method](LATER.astype(np.int64), rows=list(1.5 * U), columns=tuple(1.5 * V))
    assert_array_equal(whole.Z, expected)
    single = METHODS[method](csr_array(LATER.astype(np.float32)), rows=1.5 * U, columns=1.5 * V)
    assert_allclose(dense(single.Z), expected, rtol=1e-12)


@pytest.mark.parametrize("method", ["ras", "gras", "kras", "cross_entropy", pytest.param("least_squares")])
def test_nothing_balances_to_nothing(method: str) -> None:
    found = METHODS[method](np.zeros((2, 3)), rows=np.zeros(2), columns=np.zeros(3))
    assert_array_equal(found.Z, 0.0)
    assert found.stpe == 0.0


@pytest.mark.parametrize("method", ["ras", "gras", "kras", "cross_entropy"])
def test_progress_counts_every_round(method: str) -> None:
    seen: list[tuple[int, float]] = []
    found = METHODS[method](A0 * OUTPUT, rows=U, columns=V, progress=lambda *state: seen.append(state))
    assert [iteration for iteration, _ in seen] == list(range(1, found.iterations + 1))
    assert seen[-1][1] == found.residual


@pytest.mark.slow
def test_gras_of_a_world_table_takes_seconds() -> None:
    rng = np.random.default_rng(0)
    Z = rng.lognormal(0, 2.5, (4250, 4737))
    Z[rng.random(Z.shape) < 0.003] *= -1
    target = Z * rng.lognormal(0, 0.3, (4250, 1)) * rng.lognormal(0, 0.3, 4737)
    u, w = target.sum(axis=1), target.sum(axis=0)
    seen: list[tuple[int, float]] = []
    start = time.perf_counter()
    found = balance.gras(Z, rows=u, columns=w, rtol=1e-8, progress=lambda *state: seen.append(state))
    assert time.perf_counter() - start < 60
    assert len(seen) == found.iterations > 1
    assert_margins(found.Z, u, w, rtol=1e-8)
    assert ((found.Z < 0) == (Z < 0)).all()
