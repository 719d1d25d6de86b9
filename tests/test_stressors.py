"""Satellites on a table's own regions and industries: sums are kept, and what nobody published is unknown."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pytest
from conftest import require_wiod

import nearshore_io as nio
from nearshore_io.classifications import HUB, divisions, industry_lists, industry_names, links, list_of


@pytest.fixture
def table(tmp_path: Path) -> nio.IOTable:
    """Return a toy of the 2025 edition with all its industries."""
    nio.write_toy_icio(tmp_path / "2022.csv", "2025-EXT", industries=50)
    return nio.read_icio(tmp_path / "2022.csv")


@pytest.mark.parametrize("name", industry_lists())
def test_every_list_covers_all_of_isic(name: str) -> None:
    """Nothing of the economy is outside a list, so that no jobs get lost between two of them."""
    reached = {part for parts in divisions(name).values() for part in parts}
    assert reached == set(divisions(HUB))
    assert set(industry_names(name)) == set(divisions(name))


@pytest.mark.parametrize("source", industry_lists())
def test_links_go_both_ways(source: str) -> None:
    for target in ("icio-2025", "wiod-2013", "bea-summary"):
        there, back = links(source, target), links(target, source)
        assert all(code in back[other] for code, others in there.items() for other in others)
        assert all(there.values())


def test_lists_are_found_by_their_codes() -> None:
    assert list_of(["C24A", "T"]) == "icio-2025"
    assert list_of(["A01_02", "J61"]) == "icio-2023"
    assert list_of(["c1", "c35"]) == "wiod-2013"
    assert links("icio-2025", "wiod-2013")["C26"] == ("c14",)
    assert links("wiod-2013", "icio-2025")["c14"] == ("C26", "C27")
    with pytest.raises(nio.ConcordanceError, match="belong to none of the known lists"):
        list_of(["C26", "widgets"])


def long(rows: list[tuple[str, str, str, object]], file: Path, **more: object) -> Path:
    frame = pd.DataFrame(rows, columns=["region", "sector", "stressor", "value"])
    frame.assign(**{"unit": "thousand persons", "source": "a survey", **more}).to_csv(file, index=False)  # type: ignore[arg-type]
    return file


def test_the_tables_own_industries(table: nio.IOTable, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = {
        (r, s): round(float(v), 3) for r in table.regions for s, v in zip(table.sectors, rng.random(50), strict=True)
    }
    file = long([(r, s, "jobs", v) for (r, s), v in given.items()], tmp_path / "jobs.csv", year=2022)
    found = nio.read_stressors(file, table)
    values, unit = found.stressors["jobs"]
    assert unit == "thousand persons"
    np.testing.assert_array_equal(values, list(given.values()))
    assert "jobs from jobs.csv (a survey)" in found.meta["history"][-1]
    parquet = tmp_path / "jobs.parquet"
    polars.read_csv(file).write_parquet(parquet)
    np.testing.assert_array_equal(nio.read_stressors(parquet, table).stressors["jobs"][0], values)


def test_a_countrys_jobs_are_split_over_its_two_economies(table: nio.IOTable, tmp_path: Path) -> None:
    """By output, by a stressor, or by given shares: each sector's sum is the country's, and history says how."""
    file = long([("MEX", s, "jobs", 100.0 + i) for i, s in enumerate(table.sectors)], tmp_path / "jobs.csv")
    x = table.x.sel(region=["MX1", "MX2"]).values
    shares = {
        "output": x / x.sum(axis=0),
        "value_added": table.v.sel(input="value_added", region=["MX1", "MX2"]).values,
    }
    shares["value_added"] = shares["value_added"] / shares["value_added"].sum(axis=0)
    for key, share in shares.items():
        found = nio.read_stressors(file, table, split=key)
        jobs = found.F.sel(stressor="jobs")
        np.testing.assert_allclose(jobs.sel(region=["MX1", "MX2"]).values, share * (100.0 + np.arange(50)), rtol=1e-12)
        assert jobs.sel(region="USA").isnull().all()
        assert f"MEX shared over MX1, MX2 by {key}" in found.meta["history"][-1]
    given = nio.read_stressors(file, table, split={"MX1": 0.75, "MX2": 0.25}).F.sel(stressor="jobs")
    np.testing.assert_allclose(given.sel(region="MX2").values, 0.25 * (100.0 + np.arange(50)))
    with pytest.raises(nio.ConcordanceError, match="sum to one, not to 0.9"):
        nio.read_stressors(file, table, split={"MX1": 0.65, "MX2": 0.25})
    with pytest.raises(nio.LabelError, match="no key to split by 'outputs'. Nearest: output"):
        nio.read_stressors(file, table, split="outputs")


@pytest.mark.parametrize(
    "source", ["wiod-2013", "icio-2016", "icio-2018", "icio-2023", "bea-summary", "isic4-sections"]
)
def test_other_lists_keep_every_sum(table: nio.IOTable, tmp_path: Path, source: str) -> None:
    """A country's jobs in another list of industries add up to the same, and each goes only where a division is shared."""
    codes = list(divisions(source))
    values = np.round(np.random.default_rng(1).random(len(codes)) * 100, 3)
    file = long([("USA", code, "jobs", v) for code, v in zip(codes, values, strict=True)], tmp_path / "jobs.csv")
    found = nio.read_stressors(file, table, industries=source)
    jobs = found.F.sel(stressor="jobs", region="USA")
    assert float(jobs.sum(skipna=False)) == pytest.approx(values.sum(), rel=1e-12)
    one = pd.Series(0.0, index=codes)
    one[codes[7]] = 10.0
    file = long([("USA", code, "jobs", v) for code, v in one.items()], tmp_path / "one.csv")
    alone = nio.read_stressors(file, table, industries=source).F.sel(stressor="jobs", region="USA")
    reached = set(alone["sector"].values[alone.values > 0])
    assert reached <= set(links(source, "icio-2025")[codes[7]])
    assert float(alone.sum()) == pytest.approx(10.0)


