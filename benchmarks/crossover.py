"""Where Krylov from nothing stops beating LU with its factorisation: writes solvers/crossovers.toml."""

import datetime
from pathlib import Path

from benchmarks.problems import SHAPES
from benchmarks.run import call, machine
from nearshore_io.solvers.choose import CROSSOVERS

GRID = {"wiod": (2, 5, 10, 20), "icio": (20, 50, 80, 120), "exiobase": (100, 200, 400), "gloria": (200, 400, 800)}
HEADER = """# Right-hand sides up to which Krylov, from nothing, is faster than LU with its factorisation.
# Written by `make bench-crossover`; shown by `nearshore solvers`.
"""


def crossover(name: str) -> int:
    """Return the number of right-hand sides at which the two take the same time, log-linearly between the measured."""
    import sys

    def seconds(driver: str, sides: int) -> float:
        row = call(
            [
                sys.executable,
                "-m",
                "benchmarks.row",
                "cold",
                name,
                driver,
                sides,
                "--repeat",
                1 if name == "gloria" else 3,
            ]
        )
        return float(row["median_s"])  # type: ignore[arg-type]

    lu = {sides: seconds("lu", sides) for sides in (GRID[name][0], GRID[name][-1])}
    slope = (lu[GRID[name][-1]] - lu[GRID[name][0]]) / (GRID[name][-1] - GRID[name][0])
    best = 1
    for sides in GRID[name]:
        if seconds("gmres", sides) > lu[GRID[name][0]] + slope * (sides - GRID[name][0]):
            break
        best = sides
    return best


def main() -> None:
    """Measure every shape and rewrite the table the solver reads."""
    facts = machine()
    points = [(SHAPES[name].n, crossover(name)) for name in GRID]
    lines = [
        HEADER + f'machine = "{facts["cpu"]}, {facts["cores"]} cores"',
        f"date = {datetime.date.today().isoformat()}",
    ]
    lines += [f"\n[[point]]\nn = {n}\nright_hand_sides = {sides}" for n, sides in points]
    Path(CROSSOVERS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(Path(CROSSOVERS).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
