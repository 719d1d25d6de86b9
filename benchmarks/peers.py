"""Peers, in an environment of their own: python benchmarks/peers.py CASE PROBLEM PEER [NUMBER] [--repeat N].

It reads the cached problem and imports nothing of this package.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import pandas as pd

CACHE = Path(__file__).parent / ".cache"


def pymrio_inverse(A: pd.DataFrame) -> pd.DataFrame:
    """Return L as pymrio computes it."""
    import pymrio

    return pymrio.calc_L(A)


def mariopy_inverse(A: pd.DataFrame) -> pd.DataFrame:
    """Return the Leontief inverse as MARIO computes it."""
    from mario.compute.primitives import calc_w

    return calc_w(A)


def measure(case: str, problem: str, peer: str, number: int, repeat: int) -> dict[str, object]:
    """Return one row; peers solve one shock at a time, so many shocks are timed on a few and multiplied."""
    A, y, v = (np.load(CACHE / f"{problem}-{part}.npy") for part in ("A", "y", "v"))
    labels = pd.MultiIndex.from_product([range(len(y) // 1), [0]])
    frame = pd.DataFrame(A, index=labels, columns=labels)
    demand = pd.Series(y, index=labels)
    inverse = {"pymrio": pymrio_inverse, "mariopy": mariopy_inverse}[peer]
    times_each = 1.0
    if case == "cold":

        def job() -> np.ndarray:
            return inverse(frame).dot(demand).to_numpy()

    else:
        L = inverse(frame)
        rows = np.zeros((4, len(y)))
        rows[:2, : len(y) // 50] = v[: len(y) // 50]
        weights = pd.DataFrame(rows, columns=labels)
        few = min(number, 200 if case == "functionals" else 20)
        times_each = number / few

        def job() -> np.ndarray:
            for _ in range(few):
                x = L.dot(demand)
                if case == "functionals":
                    weights.dot(x)
            return x.to_numpy()

    found, times = None, []
    for _ in range(repeat):
        started = time.perf_counter()
        found = job()
        times.append((time.perf_counter() - started) * times_each)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    from importlib.metadata import version

    return {
        "case": case,
        "number": number,
        "problem": problem,
        "n": len(y),
        "driver": f"{peer} {version(peer)}",
        "median_s": statistics.median(times),
        "min_s": min(times),
        "max_s": max(times),
        "calls": repeat,
        "times": times_each,
        "residual": float(np.abs(y + A @ found - found).max() / np.abs(y).max()),
        "peak_mib": int(status.split("VmHWM:")[1].split()[0]) / 1024,
        "note": "one by one" if case != "cold" else "inverse and product",
    }


def main() -> None:
    """Measure one row and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("problem")
    parser.add_argument("peer")
    parser.add_argument("number", type=int, nargs="?", default=1)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    print(json.dumps(measure(given.case, given.problem, given.peer, given.number, given.repeat)))


if __name__ == "__main__":
    main()
