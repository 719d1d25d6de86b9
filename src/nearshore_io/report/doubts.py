"""How far to trust it: what moves the answer, published figures, limits."""

from collections.abc import Iterator, Sequence

import numpy as np

from nearshore_io.report.document import Block, Cell, Figure, Listing, Table, Text
from nearshore_io.report.drawing import drawn
from nearshore_io.report.findings import FOCUS
from nearshore_io.report.pen import Pen
from nearshore_io.words import Words


def sensitivity(pen: Pen) -> Iterator[Block]:
    """Yield what moves the answer: parameters, the table's own errors, variants that are other questions."""
    for phase in pen.study.phases:
        for variable, country in (("value_added", "MEX"), ("value_added", "USA"), ("jobs", "MEX")):
            if variable in pen.study.impact and country in pen.table.countries:
                yield from _effects(pen, variable, country, phase)
    yield from _quantiles(pen)
    if pen.study.own_variants:
        yield _own(pen)


def _effects(pen: Pen, variable: str, country: str, phase: str) -> Iterator[Block]:
    """Yield what each parameter does to a total: the tornado, and its numbers."""
    effects = pen.study.effects_of_parameters(variable, country, phase)
    if effects is None:
        return
    what = pen.say("of_country", what=pen.column(variable, phase), country=pen.words.country(country))
    what = f"{what}, {pen.words(phase)}"
    scale = pen.study.scale(variable)
    said = effects.assign(
        at_low=effects["at_low"] * scale, at_high=effects["at_high"] * scale, central=effects["central"] * scale,
        unit=pen.column(variable, phase),
    )  # fmt: skip
    short = f"{'va' if variable == 'value_added' else variable}-{country.lower()}-{phase}"
    yield Figure(
        pen.name(f"tornado-{short}"), pen.say("tornado", what=what), pen.say("tornado_says"),
        drawn("tornado", said, words=pen.words),
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for row in said.itertuples():
        ends = f"{pen.worded(row.low)} … {pen.worded(row.high)}"
        rows.append([row.parameter, ends, pen.number(row.at_low), pen.number(row.at_high), pen.phrase(row.source)])
    columns = [pen.say(n) for n in ("parameter", "ends", "at_low", "at_high", "source")]
    yield Table(pen.name(f"moves-{short}"), pen.say("moves", what=what), columns, rows, (1, 4))


def _quantiles(pen: Pen) -> Iterator[Block]:
    sure = pen.study.sure
    if isinstance(sure, str):
        yield Text(pen.say("no_table_band"), "note")
        return
    rows: list[list[Cell]] = []
    for row in sure.itertuples():
        scale = pen.study.scale(str(row.variable))
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
    names = [name for name in ("value_added", "jobs") if name in study.impact]
    rows: list[list[Cell]] = []
    for variant in study.own_variants:
        counted = "; ".join(pen.phrase(part) for part in study.scenario.variant(variant).basis.split("; "))
        for phase in study.phases:
            totals = [
                pen.number(study.variant_total(variant, name, country, phase) * study.scale(name))
                for country in FOCUS
                for name in names
            ]
            rows.append([pen.phrase(variant), counted, pen.words(phase), *totals])
    columns = [pen.say("variant"), pen.say("counted"), pen.say("phase")]
    columns += [f"{pen.column(n, study.phases[-1])}, {pen.words.country(c)}" for c in FOCUS for n in names]
    return Table(pen.name("variants"), pen.say("own_variants"), columns, rows, (1, 2))


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
    yield Listing(_general(pen))


def _general(pen: Pen) -> list[str]:
    """Return the limits of the method that hold for the shocks and the table at hand."""
    kinds = {shock.kind for shock in pen.study.scenario.shocks}
    dropped = set()
    if kinds & {"capacity", "inventories"}:
        dropped.add("supply")
    if kinds & {"tariff", "trade_cost"}:
        dropped |= {"coefficients", "prices"}
    if not kinds & {"fdi", "plant"}:
        dropped.add("fdi")
    dropped.add("imports" if "MX2" not in pen.table.regions else "imports_plain")
    return pen.words.listed("limits", dropped)


def equations(kinds: Sequence[str], words: Words) -> list[Block]:
    """Return the equations of the shocks that were used, as the annex has them."""
    known = {key.removeprefix("report.equations.") for key in words.sentences if key.startswith("report.equations.")}
    listed = ["model", *(kind.replace("-", "_") for kind in kinds), "content", "band"]
    return [Listing([words.say(f"report.equations.{kind}") for kind in dict.fromkeys(listed) if kind in known])]
