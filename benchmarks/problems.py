"""Synthetic tables of any shape, split from the shipped table: seedable, and skewed as real tables are.

What real tables have and these keep: a region's own block dominates its column (domestic siblings trade little), cells
are log-normal, small cells are zero up to the density asked for, some industries have no output, final demand has
negative entries (inventories), and column sums are those of the parent industry.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nearshore_io as nio
from nearshore_io.solvers import spectral_radius

CACHE = Path(__file__).parent / ".cache"
HOME = 0.9
"""Share of a split country's domestic purchases that stay in the buying region."""
SPREAD = (0.4, 1.9)
"""Standard deviation of the log of a cell around its parent's: of large cells (a coefficient of 0.01), of small ones."""
IDLE = 0.014
"""Share of industries without output: 20 of 1,435 in 2011."""


@dataclass(frozen=True)
class Shape:
    """A problem by name: regions × sectors, density of A, seed."""

    regions: int
    sectors: int
    density: float
    seed: int = 1

    @property
    def n(self) -> int:
        """Industries."""
        return self.regions * self.sectors


SHAPES = {
    "wiod": Shape(41, 35, 0.20),
    "icio": Shape(85, 50, 0.70),
    "exiobase": Shape(49, 200, 0.60),
    "gloria": Shape(164, 120, 0.35),
    "tiny": Shape(12, 35, 0.50),
    "national": Shape(85, 50, 0.0082),
}
"""ICIO-2025-EXT, EXIOBASE and GLORIA by their shapes; "national" is 85 national tables side by side, without trade."""


def problem(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, Shape]:
    """Return A (n, n), final demand y (n,), value added per output v (n,), and the shape; cached on disk."""
    shape = SHAPES[name]
    CACHE.mkdir(exist_ok=True)
    files = [CACHE / f"{name}-{part}.npy" for part in ("A", "y", "v")]
    if not all(file.exists() for file in files):
        for file, array in zip(files, build(shape, trade=name != "national"), strict=True):
            np.save(file, array)
    A, y, v = (np.load(file) for file in files)
    return A, y, v, shape


def build(shape: Shape, *, trade: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A, y and v of a synthetic table."""
    table = nio.load_table("north-america-2011")
    rng = np.random.default_rng(shape.seed)
    base = np.asarray(table.A).reshape(len(table.regions), len(table.sectors), len(table.regions), len(table.sectors))
    region, region_share = _children(rng, len(table.regions), shape.regions)
    sector, sector_share = _children(rng, len(table.sectors), shape.sectors)
    A = np.empty((shape.n, shape.n))
    idle = rng.random(shape.n) < IDLE
    for i in range(shape.regions):
        rows = slice(i * shape.sectors, (i + 1) * shape.sectors)
        block = base[region[i]][sector][:, region][:, :, sector] * sector_share[:, None, None]
        share = np.where(region == region[i], (1 - HOME) * region_share[i], region_share[i])
        share[i] = HOME + (1 - HOME) * region_share[i]
        if not trade:
            share = np.where(np.arange(shape.regions) == i, 1.0, 0.0)
        cells = block * share[None, :, None]
        spread = SPREAD[1] - (SPREAD[1] - SPREAD[0]) * np.minimum(cells / 0.01, 1.0)
        noise = np.exp(spread * rng.standard_normal(cells.shape) - spread**2 / 2)
        A[rows] = (cells * noise).reshape(shape.sectors, shape.n)
    _thin(A, shape, rng)
    A[idle], A[:, idle] = 0.0, 0.0
    wanted = np.tile(base.sum(axis=(0, 1))[region][:, sector].ravel(), 1)
    sums = A.sum(axis=0)
    A *= np.where(sums > 0, np.minimum(wanted, 0.95) / np.where(sums > 0, sums, 1.0), 0.0)
    demand = np.asarray(table.Y.sum(["final_region", "category"])).reshape(len(table.regions), -1)
    y = (demand[region][:, sector] * region_share[:, None] * sector_share[None, :]).ravel()
    y *= rng.lognormal(0, 0.5, shape.n) * np.where(rng.random(shape.n) < 0.02, -0.1, 1.0)
    y[idle] = 0.0
    return A, y, 1.0 - A.sum(axis=0)


def closeness(A: np.ndarray, sectors: int) -> dict[str, float]:
    """Return what a table looks like: density, skew (deviation of log cells), ρ(A), mass of the regions' own blocks."""
    cells = A[A > 0]
    own = sum(A[i : i + sectors, i : i + sectors].sum() for i in range(0, len(A), sectors))
    return {
        "density": float(np.count_nonzero(A) / A.size),
        "log_deviation": float(np.log(cells).std()),
        "spectral_radius": spectral_radius(A),
        "own_block_mass": float(own / A.sum()),
        "zero_columns": float((A.sum(axis=0) == 0).mean()),
    }


def _children(rng: np.random.Generator, parents: int, children: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the parent of each child, and the child's share in it."""
    parent = np.sort(
        np.concatenate([np.arange(min(parents, children)), rng.integers(parents, size=max(children - parents, 0))])
    )
    size = rng.lognormal(0, 1.0, children)
    return parent, size / np.bincount(parent, size, minlength=parents)[parent]


def _thin(A: np.ndarray, shape: Shape, rng: np.random.Generator) -> None:
    """Zero the smallest cells until the density is the one asked for (estimated on a sample)."""
    sample = rng.choice(A.ravel(), size=min(A.size, 2_000_000))
    limit = np.quantile(sample, 1.0 - shape.density)
    for rows in range(0, len(A), 512):
        part = A[rows : rows + 512]
        part[part < limit] = 0.0
