"""Examples in the README run as they stand."""

import re
import shlex
from pathlib import Path

import pytest
from conftest import require_wiod

from nearshore_io.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ nearshore (.+)$", README, re.MULTILINE)


def test_python_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), scope)
    printed = capsys.readouterr().out
    assert "Nearest: c14 (Electrical and optical equipment)" in printed
    assert "jalisco-electronics" in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_shell_examples_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = shlex.split(command)
    if "wiot_2011.RData" in arguments:
        arguments[arguments.index("wiot_2011.RData")] = str(require_wiod() / "wiot_2011.RData")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
