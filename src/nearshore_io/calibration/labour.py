"""Jobs, hours and skills of a year from pay, counts and older accounts; and whether they fit the pay."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nearshore_io import labels
from nearshore_io.classifications import divisions, list_of
from nearshore_io.errors import BalanceError, FormatError, LabelError, first_few
from nearshore_io.files import readable
from nearshore_io.readers.accounts import read_accounts
from nearshore_io.readers.accounts_2016 import LIST, read_accounts_2016
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

PERSONS, HOURS = "thousand persons", "million hours"
SKILLS = {"high": "H_HS", "medium": "H_MS", "low": "H_LS"}
_SCIAN = "scian-mip-2018"


@dataclass(frozen=True)
class Labour:
    """Labour of one region, each (N,): persons in thousands, hours in millions; None where nobody says."""

    jobs: Array
    informal: Array | None = None
    hours: Array | None = None


def shared(values: Mapping[str, float], source: str, sectors: tuple[str, ...], weights: Array) -> Array:
    """Return totals of one list of industries on another, (N,): nothing is lost.

    An industry goes to those it shares divisions of ISIC Rev. 4 with, in proportion to weight × share of their
    divisions that is common. Where all weights are zero, to the divisions alone.

    Raises
    ------
    LabelError
        If an industry shares no division with any of them.
    """
    theirs = divisions(list_of(sectors))
    own = divisions(source)
    found = np.zeros(len(sectors))
    for code, value in values.items():
        common = np.array([len(set(own[code]) & set(theirs[s])) / len(theirs[s]) for s in sectors])
        shares = common * weights if (common * weights).sum() > 0 else common
        if shares.sum() == 0:
            raise LabelError(f"{code} of {source} shares no division with {first_few(sectors)}.")
        found += value * shares / shares.sum()
    return found


def jobs_by_pay(
    accounts: Path, country: str, year: int, sectors: tuple[str, ...], pay: Array, employees: float
) -> Labour:
    """Return jobs whose pay has the pattern of older accounts and whose employees sum to a known total.

    e_j = w_j / (ω_j g), with pay w_j of the year, pay per employee ω_j of the accounts, and one growth g of all wages
    that makes Σ e_j the known total. Jobs are e_j times persons engaged per employee, hours e_j times hours per
    employee, both of the accounts.

    Parameters
    ----------
    accounts : WIOD's Socio-Economic Accounts of 2016. employees : thousand persons. pay : (N,), million.
    """
    table = read_accounts_2016(accounts, country, year)
    known = [code for code in table.index if code in divisions(LIST)]
    old = {
        name: shared(table.loc[known, name].to_dict(), LIST, sectors, pay) for name in ("EMPE", "EMP", "COMP", "H_EMPE")
    }
    per_unit = np.divide(old["EMPE"], old["COMP"], out=np.zeros(len(pay)), where=old["COMP"] > 0)
    now = pay * per_unit
    now *= employees / now.sum()
    ratio = np.divide(old["EMP"], old["EMPE"], out=np.ones(len(pay)), where=old["EMPE"] > 0)
    hours = np.divide(old["H_EMPE"], old["EMPE"], out=np.zeros(len(pay)), where=old["EMPE"] > 0)
    return Labour(now * ratio, hours=now * hours)


def counted_jobs(path: Path, sectors: tuple[str, ...], pay: Array, value_added: Array) -> Labour:
    """Return Mexico's jobs, informal ones among them, from INEGI's counts by industry and state.

    The file has pairs of a state and the rest of the country; any pair is the nation. Its columns of jobs are used
    only: value added, taxes and pay of 113.115 and 114 are swapped in it. Where an industry is several here, its jobs
    are shared out by pay, or by value added where more than half of them are informal, and pay says little of them.

    Raises
    ------
    StorageError, FormatError
        A missing file or column; pairs that do not sum to the same nation.
    """
    frame = pd.read_csv(readable(path), sep="\t", dtype={"scian": str})
    missing = [name for name in ("scian", "region", "empleos", "informales") if name not in frame]
    if missing:
        raise FormatError(f"{path} has no column {first_few(missing)}.")
    totals = frame.groupby("scian", sort=False)[["empleos", "informales"]].sum() / (frame["region"].nunique() / 2)
    codes = {code.split("_")[0]: code for code in divisions(_SCIAN)}
    codes |= {"_".join(code.split("_")[:2]): code for code in divisions(_SCIAN)}
    names = {code: codes.get(_scian(code), codes.get(_scian(code).split("_")[0], "")) for code in totals.index}
    unknown = [code for code, name in names.items() if not name]
    if unknown:
        raise FormatError(f"{path}: SCIAN {first_few(unknown)} is none of the 35 industries.")
    loose = totals["informales"] > 0.5 * totals["empleos"]
    found = {column: np.zeros(len(sectors)) for column in ("empleos", "informales")}
    for part, weights in ((totals[~loose], pay), (totals[loose], value_added)):
        for column, jobs in found.items():
            jobs += shared({names[code]: value / 1e3 for code, value in part[column].items()}, _SCIAN, sectors, weights)
    return Labour(found["empleos"], informal=found["informales"])


def _scian(code: str) -> str:
    """Return a code of the counts as the tables write it: 111, 113_115, 21_1 for 211, 21_2 for 212."""
    return {"211": "21_1", "212": "21_2"}.get(code, code.replace(".", "_").replace("-", "_"))


def skill_shares(accounts: Path, country: str, year: int, sectors: tuple[str, ...]) -> dict[str, Array]:
    """Return the shares of high-, medium- and low-skilled in hours worked by industry, from WIOD's accounts of 2014.

    Shares of an industry are means over the industries it shares divisions of ISIC with, by number of divisions.
    """
    frame = read_accounts(accounts)
    rows = frame[frame["country"] == country].set_index(["variable", "code"])[year]
    own, theirs = divisions("wiod-2013"), divisions(list_of(sectors))
    found = {}
    for skill, variable in SKILLS.items():
        values = rows.loc[variable]
        shares = np.full(len(sectors), np.nan)
        for i, sector in enumerate(sectors):
            common = {
                code: len(set(parts) & set(theirs[sector])) for code, parts in own.items() if code in values.index
            }
            weights = {code: n for code, n in common.items() if n and np.isfinite(values[code]) and values[code] > 0}
            if weights:
                shares[i] = sum(values[code] * n for code, n in weights.items()) / sum(weights.values())
        found[skill] = shares
    total = np.sum(list(found.values()), axis=0)
    return {skill: shares / total for skill, shares in found.items()}


def pay_per_job(table: IOTable, jobs: str = "jobs", pay: str = "compensation") -> pd.DataFrame:
    """Return pay per job of every industry with both, and its ratio to its country's mean.

    Raises
    ------
    LabelError
        If the table lacks either stressor.
    """
    names = list(table.stressors)
    for name in (jobs, pay):
        labels.position(name, names, "stressor")
    persons, paid = table.stressors[jobs][0], table.stressors[pay][0]
    owners = np.repeat([table.country[region] for region in table.regions], len(table.sectors))
    both = np.isfinite(persons) & np.isfinite(paid) & (persons > 0)
    frame = pd.DataFrame(
        {
            "country": owners, "region": np.repeat(table.regions, len(table.sectors)),
            "sector": np.tile(table.sectors, len(table.regions)), "jobs": persons, "pay": paid,
        }
    )[both]  # fmt: skip
    mean = frame.groupby("country")[["pay", "jobs"]].transform("sum")
    frame["per_job"] = frame["pay"] / frame["jobs"] * 1e3
    frame["ratio"] = (frame["pay"] / frame["jobs"]) / (mean["pay"] / mean["jobs"])
    return frame


def require_pay(table: IOTable, low: float, high: float, exceptions: Mapping[str, str]) -> pd.DataFrame:
    """Return `pay_per_job`, if every industry's ratio to its country's mean lies within bounds.

    Parameters
    ----------
    exceptions : reason by "region/sector", of industries that are known to lie outside.

    Raises
    ------
    BalanceError
        Naming the industries outside; or exceptions that are none.
    """
    frame = pay_per_job(table)
    frame["name"] = frame["region"] + "/" + frame["sector"]
    outside = frame[(frame["ratio"] < low) | (frame["ratio"] > high)]
    bad = outside[~outside["name"].isin(exceptions)]
    if len(bad):
        listed = first_few([f"{row['name']} ({row['ratio']:.2f})" for _, row in bad.iterrows()], 12)
        raise BalanceError(
            f"pay per job is outside {low:g} to {high:g} times the country's mean: {listed}. Jobs and pay do not "
            "belong to the same industry there: correct one, or name it under exceptions with the reason."
        )
    idle = [name for name in exceptions if name not in set(outside["name"])]
    if idle:
        raise BalanceError(f"exceptions names {first_few(idle)}, which lie within the bounds: leave them out.")
    frame["exception"] = frame["name"].map(dict(exceptions))
    return frame
