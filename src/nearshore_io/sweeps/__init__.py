"""Sweeps: one template of shocks, and how its parameters vary."""

from nearshore_io.sweeps.distributions import (
    Beta,
    Choice,
    Dirichlet,
    Distribution,
    LogNormal,
    Normal,
    Triangular,
    Uniform,
)
from nearshore_io.sweeps.points import Points
from nearshore_io.sweeps.read import read_sweep, scenario_sweep
from nearshore_io.sweeps.sweep import Sweep, used

__all__ = [
    "Beta",
    "Choice",
    "Dirichlet",
    "Distribution",
    "LogNormal",
    "Normal",
    "Points",
    "Sweep",
    "Triangular",
    "Uniform",
    "read_sweep",
    "scenario_sweep",
    "used",
]
