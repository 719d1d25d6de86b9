"""Scenarios a second, from a sweep to a closed store, one-off solves included; each row in a process of its own.

python -m benchmarks.sweeps               writes results/sweeps-<date>-<cpu>.md and .json
python -m benchmarks.sweeps CASE TABLE    measures one row ("shipped", "icio") and prints it; loading the table is left out
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nearshore_io as nio
from benchmarks.gallery import table_of
from nearshore_io.batch.engine import drive

HERE = Path(__file__).parent
REPEAT = 3
ALONE = ("draws", "duties", "duties-dask-1", "duties-dask-2")
"""Cases measured once, on the shipped table alone: half a minute each."""
BY_COUNTRY = "jobs by country, value_added by country"
FOUR = "jobs of USA, jobs of MEX, value_added of USA, value_added of MEX"
MOVE = {
    "kind": "relocation", "sectors": "$product", "origin": "$partner", "destination": "MEX", "buyers": "$buyers",
    "share": "$share", "relative_cost": "$cost",
}  # fmt: skip
ORDER = {"kind": "final_demand", "region": "$region", "sector": "$industry", "amount": "$amount", "unit": "million USD"}
DUTY = {"kind": "tariff", "importer": "USA", "exporter": "MEX", "rate": "$rate", "sectors": "manufacturing"}
TABLES = {"shipped": "north-america-2022, 800 industries", "icio": "synthetic in ICIO's shape, 4,250 industries"}
WANTED = {
    ("moves", "shipped"): 20_000,
    ("moves", "icio"): 10_000,
    ("orders", "shipped"): 100_000,
    ("orders", "icio"): 100_000,
    ("vectors", "icio"): 2_000,
}
WORDS = {
    "moves": "relocations, product × partner × buyers × share × cost, jobs and value added by country",
    "orders": "final demand, region × sector × amount, four totals",
    "orders-all": "the same, jobs and value added by country",
    "vectors": "relocations, changes of output by industry",
    "content": "relocations, jobs by country and US content of Mexican exports",
    "duties": "tariffs (one by one), jobs and value added by country",
    "draws": "one relocation on drawn tables, a factorisation each",
    "duties-dask-1": "the same in one worker process of Dask",
    "duties-dask-2": "the same in two",
}


def case(name: str, table: nio.IOTable, shipped: bool) -> tuple[nio.Sweep, dict[str, Any]]:
    """Return a sweep and how it is run."""
    partners = [code for code in table.countries if code not in ("USA", "MEX")]
    fewer = {
        "product": list(table.sectors[4:23]),
        "partner": partners[:7],
        "share": steps(0.02, 0.4, 21),
        "cost": steps(0.9, 1.2, 12),
    }
    many = {
        "product": list(table.sectors[:30]),
        "partner": partners[:60],
        "share": steps(0.02, 0.4, 5),
        "cost": steps(0.9, 1.2, 4),
    }
    buyers = {"buyers": ["USA", "MEX", ["USA", "MEX"]]}
    moves = (fewer if shipped else many) | buyers
    ordered = {
        "region": [code for code in table.regions if code not in ("MX2", "TWN")],
        "industry": list(table.sectors[:48]),
        "amount": steps(1, 100, 150 if shipped else 26),
    }
    if name == "moves":
        return nio.Sweep(name, [MOVE], axes=moves), {"totals": BY_COUNTRY}
    if name in ("orders", "orders-all"):
        return nio.Sweep(name, [ORDER], axes=ordered), {"totals": FOUR if name == "orders" else BY_COUNTRY}
    if name == "vectors":
        short = moves | {"partner": partners[:6], "product": moves["product"][:19]}
        return nio.Sweep(name, [MOVE], axes=short), {"vectors": ["output"]}
    if name == "content":
        short = moves | {"partner": partners[:20]}
        return nio.Sweep(name, [MOVE], axes=short), {"totals": "jobs by country, content MEX→USA"}
    if name == "draws":
        move = {key: value for key, value in MOVE.items() if key not in ("buyers", "relative_cost")}
        constants = {"product": "C26", "partner": "CHN"}
        errors = nio.DirichletErrors(home=0.1, across=0.3)
        drawn = {"distributions": {"share": nio.Triangular(0.05, 0.1, 0.2)}, "samples": 256 if shipped else 8}
        sweep = nio.Sweep(name, [move | {"buyers": "USA"}], constants=constants, table_errors=errors, **drawn)
        return sweep, {"totals": BY_COUNTRY}
    number = 4000
    sweep = nio.Sweep(name, [DUTY], axes={"rate": steps(0.001, 0.2, number)})
    dask = {"scheduler": "local", "workers": int(name[-1]), "chunk": 64} if "dask" in name else {}
    return sweep, {"totals": BY_COUNTRY, **dask}


def steps(low: float, high: float, number: int) -> dict[str, Any]:
    """Return an axis of evenly spaced values."""
    return {"from": low, "to": high, "steps": number}


def one(name: str, which: str) -> dict[str, object]:
    """Measure one case on one table, and how much of it is the store."""
    table = table_of("icio") if which == "icio" else nio.load_table()
    sweep, options = case(name, table, which == "shipped")
    times, shares, results = [], [], None
    facts: dict[str, object] = {}
    for _ in range(1 if name in ALONE else REPEAT):
        with tempfile.TemporaryDirectory() as folder:
            model = nio.Leontief(table)
            started = time.perf_counter()
            results = nio.run(model, sweep, store=folder, **options)
            times.append(time.perf_counter() - started)
            facts = {"failed": results.failed, "checked": results.checked, "residual": results.residual}
        if "scheduler" not in options:
            shares.append(1 - without_store(table, sweep, options) / times[-1])
    assert results is not None
    number = results.manifest["scenarios"]
    return {
        "n": table.n,
        "scenarios": number,
        "seconds": statistics.median(times),
        "per_second": number / statistics.median(times),
        "store_share": statistics.median(shares) if shares else None,
        **facts,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def without_store(table: nio.IOTable, sweep: nio.Sweep, options: dict[str, Any]) -> float:
    """Return the seconds that the same parts take to solve alone."""
    given = drive.Options(**options)
    started = time.perf_counter()
    for work in drive.works_of([nio.Leontief(table)], sweep, given):
        for part in range(work.parts):
            work.answer(*work.span(part))
    return time.perf_counter() - started


def report() -> str:
    """Measure all rows, each in a process of its own, and return them as Markdown."""
    from benchmarks.run import environment, machine

    facts, rows = machine(), []
    for name in WORDS:
        for which in TABLES:
            if which == "icio" and name in ALONE:
                continue
            command = [sys.executable, "-m", "benchmarks.sweeps", name, which]
            done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
            rows.append({"case": name, "table": which, **json.loads(done.stdout.strip().splitlines()[-1])})
    return written(facts, rows)


def written(facts: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Write rows as JSON and Markdown under results, and return the Markdown."""
    lines = [f"# Sweeps, {facts['date']}", "",
             f"{facts['cpu']}, {facts['cores']} cores, Python {facts['python']}. From a sweep to a closed store in a folder, factorisation and one-off "
             f"solves included, the table loaded; medians of {REPEAT} (of one: {', '.join(ALONE)}). *Store*: the part of the time that solving alone does not take (parts are written while the next "
             "one is solved, so it may be below zero).", "",
             "| sweep | industries | scenarios | seconds | a second | wanted | store | peak MiB | two routes agree to |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for row in rows:
        wanted = WANTED.get((row["case"], row["table"]))
        store = "" if row["store_share"] is None else f"{100 * row['store_share']:.0f} %"
        checked = "" if row["checked"] != row["checked"] else f"{row['checked']:.0e}"
        lines.append(
            f"| {row['case']}: {WORDS[row['case']]} | {row['n']:,} | {row['scenarios']:,} | {row['seconds']:.2f} | {row['per_second']:,.0f} | "
            f"{f'{wanted:,}' if wanted else ''} | {store} | {row['peak_mib']:,.0f} | {checked} |"
        )
    target = HERE / "results" / f"sweeps-{facts['date']}-{str(facts['cpu']).lower().replace(' ', '-')}"
    target.with_suffix(".json").write_text(
        json.dumps({"machine": facts, "rows": rows}, indent=1) + "\n", encoding="utf-8"
    )
    text = "\n".join(lines) + "\n"
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def main() -> None:
    """Measure one row, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", choices=list(WORDS))
    parser.add_argument("table", nargs="?", choices=list(TABLES), default="shipped")
    given = parser.parse_args()
    print(json.dumps(one(given.case, given.table)) if given.case else report())


if __name__ == "__main__":
    main()
