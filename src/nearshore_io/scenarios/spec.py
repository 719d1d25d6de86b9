"""Scenario files: TOML in, scenarios out; unknown keys are refused with their path and the nearest valid one."""

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_type_hints

from nearshore_io.errors import FormatError, NearshoreError, StorageError
from nearshore_io.scenarios.base import Scenario
from nearshore_io.scenarios.fdi import FDI
from nearshore_io.scenarios.final_demand import FinalDemand
from nearshore_io.scenarios.relocation import Relocation

KINDS: Mapping[str, type[Any]] = {shock.kind: shock for shock in (FinalDemand, FDI, Relocation)}


def read_scenarios(path: str | os.PathLike[str]) -> list[Scenario]:
    """Return the scenarios of a TOML file.

    The file holds ``[[scenario]]`` tables with a ``name``, an optional ``title`` and ``deflator``, and one
    ``[[scenario.shock]]`` for each shock: its ``kind`` and the parameters of the class of that name.

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        TOML syntax (with the line), an unknown key or kind (with its path, line and the nearest valid one),
        a value of the wrong type, a value the shock refuses, two scenarios of one name.
    """
    file = Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StorageError(f"{file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{file} is not UTF-8 text: {error}.") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"{file} is not valid TOML: {error}.") from error
    if not content:
        raise FormatError(f"{file} is empty: it needs at least one [[scenario]] with a name and a [[scenario.shock]].")
    spec = _validated(content, file, text)
    scenarios = [_scenario(entry, file, number) for number, entry in enumerate(spec.scenario, start=1)]
    names = [scenario.name for scenario in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FormatError(f"{file}: scenario name {twice[0]!r} is used twice.")
    return scenarios


def _scenario(entry: Any, file: Path, number: int) -> Scenario:
    shocks = []
    for place, shock in enumerate(entry.shock, start=1):
        values = {name: getattr(shock, name) for name in shock.model_fields_set if name != "kind"}
        try:
            shocks.append(KINDS[shock.kind](**values))
        except NearshoreError as error:
            raise FormatError(f"{file}, scenario {entry.name!r}, shock {place} ({shock.kind}): {error}") from error
    try:
        return Scenario(entry.name, shocks=shocks, title=entry.title, deflator=entry.deflator)
    except NearshoreError as error:
        raise FormatError(f"{file}, scenario {number}: {error}") from error


@cache
def _models() -> tuple[Any, dict[str, Any]]:
    """Return pydantic models made from the dataclasses of the shocks, so that no field is written twice."""
    from pydantic import ConfigDict, Field, StrictFloat, StrictInt, create_model

    closed = ConfigDict(extra="forbid")
    shocks = {kind: _model(kind, shock, ConfigDict(extra="forbid", strict=True)) for kind, shock in KINDS.items()}
    union: Any = None
    for model in shocks.values():
        union = model if union is None else union | model
    scenario: Any = create_model(
        "scenario",
        __config__=closed,
        name=(str, Field(min_length=1)),
        title=(str, ""),
        deflator=(dict[int, StrictFloat | StrictInt], Field(default_factory=dict)),
        shock=(list[union], Field(min_length=1)),
    )
    return create_model("file", __config__=closed, scenario=(list[scenario], Field(min_length=1))), shocks


def _model(kind: str, shock: type[Any], config: Any) -> Any:
    from pydantic import create_model

    hints = get_type_hints(shock)
    fields: dict[str, Any] = {"kind": (Literal[kind], ...)}
    for field in dataclasses.fields(shock):
        required = field.default is dataclasses.MISSING
        fields[field.name] = (hints[field.name], ... if required else field.default)
    return create_model(kind, __config__=config, **fields)


def _validated(content: Mapping[str, Any], file: Path, text: str) -> Any:
    from pydantic import ValidationError

    model, shocks = _models()
    _require_kinds(content, shocks, file, text)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise FormatError(_explain(error.errors(), content, shocks, file, text)) from error


def _require_kinds(content: Mapping[str, Any], shocks: Mapping[str, Any], file: Path, text: str) -> None:
    """Raise on a shock of an unknown kind, before a union of models hides it among many errors."""
    entries = content.get("scenario", [])
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        listed = entry.get("shock", []) if isinstance(entry, Mapping) else []
        for j, shock in enumerate(listed if isinstance(listed, list) else []):
            kind = shock.get("kind") if isinstance(shock, Mapping) else None
            if not isinstance(kind, str) or kind not in shocks:
                near = get_close_matches(str(kind), shocks, n=1)
                if kind is None:
                    raise FormatError(
                        f"{file}: scenario[{i}].shock[{j}] has no kind; known kinds: {', '.join(shocks)}."
                    )
                hint = f"did you mean {near[0]!r}?" if near else f"known kinds: {', '.join(shocks)}."
                raise FormatError(f"{file}{_line(text, 'kind', kind)}: scenario[{i}].shock[{j}].kind {kind!r}: {hint}")


def _explain(
    errors: Sequence[Any], content: Mapping[str, Any], shocks: Mapping[str, Any], file: Path, text: str
) -> str:
    """Return one sentence on the first error that concerns the kind of shock that was written."""
    relevant = [error for error in errors if _concerns(error["loc"], content, shocks)]
    error = min(
        relevant or errors, key=lambda found: found["type"] != "extra_forbidden"
    )  # a misspelt key is also missing
    path = [part for part in error["loc"] if part not in shocks]
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    key = str(path[-1])
    where = f"{file}{_line(text, key, error.get('input'))}: {shown}"
    if error["type"] == "extra_forbidden":
        valid = _valid_keys(error["loc"], shocks)
        near = get_close_matches(key, valid, n=1)
        return f"{where} is not a known key" + (
            f": did you mean {near[0]!r}?" if near else f"; known: {', '.join(valid)}."
        )
    if error["type"] == "missing":
        return f"{where} is missing."
    return f"{where}: {error['msg']} (found {error.get('input')!r})."


def _concerns(loc: Sequence[Any], content: Mapping[str, Any], shocks: Mapping[str, Any]) -> bool:
    named = next((part for part in loc if part in shocks), None)
    if named is None or len(loc) < 4:
        return True
    shock = content["scenario"][loc[1]]["shock"][loc[3]]
    return bool(shock.get("kind") == named)


def _valid_keys(loc: Sequence[Any], shocks: Mapping[str, Any]) -> list[str]:
    kind = next((part for part in loc if part in shocks), None)
    if kind is not None:
        return list(shocks[kind].model_fields)
    return ["scenario"] if len(loc) == 1 else ["name", "title", "deflator", "shock"]


def _line(text: str, key: str, value: Any) -> str:
    """Return ", line N" for the only line that sets this key (to this value, where several do)."""
    lines = [i for i, line in enumerate(text.splitlines(), start=1) if re.match(rf"\s*{re.escape(key)}\s*=", line)]
    if len(lines) > 1:
        lines = [i for i in lines if str(value) in text.splitlines()[i - 1]]
    return f", line {lines[0]}" if len(lines) == 1 else ""
