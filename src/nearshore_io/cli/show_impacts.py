"""Impacts of scenarios for people: both countries, the band, gross or net, losers beside gainers, what it rests on."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import Console
from rich.table import Table

from nearshore_io.batch import band, compare, gainers_and_losers
from nearshore_io.cli.show import estimate
from nearshore_io.rounding import plain, significant, worded
from nearshore_io.scenarios import Scenario, assumptions
from nearshore_io.scenarios.parameters import SPAN, of_the_band

FOCUS = ("USA", "MEX", "CHN")
SHOWN = {"value_added": "Value added", "output": "Output", "jobs": "Jobs"}
BANDED = ("value_added", "jobs")
SMALLEST = 1e-6
WIDE = 17
"""Characters from which a band takes two lines, so that a terminal of 80 columns holds it."""
LISTED = 4
"""Gainers and losers shown of each."""


def impacts(
    console: Console,
    scenarios: Sequence[Scenario],
    first: xr.Dataset,
    closed: xr.Dataset | str | None = None,
    *,
    effects: bool = False,
    bands: xr.Dataset | None = None,
    answered: Mapping[str, pd.DataFrame] | None = None,
    sure: Mapping[str, pd.DataFrame | str] | None = None,
) -> None:
    """Print every scenario: impacts by country with their band, who loses, content, published figures, assumptions.

    Parameters
    ----------
    first : the open model's results (type I), with effects and content.
    closed : those of the model closed for households (type II), printed second and called an upper bound; or why there
        are none.
    effects : print direct, indirect and induced apart.
    bands : results with effects and variants, for scenarios that have some.
    answered : indicators before and after, by scenario.
    sure : the band that errors of the table's cells give, by scenario, or why there is none.
    """
    for scenario in scenarios:
        impact = first.sel(scenario=scenario.name)
        _heading(console, scenario)
        variants = None if bands is None or not scenario.variants else _whole(bands.sel(scenario=scenario.name))
        corners = _corners(variants)
        _impact(console, "Type I" if closed is not None else "", impact, effects=effects, variants=corners)
        _from_cells(console, (sure or {}).get(scenario.name))
        _own_variants(console, scenario, variants)
        if isinstance(closed, str):
            console.print(f"Type II: {closed}")
        elif closed is not None:
            upper = "Type II, households spend what they earn: an upper bound"
            _impact(console, upper, closed.sel(scenario=scenario.name), effects=effects, variants=None)
        _losers(console, first, scenario)
        _answered(console, (answered or {}).get(scenario.name))
        _stated(console, impact)
        _published(console, first if bands is None else bands, scenario)
        _assumptions(console, scenario)
    if "content" in first:
        _contents(console, scenarios, first)
    _provenance(console, first, closed)


def _heading(console: Console, scenario: Scenario) -> None:
    console.print(f"{scenario.name}: {scenario.title}" if scenario.title else scenario.name, style="bold")
    if scenario.question:
        console.print(f"Question: {scenario.question}")
    if scenario.method:
        console.print(f"Method: {scenario.method}")


def _impact(console: Console, title: str, detailed: xr.Dataset, *, effects: bool, variants: xr.Dataset | None) -> None:
    """Print one table: a row for each phase (and effect) and region, the band under each number."""
    impact = detailed if effects else _whole(detailed)
    table = Table(title=title or None, title_justify="left")
    for heading in ("Phase", *(("Effect",) if effects else ()), "Region"):
        table.add_column(heading, no_wrap=True)
    shown_names = [name for name in SHOWN if (variants is None and not effects) or name in BANDED]
    for name in shown_names:
        words = f"{SHOWN[name]}\n({_unit(impact, name)[0]})"
        table.add_column(words if variants is None else f"{words}\nlow … high", justify="right", no_wrap=True)
    table.add_column("Counted", no_wrap=True)
    counted = " + ".join(dict.fromkeys(part.split(maxsplit=1)[0].strip(":,") for part in _bases(impact)))
    phases = impact["phase"].values.tolist()
    shown = [phase for phase in phases if not bool(impact["output"].sel(phase=phase).isnull().all())]
    for phase in shown:
        part = impact.sel(phase=phase)
        spread = None if variants is None else variants.sel(phase=phase)
        for effect in _shown_effects(part) if effects else [None]:
            chosen = part if effect is None else part.sel(effect=effect)
            for place, members in _regions(chosen):
                at = chosen.isel(region=members)
                cells = [_cell(at, spread if effect is None else None, members, name) for name in shown_names]
                table.add_row(phase, *([str(effect)] if effects else []), place, *cells, counted)
            table.add_section()
    console.print(table)
    clock = dict(zip(phases, impact["clock"].values.tolist(), strict=True))
    console.print("; ".join(f"{phase}: {clock[phase]}" for phase in shown) + ".")
    console.print(f"Counted: {impact['basis'].item()}.")


def _shown_effects(part: xr.Dataset) -> list[str]:
    """Return the effects, without the induced one where there is none."""
    names = [str(name) for name in part["effect"].values.tolist()]
    return [name for name in names if name != "induced" or bool((part["output"].sel(effect=name) != 0).any())]


def _whole(detailed: xr.Dataset) -> xr.Dataset:
    """Return results with the effects summed up."""
    found = detailed.drop_dims("effect")
    for name, variable in detailed.data_vars.items():
        if "effect" in variable.dims:
            found[name] = variable.sum("effect", skipna=False, keep_attrs=True)
    return found


def _bases(impact: xr.Dataset) -> list[str]:
    return str(impact["basis"].item()).split("; ")


def _cell(part: xr.Dataset, spread: xr.Dataset | None, members: np.ndarray, name: str) -> str:
    """Return a number, with its band on a second line where there is one."""
    central = significant(_sum(part, name))
    if spread is None or name not in spread:
        return central
    total = spread[name].isel(region=members).sum(["region", "sector"], skipna=False)
    low, _, high = (band(total) * _unit(part, name)[1]).values.tolist()
    if np.isnan(low) or significant(low) == significant(high):
        return central
    span = f"{significant(low)} … {significant(high)}"
    return f"{central}\n{span}" if len(span) <= WIDE else f"{central}\n{significant(low)} …\n{significant(high)}"


def _unit(impact: xr.Dataset, name: str) -> tuple[str, float]:
    """Return the unit a variable is shown in, and its factor: thousands of persons as persons."""
    units = str(impact[name].attrs["units"]) if name in impact else "not in the table"
    if name in impact and name != "jobs" and impact.attrs["table_year"] != "None":
        return f"{units}\nof {impact.attrs['table_year']}", 1.0
    return (units.removeprefix("thousand "), 1e3) if units.startswith("thousand person") else (units, 1.0)


def _regions(impact: xr.Dataset) -> Iterator[tuple[str, np.ndarray]]:
    owner = impact["country"].values
    groups = [(name, owner == name) for name in FOCUS if name in owner]
    groups += [("other countries", ~np.isin(owner, FOCUS)), ("world", np.ones(len(owner), dtype=bool))]
    yield from ((name, np.flatnonzero(members)) for name, members in groups if members.any())


def _sum(impact: xr.Dataset, name: str) -> float:
    if name not in impact:
        return float("nan")
    return float(impact[name].sum(["region", "sector"], skipna=False).item()) * _unit(impact, name)[1]


def _corners(variants: xr.Dataset | None) -> xr.Dataset | None:
    """Return the central values and the corners of the band, None where there is no band."""
    if variants is None:
        return None
    names = [name for name in variants["variant"].values.tolist() if of_the_band(name)]
    own = [name for name in names if bool(variants["own_variant"].sel(variant=name))]
    return variants.sel(variant=own) if len(own) > 1 else None


def _from_cells(console: Console, found: pd.DataFrame | str | None) -> None:
    """Print the band that errors of the table's cells give to the headline."""
    if found is None:
        return
    if isinstance(found, str):
        console.print(f"Band of the table: {found}")
        return
    listed = []
    for phase, part in found.groupby("phase", sort=False):
        cells = []
        for row in part[part["value"].notna()].to_dict("records"):
            factor = 1e3 if str(row["unit"]).startswith("thousand person") else 1.0
            low, high = (significant(row[side] * factor) for side in ("low", "high"))
            cells.append(f"{row['place']} {str(row['variable']).replace('_', ' ')} {low} … {high}")
        listed.append(f"{phase}: {', '.join(cells)}")
    console.print(
        f"Band of the table, nine tenths, from errors of its cells ({found.attrs['errors']}): {'; '.join(listed)}."
    )


