"""The choice of a method by size and density."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse

from nearshore_io.solvers.base import CertifiedFactorisation, Matrix
from nearshore_io.solvers.dense import DenseLU
from nearshore_io.solvers.sparse import SparseLU

SPARSE_BELOW = 0.005
"""Density under which SuperLU's fill leaves it ahead of dense LU on block-structured tables."""


@dataclass(frozen=True)
class Auto:
    """Takes the method that fits the table, and says which and why.

    Parameters
    ----------
    rtol : largest relative residual that is returned.
    """

    rtol: float = 1e-9

    def factorise(self, A: Matrix) -> CertifiedFactorisation:
        """Return the factorised system I − A."""
        n = A.shape[0]
        density = float((A.nnz if issparse(A) else np.count_nonzero(A)) / max(n * n, 1))
        sparse = issparse(A) and density < SPARSE_BELOW
        solver = SparseLU(rtol=self.rtol) if sparse else DenseLU(rtol=self.rtol)
        factors = solver.factorise(A)
        return replace(factors, choice=f"{type(solver).__name__} for {n} industries at density {density:.2f}")
