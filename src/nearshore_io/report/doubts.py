"""How far to trust it: what moves the answer, published figures, limits."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from nearshore_io import plot
from nearshore_io.report.document import Block, Cell, Figure, Listing, Table, Text
from nearshore_io.report.findings import FOCUS
from nearshore_io.report.pen import Pen
from nearshore_io.report.said import SCALES
from nearshore_io.rounding import worded
from nearshore_io.words import Words


def sensitivity(pen: Pen) -> Iterator[Block]:
    """Yield what moves the answer: parameters, the table's own errors, variants that are other questions."""
    study, words = pen.study, pen.words
    phase = study.phases[-1]
    for variable, country in (("value_added", "MEX"), ("value_added", "USA"), ("jobs", "MEX")):
        effects = study.effects_of_parameters(variable, country, phase) if variable in study.impact else None
        if effects is None:
            continue
        what = pen.say("of_country", what=pen.say(f"variables.{variable}"), country=words.country(country))
        rows: list[list[Cell]] = [
            [row.parameter, f"{worded(row.low)} … {worded(row.high)}",
             *(pen.number(v * SCALES.get(variable, 1.0)) for v in (row.at_low, row.at_high)), pen.phrase(row.source)]
            for row in effects.itertuples()
        ]  # fmt: skip
        yield Figure(
            pen.name(f"tornado-{variable.replace('_', '-')}-{country.lower()}"),
            pen.say("tornado", what=what), pen.say("tornado_says"),
            partial(plot.tornado, effects, words=words),
        )  # fmt: skip
        columns = [pen.say(n) for n in ("parameter", "ends", "at_low", "at_high", "source")]
        name = pen.name(f"moves-{'va' if variable == 'value_added' else 'jobs'}-{country.lower()}")
        yield Table(name, pen.say("moves", what=what), columns, rows, (1, 4))
    yield from _quantiles(pen)
    if study.own_variants:
        yield _own(pen)


def _quantiles(pen: Pen) -> Iterator[Block]:
    sure = pen.study.sure
    if isinstance(sure, str):
        yield Text(f"{pen.say('no_table_band')} {pen.phrase(sure)}", "note")
        return
    rows: list[list[Cell]] = []
    for row in sure.itertuples():
        scale = SCALES.get(str(row.variable), 1.0)
        cells = [pen.number(v * scale) for v in (row.low, row.value, row.high)]
        rows.append(
            [
                pen.words.country(str(row.place)),
                pen.words(str(row.phase)),
                pen.column(str(row.variable), str(row.phase)),
                *cells,
            ]
        )
    columns = [pen.say("country"), pen.say("phase"), pen.say("what"), "P5", "P50", "P95"]
    yield Table(
        pen.name("cells"),
        pen.say("table_band", errors=pen.phrase(sure.attrs["errors"])),
        columns,
        rows,
        (1, 2),
    )


def _own(pen: Pen) -> Table:
    study = pen.study
    rows: list[list[Cell]] = []
    for name in study.own_variants:
        counted = "; ".join(pen.phrase(part) for part in study.scenario.variant(name).basis.split("; "))
        for phase in study.phases:
            cells: list[Cell] = []
            for country in FOCUS:
                cells.append(pen.number(study.variant_total(name, "value_added", country, phase)))
                jobs = study.variant_total(name, "jobs", country, phase) if "jobs" in study.impact else float("nan")
                cells.append(pen.number(1000 * jobs))
            rows.append([pen.phrase(name), counted, *cells])
    columns = [pen.say("variant"), pen.say("counted")]
    for country in FOCUS:
        columns += [f"{pen.say(f'variables.{n}')}, {pen.words.country(country)}" for n in ("value_added", "jobs")]
    return Table(pen.name("variants"), pen.say("own_variants"), columns, rows, (1,))


def benchmarks(pen: Pen) -> Iterator[Block]:
    """Yield published figures beside these, with their definitions, and those the table itself is held against."""
    rows: list[list[Cell]] = []
    for row in pen.study.compared.itertuples():
        ours: Cell = pen.say("no_counterpart") if np.isnan(row.ours) else pen.number(row.ours, signed=False)
        rows.append([
            pen.phrase(row.quantity), pen.number(row.published, 3, signed=False), ours,
            pen.phrase(row.unit), pen.phrase(row.definition), pen.phrase(row.source),
        ])  # fmt: skip
    columns = [pen.say(n) for n in ("quantity", "published", "here", "unit", "definition", "source")]
    if rows:
        yield Table(pen.name("published"), pen.say("published_study"), columns, rows, (3, 4, 5))
    else:
        yield Text(pen.say("no_published"), "note")
    held = [one for one in pen.found.published if not np.isnan(one.ours)]
    rows = [
        [pen.phrase(one.quantity), str(one.year), pen.number(one.published, 3, signed=False),
         pen.number(one.ours, 3, signed=False), pen.phrase(one.source)]
        for one in held
    ]  # fmt: skip
    if rows:
        columns = [pen.say(n) for n in ("quantity", "year", "published", "here", "source")]
        yield Table(pen.name("held"), pen.say("published_table"), columns, rows, (1, 4))


def limits(pen: Pen) -> Iterator[Block]:
    """Yield what the numbers cannot say: of this scenario, of the estimate, of the method."""
    attrs, scenario = pen.study.impact.attrs, pen.study.scenario
    if scenario.limits:
        yield Text(pen.phrase(scenario.limits))
    if "estimate" in attrs:
        estimate, spread_of = pen.phrase(str(attrs["estimate"])), pen.phrase(str(attrs["estimate_band"]))
        yield Text(pen.say("estimate", estimate=estimate, band=spread_of))
    if "without_run_phase" in attrs:
        yield Text(pen.say("without_run"))
    unknown = pen.study.impact["jobs"].attrs.get("unknown_regions") if "jobs" in pen.study.impact else None
    if unknown:
        listed = ", ".join(pen.words.country(code) for code in str(unknown).split(", "))
        yield Text(pen.say("unknown_jobs", listed=listed))
    yield Listing(pen.words.listed("limits"))


def equations(kinds: Sequence[str], words: Words) -> list[Block]:
    """Return the equations of the shocks that were used, as the annex has them."""
    known = {key.removeprefix("report.equations.") for key in words.sentences if key.startswith("report.equations.")}
    listed = ["model", *(kind.replace("-", "_") for kind in kinds), "content", "band"]
    return [Listing([words.say(f"report.equations.{kind}") for kind in dict.fromkeys(listed) if kind in known])]
