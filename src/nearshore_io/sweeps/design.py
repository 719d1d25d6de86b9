"""Points of the unit cube: Sobol' sequences, Latin hypercubes and plain random draws, in blocks that need no memory."""

from functools import cache
from typing import Literal

import numpy as np

from nearshore_io.errors import FormatError
from nearshore_io.solvers.base import Array

Design = Literal["sobol", "latin_hypercube", "random"]
DESIGNS = ("sobol", "latin_hypercube", "random")
BLOCK = 4096
"""Random draws that come from one stream; a block is drawn whatever part of it is asked for."""
MOST_COORDINATES = 21201
"""Coordinates of scipy's Sobol' sequences."""
LARGEST_HYPERCUBE = 10_000_000
"""Numbers of a Latin hypercube that are kept in memory at most, 80 MB."""


def require_design(design: str, samples: int, width: int) -> None:
    """Raise `FormatError` unless so many samples of so many coordinates can be drawn by a design."""
    if design not in DESIGNS:
        raise FormatError(f"design must be one of {', '.join(DESIGNS)}, not {design!r}.")
    if design == "sobol" and samples & (samples - 1):
        near = 1 << (samples.bit_length() - 1), 1 << samples.bit_length()
        raise FormatError(
            f"samples = {samples}: Sobol' points are balanced for powers of two only; take {near[0]} or {near[1]}, or "
            'design = "latin_hypercube".'
        )
    if design == "sobol" and width > MOST_COORDINATES:
        raise FormatError(f"{width} random numbers a scenario: Sobol' sequences have {MOST_COORDINATES} at most.")
    if design == "latin_hypercube" and samples * width > LARGEST_HYPERCUBE:
        raise FormatError(
            f"a Latin hypercube of {samples:,} samples is drawn as a whole and takes {8e-6 * samples * width:,.0f} MB: "
            'take design = "sobol", which is drawn block by block.'
        )


def unit_points(design: Design, samples: int, width: int, seed: int, start: int, stop: int) -> Array:
    """Return points start … stop − 1 of a design, shape (stop − start, width), strictly inside the unit cube.

    The same points whatever the block they are asked for in. Sobol' points are scrambled by the seed (Owen 1998); a
    hypercube has one point in each of ``samples`` slices of every coordinate (McKay, Beckman & Conover 1979).
    """
    from scipy.stats import qmc  # half a second of import that only draws need

    if design == "sobol":
        engine = qmc.Sobol(width, scramble=True, rng=np.random.default_rng(seed))
        if start:
            engine.fast_forward(start)
        points = engine.random(1 << (stop - start).bit_length())[: stop - start]
    elif design == "latin_hypercube":
        points = _hypercube(samples, width, seed)[start:stop]
    else:
        first, last = start // BLOCK, -(-stop // BLOCK)
        drawn = [np.random.default_rng([seed, block]).random((BLOCK, width)) for block in range(first, last)]
        points = np.concatenate(drawn)[start - first * BLOCK : stop - first * BLOCK]
    smallest = np.finfo(np.float64).eps
    return np.asarray(np.clip(points, smallest, 1.0 - smallest))


@cache
def _hypercube(samples: int, width: int, seed: int) -> Array:
    from scipy.stats import qmc

    return np.asarray(qmc.LatinHypercube(width, rng=np.random.default_rng(seed)).random(samples))
