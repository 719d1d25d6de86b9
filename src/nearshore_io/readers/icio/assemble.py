"""From the numbers of an ICIO file to a table, with all that is odd about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nearshore_io.errors import BalanceError, FormatError, LabelError, first_few
from nearshore_io.readers.icio.cells import Header
from nearshore_io.readers.icio.editions import Edition, editions
from nearshore_io.readers.icio.layout import Columns, Grid
from nearshore_io.readers.icio.source import Member
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

DISCREPANCY = "DISC"
OFF_BY, AT_LEAST = 0.05, 5.0
"""Share of a published total, and million USD, by which its line may miss it: the 2025 edition has a small cell that is
2 % off, rounding to three decimals makes 1e-6."""
CITATION = "OECD, Inter-Country Input-Output Tables"


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers of a file on its clean grid; ``bottom`` rows run over all columns of the file."""

    Z: Array
    Y: Array
    beside: Array
    bottom: Mapping[str, Array]


def assembled(
    member: Member,
    year: int | None,
    header: Header,
    columns: Columns,
    grid: Grid,
    edition: Edition | None,
    numbers: Numbers,
    kept: frozenset[str],
    totals: str,
) -> IOTable:
    """Return the table of a file that has been read, checked against its own totals."""
    meanings = bottom_rows(edition, grid)
    sums = {
        meaning: np.zeros(len(header.columns)) for meaning in dict.fromkeys(meanings[row] for row in numbers.bottom)
    }
    for label, values in numbers.bottom.items():
        sums[meanings[label]] = sums[meanings[label]] + values
    output_row = sums.pop("output", None)
    others = [name for name in header.columns if name in columns.others]
    published = {_column_kind(name): numbers.beside[:, _beside(name, header, grid)] for name in others}
    discrepancy = published.get("discrepancy")
    Y, categories = _with_discrepancy(
        numbers.Y, grid, discrepancy if discrepancy is not None and discrepancy.any() else None, edition
    )
    oddities = [
        *header.oddities,
        *_labels_odd(columns, grid, edition, kept, year),
        *_discrepancy_odd(discrepancy),
        *_rows_odd(numbers.Z.sum(axis=1) + Y.sum(axis=1), published.get("output"), output_row, grid),
        *_taxes_odd(numbers.bottom, edition, columns),
    ]
    inputs = {name: values[grid.z] for name, values in sorted(sums.items(), key=lambda item: item[0] != "value_added")}
    if inputs and "value_added" not in inputs:
        raise FormatError(f"{member} has a row of {first_few(inputs)} and none of value added.")
    paid = {name: values[grid.y] for name, values in sums.items() if not np.isnan(values[grid.y]).any()}
    row_total = published.get("output")
    column_total = None if output_row is None else output_row[grid.z]
    if totals == "check":
        x = numbers.Z.sum(axis=1) + Y.sum(axis=1)
        _require_total(x, row_total, grid, f"{member}: the cells of row", "its total column says")
        if inputs:
            below = numbers.Z.sum(axis=0) + np.sum(list(inputs.values()), axis=0)
            _require_total(below, column_total, grid, f"{member}: the cells of column", "the output row says")
    numbers.Z.flags.writeable = False
    try:
        table = IOTable.from_arrays(
            numbers.Z,
            Y,
            inputs or None,
            regions=grid.regions,
            sectors=grid.sectors,
            final_regions=grid.countries,
            categories=categories,
            country=dict(grid.country),
            sector_names=edition.sector_names() if edition else None,
            final_inputs={name: _padded(values, grid, categories) for name, values in paid.items()},
            meta=_meta(member, year, edition, tuple(oddities)),
        )
    except (BalanceError, LabelError) as error:
        raise type(error)(f"{member}: {error}") from error
    output = row_total if row_total is not None else column_total
    return table if output is None else table.with_output(output)


def _column_kind(name: str) -> str:
    return next(edition.columns[name] for edition in editions().values() if name in edition.columns)


def _beside(name: str, header: Header, grid: Grid) -> int:
    """Return the position of a further column among those that are neither industries nor final uses."""
    used = np.concatenate([grid.z, grid.y])
    others = np.setdiff1d(np.arange(len(header.columns)), used)
    return int(np.flatnonzero(others == header.columns.index(name))[0])


def _with_discrepancy(
    Y: Array, grid: Grid, discrepancy: Array | None, edition: Edition | None
) -> tuple[Array, tuple[str, ...]]:
    """Return final demand with the discrepancy, if any, as a category of the producer's own country."""
    codes = edition.categories if edition else {}
    categories = tuple(codes.get(category, category) for category in grid.categories)
    if discrepancy is None:
        return Y, categories
    width = len(grid.sectors)
    owners = [grid.countries.index(grid.country.get(region, region)) for region in grid.regions]
    wide = np.zeros((len(Y), len(grid.countries), len(categories) + 1))
    wide[:, :, :-1] = Y.reshape(len(Y), len(grid.countries), -1)
    wide[np.arange(len(Y)), np.repeat(owners, width), -1] = discrepancy
    return wide.reshape(len(Y), -1), (*categories, DISCREPANCY)


def _padded(values: Array, grid: Grid, categories: tuple[str, ...]) -> Array:
    """Return what final users pay with zeros for the category of the discrepancy, where there is one."""
    square = values.reshape(len(grid.countries), -1)
    return np.pad(square, ((0, 0), (0, len(categories) - square.shape[1]))).ravel()


