"""Measures of content beside each other, each by plain numpy; bounds, inputs, years, and the command."""

import json

import numpy as np
import pytest
from conftest import random_table, require_wiod, tables
from hypothesis import given
from test_indicators import Plain

import nearshore_io as nio
from nearshore_io.cli import main
from nearshore_io.indicators.measures import DEFINITIONS


def sold(plain: Plain, exporter: str, importer: str) -> np.ndarray:
    final = list(plain.table.final_regions).index(importer)
    own, theirs = plain.country == exporter, plain.country == importer
    return np.where(own, plain.Z[:, theirs].sum(axis=1) + plain.Y[:, final], 0.0)


def weights(table: nio.IOTable) -> tuple[np.ndarray, np.ndarray]:
    rest = sum((table.intensity(name) for name in table.inputs if name != "value_added"), np.zeros(table.n))
    return table.intensity("value_added"), rest


@given(tables())
def test_direct_inputs_and_vertical_specialisation(table: nio.IOTable) -> None:
    """A e, and A_rs (I − A_ss)⁻¹ e, by origin; both sum to one with the taxes."""
    plain, model = Plain(table), nio.Leontief(table)
    e = sold(plain, "MEX", "USA")
    v, tau = weights(table)
    own = plain.country == "MEX"
    direct = nio.export_content(model, "MEX", "USA", measure="direct_inputs").to_series()
    special = nio.export_content(model, "MEX", "USA", measure="vertical_specialisation").to_series()
    local = np.zeros(table.n)
    at = np.flatnonzero(own)
    local[at] = np.linalg.solve(np.eye(len(at)) - plain.A[np.ix_(at, at)], e[at])
    for country in ("USA", "CHN"):
        member = plain.country == country
        assert direct[country] == pytest.approx((plain.A @ e)[member].sum() / e.sum(), rel=1e-9)
        assert special[country] == pytest.approx((plain.A @ local)[member].sum() / e.sum(), rel=1e-9)
    assert direct["MEX"] == pytest.approx(((plain.A @ e)[own].sum() + (v * e)[own].sum()) / e.sum(), rel=1e-9)
    assert special["MEX"] == pytest.approx((v * local).sum() / e.sum(), rel=1e-9)
    assert special["taxes"] == pytest.approx((tau * local).sum() / e.sum(), rel=1e-9)
    assert direct.sum() == pytest.approx(1.0, abs=1e-9)
    assert special.sum() == pytest.approx(1.0, abs=1e-9)


@given(table=tables())
@pytest.mark.parametrize("dims", [(), ("sector",), ("sector", "importer"), ("input",), ("origin_sector", "sector")])
@pytest.mark.parametrize("measure", ["value_added", "vertical_specialisation"])
def test_all_exporters_at_once(table: nio.IOTable, dims: tuple[str, ...], measure: str) -> None:
    """v_r L of every industry, a transposed solve, gives what L e gives for one exporter after the other."""
    if "input" in dims and measure != "value_added":
        return
    model = nio.Leontief(table)
    together = nio.export_content(model, by=dims, measure=measure, values="money")  # type: ignore[arg-type]
    assert list(together.exporter.values) == list(table.countries)
    for exporter in table.countries:
        alone = nio.export_content(model, exporter, by=dims, measure=measure, values="money")  # type: ignore[arg-type]
        mine = together.sel(exporter=exporter)
        if "importer" in dims:
            assert mine.sel(importer=exporter).isnull().all()
            mine = mine.sel(importer=alone.importer)
        np.testing.assert_allclose(mine.transpose(*alone.dims), alone, rtol=1e-9, atol=1e-9 * float(alone.max()))


