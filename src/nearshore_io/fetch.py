"""Archives from their publisher: resumable, with the checksum of the first sight kept."""

import json
import logging
import os
import tomllib
import zipfile
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from nearshore_io.errors import FormatError, NearshoreError, StorageError, first_few
from nearshore_io.files import file_sha256, write_atomically
from nearshore_io.library import tables_folder
from nearshore_io.readers.icio import editions
from nearshore_io.shipped import shipped

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and how many there are to be, if the server says."""

TRIES = 3
TIMEOUT = 30.0
_BLOCK = 2**16
_KNOWN = "checksums.json"


def archives_folder() -> Path:
    """Return where archives are kept: ``archives`` in the folder of tables."""
    return tables_folder() / "archives"


def fetch_icio(
    year: int,
    *,
    extended: bool = False,
    edition: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    registry: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Download the archive that holds a year of OECD's ICIO, and return its path; a whole one is not fetched again.

    Parameters
    ----------
    extended : the table with Mexico's and China's economies split (MX1, MX2, CN1, CN2).
    edition : "2025", "2023", "2021", … By default the newest that has the year.
    folder : where archives are kept; by default `archives_folder`.
    registry : a TOML of addresses in the form of ``tables/icio-archives.toml``; by default that one.

    Notes
    -----
    What was fetched before a connection broke is kept, and a second call goes on from there. The first checksum of an
    archive is kept beside it: another one later raises, since the publisher has revised the archive or the download is
    not what it was.

    Raises
    ------
    FormatError
        No address for the year; what came is no archive, or not the one that came before.
    StorageError
        The server cannot be reached, refuses, or breaks off; the message says how to get the file by hand.
    """
    import pooch  # 0.05 s of import, with requests, that only a download needs

    source = Path(registry) if registry is not None else shipped("tables", "icio-archives.toml")
    page, address = _address(source, year, extended, edition)
    place = archives_folder() if folder is None else Path(folder).expanduser()
    name = _file_name(address["url"], address["edition"], year)
    by_hand = f"Get it by hand at {page}, then: nearshore import {name} --year {year}"
    known = _checksums(place)
    logging.getLogger("pooch").setLevel(logging.WARNING)
    try:
        place.mkdir(parents=True, exist_ok=True)
        found = pooch.retrieve(
            address["url"],
            known_hash=known.get(name),
            fname=name,
            path=place,
            downloader=_Download(place / f".{name}.part", by_hand, progress),
        )
    except NearshoreError:
        raise
    except ValueError as error:  # pooch: the checksum is another
        raise FormatError(
            f"{address['url']} is not what it was when first fetched (sha256 {known[name][:12]}…): the publisher has "
            f"revised it, or it was damaged. To take the new one, delete {name} from {place / _KNOWN}. {by_hand}"
        ) from error
    except OSError as error:
        raise StorageError(f"{place / name} could not be written ({error.strerror or error}).") from error
    _remember(place, name, known)
    return Path(found)


def _address(source: Path, year: int, extended: bool, edition: str | None) -> tuple[str, dict[str, Any]]:
    """Return the publisher's page, and the entry of the registry for a year."""
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
        entries = [(e, editions()[e["edition"]]) for e in content["archive"]]
        page = str(content["page"])
        spans = [
            (int(e["years"][0]), int(e["years"][1]), str(e["url"]).startswith(("http://", "https://")))
            for e, _ in entries
        ]
        if not all(known for *_, known in spans):
            raise ValueError("a url does not begin with http:// or https://")
    except (OSError, ValueError, TypeError, LookupError, UnicodeDecodeError) as error:
        raise FormatError(f"{source} is no registry of archives: {error}.") from error
    alike = [
        (entry, known)
        for entry, known in entries
        if known.extended == extended or sum(other.list == known.list for other in editions().values()) == 1
    ]
    wanted = [e for e, known in alike if edition is None or edition in (known.name, known.list)]
    fitting = [e for e in wanted if e["years"][0] <= year <= e["years"][1]]
    if not fitting:
        have = sorted({y for e in wanted for y in range(e["years"][0], e["years"][1] + 1)})
        span = f"years {have[0]} to {have[-1]}" if have else "no such edition"
        named = first_few(dict.fromkeys(e["edition"] for e, _ in entries), 9)
        raise FormatError(
            f"no archive of {year}{f', edition {edition}' if edition else ''}: {span}; editions: {named}."
        )
    return page, max(fitting, key=lambda e: e["edition"])


