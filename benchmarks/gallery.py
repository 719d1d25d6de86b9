"""What the shipped scenarios take, on the shipped table and on one of ICIO's shape; each table in a process of its own.

python -m benchmarks.gallery                writes results/gallery-<date>-<cpu>.md and .json
python -m benchmarks.gallery TABLE          measures one table ("shipped", "icio") and prints it; loading is left out
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import nearshore_io as nio
from benchmarks.limits import median_of
from benchmarks.problems import problem
from nearshore_io.readers.icio.editions import editions

HERE = Path(__file__).parent
REPEAT, BANDS = 5, 2
TABLES = {"shipped": "north-america-2011, 385 industries", "icio": "synthetic in ICIO's shape, 4,250 industries"}
ACCOUNTS = ("USA", "MX1", "MX2", "CAN", "CN1", "CN2", "JPN", "KOR", "TWN", "IND")
CATEGORIES = {"HFCE": 0.6, "GGFC": 0.2, "GFCF": 0.2}


def table_of(name: str) -> nio.IOTable:
    """Return the shipped table, or a synthetic one with MX1, MX2, CN1, CN2, jobs and pay."""
    if name == "shipped":
        return nio.load_table("north-america-2011")
    A, y, v, shape = problem("icio")
    x = np.linalg.solve(np.eye(shape.n) - A, y)
    regions = [*ACCOUNTS, *(f"R{k:02d}" for k in range(len(ACCOUNTS), shape.regions))]
    country = {code: {"MX": "MEX", "CN": "CHN"}.get(code[:2], code) for code in regions}
    finals = list(dict.fromkeys(country.values()))
    share = np.full((shape.regions, len(finals)), 0.1 / (len(finals) - 1))
    for k, code in enumerate(regions):
        share[k, finals.index(country[code])] = 0.9
    by_country = np.repeat(share, shape.sectors, axis=0) * y[:, None]
    Y = (by_country[:, :, None] * np.array(list(CATEGORIES.values()))).reshape(shape.n, -1)
    pay = 0.5 * v * x
    return nio.IOTable.from_arrays(
        A * x,
        Y,
        {"value_added": v * x},
        regions=regions,
        sectors=editions()["2025-EXT"].industries[: shape.sectors],
        final_regions=finals,
        categories=list(CATEGORIES),
        country=country,
        stressors={"jobs": (pay / 20.0, "thousand persons"), "compensation": (pay, "million USD")},
        meta={"year": 2022},
    )


def one(name: str) -> dict[str, object]:
    """Measure every scenario on one table: central values, and with all variants of its band."""
    model = nio.Leontief(table_of(name), solver=nio.solvers.DenseLU())
    model.factors.solve(np.ones(model.table.n))
    rows: dict[str, object] = {}
    for scenario in nio.list_gallery():
        loaded = nio.load_scenario(scenario)
        try:
            rows[scenario] = {
                "central_s": median_of(lambda loaded=loaded: nio.run(model, loaded), REPEAT),
                "band_s": median_of(lambda loaded=loaded: nio.run(model, loaded, variants=True), BANDS),
                "variants": len(loaded.variants) + 1,
            }
        except nio.ShockError as error:
            rows[scenario] = {"refused": str(error)}
    return {"n": model.table.n, "scenarios": rows}


def report() -> str:
    """Measure all tables and return them as Markdown; the JSON lies beside it."""
    from benchmarks.run import environment, machine

    facts, found = machine(), {}
    for name in TABLES:
        command = [sys.executable, "-m", "benchmarks.gallery", name]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
        found[name] = json.loads(done.stdout.strip().splitlines()[-1])["scenarios"]
    lines = [f"# What the shipped scenarios take, {facts['date']}", "",
             f"{facts['cpu']}, {facts['cores']} cores, Python {facts['python']}. Seconds, medians of {REPEAT} (bands of {BANDS}), after loading and "
             "factorising (LU); the band runs every variant.", "",
             "| scenario | variants | " + " | ".join(f"{words}: central | band" for words in TABLES.values()) + " |",
             "|---|---:|" + "---:|---:|" * len(TABLES)]  # fmt: skip
    for scenario in nio.list_gallery():
        rows = [found[name][scenario] for name in TABLES]
        cells = [f"{row['central_s']:.3f} | {row['band_s']:.2f}" if "central_s" in row else "refused |" for row in rows]
        lines.append(f"| {scenario} | {len(nio.load_scenario(scenario).variants) + 1} | {' | '.join(cells)} |")
    refused = [
        (name, scenario, row["refused"]) for name in TABLES for scenario, row in found[name].items() if "refused" in row
    ]
    lines += ["", *(f"- {scenario} on the table {TABLES[name]}: {why}" for name, scenario, why in refused)]
    target = HERE / "results" / f"gallery-{facts['date']}-{str(facts['cpu']).lower().replace(' ', '-')}"
    target.with_suffix(".json").write_text(
        json.dumps({"machine": facts, "tables": found}, indent=1) + "\n", encoding="utf-8"
    )
    text = "\n".join(lines) + "\n"
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def main() -> None:
    """Measure one table, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", choices=list(TABLES))
    wanted = parser.parse_args().table
    print(json.dumps(one(wanted)) if wanted else report())


if __name__ == "__main__":
    main()
