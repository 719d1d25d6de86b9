"""Numbers out of a wide CSV, by blocks of rows: fast where the file is sound, exact about the place where it is not."""

import csv
import math
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

import numpy as np
import polars

from nearshore_io.errors import FormatError, first_few
from nearshore_io.solvers.base import Array

BLOCK = 2**23
"""Bytes read at once, by two parsers: a full 2025 table takes 0.95 s and 0.47 GB in all. Blocks of 16 MB take as long
and 0.1 GB more, blocks of 4 MB a quarter longer and 0.04 GB less."""
WORKERS = 2
ROOM_FOR_POLARS = 6 * 2**30
"""Bytes of addresses below which files are read line by line, at a third of the speed: polars' threads reserve 2 GiB of
them, whatever they use."""
LONGEST_HEADER = 2**24
LONGEST_LINE = 2**26
_SEPARATORS = (",", ";", "\t")
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "gzip"}


@dataclass(frozen=True)
class Header:
    """The first line: its labels (but for the first cell), and how the file is written."""

    first: str
    columns: tuple[str, ...]
    separator: str
    oddities: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Some rows: their labels, the line the first one stands on, and their numbers (rows, columns); blanks are NaN."""

    labels: list[str]
    line: int
    values: Array
    blank: bool


def read_header(stream: IO[bytes], where: str) -> Header:
    """Read the first line of a file.

    Raises
    ------
    FormatError
        If the file is empty, no text, or its first line holds no labels.
    """
    raw = stream.readline(LONGEST_HEADER)
    for mark, kind in _MARKS.items():
        if raw.startswith(mark):
            raise FormatError(f"{where} is {kind}, not a CSV in UTF-8: save or unpack it as one.")
    oddities = []
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
        oddities.append("starts with a byte order mark")
    if raw.endswith(b"\r\n"):
        oddities.append("lines end in CRLF")
    if b"\0" in raw:
        raise FormatError(f"{where} holds NUL bytes: it is no CSV in UTF-8 (is it UTF-16?).")
    if b"\r" in raw.rstrip(b"\r\n"):
        raise FormatError(f"{where}: lines end in CR alone: save it with LF or CRLF.")
    try:
        text = raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"{where}: the first line is no text in UTF-8 ({error}).") from error
    separator = max(_SEPARATORS, key=text.count)
    if not text.strip() or separator not in text:
        raise FormatError(f"{where} is no CSV table: its first line has no columns ({text[:60]!r}).")
    try:
        cells = next(csv.reader([text], delimiter=separator))
    except csv.Error as error:
        raise FormatError(
            f"{where}: the first line is no row of a CSV ({error}): a quote may not be closed."
        ) from error
    if separator != ",":
        oddities.append(f"columns are separated by {separator!r}")
    if '"' in text:
        oddities.append("labels are quoted")
    if cells[0]:
        oddities.append(f"first header cell is {cells[0]!r}")
    columns = tuple(cell.strip() for cell in cells[1:])
    if columns and not columns[-1]:
        raise FormatError(f"{where}: the header ends in an empty cell, column {len(cells)}: remove the last separator.")
    empty = [str(i + 2) for i, column in enumerate(columns) if not column]
    if empty:
        raise FormatError(f"{where}: the header has no label in column {first_few(empty)}.")
    if all(_number(column) is not None for column in columns):
        raise FormatError(f"{where}: the first line holds numbers; a header of labels is missing.")
    return Header(cells[0].strip(), columns, separator, tuple(oddities))


def blocks(stream: IO[bytes], header: Header, where: str, largest: int) -> Iterator[Block]:
    """Yield the rows under the header, in order.

    Raises
    ------
    FormatError
        A row with too few or too many cells, or a cell that is no number: file, row, column and line are named.
    """
    if address_space() < ROOM_FOR_POLARS:
        for line, _, data in _lines(stream, where, largest):
            yield _frugally(data, line, header, where)
        return
    waiting: deque[Callable[[], Block]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for line, lines, data in _lines(stream, where, largest):
            waiting.append(pool.submit(_parsed, data, line, lines, header, where).result)
            if len(waiting) > WORKERS:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()


def _lines(stream: IO[bytes], where: str, largest: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield whole lines as blocks of bytes, with the number of the first one and how many there are."""
    rest, line, size = b"", 2, 0
    while data := stream.read(BLOCK):
        size += len(data)
        if size > largest:
            raise FormatError(f"{where} unpacks to more than the limit of {largest:,} bytes.")
        cut = data.rfind(b"\n") + 1
        if not cut:
            rest += data
            if len(rest) > LONGEST_LINE:
                raise FormatError(f"{where}: line {line} is longer than {LONGEST_LINE:,} bytes: it is no such table.")
            continue
        whole, rest = rest + data[:cut], data[cut:]
        lines = whole.count(b"\n")
        yield line, lines, whole
        line += lines
    if rest.strip():
        yield line, 1, rest


