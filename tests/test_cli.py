import json
import os
from pathlib import Path

import pandas as pd
import polars
import pytest
import xarray as xr
from conftest import require_wiod

import nearshore_io as nio
from nearshore_io.cli import main

GALLERY = str(Path(__file__).parents[1] / "gallery" / "nearshoring.toml")


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run the command line and return its exit code, output and errors, each as one line."""
    os.environ["COLUMNS"] = "160"
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), " ".join(printed.out.split()), " ".join(printed.err.split())


def test_run_prints_both_countries_and_the_measure(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "run", GALLERY)
    assert code == 0
    cents = 100 * float(nio.export_content(nio.Leontief(nio.load_table()), "MEX", "USA").sel(origin="USA"))
    for text in ("USA", "MEX", "Value added", "Jobs", "in MEX exports", "v L e / 1'e", f"{cents:.2f}", "Limits"):
        assert text in out
    assert "Estimate: north-america-2022 is an estimate" in out
    assert "11.73" in call(capsys, "run", GALLERY, "--table", "north-america-2011")[1]


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".nc"])
def test_files_hold_what_run_returns(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: nio.Leontief, ending: str
) -> None:
    file = tmp_path / f"results{ending}"
    assert call(capsys, "run", GALLERY, "--out", file, "--table", "north-america-2011")[0] == 0
    expected = nio.run(model, nio.read_scenarios(GALLERY))
    at = {"scenario": "electronics-from-china", "phase": "run", "region": "USA", "sector": "c14"}
    if ending == ".nc":
        with xr.open_dataset(file, engine="h5netcdf") as stored:
            value = stored.value_added.sel(at).item()
    else:
        frame = pd.read_csv(file) if ending == ".csv" else pd.DataFrame(polars.read_parquet(file).to_dicts())
        chosen = frame[(frame["variable"] == "value_added")]
        for key, label in at.items():
            chosen = chosen[chosen[key] == label]
        assert chosen["unit"].tolist() == ["million USD"]
        value = chosen["value"].item()
    assert value == pytest.approx(expected.value_added.sel(at).item(), rel=1e-12)


def test_json_for_machines(capsys: pytest.CaptureFixture[str], model: nio.Leontief) -> None:
    code, out, _ = call(
        capsys, "content", "MEX", "--importer", "USA", "--format", "json", "--table", "north-america-2011"
    )
    records = json.loads(out)["records"]
    assert code == 0
    share = {record["origin"]: record["value"] for record in records}
    assert share["USA"] == pytest.approx(nio.export_content(model, "MEX", "USA").sel(origin="USA").item())
    code, out, _ = call(capsys, "run", GALLERY, "--format", "json")
    facts = json.loads(out)["attributes"]
    assert facts["table"] == "north-america-2022"
    assert "±" in facts["estimate_band"]


def test_content_by_sector_and_tables_and_check(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "content", "MEX", "--by", "sector")
    assert code == 0
    assert "C26 Comp" in out
    assert "Timmer" in call(capsys, "tables")[1]
    assert "spectral radius" in call(capsys, "check", "north-america-2011")[1]


def test_import_then_use(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "world.nc"
    code, out, _ = call(capsys, "import", require_wiod() / "wiot_1995.RData", "--out", file)
    assert code == 0
    assert f"--table {file}" in out
    code, out, _ = call(capsys, "content", "MEX", "--importer", "USA", "--table", file)
    assert "19.64" in out


def test_solvers_says_what_it_takes_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "solvers", "--table", "north-america-2011")
    assert code == 0
    assert "385 industries: DenseLU (385 industries)" in out
    assert "Measured on" in out


def test_units_are_the_tables_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A table in thousand EUR with jobs in persons prints its units, and its jobs as they are."""
    bundled = nio.load_table("north-america-2011")
    jobs = bundled.stressors["jobs"][0] * 1000
    table = bundled.with_numbers(
        stressors={"jobs": (jobs, "persons")}, meta={**bundled.meta, "unit": "thousand EUR", "name": "in euro"}
    )
    nio.write_table(table, tmp_path / "eur.nc")
    scenarios = tmp_path / "s.toml"
    scenarios.write_text(
        '[[scenario]]\nname = "a [b]"\n[[scenario.shock]]\nkind = "final_demand"\nregion = "MEX"\nsector = "c14"\n'
        'amount = "1 million EUR"\n',
        encoding="utf-8",
    )
    _, out, _ = call(capsys, "run", scenarios, "--table", tmp_path / "eur.nc")
    found = nio.run(nio.Leontief(table), nio.read_scenarios(scenarios))
    expected = found.jobs.sel(region="MEX").sum().item()
    assert found.value_added.sum().item() == pytest.approx(1000.0)
    assert "(thousand EUR" in out
    assert "(persons)" in out
    assert f"{float(f'{expected:.3g}'):+,.0f}" in out
    assert "a [b]" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "none.toml"], 4, "Error: none.toml cannot be read"),
        (["run", GALLERY, "--out", "results.xls"], 1, "results are written to .nc, .parquet, .csv"),
        (["run", GALLERY, "--table", "north-america-2021"], 1, "Nearest: north-america-20"),
        (["run", GALLERY, "--table", "t.csv"], 4, "there is no file t.csv"),
        (["run", GALLERY, "--table", GALLERY], 1, "no reader for .toml files"),
        (["run", GALLERY, "--out", "/nowhere/at/all.csv"], 4, "could not be written"),
        (["content", "MEXICO"], 1, "no region 'MEXICO' in this table. Nearest: MEX"),
        (["content", "MEX", "--importer", "MEX"], 1, "does not import from itself"),
        (["content"], 2, "Missing argument"),
        (["contents", "MEX"], 2, "No such command 'contents'"),
        (["content", "MEX", "--by", "sectr"], 1, "Nearest: sector"),
        (["check", f"{'x' * 300}.nc"], 4, "File name too long"),
        (["check", "none.nc"], 4, "there is no file none.nc"),
        (["content", "MEX", "--year", "1995"], 1, "north-america-2022 describes 2022, not 1995"),
        (["calibrate", "none.toml", "--raw", ".", "--out", "t.nc"], 4, "there is no file none.toml"),
        (["calibrate", "none.toml", "--raw", ".", "--out", "t.csv"], 1, "tables are written to .nc files"),
    ],
)
def test_errors_are_one_paragraph_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    found, _, err = call(capsys, *arguments)
    assert found == code
    assert message in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(nio.LabelError):
        main(["content", "MEXICO", "--debug"])


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "--help")
    for command in ("run", "content", "tables", "check", "import", "calibrate"):
        assert command in out


