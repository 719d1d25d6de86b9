"""Sweeps on a real cluster of processes: the same numbers, a worker lost on the way, and what stops a run."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import polars as pl
import pytest

import nearshore_io as nio
from nearshore_io.batch.engine import distributed as ours

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SHOCK = {
    "kind": "relocation", "sectors": "$product", "origin": "$partner", "destination": "MEX", "buyers": ["USA", "MEX"],
    "share": "$share",
}  # fmt: skip
SWEEP = nio.Sweep(
    "spread",
    [SHOCK],
    axes={
        "product": ["C26", "C27", "C28", "C29"],
        "partner": ["CHN", "MEX"],
        "share": {"from": 0.01, "to": 0.5, "steps": 500},
    },
    totals=["jobs by country, value_added by country"],
)


@pytest.fixture(scope="module")
def client() -> Iterator[distributed.Client]:
    options: dict[str, Any] = {"processes": True, "dashboard_address": ":0", "silence_logs": 50}
    with ours.environment_kept():
        cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options)
    with ours.environment_kept(), cluster, distributed.Client(cluster) as found:
        yield found


@pytest.fixture(scope="module")
def here() -> pl.DataFrame:
    return nio.run(nio.Leontief(nio.load_table()), SWEEP, chunk=200).to_polars()


def require_equal(found: nio.SweepResults, expected: pl.DataFrame) -> None:
    frame = found.to_polars()
    assert frame.drop("value").equals(expected.drop("value"))
    gap = (frame["value"] - expected["value"]).abs().max()
    assert gap is not None
    assert float(gap) < 1e-8  # type: ignore[arg-type]


def test_a_cluster_gives_the_numbers_of_one_process(client: Any, here: pl.DataFrame, tmp_path: Path) -> None:
    model = nio.Leontief(nio.load_table())
    found = nio.run(model, SWEEP, store=tmp_path / "out", chunk=200, scheduler=client)
    require_equal(found, here)
    assert found.failed == 2000
    assert found.complete
    whole = nio.run(model, SWEEP, store=tmp_path / "here", chunk=200)
    assert whole.manifest | {"machine": 0} == found.manifest | {"machine": 0}


def test_a_lost_worker_costs_its_part_alone(client: Any, here: pl.DataFrame, tmp_path: Path) -> None:
    lost: list[int] = []

    def kill(done: int, every: int) -> None:
        if not lost and done >= every // 5:
            lost.append(next(iter(client.run(os.getpid).values())))
            os.kill(lost[0], signal.SIGKILL)

    model = nio.Leontief(nio.load_table())
    found = nio.run(model, SWEEP, store=tmp_path / "out", chunk=50, scheduler=client, progress=kill)
    assert lost
    assert found.complete
    require_equal(found, here)


def test_a_cluster_goes_on_where_one_process_stopped(client: Any, here: pl.DataFrame, tmp_path: Path) -> None:
    model, seen = nio.Leontief(nio.load_table()), []

    def stop(done: int, _: int) -> None:
        seen.append(done)
        if done >= 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nio.run(model, SWEEP, store=tmp_path / "out", chunk=200, progress=stop)
    assert not nio.open_results(tmp_path / "out").complete
    require_equal(nio.run(model, SWEEP, store=tmp_path / "out", chunk=200, scheduler=client), here)


def test_strict_stops_a_cluster_too(client: Any) -> None:
    with pytest.raises(nio.ShockError, match=r"scenario \d+ has no result, and strict stops there"):
        nio.run(nio.Leontief(nio.load_table()), SWEEP, chunk=200, scheduler=client, strict=True)


def test_drawn_tables_are_the_same_on_a_cluster(client: Any) -> None:
    shock = {"kind": "final_demand", "region": "MX2", "sector": "C26", "amount": "1 billion USD"}
    sweep = nio.Sweep(
        "draws", [shock], table_errors=nio.DirichletErrors(), samples=6, totals=["value_added by country"]
    )
    model = nio.Leontief(nio.load_table())
    require_equal(nio.run(model, sweep, chunk=2, scheduler=client), nio.run(model, sweep, chunk=2).to_polars())


def test_an_unreachable_scheduler_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "PATIENCE", 0.5)
    with pytest.raises(nio.StorageError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
        nio.run(nio.Leontief(nio.load_table()), SWEEP, scheduler="tcp://127.0.0.1:9")
    with pytest.raises(nio.StorageError, match='scheduler is "local", an address'):
        nio.run(nio.Leontief(nio.load_table()), SWEEP, scheduler=8786)


def test_workers_of_another_version_are_refused(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "version", lambda _: "9.9.9")
    with pytest.raises(nio.StorageError, match=r"workers of another version than 9\.9\.9"):
        nio.run(nio.Leontief(nio.load_table()), SWEEP, scheduler=client)


def test_a_local_cluster_leaves_the_environment_as_it_was() -> None:
    before = dict(os.environ)
    shock = {"kind": "final_demand", "region": "MEX", "sector": "C26", "amount": "$a", "unit": "million USD"}
    sweep = nio.Sweep("e", [shock], axes={"a": [1.0, 2.0]}, totals=["value_added of MEX"])
    model = nio.Leontief(nio.load_table())
    found = nio.run(model, sweep, scheduler="local", workers=1).to_pandas()["value"]
    assert dict(os.environ) == before
    assert found[1] == pytest.approx(2 * found[0])
