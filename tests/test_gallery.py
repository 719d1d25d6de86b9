"""The shipped scenarios: each runs, says what it rests on, and answers with its band."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import nearshore_io as nio
from nearshore_io.batch.compare import published_benchmarks
from nearshore_io.scenarios.base import PHASES

NAMES = list(nio.list_gallery())
MANUFACTURES = [f"c{number}" for number in range(3, 17)]
IDS = [f"S{number:02d}" for number in range(1, 19)]


def split_world(tmp_path: Path) -> nio.IOTable:
    """Return a made table of ICIO's layout with MX1, MX2, CN1 and CN2, jobs and pay."""
    nio.write_toy_icio(
        tmp_path / "2022.csv",
        regions=("USA", "MEX", "CAN", "CHN", "JPN", "KOR", "TWN", "IND", "ROW"),
        industries=50,
        seed=2,
    )
    table = nio.read_icio(tmp_path / "2022.csv")
    pay = 0.5 * np.maximum(table.inputs["value_added"], 0.0)
    return table.with_stressors(
        {"jobs": (pay / 20.0, "thousand persons"), "compensation": (pay, "million USD")}, "made"
    )


def test_all_eighteen_questions_are_there() -> None:
    assert set(IDS) <= set(NAMES)
    assert all(question.endswith("?") for question in nio.list_gallery().values())
    with pytest.raises(nio.LabelError, match=r"no gallery scenario 'S19'. Nearest: S1"):
        nio.load_scenario("S19")


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_unit_and_a_source(name: str) -> None:
    scenario = nio.load_scenario(name)
    assert scenario.question
    assert scenario.method
    assert scenario.limits
    for parameter in scenario.parameters:
        assert parameter.unit
        assert parameter.source


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_answers_on_the_shipped_table(model: nio.Leontief, name: str) -> None:
    """Income of the world changes by demand, or not at all where recipes and origins move at equal cost."""
    scenario = nio.load_scenario(name)
    found = nio.run(model, scenario, variants=True)
    totals = found.value_added.sum(["region", "sector"], skipna=False).isel(scenario=0)
    central = totals.sel(variant="central")
    if name in {"S07", "S08", "S13"}:
        assert_allclose(central.item(), 0.0, atol=1e-3)
    if name in {"S03", "S09"}:
        amount = 1000.0 if name == "S03" else 1700.0 * 98.1 / 127.2
        assert_allclose(central.item(), amount, rtol=1e-9)


def test_us_content_is_that_of_the_export(model: nio.Leontief) -> None:
    found = nio.run(model, nio.load_scenario("S03"), variants=True).value_added.sel(scenario="S03", phase="run")
    for variant, importer in (("central", "USA"), ("exports to all", None)):
        content = nio.export_content(model, "MEX", importer)
        for country in ("USA", "MEX", "CHN"):
            cents = found.sel(variant=variant, region=country).sum("sector").item() / 1000
            assert_allclose(cents, content.sel(origin=country).item(), rtol=1e-9)


def test_export_accounts_are_addressed_where_the_table_has_them(tmp_path: Path) -> None:
    table = split_world(tmp_path)
    model = nio.Leontief(table)
    found = nio.run(model, nio.load_scenario("S04"), effects=True).output.sel(phase="run", effect="direct").squeeze()
    assert found.sel(region="MX2", sector="C26").item() > 0
    assert found.sel(region="MX1", sector="C26").item() == 0
    assert "mexico_exporting" not in nio.run(model, nio.load_scenario("S04")).attrs["stand_ins"]
    refused = {}
    for name in NAMES:
        try:
            nio.run(model, nio.load_scenario(name))
        except nio.ShockError as error:
            refused[name] = str(error)
    assert all(name in text for name, text in refused.items())  # made recipes and caps, refused by name
    assert len(refused) <= 3, refused


def test_what_a_coarse_table_has_instead_is_said(model: nio.Leontief) -> None:
    said = nio.run(model, nio.load_scenario("S12")).attrs["stand_ins"]
    assert "c15 holds ships, aircraft and trains" in said


def test_the_fdi_phases_and_their_years(model: nio.Leontief) -> None:
    """Build and run by year add up to build once, and to u_t of the whole; productivity and the ramp by hand."""
    scenario = nio.load_scenario("S01")
    whole, years = nio.run(model, scenario), nio.run_years(model, scenario)
    build = years.value_added.sel(phase="build").sum("year").squeeze()
    assert_allclose(build.values, whole.value_added.sel(phase="build").squeeze().values, rtol=1e-12)
    run = whole.jobs.sel(phase="run", region="MEX").sum("sector").item()
    expected = [
        0.0,
        0.0,
        *(run * share / 1.01 ** (year - 2011) for year, share in ((2023, 1 / 3), (2024, 2 / 3), (2025, 1.0))),
    ]
    assert_allclose(years.jobs.sel(phase="run", region="MEX").sum("sector").values.ravel(), expected, rtol=1e-9)
    assert_allclose(years.price_level.sel(year=2025).item(), 1.02**14, rtol=1e-12)


