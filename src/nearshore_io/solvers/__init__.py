"""Solvers of (I − A) x = y: arrays in, arrays out, a measured residual on every solution."""

from nearshore_io.solvers.base import CertifiedFactorisation, Factorisation, Solution, Solver
from nearshore_io.solvers.choose import Auto
from nearshore_io.solvers.dense import DenseLU
from nearshore_io.solvers.sparse import SparseLU
from nearshore_io.solvers.spectral import require_productive, spectral_radius
from nearshore_io.solvers.update import Updated

__all__ = [
    "Auto",
    "CertifiedFactorisation",
    "DenseLU",
    "Factorisation",
    "Solution",
    "Solver",
    "SparseLU",
    "Updated",
    "require_productive",
    "spectral_radius",
]
