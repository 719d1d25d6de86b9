"""Results of a sweep for people: quantiles of totals, what moves them, failures, and where everything lies."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from nearshore_io.cli.show import estimate, significant
from nearshore_io.errors import LabelError
from nearshore_io.stores import SweepResults
from nearshore_io.sweeps import Sweep

USUAL = "jobs by country, value_added by country"
FOCUS = ("USA", "MEX", "CHN", "world")
LISTED = 3
"""Failures that are shown."""
ROWS = 30
"""Totals that are shown; the store has all."""


def results(console: Console, sweep: Sweep, found: SweepResults) -> None:
    """Print the quantiles of every total, rank correlations, failures, what it rests on and where it lies."""
    manifest = found.manifest
    console.print(f"{sweep.name}: {sweep.title}" if sweep.title else sweep.name, style="bold")
    console.print(f"{manifest['scenarios']:,} scenarios: {_described(manifest)}.")
    frame = summary(found)
    if len(frame):
        _quantiles(console, frame)
        _moves(console, found, frame)
    if found.failed:
        console.print(f"{found.failed:,} scenarios have no result, such as")
        for row in found.failures.head(LISTED).collect().to_dicts():
            console.print(f"  scenario {row['scenario']} on {row['table']}: {row['message']}", soft_wrap=True)
    for table in manifest["tables"]:
        _before(console, table)
        console.print(f"Table: {table['table']}, sha256 {table['table_sha256'][:12]}. Closure: {manifest['closure']}.")
        estimate(console, table)
    agree = (
        "" if math.isnan(found.checked) else f"; two routes to one scenario of each part agree to {found.checked:.0e}"
    )
    console.print(f"Largest relative residual {found.residual:.0e}{agree}.")
    if found.where != "memory":
        console.print(f"Store: {found.where} (Parquet; manifest.json says what was run; nio.open_results reads it).")


def summary(found: SweepResults) -> pd.DataFrame:
    """Return quantiles of every total over all scenarios of each table and phase."""
    frames = [found.quantiles(name) for name in found.variables]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _quantiles(console: Console, frame: pd.DataFrame) -> None:
    """Print one line for each total of the countries this is about; the store has the others."""
    chosen = frame[frame["place"].isin(FOCUS) & (frame["count"] > 0)]
    chosen = (chosen if len(chosen) else frame[frame["count"] > 0]).head(ROWS)
    several = {name: frame[name].nunique() > 1 for name in ("year", "table", "phase", "sector")}
    several["table"] = several["table"] and frame["year"].nunique() < frame["table"].nunique()
    table = Table()
    headings = [*(name.capitalize() for name, more in several.items() if more), "Total", "Place", "Unit"]
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for heading in ("P5", "P50", "P95"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in chosen.to_dict("records"):
        unit, factor, digits = _scale(str(row["unit"]))
        lead = [str(row[name]) for name, more in several.items() if more]
        numbers = [significant(row[name] * factor, digits) for name in ("P5", "P50", "P95")]
        numbers = [text.removeprefix("+") for text in numbers] if " per " in str(row["unit"]) else numbers
        table.add_row(*lead, str(row["variable"]).replace("_", " "), str(row["place"]), unit, *numbers)
    console.print(table)
    left = len(frame) - len(chosen)
    unknown = int((frame["count"] == 0).sum())
    console.print(
        f"P5, P50 and P95 over all scenarios of the sweep{f'; {left} more totals are in the store' if left else ''}"
        f"{f', {unknown} of them unknown: nobody published the data' if unknown else ''}."
    )


def _scale(unit: str) -> tuple[str, float, int]:
    """Return the unit a number is shown in, its factor, and how many digits."""
    if " per " in unit:
        return "cents per dollar", 100.0, 4
    return (unit.removeprefix("thousand "), 1e3, 3) if unit == "thousand persons" else (unit, 1.0, 3)


def _moves(console: Console, found: SweepResults, frame: pd.DataFrame) -> None:
    """Print what moves the totals of the United States and Mexico, by rank correlation."""
    for place in ("MEX", "USA"):
        rows = frame[(frame["place"] == place) & (frame["count"] > 1) & (frame["unknown"] == 0)]
        if not len(rows):
            continue
        row = rows.iloc[-1]
        chosen = {name: row[name] for name in ("table", "year", "phase", "sector")}
        try:
            ranked = found.tornado(str(row["variable"]), place, **chosen)
        except LabelError:
            return  # nothing numeric varies
        listed = ", ".join(f"{name} {value:+.2f}" for name, value in ranked["correlation"].items())
        console.print(f"What moves {str(row['variable']).replace('_', ' ')} of {place} (rank correlation): {listed}.")


def _before(console: Console, table: Mapping[str, Any]) -> None:
    """Print contents of exports before any change, beside which those of scenarios stand."""
    if table["before"]:
        listed = ", ".join(f"{name} {100 * value:.1f} cents" for name, value in list(table["before"].items())[:ROWS])
        console.print(f"Before any change: {listed} per dollar.")


def as_json(found: SweepResults) -> str:
    """Return the manifest, the quantiles and the number of failures as JSON."""
    frame = summary(found)
    records = frame.astype(object).where(frame.notna(), None).to_dict("records") if len(frame) else []
    finite = [
        {key: None if value in (float("inf"), float("-inf")) else value for key, value in row.items()}
        for row in records
    ]
    content = {"manifest": found.manifest, "quantiles": finite, "failed": found.failed, "residual": found.residual}
    return json.dumps(content, ensure_ascii=False)


def _finite(value: Any) -> Any:
    """Return a value as JSON has it, which knows no infinity."""
    return None if isinstance(value, float) and math.isinf(value) else value


def _described(manifest: Mapping[str, Any]) -> str:
    sweep = manifest["sweep"]
    parts = [f"{len(sweep['cases'])} cases"] if sweep["cases"] else []
    parts += [f"{len(values)} {name}" for name, values in sweep["axes"].items()]
    if sweep["samples"]:
        parts.append(f"{sweep['samples']} samples ({sweep['design']}, seed {sweep['seed']})")
    return " × ".join(parts) or "one"
