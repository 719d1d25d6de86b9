"""Where an ICIO table lies: a CSV, a zip of CSVs, a zip of such zips, or a folder of any of them."""

import lzma
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from nearshore_io.errors import FormatError, NearshoreError, StorageError, first_few
from nearshore_io.files import readable

LARGEST = 2 * 2**30
"""Bytes a file in an archive may unpack to: twelve times the CSV of the largest edition."""

_CHUNK = 2**22
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_PREFIX = re.compile(r"icio[-_ ]?(?:19|20)\d\d(?=[-_ ])", re.IGNORECASE)
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError, ValueError)


@dataclass(frozen=True)
class Member:
    """One CSV: a file, or a member of an archive (of an archive).

    Attributes
    ----------
    file : the file on disk.
    inside : names on the way into it, outermost first; empty for a plain CSV.
    year : the year its name says, None where it says none or several.
    """

    file: Path
    inside: tuple[str, ...] = ()
    year: int | None = None

    @property
    def name(self) -> str:
        """Name of the CSV itself."""
        return _last(self.inside[-1]) if self.inside else self.file.name

    @property
    def extended(self) -> bool | None:
        """Whether its name says that it is the extended table; None where a name says nothing."""
        text = "/".join((self.file.name, *self.inside)).upper()
        return False if re.search(r"[-_]SML(?![A-Z])", text) else True if re.search(r"[-_]EXT", text) else None

    def __str__(self) -> str:
        return ": ".join((str(self.file), *self.inside))

    @contextmanager
    def open(self, largest: int = LARGEST) -> Iterator[IO[bytes]]:
        """Open the CSV for reading.

        Raises
        ------
        FormatError
            If an archive is damaged, encrypted, or unpacks to more than ``largest`` bytes.
        """
        if not self.inside:
            with self.file.open("rb") as stream:
                yield stream
            return
        try:
            with self.file.open("rb") as stream, _unpacked(stream, self.inside, str(self.file), largest) as content:
                yield content
        except NearshoreError:
            raise
        except _ZIP_ERRORS as error:
            raise FormatError(
                f"{self} cannot be unpacked ({error}): the archive is damaged, or packed in a way that is not known. "
                "Download it again, or unpack it by hand."
            ) from error


@contextmanager
def _unpacked(stream: IO[bytes], inside: tuple[str, ...], where: str, largest: int) -> Iterator[IO[bytes]]:
    with _archive(stream, where) as archive, archive.open(_sized(archive, inside[0], where, largest)) as content:
        if len(inside) == 1:
            yield content
            return
        with tempfile.TemporaryFile() as inner:  # an archive is read from its end, so an inner one must lie on disk
            _copy(content, inner, f"{where}: {inside[0]}", largest)
            with _unpacked(inner, inside[1:], f"{where}: {inside[0]}", largest) as deeper:
                yield deeper


