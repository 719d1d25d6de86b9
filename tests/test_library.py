"""Keeping tables: packed decimals, mapped copies, names, and what is at hand."""

import json
import os
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import random_table
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nearshore_io as nio
from nearshore_io import library
from nearshore_io.readers.mapped import read_mapped, write_mapped
from nearshore_io.readers.packed import decimals, read_array, storage_of, write_array
from nearshore_io.table import IOTable


def stored(values: np.ndarray, folder: Path) -> np.ndarray:
    """Return an array after a round through a file."""
    dtype, attrs, chunks = storage_of(values)
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("a", values.shape, dtype, chunks=chunks, compression="gzip", shuffle=True)
        file["a"].attrs.update(attrs)
        write_array(file, "a", values)
    with h5py.File(folder / "a.h5", "r") as file:
        if not attrs:
            np.testing.assert_array_equal(file["a"][:], values)  # any HDF5 reader gets the same
        else:
            np.testing.assert_allclose(file["a"][:] * file["a"].attrs["scale_factor"], values, rtol=1e-15)
        return read_array(file, "a")


numbers = st.floats(-1e12, 1e12, allow_nan=False)


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=numbers),
    st.integers(0, 9) | st.none(),
)
def test_stored_numbers_come_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, places: int | None
) -> None:
    values = values if places is None else values.round(places)
    found = stored(values, tmp_path_factory.mktemp("packed"))
    np.testing.assert_array_equal(found, values)


def test_decimals_are_the_fewest_that_are_exact() -> None:
    assert decimals(np.array([[1.0, 20.0]])) == 0
    assert decimals(np.array([[0.125, 3.0]])) == 3
    assert decimals(np.array([[0.1 + 0.2]])) is None  # 0.30000000000000004
    assert decimals(np.array([[1e300]])) is None
    assert decimals(np.array([[1e-9, 4e6]])) == 9


def test_many_chunks(tmp_path: Path) -> None:
    """Larger than a chunk of two megabytes, with a last chunk that is not full."""
    values = np.random.default_rng(0).normal(size=(3001, 257)).round(3)
    np.testing.assert_array_equal(stored(values, tmp_path), values)


def large_table(seed: int = 0) -> IOTable:
    """Return a dense table that is large enough to be unpacked."""
    rng = np.random.default_rng(seed)
    n, width = 1200, 30
    Z = rng.random((n, n)).round(3)
    Y = (rng.random((n, 40)) * n).round(3)
    regions = [f"r{i}" for i in range(40)]
    return IOTable.from_arrays(
        Z, Y, None, regions=regions, sectors=[f"s{i}" for i in range(width)], final_regions=regions,
        categories=["HFCE"], stressors={"jobs": (rng.random(n), "persons")},
        meta={"name": "large", "year": 2020, "source": "made", "oddities": ("odd",)},
    ).with_output(Z.sum(axis=1) + Y.sum(axis=1))  # fmt: skip


