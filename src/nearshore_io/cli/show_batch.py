"""Results of a sweep for people: quantiles of totals, what moves them, failures, and where everything lies."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from nearshore_io.cli.show import estimate
from nearshore_io.errors import LabelError
from nearshore_io.rounding import significant
from nearshore_io.stores import SweepResults
from nearshore_io.sweeps import Sweep

USUAL = "jobs by country, value_added by country"
FOCUS = ("USA", "MEX", "CHN", "world")
LISTED = 3
"""Failures that are shown."""
NINE_TENTHS = 1.645
"""Standard deviations of a normal distribution that hold nine tenths of it, to either side."""
WIDE = 0.1
"""Span of rank correlations over groups from which it is printed."""
ROWS = 30
"""Totals that are shown; the store has all."""


def results(console: Console, sweep: Sweep, found: SweepResults, by: Sequence[str] = ()) -> None:
    """Print quantiles of every total, what moves them, failures, what it rests on and where it lies.

    Parameters
    ----------
    by : parameters whose values are kept apart.
    """
    manifest = found.manifest
    console.print(f"{sweep.name}: {sweep.title}" if sweep.title else sweep.name, style="bold")
    several = f", on {len(manifest['tables'])} tables" if len(manifest["tables"]) > 1 else ""
    console.print(f"{manifest['scenarios']:,} scenarios: {_described(manifest)}{several}.")
    if found.kept:
        console.print(f"{found.kept:,} of them were in the store already.")
    frame = summary(found, by)
    if len(frame):
        _quantiles(console, frame, by)
        _moves(console, found, frame)
    if found.failed:
        console.print(f"{found.failed:,} scenarios have no result, such as")
        for row in (
            found.failures.unique("message", keep="first", maintain_order=True).head(LISTED).collect().to_dicts()
        ):
            console.print(f"  scenario {row['scenario']} on {row['table']}: {row['message']}", soft_wrap=True)
    console.print(f"Counted: {manifest['basis']}. Closure: {manifest['closure']}.")
    for table in manifest["tables"]:
        console.print(f"Table: {table['table']}, sha256 {table['table_sha256'][:12]}{_before(table)}.")
        estimate(console, table)
    agree = f"; two routes to one scenario of each part agree to {found.checked:.0e}"
    agree = "" if math.isnan(found.checked) else agree
    console.print(f"Largest relative residual {found.residual:.0e}{agree}.")
    if found.where != "memory":
        console.print(f"Store: {found.where} (Parquet; manifest.json says what was run; nio.open_results reads it).")


def summary(found: SweepResults, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return quantiles of every total over all scenarios of each table, phase and value of ``by``."""
    frames = [found.quantiles(name, by) for name in found.variables]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _quantiles(console: Console, frame: pd.DataFrame, by: Sequence[str]) -> None:
    """Print one line for each total of the countries this is about; the store has the others."""
    chosen = frame[frame["place"].isin(FOCUS) & (frame["count"] > 0)]
    chosen = (chosen if len(chosen) else frame[frame["count"] > 0]).head(ROWS)
    several = {name: frame[name].nunique() > 1 for name in ("year", "table", "phase", "sector")}
    several["table"] = several["table"] and frame["year"].nunique() < frame["table"].nunique()
    lead = [name for name, more in several.items() if more] + [name for name in by if name not in several]
    banded = "sd" in frame and bool(frame["sd"].notna().any())
    table = Table()
    for heading in (*lead, "Total", "Place", "Unit"):
        table.add_column(heading.capitalize() if heading in several else heading, overflow="fold")
    for heading in ("P5", "P50", "P95", *(["± table"] if banded else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in chosen.to_dict("records"):
        unit, factor, digits = _scale(str(row["unit"]))
        numbers = [significant(row[name] * factor, digits) for name in ("P5", "P50", "P95")]
        numbers = [text.removeprefix("+") for text in numbers] if " per " in str(row["unit"]) else numbers
        if banded:
            numbers.append(significant(NINE_TENTHS * row["sd"] * factor).removeprefix("+"))
        cells = [f"{row[name]:g}" if isinstance(row[name], float) else str(row[name]) for name in lead]
        table.add_row(*cells, str(row["variable"]).replace("_", " "), str(row["place"]), unit, *numbers)
    console.print(table)
    left = len(frame) - len(chosen)
    unknown = int((frame["count"] == 0).sum())
    apart = f", {' and '.join(by)} apart" if by else ""
    more = f"; {left} more totals are in the store" if left else ""
    more += f", {unknown} of them unknown: nobody published the data" if unknown else ""
    more += ". ± table: nine tenths, from errors of the table, of the median scenario" if banded else ""
    console.print(f"P5, P50 and P95 over all scenarios of the sweep{apart}{more}.")


def _moves(console: Console, found: SweepResults, frame: pd.DataFrame) -> None:
    """Print what moves the last total that is asked for of Mexico and of the United States, table and phase by name."""
    for place in ("MEX", "USA"):
        rows = frame[
            (frame["place"] == place) & (frame["sector"] == "all") & (frame["count"] > 1) & (frame["unknown"] == 0)
        ]
        for row in rows.drop_duplicates(["table", "year", "phase"], keep="last").head(LISTED).to_dict("records"):
            chosen = {name: row[name] for name in ("table", "year", "phase", "sector")}
            try:
                ranked = found.tornado(str(row["variable"]), place, **chosen)
            except LabelError:
                continue  # nothing varies
            where = f", {row['table']}" if len(found.manifest["tables"]) > 1 else ""
            console.print(
                f"What moves {str(row['variable']).replace('_', ' ')} of {place} ({row['phase']}{where}): "
                f"{', '.join(_moved(name, line) for name, line in ranked.iterrows())}."
            )


def _moved(name: Any, line: pd.Series) -> str:
    """Return how a parameter goes with a total: rank correlation with its span over groups, or correlation ratio."""
    if line["measure"] == "correlation ratio":
        return f"{name} {line['correlation']:.2f} (ratio)"
    span = f" ({line['lowest']:+.2f} to {line['highest']:+.2f})" if line["highest"] - line["lowest"] > WIDE else ""
    return f"{name} {line['correlation']:+.2f}{span}"


def _before(table: Mapping[str, Any]) -> str:
    """Return contents of exports before any change, beside which those of scenarios stand."""
    listed = [f"{name} {100 * value:.2f} cents" for name, value in list(table["before"].items())[:ROWS]]
    return f"; before any change: {', '.join(listed)} per dollar" if listed else ""


def _scale(unit: str) -> tuple[str, float, int]:
    """Return the unit a number is shown in, its factor, and how many digits."""
    if " per " in unit:
        return "cents per dollar", 100.0, 4
    return (unit.removeprefix("thousand "), 1e3, 3) if unit == "thousand persons" else (unit, 1.0, 3)


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
