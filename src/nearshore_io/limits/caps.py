"""Limits on output and on the resources it needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.sparse import csr_array, vstack

from nearshore_io.errors import ShockError, first_few
from nearshore_io.solvers.base import Array, Positions

Rule = Literal["optimum", "rationing", "scale"]


@dataclass(frozen=True)
class Caps:
    """R x ≤ cap, and how the economy keeps it.

    Attributes
    ----------
    names : of the caps, such as "MEX/c14" or "skilled labour".
    rows : R, requirement per unit of output, sparse (k, n): a single one for a cap on an industry.
    industry : position of the industry each cap is on, minus one where several share a resource, shape (k,).
    limits : what there is of each, shape (k,).
    units : of the limits.
    rule : "optimum", "rationing" or "scale".
    objective : what the optimum makes as large as it can, in words with its unit.
    weights : c, the same per unit of output, shape (n,).
    served : share of final demand that must be served whatever happens.
    critical : K, one where a product (row) is one without which a sector (column) cannot produce, shape (width,
        width), for "rationing".
    """

    names: tuple[str, ...]
    rows: csr_array
    industry: Positions
    limits: Array
    units: tuple[str, ...]
    rule: Rule
    objective: str
    weights: Array
    served: float
    critical: Array

    @classmethod
    def together(cls, caps: Sequence["Caps"]) -> "Caps | None":
        """Return all caps, None of none.

        Raises
        ------
        ShockError
            If something is capped twice, or two caps hold by different rules.
        """
        if not caps:
            return None
        first = caps[0]
        names = [name for part in caps for name in part.names]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ShockError(f"{first_few(twice)} is capped twice: give one cap for each.")
        for other in caps[1:]:
            same = (other.rule, other.served) == (first.rule, first.served)
            if not (same and (other.weights == first.weights).all() and (other.critical == first.critical).all()):
                raise ShockError(
                    "caps of one scenario hold by one rule: give them the same rule, objective, served and critical."
                )
        return replace(
            first,
            names=tuple(names),
            rows=csr_array(vstack([part.rows for part in caps])),
            industry=np.concatenate([part.industry for part in caps]),
            limits=np.concatenate([part.limits for part in caps]),
            units=tuple(unit for part in caps for unit in part.units),
        )