def test_a_mapped_table_is_the_table(tmp_path: Path) -> None:
    """Every number and label, the checksum computed anew, and what a model makes of it."""
    table = large_table()
    mapped = read_mapped(write_mapped(table, tmp_path / "unpacked"))
    again = mapped.with_numbers()  # without what was stored beside the numbers
    assert again.sha256 == table.sha256 == mapped.sha256
    np.testing.assert_array_equal(again.A, mapped.A)
    np.testing.assert_array_equal(mapped.x.values, table.x.values)
    np.testing.assert_array_equal(mapped.meta["output"].values, table.meta["output"].values)
    assert {k: v for k, v in mapped.meta.items() if k != "output"} == {
        k: v for k, v in table.meta.items() if k != "output"
    }
    assert mapped.stressors.keys() == table.stressors.keys()
    with pytest.raises(ValueError, match="read-only"):
        mapped.Z[0, 0] = 1.0
    one, other = (nio.Leontief(t).multipliers("jobs") for t in (table, mapped))
    np.testing.assert_allclose(one.values, other.values, rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["A.npy", "Z.npy", "Y.npy", "v.npy", "F.npy", "output.npy", "table.json", "table.sha256"]
)
def test_a_damaged_copy_is_made_again(name: str) -> None:
    """The unpacked copy is only a copy: where it is damaged or gone, the table is read from its file."""
    table = large_table()
    library.keep(table, "large")
    assert nio.load_table("large").sha256 == table.sha256
    copy = next(library.cache_folder().iterdir())
    assert isinstance(nio.load_table("large").Z.base, np.memmap | np.ndarray)
    whole = (copy / name).read_bytes()
    for damaged in (whole[: len(whole) // 2], b""):
        (copy / name).write_bytes(damaged)
        found = nio.load_table("large")
        np.testing.assert_array_equal(found.Z, table.Z)
        assert (copy / name).read_bytes() == whole
    shutil.rmtree(library.cache_folder())
    assert nio.load_table("large").sha256 == table.sha256


@pytest.mark.parametrize("name", ["A", "Z", "Y", "v", "F", "output"])
@pytest.mark.parametrize("change", ["one number", "two that change places", "nothing but NaN"])
def test_a_changed_copy_is_noticed(name: str, change: str) -> None:
    """A copy with the right shape and wrong numbers is not used."""
    table = large_table()
    library.keep(table, "large")
    nio.load_table("large")
    copy = next(library.cache_folder().iterdir())
    stored = np.load(copy / f"{name}.npy")
    flat = stored.reshape(-1)
    if change == "one number":
        flat[7] += 1e-3
    elif change == "two that change places":
        flat[[3, 8]] = flat[[8, 3]]
    else:
        flat[7] = np.nan
    np.save(copy / f"{name}.npy", stored)
    found = nio.load_table("large")
    assert found.with_numbers().sha256 == table.sha256
    np.testing.assert_array_equal(found.A, table.A)
    np.testing.assert_array_equal(found.meta["output"], table.meta["output"])


def test_labels_of_a_copy_that_were_turned_are_noticed() -> None:
    library.keep(large_table(), "large")
    nio.load_table("large")
    copy = next(library.cache_folder().iterdir())
    facts = json.loads((copy / "table.json").read_text())
    facts["regions"] = facts["regions"][::-1]
    (copy / "table.json").write_text(json.dumps(facts))
    assert nio.load_table("large").regions[0] == "r0"


def test_only_this_packages_own_leftovers_are_swept(tmp_path: Path) -> None:
    """A folder of the user's keeps its hidden files, however old."""
    for name in (".git", ".env", ".t.nc.abc.nearshore-tmp"):
        file = tmp_path / name
        file.write_text("mine")
        os.utime(file, (time.time() - 2 * library.STALE,) * 2)
    library.keep(random_table(1), "mine", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", ".git", "mine.nc"]


@pytest.mark.parametrize("name", ["../escaped", "a/b", ".hidden", "", "a:b"])
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(nio.LabelError, match="is no name for a table"):
        library.keep(random_table(0), name)


def test_one_bad_file_does_not_hide_the_others() -> None:
    library.keep(random_table(0), "mine")
    (library.tables_folder() / "broken.nc").write_text("junk")
    (library.tables_folder() / "folder.nc").mkdir()
    listed = library.entries()
    assert listed["broken"].title.startswith("not readable: ")
    assert "folder" not in listed
    assert nio.load_table("mine").year == 2020
    with pytest.raises(nio.FormatError, match="To replace it: --replace"):
        library.keep(random_table(0), "broken")
    library.keep(random_table(0), "broken", replace=True)
    with pytest.raises(nio.StorageError, match="there is no folder"):
        nio.list_tables("/nowhere/at/all")


def test_a_cache_that_cannot_be_written_is_no_obstacle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = large_table()
    library.keep(table, "large")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("NEARSHORE_CACHE", str(tmp_path / "file" / "cache"))
    assert nio.load_table("large").sha256 == table.sha256
    with pytest.raises(nio.StorageError, match="could not be made"):
        library.unpack(table)


def test_names_of_tables() -> None:
    table = random_table(0)
    library.keep(table, "mine")
    assert nio.list_tables() == ["north-america-2011", "north-america-2022", "mine"]
    entry = library.entries()["mine"]
    assert (entry.year, entry.sha256, entry.shipped) == (2020, table.sha256, False)
    with pytest.raises(nio.LabelError, match="no table 'mien' shipped or in .*Nearest: mine"):
        nio.load_table("mien")
    with pytest.raises(nio.LabelError, match="comes with the package"):
        library.keep(table, "north-america-2011")
    other = table.with_numbers(meta={**table.meta, "year": 2021})
    with pytest.raises(nio.LabelError, match="is a table of 2020, edition unknown: say --name to keep both"):
        library.keep(other, "mine")
    library.keep(other, "mine", replace=True)
    assert nio.load_table("mine").year == 2021


def test_what_an_interrupted_import_left_is_swept(tmp_path: Path) -> None:
    for name, age in ((".old.nc.x.nearshore-tmp", 2 * library.STALE), (".new.nc.x.nearshore-tmp", 0.0)):
        file = tmp_path / name
        file.write_text("half")
        os.utime(file, (time.time() - age,) * 2)
    library.keep(random_table(1), "mine", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new.nc.x.nearshore-tmp", "mine.nc"]


def test_a_native_file_of_another_version(tmp_path: Path) -> None:
    file = nio.write_table(random_table(0), tmp_path / "t.nc")
    with h5py.File(file, "r+") as content:
        content.attrs["version"] = 1
    with pytest.raises(nio.FormatError, match="has version 1 of the format.*import the published file again"):
        nio.read_table(file)


def test_a_missing_chunk_is_noticed(tmp_path: Path) -> None:
    """Rows that were never written are not zeros."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", (10, 4), np.float64, chunks=(2, 4), compression="gzip", shuffle=True)
        file["a"][:4] = 1.0
    with h5py.File(tmp_path / "a.h5", "r") as file, pytest.raises(ValueError, match="lacks some of its rows"):
        read_array(file, "a")
