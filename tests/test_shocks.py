"""Every kind of shock: what it conserves, and the same numbers by a second route."""

import numpy as np
import pytest
from conftest import active, random_table, tables
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import OptimizeResult, linprog

import nearshore_io as nio
from nearshore_io.products import inputs_by_product
from nearshore_io.table import IOTable

SHARES = st.floats(0.0, 1.0)


def scenario(*shocks: object, name: str = "a") -> nio.Scenario:
    return nio.Scenario(name, shocks=list(shocks))


def found(table: IOTable, *shocks: object, closure: object = None, **options: object) -> object:
    return nio.run(nio.Leontief(table, closure=closure), scenario(*shocks), **options).isel(scenario=0)


def dense(table: IOTable) -> np.ndarray:
    return np.array(table.A.toarray() if not isinstance(table.A, np.ndarray) else table.A)


def primary(result: object, table: IOTable) -> float:
    """World change of everything but intermediate inputs."""
    return float(sum(result[name] for name in table.inputs).sum())


def size(table: IOTable) -> float:
    return float(np.abs(table.x).sum())


def x_of(table: IOTable) -> np.ndarray:
    return table.x.values.ravel()


def makes(table: IOTable, sector: str = "s0") -> bool:
    return bool((table.x.sel(sector=sector) > 0).all())


# -- final demand ------------------------------------------------------------------------------------------------------


@given(tables(idle=False), st.floats(0.1, 3.0), SHARES)
def test_displaced_demand_is_taken_from_rivals(table: IOTable, amount: float, share: float) -> None:
    shock = nio.FinalDemand(
        "MX2",
        "s0",
        amount,
        unit="million USD",
        final_region="USA",
        category="GFCF",
        displaces="CHN",
        displacement=share,
    )
    if table.Y.sel(region="CHN", sector="s0", final_region="USA", category="GFCF").item() < amount:
        return
    result = found(table, shock)
    assert_allclose(primary(result, table), (1 - share) * amount, atol=1e-9 * size(table))
    y = np.zeros(table.n)
    y[table.positions("MX2", "s0")] = amount
    y[table.positions("CHN", "s0")] = -share * amount
    assert_allclose(result.output.values.ravel(), np.linalg.solve(np.eye(table.n) - dense(table), y), atol=1e-8)


@given(tables(idle=False))
def test_demand_for_the_export_mix_earns_what_exports_contain(table: IOTable) -> None:
    """A dollar more of exports as they are: value added by country is what `export_content` says."""
    mix = nio.FinalDemand("MEX", list(table.sectors), "100 million USD", mix="exports", final_region="USA")
    result = found(table, mix)
    content = nio.export_content(nio.Leontief(table), "MEX", "USA")
    earned = result.value_added.sel(phase="run").groupby("country").sum().sum("sector")
    for country in table.countries:
        assert_allclose(earned.sel(country=country).item(), 100 * content.sel(origin=country).item(), rtol=1e-9)


# -- given outputs -----------------------------------------------------------------------------------------------------


@given(tables(), st.floats(1.0, 100.0))
def test_given_output_reproduces_itself_by_the_demand_it_implies(table: IOTable, amount: float) -> None:
    sector = active(table, "MX2")
    result = found(table, nio.Output("MX2", sector, amount, unit="million USD"))
    dx = result.output.values.ravel()
    o = table.positions("MX2", sector)[0]
    implied = dx - dense(table) @ dx
    assert_allclose(dx[o], amount, rtol=1e-10)
    assert_allclose(np.delete(implied, o), 0.0, atol=1e-9 * amount)


def test_the_mixed_model_of_two_sectors(textbook: IOTable) -> None:
    """A = [[.15, .25], [.20, .05]] of Miller & Blair (2009), table 2.3, with x₁ given: by hand,

    x₂ = (f₂ + a₂₁ x̄₁)/(1 − a₂₂) and f₁ = (1 − a₁₁) x̄₁ − a₁₂ x₂.
    """
    region, (one, two) = textbook.regions[0], textbook.sectors
    model = nio.Leontief(textbook, closure=nio.Mixed([(region, one)]))
    more = nio.FinalDemand(region, two, "190 million USD")
    result = nio.run(model, scenario(more)).output.squeeze()
    assert_allclose(result.sel(sector=[one, two]), [0.0, 190 / 0.95], atol=1e-9)
    both = nio.run(model, scenario(more, nio.Output(region, one, "95 million USD"))).output.squeeze()
    assert_allclose(both.sel(sector=[one, two]), [95.0, (190 + 0.2 * 95) / 0.95], rtol=1e-12)
    f1 = (1 - 0.15) * 95 - 0.25 * (190 + 0.2 * 95) / 0.95
    opened = nio.run(nio.Leontief(textbook), scenario(nio.Output(region, one, "95 million USD"))).output.squeeze()
    assert_allclose(opened.sel(sector=two), 0.2 * 95 / 0.95, rtol=1e-12)
    again = nio.Leontief(textbook).solve(np.array([f1, 190.0])).x
    assert_allclose(again, both.values, rtol=1e-12)
    multipliers = model.multipliers("value_added").values.ravel()
    v = 1 - np.array([[0.15, 0.25], [0.20, 0.05]]).sum(axis=0)
    assert_allclose(multipliers, [v[0] + v[1] * 0.2 / 0.95, v[1] / 0.95], rtol=1e-12)


@given(tables(idle=False), st.floats(1.0, 50.0))
def test_mixed_closure_is_the_partitioned_model(table: IOTable, amount: float) -> None:
    o, n = table.positions("MEX", "s0"), table.n
    rest = np.setdiff1d(np.arange(n), o)
    model = nio.Leontief(table, closure=nio.Mixed([("MEX", "s0")]))
    shocks = [
        nio.Relocation("s0", "CHN", "USA", ["USA", "MEX"], 0.3),
        nio.Output("MX2", "s0", amount, unit="million USD"),
    ]
    result = nio.run(model, scenario(*shocks)).output.values.ravel()
    change = scenario(shocks[0]).changes(table)["run"]
    A = dense(table) + (change.P @ change.Q).toarray()
    f = table.y.sum(axis=1) + np.asarray(change.demand.sum(axis=1)).ravel()
    x_o = x_of(table)[o].copy()
    x_o[list(o).index(table.positions("MX2", "s0")[0])] += amount
    x_n = np.linalg.solve(np.eye(len(rest)) - A[np.ix_(rest, rest)], f[rest] + A[np.ix_(rest, o)] @ x_o)
    assert_allclose(result[rest], x_n - x_of(table)[rest], atol=1e-9 * size(table))
    assert_allclose(result[o], x_o - x_of(table)[o], atol=1e-9 * size(table))


