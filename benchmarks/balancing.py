"""What balancing takes: GRAS on a table of ICIO's shape, beside a plain loop over pandas frames; MR-GRAS as shipped.

python -m benchmarks.balancing              writes results/balancing-<date>-<cpu>.md and .json
python -m benchmarks.balancing CASE         measures one case in this process and prints it
"""

import argparse
import json
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd

import nearshore_io as nio
from benchmarks.limits import median_of
from nearshore_io.solvers.base import Array

HERE = Path(__file__).parent
SHAPE = (4_250, 4_737)
ROUNDS = 3
"""Rounds of the plain loop that are timed: it would take minutes to converge."""


def made(shape: tuple[int, int], seed: int = 1) -> tuple[Array, Array, Array]:
    """Return a lognormal table with zeros and a few negative cells, and the margins of one that moved away from it."""
    generator = np.random.default_rng(seed)
    Z = generator.lognormal(0.0, 2.5, shape)
    Z[generator.random(shape) < 0.3] = 0.0
    Z[generator.random(shape) < 0.003] *= -1.0
    drift = generator.lognormal(0.0, 0.3, (shape[0], 1)) * generator.lognormal(0.0, 0.3, (1, shape[1]))
    later = Z * drift * generator.lognormal(0.0, 0.4, shape)
    return Z, later.sum(axis=1), later.sum(axis=0)


def plain_rounds(Z: pd.DataFrame, rows: pd.Series, columns: pd.Series, rounds: int) -> tuple[pd.Series, pd.Series]:
    """Return GRAS multipliers after some rounds, as one writes it over frames."""
    P, N = Z.clip(lower=0.0), (-Z).clip(lower=0.0)
    r, s = pd.Series(1.0, index=Z.index), pd.Series(1.0, index=Z.columns)
    for _ in range(rounds):
        p, n = P.mul(s, axis=1).sum(axis=1), N.div(s, axis=1).sum(axis=1)
        r = ((rows + np.sqrt(rows**2 + 4 * p * n)) / (2 * p)).where(p > 0, -n / rows)
        p, n = P.mul(r, axis=0).sum(axis=0), N.div(r, axis=0).sum(axis=0)
        s = ((columns + np.sqrt(columns**2 + 4 * p * n)) / (2 * p)).where(p > 0, -n / columns)
    return r, s


def icio() -> dict[str, float]:
    """Measure GRAS on a table of ICIO's shape to 1e-8, and its memory beside the table's own."""
    Z, rows, columns = made(SHAPE)
    started = time.perf_counter()
    fit = nio.balance.gras(Z, rows=rows, columns=columns, totals="rows", rtol=1e-8)
    seconds = time.perf_counter() - started
    tracemalloc.start()  # slows Python down, so memory is measured on a run of its own
    nio.balance.gras(Z, rows=rows, columns=columns, totals="rows", rtol=1e-8)
    _, peak = tracemalloc.get_traced_memory()
    return {
        "seconds": seconds,
        "rounds": fit.iterations,
        "residual": fit.residual,
        "seconds_a_round": seconds / fit.iterations,
        "memory_in_tables": peak / Z.nbytes,
    }


def frames() -> dict[str, float]:
    """Measure rounds of the plain loop on the same table, and check it against ours on a small one."""
    small, u, w = made((40, 50))
    r, s = plain_rounds(pd.DataFrame(small), pd.Series(u), pd.Series(w), 2_000)
    scaled = np.outer(r, s)
    ours = nio.balance.gras(small, rows=u, columns=w, totals="rows").Z
    apart = float(np.abs(np.where(small > 0, small * scaled, small / scaled) - ours).max())
    Z, rows, columns = made(SHAPE)
    started = time.perf_counter()
    plain_rounds(pd.DataFrame(Z), pd.Series(rows), pd.Series(columns), ROUNDS)
    return {"seconds_a_round": (time.perf_counter() - started) / ROUNDS, "apart_on_a_small_table": apart}


def shipped() -> dict[str, float]:
    """Measure MR-GRAS on the shipped table: margins and bilateral trade 5 % to 20 % away."""
    table = nio.load_table()
    generator = np.random.default_rng(1)
    M = np.hstack([table.Z, table.y])
    later = M * generator.uniform(0.8, 1.2, M.shape)
    owners = [table.country[region] for region in table.regions]
    order = list(dict.fromkeys(owners))
    groups = np.repeat([order.index(owner) for owner in owners], len(table.sectors))
    final = np.repeat([order.index(region) for region in table.final_regions], len(table.categories))
    buyers = np.concatenate([groups, final])
    blocks = np.zeros((len(order), len(order)))
    np.add.at(blocks, (groups[:, None], buyers[None, :]), later)

    def job() -> None:
        nio.balance.mr_gras(
            M, rows=later.sum(axis=1), columns=later.sum(axis=0), blocks=blocks, row_blocks=groups,
            column_blocks=buyers, rtol=1e-8,
        )  # fmt: skip

    return {"seconds": median_of(job, 3)}


CASES = {"icio": icio, "frames": frames, "shipped": shipped}


def report() -> str:
    """Measure every case in a process of its own, and write the report."""
    from benchmarks.run import environment, machine

    facts = machine()
    found = {}
    for name in CASES:
        command = [sys.executable, "-m", "benchmarks.balancing", name]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
        found[name] = json.loads(done.stdout.strip().splitlines()[-1])
    ours, theirs = found["icio"], found["frames"]
    ratio = theirs["seconds_a_round"] / ours["seconds_a_round"]
    text = f"""# What balancing takes, {facts["date"]}

{facts["cpu"]}, {facts["cores"]} cores, Python {facts["python"]}.

- GRAS on {SHAPE[0]:,} × {SHAPE[1]:,} cells (lognormal, 30 % zeros, 0.3 % negative) to 1e-8: {ours["seconds"]:.2f} s, \
{ours["rounds"]:.0f} rounds, residual {ours["residual"]:.1e}; {ours["memory_in_tables"]:.2f} times the table's \
memory at the peak, the result among it.
- A round of a plain loop over pandas frames on the same table: {theirs["seconds_a_round"]:.2f} s, {ratio:.0f} times \
ours (on 40 × 50 cells both end within {theirs["apart_on_a_small_table"]:.0e} of each other).
- MR-GRAS with bilateral trade on the shipped table to 1e-8: {found["shipped"]["seconds"]:.2f} s (median of 3).
"""
    target = HERE / "results" / f"balancing-{facts['date']}-{str(facts['cpu']).lower().replace(' ', '-')}"
    target.with_suffix(".json").write_text(
        json.dumps({"machine": facts, "cases": found}, indent=1) + "\n", encoding="utf-8"
    )
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def main() -> None:
    """Measure one case, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", choices=list(CASES))
    wanted = parser.parse_args().case
    print(json.dumps(CASES[wanted]()) if wanted else report())


if __name__ == "__main__":
    main()
