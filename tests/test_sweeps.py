"""Sweeps: every route gives the numbers of one run each, and of plain numpy; what cannot be run is recorded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import active, random_table
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import nearshore_io as nio
from nearshore_io.cli import main
from nearshore_io.solvers.base import dense
from nearshore_io.sweeps.design import unit_points
from nearshore_io.table import IOTable
from nearshore_io.totals import read_totals

EVERYTHING = [
    "output by region and sector",
    "value_added by country",
    "taxes_less_subsidies by region",
    "jobs by country",
    "value_added",
    "jobs of MEX in s0",
]
CONTENT = ["content MEX→USA by origin", "content USA->MEX", "content MEX→all of CHN"]
RELOCATION = {
    "kind": "relocation",
    "sectors": "$product",
    "origin": "$origin",
    "destination": "$destination",
    "buyers": "$buyers",
    "share": "$share",
    "relative_cost": "$cost",
    "cost_paid_by": "$payer",
}


def alone(model: nio.Leontief, sweep: nio.Sweep, number: int) -> Any:
    """Return the results of one scenario of a sweep by `run`."""
    scenario = sweep.scenario(sweep.points(number, number + 1).values(0))
    return nio.run(model, scenario).isel(scenario=0)


def require_same(model: nio.Leontief, sweep: nio.Sweep, results: nio.SweepResults, numbers: Any) -> None:
    """Assert that totals of some scenarios are the sums of what `run` gives, to 1e-10."""
    frame = results.to_pandas()
    frame = frame[~frame["variable"].str.startswith("content")]
    for number in numbers:
        one, mine = alone(model, sweep, int(number)), frame[frame["scenario"] == number]
        assert len(mine)
        for row in mine.to_dict("records"):
            array = one[row["variable"]].sel(phase=row["phase"])
            inside = array["country"].values == row["place"]
            inside |= array["region"].values == row["place"]
            inside |= row["place"] == "world"
            array = array.isel(region=np.flatnonzero(inside))
            if row["sector"] != "all":
                array = array.sel(sector=row["sector"])
            expected = float(array.sum(skipna=False))
            size = float(np.nanmax(np.abs(one[row["variable"]].sel(phase=row["phase"]).values)))
            known = row["value"] is not None and not np.isnan(row["value"])
            assert known == (not np.isnan(expected)), row
            assert not known or abs(row["value"] - expected) <= 1e-10 * max(size, 1e-300) * 10, row


@given(st.integers(0, 10_000), st.sampled_from(["profit", "price", "subsidy"]), st.data())
def test_relocations_are_those_of_run(seed: int, payer: str, data: Any) -> None:
    table = random_table(seed, 3)
    model = nio.Leontief(table)
    sectors = [s for s in table.sectors if active(table, "MEX")] or list(table.sectors)
    destination = data.draw(st.sampled_from(["MEX", "MX2", {"MX1": 0.3, "MX2": 0.7}]))
    sweep = nio.Sweep(
        "moves",
        [RELOCATION],
        axes={
            "product": [sectors[0], list(table.sectors[:2]), list(table.sectors)],
            "origin": ["CHN", "USA"],
            "buyers": ["MEX", ["USA", "MEX"], "MX2"],
            "share": [0.0, 0.2, 1.0],
            "cost": [0.9, 1.0, 1.05],
        },
        constants={"destination": destination, "payer": payer},
    )
    results = nio.run(model, sweep, totals=[*EVERYTHING, *CONTENT])
    failed = set(results.failures.collect()["scenario"].to_list())
    good = [number for number in range(len(sweep)) if number not in failed]
    if not good:
        return
    chosen = data.draw(st.lists(st.sampled_from(good), min_size=3, max_size=6))
    require_same(model, sweep, results, chosen)
    frame = results.to_pandas("content MEX→USA")
    for number in chosen:
        scenario = sweep.scenario(sweep.points(number, number + 1).values(0))
        after = nio.run(model, scenario, content=True).content.isel(scenario=0, phase=0).sel(when="after")
        mine = frame[(frame["scenario"] == number) & (frame["place"] == "USA")]["value"].item()
        assert mine == pytest.approx(float(after.sel(flow="USA in exports of MEX to USA")), rel=1e-10, nan_ok=True)


def test_ten_thousand_relocations_against_plain_numpy(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    sweep = nio.Sweep(
        "check",
        [
            {key: value for key, value in RELOCATION.items() if key not in ("cost_paid_by", "destination")}
            | {"destination": "MEX"}
        ],
        axes={
            "product": {"sectors": "manufacturing"},
            "origin": ["CHN", "JPN", "EU27", "CAN"],
            "buyers": ["USA", ["USA", "MEX"]],
            "share": {"from": 0.02, "to": 0.5, "steps": 11},
            "cost": {"from": 0.9, "to": 1.2, "steps": 6},
        },
    ).on(estimated)
    results = nio.run(model, sweep, totals="value_added by country, jobs by country")
    assert len(sweep) == 10_032
    assert results.failed == 0
    A, Y, x = dense(estimated.A), estimated.y, estimated.x.values.ravel()
    v, width = estimated.intensity("value_added"), len(estimated.sectors)
    owner = np.repeat([estimated.country[region] for region in estimated.regions], width)
    frame = results.to_pandas("value_added")
    for number in np.random.default_rng(3).choice(len(sweep), 12, replace=False).tolist():
        values = sweep.points(number, number + 1).values(0)
        product, buyers = estimated.sectors.index(values["product"]), values["buyers"]
        buyers = [buyers] if isinstance(buyers, str) else buyers
        origin = estimated.regions.index(values["origin"]) * width + product
        hosts = [estimated.regions.index(region) * width + product for region in ("MX1", "MX2")]
        part = x[hosts] / x[hosts].sum()
        columns = np.isin(owner, buyers)
        uses = np.repeat(np.isin(estimated.final_regions, buyers), len(estimated.categories))
        changed, demand = A.copy(), Y.copy()
        moved, final = values["share"] * A[origin] * columns, values["share"] * Y[origin] * uses
        changed[origin] -= moved
        demand[origin] -= final
        for host, share in zip(hosts, part, strict=True):
            changed[host] += values["cost"] * share * moved
            demand[host] += values["cost"] * share * final
        after = np.linalg.solve(np.eye(estimated.n) - changed, demand.sum(axis=1))
        gain = (v - (values["cost"] - 1) * moved) * after - v * x
        mine = frame[frame["scenario"] == number].set_index("place")["value"]
        for country in estimated.countries:
            assert mine[country] == pytest.approx(gain[owner == country].sum(), rel=1e-7, abs=1e-5)


@given(st.integers(0, 10_000), st.booleans())
def test_demand_is_that_of_run(seed: int, closed: bool) -> None:
    table = random_table(seed, 3)
    model = nio.Leontief(table, closure="households" if closed else None)
    shock = {
        "kind": "final_demand",
        "region": "$who",
        "sector": "$what",
        "amount": "$amount",
        "unit": "billion USD",
        "final_region": "USA",
    }
    sweep = nio.Sweep(
        "orders",
        [shock],
        axes={"who": ["MEX", "USA", "CHN"], "what": [*table.sectors, list(table.sectors)], "amount": [0.0, 0.5, 2.0]},
    )
    results = nio.run(model, sweep, totals=EVERYTHING)
    failed = set(results.failures.collect()["scenario"].to_list())
    require_same(model, sweep, results, [n for n in range(0, len(sweep), 5) if n not in failed])
    if not closed:
        contents = nio.run(model, sweep, totals=CONTENT).to_pandas("content MEX→USA")
        number = next(n for n in range(len(sweep) - 1, -1, -1) if n not in failed)
        scenario = sweep.scenario(sweep.points(number, number + 1).values(0))
        after = nio.run(model, scenario, content=True).content.isel(scenario=0, phase=0).sel(when="after")
        mine = contents[(contents["scenario"] == number) & (contents["place"] == "USA")]["value"].item()
        assert mine == pytest.approx(float(after.sel(flow="USA in exports of MEX to USA")), rel=1e-10)


GENERAL = {
    "tariff": ([{"kind": "tariff", "importer": "USA", "exporter": "MEX", "rate": "$dial", "sectors": "manufacturing"}], (0.0, 0.25)),
    "fdi": (
        [{"kind": "fdi", "region": "MEX", "sector": "C26", "amount": "$dial", "unit": "million USD", "capital_output_ratio": 0.9}],
        (100.0, 900.0),
    ),
    "plant": (
        [{"kind": "plant", "region": "MX2", "sector": "C29", "output": "1 billion USD", "localisation": "$dial"}],
        (0.0, 1.0),
    ),
    "two together": (
        [
            {"kind": "relocation", "sectors": "C26", "origin": "CHN", "destination": "MEX", "buyers": "USA", "share": "$dial"},
            {"kind": "final_demand", "region": "USA", "sector": "C29", "amount": "1 billion USD"},
        ],
        (0.05, 0.3),
    ),
    "kits": (
        [
            {
                "kind": "relocation", "sectors": "C26", "origin": "CHN", "destination": "MX2", "buyers": "USA",
                "share": 0.1, "localisation": "$dial",
            }
        ],
        (0.0, 1.0),
    ),
    "less": ([{"kind": "final_demand", "region": "USA", "sector": "C29", "direction": "decrease", "share": "$dial"}], (0.0, 0.4)),
    "extraction": ([{"kind": "extraction", "pairs": [["USA", "MEX"]], "share": "$dial"}], (0.0, 1.0)),
}  # fmt: skip


@pytest.mark.parametrize("kind", GENERAL)
def test_every_other_shock_takes_the_route_of_run(kind: str, estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    shocks, dial = GENERAL[kind]
    sweep = nio.Sweep("any", shocks, distributions={"dial": nio.Uniform(*dial)}, samples=4, design="latin_hypercube")
    results = nio.run(model, sweep, totals="value_added by country, jobs by country, output of MX2", vectors=["output"])
    assert results.failed == 0
    require_same(model, sweep, results, range(4))
    whole = alone(model, sweep, 2)
    for phase in whole["phase"].values:
        mine = results.vectors().output.sel(scenario=2, phase=phase).values
        size = np.abs(whole.output.sel(phase=phase)).max().item()
        np.testing.assert_allclose(mine, whole.output.sel(phase=phase).values, rtol=0, atol=1e-10 * size)


def test_vectors_are_those_of_run(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    slots = {
        "product": ["C26", "c14"],
        "origin": ["CHN", "east_asia"],
        "buyers": ["USA"],
        "share": [0.1, 0.4],
        "cost": [1.0, 1.1],
    }
    sweep = nio.Sweep("v", [RELOCATION], axes=slots, constants={"destination": "MEX", "payer": "profit"})
    results = nio.run(model, sweep, vectors=["output", "value_added", "jobs"])
    found = results.vectors()
    for number in (0, 7, 13, 15):
        one = alone(model, sweep, number).sel(phase="run")
        for name in ("output", "value_added", "jobs"):
            np.testing.assert_allclose(
                found[name].sel(scenario=number, phase="run").values, one[name].values,
                rtol=0, atol=1e-10 * float(np.nanmax(np.abs(one[name].values))),
            )  # fmt: skip
    assert found.output.attrs["units"] == "million USD"
    assert found.attrs["table_sha256"] == estimated.sha256


def test_grid_axes_stand_where_their_values_are(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    sweep = nio.Sweep(
        "grid",
        [{"kind": "final_demand", "region": "$where", "sector": "$what", "amount": "$much", "unit": "million USD"}],
        axes={"where": ["USA", "MEX"], "much": [1.0, 10.0, 100.0], "what": ["C26", "C29"]},
        totals=["value_added by country"],
    )
    found = nio.run(model, sweep).to_xarray("value_added")
    assert found.dims == ("where", "much", "what", "place")
    one = nio.run(model, nio.Scenario("one", [nio.FinalDemand("MEX", "C29", "10 million USD")]))
    expected = one.value_added.sel(phase="run").groupby("country").sum(["region", "sector"])
    assert found.sel(where="MEX", much=10.0, what="C29", place="USA").item() == pytest.approx(
        expected.sel(country="USA").item(), rel=1e-10
    )
    np.testing.assert_allclose(found.sel(much=100.0), 100 * found.sel(much=1.0), rtol=1e-12)
    assert found.attrs["units"] == "million USD"


def test_several_tables_and_years(bundled: IOTable, estimated: IOTable) -> None:
    sweep = nio.Sweep(
        "years",
        [
            {
                "kind": "relocation",
                "sectors": "c14",
                "origin": "CHN",
                "destination": "MEX",
                "buyers": "USA",
                "share": "$share",
            }
        ],
        axes={"share": [0.1, 0.2]},
    )
    models = [nio.Leontief(bundled), nio.Leontief(estimated)]
    results = nio.run(models, sweep, totals="value_added of MEX, content MEX→USA")
    frame = results.to_pandas("value_added").set_index(["year", "scenario"])["value"]
    for model, year in zip(models, ("2011", "2022"), strict=True):
        one = nio.run(model, sweep.scenario({"share": 0.2})).value_added.sum("sector")
        inside = one["country"].values == "MEX"
        assert frame[(year, 1)] == pytest.approx(float(one.isel(region=inside).sum()), rel=1e-10)
    found = results.to_xarray("value_added")
    assert found.dims == ("year", "share")
    assert found.sel(year="2022", share=0.2).item() == frame[("2022", 1)]
    assert found["table"].values.tolist() == ["north-america-2011", "north-america-2022"]
    before = results.manifest["tables"][1]["before"]["content MEX→USA of USA"]
    assert before == pytest.approx(float(nio.export_content(models[1], "MEX", "USA").sel(origin="USA")), rel=1e-10)


# ------------------------------------------------------------------------------------------------------------ designs


@pytest.mark.parametrize("design", ["sobol", "latin_hypercube", "random"])
def test_points_do_not_depend_on_the_block_they_are_asked_in(design: Any) -> None:
    whole = unit_points(design, 8192, 3, 5, 0, 8192)
    for start, stop in ((0, 1), (1, 17), (4095, 4097), (8000, 8192)):
        np.testing.assert_array_equal(unit_points(design, 8192, 3, 5, start, stop), whole[start:stop])
    assert whole.min() > 0
    assert whole.max() < 1
    assert not np.array_equal(whole, unit_points(design, 8192, 3, 6, 0, 8192))
    assert np.abs(whole.mean(axis=0) - 0.5).max() < (0.02 if design == "random" else 1e-3)


def test_a_hypercube_has_one_point_in_every_slice() -> None:
    points = unit_points("latin_hypercube", 64, 4, 1, 0, 64)
    for column in points.T:
        assert sorted((column * 64).astype(int)) == list(range(64))


DISTRIBUTIONS = [
    (nio.Uniform(2.0, 6.0), 4.0, 4 / np.sqrt(12)),
    (nio.Triangular(0.0, 3.0, 9.0), 4.0, np.sqrt((0 + 9 + 81 - 0 - 0 - 27) / 18)),
    (nio.Normal(5.0, 2.0), 5.0, 2.0),
    (nio.LogNormal(2.0, 0.3), 2 * np.exp(0.045), 2 * np.exp(0.045) * np.sqrt(np.expm1(0.09))),
    (nio.Beta(2.0, 3.0, 1.0, 3.0), 1.8, 2 * np.sqrt(2 * 3 / (25 * 6))),
]


@pytest.mark.parametrize(("distribution", "mean", "sd"), DISTRIBUTIONS)
def test_distributions_have_the_moments_of_their_formulas(distribution: Any, mean: float, sd: float) -> None:
    drawn = distribution.values(unit_points("sobol", 1 << 14, 1, 0, 0, 1 << 14))
    assert drawn.mean() == pytest.approx(mean, rel=2e-3)
    assert drawn.std() == pytest.approx(sd, rel=1e-2)
    low, high = distribution.ends
    assert low <= drawn.min() <= drawn.max() <= high


def test_dirichlet_shares_sum_to_one_and_vary_as_they_should() -> None:
    distribution = nio.Dirichlet({"USA": 0.5, "MEX": 0.3, "CHN": 0.2}, concentration=20.0)
    drawn = distribution.values(unit_points("sobol", 1 << 13, 3, 0, 0, 1 << 13))
    array = np.array([list(shares.values()) for shares in drawn])
    np.testing.assert_allclose(array.sum(axis=1), 1.0, rtol=1e-12)
    m = np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(array.mean(axis=0), m, rtol=1e-2)
    np.testing.assert_allclose(array.var(axis=0), m * (1 - m) / 21, rtol=3e-2)


def test_choices_come_as_often_as_they_should() -> None:
    drawn = nio.Choice(["a", "b"], [0.25, 0.75]).values(unit_points("sobol", 4096, 1, 0, 0, 4096))
    assert drawn.count("a") == pytest.approx(1024, abs=4)


def test_dirichlet_destinations_go_through(estimated: IOTable) -> None:
    sweep = nio.Sweep(
        "where",
        [
            {
                "kind": "relocation",
                "sectors": "C26",
                "origin": "CHN",
                "destination": "$to",
                "buyers": "USA",
                "share": 0.1,
            }
        ],
        distributions={"to": nio.Dirichlet({"MEX": 0.6, "USA": 0.4}, 30.0)},
        samples=8,
    )
    model = nio.Leontief(estimated)
    results = nio.run(model, sweep, totals="value_added by country")
    require_same(model, sweep, results, range(8))


def test_tornado_and_quantiles_say_what_the_draws_say(estimated: IOTable) -> None:
    sweep = nio.Sweep(
        "t",
        [{key: value for key, value in RELOCATION.items() if key != "cost_paid_by"}],
        distributions={"share": nio.Triangular(0.02, 0.1, 0.2), "cost": nio.Uniform(0.95, 1.05)},
        constants={"product": "C26", "origin": "CHN", "destination": "MEX", "buyers": "USA"},
        samples=512,
    )
    results = nio.run(nio.Leontief(estimated), sweep, totals="value_added by country")
    frame = results.to_pandas("value_added")
    mexico = frame[frame["place"] == "MEX"]
    ranked = results.tornado("value_added", "MEX")
    assert list(ranked.index) == ["share", "cost"]
    expected = stats.spearmanr(mexico["share"], mexico["value"]).statistic
    assert ranked.loc["share", "correlation"] == pytest.approx(expected)
    assert expected > 0.9
    line = results.quantiles("value_added").set_index("place").loc["MEX"]
    assert line["P50"] == pytest.approx(np.quantile(mexico["value"], 0.5))
    assert line["P5_low"] < line["P5"] < line["P5_high"] < line["P50"]
    settled = results.convergence("value_added", "MEX")
    assert settled["samples"].iloc[-1] == 512
    assert settled["quantile"].iloc[-1] == pytest.approx(line["P50"])
    width = settled["high"] - settled["low"]
    assert width.iloc[-1] < width.iloc[-4]


def test_intervals_of_quantiles_cover() -> None:
    """The median of a known distribution lies in nine tenths of the intervals, or a little more."""
    from nearshore_io.stores.samples import order_interval

    rng = np.random.default_rng(0)
    for level, truth in ((0.5, 0.0), (0.95, float(stats.norm.ppf(0.95)))):
        held = [
            low <= truth <= high
            for low, high in (order_interval(rng.standard_normal(200), level, 0.9) for _ in range(2000))
        ]
        assert 0.89 < np.mean(held) < 0.96


def test_more_samples_are_needed_than_two() -> None:
    from nearshore_io.stores.samples import order_interval

    assert order_interval(np.array([1.0, 2.0]), 0.5, 0.9) == (float("-inf"), float("inf"))


# ------------------------------------------------------------------------------------------------------- what is refused


def test_one_failing_scenario_among_many_is_recorded(estimated: IOTable) -> None:
    sweep = nio.Sweep(
        "some",
        [{key: value for key, value in RELOCATION.items() if key != "cost_paid_by"}],
        axes={
            "product": ["C26"],
            "origin": ["CHN", "MEX"],
            "buyers": ["USA"],
            "share": [0.1, 0.2, 1.0],
            "cost": [1.0, 1.5, 400.0],
        },
        constants={"destination": "MEX"},
    )
    model = nio.Leontief(estimated)
    results = nio.run(model, sweep, totals="value_added by country")
    failures = results.failures.collect()
    messages = dict(zip(failures["scenario"].to_list(), failures["message"].to_list(), strict=True))
    assert {n for n, text in messages.items() if "must differ" in text} == set(range(9, 18))
    dear = {n for n, text in messages.items() if "pay more for inputs than its value added" in text}
    assert dear
    assert max(dear) < 9
    good = [n for n in range(18) if n not in messages]
    require_same(model, sweep, results, good)
    with pytest.raises(nio.ShockError, match=r"scenario \d+ has no result, and strict stops there"):
        nio.run(model, sweep, totals="value_added by country", strict=True)


BASE: dict[str, Any] = {
    "shocks": [{"kind": "final_demand", "region": "MEX", "sector": "C26", "amount": "$a", "unit": "million USD"}]
}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"axes": {"a": []}}, "no values, so the sweep has no scenarios"),
    ({"axes": {"a": [1, 2, 1]}}, "has 1 twice"),
    ({"axes": {"a": [1, 1.0]}}, "has 1 twice"),
    ({"axes": {"value": [1.0]}}, "a column 'value' of their own"),
    ({"axes": {"a": "1, 2"}}, "give a list of values"),
    ({"axes": {"a": {"from": 2, "to": 1, "steps": 3}}}, "from must be below to"),
    ({"axes": {"a": {"from": 0, "to": 1, "steps": 3, "spacing": "geometric"}}}, "geometric"),
    ({"axes": {"a": {"start": 0}}}, "give a list"),
    ({"axes": {"a": [1.0]}, "constants": {"a": 2.0}}, "varies in two ways"),
    ({"axes": {"b": [1.0]}}, '"\\$a", which is no parameter'),
    ({"axes": {"a": [1.0], "b": [1.0]}}, "no shock uses 'b'"),
    ({"cases": [{"a": 1.0}, {"a": 1.0}]}, "cases 1 and 2 are the same"),
    ({"cases": [{"a": 1.0}, {"b": 1.0}]}, "different keys"),
    ({"cases": [{"a": 1.0, "label": "x"}, {"a": 2.0, "label": "x"}]}, "'x' stands for two cases"),
    ({"distributions": {"a": nio.Uniform(0, 1)}}, "needs samples"),
    ({"distributions": {"a": nio.Uniform(0, 1)}, "samples": 1000}, "take 512 or 1024"),
    ({"distributions": {"a": nio.Uniform(0, 1)}, "samples": 8, "design": "halton"}, "design must be one of"),
    ({"distributions": {"a": nio.Uniform(0, 1)}, "samples": 8, "seed": -1}, "seed"),
    ({"axes": {"a": [1.0]}, "samples": 8}, "nothing to draw"),
    ({"distributions": {"a": {"distribution": "triangle"}}, "samples": 8}, "no distribution 'triangle'"),
    ({"distributions": {"a": {"distribution": "uniform", "low": 0}}, "samples": 8}, "needs low, high"),
    ({"distributions": {"a": {"distribution": "uniform", "low": 0, "hihg": 1}}, "samples": 8}, "has no hihg"),
    ({"shocks": [{"kind": "relocate"}]}, "did you mean 'relocation'"),
    ({"shocks": []}, "no shocks"),
    ({"axes": {"a": [1.0]}, "table_errors": {"errors": "gaussian"}, "samples": 4}, "no errors of a table called 'gaussian'"),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "message"), BAD)
def test_bad_sweeps_are_refused(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(nio.FormatError, match=message):
        nio.Sweep("bad", **{**BASE, **given_})


@pytest.mark.parametrize(
    ("distribution", "message"),
    [
        (nio.Normal(0.2, 0.1), "reaches -0.5"),
        (nio.Uniform(0.5, 1.2), "reaches 1.2, which the shock refuses: .*ten per cent is 0.10"),
        (nio.LogNormal(0.1, 1.0), "which the shock refuses"),
    ],
)
def test_a_distribution_outside_the_domain_of_its_parameter_is_refused(
    distribution: Any, message: str, estimated: IOTable
) -> None:
    shock = {
        "kind": "relocation",
        "sectors": "C26",
        "origin": "CHN",
        "destination": "MEX",
        "buyers": "USA",
        "share": "$s",
    }
    sweep = nio.Sweep("d", [shock], distributions={"s": distribution}, samples=4)
    with pytest.raises(nio.FormatError, match=message):
        nio.run(nio.Leontief(estimated), sweep, totals="value_added")


def test_a_thousand_million_scenarios_are_asked_for_first(estimated: IOTable, tmp_path: Path) -> None:
    axes = {"a": {"from": 1, "to": 2, "steps": 40_000}, "s": {"from": 0, "to": 1, "steps": 25_000}}
    shock = {"kind": "final_demand", "region": "MEX", "sector": "C26", "amount": "$a", "unit": "million USD"}
    more = {
        "kind": "relocation",
        "sectors": "C26",
        "origin": "CHN",
        "destination": "MEX",
        "buyers": "USA",
        "share": "$s",
    }
    sweep = nio.Sweep("huge", [shock, more], axes=axes)
    with pytest.raises(
        nio.ShockError, match=r"1,000,000,000 scenarios.*(days|hours) in one process and .*[GT]B of results"
    ):
        nio.run(nio.Leontief(estimated), sweep, totals="jobs by country", store=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_words_of_totals(estimated: IOTable) -> None:
    assert [t.variable for t in read_totals("jobs by country, output of MX2 in C26")] == ["jobs", "output"]  # type: ignore[union-attr]
    for words, message in (
        ("jobs per country", "cannot be read"),
        ("jobs by continent", "cannot be read"),
        ("jobs by country and region", "cannot be read"),
        ("content MEX→all", "say whose"),
        ("content MEX", "cannot be read"),
        (" , ", "no totals were asked for"),
    ):
        with pytest.raises(nio.FormatError, match=message):
            read_totals(words)
    model = nio.Leontief(estimated)
    sweep = nio.Sweep("w", BASE["shocks"], axes={"a": [1.0]})
    for words, message in (
        ("job by country", "no variable 'job'"),
        ("jobs of MEXICO", "no region 'MEXICO'"),
        ("jobs in C99", "no sector 'C99'"),
        ("content MEX→MEX", "does not export to itself"),
        ("content MEX→USA of XXX", "no origin 'XXX'"),
        ("content EU27→USA of EU27", "unreached"),
    ):
        if message != "unreached":
            with pytest.raises(nio.LabelError, match=message):
                nio.run(model, sweep, totals=words)
    with pytest.raises(nio.FormatError, match="nothing to keep"):
        nio.run(model, sweep)
    with pytest.raises(nio.ShockError, match="no option 'total'"):
        nio.run(model, sweep, total="jobs")
    with pytest.raises(nio.ShockError, match="option of sweeps"):
        nio.run(model, nio.Scenario("one", [nio.FinalDemand("MEX", "C26", "1 million USD")]), totals="jobs")


# ---------------------------------------------------------------------------------------------------------------- files

FILE = """
name = "small"
totals = ["value_added by country", "content MEX->USA"]
samples = 8
seed = 3