def _parsed(data: bytes, line: int, lines: int, header: Header, where: str) -> Block:
    """Return a block read by columns; any doubt about it, and it is read cell by cell."""
    schema = {"label": polars.String, **{f"c{i}": polars.Float64 for i in range(len(header.columns))}}
    quote = '"' if b'"' in data else None
    try:
        frame = polars.read_csv(data, schema=schema, has_header=False, separator=header.separator, quote_char=quote)
    except polars.exceptions.PolarsError:
        return _slowly(data, line, header, where)
    values = frame[:, 1:].to_numpy()
    names = frame["label"].to_list()
    if frame.height != lines or not all(names) or not np.isfinite(values.sum()):
        return _slowly(data, line, header, where)
    return Block([name.strip() for name in names], line, values, blank=False)


def _frugally(data: bytes, line: int, header: Header, where: str) -> Block:
    """Return a block read line by line by numpy; any doubt about a line, and the block is read cell by cell.

    polars ends the whole process where an allocation fails, and its threads reserve a gigabyte of addresses.
    """
    labels, rows = [], []
    for text in data.decode("utf-8", errors="replace").rstrip("\r\n").split("\n"):
        label, _, rest = text.rstrip("\r").partition(header.separator)
        if "\ufffd" in label or rest.endswith(header.separator):
            return _slowly(data, line, header, where)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what is no number is a DeprecationWarning to numpy
                numbers = np.fromstring(rest, sep=header.separator)
        except (DeprecationWarning, ValueError):
            return _slowly(data, line, header, where)
        if len(numbers) != len(header.columns) or not np.isfinite(numbers.sum()) or '"' in label or not label.strip():
            return _slowly(data, line, header, where)
        labels.append(label.strip())
        rows.append(numbers)
    return Block(labels, line, np.array(rows), blank=False)


def address_space() -> float:
    """Return the bytes of addresses this process may have (``ulimit -v``); infinite where there is no limit."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return math.inf
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return math.inf if limit == resource.RLIM_INFINITY else float(limit)


def _slowly(data: bytes, line: int, header: Header, where: str) -> Block:
    """Return a block read cell by cell: blanks become NaN, and the first fault is named."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{where}, near line {line}: bytes that are no text in UTF-8 ({error}).") from error
    labels, rows, lines = [], [], []
    for i, cells in enumerate(_cells(text, line, header, where)):
        if not any(cell.strip() for cell in cells):
            continue  # a line of nothing but separators, or of nothing
        labels.append(cells[0].strip())
        rows.append(_numbers(cells, line + i, header, where))
        lines.append(line + i)
    values = np.array(rows).reshape(len(rows), len(header.columns))
    return Block(labels, lines[0] if lines else line, values, blank=bool(np.isnan(values).any()))


def _cells(text: str, line: int, header: Header, where: str) -> Iterator[list[str]]:
    reader = csv.reader((row.rstrip("\r") for row in text.split("\n")), delimiter=header.separator)
    try:
        yield from reader
    except csv.Error as error:
        raise FormatError(f"{where}, near line {line + reader.line_num - 1}: no row of a CSV ({error}).") from error


def _numbers(cells: Sequence[str], line: int, header: Header, where: str) -> list[float]:
    label = cells[0].strip()
    place = f"{where}, line {line} (row {label or 'without a label'})"
    if len(cells) != len(header.columns) + 1:
        missing = header.columns[len(cells) - 1] if len(cells) <= len(header.columns) else None
        raise FormatError(
            f"{place} has {len(cells):,} cells, the header has {len(header.columns) + 1:,}"
            + (f": it ends before column {missing}. The file may be cut short." if missing else ".")
        )
    if not label:
        raise FormatError(f"{place}: its first cell is empty.")
    numbers = []
    for column, cell in zip(header.columns, cells[1:], strict=True):
        number = math.nan if not cell.strip() else _number(cell)
        if number is None:
            hint = " Decimal commas: save the file with decimal points." if "," in cell else ""
            raise FormatError(f"{place}, column {column}: {cell.strip()!r} is no number.{hint}")
        numbers.append(number)
    return numbers


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in cell else None
