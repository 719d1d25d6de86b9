from pathlib import Path

import numpy as np
import pytest
from conftest import active, random_table

import nearshore_io as nio

GALLERY = Path(__file__).parents[1] / "gallery" / "nearshoring.toml"


def run(model: nio.Leontief, *shocks: object) -> object:
    return nio.run(model, nio.Scenario("a", shocks=list(shocks)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nio.Relocation("c14", "CHN", "CHN", "USA", 0.1), "to itself"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA", 1.1), "between 0 and 1, not 1.1; ten per cent is 0.10"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA", -0.1), "between 0 and 1"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA", float("nan")), "between 0 and 1"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA", 0.1, uses=["exports"]), "uses must be"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA", 0.1, relative_cost=0.0), "must be a positive number"),
        (lambda: nio.FDI("MEX", "c14", "1 MUSD", output="1 MUSD", capital_output_ratio=1.0), "not both"),
        (lambda: nio.FDI("MEX", "c14", "1 MUSD", capital_output_ratio=-1.0), "must be a positive number"),
        (lambda: nio.FDI("MEX", "c14", "1 MUSD", profile={"c18": 0.4}), "sum to 0.4, not to one"),
        (lambda: nio.FinalDemand("MEX", "c14", "1 MUSD", direction="down"), "one of 'increase', 'decrease'"),
        (lambda: nio.FDI("MEX", "c14", "1 MUSD", profile=["c18"]), "profile must give a share for each name"),
        (
            lambda: nio.Scenario("a", [nio.FDI("MEX", "c14", "1 MUSD")], deflator={2020: True}),
            "deflator must be a price",
        ),
        (lambda: nio.FinalDemand(None, "c14", "1 MUSD"), "region must be a code"),
        (lambda: nio.FDI("MEX", None, "1 MUSD"), "sector must be a code"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", None, 0.1), "buyers must be a code"),
        (lambda: nio.Scenario("a", shocks=[nio.FDI]), "is no shock"),
        (lambda: nio.Scenario("a", shocks=[]), "it has no shocks"),
        (lambda: nio.Scenario("a", shocks=["c14"]), "c14 is no shock"),
        (lambda: nio.Scenario("", shocks=[nio.FDI("MEX", "c14", "1 MUSD")]), "needs a name"),
    ],
)
def test_impossible_shocks(build: object, message: str) -> None:
    with pytest.raises(nio.ShockError, match=message):
        build()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("shock", "error", "message"),
    [
        (nio.FDI("MEX", "c99", "1 MUSD"), nio.LabelError, r"scenario 'a', shock 1 \(fdi\), sector: no sector 'c99'"),
        (nio.FDI("MEXX", "c14", "1 MUSD"), nio.LabelError, "no region 'MEXX'"),
        (nio.FDI("MEX", "c14", 610), nio.UnitError, "FDI amount 610 has no unit"),
        (nio.FDI("MEX", "c14", "-1 MUSD"), nio.UnitError, "is negative"),
        (nio.FDI("MEX", "c14", float("nan"), unit="million USD"), nio.UnitError, "not a finite number"),
        (nio.FDI("north_america", "c14", "1 MUSD"), nio.ShockError, "is several countries"),
        (nio.FDI("MEX", "c14", "1 MUSD", profile={"c35": 1.0}), nio.ShockError, "MEX buys no c35"),
        (nio.FDI("CHN", "c19", "1 MUSD"), nio.ShockError, "CHN/c19 has no output"),
        (nio.FinalDemand("CHN", "c19", "1 MUSD"), nio.ShockError, "CHN/c19 has no output"),
        (nio.FinalDemand("MEX", "c14", "1 MUSD", category="HFC"), nio.LabelError, "no category 'HFC'.*HFCE"),
        (nio.FinalDemand("MEX", "c14", "1 MUSD", final_region="UXA"), nio.LabelError, "no final_region 'UXA'.*USA"),
        (nio.FinalDemand("MEX", "c14", "9 trillion USD", direction="decrease"), nio.ShockError, "over 100 %"),
        (nio.Relocation("c14", "east_asia", "CHN", "USA", 0.1), nio.ShockError, "CHN is origin and destination"),
        (nio.Relocation("c19", "USA", "CHN", "MEX", 0.1), nio.ShockError, "CHN/c19 has no output"),
        (nio.Relocation("c14", "CHN", "USA", "MEX", 0.9, relative_cost=50.0), nio.ShockError, "than its value added"),
        (nio.Relocation("c14", "asia", "MEX", "USA", 0.1), nio.LabelError, "no region 'asia'.*east_asia"),
        (nio.Relocation("c14", "CHN", "MEX", "XSA", 0.1), nio.LabelError, "no region 'XSA'.*USA"),
    ],
)
def test_shocks_that_do_not_fit_the_table(
    model: nio.Leontief, shock: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(model, shock)


def test_shares_of_shocks_together_may_not_exceed_all(model: nio.Leontief) -> None:
    to_mexico = nio.Relocation("c14", "CHN", "MEX", "USA", 0.6)
    to_canada = nio.Relocation("c14", "CHN", "CAN", "USA", 0.6)
    with pytest.raises(nio.ShockError, match=r"CHN/c14 from a buyer .* over 100 %"):
        run(model, to_mexico, to_canada)


def test_what_run_refuses(model: nio.Leontief) -> None:
    one = nio.Scenario("a", shocks=[nio.FDI("MEX", "c14", "1 MUSD")])
    with pytest.raises(nio.ShockError, match=r"'a|a occurs twice"):
        nio.run(model, [one, one])
    with pytest.raises(nio.ShockError, match="no scenario was given"):
        nio.run(model, [])
    with pytest.raises(nio.ShockError, match="is not a Scenario; wrap shocks"):
        nio.run(model, [nio.FDI("MEX", "c14", "1 MUSD")])  # type: ignore[list-item]


def test_phases_hold_the_labels_that_occur(model: nio.Leontief) -> None:
    build_only = nio.Scenario("plant", shocks=[nio.FDI("MEX", "c14", "610 million USD")])
    move = nio.Scenario("move", shocks=[nio.Relocation("c14", "CHN", "MEX", ["USA", "MEX"], 0.10)])
    alone = nio.run(model, build_only)
    assert alone["phase"].values.tolist() == ["build"]
    assert "plant" in alone.attrs["without_run_phase"]
    both = nio.run(model, [build_only, move])
    assert both["phase"].values.tolist() == ["build", "run"]
    assert both.output.sel(scenario="plant", phase="run").isnull().all()
    assert both.output.sel(scenario="move", phase="build").isnull().all()
    assert both["basis"].sel(scenario="plant").item().startswith("gross")
    assert both["basis"].sel(scenario="move").item().startswith("net")


def test_unknown_jobs_stay_unknown(model: nio.Leontief) -> None:
    found = run(model, nio.FinalDemand("MEX", "c14", "1 billion USD"))
    assert found.jobs.sel(region="OTH").isnull().any("sector").all()
    assert found.jobs.attrs["unknown_regions"] == "OTH"
    share = abs(found.output).sel(region="OTH").sum() / abs(found.output).sum()
    assert found.jobs.attrs["unknown_share"] == pytest.approx(share.item(), rel=0.02)


def test_a_profile_buys_where_the_host_buys(model: nio.Leontief) -> None:
    found = nio.run(
        model, nio.Scenario("a", [nio.FDI("MEX", "c14", "100 MUSD", profile={"c13": 0.75, "c18": 0.25})]), effects=True
    )
    direct = found.output.sel(scenario="a", phase="build", effect="direct")
    assert direct.sum("region").sel(sector="c13").item() == pytest.approx(75.0)
    bought = model.table.Y.sel(final_region="MEX", category="GFCF", sector="c13")
    np.testing.assert_allclose(direct.sel(sector="c13") / 75.0, bought / bought.sum())


def test_a_country_in_two_accounts_shares_a_plant_by_output() -> None:
    table = random_table(0)
    sector = active(table, "MEX")
    found = run(nio.Leontief(table), nio.FDI("MEX", sector, "10 MUSD", output="8 million USD"))
    made = found.output.sel(scenario="a", phase="run", region=["MX1", "MX2"], sector=sector)
    x = table.x.sel(region=["MX1", "MX2"], sector=sector)
    np.testing.assert_allclose(made, 8.0 * x / x.sum(), rtol=1e-10)


def test_final_users_of_a_split_country_move_only_with_all_its_regions() -> None:
    table = random_table(0)
    one, both = (nio.Relocation("s0", "CHN", "USA", buyers, 0.5).changes(table, {})["run"] for buyers in ("MX2", "MEX"))
    assert one.demand.nnz == 0
    uses = table.Y.sel(region="CHN", sector="s0", final_region="MEX").sum().item()
    assert both.demand[[table.positions("USA", "s0")[0]]].sum() == pytest.approx(0.5 * uses)


def test_final_uses_of_a_part_of_a_country_cannot_move() -> None:
    model = nio.Leontief(random_table(0))
    with pytest.raises(nio.ShockError, match="MX2 is only a part of its country"):
        run(model, nio.Relocation("s0", "CHN", "USA", "MX2", 0.5, uses="final"))


def test_purchases_that_change_their_origin_are_stated(model: nio.Leontief) -> None:
    found = run(model, nio.Relocation("c14", "CHN", "MEX", ["USA", "MEX"], 0.10))
    flows = model.table.flows("CHN", "c14", ["USA", "MEX"]).sum().item()
    final = abs(model.table.Y.sel(region="CHN", sector="c14", final_region=["USA", "MEX"])).sum().item()
    assert found["redirected"].item() == pytest.approx(0.1 * (flows + final))


def test_deflators_of_a_scenario(model: nio.Leontief) -> None:
    shock = nio.FinalDemand("MEX", "c14", "31 GUSD_2020")
    found = nio.run(model, nio.Scenario("a", shocks=[shock], deflator={2011: 100.0, 2020: 124.0}))
    assert found.value_added.sum().item() == pytest.approx(25_000.0)


def test_the_gallery_is_read_and_runs(model: nio.Leontief) -> None:
    scenarios = nio.read_scenarios(GALLERY)
    assert len(scenarios) >= 4
    found = nio.run(model, scenarios)
    build = found.value_added.sel(scenario="jalisco-electronics", phase="build").sum().item()
    assert build == pytest.approx(610.0)
    moved = found.value_added.sel(scenario="electronics-from-china", phase="run").values.ravel()
    table = model.table
    A, Y = np.array(table.A), np.array(table.Y)
    china, mexico = table.positions("CHN", "c14")[0], table.positions("MEX", "c14")[0]
    columns, uses = table.positions(region=["USA", "MEX"]), [table.final_regions.index(name) for name in ("USA", "MEX")]
    final = Y.reshape(table.n, len(table.final_regions), -1)
    for matrix, part in ((A, columns), (final, uses)):
        matrix[mexico, part] += 0.1 * matrix[china, part]
        matrix[china, part] *= 0.9
    x = np.linalg.solve(np.eye(table.n) - A, final.sum(axis=(1, 2)))
    v = 1 - np.asarray(table.A).sum(axis=0)
    np.testing.assert_allclose(moved, v * (x - table.x.values.ravel()), atol=1e-6)


GOOD = """
[[scenario]]
name = "a"
[[scenario.shock]]
kind = "fdi"
region = "MEX"
sector = "c14"
amount = "610 million USD"
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("amount", "amuont"), r"line 8: scenario\[0\]\.shock\[0\]\.amuont is not a known key: did you mean 'amount'"),
        (('name = "a"', 'nmae = "a"'), r"line 3: scenario\[0\]\.nmae is not a known key: did you mean 'name'"),
        (('"fdi"', '"fdy"'), r"line 5: scenario\[0\]\.shock\[0\]\.kind 'fdy': did you mean 'fdi'"),
        (('kind = "fdi"\n', ""), r"scenario\[0\]\.shock\[0\] has no kind; known kinds"),
        (('region = "MEX"\n', ""), r"scenario\[0\]\.shock\[0\]\.region is missing"),
        (('"MEX"', "7"), r"line 6: scenario\[0\]\.shock\[0\]\.region: Input should be a valid string \(found 7\)"),
        (('"c14"\n', '"c14\n'), r"not valid TOML: .*line 7"),
        (('amount = "610 million USD"', 'amount = "1 MUSD"\ncapital_output_ratio = -1'), "must be a positive number"),
        (("[[scenario]]", "[[scenarios]]"), r"scenarios? is (not a known key: did you mean 'scenario'|missing)"),
        (("[[scenario]]", "[scenario]"), r"not valid TOML|valid list"),
    ],
)
def test_a_scenario_file_with_a_slip(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(GOOD.replace(*change))
    with pytest.raises(nio.FormatError, match=message) as caught:
        nio.read_scenarios(file)
    assert "s.toml" in str(caught.value)


def test_scenario_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(nio.StorageError, match="cannot be read"):
        nio.read_scenarios(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes('name = "México"'.encode("latin-1"))
    with pytest.raises(nio.FormatError, match="not UTF-8"):
        nio.read_scenarios(tmp_path / "latin.toml")
    (tmp_path / "twice.toml").write_text(GOOD + GOOD)
    with pytest.raises(nio.FormatError, match="'a' is used twice"):
        nio.read_scenarios(tmp_path / "twice.toml")


def test_a_counterfactual_needs_the_phase_and_the_open_model(bundled: nio.IOTable, model: nio.Leontief) -> None:
    plant = nio.Scenario("plant", shocks=[nio.FDI("MEX", "c14", "610 million USD")])
    with pytest.raises(nio.ShockError, match="has no run phase, only build"):
        nio.counterfactual(model, plant)
    with pytest.raises(nio.ClosureError, match="defined for the open model"):
        nio.counterfactual(nio.Leontief(bundled, closure="households"), plant, "build")
