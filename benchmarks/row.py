"""One row in a process of its own: python -m benchmarks.row CASE PROBLEM DRIVER [NUMBER] [--repeat N]."""

import argparse
import gc
import inspect
import json
import statistics
import time
from pathlib import Path

from benchmarks.problems import problem


def peak_mib() -> float:
    """Return the peak resident memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(case_name: str, problem_name: str, driver: str, number: int | None, repeat: int) -> dict[str, object]:
    """Return what one row measures: times of each call, residual, memory, threads, BLAS."""
    from threadpoolctl import threadpool_info

    from benchmarks.cases import CASES

    setup = problem(problem_name)
    case = CASES[case_name](setup, driver, *([] if number is None else [number]))
    before = peak_mib()
    times, result = [], None
    for _ in range(repeat):
        result = None
        gc.collect()
        started = time.perf_counter()
        result = case.job()
        times.append(time.perf_counter() - started)
    peak = peak_mib()
    blas = {f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}" for lib in threadpool_info()}
    return {
        "case": case_name,
        "number": number,
        "problem": problem_name,
        "n": setup[3].n,
        "driver": driver,
        "median_s": statistics.median(times) * case.times,
        "min_s": min(times) * case.times,
        "max_s": max(times) * case.times,
        "calls": repeat,
        "times": case.times,
        "residual": case.residual(result),
        "peak_mib": peak,
        "peak_before_mib": before,
        "threads": max(lib["num_threads"] for lib in threadpool_info()),
        "blas": sorted(blas),
        "note": case.note,
    }


def main() -> None:
    """Measure one row and print it as JSON."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(main)))
    parser.add_argument("case")
    parser.add_argument("problem")
    parser.add_argument("driver")
    parser.add_argument("number", type=int, nargs="?")
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    print(json.dumps(measure(given.case, given.problem, given.driver, given.number, given.repeat)))


if __name__ == "__main__":
    main()
