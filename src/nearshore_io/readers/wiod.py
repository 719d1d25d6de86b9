"""The World Input-Output Database, 2013 release: 41 regions × 35 industries, 1995–2011.

Source: Timmer, Dietzenbacher, Los, Stehrer & de Vries (2015), Review of International Economics 23, 575–605 (CC BY).
"""

import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from nearshore_io.errors import BalanceError, FormatError, LabelError, StorageError, first_few
from nearshore_io.files import file_sha256, read_sheet, readable
from nearshore_io.readers.accounts import ACCOUNT_FILES, DEFAULT_STRESSORS, read_accounts, to_stressors
from nearshore_io.shipped import shipped
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

CATEGORIES = {"c37": "HFCE", "c38": "NPISH", "c39": "GGFC", "c41": "GFCF", "c42": "INVNT"}
INPUTS = {
    "r61": "taxes_less_subsidies",
    "r62": "cif_fob_adjustment",
    "r63": "purchases_abroad_by_residents",
    "r64": "purchases_by_non_residents",
    "r65": "value_added",
    "r66": "international_transport_margins",
}
OUTPUT_ROW = "r69"
CITATION = "Timmer, Dietzenbacher, Los, Stehrer & de Vries (2015), Review of International Economics 23, 575-605"


@dataclass(frozen=True)
class _Published:
    """What a file of the 2013 release says, before it is a table."""

    year: int
    regions: tuple[str, ...]
    sectors: tuple[str, ...]
    Z: Array
    Y: Array
    inputs: dict[str, Array] | None
    output: Array


def read_wiod(
    path: str | os.PathLike[str],
    year: int | None = None,
    *,
    accounts: str | os.PathLike[str] | Literal["beside"] | None = "beside",
    stressors: Sequence[str] = DEFAULT_STRESSORS,
    close_rows: bool = False,
) -> IOTable:
    """Return a world table of the WIOD 2013 release, with its labour accounts.

    Parameters
    ----------
    path : ``wiot_YYYY.RData``, the publisher's ``wiotYY_row_*.xlsx``, or a folder of either together with ``year``.
    accounts : ``WIOD_SEA.mat`` or ``WIOD_SEA_July14.xlsx``; "beside" looks in the table's own folder and
        goes without where there is none; None goes without.
    stressors : which of ``readers.accounts.STRESSORS`` to take; one that nobody published for the year is left out,
        as ``meta["history"]`` then says. The rest of the world (RoW) has no accounts: NaN.
    close_rows : book what the publisher's output exceeds the row sum by (the flows are truncated to whole
        millions) under the region's own changes in inventories, so that x is the published output.

    Notes
    -----
    Units: million current USD; jobs in thousand persons; hours in million hours. The R files give no primary inputs:
    their ``value_added`` is the column residual, which also holds product taxes and transport margins (in 2011
    0.5 % above basic-price value added for the USA, 2.7 % for Mexico). The workbook gives them by row.

    Raises
    ------
    StorageError
        If there is no such file or it may not be read.
    FormatError
        If the file is cut short or not laid out as the release is.
    BalanceError
        If an industry has inputs and no output (Latvia's c24 in 2002; ``close_rows=True`` mends it).
    """
    file = _find(Path(path).expanduser(), year)
    published = _read_workbook(file) if file.suffix.lower() in (".xlsx", ".xlsm") else _read_r(file)
    if year is not None and published.year != year:
        raise FormatError(f"{file} holds the year {published.year}, not {year}.")
    Y, note = _closed(published) if close_rows else (published.Y, "")
    table = _table(published, Y, file, note)
    found = _accounts_file(accounts, file.parent)
    if found is None:
        return table
    rows, history = to_stressors(read_accounts(found), table, stressors)
    return table.with_stressors(rows, f"labour accounts from {found.name}; {history}")