def _own_variants(console: Console, scenario: Scenario, variants: xr.Dataset | None) -> None:
    """Print the variants a file names itself: each is a question of its own, counted its own way."""
    if variants is None:
        return
    for name in (name for name in scenario.variants if SPAN not in name):
        part = variants.sel(variant=name)
        listed = []
        for phase in part["phase"].values.tolist():
            for country, members in _regions(part):
                if country in FOCUS:
                    cells = part.sel(phase=phase).isel(region=members)
                    listed.append(
                        f"{country} {significant(_sum(cells, 'value_added'))}, {significant(_sum(cells, 'jobs'))} jobs"
                    )
        console.print(f"Variant {name!r} ({scenario.variant(name).basis}): value added {'; '.join(listed)}.")


def _losers(console: Console, impact: xr.Dataset, scenario: Scenario) -> None:
    """Print the largest gains and losses by industry, side by side."""
    ranked = gainers_and_losers(impact.sel(scenario=[scenario.name]), "value_added", "industry", LISTED)
    ranked = ranked[ranked["value"].abs() > SMALLEST]
    words = dict(zip(impact["sector"].values.tolist(), impact["sector_name"].values.tolist(), strict=True))
    for phase in dict.fromkeys(ranked["phase"]):
        rows = ranked[ranked["phase"] == phase]
        for direction, title in (("gain", "Largest gains"), ("loss", "Largest losses")):
            of_it = rows[rows["direction"] == direction]
            listed = []
            for name, value in zip(of_it["name"], of_it["value"], strict=True):
                region, _, sector = str(name).partition("/")
                listed.append(f"{region} {words[sector]} ({sector}) {significant(value)}")
            unit = rows["unit"].iloc[0]
            console.print(f"{title} of value added ({phase}, {unit}): {'; '.join(listed) or 'none'}.")


