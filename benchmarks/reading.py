"""Reading OECD's tables, against pymrio: from a full CSV or a kept table to numbers, each in a process of its own.

python -m benchmarks.reading            writes results/reading-<date>-<cpu>.md and .json
python benchmarks/reading.py TASK FILE  measures one task and prints it; imports are left out of its time
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
FILES = {"2025-EXT": HERE / ".cache" / "2022.csv", "2025-SML": HERE / ".cache" / "2022_SML.csv"}
SHOCK = ("USA", "C26", 1000.0)
REPEAT = 5


def read_here(file: str) -> object:
    """Read the CSV into a table."""
    import nearshore_io as nio

    return nio.read_icio(file)


def read_pymrio(file: str) -> object:
    """Read the CSV as pymrio does."""
    import pymrio

    return pymrio.parse_oecd(file)


def value_added_here(table: object) -> dict[str, float]:
    """Return value added by country of one shock."""
    import numpy as np

    import nearshore_io as nio

    model = nio.Leontief(table)  # type: ignore[arg-type]
    demand = np.zeros(model.table.n)
    demand[model.table.positions(SHOCK[0], SHOCK[1])] = SHOCK[2]
    added = model.table.intensity("value_added") * model.solve(demand).x
    found = model.table.labelled(added, "million USD", "value added").sum("sector")
    return {str(c): float(v) for c, v in found.groupby("country").sum().to_series().items()}


def csv_here(file: str) -> dict[str, float]:
    """From the CSV to value added by country of one shock."""
    return value_added_here(read_here(file))


def csv_pymrio(file: str) -> dict[str, float]:
    """From the CSV to value added by country of one shock, by pymrio's own steps."""
    import pandas as pd

    system = read_pymrio(file)
    system.calc_system()  # type: ignore[attr-defined]
    demand = pd.Series(0.0, index=system.Z.index)  # type: ignore[attr-defined]
    demand[SHOCK[:2]] = SHOCK[2]
    intensity = system.factor_inputs.F.loc["VA"] / system.x["indout"]  # type: ignore[attr-defined]
    added = intensity.fillna(0.0) * system.L.dot(demand)  # type: ignore[attr-defined]
    return {str(c): float(v) for c, v in added.groupby(level=0).sum().items()}


def kept_here(file: str) -> dict[str, float]:
    """From the table that was imported to value added by country of one shock."""
    import nearshore_io as nio

    return value_added_here(nio.load_table(Path(file).stem, folder=HERE / ".cache" / "tables"))


def first_array(file: str) -> object:
    """From the table that was imported to its coefficients."""
    import nearshore_io as nio

    return float(nio.load_table(Path(file).stem, folder=HERE / ".cache" / "tables").A[0, 0])


TASKS: dict[str, Callable[[str], object]] = {
    "read nearshore_io": read_here,
    "read pymrio": read_pymrio,
    "csv-to-shock nearshore_io": csv_here,
    "csv-to-shock pymrio": csv_pymrio,
    "kept-to-shock nearshore_io": kept_here,
    "kept-to-array nearshore_io": first_array,
}


def one(task: str, file: str) -> dict[str, object]:
    """Measure one task in this process."""
    if task.endswith("pymrio"):
        import warnings

        import pymrio  # noqa: F401

        warnings.simplefilter("ignore")
    else:
        import polars  # noqa: F401

        import nearshore_io  # noqa: F401
    started = time.perf_counter()
    found = TASKS[task](file)
    seconds = time.perf_counter() - started
    status = Path("/proc/self/status").read_text(encoding="ascii")
    result = found if isinstance(found, dict) else None
    return {"seconds": seconds, "peak_mib": int(status.split("VmHWM:")[1].split()[0]) / 1024, "result": result}


def measure(task: str, file: Path, repeat: int) -> dict[str, object]:
    """Return the median of several processes."""
    from benchmarks.run import environment, peers_python

    python = peers_python() if task.endswith("pymrio") else Path(sys.executable)
    rows = []
    for _ in range(repeat):
        command = [python, str(HERE / "reading.py"), task, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment() | _folders(), check=True)
        rows.append(json.loads(done.stdout.strip().splitlines()[-1]))
    seconds = [row["seconds"] for row in rows]
    found = {"task": task, "file": file.name, "median_s": statistics.median(seconds), "min_s": min(seconds),
             "max_s": max(seconds), "peak_mib": max(row["peak_mib"] for row in rows), "result": rows[0]["result"]}  # fmt: skip
    print(f"{task:>28} {file.name:>14} {found['median_s']:9.3f} s {found['peak_mib']:7.0f} MiB", flush=True)
    return found


