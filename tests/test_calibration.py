"""Targets, splits, projections and recipes, held to laws of accounting and to second routes."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from conftest import require_wiod
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import LinearConstraint, minimize

import nearshore_io as nio
from nearshore_io.calibration import calibrate, read_recipe
from nearshore_io.calibration.labour import shared
from nearshore_io.calibration.national import RegionAccounts, closed
from nearshore_io.calibration.trade import Known, estimate
from nearshore_io.cli import main
from nearshore_io.table import IOTable

ROOT = Path(__file__).parents[1]
EXPORTS = {"c3": 0.2, "c4": 0.6, "c13": 0.9, "c14": 0.95, "c15": 0.8}


def balanced(table: IOTable) -> float:
    """Return the largest difference of an industry's sales and inputs, relative to the largest output."""
    gap = table.x.values.ravel() - table.Z.sum(axis=0) - np.sum(list(table.inputs.values()), axis=0)
    return float(np.abs(gap).max() / np.abs(table.x.values).max())


# Targets ---------------------------------------------------------------------------------------------------------


def measured(table: IOTable) -> dict[str, float]:
    """Return quantities targets may be about, by plain sums over labelled arrays."""
    others = [region for region in table.regions if region != "MEX"]
    cars = table.flows("MEX", "c15", others).sum() + table.Y.sel(region="MEX", sector="c15", final_region=others).sum()
    bought = table.flows(others, None, "MEX").sum() + table.Y.sel(region=others, final_region="MEX").sum()
    inputs = table.flows(None, None, "MEX", "c14")
    return {
        "flows": float(table.flows("MEX", "c14", "USA").sum()),
        "final_demand": float(table.Y.sel(region="USA", final_region="MEX", category="HFCE").sum()),
        "exports": float(cars),
        "imports": float(bought),
        "output": float(table.x.sel(region="MEX", sector="c13")),
        "gdp": float(table.v.sel(region="CAN").sum() + table.final_inputs.sel(final_region="CAN").sum()),
        "national_content": 1 - float(inputs.sel(region=others).sum() / table.x.sel(region="MEX", sector="c14")),
    }


WHERE: dict[str, dict[str, str]] = {
    "flows": {"region": "MEX", "sector": "c14", "to_region": "USA"},
    "final_demand": {"region": "USA", "to_region": "MEX", "category": "HFCE"},
    "exports": {"region": "MEX", "sector": "c15"},
    "imports": {"to_region": "MEX"},
    "output": {"region": "MEX", "sector": "c13"},
    "gdp": {"region": "CAN"},
    "national_content": {"region": "MEX", "sector": "c14"},
}


def goals(table: IOTable, factor: float, **facts: float) -> list[nio.Target]:
    now = measured(table)
    return [
        nio.Target(
            name,
            name,  # type: ignore[arg-type]
            now[name] + 0.05 * np.sign(factor - 1) if name == "national_content" else now[name] * factor,
            None if name == "national_content" else "million USD",
            **where,  # type: ignore[arg-type]
            **facts,
        )
        for name, where in WHERE.items()
    ]


@pytest.mark.parametrize("method", ["kras", pytest.param("least_squares", marks=pytest.mark.slow)])
def test_every_kind_of_target_is_met_by_a_table_that_balances(bundled: IOTable, method: str) -> None:
    wanted = goals(bundled, 1.1)
    found = nio.adjust(bundled, wanted, method=method)  # type: ignore[arg-type]
    now = measured(found.table)
    for target in wanted:
        assert_allclose(now[target.name], target.value, rtol=1e-5, err_msg=target.name)
    assert all(outcome.status == "hit" for outcome in found.outcomes)
    assert balanced(found.table) < 1e-8
    assert (np.sign(found.table.Z) == np.sign(bundled.Z)).all() or method == "least_squares"


def test_what_the_table_says_already_moves_nothing(bundled: IOTable) -> None:
    found = nio.adjust(bundled, goals(bundled, 1.0))
    assert_allclose(found.table.Z, bundled.Z, rtol=1e-9)
    assert found.fit.stpe < 1e-9


def test_outputs_that_are_kept_are_kept(bundled: IOTable) -> None:
    wanted = [nio.Target("a", "flows", "40 billion USD", region="MEX", sector="c14", to_region="USA")]
    found = nio.adjust(bundled, wanted, outputs="kept")
    assert_allclose(found.table.x.values, bundled.x.values, rtol=1e-6, atol=1e-3)
    assert_allclose(float(found.table.flows("MEX", "c14", "USA").sum()), 40_000, rtol=1e-6)


def test_of_two_targets_that_conflict_the_reliable_one_moves_less(bundled: IOTable) -> None:
    where = {"region": "MEX", "sector": "c15"}
    wanted = [
        nio.Target("good", "exports", "90 billion USD", reliability=0.98, **where),  # type: ignore[arg-type]
        nio.Target("poor", "exports", "60 billion USD", reliability=0.8, **where),  # type: ignore[arg-type]
    ]
    good, poor = nio.adjust(bundled, wanted).outcomes
    assert good.after == pytest.approx(poor.after)
    assert 60_000 < good.after < 90_000
    assert abs(good.deviation) < abs(poor.deviation)
    assert good.status == poor.status == "missed"
    assert "reliability" in poor.reason


def test_targets_in_other_currencies_and_prices_are_converted(bundled: IOTable) -> None:
    pesos = nio.Target("pesos", "gdp", "15.1 trillion MXN", region="MEX")
    older = nio.Target("older", "gdp", "14 trillion USD_2009", region="USA")
    found = nio.adjust(bundled, [pesos, older], exchange_rates={"MXN": 12.43}, deflator={2009: 100.0, 2011: 103.3})
    assert_allclose(float(found.table.v.sel(region="MEX").sum()), 15.1e6 / 12.43, rtol=1e-6)
    assert_allclose(float(found.table.v.sel(region="USA").sum()), 14e6 * 1.033, rtol=1e-6)


def test_what_moved_for_a_target_adds_up_to_what_it_asked_for(bundled: IOTable) -> None:
    wanted = [nio.Target("more", "flows", "40 billion USD", region="MEX", sector="c14", to_region="USA")]
    moved = nio.adjust(bundled, wanted).explain("more", top=1_000)
    inside = moved[moved["where"] == "in the target"]
    assert_allclose(inside["change"].sum(), 40_000 - float(bundled.flows("MEX", "c14", "USA").sum()), rtol=1e-6)
    assert inside["seller"].eq("MEX/c14").all()
    assert inside["buyer"].str.startswith("USA/").all()


