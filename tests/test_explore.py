"""The calculator: its numbers in a real browser against `run`, and that anyone can use it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browser import DESKTOP, PHONE, overflows, page_of, serious

import nearshore_io as nio
from nearshore_io.cli import main
from nearshore_io.explore import terms_of

MB = 1e6


@pytest.fixture(scope="module")
def model(estimated: nio.IOTable) -> nio.Leontief:
    return nio.Leontief(estimated)


@pytest.fixture(scope="module")
def file(model: nio.Leontief, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nio.write_explorer(model, tmp_path_factory.mktemp("explore") / "explore.html")


def shock(state: dict[str, Any]) -> Any:
    if state["mode"] == "move":
        return nio.Relocation(
            sectors=[state["sector"]], origin=state["partner"], destination=state["host"], buyers=state["market"],
            share=state["share"],
        )  # fmt: skip
    if state["mode"] == "build":
        return nio.FDI(
            state["host"], state["sector"], state["amount"], unit="million USD", capital_output_ratio=state["ratio"]
        )
    buyer = "MEX" if state["host"] == "USA" else "USA"
    return nio.FinalDemand(
        state["host"], state["sector"], state["amount"], unit="million USD", final_region=buyer, mix="exports"
    )


def asked(page: Any, state: dict[str, Any]) -> Any:
    """Return what the page's own script computes for a state in codes."""
    return page.evaluate(
        """s => { const T = nearshore.terms, at = (list, code) => list.findIndex(x => x === code);
          const found = nearshore.compute({...s, sector: T.sectors.findIndex(x => x[0] === s.sector), host: at(T.hosts, s.host),
            partner: at(T.partners, s.partner), market: T.markets.findIndex(m => m.join() === s.market.join())});
          return found && found.map(part => ({phase: part.phase, content: part.content,
            totals: Object.fromEntries(T.rows.map(([v, c], k) => [v + ' ' + c, part.totals[k]]))})); }""",
        state,
    )


MOVES = [
    {"mode": "move", "sector": sector, "partner": partner, "host": host, "market": market, "share": share,
     "amount": 1.0, "ratio": 1.0}
    for sector, partner, host, market, share in (
        ("C26", "CHN", "MEX", ["USA"], 0.1), ("C26", "CHN", "MEX", ["USA", "MEX"], 1.0), ("C29", "JPN", "MEX", ["USA"], 0.35),
        ("C29", "MEX", "USA", ["USA"], 0.5), ("C29", "MEX", "CAN", ["USA", "MEX"], 0.8), ("C10T12", "MEX", "USA", ["MEX"], 0.2),
        ("C20", "USA", "MEX", ["USA"], 0.15), ("C13T15", "VNM", "MEX", ["MEX"], 0.6), ("C27", "EU27", "USA", ["USA", "MEX"], 0.05),
        ("C301", "KOR", "CAN", ["MEX"], 0.9),
    )
]  # fmt: skip
OTHERS = [
    {"mode": mode, "sector": sector, "host": host, "amount": amount, "ratio": ratio, "share": 0.1, "partner": "CHN",
     "market": ["USA"]}
    for mode, sector, host, amount, ratio in (
        ("build", "C26", "MEX", 610.0, 0.92), ("build", "C29", "USA", 2500.0, 1.4), ("build", "C20", "CAN", 75.0, 2.0),
        ("sell", "C29", "MEX", 1000.0, 1.0), ("sell", "C28", "USA", 35.5, 1.0), ("sell", "A01", "MEX", 420.0, 1.0),
    )
]  # fmt: skip


def test_every_number_is_that_of_run(browser: Any, file: Path, model: nio.Leontief) -> None:
    """Sixteen settings in Chromium, all totals and contents, against the general route of `run`."""
    with page_of(browser, file) as page:
        for state in [*MOVES, *OTHERS]:
            found = nio.run(model, nio.Scenario("s", [shock(state)]), content=True).isel(scenario=0)
            parts = asked(page, state)
            assert [part["phase"] for part in parts] == found["phase"].values.tolist()
            for part in parts:
                at = found.sel(phase=part["phase"])
                scale = max(abs(value) for key, value in part["totals"].items() if key.startswith("value_added"))
                for key, value in part["totals"].items():
                    variable, country = key.split()
                    of_country = np.flatnonzero(at["country"].values == country)
                    expected = float(at[variable].isel(region=of_country).sum(skipna=False))
                    size = scale if variable == "value_added" else max(abs(expected), 1e-3 * scale)
                    assert value == pytest.approx(expected, abs=1e-9 * size), (state, key)
                if part["phase"] == "run":
                    after = at["content"].sel(when="after").values
                    np.testing.assert_allclose(part["content"], after[1:], rtol=1e-10, err_msg=str(state))


