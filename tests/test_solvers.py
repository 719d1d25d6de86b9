"""One table of solvers drives every test of a solver."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from conftest import random_table
from scipy.sparse import csr_array

import nearshore_io as nio
from nearshore_io.solvers import (
    Auto,
    DenseLU,
    Factorisation,
    Functionals,
    Krylov,
    MixedLU,
    PowerSeries,
    RowMoves,
    Solver,
    SparseLU,
    Updated,
    crossovers,
    memory,
    single,
    spectral_radius,
    threshold,
)
from nearshore_io.solvers.dense import condition
from nearshore_io.solvers.spectral import bounded_below_one, require_productive

SOLVERS: list[tuple[Solver, float]] = [
    (DenseLU(), 1e-14),
    (MixedLU(), 1e-13),
    (SparseLU(), 1e-14),
    (Krylov(block=1), 1e-11),
    (Krylov(), 1e-11),
    (Krylov(method="bicgstab", group=3), 1e-11),
    (Krylov(single=True, rtol=1e-11), 1e-10),
    (PowerSeries(maxiter=200), 1e-13),
    (Auto(), 1e-11),
    (Auto(expected=1000), 1e-14),
]
SOLVER = pytest.mark.parametrize(("solver", "tolerance"), SOLVERS, ids=lambda value: repr(value))


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


@SOLVER
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "csr"])
def test_solutions_satisfy_both_systems(solver: Solver, tolerance: float, problem: str, sparse: bool) -> None:
    A = PROBLEMS[problem]
    n = len(A)
    factors = solver.factorise(csr_array(A) if sparse else A)
    if problem == "near-singular" and isinstance(solver, PowerSeries):
        with pytest.raises(nio.SolverError, match="has not converged after 200 rounds"):
            factors.solve(np.ones(n))
        return
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


@SOLVER
def test_residuals_are_what_numpy_measures(solver: Solver, tolerance: float) -> None:
    A = well_posed()
    y = np.random.default_rng(2).uniform(size=(60, 4))
    solution = solver.factorise(A).solution(y)  # type: ignore[attr-defined]
    measured = np.abs(y + A @ solution.x - solution.x).max(axis=0) / np.abs(y).max(axis=0)
    np.testing.assert_allclose(solution.residual, measured, atol=1e-15)
    assert (solution.residual < tolerance).all()


@SOLVER
@pytest.mark.parametrize(
    ("A", "message"),
    [
        (np.eye(3), r"spectral radius of A is 1\.0000, not below one"),
        (np.full((2, 3), 0.1), "must be square"),
        (np.array([[0.1, np.nan], [0.1, 0.1]]), r"NaN or infinity in rows 0"),
    ],
)
def test_systems_without_a_solution(solver: Solver, tolerance: float, A: np.ndarray, message: str) -> None:
    with pytest.raises(nio.SolverError, match=message):
        solver.factorise(A)


@SOLVER
def test_right_hand_sides_that_do_not_fit(solver: Solver, tolerance: float) -> None:
    factors = solver.factorise(well_posed())
    with pytest.raises(nio.SolverError, match=r"shape \(59,\) does not fit a system of 60"):
        factors.solve(np.ones(59))
    with pytest.raises(nio.SolverError, match=r"NaN or infinity in rows 4"):
        factors.solve(np.where(np.arange(60) == 4, np.inf, 1.0))


def test_a_residual_above_tolerance_is_not_returned() -> None:
    with pytest.raises(nio.SolverError, match="above the tolerance"):
        DenseLU(tolerance=1e-30).factorise(well_posed()).solve(np.ones(60))


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


def test_auto_iterates_first_and_factorises_when_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nearshore_io.solvers.choose.krylov_wins_up_to", lambda _n: 10.0)
    A = well_posed()
    factors = Auto(block=20).factorise(A)
    y = np.random.default_rng(0).uniform(size=(60, 6))
    first = factors.solve(y)
    assert factors.choice == "Krylov(gmres, blocks of 20): up to 10 right-hand sides it beats LU (60 industries)"
    second = factors.solve(y)
    assert factors.choice.startswith("DenseLU: 12 right-hand sides so far")
    np.testing.assert_allclose(first, second, rtol=1e-10)
    assert "DenseLU (11 right-hand sides" in Auto(expected=11).factorise(A).choice


def test_auto_never_starts_what_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1000)
    A = well_posed()
    factors = Auto(expected=10**6, block=20).factorise(A)
    assert "do not fit in memory" in factors.choice
    np.testing.assert_allclose(factors.solve(np.ones(60)), np.linalg.solve(np.eye(60) - A, np.ones(60)), rtol=1e-10)
    for solver in (DenseLU(), MixedLU()):
        with pytest.raises(nio.SolverError, match="GB are available: use Krylov"):
            solver.factorise(A)


def test_economies_side_by_side_are_factorised_sparse() -> None:
    A = np.kron(np.eye(40), well_posed(12))
    factors = Auto(block=12).factorise(csr_array(A))
    assert factors.choice == "SparseLU (its regions do not trade)"
    np.testing.assert_allclose(factors.solve(np.ones(480)), np.linalg.solve(np.eye(480) - A, np.ones(480)), rtol=1e-12)


def test_crossovers_name_the_machine_and_the_date() -> None:
    measured = crossovers()
    assert measured["machine"]
    assert measured["date"]
    sizes = [point["n"] for point in measured["point"]]
    assert sizes == sorted(sizes)


def test_a_krylov_run_that_stalls_falls_back_or_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    A, y = well_posed(), np.ones(60)
    expected = np.linalg.solve(np.eye(60) - A, y)
    fallen = Krylov(maxiter=2).factorise(A)
    np.testing.assert_allclose(fallen.solve(y), expected, rtol=1e-12)
    assert "stalled, fell back to DenseLU" in fallen.choice
    with pytest.raises(nio.SolverError, match=r"gmres stalled at a relative residual of .* after 2 products"):
        Krylov(maxiter=2, fallback=False).factorise(A).solve(y)
    short = Krylov(maxiter=2).factorise(A)
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(nio.SolverError, match=r"stalled .*; DenseLU needs"):
        short.solve(y)


@pytest.mark.parametrize("method", ["gmres", "bicgstab"])
def test_blocks_save_iterations_on_a_table_of_regions(method: str) -> None:
    """Block Jacobi is exact when regions do not trade, and both methods agree with LU when they do."""
    rng = np.random.default_rng(0)
    A = np.kron(np.eye(5), well_posed(12)) * 0.9 + rng.uniform(0, 1e-3, (60, 60))
    y = rng.uniform(size=(60, 5))
    y[:, 2] = 0.0
    blocked = Krylov(method=method, block=12, maxiter=16, fallback=False).factorise(A)
    np.testing.assert_allclose(blocked.solve(y), np.linalg.solve(np.eye(60) - A, y), rtol=1e-9)
    np.testing.assert_allclose(blocked.solve_transposed(y), np.linalg.solve((np.eye(60) - A).T, y), rtol=1e-9)
    with pytest.raises(nio.SolverError, match="blocks of 7 industries do not divide a system of 60"):
        Krylov(block=7).factorise(A)
    with pytest.raises(nio.SolverError, match="no Krylov method 'cg'"):
        Krylov(method="cg").factorise(A)  # type: ignore[arg-type]


def test_float32_overflow_is_refused() -> None:
    A = np.zeros((3, 3))
    A[0, 1] = 1e39
    for solver in (MixedLU(), Krylov(single=True)):
        with pytest.raises(nio.SolverError, match="overflows float32"):
            solver.factorise(A)
    with pytest.raises(nio.SolverError, match=r"overflows float32 in rows 0"):
        single(A)


def test_rounds_are_tiers_of_suppliers() -> None:
    A, y = well_posed(), np.ones(60)
    factors = PowerSeries().factorise(A)
    rounds = factors.rounds(y, 3)
    np.testing.assert_allclose(rounds[2], A @ A @ y, rtol=1e-13)
    np.testing.assert_allclose(factors.rounds(y, 400).sum(axis=0), factors.solve(y), rtol=1e-12)


def test_condition_is_estimated_on_the_factors() -> None:
    for A in (well_posed(), zero_rows()):
        system = np.eye(60) - A
        exact = np.linalg.norm(system, np.inf) * np.linalg.norm(np.linalg.inv(system), np.inf)
        assert exact / 3 <= condition(A) <= exact * 1.0001


def test_changed_rows_columns_and_entries_equal_refactorising() -> None:
    rng = np.random.default_rng(0)
    for A in (well_posed(), csr_array(well_posed())):
        base = DenseLU().factorise(A)
        start = A.toarray() if isinstance(A, csr_array) else A
        y = rng.uniform(size=60)
        columns, rows, entries = start.copy(), start.copy(), start.copy()
        columns[:, [3, 9]] *= 0.5
        rows[[4, 8, 15]] *= 0.7
        i, j = rng.integers(60, size=30), np.full(30, 7)
        entries[i, j] = 0.001
        places = np.unique(i)
        cases = {
            "columns": (columns, Updated.columns(base, [3, 9], columns[:, [3, 9]])),
            "rows": (rows, Updated.rows(base, [4, 8, 15], rows[[4, 8, 15]])),
            "entries": (entries, Updated.entries(base, places, np.full(len(places), 7), np.full(len(places), 0.001))),
        }
        for name, (changed, updated) in cases.items():
            np.testing.assert_allclose(
                updated.solve(y), np.linalg.solve(np.eye(60) - changed, y), rtol=1e-11, err_msg=name
            )
        assert cases["entries"][1].choice.startswith("rank-1 update")


def test_a_poor_update_is_factorised_anew() -> None:
    """Taking out a nearly singular part leaves a small system with half its digits gone, and a good matrix."""
    A = np.zeros((4, 4))
    A[0, 0] = 1 - 1e-10
    base = DenseLU(tolerance=1e-3).factorise(A)
    updated = Updated.entries(base, [0], [0], [0.5])
    assert updated.matrix()[0, 0] == 0.5
    np.testing.assert_allclose(updated.solve(np.ones(4)), [2, 1, 1, 1], rtol=1e-12)
    grown = np.diag([0.5, 0.5, 0.5, 0.5])
    near = Updated.entries(DenseLU().factorise(grown), [0], [0], [1 - 1e-9])
    assert "refactorised, the update was ill-conditioned" in near.choice
    np.testing.assert_allclose(near.solve_transposed(np.ones(4)), [1e9, 2, 2, 2], rtol=1e-6)


def test_functionals_are_the_full_route() -> None:
    A = well_posed()
    rng = np.random.default_rng(4)
    W, demand = rng.uniform(size=(5, 60)), rng.uniform(size=(60, 8)) * (rng.random((60, 8)) < 0.1)
    factors = DenseLU().factorise(A)
    totals = Functionals.prepare(factors, W)
    full = W @ np.linalg.solve(np.eye(60) - A, demand)
    np.testing.assert_allclose(totals.of_demand(demand), full, rtol=1e-11)
    np.testing.assert_allclose(totals.of_demand(csr_array(demand)), full, rtol=1e-11)
    f = rng.uniform(size=60)
    x = factors.solve(f)
    P, Q = rng.uniform(-0.1, 0.1, (60, 3)), rng.uniform(-0.05, 0.05, (3, 60))
    after = np.linalg.solve(np.eye(60) - A - P @ Q, f + demand[:, 0])
    np.testing.assert_allclose(totals.of_change(P, Q, x, demand[:, 0]), W @ (after - x), rtol=1e-10)


@pytest.mark.parametrize("buyers", [5, 50])
def test_row_moves_are_the_full_route(buyers: int) -> None:
    A = well_posed()
    rng = np.random.default_rng(5)
    f = rng.uniform(size=60)
    factors = DenseLU().factorise(A)
    x = factors.solve(f)
    W = rng.uniform(size=(4, 60))
    moves = RowMoves(np.array([3, 3, 8]), np.array([13, 23, 18]), np.array([0.1, 1.0, 0.4]), np.arange(buyers), 0.1 * f)
    found = Functionals.prepare(factors, W).of_row_moves(moves, A, x)
    for k in range(3):
        c, m, share = moves.origin[k], moves.destination[k], moves.share[k]
        changed, demand = A.copy(), f.copy()
        changed[m, :buyers] += share * A[c, :buyers]
        changed[c, :buyers] -= share * A[c, :buyers]
        demand[m] += share * moves.final[c]
        demand[c] -= share * moves.final[c]
        after = np.linalg.solve(np.eye(60) - changed, demand)
        np.testing.assert_allclose(found[:, k], W @ (after - x), rtol=1e-9, atol=1e-13)


def test_thresholds_state_a_bound_that_holds() -> None:
    A = well_posed()
    v = 1.0 - A.sum(axis=0)
    f = np.random.default_rng(6).uniform(size=60)
    kept = threshold(A, 1e-3)
    assert kept.A.nnz < np.count_nonzero(A)
    x, less = np.linalg.solve(np.eye(60) - A, f), np.linalg.solve(np.eye(60) - kept.A.toarray(), f)
    error = v @ x - v @ less
    assert 0 < error <= kept.bound(less) * (1 + 1e-12)
    np.testing.assert_allclose(error, kept.bound(less), rtol=1e-9)  # v L = 1, so the bound is attained here
    np.testing.assert_allclose(single(A).lost, np.abs(A - A.astype(np.float32)).sum(axis=0))
    with pytest.raises(nio.SolverError, match="eps must be a positive number"):
        threshold(A, 0.0)


SMALL = np.array([[0.2, 0.1, 0.0], [0.1, 0.2, 0.1], [0.0, 0.1, 0.2]])


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (lambda b: Updated.entries(b, [0, 0], [1, 1], [0.3, 0.3]), "each cell once"),
        (lambda b: Updated.columns(b, [1, 1], np.full((3, 2), 0.3)), "columns must be named once each"),
        (
            lambda b: Updated.columns(b, [False, True, True], np.full((3, 3), 0.3)),
            "columns must be positions from 0 to 2",
        ),
        (lambda b: Updated.rows(b, [1.9], np.full((1, 3), 0.3)), "rows must be positions"),
        (lambda b: Updated.rows(b, [3], np.full((1, 3), 0.3)), "rows must be positions from 0 to 2"),
        (lambda b: Updated.columns(b, [0, 1], np.full((3, 1), 0.3)), r"shape \(3, 1\) do not fit: \(3, 2\)"),
        (lambda b: Updated(b, np.ones((3, 1)), np.ones((2, 3))), "do not fit n = 3"),
        (lambda b: Updated(b, np.full((3, 1), np.nan), np.ones((1, 3))), "P holds NaN"),
        (lambda b: Updated.entries(b, [0], [0], [1.5]), "spectral radius of A is .* not below one"),
        (lambda b: b.solve(np.ones(3) * 1j), "dense array of real numbers"),
        (lambda b: b.solve(csr_array(np.ones((3, 1)))), "dense array of real numbers"),
        (lambda _: DenseLU().factorise(SMALL * 1j), "must hold real numbers"),
        (lambda _: Krylov(group=0), "group must be a whole number"),
        (lambda _: Krylov(rtol=-1), "rtol must lie between 0 and 1"),
        (lambda b: Functionals.prepare(b, np.ones(3)).of_demand(csr_array(np.full((3, 1), np.nan))), "NaN or infinity"),
    ],
)
def test_slips_in_the_use_of_solvers(slip: object, message: str) -> None:
    with pytest.raises(nio.SolverError, match=message):
        slip(DenseLU().factorise(SMALL))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"share": np.array([2.0])}, "between 0 and 1"),
        ({"share": np.array([np.nan])}, "between 0 and 1"),
        ({"buyers": np.array([1, 1])}, "named twice"),
        ({"origin": np.array([-1])}, "origin must be positions"),
        ({"origin": np.array([0, 1])}, "equally long"),
        ({"origin": np.array([7])}, "beyond the 3"),
        ({"final": np.full(3, np.nan)}, "not a number"),
        ({"final": np.zeros(2)}, "must be those of 3 industries"),
    ],
)
def test_slips_in_relocations(change: dict[str, np.ndarray], message: str) -> None:
    facts = {"origin": np.array([0]), "destination": np.array([1]), "share": np.array([0.5]), "buyers": np.arange(3)}
    functionals = Functionals.prepare(DenseLU().factorise(SMALL), np.ones(3))
    with pytest.raises(nio.SolverError, match=message):
        functionals.of_row_moves(RowMoves(**facts | {"final": np.zeros(3)} | change), SMALL, np.ones(3))


def test_lists_are_matrices_too() -> None:
    for solver, _ in SOLVERS:
        found = solver.factorise([[0.2, 0.1], [0.3, 0.1]]).solve(np.ones(2))  # type: ignore[arg-type]
        np.testing.assert_allclose(found, np.linalg.solve(np.eye(2) - [[0.2, 0.1], [0.3, 0.1]], np.ones(2)), rtol=1e-9)


@pytest.mark.parametrize("solver", [DenseLU(), Auto(), Krylov(), SparseLU()])
def test_columns_of_the_inverse(solver: object) -> None:
    """Many columns at once are those of the inverse; one that is wrong is noticed by the combinations."""
    rng = np.random.default_rng(0)
    A = rng.random((60, 60)) / 90
    expected = np.linalg.inv(np.eye(60) - A)
    places = np.array([3, 17, 4])
    factors = solver.factorise(A)  # type: ignore[attr-defined]
    np.testing.assert_allclose(factors.inverse_columns(places), expected[:, places], rtol=1e-9)


def test_a_wrong_column_is_noticed() -> None:
    A = np.random.default_rng(0).random((40, 40)) / 60
    factors = DenseLU().factorise(A)
    spoiled = factors.lu.copy()
    spoiled[7, 9] += 1e-3
    wrong = replace(factors, lu=spoiled)
    with pytest.raises(nio.SolverError, match="above the tolerance"):
        wrong.inverse_columns(np.arange(20))
