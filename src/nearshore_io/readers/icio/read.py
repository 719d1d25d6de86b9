"""`read_icio`: from an ICIO file, as published, to a table."""

import os
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from nearshore_io import labels
from nearshore_io.errors import FormatError, first_few
from nearshore_io.readers.icio.assemble import Numbers, assembled, bottom_rows, short
from nearshore_io.readers.icio.cells import Block, Header, blocks, read_header
from nearshore_io.readers.icio.editions import Edition, edition_named, recognise, require_edition
from nearshore_io.readers.icio.layout import Columns, Grid, clean_grid, known_categories, sorted_columns
from nearshore_io.readers.icio.source import LARGEST, Member, chosen
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable


class _ParentHasNumbersError(Exception):
    """The account of a country that is split holds numbers of its own."""

    def __init__(self, parent: str) -> None:
        super().__init__(parent)
        self.parent = parent


def read_icio(
    path: str | os.PathLike[str],
    year: int | None = None,
    *,
    edition: str | None = None,
    totals: Literal["check", "report"] = "check",
    largest: int = LARGEST,
) -> IOTable:
    """Return an OECD Inter-Country Input-Output table, of any edition, as published.

    Parameters
    ----------
    path : a CSV, a zip of it, a zip of such zips, or a folder of any of them.
    year : year of the table; needed where the path leads to several, or where the file's name does not say it and
        results should.
    edition : force one of "2016", "2018", "2021", "2023-SML", "2023-EXT", "2025-SML", "2025-EXT"; by default it is
        recognised by the file's labels. A part of an edition (fewer regions, fewer industries) is read as it is.
    totals : "check" raises where a line misses its published total by more than five per cent and 5 million USD;
        "report" reads on. `IOTable.check` says by how much lines miss it in either case.
    largest : bytes that a member of an archive may unpack to.

    Notes
    -----
    Million USD at current basic prices. MX1, MX2, CN1 and CN2 stay regions, of the countries MEX and CHN; the zero rows
    and columns that the extended editions keep for MEX and CHN are left out, final demand stays with the country.
    ``value_added`` and ``taxes_less_subsidies`` are inputs of their own, those paid by final users in
    `IOTable.final_inputs`. Output is the row sum; the publisher's own is ``meta["output"]``. A discrepancy that nobody
    is said to use (2016) is booked as a category DISC of the producer's own country, so that it is no trade. All that
    is odd about the file is listed in ``meta["oddities"]``.

    Raises
    ------
    StorageError
        No such file; none or several tables of that year.
    FormatError
        A damaged archive; a row or column that is missing or stands twice; a cell that is empty or no number (file,
        row, column and line are named); an edition forced that is not the file's.
    BalanceError
        A line that misses its published total; an industry with inputs and no output.
    LabelError
        No such edition.

    Source: OECD (2016, 2018, 2021, 2023, 2025), Inter-Country Input-Output Tables, ReadMe files.
    """
    labels.position(totals, ("check", "report"), "way to treat totals")
    forced = None if edition is None else edition_named(edition)
    member = chosen(path, year, None if forced is None else forced.extended, largest)
    with member.open(largest) as stream:
        header = read_header(stream, str(member))
        known = any(part in known_categories() for label in header.columns for part in (label.partition("_")[::2]))
    columns = sorted_columns(header.columns, str(member), None if known else _row_labels(member, header, largest))
    found = _edition_of(columns, forced, year or member.year, str(member))
    kept: frozenset[str] = frozenset()
    while True:
        grid = clean_grid(columns, found, kept, str(member))
        try:
            numbers = _read(member, header, grid, found, largest)
            break
        except _ParentHasNumbersError as error:  # rare enough to read the file again
            kept |= {error.parent}
    return assembled(member, year or member.year, header, columns, grid, found, numbers, kept, totals)


def _row_labels(member: Member, header: Header, largest: int) -> list[str]:
    """Return the labels of the rows, by a reading of the whole file."""
    with member.open(largest) as stream:
        read_header(stream, str(member))
        return [label for block in blocks(stream, header, str(member), largest) for label in block.labels]


def _edition_of(columns: Columns, forced: Edition | None, year: int | None, where: str) -> Edition | None:
    if forced is None:
        return recognise(columns.regions, columns.sectors, columns.categories, year)
    require_edition(forced, columns.regions, columns.sectors, columns.categories, where)
    return forced


