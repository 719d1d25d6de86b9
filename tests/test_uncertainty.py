"""Errors of a table: closed forms against finite differences, against draws, and against what they claim to cover."""

from typing import Any

import numpy as np
import pytest
from conftest import random_table
from hypothesis import given
from hypothesis import strategies as st

import nearshore_io as nio
from nearshore_io.batch.economy import direct_effect
from nearshore_io.batch.engine.prepared import Prepared
from nearshore_io.batch.engine.singles import solve_each
from nearshore_io.batch.respond import respond
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable
from nearshore_io.totals import Request, read_totals
from nearshore_io.uncertainty.propagate import Propagation, Solved
from nearshore_io.uncertainty.redrawn import with_coefficients

ERRORS = nio.DirichletErrors(home=0.1, across=0.3)
TOTALS = "value_added of USA, value_added of MEX, jobs of MEX, output of CHN"


def primary_of(table: IOTable) -> dict[str, Array]:
    return {name: table.per_output(values) for name, values in table.inputs.items()}


def total(table: IOTable, scenario: nio.Scenario, words: str) -> Array:
    """Return totals of a scenario by `run`, on a table."""
    model = nio.Leontief(table, solver=nio.solvers.DenseLU())
    sweep_rows = Request.of(model, read_totals(words)).rows
    phase = next(iter(scenario.changes(table)))
    one = nio.run(model, scenario).sel(phase=phase).isel(scenario=0)
    return np.array([float(one[row.variable].values.ravel()[row.members].sum()) for row in sweep_rows])


SHOCKS: dict[str, Any] = {
    "demand": nio.FinalDemand("MX2", "s0", "100 million USD"),
    "move": nio.Relocation("s0", "CHN", "MX2", ["USA", "MEX"], share=0.3),
    "dear move": nio.Relocation(["s0", "s1"], "CHN", "MX2", ["USA", "MEX"], share=0.2, relative_cost=1.2),
    "border": nio.Extraction(pairs=[("USA", "MEX")], share=0.4),
    "given output": nio.Output("MX2", "s0", "10 million USD"),
}


@pytest.mark.parametrize("kind", SHOCKS)
@pytest.mark.parametrize("seed", [3, 11])
def test_gradients_are_those_of_finite_differences(kind: str, seed: int) -> None:
    """Every coefficient and every purchase of final users is moved by a little, and the scenario run again."""
    table = random_table(seed, 2, idle=False)
    scenario = nio.Scenario(kind, [SHOCKS[kind]])
    model = nio.Leontief(table, solver=nio.solvers.DenseLU())
    request = Request.of(model, read_totals(TOTALS))
    change = next(iter(scenario.changes(table).values()))
    direct_effect(model, change)
    response = respond(model, [change])[0]
    factors = model.factors if response.economy is None else response.economy.factors
    propagation = Propagation(request, ERRORS)
    rng = np.random.default_rng(seed)
    A, Y, step = dense(table.A), np.array(table.y), 1e-6
    for row in range(request.linear):
        inputs, baskets = propagation.gradients(Solved(change, response.closed, factors), row)
        ours = inputs.block(0, table.n)
        for k, j in rng.permutation(np.argwhere(A > 1e-3))[:8].tolist():
            sides = []
            for sign in (1, -1):
                moved = A.copy()
                moved[k, j] += sign * step
                sides.append(
                    total(with_coefficients(table, moved, Y, primary_of(table), "moved"), scenario, TOTALS)[row]
                )
            numeric = (sides[0] - sides[1]) / (2 * step)
            assert ours[k, j] == pytest.approx(numeric, rel=2e-4, abs=2e-4 * np.abs(ours).max())
        for k, u in rng.permutation(np.argwhere(Y > 0))[:4].tolist() if baskets is not None else ():
            sides = []
            for sign in (1, -1):
                bought = Y.copy()
                bought[k, u] += sign * step * 1e3
                sides.append(
                    total(with_coefficients(table, A, bought, primary_of(table), "moved"), scenario, TOTALS)[row]
                )
            numeric = (sides[0] - sides[1]) / (2 * step * 1e3)
            final = baskets.block(0, table.n)
            assert final[k, u] == pytest.approx(numeric, rel=2e-4, abs=2e-4 * np.abs(final).max())


