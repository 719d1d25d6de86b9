"""What is inside exports, against explicit inverses; each table in a process of its own.

python -m benchmarks.exports                writes results/exports-<date>-<cpu>.md and .json
python -m benchmarks.exports SHAPE          measures one table and prints it; imports and the table are left out
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import nearshore_io as nio
from benchmarks.problems import problem

HERE = Path(__file__).parent
REPEAT = 7
CASES = {"wiod": "1,435 industries", "icio": "4,250 industries"}


def table_of(name: str) -> nio.IOTable:
    """Return the synthetic table of a shape."""
    A, y, v, shape = problem(name)
    x = np.linalg.solve(np.eye(shape.n) - A, y)
    regions = [f"R{k:03d}" for k in range(shape.regions)]
    sectors = [f"S{k:03d}" for k in range(shape.sectors)]
    share = np.full((shape.regions, shape.regions), 0.1 / (shape.regions - 1))
    np.fill_diagonal(share, 0.9)
    final = np.repeat(share, shape.sectors, axis=0) * y[:, None]
    names = {"regions": regions, "sectors": sectors, "final_regions": regions, "categories": ["FD"]}
    return nio.IOTable.from_arrays(A * x, final, {"value_added": v * x}, **names)


def modified_inverse(A: np.ndarray, width: int) -> np.ndarray:
    """Return (I − A)⁻¹ with A_sj = 0 for j ≠ s: what each exporter takes where its own inverse is made."""
    changed = A.copy()
    changed[:width, width:] = 0.0
    return np.linalg.inv(np.eye(len(A)) - changed)


def content_by_inverse(A: np.ndarray, table: nio.IOTable) -> np.ndarray:
    """Return value added by origin in a dollar of every industry's output, from an explicit inverse."""
    L = np.linalg.inv(np.eye(table.n) - A)
    by_origin = table.intensity("value_added").reshape(len(table.regions), -1)
    return np.stack([row @ L[k * len(row) : (k + 1) * len(row)] for k, row in enumerate(by_origin)])


def one(name: str) -> dict[str, object]:
    """Measure one table, task by task."""
    table = table_of(name)
    A = problem(name)[0]
    cells = ["importer", "sector"]
    tasks: dict[str, Callable[[], object]] = {
        "content of all exporters": lambda: nio.export_content(nio.Leontief(table), by="sector"),
        "Borin & Mancini, source": lambda: nio.decompose_exports(nio.Leontief(table), by=cells),
        "Borin & Mancini, sink": lambda: nio.decompose_exports(nio.Leontief(table), by=cells, perspective="sink"),
    }
    for job in tasks.values():
        job()
    peak = int(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) / 1024
    tasks |= {
        "content by numpy.linalg.inv": lambda: content_by_inverse(A, table),
        "one modified inverse": lambda: modified_inverse(A, len(table.sectors)),
    }
    seconds: dict[str, list[float]] = {}
    for task, job in tasks.items():
        time.sleep(0.5)  # numpy and scipy have a thread pool each, and a pool keeps its cores busy for a while
        job()
        seconds[task] = []
        for _ in range(REPEAT):
            started = time.perf_counter()
            job()
            seconds[task].append(time.perf_counter() - started)
    medians = {task: statistics.median(found) for task, found in seconds.items()}
    return {"n": table.n, "exporters": len(table.countries), "peak_mib": peak, "median_s": medians, "all_s": seconds}


def report() -> str:
    """Measure all tables and return them as Markdown; the JSON lies beside it."""
    from benchmarks.run import environment, machine

    facts = machine()
    found = {}
    for name in CASES:
        command = [sys.executable, "-m", "benchmarks.exports", name]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
        found[name] = json.loads(done.stdout.strip().splitlines()[-1])
    lines = [f"# Exports taken apart, {facts['date']}", "",
             f"{facts['cpu']}, {facts['cores']} cores, Python {facts['python']}. Medians of {REPEAT}, nothing factorised before; synthetic tables "
             "(`benchmarks/problems.py`). The ratio is to an explicit inverse and its products, and to one modified inverse (measured once) for each exporter.",
             "", "| table | task | median s | inverses s | ratio | peak MiB |", "|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for name, words in CASES.items():
        row = found[name]
        for task in ("content of all exporters", "Borin & Mancini, source", "Borin & Mancini, sink"):
            ours = row["median_s"][task]
            inverses = (
                row["median_s"]["content by numpy.linalg.inv"]
                if task.startswith("content")
                else row["exporters"] * row["median_s"]["one modified inverse"]
            )
            lines.append(
                f"| {words} | {task} | {ours:.3f} | {inverses:.2f} | {inverses / ours:.1f} | {row['peak_mib']:.0f} |"
            )
    target = HERE / "results" / f"exports-{facts['date']}-{str(facts['cpu']).lower().replace(' ', '-')}"
    target.with_suffix(".json").write_text(
        json.dumps({"machine": facts, "tables": found}, indent=1) + "\n", encoding="utf-8"
    )
    text = "\n".join(lines) + "\n"
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def main() -> None:
    """Measure one table, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", nargs="?", choices=[*CASES])
    given = parser.parse_args()
    print(json.dumps(one(given.shape)) if given.shape else report())


if __name__ == "__main__":
    main()