# -- investment --------------------------------------------------------------------------------------------------------


def test_components_become_capital_and_taxes_leak(bundled: IOTable) -> None:
    shock = nio.FDI(
        "MEX", "c14", "1000 million USD", capital_output_ratio=0.8, acquisitions=0.1, displacement=0.3,
        components={"new": 0.22, "reinvested": 0.554, "intercompany": 0.226},
        capitalised={"new": 0.8, "reinvested": 0.5, "intercompany": 0.2},
        assets={"structures": 0.4, "machinery": 0.4, "ict": 0.15, "software": 0.05},
    )  # fmt: skip
    result = found(bundled, shock)
    capital = 1000 * (0.22 * 0.8 + 0.554 * 0.5 + 0.226 * 0.2) * 0.9 * 0.7
    facts = result.fact.sel(phase="build")
    taxes = facts.sel(fact_name="product taxes on capital goods").item()
    assert_allclose(facts.sel(fact_name="capital expenditure").item(), capital, rtol=1e-12)
    assert_allclose(taxes, capital * (0.4 * 0.01 + 0.15 * 0.01), rtol=1e-12)
    assert_allclose(result.value_added.sel(phase="build").sum().item() + taxes, capital, rtol=1e-10)
    made = result.output.sel(phase="run", region="MEX", sector="c14").item()
    assert_allclose(made, capital / 0.8, rtol=1e-10)


# -- plants ------------------------------------------------------------------------------------------------------------


