"""The power series, round by round: what suppliers deliver, and their suppliers, and theirs."""

from dataclasses import dataclass

import numpy as np

from nearshore_io.errors import SolverError
from nearshore_io.solvers.base import Array, CertifiedFactorisation, Matrix, checked_rhs
from nearshore_io.solvers.spectral import productive_matrix


@dataclass(frozen=True)
class PowerSeries:
    """x = y + A y + A² y + …, summed until a round adds less than ``rtol``.

    The slowest method here (its error falls by ρ(A) a round), and the one whose steps mean something: round t is what
    suppliers of tier t deliver. Source: Waugh (1950); Miller & Blair (2009), section 2.4.

    Parameters
    ----------
    rtol : size of a round, relative to the sum so far, at which the series stops.
    maxiter : rounds at most.
    tolerance : largest relative residual that is returned.
    """

    rtol: float = 1e-14
    maxiter: int = 5000
    tolerance: float = 1e-9

    def factorise(self, A: Matrix) -> "PowerFactors":
        """Return the series, ready to sum.

        Raises
        ------
        SolverError
            If A is not square and finite, or ρ(A) ≥ 1, where the series diverges.
        """
        matrix = productive_matrix(A)
        return PowerFactors(matrix.shape[0], matrix, self.rtol, self.maxiter, self.tolerance)


@dataclass(frozen=True, eq=False)
class PowerFactors(CertifiedFactorisation):
    """The power series of one A."""

    n: int
    A: Matrix
    rtol: float
    maxiter: int
    tolerance: float
    choice: str = "PowerSeries"

    def rounds(self, y: Array, tiers: int, *, transposed: bool = False) -> Array:
        """Return the first rounds y, A y, …, Aᵗ y, shape (tiers + 1, …): row t is what tier t delivers.

        Raises
        ------
        SolverError
            If y has the wrong length or is not finite, or tiers is negative.
        """
        if tiers < 0:
            raise SolverError(f"the number of tiers must not be negative, as {tiers} is.")
        found = [checked_rhs(y, self.n)]
        for _ in range(tiers):
            found.append(self.product(found[-1], transposed=transposed))
        return np.array(found)

    def _solve(self, y: Array, *, transposed: bool) -> Array:
        total, term = y.copy(), y
        for _ in range(self.maxiter):
            term = self.product(term, transposed=transposed)
            total = total + term
            if float(np.abs(term).max(initial=0.0)) <= self.rtol * float(np.abs(total).max(initial=0.0)):
                return total
        raise SolverError(
            f"the power series has not converged after {self.maxiter} rounds: ρ(A) is close to one. Use DenseLU."
        )
