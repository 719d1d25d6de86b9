"""The editions of the ICIO tables, as ``tables/icio-editions.toml`` describes them, and which one a file is."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nearshore_io.classifications import industry_names
from nearshore_io.errors import FormatError, LabelError, first_few
from nearshore_io.labels import unknown
from nearshore_io.shipped import shipped


@dataclass(frozen=True)
class Edition:
    """How one edition labels its files; see the head of ``tables/icio-editions.toml`` for each entry."""

    name: str
    list: str
    regions: tuple[str, ...]
    industries: tuple[str, ...]
    years: tuple[int, int]
    splits: Mapping[str, tuple[str, ...]]
    category_first: bool
    categories: Mapping[str, str]
    columns: Mapping[str, str]
    rows: Mapping[str, str]
    row_suffixes: Mapping[str, str] = field(default_factory=dict)
    blank_in_final: tuple[str, ...] = ()
    value_added: str = "as published"

    @property
    def extended(self) -> bool:
        """Whether the rows of some country are split."""
        return bool(self.splits)

    @property
    def accounts(self) -> tuple[str, ...]:
        """Row accounts in the published order: regions, then the splits."""
        return (*self.regions, *(part for parts in self.splits.values() for part in parts))

    @property
    def bottom_rows(self) -> tuple[str, ...]:
        """Labels of the rows under the industries, in the published order."""
        taxes = tuple(f"{region}_{suffix}" for suffix in self.row_suffixes for region in self.regions)
        return (*taxes, *self.rows)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole file, without the header and the labels."""
        n = len(self.accounts) * len(self.industries)
        final = len(self.regions) * len(self.categories)
        return n + len(self.bottom_rows), n + final + len(self.columns)

    def sector_names(self) -> dict[str, str]:
        """Return the readable name of each industry."""
        return industry_names(f"icio-{self.list}")


@cache
def editions() -> Mapping[str, Edition]:
    """Return the known editions by name, oldest first."""
    with shipped("tables", "icio-editions.toml").open("rb") as file:
        content = tomllib.load(file)
    found = (_edition(entry, content["lists"]) for entry in content["edition"])
    return {edition.name: edition for edition in found}


def _edition(entry: dict[str, Any], lists: dict[str, Any]) -> Edition:
    entry["splits"] = {country: tuple(parts) for country, parts in entry["splits"].items()}
    for key in ("years", "blank_in_final"):
        entry[key] = tuple(entry.get(key, ()))
    labels = lists[entry["list"]]
    return Edition(**entry, regions=tuple(labels["regions"]), industries=tuple(labels["industries"]))


def edition_named(name: str) -> Edition:
    """Return the edition a user forces, by name or — where it has only one variant — by year. Raises `LabelError`."""
    known = editions()
    if name in known:
        return known[name]
    variants = [edition for edition in known.values() if edition.list == name]
    if variants:
        raise LabelError(f"edition {name!r} has variants: name one of {first_few(e.name for e in variants)}.")
    raise unknown(name, "ICIO edition", known)


def recognise(
    regions: Sequence[str], industries: Sequence[str], categories: Sequence[str], year: int | None = None
) -> Edition | None:
    """Return the edition a file's labels belong to, None if they fit none.

    An edition fits that has all of the file's industries and categories; where it comes with and without splits, the
    file must have them or not as it does. Of several (a part of a file may fit two) those that have the year come
    first, then the one whose lists are nearest in length, the newer of two as near.
    """
    fitting = [
        edition
        for edition in editions().values()
        if set(industries) <= set(edition.industries)
        and set(categories) <= set(edition.categories)
        and _extended_alike(edition, regions)
    ]
    if not fitting:
        return None
    fitting = [e for e in fitting if year is not None and e.years[0] <= year <= e.years[1]] or fitting
    surplus = {e.name: len(e.industries) - len(industries) + len(e.accounts) - len(regions) for e in fitting}
    least = min(abs(size) for size in surplus.values())
    return [edition for edition in fitting if abs(surplus[edition.name]) == least][-1]


def _extended_alike(edition: Edition, regions: Sequence[str]) -> bool:
    variants = [other for other in editions().values() if other.list == edition.list]
    parts = {part for other in variants for split in other.splits.values() for part in split}
    return len(variants) == 1 or edition.extended == bool(parts & set(regions))


def require_edition(
    edition: Edition, regions: Sequence[str], industries: Sequence[str], categories: Sequence[str], where: str
) -> None:
    """Raise `FormatError` where a forced edition is not the file's."""
    for what, found, known in (
        ("industries", industries, edition.industries),
        ("final-demand categories", categories, edition.categories),
        ("regions", regions, edition.accounts),
    ):
        strange = [label for label in found if label not in set(known)]
        if strange:
            raise FormatError(
                f"{where} is not of edition {edition.name}: that has no {what} {first_few(strange)}."
                f"{_hint(regions, industries, categories)}"
            )
    if not _extended_alike(edition, regions):
        parts = [part for split in edition.splits.values() for part in split]
        raise FormatError(
            f"{where} is not of edition {edition.name}: it has none of {first_few(parts)}."
            f"{_hint(regions, industries, categories)}"
        )


def _hint(regions: Sequence[str], industries: Sequence[str], categories: Sequence[str]) -> str:
    fits = recognise(regions, industries, categories)
    return f" Its labels are those of edition {fits.name}." if fits else ""