def _answered(console: Console, rows: pd.DataFrame | None) -> None:
    """Print indicators of the table before and after."""
    for row in rows.itertuples() if rows is not None else ():
        console.print(f"Before and after: {row.indicator}: {row.before:.3g} → {row.after:.3g} {row.unit}.")


def _stated(console: Console, impact: xr.Dataset) -> None:
    """Print the facts that shocks state."""
    if "fact" not in impact:
        return
    for phase in impact["phase"].values.tolist():
        facts = impact["fact"].sel(phase=phase)
        known = facts.isel(fact_name=np.flatnonzero(~np.isnan(facts.values)))
        if known.size:
            listed = "; ".join(
                f"{name}: {plain(value)} {unit if unit != '1' else ''}".rstrip()
                for name, value, unit in zip(
                    known["fact_name"].values, known.values, known["fact_unit"].values, strict=True
                )
            )
            console.print(f"Also ({phase}): {listed}.")


def _published(console: Console, impact: xr.Dataset, scenario: Scenario) -> None:
    """Print published counterparts with the difference in definition."""
    for row in compare(impact.sel(scenario=[scenario.name])).itertuples():
        ours = "no counterpart" if np.isnan(row.ours) else f"here {significant(row.ours).lstrip('+')}"
        published = significant(row.published).lstrip("+")
        console.print(f"Published ({row.source}): {row.quantity} {published} {row.unit}; {ours}. {row.definition}")


def _assumptions(console: Console, scenario: Scenario) -> None:
    if scenario.parameters:
        table = Table(title="Assumptions", title_justify="left")
        for heading in ("parameter", "value", "low … high", "unit", "source"):
            table.add_column(heading, overflow="fold")
        for p in scenario.parameters:
            spread = f"{p.low:g} … {p.high:g}" if p.low is not None else " | ".join(str(a) for a in p.alternatives)
            table.add_row(p.name, worded(p.value), spread, p.unit, p.source)
        console.print(table)
    fields = assumptions.table_of([scenario])
    for (number, kind), rows in fields[fields["kind"] != "parameter"].groupby(["shock", "kind"], sort=True):
        values = ", ".join(
            f"{name} = {worded(value)}" for name, value in zip(rows["parameter"], rows["value"], strict=True)
        )
        console.print(f"{f'Shock {number}, {kind}' if number else str(kind).capitalize()}: {values}.")
    if scenario.limits:
        console.print(f"Limits: {scenario.limits}")
    console.print()


