"""OECD's ICIO as published: what a reading must give, by plain numpy and by the generator's own numbers."""

import csv
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nearshore_io as nio
from nearshore_io.readers.icio import Edition, editions, find_members
from nearshore_io.table import IOTable

EDITIONS = list(editions())


def dense(table: IOTable) -> np.ndarray:
    return np.asarray(table.Z.toarray() if hasattr(table.Z, "toarray") else table.Z)


def file_name(edition: Edition, year: int) -> str:
    """Return what the publisher calls the file of a year."""
    if edition.name in ("2016", "2018", "2021"):
        return f"ICIO{edition.name}_{year}.{'CSV' if edition.name == '2018' else 'csv'}"
    return f"{year}{'' if edition.extended else '_SML'}.csv"


def by_pandas(file: Path) -> pd.DataFrame:
    """Return a file as a frame, read by another library than the package's reader."""
    return pd.read_csv(file, index_col=0)


@pytest.mark.parametrize("name", EDITIONS)
def test_the_shapes_are_those_published(name: str) -> None:
    """The table of formats gives each edition's rows and columns."""
    shapes = {
        "2016": (2416, 2799), "2018": (2551, 2875), "2021": (3264, 3598), "2023-SML": (3468, 3928),
        "2023-EXT": (3648, 4108), "2025-SML": (4053, 4537), "2025-EXT": (4253, 4737),
    }  # fmt: skip
    assert editions()[name].shape == shapes[name]
    assert len(set(editions()[name].accounts)) == len(editions()[name].accounts)


@pytest.mark.parametrize("name", EDITIONS)
def test_every_edition_is_recognised_and_read(tmp_path: Path, name: str) -> None:
    edition = editions()[name]
    year = edition.years[1]
    file = tmp_path / file_name(edition, year)
    toy = nio.write_toy_icio(file, name, industries=9)
    table = nio.read_icio(file)
    assert (table.meta["edition"], table.year) == (name, year)
    kept = [i for i, account in enumerate(toy.accounts) if account not in edition.splits]
    width = len(toy.industries)
    rows = np.array([i * width + j for i in kept for j in range(width)])
    assert table.regions == tuple(toy.accounts[i] for i in kept)
    np.testing.assert_array_equal(dense(table), toy.Z[np.ix_(rows, rows)])
    np.testing.assert_array_equal(table.Y.values[..., :6].reshape(len(rows), -1), toy.Y[rows])
    np.testing.assert_allclose(table.meta["output"].values.ravel(), toy.output[rows], atol=1e-3)
    np.testing.assert_allclose(table.x.values.ravel(), toy.output[rows], rtol=1e-12, atol=1e-9)
    assert float(np.abs(table.imbalance("output")).max()) < 2e-3
    assert float(np.abs(table.imbalance("inputs")).max()) < 2e-3
    for account, country in table.country.items():
        assert country == {"MX": "MEX", "CN": "CHN"}.get(account[:2], account) or account == "CHN"
    if name == "2016":
        assert list(table.inputs) == ["value_added"]
        assert "VA+TAXSUB" in table.meta["value_added"]
        np.testing.assert_allclose(table.inputs["value_added"], (toy.value_added + toy.taxes)[rows], atol=2e-3)
        assert not table.paid_by_final_users
    else:
        np.testing.assert_allclose(table.inputs["value_added"], toy.value_added[rows], atol=1e-9)
        np.testing.assert_allclose(table.inputs["taxes_less_subsidies"], toy.taxes[rows], atol=1e-9)
        np.testing.assert_allclose(table.paid_by_final_users["taxes_less_subsidies"], toy.final_taxes, atol=1e-9)


def test_a_discrepancy_is_the_producers_own_and_no_trade(tmp_path: Path) -> None:
    """2016: DISC makes output whole, stays at home, and exports are what the file's other columns say."""
    file = tmp_path / "ICIO2016_2011.csv"
    toy = nio.write_toy_icio(file, "2016")
    table = nio.read_icio(file)
    assert table.categories[-1] == "DISC"
    total = table.Y.sel(category="DISC").sum().item()
    assert total == pytest.approx(toy.discrepancy.sum())
    own = sum(
        table.Y.sel(category="DISC", region=region, final_region=table.country[region]).sum().item()
        for region in table.regions
    )
    assert own == pytest.approx(total)
    frame = by_pandas(file)
    sold = frame.loc[
        frame.index.str.startswith("USA_"),
        [c for c in frame.columns if not (c.startswith("USA_") or c.endswith("_USA") or c == "DISC")],
    ]
    content = nio.export_content(nio.Leontief(table), "USA")
    assert content.attrs["exports"] == pytest.approx(float(sold.sum().sum()), rel=1e-12)


