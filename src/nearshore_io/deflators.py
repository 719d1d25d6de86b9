"""Price indices shipped with the package, by name."""

import tomllib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from nearshore_io.labels import unknown
from nearshore_io.shipped import shipped


@cache
def shipped_deflators() -> Mapping[str, Any]:
    """Return the entries of ``tables/deflators.toml``: title, source, index by year."""
    with shipped("tables", "deflators.toml").open("rb") as file:
        return MappingProxyType(tomllib.load(file))


def index(name: str) -> Mapping[int, float]:
    """Return a price index by year. Raises `LabelError` if there is none of that name."""
    known = shipped_deflators()
    if name not in known:
        raise unknown(name, "deflator", known)
    return MappingProxyType({int(year): float(value) for year, value in known[name]["index"].items()})
