"""Footprints, positions, exposure and content rules, each by plain numpy on full inverses."""

import numpy as np
import pandas as pd
import pytest
from conftest import random_table, tables
from hypothesis import given

import nearshore_io as nio


class Plain:
    """A table's matrices, dense, and its full inverse."""

    def __init__(self, table: nio.IOTable) -> None:
        self.table = table
        self.Z = np.asarray(table.Z.toarray() if hasattr(table.Z, "toarray") else table.Z)
        self.x = table.x.values.ravel()
        self.live = self.x != 0
        self.A = self.Z * np.where(self.live, 1 / np.where(self.live, self.x, 1), 0)
        self.L = np.linalg.inv(np.eye(table.n) - self.A)
        self.country = np.repeat([table.country[r] for r in table.regions], len(table.sectors))
        self.Y = np.column_stack(
            [table.Y.sel(final_region=c).sum("category").values.ravel() for c in table.final_regions]
        )

    def per(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.live, values / np.where(self.live, self.x, 1), 0)


@given(tables())
def test_footprints_by_inverse_and_their_sums(table: nio.IOTable) -> None:
    """s_o L Y_d, and over destinations the stressor of the origin; unknown origins stay unknown."""
    plain, model = Plain(table), nio.Leontief(table)
    jobs = plain.per(table.stressors["jobs"][0])
    found = nio.footprint(model, "jobs")
    for o in ("USA", "MEX"):
        for k, d in enumerate(table.final_regions):
            expected = (jobs * (plain.L @ plain.Y[:, k]))[plain.country == o].sum()
            assert float(found.sel(origin=o, destination=d)) == pytest.approx(expected, rel=1e-9)
        total = table.stressors["jobs"][0][plain.country == o].sum()
        assert float(found.sel(origin=o).sum(skipna=False)) == pytest.approx(total, rel=1e-9)
    assert found.sel(origin="CHN").isnull().all()
    assert found.attrs["units"] == "thousand persons"
    for dim in ("origin_sector", "final_sector"):
        fine = nio.footprint(model, "jobs", by=dim)
        np.testing.assert_allclose(fine.sum(dim, skipna=False).values, found.values, rtol=1e-9)
    by_product = nio.footprint(model, "jobs", by="final_sector")
    sector = table.sectors[0]
    only = np.where(np.arange(table.n) % len(table.sectors) == 0, plain.Y[:, 0], 0.0)
    expected = (jobs * (plain.L @ only))[plain.country == "MEX"].sum()
    assert float(by_product.sel(origin="MEX", destination="USA", final_sector=sector)) == pytest.approx(
        expected, abs=1e-9
    )


@given(tables())
def test_stressors_in_exports(table: nio.IOTable) -> None:
    plain, model = Plain(table), nio.Leontief(table)
    mexican, american = plain.country == "MEX", plain.country == "USA"
    e = np.where(mexican, plain.Z[:, american].sum(axis=1) + plain.Y[:, 0], 0.0)
    jobs = plain.per(table.stressors["jobs"][0])
    expected = (jobs * (plain.L @ e))[american].sum()
    found = nio.embodied_in_exports(model, "jobs", "MEX", "USA")
    assert float(found.sel(origin="USA")) == pytest.approx(expected, rel=1e-9)
    fine = nio.embodied_in_exports(model, "jobs", "MEX", "USA", by="sector")
    assert float(fine.sel(origin="USA").sum()) == pytest.approx(expected, rel=1e-9)
    content = nio.export_content(model, "MEX", "USA")
    added = nio.embodied_in_exports(model, "value_added", "MEX", "USA")
    assert float(added.sel(origin="MEX")) / added.attrs["exports"] == pytest.approx(float(content.sel(origin="MEX")))


@given(tables())
def test_balances_gross_and_in_value_added_agree_for_the_whole_world(table: nio.IOTable) -> None:
    """A country's balance with all others is the same in both accounts; bilateral ones are antisymmetric."""
    found = nio.trade_balances(nio.Leontief(table))
    for name in ("gross_balance", "value_added_balance"):
        values = found[name].values
        np.testing.assert_allclose(values, -values.T, atol=1e-9)
    gross, added = (found[name].sum("partner").values for name in ("gross_balance", "value_added_balance"))
    np.testing.assert_allclose(gross, added, atol=1e-8 * float(found.gross_exports.max()))