def _archive(stream: IO[bytes], where: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except _ZIP_ERRORS as error:
        raise FormatError(
            f"{where} is not a whole zip archive ({error}): it may be cut short. Download it again."
        ) from error


def _sized(archive: zipfile.ZipFile, name: str, where: str, largest: int) -> zipfile.ZipInfo:
    """Return the member of that name; raise `FormatError` where it is encrypted or would unpack to too much."""
    info = archive.getinfo(name)
    if info.flag_bits & 1:
        raise FormatError(f"{where}: {name} is encrypted: unpack it with its password first.")
    if info.file_size > largest:
        raise FormatError(
            f"{where}: {name} would unpack to {info.file_size:,} bytes, more than the limit of {largest:,}. "
            "If that is right, unpack it and read the CSV itself."
        )
    return info


def _copy(source: IO[bytes], target: IO[bytes], where: str, largest: int) -> None:
    copied = 0
    while block := source.read(_CHUNK):
        copied += len(block)
        if copied > largest:
            raise FormatError(f"{where} unpacks to more than the limit of {largest:,} bytes.")
        target.write(block)
    target.seek(0)


def find_members(path: str | os.PathLike[str], largest: int = LARGEST) -> list[Member]:
    """Return every CSV a path leads to: itself, those in an archive, those of a folder and its archives.

    Raises
    ------
    StorageError, FormatError
        If the path does not exist, or an archive is damaged or holds no CSV.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        files = sorted(file for file in place.iterdir() if file.suffix.lower() in (".csv", ".zip") and file.is_file())
        return [member for file in files for member in find_members(file, largest)]
    file = readable(place)
    if not (zipfile.is_zipfile(file) or file.suffix.lower() == ".zip"):
        return [Member(file, (), year_in(file.name))]
    with file.open("rb") as stream:
        try:
            found = [Member(file, inside, _year_of(inside, file)) for inside in _listed(stream, (), str(file), largest)]
        except NearshoreError:
            raise
        except _ZIP_ERRORS as error:
            raise FormatError(f"{file} cannot be unpacked ({error}): download it again.") from error
    if not found:
        raise FormatError(f"{file} holds no CSV.")
    return found


def _listed(stream: IO[bytes], inside: tuple[str, ...], where: str, largest: int) -> Iterator[tuple[str, ...]]:
    with _archive(stream, where) as archive:
        for name in archive.namelist():
            if name.startswith("__MACOSX/"):
                continue
            if name.lower().endswith(".csv"):
                yield (*inside, name)
            elif name.lower().endswith(".zip") and not inside:
                with archive.open(_sized(archive, name, where, largest)) as content, tempfile.TemporaryFile() as inner:
                    _copy(content, inner, f"{where}: {name}", largest)
                    yield from _listed(inner, (name,), f"{where}: {name}", largest)


def year_in(name: str) -> int | None:
    """Return the year a file name says ("ICIO2021_2018.csv" is of 2018), None where it says none or several."""
    years = set(_YEAR.findall(_PREFIX.sub("", _last(name))))
    return int(years.pop()) if len(years) == 1 else None


def _last(name: str) -> str:
    """Return the last part of a path in an archive, whichever way its slashes lean."""
    return PurePosixPath(name.replace("\\", "/")).name


def _year_of(inside: tuple[str, ...], file: Path) -> int | None:
    """Return the year the innermost name says that says one."""
    names = [*reversed(inside), file.name]
    return next((year for name in names if (year := year_in(name)) is not None), None)


def chosen(path: str | os.PathLike[str], year: int | None, extended: bool | None, largest: int = LARGEST) -> Member:
    """Return the one CSV that is meant.

    Parameters
    ----------
    extended : whether an extended table is asked for; None where nothing was said. It only decides between two.

    Raises
    ------
    StorageError
        If there is none of that year, or more than one candidate.
    """
    members = find_members(path, largest)
    alone = len(members) == 1
    if year is not None:
        members = [m for m in members if m.year == year or (alone and m.year is None)]
        if alone and not members:
            raise StorageError(f"{path} is the table of {find_members(path, largest)[0].year}, not of {year}.")
    if not members:
        years = sorted({m.year for m in find_members(path, largest) if m.year})
        raise StorageError(f"{path} holds no table of {year or 'any year'}; years: {first_few(years, 30) or 'none'}.")
    if len(members) > 1 and extended is not None:
        members = [m for m in members if m.extended is extended] or [m for m in members if m.extended is None]
    if len(members) > 1:
        years = sorted({m.year for m in members if m.year})
        shown = first_few(("/".join(m.inside) or m.name for m in members), 8)
        hint = "give year=" if len(years) > 1 else "name the file itself, or say edition= (…-SML, …-EXT)"
        raise StorageError(
            f"{path} holds {len(members)} tables ({shown}): {hint}"
            f"{f', one of {first_few(years, 30)}' if len(years) > 1 else ''}."
        )
    return members[0]
