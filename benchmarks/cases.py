"""What is measured: each case prepares a job and returns it with its residual; drivers name the solver."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.sparse import csc_array, csr_array, eye_array, issparse, random_array
from scipy.sparse.linalg import gmres as scipy_gmres

import nearshore_io as nio
from benchmarks.problems import CACHE, Shape
from nearshore_io.solvers import (
    Auto,
    DenseLU,
    Functionals,
    Krylov,
    MixedLU,
    PowerSeries,
    RowMoves,
    SparseLU,
    Updated,
)
from nearshore_io.solvers.base import multiply

Job = Callable[[], np.ndarray]
Setup = tuple[np.ndarray, np.ndarray, np.ndarray, Shape]


@dataclass(frozen=True)
class Case:
    """A prepared job, with what one call of it stands for.

    ``times`` is how often the real task repeats the call (peers that do one shock at a time are timed on a few);
    ``residual`` measures the result of a call against A.
    """

    job: Job
    residual: Callable[[np.ndarray], float]
    times: float = 1.0
    note: str = ""


def solver(driver: str, shape: Shape, expected: int = 0) -> object:
    """Return the solver a driver names."""
    return {
        "lu": DenseLU(),
        "mixed": MixedLU(),
        "sparse": SparseLU(),
        "gmres": Krylov(block=shape.sectors),
        "bicgstab": Krylov(method="bicgstab", block=shape.sectors),
        "gmres-float32": Krylov(block=shape.sectors, single=True),
        "power": PowerSeries(),
        "auto": Auto(block=shape.sectors, expected=expected),
    }[driver]


def cold(setup: Setup, driver: str, sides: int = 1) -> Case:
    """Solve for so many right-hand sides with nothing factorised."""
    A, y, _, shape = setup
    Y = _sides(y, sides)
    check = _residual(A, Y)
    n = len(A)
    if driver == "numpy.linalg.solve":
        return Case(lambda: np.linalg.solve(np.eye(n) - A, Y), check)
    if driver == "numpy.linalg.inv":
        return Case(lambda: np.linalg.inv(np.eye(n) - A) @ Y, check)
    if driver == "scipy.lu":
        return Case(lambda: linalg.lu_solve(linalg.lu_factor(np.eye(n) - A), Y), check)
    if driver == "scipy.splu":
        from scipy.sparse.linalg import splu

        S = csr_array(A)
        return Case(lambda: splu(csc_array(eye_array(n) - S)).solve(Y), check)
    if driver == "sparse":
        S = csr_array(A)
        return Case(lambda: SparseLU().factorise(S).solve(Y), check)
    made = solver(driver, shape, sides)
    return Case(lambda: made.factorise(A).solve(Y), check)  # type: ignore[attr-defined]


def warm(setup: Setup, driver: str, sides: int = 1, *, transposed: bool = False) -> Case:
    """Solve with the factors ready."""
    A, y, _, shape = setup
    Y = _sides(y, sides)
    factors = solver(driver, shape).factorise(A)  # type: ignore[attr-defined]
    solve = factors.solve_transposed if transposed else factors.solve
    return Case(lambda: solve(Y), _residual(A.T if transposed else A, Y))


def factorise(setup: Setup, driver: str) -> Case:
    """Factorise, without solving."""
    A, y, _, shape = setup
    made = solver(driver, shape)
    n = len(A)

    def job() -> np.ndarray:
        job.factors = made.factorise(A)  # type: ignore[attr-defined]
        return np.empty(0)

    def check(_: np.ndarray) -> float:
        return _residual(A, y)(job.factors.solve(y))  # type: ignore[attr-defined]

    return Case(job, check, note=f"{2 / 3 * n**3:.4e} flops")


def update(setup: Setup, driver: str, rows: int = 1) -> Case:
    """Solve after so many changed rows, on factors that are ready; driver "refactorise" starts anew."""
    A, y, _, _ = setup
    rng = np.random.default_rng(0)
    places = np.sort(rng.choice(np.flatnonzero(A.sum(axis=1)), rows, replace=False))
    values = A[places] * rng.uniform(0.5, 0.9, (rows, 1))
    changed = A.copy()
    changed[places] = values
    check = _residual(changed, y)
    if driver == "refactorise":
        return Case(lambda: DenseLU().factorise(changed).solve(y), check)
    base = DenseLU().factorise(A)
    return Case(lambda: Updated.rows(base, places, values).solve(y), check)


def functionals(setup: Setup, driver: str, shocks: int = 100_000) -> Case:
    """Totals (jobs and value added of two countries) of sparse demand shocks, the one-off solves included."""
    A, _, v, shape = setup
    n = len(A)
    weights = _weights(v, shape)
    demand = csr_array(random_array((shocks, n), density=3 / n, rng=np.random.default_rng(0), format="csr")).T
    made = solver(driver, shape, len(weights))

    def job() -> np.ndarray:
        return Functionals.prepare(made.factorise(A), weights).of_demand(demand)  # type: ignore[attr-defined]

    few = np.arange(5)

    def check(found: np.ndarray) -> float:
        some = csc_array(demand)[:, few].toarray()
        return _relative(found[:, few], weights @ DenseLU().factorise(A).solve(some))

    return Case(job, check)


def relocations(setup: Setup, driver: str, moves: int = 1_000) -> Case:
    """Totals by country of relocations of one product between two countries for the columns of two buyers.

    Driver "lu-ready" has factors and includes the one-off solves; "from-nothing" includes the factorisation too;
    "numpy.linalg.solve" computes each anew.
    """
    A, y, v, shape = setup
    x = DenseLU().factorise(A).solve(y)
    weights = _weights(v, shape)
    rows = _moves(A, y, shape, moves)

    def one(k: int) -> np.ndarray:
        c, m, share, J = rows.origin[k], rows.destination[k], rows.share[k], rows.buyers
        B, f = A.copy(), y.copy()
        B[m, J] += share * A[c, J]
        B[c, J] -= share * A[c, J]
        f[m] += share * rows.final[c]
        f[c] -= share * rows.final[c]
        return np.asarray(weights @ (np.linalg.solve(np.eye(len(A)) - B, f) - x))

    def difference(k: int) -> np.ndarray:
        """Return the same from the direct effect, (I − A')⁻¹ p g φ, where one's difference of two solves cancels."""
        c, m, share, J = rows.origin[k], rows.destination[k], rows.share[k], rows.buyers
        B = A.copy()
        B[m, J] += share * A[c, J]
        B[c, J] -= share * A[c, J]
        direct = np.zeros(len(A))
        direct[m] = share * (A[c, J] @ x[J] + rows.final[c])
        direct[c] = -direct[m]
        return np.asarray(weights @ np.linalg.solve(np.eye(len(A)) - B, direct))

    if driver == "numpy.linalg.solve":
        return Case(lambda: one(0), lambda _: 0.0, times=moves, note="one computed, multiplied")

    factors = DenseLU().factorise(A)

    def job() -> np.ndarray:
        ready = factors if driver == "lu-ready" else DenseLU().factorise(A)
        return Functionals.prepare(ready, weights).of_row_moves(rows, A, x)

    return Case(job, lambda found: _relative(found[:, 3], difference(3)))


def content(setup: Setup, driver: str) -> Case:
    """Content of every region's exports by origin: one transposed block solve with a row of value added by region."""
    A, _, v, shape = setup
    W = np.zeros((shape.regions, shape.n))
    for r in range(shape.regions):
        W[r, r * shape.sectors : (r + 1) * shape.sectors] = v[r * shape.sectors : (r + 1) * shape.sectors]
    made = solver(driver, shape, shape.regions)

    def job() -> np.ndarray:
        return np.asarray(made.factorise(A).solve_transposed(W.T))  # type: ignore[attr-defined]

    return Case(job, _residual(A.T, W.T))


def krylov_passes(setup: Setup, driver: str) -> Case:
    """One cold shock by GMRES against the time to read A once, times the products it took (as a note)."""
    A, y, _, shape = setup
    counted = [0]
    factors = Krylov(block=shape.sectors).factorise(A)
    inverse = factors.inverse

    def apply(u: np.ndarray) -> np.ndarray:
        counted[0] += 1
        w = (inverse @ u.reshape(shape.regions, shape.sectors, 1)).ravel()
        return w - multiply(A, w)

    from scipy.sparse.linalg import LinearOperator

    scipy_gmres(LinearOperator(A.shape, matvec=apply), y, rtol=1e-13, restart=60, maxiter=2)
    case = cold(setup, driver)
    return Case(case.job, case.residual, note=f"{counted[0]} products")


def read(setup: Setup, driver: str) -> Case:
    """Read a native table of this shape to its coefficients; driver "native"."""
    A, y, _, shape = setup
    del driver
    x = DenseLU().factorise(A).solve(y)
    file = CACHE / f"{shape.n}.nc"
    regions = [f"r{i}" for i in range(shape.regions)]
    demand = np.zeros((shape.n, shape.regions))
    demand[np.arange(shape.n), np.arange(shape.n) // shape.sectors] = y
    sectors = [f"s{i}" for i in range(shape.sectors)]
    labels = {"regions": regions, "sectors": sectors, "final_regions": regions, "categories": ["FD"]}
    nio.write_table(nio.IOTable.from_arrays(A * x, demand, None, **labels), file)

    def job() -> np.ndarray:
        found = nio.read_table(file).A
        return np.asarray(found.toarray() if issparse(found) else found)

    return Case(job, lambda found: _relative(found, A), note=f"{file.stat().st_size / 2**20:.1f} MiB on disk")


CASES: dict[str, Callable[..., Case]] = {
    "read": read,
    "cold": cold,
    "warm": warm,
    "transposed": lambda setup, driver, sides=1: warm(setup, driver, sides, transposed=True),
    "factorise": factorise,
    "update": update,
    "functionals": functionals,
    "relocations": relocations,
    "content": content,
    "krylov-passes": krylov_passes,
}


def _sides(y: np.ndarray, sides: int) -> np.ndarray:
    if sides == 1:
        return y
    noise = np.random.default_rng(0).uniform(0.5, 1.5, (sides, len(y)))
    return np.asarray((noise * y).T)


def _residual(A: np.ndarray, Y: np.ndarray) -> Callable[[np.ndarray], float]:
    def measure(x: np.ndarray) -> float:
        one = slice(None) if Y.ndim == 1 else (slice(None), slice(0, 5))
        error = Y[one] + A @ x[one] - x[one]
        return float(np.abs(error).max() / np.abs(Y[one]).max())

    return measure


def _relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def _weights(v: np.ndarray, shape: Shape) -> np.ndarray:
    """Return rows for value added and jobs of the first two regions, shape (4, n)."""
    jobs = np.random.default_rng(1).uniform(0.001, 0.05, len(v))
    rows = np.zeros((4, len(v)))
    for k, (region, values) in enumerate([(0, v), (1, v), (0, jobs), (1, jobs)]):
        own = slice(region * shape.sectors, (region + 1) * shape.sectors)
        rows[k, own] = values[own]
    return rows


def _moves(A: np.ndarray, y: np.ndarray, shape: Shape, moves: int) -> RowMoves:
    rng = np.random.default_rng(2)
    live = np.flatnonzero(A.sum(axis=0))
    product = live % shape.sectors
    origin = rng.choice(live, moves)
    destination = np.array([rng.choice(live[(product == c % shape.sectors) & (live != c)]) for c in origin])
    buyers = np.arange(2 * shape.sectors)
    return RowMoves(origin, destination, rng.uniform(0.05, 0.5, moves), buyers, 0.3 * np.maximum(y, 0.0))