def _table(published: _Published, Y: Array, file: Path, note: str) -> IOTable:
    """Return the table without accounts; an error of balance says how truncated rows can be closed."""
    names = pd.read_csv(shipped("tables", "classifications", "wiod2013-industries.csv"), dtype=str)
    try:
        table = IOTable.from_arrays(
            published.Z,
            Y,
            published.inputs,
            regions=published.regions,
            sectors=published.sectors,
            final_regions=published.regions,
            categories=tuple(CATEGORIES.values()),
            sector_names=dict(zip(names["code"], names["name"], strict=True)),
            meta={
                "source": "WIOD 2013 release",
                "year": published.year,
                "unit": "million USD",
                "price_basis": "current basic prices",
                "licence": "CC BY 4.0",
                "citation": CITATION,
                "file": file.name,
                "sha256": file_sha256(file),
                "history": tuple(line for line in (f"read from {file.name}", note) if line),
            },
        )
    except BalanceError as error:
        raise BalanceError(
            f"{file.name}: {error} Flows are truncated to whole millions: close_rows=True (`nearshore import "
            "--close-rows`) books the remainder under changes in inventories."
        ) from error
    return table.with_output(published.output)


def _find(path: Path, year: int | None) -> Path:
    if not path.is_dir():
        return readable(path)
    if year is None:
        raise StorageError(f"{path} is a folder: give the year, as in read_wiod(folder, 2011).")
    pattern = re.compile(rf"wiot_{year}\.rdata$|wiot{year % 100:02d}_row.*\.xlsx$", re.IGNORECASE)
    found = sorted(file for file in path.iterdir() if pattern.match(file.name))
    if len(found) != 1:
        raise StorageError(
            f"{path} holds {len(found)} WIOD tables of {year} ({first_few(f.name for f in found) or 'none'}): "
            "name the file itself."
        )
    return readable(found[0])


def _accounts_file(accounts: str | os.PathLike[str] | None, folder: Path) -> Path | None:
    if accounts is None:
        return None
    if accounts != "beside":
        return readable(accounts)
    return next((folder / name for name in ACCOUNT_FILES if (folder / name).is_file()), None)


def _closed(published: _Published) -> tuple[Array, str]:
    """Return final demand with the publisher's row remainder in the region's own changes in inventories."""
    Y = published.Y.copy()
    remainder = published.output - published.Z.sum(axis=1) - Y.sum(axis=1)
    rows = np.arange(len(remainder))
    width = len(CATEGORIES)
    own = rows // len(published.sectors) * width + list(CATEGORIES.values()).index("INVNT")
    Y[rows, own] += remainder
    return Y, f"rows closed to the published output: {np.abs(remainder).sum():,.0f} million USD put under INVNT"


@cache
def _r_constructors() -> Any:
    import rdata  # 0.3 s of import that only R files need

    return {**dict(rdata.conversion.DEFAULT_CLASS_MAP), "iot": lambda obj, _attrs: obj}


def _read_r(file: Path) -> _Published:
    """Return an R data file of the release: a list of year, countries, industries, inter, final, output."""
    import rdata

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            content = rdata.read_rda(file, constructor_dict=_r_constructors())
    except (ValueError, EOFError, OSError, NotImplementedError, IndexError, TypeError, UserWarning) as error:
        raise FormatError(f"{file} is not a readable R data file ({error}): it may be cut short.") from error
    table = next((value for value in content.values() if isinstance(value, dict) and "inter" in value), None)
    if table is None:
        raise FormatError(f"{file} holds {first_few(content)}, not a WIOD table (a list with inter, final and output).")
    regions, sectors = (tuple(str(label) for label in table[key]) for key in ("countries", "industries"))
    n = len(regions) * len(sectors)
    # R matrices arrive in Fortran order: C order once, here, so that no reshape downstream can transpose them.
    Z, Y, output = (np.ascontiguousarray(table[key], dtype=np.float64) for key in ("inter", "final", "output"))
    expected = {"inter": (Z, (n, n)), "final": (Y, (n, len(regions) * len(CATEGORIES))), "output": (output, (n,))}
    for key, (array, shape) in expected.items():
        if array.shape != shape:
            raise FormatError(f"{file}: '{key}' has shape {array.shape}, its labels ask for {shape}.")
    return _Published(int(table["year"][0]), regions, sectors, Z, Y, None, output)


