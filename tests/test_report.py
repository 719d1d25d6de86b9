"""Reports: every number on the page is one of the model's, both languages, bad input, and real paper."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from browser import DESKTOP, PHONE, overflows, page_of, serious

import nearshore_io as nio
from nearshore_io.cli import main
from nearshore_io.report.findings import findings_of
from nearshore_io.words import words_of


@pytest.fixture(scope="module")
def model(estimated: nio.IOTable) -> nio.Leontief:
    return nio.Leontief(estimated)


@pytest.fixture(scope="module")
def results(model: nio.Leontief) -> xr.Dataset:
    return nio.run(model, nio.load_scenario("S02"), effects=True, variants=True, content=True)


class Page(HTMLParser):
    """Headings, paragraphs and tables of a report, and where it points."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.links: list[tuple[str, str]] = []
        self.images: list[dict[str, str | None]] = []
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self._text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append((given.get("download") or "", given.get("href") or ""))
        if tag == "img":
            self.images.append(given)
        if tag == "tr":
            self._rows.append([])
        if tag in ("h1", "h2", "h3", "td", "th", "caption"):
            self._text = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        said = " ".join(self._text.split())
        if tag in ("h1", "h2", "h3"):
            self.headings.append(said)
        if tag == "caption":
            self._rows = []
            self._title = said
        if tag in ("td", "th"):
            self._rows[-1].append(said)
        if tag == "table":
            self.tables[self._title] = self._rows


