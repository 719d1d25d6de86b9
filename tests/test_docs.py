"""Examples in the README run as they stand."""

import re
import shlex
import zipfile
from pathlib import Path

import pytest
from conftest import require_wiod

import nearshore_io as nio
from nearshore_io import library
from nearshore_io.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ nearshore (.+)$", README, re.MULTILINE)


def test_python_examples_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), scope)
    printed = capsys.readouterr().out
    assert "C26 (Computer, electronic and optical equipment)" in printed
    assert "jalisco-electronics" in printed


def test_the_how_to_of_batches_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the page, by the shell and in Python; the query of the page, in DuckDB."""
    import duckdb

    page = (ROOT / "docs" / "how-to" / "batch.md").read_text(encoding="utf-8")
    blocks = {kind: re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("toml", "python", "sql")}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.toml").write_text(blocks["toml"][0], encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["batch", "sweep.toml", "--out", "results/"])
    assert stopped.value.code == 0
    for block in blocks["python"]:
        exec(compile(block, "batch.md", "exec"), {})
    rows = duckdb.sql(blocks["sql"][0].rstrip("; \n")).fetchall()
    assert len(rows) == 57
    assert rows[0][2] > rows[-1][2]


def published(folder: Path) -> None:
    """Lay a made archive into a folder under the name the publisher gives it."""
    nio.write_toy_icio(folder / "2022.csv")
    with zipfile.ZipFile(folder / "2016-2022_EXT.zip", "w") as archive:
        archive.write(folder / "2022.csv", "2022.csv")


@pytest.mark.parametrize("command", COMMANDS)
def test_shell_examples_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = shlex.split(command)
    if "wiot_2011.RData" in arguments:
        arguments[arguments.index("wiot_2011.RData")] = str(require_wiod() / "wiot_2011.RData")
    if "calibrate" in arguments:
        arguments[arguments.index("--raw") + 1] = str(require_wiod().parent)
        arguments[1] = str(ROOT / arguments[1])
    monkeypatch.chdir(tmp_path)
    if arguments[0] == "report":
        with pytest.raises(SystemExit):
            main(["run", "gallery:S04", "--variants", "--out", "results.nc"])
    if "2016-2022_EXT.zip" in arguments or "icio-2022" in arguments:
        published(tmp_path)
        library.keep(nio.read_icio(tmp_path / "2022.csv"), "icio-2022")
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.slow
def test_the_answers_of_the_gallery_are_those_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """To make it anew: nearshore gallery --answers > docs/reference/gallery.md."""
    with pytest.raises(SystemExit):
        main(["gallery", "--answers"])
    assert capsys.readouterr().out == (ROOT / "docs" / "reference" / "gallery.md").read_text(encoding="utf-8")


def test_pages_made_from_the_package_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """To make them anew: make pages."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    from generated_pages import pages

    for name, text in pages().items():
        assert text == (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8"), name


def test_every_public_name_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^   ([\w.]+)$", page, re.MULTILINE)
    assert len(listed) == len(set(listed))
    errors = [name for name in nio.__all__ if name.endswith("Error")]
    parts = [f"{part}.{name}" for part in ("balance", "plot", "solvers") for name in getattr(nio, part).__all__]
    data = {"plot.PALETTE"}
    assert set(listed) == {*nio.__all__, *parts} - {*errors, *data, "balance", "plot", "solvers", "units"}
    said = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in said for name in errors)


def test_every_page_is_in_the_index_of_its_folder() -> None:
    for folder in ("how-to", "reference", "explanation", "coming-from", "replications"):
        index = (ROOT / "docs" / folder / "index.md").read_text(encoding="utf-8")
        listed = set(re.search(r"```\{toctree\}.*?\n\n(.*?)```", index, re.DOTALL)[1].split())
        assert listed == {page.stem for page in (ROOT / "docs" / folder).glob("*.md")} - {"index"}


def test_the_citation_is_of_this_version() -> None:
    import yaml

    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == nio.__version__
    assert cited["license"] == "BSD-3-Clause"
    assert f"## {nio.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
