"""Labels to positions, strictly: an exact code, a country, a named group, or a `LabelError` with the nearest."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from nearshore_io.errors import LabelError, first_few
from nearshore_io.shipped import shipped

Positions = npt.NDArray[np.intp]
Wanted = str | Iterable[str]


@cache
def groups(kind: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return the named groups of ``kind`` ("regions" or "sectors").

    A group is a list of alternative memberships, one for each classification that knows it.
    """
    with shipped("tables", "groups.toml").open("rb") as file:
        content = tomllib.load(file)[kind]
    return MappingProxyType({name: tuple(tuple(members) for members in lists) for name, lists in content.items()})


@cache
def _stand_ins() -> Mapping[str, Mapping[str, str]]:
    """Return what groups of narrow meaning hold too in coarse classifications, by group and code."""
    with shipped("tables", "groups.toml").open("rb") as file:
        return MappingProxyType(tomllib.load(file)["stand_ins"])


def stand_in(label: str, regions: Sequence[str], sectors: Sequence[str]) -> str | None:
    """Return what the table has in the place of a group it cannot tell apart, None where it can."""
    notes = _stand_ins().get(label, {})
    known = {*regions, *sectors}
    for kind in ("regions", "sectors"):
        for members in groups(kind).get(label, ()):
            if all(member in known for member in members):
                return next((f"{label}: {notes[member]}" for member in members if member in notes), None)
    return None


def as_list(wanted: Wanted) -> list[str]:
    """Return one label or many as a list. Raises `LabelError` for what is neither."""
    if isinstance(wanted, str):
        return [wanted]
    if not isinstance(wanted, Iterable):
        raise LabelError(f"{wanted!r} is no label: give a code, or several.")
    return [str(label) for label in wanted]


def require_unique(labels: Iterable[str], dim: str) -> tuple[str, ...]:
    """Return the labels as a tuple of text.

    Raises
    ------
    LabelError
        If a label occurs twice or is empty.
    """
    known = tuple(str(label) for label in labels)
    repeated = sorted({label for label in known if known.count(label) > 1}) if len(set(known)) < len(known) else []
    if repeated:
        raise LabelError(f"'{dim}' has duplicate labels: {first_few(repeated)}. Give every {dim} one code of its own.")
    if "" in known or "nan" in known:
        raise LabelError(f"'{dim}' has an empty label at position {[*known].index('' if '' in known else 'nan')}.")
    return known


def require_same(left: Sequence[str], right: Sequence[str], dim: str, where: tuple[str, str]) -> None:
    """Raise `LabelError` unless both sides hold the same set of labels."""
    missing = [label for label in left if label not in set(right)]
    extra = [label for label in right if label not in set(left)]
    if missing or extra:
        raise LabelError(
            f"'{dim}' labels differ between {where[0]} and {where[1]}: "
            f"missing in {where[1]}: [{first_few(missing)}]; only in {where[1]}: [{first_few(extra)}]. "
            "Align them explicitly; nothing is filled in."
        )


def position(label: str, known: Sequence[str], dim: str) -> int:
    """Return the position of one exact label, or raise `LabelError` with the nearest matches."""
    if label in known:
        return list(known).index(label)
    raise unknown(label, dim, known)


def unknown(
    label: str, dim: str, codes: Iterable[str], names: Mapping[str, str] | None = None, where: str = ""
) -> LabelError:
    """Return the error for a label nobody knows, with the nearest codes, names and groups."""
    names = names or {}
    codes = list(codes)
    by_text = {text.casefold(): code for code, text in names.items()}
    by_text |= {code.casefold(): code for code in reversed(codes)}  # the table's own before groups of the same letters
    by_word = {word.strip(","): code for text, code in by_text.items() for word in text.split() if len(word) > 3}
    wanted = str(label).casefold()
    near = [by_text[text] for text in get_close_matches(wanted, by_text, n=4, cutoff=0.55)]
    near += [by_word[word] for word in get_close_matches(wanted, by_word, n=2, cutoff=0.6)]
    if len(wanted) > 3:
        near += [code for text, code in by_text.items() if wanted in text]
    shown = [f"{code} ({names[code]})" if code in names else code for code in dict.fromkeys(near)]
    hint = f"Nearest: {first_few(shown)}." if shown else f"Known: {first_few(codes, 12)}."
    return LabelError(f"no {dim} {label!r}{where}. {hint}")


def _members(label: str, dim: str, kind: str, known: Mapping[str, Sequence[int]]) -> list[int] | None:
    """Return the positions of a named group, None if there is no such group.

    Raises
    ------
    LabelError
        If there is such a group but the table lacks some of its members, in every one of its versions.
    """
    versions = groups(kind).get(label, ())
    for members in versions:
        if all(member in known for member in members):
            return [i for member in members for i in known[member]]
    if not versions:
        return None
    lacks = min(([member for member in members if member not in known] for members in versions), key=len)
    raise LabelError(f"{dim} group {label!r} needs {first_few(lacks)}, which this table does not have.")


def region_positions(wanted: Wanted, regions: Sequence[str], country: Mapping[str, str]) -> Positions:
    """Return the positions of regions named by region code, by country code (all its regions) or by group.

    Raises
    ------
    LabelError
        If a name is none of the three; the message lists the nearest.
    """
    known: dict[str, list[int]] = {}
    for i, region in enumerate(regions):
        known.setdefault(country[region], []).append(i)
    known |= {region: [i] for i, region in enumerate(regions) if region not in known}
    return _positions(wanted, "region", "regions", known, {})


def sector_positions(wanted: Wanted, sectors: Sequence[str], names: Mapping[str, str]) -> Positions:
    """Return the positions of sectors named by code or by group.

    Raises
    ------
    LabelError
        If a name is neither; the message lists the nearest codes, by code and by readable name.
    """
    return _positions(wanted, "sector", "sectors", {sector: [i] for i, sector in enumerate(sectors)}, names)


def _require_no_slip(
    label: str, dim: str, members: list[int] | None, known: Mapping[str, list[int]], names: Mapping[str, str]
) -> None:
    """Raise `LabelError` for a group that a code of the table differs from in capitals alone: c29 is not C29."""
    own = next((code for code in known if code.casefold() == label.casefold()), None)
    if own is None or members is None or members == known[own]:
        return
    codes = [code for code, places in known.items() if set(places) <= set(members)]
    here = " and ".join(f"{code!r} ({names.get(code, code)})" for code in codes)
    raise LabelError(
        f"{dim} {label!r} may be two things in this table: {own!r} ({names.get(own, own)}), or what another list of "
        f"codes calls so, {here}. Write the one you mean."
    )


def _positions(
    wanted: Wanted, dim: str, kind: str, known: Mapping[str, list[int]], names: Mapping[str, str]
) -> Positions:
    found: list[int] = []
    for label in as_list(wanted):
        members = known.get(label) or _members(label, dim, kind, known)
        if label not in known:
            _require_no_slip(label, dim, members, known, names)
        if members is None:
            raise unknown(label, dim, [*known, *groups(kind)], names, where=" in this table")
        found += members
    if not found:
        raise LabelError(f"no {dim} was named: give at least one code.")
    return np.array(list(dict.fromkeys(found)), dtype=np.intp)