def test_content_through_the_two_mexicos_by_plain_numpy(tmp_path: Path) -> None:
    """v (I − A)⁻¹ e from the file itself: Mexico's exports leave both accounts, and flows between them are domestic."""
    file = tmp_path / "2022.csv"
    nio.write_toy_icio(file, "2025-EXT", industries=8, seed=3)
    frame = by_pandas(file)
    labels = [row for row in frame.index if "_" in row and not row.startswith(("MEX_", "CHN_"))]
    Z = frame.loc[labels, labels].to_numpy()
    x = frame.loc[labels, "OUT"].to_numpy()
    scale = np.where(x > 0, 1.0 / np.where(x > 0, x, 1.0), 0.0)
    v = frame.loc["VA", labels].to_numpy(dtype=float) * scale
    mexican = np.array([label.startswith(("MX1_", "MX2_")) for label in labels])
    american = np.array([label.startswith("USA_") for label in labels])
    final = [column for column in frame.columns if column.startswith("USA_") and column not in labels]
    e = np.where(mexican, Z[:, american].sum(axis=1) + frame.loc[labels, final].sum(axis=1).to_numpy(), 0.0)
    inverse = np.linalg.inv(np.eye(len(x)) - Z * scale)
    content = nio.export_content(nio.Leontief(nio.read_icio(file)), "MEX", "USA")
    found = content.to_series()
    for country, member in (("USA", american), ("MEX", mexican)):
        assert found[country] == pytest.approx(float((v * (inverse @ e))[member].sum() / e.sum()), rel=1e-5)
    assert content.attrs["exports"] == pytest.approx(float(e.sum()), rel=1e-12)
    assert float(content.sum()) == pytest.approx(1.0, abs=1e-5)


def test_collapsing_mexico_before_solving_biases_its_content(tmp_path: Path) -> None:
    """Merged after solving, results are the split table's; merged before, content is another number."""
    file = tmp_path / "2022.csv"
    nio.write_toy_icio(file, "2025-EXT", industries=8, seed=1)
    table = nio.read_icio(file)
    merged = nio.merge_regions(table)
    assert merged.regions == ("USA", "CAN", "SAU", "ROW", "MEX", "CHN")
    assert float(merged.x.sel(region="MEX").sum()) == pytest.approx(float(table.x.sel(region=["MX1", "MX2"]).sum()))
    assert merged.paid_by_final_users.keys() == table.paid_by_final_users.keys()
    right = nio.export_content(nio.Leontief(table), "MEX", "USA").to_series()
    biased = nio.export_content(nio.Leontief(merged), "MEX", "USA").to_series()
    assert abs(right["USA"] - biased["USA"]) > 1e-4
    assert right.sum() == pytest.approx(biased.sum(), abs=1e-6)
    shock = nio.Scenario("plant", [nio.FinalDemand(region="MX2", sector="C27", amount="1 million USD")])
    impact = nio.run(nio.Leontief(table), shock)
    after = nio.merge_regions(impact)
    mexico = impact.output.sel(region=["MX1", "MX2"]).sum("region")
    np.testing.assert_allclose(after.output.sel(region="MEX").values, mexico.values, rtol=1e-14)
    assert after.output.attrs["units"] == "million USD"
    assert list(after.output.dims) == list(impact.output.dims)
    with pytest.raises(nio.LabelError, match="that of a country is no sum"):
        nio.merge_regions(nio.Leontief(table).multipliers("value_added"))


def test_rows_and_columns_are_matched_by_label(tmp_path: Path) -> None:
    """A file with its rows and its columns in another order is the same table."""
    file = tmp_path / "2022.csv"
    nio.write_toy_icio(file, "2025-EXT", seed=2)
    first = nio.read_icio(file)
    frame = by_pandas(file)
    industries = [label for label in frame.index if "_" in label]
    rng = np.random.default_rng(0)
    shuffled = [*rng.permutation(industries), "OUT", "TLS", "VA"]
    final = [c for c in frame.columns if c not in industries]
    other = tmp_path / "other"
    other.mkdir()
    frame.loc[shuffled, [*industries, *rng.permutation(final)]].to_csv(other / "2022.csv")
    second = nio.read_icio(other / "2022.csv")
    assert second.regions == first.regions
    np.testing.assert_array_equal(dense(second), dense(first))
    aligned = second.Y.sel(final_region=list(first.final_regions), category=list(first.categories))
    np.testing.assert_array_equal(aligned.values, first.Y.values)


