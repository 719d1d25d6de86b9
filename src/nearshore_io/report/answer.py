"""The answer with its band, and what was put in."""

from collections.abc import Iterator

import numpy as np

from nearshore_io.report.document import Block, Cell, Table, Text
from nearshore_io.report.findings import FOCUS
from nearshore_io.report.pen import Pen
from nearshore_io.report.said import spread
from nearshore_io.scenarios import assumptions

ASKED = 10
"""Industries that are asked for most, shown."""
NAMED = 4
"""Losers named beside the two countries at issue."""
NOTICED = 1e-3
"""Part of all changes from which a loss is worth a word."""


def headline(pen: Pen) -> Iterator[Block]:
    """Yield the answer: three numbers with units, year and band, gross or net, for each phase."""
    study, unit = pen.study, pen.phrase(pen.table.unit)
    if study.scenario.question:
        yield Text(pen.phrase(study.scenario.question))
    for phase in study.phases:
        values = {
            f"{short}_{country.lower()}": spread(
                pen.words, study.span(name, country, phase), pen.study.scale(name), unit if short == "va" else ""
            )
            for short, name in (("va", "value_added"), ("jobs", "jobs"))
            for country in FOCUS
        }
        yield Text(pen.say(f"headline.{phase}", year=pen.year, **values), "headline")
    before, after = _contents(pen, "USA in exports of MEX to USA")
    if not np.isnan(after):
        low, high = (f"{100 * end:.1f}" for end in pen.found.content_ends)
        yield Text(
            pen.say("headline.content", before=f"{before:.2f}", after=f"{after:.2f}", low=low, high=high), "headline"
        )
    for text in _limited(pen):
        yield Text(text, "headline")
    basis = "; ".join(pen.phrase(part) for part in str(study.impact["basis"].item()).split("; "))
    yield Text(f"{pen.say('counted')}: {basis}.", "flag")
    for text in _banded(pen):
        yield Text(text, "flag")
    for text in _losers(pen):
        yield Text(text, "flag")
    yield Text(pen.say("see_limits"), "flag")


