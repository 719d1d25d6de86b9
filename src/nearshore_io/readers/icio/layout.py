"""What the columns of an ICIO file are: industries, final uses, totals; and the clean grid behind them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np

from nearshore_io.errors import FormatError, first_few
from nearshore_io.labels import Positions
from nearshore_io.readers.icio.editions import Edition, editions
from nearshore_io.table.sound import SPLIT_ACCOUNTS

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a file by kind, each with its position; pairs are (region, sector) and (country, category)."""

    industries: Mapping[Pair, int]
    final: Mapping[Pair, int]
    others: Mapping[str, int]

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Row accounts, in the file's order."""
        return tuple(dict.fromkeys(region for region, _ in self.industries))

    @cached_property
    def sectors(self) -> tuple[str, ...]:
        """Industries, in the file's order."""
        return tuple(dict.fromkeys(sector for _, sector in self.industries))

    @cached_property
    def countries(self) -> tuple[str, ...]:
        """Countries of final use, in the file's order."""
        return tuple(dict.fromkeys(country for country, _ in self.final))

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Categories of final demand as the file calls them, in its order."""
        return tuple(dict.fromkeys(category for _, category in self.final))


@cache
def known_categories() -> frozenset[str]:
    """Return every code of final demand that some edition uses."""
    return frozenset(code for edition in editions().values() for code in edition.categories)


def sorted_columns(labels: Sequence[str], where: str, industries: Iterable[str] | None = None) -> Columns:
    """Return the columns by kind.

    Parameters
    ----------
    industries : labels of the rows, where final demand has codes of no known edition: a column that is no row is final
        demand then.

    Raises
    ------
    FormatError
        A label that occurs twice, or that is neither an industry, nor final demand, nor a known total.
    """
    totals = {code for edition in editions().values() for code in edition.columns}
    finals = known_categories()
    rows = None if industries is None else set(industries)
    _require_once(labels, "column", where)
    found: tuple[dict[Pair, int], dict[Pair, int], dict[str, int]] = ({}, {}, {})
    for i, label in enumerate(labels):
        head, underscore, tail = label.partition("_")
        if label in totals:
            found[2][label] = i
        elif not (head and underscore and tail):
            raise FormatError(
                f"{where}: column {label!r} is neither an industry (MX2_C29), nor final demand (MEX_HFCE), nor a total "
                f"({first_few(sorted(totals))})."
            )
        elif tail in finals or (rows is not None and label not in rows):
            found[1][head, tail] = i
        elif head in finals:
            found[1][tail, head] = i
        else:
            found[0][head, tail] = i
    return Columns(*found)


def _require_once(labels: Sequence[str], axis: str, where: str) -> None:
    if len(set(labels)) < len(labels):
        seen: set[str] = set()
        twice = [label for label in labels if label in seen or seen.add(label)]  # type: ignore[func-returns-value]
        place = [i for i, label in enumerate(labels) if label == twice[0]]
        raise FormatError(
            f"{where}: {axis} {twice[0]} stands twice, as number {place[0] + 2} and {place[1] + 2}"
            f"{f'; so do {first_few(twice[1:])}' if twice[1:] else ''}. Keep one."
        )


@dataclass(frozen=True, eq=False)
class Grid:
    """The clean grid of a file: no account of a country beside its parts, every region with every sector.

    Attributes
    ----------
    regions, sectors, countries, categories : labels, in the file's order.
    parents : countries whose own row account is left out since others stand for it.
    country : country of each region that is a part of one.
    z, y : positions of the industries' and the final uses' columns in the file, region-major.
    left_out : positions of the parents' own columns.
    """

    regions: tuple[str, ...]
    sectors: tuple[str, ...]
    countries: tuple[str, ...]
    categories: tuple[str, ...]
    parents: tuple[str, ...]
    country: Mapping[str, str]
    z: Positions
    y: Positions
    left_out: Positions

    def row_of(self) -> dict[str, int]:
        """Return the position in the grid of each industry's label."""
        return {f"{region}_{sector}": i for i, (region, sector) in enumerate(product(self.regions, self.sectors))}

    def parent_rows(self) -> frozenset[str]:
        """Return the labels of the industries that are left out."""
        return frozenset(f"{parent}_{sector}" for parent in self.parents for sector in self.sectors)


def clean_grid(columns: Columns, edition: Edition | None, keep: frozenset[str], where: str) -> Grid:
    """Return the grid behind the columns.

    Parameters
    ----------
    keep : countries whose own accounts turned out to hold numbers, and stay as regions beside their parts.

    Raises
    ------
    FormatError
        If a column is missing for a full region × sector or country × category grid, or final demand is missing.
    """
    owners = _owners(columns.regions, edition)
    parents = tuple(p for p in dict.fromkeys(owners.values()) if p in columns.regions and p not in keep)
    regions = tuple(region for region in columns.regions if region not in parents)
    if not columns.final:
        raise FormatError(f"{where} has no columns of final demand: it may be cut short on the right.")
    stray = [c for c in columns.countries if c not in {*regions, *owners.values()}]
    if stray:
        raise FormatError(f"{where}: final demand of {first_few(stray)}, which has no industries. Columns are missing.")
    without = [r for r in regions if owners.get(r, r) not in columns.countries]
    if without:
        raise FormatError(f"{where} has no final demand of {first_few(without)}. Columns are missing.")
    z = _positions(columns.industries, product(regions, columns.sectors), "_", where)
    y = _positions(columns.final, product(columns.countries, columns.categories), "_", where)
    left_out = [i for (region, _), i in columns.industries.items() if region in parents]
    return Grid(
        regions, columns.sectors, columns.countries, columns.categories, parents,
        {region: owner for region, owner in owners.items() if region in regions} | {p: p for p in keep},
        z, y, np.array(left_out, dtype=np.intp),
    )  # fmt: skip


def _owners(regions: Sequence[str], edition: Edition | None) -> dict[str, str]:
    """Return the country of each region that is a part of one."""
    if edition is None:
        return {region: SPLIT_ACCOUNTS[region] for region in regions if region in SPLIT_ACCOUNTS}
    parts = {part: country for country, split in edition.splits.items() for part in split}
    return {region: parts[region] for region in regions if region in parts}


def _positions(found: Mapping[Pair, int], wanted: Iterable[Pair], joint: str, where: str) -> Positions:
    pairs = list(wanted)
    missing = [joint.join(pair) for pair in pairs if pair not in found]
    if missing:
        raise FormatError(f"{where} lacks the column {first_few(missing)}: every region needs every industry or use.")
    return np.array([found[pair] for pair in pairs], dtype=np.intp)
