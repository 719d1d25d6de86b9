"""What notebooks show: facts of the object itself, every text escaped; versions, and bars for long work."""

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

import nearshore_io as nio
from nearshore_io.versions import versions

EVIL = "<script>alert('ñ')</script> & \"quotes\""


def shown(thing: object) -> str:
    html = thing._repr_html_()  # type: ignore[attr-defined]
    assert html.count("<table") == html.count("</table>")
    return unescape(re.sub(r"<[^>]+>", " ", html))


def test_tables_models_checks_and_scenarios_show_themselves(bundled: nio.IOTable) -> None:
    table = shown(bundled)
    assert bundled.sha256 in table
    assert f"{len(bundled.sectors)}: c1" in table
    model = nio.Leontief(bundled)
    assert "not factorised yet" in shown(model)
    assert "open (type I)" in repr(model)
    model.output(bundled.Y.sum(["final_region", "category"]))
    assert "DenseLU" in shown(model)
    assert "households" in shown(nio.Leontief(bundled, closure="households"))
    report = bundled.check()
    assert all(finding.what in shown(report) for finding in report.findings)
    scenario = nio.load_scenario("S04")
    for parameter in scenario.parameters:
        assert parameter.source in shown(scenario)


def test_estimates_say_so(estimated: nio.IOTable) -> None:
    assert estimated.marks["estimate_band"] in shown(estimated)


def test_texts_are_escaped() -> None:
    scenario = nio.Scenario(
        EVIL, [nio.FinalDemand("MEX", "C29", "1 billion USD")], title=EVIL, limits=EVIL,
        parameters=[nio.Parameter(EVIL, 1, EVIL, EVIL)],
    )  # fmt: skip
    assert "<script>" not in scenario._repr_html_()
    assert shown(scenario).count("<script>alert('ñ')</script>") == 6
    sectors = ["<b>farms</b>", "plants"]
    Z = pd.DataFrame([[150.0, 500.0], [200.0, 100.0]], index=sectors, columns=sectors)
    table = nio.from_frames(Z, pd.DataFrame({"final": [350.0, 1700.0]}, index=sectors), name=EVIL)
    assert "<script>" not in table._repr_html_()
    assert "<b>" not in table._repr_html_()
    assert "<script>" not in table.check()._repr_html_()


def test_sweeps_show_themselves(bundled: nio.IOTable) -> None:
    sweep = nio.Sweep(
        EVIL.replace("/", ""), [{"kind": "final_demand", "region": "MEX", "sector": "c14", "amount": "$a"}],
        axes={"a": ["1 million USD", "2 million USD"]}, totals="jobs of MEX",
    )  # fmt: skip
    results = nio.run(nio.Leontief(bundled), sweep)
    assert "<script>" not in results._repr_html_()
    assert "complete" in shown(results)


def test_versions_are_those_that_run(capsys: pytest.CaptureFixture[str]) -> None:
    nio.show_versions()
    said = dict(line.split(": ", 1) for line in capsys.readouterr().out.strip().splitlines())
    assert said == versions()
    assert said["numpy"] == np.__version__
    assert said["nearshore_io"] == nio.__version__
    assert versions()["pandas"] == pd.__version__


def test_a_bar_stays_out_of_the_way(capsys: pytest.CaptureFixture[str], bundled: nio.IOTable) -> None:
    """Not on a terminal, it says nothing; the callback is what `run` takes."""
    demand = nio.Scenario("d", [nio.FinalDemand("MEX", "c14", "1 million USD")])
    with nio.progress("scenarios") as advance:
        nio.run(nio.Leontief(bundled), demand, progress=advance)
    said = capsys.readouterr()
    assert said.out == said.err == ""
