"""The gallery with its answers on one table, as a page in Markdown."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from nearshore_io.batch import answers, band, compare, run
from nearshore_io.leontief import Leontief
from nearshore_io.rounding import MINUS, UNKNOWN, plain, significant, worded
from nearshore_io.scenarios import Parameter, Scenario, list_gallery, load_scenario
from nearshore_io.scenarios.parameters import SPAN, of_the_band

COUNTRIES = ("USA", "MEX", "CHN")
SHOWN = {"value_added": 1.0, "jobs": 1000.0}


def gallery_page(model: Leontief) -> str:
    """Return every gallery scenario with question, answer and band, parameters with sources, and limits."""
    table = model.table
    lines = [
        "# The gallery, answered",
        "",
        f"On {table.name}, made by `nearshore gallery --answers`. Changes against the table: value added in "
        f"{table.unit} at prices of {table.year}, jobs in persons (job-years where a phase happens once); low … high "
        "over all combinations of the bands. Numbers to three digits; none of them is a forecast.",
        "",
    ]
    for name in list_gallery():
        lines += [*_scenario(model, load_scenario(name)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _scenario(model: Leontief, scenario: Scenario) -> Iterator[str]:
    yield f"## {scenario.name}: {scenario.title}"
    yield ""
    yield f"**{scenario.question}** {scenario.method}"
    yield ""
    found = run(model, scenario, variants=True).isel(scenario=0)
    central = run(model, scenario, effects=True, content=True)
    counted = str(found["basis"].item())
    yield "| phase | country | value added | low … high | jobs | low … high |"
    yield "|---|---|---:|---:|---:|---:|"
    corners = found.sel(variant=[name for name in found["variant"].values.tolist() if of_the_band(name)])
    for phase in found["phase"].values.tolist():
        for country in COUNTRIES:
            yield f"| {phase} | {country} | " + " | ".join(_cells(model, corners.sel(phase=phase), country)) + " |"
    yield ""
    yield f"Counted {counted}."
    for name in scenario.variants:
        if SPAN not in name:
            yield _own_variant(scenario, found.sel(variant=[name]), name)
    for row in answers(model, scenario).itertuples():
        yield f"- {row.indicator}: {row.before:.3g} → {row.after:.3g} {row.unit}"
    yield from _stated(central)
    yield from _content(central)
    yield from _published(
        found.expand_dims("scenario") if any(SPAN not in name for name in scenario.variants) else central
    )
    notes = scenario.stand_ins(model.table)
    yield f"- Limits: {scenario.limits}" + (f" In this table: {'; '.join(notes)}." if notes else "")
    if scenario.parameters:
        yield ""
        yield "| parameter | value | band | unit | source |"
        yield "|---|---|---|---|---|"
        for parameter in scenario.parameters:
            cells = (parameter.name, worded(parameter.value), _band(parameter), parameter.unit, parameter.source)
            yield f"| {' | '.join(map(str, cells))} |"


def _own_variant(scenario: Scenario, found: xr.Dataset, name: str) -> str:
    """Return a line on a variant that is a question of its own."""
    parts = []
    for phase in found["phase"].values.tolist():
        for country in COUNTRIES:
            cells = found.sel(phase=phase).isel(region=np.isin(found["country"].values, [country]))
            money, jobs = (
                float(scale * cells[what].sum(["region", "sector"], skipna=False).item())
                for what, scale in SHOWN.items()
            )
            parts.append(f"{country} {_number(money)} and {_number(jobs)} jobs")
    return f"- Variant *{name}* ({scenario.variant(name).basis}): value added {', '.join(parts)}"


def _cells(model: Leontief, found: xr.Dataset, country: str) -> Iterator[str]:
    """Yield the central value and the band of value added and of jobs."""
    regions = model.table.select(country)["region"]
    for name, scale in SHOWN.items():
        total = scale * found[name].sel(region=regions).sum(["region", "sector"], skipna=False)
        low, middle, high = band(total).values.tolist()
        yield _number(middle)
        yield "" if np.isnan(low) or _number(low) == _number(high) else f"{_number(low)} … {_number(high)}"


def _stated(central: xr.Dataset) -> Iterator[str]:
    """Yield a line of the facts that shocks state, by phase."""
    if "fact" not in central:
        return
    for phase in central["phase"].values.tolist():
        facts = central["fact"].isel(scenario=0).sel(phase=phase)
        known = facts.isel(fact_name=np.flatnonzero(~np.isnan(facts.values)))
        rows = zip(known["fact_name"].values, known.values, known["fact_unit"].values, strict=True)
        stated = [f"{name} {plain(float(value))} {unit if unit != '1' else ''}".rstrip() for name, value, unit in rows]
        if stated:
            yield f"- Stated ({phase}): {'; '.join(stated)}"


def _content(central: xr.Dataset) -> Iterator[str]:
    if "content" not in central:
        return
    content = 100 * central["content"].isel(scenario=0)
    for phase in content["phase"].values.tolist():
        flow = content.sel(phase=phase).isel(flow=1)
        before, after = flow.values.tolist()
        if phase != "build" and not np.isnan(after):
            yield f"- {flow['flow'].item()}: {before:.2f} → {after:.2f} cents per dollar"


def _published(central: xr.Dataset) -> Iterator[str]:
    for row in compare(central).itertuples():
        ours = "no counterpart here" if np.isnan(row.ours) else f"here {_number(row.ours).lstrip('+')}"
        published = _number(row.published).lstrip("+")
        yield f"- Published: {row.quantity}, {published} {row.unit} ({row.source}); {ours}. {row.definition}"


def _band(parameter: Parameter) -> str:
    if parameter.low is not None:
        return f"{parameter.low:g} … {parameter.high:g}"
    return ", ".join(map(str, parameter.alternatives))


def _number(value: float) -> str:
    return UNKNOWN if np.isnan(value) else significant(value).replace("-", MINUS)
