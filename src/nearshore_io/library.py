"""The tables at hand: those shipped with the package, and those a user has imported."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from json import loads
from pathlib import Path
from shutil import rmtree
from typing import Any

import platformdirs
from scipy.sparse import issparse

from nearshore_io.bundled import DEFAULT, load_shipped, sources
from nearshore_io.errors import FormatError, LabelError, StorageError
from nearshore_io.files import TEMPORARY
from nearshore_io.labels import unknown
from nearshore_io.readers.mapped import read_mapped, size_of, write_mapped
from nearshore_io.readers.native import header, read_table, write_table
from nearshore_io.table import IOTable

UNPACK_FROM = 1_000
"""Industries from which a dense table is unpacked: below, its native file is read in less than 0.1 s."""
STALE = 3_600.0
"""Seconds after which a temporary file is one that an interrupted import left."""


@dataclass(frozen=True)
class Entry:
    """A table at hand, as `nearshore tables` lists it."""

    name: str
    title: str
    year: int | None
    edition: str
    licence: str
    sha256: str
    path: Path
    citation: str
    shipped: bool


@dataclass(frozen=True)
class Kept:
    """What keeping a table has written: the native file, and the unpacked copy if there is one."""

    path: Path
    size: int
    unpacked: Path | None
    unpacked_size: int


def tables_folder() -> Path:
    """Return where imported tables are kept: ``$NEARSHORE_TABLES``, or the user's data folder."""
    return Path(os.environ.get("NEARSHORE_TABLES") or platformdirs.user_data_path("nearshore_io") / "tables")


def cache_folder() -> Path:
    """Return where unpacked copies lie, which may be deleted at any time: ``$NEARSHORE_CACHE``, or the user's cache."""
    return Path(os.environ.get("NEARSHORE_CACHE") or platformdirs.user_cache_path("nearshore_io") / "tables")


def list_tables(folder: str | os.PathLike[str] | None = None) -> list[str]:
    """Return the names of the tables at hand: the shipped ones, then the imported ones.

    Raises
    ------
    StorageError
        If a folder is named that does not exist.
    """
    return list(dict.fromkeys([*sources(), *(file.stem for file in _files(folder))]))


def entries(folder: str | os.PathLike[str] | None = None) -> Mapping[str, Entry]:
    """Return what is known of every table at hand, by name, without reading its numbers.

    A file that is no table is listed too, with what is wrong with it as its title.
    """
    found = {name: _shipped(name, facts) for name, facts in sources().items()}
    for file in _files(folder):
        try:
            found.setdefault(file.stem, _imported(file))
        except (FormatError, StorageError) as error:
            found[file.stem] = Entry(file.stem, f"not readable: {error}", None, "", "", "", file, "", shipped=False)
    return found


def _files(folder: str | os.PathLike[str] | None) -> list[Path]:
    place = _folder(folder)
    if folder is not None and not place.is_dir():
        raise StorageError(f"there is no folder {place}.")
    return sorted(file for file in place.glob("*.nc") if file.is_file() and not file.name.startswith("."))


def _folder(folder: str | os.PathLike[str] | None) -> Path:
    return tables_folder() if folder is None else Path(folder).expanduser()


def _shipped(name: str, facts: Mapping[str, Any]) -> Entry:
    return Entry(
        name, facts["title"], facts["year"], "", facts["licence"], facts["sha256"], Path(f"{name}.nc"),
        f"{facts['publisher']}; {facts['citation']}", shipped=True,
    )  # fmt: skip


def _imported(file: Path) -> Entry:
    recorded = header(file)
    meta = loads(str(recorded["meta"]))
    return Entry(
        file.stem, str(meta.get("source", "")), meta.get("year"), str(meta.get("edition", "")),
        str(meta.get("licence", "unknown")), str(recorded["sha256"]), file, str(meta.get("citation", "")),
        shipped=False,
    )  # fmt: skip


def load_table(name: str = DEFAULT, folder: str | os.PathLike[str] | None = None) -> IOTable:
    """Return a shipped table, or one that was imported, by name.

    Parameters
    ----------
    name : as `list_tables` gives it, such as "north-america-2011" or "icio-2022".
    folder : where imported tables are kept, if not in the user's own folder.

    Notes
    -----
    The coefficients of a large imported table are mapped from an unpacked copy in the cache folder; where there is none
    it is made. `nearshore check` compares the numbers with the checksum.

    Raises
    ------
    LabelError
        If there is no such table.
    FormatError
        If the file is not what was shipped or imported.
    """
    if name in sources():
        return load_shipped(name)
    file = _folder(folder) / f"{name}.nc"
    if not file.is_file():
        raise unknown(name, "table", list_tables(folder), where=f" shipped or in {_folder(folder)}")
    return open_native(file)


def open_native(path: str | os.PathLike[str]) -> IOTable:
    """Return the table of a native file, mapped from its unpacked copy where there is one or it earns one.

    Raises
    ------
    StorageError, FormatError
        As `read_table`.
    """
    unpacked = _unpacked(str(header(path)["sha256"]))
    if unpacked.is_dir():
        try:
            return read_mapped(unpacked)
        except FormatError:  # a copy only: made again from the file it was unpacked from
            rmtree(unpacked, ignore_errors=True)
    table = read_table(path)
    with suppress(StorageError):  # a full disk is no reason not to have the table
        unpack(table)
    return table


def _unpacked(sha256: str) -> Path:
    return cache_folder() / sha256[:24]


def unpack(table: IOTable) -> Path | None:
    """Unpack a large dense table into the cache folder; None where its native file is as quick to read.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    if issparse(table.Z) or table.n < UNPACK_FROM:
        return None
    folder = _unpacked(table.sha256)
    _sweep(folder.parent)
    return folder if folder.is_dir() else write_mapped(table, folder)


def keep(table: IOTable, name: str, folder: str | os.PathLike[str] | None = None, *, replace: bool = False) -> Path:
    """Write a table to the folder of tables, under a name that `load_table` finds.

    Raises
    ------
    LabelError
        If a shipped table has the name, or another table than this one's edition and year is kept under it and
        ``replace`` is not said.
    StorageError
        If it cannot be written; nothing is changed then.
    """
    if not name or name.startswith(".") or set(name) & set('/\\:*?"<>|'):
        raise LabelError(f"{name!r} is no name for a table: letters, digits, '-', '_' and '.' make one.")
    target = _folder(folder) / f"{name}.nc"
    if name in sources():
        raise LabelError(f"{name!r} is a table that comes with the package: give another name.")
    if target.exists() and not replace:
        try:
            before = _imported(target)
        except FormatError as error:
            raise FormatError(f"{error} To replace it: --replace, or keep(..., replace=True).") from error
        if (before.year, before.edition) != (table.year, str(table.meta.get("edition", ""))):
            raise LabelError(
                f"{target} is a table of {before.year}, edition {before.edition or 'unknown'}: say --name to keep "
                "both, or --replace."
            )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{target.parent} could not be made ({error.strerror or error}).") from error
    _sweep(target.parent)
    return write_table(table, target)


def described(path: Path, unpacked: Path | None) -> Kept:
    """Return the sizes of what was written."""
    return Kept(path, path.stat().st_size, unpacked, size_of(unpacked) if unpacked else 0)


def _sweep(folder: Path) -> None:
    """Remove what this package's own interrupted imports have left under temporary names."""
    for leftover in folder.glob(f".*{TEMPORARY}") if folder.is_dir() else ():
        with suppress(OSError):  # another process may be sweeping too
            if time.time() - leftover.stat().st_mtime > STALE:
                rmtree(leftover) if leftover.is_dir() else leftover.unlink()