def _file_name(url: str, edition: str, year: int) -> str:
    """Return a name that says the edition: the publisher uses one name in several."""
    name = Path(urlsplit(url).path).name
    own = name if name.lower().endswith(".zip") else f"{year}.zip"
    return own if own.upper().startswith("ICIO") else f"ICIO{edition.partition('-')[0]}_{own}"


def _checksums(place: Path) -> dict[str, str]:
    file = place / _KNOWN
    if not file.exists():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise FormatError(f"{file} is no list of checksums ({error}): delete it.") from error


def _remember(place: Path, name: str, known: dict[str, str]) -> None:
    if name not in known:
        content = json.dumps({**_checksums(place), name: file_sha256(place / name)}, indent=1).encode()

        def write(file: BinaryIO) -> None:
            file.write(content)

        write_atomically(place / _KNOWN, write)


class _Download:
    """A downloader for pooch that goes on where an earlier one was cut."""

    def __init__(self, part: Path, by_hand: str, progress: Progress | None) -> None:
        self.part, self.by_hand, self.progress = part, by_hand, progress
        self.tag = part.with_suffix(".tag")

    def __call__(self, url: str, output_file: str, _pooch: Any, **_: Any) -> None:
        import requests

        reason = ""
        for _try in range(TRIES):
            try:
                self._go_on(url)
                break
            except (requests.RequestException, ConnectionError) as error:
                reason = _plain(error)
        else:
            here = self.part.stat().st_size if self.part.exists() else 0
            kept = f" {here:,} bytes are kept: the same command goes on from there." if here else ""
            raise StorageError(f"{url} could not be fetched ({reason}).{kept} {self.by_hand}")
        if not zipfile.is_zipfile(self.part):
            with self.part.open("rb") as file:
                start = file.read(40)
            self.part.unlink()
            raise FormatError(
                f"{url} answered with something that is no zip archive (it begins {start!r}): the address has moved. "
                f"{self.by_hand}"
            )
        self.part.replace(output_file)
        self.tag.unlink(missing_ok=True)

    def _go_on(self, url: str) -> None:
        """Fetch what is missing of the part; raise `requests.RequestException` where the connection fails."""
        import requests

        here = self.part.stat().st_size if self.part.exists() else 0
        tag = self.tag.read_text(encoding="utf-8") if here and self.tag.exists() else ""
        headers = {"Range": f"bytes={here}-", "If-Range": tag} if tag else {}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # the whole file is here
            if answer.status_code >= HTTPStatus.BAD_REQUEST:
                raise StorageError(
                    f"{url} answers {answer.status_code} {answer.reason}: the address has moved, or the server turns "
                    f"programs away. {self.by_hand}"
                )
            resumed = answer.status_code == HTTPStatus.PARTIAL_CONTENT
            self.tag.write_text(
                answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "", encoding="utf-8"
            )
            self._save(answer, here if resumed else 0)

    def _save(self, answer: Any, here: int) -> None:
        """Write what comes after the ``here`` bytes that are kept; raise where less comes than was announced."""
        length = answer.headers.get("Content-Length")
        total = int(length) + here if length and "Content-Encoding" not in answer.headers else None
        done = here
        with self.part.open("ab" if here else "wb") as file:
            for block in answer.iter_content(_BLOCK):
                file.write(block)
                done += len(block)
                if self.progress is not None:
                    self.progress(done, total)
        if total is not None and done < total:
            raise ConnectionError(f"cut off after {done:,} of {total:,} bytes")


def _plain(error: Exception) -> str:
    """Return the innermost reason of an error of the network."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return str(error) or type(error).__name__
