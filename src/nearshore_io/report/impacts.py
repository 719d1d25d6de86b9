"""Impacts by country and by industry: direct, indirect, induced; who gains and who loses."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from nearshore_io.report.document import Block, Cell, Figure, Table, Text
from nearshore_io.report.drawing import drawn
from nearshore_io.report.findings import FOCUS
from nearshore_io.report.pen import Pen
from nearshore_io.report.said import spread

BLOCKS = ("USA", "MEX", "CAN", "CHN")
"""Countries with rows of their own in the summary; the others are added up."""
COLUMNS = ("output", "value_added", "compensation", "jobs", "taxes_less_subsidies")
SKILLS = ("jobs_high_skilled", "jobs_medium_skilled", "jobs_low_skilled", "informal_jobs")
FULL_TIME = 2080.0
"""Hours of a full-time job a year: 52 weeks of 40."""
TOP = 15
LOSERS = 8


def summary(pen: Pen) -> Iterator[Block]:
    """Yield direct, indirect, induced and total by country, one table for each phase, and the figure of it."""
    impact, study = pen.study.impact, pen.study
    for phase in study.phases:
        shown = [name for name in COLUMNS if name in impact]
        columns = [pen.say("country"), pen.say("effect"), *(pen.column(name, phase) for name in shown)]
        rows = [row for country in _blocks(pen) for row in _effects(pen, country, phase, shown)]
        rows += _rest(pen, phase, shown)
        title = pen.say("summary_of", phase=pen.words(phase), clock=pen.clock(phase))
        yield Table(pen.name(f"summary-{phase}"), title, columns, rows, (1,))
        for name in ("value_added", "jobs"):
            if name in impact and not pen.nothing(name, phase):
                yield _bars(pen, name, phase)
    yield Text(pen.say("jobs_note"), "note")
    if isinstance(study.upper, str):
        yield Text(pen.say("no_upper"), "note")
    else:
        yield _upper(pen)
        yield Text(pen.say("households"), "note")
    extra = _work(pen)
    if extra is not None:
        yield extra
    ratios = _ratios(pen)
    if ratios is not None:
        yield ratios
    if study.years is not None and "jobs" in impact:
        years = study.years
        yield Figure(
            pen.name("years"), pen.say("over_years"), pen.say("over_years_says"),
            drawn("time_path", years, "jobs", words=pen.words),
        )  # fmt: skip


def _blocks(pen: Pen) -> list[str]:
    return [name for name in BLOCKS if name in pen.table.countries]


def _effects(pen: Pen, country: str, phase: str, shown: Sequence[str]) -> list[list[Cell]]:
    """Return the rows of a country: direct, indirect, induced (of type II) and the total of the open model."""
    study = pen.study
    rows: list[list[Cell]] = []
    for effect in ("direct", "indirect"):
        cells = [pen.number(study.total(n, country, phase, effect) * pen.study.scale(n)) for n in shown]
        rows.append([pen.words.country(country), pen.words(effect), *cells])
    total = [pen.number(study.total(n, country, phase) * pen.study.scale(n)) for n in shown]
    induced = [
        pen.number((study.upper_total(n, country, phase) - study.total(n, country, phase)) * pen.study.scale(n))
        for n in shown
    ]
    rows.append([pen.words.country(country), pen.say("total_open"), *total])
    if not isinstance(study.upper, str):
        rows.append([pen.words.country(country), pen.say("induced_upper"), *induced])
    return rows


def _rest(pen: Pen, phase: str, shown: Sequence[str]) -> list[list[Cell]]:
    """Return the total of all other countries; unknown where one of them is."""
    others = [name for name in pen.table.countries if name not in BLOCKS]
    if not others:
        return []
    cells = [
        pen.number(sum(pen.study.total(n, country, phase) for country in others) * pen.study.scale(n)) for n in shown
    ]
    return [[pen.say("all_others"), pen.say("total_open"), *cells]]


def _bars(pen: Pen, variable: str, phase: str) -> Figure:
    study, words = pen.study, pen.words
    results = (study.impact if study.variants is None else study.variants.isel(scenario=0))[[variable]]
    sure = study.sure if study.variants is None and isinstance(study.sure, pd.DataFrame) else None
    says = ", ".join(
        f"{words.country(c)} {spread(words, study.span(variable, c, phase), pen.study.scale(variable))}"
        for c in FOCUS if c in pen.table.countries
    )  # fmt: skip
    title = pen.say("bars", variable=pen.say(f"variables.{variable}"), phase=words(phase))
    return Figure(
        pen.name(f"bars-{variable.replace('_', '-')}-{phase}"), title, says,
        drawn("impact_bars", results, variable, phase=phase, bands=sure, words=words),
    )  # fmt: skip


def _upper(pen: Pen) -> Table:
    """Return type I beside type II: the upper bound, with its name."""
    study = pen.study
    rows: list[list[Cell]] = []
    for phase in study.phases:
        for country in FOCUS:
            for name in ("value_added", "jobs"):
                if name in study.impact:
                    scale = pen.study.scale(name)
                    rows.append([
                        pen.words.country(country), pen.words(phase), pen.column(name, phase),
                        pen.number(study.total(name, country, phase) * scale),
                        pen.number(study.upper_total(name, country, phase) * scale),
                    ])  # fmt: skip
    columns = [pen.say(name) for name in ("country", "phase", "what", "type_one", "type_two")]
    return Table(pen.name("type-ii"), pen.say("type_ii"), columns, rows, (1, 2))


def _work(pen: Pen) -> Table | None:
    """Return skills, informal jobs and full-time equivalents, where they are known."""
    study, phase = pen.study, pen.study.phases[-1]
    rows: list[list[Cell]] = []
    for country in FOCUS:
        for name in SKILLS:
            value = study.total(name, country, phase) if name in study.impact else float("nan")
            if not np.isnan(value):
                rows.append(
                    [
                        pen.words.country(country),
                        pen.say(f"variables.{name}"),
                        pen.number(pen.study.scale(name) * value),
                    ]
                )
        hours = study.total("hours", country, phase) if "hours" in study.impact else float("nan")
        if not np.isnan(hours):
            rows.append(
                [pen.words.country(country), pen.say("fte"), pen.number(pen.study.scale("hours") * hours / FULL_TIME)]
            )
    columns = [pen.say("country"), pen.say("what"), pen.column("jobs", phase)]
    return Table(pen.name("work"), pen.say("work"), columns, rows, (1,)) if rows else None


def _ratios(pen: Pen) -> Table | None:
    """Return multipliers with their definition, where the direct effect has one sign: else they say nothing."""
    study = pen.study
    rows: list[list[Cell]] = []
    for phase in study.phases:
        direct = study.impact["output"].sel(phase=phase, effect="direct")
        asked = float(direct.sum())
        if not asked > 0 or float(direct.where(direct < 0, 0.0).sum()) < -1e-6 * asked:
            continue
        world = sum(study.total("value_added", country, phase) for country in pen.table.countries)
        rows.append([pen.say("va_per_dollar"), pen.words(phase), pen.number(world / asked, signed=False)])
        for country in FOCUS:
            jobs = study.total("jobs", country, phase) if "jobs" in study.impact else float("nan")
            what = pen.say("jobs_per_million", country=pen.words.country(country))
            rows.append([what, pen.words(phase), pen.number(pen.study.scale("jobs") * jobs / asked, signed=False)])
    columns = [pen.say("ratio"), pen.say("phase"), pen.say("value")]
    return Table(pen.name("ratios"), pen.say("ratios"), columns, rows, (1,)) if rows else None


def industries(pen: Pen) -> Iterator[Block]:
    """Yield the map of countries and sectors, and gains and losses with the same prominence."""
    study, words = pen.study, pen.words
    for phase in study.phases:
        if pen.nothing("value_added", phase):
            continue
        part = study.impact
        title = pen.say("heatmap", phase=words(phase))
        yield Figure(
            pen.name(f"heatmap-{phase}"), title, pen.say("heatmap_says"),
            drawn("heatmap", part, phase=phase, top=TOP, words=words),
        )  # fmt: skip
        names = dict(zip(part["sector"].values.tolist(), part["sector_name"].values.tolist(), strict=True))
        ranked = study.ranked(phase, LOSERS)
        rows: list[list[Cell]] = []
        for row in ranked.itertuples():
            region, _, sector = str(row.name).partition("/")
            rows.append([
                pen.say(str(row.direction)), region, f"{pen.phrase(names[sector])} ({sector})",
                pen.number(float(row.value)),
            ])  # fmt: skip
        columns = [pen.say(n) for n in ("direction", "region", "industry")]
        columns.append(f"{pen.say('variables.value_added')} ({pen.phrase(pen.table.unit)})")
        yield Table(pen.name(f"ranked-{phase}"), pen.say("ranked", phase=words(phase)), columns, rows, (1, 2))