BAD_TARGETS = {
    "unit": ({"value": "3 pesos"}, nio.UnitError, "cannot be read"),
    "currency": ({"value": "3 million MXN"}, nio.UnitError, "is in MXN, the table in million USD: convert it"),
    "no unit": ({"value": 3.0}, nio.UnitError, "has no unit"),
    "negative": ({"value": -3.0, "unit": "million USD"}, nio.UnitError, "'t' is negative"),
    "label": ({"value": "3 million USD", "sector": "c41"}, nio.LabelError, "target 't': no sector 'c41'"),
    "reliability": ({"value": "3 million USD", "reliability": 0.0}, nio.UnitError, "more than 0, and 1 at most"),
    "quantity": ({"value": "3 million USD", "quantity": "flow"}, nio.LabelError, "Nearest: flows"),
    "extra": ({"value": "3 million USD", "category": "HFCE"}, nio.LabelError, "category says nothing of flows"),
    "empty": ({"value": "3 million USD", "region": "CHN", "sector": "c35"}, nio.ConflictError, "all zero"),
}


@pytest.mark.parametrize("name", BAD_TARGETS)
def test_impossible_targets_are_taught(bundled: IOTable, name: str) -> None:
    given_, error, text = BAD_TARGETS[name]
    facts = {"quantity": "flows", "region": "MEX", "sector": "c14", "to_region": "USA"} | given_
    with pytest.raises(error, match=text):
        nio.adjust(bundled, [nio.Target("t", **facts)])  # type: ignore[arg-type]


def test_a_target_on_an_empty_block_may_be_dropped_and_is_accounted_for(bundled: IOTable) -> None:
    wanted = [
        nio.Target("empty", "output", "3 million USD", region="CHN", sector="c35"),
        nio.Target("cars", "output", "100 billion USD", region="MEX", sector="c15"),
    ]
    empty, cars = nio.adjust(bundled, wanted, empty="drop").outcomes
    assert (empty.status, cars.status) == ("dropped", "hit")
    assert "all zero" in empty.reason


def test_targets_that_contradict_each_other_are_named(bundled: IOTable) -> None:
    small = bundled.with_numbers(stressors={})
    wanted = [
        nio.Target("one", "output", "100 billion USD", region="MEX", sector="c15"),
        nio.Target("other", "output", "90 billion USD", region="MEX", sector="c15"),
    ]
    with pytest.raises(nio.ConflictError) as caught:
        nio.adjust(small, wanted, maxiter=400)
    assert set(caught.value.constraints) >= {"one", "other"}


def test_targets_are_read_from_a_long_table(tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(
        "# a remark\nname,quantity,region,sector,to_region,value,unit,year,reliability,source\n"
        "cars,exports,MEX,c15,,90,billion USD,2011,0.9,a book\nboth,flows,MEX CAN,c14 c15,USA,1,million USD,,,it\n"
    )
    cars, both = nio.read_targets(file)
    assert (cars.value, cars.unit, cars.year, cars.reliability, cars.source) == (
        90.0,
        "billion USD",
        2011,
        0.9,
        "a book",
    )
    assert (both.region, both.sector, both.reliability) == (["MEX", "CAN"], ["c14", "c15"], 1.0)


def test_a_number_sign_inside_a_cell_is_no_remark(tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_bytes(
        b"\xef\xbb\xbfname,quantity,value,unit,source,region,to_region\r\n# a remark\r\n\r\n"
        b'a, flows ,1,million USD,"table #5, page 3",MEX,USA\r\n'
    )
    (found,) = nio.read_targets(file)
    assert (found.source, found.region, found.to_region) == ("table #5, page 3", ["MEX"], ["USA"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name;quantity;value;unit;source\na;flows;1;million USD;x\n", "separated by semicolons"),
        ("name,quantity,value,unit,source\na,flows,1,million USD\n", "line 2: 4 cells, and the header has 5"),
        ("name,quantity,value,unit,unit\na,flows,1,million USD,x\n", "the columns unit stand twice"),
        ("name,quantity,value,unit,source\n# x\na,flow,1,million USD,x\n", "line 3: .*Nearest: flows"),
    ],
)
def test_files_of_targets_that_cannot_be_read_say_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(text)
    with pytest.raises((nio.FormatError, nio.LabelError), match=message):
        nio.read_targets(file)


def test_final_users_of_part_of_a_country_are_refused(estimated: IOTable) -> None:
    """MX1 and MX2 have one final user, Mexico: to count it for each would count it twice."""
    for target in (
        nio.Target("a", "gdp", "800 billion USD", region="MX1"),
        nio.Target("b", "sales", "1 billion USD", region="USA", to_region="MX2"),
    ):
        with pytest.raises(nio.LabelError, match="part of MEX only"):
            nio.adjust(estimated, [target])
    whole = nio.adjust(estimated, [nio.Target("c", "gdp", "1.5 trillion USD", region="MEX")], maxiter=2_000).table
    found = whole.v.sel(region=["MX1", "MX2"]).sum() + whole.final_inputs.sel(final_region="MEX").sum()
    assert_allclose(float(found), 1.5e6, rtol=1e-6)


def test_contradictions_are_found_before_anything_is_scaled(estimated: IOTable) -> None:
    """Three that contradict only together: the whole is not its two parts."""
    where = {"region": "USA", "sector": "C29"}
    wanted = [
        nio.Target("to Mexico", "flows", "10 billion USD", to_region="MEX", **where),  # type: ignore[arg-type]
        nio.Target("to Canada", "flows", "12 billion USD", to_region="CAN", **where),  # type: ignore[arg-type]
        nio.Target("to both", "flows", "30 billion USD", to_region=["MEX", "CAN"], **where),  # type: ignore[arg-type]
    ]
    with pytest.raises(nio.ConflictError, match="off by 8,000") as caught:
        nio.adjust(estimated, wanted)
    assert set(caught.value.constraints) == {"to Mexico", "to Canada", "to both"}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("a,flows,ten,million USD,x", "line 2: value 'ten' is no number"),
        ("a,flows,,million USD,x", "line 2: value '' is no number"),
        ("a,flows,1,million USD,x\na,flows,2,million USD,x", "two targets are called a"),
    ],
)
def test_damaged_targets_are_refused(tmp_path: Path, line: str, text: str) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(f"name,quantity,value,unit,source\n{line}\n")
    with pytest.raises(nio.FormatError, match=text):
        nio.read_targets(file)


