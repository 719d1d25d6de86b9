"""Published numbers, and numbers computed from the published tables by another route, only."""

import numpy as np
import pytest
from conftest import require_wiod

import nearshore_io as nio
from nearshore_io.table import IOTable


def run_one(model: nio.Leontief, *shocks: object) -> object:
    return nio.run(model, nio.Scenario("a", shocks=list(shocks))).sel(scenario="a")


def test_textbook_two_sectors(textbook: IOTable) -> None:
    """Miller & Blair (2009), section 2.3: A, L and the output for the new final demand (600, 1500)."""
    np.testing.assert_allclose(textbook.A, [[0.15, 0.25], [0.20, 0.05]])
    model = nio.Leontief(textbook)
    L = model.solve(np.eye(2)).x
    np.testing.assert_allclose(L, [[1.2541, 0.3300], [0.2640, 1.1221]], atol=5e-5)
    demand = textbook.x.copy(data=[[600.0, 1500.0]])
    np.testing.assert_allclose(model.output(demand).values, [[1247.52, 1841.58]], atol=0.02)


def test_us_content_of_mexican_exports_2011(wiod_model: nio.Leontief) -> None:
    world, usa = (nio.export_content(wiod_model, "MEX", importer) for importer in (None, "USA"))
    assert 100 * world.sel(origin="USA").item() == pytest.approx(11.071, abs=5e-4)
    assert 100 * usa.sel(origin="USA").item() == pytest.approx(11.755, abs=5e-4)


def test_us_content_of_mexican_exports_1995() -> None:
    model = nio.Leontief(nio.read_wiod(require_wiod(), 1995, accounts=None))
    assert 100 * nio.export_content(model, "MEX").sel(origin="USA").item() == pytest.approx(16.436, abs=5e-4)
    assert 100 * nio.export_content(model, "MEX", "USA").sel(origin="USA").item() == pytest.approx(19.639, abs=5e-4)


def test_a_billion_of_mexican_electronics(wiod_model: nio.Leontief) -> None:
    found = run_one(wiod_model, nio.FinalDemand("MEX", "c14", "1 billion USD")).sum("sector").sel(phase="run")
    for country, expected in (("MEX", 390.45), ("USA", 181.34), ("CHN", 153.62)):
        assert found.value_added.sel(region=country).item() == pytest.approx(expected, abs=5e-3)
    assert found.output.sum().item() == pytest.approx(3078.54, abs=5e-3)
    assert found.value_added.sum().item() == pytest.approx(1000.0, abs=1e-9)


def test_electronics_from_china_to_mexico(wiod_model: nio.Leontief) -> None:
    move = nio.Relocation(sectors=["c14"], origin="CHN", destination="MEX", buyers=["USA", "MEX"], share=0.10)
    found = run_one(wiod_model, move).value_added.sum("sector").sel(phase="run")
    for country, expected in (("MEX", 8242.5), ("USA", 3111.2), ("CHN", -11826.0)):
        assert found.sel(region=country).item() == pytest.approx(expected, abs=0.05)
    assert found.sum().item() == pytest.approx(0.0, abs=1e-6)


def test_relocation_from_scratch(wiod_2011: IOTable, wiod_model: nio.Leontief) -> None:
    """The same relocation by editing the matrix and solving again with numpy."""
    A, Y = np.array(wiod_2011.A), wiod_2011.y.copy()
    china, mexico = (wiod_2011.positions(region, "c14")[0] for region in ("CHN", "MEX"))
    columns = wiod_2011.positions(region=["USA"])
    A[mexico, columns] += 0.25 * A[china, columns]
    A[china, columns] *= 0.75
    x = np.linalg.solve(np.eye(wiod_2011.n) - A, Y.sum(axis=1))
    move = nio.Relocation("c14", "CHN", "MEX", buyers="USA", share=0.25, uses=["intermediate"])
    found = run_one(wiod_model, move).output.sel(phase="run").values.ravel()
    np.testing.assert_allclose(found, x - wiod_2011.x.values.ravel(), atol=1e-6)


def test_published_output_is_matched_by_the_labour_accounts(wiod_2011: IOTable) -> None:
    """One exchange rate reproduces the world table from the accounts: 0.080788 USD a peso in 2011."""
    from nearshore_io.readers.accounts import exchange_rates, read_accounts

    values = read_accounts(require_wiod() / "WIOD_SEA.mat").set_index(["variable", "country", "code"])[2011]
    rates = exchange_rates(values, wiod_2011)
    assert rates[wiod_2011.positions("MEX")[0]] == pytest.approx(0.080788, abs=5e-7)
    gross = np.array([values.get(("GO", r, s), np.nan) for r in wiod_2011.regions for s in wiod_2011.sectors])
    published = wiod_2011.meta["output"].values.ravel()
    known = ~np.isnan(gross)
    known[wiod_2011.positions("LUX", "c28")] = False  # 78,243 in the table, 78,246.5 from the accounts
    np.testing.assert_allclose((gross * rates)[known], published[known], rtol=1e-6, atol=1.0)


def test_jobs_of_2011(wiod_2011: IOTable) -> None:
    """Totals printed in the accounts: 145.55 million in the USA, 51.39 million in Mexico, none for RoW."""
    jobs = wiod_2011.F.sel(stressor="jobs")
    assert jobs.sel(region="USA").sum().item() == pytest.approx(145_548.485, abs=1e-2)
    assert jobs.sel(region="MEX").sum().item() == pytest.approx(51_386.525, abs=1e-2)
    assert jobs.sel(region="RoW").isnull().all()


