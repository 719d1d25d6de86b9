"""Solvers of (I − A) x = y: arrays in, arrays out, a measured residual on every solution."""

from nearshore_io.solvers.base import CertifiedFactorisation, Factorisation, Solution, Solver, with_block
from nearshore_io.solvers.choose import Auto, crossovers
from nearshore_io.solvers.dense import DenseLU, MixedLU, leontief_inverse
from nearshore_io.solvers.functionals import Functionals, RowMoves
from nearshore_io.solvers.krylov import Krylov
from nearshore_io.solvers.power import PowerSeries
from nearshore_io.solvers.sparse import SparseLU
from nearshore_io.solvers.spectral import require_productive, spectral_radius
from nearshore_io.solvers.storage import Stored, single, threshold
from nearshore_io.solvers.update import Updated

__all__ = [
    "Auto",
    "CertifiedFactorisation",
    "DenseLU",
    "Factorisation",
    "Functionals",
    "Krylov",
    "MixedLU",
    "PowerSeries",
    "RowMoves",
    "Solution",
    "Solver",
    "SparseLU",
    "Stored",
    "Updated",
    "crossovers",
    "leontief_inverse",
    "require_productive",
    "single",
    "spectral_radius",
    "threshold",
    "with_block",
]