def _read(member: Member, header: Header, grid: Grid, edition: Edition | None, largest: int) -> Numbers:
    """Return the numbers of a file, rows and columns matched by label.

    Raises
    ------
    FormatError
        Rows that are missing, stand twice or have no column; blank cells.
    """
    where = str(member)
    rows = grid.row_of()
    parents = grid.parent_rows()
    n = len(rows)
    others = np.setdiff1d(np.arange(len(header.columns)), np.concatenate([grid.z, grid.y]))
    found = Numbers(np.empty((n, n)), np.empty((n, len(grid.y))), np.empty((n, len(others))), bottom := {})
    seen: dict[str, int] = {}
    with member.open(largest) as stream:
        read_header(stream, where)
        for block in blocks(stream, header, where, largest):
            _require_new(block, seen, where)
            inside = [i for i, label in enumerate(block.labels) if label in rows]
            places = np.array([rows[block.labels[i]] for i in inside], dtype=np.intp)
            for target, wanted in ((found.Z, grid.z), (found.Y, grid.y), (found.beside, others)):
                _place(block.values, inside, wanted, target, places)
            for i, label in enumerate(block.labels):
                if label in parents:
                    _require_zero(block.values[i], label)
                elif label not in rows:
                    bottom[label] = block.values[i].copy()
            if block.blank:
                _require_filled(block, header, grid, edition, where)
            _require_zero_columns(block, header, grid)
    _require_rows(rows, parents, bottom, seen, edition, grid, where)
    return found


def _place(values: Array, inside: list[int], columns: Any, target: Array, places: Any) -> None:
    """Copy a block's cells to their places; contiguous pieces as slices, which is four times as fast."""
    if not inside:
        return
    rows: Any = slice(inside[0], inside[-1] + 1) if len(inside) == inside[-1] - inside[0] + 1 else inside
    into: Any = slice(places[0], places[-1] + 1) if (np.diff(places) == 1).all() else places
    for start, stop in _runs(columns):
        target[into, start:stop] = values[rows, columns[start] : columns[stop - 1] + 1]


def _runs(columns: Any) -> list[tuple[int, int]]:
    """Return the pieces of a list of positions that are consecutive, as (start, stop)."""
    if not len(columns):
        return []
    breaks = np.flatnonzero(np.diff(columns) != 1) + 1
    return list(pairwise([0, *breaks.tolist(), len(columns)]))


def _require_new(block: Block, seen: dict[str, int], where: str) -> None:
    for i, label in enumerate(block.labels):
        if label in seen:
            raise FormatError(
                f"{where}: row {label} stands twice, on line {seen[label]} and on line {block.line + i}. Keep one."
            )
        seen[label] = block.line + i


def _require_zero(values: Array, label: str) -> None:
    if values.any():
        raise _ParentHasNumbersError(label.partition("_")[0])


def _require_zero_columns(block: Block, header: Header, grid: Grid) -> None:
    used = np.flatnonzero(block.values[:, grid.left_out].any(axis=0))
    if used.size:
        raise _ParentHasNumbersError(header.columns[grid.left_out[used[0]]].partition("_")[0])


def _require_filled(block: Block, header: Header, grid: Grid, edition: Edition | None, where: str) -> None:
    """Raise where a cell is blank that the edition does not leave blank."""
    allowed = edition.blank_in_final if edition else ()
    industry = np.zeros(len(header.columns), dtype=bool)
    industry[grid.z] = industry[grid.left_out] = True
    for i, label in enumerate(block.labels):
        blank = np.isnan(block.values[i]) & (industry if label in allowed else True)
        if blank.any():
            column = header.columns[int(blank.argmax())]
            raise FormatError(
                f"{where}, line {block.line + i} (row {label}), column {column}: the cell is empty"
                f"{f', as are {int(blank.sum()) - 1:,} more in this row' if blank.sum() > 1 else ''}. "
                "Nothing is filled in: write 0 where zero is meant."
            )


def _require_rows(
    rows: Mapping[str, int],
    parents: frozenset[str],
    bottom: Mapping[str, Array],
    seen: Mapping[str, int],
    edition: Edition | None,
    grid: Grid,
    where: str,
) -> None:
    last = list(seen)[-1] if seen else "none"
    missing = [label for label in rows if label not in seen]
    if missing:
        raise FormatError(
            f"{where} lacks the row of {first_few(missing)}, whose column it has; the last row is {last}. "
            "The file may be cut short."
        )
    partial = [label for label in parents if label not in seen]
    if partial and len(partial) < len(parents):
        raise FormatError(f"{where} lacks the row of {first_few(sorted(partial))}, whose column it has.")
    expected = bottom_rows(edition, grid)
    strange = [label for label in bottom if label not in expected]
    if strange:
        raise FormatError(
            f"{where}, line {seen[strange[0]]}: row {strange[0]} has no column, and is no known row under the "
            f"industries ({first_few(short(expected))})."
        )
    if edition is not None:
        absent = [label for label in edition.rows if label not in bottom]
        absent += [
            f"{c}_{suffix}" for suffix in edition.row_suffixes for c in grid.countries if f"{c}_{suffix}" not in bottom
        ]
        if absent:
            raise FormatError(
                f"{where} lacks the row {first_few(absent)} of edition {edition.name}; the last row is {last}. "
                "The file may be cut short."
            )