@given(tables())
def test_upstreamness_by_the_row_shares(table: nio.IOTable) -> None:
    """(I − D)⁻¹ 1 with D_ij = Z_ij/x_i; corrected for inventories; at least one where final use is positive."""
    plain, model = Plain(table), nio.Leontief(table)
    live = plain.live
    D = plain.Z[np.ix_(live, live)] / plain.x[live][:, None]
    expected = np.linalg.solve(np.eye(live.sum()) - D, np.ones(live.sum()))
    found = nio.upstreamness(model, inventories="ignored").values.ravel()
    np.testing.assert_allclose(found[live], expected, rtol=1e-8)
    assert np.isnan(found[~live]).all()
    stored = table.Y.sel(category="INVNT").sum("final_region").values.ravel()
    if (plain.x[live] > stored[live]).all():
        scale = (plain.x / np.where(live, plain.x - stored, 1))[live]
        radius = np.abs(np.linalg.eigvals(scale[:, None] * D)).max()
        if radius > 1 + 1e-6:
            with pytest.raises(nio.BalanceError, match="used more than once over"):
                nio.upstreamness(model)
        elif radius < 1 - 1e-6:
            corrected = np.linalg.solve(np.eye(live.sum()) - scale[:, None] * D, np.ones(live.sum()))
            np.testing.assert_allclose(nio.upstreamness(model).values.ravel()[live], corrected, rtol=1e-8)
    down = nio.downstreamness(model).values.ravel()
    np.testing.assert_allclose(down[live], plain.L.sum(axis=0)[live], rtol=1e-9)


def test_upstreamness_of_what_was_mostly_in_store() -> None:
    """Ore that is used four times what is made, from store: the correction leaves its uses' shares, one step more."""
    sectors = ["ore", "steel"]
    Z = pd.DataFrame([[0, 40], [0, 0]], index=sectors, columns=sectors, dtype=float)
    Y = pd.DataFrame({"HFCE": [0.0, 100.0], "INVNT": [-30.0, 0.0]}, index=sectors)
    model = nio.Leontief(nio.from_frames(Z, Y))
    np.testing.assert_allclose(nio.upstreamness(model).values.ravel(), [2, 1])


def test_upstreamness_of_a_textbook_chain() -> None:
    """Ore → steel → cars, all of each sold to the next: three, two and one steps."""
    sectors = ["ore", "steel", "cars"]
    Z = pd.DataFrame([[0, 10, 0], [0, 0, 20], [0, 0, 0]], index=sectors, columns=sectors, dtype=float)
    Y = pd.DataFrame({"HFCE": [0.0, 0.0, 40.0]}, index=sectors)
    model = nio.Leontief(nio.from_frames(Z, Y))
    np.testing.assert_allclose(nio.upstreamness(model, "ignored").values.ravel(), [3, 2, 1])
    np.testing.assert_allclose(nio.downstreamness(model).values.ravel(), [1, 1.5, 1.75])
    np.testing.assert_allclose(nio.propagation_length(model, "economy", "ore").values.ravel(), [np.nan, 1, 2])
    with pytest.raises(nio.LabelError, match="no category of final demand 'INVNT'"):
        nio.upstreamness(model)


@given(tables())
def test_lengths_and_linkages_by_inverse(table: nio.IOTable) -> None:
    plain, model = Plain(table), nio.Leontief(table)
    live = plain.live
    region, sector = "USA", str(table.sectors[int(table.x.sel(region="USA").values.argmax())])
    i = table.positions(region, sector)[0]
    H = plain.L - np.eye(table.n)
    twice = (plain.L @ H)[i]
    known = H[i] > 1e-14
    found = nio.propagation_length(model, region, sector).values.ravel()
    np.testing.assert_allclose(found[known], twice[known] / H[i][known], rtol=1e-7)
    linked = nio.linkages(model)
    inner = plain.L[np.ix_(live, live)]
    np.testing.assert_allclose(
        linked.backward.values.ravel()[live], inner.sum(axis=0) / inner.sum(axis=0).mean(), rtol=1e-9
    )
    np.testing.assert_allclose(
        linked.forward.values.ravel()[live], inner.sum(axis=1) / inner.sum(axis=1).mean(), rtol=1e-9
    )
    B = plain.Z[np.ix_(live, live)] / plain.x[live][:, None]
    ghosh = np.linalg.inv(np.eye(live.sum()) - B).sum(axis=1)
    np.testing.assert_allclose(linked.forward_supply.values.ravel()[live], ghosh / ghosh.mean(), rtol=1e-8)


