"""Where the dollar goes: through suppliers, into exports, between countries."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nearshore_io.batch.tiers import TAXES, UNEXPLAINED
from nearshore_io.report.document import Block, Cell, Figure, Number, Table, Text
from nearshore_io.report.drawing import drawn
from nearshore_io.report.pen import Pen
from nearshore_io.rounding import MINUS


def dollar(pen: Pen) -> Iterator[Block]:
    """Yield where the dollar of the shock goes: the Sankey of each phase, and 100 dollars by who earns them."""
    for phase in pen.study.phases:
        flows = pen.study.flows(phase)
        if isinstance(flows, str):
            yield Text(pen.say("no_flows", phase=pen.words(phase)), "note")
            continue
        if not flows["value"].sum() > 0:
            yield Text(pen.say("no_demand", phase=pen.words(phase)), "note")
            continue
        for direction in ("gained", "lost"):
            part = flows[(flows["direction"] == direction)]
            if not part["value"].sum() > 0:
                continue
            yield Figure(
                pen.name(f"sankey-{phase}-{direction}"),
                pen.say(f"sankey_{direction}", phase=pen.words(phase)), pen.say("sankey_says"),
                drawn("sankey", flows, direction, words=pen.words),
            )  # fmt: skip
        yield _hundred(pen, flows, phase)


def _hundred(pen: Pen, flows: pd.DataFrame, phase: str) -> Table:
    """Return 100 dollars of demand gained (and lost) by whose income they become."""
    rows: list[list[Cell]] = []
    ends = flows[flows["tier"] == 3]
    sums = ends.groupby(["direction", "target"])["value"].sum().unstack(fill_value=0.0)
    asked = flows[flows["tier"] == 1].groupby("direction")["value"].sum()
    directions = [name for name in ("gained", "lost") if asked.get(name, 0.0) > 0]
    order = sums.loc[directions[0]].sort_values(ascending=False).index.tolist()
    last = [name for name in (TAXES, UNEXPLAINED) if name in order]
    for name in [*(n for n in order if n not in last), *last]:
        cells = [100.0 * float(sums.loc[d, name]) / float(asked[d]) for d in directions]
        if max(abs(cell) for cell in cells) >= 0.05:
            said = pen.words(name) if name in last else pen.words.country(name)
            rows.append([said, *(Number(f"{cell:.1f}".replace("-", MINUS), cell) for cell in cells)])
    columns = [pen.say("whose_income"), *(pen.say(f"per_hundred_{d}") for d in directions)]
    return Table(pen.name(f"hundred-{phase}"), pen.say("hundred", phase=pen.words(phase)), columns, rows)


def trade(pen: Pen) -> Iterator[Block]:
    """Yield content of exports before and after, the export dollar, and value added between countries."""
    study, words, phase = pen.study, pen.words, pen.study.phases[-1]
    if "content" in study.impact:
        content = study.impact["content"].sel(phase=phase)
        rows: list[list[Cell]] = []
        for flow in content["flow"].values.tolist():
            before, after = (100.0 * content.sel(flow=flow)).sel(when=["before", "after"]).values.tolist()
            rows.append([pen.phrase(str(flow)), *(pen.cents(v) for v in (before, after, after - before))])
        columns = [pen.say(n) for n in ("whose_in_whose", "before", "after", "change")]
        yield Table(pen.name("content"), pen.say("content"), columns, rows)
        if bool(content.sel(when="after").notnull().any()):
            yield Figure(
                pen.name("content-bars"), pen.say("content"), pen.say("content_says"),
                drawn("content_bars", content, words=words),
            )  # fmt: skip
    dollar = pen.found.content
    if dollar is not None:
        yield Figure(
            pen.name("export-dollar"), pen.say("export_dollar"), pen.say("export_dollar_says"),
            drawn("waterfall", dollar, words=words),
        )  # fmt: skip
    if len(pen.table.countries) < 2:
        return
    before, after = pen.found.before, study.traded
    yield Figure(
        pen.name("bilateral"), pen.say("bilateral", year=pen.year), pen.say("bilateral_says"),
        drawn("bilateral", before, words=words),
    )  # fmt: skip
    if isinstance(after, str):
        yield Text(pen.say("no_after"), "note")
    elif float(np.nansum(np.abs((after - before).values))) > 0:
        yield Figure(
            pen.name("bilateral-change"), pen.say("bilateral_change"), pen.say("bilateral_change_says"),
            drawn("bilateral", after, before, words=words),
        )  # fmt: skip
    if len(study.answers):
        rows = [
            [pen.phrase(row.indicator), pen.number(row.before, 3, signed=False),
             pen.number(row.after, 3, signed=False), pen.phrase(row.unit)]
            for row in study.answers.itertuples()
        ]  # fmt: skip
        columns = [pen.say(n) for n in ("indicator", "before", "after", "unit")]
        yield Table(pen.name("indicators"), pen.say("indicators"), columns, rows, (3,))