def _read_workbook(file: Path) -> _Published:
    """Return the publisher's workbook, found by its labels: code, name, region and c-code on both axes."""
    grid = read_sheet(file, 0, header=None).to_numpy(dtype=object)
    header, column = _corner(grid, file)
    codes = [str(code).strip() for code in grid[header, column + 1 :]]
    owners = [str(owner).strip() for owner in grid[header - 1, column + 1 :]]
    row_codes = [str(code).strip() for code in grid[header + 1 :, column]]
    row_owners = [str(owner).strip() for owner in grid[header + 1 :, column - 1]]
    rows = [(o, c) for o, c in zip(row_owners, row_codes, strict=True) if re.fullmatch(r"c\d+", c)]
    regions, sectors = tuple(dict.fromkeys(o for o, _ in rows)), tuple(dict.fromkeys(c for _, c in rows))
    industries = [(region, sector) for region in regions for sector in sectors]
    final = [(region, code) for region in regions for code in CATEGORIES]
    columns = _places(list(zip(owners, codes, strict=True)), [*industries, *final], file, "column")
    places = _places(list(zip(row_owners, row_codes, strict=True)), industries, file, "row")
    body = grid[header + 1 :, column + 1 :]
    n = len(industries)
    Z = _cells(body, places, columns[:n], file)
    Y = _cells(body, places, columns[n:], file)
    bottom = {code: _cells(body, [row_codes.index(code)], columns[:n], file)[0] for code in INPUTS if code in row_codes}
    if "r65" not in bottom or OUTPUT_ROW not in row_codes:
        raise FormatError(f"{file} has no row r65 (value added) or {OUTPUT_ROW} (output): it may be cut short.")
    output = _cells(body, [row_codes.index(OUTPUT_ROW)], columns[:n], file)[0]
    inputs = {INPUTS[code]: values for code, values in bottom.items()}
    ordered = {"value_added": inputs.pop("value_added"), **inputs}
    return _Published(_year(grid, file), regions, sectors, Z, Y, ordered, output)


def _corner(grid: Any, file: Path) -> tuple[int, int]:
    """Return the row and the column that hold the c-codes of the columns and of the rows."""
    hits = np.argwhere(grid[:40, :40] == "c1")
    if len(hits) < 2:
        raise FormatError(f"{file} is not laid out as a WIOD table: no industry code 'c1' heads its rows and columns.")
    header = int(hits[:, 0].min())
    column = int(hits[:, 1].min())
    return header, column


def _places(
    found: list[tuple[str, str]], wanted: list[tuple[str, str]], file: Path, axis: Literal["row", "column"]
) -> list[int]:
    where: dict[tuple[str, str], int] = {}
    for i, label in enumerate(found):
        if label in where and label in wanted[:1]:
            raise LabelError(f"{file}: {axis} {'/'.join(label)} occurs twice.")
        where.setdefault(label, i)
    missing = ["/".join(label) for label in wanted if label not in where]
    if missing:
        raise FormatError(f"{file} lacks the {axis}s {first_few(missing)}: it may be cut short.")
    return [where[label] for label in wanted]


def _cells(body: Any, rows: list[int], columns: list[int], file: Path) -> Array:
    try:
        return np.asarray(body[np.ix_(rows, columns)], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{file} has cells that are not numbers: {error}.") from error


def _year(grid: Any, file: Path) -> int:
    for cell in grid[:6, :4].ravel():
        if match := re.search(r"\b(19|20)\d\d\b", str(cell)):
            return int(match[0])
    if match := re.match(r"wiot(\d\d)_", file.name, re.IGNORECASE):
        return 1900 + int(match[1]) + (100 if int(match[1]) < 90 else 0)
    raise FormatError(f"{file} names its year neither in its first cells nor in its file name (wiotYY_row_*.xlsx).")
