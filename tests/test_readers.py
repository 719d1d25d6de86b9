import shutil
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from conftest import random_table, require_wiod

import nearshore_io as nio
from nearshore_io.readers.accounts import read_accounts
from nearshore_io.readers.wiod import CATEGORIES, INPUTS
from nearshore_io.shipped import shipped
from nearshore_io.table import IOTable

NAMES = pd.read_csv(shipped("tables", "classifications", "wiod2013-industries.csv"), dtype=str)


def write_workbook(path: Path, spoil: str = "") -> dict[str, np.ndarray]:
    """Write a workbook laid out as the publisher's wiotYY_row_*.xlsx, two regions only, and return its parts."""
    rng = np.random.default_rng(7)
    regions, codes = ["MEX", "RoW"], NAMES["code"].tolist()
    n = len(regions) * len(codes)
    Z, Y = rng.uniform(0, 10, (n, n)), rng.uniform(100, 900, (n, len(regions) * len(CATEGORIES)))
    x = Z.sum(axis=1) + Y.sum(axis=1)
    bottom = {code: rng.uniform(-1, 5, n) for code in INPUTS if code != "r65"}
    bottom["r65"] = x - Z.sum(axis=0) - sum(bottom.values())
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "Intercountry Input-Output Table for 1999"
    sheet["A3"], sheet["A4"] = "(industry-by-industry)", "(millions of US$)"
    columns = [(r, c, i) for r in regions for c, i in zip(codes, NAMES["isic"], strict=True)]
    columns += [(r, c, c) for r in regions for c in CATEGORIES] + [("TOT", "c60", "GO")]
    for j, (region, code, isic) in enumerate(columns):
        for row, value in ((3, isic), (4, f"name of {code}"), (5, region), (6, code)):
            sheet.cell(row, 5 + j, value)
    rows = [(r, c, i) for r in regions for c, i in zip(codes, NAMES["isic"], strict=True)]
    bodies = [*np.hstack([Z, Y, x[:, None]])]
    labelled = [*rows, ("TOT", "r60", "II"), *(("TOT", code, code) for code in bottom), ("TOT", "r69", "GO")]
    bodies += [Z.sum(axis=0), *bottom.values(), x]
    for i, ((region, code, isic), body) in enumerate(zip(labelled, bodies, strict=True)):
        for column, value in ((1, isic), (2, f"name of {code}"), (3, region), (4, code)):
            sheet.cell(7 + i, column, value)
        for j, value in enumerate(body):
            sheet.cell(7 + i, 5 + j, float(value))
    if spoil == "word":
        sheet.cell(10, 10, "n.a.")
    if spoil == "row":
        sheet.delete_rows(10)
    book.save(path)
    return {"Z": Z, "Y": Y, "x": x, **bottom}


def test_the_publishers_workbook(tmp_path: Path) -> None:
    """Every flow lands under its label, the primary inputs keep their rows, and the table balances both ways."""
    parts = write_workbook(tmp_path / "wiot99_row_apr12.xlsx")
    table = nio.read_wiod(tmp_path, 1999)
    np.testing.assert_allclose(table.Z, parts["Z"])
    np.testing.assert_allclose(table.y, parts["Y"])
    np.testing.assert_allclose(table.inputs["taxes_less_subsidies"], parts["r61"])
    np.testing.assert_allclose(table.inputs["value_added"], parts["r65"])
    np.testing.assert_allclose(table.imbalance("output"), 0.0, atol=1e-9)
    np.testing.assert_allclose(table.imbalance("inputs"), 0.0, atol=1e-9)
    content = nio.export_content(nio.Leontief(table), "MEX")
    assert float(content.sum()) == pytest.approx(1.0)
    assert content["origin"].values.tolist() == ["MEX", "RoW", "taxes"]


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [("word", nio.FormatError, "cells that are not numbers"), ("row", nio.FormatError, "lacks the rows MEX/c4")],
)
def test_a_spoiled_workbook(tmp_path: Path, spoil: str, error: type[Exception], message: str) -> None:
    write_workbook(tmp_path / "wiot99_row_apr12.xlsx", spoil)
    with pytest.raises(error, match=message):
        nio.read_wiod(tmp_path / "wiot99_row_apr12.xlsx")


