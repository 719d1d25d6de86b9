"""Where the dollar goes, and what parameters do: conservation, second routes, and refusals."""

import itertools

import numpy as np
import pandas as pd
import pytest

import nearshore_io as nio
from nearshore_io.batch.tiers import OWN, SHOCK, TAXES, UNEXPLAINED

FLOWING = ("S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08", "S12", "S13", "S17")


@pytest.fixture(scope="module")
def model(estimated: nio.IOTable) -> nio.Leontief:
    return nio.Leontief(estimated)


@pytest.mark.parametrize("name", FLOWING)
def test_every_node_pays_out_what_it_takes_in(model: nio.Leontief, name: str) -> None:
    scenario = nio.load_scenario(name)
    for phase in scenario.changes(model.table):
        flows = nio.demand_flows(model, scenario, phase)
        for _, part in flows.groupby("direction"):
            asked = part.loc[part["tier"] == 1, "value"].sum()
            for tier in (1, 2):
                into = part[part["tier"] == tier].groupby("target")["value"].sum()
                out = part[part["tier"] == tier + 1].groupby("source")["value"].sum()
                pd.testing.assert_series_equal(
                    into.sort_index(), out.reindex(into.sort_index().index, fill_value=0.0), check_names=False,
                    atol=1e-9 * asked,
                )  # fmt: skip
            assert part.loc[part["tier"] == 3, "value"].sum() == pytest.approx(asked, rel=1e-9)
            assert part.loc[part["target"] == UNEXPLAINED, "value"].abs().sum() < 1e-9 * asked


@pytest.mark.parametrize("name", ["S01", "S02", "S06", "S07", "S08", "S17"])
def test_value_added_at_the_end_is_that_of_run(model: nio.Leontief, name: str) -> None:
    """Gained less lost, by country; where buyers pay for dearer suppliers, what they give up is no flow of demand."""
    scenario = nio.load_scenario(name)
    impact = nio.run(model, scenario).isel(scenario=0)
    for phase in scenario.changes(model.table):
        flows = nio.demand_flows(model, scenario, phase)
        ends = flows[flows["tier"] == 3]
        signed = ends["value"].where(ends["direction"] == "gained", -ends["value"]).groupby(ends["target"]).sum()
        values = impact["value_added"].sel(phase=phase)
        gap = 0.0
        for country in model.table.countries:
            expected = float(values.isel(region=np.flatnonzero(values["country"].values == country)).sum())
            gap = max(gap, abs(signed.get(country, 0.0) - expected)) if country not in ("USA", "MEX") else gap
            if name in ("S01", "S02", "S07"):
                assert signed.get(country, 0.0) == pytest.approx(expected, abs=1e-6)
        assert gap < 1e-6 * ends["value"].sum()


def test_the_tiers_of_one_order_by_plain_arrays(model: nio.Leontief) -> None:
    """A billion of Mexican cars: tier 2 is a column of A, tier 3 is v L a column of A."""
    table = model.table
    scenario = nio.Scenario("cars", [nio.FinalDemand("MX2", "C29", "1 billion USD")])
    flows = nio.demand_flows(model, scenario).set_index(["tier", "source", "target"])["value"]
    A, n = np.asarray(table.A), table.n
    at = int(table.positions("MX2", "C29")[0])
    v, taxes = table.intensity("value_added"), table.intensity("taxes_less_subsidies")
    assert flows[1, SHOCK, "MEX"] == pytest.approx(1000.0)
    assert flows[3, OWN, "MEX"] == pytest.approx(1000.0 * v[at])
    assert flows[3, OWN, TAXES] == pytest.approx(1000.0 * taxes[at])
    B = np.linalg.inv(np.eye(n) - A)
    for supplier, origin in itertools.product(("USA", "MEX", "CHN"), ("USA", "MEX", "CHN")):
        bought = np.zeros(n)
        rows = table.positions(supplier)
        bought[rows] = 1000.0 * A[rows, at]
        own = np.zeros(n)
        own[table.positions(origin)] = v[table.positions(origin)]
        assert flows[2, "MEX", supplier] == pytest.approx(bought.sum())
        assert flows[3, supplier, origin] == pytest.approx(own @ B @ bought)


def test_what_has_no_flows_says_so(model: nio.Leontief) -> None:
    for name in ("S10", "S11", "S16", "S18"):
        with pytest.raises(nio.ShockError, match="no flows of one account"):
            nio.demand_flows(model, nio.load_scenario(name), next(iter(nio.load_scenario(name).changes(model.table))))
    with pytest.raises(nio.ShockError, match="no build phase, only run"):
        nio.demand_flows(model, nio.load_scenario("S04"), "build")
    with pytest.raises(nio.ClosureError, match="open model"):
        nio.demand_flows(nio.Leontief(model.table, closure="households"), nio.load_scenario("S04"))
    with pytest.raises(nio.ShockError, match="nobody's income"):
        nio.demand_flows(model, nio.Scenario("closed", [nio.Extraction(pairs=[("USA", "MEX")], share=1.0)]))


def test_main_effects_are_means_over_corners(model: nio.Leontief) -> None:
    """By hand: every corner of S04 as a scenario of its own."""
    scenario = nio.load_scenario("S04")
    results = nio.run(model, scenario, variants=True)
    effects = nio.main_effects(results, "jobs", "MEX").set_index("parameter")
    ends = {"share": (0.05, 0.25), "relative_cost": (1.0, 1.1), "localisation": (0.0, 1.0)}
    totals = {}
    for values in itertools.product(*ends.values()):
        given = dict(zip(ends, values, strict=True))
        move = nio.Relocation(
            sectors="electronics", origin="CHN", destination="mexico_exporting", buyers="USA", **given
        )
        totals[values] = float(nio.run(model, nio.Scenario("c", [move])).jobs.sel(region=["MX1", "MX2"]).sum())
    for k, (name, (low, high)) in enumerate(ends.items()):
        for end, column in ((low, "at_low"), (high, "at_high")):
            mean = np.mean([total for values, total in totals.items() if values[k] == end])
            assert effects.loc[name, column] == pytest.approx(mean, rel=1e-9)
    assert list(effects.index) == sorted(
        effects.index, key=lambda name: -abs(effects.loc[name, "at_high"] - effects.loc[name, "at_low"])
    )


def test_main_effects_refuse(model: nio.Leontief) -> None:
    results = nio.run(model, nio.load_scenario("S04"), variants=True)
    with pytest.raises(nio.ShockError, match="variants=True"):
        nio.main_effects(results.sel(variant="central", drop=True), "jobs", "MEX")
    with pytest.raises(nio.LabelError, match="variable 'job'"):
        nio.main_effects(results, "job", "MEX")
    with pytest.raises(nio.LabelError, match="place 'Mexico'"):
        nio.main_effects(results, "jobs", "Mexico")
    with pytest.raises(nio.LabelError, match="phase 'build'"):
        nio.main_effects(results, "jobs", "MEX", phase="build")
    with pytest.raises(nio.LabelError, match="scenario 'S05'"):
        nio.main_effects(results, "jobs", "MEX", "S05")
    both = nio.run(model, [nio.load_scenario("S04"), nio.load_scenario("S05")], variants=True)
    with pytest.raises(nio.LabelError, match="several scenarios"):
        nio.main_effects(both, "jobs", "MEX")


def test_unknown_jobs_stay_unknown(model: nio.Leontief) -> None:
    results = nio.run(model, nio.load_scenario("S04"), variants=True)
    assert nio.main_effects(results, "jobs", "CHN")[["at_low", "at_high"]].isna().all(axis=None)
