"""Laws of accounting that hold for every table, and every scenario on it."""

import numpy as np
import pytest
from conftest import active, random_table, tables
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import nearshore_io as nio
from nearshore_io.scenarios import Change
from nearshore_io.solvers import DenseLU, SparseLU, Updated
from nearshore_io.table import IOTable

SHARES = st.floats(0.0, 1.0)


def shock_vector(table: IOTable, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(-5.0, 50.0, table.n) * (table.x.values.ravel() != 0)


def move(share: float, origin: str = "CHN", destination: str = "MX2", **options: object) -> nio.Relocation:
    return nio.Relocation(
        sectors="s0", origin=origin, destination=destination, buyers=["USA", "MEX"], share=share, **options
    )


def scenario(name: str, *shocks: object) -> nio.Scenario:
    return nio.Scenario(name, shocks=list(shocks))


def makes_s0(table: IOTable) -> bool:
    return bool((table.x.sel(sector="s0") > 0).all())


@given(tables(), st.integers(0, 99), st.sampled_from([DenseLU(), SparseLU(), nio.solvers.Auto()]))
def test_output_satisfies_the_balance(table: IOTable, seed: int, solver: nio.solvers.Solver) -> None:
    y = shock_vector(table, seed)
    x = solver.factorise(table.A).solve(y)
    assert_allclose(x, table.A @ x + y, rtol=0, atol=1e-12 * max(np.abs(x).max(), np.abs(y).max()))


@given(tables())
def test_table_is_its_own_solution(table: IOTable) -> None:
    """The table's final demand calls forth the table's output: x = L y, and x is the row sum."""
    output = nio.Leontief(table).output(table.Y.sum(["final_region", "category"]))
    assert_allclose(output.values, table.x.values, rtol=1e-12, atol=1e-9)
    assert_allclose(table.x.values.ravel(), np.asarray(table.Z.sum(axis=1)) + table.y.sum(axis=1), rtol=1e-15)


@given(tables(), st.integers(0, 99))
def test_primary_inputs_of_a_demand_sum_to_the_demand(table: IOTable, seed: int) -> None:
    y = shock_vector(table, seed)
    x = nio.Leontief(table).solve(y).x
    earned = sum(table.per_output(values) @ x for values in table.inputs.values())
    assert_allclose(earned, y.sum(), rtol=1e-11, atol=1e-10)


@given(tables(), st.integers(0, 99))
def test_multipliers_price_a_demand_as_output_does(table: IOTable, seed: int) -> None:
    """s·(L y) = (Lᵀ s)·y: the transposed solve against the forward one."""
    model = nio.Leontief(table)
    y = shock_vector(table, seed)
    multipliers = model.multipliers("value_added").values.ravel()
    through_output = model.intensities("value_added").values.ravel() @ model.solve(y).x
    assert_allclose(multipliers @ y, through_output, rtol=1e-11, atol=1e-10)


@given(tables())
def test_multipliers_of_all_inputs_are_one(table: IOTable) -> None:
    model = nio.Leontief(table)
    total = sum(model.multipliers(name) for name in table.inputs)
    assert_allclose(np.asarray(total), 1.0, rtol=1e-11)


@given(tables(), st.floats(0.1, 1e4), st.floats(0.1, 1e4))
def test_demand_scenarios_are_linear(table: IOTable, first: float, second: float) -> None:
    model = nio.Leontief(table)
    a = nio.FinalDemand("USA", active(table, "USA"), first, unit="million USD")
    b = nio.FinalDemand("MX2", active(table, "MX2"), second, unit="million USD")
    twice = nio.FinalDemand("USA", active(table, "USA"), 2 * first, unit="million USD")
    found = nio.run(model, [scenario("a", a), scenario("b", b), scenario("both", a, b), scenario("twice", twice)])
    for variable in found.data_vars.values():
        one = variable.sel(scenario="a").values
        size = np.nanmax(np.abs(variable.values))
        assert_allclose(
            variable.sel(scenario="both").values, one + variable.sel(scenario="b").values, atol=1e-12 * size
        )
        assert_allclose(variable.sel(scenario="twice").values, 2 * one, atol=1e-12 * size)


@given(tables(), st.floats(0.1, 1e4))
def test_a_decrease_undoes_an_increase(table: IOTable, amount: float) -> None:
    model = nio.Leontief(table)
    up = nio.FinalDemand("USA", active(table, "USA"), amount, unit="million USD")
    down = nio.FinalDemand("USA", active(table, "USA"), amount, unit="million USD", direction="decrease")
    assert_allclose(nio.run(model, scenario("none", up, down)).output.values, 0.0, atol=1e-9 * amount)


@given(tables(), st.floats(1.0, 1e4), st.floats(0.2, 5.0))
def test_foreign_investment_adds_up(table: IOTable, amount: float, ratio: float) -> None:
    """The build phase earns what is spent; the running plant makes exactly the output it is given."""
    sector = active(table, "MX2")
    plant = nio.FDI("MX2", sector, amount, unit="million USD", capital_output_ratio=ratio)
    found = nio.run(nio.Leontief(table), scenario("plant", plant), effects=True)
    primary = sum(found[name] for name in table.inputs).sum(["effect", "region", "sector"])
    assert_allclose(primary.sel(phase="build").item(), amount, rtol=1e-10)
    made = found.output.sel(phase="run", region="MX2", sector=sector).sum("effect").item()
    assert_allclose(made, amount / ratio, rtol=1e-10)
    assert_allclose(found.output.sel(phase="run", effect="induced").values, 0.0)


@given(tables(), SHARES)
def test_relocation_at_equal_cost_conserves_world_income(table: IOTable, share: float) -> None:
    if not makes_s0(table):
        return
    found = nio.run(nio.Leontief(table), scenario("move", move(share)))
    primary = sum(found[name] for name in table.inputs)
    assert_allclose(float(primary.sum()), 0.0, atol=1e-10 * float(np.abs(primary).sum()) + 1e-9)


@given(tables(), SHARES, st.floats(0.5, 1.2))
def test_relocation_at_another_cost_raises_final_spending_only(table: IOTable, share: float, cost: float) -> None:
    """World income rises by what final buyers pay on top: industries pay theirs out of their own value added."""
    if not makes_s0(table):
        return
    found = nio.run(nio.Leontief(table), scenario("move", move(share, relative_cost=cost)))
    moved = share * table.Y.sel(region="CHN", sector="s0", final_region=["USA", "MEX"]).sum().item()
    primary = sum(found[name] for name in table.inputs)
    assert_allclose(
        float(primary.sum()), (cost - 1) * moved, rtol=1e-8, atol=1e-9 * float(np.abs(primary).sum()) + 1e-9
    )


@given(tables())
def test_relocation_of_nothing_changes_nothing(table: IOTable) -> None:
    found = nio.run(nio.Leontief(table), scenario("move", move(0.0)))
    for variable in found.data_vars.values():
        assert_allclose(np.where(np.isnan(variable.values), 0.0, variable.values), 0.0, atol=1e-12)


@given(tables(idle=False), st.floats(0.05, 1.0))
def test_there_and_back_is_zero(table: IOTable, share: float) -> None:
    """With no sales of the destination's own to these buyers, moving everything back restores the table."""
    Z, Y = table.Z.copy() if isinstance(table.Z, np.ndarray) else table.Z.toarray(), table.y.copy()
    row = table.positions("MX2", "s0")[0]
    buyers = table.positions(region=["USA", "MEX"])
    own = list(table.final_regions)
    k = len(table.categories)
    moved_uses = [own.index(name) * k + j for name in ("USA", "MEX") for j in range(k)]
    elsewhere = own.index("CHN") * k
    Y[row, elsewhere] += Z[row, buyers].sum() + Y[row, moved_uses].sum() + 50.0
    Z[row, buyers], Y[row, moved_uses] = 0.0, 0.0
    primary = Z.sum(axis=1) + Y.sum(axis=1) - Z.sum(axis=0)
    if (primary <= 0).any():
        return
    start = nio.Leontief(table.with_numbers(Z, Y, {"value_added": primary}))
    half = nio.counterfactual(start, scenario("there", move(share)))
    everything = nio.counterfactual(start, scenario("there", move(1.0)))
    if everything.table.x.sel(region="CHN", sector="s0").item() <= 0:
        return  # China sold to nobody else: its industry is gone, and what is gone has no recipe to come back to
    back = nio.counterfactual(everything, scenario("back", move(1.0, origin="MX2", destination="CHN")))
    assert_allclose(back.table.x.values, start.table.x.values, rtol=1e-9)
    assert_allclose(np.asarray(back.table.flows()), np.asarray(start.table.flows()), rtol=1e-8, atol=1e-8)
    assert float(np.abs(half.table.x - start.table.x).sum()) > 0


@given(tables(), SHARES, st.floats(0.8, 1.2))
def test_low_rank_update_equals_refactorising(table: IOTable, share: float, cost: float) -> None:
    if not makes_s0(table):
        return
    change = scenario("move", move(share, relative_cost=cost)).changes(table)["run"]
    A = np.asarray(table.A if isinstance(table.A, np.ndarray) else table.A.toarray()) + (change.P @ change.Q).toarray()
    y = table.y.sum(axis=1) + np.asarray(change.demand.sum(axis=1)).ravel()
    updated = Updated(DenseLU().factorise(table.A), change.P, change.Q)
    assert_allclose(updated.solve(y), np.linalg.solve(np.eye(table.n) - A, y), rtol=1e-10, atol=1e-9)
    anew = np.linalg.solve((np.eye(table.n) - A).T, y)
    assert_allclose(updated.solve_transposed(y), anew, rtol=1e-10, atol=1e-9 * np.abs(anew).max())


@given(tables(), st.floats(0.01, 0.9))
def test_run_equals_the_difference_of_two_tables(table: IOTable, share: float) -> None:
    """Two routes: the change `run` reports, and the difference of the table after and the table before."""
    if not makes_s0(table):
        return
    model = nio.Leontief(table)
    what = scenario("move", move(share, relative_cost=1.1))
    found = nio.run(model, what).sel(scenario="move", phase="run")
    after = nio.counterfactual(model, what).table
    size = float(table.x.max())
    assert_allclose(found.output.values, (after.x - table.x).values, atol=1e-10 * size)
    for name in table.inputs:
        assert_allclose(found[name].values, (after.v - table.v).sel(input=name).values, atol=1e-10 * size)
    assert_allclose(after.imbalance("inputs").values, 0.0, atol=1e-9 * size)


@given(tables(idle=False), st.floats(1.0, 1e3))
def test_counterfactual_of_a_plant_is_a_balanced_table(table: IOTable, output: float) -> None:
    sector = active(table, "MX2")
    plant = nio.FDI("MX2", sector, "5 million USD", output=f"{output!r} million USD")
    after = nio.counterfactual(nio.Leontief(table), scenario("plant", plant)).table
    assert_allclose((after.x - table.x).sel(region="MX2", sector=sector).item(), output, rtol=1e-9)
    assert_allclose(after.imbalance("inputs").values, 0.0, atol=1e-9 * float(table.x.max()))


@given(
    tables(),
    st.sampled_from(["separate", "folded"]),
    st.sampled_from([(), ("sector",), ("importer",), ("origin_sector",)]),
)
def test_export_content_sums_to_one(table: IOTable, taxes: str, by: tuple[str, ...]) -> None:
    content = nio.export_content(nio.Leontief(table), "MEX", by=by, taxes=taxes)
    total = content.sum(["origin", *(["origin_sector"] if "origin_sector" in by else [])], skipna=False)
    assert_allclose(total.values[~np.isnan(total.values)], 1.0, rtol=1e-11)
    assert ("taxes" in content["origin"].values) == (taxes == "separate")


@given(tables())
def test_content_parts_weigh_up_to_the_whole(table: IOTable) -> None:
    """Content by sector and importer, weighted by exports, is content; the sums run over different solves."""
    model = nio.Leontief(table)
    whole = nio.export_content(model, "MEX")
    parts = nio.export_content(model, "MEX", by=("sector", "importer"))
    rows = table.flows(region="MEX")
    exports = (
        rows.sum(["region", "to_sector"])
        .assign_coords(to_region=[table.country[r] for r in table.regions])
        .groupby("to_region")
        .sum()
        .rename(to_region="importer")
        .sel(importer=["USA", "CHN"])
    )
    final = table.Y.sel(region=["MX1", "MX2"]).sum(["region", "category"]).rename(final_region="importer")
    exports = exports + final.sel(importer=["USA", "CHN"]).drop_vars("sector_name")
    weighted = (parts.drop_vars("sector_name") * exports).sum(["sector", "importer"]) / exports.sum()
    assert_allclose(weighted.sel(origin=whole["origin"]).values, whole.values, rtol=1e-10)


@given(tables(), st.floats(1.0, 1e3))
def test_effects_sum_to_the_total_and_households_only_add(table: IOTable, amount: float) -> None:
    shock = scenario("a", nio.FinalDemand("USA", active(table, "USA"), amount, unit="million USD"))
    closed = nio.Leontief(table, closure="households")
    parts, total = nio.run(closed, shock, effects=True), nio.run(closed, shock)
    open_total = nio.run(nio.Leontief(table), shock)
    for name in total.data_vars:
        assert_allclose(parts[name].sum("effect", skipna=False).values, total[name].values, atol=1e-10 * amount)
    assert_allclose(
        parts.output.sel(effect=["direct", "indirect"]).sum("effect").values,
        open_total.output.values,
        atol=1e-10 * amount,
    )
    assert float(parts.output.sel(effect="induced").min()) > -1e-9 * amount


@given(tables(), st.integers(0, 99))
def test_household_loop_equals_the_bordered_inverse(table: IOTable, seed: int) -> None:
    """Two routes to type II: the low-rank loop, and the textbook's (n + G) bordered matrix."""
    model = nio.Leontief(table, closure="households")
    loop = model.household_loop(table.y)
    G = loop.spending.shape[1]
    A = np.asarray(table.A if isinstance(table.A, np.ndarray) else table.A.toarray())
    bordered = np.block([[A, loop.spending], [loop.earning, np.zeros((G, G))]])
    y = shock_vector(table, seed)
    anew = np.linalg.solve(np.eye(table.n + G) - bordered, np.concatenate([y, np.zeros(G)]))[: table.n]
    assert_allclose(model.solve(y).x, anew, rtol=1e-10, atol=1e-9)
    assert loop.exogenous == ("CHN",)


@given(tables(), st.floats(0.0, 1.0), st.floats(1.0, 1e3))
def test_household_baskets_follow_relocations_only(table: IOTable, share: float, amount: float) -> None:
    """Demand booked under households leaves their basket alone: with a relocation beside it, effects still add up."""
    if not makes_s0(table):
        return
    model = nio.Leontief(table, closure="households")
    demand = nio.FinalDemand("USA", active(table, "USA"), amount, unit="million USD", category="HFCE")
    nothing = scenario("both", demand, move(0.0))
    assert_allclose(
        nio.run(model, nothing).output.values, nio.run(model, scenario("one", demand)).output.values, rtol=1e-9
    )


@given(tables(), st.floats(0.0, 1.0))
def test_full_leakage_opens_the_model(table: IOTable, saving: float) -> None:
    shock = scenario("a", nio.FinalDemand("USA", active(table, "USA"), "9 million USD"))
    leaky = nio.run(nio.Leontief(table, closure=nio.Households(tax=1.0, saving=saving)), shock)
    assert_allclose(leaky.output.values, nio.run(nio.Leontief(table), shock).output.values, atol=1e-11)


@given(tables(), st.integers(0, 99))
def test_aggregation_of_nothing_solves_alike(table: IOTable, seed: int) -> None:
    same = nio.aggregate(table, regions={region: region for region in table.regions})
    y = shock_vector(table, seed)
    assert_allclose(nio.Leontief(same).solve(y).x, nio.Leontief(table).solve(y).x, rtol=1e-12, atol=1e-12)
    assert same.sha256 == table.sha256


@given(tables())
def test_aggregation_keeps_totals_and_commutes(table: IOTable) -> None:
    to = {"USA": "NA", "MX1": "MEX", "MX2": "MEX", "CHN": "NA"}
    sectors = dict.fromkeys(table.sectors, "all")
    small = nio.aggregate(table, regions=to, sectors=sectors)
    other_way = nio.aggregate(nio.aggregate(table, sectors=sectors), regions=to)
    for part in ("Z", "y"):
        assert_allclose(np.sum(getattr(small, part)), np.sum(getattr(table, part)), rtol=1e-12)
    assert_allclose(small.x.sum().item(), table.x.sum().item(), rtol=1e-12)
    assert_allclose(small.v.sum(["region", "sector"]).values, table.v.sum(["region", "sector"]).values, rtol=1e-10)
    assert_allclose(np.asarray(small.flows()), np.asarray(other_way.flows()), rtol=1e-12)
    assert small.country == {"NA": "NA", "MEX": "MEX"}
    assert np.isnan(small.F.sel(stressor="jobs", region="NA")).all()
    assert_allclose(
        small.F.sel(stressor="jobs", region="MEX").sum().item(),
        table.F.sel(stressor="jobs", region=["MX1", "MX2"]).sum().item(),
    )


@given(tables())
def test_splitting_by_weights_and_merging_returns_the_table(table: IOTable) -> None:
    import pandas as pd

    split = pd.DataFrame(
        {
            "from": ["USA", "USA", "MX1", "MX2", "CHN"],
            "to": ["US1", "US2", "MX1", "MX2", "CHN"],
            "weight": [0.25, 0.75, 1, 1, 1],
        }
    )
    halves = nio.aggregate(table, regions=split)
    whole = nio.aggregate(halves, regions={"US1": "USA", "US2": "USA", "MX1": "MX1", "MX2": "MX2", "CHN": "CHN"})
    assert_allclose(np.asarray(whole.flows()), np.asarray(table.flows()), rtol=1e-12)
    assert_allclose(whole.y, table.y, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_units_stand_on_every_public_quantity(seed: int) -> None:
    table = random_table(seed)
    model = nio.Leontief(table)
    shock = scenario("a", nio.FinalDemand("USA", active(table, "USA"), "9 million USD"))
    found = nio.run(model, shock)
    quantities = {
        "x": table.x,
        "Y": table.Y,
        "v": table.v,
        "flows": table.flows(),
        "imbalance": table.imbalance(),
        "output": model.output(table.Y.sum(["final_region", "category"])),
        **{str(name): variable for name, variable in found.data_vars.items()},
    }
    for name, quantity in quantities.items():
        expected = "thousand persons" if name == "jobs" else "million USD"
        assert quantity.attrs["units"] == expected, name
        assert quantity.attrs["long_name"], name
    per = "thousand persons per million USD"
    assert model.multipliers("jobs", origin="MEX").attrs["units"] == per
    assert model.intensities("jobs").attrs["units"] == per
    assert nio.export_content(model, "MEX").attrs["units"] == "million USD per million USD"


def test_a_change_of_nothing_is_only_demand() -> None:
    table = random_table(0)
    assert Change.of(table).only_demand


@given(tables(), st.floats(1.0, 1e3), st.floats(0.0, 1.0))
def test_totals_by_adjoint_equal_the_full_route(table: IOTable, amount: float, share: float) -> None:
    if not makes_s0(table):
        return
    model = nio.Leontief(table)
    shocks = [
        scenario("demand", nio.FinalDemand("USA", active(table, "USA"), amount, unit="million USD")),
        scenario("move", move(share)),
    ]
    totals = model.functionals({name: model.weights(name, ["USA", "MEX"]) for name in ("jobs", "value_added")})
    found = nio.run_totals(totals, shocks)
    full = nio.run(model, shocks).sel(phase="run").sum("sector")
    for name in ("jobs", "value_added"):
        for country in ("USA", "MEX"):
            expected = full[name].sel(region=table.select(region=country)["region"]).sum("region")
            size = float(np.abs(full[name].sum()).max()) + amount
            assert_allclose(
                found.sel(total=f"{name}: {country}").values, expected.values, rtol=1e-10, atol=1e-12 * size
            )
    turned = model.functionals({"jobs": model.weights("jobs", ["USA", "MEX"]).transpose("sector", "origin", "region")})
    assert_allclose(nio.run_totals(turned, shocks).values, found.values[:2], rtol=1e-12)
    assert found["unit"].values.tolist() == ["thousand persons"] * 2 + ["million USD"] * 2


@given(tables(), st.integers(0, 99))
def test_every_solver_gives_the_same_model(table: IOTable, seed: int) -> None:
    y = shock_vector(table, seed)
    expected = nio.Leontief(table, solver=DenseLU()).solve(y).x
    for solver in (nio.solvers.Krylov(), nio.solvers.MixedLU(), nio.solvers.PowerSeries(), SparseLU()):
        assert_allclose(nio.Leontief(table, solver=solver).solve(y).x, expected, rtol=1e-9, atol=1e-9)
