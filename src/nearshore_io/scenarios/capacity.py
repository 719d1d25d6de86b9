"""Output that cannot rise above a limit, and resources that run out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ShockError, first_few
from nearshore_io.labels import as_list
from nearshore_io.limits import Caps
from nearshore_io.limits.caps import Rule
from nearshore_io.scenarios.base import (
    Phase,
    in_table,
    require_choice,
    require_labels,
    require_positive,
    require_share,
)
from nearshore_io.scenarios.change import Change
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import Amount, is_number

RULES = ("optimum", "rationing", "scale")


@dataclass(frozen=True)
class Capacity:
    """R x ≤ cap, for single industries or for what several need together, and the rule by which it is kept.

    - "optimum": the best case, max c'x with R x ≤ cap, 0 ≤ (I − A) x ≤ f, a linear program. Its duals, what
      another unit of each cap is worth, come as ``shadow_price``
    - "rationing": the pessimistic case, what is scarce is shared out in proportion and the scarcest critical input
      decides (Pichler & Farmer)
    - "scale": the largest share s ≤ 1 of the scenario's own change of output with R (x + s Δx) ≤ cap; which cap binds,
      and the share each would allow, are facts of the result

    It limits what the other shocks of the scenario ask for; alone, it limits the table itself.

    Parameters
    ----------
    region, sector : whose output is limited, each industry by itself; or, with a resource, who shares it.
    cut : δ, the share of present output (or use) that falls away; or
    headroom : the share by which it can rise at most; or
    level : the cap itself, of output: ``"60 billion USD"``.
    resource : what is limited: a stressor of the table (such as "jobs"), or, with
    per_output : its need per unit of output by sector, any name: ``resource="floor space", per_output={"c14": 0.3}``.
    rule : as above.
    objective : c of the optimum: an input or stressor, of ``objective_region`` where one is named.
    served : share of every final demand that has to be met whatever happens.
    critical : products without which their users cannot produce under rationing; by default all.
    critical_users : whose production they are critical for; by default everybody's.

    Raises
    ------
    ShockError
        A cap below zero, of an industry without output, or that no output can keep; caps none of which binds.

    Source: Miller & Blair (2009), section 14.4; Pichler & Farmer (2021), Economic Systems Research 34, 273–293.
    """

    region: str | Sequence[str]
    sector: str | Sequence[str] | None = None
    cut: float | None = None
    headroom: float | None = None
    level: Amount | None = None
    unit: str | None = None
    resource: str | None = None
    per_output: Mapping[str, float] | None = None
    rule: Rule = "optimum"
    objective: str = "value_added"
    objective_region: str | Sequence[str] | None = None
    served: float = 0.0
    critical: str | Sequence[str] | None = None
    critical_users: str | Sequence[str] | None = None

    kind: ClassVar[str] = "capacity"

    def __post_init__(self) -> None:
        require_labels("capacity", region=self.region)
        require_choice(self.rule, RULES, "capacity rule")
        given = [name for name in ("cut", "headroom", "level") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ShockError(f"capacity: give one of cut, headroom and level, not {' and '.join(given) or 'none'}.")
        if self.cut is not None:
            require_share(self.cut, "capacity cut")
        if self.headroom is not None and (not is_number(self.headroom) or not 0.0 <= self.headroom < np.inf):
            raise ShockError(f"capacity headroom must be a share of zero or more, not {self.headroom!r}.")
        require_share(self.served, "capacity served")
        if self.per_output is not None and self.resource is None:
            raise ShockError("capacity: per_output says what a resource is needed for; name the resource.")
        for name, need in (self.per_output or {}).items():
            require_positive(need, f"capacity per_output of {name}")
        if self.resource is not None and self.level is not None:
            raise ShockError("capacity: a resource is limited relative to its present use; give cut or headroom.")
        if self.resource is not None and self.rule == "rationing":
            raise ShockError("capacity: rationing knows caps of single industries; use the optimum for resources.")

    @property
    def basis(self) -> str:
        """Which bound the rule is."""
        return {
            "optimum": "net: the best case, everybody's purchases being rearranged for the best",
            "rationing": "net: a pessimistic case, scarce products shared out in proportion",
            "scale": "net of what the limits do not allow",
        }[self.rule]

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return the limits, in the run phase."""
        limit = self._resource(table) if self.resource else self._industries(table, deflator)
        width = len(table.sectors)
        products = np.arange(width) if self.critical is None else table.sector_positions(self.critical)
        users = np.arange(width) if self.critical_users is None else table.sector_positions(self.critical_users)
        critical = np.zeros((width, width))
        critical[np.ix_(products, users)] = 1.0
        caps = Caps(
            **limit,
            rule=self.rule,
            objective=self._objective(table),
            weights=self._weights(table),
            served=float(self.served),
            critical=critical,
        )
        return {"run": Change.of(table, caps=caps)}

    def _objective(self, table: IOTable) -> str:
        unit = table.stressors[self.objective][1] if self.objective in table.stressors else table.unit
        return f"{unit} of {self.objective.replace('_', ' ')}"

    def _weights(self, table: IOTable) -> Array:
        """Return c, the objective per unit of output, shape (n,)."""
        known = [*table.inputs, *table.stressors]
        if self.objective not in known:
            raise ShockError(
                f"capacity objective {self.objective!r} is neither input nor stressor; there are "
                f"{first_few(known, 10)}."
            )
        at = np.isin(np.arange(table.n), table.positions(region=self.objective_region))
        weights = np.where(at, table.intensity(self.objective), 0.0)
        if np.isnan(weights).any():
            raise ShockError(
                f"capacity objective: {self.objective} is unknown for some industries; name objective_region."
            )
        return weights

    def _industries(self, table: IOTable, deflator: Mapping[int, float]) -> dict[str, Any]:
        """Return a cap for each industry that has output."""
        x = table.x.values.ravel()
        industries = np.array(
            [i for i in table.positions(self.region, self.sector).tolist() if x[i] > 0], dtype=np.intp
        )
        if not industries.size:
            raise ShockError(f"capacity: {self.region} has no output of {self.sector}, so there is nothing to limit.")
        present = x[industries]
        if self.level is not None:
            level = in_table(self.level, self.unit, table, deflator, "capacity level")
            limits = level * present / present.sum()
        else:
            limits = present * self._factor()
        k = len(industries)
        rows = csr_array((np.ones(k), (np.arange(k), industries)), shape=(k, table.n))
        names = tuple(table.industry_names([i]) for i in industries.tolist())
        return {"names": names, "rows": rows, "industry": industries, "limits": limits, "units": (table.unit,) * k}

    def _resource(self, table: IOTable) -> dict[str, Any]:
        """Return one cap on what all of them need together."""
        users = table.positions(self.region, self.sector)
        need = np.zeros(table.n)
        unit = "units of it"
        if self.per_output is not None:
            for sector, amount in self.per_output.items():
                places = np.intersect1d(table.positions(self.region, sector), users)
                need[places] = amount
        else:
            if self.resource not in table.stressors:
                raise ShockError(
                    f"capacity resource {self.resource!r} is no stressor of the table "
                    f"({first_few(table.stressors, 10) or 'it has none'}): "
                    "give its need with per_output."
                )
            unit = table.stressors[self.resource][1]
            need[users] = table.intensity(self.resource)[users]
        if np.isnan(need).any():
            raise ShockError(f"capacity resource: {self.resource} is unknown for some industries of {self.region}.")
        used = float(need @ table.x.values.ravel())
        if not used > 0:
            raise ShockError(f"capacity resource: {self.region} uses no {self.resource} in these sectors.")
        name = f"{self.resource} of {first_few(as_list(self.region))}"
        limits, shared = np.array([used * self._factor()]), np.array([-1], dtype=np.intp)
        return {
            "names": (name,),
            "rows": csr_array(need[None, :]),
            "industry": shared,
            "limits": limits,
            "units": (unit,),
        }

    def _factor(self) -> float:
        return 1.0 - self.cut if self.cut is not None else 1.0 + float(self.headroom or 0.0)