def _banded(pen: Pen) -> Iterator[str]:
    """Yield what the bands of the headline are of, phase by phase where they differ."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for phase in pen.study.phases:
        spans = [pen.study.span(name, country, phase) for name in ("value_added", "jobs") for country in FOCUS]
        kinds.setdefault(tuple(sorted({span.by for span in spans if span.known})), []).append(phase)
    for found, phases in kinds.items():
        where = f"{', '.join(pen.words(phase) for phase in phases)}: " if len(kinds) > 1 else ""
        if not found:
            yield where + pen.say("no_band")
        for kind in found:
            errors = "" if isinstance(pen.study.sure, str) else pen.phrase(pen.study.sure.attrs["errors"])
            yield where + pen.say(f"band_of_{kind}", errors=errors)


def _losers(pen: Pen) -> Iterator[str]:
    """Yield which countries lose on balance in each phase, the two at issue always; nothing where that is not known."""
    spared = []
    for phase in pen.study.phases:
        where = f"{pen.words(phase)}: " if len(pen.study.phases) > 1 else ""
        changes = [(country, pen.study.total("value_added", country, phase)) for country in pen.table.countries]
        known = [(country, value) for country, value in changes if not np.isnan(value)]
        size = sum(abs(value) for _, value in known)
        losses = sorted((pair for pair in known if pair[1] < -NOTICED * size), key=lambda pair: pair[1])
        shown = [pair for k, pair in enumerate(losses) if k < NAMED or pair[0] in FOCUS]
        if losses:
            listed = ", ".join(f"{pen.words.country(c)} {pen.number(v).text}" for c, v in shown)
            if len(losses) > len(shown):
                rest = sum(value for pair in losses if pair not in shown for value in pair[1:])
                listed += f", {pen.words('others')} {pen.number(rest).text}"
            yield where + pen.say("who_loses", listed=listed, unit=pen.phrase(pen.table.unit))
        elif size > 0 and len(known) == len(changes):
            spared.append(where)
    if len(spared) == len(pen.study.phases):
        yield pen.say("nobody_loses")
    else:
        yield from (where + pen.say("nobody_loses") for where in spared)


def _limited(pen: Pen) -> Iterator[str]:
    """Yield what shocks that hold output back state: how far it goes, and what runs out."""
    if "fact" not in pen.study.impact or not any(shock.kind == "capacity" for shock in pen.study.scenario.shocks):
        return
    for phase in pen.study.phases:
        facts = pen.study.impact["fact"].sel(phase=phase)
        said = []
        for name, unit, value in zip(facts["fact_name"].values, facts["fact_unit"].values, facts.values, strict=True):
            if not np.isnan(value):
                amount = pen.number(float(value), 3, signed=False).text
                tail = "" if unit == "1" else f" {pen.phrase(str(unit))}"
                said.append(f"{pen.phrase(str(name))}: {amount}{tail}")
        if said:
            yield "; ".join(said) + "."


def _contents(pen: Pen, flow: str) -> tuple[float, float]:
    """Return cents before and after in the last phase."""
    impact = pen.study.impact
    if "content" not in impact or flow not in impact["flow"].values or pen.study.phases[-1] == "build":
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
                pen.worded(row.value),
                pen.say(f"given.{row.source}") if row.source in ("given", "default") else "",
            ]
        )
    columns = [pen.say(name) for name in ("shock", "field", "value", "given_or_default")]
    yield Table(pen.name("shocks"), pen.say("shocks"), columns, rows, (1, 2, 3))
    if scenario.parameters:
        yield _parameters(pen)
    yield from _asked(pen)
    facts = _facts(pen)
    if facts:
        yield facts
    yield Table(
        pen.name("model"), pen.say("model"), [pen.say("fact"), pen.say("value")],
        [
            [pen.say("table"), f"{attrs['table']}, {pen.phrase(str(attrs['price_basis']))}, {pen.year}"],
            [pen.say("closure"), pen.phrase(str(attrs["closure"]))],
            [pen.say("solver"), str(attrs["solver"])],
            [pen.say("residual"), f"{attrs['residual']:.0e}"],
            *([[pen.say("stand_ins"), pen.phrase(str(attrs["stand_ins"]))]] if "stand_ins" in attrs else []),
        ], (1,),
    )  # fmt: skip


def _asked(pen: Pen) -> Iterator[Block]:
    """Yield what the shock asks of industries directly: the largest amounts, by region and industry."""
    for phase in pen.study.phases:
        direct = pen.study.impact["output"].sel(phase=phase, effect="direct")
        names = dict(zip(direct["sector"].values.tolist(), direct["sector_name"].values.tolist(), strict=True))
        cells = direct.stack(industry=("region", "sector")).to_series().dropna()
        largest = cells[cells.abs() > 1e-9 * cells.abs().max()].sort_values(key=abs, ascending=False)
        rows: list[list[Cell]] = [
            [str(region), f"{pen.phrase(names[sector])} ({sector})", pen.number(float(value))]
            for (region, sector), value in largest.head(ASKED).items()
        ]
        if rows:
            columns = [pen.say("region"), pen.say("industry"), pen.column("output", phase)]
            title = pen.say("asked", phase=pen.words(phase), shown=len(rows), count=len(largest))
            yield Table(pen.name(f"asked-{phase}"), title, columns, rows, (1,))


def _parameters(pen: Pen) -> Table:
    rows: list[list[Cell]] = []
    for p in pen.study.scenario.parameters:
        ends = f"{p.low:g} … {p.high:g}" if p.low is not None else ", ".join(map(str, p.alternatives))
        rows.append([p.name, pen.worded(p.value), ends, pen.phrase(p.unit), pen.phrase(p.source)])
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
