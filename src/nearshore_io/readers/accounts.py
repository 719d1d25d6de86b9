"""The Socio-Economic Accounts of WIOD (July 2014): labour, hours and pay by country, industry and year.

Source: Timmer et al. (2015), CC BY. Values are in million national currency, persons in thousands.
"""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nearshore_io.errors import FormatError, LabelError, first_few
from nearshore_io.files import read_sheet
from nearshore_io.shipped import shipped
from nearshore_io.solvers.base import Array

if TYPE_CHECKING:
    from nearshore_io.table import IOTable

ACCOUNT_FILES = ("WIOD_SEA.mat", "WIOD_SEA_July14.xlsx")

STRESSORS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "jobs": (("EMP",), "thousand persons"),
    "employees": (("EMPE",), "thousand persons"),
    "compensation": (("COMP",), "million USD"),
    "labour_compensation": (("LAB",), "million USD"),
    "value_added_basic_prices": (("VA",), "million USD"),
    "hours": (("H_EMP",), "million hours"),
    "hours_high_skill": (("H_EMP", "H_HS"), "million hours"),
    "hours_medium_skill": (("H_EMP", "H_MS"), "million hours"),
    "hours_low_skill": (("H_EMP", "H_LS"), "million hours"),
}
"""Stressor → the account's variables, multiplied, and the unit. Skill shares become hours, which add up."""

DEFAULT_STRESSORS = ("jobs", "compensation", "hours", "hours_high_skill", "hours_medium_skill", "hours_low_skill")
_SPELLINGS = {"ROU": "ROM"}
_TOTAL = "TOT"


def read_accounts(path: Path) -> pd.DataFrame:
    """Return the accounts in long form: country, variable, code (c1 … c35), and a column for each year.

    Raises
    ------
    FormatError
        If the file is cut short, or not laid out as the July 2014 release.
    """
    frame = _read_workbook(path) if path.suffix.lower() == ".xlsx" else _read_mat(path)
    frame["country"] = frame["country"].replace(_SPELLINGS)
    return frame


def to_stressors(
    accounts: pd.DataFrame, table: "IOTable", wanted: Sequence[str]
) -> tuple[dict[str, tuple[Array, str]], str]:
    """Return stressors for the table's year and industries, and a line of history.

    Money is converted at the rate at which the accounts' gross output equals the table's, one for each country.
    Countries without accounts are NaN; a stressor nobody published in that year is left out.

    Raises
    ------
    LabelError
        If a wanted stressor is not one of `STRESSORS`.
    FormatError
        If the accounts do not cover the table's year.
    """
    unknown = [name for name in wanted if name not in STRESSORS]
    if unknown:
        raise LabelError(f"no stressor {first_few(unknown)} in the labour accounts; known: {', '.join(STRESSORS)}.")
    if table.year not in accounts.columns:
        raise FormatError(f"the labour accounts do not cover {table.year}.")
    values = accounts.set_index(["variable", "country", "code"])[table.year]
    grid = pd.MultiIndex.from_product([table.regions, table.sectors])
    rates = exchange_rates(values, table)
    found: dict[str, tuple[Array, str]] = {}
    absent: list[str] = []
    for name in wanted:
        variables, unit = STRESSORS[name]
        parts = [values.loc[variable].reindex(grid).to_numpy() for variable in variables]
        series = np.prod(parts, axis=0) * (rates if unit == table.unit else 1.0)
        if np.isnan(series).all():
            absent.append(name)
        else:
            found[name] = (series, unit)
    history = f"not published for {table.year}: {', '.join(absent)}" if absent else "all stressors found"
    return found, history


def exchange_rates(values: pd.Series, table: "IOTable") -> Array:
    """Return USD per unit of national currency for every industry, shape (n,): one rate for each country.

    The world table is the accounts' gross output at one rate, so Σ output / Σ gross output gives it back.
    """
    output = table.meta["output"].to_series()
    grid = pd.MultiIndex.from_product([table.regions, table.sectors])
    national = values.loc["GO"].reindex(grid)
    known = national.notna()
    regions = grid.get_level_values(0)
    by_region = output[known].groupby(regions[known]).sum() / national[known].groupby(regions[known]).sum()
    return np.asarray(by_region.reindex(regions), dtype=np.float64)


def _codes() -> tuple[list[str], dict[str, str]]:
    names = pd.read_csv(shipped("tables", "classifications", "wiod2013-industries.csv"), dtype=str)
    return names["code"].tolist(), dict(zip(names["isic"], names["code"], strict=True))


def _read_mat(path: Path) -> pd.DataFrame:
    """Return the MATLAB copy: blocks of 36 rows (total, then c1 … c35), told apart by their order, not their names."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        sheet = loadmat(path, squeeze_me=True, struct_as_record=False)["WIOD_SEA"]
        years = [int(year) for year in sheet.years]
        frame = pd.DataFrame(sheet.dataTable, columns=years)
        frame["country"], frame["variable"] = sheet.country.astype(str), sheet.variable.astype(str)
    except (MatReadError, zlib.error, ValueError, LookupError, TypeError, AttributeError, EOFError, OSError) as error:
        raise FormatError(f"{path} is not readable as WIOD_SEA.mat ({error}): it may be cut short.") from error
    codes, _ = _codes()
    place = frame.groupby(["country", "variable"], sort=False).cumcount()
    sizes = frame.groupby(["country", "variable"], sort=False).size()
    if not (sizes == len(codes) + 1).all():
        wrong = sizes[sizes != len(codes) + 1]
        raise FormatError(f"{path}: {first_few(wrong.index)} have {first_few(wrong)} rows, not {len(codes) + 1}.")
    frame["code"] = np.array([_TOTAL, *codes])[place.to_numpy()]
    return frame[frame["code"] != _TOTAL].reset_index(drop=True)


def _read_workbook(path: Path) -> pd.DataFrame:
    """Return the publisher's workbook: sheet DATA with Country, Variable, Description, Code, _1995 … _2011."""
    frame = read_sheet(path, "DATA", header=0)
    frame.columns = [str(column).strip().lstrip("_") for column in frame.columns]
    missing = [name for name in ("Country", "Variable", "Code") if name not in frame]
    if missing:
        raise FormatError(f"{path}: the sheet DATA has no column {first_few(missing)}.")
    years = {column: int(column) for column in frame.columns if column.isdigit()}
    _, by_isic = _codes()
    try:
        numbers = frame[list(years)].replace(".", np.nan).apply(pd.to_numeric).rename(columns=years)
    except (ValueError, TypeError) as error:
        raise FormatError(f"{path}: the sheet DATA has cells that are not numbers: {error}.") from error
    code = frame["Code"].astype(str).str.strip()
    strange = sorted(set(code) - set(by_isic) - {_TOTAL})
    if strange:
        raise FormatError(f"{path}: industry codes {first_few(strange)} are not those of the 2013 release.")
    numbers["country"] = frame["Country"].astype(str).str.strip()
    numbers["variable"] = frame["Variable"].astype(str).str.strip()
    numbers["code"] = code.map(by_isic)
    return numbers[code != _TOTAL].reset_index(drop=True)
