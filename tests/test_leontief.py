import numpy as np
import pytest
from conftest import random_table

import nearshore_io as nio


def test_multipliers_with_unknown_intensities_ask_for_an_origin(model: nio.Leontief) -> None:
    with pytest.raises(nio.ShockError, match="unknown for OTH, so a world multiplier would be too small"):
        model.multipliers("jobs")
    both = model.multipliers("jobs", origin=["USA", "MEX"])
    shock = nio.FinalDemand("MEX", "c14", "1 million USD")
    run = nio.run(model, nio.Scenario("a", shocks=[shock])).jobs.sum("sector").sel(scenario="a", phase="run")
    for origin in ("USA", "MEX"):
        assert both.sel(origin=origin, region="MEX", sector="c14").item() == pytest.approx(
            run.sel(region=origin).item()
        )


def test_names_of_inputs_and_stressors_are_taught(model: nio.Leontief) -> None:
    with pytest.raises(nio.LabelError, match=r"no input or stressor 'job' in this table. Nearest: jobs"):
        model.multipliers("job")


def test_demand_is_aligned_by_label(model: nio.Leontief) -> None:
    demand = model.table.Y.sum(["final_region", "category"])
    turned = demand.isel(region=slice(None, None, -1), sector=slice(None, None, -1)).transpose()
    np.testing.assert_array_equal(model.output(turned), model.output(demand))
    with pytest.raises(nio.LabelError, match=r"'sector' labels differ .*missing in the array: \[c35\]"):
        model.output(demand.isel(sector=slice(34)))


def test_demand_for_an_idle_industry_is_refused(model: nio.Leontief) -> None:
    demand = model.table.x * 0
    demand.loc[{"region": "CHN", "sector": "c19"}] = 1.0
    with pytest.raises(nio.ShockError, match="asks CHN/c19 to produce"):
        model.output(demand)


@pytest.mark.parametrize(
    ("closure", "message"),
    [
        ("houshold", "no closure 'houshold'"),
        (nio.Households(income="wages"), "needs labour income; the table's stressors are jobs, compensation"),
        (nio.Households(income="compensation"), "labour income is missing for USA, MEX"),
    ],
)
def test_closures_the_table_cannot_carry(bundled: nio.IOTable, closure: object, message: str) -> None:
    with pytest.raises(nio.ClosureError, match=message):
        nio.Leontief(bundled, closure=closure)  # type: ignore[arg-type]


def test_slips_in_the_household_closure(bundled: nio.IOTable) -> None:
    with pytest.raises(nio.ClosureError, match="must be in million USD, the table's unit; jobs is in thousand persons"):
        nio.Leontief(bundled, closure=nio.Households(income="jobs"))
    with pytest.raises(nio.LabelError, match=r"no country .* 'MEXX'. Nearest: MEX"):
        nio.Leontief(bundled, closure=nio.Households(tax={"MEXX": 0.3}))


def test_an_importer_is_a_whole_country() -> None:
    model = nio.Leontief(random_table(0))
    with pytest.raises(nio.LabelError, match="'MX2' is only a part of MEX"):
        nio.export_content(model, "USA", "MX2")
    both = nio.export_content(model, "USA", "MEX")
    assert both.attrs["exports"] == pytest.approx(
        model.table.flows("USA", to_region="MEX").sum().item()
        + model.table.Y.sel(region="USA", final_region="MEX").sum().item()
    )


def test_what_is_no_model_is_refused(bundled: nio.IOTable, model: nio.Leontief) -> None:
    with pytest.raises(nio.ShockError, match="needs an IOTable"):
        nio.Leontief("north-america-2011")  # type: ignore[arg-type]
    with pytest.raises(nio.SolverError, match=r"such as nio.solvers.DenseLU"):
        nio.Leontief(bundled, solver=nio.solvers.DenseLU)  # type: ignore[arg-type]
    with pytest.raises(nio.ShockError, match="needs a model"):
        nio.run(bundled, [])  # type: ignore[arg-type]
    with pytest.raises(nio.ShockError, match="is not a Scenario"):
        nio.run(model, None)  # type: ignore[arg-type]


