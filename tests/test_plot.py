"""Figures: what they draw is what was computed, nothing is lost by pooling, colours can be told apart."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

import nearshore_io as nio
from nearshore_io import plot
from nearshore_io.palette import PALETTE

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def model(estimated: nio.IOTable) -> nio.Leontief:
    return nio.Leontief(estimated)


@pytest.fixture(scope="module")
def impact(model: nio.Leontief) -> xr.Dataset:
    return nio.run(model, nio.load_scenario("S04"), effects=True, variants=True, content=True)


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Figures never show themselves; every test closes its own."""
    monkeypatch.setattr(plt, "show", pytest.fail)
    yield
    plt.close("all")


def of_country(values: xr.DataArray, country: str) -> float:
    return float(values.isel(region=np.flatnonzero(values["country"].values == country)).sum())


def test_bars_are_totals_with_their_band_and_pool_the_rest(impact: xr.Dataset) -> None:
    ax = plot.impact_bars(impact, "value_added", most=5)
    found = plot.data(ax).set_index("country")
    central = impact["value_added"].isel(scenario=0, phase=0).sel(variant="central")
    for country in ("USA", "MEX", "CHN"):
        assert found.loc[country, "value"] == pytest.approx(of_country(central, country))
        parts = found.loc[country, ["direct", "indirect"]].sum()
        assert parts == pytest.approx(found.loc[country, "value"])
    assert len(found) == 6
    assert found["value"].sum() == pytest.approx(float(central.sum()), abs=1e-6)
    corners = impact["value_added"].isel(scenario=0, phase=0).sum("effect")
    mexico = corners.isel(region=np.flatnonzero(corners["country"].values == "MEX")).sum(["region", "sector"])
    assert found.loc["MEX", "low"] == pytest.approx(float(mexico.min()))
    assert found.loc["MEX", "high"] == pytest.approx(float(mexico.max()))
    assert "million USD" in ax.get_xlabel()
    widths = sum(bar.get_width() for bar in ax.patches)
    assert widths == pytest.approx(found["value"].sum(), abs=1e-6)


def test_bars_take_the_band_of_the_table(model: nio.Leontief) -> None:
    demand = nio.Scenario("d", [nio.FinalDemand("MEX", "C29", "1 billion USD")])
    bands = nio.table_band(model, demand, ["jobs of MEX", "jobs of USA"])
    found = plot.data(plot.impact_bars(nio.run(model, demand), "jobs", bands=bands)).set_index("country")
    row = bands.set_index("place").loc["MEX"]
    assert found.loc["MEX", "low"] == pytest.approx(row["low"])
    assert found.loc["MEX", "low"] < found.loc["MEX", "value"] < found.loc["MEX", "high"]


def test_who_has_no_jobs_data_is_named_and_not_drawn_as_zero(impact: xr.Dataset) -> None:
    ax = plot.impact_bars(impact, "jobs")
    assert set(plot.data(ax)["country"]) == {"USA", "MEX"}
    assert "no data: CAN, CHN" in ax.get_xlabel().replace("\n", " ")


def test_the_map_has_every_cell(impact: xr.Dataset) -> None:
    ax = plot.heatmap(impact, top=10)
    found = plot.data(ax)
    central = impact["value_added"].isel(scenario=0, phase=0).sel(variant="central").sum("effect")
    assert found["value"].sum() == pytest.approx(float(central.sum()), abs=1e-6)
    cell = found.set_index(["sector", "country"])["value"]["C26", "MEX"]
    assert cell == pytest.approx(float(central.sel(region=["MX1", "MX2"], sector="C26").sum()))
    assert len(ax.get_yticks()) == 10
    grid = ax.images[0].get_array()
    assert abs(np.asarray(grid)).max() == pytest.approx(found["value"].abs().max())


def test_an_export_dollar_has_a_hundred_cents(model: nio.Leontief) -> None:
    content = nio.export_content(model, "MEX", "USA")
    ax = plot.waterfall(content)
    assert plot.data(ax)["value"].sum() == pytest.approx(100.0)
    bars = ax.patches
    ends = [bar.get_x() + bar.get_width() for bar in bars[:-1]]
    assert bars[-1].get_width() == pytest.approx(100.0)
    assert ends[-1] == pytest.approx(100.0)
    for before, after in itertools.pairwise(bars[:-1]):
        assert after.get_x() == pytest.approx(before.get_x() + before.get_width())
    with pytest.raises(nio.ShockError, match="origin alone"):
        plot.waterfall(nio.export_content(model, "MEX", "USA", by="sector"))


