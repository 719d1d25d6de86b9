"""Files on the way in and out: what can be read, what it is, and writing that never leaves half a file."""

import csv
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile

import pandas as pd

from nearshore_io.errors import FormatError, StorageError


def readable(path: str | os.PathLike[str]) -> Path:
    """Return the path of an existing, readable file.

    Raises
    ------
    StorageError
        If there is no such file, it is a folder, or it may not be read.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        raise StorageError(f"{file} is a folder, not a file: name the file in it.")
    if not file.exists():
        beside = sorted(f.name for f in file.parent.glob(f"*{file.suffix}"))[:5] if file.parent.is_dir() else []
        hint = f" In that folder: {', '.join(beside)}." if beside else ""
        raise StorageError(f"there is no file {file}.{hint}")
    if not os.access(file, os.R_OK):
        raise StorageError(f"{file} may not be read: check its permissions.")
    return file


def read_sheet(path: Path, sheet: str | int, *, header: int | None) -> pd.DataFrame:
    """Return one sheet of a workbook.

    Raises
    ------
    FormatError
        If the file is no workbook, is cut short, or has no such sheet.
    """
    from python_calamine import CalamineError

    try:
        return pd.read_excel(path, sheet_name=sheet, header=header, engine="calamine")
    except (CalamineError, BadZipFile, ValueError, KeyError, OSError) as error:
        raise FormatError(f"{path} is not a readable workbook ({error}): it may be cut short.") from error


def read_remarked_csv(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return a CSV of text cells, its index the lines of the file; lines that begin with # are remarks.

    A byte order mark, CRLF and spaces around cells are read right; an empty line is skipped.

    Raises
    ------
    StorageError
        If there is no such file.
    FormatError
        If it is no text, has no header, a column twice, or a row with more or fewer cells than the header.
    """
    file = readable(path)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(f"{file} is not text in UTF-8: {error}.") from error
    kept = [(i, line) for i, line in enumerate(lines, start=1) if line.strip() and not line.lstrip().startswith("#")]
    if not kept:
        raise FormatError(f"{file} has no header.")
    cells = [[cell.strip() for cell in next(csv.reader([line]))] for _, line in kept]
    header = cells[0]
    if len(header) == 1 and ";" in header[0]:
        raise FormatError(f"{file} is separated by semicolons: commas between cells and points for decimals are read.")
    if twice := [name for name in dict.fromkeys(header) if header.count(name) > 1]:
        raise FormatError(f"{file}: the columns {', '.join(twice)} stand twice.")
    for (line, _), row in zip(kept, cells, strict=True):
        if len(row) != len(header):
            raise FormatError(f"{file}, line {line}: {len(row)} cells, and the header has {len(header)}.")
    return pd.DataFrame(cells[1:], columns=header, index=[line for line, _ in kept[1:]], dtype=object)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 checksum of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


TEMPORARY = ".nearshore-tmp"
"""How the names of files end that are still being written."""


def write_atomically(path: str | os.PathLike[str], write: Callable[[BinaryIO], None]) -> Path:
    """Write a file under a temporary name in the same folder, then rename it: all of it, or none.

    Raises
    ------
    StorageError
        If the folder does not exist, may not be written, or the disk is full. An older file stays as it was.
    """
    target = Path(path).expanduser().resolve()
    if target.is_dir():
        raise StorageError(f"{target} is a folder: name a file in it.")
    if target.exists() and not target.is_file():
        raise StorageError(f"{target} is no ordinary file; nothing was written.")
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", suffix=TEMPORARY, delete=False
        ) as file:
            temporary = Path(file.name)
            try:
                write(cast(BinaryIO, file))
                file.flush()
                os.fsync(file.fileno())
                temporary.chmod(0o666 & ~_umask())
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            f"{target} could not be written ({error.strerror or error}); nothing was changed."
        ) from error
    return target


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file of these bytes, whole or not at all. Raises `StorageError`."""

    def write(file: BinaryIO) -> None:
        file.write(content)

    return write_atomically(path, write)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