def test_what_stands_on_the_page_is_what_was_computed(browser: Any, file: Path, model: nio.Leontief) -> None:
    with page_of(browser, file) as page:
        page.locator("#share").fill("25")
        jobs = page.locator('[data-row="run.jobs"] td')
        impact = nio.run(model, nio.Scenario("s", [shock({**MOVES[0], "share": 0.25})])).isel(scenario=0, phase=0)
        for cell, country in ((jobs.nth(0), "USA"), (jobs.nth(1), "MEX")):
            expected = 1000 * float(
                impact["jobs"].isel(region=np.flatnonzero(impact["country"].values == country)).sum()
            )
            assert float(cell.get_attribute("data-value")) == pytest.approx(expected, rel=1e-9)
            assert abs(float(cell.inner_text().replace(",", "").replace("−", "-")) - expected) <= 5e-3 * abs(expected)
        said = page.locator("#headline").inner_text()
        assert "25 %" in said
        assert jobs.nth(1).inner_text() in said


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_code_it_shows_gives_the_numbers_it_shows(
    browser: Any, model: nio.Leontief, tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    with page_of(browser, nio.write_explorer(model, tmp_path / "e.html", lang)) as page:
        for mode in ("move", "build", "sell"):
            page.locator(f'input[value="{mode}"]').check()
            page.locator("details summary").first.click()
            scope: dict[str, Any] = {}
            exec(page.locator("#code").inner_text(), scope)
            page.locator("details summary").first.click()
            phase = page.locator("#impacts tr").last.get_attribute("data-row").split(".")[0]
            shown = float(page.locator(f'[data-row="{phase}.value_added"] td').nth(1).get_attribute("data-value"))
            ours = scope["impact"]["value_added"].sel(region="MEX", phase=phase).sum().item()
            assert shown == pytest.approx(ours, rel=1e-9)
    capsys.readouterr()


def test_it_is_used_by_keyboard_alone(browser: Any, file: Path) -> None:
    with page_of(browser, file) as page:
        before = page.locator("#headline").inner_text()
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "share-slider":
                break
        page.keyboard.press("ArrowRight")
        assert page.locator("#share").input_value() == "11"
        assert page.locator("#headline").inner_text() != before


def test_wrong_input_is_said_and_shows_no_numbers(browser: Any, file: Path) -> None:
    with page_of(browser, file) as page:
        for value, message in (("101", "between 0 and 100"), ("-1", "between 0 and 100"), ("", "between 0 and 100")):
            page.locator("#share").fill(value)
            assert message in page.locator("#trouble").inner_text()
            assert page.locator("#results").is_hidden()
        page.locator("#share").fill("10")
        assert page.locator("#trouble").inner_text() == ""
        page.locator("#partner").select_option(label="Mexico")
        assert "two different countries" in page.locator("#trouble").inner_text()
        page.locator("#partner").select_option(label="China")
        page.locator("#sector").select_option(label="T Activities of households as employers")
        assert "no such case" in page.locator("#trouble").inner_text()


@pytest.mark.parametrize(("lang", "size"), [("en", PHONE), ("es", DESKTOP)])
def test_anyone_can_read_it(browser: Any, model: nio.Leontief, tmp_path: Path, lang: str, size: dict[str, int]) -> None:
    """No serious finding of axe, nothing beyond the window on a phone, in both languages; under 3 MB."""
    page_file = nio.write_explorer(model, tmp_path / "explore.html", lang)
    assert page_file.stat().st_size < 3 * MB
    with page_of(browser, page_file, size) as page:
        assert page.locator("html").get_attribute("lang") == lang
        for mode in ("move", "build", "sell"):
            page.locator(f'input[value="{mode}"]').check()
            assert serious(page) == []
            assert not overflows(page)


def test_a_link_keeps_the_setting(browser: Any, file: Path) -> None:
    with page_of(browser, file) as page:
        page.locator("#share").fill("37")
        address = page.evaluate("location.href")
        said = page.locator("#headline").inner_text()
        page.goto("about:blank")
        page.goto(address)
        assert page.locator("#headline").inner_text() == said
        assert "sector=C26" in address
        for nonsense in (
            "#mode=fly&sector=99&share=abc&partner=XXX",
            "#share=&amount=NaN&host=-1",
            "#<script>",
            "#share=5e9",
        ):
            page.goto("about:blank")
            page.goto(f"{file.as_uri()}{nonsense}")
            assert "10 % of what" in page.locator("#headline").inner_text()
            assert (
                page.url.endswith(nonsense.replace("<", "%3C").replace(">", "%3E").replace('"', "%22"))
                or "mode" in nonsense
            )


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["explore", "--table", "north-america-2011", "--out", str(tmp_path / "e.html"), "--lang", "es"])
    assert stopped.value.code == 0
    assert str(tmp_path / "e.html") in capsys.readouterr().out
    assert '<html lang="es">' in (tmp_path / "e.html").read_text(encoding="utf-8")


def test_tables_and_models_it_is_not_for(tmp_path: Path, model: nio.Leontief) -> None:
    sectors = ["farms", "plants"]
    Z = pd.DataFrame([[150.0, 500.0], [200.0, 100.0]], index=sectors, columns=sectors)
    national = nio.from_frames(Z, pd.DataFrame({"final": [350.0, 1700.0]}, index=sectors))
    with pytest.raises(nio.ShockError, match="the United States and Mexico"):
        terms_of(nio.Leontief(national))
    with pytest.raises(nio.ShockError, match="open model"):
        terms_of(nio.Leontief(model.table, closure="households"))
    with pytest.raises(nio.FormatError, match=r"\.html"):
        nio.write_explorer(model, tmp_path / "explore.txt")
    with pytest.raises(nio.LabelError, match="English, Spanish"):
        nio.write_explorer(model, tmp_path / "explore.html", lang="fr")
    with pytest.raises(nio.LabelError, match="country"):
        terms_of(model, ["XXX"])
    assert list(tmp_path.iterdir()) == []
