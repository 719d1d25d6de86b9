"""Matrices brought to given totals: arrays only, pure functions, frozen results."""

from nearshore_io.balance.conflict import conflicting
from nearshore_io.balance.entropy import cross_entropy
from nearshore_io.balance.fit import Balanced, inverse_change
from nearshore_io.balance.gras import gras, mr_gras
from nearshore_io.balance.kras import kras
from nearshore_io.balance.least_squares import least_squares
from nearshore_io.balance.ras import ras

__all__ = [
    "Balanced",
    "conflicting",
    "cross_entropy",
    "gras",
    "inverse_change",
    "kras",
    "least_squares",
    "mr_gras",
    "ras",
]