@pytest.mark.parametrize("direction", ["gained", "lost"])
def test_the_sankey_draws_as_much_as_flows(model: nio.Leontief, direction: str) -> None:
    flows = nio.demand_flows(model, nio.load_scenario("S04"))
    ax = plot.sankey(flows, direction)
    pd.testing.assert_frame_equal(plot.data(ax), flows[flows["direction"] == direction].reset_index(drop=True))
    nodes = [patch for patch in ax.patches if hasattr(patch, "get_height")]
    columns: dict[int, float] = {}
    for node in nodes:
        column = round(node.get_x() + node.get_width() / 2)
        columns[column] = columns.get(column, 0.0) + node.get_height()
    assert sorted(columns) == [0, 1, 2, 3]
    for height in columns.values():
        assert height == pytest.approx(1.0, abs=5e-3)  # links under a ten-thousandth are not drawn
    with pytest.raises(nio.LabelError, match="'gained' or 'lost'"):
        plot.sankey(flows, "won")
    with pytest.raises(nio.ShockError, match="demand_flows"):
        plot.sankey(flows[["tier"]])


def test_value_added_between_countries(model: nio.Leontief) -> None:
    scenario = nio.load_scenario("S04")
    before, after = nio.footprint(model), nio.footprint(nio.counterfactual(model, scenario))
    found = plot.data(plot.bilateral(before)).set_index(["origin", "destination"])["value"]
    assert found["MEX", "USA"] == pytest.approx(float(before.sel(origin="MEX", destination="USA")))
    change = plot.data(plot.bilateral(after, before)).set_index(["origin", "destination"])["value"]
    expected = float((after - before).sel(origin="CHN", destination="USA"))
    assert change["CHN", "USA"] == pytest.approx(expected)
    with pytest.raises(nio.ShockError, match="nothing changes"):
        plot.bilateral(before, before)
    with pytest.raises(nio.ShockError, match="origin and destination"):
        plot.bilateral(before.rename(origin="from"))


def test_content_before_and_after(impact: xr.Dataset) -> None:
    content = impact["content"].isel(scenario=0, phase=0).sel(variant="central")
    found = plot.data(plot.content_bars(content)).set_index(["flow", "when"])["value"]
    flow = "USA in exports of MEX to USA"
    assert found[flow, "after"] == pytest.approx(100 * float(content.sel(flow=flow, when="after")))


def test_tornado_and_fan(model: nio.Leontief, impact: xr.Dataset) -> None:
    effects = nio.main_effects(impact, "value_added", "MEX")
    ax = plot.tornado(effects)
    spans = {}
    for bar in ax.patches:
        left, right = sorted((bar.get_x(), bar.get_x() + bar.get_width()))
        place = round(bar.get_y() + bar.get_height() / 2)
        low, high = spans.get(place, (np.inf, -np.inf))
        spans[place] = (min(low, left), max(high, right))
    for place, row in enumerate(effects[::-1].itertuples()):
        assert spans[place] == pytest.approx(sorted((row.at_low, row.at_high)))
    sweep = nio.Sweep(
        "s", [{"kind": "relocation", "sectors": "C26", "origin": "CHN", "destination": "MEX", "buyers": ["USA"],
               "share": "$share", "relative_cost": "$cost"}],
        totals="jobs by country", axes={"share": [0.1, 0.2, 0.3]},
        distributions={"cost": nio.Uniform(1.0, 1.1)}, samples=32, seed=3,
    )  # fmt: skip
    results = nio.run(model, sweep)
    ranked = results.tornado("jobs", "MEX")
    assert plot.data(plot.tornado(ranked))["correlation"].tolist() == ranked["correlation"].tolist()
    quantiles = results.quantiles("jobs", by="share")
    mexico = quantiles[quantiles["place"] == "MEX"]
    ax = plot.fan(mexico, "share")
    line = next(line for line in ax.lines if len(line.get_xdata()) == 3)
    np.testing.assert_allclose(line.get_ydata(), mexico.sort_values("share")["P50"])
    with pytest.raises(nio.LabelError, match="several totals"):
        plot.fan(quantiles, "share")
    with pytest.raises(nio.LabelError, match="no column 'cost'"):
        plot.fan(mexico, "cost")
    with pytest.raises(nio.ShockError, match="tornado needs"):
        plot.tornado(mexico)


def test_build_and_run_are_drawn_apart(model: nio.Leontief) -> None:
    years = nio.run_years(model, [nio.load_scenario("S01")])
    found = plot.data(plot.time_path(years, "jobs"))
    for country, phase in itertools.product(("USA", "MEX"), ("build", "run")):
        mine = found[(found["country"] == country) & (found["phase"] == phase)].set_index("year")["value"]
        values = years["jobs"].isel(scenario=0).sel(phase=phase)
        expected = values.isel(region=np.flatnonzero(years["country"].values == country)).sum(["region", "sector"])
        np.testing.assert_allclose(mine, expected.sel(year=mine.index.to_numpy()))
    with pytest.raises(nio.ShockError, match="run_years"):
        plot.time_path(nio.run(model, nio.load_scenario("S01")))