@pytest.mark.parametrize("written", ["bom", "crlf", "semicolons", "tabs", "quoted", "named corner", "blank line"])
def test_what_is_certain_is_read_right(tmp_path: Path, written: str) -> None:
    file = tmp_path / "2022.csv"
    nio.write_toy_icio(file, "2025-EXT")
    expected = nio.read_icio(file)
    text = file.read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    if written == "bom":
        file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    elif written == "crlf":
        file.write_bytes(text.replace("\n", "\r\n").encode())
    elif written in ("semicolons", "tabs"):
        file.write_text(text.replace(",", ";" if written == "semicolons" else "\t"), encoding="utf-8")
    elif written == "quoted":
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
    elif written == "named corner":
        file.write_text(text.replace("V1,", "industries and so on,", 1), encoding="utf-8")
    else:
        file.write_text(text + "\n\n", encoding="utf-8")
    found = nio.read_icio(file)
    assert found.sha256 == expected.sha256
    if written in ("bom", "crlf", "semicolons", "quoted"):
        assert found.meta["oddities"] != expected.meta["oddities"]


def test_archives_and_folders(tmp_path: Path) -> None:
    """A zip of several years, a zip of that zip, and a folder of files lead to the table of the year asked for."""
    sums = {}
    folder = tmp_path / "files"
    folder.mkdir()
    for year in (2020, 2021):
        nio.write_toy_icio(folder / f"{year}.csv", "2025-EXT", seed=year)
        sums[year] = nio.read_icio(folder / f"{year}.csv").sha256
    inner = tmp_path / "2016-2022_EXT.zip"
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for year in sums:
            archive.write(folder / f"{year}.csv", f"EXT/{year}.csv")
        archive.writestr("ReadMe.txt", "hello")
        archive.writestr("__MACOSX/._2021.csv", "no table")
    outer = tmp_path / "all.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, inner.name)
    for place in (inner, outer, folder):
        assert [member.year for member in find_members(place)] == [2020, 2021]
        for year, checksum in sums.items():
            assert nio.read_icio(place, year).sha256 == checksum
        with pytest.raises(nio.StorageError, match=r"holds 2 tables .*give year=, one of 2020, 2021"):
            nio.read_icio(place)
        with pytest.raises(nio.StorageError, match="holds no table of 1999; years: 2020, 2021"):
            nio.read_icio(place, 1999)


def test_small_and_extended_side_by_side(tmp_path: Path) -> None:
    """Two tables of one year in a folder are two candidates until the edition is said; labels decide in the end."""
    nio.write_toy_icio(tmp_path / "2022.csv", "2025-EXT")
    nio.write_toy_icio(tmp_path / "2022_SML.csv", "2025-SML")
    with pytest.raises(nio.StorageError, match=r"holds 2 tables \(2022.csv, 2022_SML.csv\): name the file itself"):
        nio.read_icio(tmp_path, 2022)
    assert "MX2" not in nio.read_icio(tmp_path, 2022, edition="2025-SML").regions
    (tmp_path / "2022_SML.csv").rename(tmp_path / "misnamed_2022.csv")
    assert nio.read_icio(tmp_path / "misnamed_2022.csv").meta["edition"] == "2025-SML"


def test_the_year_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mexico.csv"
    nio.write_toy_icio(file, "2025-EXT")
    assert nio.read_icio(file).year is None
    assert "give year=" in nio.read_icio(file).meta["oddities"][-1]
    assert nio.read_icio(file, 2019).year == 2019
    file.rename(tmp_path / "ICIO2021_2018.csv")
    assert nio.read_icio(tmp_path / "ICIO2021_2018.csv").year == 2018
    with pytest.raises(nio.StorageError, match="is the table of 2018, not of 2019"):
        nio.read_icio(tmp_path / "ICIO2021_2018.csv", 2019)


def edited(file: Path, change: object) -> pd.DataFrame:
    """Rewrite a file after changing its frame."""
    frame = by_pandas(file)
    frame = change(frame)  # type: ignore[operator]
    frame.to_csv(file)
    return frame


def test_a_country_without_rows_of_its_own(tmp_path: Path) -> None:
    """2025 EXT may lack CHN altogether: its parts and its final demand are there."""
    file = tmp_path / "2022.csv"
    nio.write_toy_icio(file, "2025-EXT")
    expected = nio.read_icio(file)
    industries = [f"CHN_{code}" for code in expected.sectors]
    edited(file, lambda frame: frame.drop(index=industries, columns=industries))
    table = nio.read_icio(file)
    assert table.sha256 == expected.sha256
    assert "CHN has no rows of its own, only its parts" in table.meta["oddities"]


