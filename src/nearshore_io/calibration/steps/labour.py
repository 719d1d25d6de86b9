"""Steps that add jobs, hours, skills and labour income."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from nearshore_io.calibration.labour import (
    HOURS,
    PERSONS,
    Labour,
    counted_jobs,
    jobs_by_pay,
    require_pay,
    skill_shares,
)
from nearshore_io.calibration.sections import Cell, Section, table_section
from nearshore_io.calibration.steps.base import Context, Step, StepResult
from nearshore_io.errors import BalanceError, FormatError
from nearshore_io.readers.accounts import read_accounts, to_stressors
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ByPay(_Given):
    """Jobs whose pay has the pattern of older accounts (`jobs_by_pay`); employees in thousand persons."""

    accounts: str
    year: int
    employees: float
    source: str


class Counted(_Given):
    """Jobs as counted, informal ones among them (`counted_jobs`)."""

    file: str
    source: str


class Skills(_Given):
    """Shares of skills in hours worked (`skill_shares`)."""

    accounts: str
    year: int
    source: str


class PayBounds(_Given):
    """Bounds of pay per job relative to the country's mean, and the industries known to lie outside, with reasons."""

    low: float = 0.2
    high: float = 5.0
    exceptions: dict[str, str] = Field(default_factory=dict)


