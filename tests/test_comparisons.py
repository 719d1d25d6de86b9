"""Published figures beside a table's own: our side by a second route, theirs as the file of comparisons has them."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from conftest import require_wiod

import nearshore_io as nio
from nearshore_io.readers.icio import editions

FILE = Path(__file__).parents[1] / "tables" / "published-comparisons.toml"


def test_the_world_of_2011(wiod_model: nio.Leontief) -> None:
    """WIOD in the place of TiVA: US, Chinese and non-NAFTA content of Mexican manufactures, by sector shares."""
    found = {one.id: one for one in nio.compare_published(wiod_model)}
    assert set(found) == {"B02", "B04", "B05"}
    table = wiod_model.table
    content = nio.export_content(wiod_model, "MEX", "USA", by="sector")
    sectors = table.select(sector="manufacturing")["sector"]
    sold = table.flows("MEX", sectors, "USA").sum(["region", "to_region", "to_sector"])
    sold = sold + table.Y.sel(region="MEX", sector=sectors, final_region="USA").sum("category")
    share = (content.sel(sector=sectors) * sold).sum("sector") / sold.sum()
    assert found["B02"].ours == pytest.approx(share.sel(origin="USA").item(), rel=1e-9)
    assert found["B04"].ours == pytest.approx(share.sel(origin="CHN").item(), rel=1e-9)
    outside = share.sum() - share.sel(origin=["USA", "MEX", "CAN"]).sum()
    assert found["B05"].ours == pytest.approx(outside.item(), rel=1e-9)
    assert all(abs(one.difference) < 0.06 for one in found.values())


def test_the_two_economies_of_mexico(tmp_path: Path) -> None:
    """National content of MX2 by numpy; jobs and goods that a table does not have are said to be missing."""
    file = tmp_path / "2018.csv"
    industries = list(editions()["2025-EXT"].industries)
    nio.write_toy_icio(file, "2025-EXT", industries=industries)
    table = nio.read_icio(file)
    found = {one.id: one for one in nio.compare_published(nio.Leontief(table))}
    assert set(found) == {"B10", "B20"}
    buyers = [f"MX2_{s}" for s in table.sectors if s.startswith("C")]
    import pandas as pd

    frame = pd.read_csv(file, index_col=0)
    abroad = [row for row in frame.index if "_" in row and not row.startswith(("MX1", "MX2"))]
    expected = 1.0 - frame.loc[abroad, buyers].to_numpy().sum() / frame.loc["OUT", buyers].sum()
    assert found["B20"].ours == pytest.approx(expected, rel=1e-6)
    folded = nio.export_content(nio.Leontief(table), "MEX", taxes="folded")
    assert found["B10"].ours == pytest.approx(1.0 - folded.sel(origin="MEX").item(), abs=1e-6)
    jobs = {
        one.id: one
        for one in nio.compare_published(nio.Leontief(table.with_numbers(meta={**table.meta, "year": 2022})))
    }
    assert np.isnan(jobs["B28"].ours)
    assert "the table has no jobs" in jobs["B28"].detail


def test_jobs_per_billion(wiod_model: nio.Leontief) -> None:
    """Jobs of a country in its exports per billion, against multipliers: ε L e over the country's own rows."""
    table = wiod_model.table
    told = table.with_numbers(meta={**table.meta, "year": 2013})
    one = next(c for c in nio.compare_published(nio.Leontief(told)) if c.id == "B28")
    multiplier = wiod_model.multipliers("jobs", origin="USA").sel(origin="USA").values.ravel()
    from nearshore_io.indicators import exports

    sold = exports(table, "USA", [c for c in table.countries if c != "USA"]).sum(axis=1)
    assert one.ours == pytest.approx(float(multiplier @ sold) * 1e6 / sold.sum(), rel=1e-9)


def test_every_comparison_says_what_it_is() -> None:
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8"))["comparison"]:
        assert {"id", "quantity", "kind", "values", "tolerance", "source"} <= set(entry)
        assert all(1990 < int(year) < 2030 for year in entry["values"])
    require_wiod()