def test_one_concentration_is_the_formula_of_a_single_dirichlet() -> None:
    """With κ_p = κ r_p two steps are one Dirichlet: Var = Σ x_j²/(κ+1) [Σ m w² − (Σ m w)²], to first order in both."""
    table = random_table(5, 2, idle=False)
    model = nio.Leontief(table, solver=nio.solvers.DenseLU())
    scenario = nio.Scenario("d", [SHOCKS["demand"]])
    kappa = 400.0
    request = Request.of(model, read_totals("value_added of MEX, jobs of MEX"))
    propagation = Propagation(request, nio.DirichletErrors(recipe=kappa, origins=kappa))
    shares = propagation.industries
    vars(propagation)["industries"] = type(shares)(
        shares.cells, shares.primary, shares.products, np.full(table.n, kappa), kappa * shares.products
    )
    change = scenario.changes(table)["run"]
    dx = respond(model, [change])[0].closed
    ours = propagation.of_demand(dx[None])[0]
    A, L = dense(table.A), np.linalg.inv(np.eye(table.n) - dense(table.A))
    primary = np.array(list(primary_of(table).values()))
    for row in range(2):
        weights = request.weights[row] @ L
        counted = np.array([request.members[row] * (name == request.rows[row].variable) for name in table.inputs])
        columns = np.vstack([A, np.maximum(primary, 0.0)])
        w = np.vstack([np.tile(weights[:, None], (1, table.n)), counted])
        m = columns / columns.sum(axis=0)
        scale = columns.sum(axis=0)
        bracket = (m * w**2).sum(axis=0) - (m * w).sum(axis=0) ** 2
        exact = np.sqrt((dx**2 * scale**2 / (kappa + 1) * bracket).sum())
        # κ_p + 1 = κ r_p + 1 where the exact split has r_p (κ r_p + 1)/(κ + 1): equal as κ grows
        assert ours[row] == pytest.approx(exact, rel=0.02)


@given(st.integers(0, 10_000))
def test_drawn_tables_are_tables(seed: int) -> None:
    table = random_table(seed, 3)
    for drawn in nio.draw_tables(table, ERRORS, 2, seed):
        A, v = dense(drawn.A), sum(primary_of(drawn).values())
        active = drawn.x.values.ravel() != 0
        np.testing.assert_allclose((A.sum(axis=0) + v)[active], 1.0, rtol=1e-9)
        np.testing.assert_array_equal(drawn.x.values.ravel() == 0, table.x.values.ravel() == 0)
        np.testing.assert_allclose(drawn.y.sum(axis=0), table.y.sum(axis=0), rtol=1e-9)
        np.testing.assert_array_equal(A > 0, dense(table.A) > 0)
        assert np.abs(drawn.imbalance("inputs").values).max() <= 1e-9 * float(drawn.x.max())
        for name in ("jobs", "compensation"):
            np.testing.assert_allclose(drawn.intensity(name)[active], table.intensity(name)[active], rtol=1e-9)


@pytest.mark.slow
def test_draws_have_the_means_and_variances_they_say() -> None:
    table = random_table(8, 2, idle=False)
    errors = nio.DirichletErrors(recipe=60.0, origins=25.0)
    A, width = dense(table.A), len(table.sectors)
    drawn = np.array([dense(found.A) for found in nio.draw_tables(table, errors, 1500, 1)])
    np.testing.assert_allclose(drawn.mean(axis=0), A, rtol=0, atol=8e-3)
    products = np.array([drawn[:, p::width].sum(axis=1) for p in range(width)])
    r = np.array([A[p::width].sum(axis=0) for p in range(width)])
    np.testing.assert_allclose(products.var(axis=1), r * (1 - r) / 61, rtol=0.3)
    theta = drawn[:, 0::width] / products[0][:, None]
    mean = A[0::width] / r[0]
    np.testing.assert_allclose(theta.var(axis=0), mean * (1 - mean) / 26, rtol=0.35, atol=2e-5)


