"""The choice of a method, from crossovers measured on a stated machine."""

import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, issparse

from nearshore_io.errors import SolverError
from nearshore_io.solvers import memory
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix, Solution, square_matrix
from nearshore_io.solvers.dense import DenseFactors, DenseLU
from nearshore_io.solvers.krylov import Krylov, KrylovFactors
from nearshore_io.solvers.sparse import SparseLU

CROSSOVERS = Path(__file__).with_name("crossovers.toml")


@cache
def crossovers() -> Mapping[str, Any]:
    """Return the measured crossovers: machine, date, and for each n the right-hand sides up to which Krylov wins."""
    with CROSSOVERS.open("rb") as file:
        return tomllib.load(file)


def krylov_wins_up_to(n: int) -> float:
    """Return how many right-hand sides Krylov solves in less time than LU, factorisation included.

    Between the measured n log-linearly; below the smallest none, above the largest as at the largest.
    """
    points = crossovers()["point"]
    sizes, sides = [p["n"] for p in points], [p["right_hand_sides"] for p in points]
    if n < sizes[0]:
        return 0.0
    return float(np.exp(np.interp(np.log(n), np.log(sizes), np.log(sides))))


@dataclass(frozen=True)
class Auto:
    """Takes the method that fits the table and the work, and says which and why.

    Small tables, and those whose regions do not trade, are factorised at once. Others are solved by Krylov until so
    many right-hand sides have been asked for that factors would have paid (`crossovers`), and by LU from then on:
    one shock costs one shock, ten thousand cost one factorisation.

    Parameters
    ----------
    expected : right-hand sides that will be asked for, where known; it is counted before the first solve.
    block : industries of a region; `Leontief` fills it in.
    tolerance : largest relative residual that is returned.
    """

    expected: int = 0
    block: int | None = None
    tolerance: float = 1e-9

    def factorise(self, A: Matrix) -> CertifiedFactorisation:
        """Return the system I − A, factorised or ready to iterate.

        Raises
        ------
        SolverError
            If A is not a productive matrix, or no method fits in memory.
        """
        A = square_matrix(A)
        n = A.shape[0]
        block = self.block if self.block and n % self.block == 0 else None
        limit = krylov_wins_up_to(n)
        lu_fits = memory.fits(8.0 * n**2)
        if issparse(A) and block and not _trades(A, block):
            return _said(SparseLU(tolerance=self.tolerance).factorise(A), "its regions do not trade")
        if lu_fits and max(self.expected, 1) > limit:
            why = f"{n} industries" if limit < 1 else f"{self.expected} right-hand sides, Krylov pays up to {limit:.0f}"
            return _said(DenseLU(tolerance=self.tolerance).factorise(A), why)
        krylov = Krylov(block=block, tolerance=self.tolerance).factorise(A)
        return AdaptiveFactors(krylov, limit=limit if lu_fits else np.inf, used=float(self.expected))


class AdaptiveFactors(CertifiedFactorisation):
    """Krylov until so many right-hand sides have been solved that LU would have paid, LU from then on."""

    def __init__(self, krylov: KrylovFactors, limit: float, used: float = 0.0) -> None:
        self.n = krylov.n
        self.A = krylov.A
        self.tolerance = krylov.tolerance
        self.krylov = krylov
        self.limit = limit
        self.used = used
        self._lu: DenseFactors | None = None
        self._lock = threading.Lock()

    @property
    def choice(self) -> str:  # type: ignore[override]
        """Which method it is now, and why."""
        if self._lu is not None:
            return (
                f"DenseLU: {self.used:.0f} right-hand sides so far, Krylov pays up to {self.limit:.0f} at n = {self.n}"
            )
        if np.isinf(self.limit):
            return f"{self.krylov.choice}: the factors of {self.n} industries do not fit in memory"
        return f"{self.krylov.choice}: up to {self.limit:.0f} right-hand sides it beats LU ({self.n} industries)"

    def solution(self, y: Array, *, transposed: bool = False) -> Solution:
        """Return the solution with its residuals, by the method that pays now."""
        sides = np.shape(y)[1] if np.ndim(y) == 2 else 1
        return self._method(sides).solution(y, transposed=transposed)

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        return self.solution(y, transposed=transposed).x

    def inverse_columns(self, places: npt.NDArray[np.intp]) -> Array:
        """Return columns of the inverse, by the method that pays for so many."""
        return self._method(len(places)).inverse_columns(places)

    def _method(self, sides: int) -> CertifiedFactorisation:
        with self._lock:
            self.used += sides
            if self._lu is None and self.used > self.limit:
                try:
                    self._lu = self.krylov.lu  # the same factors it falls back to when it stalls
                except SolverError:
                    if memory.fits(8.0 * self.n**2):
                        raise
                    self.limit = np.inf
            return self._lu or self.krylov


def _trades(A: Matrix, block: int) -> bool:
    """Tell whether more than two cells in 100,000 lie outside the regions' own blocks."""
    cells = coo_array(A)
    return bool(np.count_nonzero(cells.row // block != cells.col // block) > 2e-5 * A.shape[0] ** 2)


def _said(factors: Any, why: str) -> CertifiedFactorisation:
    object.__setattr__(factors, "choice", f"{factors.choice} ({why})")
    return factors  # type: ignore[no-any-return]
