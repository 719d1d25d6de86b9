"""Lists of industries, and which industry of one list is which of another, by way of ISIC Rev. 4."""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from nearshore_io.errors import ConcordanceError
from nearshore_io.labels import unknown
from nearshore_io.shipped import shipped

HUB = "isic4"
SUFFIX = f"-to-{HUB}.csv"


@cache
def industry_lists() -> tuple[str, ...]:
    """Return the names of the known lists, such as "icio-2025", "wiod-2013" and "isic4"."""
    folder = shipped("tables", "concordances")
    return (*sorted(file.name.removesuffix(SUFFIX) for file in folder.glob(f"*{SUFFIX}")), HUB)


@cache
def divisions(name: str) -> Mapping[str, tuple[str, ...]]:
    """Return the divisions of ISIC Rev. 4 each industry of a list holds, in the list's order.

    Raises
    ------
    LabelError
        If no list has that name.
    """
    if name == HUB:
        hub = dict.fromkeys(code for codes in divisions("icio-2025").values() for code in codes)
        return MappingProxyType({code: (code,) for code in hub})
    found: dict[str, list[str]] = {}
    for row in _rows(name):
        found.setdefault(row["from"], []).append(row["to"])
    return MappingProxyType({code: tuple(parts) for code, parts in found.items()})


@cache
def industry_names(name: str) -> dict[str, str]:
    """Return the readable name of each industry of a list. Raises `LabelError`."""
    if name == HUB:
        return {code: code for code in divisions(HUB)}
    return {row["from"]: row["name"] for row in _rows(name)}


@cache
def links(source: str, target: str) -> Mapping[str, tuple[str, ...]]:
    """Return, for each industry of one list, those of another that share a division of ISIC Rev. 4 with it.

    Raises
    ------
    LabelError
        If there is no such list.
    """
    theirs = divisions(target)
    return MappingProxyType(
        {
            code: tuple(other for other, parts in theirs.items() if set(parts) & set(own))
            for code, own in divisions(source).items()
        }
    )


def list_of(codes: Sequence[str]) -> str:
    """Return the name of the shortest list that has all these codes.

    Raises
    ------
    ConcordanceError
        If no list has them.
    """
    fitting = [name for name in industry_lists() if set(codes) <= set(divisions(name))]
    if not fitting:
        raise ConcordanceError(
            f"the industries {', '.join(codes[:4])}, … belong to none of the known lists "
            f"({', '.join(industry_lists())}): give a concordance."
        )
    return min(fitting, key=lambda name: len(divisions(name)))


def _rows(name: str) -> list[dict[str, str]]:
    if name not in industry_lists():
        raise unknown(name, "list of industries", industry_lists())
    with shipped("tables", "concordances", f"{name}{SUFFIX}").open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))