def test_lognormal_draws_keep_the_margins_of_the_table(estimated: IOTable) -> None:
    Z = dense(estimated.Z)
    errors = nio.LognormalErrors(small_cells=0.1)
    for drawn in nio.draw_tables(estimated, errors, 2, 4):
        np.testing.assert_allclose(dense(drawn.Z).sum(axis=1), Z.sum(axis=1), rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(dense(drawn.Z).sum(axis=0), Z.sum(axis=0), rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(drawn.x.values, estimated.x.values, rtol=1e-9, atol=1e-6)
        assert float(np.abs(dense(drawn.Z) - Z).sum() / Z.sum()) > 0.05


def test_draws_do_not_depend_on_how_many_are_asked_for() -> None:
    table = random_table(1, 2)
    few, many = list(nio.draw_tables(table, ERRORS, 2, 9)), list(nio.draw_tables(table, ERRORS, 4, 9))
    assert [t.sha256 for t in few] == [t.sha256 for t in many[:2]]
    assert few[0].sha256 != few[1].sha256


SCENARIOS = [
    nio.Scenario("orders", [nio.FinalDemand("MX2", "C26", "1 billion USD")]),
    nio.Scenario("move", [nio.Relocation("C26", "CHN", "MEX", ["USA", "MEX"], share=0.1)]),
    nio.Scenario("plant", [nio.FDI("MEX", "C29", "1 billion USD")]),
]
BANDED = "value_added of USA, value_added of MEX, value_added of CHN, jobs of MEX, jobs of USA"


@pytest.fixture(scope="module")
def simulated(estimated: IOTable) -> dict[str, Any]:
    """Return totals of scenarios, and US content of Mexican exports, on tables drawn around the shipped one."""
    draws: dict[str, Any] = {scenario.name: [] for scenario in SCENARIOS} | {"content": []}
    for table in nio.draw_tables(estimated, nio.DirichletErrors(), 140, 2):
        model = nio.Leontief(table, solver=nio.solvers.DenseLU())
        prepared = Prepared.of(model, read_totals(BANDED), (), None)
        for part in solve_each(prepared, enumerate(SCENARIOS))[0]:
            for place, values in zip(part.places.tolist(), part.values, strict=True):
                draws[SCENARIOS[place].name].append(values)
        draws["content"].append(float(nio.export_content(model, "MEX", "USA").sel(origin="USA")))
    return {name: np.array(values) for name, values in draws.items()}


@pytest.mark.slow
def test_the_band_covers_nine_tenths_of_simulated_truths(estimated: IOTable, simulated: dict[str, Any]) -> None:
    model = nio.Leontief(estimated)
    band = nio.table_band(model, SCENARIOS, BANDED)
    held = []
    for scenario in SCENARIOS:
        part, draws = band[band["scenario"] == scenario.name], simulated[scenario.name]
        inside = (draws >= part["low"].to_numpy()) & (draws <= part["high"].to_numpy())
        held.append(inside.mean(axis=0))
        np.testing.assert_allclose(part["sd"].to_numpy(), draws.std(axis=0), rtol=0.25)
    content = nio.content_band(model, "MEX", "USA").loc["USA"]
    draws = simulated["content"]
    held.append([np.mean((draws >= content["low"]) & (draws <= content["high"]))])
    assert content["sd"] == pytest.approx(draws.std(), rel=0.2)
    share = np.concatenate(held)
    assert 0.87 < share.mean() < 0.94
    assert share.min() > 0.8


@pytest.mark.slow
def test_the_band_around_a_drawn_table_covers_the_table_it_was_drawn_from(estimated: IOTable) -> None:
    """The other way round: who has one table that is off finds the truth in the band around it."""
    truth = nio.table_band(nio.Leontief(estimated), SCENARIOS[:2], BANDED, errors=ERRORS)["value"].to_numpy()
    held = []
    for table in nio.draw_tables(estimated, ERRORS, 60, 6):
        model = nio.Leontief(table, solver=nio.solvers.DenseLU())
        band = nio.table_band(model, SCENARIOS[:2], BANDED, errors=ERRORS)
        held.append((truth >= band["low"].to_numpy()) & (truth <= band["high"].to_numpy()))
    assert 0.82 < np.mean(held) < 0.97


def test_a_sweep_over_drawn_tables_is_the_runs_on_those_tables(estimated: IOTable) -> None:
    errors = nio.DirichletErrors(home=0.05, across=0.2)
    shock = {
        "kind": "relocation",
        "sectors": "C26",
        "origin": "CHN",
        "destination": "MEX",
        "buyers": "$who",
        "share": "$share",
    }
    sweep = nio.Sweep(
        "mc", [shock], axes={"who": ["USA", "MEX"]}, distributions={"share": nio.Uniform(0.05, 0.2)}, samples=4, seed=5,
        table_errors=errors,
    )  # fmt: skip
    results = nio.run(nio.Leontief(estimated), sweep, totals="value_added of MEX, content MEX→USA", chunk=3)
    frame = results.to_pandas("value_added").set_index("scenario")
    for number, table in enumerate(nio.draw_tables(estimated, errors, 4, 5)):
        for place, who in enumerate(("USA", "MEX")):
            row = frame.loc[2 * number + place]
            assert (row["sample"], row["who"]) == (number, who)
            move = nio.Relocation("C26", "CHN", "MEX", who, share=float(row["share"]))
            one = nio.run(nio.Leontief(table), nio.Scenario("one", [move])).value_added
            assert row["value"] == pytest.approx(float(one.isel(region=one["country"].values == "MEX").sum()), rel=1e-9)
    assert results.to_xarray("value_added").sel(sample=3, who="MEX").item() == pytest.approx(frame.loc[7, "value"])


def test_bands_of_a_sweep_are_those_of_its_scenarios(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    demand = {"kind": "final_demand", "region": "MX2", "sector": "$s", "amount": "$a", "unit": "million USD"}
    move = {
        "kind": "relocation",
        "sectors": "$s",
        "origin": "CHN",
        "destination": "MEX",
        "buyers": "USA",
        "share": "$a",
    }
    for shock, amounts in ((demand, [10.0, 1000.0]), (move, [0.05, 0.2])):
        sweep = nio.Sweep("b", [shock], axes={"s": ["C26", "C29"], "a": amounts})
        frame = nio.run(model, sweep, totals="value_added by country", band=nio.DirichletErrors()).to_pandas()
        for number in range(4):
            scenario = sweep.scenario(sweep.points(number, number + 1).values(0))
            alone = nio.table_band(model, scenario, "value_added by country")
            mine = frame[frame["scenario"] == number]
            np.testing.assert_allclose(mine["sd"], alone["sd"], rtol=1e-9)
            np.testing.assert_allclose(mine["value"], alone["value"], rtol=1e-9, atol=1e-9)


def test_the_cells_that_matter_are_those_that_move_the_result(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    scenario = nio.Scenario("orders", [nio.FinalDemand("MX2", "C26", "1 billion USD")])
    found = nio.error_sources(model, scenario, "value_added of MEX", top=200)
    assert found["share"].is_monotonic_decreasing
    assert found["share"].sum() < 1
    best = found.iloc[0]
    (seller, product), (buyer, user) = best["seller"].split("/"), best["buyer"].split("/")
    k, j = (estimated.positions(*place)[0] for place in ((seller, product), (buyer, user)))
    A, values = dense(estimated.A), primary_of(estimated)
    changed, step = np.array(A), 0.01 * A[k, j]
    changed[k, j] += step
    taken = {name: v - step * (np.arange(estimated.n) == j) * (name == "value_added") for name, v in values.items()}
    after = total(
        with_coefficients(estimated, changed, np.array(estimated.y), taken, "moved"), scenario, "value_added of MEX"
    )[0]
    before = total(estimated, scenario, "value_added of MEX")[0]
    assert best["elasticity"] == pytest.approx((after - before) / before / 0.01, rel=0.02)


def test_an_ungraded_table_says_what_is_assumed(bundled: IOTable) -> None:
    model = nio.Leontief(bundled)
    scenario = nio.Scenario("orders", [nio.FinalDemand("MEX", "c14", "1 billion USD")])
    assert "an assumption, ±10 %" in nio.table_band(model, scenario, "value_added of MEX").attrs["errors"]
    with pytest.raises(nio.LabelError, match="has no grades.*State how far its cells may be off"):
        next(nio.draw_tables(bundled, nio.DirichletErrors(), 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nio.DirichletErrors(home=0.1), "both or neither"),
        (lambda: nio.DirichletErrors(home=0.1, across=-0.3), "above zero"),
        (lambda: nio.DirichletErrors(recipe=10.0), "both or neither"),
        (lambda: nio.DirichletErrors(home=0.1, across=0.1, recipe=1.0, origins=1.0), "not both"),
        (lambda: nio.LognormalErrors(small_cells=1.5), "exponent from 0 to below 1"),
    ],
)
def test_errors_that_make_no_sense_are_refused(make: Any, message: str) -> None:
    with pytest.raises(nio.FormatError, match=message):
        make()


def test_shocks_without_a_closed_form_say_so(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    duty = nio.Scenario("duty", [nio.Tariff("USA", "MEX", 0.1)])
    with pytest.raises(nio.ShockError, match="for other shocks draw tables"):
        nio.table_band(model, duty, "value_added of MEX")
    with pytest.raises(nio.FormatError, match="content_band"):
        nio.table_band(model, SCENARIOS[0], "content MEX→USA")
    with pytest.raises(nio.FormatError, match="one number"):
        nio.error_sources(model, SCENARIOS[0], "jobs by country")
    with pytest.raises(nio.FormatError, match="level is a probability"):
        nio.table_band(model, SCENARIOS[0], "jobs of MEX", level=90)
    held = nio.Leontief(estimated, closure=nio.Mixed([("MX2", "C26")]))
    with pytest.raises(nio.ClosureError, match="in the open model only"):
        nio.table_band(held, SCENARIOS[0], "jobs of MEX")


def test_a_band_with_households_is_refused(estimated: IOTable) -> None:
    """Their baskets and incomes are uncertain too: the closed form of the open model would be far off."""
    closed = nio.Leontief(estimated, closure="households")
    with pytest.raises(nio.ClosureError, match="in the open model only"):
        nio.table_band(closed, SCENARIOS[1], "value_added of USA")


def test_sources_of_error_of_an_event_are_those_of_its_days(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    whole = nio.Scenario("year", [nio.Extraction(pairs=[("CHN", "USA")], share=0.5)])
    days = nio.Scenario("days", [nio.Extraction(pairs=[("CHN", "USA")], share=0.5, days=30)])
    year = nio.error_sources(model, whole, "value_added of MEX", top=5)
    part = nio.error_sources(model, days, "value_added of MEX", phase="event", top=5)
    assert part.attrs["sd"] == pytest.approx(year.attrs["sd"] * 30 / 365, rel=1e-9)
    assert part.attrs["value"] == pytest.approx(
        nio.table_band(model, days, "value_added of MEX")["value"].item(), rel=1e-9
    )