def test_an_industry_that_is_covered_in_part_is_unknown(table: nio.IOTable, tmp_path: Path) -> None:
    """G is trade, 45 to 47: without 46 it has no number; c14 holds C26 and C27, shared by output."""
    rows = [("USA", "45", "jobs", 1.0), ("USA", "47", "jobs", 2.0), ("USA", "85", "jobs", 3.0)]
    found = nio.read_stressors(long(rows, tmp_path / "a.csv"), table, industries="isic4").F.sel(stressor="jobs")
    assert np.isnan(found.sel(region="USA", sector="G"))
    assert found.sel(region="USA", sector="P").item() == 3.0
    rows = [("USA", "c14", "jobs", 8.0)]
    found = nio.read_stressors(long(rows, tmp_path / "b.csv"), table, industries="wiod-2013").F.sel(stressor="jobs")
    x = table.x.sel(region="USA", sector=["C26", "C27"]).values
    np.testing.assert_allclose(found.sel(region="USA", sector=["C26", "C27"]).values, 8.0 * x / x.sum())


def test_real_jobs_on_another_list(tmp_path: Path) -> None:
    """WIOD's 2011 jobs of Mexico and the USA, written in long form, on a toy of the 2025 edition: 51.4 and 142 million."""
    world = nio.read_wiod(require_wiod(), 2011)
    jobs = world.F.sel(stressor="jobs", region=["MEX", "USA"])
    frame = jobs.to_series().rename("value").reset_index().rename(columns={"region": "country"})
    frame.assign(stressor="jobs", unit="thousand persons", year=2011, source="WIOD SEA").to_csv(
        tmp_path / "jobs.csv", index=False
    )
    nio.write_toy_icio(tmp_path / "2011.csv", "2025-EXT", industries=50)
    table = nio.read_stressors(tmp_path / "jobs.csv", nio.read_icio(tmp_path / "2011.csv"))
    found = nio.merge_regions(table).F.sel(stressor="jobs")
    for country in ("MEX", "USA"):
        assert float(found.sel(region=country).sum(skipna=False)) == pytest.approx(
            float(jobs.sel(region=country).sum())
        )
    assert float(found.sel(region="MEX").sum()) == pytest.approx(51.4e3, rel=2e-3)


