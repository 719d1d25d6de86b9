"""The whole benchmark: every row in a process of its own, peers in an environment of their own, ratios within the run.

python -m benchmarks.run [--quick]     writes results/<date>-<cpu>.json, .md and .svg
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

from benchmarks.problems import closeness, problem

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
PEER_PACKAGES = ("pymrio==0.7.0", "mariopy==1.3.2")
Row = dict[str, object]

OURS: list[tuple[str, str, str, int | None, int]] = [
    # case, problem, driver, number, repeat
    ("read", "wiod", "native", None, 5),
    ("read", "icio", "native", None, 3),
    *[("cold", "icio", driver, None, 9) for driver in ("auto", "gmres", "bicgstab", "gmres-float32", "mixed", "lu")],
    *[("cold", "icio", driver, None, 3) for driver in ("power", "numpy.linalg.solve", "numpy.linalg.inv", "scipy.lu")],
    *[("cold", "wiod", driver, None, 9) for driver in ("auto", "gmres", "lu", "numpy.linalg.solve")],
    *[("cold", "national", driver, None, 5) for driver in ("sparse", "lu", "gmres", "scipy.splu")],
    *[("cold", "icio", driver, sides, 3) for sides in (10, 100, 1000) for driver in ("gmres", "lu", "mixed", "auto")],
    *[("warm", "icio", driver, sides, 5) for sides in (1, 10, 100, 1000) for driver in ("lu", "mixed")],
    ("warm", "icio", "lu", 5000, 3),
    ("transposed", "icio", "lu", 1, 5),
    ("transposed", "icio", "gmres", 1, 5),
    ("factorise", "icio", "lu", None, 7),
    ("factorise", "icio", "mixed", None, 5),
    *[("update", "icio", "woodbury", rows, 5) for rows in (1, 10, 45, 100)],
    ("update", "icio", "refactorise", 10, 3),
    ("functionals", "icio", "auto", 100_000, 5),
    ("relocations", "icio", "lu-ready", 1000, 5),
    ("relocations", "icio", "from-nothing", 1000, 3),
    ("relocations", "icio", "numpy.linalg.solve", 1000, 3),
    ("content", "icio", "auto", None, 3),
    ("krylov-passes", "icio", "gmres", None, 9),
]
LARGE: list[tuple[str, str, str, int | None, int]] = [
    *[("cold", "exiobase", driver, None, 3) for driver in ("auto", "gmres", "mixed", "lu")],
    ("factorise", "exiobase", "lu", None, 2),
    ("cold", "gloria", "auto", None, 3),
    ("cold", "gloria", "gmres", 1000, 1),
    ("cold", "gloria", "mixed", 1000, 1),
    ("cold", "gloria", "lu", 1000, 1),
    ("cold", "gloria", "numpy.linalg.solve", None, 1),
]
PEER_ROWS = [
    ("cold", "icio", "pymrio", 1, 5),
    ("cold", "icio", "mariopy", 1, 2),
    ("warm", "icio", "pymrio", 1, 3),
    ("warm", "icio", "pymrio", 1000, 3),
    ("functionals", "icio", "pymrio", 100_000, 2),
    ("cold", "wiod", "pymrio", 1, 7),
]
TARGETS = [
    # job, ours, against, at least, compare memory
    ("one demand shock, ICIO shape, nothing factorised", "cold icio auto", "cold icio pymrio", 25),
    ("one demand shock, n = 1,435, nothing factorised", "cold wiod auto", "cold wiod pymrio", 10),
    ("one further shock, factors ready", "warm icio lu 1", "warm icio pymrio 1", 1),
    ("1,000 further shocks in a block", "warm icio lu 1000", "warm icio pymrio 1000", 5),
    (
        "100,000 sparse shocks, totals, solves included",
        "functionals icio auto 100000",
        "functionals icio pymrio 100000",
        2000,
    ),
    (
        "1,000 relocations, totals, factors ready, solves included",
        "relocations icio lu-ready 1000",
        "relocations icio numpy.linalg.solve 1000",
        5000,
    ),
    (
        "1,000 relocations, totals, factorisation included",
        "relocations icio from-nothing 1000",
        "relocations icio numpy.linalg.solve 1000",
        5000,
    ),
    ("one demand shock, n = 19,680, nothing factorised", "cold gloria auto", "cold gloria numpy.linalg.solve", 25),
]


def environment() -> dict[str, str]:
    """Return the environment of a row: OpenBLAS picks its own kernel, which the row records."""
    drop = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    return {key: value for key, value in os.environ.items() if key not in drop}


def call(command: Iterable[object]) -> Row:
    """Run one row and return it; a row that fails says so instead of a time."""
    words = [str(word) for word in command if word is not None]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), cwd=HERE.parent, check=False)
    if done.returncode:
        return {"failed": " ".join(words[1:]), "error": done.stderr.strip().splitlines()[-1:]}
    row: Row = json.loads(done.stdout.strip().splitlines()[-1])
    print(
        f"{row['case']:>14} {row['problem']:>9} {row['driver']:>20} {row['number'] or '':>7} {row['median_s']:12.6f} s",
        flush=True,
    )
    return row


def peers_python() -> Path:
    """Return the interpreter of the peers' environment, made on first use."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        venv.create(PEERS, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER_PACKAGES], check=True)
    return python


