from pathlib import Path

import numpy as np
import pytest
from conftest import require_wiod

import nearshore_io as nio
from nearshore_io.bundled import sources

RECIPES = Path(__file__).parents[1] / "calibration"


def test_the_recipe_rebuilds_the_shipped_table(bundled: nio.IOTable, tmp_path: Path) -> None:
    found = nio.calibrate(RECIPES / "north-america-2011.toml", require_wiod().parent, work=tmp_path)
    assert found.table.sha256 == bundled.sha256 == sources()[bundled.name]["sha256"]


@pytest.mark.slow
def test_the_recipe_rebuilds_the_estimate_to_the_last_decimal(estimated: nio.IOTable, tmp_path: Path) -> None:
    """Another processor may round the third decimal of a cell, thousand dollars, the other way."""
    found = nio.calibrate(RECIPES / "north-america-2022.toml", require_wiod().parent, work=tmp_path).table
    np.testing.assert_allclose(found.Z, estimated.Z, rtol=1e-7, atol=0.0021)
    np.testing.assert_allclose(found.y, estimated.y, rtol=1e-7, atol=0.0021)
    np.testing.assert_allclose(found.F.values, estimated.F.values, rtol=1e-6, atol=1e-5)
    assert found.meta["estimate_band"] == dict(estimated.meta["estimate_band"])


def test_the_shipped_table_says_where_it_comes_from(bundled: nio.IOTable) -> None:
    assert nio.list_tables() == ["north-america-2011", "north-america-2022"]
    assert bundled.regions == ("USA", "MEX", "CAN", "BRA", "CHN", "JPN", "KOR", "TWN", "IND", "EU27", "OTH")
    assert len(bundled.sectors) == 35
    assert bundled.meta["licence"] == "CC BY 4.0"
    assert "Timmer" in bundled.meta["citation"]
    assert bundled.Y["sector_name"].sel(sector="c14").item() == "Electrical and optical equipment"


def test_estimated_income_is_published_income_where_there_is_one(bundled: nio.IOTable) -> None:
    income, paid = (bundled.F.sel(stressor=name) for name in ("labour_income", "compensation"))
    np.testing.assert_allclose(income.sel(region="EU27"), paid.sel(region="EU27"), rtol=1e-9)
    assert paid.sel(region=["USA", "MEX"]).isnull().all()
    share = (income.sum("sector") / bundled.v.sel(input="value_added").sum("sector")).sel(region=["USA", "MEX"])
    assert 0.5 < float(share.sel(region="USA")) < 0.62
    assert 0.25 < float(share.sel(region="MEX")) < 0.40


def test_names_of_tables_are_taught() -> None:
    with pytest.raises(nio.LabelError, match="Nearest: north-america-20"):
        nio.load_table("north-america-2012")


def test_a_recipe_without_its_raw_files(tmp_path: Path) -> None:
    with pytest.raises(nio.StorageError, match=r"step 1 \(read\) .*no .*wiot_2011\.RData"):
        nio.calibrate(RECIPES / "north-america-2011.toml", tmp_path, work=tmp_path)
