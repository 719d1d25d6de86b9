"""Every case on a small table, so that the benchmark itself does not rot; with pytest-benchmark it also times them."""

import pytest

from benchmarks.cases import CASES
from benchmarks.problems import problem

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