def machine() -> dict[str, object]:
    """Return what the rows were measured on."""
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", info.read_text(encoding="utf-8")) if info.exists() else None
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        **call_limits(),
    }


def call_limits() -> dict[str, float]:
    """Return the machine's limits, measured in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.limits"],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=HERE.parent,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def find(rows: list[Row], words: str) -> Row | None:
    """Return the row "case problem driver [number]"."""
    case, name, driver, *number = words.split()
    for row in rows:
        fits = row.get("case") == case and row.get("problem") == name and str(row.get("driver")).split()[0] == driver
        if fits and (not number or str(row["number"]) == number[0]) and (number or row["number"] in (None, 1)):
            return row
    return None


def ratios(rows: list[Row], facts: dict[str, object]) -> list[dict[str, object]]:
    """Return every target with the ratio this run measured."""
    found: list[dict[str, object]] = []
    for job, ours, against, least in TARGETS:
        a, b = find(rows, ours), find(rows, against)
        if a is None or b is None:
            continue
        ratio = float(b["median_s"]) / float(a["median_s"])  # type: ignore[arg-type]
        memory = float(a["peak_mib"]) / float(b["peak_mib"])  # type: ignore[arg-type]
        found.append(
            {"job": job, "ours": ours, "against": against, "ratio": ratio, "at_least": least, "memory": memory}
        )
    lu, passes = find(rows, "factorise icio lu"), find(rows, "krylov-passes icio gmres")
    if lu is not None:
        rate = float(str(lu["note"]).split()[0]) / float(lu["median_s"]) / 1e9  # type: ignore[arg-type]
        found.append({"job": "factorisation against gemm rate", "ours": "factorise icio lu", "against": "dgemm",
                      "ratio": rate / float(facts["dgemm_gflops"]), "at_least": 0.7, "memory": None})  # type: ignore[arg-type]  # fmt: skip
    if passes is not None:
        n, products = int(passes["n"]), int(str(passes["note"]).split()[0])  # type: ignore[call-overload]
        ideal = products * 8 * n**2 / (float(facts["read_gb_per_s"]) * 1e9)  # type: ignore[arg-type]
        found.append({"job": "one cold Krylov shock against reading A once a product (at most)", "ours": "krylov-passes icio gmres",
                      "against": "memory", "ratio": float(passes["median_s"]) / ideal, "at_least": 2.5, "memory": None})  # type: ignore[arg-type]  # fmt: skip
    return found


def markdown(report: dict[str, object]) -> str:
    """Return the report as tables."""
    facts, rows, found = report["machine"], report["rows"], report["ratios"]
    lines = [f"# Solver benchmark, {facts['date']}", ""]  # type: ignore[index]
    lines += [f"{facts['cpu']}, {facts['cores']} cores, Python {facts['python']}; dgemm {facts['dgemm_gflops']:.0f} GFLOP/s, "  # type: ignore[index]
              f"sgemm {facts['sgemm_gflops']:.0f}, memory read {facts['read_gb_per_s']:.0f} GB/s. Medians; ratios within this run.", ""]  # type: ignore[index]  # fmt: skip
    lines += ["| job | ours | against | ratio | wanted | peak memory, ours / theirs |", "|---|---|---|---:|---:|---:|"]
    for line in found:  # type: ignore[attr-defined]
        memory = "" if line["memory"] is None else f"{line['memory']:.2f}"
        lines.append(
            f"| {line['job']} | {line['ours']} | {line['against']} | {line['ratio']:,.2f} | {line['at_least']:,} | {memory} |"
        )
    lines += ["", "| case | problem | n | driver | number | median s | min | max | residual | peak MiB | note |",
              "|---|---|---:|---|---:|---:|---:|---:|---:|---:|---|"]  # fmt: skip
    for row in rows:  # type: ignore[attr-defined]
        if "failed" in row:
            lines.append(f"| {row['failed']} | | | | | failed: {row['error']} | | | | | |")
            continue
        lines.append(
            f"| {row['case']} | {row['problem']} | {row['n']:,} | {row['driver']} | {row['number'] or ''} | {row['median_s']:.6g} | "
            f"{row['min_s']:.6g} | {row['max_s']:.6g} | {row['residual']:.1e} | {row['peak_mib']:.0f} | {row['note']} |"
        )
    lines += [
        "",
        "How close the problems come to the world table of 2011 (density 0.201, log deviation 2.27, ρ 0.610, own block 0.726):",
        "",
    ]
    for name, near in report["closeness"].items():  # type: ignore[attr-defined]
        lines.append(f"- {name}: " + ", ".join(f"{key} {value:.3f}" for key, value in near.items()))
    return "\n".join(lines) + "\n"


def plot(report: dict[str, object], path: Path) -> None:
    """Draw time against n (one cold shock) and against right-hand sides (ICIO shape), with the machine's limit."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    from nearshore_io.plot import solver_benchmark

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    solver_benchmark(report, ax=left).set_title("one shock, nothing factorised")
    solver_benchmark(report, "right-hand sides", ax=right).set_title("n = 4,250, nothing factorised")
    figure.savefig(path)


