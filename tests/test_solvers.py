"""One table of solvers drives every test of a solver."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import random_table
from scipy.sparse import csr_array

import nearshore_io as nio
from nearshore_io.solvers import Auto, DenseLU, Factorisation, Solver, SparseLU, Updated, spectral_radius
from nearshore_io.solvers.spectral import bounded_below_one, require_productive

SOLVERS: list[tuple[Solver, float]] = [(DenseLU(), 1e-13), (SparseLU(), 1e-13), (Auto(), 1e-13)]


def well_posed(n: int = 60, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    A = rng.lognormal(0, 2, (n, n)) * (rng.random((n, n)) < 0.4)
    A[0] += 0.1
    return np.asarray(A * (rng.uniform(0.2, 0.8, n) / A.sum(axis=0)))


def zero_rows() -> np.ndarray:
    A = well_posed()
    A[[3, 17]], A[:, [3, 17]] = 0.0, 0.0
    return A


def near_singular() -> np.ndarray:
    A = well_posed()
    return np.asarray(A / spectral_radius(A) * (1 - 1e-6))


PROBLEMS = {
    "well-posed": well_posed(),
    "zero rows": zero_rows(),
    "near-singular": near_singular(),
    "one industry": np.array([[0.3]]),
    "nothing bought": np.zeros((5, 5)),
    "column above one": np.array([[0.2, 0.9], [0.1, 0.3]]),
}


@pytest.mark.parametrize(("solver", "tolerance"), SOLVERS, ids=lambda value: repr(value))
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "csr"])
def test_solutions_satisfy_both_systems(solver: Solver, tolerance: float, problem: str, sparse: bool) -> None:
    A = PROBLEMS[problem]
    n = len(A)
    factors = solver.factorise(csr_array(A) if sparse else A)
    assert isinstance(factors, Factorisation)
    assert factors.n == n
    rng = np.random.default_rng(1)
    for shape in ((n,), (n, 1), (n, 7)):
        y = rng.uniform(-1, 1, shape)
        for transposed, system in ((False, np.eye(n) - A), (True, (np.eye(n) - A).T)):
            x = factors.solve_transposed(y) if transposed else factors.solve(y)
            assert x.shape == shape
            size = max(np.abs(x).max(), 1.0)
            assert np.abs(system @ x - y).max() <= tolerance * n * size
    solution = factors.solution(rng.uniform(size=(n, 3)))  # type: ignore[attr-defined]
    assert solution.residual.shape == (3,)


@pytest.mark.parametrize(("solver", "tolerance"), SOLVERS, ids=lambda value: repr(value))
def test_residuals_are_what_numpy_measures(solver: Solver, tolerance: float) -> None:
    A = well_posed()
    y = np.random.default_rng(2).uniform(size=(60, 4))
    solution = solver.factorise(A).solution(y)  # type: ignore[attr-defined]
    measured = np.abs(y + A @ solution.x - solution.x).max(axis=0) / np.abs(y).max(axis=0)
    np.testing.assert_allclose(solution.residual, measured, atol=1e-15)
    assert (solution.residual < tolerance).all()


@pytest.mark.parametrize(("solver", "_tolerance"), SOLVERS, ids=lambda value: repr(value))
@pytest.mark.parametrize(
    ("A", "message"),
    [
        (np.eye(3), "singular"),
        (np.full((2, 3), 0.1), "must be square"),
        (np.array([[0.1, np.nan], [0.1, 0.1]]), r"NaN or infinity in rows 0"),
    ],
)
def test_systems_without_a_solution(solver: Solver, _tolerance: float, A: np.ndarray, message: str) -> None:
    with pytest.raises(nio.SolverError, match=message):
        solver.factorise(A)


@pytest.mark.parametrize(("solver", "_tolerance"), SOLVERS, ids=lambda value: repr(value))
def test_right_hand_sides_that_do_not_fit(solver: Solver, _tolerance: float) -> None:
    factors = solver.factorise(well_posed())
    with pytest.raises(nio.SolverError, match=r"shape \(59,\) does not fit a system of 60"):
        factors.solve(np.ones(59))
    with pytest.raises(nio.SolverError, match=r"NaN or infinity in rows 4"):
        factors.solve(np.where(np.arange(60) == 4, np.inf, 1.0))


def test_a_residual_above_tolerance_is_not_returned() -> None:
    with pytest.raises(nio.SolverError, match="above the tolerance"):
        DenseLU(rtol=1e-30).factorise(well_posed()).solve(np.ones(60))


def test_threads_share_factors() -> None:
    A = well_posed(400)
    factors = DenseLU().factorise(A)
    sides = np.random.default_rng(3).uniform(size=(64, 400))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(factors.solve, sides))
    np.testing.assert_allclose(np.array(found), np.linalg.solve(np.eye(400) - A, sides.T).T, rtol=1e-11)


@pytest.mark.parametrize("rank", [0, 1, 5, 30])
@pytest.mark.parametrize("base", [DenseLU(), SparseLU()])
def test_updates_equal_refactorising(rank: int, base: Solver) -> None:
    A = well_posed()
    rng = np.random.default_rng(rank)
    P, Q = rng.uniform(-0.1, 0.1, (60, rank)), rng.uniform(-0.05, 0.05, (rank, 60))
    updated = Updated(base.factorise(A), P, Q)  # type: ignore[arg-type]
    twice = Updated(updated, P, -Q)
    y = rng.uniform(size=(60, 3))
    np.testing.assert_allclose(updated.solve(y), np.linalg.solve(np.eye(60) - A - P @ Q, y), rtol=1e-10)
    np.testing.assert_allclose(updated.solve_transposed(y), np.linalg.solve((np.eye(60) - A - P @ Q).T, y), rtol=1e-10)
    np.testing.assert_allclose(twice.solve(y), np.linalg.solve(np.eye(60) - A, y), rtol=1e-10)


def test_an_update_that_makes_the_system_singular() -> None:
    A = well_posed()
    P = np.zeros((60, 1))
    P[0] = 1.0
    L = np.linalg.inv(np.eye(60) - A)
    Q = np.zeros((1, 60))
    Q[0, 0] = 1.0 / L[0, 0]
    with pytest.raises(nio.SolverError, match="makes I − A singular"):
        Updated(DenseLU().factorise(A), P, Q)


@pytest.mark.parametrize("n", [3, 60, 400])
def test_spectral_radius_by_two_routes(n: int) -> None:
    A = well_posed(n, seed=n)
    expected = np.abs(np.linalg.eigvals(A)).max()
    assert spectral_radius(A) == pytest.approx(expected, rel=1e-8)
    assert spectral_radius(csr_array(A)) == pytest.approx(expected, rel=1e-8)
    assert bounded_below_one(A)
    assert not bounded_below_one(A / expected * 1.001)


def test_an_unproductive_economy_names_its_industries() -> None:
    A = well_posed()
    A[7, 7] = 1.2
    with pytest.raises(nio.SolverError, match=r"not below one.*Hawkins–Simon") as caught:
        require_productive(A)
    assert caught.value.industries[0] == 7


def test_auto_says_what_it_took_and_why() -> None:
    choice = Auto().factorise(random_table(0).A).choice
    assert "DenseLU" in choice
    assert "12 industries" in choice
