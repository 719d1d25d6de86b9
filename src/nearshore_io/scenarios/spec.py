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
from nearshore_io.scenarios.assumptions import timing_of
from nearshore_io.scenarios.base import Scenario, Shock
from nearshore_io.scenarios.kinds import KINDS
from nearshore_io.scenarios.parameters import SPAN, Parameter, corners, substituted
from nearshore_io.scenarios.question import Question
from nearshore_io.scenarios.timing import Ramp, Timing

TEXTS = ("title", "question", "method", "limits")
KEYS = ("name", *TEXTS, "deflator", "timing", "parameters", "indicator", "variant", "shock")


def read_scenarios(path: str | os.PathLike[str]) -> list[Scenario]:
    """Return the scenarios of a TOML file.

    The file holds ``[[scenario]]`` tables with a ``name`` and one ``[[scenario.shock]]`` for each shock: its ``kind``
    and the parameters of the class of that name. Optional:

    - ``title``, ``question``, ``method``, ``limits``; ``deflator``; ``[scenario.timing]`` with the fields of `Timing`
    - ``[scenario.parameters.NAME]`` with value, unit, source, and low and high or alternatives; a shock refers to one
      as ``"$NAME"``, and the combinations of the ends of the bands become variants
    - ``[[scenario.variant]]`` with a name and shocks of its own
    - ``[[scenario.indicator]]`` with the fields of `Question`, for what is read off before and after

    Raises
    ------
    StorageError
        If the file cannot be read.
    FormatError
        TOML syntax (with the line), an unknown key or kind (with its path, line and the nearest valid one),
        a value of the wrong type, a value the shock refuses, two scenarios of one name.
    """
    file, text, content = toml_file(path)
    if not content:
        raise FormatError(f"{file} is empty: it needs at least one [[scenario]] with a name and a [[scenario.shock]].")
    central = _with_values(content, file, {})
    spec = _validated(central, file, text)
    scenarios = [
        _scenario(entry, file, number, _variants(content, number - 1, entry, file, text))
        for number, entry in enumerate(spec.scenario, start=1)
    ]
    names = [scenario.name for scenario in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FormatError(f"{file}: scenario name {twice[0]!r} is used twice.")
    return scenarios


def toml_file(path: str | os.PathLike[str]) -> tuple[Path, str, dict[str, Any]]:
    """Return a TOML file: its path, text and content.

    Raises
    ------
    StorageError
        If it cannot be read.
    FormatError
        If it is not UTF-8, or no TOML.
    """
    file = Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StorageError(f"{file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{file} is not UTF-8 text: {error}.") from error
    try:
        return file, text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"{file} is not valid TOML: {error}.") from error


def require_shocks(shocks: Sequence[Mapping[str, Any]], file: Path, text: str) -> None:
    """Raise `FormatError` unless shocks have the keys and types of their kinds, with the line and the nearest key."""
    content = {"scenario": [{"name": "first", "shock": [dict(shock) for shock in shocks]}]}
    try:
        _validated(content, file, text)
    except FormatError as error:
        raise FormatError(str(error).replace("scenario[0].", "")) from error


def line_of(text: str, key: str) -> str:
    """Return ", line N" for the only line of a file that sets a key, or opens a table of that name."""
    lines = [
        i
        for i, line in enumerate(text.splitlines(), start=1)
        if re.match(rf"\s*(?:{re.escape(key)}\s*=|\[+{re.escape(key)}[\].])", line)
    ]
    return f", line {lines[0]}" if len(lines) == 1 else ""


