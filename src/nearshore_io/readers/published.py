"""Which reader a published file is for, by what is in it."""

from pathlib import Path
from typing import Any

from nearshore_io.errors import FormatError
from nearshore_io.readers.icio.cells import read_header
from nearshore_io.readers.icio.read import read_icio
from nearshore_io.readers.icio.source import find_members
from nearshore_io.readers.iot import IMPORTS, read_oecd_iot
from nearshore_io.readers.wiod import read_wiod
from nearshore_io.table import IOTable

WIOD = (".rdata", ".rda", ".xlsx", ".xlsm")
OECD = (".csv", ".zip")


def read_published(path: Path, year: int | None = None, **options: Any) -> IOTable:
    """Return the table of a published file or a folder of them, by the reader whose layout it has.

    Parameters
    ----------
    options : those of the reader: ``edition``, ``totals`` of `read_icio`; ``close_rows`` of `read_wiod`; ``imports`` of
        `read_oecd_iot`. An option that the file's reader does not know raises.

    Raises
    ------
    FormatError
        A file no reader knows; an option the file's reader does not have.
    """
    given = {key: value for key, value in options.items() if value is not None}
    kind = _kind(path)
    known = {"icio": ("edition", "totals"), "iot": ("imports",), "wiod": ("close_rows",)}[kind]
    strange = [key for key in given if key not in known]
    if strange:
        raise FormatError(f"{path} is a table of {kind.upper()}: it has no option {strange[0]}.")
    if kind == "iot":
        return read_oecd_iot(path, year=year, **given)
    return (read_icio if kind == "icio" else read_wiod)(path, year, **given)


def _kind(path: Path) -> str:
    """Return whose table a path leads to: "icio", "iot" or "wiod"."""
    if path.is_dir():
        endings = {file.suffix.lower() for file in path.iterdir()}
        if not endings & {*OECD, *WIOD}:
            raise FormatError(f"{path} is a folder without published tables ({', '.join((*OECD, *WIOD))}).")
        return "icio" if endings & set(OECD) else "wiod"
    ending = path.suffix.lower()
    if ending in WIOD:
        return "wiod"
    if ending in OECD:
        member = find_members(path)[0]
        if member.inside:
            return "icio"
        with member.open() as stream:
            return "iot" if IMPORTS in read_header(stream, str(member)).columns else "icio"
    if ending == ".nc":
        raise FormatError(f"{path} is in the package's own format already: use it with --table {path}.")
    raise FormatError(
        f"{path}: no reader for {ending or 'such'} files. Known: .nc (native), .csv and .zip (OECD), .RData and .xlsx "
        "(WIOD 2013)."
    )