def test_a_country_that_exports_nothing() -> None:
    """Among all it is NaN and named, by itself it is an error; what the others sell does not move."""
    full = nio.load_table("north-america-2011")
    Z, y = np.array(full.Z if isinstance(full.Z, np.ndarray) else full.Z.toarray()), full.y.copy()
    own = full.positions(region="CAN")
    Z[np.ix_(own, np.setdiff1d(np.arange(full.n), own))] = 0.0
    others = np.repeat(np.array(full.final_regions) != "CAN", len(full.categories))
    y[np.ix_(own, np.flatnonzero(others))] = 0.0
    names = {"regions": full.regions, "sectors": full.sectors}
    final = {"final_regions": full.final_regions, "categories": full.categories}
    model = nio.Leontief(nio.IOTable.from_arrays(Z, y, None, **names, **final))
    content, terms = nio.export_content(model), nio.decompose_exports(model)
    for found in (content, terms.exports):
        assert found.sel(exporter="CAN").isnull().all()
    assert content.attrs["without_exports"] == terms.attrs["without_exports"] == "CAN"
    np.testing.assert_allclose(content.sel(exporter="MEX"), nio.export_content(model, "MEX"), rtol=1e-12)
    assert float(terms.dva.sel(exporter="MEX")) == pytest.approx(float(nio.decompose_exports(model, "MEX").dva))
    for question in (nio.export_content, nio.decompose_exports):
        with pytest.raises(nio.ShockError, match="CAN exports nothing"):
            question(model, "CAN")
        with pytest.raises(nio.LabelError, match="no exporter was named"):
            question(model, [])


def test_exporters_that_are_importers() -> None:
    model = nio.Leontief(nio.load_table("north-america-2011"))
    both = nio.export_content(model, ["MEX", "USA"], ["USA", "CAN"], by="importer")
    assert both.sel(exporter="USA", importer="USA").isnull().all()
    assert both.sel(exporter="USA", importer="CAN").sum() == pytest.approx(1.0, abs=1e-9)
    with pytest.raises(nio.ShockError, match="USA does not import from itself: leave it out"):
        nio.export_content(model, ["MEX", "USA"], "USA")
    with pytest.raises(nio.ShockError, match="USA does not import from itself: leave it out"):
        nio.decompose_exports(model, ["MEX", "USA"], "USA")
    with pytest.raises(nio.LabelError, match="MEX"):
        nio.export_content(model, ["MEX", "MEX"], "USA")


@given(tables(idle=False))
def test_vertical_specialisation_is_foreign_content_and_what_comes_back(table: nio.IOTable) -> None:
    """Hummels' measure is 1 − (v + τ)_s L_ss e, and exceeds foreign content by domestic content counted twice."""
    model = nio.Leontief(table)
    special = nio.export_content(model, "MEX", measure="vertical_specialisation", taxes="folded")
    parts = nio.decompose_exports(model, "MEX")
    imported = 1.0 - float(special.sel(origin="MEX"))
    assert imported == pytest.approx(float((parts.fc + parts.ddc) / parts.exports), rel=1e-8)


def by_hand(plain: Plain, e: np.ndarray, star: np.ndarray, importer: str) -> float:
    """Return value added of the importer in v (e + L A* e), per dollar."""
    v, _ = weights(plain.table)
    output = e + plain.L @ (star @ e)
    return float((v * output)[plain.country == importer].sum() / e.sum())


def test_specialised_inputs_by_shares() -> None:
    """The share of imported inputs that is American, product by product; total imports of each product stay."""
    table = random_table(4, 3, idle=False)
    plain, model = Plain(table), nio.Leontief(table)
    e = sold(plain, "MEX", "USA")
    own = plain.country == "MEX"
    share = (e / plain.x)[own].max()
    star = plain.A.copy()
    tilt = 0.0
    for j in np.flatnonzero(own):
        for product in range(3):
            rows = np.flatnonzero(~own & (np.arange(table.n) % 3 == product))
            american = rows[plain.country[rows] == "USA"]
            other = rows[plain.country[rows] != "USA"]
            total = plain.A[rows, j].sum()
            if total == 0:
                continue
            usual = plain.A[american, j].sum() / total
            tilt = max(tilt, usual)
            star[american, j] = plain.A[american, j] * (0.9 * total / plain.A[american, j].sum()) if usual > 0 else 0
            star[other, j] = plain.A[other, j] * (0.1 * total / plain.A[other, j].sum()) if usual < 1 else 0
    complete = all(
        plain.A[np.ix_((plain.country == c) & (np.arange(table.n) % 3 == p), own)].sum(axis=0).min() > 0
        for c in ("USA", "CHN") for p in range(3)
    )  # fmt: skip
    if not complete or (e[own][:, None].T / plain.x[own] * star[~own][:, own] > plain.A[~own][:, own] + 1e-12).any():
        with pytest.raises(nio.ShockError, match="specialised inputs ask for s|ask for more than the totals"):
            nio.export_content(model, "MEX", "USA", measure="specialised", specialised={"USA": 0.9})
        return
    found = nio.export_content(model, "MEX", "USA", measure="specialised", specialised={"USA": 0.9})
    assert float(found.sel(origin="USA")) == pytest.approx(by_hand(plain, e, star, "USA"), rel=1e-9)
    assert share > 0