def test_a_relocation_comes_up_by_its_shares_not_by_its_result(model: nio.Leontief) -> None:
    move = nio.Relocation("c14", "CHN", "MEX", ["USA", "MEX"], 0.8)
    timed = nio.Scenario("move", [move], timing=nio.Timing(ramp=nio.Ramp(2025, 2028)))
    years = nio.run_years(model, timed)
    half = nio.run(model, nio.Scenario("half", [nio.Relocation("c14", "CHN", "MEX", ["USA", "MEX"], 0.4)]))
    found = years.output.sel(year=2026, phase="run").squeeze()
    assert_allclose(found.values, half.output.squeeze().values, atol=1e-6)
    assert abs(2 * found.sel(region="MEX").sum() - years.output.sel(year=2028, phase="run", region="MEX").sum()) > 1.0


@pytest.mark.parametrize("name", NAMES)
def test_assumptions_run_again_to_the_same_numbers(model: nio.Leontief, name: str) -> None:
    first = nio.run(model, nio.load_scenario(name), variants=True)
    (again,) = nio.scenarios_of(first)
    second = nio.run(model, again, variants=True)
    assert second["variant"].values.tolist() == first["variant"].values.tolist()
    for variable in first.data_vars:
        assert_allclose(second[variable].values, first[variable].values, rtol=0, atol=0)
    table = nio.assumptions_of(first)
    assert {"table", "table_sha256", "closure"} <= set(table["parameter"])
    stated = table[(table["shock"] > 0)]
    assert set(stated["source"]) <= {"given", "default"}
    for number, shock in enumerate(again.shocks, start=1):
        names = {field.name for field in dataclasses.fields(shock) if getattr(shock, field.name) is not None}
        assert set(stated[stated["shock"] == number]["parameter"]) == names
    for parameter in again.parameters:
        row = table[(table["parameter"] == parameter.name) & (table["kind"] == "parameter")].iloc[0]
        assert (row["value"], row["unit"], row["source"]) == (parameter.value, parameter.unit, parameter.source)


def test_assumptions_survive_a_file(model: nio.Leontief, tmp_path: Path) -> None:
    import xarray as xr

    found = nio.run(model, nio.load_scenario("S11"))
    found.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as stored:
        (again,) = nio.scenarios_of(stored)
    assert_allclose(nio.run(model, again).output.values, found.output.values)
    assert json.loads(found.attrs["assumptions"])[0]["name"] == "S11"


def test_published_figures_stand_beside_ours(model: nio.Leontief) -> None:
    """Each of ours by hand from the results; the difference in definition stands in every row."""
    found = nio.run(model, [nio.load_scenario(name) for name in ("S01", "S02", "S03", "S11")], effects=True)
    table = nio.compare(found, against="published").set_index(["scenario", "id"]).sort_index()
    total = found.sum("effect", skipna=False)
    assert_allclose(
        table.loc[("S03", "B01"), "ours"],
        100 * nio.export_content(model, "MEX", "USA").sel(origin="USA").item(),
        rtol=1e-9,
    )
    gdp = model.table.v.sel(input="value_added", region="MEX").sum().item()
    gain = total.value_added.sel(scenario="S01", phase="run", region="MEX").sum().item()
    assert_allclose(table.loc[("S01", "B33"), "ours"], 100 * gain / gdp, rtol=1e-9)
    both = found.jobs.sel(scenario="S02", phase="run", region=["USA", "MEX"])
    ratio = both.sum().item() / both.sel(effect="direct").sum().item()
    assert_allclose(table.loc[("S02", "B38"), "ours"], ratio, rtol=1e-9)
    lost = -total.value_added.sel(scenario="S11", phase="event", region="USA").sum().item() / 9
    assert_allclose(table.loc[("S11", "B37"), "ours"], lost, rtol=1e-9)
    assert table["definition"].str.len().min() > 20
    assert nio.compare(nio.run(model, nio.Scenario("mine", [nio.Output("MEX", "c14", "1 MUSD")]))).empty
    spread = nio.compare(nio.run(model, nio.load_scenario("S03"), variants=True)).set_index("id")
    content = nio.export_content(model, "MEX", "USA", by="sector", values="money").sel(
        origin="USA", sector=MANUFACTURES
    )
    exports = nio.decompose_exports(model, "MEX", "USA", by="sector").exports.sel(sector=MANUFACTURES)
    assert_allclose(spread.loc["B03", "ours"], 100 * content.sum().item() / exports.sum().item(), rtol=1e-9)