def test_a_workbook_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "wiot99_row_apr12.xlsx"
    write_workbook(file)
    file.write_bytes(file.read_bytes()[:20_000])
    with pytest.raises(nio.FormatError, match="not a readable workbook"):
        nio.read_wiod(file)


def test_an_r_file_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "wiot_2011.RData"
    file.write_bytes((require_wiod() / file.name).read_bytes()[:100_000])
    with pytest.raises(nio.FormatError, match="not a readable R data file"):
        nio.read_wiod(file)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(nio.StorageError, match="there is no file"):
        nio.read_wiod(tmp_path / "wiot_2011.RData")
    with pytest.raises(nio.StorageError, match="is a folder: give the year"):
        nio.read_wiod(tmp_path)
    with pytest.raises(nio.StorageError, match="holds 0 WIOD tables of 2011"):
        nio.read_wiod(tmp_path, 2011)


def test_both_layouts_of_the_accounts_agree(tmp_path: Path) -> None:
    """The MATLAB copy rewritten in the publisher's layout reads the same, with Romania's other code and gaps."""
    source = read_accounts(require_wiod() / "WIOD_SEA.mat")
    years = [column for column in source.columns if isinstance(column, int)]
    isic = dict(zip(NAMES["code"], NAMES["isic"], strict=True))
    some = source[source["country"].isin(["MEX", "ROM"]) & source["variable"].isin(["EMP", "GO", "COMP"])]
    sheet = pd.DataFrame({
        "Country": some["country"].replace({"ROM": "ROU"}), "Variable": some["variable"],
        "Description": "", "Code": some["code"].map(isic), **{f"_{year}": some[year] for year in years},
    })  # fmt: skip
    total = sheet.groupby(["Country", "Variable"], as_index=False, sort=False).first().assign(Code="TOT")
    with pd.ExcelWriter(tmp_path / "WIOD_SEA_July14.xlsx", engine="openpyxl") as writer:
        pd.concat([total, sheet]).to_excel(writer, sheet_name="DATA", index=False)
    again = read_accounts(tmp_path / "WIOD_SEA_July14.xlsx")
    keys = ["country", "variable", "code"]
    left, right = (frame.set_index(keys)[years].sort_index() for frame in (some, again))
    np.testing.assert_allclose(left.to_numpy(), right.to_numpy(), rtol=1e-12)
    assert left.index.equals(right.index)


def test_accounts_not_published_for_a_year_are_left_out_and_said(wiod_2011: IOTable) -> None:
    assert "hours_high_skill" not in wiod_2011.stressors
    assert "not published for 2011: hours_high_skill" in wiod_2011.meta["history"][-1]
    table = nio.read_wiod(require_wiod(), 2009)
    skills = sum(table.stressors[f"hours_{level}_skill"][0] for level in ("high", "medium", "low"))
    total = table.stressors["hours"][0]
    known = ~np.isnan(total) & (total > 0)
    np.testing.assert_allclose(skills[known] / total[known], 1.0, atol=2e-3)


def test_an_unknown_stressor_of_the_accounts() -> None:
    with pytest.raises(nio.LabelError, match="no stressor wages in the labour accounts; known: jobs"):
        nio.read_wiod(require_wiod(), 2011, stressors=["wages"])


@pytest.mark.parametrize("seed", range(4))
def test_native_files_return_the_table(tmp_path: Path, seed: int) -> None:
    table = random_table(seed, 1 + seed).with_output(np.arange(4.0 * (1 + seed)))
    nio.write_table(table, tmp_path / "t.nc")
    again = nio.read_table(tmp_path / "t.nc")
    assert again.sha256 == table.sha256
    assert dict(again.country) == dict(table.country)
    np.testing.assert_array_equal(again.meta["output"], table.meta["output"])
    assert again.meta["name"] == table.meta["name"]


def test_sparse_tables_stay_sparse(tmp_path: Path) -> None:
    n = 20
    table = IOTable.from_arrays(
        np.diag(np.arange(1.0, n)[: n - 1], 1), np.full((n, 1), 99.0), None,
        regions=["A"], sectors=[f"s{i}" for i in range(n)], final_regions=["A"], categories=["HFCE"],
    )  # fmt: skip
    nio.write_table(table, tmp_path / "t.nc")
    again = nio.read_table(tmp_path / "t.nc")
    assert again.Z.nnz == n - 1
    assert again.sha256 == table.sha256


