"""Sweep files: TOML in, a `Sweep` out; and a scenario with bands made one."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nearshore_io import labels
from nearshore_io.errors import FormatError, NearshoreError, first_few
from nearshore_io.files import read_remarked_csv
from nearshore_io.scenarios.gallery import gallery_files
from nearshore_io.scenarios.parameters import substituted
from nearshore_io.scenarios.spec import line_of, require_shocks, toml_file
from nearshore_io.sweeps.distributions import Triangular, distribution_of
from nearshore_io.sweeps.sweep import Sweep
from nearshore_io.units import is_number

PLAIN = (
    "name",
    "title",
    "samples",
    "design",
    "seed",
    "totals",
    "tables",
    "deflator",
    "table_errors",
    "axes",
    "constants",
)
KEYS = (*PLAIN, "distributions", "case", "cases_file", "scenario", "shock")
PREFIX = "gallery:"


def read_sweep(path: str | os.PathLike[str]) -> Sweep:
    """Return the sweep of a TOML file.

    Top-level keys: ``name``, ``title``, ``totals``, ``tables``, ``samples``, ``design``, ``seed``, ``deflator``; tables
    ``[axes]``, ``[distributions]``, ``[constants]``, ``[table_errors]``; ``[[case]]`` rows, or ``cases_file``, a CSV
    beside the file; ``[[shock]]`` as in scenario files. In the place of shocks, ``scenario = "gallery:S04-…"`` or
    ``"file.toml:name"`` takes those of a scenario, and its bands as distributions.

    Raises
    ------
    StorageError
        If a file cannot be read.
    FormatError
        An unknown key, with its line and the nearest one; what `Sweep` refuses.
    """
    file, text, content = toml_file(path)
    for key in content:
        if key not in KEYS:
            near = get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KEYS)}."
            raise FormatError(f"{file}{line_of(text, key)}: {key!r} is not a known key: {hint}")
    if ("shock" in content) == ("scenario" in content):
        raise FormatError(
            f'{file} needs [[shock]] tables, or scenario = "gallery:S04-…" in their place, one of the two.'
        )
    given = {key: content[key] for key in PLAIN if key in content}
    given.setdefault("name", file.stem)
    if isinstance(given.get("deflator"), Mapping):
        given["deflator"] = {int(year): index for year, index in given["deflator"].items()}
    try:
        given["cases"] = _cases(content, file)
        given["distributions"] = {
            name: distribution_of(entry, f"distributions.{name}")
            for name, entry in content.get("distributions", {}).items()
        }
        if "scenario" in content:
            return scenario_sweep(_beside(content["scenario"], file), **given)
        sweep = Sweep(shocks=content["shock"], **given)
    except NearshoreError as error:
        raise FormatError(f"{file}: {error}") from error
    first = sweep.first_values()
    require_shocks([substituted(shock, first, "shock") for shock in sweep.shocks], file, text)
    return sweep


def scenario_sweep(spec: str, **given: Any) -> Sweep:
    """Return a sweep of one scenario of a file: what has a low and a high is drawn, triangular around its value.

    Alternatives that are no numbers become an axis; other parameters stay as they are.

    Parameters
    ----------
    spec : "gallery:S04-relocate", or "file.toml:name"; the name may be left out where the file has one scenario.
    given : fields of `Sweep`; axes, distributions and constants replace the scenario's own.

    Raises
    ------
    FormatError, LabelError, StorageError
        No such file or scenario; a scenario without parameters to vary.
    """
    entry = _entry(spec)
    cases = given.get("cases", ())
    own: dict[str, dict[str, Any]] = {
        kind: dict(given.pop(kind, {})) for kind in ("axes", "distributions", "constants")
    }
    taken = {name for parts in own.values() for name in parts} | set(cases[0] if cases else ())
    parameters = entry.get("parameters", {})
    if stray := [name for name in taken if name not in parameters]:
        known = first_few(parameters, 12) or "none"
        raise FormatError(f"scenario {entry['name']!r} has no parameter {stray[0]!r}; it has {known}.")
    for name, part in parameters.items():
        if name not in taken:
            kind, values = _varying(part)
            own[kind][name] = values
    if own["distributions"] and given.get("samples") is None:
        drawn = first_few(own["distributions"])
        raise FormatError(f"scenario {entry['name']!r}: {drawn} have bands to be drawn from: say samples = 1024.")
    if not own["distributions"] and not given.get("table_errors"):
        given["samples"] = None
    deflator = given.pop("deflator", None) or entry.get("deflator", {})
    if isinstance(deflator, Mapping):
        deflator = {int(year): index for year, index in deflator.items()}
    given["title"] = given.get("title") or entry.get("title", "")
    return Sweep(**{"name": entry["name"], "shocks": entry["shock"], "deflator": deflator, **own, **given})


def _varying(part: Mapping[str, Any]) -> tuple[str, Any]:
    """Return how a parameter of a scenario varies: drawn from its band, through its alternatives, or not at all."""
    value, low, high = part["value"], part.get("low"), part.get("high")
    if is_number(value) and low is not None and high is not None and low < high:
        return "distributions", Triangular(low, value, high)
    if part.get("alternatives"):
        return "axes", [value, *part["alternatives"]]
    return "constants", value


def _entry(spec: str) -> Mapping[str, Any]:
    """Return a scenario as it stands in its file."""
    if spec.startswith(PREFIX):
        name = spec.removeprefix(PREFIX)
        known = gallery_files()
        number = name.partition("-")[0]
        labels.position(number, list(known), "gallery scenario")
        path, wanted = known[number], name
    else:
        stem, ending, wanted = spec.partition(".toml")
        number, path, wanted = "", Path(f"{stem}{ending}"), wanted.removeprefix(":")
    file, _, content = toml_file(path)
    listed = {entry["name"]: entry for entry in content.get("scenario", []) if "name" in entry}
    if wanted not in listed and len(listed) == 1 and wanted in ("", number):
        return dict(next(iter(listed.values())))
    if wanted not in listed:
        raise FormatError(f"{file} has no scenario {wanted!r}; name one of {first_few(listed, 12)}.")
    return dict(listed[wanted])


def _beside(spec: Any, file: Path) -> str:
    """Return where a scenario lies that a sweep file names: a path is beside the file."""
    if not isinstance(spec, str):
        raise FormatError(f'scenario is a text, "gallery:S04-…" or "file.toml:name", not {spec!r}.')
    return spec if spec.startswith(PREFIX) else str(file.parent / spec)


def _cases(content: Mapping[str, Any], file: Path) -> list[dict[str, Any]]:
    """Return the cases of a sweep file: its [[case]] tables, or the rows of a CSV, numbers as numbers."""
    if "cases_file" not in content:
        return list(content.get("case", []))
    if "case" in content:
        raise FormatError("give [[case]] tables or a cases_file, not both.")
    frame = read_remarked_csv(file.parent / str(content["cases_file"]))
    return [{name: _number(text) for name, text in row.items()} for row in frame.to_dict("records")]


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        if not text:
            raise FormatError("cases_file: an empty cell; every case gives every parameter.") from None
        return text.split("+") if "+" in text else text
