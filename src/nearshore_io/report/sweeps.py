"""A report on a sweep: how its totals are spread, what moves them, and what it was made from."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd

from nearshore_io.errors import FormatError, LabelError
from nearshore_io.report.document import Block, Cell, Code, Document, Figure, Listing, Section, Table, Text
from nearshore_io.report.drawing import drawn
from nearshore_io.report.said import number, phrase, share
from nearshore_io.stores import SweepResults
from nearshore_io.units import COUNTS
from nearshore_io.words import Words

LINES = 200
"""Lines of quantiles at most."""
DRAWN = 4
"""Totals whose spread and causes are drawn."""


def document_of_sweep(results: SweepResults, words: Words) -> Document:
    """Return the report on a sweep, finished or not.

    Raises
    ------
    FormatError
        If no scenario has a result.
    """
    if not results.entries or not results.variables:
        raise FormatError(f"{results.where}: no scenario has a result yet, so there is nothing to report.")
    frames = [results.quantiles(variable) for variable in results.variables]
    frame = pd.concat([part for part in frames if len(part)], ignore_index=True)
    known = _in_persons(frame[frame["count"] > 0])
    if known.empty:
        raise FormatError(
            f"{results.where}: nobody knows any of these totals (no data), so there is nothing to report."
        )
    manifest = results.manifest
    sections = [
        Section(words.say("report.sections.headline"), _headline(results, known, words), "headline"),
        Section(words.say("report.sections.spread"), _spread(known, words), "spread"),
        Section(words.say("report.sections.sensitivity"), _moves(results, known, words), "sensitivity"),
        Section(words.say("report.sections.limits"), [*_limits(words)], "limits"),
        Section(words.say("report.sections.annex"), _annex(results, words), "annex"),
    ]
    title = manifest["sweep"].get("title") or manifest["name"]
    return Document(f"{manifest['name']}: {title}" if title != manifest["name"] else title, words.lang, sections)


def _in_persons(frame: pd.DataFrame) -> pd.DataFrame:
    """Return quantiles with jobs in persons, as in every other report."""
    found = frame.copy()
    numbers = [name for name in found if name == "mean" or re.fullmatch(r"P\d.*", str(name))]
    for unit in found["unit"].unique():
        if unit in COUNTS and unit.endswith("persons"):
            rows = found["unit"] == unit
            found.loc[rows, numbers] *= COUNTS[unit]
            found.loc[rows, "unit"] = "persons"
    return found


def _named(row: Any, words: Words) -> str:
    place = words.country(str(row.place))
    sector = "" if row.sector == "all" else f", {row.sector}"
    variable = str(row.variable)
    key = f"report.variables.{variable}"
    return f"{words.sentences.get(key, variable)}, {place}{sector}"


def _headline(results: SweepResults, known: pd.DataFrame, words: Words) -> list[Block]:
    """Return how many scenarios there are, and the spread of the totals that matter most here."""
    manifest = results.manifest
    tables = ", ".join(dict.fromkeys(str(table["table"]) for table in manifest["tables"]))
    done = results.scenarios.select("scenario").collect().height if not results.complete else manifest["scenarios"]
    count = (
        f"{manifest['scenarios']:,}"
        if results.complete
        else words.say("report.of", done=f"{done:,}", all=f"{manifest['scenarios']:,}")
    )
    blocks: list[Block] = [Text(words.say("report.sweep_of", count=count, tables=tables), "plain")]
    for row in _chosen(known).itertuples():
        blocks.append(
            Text(
                words.say(
                    "report.sweep_headline", what=_named(row, words), low=number(words, row.P5).text,
                    middle=number(words, row.P50).text, high=number(words, row.P95).text, unit=phrase(words, row.unit),
                    phase=words(str(row.phase)),
                ),
                "headline",
            )
        )  # fmt: skip
    if not results.complete:
        blocks.append(Text(words.say("report.sweep_unfinished", parts=len(results.entries)), "flag"))
    if results.failed:
        blocks.append(Text(words.say("report.sweep_failed", failed=f"{results.failed:,}"), "flag"))
    return blocks


def _chosen(known: pd.DataFrame) -> pd.DataFrame:
    """Return the totals of the two countries that a reader asks for first, of the first table."""
    first = known[known["table"] == known["table"].iloc[0]]
    first = first[(first["year"] == first["year"].iloc[0]) & (first["phase"] == first["phase"].iloc[-1])]
    rank = {"value_added": 0, "jobs": 1}
    focus = first[first["place"].isin(["MEX", "USA"])] if first["place"].isin(["MEX", "USA"]).any() else first
    order = focus["variable"].map(lambda name: rank.get(name, 2)) * 2 + (focus["place"] != "MEX")
    return focus.iloc[np.argsort(order.to_numpy(), kind="stable")].head(DRAWN)


def _spread(known: pd.DataFrame, words: Words) -> list[Block]:
    """Return quantiles of every total."""
    names = ("what", "phase", "table", "unit", "count", "mean")
    columns = [*(words.say(f"report.{name}") for name in names), "P5", "P50", "P95"]
    rows: list[list[Cell]] = []
    for row in known.head(LINES).itertuples():
        numbers = [number(words, value, 3) for value in (row.mean, row.P5, row.P50, row.P95)]
        rows.append(
            [
                _named(row, words),
                words(str(row.phase)),
                f"{row.table}"
                if str(row.table).endswith(str(row.year)) or row.year == "none"
                else f"{row.table} {row.year}",
                phrase(words, row.unit),
                f"{row.count:,}",
                *numbers,
            ]
        )
    blocks: list[Block] = [Table("quantiles", words.say("report.quantiles"), columns, rows, (1, 2, 3))]
    if len(known) > LINES:
        blocks.append(Text(words.say("report.lines_left", shown=LINES, count=f"{len(known):,}"), "flag"))
    blocks.append(Text(words.say("report.quantiles_note"), "note"))
    return blocks


def _moves(results: SweepResults, known: pd.DataFrame, words: Words) -> list[Block]:
    """Return what moves the chosen totals: rank correlations, and their quantiles along the parameters."""
    blocks: list[Block] = []
    for k, row in enumerate(_chosen(known).itertuples(), start=1):
        chosen = {"phase": row.phase, "table": row.table, "year": row.year, "sector": row.sector}
        try:
            effects = results.tornado(row.variable, row.place, **chosen)
        except LabelError as error:
            blocks.append(Text(f"{_named(row, words)}: {error}", "note"))
            continue
        what = _named(row, words)
        blocks.append(Figure(
            f"moves-{k}", words.say("report.tornado", what=what), words.say("report.ranked_says"),
            drawn("tornado", effects, words=words),
        ))  # fmt: skip
        rows: list[list[Cell]] = [
            [
                str(name),
                words(str(line["measure"])),
                *(share(words, float(line[c])) for c in ("correlation", "lowest", "highest")),
            ]
            for name, line in effects.iterrows()
        ]
        columns = [words.say(f"report.{name}") for name in ("parameter", "measure", "correlation", "lowest", "highest")]
        blocks.append(Table(f"moves-{k}", words.say("report.moves", what=what), columns, rows, (1,)))
        blocks += _fans(results, row, f"{k}", what, words)
    return blocks


def _fans(results: SweepResults, row: Any, number_of: str, what: str, words: Words) -> list[Block]:
    """Return the quantiles of a total along every axis that is a number."""
    found: list[Block] = []
    keys = ["phase", "table", "year", "sector", "place"]
    for name in results.manifest["sweep"]["axes"]:
        part = results.quantiles(row.variable, by=name)
        part = part[(part[keys] == [getattr(row, key) for key in keys]).all(axis=1)]
        if len(part) > 2 and pd.api.types.is_numeric_dtype(part[name]):
            found.append(
                Figure(
                    f"fan-{number_of}-{len(found) + 1}",
                    words.say("report.fan", what=what, over=name),
                    words.say("report.fan_says"),
                    drawn("fan", part, name, label=what, words=words),
                )
            )
    return found


def _limits(words: Words) -> list[Block]:
    return [Text(words.say("report.sweep_limits")), Listing(words.listed("limits", ("imports_plain",)))]


def _annex(results: SweepResults, words: Words) -> list[Block]:
    """Return the sweep itself, the tables with their checksums, residuals, and how to make it again."""
    manifest = results.manifest
    rows: list[list[Cell]] = [
        [str(table["table"]), str(table["year"]), str(table["table_sha256"])] for table in manifest["tables"]
    ]
    facts: list[list[Cell]] = [
        [words.say("report.sweep_sha"), str(manifest["sweep_sha256"])],
        [words.say("report.package"), str(manifest["package"])],
        [words.say("report.residual"), f"{results.residual:.0e}"],
        [
            words.say("report.two_routes"),
            words.say("report.no_data") if np.isnan(results.checked) else f"{results.checked:.0e}",
        ],
    ]
    columns = [words.say("report.table"), words.say("report.year"), "SHA-256"]
    return [
        Table("tables", words.say("report.provenance"), columns, rows, (1, 2)),
        Table("provenance", words.say("report.model"), [words.say("report.fact"), words.say("report.value")], facts),
        Text(words.say("report.sweep_again")),
        Code(json.dumps(manifest["sweep"], ensure_ascii=False, indent=1)),
    ]  # fmt: skip
