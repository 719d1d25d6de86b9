"""A plant with a recipe of its own: a new column of the table, and its row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ShockError, first_few
from nearshore_io.labels import Positions
from nearshore_io.products import Sourcing
from nearshore_io.scenarios.base import (
    Phase,
    in_table,
    output_shares,
    require_choice,
    require_labels,
    require_positive,
    require_share,
    require_shares,
)
from nearshore_io.scenarios.capital import capital_formation
from nearshore_io.scenarios.change import Activity, Change, Fact
from nearshore_io.scenarios.recipes import (
    average_column,
    blended,
    host_sourcing,
    own_intensities,
)
from nearshore_io.scenarios.trade import chosen_uses, final_uses, sales_mix
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable
from nearshore_io.units import Amount


@dataclass(frozen=True)
class Plant:
    """A plant p that makes what sector i of region m makes, by its own recipe and from its own suppliers.

        a_(k,h),p = [λ θ^m_(k|h) + (1 − λ) θ^c_(k|h)] Aᵀ_h,src,   v_p = 1 − 1ᵀa_p − τ_p,

    the bordered table [[A − e_c b_p, a_p], [b_p, 0]]. λ = 1 buys where the host's industry buys, λ = 0 where the
    industry of the country buys whose ``technology`` it brings: a plant that assembles kits.

    Its output X̄ comes from what was announced: jobs/ε, or capex/k; with both, the ratio of the two, jobs k/(ε capex),
    is given as ``coherence``: one if the announcement fits the industry, above if it employs more than the industry
    would.

    *build*, if capex is given: capital formation. *run*: Δx = L a_p x_p, with the plant's own output booked in (m, i).

    Parameters
    ----------
    region, sector : m and i, where it stands and what it makes.
    output : X̄, a year; or
    jobs : announced, headcount; or
    capex : together with ``capital_output_ratio`` k.
    size_by : which of jobs and capex sets the output where both are given; capex in any case where the table has no
        jobs.
    technology : country, region or group whose industry i gives the recipe; by default the host's own.
    localisation : λ, between 0 and 1.
    replaces : region, country or group whose sales of i to ``buyers`` the plant takes over, pro rata; without it, its
        output is additional and goes to final users.
    buyers : whose purchases; by default everybody's.
    final_region : country whose final users buy additional output; by default as the industry sells.
    assets : shares of capex by asset; by default the host's mix of capital formation.
    stressor : the stressor that holds jobs.

    Raises
    ------
    ShockError
        Nothing that sets the output; a recipe that uses more than it makes; more sales than there are to take over.

    Source: Miller & Blair (2009), section 13.3 (new industries); Yamada (2014) for columns of subsidiaries.
    """

    region: str
    sector: str
    output: Amount | None = None
    jobs: float | None = None
    capex: Amount | None = None
    unit: str | None = None
    capital_output_ratio: float | None = None
    size_by: Literal["jobs", "capex"] = "jobs"
    technology: str | None = None
    localisation: float = 1.0
    replaces: str | Sequence[str] | None = None
    buyers: str | Sequence[str] | None = None
    final_region: str | None = None
    assets: Mapping[str, float] | None = None
    stressor: str = "jobs"

    kind: ClassVar[str] = "plant"

    def __post_init__(self) -> None:
        require_labels("plant", region=self.region, sector=self.sector)
        require_share(self.localisation, "plant localisation")
        require_choice(self.size_by, ("jobs", "capex"), "plant size_by")
        for name in ("jobs", "capital_output_ratio"):
            if getattr(self, name) is not None:
                require_positive(getattr(self, name), f"plant {name}")
        if self.output is None and self.jobs is None and (self.capex is None or self.capital_output_ratio is None):
            raise ShockError("plant: give its output, its jobs, or its capex with a capital_output_ratio.")
        if self.output is not None and self.jobs is not None:
            raise ShockError("plant: give its output or its jobs, not both.")
        if self.assets is not None:
            object.__setattr__(self, "assets", require_shares(self.assets, "plant assets"))
        if self.buyers is not None and self.replaces is None:
            raise ShockError("plant: buyers are those whose suppliers it replaces; name replaces too.")

    @property
    def basis(self) -> str:
        """Gross, or net of the sales it takes over."""
        if self.replaces is None:
            return "gross: the plant's sales are additional"
        return f"net of the sales it takes over from {first_few(labels.as_list(self.replaces))}"

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return capital formation of the build phase, and the new column of the run phase."""
        phases: dict[Phase, Change] = {}
        capex = None if self.capex is None else in_table(self.capex, self.unit, table, deflator, "plant capex")
        if capex is not None:
            phases["build"] = self._building(table, capex)
        hosts = table.positions(self.region, self.sector)
        shares = output_shares(table, hosts, "plant")
        labour = float(shares @ self._labour(table)[hosts])
        sized = self._sized(table, deflator, capex, labour)
        takeover = self._takeover(table, sized.output)
        activities = []
        for host, share in zip(hosts.tolist(), shares.tolist(), strict=True):
            recipe = self._recipe(table, host)
            final = self._additional(table, host, sized.output) if takeover is None else takeover.final.sum(axis=0)
            sales = np.zeros(table.n) if takeover is None else takeover.inputs.sum(axis=0)
            own = own_intensities(table, recipe, host, "plant")
            if sized.labour is not None:
                own[self.stressor] = sized.labour / self._persons(table)
            activities.append(Activity(host, recipe, share * sales, share * final, own))
        parts = {} if takeover is None else takeover.parts(table)
        phases["run"] = Change.of(table, activities=tuple(activities), facts=sized.facts, **parts)
        return phases

    def _building(self, table: IOTable, capex: float) -> Change:
        hosts = sorted(table.countries_of(self.region))
        if len(hosts) != 1:
            raise ShockError(f"plant: {self.region!r} is several countries ({first_few(hosts)}).")
        bought = capital_formation(table, hosts[0], capex, "GFCF", assets=self.assets)
        facts = {"product taxes on capital goods": Fact(bought.taxes, table.unit)} if bought.taxes else {}
        return Change.of(table, demand=bought.demand, patterned=bought.demand, facts=facts)

    def _persons(self, table: IOTable) -> float:
        """Return the persons in one unit of the table's jobs."""
        return 1e3 if table.stressors[self.stressor][1].startswith("thousand ") else 1.0

    def _labour(self, table: IOTable) -> Array:
        """Return ε, jobs (persons) per unit of output, shape (n,); NaN where nobody knows."""
        if self.stressor not in table.stressors:
            return np.full(table.n, np.nan)
        return table.intensity(self.stressor) * self._persons(table)

    def _sized(self, table: IOTable, deflator: Mapping[int, float], capex: float | None, labour: float) -> "_Size":
        """Return X̄ and how it was found; ``labour`` is ε of the host's industry in persons."""
        if self.output is not None:
            return _Size(in_table(self.output, self.unit, table, deflator, "plant output"), None, {})
        ratio = self.capital_output_ratio
        by_capex = None if capex is None or ratio is None else capex / ratio
        facts = {} if by_capex is None else {"output by capex": Fact(by_capex, table.unit)}
        if self.jobs is None or (by_capex is not None and not labour > 0):
            known = self.jobs is not None and by_capex is not None and self.stressor in table.stressors
            return _Size(by_capex or 0.0, (self.jobs or 0.0) / (by_capex or 1.0) if known else None, facts)
        if not labour > 0:
            raise ShockError(
                f"plant: {table.name} has no {self.stressor} for {self.region}, so its jobs set no output. "
                "Give the output."
            )
        by_jobs = self.jobs / labour
        facts["output by jobs"] = Fact(by_jobs, table.unit)
        if by_capex is None:
            return _Size(by_jobs, None, facts)
        facts["coherence (output by jobs / output by capex)"] = Fact(by_jobs / by_capex, "1")
        if self.size_by == "jobs":
            return _Size(by_jobs, None, facts)
        return _Size(by_capex, self.jobs / by_capex, facts)

    def _recipe(self, table: IOTable, host: int) -> Array:
        """Return a_p, shape (n,)."""
        own = average_column(table, np.array([host]))
        source = (
            own if self.technology is None else average_column(table, table.positions(self.technology, self.sector))
        )
        needed = Sourcing.of(source, len(table.sectors)).recipe
        origin = Sourcing.of(source, len(table.sectors)).shares
        if self.localisation == 0.0:
            return blended(needed, origin, origin, 0.0)
        return blended(needed, host_sourcing(table, host, needed, "plant localisation"), origin, self.localisation)

    def _additional(self, table: IOTable, host: int, output: float) -> Array:
        """Return additional sales by final use, shape (m,), in the proportions in which the industry sells already."""
        return np.asarray(output * sales_mix(table, np.array([host]), chosen_uses(table, self.final_region))[0])

    def _takeover(self, table: IOTable, output: float) -> "_Takeover | None":
        """Return the sales of rivals that the plant takes over, None where its output is additional."""
        if self.replaces is None:
            return None
        rivals = table.positions(self.replaces, self.sector)
        buyers = table.positions(region=self.buyers)
        regions = table.region_positions(list(table.regions) if self.buyers is None else self.buyers)
        uses = final_uses(table, regions)
        inputs, final = np.zeros((len(rivals), table.n)), np.zeros((len(rivals), table.y.shape[1]))
        inputs[:, buyers] = dense(table.A[rivals][:, buyers])
        final[:, uses] = np.maximum(table.y[rivals][:, uses], 0.0)
        there = float((inputs @ table.x.values.ravel()).sum() + final.sum())
        if not 0 < output <= there * (1 + 1e-9):
            raise ShockError(
                f"plant: it would make {output:,.4g} {table.unit}, but {first_few(labels.as_list(self.replaces))} "
                f"sells only {there:,.4g} of {self.sector} to these buyers: take over less, from more, or from more "
                "buyers."
            )
        return _Takeover(rivals, inputs * (output / there), final * (output / there))


@dataclass(frozen=True)
class _Size:
    """Output, jobs per unit of output where they are not the industry's (persons), and what was found on the way."""

    output: float
    labour: float | None
    facts: dict[str, Fact]


@dataclass(frozen=True)
class _Takeover:
    """Coefficients, (r, n), and final sales, (r, m), that leave rivals at these positions."""

    rivals: Positions
    inputs: Array
    final: Array

    def parts(self, table: IOTable) -> dict[str, csr_array]:
        """Return what rivals lose, as parts of a change."""
        r = len(self.rivals)
        leave = csr_array((np.ones(r), (self.rivals, np.arange(r))), shape=(table.n, r))
        lost = csr_array(leave @ csr_array(self.final))
        return {"P": -leave, "Q": csr_array(self.inputs), "demand": -lost, "moved": -lost, "taken": lost}
