"""The values of axes and cases: lists, ranges, members of groups and rows, each different."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nearshore_io.errors import FormatError, first_few
from nearshore_io.labels import groups
from nearshore_io.stores.encode import shown
from nearshore_io.sweeps.points import Codes
from nearshore_io.table import IOTable
from nearshore_io.units import is_number

RANGE_KEYS = {"from", "to", "steps", "spacing"}
EVERY = ("sectors", "regions", "countries")
LABEL_COLUMNS = ("label", "name")
"""Columns of cases that label them, and need not be used by a shock."""


def plain(value: Any) -> Any:
    """Return a value as JSON has it. Raises `FormatError` for what JSON has not, such as dates and sets."""
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    found = value.item() if isinstance(value, np.generic) else value
    if not (found is None or isinstance(found, (str, int, float))):
        raise FormatError(f"a value is a text, a number, a list or a table of these, not {value!r}.")
    return found


def axis_values(values: Any, where: str) -> Any:
    """Return the values of an axis as a tuple; a group to be looked up in a table stays as it is."""
    if isinstance(values, Mapping):
        if set(values) == RANGE_KEYS or set(values) == RANGE_KEYS - {"spacing"}:
            return _range(values, where)
        if len(values) == 1 and next(iter(values)) in EVERY and isinstance(next(iter(values.values())), str):
            return dict(values)
        raise FormatError(
            f'{where}: give a list, {{from = 0.05, to = 0.5, steps = 10}}, or {{sectors = "manufacturing"}}, not '
            f"{dict(values)!r}."
        )
    if isinstance(values, str) or not isinstance(values, (Sequence, np.ndarray)):
        raise FormatError(f"{where}: give a list of values, not {values!r}.")
    listed = tuple(plain(value) for value in values)
    if not listed:
        raise FormatError(f"{where} has no values, so the sweep has no scenarios.")
    texts = [json.dumps(float(value) if is_number(value) else value, sort_keys=True) for value in listed]
    if len(set(texts)) < len(texts):
        twice = next(_repeated(texts))
        raise FormatError(f"{where} has {shown(listed[twice])} twice: its scenarios would be the same.")
    return listed


def _range(values: Mapping[str, Any], where: str) -> tuple[float, ...]:
    low, high, steps = values["from"], values["to"], values["steps"]
    if not (is_number(low) and is_number(high) and isinstance(steps, int) and steps >= 2 and low < high):
        raise FormatError(f"{where}: from must be below to, numbers both, and steps two or more, not {dict(values)!r}.")
    spacing = values.get("spacing", "even")
    if spacing not in ("even", "geometric") or (spacing == "geometric" and low <= 0):
        raise FormatError(f'{where}: spacing is "even", or "geometric" from above zero, not {spacing!r}.')
    found = np.geomspace(low, high, steps) if spacing == "geometric" else np.linspace(low, high, steps)
    return tuple(float(f"{value:.12g}") for value in found)


def case_rows(cases: Any, where: str) -> tuple[dict[str, Any], ...]:
    """Return cases as mappings of the same keys, each different; a name labels one case only."""
    if isinstance(cases, (str, Mapping)) or not isinstance(cases, Sequence):
        raise FormatError(f"{where}: cases are a list of mappings, not {cases!r:.60}.")
    listed = [dict(case) if isinstance(case, Mapping) else case for case in cases]
    if strange := [case for case in listed if not isinstance(case, dict) or not case]:
        raise FormatError(f"{where}: a case is a mapping of values by parameter, not {strange[0]!r}.")
    if uneven := [case for case in listed if set(case) != set(listed[0])]:
        raise FormatError(f"{where}: cases have different keys, {sorted(listed[0])} and {sorted(uneven[0])}.")
    texts = [json.dumps(plain(case), sort_keys=True) for case in listed]
    for place in _repeated(texts):
        first = texts.index(texts[place])
        raise FormatError(f"{where}: cases {first + 1} and {place + 1} are the same, {texts[place]}.")
    for label in LABEL_COLUMNS:
        names = [str(case[label]) for case in listed if label in case]
        for place in _repeated(names):
            raise FormatError(f"{where}: the {label} {names[place]!r} stands for two cases.")
    return tuple({key: plain(value) for key, value in case.items()} for case in listed)


def _repeated(texts: Sequence[str]) -> Iterator[int]:
    """Yield the places of texts that stood before."""
    seen: set[str] = set()
    for place, text in enumerate(texts):
        if text in seen:
            yield place
        seen.add(text)


def size_of(values: Any) -> int:
    """Return how many values an axis has, none for a group that is still to be looked up in a table."""
    return 0 if isinstance(values, Mapping) else len(values)


def members(values: Any, table: IOTable, where: str) -> Any:
    """Return the members of a group that a table has, in the table's order; listed values as they are."""
    if not isinstance(values, Mapping):
        return values
    kind, group = next(iter(values.items()))
    known = {"sectors": table.sectors, "regions": table.regions, "countries": table.countries}[kind]
    if group == "all":
        return tuple(known)
    versions = groups("sectors" if kind == "sectors" else "regions").get(group, ())
    members = max(versions, key=lambda listed: sum(code in known for code in listed), default=())
    found = tuple(code for code in known if code in members)
    if not found:
        known_groups = first_few([*groups("sectors" if kind == "sectors" else "regions")], 8)
        raise FormatError(
            f'{where}: the table has no {kind} of a group {group!r}; say "all", or one of {known_groups}.'
        )
    return found


def distinct(options: Sequence[Any], places: Codes) -> tuple[list[Any], Codes]:
    """Return the different values among options, and which of them each place has."""
    texts = [json.dumps(option, sort_keys=True) for option in options]
    known = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    values = dict(zip(texts, options, strict=True))
    return [values[text] for text in known], np.array([known[text] for text in texts], dtype=np.int64)[places]
