"""Imports of intermediate inputs into the United States by partner: product × using industry, as BEA publishes them."""

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nearshore_io.classifications import divisions, links
from nearshore_io.errors import FormatError, StorageError, first_few
from nearshore_io.files import readable
from nearshore_io.solvers.base import Array

LIST = "bea-detail-138"
NO_INDUSTRY = ("Used", "Other")
_HEAD = "IOCode"
_END = "Legend/Footnotes"


@dataclass(frozen=True)
class ImportMatrix:
    """One partner's deliveries.

    Attributes
    ----------
    flows : million USD, (products, using industries). products, users : codes. left_out : rows that are no product of
        an industry (used goods, noncomparable imports), by code, their sums.
    """

    partner: str
    flows: Array
    products: tuple[str, ...]
    users: tuple[str, ...]
    left_out: Mapping[str, float]

    def on(self, industries: tuple[str, ...], list_name: str, imports: Array, output: Array) -> Array:
        """Return the flows on another list of industries, (N, N).

        A product that several industries there share is divided in proportion to ``imports`` (N,), a user in proportion
        to ``output`` (N,).
        """
        to = links(LIST, list_name)
        return _shares(self.products, to, industries, imports) @ self.flows @ _shares(
            self.users, to, industries, output
        ).T  # fmt: skip


def _shares(codes: tuple[str, ...], to: Mapping[str, tuple[str, ...]], industries: tuple[str, ...], w: Array) -> Array:
    shares = np.zeros((len(industries), len(codes)))
    for column, code in enumerate(codes):
        at = [industries.index(other) for other in to[code]]
        total = w[at].sum()
        shares[at, column] = w[at] / total if total > 0 else 1 / len(at)
    return shares


def read_import_matrix(folder: str | os.PathLike[str], partner: str, year: int) -> ImportMatrix:
    """Return the matrix of one partner, such as "Mexico" or "Rest of World".

    Raises
    ------
    StorageError
        If there is no such file; the message names the partners there are.
    FormatError
        If it is not laid out as these files are, or has a cell that is no number.

    Source: U.S. Bureau of Economic Analysis, Import Matrices, after redefinitions (March 2024).
    """
    place = Path(folder).expanduser()
    path = place / f"Import Matrix, {partner}, After Redefinitions_{year}.csv"
    if place.is_dir() and not path.is_file():
        there = {file.name.split(", ")[1] for file in place.glob("Import Matrix, *.csv")}
        raise StorageError(
            f"{place} has no import matrix of {partner!r} in {year}; partners: {first_few(sorted(there), 9)}."
        )
    file = readable(path)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.reader(stream) if row]
    heads = [i for i, row in enumerate(rows) if row[0] == _HEAD]
    ends = [i for i, row in enumerate(rows) if row[0] == _END]
    if not heads or len(rows[heads[0]]) < 3 or rows[heads[0]][1].split("/")[0] != "Commodities":
        raise FormatError(f"{file}: no row begins with {_HEAD},Commodities/Industries.")
    users = tuple(rows[heads[0]][2:])
    body = rows[heads[0] + 2 : ends[0] if ends else None]
    known = divisions(LIST)
    strange = [row[0] for row in body if row[0] not in known and row[0] not in NO_INDUSTRY]
    strange += [code for code in users if code not in known]
    short = [row[0] for row in body if len(row) != len(users) + 2]
    if short:
        raise FormatError(f"{file}: row {first_few(short)} has not {len(users)} cells, as the header has: cut short?")
    if strange:
        raise FormatError(f"{file}: rows or columns that are none of the 138 industries: {first_few(strange)}.")
    flows = np.array([[_number(cell, row[0], file) for cell in row[2:]] for row in body])
    kept = np.array([row[0] not in NO_INDUSTRY for row in body])
    return ImportMatrix(
        partner,
        flows[kept],
        tuple(row[0] for row in body if row[0] not in NO_INDUSTRY),
        users,
        {row[0]: float(values.sum()) for row, values in zip(body, flows, strict=True) if row[0] in NO_INDUSTRY},
    )


def _number(cell: str, row: str, file: Path) -> float:
    try:
        value = float(cell)
    except ValueError as error:
        raise FormatError(f"{file}, row {row}: {cell!r} is no number.") from error
    if not np.isfinite(value):
        raise FormatError(f"{file}, row {row}: {cell!r} is no number.")
    return value
