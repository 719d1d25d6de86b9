"""What a run rests on: every field of every shock, given or by default, and every parameter; it can be run again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import Any, cast

import pandas as pd

from nearshore_io.errors import FormatError
from nearshore_io.scenarios.base import Scenario
from nearshore_io.scenarios.kinds import KINDS
from nearshore_io.scenarios.parameters import Parameter
from nearshore_io.scenarios.question import Question
from nearshore_io.scenarios.timing import Ramp, Timing

COLUMNS = ("scenario", "shock", "kind", "parameter", "value", "unit", "low", "high", "source")


def to_json(scenarios: Sequence[Scenario]) -> str:
    """Return scenarios as JSON: shocks by kind with the fields that are set, parameters, deflator and timing."""
    return json.dumps([_plain_scenario(scenario) for scenario in scenarios], ensure_ascii=False)


def from_json(text: str) -> list[Scenario]:
    """Return the scenarios of `to_json`.

    Raises
    ------
    FormatError
        If the text is something else.
    """
    try:
        listed = json.loads(text)
        return [_scenario(entry) for entry in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"these are no assumptions of a run ({type(error).__name__}: {error}).") from error


def table_of(scenarios: Sequence[Scenario]) -> pd.DataFrame:
    """Return assumptions as a table, one row for each parameter and each field of a shock that is set.

    Columns: scenario, shock (its number, 0 for the scenario itself), kind, parameter, value, unit, low, high, source
    (of a field of a shock: "given" or "default").
    """
    rows: list[dict[str, Any]] = []
    for scenario in scenarios:
        for parameter in scenario.parameters:
            described = {key: value for key, value in asdict(parameter).items() if key in COLUMNS}
            rows.append(
                {"scenario": scenario.name, "shock": 0, "kind": "parameter", "parameter": parameter.name} | described
            )
        if scenario.deflator:
            rows.append(_row(scenario, 0, "scenario", "deflator", _plain(scenario.deflator)))
        if scenario.timing is not None:
            rows += [_row(scenario, 0, "timing", name, value) for name, value in _plain(scenario.timing).items()]
        for number, shock in enumerate(scenario.shocks, start=1):
            usual = {field.name: field.default for field in fields(cast(Any, shock))}
            for name, value in _plain(shock).items():
                source = "default" if getattr(shock, name) == usual[name] else "given"
                rows.append(_row(scenario, number, shock.kind, name, value) | {"source": source})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(scenario: Scenario, number: int, kind: str, name: str, value: Any) -> dict[str, Any]:
    return {"scenario": scenario.name, "shock": number, "kind": kind, "parameter": name, "value": value}


def _plain_scenario(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "title": scenario.title,
        "question": scenario.question,
        "method": scenario.method,
        "limits": scenario.limits,
        "deflator": _plain(scenario.deflator),
        "timing": None if scenario.timing is None else _plain(scenario.timing),
        "indicators": [_plain(question) for question in scenario.indicators],
        "parameters": [_plain(parameter) for parameter in scenario.parameters],
        "shocks": [{"kind": shock.kind} | _plain(shock) for shock in scenario.shocks],
        "variants": {
            name: [{"kind": shock.kind} | _plain(shock) for shock in shocks]
            for name, shocks in scenario.variants.items()
        },
    }


def _plain(value: Any) -> Any:
    """Return a dataclass as a dictionary of its fields but those that are None, in types JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _plain(content) for name, content in held.items() if content is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(content) for key, content in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(content) for content in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def _scenario(entry: Mapping[str, Any]) -> Scenario:
    return Scenario(
        entry["name"],
        [_shock(shock) for shock in entry["shocks"]],
        title=entry["title"],
        question=entry["question"],
        method=entry["method"],
        limits=entry["limits"],
        deflator=_deflator(entry["deflator"]),
        timing=None if entry["timing"] is None else timing_of(entry["timing"]),
        indicators=[Question(**question) for question in entry["indicators"]],
        parameters=[Parameter(**parameter) for parameter in entry["parameters"]],
        variants={name: [_shock(shock) for shock in shocks] for name, shocks in entry["variants"].items()},
    )


def _deflator(entry: str | Mapping[str, float]) -> str | dict[int, float]:
    return entry if isinstance(entry, str) else {int(year): index for year, index in entry.items()}


def _shock(entry: Mapping[str, Any]) -> Any:
    return KINDS[entry["kind"]](**{name: value for name, value in entry.items() if name != "kind"})


def timing_of(entry: Mapping[str, Any]) -> Timing:
    """Return a timing from plain values: years as text, a ramp as a mapping."""
    parts = dict(entry)
    parts["build"] = {int(year): share for year, share in parts.get("build", {}).items()}
    if parts.get("ramp") is not None:
        parts["ramp"] = Ramp(**parts["ramp"])
    return Timing(**parts)
