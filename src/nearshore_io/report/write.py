"""Reports as one HTML file, as Markdown, or as a workbook with a sheet for each table."""

import os
from collections.abc import Callable
from pathlib import Path

import xarray as xr

from nearshore_io.errors import FormatError, MissingExtraError, StorageError
from nearshore_io.explore import calculator, terms_of
from nearshore_io.files import write_bytes
from nearshore_io.leontief import Leontief
from nearshore_io.library import load_table
from nearshore_io.report.build import document_of
from nearshore_io.report.document import Document
from nearshore_io.report.findings import Progress, findings_of
from nearshore_io.report.pages import markdown, page
from nearshore_io.report.sweeps import document_of_sweep
from nearshore_io.report.workbook import workbook
from nearshore_io.stores import SweepResults
from nearshore_io.words import Words, words_of

FORMATS = (".html", ".htm", ".md", ".xlsx")


def write_report(
    results: xr.Dataset | SweepResults,
    path: str | os.PathLike[str],
    model: Leontief | None = None,
    *,
    lang: str = "en",
    with_calculator: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write a report on results: the answer with its band first, then what it rests on, for people who decide.

    One file that needs no network: .html (figures inside, prints well), .md (texts and tables), .xlsx (a sheet for each
    table). Scenarios are run again from what results say of themselves, and must come out the same. Of many scenarios,
    the smallest, the median and the largest change of Mexican value added are shown in full.

    Parameters
    ----------
    results : from `run` (also read back from a file), or from a sweep (`open_results`).
    model : of the table the results were made with; by default the shipped or imported table of that name.
    lang : "en" or "es".
    with_calculator : the calculator (`write_explorer`) as a part of the page; .html only.
    progress : called with how many scenarios are done, of how many.

    Raises
    ------
    FormatError
        Another ending; results that are none, or that do not come out the same.
    LabelError
        A language or a table that is not here.
    MissingExtraError
        Without matplotlib (extra ``plot``), or openpyxl for a workbook (extra ``excel``).
    StorageError
        If the place cannot be written; nothing is half-written.
    """
    target = Path(path).expanduser()
    ending = target.suffix.lower()
    require_format(target)
    words = words_of(lang)
    if with_calculator and ending not in (".html", ".htm"):
        raise FormatError(f"{target}: only a page, .html, can hold the calculator.")
    document: Document
    if isinstance(results, SweepResults):
        if with_calculator:
            raise FormatError("a report on a sweep has no calculator: write_explorer writes it as a page of its own.")
        document = _of_sweep(results, words)
    elif isinstance(results, xr.Dataset):
        used = model if model is not None else _model_of(results)
        part = calculator(used, terms_of(used), words) if with_calculator else ""
        document = document_of(findings_of(results, used, progress), words, part)
    else:
        raise FormatError(f"a report needs results of nio.run or nio.open_results, not {type(results).__name__}.")
    writers: dict[str, Callable[[Document], bytes]] = {".md": markdown, ".xlsx": workbook}
    return write_bytes(target, writers.get(ending, page)(document))


def _of_sweep(results: SweepResults, words: Words) -> Document:
    """Return the report on a sweep; what its store has lost is said as one error."""
    from polars.exceptions import PolarsError

    try:
        return document_of_sweep(results, words)
    except (OSError, PolarsError) as error:
        raise StorageError(
            f"{results.where} lacks files of parts it says are done ({error}): run the batch again."
        ) from error


def require_format(path: Path) -> None:
    """Raise an error before any work when no report can be written under that name.

    Raises
    ------
    FormatError, StorageError, MissingExtraError
        Another ending; a folder that is not there; a workbook without the package that writes it.
    """
    if path.suffix.lower() not in FORMATS:
        raise FormatError(f"{path}: a report is .html, .md or .xlsx, not {path.suffix or 'this'}.")
    if not path.absolute().parent.is_dir():
        raise StorageError(f"{path} could not be written: there is no folder {path.absolute().parent}.")
    if path.suffix.lower() == ".xlsx":
        try:
            import openpyxl as _  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("a report as a workbook", "openpyxl", "excel") from error


def _model_of(results: xr.Dataset) -> Leontief:
    name = results.attrs.get("table")
    if not name:
        raise FormatError("these are no results of nio.run: they do not say which table they are of.")
    return Leontief(load_table(str(name)))
