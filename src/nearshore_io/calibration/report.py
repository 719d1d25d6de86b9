"""Quality reports as Markdown or as one HTML page."""

import os
from pathlib import Path

from nearshore_io.calibration.sections import Report
from nearshore_io.errors import FormatError
from nearshore_io.files import write_bytes

FORMATS = {".md": "report.md.jinja", ".html": "report.html.jinja", ".htm": "report.html.jinja"}


def require_format(path: Path) -> None:
    """Raise `FormatError` unless a report can be written under that name."""
    if path.suffix.lower() not in FORMATS:
        raise FormatError(f"{path}: a report is .html or .md.")


def rendered(report: Report, suffix: str) -> str:
    """Return a report as text, by the suffix of a file: .md or .html."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only reports need it

    environment = Environment(
        loader=PackageLoader("nearshore_io.calibration"),
        autoescape=suffix != ".md",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = lambda text: str(text).replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
    return environment.get_template(FORMATS[suffix]).render(report=report)


def write_calibration_report(report: Report, path: str | os.PathLike[str]) -> Path:
    """Write a report, whole or not at all, as .md or .html.

    Raises
    ------
    FormatError, StorageError
        Another suffix; a folder that cannot be written.
    """
    target = Path(path).expanduser()
    require_format(target)
    return write_bytes(target, rendered(report, target.suffix.lower()).encode("utf-8"))