def test_rates_outside_the_unit_interval() -> None:
    with pytest.raises(nio.ClosureError, match=r"household tax rate 1.5"):
        nio.Households(tax=1.5)


def test_income_above_value_added_does_not_close() -> None:
    table = random_table(0)
    pay = 1.6 * table.v.sum("input").values
    pay[3] = np.nan
    rich = table.with_numbers(stressors={"compensation": (pay.ravel(), "million USD")})
    with pytest.raises(nio.ClosureError, match="household income exceeds value added"):
        nio.Leontief(rich, closure="households").system  # noqa: B018


def test_closure_states_who_stays_outside(bundled: nio.IOTable) -> None:
    shock = nio.Scenario("a", shocks=[nio.FinalDemand("MEX", "c14", "1 million USD")])
    facts = nio.run(nio.Leontief(bundled, closure="households"), shock).attrs
    assert "households of OTH have no income data and stay exogenous" in facts["closure"]
    assert facts["table_sha256"] == bundled.sha256
    assert facts["residual"] < 1e-10


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"exporter": "MEXX"}, nio.LabelError, "no region 'MEXX'"),
        ({"exporter": "MEX", "importer": "MEX"}, nio.ShockError, "does not import from itself"),
        ({"exporter": "MEX", "importer": "north_america"}, nio.ShockError, "does not import from itself"),
        ({"exporter": "MEX", "importer": ["USA", "USA"]}, nio.ShockError, "USA is named twice"),
        ({"exporter": "CHN", "importer": ["USA", "north_america"]}, nio.ShockError, "USA is named twice"),
        ({"exporter": "MEX", "by": "sektor"}, nio.LabelError, "no dim of export_content 'sektor'.*Nearest: sector"),
        ({"exporter": "MEX", "measure": "gross"}, nio.LabelError, "no measure 'gross'"),
        ({"exporter": "MEX", "taxes": "drop"}, nio.LabelError, "no way to treat taxes 'drop'"),
    ],
)
def test_content_that_cannot_be_had(
    model: nio.Leontief, arguments: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nio.export_content(model, **arguments)  # type: ignore[arg-type]


def test_a_bloc_exports_only_what_leaves_it(model: nio.Leontief) -> None:
    """North America as one exporter: its exports are those of its members less what they sell each other."""
    bloc = nio.export_content(model, "north_america")
    members = ("USA", "MEX", "CAN")
    apart = sum(nio.export_content(model, name).attrs["exports"] for name in members)
    within = sum(nio.export_content(model, a, b).attrs["exports"] for a in members for b in members if a != b)
    assert bloc.attrs["exports"] == pytest.approx(apart - within)
    assert float(bloc.sum()) == pytest.approx(1.0)


def test_content_by_sector_is_a_column_of_multipliers(model: nio.Leontief) -> None:
    content = nio.export_content(model, "MEX", by="sector").sel(origin="USA")
    multipliers = model.multipliers("value_added", origin="USA").sel(origin="USA", region="MEX")
    exported = ~content.isnull()
    np.testing.assert_allclose(content.values[exported.values], multipliers.values[exported.values], rtol=1e-11)


def test_slips_with_totals(model: nio.Leontief) -> None:
    shock = nio.Scenario("a", shocks=[nio.FinalDemand("MEX", "c14", "1 million USD")])
    totals = model.functionals(model.weights("value_added", ["USA", "MEX"]))
    one = nio.run_totals(totals, shock)
    assert one.sizes["scenario"] == 1
    for wrong in ({}, None, "jobs", model.intensities("value_added"), {"a": "jobs"}):
        with pytest.raises(nio.LabelError, match="functionals need weights"):
            model.functionals(wrong)  # type: ignore[arg-type]
    with pytest.raises(nio.ShockError, match="run_totals needs totals"):
        nio.run_totals(model, [shock])  # type: ignore[arg-type]
    with pytest.raises(nio.ShockError, match="is not a Scenario"):
        nio.run_totals(totals, ["a"])  # type: ignore[list-item]
    with pytest.raises(nio.ShockError, match="counterfactual needs a model"):
        nio.counterfactual(model.table, shock)  # type: ignore[arg-type]
    with pytest.raises(nio.LabelError, match="an array over region and sector is needed"):
        model.output(model.table.Y)
