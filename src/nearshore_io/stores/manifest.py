"""What a store says of the run it holds, and the ledger of the parts that are done."""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from nearshore_io.errors import StorageError
from nearshore_io.stores.sinks import Sink

NAME = "manifest.json"
FORMAT = "nearshore_io sweep store 1"
INCIDENTAL = ("machine", "libraries")
"""What may differ between the runs that fill one store."""


def machine() -> dict[str, Any]:
    """Return what this machine is."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def manifest(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a run: what it was asked, on which tables, by which package and where."""
    libraries = {name: version(name) for name in ("numpy", "scipy", "polars", "xarray")}
    package = f"nearshore_io {version('nearshore_io')}"
    return {"format": FORMAT, "package": package, **run, "libraries": libraries, "machine": machine()}


def as_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON for people, the same bytes for the same content."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def opened(sink: Sink) -> dict[str, Any] | None:
    """Return the manifest of a store, None where there is nothing.

    Raises
    ------
    StorageError
        If there is something else: files of nobody's run, or a manifest that cannot be read.
    """
    content = sink.read(NAME)
    if content is None:
        return None
    try:
        found = json.loads(content)
    except ValueError as error:
        raise StorageError(
            f"{sink.where}/{NAME} cannot be read ({error}): remove the store, or name another."
        ) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("tables"), list):
        raise StorageError(f"{sink.where}/{NAME} is no manifest of a sweep: name another folder.")
    return found


def begin(sink: Sink, wanted: Mapping[str, Any]) -> None:
    """Write the manifest of a new run, or make sure that the store holds part of this one.

    Raises
    ------
    StorageError
        If the store holds another run; the message says what differs.
    """
    found = opened(sink)
    if found is None:
        strangers = [name for name in sink.names("") if not name.startswith(".")]
        if strangers:
            raise StorageError(
                f"{sink.where} holds other files ({strangers[0]}) and no manifest of a sweep: name an empty folder."
            )
        sink.write(NAME, as_bytes(wanted))
        return
    plain = json.loads(as_bytes(wanted))
    differing = [key for key in {**plain, **found} if key not in INCIDENTAL and plain.get(key) != found.get(key)]
    if differing:
        telling = [key for key in differing if key != "sweep_sha256"] or differing
        what = "; ".join(_difference(key, found.get(key), plain.get(key)) for key in telling[:3])
        raise StorageError(
            f"{sink.where} holds another run and results of two are never mixed: {what}. Name another folder, or "
            "remove this one."
        )


def _difference(key: str, before: Any, now: Any) -> str:
    """Return in words how the run in a store differs from one that is asked for."""
    if isinstance(before, dict) and isinstance(now, dict):
        inner = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        return _difference(f"{key}.{inner[0]}", before.get(inner[0]), now.get(inner[0]))
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        first = next(i for i, (old, new) in enumerate(zip(before, now, strict=True)) if old != new)
        return _difference(f"{key}[{first}]", before[first], now[first])
    return f"{key} was {_short(before)} and is {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


@dataclass(frozen=True)
class Entry:
    """One part of a run that is done.

    Attributes
    ----------
    part : its number. table : of which table. start, stop : which scenarios. results : lines of results.
    failed : scenarios without one. checked, residual : how far two routes were apart, and the residual of solves; None
        where there was nothing to compare. files : sizes of the files that belong to it, by name.
    """

    part: int
    table: str
    start: int
    stop: int
    results: int
    failed: int
    checked: float | None
    residual: float
    files: Mapping[str, int]


def ledger_name(part: int) -> str:
    """Return the name of the ledger entry of a part."""
    return f"ledger/{part:07d}.json"


def write_entry(sink: Sink, entry: Entry) -> None:
    """Write that a part is done, after all its files."""
    sink.write(ledger_name(entry.part), as_bytes(asdict(entry)))


def entry_of(sink: Sink, part: int) -> Entry | None:
    """Return the entry of a part that is done and whose files are all there, None otherwise."""
    return _entry(sink, ledger_name(part))


def entries(sink: Sink) -> Iterator[Entry]:
    """Yield the entries of all parts that are done."""
    for name in sink.names("ledger"):
        entry = _entry(sink, name)
        if entry is not None:
            yield entry


def _entry(sink: Sink, name: str) -> Entry | None:
    """Return an entry whose files have the sizes it says; one that cannot be read counts as not there."""
    content = sink.read(name)
    if content is None:
        return None
    try:
        entry = Entry(**json.loads(content))
        whole = all(sink.size(file) == size for file, size in entry.files.items())
    except (ValueError, TypeError, AttributeError):
        return None
    return entry if whole else None


def checksum(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
