"""The tables shipped with the package, and the recipes that make them from published files."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nearshore_io import labels
from nearshore_io.concordance import aggregate
from nearshore_io.errors import FormatError, NearshoreError
from nearshore_io.readers.accounts import read_accounts, to_stressors
from nearshore_io.readers.files import readable
from nearshore_io.readers.native import read_table
from nearshore_io.readers.wiod import read_wiod
from nearshore_io.shipped import shipped
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

DEFAULT = "north-america-2011"


def sources() -> Mapping[str, Mapping[str, Any]]:
    """Return what ``tables/sources.toml`` says of every shipped table: title, year, licence, content checksum."""
    with shipped("tables", "sources.toml").open("rb") as file:
        return tomllib.load(file)["table"]  # type: ignore[no-any-return]


def load_shipped(name: str = DEFAULT) -> IOTable:
    """Return a shipped table.

    Raises
    ------
    LabelError
        If no shipped table has that name.
    FormatError
        If the file is not the one that was shipped.
    """
    known = sources()
    labels.position(name, list(known), "shipped table")
    table = read_table(shipped("tables", f"{name}.nc"))
    if table.sha256 != known[name]["sha256"]:
        raise FormatError(
            f"the shipped table {name} is not the published one (checksum differs): reinstall nearshore_io."
        )
    return table


def build_table(recipe: str | os.PathLike[str], raw: str | os.PathLike[str]) -> IOTable:
    """Return the table a recipe makes from raw files.

    Parameters
    ----------
    recipe : path of a recipe, such as ``calibration/north-america-2011.toml``.
    raw : folder of the published files.

    Raises
    ------
    FormatError
        If the recipe lacks an entry.
    StorageError
        If a raw file is missing.
    """
    path = readable(recipe)
    try:
        steps = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not valid TOML: {error}.") from error
    try:
        table = read_wiod(
            Path(raw) / steps["base"]["file"],
            accounts=Path(raw) / steps["base"]["accounts"],
            stressors=steps["base"]["stressors"],
        )
        table = _with_labour_income(table, Path(raw), steps)
        result = aggregate(table, regions=shipped("tables", "concordances", steps["aggregate"]["regions"]))
        return _described(result, steps)
    except (KeyError, TypeError) as error:
        if isinstance(error, NearshoreError):
            raise
        raise FormatError(f"{path} is no recipe: an entry is missing or of the wrong kind ({error}).") from error


def _with_labour_income(table: IOTable, raw: Path, steps: Mapping[str, Any]) -> IOTable:
    """Return the table with ``labour_income``: compensation where published, else estimated.

    The estimate is value added at basic prices × the share of compensation in it in the reference year, by industry.
    """
    reference = int(steps["labour_income"]["reference_year"])
    accounts = read_accounts(raw / steps["base"]["accounts"])
    now, _ = to_stressors(accounts, table, ["compensation", "value_added_basic_prices"])
    then = accounts.set_index(["variable", "country", "code"])[reference]
    share = _on_grid(then, "COMP", table) / _on_grid(then, "VA", table)
    published, value_added = now["compensation"][0], now["value_added_basic_prices"][0]
    income = np.where(np.isnan(published), share * value_added, published)
    note = (
        f"labour_income: compensation where published for {table.year}, else {table.year} value added at basic prices "
        f"times the compensation share of {reference} (estimate)"
    )
    digits = int(steps["round"]["digits"])
    return table.with_stressors(
        {"labour_income": (np.asarray(income, dtype=np.float64).round(digits), table.unit)}, note
    )


def _on_grid(values: Any, variable: str, table: IOTable) -> Array:
    index = [(region, sector) for region in table.regions for sector in table.sectors]
    found = np.array(values.loc[variable].reindex(index).to_numpy(dtype=np.float64))
    found[found == 0] = np.nan  # an industry without value added has no compensation share
    return found


def _described(table: IOTable, steps: Mapping[str, Any]) -> IOTable:
    """Return the table rounded and with the recipe's own description."""
    digits = int(steps["round"]["digits"])
    stressors = {name: (np.round(values, digits), unit) for name, (values, unit) in table.stressors.items()}
    return table.with_numbers(stressors=stressors, meta={**table.meta, **steps["table"]})