def test_native_files_that_were_cut_or_changed(tmp_path: Path) -> None:
    file = tmp_path / "t.nc"
    nio.write_table(random_table(0), file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(nio.FormatError, match=r"t\.nc .*cut short or corrupted"):
        nio.read_table(file)
    file.write_bytes(b"not a table at all")
    with pytest.raises(nio.FormatError, match="not a readable netCDF-4 file"):
        nio.read_table(file)


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    import h5py

    file = tmp_path / "t.nc"
    nio.write_table(random_table(0), file)
    with h5py.File(file, "r+") as content:
        content["Y_flat"][0, 0] += 1.0
    with pytest.raises(nio.FormatError, match="corrupted: the checksum"):
        nio.read_table(file)
    with h5py.File(file, "r+") as content:
        content.attrs["version"] = 99
    with pytest.raises(nio.FormatError, match="version 99"):
        nio.read_table(file)


def test_writing_to_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """A file-size limit stands in for a full disk: the kernel refuses the write in the same place."""
    import resource

    file = tmp_path / "t.nc"
    nio.write_table(random_table(0), file)
    before = file.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(nio.StorageError, match=r"t\.nc could not be written .*; nothing was changed"):
            nio.write_table(random_table(1), file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["t.nc"]


@pytest.mark.parametrize("attribute", ["version", "sha256", "seal", "meta"])
def test_a_native_file_without_its_seal(tmp_path: Path, attribute: str) -> None:
    import h5py

    file = tmp_path / "t.nc"
    nio.write_table(random_table(0).with_output(np.arange(12.0)), file)
    with h5py.File(file, "r+") as content:
        del content.attrs[attribute]
    with pytest.raises(nio.FormatError, match=f"lacks its {attribute}"):
        nio.read_table(file)


def test_a_changed_output_column_is_noticed(tmp_path: Path) -> None:
    import h5py

    file = tmp_path / "t.nc"
    nio.write_table(random_table(0).with_output(np.arange(12.0)), file)
    with h5py.File(file, "r+") as content:
        content["output"][0, 0] += 1.0
    with pytest.raises(nio.FormatError, match="corrupted"):
        nio.read_table(file)


def test_accounts_that_were_damaged(tmp_path: Path) -> None:
    whole = (require_wiod() / "WIOD_SEA.mat").read_bytes()
    file = tmp_path / "WIOD_SEA.mat"
    for damaged in (whole[:100], whole[:200_000], whole[:5000] + b"\x00" + whole[5001:]):
        file.write_bytes(damaged)
        with pytest.raises(nio.FormatError, match=r"not readable as WIOD_SEA\.mat"):
            read_accounts(file)


def test_writing_through_a_link_and_to_what_is_no_file(tmp_path: Path) -> None:
    import os

    (tmp_path / "link.nc").symlink_to(tmp_path / "real.nc")
    nio.write_table(random_table(0), tmp_path / "link.nc")
    assert (tmp_path / "link.nc").is_symlink()
    assert nio.read_table(tmp_path / "real.nc").n == 12
    os.mkfifo(tmp_path / "pipe.nc")
    with pytest.raises(nio.StorageError, match="is no ordinary file"):
        nio.write_table(random_table(0), tmp_path / "pipe.nc")


def test_writing_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(nio.StorageError, match="could not be written"):
        nio.write_table(random_table(0), tmp_path / "nowhere" / "t.nc")
    with pytest.raises(nio.StorageError, match="is a folder"):
        nio.write_table(random_table(0), tmp_path)


def test_a_workbook_is_a_zip_and_a_zip_is_no_workbook(tmp_path: Path) -> None:
    file = tmp_path / "wiot99_row.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(nio.FormatError, match="not a readable workbook"):
        nio.read_wiod(file)
    shutil.rmtree(tmp_path)


def test_frames_keep_the_name_they_are_given() -> None:
    sectors = ["farms", "plants"]
    Z = pd.DataFrame([[150.0, 500.0], [200.0, 100.0]], index=sectors, columns=sectors)
    table = nio.from_frames(Z, pd.DataFrame({"final": [350.0, 1700.0]}, index=sectors), name="textbook")
    assert table.name == "textbook"