def test_employment_as_oecd_publishes_it(table: nio.IOTable, tmp_path: Path) -> None:
    """EMPN and LABR over countries × industries: wide, turned, and in long form, with aggregates beside them."""
    rng = np.random.default_rng(2)
    countries = ["USA", "MEX", "CAN", "OECD"]
    codes = list(divisions("icio-2023"))
    numbers = {name: rng.random((4, 45)).round(3) for name in ("EMPN", "LABR")}
    labels = [f"{c}_{s}" for c in countries for s in codes]
    wide = pd.DataFrame({name: values.ravel() for name, values in numbers.items()}, index=labels).T
    wide.to_csv(tmp_path / "wide_2022.csv")
    wide.T.to_csv(tmp_path / "turned_2022.csv")
    long_rows = [
        (c, name, s, 2022, numbers[name][i, j], "PS" if name == "EMPN" else "USD", 3 if name == "EMPN" else 6)
        for name in numbers for i, c in enumerate(countries) for j, s in enumerate(codes)
    ]  # fmt: skip
    columns = ["REF_AREA", "MEASURE", "ACTIVITY", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE", "UNIT_MULT"]
    frame = pd.DataFrame(long_rows, columns=columns)
    total = frame.groupby(["REF_AREA", "MEASURE", "TIME_PERIOD", "UNIT_MEASURE", "UNIT_MULT"], as_index=False)[
        "OBS_VALUE"
    ].sum()
    pd.concat([frame, total.assign(ACTIVITY="_T"), frame.assign(TIME_PERIOD=2021)]).to_csv(
        tmp_path / "long.csv", index=False
    )
    found = [nio.read_stressors(tmp_path / name, table) for name in ("wide_2022.csv", "turned_2022.csv", "long.csv")]
    for one in found:
        assert one.stressors["jobs"][1] == "thousand persons"
        assert one.stressors["compensation"][1] == "million USD"
        np.testing.assert_allclose(one.F.values, found[0].F.values, rtol=1e-12)
        jobs = one.F.sel(stressor="jobs")
        assert float(jobs.sel(region="USA").sum(skipna=False)) == pytest.approx(numbers["EMPN"][0].sum())
        assert float(jobs.sel(region=["MX1", "MX2"]).sum(skipna=False)) == pytest.approx(numbers["EMPN"][1].sum())
        assert jobs.sel(region="ROW").isnull().all()
        assert "areas that the table does not have are left out: OECD" in one.meta["history"][-1]
    assert "no industry of icio-2023 are left out: _T" in found[2].meta["history"][-1]


def test_employment_as_the_ilo_publishes_it(table: nio.IOTable, tmp_path: Path) -> None:
    """ILOSTAT's columns: sexes apart and together, sections with totals; only the total of both sexes counts."""
    rng = np.random.default_rng(3)
    values = {s: round(float(v), 3) for s, v in zip(divisions("isic4-sections"), rng.random(20), strict=True)}
    rows = [
        ("MEX", "BA:1", "EMP_TEMP_SEX_ECO_NB", sex, f"ECO_ISIC4_{code}", 2022, value * share, "")
        for code, value in {**values, "TOTAL": sum(values.values()), "X": 0.1}.items()
        for sex, share in (("SEX_T", 1.0), ("SEX_M", 0.6), ("SEX_F", 0.4))
    ]
    columns = ["ref_area", "source", "indicator", "sex", "classif1", "time", "obs_value", "obs_status"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "ilo.csv", index=False)
    jobs = nio.read_stressors(tmp_path / "ilo.csv", table).F.sel(stressor="jobs")
    assert float(jobs.sel(region=["MX1", "MX2"]).sum(skipna=False)) == pytest.approx(sum(values.values()))
    manufacturing = table.select(sector="manufacturing")["sector"]
    assert float(jobs.sel(region=["MX1", "MX2"], sector=manufacturing).sum()) == pytest.approx(values["C"])
    divided = [
        (area, source, "EMP_TEMP_SEX_EC2_NB", sex, f"EC2_ISIC4_{section}{number}", year, value, "")
        for area, source, sex, year in [("USA", "s", "SEX_T", 2022)]
        for section, number, value in [("C", "24", 5.0), ("P", "85", 7.0)]
    ]
    whole = [
        ("USA", "s", "EMP_TEMP_SEX_EC2_NB", "SEX_T", f"EC2_ISIC4_A{code}", 2022, 1.0, "")
        for code in divisions("isic4-divisions")
        if code not in ("24", "85")
    ]
    pd.DataFrame([*divided, *whole], columns=columns).to_csv(tmp_path / "ec2.csv", index=False)
    found = nio.read_stressors(tmp_path / "ec2.csv", table).F.sel(stressor="jobs", region="USA")
    assert found.sel(sector="P").item() == pytest.approx(7.0)
    assert float(found.sel(sector=["C24A", "C24B"]).sum()) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("rows", "more", "error", "message"),
    [
        ([("USA", "C26", "jobs", "many")], {}, nio.FormatError, r"row 2 \(jobs of USA C26\): 'many' is no number"),
        ([("USA", "C26", "jobs", "inf")], {}, nio.FormatError, "'inf' is no finite number"),
        ([("USA", "C26", "jobs", 1), ("USA", "C26", "jobs", 1)], {}, nio.FormatError, r"row 3 \(jobs of USA C26\) stands twice"),
        ([("USA", "C26", "jobs", 1)], {"unit": ""}, nio.FormatError, "jobs has no unit: fill the column unit"),
        ([("USA", "C26", "jobs", 1), ("USA", "C27", "jobs", 1)], {"unit": ["a", "b"]}, nio.FormatError, "jobs has several units: a, b"),
        ([("US", "C26", "jobs", 1)], {}, nio.LabelError, "no region 'US' in this table, but in .*Nearest: USA"),
        ([("USA", "C26", "jobs", 1), ("USA", "C99", "jobs", 1)], {}, nio.ConcordanceError, "belong to none of the known lists"),
        ([("USA", "C26", "jobs", 1)], {"year": 2019}, nio.FormatError, "has no rows of 2022; years: 2019. Say year="),
        ([("MEX", "C26", "jobs", 1), ("MX2", "C26", "jobs", 1)], {}, nio.LabelError, "MX2 has rows, and so has the country or a region of it. Keep one"),
    ],
)  # fmt: skip
def test_files_with_faults(
    table: nio.IOTable, tmp_path: Path, rows: list[tuple[str, str, str, object]], more: dict[str, object],
    error: type[Exception], message: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=message):
        nio.read_stressors(long(rows, tmp_path / "jobs.csv", **more), table)