def small() -> nio.IOTable:
    """Return two industries a country, every country selling everything: shares can be chosen freely within bounds."""
    regions = ["MEX", "USA", "CHN"]
    rng = np.random.default_rng(0)
    Z = rng.uniform(1.0, 5.0, (6, 6))
    Y = rng.uniform(20.0, 60.0, (6, 3))
    return nio.IOTable.from_arrays(
        Z,
        Y,
        None,
        regions=regions,
        sectors=["s0", "s1"],
        final_regions=regions,
        categories=["HFCE"],
        meta={"year": 2020},
    )


def test_specialised_inputs_that_are_possible() -> None:
    table = small()
    plain, model = Plain(table), nio.Leontief(table)
    e = sold(plain, "MEX", "USA")
    own = plain.country == "MEX"
    usual = nio.export_content(model, "MEX", "USA").sel(origin="USA").item()
    imported = plain.A[np.ix_(~own, own)].sum()
    share = plain.A[np.ix_(plain.country == "USA", own)].sum() / imported
    star = plain.A.copy()
    for j in np.flatnonzero(own):
        for product in range(2):
            rows = np.flatnonzero(~own & (np.arange(6) % 2 == product))
            for r in rows:
                star[r, j] = plain.A[rows, j].sum() * (0.6 if plain.country[r] == "USA" else 0.4)
    found = nio.export_content(model, "MEX", "USA", measure="specialised", specialised={"USA": 0.6})
    assert float(found.sel(origin="USA")) == pytest.approx(by_hand(plain, e, star, "USA"), rel=1e-9)
    assert float(found.sum()) == pytest.approx(1.0, abs=1e-9)
    lower, upper = (
        nio.export_content(model, "MEX", "USA", measure="specialised", specialised=b).sel(origin="USA").item()
        for b in ("lower", "upper")
    )
    assert lower < usual < upper
    assert lower <= float(found.sel(origin="USA")) <= upper
    assert 0 < share < 1
    heavy = nio.Leontief(table.with_numbers(Y=np.where(np.arange(6)[:, None] < 2, [[1, 90, 1]], table.y)))
    with pytest.raises(nio.ShockError, match=r"ask for more than the totals in \d+ cells"):
        nio.export_content(heavy, "MEX", "USA", measure="specialised", specialised={"USA": 0.99})


def test_bounds_leave_other_output_with_no_negative_inputs() -> None:
    """ω a* ≤ a in every cell, and imports of each product keep their amount: the two conditions of the bounds."""
    from nearshore_io.indicators.measures import _bound

    for seed in range(5):
        table = random_table(seed, 4)
        plain = Plain(table)
        own = np.flatnonzero(plain.country == "MEX")
        e = sold(plain, "MEX", "USA")
        share = np.where(plain.x[own] > 0, e[own] / np.where(plain.x[own] > 0, plain.x[own], 1), 0)
        average = plain.A[:, own]
        content = []
        for most in (False, True):
            star = _bound(table, average, own, table.positions(region="USA"), share, most=most)
            assert (star >= -1e-15).all()
            assert (share * star <= average + 1e-12).all()
            np.testing.assert_allclose(star.sum(axis=0), average.sum(axis=0), rtol=1e-10, atol=1e-12)
            content.append(
                by_hand(plain, e, np.where(np.isin(np.arange(table.n), own), 0, 0) + _wide(star, own, table.n), "USA")
            )
        assert content[0] <= content[1] + 1e-12