def bordered(table: IOTable, activities: object, A: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of industries and of activities, from [[A, a], [b, 0]] solved whole."""
    n, k = table.n, len(activities)
    whole = np.zeros((n + k, n + k))
    whole[:n, :n] = A
    final = np.concatenate([f, np.zeros(k)])
    for i, activity in enumerate(activities):
        whole[:n, n + i], whole[n + i, :n] = activity.recipe, activity.sales
        final[n + i] = activity.final.sum()
    x = np.linalg.solve(np.eye(n + k) - whole, final)
    return x[:n], x[n:]


@given(tables(idle=False), SHARES, st.floats(1.0, 20.0), st.booleans())
def test_a_plant_is_a_bordered_table(table: IOTable, local: float, output: float, replaces: bool) -> None:
    rivals = {"replaces": "CHN", "buyers": "USA"} if replaces else {}
    sold = (
        table.flows("CHN", "s0", "USA").sum().item()
        + table.Y.sel(region="CHN", sector="s0", final_region="USA").clip(0).sum().item()
    )
    if replaces and sold < output:
        return
    plant = nio.Plant("MX2", "s0", output=output, unit="million USD", technology="CHN", localisation=local, **rivals)
    try:
        change = scenario(plant).changes(table)["run"]
    except nio.ShockError as error:
        assert "uses" in str(error) or "supplier" in str(error)  # noqa: PT017
        return
    result = found(table, plant)
    A = dense(table) + (change.P @ change.Q).toarray()
    f = table.y.sum(axis=1) + np.asarray(change.demand.sum(axis=1)).ravel()
    x, made = bordered(table, change.activities, A, f)
    at = table.positions("MX2", "s0")[0]
    expected = x - x_of(table)
    expected[at] += made.sum()
    assert_allclose(result.output.values.ravel(), expected, atol=1e-9 * size(table))
    assert_allclose(primary(result, table), 0.0 if replaces else output, atol=1e-9 * size(table))
    source = table.positions("CHN", "s0")
    recipe = inputs_by_product(dense(table)[:, source], len(table.sectors))[:, 0]
    mine = inputs_by_product(change.activities[0].recipe[:, None], len(table.sectors))[:, 0]
    assert_allclose(mine, recipe, rtol=1e-9, atol=1e-12)


def test_an_announcement_is_held_against_the_industry(bundled: IOTable) -> None:
    """610 million dollars and 8,000 jobs: two outputs, and their ratio; and the plant's jobs are those announced."""
    plant = nio.Plant("MEX", "c14", jobs=8000, capex="610 million USD", capital_output_ratio=0.8)
    result = found(bundled, plant, effects=True)
    intensity = (
        1e3 * bundled.F.sel(stressor="jobs", region="MEX", sector="c14") / bundled.x.sel(region="MEX", sector="c14")
    )
    facts = result.fact.sel(phase="run")
    assert_allclose(facts.sel(fact_name="output by jobs").item(), 8000 / intensity.item(), rtol=1e-12)
    assert_allclose(facts.sel(fact_name="output by capex").item(), 610 / 0.8, rtol=1e-12)
    coherence = 8000 * 0.8 / (intensity.item() * 610)
    assert_allclose(facts.sel(fact_name="coherence (output by jobs / output by capex)").item(), coherence, rtol=1e-12)
    for size_by in ("jobs", "capex"):
        sized = nio.Plant("MEX", "c14", jobs=8000, capex="610 MUSD", capital_output_ratio=0.8, size_by=size_by)
        direct = found(bundled, sized, effects=True).jobs.sel(phase="run", effect="direct", region="MEX", sector="c14")
        assert_allclose(direct.item(), 8.0, rtol=1e-10)


@given(tables(idle=False), SHARES)
def test_a_plant_like_its_industry_is_more_of_it(table: IOTable, amount: float) -> None:
    """With the host's recipe and suppliers, a plant's additional sales are final demand for its industry."""
    plant = found(table, nio.Plant("MX2", "s0", output=amount + 1.0, unit="million USD"))
    demand = found(table, nio.FinalDemand("MX2", "s0", amount + 1.0, unit="million USD"))
    for name in ("output", *table.inputs, "jobs"):
        assert_allclose(plant[name].values, demand[name].values, rtol=1e-9, atol=1e-9)


# -- relocation --------------------------------------------------------------------------------------------------------


@given(tables(idle=False), SHARES, SHARES, st.floats(0.0, 0.9))
def test_relocated_columns_conserve_world_income(table: IOTable, share: float, local: float, split: float) -> None:
    move = nio.Relocation(
        "s0", "CHN", {"MX2": 1 - split, "USA": split}, ["USA", "MEX"], share, localisation=local, technology="origin"
    )
    try:
        change = scenario(move).changes(table)["run"]
    except nio.ShockError as error:
        assert "uses" in str(error) or "supplier" in str(error)  # noqa: PT017
        return
    result = found(table, move)
    assert_allclose(primary(result, table), 0.0, atol=1e-9 * size(table))
    A = dense(table) + (change.P @ change.Q).toarray()
    f = table.y.sum(axis=1) + np.asarray(change.demand.sum(axis=1)).ravel()
    x, made = bordered(table, change.activities, A, f)
    expected = x - x_of(table)
    for activity, output in zip(change.activities, made, strict=True):
        expected[activity.at] += output
    assert_allclose(result.output.values.ravel(), expected, atol=1e-9 * size(table))


@given(tables(idle=False), st.floats(0.01, 0.9))
def test_kits_keep_the_suppliers_of_the_origin(table: IOTable, share: float) -> None:
    """λ = 0 with the origin's recipe: but for its value added, what moves buys exactly what it bought before."""
    kits = found(table, nio.Relocation("s0", "CHN", "MX2", ["USA", "MEX"], share, localisation=0.0))
    change = scenario(nio.Relocation("s0", "CHN", "MX2", ["USA", "MEX"], share, localisation=0.0)).changes(table)["run"]
    c = table.positions("CHN", "s0")[0]
    assert_allclose(change.activities[0].recipe, dense(table)[:, c], atol=1e-12)
    others = [i for i in range(table.n) if i not in (c, table.positions("MX2", "s0")[0])]
    assert_allclose(kits.output.values.ravel()[others], 0.0, atol=1e-9 * size(table))


@given(tables(idle=False), st.floats(0.01, 0.5), st.floats(0.9, 1.2))
def test_three_ways_to_pay_for_a_dearer_supplier(table: IOTable, share: float, cost: float) -> None:
    """Quantities are the same; world income differs by who pays; passed on, prices rise by Δc L'."""
    model = nio.Leontief(table)
    results = {}
    for payer in ("profit", "price", "subsidy"):
        move = nio.Relocation("s0", "CHN", "MX2", ["USA", "MEX"], share, relative_cost=cost, cost_paid_by=payer)
        try:
            results[payer] = nio.run(model, scenario(move)).isel(scenario=0)
        except nio.ShockError as error:
            assert "value added" in str(error)  # noqa: PT017
            return
    change = scenario(nio.Relocation("s0", "CHN", "MX2", ["USA", "MEX"], share, relative_cost=cost)).changes(table)[
        "run"
    ]
    A = dense(table) + (change.P @ change.Q).toarray()
    x = np.linalg.solve(np.eye(table.n) - A, table.y.sum(axis=1) + np.asarray(change.demand.sum(axis=1)).ravel())
    final = float(change.demand.sum())
    for payer, result in results.items():
        assert_allclose(result.output.values.ravel(), x - x_of(table), atol=1e-9 * size(table))
        paid = 0.0 if payer != "price" else float(change.cost @ x)
        assert_allclose(primary(result, table), final + paid, atol=1e-9 * size(table))
    expected = np.linalg.solve((np.eye(table.n) - A).T, change.cost)
    if "price" in results["price"]:
        assert_allclose(results["price"].price.values.ravel(), expected, atol=1e-10)
    assert_allclose(results["subsidy"].value_added.values, results["price"].value_added.values, atol=1e-9 * size(table))


def test_a_table_after_costs_were_passed_on_balances_at_its_prices() -> None:
    table = random_table(3)
    move = nio.Relocation("s0", "CHN", "MX2", "USA", 0.3, relative_cost=1.1, cost_paid_by="price")
    after = nio.counterfactual(nio.Leontief(table), scenario(move)).table
    assert_allclose(after.imbalance("inputs").values, 0.0, atol=1e-9 * size(table))


def test_shares_by_product_and_buyer(bundled: IOTable) -> None:
    whole = found(
        bundled, nio.Relocation(["c13", "c14"], "CHN", "MEX", ["USA", "MEX"], {"c14": {"USA": 0.1}, "c13": 0.2})
    )
    parts = [
        nio.Relocation("c14", "CHN", "MEX", "USA", 0.1),
        nio.Relocation("c13", "CHN", "MEX", ["USA", "MEX"], 0.2),
    ]
    assert_allclose(whole.output.values, found(bundled, *parts).output.values, atol=1e-7)


def test_shares_from_prices(bundled: IOTable) -> None:
    """With σ and a price, the ratio of spending on two origins moves by (1 + δ)^(1−σ)."""
    move = nio.Relocation("c14", "CHN", "MEX", "USA", elasticity=4.0, price_change=-0.1)
    change = scenario(move).changes(bundled)["run"]
    A = dense(bundled)
    after = A + (change.P @ change.Q).toarray()
    china, mexico = bundled.positions("CHN", "c14")[0], bundled.positions("MEX", "c14")[0]
    j = bundled.positions("USA", "c15")[0]
    ratio = (after[mexico, j] / after[china, j]) / (A[mexico, j] / A[china, j])
    assert_allclose(ratio, 0.9 ** (1 - 4.0), rtol=1e-10)


# -- technology --------------------------------------------------------------------------------------------------------


@given(tables(idle=False), SHARES, SHARES, st.floats(-0.02, 0.1))
def test_another_recipe_moves_income_between_suppliers(table: IOTable, share: float, local: float, more: float) -> None:
    shock = nio.Technology("MX2", "s0", share, inputs={"s0": more}, localised="s0", localisation=local)
    try:
        change = scenario(shock).changes(table)["run"]
    except nio.ShockError:
        return
    result = found(table, shock)
    assert_allclose(primary(result, table), 0.0, atol=1e-9 * size(table))
    j = table.positions("MX2", "s0")[0]
    A = dense(table)
    A[:, j] += np.asarray(change.P.todense()).ravel()
    recipe = inputs_by_product(dense(table)[:, [j]], len(table.sectors))[0, 0]
    assert_allclose(inputs_by_product(A[:, [j]], len(table.sectors))[0, 0], recipe + share * more, atol=1e-10)
    x = np.linalg.solve(np.eye(table.n) - A, table.y.sum(axis=1))
    assert_allclose(result.output.values.ravel(), x - x_of(table), atol=1e-9 * size(table))


def test_a_localised_kit_is_bought_at_home(bundled: IOTable) -> None:
    shock = nio.Technology("MEX", "c14", localised="c14", localisation=1.0)
    change = scenario(shock).changes(bundled)["run"]
    j = bundled.positions("MEX", "c14")[0]
    after = dense(bundled)[:, j] + np.asarray(change.P.todense()).ravel()
    from_home = after[bundled.positions("MEX", "c14")].sum()
    assert_allclose(from_home, after[bundled.positions(sector="c14")].sum(), rtol=1e-12)


# -- extraction --------------------------------------------------------------------------------------------------------


@given(tables(idle=False), SHARES, st.sampled_from(["both", "forward", "backward"]), st.booleans())
def test_extraction_is_the_model_without_the_cells(
    table: IOTable, share: float, direction: str, resourced: bool
) -> None:
    shock = nio.Extraction([("USA", "MEX")], share=share, direction=direction, resourced=resourced)
    result = found(table, shock)
    A, Y = dense(table), table.y.copy()
    width, k = len(table.sectors), len(table.categories)
    usa, mexico = table.positions("USA"), table.positions("MEX")
    uses = {name: [table.final_regions.index(name) * k + c for c in range(k)] for name in ("USA", "MEX")}
    flows = {"forward": [(usa, mexico, "MEX")], "backward": [(mexico, usa, "USA")]}
    flows["both"] = flows["forward"] + flows["backward"]
    for sellers, buyers, name in flows[direction]:
        for matrix, columns in ((A, buyers), (Y, uses[name])):
            before = matrix[:, columns].copy()
            positive = np.maximum(before, 0.0) if matrix is Y and resourced else before
            taken = share * positive[sellers]
            matrix[np.ix_(sellers, columns)] -= taken
            if resourced:
                for row, i in enumerate(sellers):
                    same = [r for r in range(i % width, table.n, width) if r not in sellers]
                    there = positive[same].sum(axis=0)
                    matrix[np.ix_(same, columns)] += (
                        np.where(there > 0, taken[row] / np.where(there > 0, there, 1), 0) * positive[same]
                    )
                    matrix[i, columns] += np.where(there > 0, 0.0, taken[row])
    x = np.linalg.solve(np.eye(table.n) - A, Y.sum(axis=1))
    assert_allclose(result.output.values.ravel(), x - x_of(table), atol=1e-8 * size(table))
    if resourced:
        assert_allclose(primary(result, table), 0.0, atol=1e-8 * size(table))


@given(tables(idle=False, tax=False))
def test_value_added_lost_without_exports_is_domestic_value_added_in_them(table: IOTable) -> None:
    """Los, Timmer & de Vries (2016): GDP less GDP without exports is v_s L_ss e_s, the DVA of the decompositions."""
    lost = found(table, nio.Extraction([("MEX", "all")], direction="forward"))
    terms = nio.decompose_exports(nio.Leontief(table), "MEX", method="borin-mancini", perspective="source")
    mexico = lost.value_added.sel(region=["MX1", "MX2"]).sum().item()
    assert_allclose(-mexico, terms.dva.sum().item(), rtol=1e-9)


@given(tables(idle=False), st.floats(0.1, 1.0), st.floats(1.0, 60.0))
def test_a_closure_of_days_is_its_share_of_the_year(table: IOTable, share: float, days: float) -> None:
    year = found(table, nio.Extraction([("USA", "MEX")], share=share))
    some = found(table, nio.Extraction([("USA", "MEX")], share=share, days=days))
    assert_allclose(some.output.sel(phase="event"), days / 365 * year.output.sel(phase="run"), rtol=1e-12)


# -- limits ------------------------------------------------------------------------------------------------------------


def without_losses(table: IOTable) -> IOTable | None:
    """Return the table with no final use below 0 and value added its residual, or None where that is not positive."""
    Y = np.maximum(table.y, 0.0)
    total = np.asarray(table.Z.sum(axis=1)) + Y.sum(axis=1)
    table = table.with_numbers(table.Z, Y, {"value_added": total - np.asarray(table.Z.sum(axis=0))})
    return table if (table.inputs["value_added"] > 0).all() else None


def best_below(table: IOTable, f: np.ndarray, capped: int, cap: float) -> OptimizeResult:
    """Maximise v'x over outputs with 0 ≤ (I − A) x ≤ f and one output at most its cap."""
    v, net = table.intensity("value_added"), np.eye(table.n) - dense(table)
    bounds = [(0.0, None)] * table.n
    bounds[capped] = (0.0, cap)
    rows, ends = np.vstack([net, -net]), np.concatenate([f, np.zeros(table.n)])
    return linprog(-v, A_ub=rows, b_ub=ends, bounds=bounds, method="highs")


@given(tables(idle=False), st.floats(0.05, 0.6), st.integers(0, 99))
def test_the_optimum_equals_an_independent_program(table: IOTable, cut: float, seed: int) -> None:
    """Written over outputs, max v'x with 0 ≤ x ≤ cap, 0 ≤ (I − A) x ≤ f, and not over final demand as ours is."""
    sound = without_losses(table)
    if sound is None:
        return
    result = found(sound, nio.Capacity("MX2", "s0", cut=cut))
    x, v, i = x_of(sound), sound.intensity("value_added"), sound.positions("MX2", "s0")[0]
    best = best_below(sound, sound.y.sum(axis=1), i, x[i] * (1 - cut))
    assert_allclose(v @ x + result.value_added.sum().item(), -best.fun, rtol=1e-8)
    dual = result.shadow_price.sel(region="MX2", sector="s0").item()
    assert_allclose(dual, -best.upper.marginals[i], rtol=1e-6, atol=1e-8)


def test_a_dual_is_what_relaxing_the_cap_brings(bundled: IOTable) -> None:
    model = nio.Leontief(bundled)
    level = float(bundled.x.sel(region="MEX", sector="c14")) * 0.8
    low, high = (
        nio.run(model, scenario(nio.Capacity("MEX", "c14", level=cap, unit="million USD")))
        for cap in (level, level + 1.0)
    )
    gain = float(high.value_added.sum() - low.value_added.sum())
    assert_allclose(gain, low.shadow_price.sel(region="MEX", sector="c14").item(), rtol=1e-6)


@given(tables(idle=False), st.floats(0.05, 0.5))
def test_rationing_loses_more_than_the_optimum(table: IOTable, cut: float) -> None:
    results = [found(table, nio.Capacity("MX2", "s0", cut=cut, rule=rule)) for rule in ("optimum", "rationing")]
    best, worst = (result.value_added.sum().item() for result in results)
    assert worst <= best + 1e-6 * size(table)
    for result in results:
        made = result.output.sel(phase="run", region="MX2", sector="s0").item()
        assert made <= -cut * table.x.sel(region="MX2", sector="s0").item() + 1e-7 * size(table)
        x = x_of(table) + result.output.values.ravel()
        assert ((x - dense(table) @ x) <= np.maximum(table.y.sum(axis=1), 0) + 1e-6 * size(table)).all()


def test_caps_that_bind_nothing_are_refused(bundled: IOTable) -> None:
    with pytest.raises(nio.ShockError, match=r"none of the caps binds: MEX/c14 needs .* limits nothing"):
        found(bundled, nio.Capacity("MEX", "c14", headroom=0.1))


def test_caps_no_output_can_keep_say_which_to_relax(bundled: IOTable) -> None:
    with pytest.raises(nio.ShockError, match=r"serves 90% of final demand: relax MEX/c14 by .* million USD"):
        found(bundled, nio.Capacity("MEX", "c14", cut=0.5, served=0.9))


def test_the_share_that_resources_allow(bundled: IOTable) -> None:
    """s = headroom × use / use of the change, by hand; and the result is that share of the whole."""
    demand = nio.FinalDemand("MEX", "c14", "20 billion USD")
    cap = nio.Capacity("MEX", resource="jobs", headroom=0.005, rule="scale")
    whole, part = found(bundled, demand), found(bundled, demand, cap)
    jobs = bundled.F.sel(stressor="jobs", region="MEX").sum().item()
    share = 0.005 * jobs / whole.jobs.sel(region="MEX").sum().item()
    assert share < 1
    assert_allclose(part.fact.sel(fact_name="feasible share").item(), share, rtol=1e-10)
    assert_allclose(part.output.values, share * whole.output.values, rtol=1e-10, atol=1e-9)


@given(tables(idle=False), st.integers(1, 10))
def test_inventories_stand_still_without_a_blockade(table: IOTable, days: int) -> None:
    result = found(table, nio.Inventories([("USA", "MEX")], days=days, share=0.0))
    assert_allclose(result.output.values, 0.0, atol=1e-8 * size(table))


@given(tables(idle=False), st.integers(1, 5))
def test_with_stocks_for_long_only_the_blocked_orders_are_lost(table: IOTable, days: int) -> None:
    """Stocks for a thousand days never run low: on the first day output falls by what is not delivered, no more."""
    table = table.with_numbers(table.Z, np.maximum(table.y, 0.0), None)
    calm = nio.Inventories([("USA", "MEX")], days=1, horizon=1, stock=1000.0)
    result = found(table, calm, effects=True).sel(phase="event")
    assert_allclose(result.output.sel(effect="indirect").values, 0.0, atol=1e-9 * size(table))
    stopped = -result.output.sel(effect="direct").sum().item()
    trade = sum(
        table.flows(a, None, b).sum().item()
        + table.Y.sel(region=table.select(a)["region"], final_region=b).sum().item()
        for a, b in (("USA", "MEX"), ("MEX", "USA"))
    )
    assert_allclose(stopped, trade / 365, rtol=1e-9)
    longer = found(table, nio.Inventories([("USA", "MEX")], days=days + 3, stock=2.0, sensitivity=1.0))
    assert longer.output.sum().item() < -stopped


# -- prices ------------------------------------------------------------------------------------------------------------


def tariff_matrix(table: IOTable, rate: float) -> tuple[np.ndarray, np.ndarray]:
    T, final = np.zeros((table.n, table.n)), np.zeros(table.y.shape)
    k = len(table.categories)
    place = table.final_regions.index("USA")
    T[np.ix_(table.positions("MEX", "s0"), table.positions("USA"))] = rate
    final[np.ix_(table.positions("MEX", "s0"), range(place * k, (place + 1) * k))] = rate
    return T, final


@given(tables(), st.floats(-0.2, 0.5))
def test_the_leontief_limit_of_a_tariff(table: IOTable, rate: float) -> None:
    """σ = 0: p = primary (I − A ∘ (1 + T))⁻¹ and nothing else moves; revenue is T ∘ Z at these prices."""
    if not table.x.sel(region=["MX1", "MX2"], sector="s0").sum() > 0 or abs(rate) < 1e-6:
        return
    result = found(table, nio.Tariff("USA", "MEX", rate, sectors="s0"))
    A, (T, final) = dense(table), tariff_matrix(table, rate)
    p = np.linalg.solve((np.eye(table.n) - A * (1 + T)).T, 1 - A.sum(axis=0))
    assert_allclose(result.price.values.ravel(), p - 1, atol=1e-10)
    assert_allclose(result.output.values, 0.0, atol=1e-9 * size(table))
    revenue = (T * (p[:, None] * A * x_of(table))).sum() + (final * p[:, None] * table.y).sum()
    assert_allclose(result.fact.sel(fact_name="revenue of the duty").item(), revenue, rtol=1e-8, atol=1e-9)


@given(tables(idle=False), st.floats(-0.1, 0.5), st.sampled_from([0.5, 2.0, 4.0, 7.0]), st.floats(0.0, 1.0))
def test_an_equilibrium_of_prices_covers_every_cost(table: IOTable, rate: float, sigma: float, passed: float) -> None:
    """Zero profits at the fixed point, p̂'A' + primary = p; what final users pay is earned or collected."""
    from nearshore_io.prices import equilibrium
    from nearshore_io.solvers import DenseLU

    change = scenario(nio.Tariff("USA", "MEX", rate, sectors="s0", elasticity=sigma, pass_through=passed)).changes(
        table
    )["run"]
    A, width = dense(table), len(table.sectors)
    primary_cost = 1 - A.sum(axis=0)
    at = equilibrium(DenseLU().factorise(table.A), table.A, table.y, primary_cost, change.wedge, width)
    T, final = tariff_matrix(table, rate * passed)
    after = at.A if isinstance(at.A, np.ndarray) else at.A.toarray()
    assert_allclose((at.p[:, None] * (1 + T) * after).sum(axis=0) + primary_cost, at.p, rtol=1e-9)
    assert at.iterations < 50
    x = np.linalg.solve(np.eye(table.n) - after, at.Y.sum(axis=1))
    spent = (at.p[:, None] * (1 + final) * at.Y).sum()
    collected = (T * at.p[:, None] * after * x).sum() + (final * at.p[:, None] * at.Y).sum()
    assert_allclose(spent, primary_cost @ x + collected, rtol=1e-8)
    cost_before = (at.p[:, None] * (1 + T) * A).sum(axis=0) + primary_cost
    assert (at.p <= cost_before + 1e-9).all()  # substitution never costs more


@given(tables(idle=False), st.floats(0.01, 0.3))
def test_a_small_elasticity_comes_near_the_leontief_limit(table: IOTable, rate: float) -> None:
    fixed = found(table, nio.Tariff("USA", "MEX", rate, sectors="s0"))
    nearly = found(table, nio.Tariff("USA", "MEX", rate, sectors="s0", elasticity=1e-7))
    assert_allclose(nearly.price.values, fixed.price.values, atol=1e-6)
    assert_allclose(nearly.output.values, 0.0, atol=1e-5 * size(table))


def test_a_tariff_nobody_passes_on_is_borne_by_sellers(bundled: IOTable) -> None:
    result = found(bundled, nio.Tariff("USA", "MEX", 0.25, sectors="c15", pass_through=0.0))
    assert_allclose(result.price.values, 0.0, atol=1e-12)
    revenue = result.fact.sel(fact_name="revenue of the duty").item()
    assert_allclose(result.value_added.sel(region="MEX", sector="c15").item(), -revenue, rtol=1e-9)
    assert_allclose(result.value_added.sum().item(), -revenue, rtol=1e-9)


def test_revenue_that_is_spent_is_spent(bundled: IOTable) -> None:
    result = found(bundled, nio.Tariff("USA", "CHN", 0.1, sectors="c14", elasticity=4.0, recycle="HFCE"))
    kept = found(bundled, nio.Tariff("USA", "CHN", 0.1, sectors="c14", elasticity=4.0))
    revenue = result.fact.sel(fact_name="revenue of the duty").item()
    more = result.value_added.sum().item() - kept.value_added.sum().item()
    assert_allclose(more, revenue, rtol=2e-3)  # at base prices, where a dollar buys a little less than a dollar


@given(tables(), st.floats(0.01, 0.3))
def test_wages_passed_on_raise_prices_by_their_share_in_every_chain(table: IOTable, rise: float) -> None:
    result = found(table, nio.Wage("MEX", rise))
    wages = np.zeros(table.n)
    at = table.positions("MEX")
    wages[at] = rise * table.intensity("compensation")[at]
    p = np.linalg.solve((np.eye(table.n) - dense(table)).T, wages)
    assert_allclose(result.price.values.ravel(), p, atol=1e-10)
    bill = wages @ x_of(table)
    assert_allclose(p @ table.y.sum(axis=1), bill, rtol=1e-9)  # what final users pay more is what is earned more
    assert_allclose(result.value_added.sum().item(), bill, rtol=1e-9)
    assert_allclose(result.compensation.sel(region=["MX1", "MX2"]).sum().item(), bill, rtol=1e-9)


# -- rules of origin ---------------------------------------------------------------------------------------------------


def test_the_least_resourcing_that_meets_a_rule(bundled: IOTable) -> None:
    """Against a quadratic program solved by another method, cell by cell."""
    from scipy.optimize import minimize

    rule = nio.ContentRule("MEX", "c15", 0.90, area=["USA", "MEX", "CAN"])
    change = scenario(rule).changes(bundled)["run"]
    j, width = bundled.positions("MEX", "c15")[0], len(bundled.sectors)
    a = dense(bundled)[:, j]
    moved = np.asarray(change.P.todense()).ravel()
    inside = np.isin(np.arange(bundled.n), bundled.positions(["USA", "MEX", "CAN"]))
    assert_allclose(1 - (a + moved)[~inside].sum(), 0.90, rtol=1e-12)
    assert_allclose(moved.reshape(-1, width).sum(axis=0), 0.0, atol=1e-15)
    assert (a + moved >= -1e-15).all()
    own, foreign = ((a * side).reshape(-1, width).sum(axis=0) for side in (inside, ~inside))
    use = np.flatnonzero((own > 0) & (foreign > 0))
    weight = 1 / own[use] + 1 / foreign[use]
    gap = 0.90 - (1 - a[~inside].sum())
    best = minimize(
        lambda t: 0.5 * (t**2 * weight).sum() * 1e3, np.full(len(use), gap / len(use)), jac=lambda t: t * weight * 1e3,
        bounds=[(0, most) for most in foreign[use]], constraints={"type": "eq", "fun": lambda t: (t.sum() - gap) * 1e3},
        method="SLSQP", options={"ftol": 1e-14, "maxiter": 1000},
    )  # fmt: skip
    mine = (moved * inside).reshape(-1, width).sum(axis=0)[use]
    assert_allclose(mine, best.x, atol=2e-6)
    result = found(bundled, rule)
    assert_allclose(result.value_added.sum().item(), 0.0, atol=1e-4)


def test_a_rule_that_is_met_moves_nothing(bundled: IOTable) -> None:
    result = found(bundled, nio.ContentRule("MEX", "c15", 0.1))
    assert_allclose(result.output.values, 0.0, atol=1e-9)


# -- households --------------------------------------------------------------------------------------------------------


@given(tables(idle=False), SHARES, SHARES)
def test_the_extended_closure_spends_only_what_is_new(table: IOTable, unemployed: float, benefit: float) -> None:
    shock = nio.FinalDemand("MX2", active(table, "MX2"), "10 million USD")
    extended = found(table, shock, closure=nio.Households(unemployed=unemployed, benefit=benefit))
    leaking = found(table, shock, closure=nio.Households(tax=unemployed * benefit))
    assert_allclose(extended.output.values, leaking.output.values, rtol=1e-9, atol=1e-9)


@given(tables(idle=False), st.floats(0.01, 0.3), st.floats(0.0, 0.5))
def test_higher_wages_are_spent_in_the_closed_model(table: IOTable, rise: float, tax: float) -> None:
    """Against the bordered inverse: [[A, h_c], [−h_r', 1]] with h_r at the new wages."""
    result = found(table, nio.Wage("MX2", rise), closure=nio.Households(tax=tax), effects=True)
    loop = nio.Leontief(table, closure=nio.Households(tax=tax)).household_loop(table.y)
    more = np.zeros(table.n)
    at = table.positions("MX2")
    more[at] = rise * table.intensity("compensation")[at] * (1 - tax)
    owner = [list(table.countries).index("MEX")]
    earning = loop.earning.copy()
    earning[owner] += more
    closed = dense(table) + loop.spending @ earning
    asked = loop.spending[:, owner].ravel() * (more @ x_of(table))
    expected = np.linalg.solve(np.eye(table.n) - closed, asked)
    assert_allclose(result.output.sel(effect="induced").values.ravel(), expected, rtol=1e-7, atol=1e-8)
    assert_allclose(result.output.sel(effect=["direct", "indirect"]).values, 0.0, atol=1e-9)


@given(tables(idle=False))
def test_a_plants_wages_are_spent(table: IOTable) -> None:
    """In the closed model a plant like its industry is final demand for it, wages and all."""
    plant = nio.Plant("MX2", "s0", output="10 million USD")
    demand = nio.FinalDemand("MX2", "s0", "10 million USD")
    one, other = (found(table, shock, closure="households", effects=True) for shock in (plant, demand))
    assert_allclose(one.output.values.sum(axis=1), other.output.values.sum(axis=1), rtol=1e-8, atol=1e-8)


# -- results -----------------------------------------------------------------------------------------------------------


@given(tables(idle=False), st.floats(0.05, 0.9))
def test_content_after_a_change_is_that_of_the_table_after_it(table: IOTable, share: float) -> None:
    model = nio.Leontief(table)
    shocks = {
        "move": nio.Relocation("s0", "CHN", "MX2", ["USA", "MEX"], share, relative_cost=1.01),
        "demand": nio.FinalDemand("MX2", "s0", "9 million USD", final_region="USA"),
        "recipe": nio.Technology("MX2", "s0", share, localised="s0", localisation=0.5),
        "border": nio.Extraction([("USA", "CHN")], share=share, resourced=True),
    }
    for name, shock in shocks.items():
        try:
            result = nio.run(model, scenario(shock), content=True).content.isel(scenario=0).sel(phase="run")
        except nio.ShockError:
            continue
        after = nio.counterfactual(model, scenario(shock))
        for origin, exporter, importer in (("USA", "MEX", None), ("USA", "MEX", "USA"), ("MEX", "USA", "MEX")):
            flow = f"{origin} in exports of {exporter} to {importer or 'all'}"
            for when, at in (("before", model), ("after", after)):
                expected = nio.export_content(at, exporter, importer).sel(origin=origin).item()
                assert_allclose(result.sel(flow=flow, when=when).item(), expected, rtol=1e-8, err_msg=f"{name} {flow}")


@given(tables(idle=False), st.floats(0.05, 0.9), SHARES)
def test_content_with_new_columns_is_that_of_the_bordered_table(table: IOTable, share: float, local: float) -> None:
    """A plant that assembles kits is no average of its industry: its exports carry its own content."""
    shock = nio.Relocation("s0", "CHN", "MX2", ["USA", "MEX"], share, localisation=local)
    try:
        (change,) = scenario(shock).changes(table).values()
    except nio.ShockError:
        return
    (plant,) = change.activities
    n, k = table.n, len(table.categories)
    A, Y = dense(table) + (change.P @ change.Q).toarray(), table.y + change.demand.toarray()
    whole = np.block([[A, plant.recipe[:, None]], [plant.sales[None, :], np.zeros((1, 1))]])
    finals = np.vstack([Y, plant.final])
    x = np.linalg.solve(np.eye(n + 1) - whole, finals.sum(axis=1))
    v = np.append(table.intensity("value_added"), plant.intensities["value_added"])
    owner = np.array([table.country[table.regions[i // len(table.sectors)]] for i in range(n)] + ["MEX"])
    result = nio.run(nio.Leontief(table), scenario(shock), content=True).content.isel(scenario=0).sel(phase="run")
    for origin, exporter, importer in (("USA", "MEX", None), ("USA", "MEX", "USA"), ("MEX", "USA", "MEX")):
        abroad = [name for name in table.countries if name != exporter] if importer is None else [importer]
        uses = [table.final_regions.index(name) * k + c for name in abroad for c in range(k)]
        exports = whole[:, np.isin(owner, abroad)] @ x[np.isin(owner, abroad)] + finals[:, uses].sum(axis=1)
        exports[owner != exporter] = 0.0
        content = (v * (owner == origin)) @ np.linalg.solve(np.eye(n + 1) - whole, exports) / exports.sum()
        flow = f"{origin} in exports of {exporter} to {importer or 'all'}"
        assert_allclose(result.sel(flow=flow, when="after").item(), content, rtol=1e-9)


@given(tables(idle=False), st.integers(1, 6), SHARES, st.integers(1, 60), st.sampled_from(["industries", "everybody"]))
def test_what_is_made_is_used_eaten_or_stored(table: IOTable, days: int, share: float, more: int, first: str) -> None:
    """By product, over any number of days: output lost = inputs not used + final demand not served − stocks gained."""
    from nearshore_io.limits import disrupted

    shock = nio.Inventories(
        [("USA", "MEX")], days=days, share=share, stock=4.0, horizon=days + more, served_first=first
    )
    blockade = shock.changes(table, {})["event"].blockade
    width = len(table.sectors)
    at = disrupted(table.A, x_of(table), table.y, blockade, width)
    recipe = inputs_by_product(dense(table), width)
    made = at.lost.reshape(-1, width).sum(axis=0)
    used = recipe @ at.lost
    eaten = -at.unserved.reshape(-1, width).sum(axis=0)
    assert_allclose(made, used + eaten + at.stocks.sum(axis=1), atol=1e-10 * size(table))


def test_shares_from_prices_with_several_origins(bundled: IOTable) -> None:
    """Every origin loses to the destination by the same ratio, (1 + δ)^(1−σ), however many there are."""
    move = nio.Relocation("c14", "east_asia", "MEX", "USA", elasticity=4.0, price_change=-0.1)
    change = scenario(move).changes(bundled)["run"]
    before = dense(bundled)[:, bundled.positions("USA", "c15")[0]]
    after = before + (change.P @ change.Q).toarray()[:, bundled.positions("USA", "c15")[0]]
    mexico = bundled.positions("MEX", "c14")[0]
    for origin in ("CHN", "JPN", "KOR", "TWN"):
        c = bundled.positions(origin, "c14")[0]
        assert_allclose((after[mexico] / after[c]) / (before[mexico] / before[c]), 0.9 ** (1 - 4.0), rtol=1e-10)


@given(tables(idle=False), st.floats(0.05, 0.3))
def test_content_at_new_prices_is_that_of_the_table_at_new_prices(table: IOTable, rise: float) -> None:
    shock = nio.Wage("MEX", rise)
    model = nio.Leontief(table)
    result = nio.run(model, scenario(shock), content=True).content.isel(scenario=0).sel(phase="run", when="after")
    after = nio.counterfactual(model, scenario(shock))
    for k, (origin, exporter, importer) in enumerate(
        (("USA", "MEX", None), ("USA", "MEX", "USA"), ("MEX", "USA", "MEX"))
    ):
        expected = nio.export_content(after, exporter, importer).sel(origin=origin).item()
        assert_allclose(result.isel(flow=k).item(), expected, rtol=1e-9)


@given(tables(idle=False), st.floats(0.1, 0.5), st.floats(5.0, 50.0))
def test_caps_hold_for_plants_too(table: IOTable, cut: float, output: float) -> None:
    """Given output calls for suppliers: the optimum beside a cap elsewhere serves what it implies."""
    sound = without_losses(table)
    if sound is None:
        return
    plant = nio.Output("MX1", "s0", output, unit="million USD")
    result = found(sound, plant, nio.Capacity("USA", "s0", cut=cut))
    A, x, v = dense(sound), x_of(sound), sound.intensity("value_added")
    o, capped = sound.positions("MX1", "s0")[0], sound.positions("USA", "s0")[0]
    L = np.linalg.inv(np.eye(sound.n) - A)
    wanted = x + L[:, o] / L[o, o] * output
    best = best_below(sound, wanted - A @ wanted, capped, x[capped] * (1 - cut))
    assert_allclose(v @ x + result.value_added.sum().item(), -best.fun, rtol=1e-8)


def test_wages_of_another_stressor_are_those_that_rise() -> None:
    table = random_table(5)
    pay, unit = table.stressors["compensation"]
    table = table.with_stressors({"wages": (0.8 * pay, unit)}, "made")
    result = found(table, nio.Wage("MEX", 0.1, income="wages"))
    more = 0.1 * 0.8 * np.nansum(pay[table.positions("MEX")])
    assert_allclose(result.wages.sel(region=["MX1", "MX2"]).sum().item(), more, rtol=1e-12)
    assert_allclose(result.compensation.sel(region=["MX1", "MX2"]).sum().item(), 0.0, atol=1e-12)
    assert_allclose(result.value_added.sum().item(), more, rtol=1e-12)


def test_a_wage_nobody_counts_is_unknown_and_not_unchanged() -> None:
    table = random_table(5)
    pay, unit = table.stressors["compensation"]
    uncounted = np.isnan(pay)
    earned = np.where(uncounted, 0.1 * x_of(table), pay)
    table = table.with_stressors({"labour_income": (earned, unit)}, "made")
    result = found(table, nio.Wage(table.regions, 0.1))
    assert_allclose(result.labour_income.values.ravel(), 0.1 * earned, rtol=1e-12)
    assert_allclose(result.compensation.values.ravel()[~uncounted], 0.1 * pay[~uncounted], rtol=1e-12)
    assert np.isnan(result.compensation.values.ravel()[uncounted]).all()


def test_plants_where_nobody_counts_labour_run_in_the_closed_model(bundled: IOTable) -> None:
    """Households of the rest of the world are exogenous: what a plant there pays is spent outside the loop."""
    move = nio.Relocation("c15", "CHN", "OTH", "USA", 0.2, localisation=0.5)
    result = found(bundled, move, closure="households")
    assert np.isfinite(result.output.values).all()


def test_a_subsidy_stands_in_the_table_after_it() -> None:
    table = random_table(5, tax=False)
    move = nio.Relocation("s0", "CHN", "MX2", ["USA", "MEX"], 0.3, relative_cost=1.1, cost_paid_by="subsidy")
    model = nio.Leontief(table)
    after = nio.counterfactual(model, scenario(move)).table
    assert_allclose(after.imbalance("inputs").values, 0.0, atol=1e-9 * size(table))
    final = nio.Relocation(
        "s0", "CHN", "MX2", ["USA", "MEX"], 0.3, uses="final", relative_cost=1.1, cost_paid_by="subsidy"
    )
    bill = nio.run(model, scenario(final)).fact.sel(fact_name="subsidy bill at the table's outputs").item()
    bought = table.Y.sel(region="CHN", sector="s0", final_region=["USA", "MEX"]).sum().item()
    assert_allclose(bill, 0.1 * 0.3 * bought, rtol=1e-12)


@given(tables(idle=False), st.floats(0.1, 0.9))
def test_a_part_of_a_country_is_not_the_country(table: IOTable, share: float) -> None:
    """MX2 named, MX1 keeps its trade; final users, who belong to Mexico, keep theirs too."""
    change = scenario(nio.Extraction([("CHN", "MX2")], share=share, direction="forward")).changes(table)["run"]
    lost = (change.P @ change.Q).toarray()
    at = np.ix_(table.positions("CHN"), table.positions("MX2"))
    assert_allclose(lost[at], -share * dense(table)[at], atol=1e-15)
    lost[at] = 0.0
    assert not lost.any()
    assert change.demand.nnz == 0
    paid = scenario(nio.Tariff("USA", "MX2", 0.1, sectors="s0")).changes(table)["run"].wedge.paid
    assert set(paid.tocoo().coords[0].tolist()) == set(table.positions("MX2", "s0").tolist())


def test_purchases_that_go_nowhere_do_not_change_their_origin() -> None:
    table = random_table(5)
    lost, moved = (found(table, nio.Extraction([("USA", "MEX")], share=0.4, resourced=r)) for r in (False, True))
    assert lost["redirected"].item() == pytest.approx(0.0, abs=1e-9)
    assert moved["redirected"].item() > 1.0


def test_demand_for_held_industries_calls_for_nothing_by_either_route() -> None:
    table = random_table(5, idle=False)
    model = nio.Leontief(table, closure=nio.Mixed([("MX2", "s0")]))
    shock = scenario(nio.FinalDemand("MX2", "s0", "10 million USD"))
    totals = nio.run_totals(model.functionals(model.weights("value_added", ["USA", "MEX"])), shock)
    assert_allclose(totals.values, 0.0, atol=1e-12)
    assert_allclose(nio.run(model, shock).value_added.values, 0.0, atol=1e-12)


@given(tables(idle=False), st.floats(-0.2, 0.3), st.sampled_from([0.0, 4.0]))
def test_a_trade_cost_is_paid_and_collected_by_nobody(table: IOTable, rate: float, sigma: float) -> None:
    """Both ways: in the Leontief limit p (A ∘ (1 + δ)) + primary; what final users pay is earned, plus what melts."""
    if abs(rate) < 1e-3:
        return
    result = found(table, nio.TradeCost([("USA", "MEX")], rate, sectors="s0", elasticity=sigma))
    assert "fact" not in result or "revenue of the duty" not in result["fact_name"].values
    A = dense(table)
    T = np.zeros_like(A)
    for seller, buyer in (("USA", "MEX"), ("MEX", "USA")):
        T[np.ix_(table.positions(seller, "s0"), table.positions(buyer))] = rate
    if sigma == 0.0:
        p = np.linalg.solve((np.eye(table.n) - A * (1 + T)).T, 1 - A.sum(axis=0))
        assert_allclose(result.price.values.ravel(), p - 1, atol=1e-10)
        assert_allclose(result.output.values, 0.0, atol=1e-9 * size(table))
    else:
        sold = [table.positions("USA", "s0")[0], *table.positions("MEX", "s0")]
        trade = A[sold[0], table.positions("MEX")].sum() + A[sold[1:]][:, table.positions("USA")].sum()
        if trade > 1e-3:
            assert float(np.abs(result.price.values).max()) > 0


@given(tables(idle=False), st.floats(1.0, 50.0))
def test_a_running_investment_is_its_given_output(table: IOTable, output: float) -> None:
    invested = found(table, nio.FDI("MX2", "s0", 10.0, unit="million USD", output=output)).sel(phase="run")
    given_output = found(table, nio.Output("MX2", "s0", output, unit="million USD")).sel(phase="run")
    for name in ("output", *table.inputs, "jobs"):
        assert_allclose(invested[name].values, given_output[name].values, rtol=1e-10, atol=1e-10)