class LabourStep(Step):
    """Add jobs, informal jobs, hours and jobs by skill, and hold pay per job within bounds.

    Attributes
    ----------
    by_pay, counted : how jobs of each country are found. processing_jobs : thousand jobs of regions that are part of
        a split country; its other region has the rest. skills : whose shares.
    """

    do: Literal["labour"]
    by_pay: dict[str, ByPay] = Field(default_factory=dict)
    counted: dict[str, Counted] = Field(default_factory=dict)
    processing_jobs: dict[str, float] = Field(default_factory=dict)
    skills: Skills | None = None
    pay_bounds: PayBounds = PayBounds()

    def raw_files(self, context: Context) -> list[Path]:
        """Return accounts and counts."""
        names = [given.accounts for given in self.by_pay.values()] + [given.file for given in self.counted.values()]
        names += [self.skills.accounts] if self.skills else []
        return [context.raw / name for name in dict.fromkeys(names)]

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the table with labour, and pay per job by country."""
        base = self.given(table)
        pay = base.stressors["compensation"][0].reshape(len(base.regions), -1)
        grids: dict[str, Array] = {}
        lines = []
        for country, found in self._found(base, context, pay).items():
            parts = [i for i, region in enumerate(base.regions) if base.country[region] == country]
            shares = self._shares(base, parts, found.jobs)
            rows = {"jobs": found.jobs, "informal_jobs": found.informal, "hours": found.hours}
            if self.skills is not None:
                split = skill_shares(context.raw / self.skills.accounts, country, self.skills.year, base.sectors)
                rows |= {f"jobs_{skill}_skilled": found.jobs * share for skill, share in split.items()}
            for name, values in rows.items():
                if values is None:
                    continue
                grid = grids.setdefault(name, np.full(pay.shape, np.nan))
                for i, share in zip(parts, shares, strict=True):
                    grid[i] = values * share
            informal = "" if found.informal is None else f", {found.informal.sum():,.0f} thousand of them informal"
            lines.append(f"{country}: {found.jobs.sum():,.0f} thousand jobs{informal}")
        stressors = {name: (grid.ravel(), HOURS if name == "hours" else PERSONS) for name, grid in grids.items()}
        result = base.with_stressors(stressors, f"labour of {', '.join([*self.by_pay, *self.counted])} added")
        bounds = self.pay_bounds
        frame = require_pay(result, bounds.low, bounds.high, bounds.exceptions).sort_values("ratio")
        extremes: list[dict[str, Cell]] = [
            {
                "industry": row["name"],
                "pay per job, thousand USD": row["per_job"] / 1e3,
                "ratio to the country's mean": row["ratio"],
                "exception": row["exception"] if isinstance(row["exception"], str) else "",
            }
            for _, row in frame.iloc[sorted({*range(len(frame))[:8], *range(len(frame))[-8:]})].iterrows()
        ]
        lines += [f"{country}: {given.source}" for country, given in (self.by_pay | self.counted).items()]
        return StepResult(
            result, (table_section("Labour: the lowest and the highest pay per job", extremes, self.rests_on, lines),)
        )

    def _found(self, base: IOTable, context: Context, pay: Array) -> dict[str, Labour]:
        found = {}
        for country, given in self.by_pay.items():
            found[country] = jobs_by_pay(
                context.raw / given.accounts,
                country,
                given.year,
                base.sectors,
                self._pay(base, country, pay),
                given.employees,
            )
        for country, counted in self.counted.items():
            found[country] = counted_jobs(
                context.raw / counted.file,
                base.sectors,
                self._pay(base, country, pay),
                self._pay(base, country, base.v.sel(input="value_added").values),
            )
        return found

    @staticmethod
    def _pay(base: IOTable, country: str, pay: Array) -> Array:
        rows = [i for i, region in enumerate(base.regions) if base.country[region] == country]
        if not rows:
            raise FormatError(f"labour of {country}: the table has no such country.")
        return np.asarray(pay[rows].sum(axis=0))

    def _shares(self, base: IOTable, parts: list[int], jobs: Array) -> list[Array]:
        """Return each region's share of the country's jobs, by industry: by output, one level to its total."""
        if len(parts) == 1:
            return [np.ones(len(base.sectors))]
        x = base.x.values[parts]
        shares = np.divide(x, x.sum(axis=0), out=np.zeros_like(x), where=x.sum(axis=0) > 0)
        given = [self.processing_jobs.get(base.regions[i]) for i in parts]
        if len(parts) != 2 or given.count(None) != 1:
            raise FormatError("processing_jobs: the jobs of one of a country's two regions are needed.")
        known, total = next((k, value) for k, value in enumerate(given) if value is not None)
        level = total / float((shares[known] * jobs).sum())
        own = shares[known] * level
        if (own > 1).any():
            raise BalanceError(
                f"{base.regions[parts[known]]} would have more jobs than there are in its country's industries."
            )
        return [own if k == known else 1 - own for k in range(2)]


class LabourIncomeStep(Step):
    """Add ``labour_income``: compensation where published, else value added times its share in a year it was."""

    do: Literal["labour_income"]
    accounts: str
    reference_year: int
    digits: int

    def raw_files(self, context: Context) -> list[Path]:
        """Return the accounts."""
        return [context.raw / self.accounts]

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the table with labour income."""
        base = self.given(table)
        accounts = read_accounts(context.raw / self.accounts)
        now, _ = to_stressors(accounts, base, ["compensation", "value_added_basic_prices"])
        then = accounts.set_index(["variable", "country", "code"])[self.reference_year]
        share = _on_grid(then, "COMP", base) / _on_grid(then, "VA", base)
        published, value_added = now["compensation"][0], now["value_added_basic_prices"][0]
        income = np.where(np.isnan(published), share * value_added, published)
        note = (
            f"labour_income: compensation where published for {base.year}, else {base.year} value added at basic "
            f"prices times the compensation share of {self.reference_year} (estimate)"
        )
        result = base.with_stressors(
            {"labour_income": (np.asarray(income, dtype=float).round(self.digits), base.unit)}, note
        )
        return StepResult(result, (Section("Labour income", self.rests_on, (note,)),))


def _on_grid(values: pd.Series, variable: str, table: IOTable) -> Array:
    index = [(region, sector) for region in table.regions for sector in table.sectors]
    found = np.array(values.loc[variable].reindex(index).to_numpy(dtype=np.float64))
    found[found == 0] = np.nan  # an industry without value added has no compensation share
    return found
