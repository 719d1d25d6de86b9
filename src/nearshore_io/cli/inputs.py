"""Which table and which scenario file a name on the command line means."""

from pathlib import Path

from nearshore_io.bundled import list_tables, load_table
from nearshore_io.errors import FormatError
from nearshore_io.labels import unknown
from nearshore_io.readers import read_table, read_wiod
from nearshore_io.shipped import shipped
from nearshore_io.table import IOTable

PUBLISHED = (".rdata", ".rda", ".xlsx")


def scenario_file(spec: str) -> Path:
    """Return a scenario file by path, or a shipped one by name, such as "nearshoring"."""
    path = Path(spec)
    gallery = {file.stem: file for file in shipped("gallery").glob("*.toml")}
    return gallery[spec] if spec in gallery and not path.exists() else path


def open_table(spec: str, year: int | None = None, *, close_rows: bool = False) -> IOTable:
    """Return a shipped table by name, a native table by path, or a published one, recognised by its ending.

    Raises
    ------
    LabelError, StorageError, FormatError
        No such table, no such file, or a file nobody here can read.
    """
    path = Path(spec)
    ending = path.suffix.lower()
    if spec in list_tables():
        return load_table(spec)
    if not ending and not path.exists():
        raise unknown(spec, "table", list_tables())
    if ending == ".nc":
        return read_table(path)
    if path.is_dir() or ending in PUBLISHED:
        return read_wiod(path, year, close_rows=close_rows)
    raise FormatError(
        f"{spec}: no reader for {ending or 'such'} files. Known: .nc (native), .RData and .xlsx (WIOD 2013), "
        f"or a shipped table ({', '.join(list_tables())})."
    )