def test_numbers_of_a_split_country_itself_are_not_lost(tmp_path: Path) -> None:
    """Taxes booked under MEX beside MX1 and MX2 keep MEX as a region, an odd one, and every sum is the file's."""
    file = tmp_path / "2022.csv"
    nio.write_toy_icio(file, "2025-EXT")

    def tax(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc["TLS", "MEX_C26"] = 7.5
        frame.loc["OUT", "MEX_C26"] = 7.5
        return frame

    frame = edited(file, tax)
    table = nio.read_icio(file)
    assert table.country["MEX"] == table.country["MX2"] == "MEX"
    assert "MEX has numbers of its own beside its parts" in "; ".join(table.meta["oddities"])
    industries = [label for label in frame.index if "_" in label]
    assert table.inputs["taxes_less_subsidies"].sum() == pytest.approx(frame.loc["TLS", industries].sum())
    assert "CHN" not in table.regions
    assert table.check()["primary inputs without output"].count == 1


def test_a_table_in_the_layout_but_of_no_edition(tmp_path: Path) -> None:
    """Three made-up sectors and two uses, no bottom rows, no totals, as some packages' samples have them."""
    regions = ["ESP", "MEX", "USA", "CHN", "MX1", "MX2", "CN1", "CN2"]
    labels = [f"{r}_{s}" for r in regions for s in ("01T09", "10T39", "41T98")]
    final = [f"{r}_{use}" for r in regions[:4] for use in ("CONS", "INVST")]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(1, 99, (24, 32)).astype(float), index=labels, columns=[*labels, *final])
    for parent in ("MEX", "CHN"):
        own = [label for label in labels if label.startswith(parent)]
        frame.loc[own, :] = 0.0
        frame[own] = 0.0
    frame[final] *= 40
    frame.loc[[label for label in labels if label[:3] in ("MEX", "CHN")], :] = 0.0
    frame.to_csv(tmp_path / "sample_2022.csv")
    table = nio.read_icio(tmp_path / "sample_2022.csv")
    assert table.categories == ("CONS", "INVST")
    assert table.regions == ("ESP", "USA", "MX1", "MX2", "CN1", "CN2")
    kept = [label for label in labels if label[:3] not in ("MEX", "CHN")]
    np.testing.assert_array_equal(dense(table), frame.loc[kept, kept].to_numpy())
    residual = frame.loc[kept].sum(axis=1) - frame[kept].sum(axis=0)
    np.testing.assert_allclose(table.inputs["value_added"], residual.to_numpy())
    assert "column residual" in table.meta["value_added"]
    assert table.meta["edition"] == "unknown"


def test_taxes_by_country_are_summed_and_what_crosses_borders_is_said(tmp_path: Path) -> None:
    file = tmp_path / "ICIO2018_2010.CSV"
    nio.write_toy_icio(file, "2018")

    def abroad(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc["CAN_TAXSUB", "USA_24"] += 2.0
        frame.loc["VALU", "USA_24"] -= 2.0
        return frame

    codes = nio.read_icio(file).sectors
    if "24" not in codes:
        nio.write_toy_icio(file, "2018", industries=["01T03", "24", "97T98"])
    edited(file, abroad)
    table = nio.read_icio(file)
    frame = by_pandas(file)
    column = frame.loc[[row for row in frame.index if row.endswith("_TAXSUB")], "USA_24"].sum()
    at = table.positions("USA", "24")[0]
    assert table.inputs["taxes_less_subsidies"][at] == pytest.approx(column)
    assert "1 cells, 2 million USD, are levied by another country" in "; ".join(table.meta["oddities"])


def test_the_generator_is_seeded_and_sound(tmp_path: Path) -> None:
    """Same seed, same file; and the toy economy is one a model can be solved on."""
    for name in ("a_2022.csv", "b_2022.csv"):
        nio.write_toy_icio(tmp_path / name, "2023-EXT", seed=5)
    assert (tmp_path / "a_2022.csv").read_bytes() == (tmp_path / "b_2022.csv").read_bytes()
    table = nio.read_icio(tmp_path / "a_2022.csv")
    assert table.check().ok
    assert (table.inputs["value_added"] >= 0).all()
    with pytest.raises(nio.LabelError, match="edition 2016 has no region ATLANTIS"):
        nio.write_toy_icio(tmp_path / "c.csv", "2016", regions=["USA", "ATLANTIS"])