def test_multipliers_name_their_denominators(bundled: nio.IOTable) -> None:
    """Types I and II of US jobs, by transposed solves of the open and the closed model; the ratio is per direct job."""
    table = bundled.with_numbers(
        stressors={name: (np.nan_to_num(values), unit) for name, (values, unit) in bundled.stressors.items()}
    )
    model = nio.Leontief(table)
    found = nio.multiplier_table(model, "jobs")
    at = {"region": "USA", "sector": "c15"}
    assert found.per_final_demand_type_i.attrs["units"] == "thousand persons per million USD of final demand"
    assert found.per_direct_type_i.attrs["units"] == "thousand persons per thousand persons of its own"
    open_model = model.multipliers("jobs").sel(at).item()
    closed = nio.Leontief(table, closure="households").multipliers("jobs").sel(at).item()
    assert found.per_final_demand_type_i.sel(at).item() == pytest.approx(open_model)
    assert found.per_final_demand_type_ii.sel(at).item() == pytest.approx(closed)
    assert closed > open_model
    assert found.per_direct_type_i.sel(at).item() == pytest.approx(open_model / found.direct.sel(at).item())


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_hypothetical_extraction_by_changed_matrices(share: float) -> None:
    """Sales, purchases, or both of two Mexican industries; shared is what both hold."""
    table = random_table(6, 4, idle=False)
    plain, model = Plain(table), nio.Leontief(table)
    chosen = table.positions("MX2", ["s1", "s2"])
    others = np.setdiff1d(np.arange(table.n), chosen)
    y = plain.Y.sum(axis=1)
    kept = y.copy()
    kept[chosen] *= 1 - share
    expected = {}
    for kind in ("forward", "backward", "total"):
        A = plain.A.copy()
        if kind != "backward":
            A[chosen] *= 1 - share
        if kind == "backward":
            A[:, chosen] *= 1 - share
        if kind == "total":
            A[np.ix_(others, chosen)] *= 1 - share
        f = y if kind == "backward" else kept
        expected[kind] = plain.x - np.linalg.solve(np.eye(table.n) - A, f)
    expected["shared"] = expected["forward"] + expected["backward"] - expected["total"]
    found = nio.extraction(model, "MX2", ["s1", "s2"], share=share)
    v = table.intensity("value_added")
    for kind, loss in expected.items():
        np.testing.assert_allclose(found.output.sel(kind=kind).values.ravel(), loss, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(found.value_added.sel(kind=kind).values.ravel(), v * loss, rtol=1e-8, atol=1e-8)
    with pytest.raises(nio.ShockError, match="share is 0"):
        nio.extraction(model, "MX2", "s1", share=0)


@given(tables())
def test_exposure_face_value_and_looked_through(table: nio.IOTable) -> None:
    """(L − I) rows; by first-tier supplier they add up; hidden is never negative where A is not."""
    plain, model = Plain(table), nio.Leontief(table)
    member = plain.country == "CHN"
    found = nio.exposure(model, "CHN")
    np.testing.assert_allclose(found.face_value.values.ravel(), plain.A[member].sum(axis=0), rtol=1e-9, atol=1e-12)
    look = (plain.L - np.eye(table.n))[member].sum(axis=0)
    np.testing.assert_allclose(found.look_through.values.ravel(), look, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.through.sum("supplier").values.ravel(), look, rtol=1e-9, atol=1e-12)
    through = (plain.L[member].sum(axis=0) * (plain.country == "MEX")) @ plain.A
    np.testing.assert_allclose(found.through.sel(supplier="MEX").values.ravel(), through, rtol=1e-9, atol=1e-12)
    assert (found.hidden.values >= -1e-12).all()
    v = np.where(member, table.intensity("value_added"), 0)
    np.testing.assert_allclose(found.value_added.values.ravel(), v @ plain.L, rtol=1e-9, atol=1e-12)


def test_passes_through_a_set_are_looked_through_exposure() -> None:
    """d/ds of 1ᵀ… (v + τ) L(s) at s = 1, L(s) = (I − D_s A)⁻¹: the expected number of passes, by finite differences."""
    table = random_table(3, 4, idle=False)
    plain = Plain(table)
    member = plain.country == "CHN"
    whole = 1 - plain.A.sum(axis=0)

    def chain(s: float) -> np.ndarray:
        D = np.where(member, s, 1.0)
        return whole @ np.linalg.inv(np.eye(table.n) - D[:, None] * plain.A)

    slope = (chain(1 + 1e-6) - chain(1 - 1e-6)) / 2e-6
    found = nio.exposure(nio.Leontief(table), "CHN").look_through.values.ravel()
    np.testing.assert_allclose(found, slope, rtol=1e-6)


@given(tables())
def test_concentration_and_trust(table: nio.IOTable) -> None:
    plain, model = Plain(table), nio.Leontief(table)
    width = len(table.sectors)
    found = nio.concentration(model, region="USA")
    j = int(table.x.sel(region="USA").values.argmax())
    column = plain.A[:, table.positions("USA", table.sectors[j])[0]]
    by = pd.Series(column).groupby([plain.country, np.arange(table.n) % width]).sum().unstack()
    if column.sum() > 0:
        theta = by / by.sum()
        expected = ((theta**2).sum() * by.sum()).sum() / by.to_numpy().sum()
        at = {"region": "USA", "sector": table.sectors[j]}
        assert float(found.by_product.sel(at)) == pytest.approx(expected, rel=1e-9)
        total = by.sum(axis=1)
        assert float(found.inputs.sel(at)) == pytest.approx(float((total**2).sum() / total.sum() ** 2), rel=1e-9)
    shares = nio.origins(model, "USA", table.sectors[j])
    trust = {"USA": 1.0, "MEX": 0.5, "CHN": 0.0}
    weighted = nio.trust_weighted_exposure(model, trust, "USA", table.sectors[j])
    expected = 0.5 * float(shares.sel(origin="MEX").squeeze()) + float(shares.sel(origin="CHN").squeeze())
    assert float(weighted.squeeze()) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    for wrong, message in (({"USA": 1.0}, "missing MEX, CHN"), (trust | {"EUR": 1.0}, "unknown EUR")):
        with pytest.raises(nio.LabelError, match=message):
            nio.trust_weighted_exposure(model, wrong)
    with pytest.raises(nio.ShockError, match="trust of MEX is 2"):
        nio.trust_weighted_exposure(model, trust | {"MEX": 2.0})


def test_electronics_on_east_asia_directly_and_through_mexico(wiod_model: nio.Leontief) -> None:
    found = nio.exposure(wiod_model, "east_asia", region="USA", sector="c14")
    through = found.through.squeeze(["region", "sector"])
    direct = through.sel(supplier=["CHN", "JPN", "KOR", "TWN"]).sum()
    assert direct.item() > found.face_value.item()
    assert 0 < through.sel(supplier="MEX").item() < found.hidden.item()


def with_canada(seed: int = 0) -> nio.IOTable:
    """Return a random table of the three countries and the rest of the world."""
    table = random_table(seed, 4, idle=False, tax=False)
    return nio.IOTable.from_arrays(
        table.Z, table.y, table.inputs,
        regions=["USA", "MEX", "CAN", "ROW"], sectors=table.sectors, final_regions=["USA", "MEX", "ROW"],
        categories=table.categories, meta={"name": "with Canada", "year": 2020},
    )  # fmt: skip


def test_regional_value_content_by_inverse() -> None:
    """Direct, traced (with what is added outside it is one) and rolled up (a greatest fixed point, found by hand)."""
    table = with_canada()
    plain, model = Plain(table), nio.Leontief(table)
    inside = plain.country != "ROW"
    direct = 1 - plain.A[~inside].sum(axis=0)
    traced = np.where(inside, table.intensity("value_added"), 0) @ plain.L
    found = {
        m: nio.regional_value_content(model, list(table.regions), measure=m) for m in ("direct", "traced", "roll_up")
    }
    np.testing.assert_allclose(found["direct"].content.values.ravel(), direct, rtol=1e-10)
    np.testing.assert_allclose(found["traced"].content.values.ravel(), traced, rtol=1e-9)
    outside = np.where(inside, 0, table.intensity("value_added")) @ plain.L
    np.testing.assert_allclose(traced + outside, 1.0, rtol=1e-9)
    origin = inside.astype(float)
    for _ in range(100):
        content = 1 - plain.A[~inside].sum(axis=0) - (inside * (1 - origin)) @ plain.A
        origin = origin * (content >= 0.75)
    np.testing.assert_allclose(found["roll_up"].content.values.ravel(), content, rtol=1e-10)
    one = nio.regional_value_content(model, "MEX", "s1", excluded=0.2)
    at = table.positions("MEX", "s1")[0]
    assert one.content.item() == pytest.approx(1 - plain.A[~inside, at].sum() / 0.8)
    assert float(one.threshold) == 0.75
    assert one.passes.item() == (one.content.item() >= 0.75)
    assert one.gap.item() == pytest.approx(max(0.75 - one.content.item(), 0))
    low, high = (
        nio.regional_value_content(model, list(table.regions), measure="roll_up", threshold=t).content
        for t in (0.5, 0.9)
    )
    assert (low.values >= high.values - 1e-12).all()


@pytest.mark.parametrize(
    ("day", "method", "threshold"),
    [("2020-07-01", "net_cost", 0.66), ("2022-01-01", "net_cost", 0.69), ("2022-12-31", "transaction_value", 0.82), ("2025-01-01", "transaction_value", 0.85)],
)  # fmt: skip
def test_thresholds_are_those_in_force(day: str, method: str, threshold: float) -> None:
    found = nio.regional_value_content(nio.Leontief(with_canada()), day=day, method=method)  # type: ignore[arg-type]
    assert float(found.threshold) == threshold
    assert "annex 4-B" in found.attrs["source"]


def test_labour_value_content_by_the_formula() -> None:
    from scipy.stats import norm

    table = with_canada()
    rng = np.random.default_rng(1)
    hours = rng.uniform(1, 5, table.n)
    pay = hours * rng.uniform(2, 40, table.n) / 1.0
    table = table.with_numbers(stressors={"compensation": (pay, "million USD"), "hours": (hours, "million hours")})
    plain = Plain(table)
    inside = plain.country != "ROW"
    high = 1 - norm.cdf((np.log(16) - (np.log(pay / hours) - 0.125)) / 0.5)
    expected = high * plain.per(pay) + (high * inside) @ plain.A + 0.10 + 0.05
    found = nio.labour_value_content(nio.Leontief(table), list(table.regions), technology=0.3, assembly=True)
    np.testing.assert_allclose(found.content.values.ravel(), expected, rtol=1e-9)
    assert float(found.threshold) == 0.40
    assert float(nio.labour_value_content(nio.Leontief(table), vehicle="truck").threshold) == 0.45


def test_metals_and_exim() -> None:
    table = with_canada()
    plain, model = Plain(table), nio.Leontief(table)
    metal = np.arange(table.n) % 4 == 2
    inside = plain.country != "ROW"
    share = plain.A[metal & inside].sum(axis=0) / plain.A[metal].sum(axis=0)
    found = nio.metals_content(model, "s2", region=list(table.regions))
    np.testing.assert_allclose(found.content.values.ravel(), share, rtol=1e-10)
    american = plain.country == "USA"
    direct = nio.exim_content(model)
    at = table.positions("USA")
    np.testing.assert_allclose(direct.content.values.ravel(), (1 - plain.A[~american].sum(axis=0))[at], rtol=1e-10)
    traced = nio.exim_content(model, measure="traced").content.values.ravel()
    np.testing.assert_allclose(traced, (np.where(american, table.intensity("value_added"), 0) @ plain.L)[at], rtol=1e-9)
    assert set(np.unique(direct.support.values)) <= {0.0, 0.85}
    assert ((direct.content.values >= 0.51) == (direct.support.values == 0.85)).all()
    standard = nio.exim_content(model, policy="standard")
    np.testing.assert_allclose(standard.support.values, np.minimum(standard.content.values, 0.85))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: nio.regional_value_content(m, threshold=1.5), nio.ShockError, "threshold is 1.5: a share lies between 0 and 1"),
        (lambda m: nio.regional_value_content(m, excluded=1.0), nio.ShockError, "excluded is 1.0"),
        (lambda m: nio.regional_value_content(m, day="2019-01-01"), nio.ShockError, "not in force on 2019-01-01; it began on 2020-07-01"),
        (lambda m: nio.regional_value_content(m, measure="traces"), nio.LabelError, "no measure of content 'traces'"),  # type: ignore[arg-type]
        (lambda m: nio.exim_content(m, threshold=-0.1), nio.ShockError, "threshold is -0.1"),
        (lambda m: nio.labour_value_content(m), nio.LabelError, "no stressor 'compensation'"),
        (lambda m: nio.metals_content(m, "s9"), nio.LabelError, "no sector 's9'"),
        (lambda m: nio.footprint(m, "joobs"), nio.LabelError, "no input or stressor 'joobs'.*Known: value_added"),
        (lambda m: nio.embodied_in_exports(m, "jobs", "MEX", "MEX"), nio.ShockError, "does not import from itself"),
    ],
)  # fmt: skip
def test_questions_with_one_clear_answer(call: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(nio.Leontief(with_canada()))  # type: ignore[operator]


def test_a_rule_about_countries_the_table_does_not_tell_apart() -> None:
    with pytest.raises(nio.LabelError, match="the rule is about USA, MEX, CAN, and random 1 has no CAN"):
        nio.regional_value_content(nio.Leontief(random_table(1)))