def _labels_odd(
    columns: Columns, grid: Grid, edition: Edition | None, kept: frozenset[str], year: int | None
) -> list[str]:
    found = []
    if edition is None:
        found.append("labels of no known edition: read by its layout alone")
    else:
        lacking = [r for r in edition.accounts if r not in columns.regions and r not in edition.splits]
        lacking += [c for c in edition.splits if c not in columns.regions and c not in columns.countries]
        if lacking:
            found.append(f"a part of edition {edition.name}: without the regions {first_few(lacking, 8)}")
        few = [code for code in edition.industries if code not in columns.sectors]
        if few:
            found.append(f"a part of edition {edition.name}: without the industries {first_few(few, 8)}")
        without = [name for name in edition.columns if name not in columns.others]
        if without:
            found.append(f"without the column {first_few(without)}: rows cannot be held against it")
        none = [code for code in edition.categories if code not in columns.categories]
        if none:
            found.append(f"without the final-demand categories {first_few(none)}")
    for parent in grid.parents:
        found.append(f"the rows and columns of {parent} are zero, its parts stand for it: left out")
    for parent in sorted(kept):
        found.append(f"{parent} has numbers of its own beside its parts: kept as a region of {parent}")
    split = [owner for owner in dict.fromkeys(grid.country.values()) if owner not in columns.regions]
    for owner in split:
        found.append(f"{owner} has no rows of its own, only its parts")
    if year is None:
        found.append("the file's name says no year: give year=")
    return found


def _rows_odd(x: Array, column: Array | None, row: Array | None, grid: Grid) -> list[str]:
    """Return a line where row sums miss the output row, in a file that has no output column to check them by."""
    if not x.any():
        return ["every flow is zero"]
    if column is not None or row is None:
        return []
    bad = np.flatnonzero(_far_off(x, row[grid.z]))
    names = list(grid.row_of())
    return [f"the cells of {bad.size} rows miss the output row: {first_few(names[i] for i in bad)}"] if bad.size else []


def _far_off(found: Array, total: Array) -> npt.NDArray[np.bool_]:
    return np.abs(found - total) > np.maximum(OFF_BY * np.maximum(np.abs(total), np.abs(found)), AT_LEAST)


def _discrepancy_odd(discrepancy: Array | None) -> list[str]:
    if discrepancy is None or not discrepancy.any():
        return []
    return [
        f"a discrepancy that nobody is said to use, {discrepancy.sum():,.6g} million USD in "
        f"{np.count_nonzero(discrepancy)} rows, is booked as category {DISCREPANCY} of the producer's own country"
    ]


def _taxes_odd(bottom: Mapping[str, Array], edition: Edition | None, columns: Columns) -> list[str]:
    """Return a line on tax rows by country, which are summed: how much is levied outside the buyer's country."""
    if edition is None or not edition.row_suffixes:
        return []
    owners = {part: country for country, parts in edition.splits.items() for part in parts}
    cells, amount = 0, 0.0
    for suffix in edition.row_suffixes:
        for label, values in bottom.items():
            country = label.removesuffix(f"_{suffix}")
            if country == label:
                continue
            foreign = [
                i for (r, _), i in {**columns.industries, **columns.final}.items() if owners.get(r, r) != country
            ]
            cells += int(np.count_nonzero(values[foreign]))
            amount += float(values[foreign].sum())
    text = "taxes less subsidies stand in one row for each country and are summed"
    return [f"{text}; {cells:,} cells, {amount:,.6g} million USD, are levied by another country than the buyer's"]


def _require_total(found: Array, total: Array | None, grid: Grid, line: str, says: str) -> None:
    """Raise `BalanceError` where a line misses its published total by more than `OFF_BY` of it and `AT_LEAST`."""
    if total is None:
        return
    bad = np.flatnonzero(_far_off(found, total))
    if bad.size:
        names = list(grid.row_of())
        i = int(bad[0])
        raise BalanceError(
            f"{line} {names[i]} sum to {found[i]:,.10g}, {says} {total[i]:,.10g}"
            f"{f'; so it is with {first_few(names[j] for j in bad[1:])}' if bad.size > 1 else ''}. A cell may be "
            'damaged: get the file again. totals="report" (`--totals report`) reads it as it is.'
        )


def _meta(member: Member, year: int | None, edition: Edition | None, oddities: tuple[str, ...]) -> dict[str, Any]:
    variant = "" if edition is None or edition.extended else "-sml"
    return {
        "name": f"icio-{year or 'unknown-year'}{variant}",
        "source": f"OECD ICIO, {edition.name} edition" if edition else "a table in the layout of OECD's ICIO",
        "edition": edition.name if edition else "unknown",
        "year": year,
        "unit": "million USD",
        "price_basis": "current basic prices",
        "value_added": edition.value_added if edition else "as published",
        "licence": "CC BY 4.0" if edition else "unknown",
        "citation": CITATION,
        "file": member.name,
        "oddities": oddities,
        "history": (f"read from {member.name}",),
    }


def bottom_rows(edition: Edition | None, grid: Grid) -> dict[str, str]:
    """Return what each row under the industries is: an input, or "output"."""
    known = [edition] if edition else list(editions().values())
    found = {label: meaning for each in known for label, meaning in each.rows.items()}
    suffixes = {suffix: meaning for each in known for suffix, meaning in each.row_suffixes.items()}
    countries = dict.fromkeys([*grid.countries, *grid.regions, *grid.parents])
    return found | {f"{c}_{suffix}": meaning for c in countries for suffix, meaning in suffixes.items()}


def short(expected: Mapping[str, str]) -> list[str]:
    """Return the labels to show of rows under the industries: those without a country, where there are any."""
    return [label for label in expected if "_" not in label] or list(expected)
