"""Which table and which scenario file a name on the command line means."""

from pathlib import Path

from nearshore_io import labels
from nearshore_io.bundled import sources
from nearshore_io.errors import FormatError
from nearshore_io.labels import unknown
from nearshore_io.library import entries, list_tables, load_table, open_native
from nearshore_io.readers import read_published, read_table
from nearshore_io.scenarios import Scenario, read_scenarios
from nearshore_io.scenarios.gallery import gallery_files
from nearshore_io.table import IOTable

PREFIX = "gallery:"


def chosen(spec: str) -> list[Scenario]:
    """Return the scenarios of a file, of a shipped one ("gallery:S02"), or one by its name ("gallery:S02-flex").

    Raises
    ------
    LabelError, StorageError, FormatError
        No such file or name; a file nobody can read.
    """
    listed = read_scenarios(scenario_file(spec))
    name = spec.removeprefix(PREFIX)
    if not spec.startswith(PREFIX) or "-" not in name:
        return listed
    labels.position(name, [scenario.name for scenario in listed], "gallery scenario")
    return [scenario for scenario in listed if scenario.name == name]


def scenario_file(spec: str) -> Path:
    """Return a scenario file by path, or a shipped one by name: "gallery:S04", "nearshoring".

    Raises
    ------
    LabelError
        If the gallery has none of that name.
    """
    path, known = Path(spec), gallery_files()
    if spec.startswith(PREFIX):
        name = spec.removeprefix(PREFIX).partition("-")[0]
        if name not in known:
            raise unknown(spec.removeprefix(PREFIX), "gallery scenario", known)
        return known[name]
    return known[spec] if spec in known and not path.exists() else path


def open_table(spec: str, year: int | None = None, *, verify: bool = False) -> IOTable:
    """Return a shipped or imported table by name, a native table by path, or a published one by what is in it.

    Parameters
    ----------
    verify : read a kept table from its file, and compare its numbers with its checksum, in the place of mapping them.

    Raises
    ------
    LabelError, StorageError, FormatError
        No such table, no such file, or a file nobody here can read.
    """
    path = Path(spec)
    ending = path.suffix.lower()
    if not spec:
        raise FormatError("no table was named.")
    if spec in sources():
        return _of_year(load_table(spec), year)
    if path.name == spec and spec in list_tables():
        return _of_year(read_table(entries()[spec].path) if verify else load_table(spec), year)
    if not ending and not path.exists():
        raise unknown(spec, "table", list_tables())
    if ending == ".nc":
        return _of_year(read_table(path) if verify else open_native(path), year)
    return read_published(path, year)


def _of_year(table: IOTable, year: int | None) -> IOTable:
    if year is not None and table.year != year:
        raise FormatError(f"{table.name} describes {table.year}, not {year}: leave --year out, or name another table.")
    return table


def require_native(path: Path) -> None:
    """Raise `FormatError` unless a table is to be written to a .nc file, the only ending it could be read back from."""
    if path.suffix.lower() != ".nc":
        raise FormatError(f"{path}: tables are written to .nc files.")