def _wide(star: np.ndarray, own: np.ndarray, n: int) -> np.ndarray:
    found = np.zeros((n, n))
    found[:, own] = star
    return found


@given(tables())
def test_by_input_and_in_money(table: nio.IOTable) -> None:
    """Each input apart sums to the whole; cents are a hundred times dollars; money is the share of the exports."""
    model = nio.Leontief(table)
    whole = nio.export_content(model, "MEX", "USA", taxes="folded")
    apart = nio.export_content(model, "MEX", "USA", by="input")
    np.testing.assert_allclose(apart.sum("input").values, whole.values, rtol=1e-9, atol=1e-12)
    cents = nio.export_content(model, "MEX", "USA", values="cents", taxes="folded")
    money = nio.export_content(model, "MEX", "USA", values="money", taxes="folded")
    np.testing.assert_allclose(cents.values, 100 * whole.values)
    np.testing.assert_allclose(money.values, whole.values * money.attrs["exports"], rtol=1e-9)
    assert (cents.attrs["units"], money.attrs["units"]) == ("cents per dollar", "million USD")


def test_several_years_at_once() -> None:
    models = [nio.Leontief(nio.read_wiod(require_wiod(), year)) for year in (1995, 2011)]
    found = nio.export_content(models, "MEX", "USA")
    assert found.sel(year=1995, origin="USA").item() == pytest.approx(0.19639, abs=1e-5)
    assert found.sel(year=2011, origin="USA").item() == pytest.approx(0.11755, abs=1e-5)
    with pytest.raises(nio.ShockError, match="need a year each, and different ones; these have 2011, 2011"):
        nio.export_content([models[1], models[1]], "MEX")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"measure": "valueadded"}, nio.LabelError, "no measure 'valueadded'"),
        ({"values": "pesos"}, nio.LabelError, "no kind of values 'pesos'"),
        ({"measure": "specialised", "importer": None}, nio.ShockError, "those of exports to one importer: name it"),
        ({"measure": "specialised", "specialised": "most"}, nio.ShockError, "specialised is 'most': shares by country, 'upper' or 'lower'"),
        ({"measure": "specialised", "specialised": {"BRA": 0.1}}, nio.LabelError, "name BRA; countries"),
        ({"measure": "specialised", "specialised": {"USA": 1.1}}, nio.ShockError, "at least 0 each, together at most 1"),
        ({"measure": "specialised", "specialised": {"MEX": 0.1}}, nio.ShockError, "the exporter itself has no share"),
        ({"by": "input", "taxes": "folded"}, nio.LabelError, "by='input' needs taxes='separate'"),
        ({"by": "input", "measure": "direct_inputs"}, nio.LabelError, "a measure of value added"),
    ],
)  # fmt: skip
def test_measures_that_are_not(options: dict[str, object], error: type[Exception], message: str) -> None:
    given = {"importer": "USA"} | options
    with pytest.raises(error, match=message):
        nio.export_content(nio.Leontief(small()), "MEX", **given)  # type: ignore[arg-type]


def test_measures_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """`--compare-measures` prints each with its definition, and published figures with theirs."""
    with pytest.raises(SystemExit) as stopped:
        main(["content", "MEX", "--importer", "USA", "--compare-measures", "--table", "north-america-2011"])
    assert not stopped.value.code
    printed = " ".join(capsys.readouterr().out.split())
    model = nio.Leontief(nio.load_table("north-america-2011"))
    for measure in ("value_added", "direct_inputs", "vertical_specialisation"):
        cents = 100 * nio.export_content(model, "MEX", "USA", measure=measure).sel(origin="USA").item()
        assert f"{cents:.2f}" in printed
    for name in DEFINITIONS:
        assert name in printed
    assert "US value added in US manufactured imports from Mexico" in printed
    with pytest.raises(SystemExit):
        main(["content", "MEX", "--importer", "USA", "--measure", "direct_inputs", "--format", "json"])
    records = json.loads(capsys.readouterr().out)
    assert records["attributes"]["measure"] == "direct_inputs"