# Splits ----------------------------------------------------------------------------------------------------------


def rejoined(table: IOTable, parts: tuple[str, ...], sector: str) -> IOTable:
    return nio.aggregate(table, sectors={code: sector if code in parts else code for code in table.sectors})


@given(st.floats(0.05, 0.95), st.sampled_from(["c14", "c3", "c30"]))
def test_a_sector_split_by_proxy_aggregates_to_its_parent(share: float, sector: str) -> None:
    table = nio.load_table("north-america-2011")
    found = nio.split_sector(table, sector, {"one": share, "two": 1 - share})
    back = rejoined(found.table, found.parts, sector)
    assert_allclose(back.Z, table.Z, rtol=1e-12, atol=1e-9)
    assert_allclose(back.y, table.y, rtol=1e-12, atol=1e-9)
    assert_allclose(back.F.values, table.F.values, rtol=1e-12)
    sold, bought = found.table.flows("MEX", "one", "USA", "c15"), table.flows("MEX", sector, "USA", "c15")
    assert_allclose(float(sold.sum()), share * float(bought.sum()), rtol=1e-12)


def test_parts_of_a_proxy_split_have_the_multipliers_of_their_parent(bundled: IOTable) -> None:
    found = nio.split_sector(bundled, "c14", {"chips": 0.2, "other": 0.8})
    before = nio.Leontief(bundled).multipliers("value_added", origin="MEX").sel(sector="c14")
    after = nio.Leontief(found.table).multipliers("value_added", origin="MEX")
    for part in found.parts:
        assert_allclose(after.sel(sector=part).values, before.values, rtol=1e-9)


def test_known_cells_hold_and_the_parent_comes_back(bundled: IOTable) -> None:
    known = [
        nio.Target("a", "flows", "300 million USD", region="CHN", sector="chips", to_region="USA", to_sector="c15"),
        nio.Target("b", "exports", "9 billion USD", region="MEX", sector="chips"),
    ]
    found = nio.split_sector(bundled, "c14", {"chips": 0.2, "other": 0.8}, known=known)
    assert_allclose(found.table.flows("CHN", "chips", "USA", "c15").item(), 300, rtol=1e-6)
    back = rejoined(found.table, found.parts, "c14")
    assert_allclose(back.Z, bundled.Z, rtol=1e-6, atol=1e-4)
    assert_allclose(back.y, bundled.y, rtol=1e-6, atol=1e-4)
    assert balanced(found.table) < 1e-9
    assert_allclose(found.table.x.sel(sector="chips"), 0.2 * bundled.x.sel(sector="c14"), rtol=1e-7)


def test_samples_of_a_split_differ_in_free_cells_only(bundled: IOTable) -> None:
    known = [nio.Target("a", "flows", "2 billion USD", region="CHN", sector="chips", to_region="USA", to_sector="c14x")]
    split = nio.split_sector(bundled, "c14", {"chips": 0.2, "c14x": 0.8}, known=known)
    first, second = split.sample(2, seed=5)
    again = next(split.sample(1, seed=5))
    assert np.array_equal(first.Z, again.Z)
    assert np.abs(first.Z - second.Z).sum() > 0.01 * first.Z.sum() * 0.1
    for draw in (first, second):
        back = rejoined(draw, split.parts, "c14")
        assert_allclose(back.Z, bundled.Z, rtol=1e-6, atol=1e-3)
        assert_allclose(draw.flows("CHN", "chips", "USA", "c14x").item(), 2_000, rtol=1e-6)
        assert_allclose(draw.x.values, split.table.x.values, rtol=1e-6, atol=1e-3)


def test_a_region_split_by_sector_aggregates_to_its_parent(bundled: IOTable) -> None:
    shares = {
        code: {"MX1": 0.3 if code == "c14" else 0.8, "MX2": 0.7 if code == "c14" else 0.2} for code in bundled.sectors
    }
    found = nio.split_region(bundled, "MEX", shares)
    back = nio.merge_regions(found.table)
    assert_allclose(back.Z, bundled.Z, rtol=1e-12, atol=1e-9)
    assert found.table.country["MX2"] == "MEX"
    assert_allclose(
        float(found.table.x.sel(region="MX2", sector="c14")), 0.7 * float(bundled.x.sel(region="MEX", sector="c14"))
    )


@pytest.mark.parametrize(
    ("into", "text"),
    [
        ({"a": 0.5, "b": 0.6}, "sum to 1.1, not to one"),
        ({"a": 1.0}, "two parts or more"),
        ({"a": -0.5, "b": 1.5}, "share ≥ 0"),
        ({"a": 0.5, "c15": 0.5}, "c15 is a sector of the table already"),
        ({"USA": {"a": 0.5, "b": 0.5}}, "'region' labels differ"),
    ],
)
def test_impossible_splits_are_taught(bundled: IOTable, into: dict[str, float], text: str) -> None:
    with pytest.raises((nio.ConcordanceError, nio.LabelError), match=text):
        nio.split_sector(bundled, "c14", into)


@pytest.mark.parametrize(("keep", "content"), [("cells", None), ("cells", 0.60), ("margins", None), ("margins", 0.45)])
def test_a_processing_split_keeps_what_it_says(bundled: IOTable, keep: str, content: float | None) -> None:
    found = nio.split_processing(bundled, exports=EXPORTS, national_content=content, keep=keep)  # type: ignore[arg-type]
    table = found.table
    assert balanced(table) < 1e-9
    assert table.Z.min() >= 0
    back = nio.merge_regions(table)
    assert_allclose(back.y, bundled.y, rtol=1e-9, atol=1e-6)
    assert_allclose(back.v.values, bundled.v.values, rtol=1e-9)
    if keep == "cells":
        assert_allclose(back.Z, bundled.Z, rtol=1e-7, atol=1e-5)
    by_product = [
        t.flows(to_region="MEX").sum(["to_region", "to_sector"]).to_series().sort_index() for t in (back, bundled)
    ]
    assert_allclose(*by_product, rtol=1e-6, atol=1e-3)  # imports by partner and product are the parent's
    recipe = [t.flows(to_region="MEX").sum("region").values.reshape(len(t.sectors), -1) for t in (back, bundled)]
    assert_allclose(*recipe, rtol=1e-6, atol=1e-3)  # and so is what each industry buys of each product
    home = ["MX1", "MX2"]
    assert float(table.flows("MX2", None, home).sum() + table.Y.sel(region="MX2", final_region="MEX").sum()) == 0
    away = [region for region in bundled.regions if region != "MEX"]
    exports = (
        bundled.flows("MEX", "c14", away).sum() + bundled.Y.sel(region="MEX", sector="c14", final_region=away).sum()
    )
    assert_allclose(float(table.x.sel(region="MX2", sector="c14")), 0.95 * float(exports), rtol=1e-9)
    imported = float(table.flows(away, None, "MX2").sum() / table.x.sel(region="MX2").sum())
    assert_allclose(1 - imported, found.national_content[1], rtol=1e-6)
    if content is not None:
        assert_allclose(1 - imported, content, rtol=1e-6)


