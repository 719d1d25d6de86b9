"""A report on results of `run`: overview where there are several scenarios, each in full, and the annex."""

import json

import numpy as np

from nearshore_io.report.document import Block, Cell, Code, Document, Section, Table, Text
from nearshore_io.report.doubts import equations
from nearshore_io.report.findings import DETAILED, FOCUS, LISTED, Findings
from nearshore_io.report.said import number, phrase
from nearshore_io.report.study import study_sections
from nearshore_io.words import Words


def document_of(found: Findings, words: Words, calculator: str = "") -> Document:
    """Return the report on some findings, in one language."""
    sections: list[Section] = []
    several = len(found.scenarios) > 1
    if several:
        sections.append(Section(words.say("report.sections.overview"), _overview(found, words), "overview"))
    for k, study in enumerate(found.studies, start=1):
        parts = study_sections(found, study, words, k)
        if several:
            title = _titled(study.scenario.name, study.scenario.title, words)
            sections.append(Section(title, [], f"s{k}"))
            parts = [Section(part.title, part.blocks, part.name, 3) for part in parts]
        sections += parts
    sections.append(Section(words.say("report.sections.annex"), _annex(found, words), "annex"))
    if several:
        title = words.say("report.title_of_several", count=len(found.scenarios), table=found.model.table.name)
    else:
        title = _titled(found.scenarios[0].name, found.scenarios[0].title, words)
    return Document(title, words.lang, sections, calculator)


def _titled(name: str, title: str, words: Words) -> str:
    return f"{name}: {phrase(words, title)}" if title else name


def _overview(found: Findings, words: Words) -> list[Block]:
    """Return a line for each scenario and phase, and which are shown in full."""
    blocks: list[Block] = []
    names = [study.scenario.name for study in found.studies]
    if len(found.scenarios) > DETAILED:
        listed = ", ".join(names)
        blocks.append(Text(words.say("report.chosen", count=len(found.scenarios), listed=listed), "flag"))
    if len(found.scenarios) > LISTED:
        blocks.append(Text(words.say("report.sampled", shown=LISTED, count=len(found.scenarios)), "flag"))
    columns = [words.say("report.scenario"), words.say("report.phase")]
    pairs = [(name, country) for name in ("value_added", "jobs") for country in FOCUS if name in found.results]
    for name, country in pairs:
        unit = words.say("report.persons_or_years") if name == "jobs" else phrase(words, found.model.table.unit)
        columns.append(f"{words.say(f'report.variables.{name}')}, {words.country(country)} ({unit})")
    sums = {pair: found.summary(*pair) for pair in pairs}
    titles = {scenario.name: scenario.title for scenario in found.scenarios}
    rows: list[list[Cell]] = []
    for name in found.listed:
        for phase in found.results["phase"].values.tolist():
            values = [float(sums[pair].sel(scenario=name, phase=phase)) for pair in pairs]
            if not all(np.isnan(value) for value in values):
                said = _titled(name, titles[name], words)
                rows.append([said, words(str(phase)), *(number(words, value) for value in values)])
    blocks.append(Table("scenarios", words.say("report.all_scenarios"), columns, rows, (1,)))
    return blocks


def _annex(found: Findings, words: Words) -> list[Block]:
    """Return equations, every assumption, the table with its checksum, and how to make it again."""
    attrs = found.results.attrs
    kinds = list(dict.fromkeys(shock.kind for study in found.studies for shock in study.scenario.shocks))
    rows: list[list[Cell]] = [
        [words.say("report.table"), str(attrs["table"])],
        ["SHA-256", str(attrs["table_sha256"])],
        [words.say("report.sources"), "; ".join(_sources(found))],
        [words.say("report.package"), str(attrs["package"])],
        [words.say("report.residual"), f"{attrs['residual']:.0e}"],
        [words.say("report.made_again"), words.say("report.gap", gap=f"{found.gap:.0e}")],
    ]
    columns = [words.say("report.fact"), words.say("report.value")]
    return [
        *equations(kinds, words),
        Table("provenance", words.say("report.provenance"), columns, rows, (1,)),
        Text(words.say("report.reproduce")),
        Code(_again(found)),
        *_assumed(found, words),
    ]  # fmt: skip


def _sources(found: Findings) -> list[str]:
    """Return what the table was made from, as it says itself."""
    meta = found.model.table.meta
    return [str(meta[name]) for name in ("source", "licence") if meta.get(name)] or [found.model.table.name]


def _again(found: Findings) -> str:
    """Return the command that made the results, or the Python that makes them again."""
    command = found.results.attrs.get("command")
    if command:
        return f"$ {command}"
    return (
        "import nearshore_io as nio\n"
        "import xarray as xr\n\n"
        "results = xr.open_dataset('results.nc')  # the results this report was written from\n"
        f"model = nio.Leontief(nio.load_table({found.model.table.name!r}))\n"
        "again = nio.run(model, nio.scenarios_of(results), effects=True, content=True)"
    )


def _assumed(found: Findings, words: Words) -> list[Block]:
    """Return the scenarios in full as they were run, for a program to read."""
    listed = json.loads(str(found.results.attrs["assumptions"]))
    names = {study.scenario.name for study in found.studies}
    shown = [entry for entry in listed if entry["name"] in names]
    for entry in shown:
        entry.pop("variants", None)
    return [Code(json.dumps(shown, ensure_ascii=False, indent=1), words.say("report.as_run"))]
