"""Reports as one HTML file, with its figures inside, and as Markdown."""

import base64
import io
import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from nearshore_io.report.document import Document, English, Figure, Number
from nearshore_io.words import words_of

if TYPE_CHECKING:
    from jinja2 import Environment


def page(document: Document) -> bytes:
    """Return a report as one HTML page with its figures inside. Raises `MissingExtraError` without matplotlib."""
    import_module("nearshore_io.plot")
    words = words_of(document.lang)
    figures = {
        block.name: _drawn(block)
        for section in document.sections for block in section.blocks if isinstance(block, Figure)
    }  # fmt: skip
    text = _environment().get_template("report.html.jinja").render(document=document, words=words, figures=figures)
    return text.encode("utf-8")


def _drawn(figure: Figure) -> dict[str, str]:
    """Return a figure as SVG and its data as CSV, both as data URIs."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    from nearshore_io.plot import data

    settings = {"svg.fonttype": "none", "svg.hashsalt": figure.name, "font.size": 10.0}
    with mpl.rc_context():
        mpl.rcdefaults()  # whatever the reader's own style is: same results, same page
        mpl.rcParams.update(settings)  # type: ignore[arg-type]
        axes = figure.draw()
        image = io.BytesIO()
        drawn = axes.get_figure(root=True)
        assert drawn is not None
        drawn.savefig(image, format="svg", metadata={"Date": None}, bbox_inches="tight", pad_inches=0.08)
        plt.close(drawn)
    table = data(axes).to_csv(index=False).encode("utf-8")
    return {
        "image": f"data:image/svg+xml;base64,{base64.b64encode(image.getvalue()).decode()}",
        "data": f"data:text/csv;charset=utf-8;base64,{base64.b64encode(table).decode()}",
    }


@cache
def _environment() -> "Environment":
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # only reports need it

    loader = ChoiceLoader([PackageLoader("nearshore_io.report"), PackageLoader("nearshore_io.explore")])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["kind"] = lambda block: type(block).__name__
    environment.tests["number"] = lambda cell: isinstance(cell, Number)
    environment.tests["english"] = lambda cell: isinstance(cell, English)
    return environment


def markdown(document: Document) -> bytes:
    """Return a report as Markdown: texts and tables; of figures, what they say."""
    words = words_of(document.lang)
    environment = _environment().overlay(autoescape=False)
    environment.filters = {**environment.filters, "cell": _cell, "text": _escaped, "fence": _fence}
    text = environment.get_template("report.md.jinja").render(document=document, words=words)
    return text.encode("utf-8")


def _cell(cell: str | Number) -> str:
    return _escaped(cell.text if isinstance(cell, Number) else cell).replace("|", "\\|").replace("\n", " ")


def _escaped(text: str) -> str:
    """Return a text that Markdown and HTML take as it stands."""
    plain = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]])", r"\\\1", plain)


def _fence(text: str) -> str:
    """Return a fence that is longer than any run of backticks in a text."""
    return "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