def test_processing_raises_us_content_of_what_mexico_exports(bundled: IOTable) -> None:
    """Plants that process imports hold less of Mexico and more of its suppliers (Koopman, Wang & Wei 2012)."""
    cents = [
        float(nio.export_content(nio.Leontief(table), "MEX", "USA").sel(origin="USA"))
        for table in (
            bundled,
            nio.split_processing(bundled, exports=EXPORTS).table,
            nio.split_processing(bundled, exports=EXPORTS, national_content=0.5, keep="margins").table,
        )
    ]
    assert cents[0] < cents[1] < cents[2]


def test_a_content_that_imports_cannot_give_is_refused(bundled: IOTable) -> None:
    with pytest.raises(nio.ConflictError, match=r"30\.0% cannot be reached with what MEX imports.*keep='margins'"):
        nio.split_processing(bundled, exports=EXPORTS, national_content=0.3)
    with pytest.raises(nio.BalanceError, match="shares from 0 to 1"):
        nio.split_processing(bundled, exports={"c14": 1.2})
    with pytest.raises(nio.LabelError, match="no sector of this table"):
        nio.split_processing(bundled, exports={"C26": 0.2})


# Projection and hold-out -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_years() -> tuple[IOTable, IOTable]:
    regions = ROOT / "tables" / "concordances" / "wiod2013-to-north-america.csv"
    tables = [
        nio.aggregate(nio.read_wiod(require_wiod() / f"wiot_{year}.RData", accounts=None), regions=regions)
        for year in (2005, 2011)
    ]
    return tables[0], tables[1]


METHODS = ["ras", "gras", "mr_gras", "kras", "cross_entropy"]


def test_a_projection_has_the_margins_of_its_year(two_years: tuple[IOTable, IOTable]) -> None:
    base, truth = two_years
    found = nio.project(base, 2011, nio.margins_of(truth), method="mr_gras", totals="outputs").table
    assert_allclose(found.x.values, truth.x.values, rtol=1e-6, atol=1e-3)
    assert_allclose(found.y.sum(axis=0), truth.y.sum(axis=0), rtol=1e-6, atol=1e-3)
    sold = [t.flows("MEX", None, "USA").sum() + t.Y.sel(region="MEX", final_region="USA").sum() for t in (found, truth)]
    assert_allclose(*sold, rtol=1e-6)
    assert found.year == 2011


def test_a_table_is_its_own_projection(bundled: IOTable) -> None:
    found = nio.project(bundled, 2011, nio.margins_of(bundled), method="gras")
    assert_allclose(found.table.Z, bundled.Z, rtol=1e-9)


def test_doubled_prices_double_a_projection_at_constant_volumes(bundled: IOTable) -> None:
    prices = np.linspace(0.8, 1.6, bundled.n)
    M = np.hstack([bundled.Z, bundled.y]) * prices[:, None]
    inputs = M.sum(axis=1) - M[:, : bundled.n].sum(axis=0)
    margins = nio.Margins(M.sum(axis=1), {"value_added": inputs}, M[:, bundled.n :].sum(axis=0))
    found = nio.project(bundled, 2012, margins, price_change=prices)
    assert_allclose(found.table.Z, M[:, : bundled.n], rtol=1e-8, atol=1e-6)
    assert found.fit.stpe < 1e-8


def test_margins_that_do_not_add_up_say_by_how_much(bundled: IOTable) -> None:
    margins = nio.margins_of(bundled)
    wrong = nio.Margins(margins.output, margins.inputs, margins.final_demand * 1.01)
    with pytest.raises(nio.ConflictError, match=r"they differ by .* totals=\"outputs\""):
        nio.project(bundled, 2011, wrong)
    found = nio.project(bundled, 2011, wrong, totals="outputs")
    kept = nio.project(bundled, 2011, wrong, totals="final_demand").table
    assert_allclose(kept.y.sum(axis=0), wrong.final_demand, rtol=1e-6, atol=1e-3)
    assert balanced(kept) < 1e-8
    assert_allclose(found.table.x.values, bundled.x.values, rtol=1e-6, atol=1e-3)


def test_every_method_beats_old_coefficients_when_held_out(two_years: tuple[IOTable, IOTable]) -> None:
    errors = nio.hold_out(*two_years, METHODS)
    assert list(errors.index) == ["coefficients kept", *METHODS]
    assert (errors["coefficients"][1:] < errors["coefficients"].iloc[0]).all()
    assert errors["content_90"].idxmin() == "mr_gras"  # trade between countries tells most about content
    assert_allclose(
        errors["true"], 100 * float(nio.export_content(nio.Leontief(two_years[1]), "MEX", "USA").sel(origin="USA"))
    )


