"""Files on the way in and out: what can be read, what it is, and writing that never leaves half a file."""

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


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