def _contents(console: Console, scenarios: Sequence[Scenario], impact: xr.Dataset) -> None:
    """Print cents of one country's value added per dollar of the other's exports, before and after."""
    table = Table(title="Cents of value added per export dollar, before and after", title_justify="left")
    table.add_column("Scenario", no_wrap=True)
    for flow in impact["flow"].values.tolist():
        origin, _, rest = str(flow).partition(" in exports of ")
        exporter, _, importer = rest.partition(" to ")
        table.add_column(f"{origin} cents\nin {exporter} exports\nto {importer}", justify="right")
    content = 100 * impact["content"]
    before = content.sel(when="before").max(["scenario", "phase"])
    unsaid = []
    table.add_row("before", *(_cents(value) for value in before.values))
    for scenario in scenarios:
        for phase in impact["phase"].values.tolist():
            if bool(impact["output"].sel(scenario=scenario.name, phase=phase).isnull().all()) or phase == "build":
                continue
            after = content.sel(scenario=scenario.name, phase=phase, when="after").values
            cells = [
                "n/a" if np.isnan(new) else f"{new:.2f} ({_change(new - old)})"
                for new, old in zip(after, before.values, strict=True)
            ]
            table.add_row(scenario.name, *cells)
            unsaid += [scenario.name] if np.isnan(after).all() else []
    console.print(table)
    if unsaid:
        console.print(f"n/a: no balanced table stands after {', '.join(unsaid)} (limits, lost purchases, days).")
    console.print("Measure: value added by origin embodied in gross exports, v L e / 1'e, at the table's prices.\n")


def _cents(value: float) -> str:
    return "n/a" if np.isnan(value) else f"{value:.2f}"


def _change(change: float) -> str:
    return f"{round(change, 2) + 0.0:+.2f}"


def _provenance(console: Console, first: xr.Dataset, closed: xr.Dataset | str | None) -> None:
    models = [first.attrs["closure"], *([closed.attrs["closure"]] if isinstance(closed, xr.Dataset) else [])]
    console.print(
        f"Table: {first.attrs['table']} ({first.attrs['price_basis']}, sha256 {first.attrs['table_sha256'][:12]}…). "
        f"Model: {'; then '.join(models)}. Largest residual {first.attrs['residual']:.0e}. {first.attrs['package']}.",
    )
    if "stand_ins" in first.attrs:
        console.print(f"In this table: {first.attrs['stand_ins']}.")
    if "without_run_phase" in first.attrs:
        console.print(f"Without a run phase: {first.attrs['without_run_phase']}.")
    estimate(console, first.attrs)
    console.print(f"Limits: {first.attrs['limits']}.")


def over_years(console: Console, scenarios: Sequence[Scenario], found: xr.Dataset) -> None:
    """Print value added and jobs of both countries by year, the phases apart."""
    for scenario in scenarios:
        _heading(console, scenario)
        part = found.sel(scenario=scenario.name)
        table = Table("Phase", "Year")
        focus = [name for name in ("MEX", "USA") if name in part["country"].values]
        for name in focus:
            for variable in BANDED:
                table.add_column(f"{name} {SHOWN[variable].lower()}\n({_unit(part, variable)[0]})", justify="right")
        for phase in part["phase"].values.tolist():
            for year in part["year"].values.tolist():
                cells = part.sel(phase=phase, year=year)
                places = [np.flatnonzero(cells["country"].values == name) for name in focus]
                row = [significant(_sum(cells.isel(region=p), variable)) for p in places for variable in BANDED]
                table.add_row(phase, str(year), *row)
            table.add_section()
        console.print(table)
        console.print("Jobs of the build phase are job-years; money is at the prices of the table.\n")


def gallery(console: Console, scenarios: Sequence[Scenario]) -> None:
    """Print the shipped scenarios with their questions."""
    table = Table("Name", "Question", "Shocks", title="nearshore run gallery:NAME", title_justify="left")
    for scenario in scenarios:
        kinds = ", ".join(dict.fromkeys(shock.kind for shock in scenario.shocks))
        table.add_row(scenario.name, scenario.question, kinds)
    console.print(table)