@pytest.mark.parametrize(
    ("code", "value", "unit", "multiplier", "name", "expected"),
    [
        ("EMPN", 1_000_000, "persons", "", "jobs", 1000.0),
        ("EMPN", 5, "PS", "3", "jobs", 5.0),
        ("EMPN", 5, "thousand persons", "", "jobs", 5.0),
        ("LABR", 2_500_000, "USD", "", "compensation", 2.5),
        ("LABR", 7, "USD", "6", "compensation", 7.0),
        ("tonnes", 5, "t", "3", "tonnes", 5000.0),
    ],
)
def test_units_and_multipliers_are_applied(
    table: nio.IOTable, tmp_path: Path, code: str, value: float, unit: str, multiplier: str, name: str, expected: float
) -> None:
    file = long([("USA", "C26", code, value)], tmp_path / "a.csv", unit=unit, unit_mult=multiplier)
    assert nio.read_stressors(file, table).F.sel(stressor=name, region="USA", sector="C26").item() == pytest.approx(
        expected
    )


def test_a_unit_nobody_can_convert_is_refused(table: nio.IOTable, tmp_path: Path) -> None:
    file = long([("USA", "C26", "LABR", 5.0)], tmp_path / "a.csv", unit="million MXN")
    with pytest.raises(nio.FormatError, match="LABR is in 'million MXN', which is not million USD: convert it before"):
        nio.read_stressors(file, table)


def test_two_codes_of_one_stressor_are_one(table: nio.IOTable, tmp_path: Path) -> None:
    rows = [("USA", "C26", "EMPN", 1.0), ("MX1", "C26", "EMP_TEMP_SEX_ECO_NB", 2.0)]
    jobs = nio.read_stressors(long(rows, tmp_path / "a.csv"), table).F.sel(stressor="jobs", sector="C26")
    assert jobs.sel(region="USA").item() == 1.0
    assert jobs.sel(region="MX1").item() == 2.0


def test_rows_that_do_not_say_what_they_are_about(table: nio.IOTable, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "region,sector,stressor,value,unit,year\nUSA,C26,jobs,1,persons,2022\nUSA,C27,jobs,1,persons,\n"
    )
    with pytest.raises(nio.FormatError, match="a.csv, row 3: the cell of its year is empty"):
        nio.read_stressors(tmp_path / "a.csv", table)


def test_shares_for_two_countries_at_once(table: nio.IOTable, tmp_path: Path) -> None:
    file = long([("MEX", "C26", "jobs", 10.0), ("CHN", "C26", "jobs", 20.0)], tmp_path / "a.csv")
    split = {"MX1": 0.6, "MX2": 0.4, "CN1": 0.9, "CN2": 0.1}
    jobs = nio.read_stressors(file, table, split=split).F.sel(stressor="jobs", sector="C26")
    assert [jobs.sel(region=r).item() for r in split] == pytest.approx([6.0, 4.0, 18.0, 2.0])
    with pytest.raises(nio.LabelError, match="split says nothing of CN1, CN2"):
        nio.read_stressors(file, table, split={"MX1": 0.6, "MX2": 0.4})
    with pytest.raises(nio.ConcordanceError, match="share of MX1 is nan"):
        nio.read_stressors(file, table, split=split | {"MX1": float("nan")})


def test_an_empty_cell_is_unknown_and_no_zero(table: nio.IOTable, tmp_path: Path) -> None:
    file = long([("USA", "C26", "jobs", ""), ("USA", "C27", "jobs", 0.0)], tmp_path / "jobs.csv")
    found = nio.read_stressors(file, table).F.sel(stressor="jobs", region="USA")
    assert np.isnan(found.sel(sector="C26"))
    assert found.sel(sector="C27").item() == 0.0


def test_files_that_are_no_accounts(table: nio.IOTable, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("region,value\nUSA,1\n")
    with pytest.raises(nio.FormatError, match="has no column for sector, stressor: a long file has region"):
        nio.read_stressors(tmp_path / "a.csv", table)
    (tmp_path / "b.csv").write_text("")
    with pytest.raises(nio.FormatError, match="not readable as CSV or Parquet"):
        nio.read_stressors(tmp_path / "b.csv", table)
    with pytest.raises(nio.StorageError, match="there is no file"):
        nio.read_stressors(tmp_path / "c.csv", table)