def test_truncated_rows_of_2011(wiod_2011: IOTable) -> None:
    gap = wiod_2011.imbalance()
    assert float(gap.max()) == 108
    assert float(gap.sum()) == 59_212
    assert float(abs(gap).sum()) == 59_272


def test_spectral_radius_of_2011(wiod_2011: IOTable) -> None:
    assert wiod_2011.check()["spectral radius of A"].value == pytest.approx(0.6102330192, abs=1e-8)


def test_closing_the_rows_gives_the_published_output() -> None:
    """In 2002 Latvia's c24 has inputs and no output, as truncation left it; with rows closed the table is read."""
    folder = require_wiod()
    with pytest.raises(nio.BalanceError, match=r"LVA/c24"):
        nio.read_wiod(folder, 2002, accounts=None)
    table = nio.read_wiod(folder, 2002, accounts=None, close_rows=True)
    np.testing.assert_allclose(table.x.values, table.meta["output"].values)


def test_bundled_table_agrees_with_the_world_table(wiod_model: nio.Leontief, model: nio.Leontief) -> None:
    """Totals are kept exactly; content moves by the aggregation of partners only, 0.03 cents."""
    for region in ("USA", "MEX", "CHN"):
        assert model.table.x.sel(region=region).sum().item() == wiod_model.table.x.sel(region=region).sum().item()
    assert model.table.x.sum().item() == wiod_model.table.x.sum().item()
    full, small = (nio.export_content(m, "MEX", "USA").sel(origin="USA").item() for m in (wiod_model, model))
    assert abs(full - small) < 3e-4


@pytest.mark.parametrize("year", [1995, 2011])
def test_a_closed_border_from_scratch(year: int) -> None:
    """Both engines on the whole world table, solved anew with plain arrays: nothing sold instead, or pro rata."""
    table = nio.read_wiod(require_wiod(), year, accounts=None)
    model = nio.Leontief(table)
    Z, Y, x = np.asarray(table.flows()).reshape(table.n, table.n), table.y, table.x.values.ravel()
    A = np.divide(Z, x, out=np.zeros_like(Z), where=x != 0)
    v = np.where(x != 0, 1 - A.sum(axis=0), 0.0)
    width, k = len(table.sectors), len(table.categories)
    at = {name: table.regions.index(name) for name in ("USA", "MEX")}
    rows = {name: slice(place * width, (place + 1) * width) for name, place in at.items()}
    uses = {name: slice(place * k, (place + 1) * k) for name, place in at.items()}
    for resourced in (False, True):
        A2, Y2 = A.copy(), Y.copy()
        for seller, buyer in (("USA", "MEX"), ("MEX", "USA")):
            for matrix, columns in ((A2, rows[buyer]), (Y2, uses[buyer])):
                block = matrix[:, columns].reshape(-1, width, matrix[:, columns].shape[1]).copy()
                bought = np.maximum(block, 0.0) if resourced else block
                lost = bought[at[seller]].copy()
                block[at[seller]] -= lost
                if resourced:
                    others = np.delete(bought, at[seller], axis=0).sum(axis=0)
                    factor = np.divide(lost, others, out=np.zeros_like(lost), where=others > 0)
                    more = bought * factor
                    more[at[seller]] = np.where(others > 0, 0.0, lost)
                    block += more
                matrix[:, columns] = block.reshape(table.n, -1)
        after = np.linalg.solve(np.eye(table.n) - A2, Y2.sum(axis=1))
        expected = (v * (after - x)).reshape(-1, width).sum(axis=1)
        shock = nio.Extraction([("USA", "MEX")], resourced=resourced)
        found = nio.run(model, nio.Scenario("closed", [shock])).value_added.sum("sector").squeeze()
        np.testing.assert_allclose(found.values, expected, atol=1e-5)
        if resourced:
            assert abs(found.sum().item()) < 1e-4


def test_kits_from_china_from_scratch(wiod_2011: IOTable, wiod_model: nio.Leontief) -> None:
    """A tenth of US purchases of Chinese electronics moves to Mexico with its suppliers, as a bordered world table."""
    table = wiod_2011
    n, x = table.n, table.x.values.ravel()
    A = np.asarray(table.flows()).reshape(n, n) / np.where(x != 0, x, np.inf)
    china, mexico = table.positions("CHN", "c14")[0], table.positions("MEX", "c14")[0]
    buyers, k = table.positions("USA"), len(table.categories)
    uses = slice(table.final_regions.index("USA") * k, (table.final_regions.index("USA") + 1) * k)
    whole, Y = np.zeros((n + 1, n + 1)), np.vstack([table.y, np.zeros(table.y.shape[1])])
    whole[:n, :n] = A
    whole[:n, n] = A[:, china]
    for matrix, columns in ((whole, buyers), (Y, uses)):
        matrix[n, columns] = 0.1 * matrix[china, columns]
        matrix[china, columns] *= 0.9
    after = np.linalg.solve(np.eye(n + 1) - whole, Y.sum(axis=1))
    change = after[:n] - x
    change[mexico] += after[n]
    move = nio.Relocation("c14", "CHN", "MEX", "USA", 0.1, localisation=0.0)
    found = nio.run(wiod_model, nio.Scenario("kits", [move]))
    np.testing.assert_allclose(found.output.values.ravel(), change, atol=1e-6)
