"""Pages of the reference that are made from the package itself: the command line, and scenario files.

``python docs/generated_pages.py`` writes them anew; a test holds them against the package.
"""

import contextlib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

from numpydoc.docscrape import NumpyDocString

HERE = Path(__file__).parent / "reference"
SCREEN = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}


def pages() -> dict[str, str]:
    """Return the text of every page by the name of its file."""
    return {"cli.md": command_line(), "scenario-file.md": scenario_file()}


def command_line() -> str:
    """Return the help of every command."""
    from nearshore_io.cli.app import app

    lines = [
        "# The command line",
        "",
        "What `nearshore --help` says, and `--help` of every command. Exit codes are in the first block;"
        " [errors](errors.md) has what raises which.",
        "",
        *_help(),
    ]
    for command in (str(entry.name) for entry in app.registered_commands):
        lines += [f"## nearshore {command}", "", *_help(command)]
    return "\n".join(lines).rstrip() + "\n"


def _help(*command: str) -> list[str]:
    from nearshore_io.cli import main

    said = io.StringIO()
    with patch.dict(os.environ, SCREEN), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return ["```text", *(line.rstrip() for line in said.getvalue().strip().splitlines()), "```", ""]


def scenario_file() -> str:
    """Return what a scenario file may hold: from the classes that read it."""
    from nearshore_io.scenarios.kinds import KINDS
    from nearshore_io.scenarios.parameters import Parameter
    from nearshore_io.scenarios.question import Question
    from nearshore_io.scenarios.spec import KEYS
    from nearshore_io.scenarios.timing import Ramp, Timing

    lines = [
        "# Scenario files",
        "",
        "A scenario file is TOML: `[[scenario]]` tables, each with a `name` and one `[[scenario.shock]]` for every"
        " shock. Unknown keys are refused with their line and the nearest valid one."
        " [Write a scenario](../how-to/write-scenario.md) shows one being written.",
        "",
        f"A scenario holds: {', '.join(f'`{key}`' for key in KEYS)}.",
        "",
        *_table("[scenario.parameters.NAME]", Parameter, "Attributes", skip=("name",)),
        *_table("[scenario.timing]", Timing, "Parameters"),
        *_table("[scenario.timing.ramp]", Ramp, "Parameters"),
        *_table("[[scenario.indicator]]", Question, "Parameters"),
    ]
    for kind, shock in KINDS.items():
        lines += _table(f'[[scenario.shock]] with kind = "{kind}"', shock, "Parameters")
    return "\n".join(lines).rstrip() + "\n"


def _table(title: str, kind: type[Any], section: str, skip: tuple[str, ...] = ()) -> list[str]:
    """Return a heading, the summary of a class, and a line for each of its fields."""
    described = NumpyDocString(kind.__doc__ or "")
    says = dict(_described(described[section] or described["Attributes"] or described["Parameters"]))
    lines = [
        f"## `{title}`",
        "",
        " ".join(described["Summary"]),
        "",
        "| key | by default | what it is |",
        "|---|---|---|",
    ]
    for field in fields(kind):
        if field.name not in skip:
            default = _default(field)
            text = says.get(field.name, "").replace("|", "\\|")
            lines.append(f"| `{field.name}` | {default} | {text} |")
    return [*lines, ""]


def _described(parameters: Any) -> Iterator[tuple[str, str]]:
    """Yield every name with its description; names on one line share it."""
    for parameter in parameters:
        names, _, first = (
            parameter.name.partition(" : ") if not parameter.type else (parameter.name, "", parameter.type)
        )
        text = " ".join([first, *(line.strip() for line in parameter.desc)]).strip()
        for name in names.split(","):
            yield name.strip(), text.replace("``", "`")


def _default(field: Any) -> str:
    if field.default is MISSING and field.default_factory is MISSING:
        return "needed"
    value = field.default if field.default is not MISSING else field.default_factory()
    if value is None or value == () or value == {}:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value!r}`".replace("'", '"')


def plain_docstrings(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Make a docstring of this package one that numpydoc reads.

    Indented equations are shown as they are written, no name_ or |x| is markup, what a parameter is stands under its
    name, and the source is a section of its own.
    """
    done: list[str] = []
    section = ""
    for i, line in enumerate(lines):
        if i + 1 < len(lines) and re.fullmatch(r"-{4,}", lines[i + 1]):
            section = line
        equation = line.startswith("    ") and not section
        if equation and done and not done[-1].strip():
            done += [".. code-block:: text", ""]
        described = re.fullmatch(r"([\w, ]+) : (.+)", line) if section in ("Parameters", "Attributes") else None
        if described:
            done += [described[1], f"    {_escaped(described[2])}"]
        elif line.startswith("Source:"):
            section = "References"
            done += ["References", "----------", _escaped(line.removeprefix("Source:").strip())]
        else:
            done.append(line if equation else _escaped(line))
    lines[:] = done


def _escaped(line: str) -> str:
    parts = re.split(r"(``.*?``|`[^`]*`)", line)
    return "".join(
        part if part.startswith("`") else re.sub(r"\|", r"\\|", re.sub(r"(\w)_(?=[^\w]|$)", r"\1\\_", part))
        for part in parts
    )


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx how docstrings are read here."""
    app.connect("autodoc-process-docstring", plain_docstrings, priority=400)
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