def _with_values(content: Mapping[str, Any], file: Path, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with every ``"$name"`` in a shock replaced by the value of the scenario's parameter."""
    listed = content.get("scenario")
    if not isinstance(listed, list):
        return dict(content)
    done = []
    for i, entry in enumerate(listed):
        parameters = entry.get("parameters", {}) if isinstance(entry, Mapping) else {}
        values = {
            name: changed.get(name, part.get("value"))
            for name, part in (parameters.items() if isinstance(parameters, Mapping) else ())
            if isinstance(part, Mapping)
        }
        shocks = {
            key: substituted(entry[key], values, f"{file}: scenario[{i}].{key}")
            for key in ("shock", "variant", "indicator")
            if isinstance(entry, Mapping) and key in entry
        }
        done.append({**entry, **shocks} if isinstance(entry, Mapping) else entry)
    return {**content, "scenario": done}


def _require_used(entry: Mapping[str, Any], where: str) -> None:
    """Raise where a parameter is used by no shock, variant or indicator: its band would span nothing."""
    text = repr([entry.get(key) for key in ("shock", "variant", "indicator")])
    unused = [name for name in entry.get("parameters", {}) if f"'${name}'" not in text]
    if unused:
        raise FormatError(f'{where}: no shock uses parameter {unused[0]!r}; write "${unused[0]}" where it belongs.')


def _parameters(entry: Any, where: str) -> list[Parameter]:
    found = []
    for name, part in entry.parameters.items():
        try:
            found.append(
                Parameter(name, **{key: value for key, value in part.model_dump().items() if value is not None})
            )
        except NearshoreError as error:
            raise FormatError(f"{where}: {error}") from error
    return found


def _variants(
    content: Mapping[str, Any], place: int, entry: Any, file: Path, text: str
) -> dict[str, tuple[Shock, ...]]:
    """Return the shocks of every variant of a scenario: its own, and the combinations of the ends of its bands."""
    where = f"{file}, scenario {entry.name!r}"
    found = {}
    for variant in entry.variant:
        if variant.name in found:
            raise FormatError(f"{where}: variant {variant.name!r} is used twice.")
        if SPAN in variant.name:
            raise FormatError(
                f"{where}: variant {variant.name!r} holds {SPAN!r}, as corners of the band do; rename it."
            )
        found[variant.name] = _shocks(variant.shock, f"{where}, variant {variant.name!r}")
    _require_used(content["scenario"][place], where)
    only = {**content, "scenario": [content["scenario"][place]]}
    for name, changed in corners(_parameters(entry, where)):
        spec = _validated(_with_values(only, file, changed), file, text)
        found[name] = _shocks(spec.scenario[0].shock, f"{where}, variant {name!r}")
    return found


def _shocks(entries: Sequence[Any], where: str) -> tuple[Shock, ...]:
    shocks = []
    for place, shock in enumerate(entries, start=1):
        values = {name: getattr(shock, name) for name in shock.model_fields_set if name != "kind"}
        try:
            shocks.append(KINDS[shock.kind](**values))
        except NearshoreError as error:
            raise FormatError(f"{where}, shock {place} ({shock.kind}): {error}") from error
    return tuple(shocks)


def _scenario(entry: Any, file: Path, number: int, variants: Mapping[str, Sequence[Shock]]) -> Scenario:
    where = f"{file}, scenario {entry.name!r}"
    shocks = _shocks(entry.shock, where)
    try:
        timing = None if entry.timing is None else timing_of(entry.timing.model_dump())
        return Scenario(
            entry.name,
            shocks=shocks,
            title=entry.title,
            question=entry.question,
            method=entry.method,
            limits=entry.limits,
            deflator=entry.deflator,
            timing=timing,
            parameters=_parameters(entry, where),
            indicators=[Question(**question.model_dump()) for question in entry.indicator],
            variants=variants,
        )
    except NearshoreError as error:
        raise FormatError(f"{file}, scenario {number}: {error}") from error


@cache
def _models() -> tuple[Any, dict[str, Any]]:
    """Return pydantic models made from the dataclasses, so that no field is written twice."""
    from pydantic import ConfigDict, Field, StrictFloat, StrictInt, create_model

    closed = ConfigDict(extra="forbid")
    strict = ConfigDict(extra="forbid", strict=True)
    shocks = {kind: _model(kind, shock, strict, kind=(Literal[kind], ...)) for kind, shock in KINDS.items()}
    union: Any = None
    for model in shocks.values():
        union = model if union is None else union | model
    ramp = _model("ramp", Ramp, strict)
    timing = _model("timing", Timing, closed, {"build": dict[int, float], "ramp": ramp | None})
    parameter: Any = _model("parameter", Parameter, closed, {"alternatives": tuple[Any, ...], "name": None})
    listed = (list[union], Field(min_length=1))
    question: Any = _model("indicator", Question, strict)
    variant: Any = create_model("variant", __config__=closed, name=(str, Field(min_length=1)), shock=listed)
    texts: dict[str, Any] = dict.fromkeys(TEXTS, (str, ""))
    scenario: Any = create_model(
        "scenario",
        __config__=closed,
        name=(str, Field(min_length=1)),
        **texts,
        deflator=(dict[int, StrictFloat | StrictInt] | str, Field(default_factory=dict)),
        timing=(timing | None, None),
        parameters=(dict[str, parameter], Field(default_factory=dict)),
        indicator=(list[question], Field(default_factory=list)),
        variant=(list[variant], Field(default_factory=list)),
        shock=listed,
    )
    return create_model("file", __config__=closed, scenario=(list[scenario], Field(min_length=1))), shocks


def _model(name: str, made_from: type[Any], config: Any, instead: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """Return a model of a dataclass, with other types for some of its fields (None: left out), and more fields."""
    from pydantic import create_model

    hints = get_type_hints(made_from) | dict(instead or {})
    fields = dict(more)
    for field in dataclasses.fields(made_from):
        if hints[field.name] is None:
            continue
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        default = field.default if field.default is not dataclasses.MISSING else None
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        fields[field.name] = (hints[field.name], ... if required else default)
    return create_model(name, __config__=config, **fields)


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
        for where, shock in _shock_entries(entry):
            kind = shock.get("kind") if isinstance(shock, Mapping) else None
            if not isinstance(kind, str) or kind not in shocks:
                near = get_close_matches(str(kind), shocks, n=1)
                if kind is None:
                    raise FormatError(f"{file}: scenario[{i}].{where} has no kind; known kinds: {', '.join(shocks)}.")
                hint = f"did you mean {near[0]!r}?" if near else f"known kinds: {', '.join(shocks)}."
                raise FormatError(f"{file}{_line(text, 'kind', kind)}: scenario[{i}].{where}.kind {kind!r}: {hint}")


def _shock_entries(entry: Any) -> list[tuple[str, Any]]:
    """Return every shock of a scenario and of its variants, with its path."""
    if not isinstance(entry, Mapping):
        return []
    variants = entry.get("variant", [])
    parts = [
        ("", entry),
        *((f"variant[{k}].", v) for k, v in enumerate(variants if isinstance(variants, list) else [])),
    ]
    found = []
    for path, part in parts:
        listed = part.get("shock", []) if isinstance(part, Mapping) else []
        found += [(f"{path}shock[{j}]", shock) for j, shock in enumerate(listed if isinstance(listed, list) else [])]
    return found


def _explain(
    errors: Sequence[Any], content: Mapping[str, Any], shocks: Mapping[str, Any], file: Path, text: str
) -> str:
    """Return one sentence on the first error that concerns the kind of shock that was written."""
    relevant = [error for error in errors if _concerns(error["loc"], content, shocks)]
    error = min(
        relevant or errors, key=lambda found: found["type"] != "extra_forbidden"
    )  # a misspelt key is also missing
    path = [part for part in error["loc"] if part not in shocks and not _names_a_type(part)]
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


def _names_a_type(part: Any) -> bool:
    """Tell whether a part of a path is pydantic's name of a type ("float", "dict[str,…]"), not a key of the file."""
    return isinstance(part, str) and (
        part in ("float", "int", "str", "bool") or bool(re.match(r"(?:\w+-)?\w+\[", part))
    )


def _concerns(loc: Sequence[Any], content: Mapping[str, Any], shocks: Mapping[str, Any]) -> bool:
    named = next((part for part in loc if part in shocks), None)
    if named is None or len(loc) < 4:
        return True
    entry: Any = content
    for part in loc[: list(loc).index(named)]:
        entry = entry[part]
    return bool(entry.get("kind") == named)


def _valid_keys(loc: Sequence[Any], shocks: Mapping[str, Any]) -> list[str]:
    kind = next((part for part in loc if part in shocks), None)
    if kind is not None:
        return list(shocks[kind].model_fields)
    if "timing" in loc:
        made_from = Ramp if "ramp" in loc[:-1] else Timing
        return [field.name for field in dataclasses.fields(made_from)]
    if "parameters" in loc:
        return [field.name for field in dataclasses.fields(Parameter) if field.name != "name"]
    if "indicator" in loc:
        return [field.name for field in dataclasses.fields(Question)]
    if "variant" in loc:
        return ["name", "shock"]
    return ["scenario"] if len(loc) == 1 else list(KEYS)


def _line(text: str, key: str, value: Any) -> str:
    """Return ", line N" for the only line that sets this key (to this value, where several do)."""
    lines = [i for i, line in enumerate(text.splitlines(), start=1) if re.match(rf"\s*{re.escape(key)}\s*=", line)]
    if len(lines) > 1:
        lines = [i for i in lines if str(value) in text.splitlines()[i - 1]]
    return f", line {lines[0]}" if len(lines) == 1 else ""
