"""The answer with its band, and what was put in."""

from collections.abc import Iterator

import numpy as np

from nearshore_io.report.document import Block, Cell, Table, Text
from nearshore_io.report.findings import FOCUS
from nearshore_io.report.pen import Pen
from nearshore_io.report.said import SCALES, spread
from nearshore_io.rounding import worded
from nearshore_io.scenarios import assumptions


def headline(pen: Pen) -> Iterator[Block]:
    """Yield the answer: three numbers with units, year and band, gross or net, for each phase."""
    study, unit = pen.study, pen.phrase(pen.table.unit)
    if study.scenario.question:
        yield Text(pen.phrase(study.scenario.question))
    for phase in study.phases:
        values = {
            f"{short}_{country.lower()}": spread(
                pen.words, study.span(name, country, phase), SCALES.get(name, 1.0), unit if short == "va" else ""
            )
            for short, name in (("va", "value_added"), ("jobs", "jobs"))
            for country in FOCUS
        }
        yield Text(pen.say(f"headline.{phase}", year=pen.table.year, **values), "headline")
    before, after = _contents(pen, "USA in exports of MEX to USA")
    if not np.isnan(after):
        low, high = (f"{100 * end:.1f}" for end in pen.found.content_ends)
        yield Text(
            pen.say("headline.content", before=f"{before:.2f}", after=f"{after:.2f}", low=low, high=high), "headline"
        )
    basis = "; ".join(pen.phrase(part) for part in str(study.impact["basis"].item()).split("; "))
    yield Text(f"{pen.say('counted')}: {basis}.", "flag")
    yield Text(_banded(pen), "flag")
    losers = _losers(pen)
    if losers:
        yield Text(losers, "flag")


def _banded(pen: Pen) -> str:
    """Return what the bands of the headline are of."""
    spans = [pen.study.span("value_added", country, phase) for phase in pen.study.phases for country in FOCUS]
    kinds = {span.by for span in spans if span.known}
    if "parameters" in kinds:
        return pen.say("band_of_parameters")
    if "table" in kinds:
        return pen.say("band_of_table", errors=pen.phrase(pen.study.sure.attrs["errors"]))  # type: ignore[union-attr]
    return pen.say("no_band")


def _losers(pen: Pen) -> str:
    phase = pen.study.phases[-1]
    losses = [(country, pen.study.total("value_added", country, phase)) for country in pen.table.countries]
    largest = sorted((pair for pair in losses if pair[1] < -0.5), key=lambda pair: pair[1])[:4]
    if not largest:
        return pen.say("nobody_loses") if not any(value < -1e-9 for _, value in losses) else ""
    listed = ", ".join(f"{pen.words.country(c)} {pen.number(v).text}" for c, v in largest)
    return pen.say("who_loses", listed=listed, unit=pen.phrase(pen.table.unit))


def _contents(pen: Pen, flow: str) -> tuple[float, float]:
    """Return cents before and after in the last phase."""
    impact = pen.study.impact
    if "content" not in impact or pen.study.phases[-1] == "build":
        return float("nan"), float("nan")
    cents = 100.0 * impact["content"].sel(phase=pen.study.phases[-1], flow=flow)
    return float(cents.sel(when="before")), float(cents.sel(when="after"))


def simulated(pen: Pen) -> Iterator[Block]:
    """Yield what was put in: shocks field by field, the model, the table, parameters with band and source."""
    scenario, attrs = pen.study.scenario, pen.study.impact.attrs
    if scenario.method:
        yield Text(pen.phrase(scenario.method))
    rows: list[list[Cell]] = []
    fields = assumptions.table_of([scenario])
    for row in fields[fields["kind"] != "parameter"].itertuples():
        shock = str(row.kind) if not row.shock else f"{row.shock} {row.kind}"
        rows.append(
            [
                shock,
                str(row.parameter),
                worded(row.value),
                pen.say(f"given.{row.source}") if row.source in ("given", "default") else "",
            ]
        )
    columns = [pen.say(name) for name in ("shock", "field", "value", "given_or_default")]
    yield Table(pen.name("shocks"), pen.say("shocks"), columns, rows, (1, 2, 3))
    if scenario.parameters:
        yield _parameters(pen)
    facts = _facts(pen)
    if facts:
        yield facts
    yield Table(
        pen.name("model"), pen.say("model"), [pen.say("fact"), pen.say("value")],
        [
            [pen.say("table"), f"{attrs['table']}, {pen.phrase(str(attrs['price_basis']))}, {attrs['table_year']}"],
            [pen.say("closure"), pen.phrase(str(attrs["closure"]))],
            [pen.say("solver"), str(attrs["solver"])],
            [pen.say("residual"), f"{attrs['residual']:.0e}"],
            *([[pen.say("stand_ins"), pen.phrase(str(attrs["stand_ins"]))]] if "stand_ins" in attrs else []),
        ], (1,),
    )  # fmt: skip


def _parameters(pen: Pen) -> Table:
    rows: list[list[Cell]] = []
    for p in pen.study.scenario.parameters:
        ends = f"{p.low:g} … {p.high:g}" if p.low is not None else ", ".join(map(str, p.alternatives))
        rows.append([p.name, worded(p.value), ends, pen.phrase(p.unit), pen.phrase(p.source)])
    columns = [pen.say(name) for name in ("parameter", "value", "band_column", "unit", "source")]
    return Table(pen.name("parameters"), pen.say("parameters"), columns, rows, (1, 2, 3, 4))


def _facts(pen: Pen) -> Table | None:
    if "fact" not in pen.study.impact:
        return None
    rows: list[list[Cell]] = []
    for phase in pen.study.phases:
        facts = pen.study.impact["fact"].sel(phase=phase)
        for name, unit, value in zip(facts["fact_name"].values, facts["fact_unit"].values, facts.values, strict=True):
            if not np.isnan(value):
                said = "" if unit == "1" else pen.phrase(str(unit))
                rows.append([pen.phrase(str(name)), pen.words(phase), pen.number(float(value), 3, signed=False), said])
    columns = [pen.say(name) for name in ("fact", "phase", "value", "unit")]
    return Table(pen.name("facts"), pen.say("facts"), columns, rows, (1, 3)) if rows else None