[axes]
product = ["C26", "C27"]

[distributions]
share = { distribution = "triangular", low = 0.02, mode = 0.1, high = 0.25 }

[[shock]]
kind = "relocation"
sectors = "$product"
origin = "CHN"
destination = "MEX"
buyers = ["USA", "MEX"]
share = "$share"
"""


def test_a_sweep_file_is_the_sweep_it_says(tmp_path: Path, estimated: IOTable) -> None:
    (tmp_path / "s.toml").write_text(FILE, encoding="utf-8")
    read = nio.read_sweep(tmp_path / "s.toml")
    written = nio.Sweep(
        "small",
        [
            {
                "kind": "relocation",
                "sectors": "$product",
                "origin": "CHN",
                "destination": "MEX",
                "buyers": ["USA", "MEX"],
                "share": "$share",
            }
        ],
        axes={"product": ["C26", "C27"]},
        distributions={"share": nio.Triangular(0.02, 0.1, 0.25)},
        samples=8,
        seed=3,
        totals=["value_added by country", "content MEX->USA"],
    )
    assert read.to_json() == written.to_json()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("samples = 8", "sample = 8", r"line 4: 'sample' is not a known key: did you mean 'samples'"),
        ("origin = ", "orgin = ", r"line \d+: shock\[0\]\.orgin is not a known key: did you mean 'origin'"),
        ('kind = "relocation"', 'kind = "relocaton"', "relocaton"),
        ("mode = 0.1", "mode = 0.9", "triangular distribution .*low ≤ mode ≤ high"),
        ('"triangular"', '"triangle"', "no distribution 'triangle'"),
        ("[axes]", "[axes", "is not valid TOML"),
        ("seed = 3", 'scenario = "gallery:S04"', "one of the two"),
    ],
)
def test_bad_sweep_files_are_refused_with_the_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "s.toml").write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(nio.FormatError, match=message):
        nio.read_sweep(tmp_path / "s.toml")


def test_cases_come_from_a_csv(tmp_path: Path, estimated: IOTable) -> None:
    text = FILE.replace("[axes]", 'cases_file = "c.csv"\n[axes]').replace('buyers = ["USA", "MEX"]', 'buyers = "$who"')
    text = text.replace("samples = 8\n", "").replace("seed = 3\n", "")
    text = text.replace(
        '[distributions]\nshare = { distribution = "triangular", low = 0.02, mode = 0.1, high = 0.25 }\n', ""
    )
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    (tmp_path / "c.csv").write_text("label,who,share\nboth,USA+MEX,0.1\none,USA,0.2\n", encoding="utf-8")
    sweep = nio.read_sweep(tmp_path / "s.toml")
    assert len(sweep) == 4
    results = nio.run(nio.Leontief(estimated), sweep)
    frame = results.to_pandas("value_added")
    assert set(frame["label"]) == {"both", "one"}
    require_same(nio.Leontief(estimated), sweep, results, range(4))


def test_a_scenario_with_bands_becomes_a_sweep(estimated: IOTable) -> None:
    sweep = nio.scenario_sweep("gallery:S04", samples=8)
    assert set(sweep.distributions) == {"share", "relative_cost", "localisation"}
    assert sweep.distributions["share"] == nio.Triangular(0.05, 0.10, 0.25)
    model = nio.Leontief(estimated)
    results = nio.run(model, sweep, totals="value_added by country")
    require_same(model, sweep, results, [0, 5])
    with pytest.raises(nio.FormatError, match="say samples"):
        nio.scenario_sweep("gallery:S04")
    with pytest.raises(nio.FormatError, match="no parameter 'shares'"):
        nio.scenario_sweep("gallery:S04", samples=8, axes={"shares": [0.1]})


def test_every_scenario_of_the_gallery_with_bands_can_be_drawn(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    done = 0
    for name in nio.list_gallery():
        scenario = nio.load_scenario(name)
        banded = [part for part in scenario.parameters if part.low is not None and part.low != part.high]
        if not banded:
            continue
        sweep = nio.scenario_sweep(f"gallery:{name}", samples=2)
        results = nio.run(model, sweep, totals="value_added by country")
        assert results.failed == 0, (name, results.failures.collect()["message"].to_list())
        require_same(model, sweep, results, [1])
        done += 1
    assert done >= 8


# -------------------------------------------------------------------------------------------------------------- the shell


def shell(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return int(stopped.value.code or 0)


def test_the_shell_runs_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.toml").write_text(FILE, encoding="utf-8")
    assert shell("batch", str(tmp_path / "s.toml"), "--out", str(tmp_path / "out")) == 0
    printed = capsys.readouterr().out
    assert "16 scenarios: 2 product × 8 samples (sobol, seed 3)" in printed
    assert "What moves value added of MEX (run): share +1.00, product " in printed
    assert "cents per dollar" in printed
    results = nio.open_results(tmp_path / "out")
    assert results.complete
    assert results.manifest["seed"] == 3
    assert results.manifest["tables"][0]["table_sha256"] == nio.load_table().sha256


def test_the_shell_says_when_scenarios_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = FILE.replace('product = ["C26", "C27"]', 'product = ["C26", "C27"]\norigin = ["CHN", "MEX"]')
    (tmp_path / "s.toml").write_text(text.replace('origin = "CHN"', 'origin = "$origin"'), encoding="utf-8")
    assert shell("batch", str(tmp_path / "s.toml")) == 6
    assert "16 scenarios have no result, such as" in capsys.readouterr().out
    assert shell("batch", str(tmp_path / "s.toml"), "--strict") == 1
    assert "must differ" in capsys.readouterr().err


def test_the_shell_takes_a_scenario_with_bands_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    assert shell("batch", "gallery:S04", "--samples", "4", "--format", "json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["manifest"]["scenarios"] == 4
    assert {row["place"] for row in content["quantiles"]} >= {"USA", "MEX"}
    assert shell("batch", "gallery:S04", "--samples", "5") == 1
    assert "take 4 or 8" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------- what readers found wrong


def test_parts_of_a_country_are_not_called_by_its_name(estimated: IOTable) -> None:
    model = nio.Leontief(estimated)
    sweep = nio.Sweep("p", BASE["shocks"], axes={"a": [1000.0]})
    words = "output by country, output of MX1 by country, output of MX2 by country, output by region"
    frame = nio.run(model, sweep, totals=words).to_pandas("output").set_index("place")["value"]
    assert frame.index.is_unique
    assert frame["MEX"] == pytest.approx(frame["MX1"] + frame["MX2"], rel=1e-12)


def test_a_wrong_code_is_refused_before_anything_is_written(estimated: IOTable, tmp_path: Path) -> None:
    model = nio.Leontief(estimated)
    move = {"kind": "relocation", "sectors": "$p", "origin": "$o", "destination": "MEX", "buyers": "USA", "share": "$s"}
    good = {"p": ["C26"], "o": ["CHN"], "s": [0.1]}
    for axes, error, message in (
        ({"p": ["C26", "C299"]}, nio.LabelError, "axis 'p', C299: .*no sector 'C299'"),
        ({"o": ["CHN", "CHINA"]}, nio.LabelError, "axis 'o', CHINA"),
        ({"s": [0.1, 25.0]}, nio.FormatError, "axis 's' has 25, which the shock refuses.*ten per cent is 0.10"),
        ({"o": ["MEX"]}, nio.FormatError, "first scenario .*must differ"),
    ):
        with pytest.raises(error, match=message):
            nio.run(model, nio.Sweep("w", [move], axes={**good, **axes}), totals="jobs", store=tmp_path / "out")
        assert not (tmp_path / "out").exists()
    first = nio.Sweep("w", [move], axes={**good, "o": ["MEX", "CHN"]})
    assert nio.run(model, first, totals="jobs").failed == 1


def test_exports_that_vanish_have_no_content() -> None:
    """What rounding leaves of exports is none, by both routes: unknown, not a share of noise."""
    table = random_table(3)
    move = {
        "kind": "relocation", "sectors": list(table.sectors), "origin": "CHN", "destination": {"MX1": 0.3, "USA": 0.7},
        "buyers": ["MEX", "USA"], "share": "$a", "relative_cost": "$c",
    }  # fmt: skip
    for shares in ([1.0, 0.5], [0.5, 1.0], [1.0]):
        sweep = nio.Sweep("v", [move], axes={"a": shares, "c": [1.0, 1.02]})
        frame = nio.run(nio.Leontief(table), sweep, totals="content CHN->all by origin").to_pandas()
        assert frame[frame["a"] == 1.0]["value"].isna().all()
        assert frame[frame["a"] == 0.5]["value"].notna().all()


def test_content_before_stands_beside_the_one_after_on_drawn_tables(estimated: IOTable) -> None:
    move = {
        "kind": "relocation",
        "sectors": "C26",
        "origin": "CHN",
        "destination": "MEX",
        "buyers": "USA",
        "share": 0.2,
    }
    sweep = nio.Sweep("b", [move], table_errors=nio.DirichletErrors(), samples=3, design="random", seed=2)
    results = nio.run(nio.Leontief(estimated), sweep, totals="content MEX->USA, content MEX->USA before")
    before = results.to_pandas("content MEX->USA before")["value"].to_numpy()
    for number, table in enumerate(nio.draw_tables(estimated, nio.DirichletErrors(), 3, 2)):
        content = nio.export_content(nio.Leontief(table), "MEX", "USA").sel(origin="USA")
        assert before[number] == pytest.approx(float(content), rel=1e-9)
    assert (results.to_pandas("content MEX→USA")["value"].to_numpy() != before).all()


def test_tornado_ranks_numbers_within_products_and_products_by_ratio(estimated: IOTable) -> None:
    duty = {"kind": "final_demand", "region": "MEX", "sector": "$product", "amount": "$amount", "unit": "million USD"}
    sweep = nio.Sweep(
        "r", [duty], axes={"product": ["C26", "L"]}, distributions={"amount": nio.Uniform(900.0, 1100.0)}, samples=64
    )
    results = nio.run(nio.Leontief(estimated), sweep, totals="value_added by country")
    found = results.tornado("value_added", "MEX")
    assert found.loc["amount", "correlation"] == pytest.approx(1.0)
    frame = results.to_pandas("value_added")
    frame = frame[frame["place"] == "MEX"]
    ranks = frame["value"].rank()
    groups = ranks.groupby(frame["product"])
    expected = np.sqrt(
        ((groups.mean() - ranks.mean()) ** 2 * groups.size()).sum() / ((ranks - ranks.mean()) ** 2).sum()
    )
    assert found.loc["product", "correlation"] == pytest.approx(expected)
    with pytest.raises(nio.LabelError, match="choose product, of"):
        results.convergence("value_added", "MEX")
    with pytest.raises(nio.LabelError, match="no parameter 'prodct'"):
        results.tornado("value_added", "MEX", prodct="C26")
    assert results.quantiles("value_added", by=["table", "product"])["count"].eq(64).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axes": 5}, "axes are a mapping"),
        ({"cases": 5}, "cases are a list"),
        ({"totals": 5}, "totals are words"),
        ({"axes": {"a": [{1, 2}]}}, "a value is a text, a number"),
        ({"distributions": {"a": {"distribution": "choice", "options": 5}}, "samples": 4}, "needs a list of options"),
    ],
)
def test_what_is_no_sweep_is_refused_in_words(change: dict[str, Any], message: str) -> None:
    with pytest.raises(nio.FormatError, match=message):
        nio.Sweep("bad", **{**BASE, **change})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 2}, "workers are those of scheduler"),
        ({"chunk": 1.5}, "chunk is the scenarios of one part"),
        ({"store": 5}, "store is a folder"),
        ({"at_most": "x"}, "at_most is a number"),
        ({"totals": 5}, "totals are words"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str, estimated: IOTable) -> None:
    sweep = nio.Sweep("o", BASE["shocks"], axes={"a": [1.0]}, totals=["jobs"])
    with pytest.raises((nio.ShockError, nio.FormatError), match=message):
        nio.run(nio.Leontief(estimated), sweep, **options)
