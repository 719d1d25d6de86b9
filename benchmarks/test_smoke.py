"""Every case on a small table, so that the benchmark itself does not rot; with pytest-benchmark it also times them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import nearshore_io as nio
from benchmarks.balancing import made, plain_rounds
from benchmarks.cases import CASES
from benchmarks.problems import problem
from benchmarks.sweeps import WORDS, case

ROWS = [
    ("read", "native", None),
    *[
        ("cold", driver, 1)
        for driver in ("auto", "gmres", "bicgstab", "gmres-float32", "mixed", "lu", "power", "sparse")
    ],
    ("cold", "numpy.linalg.solve", 3),
    ("warm", "lu", 10),
    ("transposed", "gmres", 4),
    ("factorise", "lu", None),
    ("update", "woodbury", 5),
    ("functionals", "auto", 50),
    ("relocations", "lu-ready", 20),
    ("relocations", "from-nothing", 20),
    ("content", "auto", None),
    ("krylov-passes", "gmres", None),
]


@pytest.mark.parametrize(("case", "driver", "number"), ROWS)
def test_case(benchmark: object, case: str, driver: str, number: int | None) -> None:
    made = CASES[case](problem("tiny"), driver, *([] if number is None else [number]))
    result = benchmark(made.job)  # type: ignore[operator]
    assert made.residual(result) < 1e-9


def test_the_plain_loop_ends_where_gras_does() -> None:
    Z, rows, columns = made((12, 15))
    r, s = plain_rounds(pd.DataFrame(Z), pd.Series(rows), pd.Series(columns), 2_000)
    scaled = np.outer(r, s)
    ours = nio.balance.gras(Z, rows=rows, columns=columns, totals="rows").Z
    np.testing.assert_allclose(np.where(Z > 0, Z * scaled, Z / scaled), ours, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", WORDS)
def test_every_sweep_that_is_measured_can_be_run(name: str) -> None:
    table = nio.load_table()
    sweep, options = case(name, table, shipped=True)
    sweep = sweep.on(table)
    small = replace(sweep, axes={key: values[:1] for key, values in sweep.axes.items()}, samples=sweep.samples and 1)
    kept = {key: value for key, value in options.items() if key in ("totals", "vectors")}
    assert nio.run(nio.Leontief(table), small, **kept).failed == 0