def test_the_hold_out_of_the_docs_is_the_one_that_is_computed(two_years: tuple[IOTable, IOTable]) -> None:
    page = (ROOT / "docs" / "explanation" / "calibration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w ,-]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    errors = nio.hold_out(*two_years)
    assert len(rows) == len(errors)
    for (name, *numbers), (method, found) in zip(rows, errors.iterrows(), strict=True):
        computed = found[["coefficients", "multipliers", "content", "content_90"]]
        assert_allclose([float(number) for number in numbers], computed, atol=0.0051, err_msg=f"{name}: {method}")


def test_the_errors_of_a_hold_out_are_those_of_plain_arrays(two_years: tuple[IOTable, IOTable]) -> None:
    base, truth = two_years
    errors = nio.hold_out(base, truth, ["gras"]).loc["gras"]
    keep = [name for name in truth.categories if name not in ("GFCF", "INVNT")]

    def matrix(table: IOTable) -> np.ndarray:
        merged = table.Y.sel(category=["GFCF", "INVNT"]).sum("category").expand_dims(category=["GFCF"], axis=-1)
        Y = xr.concat([table.Y.sel(category=keep), merged], "category")
        return np.hstack([table.Z, Y.values.reshape(table.n, -1)])

    M0, M1 = matrix(base), matrix(truth)
    fit = nio.balance.gras(M0, rows=M1.sum(axis=1), columns=M1.sum(axis=0), rtol=1e-9)
    x, n = M1.sum(axis=1), truth.n
    scale = np.divide(1.0, x, out=np.zeros(n), where=x != 0)
    A, A1 = fit.Z[:, :n] * scale, M1[:, :n] * scale
    assert_allclose(errors["coefficients"], 100 * (np.abs(A - A1) * x).sum() / (A1 * x).sum(), rtol=1e-6)
    v = np.where(x == 0, 0.0, 1 - A.sum(axis=0))
    mexico, usa = truth.positions("MEX"), truth.positions("USA")
    sold = np.zeros(n)
    categories = len(keep) + 1
    final = n + truth.final_regions.index("USA") * categories + np.arange(categories)
    sold[mexico] = fit.Z[np.ix_(mexico, usa)].sum(axis=1) + fit.Z[np.ix_(mexico, final)].sum(axis=1)
    made = np.linalg.solve(np.eye(n) - A, sold)
    assert_allclose(errors["content"], 100 * (v * made)[usa].sum() / sold.sum(), rtol=1e-6)


# World trade -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000))
def test_estimated_trade_meets_exports_imports_and_what_is_known(seed: int) -> None:
    generator = np.random.default_rng(seed)
    K, N = 4, 3
    truth = generator.lognormal(0, 1, (K, N, K, 2))
    truth[np.arange(K), :, np.arange(K)] = 0
    prior = truth * generator.lognormal(0, 0.5, truth.shape)
    cells = np.zeros(truth.shape, dtype=bool)
    cells[0, :, 1] = True
    exports, imports = truth.sum(axis=(2, 3)), truth.sum(axis=0).transpose(1, 0, 2)
    known = [Known("a", cells, float(truth[cells].sum()), 0.0)]
    found = estimate(prior, exports, imports, known, slack=np.zeros((K, N)), regions=list("abcd"), products=list("xyz"))
    assert_allclose(found.X.sum(axis=(2, 3)), exports, rtol=1e-5)
    assert_allclose(found.X.sum(axis=0).transpose(1, 0, 2), imports, rtol=1e-5)
    assert_allclose(found.X[cells].sum(), truth[cells].sum(), rtol=1e-5)


def test_a_closed_world_buys_what_it_sells() -> None:
    generator = np.random.default_rng(3)

    def account(size: float) -> RegionAccounts:
        Z, F = generator.uniform(1, 5, (3, 3)) * size, generator.uniform(2, 9, (3, 6)) * size
        exports, imports, other = (generator.uniform(1, 3, k) * size for k in (3, 3, 9))
        imports, other = 0.7 * imports, 0.1 * other
        output = Z.sum(axis=1) + F.sum(axis=1) + exports - imports
        v = output - Z.sum(axis=0) - 0.1 * size - other[:3]
        return RegionAccounts(
            Z, F, exports, imports, v, np.full(3, 0.1 * size), 0.5 * v, np.full(6, 0.2 * size), 0.1, other, output
        )

    regions = {"A": account(3.0), "B": account(2.0)}
    found = closed(regions, [regions["B"]], 400.0)
    parts = [*found.regions.values(), found.beyond]
    assert_allclose(sum(p.exports for p in parts), sum(p.imports for p in parts), rtol=1e-9)
    for part in parts:
        assert_allclose(part.Z.sum(axis=1) + part.F.sum(axis=1) + part.exports - part.imports, part.output, rtol=1e-6)
    for part in parts:
        assert_allclose(part.Z.sum(axis=0) + part.taxes + part.value_added, part.output, rtol=1e-6)
    assert_allclose(found.beyond.value_added.sum() + found.beyond.taxes.sum() + found.beyond.final_taxes.sum()
                    + found.beyond.export_taxes, 400.0, rtol=1e-9)  # fmt: skip


def test_totals_shared_between_lists_of_industries_are_kept() -> None:
    sectors = nio.load_table("north-america-2022").sectors
    weights = np.linspace(1, 2, len(sectors))
    found = shared({"B": 10.0, "C26": 7.0}, "wiod-2016", sectors, weights)
    assert_allclose(found.sum(), 17.0)
    assert_allclose(found[sectors.index("C26")], 7.0)
    mining = [sectors.index(code) for code in ("B05", "B06", "B07", "B08", "B09")]
    assert_allclose(found[mining], 10 * weights[mining] / weights[mining].sum())


# The estimated table ---------------------------------------------------------------------------------------------


def test_the_estimated_table_balances(estimated: IOTable) -> None:
    assert balanced(estimated) < 1e-12
    assert estimated.Z.min() >= 0
    assert estimated.check().ok


def test_gross_domestic_products_are_those_of_the_national_tables(estimated: IOTable) -> None:
    """Sums of the published tables, million USD (OECD 2025 edition; the targets the recipe is held to)."""
    targets = {
        t.region[0]: t
        for t in nio.read_targets(ROOT / "calibration" / "north-america-2022-targets.csv")
        if t.quantity == "gdp"
    }  # type: ignore[index]
    assert len(targets) == 14
    for region, target in targets.items():
        places = [r for r in estimated.regions if estimated.country[r] == region]
        gdp = float(estimated.v.sel(region=places).sum() + estimated.final_inputs.sel(final_region=region).sum())
        assert_allclose(gdp, target.value, rtol=1e-3, err_msg=region)
    published = require_wiod().parent / "oecd-iot-2022" / "MEX2022ttl.csv"
    table = pd.read_csv(published, index_col=0)
    assert_allclose(targets["MEX"].value, table.loc["VALU", "TOTAL"] + table.loc["TXS_INT_FNL", "TOTAL"], rtol=1e-9)


def test_us_imports_from_mexico_by_product_are_those_of_the_import_matrix(estimated: IOTable) -> None:
    for target in nio.read_targets(ROOT / "calibration" / "north-america-2022-targets.csv"):
        if target.quantity == "flows":
            found = float(estimated.flows("MEX", target.sector, "USA").sum())
            assert_allclose(found, target.value, rtol=0.02, err_msg=target.name)


def test_published_figures_the_recipe_did_not_use_are_near(estimated: IOTable) -> None:
    """Foreign value added and Chinese value added in Mexican exports (TiVA), goods trade of 2019 (Census)."""
    found = {item.id: item for item in nio.compare_published(nio.Leontief(estimated), years="nearest")}
    assert abs(found["B10"].difference) < 0.02
    assert abs(found["B15"].difference) < 0.01
    assert abs(found["B20"].difference) < 0.01
    assert abs(found["B09"].difference) < 0.035
    assert abs(found["B47"].difference) < 30


def test_mexico_has_two_economies_and_one_final_user(estimated: IOTable) -> None:
    assert {"MX1", "MX2"} < set(estimated.regions)
    assert "MEX" in estimated.final_regions
    home = estimated.flows("MX2", None, ["MX1", "MX2"]).sum() + estimated.Y.sel(region="MX2", final_region="MEX").sum()
    assert float(home) == 0
    jobs = estimated.F.sel(stressor="jobs")
    assert_allclose(float(jobs.sel(region="MX2").sum()), 2_310, rtol=1e-6)
    informal = estimated.F.sel(stressor="informal_jobs", region=["MX1", "MX2"]).sum()
    assert 0.5 < float(informal / jobs.sel(region=["MX1", "MX2"]).sum()) < 0.6
    skilled = sum(estimated.F.sel(stressor=f"jobs_{skill}_skilled") for skill in ("high", "medium", "low"))
    known = skilled.sel(region="USA").notnull()
    assert_allclose(skilled.sel(region="USA").where(known), jobs.sel(region="USA").where(known), rtol=1e-5)


def test_every_result_of_the_estimate_says_so_with_its_band(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    results = [
        nio.run(model, nio.load_scenario("S04")), nio.run_years(model, nio.load_scenario("S01")),
        nio.export_content(model, "MEX", "USA"), nio.decompose_exports(model, "MEX", "USA"),
        nio.tiva_indicators(model), nio.footprint(model, "jobs"), nio.exposure(model, "east_asia"),
        nio.upstreamness(model), nio.linkages(model), nio.multiplier_table(model, "value_added"),
        model.multipliers("value_added"), nio.trade_balances(model), nio.extraction(model, "MEX", "C29"),
        nio.regional_value_content(model, "MEX", "C29"), nio.exim_content(model), estimated.x,
        nio.run_totals(model.functionals({"va": model.weights("value_added", "MEX")}), nio.Scenario(
            "more", [nio.FinalDemand("MX2", "C26", "1 million USD")]
        )),
    ]  # fmt: skip
    for result in results:
        parts = [result, *(result.data_vars.values() if isinstance(result, xr.Dataset) else [])]
        for part in parts:
            if isinstance(part, xr.DataArray) and part.name in ("fact", "price_level", "threshold"):
                continue  # stated by the scenario or the rule, not by the table
            assert "estimate" in part.attrs.get("estimate", ""), f"{result.attrs}: {getattr(part, 'name', '')}"
            assert "±" in part.attrs["estimate_band"]
    published = nio.export_content(nio.Leontief(nio.load_table("north-america-2011")), "MEX", "USA")
    assert "estimate" not in published.attrs


def test_cells_have_grades_and_a_published_table_has_none(estimated: IOTable, bundled: IOTable) -> None:
    found = nio.reliability(estimated, "MEX", "goods", "USA")
    assert set(np.unique(found["grade"])) == {"B", "D"}
    assert (found["grade"].sel(sector="C26") == "D").all()
    everything = nio.reliability(estimated)
    assert set(np.unique(everything["grade"])) <= set("ABCDE")
    assert (everything["spread"] > 0).all()
    with pytest.raises(nio.LabelError, match="its cells were published"):
        nio.reliability(bundled)


def test_pay_per_job_is_within_bounds_or_named(estimated: IOTable) -> None:
    frame = nio.pay_per_job(estimated)
    outside = frame[(frame["ratio"] < 0.2) | (frame["ratio"] > 5)]
    step = next(s for s in read_recipe(ROOT / "calibration" / "north-america-2022.toml").steps if s.do == "labour")
    assert set(outside["region"] + "/" + outside["sector"]) == set(step.pay_bounds.exceptions)  # type: ignore[attr-defined]
    mean = float(frame[frame["country"] == "USA"]["pay"].sum() / frame[frame["country"] == "USA"]["jobs"].sum())
    assert_allclose(mean * 1e3, 83_490, rtol=0.01)  # 13.69 trillion USD for 164 million jobs


# Recipes ---------------------------------------------------------------------------------------------------------

SMALL = """
[table]
name = "small"
source = "made"

[exchange_rates.MXN]
rate = 12.43
source = "a book"

[[step]]
do = "read"
table = "north-america-2011"

[[step]]
do = "balance"
rests_on = "Two published totals."

[[step.target]]
name = "electronics"
quantity = "flows"
region = "MEX"
sector = "c14"
to_region = "USA"
value = "40 billion USD"
source = "a book"

[[step.target]]
name = "gdp"
quantity = "gdp"
region = "MEX"
value = "15.1 trillion MXN"
source = "a book"
"""


def recipe(tmp_path: Path, text: str = SMALL) -> Path:
    file = tmp_path / "recipe.toml"
    file.write_text(text)
    return file


def test_a_recipe_meets_its_targets_and_reports_them(tmp_path: Path) -> None:
    found = calibrate(recipe(tmp_path), work=tmp_path / "work")
    assert_allclose(float(found.table.flows("MEX", "c14", "USA").sum()), 40_000, rtol=1e-6)
    assert_allclose(float(found.table.v.sel(region="MEX").sum()), 15.1e6 / 12.43, rtol=1e-6)
    section = next(s for s in found.report.sections if s.title == "Balanced to targets")
    older = calibrate(
        recipe(tmp_path, SMALL.replace('to_region = "USA"', 'to_region = "USA"\nyear = 1950')), work=tmp_path
    )
    assert "another year than the table's, 2011: electronics (1950)" in older.report.sections[1].lines[1]
    assert [row[:2] for row in section.rows] == [("electronics", "hit"), ("gdp", "hit")]
    moved = found.explain("electronics")
    assert moved.iloc[0]["seller"] == "MEX/c14"
    for name in ("report.md", "report.html"):
        text = nio.write_calibration_report(found.report, tmp_path / name).read_text()
        assert "Two published totals." in text
        assert found.table.sha256 in text


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nearshore_io.calibration.steps.numbers import BalanceStep

    whole = calibrate(recipe(tmp_path), work=tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(BalanceStep, "apply", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            calibrate(recipe(tmp_path), work=tmp_path / "work")
    done: list[str] = []
    found = calibrate(recipe(tmp_path), work=tmp_path / "work", watch=lambda _i, _n, name: done.append(name))
    assert (found.resumed, done) == (1, ["balance"])
    assert found.table.sha256 == whole.table.sha256
    assert found.report == whole.report
    again = calibrate(recipe(tmp_path), work=tmp_path / "work")
    assert again.resumed == 2
    changed = calibrate(recipe(tmp_path, SMALL.replace("40 billion", "41 billion")), work=tmp_path / "work")
    assert changed.resumed == 1
    assert_allclose(float(changed.table.flows("MEX", "c14", "USA").sum()), 41_000, rtol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "error", "text"),
    [
        ('do = "read"', 'do = "raed"', nio.LabelError, r"no step \(number 1 of recipe.toml\) 'raed'.* Nearest: read"),
        ('table = "north', 'file = "gone.RData"\n#', nio.StorageError, r"step 1 \(read\) of recipe.toml: there is no"),
        ('do = "balance"', 'do = "balance"\nmethods = "kras"', nio.FormatError, r"step 2 \(balance\), methods"),
        (
            'source = "a book"\n\n[[step]]\ndo = "read"',
            '\n[[step]]\ndo = "read"',
            nio.FormatError,
            "MXN.source: Field required",
        ),
        ("15.1 trillion MXN", "15.1 trillion EUR", nio.UnitError, "is in EUR, the table in million USD"),
        ('sector = "c14"', 'sector = "c41"', nio.LabelError, "target 'electronics': no sector 'c41'"),
        (
            'value = "40 billion USD"',
            'valeu = "40 billion USD"',
            nio.FormatError,
            "target of step 'balance' is not one, value: Field required",
        ),
        ("[table]", "[tabel]", nio.FormatError, "is no recipe: table: Field required"),
        ('do = "read"\n', 'do = "aggregate"\nregions = "x.csv"\n#', nio.StorageError, "no concordance x.csv"),
    ],
)
def test_recipes_that_cannot_work_are_taught(
    tmp_path: Path, old: str, new: str, error: type[Exception], text: str
) -> None:
    assert old in SMALL
    with pytest.raises(error, match=text):
        calibrate(recipe(tmp_path, SMALL.replace(old, new, 1)), work=tmp_path / "work")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('table = "x"\n[[step]]\ndo = "read"\n', "table: Input should be a valid dictionary"),
        ('[table]\nname = "x"\n[step]\ndo = "read"\n', "step: Input should be a valid list"),
        ('step = ["read"]\n[table]\nname = "x"\n', "step.0: Input should be a valid dictionary"),
        ('[table]\nname = "../x"\n[[step]]\ndo = "read"\n', "name of letters, digits"),
        ('[table]\nname = "x"\nunit = "million EUR"\n[[step]]\ndo = "read"\n', "cannot say unit"),
        ('round = 3\n[table]\nname = "x"\n[[step]]\ndo = "read"\n', "round: Input should be"),
        ('[table]\nname = "x"\n[round]\ndigits = "six"\n[[step]]\ndo = "read"\n', "round.digits: Input should be"),
        ('[table]\nname = "x"\n[[step]]\ndo = "read"\ntable = "north-america-2011"\n[[step]]\ndo = "balance"\n',
         r"step 2 \(balance\) of recipe.toml: there is nothing to balance to"),
        ('[table]\nname = "x"\n[[step]]\ndo = "balance"\n', "nothing to balance to|needs a table"),
    ],
)  # fmt: skip
def test_files_that_are_no_recipe_say_why(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(nio.FormatError, match=message):
        calibrate(recipe(tmp_path, text), work=tmp_path / "work")


def test_least_squares_weighs_targets_alike_in_every_unit(bundled: IOTable) -> None:
    """A soft target moves the table by the same share whether money is in millions or in billions."""
    small = nio.aggregate(bundled, sectors={code: "s" if code != "c14" else "c14" for code in bundled.sectors})
    billions = small.with_numbers(
        Z=small.Z / 1e3, Y=small.y / 1e3, inputs={k: v / 1e3 for k, v in small.inputs.items()}, stressors={},
        meta={"unit": "billion USD", "year": 2011, "history": ()},
    )  # fmt: skip
    target = nio.Target("soft", "flows", "40 billion USD", region="MEX", sector="c14", to_region="USA", reliability=0.9)
    one, other = (
        nio.adjust(table, [target], method="least_squares").outcomes[0].after * size
        for table, size in ((small, 1.0), (billions, 1e3))
    )
    assert_allclose(one, other, rtol=1e-6)
    assert float(small.flows("MEX", "c14", "USA").sum()) < one < 40_000


def test_contents_that_conflict_settle_between(bundled: IOTable) -> None:
    where = {"region": "MEX", "sector": "c14"}
    good = nio.Target("good", "national_content", 0.52, reliability=0.95, **where)  # type: ignore[arg-type]
    poor = nio.Target("poor", "national_content", 0.58, reliability=0.7, **where)  # type: ignore[arg-type]
    found = nio.adjust(bundled, [good, poor])
    one, other = found.outcomes
    assert one.after == pytest.approx(other.after)
    assert 0.52 < one.after < 0.55
    assert balanced(found.table) < 1e-8


def test_a_table_held_out_against_itself_has_no_error(estimated: IOTable) -> None:
    errors = nio.hold_out(estimated, estimated, ["gras"])
    assert_allclose(errors.drop(columns=["content", "true"]).to_numpy(float), 0.0, atol=1e-4)


def test_what_was_said_of_cells_is_not_said_of_moved_ones(estimated: IOTable) -> None:
    moved = nio.adjust(
        estimated, [nio.Target("t", "flows", "30 billion USD", region="MEX", sector="C26", to_region="USA")]
    ).table
    assert moved.name != estimated.name
    assert "unknown" in moved.marks["estimate_band"]
    assert "then balanced to 1 targets" in moved.marks["estimate"]
    with pytest.raises(nio.LabelError, match="no grades"):
        nio.reliability(moved)


def test_final_taxes_keep_their_rates_in_a_projection(estimated: IOTable) -> None:
    margins = nio.margins_of(estimated)
    more = nio.Margins(
        margins.output * 1.1, {k: v * 1.1 for k, v in margins.inputs.items()}, margins.final_demand * 1.1
    )
    found = nio.project(estimated, 2023, more).table
    spent = estimated.Y.sum(["region", "sector"]) > 0
    rates = [t.final_inputs.isel(input=0) / t.Y.sum(["region", "sector"]) for t in (found, estimated)]
    assert_allclose(rates[0].where(spent), rates[1].where(spent), rtol=1e-9)


def test_a_projection_step_reads_margins(tmp_path: Path, bundled: IOTable) -> None:
    margins = nio.margins_of(bundled)
    grid = [(r, s) for r in bundled.regions for s in bundled.sectors]
    final = [(r, c) for r in bundled.final_regions for c in bundled.categories]
    rows = [("output", *cell, value) for cell, value in zip(grid, margins.output * 1.5, strict=True)]
    rows += [
        ("value_added", *cell, value * 1.5) for cell, value in zip(grid, margins.inputs["value_added"], strict=True)
    ]
    rows += [("final_demand", *cell, value) for cell, value in zip(final, margins.final_demand * 1.5, strict=True)]
    pd.DataFrame(rows, columns=["quantity", "region", "label", "value"]).to_csv(tmp_path / "m.csv", index=False)
    text = (
        SMALL[: SMALL.index('[[step]]\ndo = "balance"')] + '[[step]]\ndo = "project"\nyear = 2014\nmargins = "m.csv"\n'
    )
    found = calibrate(recipe(tmp_path, text), work=tmp_path / "work").table
    assert_allclose(found.x.values, 1.5 * bundled.x.values, rtol=1e-6, atol=1e-3)
    assert_allclose(found.y.sum(axis=0), 1.5 * bundled.y.sum(axis=0), rtol=1e-6, atol=1e-3)
    assert balanced(found) < 1e-8
    assert found.year == 2014
    (tmp_path / "m.csv").write_text("quantity,region,label,value\noutput,USA,c1,5\n")
    with pytest.raises(nio.FormatError, match="lacks output/USA/c2"):
        calibrate(recipe(tmp_path, text), work=tmp_path / "work")


def test_the_recipe_of_the_docs_runs_and_meets_its_targets(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "explanation" / "calibration.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    found = calibrate(recipe(tmp_path, text), work=tmp_path / "work")
    section = next(s for s in found.report.sections if s.title == "Balanced to targets")
    assert [row[1] for row in section.rows] == ["hit", "hit"]
    assert_allclose(float(found.table.flows("MEX", "c14", "USA").sum()), 40_000, rtol=1e-4)


def test_a_check_that_is_missed_stops_the_recipe(tmp_path: Path) -> None:
    with pytest.raises(nio.ConflictError, match=r"2 targets are missed .* electronics: 30,198 for 40,000"):
        calibrate(recipe(tmp_path, SMALL.replace('do = "balance"', 'do = "check"')), work=tmp_path / "work")


def test_the_quadratic_program_of_a_small_split_agrees_with_scipy() -> None:
    """One product, two industries: the program's optimum against SLSQP on the same objective."""
    start = np.array([4.0, 6.0, 3.0, 2.0])
    rows = np.array([[1.0, 1.0, 0, 0], [0, 0, 1.0, 1.0], [1.0, 0, 1.0, 0]])
    wanted = np.array([11.0, 5.0, 8.5])
    ours = nio.balance.least_squares(start[None, :], constraints=rows, values=wanted).Z[0]
    theirs = minimize(
        lambda z: ((z - start) ** 2 / start).sum(), start, method="SLSQP", bounds=[(0, None)] * 4,
        constraints=[LinearConstraint(rows, wanted, wanted)], options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert_allclose(ours, theirs.x, rtol=1e-6)


def test_the_command_line_calibrates_explains_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recipe(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["calibrate", *(str(argument) for argument in arguments), "--work", str(tmp_path / "work")])
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), " ".join(printed.out.split()), " ".join(printed.err.split())

    code, out, _ = call(file, "--out", tmp_path / "small.nc", "--report", tmp_path / "small.html")
    assert code == 0
    assert nio.read_table(tmp_path / "small.nc").sha256 in out
    assert "electronics" in (tmp_path / "small.html").read_text()
    code, out, _ = call(file, "--explain", "electronics")
    assert (code, "MEX/c14" in out) == (0, True)
    for arguments, text in (
        (
            (file, "--explain", "electronic"),
            "no target 'electronic' in the balancing steps",
        ),
        ((file, "--explain", "gdp", "--out", tmp_path / "x.nc"), "--explain writes nothing"),
        ((file, "--report", tmp_path / "small.pdf"), "a report is .html or .md"),
        ((tmp_path / "none.toml",), "there is no file"),
        ((file, "--raw", tmp_path / "nowhere"), "there is no folder"),
    ):
        code, _, error = call(*arguments)
        assert code
        assert text in error
    assert not (tmp_path / "x.nc").exists()


def test_a_damaged_copy_of_a_step_is_made_again(tmp_path: Path) -> None:
    whole = calibrate(recipe(tmp_path), work=tmp_path / "work").table
    for file in (tmp_path / "work" / "small").glob("*"):
        file.write_bytes(file.read_bytes()[:100])
    found = calibrate(recipe(tmp_path), work=tmp_path / "work")
    assert (found.resumed, found.table.sha256) == (0, whole.sha256)


def test_reports_escape_what_recipes_say(tmp_path: Path) -> None:
    text = SMALL.replace('rests_on = "Two published totals."', 'rests_on = "a <script>alert(1)</script> | b"')
    found = calibrate(recipe(tmp_path, text), work=tmp_path / "work")
    for name in ("r.md", "r.html"):
        assert "<script>" not in nio.write_calibration_report(found.report, tmp_path / name).read_text()
