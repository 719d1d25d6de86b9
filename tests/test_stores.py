"""Stores of results: whole or not at all, resumed to the same bytes, never mixed, and read by others' tools."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr

import nearshore_io as nio
from nearshore_io.stores import manifest, sinks
from nearshore_io.table import IOTable

SWEEP = """
name = "stored"
totals = ["jobs by country, value_added by country"]
[axes]
product = { sectors = "manufacturing" }
partner = ["CHN", "KOR"]
share = { from = 0.02, to = 0.4, steps = 60 }
cost = { from = 0.9, to = 1.3, steps = 20 }
[[shock]]
kind = "relocation"
sectors = "$product"
origin = "$partner"
destination = "MEX"
buyers = ["USA", "MEX"]
share = "$share"
relative_cost = "$cost"
"""
RUN = """
import sys, nearshore_io as nio
model = nio.Leontief(nio.load_table())
print("ready", flush=True)
nio.run(model, nio.read_sweep(sys.argv[1]), store=sys.argv[2], chunk=2048, **eval(sys.argv[3]))
"""
TIMES = ("log.jsonl", ".lock")
"""Files that say when and where, and are no results."""


def content_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a store but those that hold times."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name not in TIMES)
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture
def sweep(tmp_path: Path) -> nio.Sweep:
    (tmp_path / "sweep.toml").write_text(SWEEP, encoding="utf-8")
    return nio.read_sweep(tmp_path / "sweep.toml")


@pytest.fixture(scope="module")
def estimated_model(estimated: IOTable) -> nio.Leontief:
    return nio.Leontief(estimated)


@pytest.mark.slow
@pytest.mark.parametrize("options", ["{}", "{'vectors': ['output']}"])
def test_a_run_killed_at_any_moment_gives_the_same_bytes(sweep: nio.Sweep, tmp_path: Path, options: str) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path / "sweep.toml")]
    subprocess.run([*command, str(tmp_path / "whole"), options], check=True, capture_output=True)
    killed, chance = 0, random.Random(1)
    for _ in range(8):
        process = subprocess.Popen([*command, str(tmp_path / "parts"), options], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.02, 0.15))
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        if process.wait() == 0:
            break
        killed += 1
        if (tmp_path / "parts" / "manifest.json").exists() and nio.open_results(tmp_path / "parts").complete:
            break
    assert killed >= 3
    done = subprocess.run([*command, str(tmp_path / "parts"), options], check=True, capture_output=True)
    assert b"ready" in done.stdout
    assert content_of(tmp_path / "parts") == content_of(tmp_path / "whole")


def test_a_part_that_is_missing_or_cut_short_is_made_again(
    sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief
) -> None:
    store = tmp_path / "out"
    results = nio.run(estimated_model, sweep, store=store, chunk=4096)
    whole = content_of(store)
    files = sorted((store / "totals").rglob("*.parquet"))
    assert len(files) == results.manifest["tables"][0]["parts"] == 12
    files[3].write_bytes(files[3].read_bytes()[:100])
    files[5].unlink()
    (store / "ledger" / "0000007.json").unlink()
    (store / "totals" / ".left.nearshore-tmp").write_bytes(b"half")
    done: list[int] = []
    nio.run(estimated_model, sweep, store=store, chunk=4096, progress=lambda now, _: done.append(now))
    every = results.manifest["scenarios"]
    assert done[0] == every - 3 * 4096
    assert content_of(store) == whole


def test_another_sweep_or_table_is_never_mixed_in(
    sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief, bundled: IOTable
) -> None:
    store = tmp_path / "out"
    nio.run(estimated_model, sweep, store=store)
    before = content_of(store)
    text = SWEEP.replace("to = 0.4", "to = 0.3")
    (tmp_path / "other.toml").write_text(text, encoding="utf-8")
    turned = nio.Sweep("stored", sweep.shocks, axes=dict(reversed(sweep.axes.items())), totals=sweep.totals)
    listed = nio.Sweep("stored", sweep.shocks, axes={**sweep.axes, "product": ["C26"]}, totals=sweep.totals)
    for model, other, options, what in (
        (estimated_model, nio.read_sweep(tmp_path / "other.toml"), {}, r"sweep\.axes\.share"),
        (estimated_model, turned, {}, r"parameters\[0\] was \"product\""),
        (estimated_model, listed, {}, r"sweep\.axes\.product"),
        (estimated_model, sweep, {"totals": "jobs of MEX"}, "totals"),
        (estimated_model, sweep, {"chunk": 100}, "scenarios_of_a_part"),
        (nio.Leontief(estimated_model.table, closure="households"), sweep, {}, "closure"),
        (nio.Leontief(moved(estimated_model.table)), sweep, {}, "table_sha256"),
    ):
        with pytest.raises(nio.StorageError, match=f"holds another run.*{what}"):
            nio.run(model, other, store=store, **options)
        assert content_of(store) == before
    found = json.loads((store / "manifest.json").read_text(encoding="utf-8"))
    found["package"] = "nearshore_io 0.0.1"
    (store / "manifest.json").write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(nio.StorageError, match=r'package was "nearshore_io 0\.0\.1"'):
        nio.run(estimated_model, sweep, store=store)


def moved(table: IOTable) -> IOTable:
    """Return a table with one cell of final demand changed by a dollar."""
    Y = np.array(table.y)
    Y[0, 0] += 1e-6
    return table.with_numbers(Y=Y)


def test_a_folder_of_somebody_else_is_left_alone(
    sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words", encoding="utf-8")
    with pytest.raises(nio.StorageError, match=r"holds other files \(thesis\.txt\)"):
        nio.run(estimated_model, sweep, store=tmp_path / "mine")
    with pytest.raises(nio.StorageError, match="is a file: a store is a folder"):
        nio.run(estimated_model, sweep, store=tmp_path / "mine" / "thesis.txt")
    with pytest.raises(nio.StorageError, match="holds no results of a sweep"):
        nio.open_results(tmp_path / "mine")
    (tmp_path / "mine" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(nio.StorageError, match="cannot be read"):
        nio.open_results(tmp_path / "mine")


def test_two_writers_do_not_share_a_store(sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief) -> None:
    with sinks.Folder(tmp_path / "out").held(), pytest.raises(nio.StorageError, match="another process"):
        nio.run(estimated_model, sweep, store=tmp_path / "out")


def test_a_full_disk_stops_the_run_and_it_goes_on_when_there_is_room(
    sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, writes = tmp_path / "out", iter(range(10_000))
    nio.run(estimated_model, sweep, store=tmp_path / "whole")
    replace = Path.replace

    def full(self: Path, target: Any) -> Path:
        if next(writes) == 7:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(nio.StorageError, match="No space left on device"):
        nio.run(estimated_model, sweep, store=store)
    assert not list(store.rglob("*.nearshore-tmp"))
    assert 0 < len(nio.open_results(store).entries) < len(nio.open_results(tmp_path / "whole").entries)
    assert not nio.open_results(store).complete
    monkeypatch.undo()
    nio.run(estimated_model, sweep, store=store)
    assert content_of(store) == content_of(tmp_path / "whole")


def test_others_read_the_store(sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief) -> None:
    store = tmp_path / "out"
    results = nio.run(estimated_model, sweep, store=store)
    mine = results.to_pandas("value_added")
    expected = mine[mine["place"] == "MEX"].groupby("product")["value"].mean()
    query = f"""
        SELECT product, avg(value) AS mean FROM '{store}/totals/**/*.parquet' JOIN '{store}/scenarios/*.parquet' USING (scenario)
        WHERE variable = 'value_added' AND place = 'MEX' GROUP BY product
    """
    asked = dict(duckdb.sql(query).fetchall())
    lazy = pl.scan_parquet(store / "totals", hive_partitioning=True)
    names = pl.scan_parquet(store / "scenarios")
    chosen = lazy.filter((pl.col("variable") == "value_added") & (pl.col("place") == "MEX"))
    by_polars = chosen.join(names, on="scenario").group_by("product").agg(pl.col("value").mean()).collect()
    by_pandas = pd.read_parquet(store / "totals")
    assert len(by_pandas) == results.totals.select(pl.len()).collect().item()
    assert set(by_pandas["table"].astype(str)) == {"north-america-2022"}
    for product, value in expected.items():
        assert asked[product] == pytest.approx(value, rel=1e-12)
        assert by_polars.filter(pl.col("product") == product)["value"].item() == pytest.approx(value, rel=1e-12)
    unknown = results.to_polars("jobs").filter(pl.col("place") == "CHN")
    assert unknown["value"].null_count() == len(unknown)


def test_arrays_are_zarr_and_read_by_xarray_alone(tmp_path: Path, estimated_model: nio.Leontief) -> None:
    shock = {"kind": "fdi", "region": "MEX", "sector": "$s", "amount": "100 million USD", "output": "$out"}
    sweep = nio.Sweep(
        "arrays", [shock], axes={"s": ["C26", "C29", "C10T12"], "out": ["1 million USD", "2 million USD"]}
    )
    nio.run(estimated_model, sweep, store=tmp_path / "out", vectors=["output", "jobs"], chunk=4)
    alone = xr.open_zarr(tmp_path / "out" / "vectors" / "north-america-2022-2022", consolidated=False, chunks=None)
    assert alone["output"].dims == ("scenario", "phase", "region", "sector")
    assert alone["phase"].values.tolist() == ["build", "run"]
    one = nio.run(estimated_model, sweep.scenario({"s": "C29", "out": "2 million USD"}))
    np.testing.assert_allclose(alone["output"].values[3], one.output.values[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(alone["jobs"].values[3], one.jobs.values[0], rtol=0, atol=1e-9)
    assert alone["jobs"].attrs["units"] == "thousand persons"
    assert nio.open_results(tmp_path / "out").vectors().output.sel(scenario=5).shape == (2, 16, 50)


def test_a_store_may_lie_at_an_address(sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief) -> None:
    results = nio.run(estimated_model, sweep, store="memory://bucket/run")
    local = nio.run(estimated_model, sweep, store=tmp_path / "out")
    assert results.to_polars().equals(local.to_polars())
    again = nio.run(estimated_model, sweep, store="memory://bucket/run")
    assert again.complete
    with pytest.raises(nio.StorageError, match="cannot be opened"):
        nio.run(estimated_model, sweep, store="nowhere://bucket/run")


def test_what_is_kept_in_memory_is_what_is_kept_in_a_folder(
    sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief
) -> None:
    there = nio.run(estimated_model, sweep, store=tmp_path / "out", vectors=["output"], chunk=1000)
    here = nio.run(estimated_model, sweep, vectors=["output"], chunk=1000)
    assert here.to_polars().equals(there.to_polars())
    np.testing.assert_array_equal(here.vectors().output.isel(scenario=-1), there.vectors().output.isel(scenario=-1))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_scenarios(tmp_path: Path) -> None:
    """Peak memory of 20 times as many scenarios is at most that of a few parts more."""
    code = (
        "import resource, sys, nearshore_io as nio\n"
        "shock = {'kind': 'final_demand', 'region': 'MEX', 'sector': 'C26', 'amount': '$a', 'unit': 'million USD'}\n"
        "sweep = nio.Sweep('m', [shock], distributions={'a': nio.Uniform(1, 2)}, samples=int(sys.argv[1]))\n"
        "nio.run(nio.Leontief(nio.load_table()), sweep, totals='jobs by country, value_added by country', store=sys.argv[2])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    peaks = []
    for samples in (16_384, 524_288):
        command = [sys.executable, "-c", code, str(samples), str(tmp_path / str(samples))]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks.append(float(done.stdout))
    assert peaks[1] < peaks[0] + 60


def test_the_manifest_says_what_was_run(sweep: nio.Sweep, tmp_path: Path, estimated_model: nio.Leontief) -> None:
    results = nio.run(estimated_model, sweep, store=tmp_path / "out")
    found = results.manifest
    assert found["tables"][0]["table_sha256"] == estimated_model.table.sha256
    assert found["sweep_sha256"] == manifest.checksum(sweep.on(estimated_model.table).to_json())
    assert found["package"].startswith("nearshore_io ")
    assert {"cores", "python", "system"} <= set(found["machine"])
    assert results.residual < 1e-9
    assert results.checked < 1e-10
    assert "±" in found["tables"][0]["estimate_band"]
    log = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert log[0]["scenarios_after"] == len(sweep.on(estimated_model.table))


def test_a_store_goes_on_with_the_parts_it_was_begun_with(
    tmp_path: Path, estimated_model: nio.Leontief, sweep: nio.Sweep
) -> None:
    nio.run(estimated_model, sweep, store=tmp_path / "out", chunk=3000)
    results = nio.run(estimated_model, sweep, store=tmp_path / "out")
    assert results.kept == results.manifest["scenarios"]
    (tmp_path / "out" / "ledger" / "0000002.json").write_text("", encoding="utf-8")
    assert not nio.open_results(tmp_path / "out").complete
    assert nio.run(estimated_model, sweep, store=tmp_path / "out").complete


def test_closures_of_all_tables_belong_to_the_run(tmp_path: Path, estimated: IOTable, bundled: IOTable) -> None:
    shock = {"kind": "final_demand", "region": "MEX", "sector": "c14", "amount": "$a", "unit": "million USD"}
    sweep = nio.Sweep("c", [shock], axes={"a": [1.0, 2.0]}, totals=["value_added"])
    models = [nio.Leontief(estimated), nio.Leontief(bundled, closure="households")]
    nio.run(models, sweep, store=tmp_path / "out")
    with pytest.raises(nio.StorageError, match="closures"):
        nio.run([models[0], nio.Leontief(bundled)], sweep, store=tmp_path / "out")


def test_a_folder_with_brackets_is_the_folder_it_says(tmp_path: Path, estimated_model: nio.Leontief) -> None:
    shock = {"kind": "final_demand", "region": "MEX", "sector": "C26", "amount": "$a", "unit": "million USD"}
    for name, amount in (("run1", 1.0), ("run[1]", 2.0)):
        sweep = nio.Sweep("g", [shock], axes={"a": [amount]})
        nio.run(estimated_model, sweep, totals="value_added", store=tmp_path / name)
    values = [nio.open_results(tmp_path / name).to_pandas("value_added")["value"].item() for name in ("run1", "run[1]")]
    assert values[1] == pytest.approx(2 * values[0])