def main() -> None:
    """Measure, write, and print where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the large tables (n = 9,800 and 19,680)")
    quick = parser.parse_args().quick
    facts = machine()
    names = ["wiod", "icio", "national"] + ([] if quick else ["exiobase", "gloria"])
    near = {}
    for name in names:
        A, _, _, shape = problem(name)
        near[name] = closeness(A, shape.sectors) if shape.n < 5000 else {"n": float(shape.n)}
        del A
    rows = [call([sys.executable, "-m", "benchmarks.row", case, name, driver, number, "--repeat", repeat])
            for case, name, driver, number, repeat in OURS + ([] if quick else LARGE)]  # fmt: skip
    python = peers_python()
    rows += [call([python, HERE / "peers.py", case, name, peer, number, "--repeat", repeat])
             for case, name, peer, number, repeat in PEER_ROWS]  # fmt: skip
    report: dict[str, object] = {"machine": facts, "closeness": near, "rows": rows}
    report["ratios"] = ratios(rows, facts)
    cpu = re.sub(r"[^a-z0-9]+", "-", str(facts["cpu"]).lower()).strip("-")
    target = HERE / "results" / f"{facts['date']}-{cpu}"
    target.with_suffix(".json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    target.with_suffix(".md").write_text(markdown(report), encoding="utf-8")
    plot(report, target.with_suffix(".svg"))
    print(f"written to {target}.json, .md and .svg")


if __name__ == "__main__":
    main()
