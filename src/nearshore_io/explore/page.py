"""The calculator as a page of its own, or as a part of another one; all of it in one file."""

import base64
import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nearshore_io.errors import FormatError
from nearshore_io.explore.terms import Terms, terms_of
from nearshore_io.files import write_bytes
from nearshore_io.leontief import Leontief
from nearshore_io.palette import PALETTE
from nearshore_io.solvers.base import Array
from nearshore_io.units import single
from nearshore_io.words import Words, words_of

if TYPE_CHECKING:
    from jinja2 import Environment

START = {"mode": "move", "market": 0, "share": 0.10, "amount": 610.0, "ratio": 0.92}
FIRST = {"partner": ("CHN",), "host": ("MEX",), "sector": ("C26", "c14")}
"""What the page shows first, where the table has it."""


def write_explorer(model: Leontief, path: str | os.PathLike[str], lang: str = "en") -> Path:
    """Write the calculator: a page in which a reader moves sliders, and which works offline.

    Jobs, value added and US content follow from totals by adjoint and the small systems of relocations (`terms_of`),
    with the numbers of `run` to rounding.

    Raises
    ------
    FormatError
        If the file is not called .html.
    ShockError, LabelError
        A table without the United States, Mexico or value added; a language there is no page in.
    StorageError
        If the place cannot be written.
    """
    target = Path(path).expanduser()
    if target.suffix.lower() not in (".html", ".htm"):
        raise FormatError(f"{target}: the calculator is a page, .html.")
    return write_bytes(target, explorer(model, lang).encode("utf-8"))


def explorer(model: Leontief, lang: str = "en") -> str:
    """Return the page of the calculator."""
    words = words_of(lang)
    terms = terms_of(model)
    table = model.table
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            words=words,
            lang=lang,
            body=calculator(model, terms, words),
            table=f"{table.name} ({table.year})",
            marks={name: words(text) for name, text in table.marks.items()},
            sha256=table.sha256,
            residual=f"{terms.residual:.0e}",
            limits=words.listed("limits", ("imports_plain",) if "MX2" in table.regions else ("imports",)),
        )
    )


def calculator(model: Leontief, terms: Terms, words: Words) -> str:
    """Return the calculator as a part of a page: its form, its tables, its numbers and its script."""
    environment = _environment()
    return environment.get_template("calculator.html.jinja").render(
        words=words,
        unit=words(model.table.unit),
        band=words(model.table.marks.get("estimate_band", "")),
        payload=_embedded(payload(model, terms, words)),
        script=environment.get_template("calculator.js.jinja").render(),
    )


def payload(model: Leontief, terms: Terms, words: Words) -> dict[str, Any]:
    """Return what the script computes with: arrays as float64 in base64, labels in the language of the page."""
    table = model.table
    names = [words(table.sector_names[code]) for code in table.sectors]
    first = {
        "partner": _place(FIRST["partner"], terms.partners),
        "host": _place(FIRST["host"], terms.hosts),
        "sector": _place(FIRST["sector"], table.sectors),
    }
    listed = dict.fromkeys([*terms.partners, *terms.hosts, *(country for _, country, _ in terms.rows)])
    return {
        "table": table.name,
        "unit": table.unit,
        "unit_shown": words(table.unit),
        "sectors": list(zip(table.sectors, names, strict=True)),
        "rows": [(*row, single(row[2]) if row[0] == "jobs" else 1.0) for row in terms.rows],
        "flows": terms.flows,
        "hosts": terms.hosts,
        "partners": terms.partners,
        "markets": terms.markets,
        "arrivals": terms.arrivals,
        "move_rows": terms.move_rows,
        "origin_rows": terms.origin_rows,
        "exports": terms.exports.tolist(),
        "content": terms.content.tolist(),
        "M": _packed(terms.M),
        "demand": _packed(terms.demand),
        "build": _packed(terms.build),
        "run": _packed(terms.run),
        "moves": _packed(terms.moves),
        "ranks": base64.b64encode(np.ascontiguousarray(terms.ranks, dtype=np.uint8).tobytes()).decode(),
        "colours": PALETTE,
        "start": {**START, **first},
        "words": {**words.part("script"), "countries": {code: words.country(code) for code in listed}},
    }


def _packed(values: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f8").tobytes()).decode()


def _embedded(content: dict[str, Any]) -> str:
    """Return JSON that no text in it can end early: < and > and & are escaped."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _place(wanted: Sequence[str], known: Sequence[str]) -> int:
    return next((list(known).index(label) for label in wanted if label in known), 0)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only pages need it

    return Environment(
        loader=PackageLoader("nearshore_io.explore"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