def test_positions_spy_and_solvers(model: nio.Leontief) -> None:
    upstream, content = nio.upstreamness(model), nio.export_content(model, "MEX", "USA", by="sector")
    found = plot.data(plot.positions(upstream, content)).set_index("sector")
    assert found.loc["C29", "upstreamness"] == pytest.approx(float(upstream.sel(region="MX2", sector="C29")))
    assert found.loc["C29", "content"] == pytest.approx(100 * float(content.sel(origin="USA", sector="C29")))
    blocks = plot.data(plot.spy(model.table))
    A = np.asarray(model.table.A)
    assert blocks["cells"].sum() == np.count_nonzero(A)
    assert blocks["sum_of_coefficients"].sum() == pytest.approx(np.abs(A).sum())
    report = json.loads(next(ROOT.glob("benchmarks/results/20*.json")).read_text(encoding="utf-8"))
    times = plot.data(plot.solver_benchmark(report)).set_index(["driver", "n"])["median_s"]
    row = next(
        r for r in report["rows"] if r.get("case") == "cold" and r["driver"] == "lu" and r["number"] in (None, 1)
    )
    assert times["lu", row["n"]] == row["median_s"]
    with pytest.raises(nio.LabelError, match="against"):
        plot.solver_benchmark(report, "memory")


def test_data_are_written_whole_or_not_at_all(impact: xr.Dataset, tmp_path: Path) -> None:
    ax = plot.impact_bars(impact)
    file = plot.write_data(ax, tmp_path / "bars.csv")
    pd.testing.assert_frame_equal(pd.read_csv(file), plot.data(ax), check_dtype=False)
    with pytest.raises(nio.StorageError):
        plot.write_data(ax, tmp_path / "no" / "folder.csv")
    with pytest.raises(nio.ShockError, match="nearshore_io.plot"):
        plot.data(plt.figure().add_subplot())


def test_a_choice_that_is_missing_or_wrong_teaches(model: nio.Leontief) -> None:
    several = nio.run(model, [nio.load_scenario("S01"), nio.load_scenario("S02")])
    with pytest.raises(nio.LabelError, match="several scenarios: choose scenario="):
        plot.impact_bars(several, phase="run")
    with pytest.raises(nio.LabelError, match="several phases: choose phase="):
        plot.heatmap(several, scenario="S01")
    with pytest.raises(nio.LabelError, match="Nearest: S0"):
        plot.heatmap(several, scenario="S0", phase="run")
    with pytest.raises(nio.LabelError, match="Nearest: jobs"):
        plot.impact_bars(several, "job", scenario="S01", phase="run")
    with pytest.raises(nio.ShockError, match="results of nio.run"):
        plot.impact_bars(several["jobs"])  # type: ignore[arg-type]
    idle = several.copy()
    idle["value_added"] = idle["value_added"] * 0.0
    with pytest.raises(nio.ShockError, match="nothing to draw"):
        plot.heatmap(idle, scenario="S01", phase="run")


def test_axes_are_taken_and_given_back(impact: xr.Dataset) -> None:
    _, (left, right) = plt.subplots(1, 2)
    assert plot.impact_bars(impact, ax=left) is left
    assert plot.heatmap(impact, ax=right) is right


def seen_without(colour: str, kind: str) -> np.ndarray:
    """Return a colour in Lab as a dichromat sees it (Viénot, Brettel & Mollon 1999)."""
    linear = np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)])
    lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    change = {
        "all": np.eye(3),
        "protan": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
        "deutan": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
    }[kind]
    rgb = np.clip(np.linalg.inv(lms) @ change @ lms @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]) + 1e-9)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", ["all", "protan", "deutan"])
def test_the_main_countries_can_be_told_apart(kind: str) -> None:
    """Differences in Lab above 10 between any two of the countries that figures show most."""
    seen = {name: seen_without(PALETTE[name], kind) for name in ("USA", "MEX", "CHN", "CAN", "EU27", "ROW")}
    for one, two in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[two]) > 10, (one, two)


def test_without_matplotlib_the_error_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import nearshore_io as nio\n"
        "try:\n    nio.plot.spy(None)\n"
        "except nio.MissingExtraError as error:\n    print(error, error.extra, isinstance(error, ImportError))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == 'drawing a figure needs matplotlib: python -m pip install "nearshore_io[plot]". plot True'