def test_benchmarks_belong_to_scenarios() -> None:
    assert {entry["scenario"] for entry in published_benchmarks()} <= set(NAMES)


def test_losers_stand_beside_gainers(model: nio.Leontief) -> None:
    found = nio.run(model, nio.load_scenario("S04"))
    table = nio.gainers_and_losers(found, "value_added", "country", top=2)
    sums = found.value_added.sel(phase="run").groupby("country").sum().sum("sector").squeeze().to_series().sort_values()
    assert_allclose(table[table["direction"] == "loss"]["value"], sums[sums < 0].iloc[:2])
    assert_allclose(table[table["direction"] == "gain"]["value"], sums[sums > 0].iloc[::-1].iloc[:2])
    assert table["name"].tolist() == [*sums.index[::-1][:2], *sums[sums < 0].index[:2]]
    with pytest.raises(nio.LabelError, match="by must be one of"):
        nio.gainers_and_losers(found, by="planet")


def test_phases_are_the_known_ones(model: nio.Leontief) -> None:
    found = nio.run(model, [nio.load_scenario(name) for name in ("S01", "S04", "S11")])
    assert found["phase"].values.tolist() == list(PHASES)
    assert "job-years" in found["clock"].sel(phase="event").item()


def test_answers_are_those_of_the_tables_before_and_after(model: nio.Leontief) -> None:
    scenario = nio.load_scenario("S04")
    found = nio.answers(model, scenario).set_index("indicator")
    after = nio.counterfactual(model, scenario)
    for when, at in (("before", model), ("after", after)):
        passes = nio.exposure(at, "CHN", "electronics", "USA", "manufacturing")
        x = at.table.x.sel(at.table.select("USA", "manufacturing"))
        for words, name in (("face value", "face_value"), ("looked through", "look_through")):
            row = found.loc[f"USA manufacturing on CHN electronics, {words}"]
            assert_allclose(row[when], 100 * float((passes[name] * x).sum() / x.sum()), rtol=1e-12)
    assert found["after"].iloc[0] == pytest.approx(0.9 * found["before"].iloc[0], rel=0.01)
    content = nio.answers(model, nio.load_scenario("S12"))
    assert content["after"].item() == pytest.approx(90.0)  # ρ is paid out of value added, not out of content
    market = nio.answers(model, nio.load_scenario("S14")).set_index("indicator")["before"]
    table = model.table
    trade = {
        name: table.flows("MEX", None, name).sum().item() + table.Y.sel(region="MEX", final_region=name).sum().item()
        for name in table.countries
        if name != "MEX"
    }
    assert_allclose(market.iloc[0], 100 * trade["USA"] / sum(trade.values()), rtol=1e-12)
    absorbed = nio.footprint(model, "value_added").sel(origin="MEX")
    abroad = absorbed.sum() - absorbed.sel(destination="MEX")
    assert_allclose(market.iloc[1], 100 * (absorbed.sel(destination="USA") / abroad).item(), rtol=1e-9)


def test_every_corner_of_a_band_is_there() -> None:
    """Also where an end is the central value: σ = 7 at the full duty is a corner of S18-tariff."""
    names = [name for name in nio.load_scenario("S18-tariff").variants if " = " in name]
    assert names == [f"rate = {rate}, elasticity = {sigma}" for rate in ("0.05", "0.25") for sigma in ("4", "7")]


def test_bands_of_several_scenarios_are_their_own(model: nio.Leontief) -> None:
    """A scenario repeats its central values where only another has a variant, so sums and bounds are its own."""
    both = nio.run(model, [nio.load_scenario("S04"), nio.load_scenario("S14")], variants=True)
    for name in ("S04", "S14"):
        alone = nio.run(model, nio.load_scenario(name), variants=True)
        bands = [nio.band(r.value_added.sel(scenario=name, phase="run").sum("sector")) for r in (both, alone)]
        assert_allclose(bands[0].values, bands[1].values, rtol=1e-12)
    assert both["own_variant"].sel(scenario="S14", variant="fall = 0.05").item()
    assert not both["own_variant"].sel(scenario="S04", variant="fall = 0.05").item()