def test_the_gallery_lists_its_questions(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "gallery")
    assert code == 0
    assert all(name in out for name in nio.list_gallery())
    assert "how many cents are earned" in out


def test_a_gallery_scenario_prints_its_band_losers_sources_and_limits(
    capsys: pytest.CaptureFixture[str], model: nio.Leontief
) -> None:
    code, out, _ = call(capsys, "run", "gallery:S04", "--table", "north-america-2011")
    assert code == 0
    total = nio.run(model, nio.load_scenario("S04"), variants=True).value_added.sel(region="MEX").sum("sector")
    low, central, high = nio.band(total).values.ravel()
    for number in (low, central, high):
        assert f"{float(f'{number:.3g}'):+,.0f}" in out
    for text in (
        "Largest losses",
        "CHN Electrical and optical equipment (c14)",
        "Question:",
        "Method:",
        "Assumptions",
        "Freund",
        "net",
        "zero-sum",
        "c14 holds",
    ):
        assert text in out


def test_type_one_comes_first_and_type_two_is_an_upper_bound(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "run", "gallery:S15", "--closure", "households")
    assert code == 0
    assert 0 < out.index("Type I ") < out.index("Type II, households spend what they earn: an upper bound")
    code, out, _ = call(capsys, "run", "gallery:S10", "--closure", "households")
    assert code == 0
    assert "Type II: limits on output are defined for the open model only" in out


def test_years_and_variants_are_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = call(capsys, "run", "gallery:S01", "--years", "--out", tmp_path / "years.csv")
    assert code == 0
    assert "2023" in out
    assert set(pd.read_csv(tmp_path / "years.csv")["year"].dropna()) == {2021, 2022, 2023, 2024, 2025}
    code, _, _ = call(capsys, "run", "gallery:S04", "--variants", "--out", tmp_path / "variants.parquet")
    assert code == 0
    written = polars.read_parquet(tmp_path / "variants.parquet")
    assert set(written["variant"].drop_nulls()) == {"central", *nio.load_scenario("S04").variants}
    code, _, err = call(capsys, "run", "gallery:S40")
    assert code == 1
    assert "no gallery scenario 'S40'" in err