def _folders() -> dict[str, str]:
    return {"NEARSHORE_CACHE": str(HERE / ".cache" / "unpacked")}


def imported(file: Path) -> dict[str, object]:
    """Return the time of `nearshore import` as a whole process, and the size of what it keeps."""
    from benchmarks.run import environment

    seconds = []
    nearshore = Path(sys.executable).with_name("nearshore")
    for _ in range(REPEAT):
        started = time.perf_counter()
        command = [nearshore, "import", file, "--out", HERE / ".cache" / "tables", "--name", file.stem]
        subprocess.run(command, capture_output=True, env=environment() | _folders(), check=True)
        seconds.append(time.perf_counter() - started)
    size = (HERE / ".cache" / "tables" / f"{file.stem}.nc").stat().st_size
    print(f"{'import, a whole process':>28} {file.name:>14} {statistics.median(seconds):9.3f} s", flush=True)
    return {"task": "import, a whole process", "file": file.name, "median_s": statistics.median(seconds),
            "min_s": min(seconds), "max_s": max(seconds), "peak_mib": 0.0, "result": None,
            "share_of_csv": size / file.stat().st_size}  # fmt: skip


def report() -> str:
    """Measure everything and return it as Markdown; the JSON lies beside it."""
    import nearshore_io as nio
    from benchmarks.run import machine

    facts = machine()
    rows = []
    for edition, file in FILES.items():
        file.parent.mkdir(exist_ok=True)
        if not file.exists():
            nio.write_toy_icio(file, edition, full=True)
        rows.append(imported(file))
        for task in TASKS:
            # pymrio takes most of a minute to sum MX1 and MX2 on this pandas, so the extended file is read twice only
            rows.append(measure(task, file, 2 if task.endswith("pymrio") and edition == "2025-EXT" else REPEAT))
    _require_same(rows)
    at = {(row["task"], row["file"]): row for row in rows}
    lines = [f"# Reading benchmark, {facts['date']}", "",
             f"{facts['cpu']}, {facts['cores']} cores, Python {facts['python']}. Medians of processes of their own, imports left out but "
             "for `import`; ratios within this run. The files are made by `write_toy_icio(full=True)`: three decimals, as the publisher prints.",
             "", "| task | file | median s | min | max | peak MiB | share of the CSV on disk |", "|---|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    for row in rows:
        share = f"{row['share_of_csv']:.3f}" if "share_of_csv" in row else ""
        lines.append(
            f"| {row['task']} | {row['file']} | {row['median_s']:.3f} | {row['min_s']:.3f} | {row['max_s']:.3f} | "
            f"{row['peak_mib']:.0f} | {share} |"
        )
    lines += ["", "| ratio to pymrio | " + " | ".join(FILES) + " |", "|---|---:|---:|"]
    for ours, theirs in (
        ("read nearshore_io", "read pymrio"),
        ("csv-to-shock nearshore_io", "csv-to-shock pymrio"),
        ("kept-to-shock nearshore_io", "csv-to-shock pymrio"),
    ):
        ratios = [at[theirs, f.name]["median_s"] / at[ours, f.name]["median_s"] for f in FILES.values()]  # type: ignore[operator]
        lines.append(f"| {ours} | " + " | ".join(f"{ratio:.1f}" for ratio in ratios) + " |")
    cpu = str(facts["cpu"]).lower().replace(" ", "-")
    target = HERE / "results" / f"reading-{facts['date']}-{cpu}"
    for row in rows:
        row.pop("result")
    target.with_suffix(".json").write_text(json.dumps({"machine": facts, "rows": rows}, indent=1), encoding="utf-8")
    text = "\n".join(lines) + "\n"
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def _require_same(rows: list[dict[str, object]]) -> None:
    """Stop where the two programs do not get the same value added from the small file (the extended one is another)."""
    results = [row["result"] for row in rows if row["result"] and row["file"] == FILES["2025-SML"].name]
    for result in results[1:]:
        for country, value in results[0].items():  # type: ignore[attr-defined]
            if abs(result[country] - value) > 1e-6 * abs(value) + 1e-9:  # type: ignore[index]
                sys.exit(f"value added of {country}: {value} and {result[country]}")  # type: ignore[index]


def main() -> None:
    """Measure one task, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="?", choices=[*TASKS])
    parser.add_argument("file", nargs="?")
    given = parser.parse_args()
    print(json.dumps(one(given.task, given.file)) if given.task else report())


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
