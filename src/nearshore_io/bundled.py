"""The tables shipped with the package."""

import tomllib
from collections.abc import Mapping
from typing import Any

from nearshore_io import labels
from nearshore_io.errors import FormatError
from nearshore_io.readers.native import read_table
from nearshore_io.shipped import shipped
from nearshore_io.table import IOTable

DEFAULT = "north-america-2022"


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