def value_of(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").replace("+", ""))


def sum_of(impact: xr.Dataset, name: str, country: str, **chosen: str) -> float:
    values = impact[name].isel(scenario=0).sel(**chosen)
    values = values.isel(region=np.flatnonzero(values["country"].values == country))
    return float(values.sum(skipna=False))


def test_the_summary_is_that_of_run(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    """Direct, indirect and total of both countries and both phases, to the two digits that are printed."""
    page = Page(nio.write_report(results, tmp_path / "r.html", model).read_text(encoding="utf-8"))
    names = ("output", "value_added", "compensation", "jobs", "taxes_less_subsidies")
    for phase, word in (("build", "building"), ("run", "running")):
        rows = next(rows for title, rows in page.tables.items() if title.startswith(f"Impacts by country, {word}"))
        for country, code in (("United States", "USA"), ("Mexico", "MEX")):
            for effect, chosen in (
                ("direct", {"effect": "direct"}),
                ("indirect", {"effect": "indirect"}),
                ("total, type I", {}),
            ):
                row = next(r for r in rows if r[:2] == [country, effect])
                for name, cell in zip(names, row[2:], strict=True):
                    expected = sum_of(results, name, code, variant="central", phase=phase, **chosen)
                    expected *= 1000.0 if name == "jobs" else 1.0
                    assert value_of(cell) == pytest.approx(expected, rel=0.051, abs=5e-7), (
                        phase,
                        country,
                        effect,
                        name,
                    )


def test_the_headline_has_the_band_of_the_corners(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    text = nio.write_report(results, tmp_path / "r.html", model).read_text(encoding="utf-8")
    said = next(part for part in re.findall(r'<p class="headline">(.*?)</p>', text) if part.startswith("Every year"))
    low, high, unit, central = re.search(
        r"value added of (\S+) to (\S+) (million USD) \(central (\S+)\) in Mexico", said
    ).groups()
    assert unit == "million USD"
    corners = results["value_added"].isel(scenario=0).sel(phase="run")
    sums = corners.isel(region=np.flatnonzero(corners["country"].values == "MEX")).sum(["region", "sector", "effect"])
    for given, expected in ((low, sums.min()), (high, sums.max()), (central, sums.sel(variant="central"))):
        assert value_of(given) == pytest.approx(float(expected), rel=0.051)
    assert "Counted: gross" in text
    assert "job-years" in text


def test_order_of_the_page_and_no_network(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    text = nio.write_report(results, tmp_path / "r.html", model).read_text(encoding="utf-8")
    page = Page(text)
    assert page.headings[1:] == [
        "The answer", "What was simulated", "Impacts by country", "Industries: who gains, who loses",
        "Where the dollar goes", "Trade and content", "Sensitivity", "Published figures", "Limits",
        "Annex: equations, sources, how to make it again",
    ]  # fmt: skip
    assert all(href.startswith(("#", "data:text/csv")) for _, href in page.links)
    assert all(str(image["src"]).startswith("data:image/svg+xml") and image["alt"] for image in page.images)
    assert len(page.images) >= 10
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert model.table.sha256 in text
    assert text == nio.write_report(results, tmp_path / "again.html", model).read_text(encoding="utf-8")


def test_figures_carry_their_data(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    page = Page(nio.write_report(results, tmp_path / "r.html", model).read_text(encoding="utf-8"))
    data = {name: href for name, href in page.links if name}
    assert len(data) == len(page.images)
    flows = pd.read_csv(io.BytesIO(base64.b64decode(data["s1-sankey-run-gained.csv"].partition(",")[2])))
    expected = nio.demand_flows(model, nio.load_scenario("S02"))
    assert flows["value"].sum() == pytest.approx(expected.loc[expected["direction"] == "gained", "value"].sum())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "lang"), [*((name, "es") for name in nio.list_gallery()), ("S04", "en"), ("S11", "en"), ("S15", "en")]
)
def test_every_gallery_scenario_has_a_report_in_both_languages(
    model: nio.Leontief, tmp_path: Path, name: str, lang: str
) -> None:
    """Nothing of the package stays English in the Spanish page, and no place in a sentence stays empty."""
    found = nio.run(model, nio.load_scenario(name))
    text = nio.write_report(found, tmp_path / "r.html", model, lang=lang).read_text(encoding="utf-8")
    visible = re.sub(r"<style.*?</style>|<pre.*?</pre>|data:[^\"]*", "", text, flags=re.DOTALL)
    assert not re.findall(r"\{[a-z_]+\}", visible)
    assert "nan" not in re.findall(r"\b\w+\b", visible)
    if lang == "es":
        assert re.findall(r'<span lang="en">([^<]*)', visible) == []


def test_the_two_catalogues_say_the_same_things() -> None:
    english, spanish = words_of("en"), words_of("es")
    assert set(english.sentences) == set(spanish.sentences)
    assert set(english.countries) == set(spanish.countries)
    for key, text in english.sentences.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", spanish.sentences[key])), key
    with pytest.raises(nio.LabelError, match="English, Spanish"):
        words_of("de")


def test_spanish_reads_spanish(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    text = nio.write_report(results, tmp_path / "r.html", model, lang="es").read_text(encoding="utf-8")
    assert '<html lang="es">' in text
    assert "empleos-año" in text
    assert "millones de dólares" in text
    assert "Estados Unidos" in text
    visible = re.sub(
        r"<pre.*?</pre>|data:[^\"]*|[\d.]+ million USD_\d{4}", "", text, flags=re.DOTALL
    )  # as it was typed
    for word in ("million USD", "United States", "value added", " Mexico"):
        assert word not in visible, word


@pytest.mark.slow
def test_markdown_and_workbook_hold_the_same_tables(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    page = Page(nio.write_report(results, tmp_path / "r.html", model).read_text(encoding="utf-8"))
    markdown = nio.write_report(results, tmp_path / "r.md", model).read_text(encoding="utf-8")
    book = load_workbook(nio.write_report(results, tmp_path / "r.xlsx", model))
    for title, rows in page.tables.items():
        assert re.sub(r"([\\`*_\[\]])", r"\\\1", title) in markdown
        for row in rows[1:]:
            line = (
                "| "
                + " | ".join(
                    re.sub(
                        r"([\\`*_\[\]])", r"\\\1", cell.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                    ).replace("|", "\\|")
                    for cell in row
                )
                + " |"
            )
            assert line in markdown, line
    assert len(book.sheetnames) == 1 + len(page.tables)
    sheet = book["s1-summary-run"]
    rows = {(row[0], row[1]): row[2:] for row in sheet.iter_rows(min_row=3, values_only=True)}
    exact = rows["Mexico", "total, type I"][1]
    assert exact == pytest.approx(sum_of(results, "value_added", "MEX", variant="central", phase="run"), rel=1e-12)


def test_texts_of_users_are_escaped_everywhere(model: nio.Leontief, tmp_path: Path) -> None:
    """Accents, quotes, tags, pipes and formulas in names, titles and sources stay what they are: text."""
    from openpyxl import load_workbook

    evil = '=HYPERLINK("x") <script>alert(1)</script> "Ñandú" | & \'señal\' </style>'
    scenario = nio.Scenario(
        evil, [nio.FinalDemand("MEX", "C29", "1 billion USD")], title=evil, question=evil, method=evil, limits=evil,
        parameters=[nio.Parameter("<b>p</b>", 1, "<i>", f"{evil} </table>")],
    )  # fmt: skip
    found = nio.run(model, scenario)
    text = nio.write_report(found, tmp_path / "r.html", model).read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "Ñandú" in text
    markdown = nio.write_report(found, tmp_path / "r.md", model).read_text(encoding="utf-8")
    assert "<script>" not in re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    book = load_workbook(nio.write_report(found, tmp_path / "r.xlsx", model))
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    spanish = nio.write_report(found, tmp_path / "es.html", model, lang="es").read_text(encoding="utf-8")
    assert '<span lang="en">' in spanish


def test_a_result_without_a_band_says_so(model: nio.Leontief, tmp_path: Path) -> None:
    bare = nio.Scenario("bare", nio.load_scenario("S10").shocks)
    text = nio.write_report(nio.run(model, bare), tmp_path / "r.html", model).read_text(encoding="utf-8")
    assert "There is no band" in text
    demand = nio.Scenario("d", [nio.FinalDemand("MEX", "C29", "1 billion USD")])
    text = nio.write_report(nio.run(model, demand), tmp_path / "r.html", model).read_text(encoding="utf-8")
    assert "Bands: nine tenths, from errors of the table" in text


@pytest.mark.slow
def test_one_scenario_or_five_hundred(model: nio.Leontief, tmp_path: Path) -> None:
    """Of many, the smallest, the median and the largest are shown in full, and the rest by evenly spaced lines."""
    many = [
        nio.Scenario(f"demand-{k:03d}", [nio.FinalDemand("MEX", "C29", f"{(k * 7919) % 500 + 1} million USD")])
        for k in range(500)
    ]
    found = nio.run(model, many)
    text = nio.write_report(found, tmp_path / "r.html", model).read_text(encoding="utf-8")
    sizes = {scenario.name: (k * 7919) % 500 + 1 for k, scenario in enumerate(many)}
    shown = [heading for heading in Page(text).headings if heading.startswith("demand-")]
    assert sorted(sizes[name] for name in shown) == [1, 251, 500]
    assert "Of 500 scenarios these are shown in full" in text
    assert "100 of 500 scenarios" in text
    assert len(Page(text).tables["All scenarios at a glance"]) == 101
    assert len(text) < 3e6
    few = nio.run(model, many[:2])
    page = Page(nio.write_report(few, tmp_path / "few.html", model).read_text(encoding="utf-8"))
    assert [heading for heading in page.headings if heading.startswith("demand-")] == ["demand-000", "demand-001"]


def test_results_that_were_changed_are_refused(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    for name in ("output", "value_added", "jobs", "content"):
        changed = results.copy()
        changed[name] = changed[name] * 1.001
        with pytest.raises(nio.FormatError, match="differ from what their own assumptions give"):
            nio.write_report(changed, tmp_path / "r.html", model)
    closed = nio.run(nio.Leontief(model.table, closure="households"), nio.load_scenario("S02"))
    with pytest.raises(nio.FormatError, match="another model"):
        nio.write_report(closed, tmp_path / "r.html", model)
    strange = results.assign_coords(scenario=["S99"])
    with pytest.raises(nio.FormatError, match="S99 are not among"):
        nio.write_report(strange, tmp_path / "r.html", model)
    other = nio.Leontief(nio.load_table("north-america-2011"))
    with pytest.raises(nio.FormatError, match="give the table they were made with"):
        nio.write_report(results, tmp_path / "r.html", other)
    with pytest.raises(nio.FormatError, match="open model"):
        nio.write_report(results, tmp_path / "r.html", nio.Leontief(model.table, closure="households"))
    with pytest.raises(nio.FormatError, match="no results of"):
        nio.write_report(xr.Dataset(), tmp_path / "r.html", model)
    with pytest.raises(nio.FormatError, match="results of nio.run or nio.open_results, not dict"):
        nio.write_report({}, tmp_path / "r.html", model)  # type: ignore[arg-type]
    with pytest.raises(nio.FormatError, match="year by year"):
        nio.write_report(nio.run_years(model, [nio.load_scenario("S01")]), tmp_path / "r.html", model)
    assert list(tmp_path.iterdir()) == []


def test_places_and_endings_that_cannot_be_written(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(nio.FormatError, match=r"\.html, \.md or \.xlsx, not \.pdf"):
        nio.write_report(results, tmp_path / "r.pdf", model)
    with pytest.raises(nio.StorageError):
        nio.write_report(results, tmp_path / "none" / "r.html", model)
    (tmp_path / "old.html").write_text("old", encoding="utf-8")
    with pytest.raises(nio.LabelError, match="English, Spanish"):
        nio.write_report(results, tmp_path / "old.html", model, lang="pt")
    with pytest.raises(nio.FormatError, match="only a page"):
        nio.write_report(results, tmp_path / "r.md", model, with_calculator=True)
    assert (tmp_path / "old.html").read_text(encoding="utf-8") == "old"


def test_missing_extras_are_named(
    model: nio.Leontief, results: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(nio.MissingExtraError, match=r"a report as a workbook needs openpyxl: .*nearshore_io\[excel\]"):
        nio.write_report(results, tmp_path / "r.xlsx", model)


def test_type_two_is_an_upper_bound_beside_type_one(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    page = Page(nio.write_report(results, tmp_path / "r.html", model).read_text(encoding="utf-8"))
    rows = next(rows for title, rows in page.tables.items() if title.startswith("Type I beside type II"))
    closed = nio.run(nio.Leontief(model.table, closure="households"), nio.load_scenario("S02"))
    row = next(r for r in rows if r[:2] == ["Mexico", "running"] and r[2].startswith("Value added"))
    assert value_of(row[4]) == pytest.approx(sum_of(closed, "value_added", "MEX", phase="run"), rel=0.051)
    assert value_of(row[4]) > value_of(row[3])


def test_a_hundred_dollars_are_a_hundred(model: nio.Leontief, results: xr.Dataset) -> None:
    study = findings_of(results, model).studies[0]
    for phase in study.phases:
        flows = study.flows(phase)
        ends = flows[flows["tier"] == 3].groupby("direction")["value"].sum()
        asked = flows[flows["tier"] == 1].groupby("direction")["value"].sum()
        np.testing.assert_allclose(ends, asked, rtol=1e-9)


def test_a_sweep_has_a_report(model: nio.Leontief, tmp_path: Path) -> None:
    sweep = nio.Sweep(
        "asia", [{"kind": "relocation", "sectors": "C26", "origin": "$partner", "destination": "MEX", "buyers": ["USA"],
                  "share": "$share", "relative_cost": "$cost"}],
        title="From <Asia>", totals="jobs by country, value_added by country",
        axes={"share": [0.1, 0.2, 0.3], "partner": ["CHN", "KOR"]},
        distributions={"cost": nio.Uniform(1.0, 1.1)}, samples=32, seed=3,
    )  # fmt: skip
    found = nio.run(model, sweep)
    text = nio.write_report(found, tmp_path / "sweep.html").read_text(encoding="utf-8")
    page = Page(text)
    quantiles = found.quantiles("value_added")
    expected = quantiles[quantiles["place"] == "MEX"].iloc[0]
    row = next(r for r in page.tables["Quantiles over the scenarios"] if r[0] == "Value added, Mexico")
    for cell, name in zip(row[6:], ("P5", "P50", "P95"), strict=True):
        assert value_of(cell) == pytest.approx(expected[name], rel=6e-3)
    assert "From &lt;Asia&gt;" in text
    assert "no data" not in row
    assert any("fan" in name for name, _ in page.links)
    assert json.dumps(found.manifest["sweep_sha256"]).strip('"') in text
    with pytest.raises(nio.FormatError, match="page of its own"):
        nio.write_report(found, tmp_path / "r.html", with_calculator=True)
    for ending in (".md", ".xlsx"):
        assert nio.write_report(found, tmp_path / f"sweep{ending}", lang="es").stat().st_size > 1000
    by_sector = nio.run(model, sweep, totals="value_added of MEX by sector")
    page = Page(nio.write_report(by_sector, tmp_path / "sectors.html").read_text(encoding="utf-8"))
    names = [name for name, _ in page.links if name]
    assert len(names) == len(set(names))
    pictures = [image["src"] for image in page.images if "along" in str(image["alt"])]
    assert len(pictures) == len(set(pictures)) > 1


@pytest.mark.slow
def test_same_results_same_bytes_whatever_the_style(model: nio.Leontief, results: xr.Dataset, tmp_path: Path) -> None:
    from matplotlib import pyplot as plt

    for ending in (".html", ".md", ".xlsx"):
        first = nio.write_report(results, tmp_path / f"one{ending}", model).read_bytes()
        with plt.style.context("dark_background"):
            assert nio.write_report(results, tmp_path / f"two{ending}", model).read_bytes() == first


def test_a_part_of_the_results_has_a_report_of_its_own(model: nio.Leontief, tmp_path: Path) -> None:
    both = nio.run(model, [nio.load_scenario("S04"), nio.load_scenario("S05")])
    page = Page(nio.write_report(both.sel(scenario=["S05"]), tmp_path / "r.html", model).read_text(encoding="utf-8"))
    assert page.headings[0].startswith("S05")


def made(
    unit: str = "million USD", jobs: str = "persons", year: int | None = 2020, regions: tuple[str, ...] = ("USA", "MEX")
) -> nio.IOTable:
    """A made table of two sectors: whatever unit, year and countries it has."""
    labels = [(region, sector) for region in regions for sector in ("farms", "plants")]
    rows = pd.MultiIndex.from_tuples(labels, names=["region", "sector"])
    generator = np.random.default_rng(3)
    n = len(labels)
    Z = pd.DataFrame(generator.uniform(5, 20, (n, n)), index=rows, columns=rows)
    Y = pd.DataFrame(generator.uniform(100, 200, (n, len(regions))), index=rows, columns=list(regions))
    x = Z.sum(axis=1) + Y.sum(axis=1)
    v = pd.DataFrame([x - Z.sum()], index=["value_added"])
    F = pd.DataFrame([x * 12.0], index=["jobs"])
    return nio.from_frames(Z, Y, v, F, unit=unit, year=year, name="made", stressor_units={"jobs": jobs})


def test_units_are_read_and_never_assumed(tmp_path: Path) -> None:
    """Jobs in persons are said as they are; a table without a year, labour income or Mexico has a report too."""
    for regions in (("USA", "MEX"), ("USA", "CAN"), ("USA",)):
        model = nio.Leontief(made(year=None, regions=regions))
        found = nio.run(model, nio.Scenario("d", [nio.FinalDemand("USA", "plants", "5 million USD")]))
        text = nio.write_report(found, tmp_path / "r.html", model).read_text(encoding="utf-8")
        page = Page(text)
        rows = next(rows for title, rows in page.tables.items() if title.startswith("Impacts by country, running"))
        column = next(k for k, name in enumerate(rows[0]) if name.startswith("Jobs"))
        total = next(row for row in rows if row[:2] == ["United States", "total, type I"])
        assert value_of(total[column]) == pytest.approx(sum_of(found, "jobs", "USA"), rel=0.051)
        assert "None" not in re.sub(r"<pre.*?</pre>|data:[^\"]*", "", text, flags=re.DOTALL)
    strange = nio.Leontief(made(jobs="fte"))
    found = nio.run(strange, nio.Scenario("d", [nio.FinalDemand("USA", "plants", "5 million USD")]))
    with pytest.raises(nio.UnitError, match="not in 'fte'"):
        nio.write_report(found, tmp_path / "no.html", strange)


def test_from_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Run, report, in both languages, with the command that made it; and errors of one paragraph."""
    monkeypatch.chdir(tmp_path)

    def nearshore(*given: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stopped:
            main(given)
        said = capsys.readouterr()
        return stopped.value.code, said.out + said.err

    assert nearshore("run", "gallery:S04", "--out", "r.nc")[0] == 0
    assert nearshore("report", "r.nc", "--out", "r.html", "--lang", "es", "--calculator")[0] == 0
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "$ nearshore run gallery:S04 --out r.nc" in text
    assert 'id="explorer"' in text
    assert nearshore("run", "gallery:S04", "--out", "r.csv")[0] == 0
    for given, code, message in (
        (("report", "r.csv"), 1, "write results to .nc"),
        (("report", "none.nc"), 4, "there is no file none.nc"),
        (("report", "r.nc", "--out", "r.pdf"), 1, ".html, .md or .xlsx"),
        (("report", "r.nc", "--out", "none/r.html"), 4, "could not be written"),
        (("report", "r.html", "--out", "x.html"), 1, "write results to .nc"),
        (("explore", "--out", "none/e.html"), 4, "could not be written"),
    ):
        found, said = nearshore(*given)
        assert found == code, said
        assert message in said.replace("\n", " ")
    (tmp_path / "cut.nc").write_bytes((tmp_path / "r.nc").read_bytes()[:5000])
    code, said = nearshore("report", "cut.nc")
    assert code == 1
    assert "cut short" in said


@pytest.mark.parametrize(("lang", "size"), [("en", DESKTOP), ("es", PHONE)])
def test_anyone_can_read_it(
    browser: Any, model: nio.Leontief, results: xr.Dataset, tmp_path: Path, lang: str, size: dict[str, int]
) -> None:
    """No serious finding of axe, no errors, every picture drawn, nothing wider than a phone; and it prints."""
    file = nio.write_report(results, tmp_path / "r.html", model, lang=lang, with_calculator=True)
    with page_of(browser, file, size) as page:
        assert serious(page) == []
        assert not overflows(page)
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 100)")
        assert page.locator("#headline").inner_text()
        if size == DESKTOP:
            paper = page.pdf(format="A4", prefer_css_page_size=True)
            assert paper.startswith(b"%PDF")
            assert 4 < paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") + paper.count(b"/Type /Page/") < 40
