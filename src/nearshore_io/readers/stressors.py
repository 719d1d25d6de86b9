"""Satellite accounts from files: jobs, pay, emissions, put on a table's own regions and industries."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import polars

from nearshore_io import labels
from nearshore_io.classifications import divisions, industry_lists, list_of
from nearshore_io.errors import ConcordanceError, FormatError, LabelError, first_few
from nearshore_io.files import readable
from nearshore_io.labels import Positions
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

Key: TypeAlias = Literal["output"] | str | Mapping[str, float]
"""How a country's number is shared over its regions: by output, by a stressor or input of the table, or by shares."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "area": ("region", "country", "ref_area", "cou", "economy"),
    "sector": ("sector", "industry", "activity", "ind", "classif1", "economic_activity"),
    "stressor": ("stressor", "variable", "measure", "var", "indicator"),
    "value": ("value", "obs_value"),
    "unit": ("unit", "unit_measure", "unit_code"),
    "year": ("year", "time_period", "time"),
    "source": ("source",),
    "sex": ("sex",),
    "multiplier": ("unit_mult", "powercode_code"),
}
"""What a column of a long file is, by the names that the layouts give it: ours, SDMX and OECD.Stat, ILOSTAT."""

CODES: Mapping[str, tuple[str, str]] = {
    "EMPN": ("jobs", "thousand persons"),
    "EMPE": ("employees", "thousand persons"),
    "LABR": ("compensation", "million USD"),
    "EMP_TEMP_SEX_EC2_NB": ("jobs", "thousand persons"),
    "EMP_TEMP_SEX_ECO_NB": ("jobs", "thousand persons"),
    "EMP_2EMP_SEX_ECO_NB": ("jobs", "thousand persons"),
}
"""OECD's (TiM) and the ILO's codes of variables: the stressor, and the unit where the file gives none."""

UNITS: Mapping[str, tuple[str, float]] = {
    **dict.fromkeys(("persons", "person", "ps", "heads"), ("persons", 1.0)),
    **dict.fromkeys(("thousand persons", "thousands of persons", "thousands", "ths_ps"), ("persons", 1e3)),
    **dict.fromkeys(("million persons", "mio_ps"), ("persons", 1e6)),
    **dict.fromkeys(("usd", "us dollar", "us dollars"), ("USD", 1.0)),
    **dict.fromkeys(("thousand usd",), ("USD", 1e3)),
    **dict.fromkeys(("million usd", "mio usd", "usd million", "millions of us dollars", "usd_m"), ("USD", 1e6)),
}
"""How official files call the units of the known codes, and what one is of the plain unit."""

_NEEDED = ("area", "sector", "stressor", "value")
_ILO = re.compile(r"^(?:ECO|EC2)_ISIC4_(?:[A-U](?=\d\d)|)(\w+)$")


@dataclass(frozen=True)
class _Series:
    """One stressor: its unit, and its numbers by area and industry; NaN where the file has an empty cell."""

    unit: str
    values: Mapping[tuple[str, str], float]


def read_stressors(
    path: str | os.PathLike[str],
    table: IOTable,
    *,
    year: int | None = None,
    industries: str | None = None,
    split: Key = "output",
) -> IOTable:
    """Return the table with the stressors of a file, put on its own regions and industries.

    Parameters
    ----------
    path : CSV or Parquet. In long form: region (or country), sector, stressor, value, unit, source, year. As OECD
        publishes TiM: EMPN and LABR in long form, or as rows (or columns) over ``AUS_A01_02``, …. As ILOSTAT does:
        ref_area, indicator, sex, classif1, time, obs_value.
    year : year of the numbers; by default the table's.
    industries : the list the file's sectors belong to ("icio-2023", "wiod-2013", "bea-summary", "isic4-sections", …);
        by default the table's own sectors, or else the shortest list that has all of the file's.
    split : how a country's number is shared over its regions (MX1, MX2): "output"; the name of one of the table's
        stressors or inputs; or shares by region, ``{"MX1": 0.6, "MX2": 0.4}``, for all industries alike. A file with
        rows for the regions themselves needs none.

    Notes
    -----
    Where lists differ, an industry of the file is shared over the table's industries that have a division of ISIC
    Rev. 4 in common with it, in proportion to their output times the share of their divisions that is common. Sums are
    kept. An industry of the table of which some division has no number is unknown: NaN, as are regions without rows.
    What was shared and how is written in ``meta["history"]``.

    Raises
    ------
    StorageError, FormatError
        No such file; columns are missing; a value is no number; rows stand twice; units differ within a stressor.
    LabelError, ConcordanceError
        Regions or industries that neither the table nor a list knows; a stressor the table has already.
    """
    file = readable(path)
    frame, official = _long(file)
    frame = _of_year(frame, year if year is not None else table.year, file)
    series = _series(frame, file)
    notes: list[str] = []
    found: dict[str, tuple[Array, str]] = {}
    for name, one in series.items():
        values, lines = _on_table(one.values, table, industries, split, official, f"{file}: {name}")
        found[name] = values, one.unit
        notes += [line for line in lines if line not in notes]
    sources = sorted(set(frame["source"])) if "source" in frame else []
    origin = f" ({first_few(s for s in sources if s)})" if any(sources) else ""
    return table.with_stressors(found, f"{first_few(found)} from {file.name}{origin}; " + "; ".join(notes))


def _long(file: Path) -> tuple[pd.DataFrame, bool]:
    """Return a file as long text columns under our names, and whether it is in an official layout."""
    frame = _text(file)
    first = frame.columns[0]
    lower = {column.lower().strip(): column for column in frame.columns}
    names = {what: next((lower[a] for a in known if a in lower), None) for what, known in COLUMNS.items()}
    missing = [what for what in _NEEDED if names[what] is None]
    wide = [column for column in frame.columns[1:] if re.fullmatch(r"[A-Z][A-Z0-9]+_\w+", column)]
    if missing and len(wide) > len(frame.columns) / 2:
        if len(wide) < len(frame.columns) - 1:
            strange = next(column for column in frame.columns[1:] if column not in wide)
            raise FormatError(f"{file}: column {strange!r} is no industry of a country, such as USA_C29.")
        return _melted(frame.rename(columns={first: "stressor"}).melt("stressor", wide, "industry")), True
    if missing and set(frame.columns[1:]) <= set(CODES) and len(frame.columns) > 1:
        return _melted(frame.rename(columns={first: "industry"}).melt("industry", None, "stressor")), True
    if missing:
        raise FormatError(
            f"{file} has no column for {first_few(missing)}: a long file has region (or country), sector, stressor, "
            f"value, unit, source, year; it has {first_few(frame.columns, 12)}."
        )
    renamed = frame[[c for c in names.values() if c]].rename(columns={c: what for what, c in names.items() if c})
    official = "region" not in lower and "country" not in lower
    if names["sex"] is not None:
        renamed = renamed[renamed["sex"].isin(["SEX_T", "T", "_T"])]
        renamed = renamed.assign(sector=[_ilo(code) for code in renamed["sector"]])
        renamed = renamed[renamed["sector"] != ""].drop(columns=["sex", "source"], errors="ignore")
    _require_filled(renamed, file)
    return renamed.reset_index(drop=True), official


def _require_filled(frame: pd.DataFrame, file: Path) -> None:
    """Raise where a row does not say what it is about: its value may be empty, its labels and its year may not."""
    for column in ("area", "sector", "stressor", "year"):
        empty = frame.index[frame[column] == ""] if column in frame else frame.index[:0]
        if len(empty):
            raise FormatError(f"{file}, row {empty[0] + 2}: the cell of its {column} is empty.")


def _melted(frame: pd.DataFrame) -> pd.DataFrame:
    pairs = frame["industry"].str.partition("_")
    return frame.assign(area=pairs[0], sector=pairs[2]).drop(columns="industry")


def _ilo(code: str) -> str:
    """Return the section or division of an ILO code such as ECO_ISIC4_C or EC2_ISIC4_C29; "" for totals and groups."""
    match = _ILO.match(code)
    return match[1] if match and match[1] not in ("TOTAL", "X", "U", "99") else ""


def _text(file: Path) -> pd.DataFrame:
    try:
        if file.suffix.lower() == ".parquet":
            content = polars.read_parquet(file)
        else:
            content = polars.read_csv(file, infer_schema_length=0, comment_prefix="#")
    except (polars.exceptions.PolarsError, OSError) as error:
        raise FormatError(f"{file} is not readable as CSV or Parquet ({error}).") from error
    if not content.width or not content.height:
        raise FormatError(f"{file} has no rows.")
    text = content.select(polars.all().cast(polars.String).fill_null("").str.strip_chars())
    return pd.DataFrame(text.to_dict(as_series=False))


def _of_year(frame: pd.DataFrame, year: int | None, file: Path) -> pd.DataFrame:
    if "year" not in frame:
        return frame
    years = sorted(set(frame["year"]))
    if year is None and len(years) == 1:
        return frame
    chosen = frame[frame["year"] == str(year)]
    if chosen.empty:
        raise FormatError(f"{file} has no rows of {year}; years: {first_few(years, 30)}. Say year=.")
    return chosen.reset_index(drop=True)


def _series(frame: pd.DataFrame, file: Path) -> dict[str, _Series]:
    """Return the stressors of a long frame.

    Raises
    ------
    FormatError
        A value that is no number; two rows for one number; two units in one stressor, or none.
    """
    found: dict[str, _Series] = {}
    for code, rows in frame.groupby("stressor", sort=False):
        known = next((value for key, value in CODES.items() if str(code).removesuffix("_A") == key), None)
        name = known[0] if known else str(code)
        given = sorted({text for text in rows["unit"] if text}) if "unit" in rows else []
        if len(given) > 1:
            raise FormatError(f"{file}: {code} has several units: {first_few(given)}.")
        if not (given or known):
            raise FormatError(f"{file}: {code} has no unit: fill the column unit.")
        unit, factor = _converted(given[0] if given else "", known, "multiplier" in rows, f"{file}: {code}")
        before = found.setdefault(name, _Series(unit, {}))
        if before.unit != unit:
            raise FormatError(f"{file}: {name} is in {before.unit} and in {unit}.")
        values = dict(before.values)
        for i, row in zip(rows.index, rows.to_dict("records"), strict=True):
            place = f"{file}, row {i + 2} ({name} of {row['area']} {row['sector']})"
            if (row["area"], row["sector"]) in values:
                raise FormatError(f"{place} stands twice.")
            power = _value(row.get("multiplier", "") or "0", f"{place}, multiplier")
            values[row["area"], row["sector"]] = _value(row["value"], place) * 10.0**power * factor
        found[name] = _Series(unit, values)
    if not found:
        raise FormatError(f"{file} has no stressors.")
    return found


def _converted(given: str, known: tuple[str, str] | None, multiplied: bool, where: str) -> tuple[str, float]:
    """Return the unit a stressor is kept in, and the factor its numbers (after their multiplier) take.

    Raises
    ------
    FormatError
        If a known code is in a unit that its own cannot be reached from, such as pesos.
    """
    if known is None:
        return given, 1.0
    target, (plain, size) = known[1], UNITS.get(known[1].lower(), (known[1], 1.0))
    if not given:
        return target, 1.0 / size if multiplied else 1.0
    if given.lower() == target.lower():
        return target, 1.0
    base, factor = UNITS.get(given.lower(), ("", 0.0))
    if base != plain:
        raise FormatError(f"{where} is in {given!r}, which is not {target}: convert it before.")
    return target, factor / size


def _value(text: str, place: str) -> float:
    if text in ("", "NA", "NaN", "nan"):
        return float("nan")
    try:
        number = float(text)
    except ValueError as error:
        raise FormatError(f"{place}: {text!r} is no number.") from error
    if "_" in text:
        raise FormatError(f"{place}: {text!r} is no number.")
    if not np.isfinite(number):
        raise FormatError(f"{place}: {text!r} is no finite number.")
    return number


def _on_table(
    values: Mapping[tuple[str, str], float],
    table: IOTable,
    industries: str | None,
    split: Key,
    official: bool,
    where: str,
) -> tuple[Array, list[str]]:
    """Return numbers by area and industry as (n,) on the table, and lines on how."""
    areas = list(dict.fromkeys(area for area, _ in values))
    if isinstance(split, Mapping):
        for name in split:
            labels.position(name, table.regions, "region")
    known = {*table.regions, *table.countries}
    strange = [area for area in areas if area not in known]
    if strange and not official:
        raise labels.unknown(strange[0], "region", sorted(known), where=f" in this table, but in {where}")
    sectors, lines = _sectors(list(dict.fromkeys(sector for _, sector in values)), table, industries, official, where)
    if strange:
        lines.append(f"areas that the table does not have are left out: {first_few(strange)}")
    result = np.full(table.n, np.nan)
    width = len(table.sectors)
    for area in areas:
        if area in strange:
            continue
        rows = {s: value for (a, s), value in values.items() if a == area and s in sectors}
        positions = table.positions(region=area).reshape(-1, width)
        if not np.isnan(result[positions]).all():
            raise LabelError(
                f"{where}: {area} has rows, and so has the country or a region of it. Keep one or the other."
            )
        shares = _shares(table, area, positions, split)
        if len(positions) > 1:
            how = f"by {split}" if isinstance(split, str) else f"by shares given ({dict(split)})"
            lines.append(f"{area} shared over {', '.join(table.regions[i // width] for i in positions[:, 0])} {how}")
        x = np.maximum(table.x.values.ravel()[positions].sum(axis=0), 0.0)
        result[positions] = shares * _by_sector(rows, sectors, table.sectors, x)
    return result, lines


def _sectors(
    codes: Sequence[str], table: IOTable, industries: str | None, official: bool, where: str
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Return, for each code of the file, the table's sectors and the share of their divisions in common with it."""
    if industries is None and set(codes) <= set(table.sectors):
        return {code: {code: 1.0} for code in codes}, []
    own = list_of(table.sectors)
    name = industries or _list_for(codes, official, where)
    source, target = divisions(name), divisions(own)
    unknown_codes = [code for code in codes if code not in source and code.removeprefix("D") not in source]
    if unknown_codes and not official:
        raise labels.unknown(unknown_codes[0], "sector", list(source), where=f" in the list {name}, but in {where}")
    found: dict[str, dict[str, float]] = {}
    for code in codes:
        parts = source.get(code) or source.get(code.removeprefix("D"))
        if parts is None:
            continue
        found[code] = {t: len(set(target[t]) & set(parts)) / len(target[t]) for t in table.sectors}
        found[code] = {t: share for t, share in found[code].items() if share}
    lines = [f"industries of {name} put on those of {own} by ISIC Rev. 4, shared by output where one meets several"]
    if unknown_codes:
        lines.append(f"codes that are no industry of {name} are left out: {first_few(unknown_codes)}")
    return found, lines


def _list_for(codes: Sequence[str], official: bool, where: str) -> str:
    """Return the list the codes belong to; in an official layout, with totals among them, the one with most of them."""
    if not official:
        try:
            return list_of(codes)
        except ConcordanceError as error:
            raise ConcordanceError(f"{where}: {error}") from error
    plain = {code if code in divisions("icio-2025") else code.removeprefix("D") for code in codes} | set(codes)
    score = {name: len(plain & set(divisions(name))) / len(divisions(name)) for name in industry_lists()}
    best = max(score, key=lambda name: score[name])
    if score[best] < 0.5:
        raise ConcordanceError(f"{where}: the industries {first_few(codes)} belong to no known list: give industries=.")
    return best


def _by_sector(
    rows: Mapping[str, float], links: Mapping[str, Mapping[str, float]], sectors: Sequence[str], x: Array
) -> Array:
    """Return the numbers of one country by sector, (sectors,), shared by output; NaN where a part is not covered."""
    result = np.zeros(len(sectors))
    covered = np.zeros(len(sectors))
    place = {sector: i for i, sector in enumerate(sectors)}
    for code, value in rows.items():
        at = np.array([place[sector] for sector in links[code]], dtype=np.intp)
        common = np.array(list(links[code].values()))
        weight = x[at] * common
        total = weight.sum()
        result[at] += value * (weight / total if total > 0 else common / common.sum())
        covered[at] += common
    return np.where(covered > 1.0 - 1e-9, result, np.nan)


def _shares(table: IOTable, area: str, positions: Positions, split: Key) -> Array:
    """Return the share of each region in a country's number, (regions, sectors); columns sum to one."""
    if len(positions) == 1:
        return np.ones(positions.shape)
    names = [table.regions[i // len(table.sectors)] for i in positions[:, 0]]
    if isinstance(split, Mapping):
        lacks = [name for name in names if name not in split]
        if lacks:
            raise LabelError(f"split says nothing of {first_few(lacks)}, over which the file's {area} is to be shared.")
        given = np.array([_share(split[name], name) for name in names])
        if not abs(given.sum() - 1.0) <= 1e-9:
            raise ConcordanceError(f"split: the shares of {area} must be ≥ 0 and sum to one, not to {given.sum():g}.")
        return np.repeat(given[:, None], positions.shape[1], axis=1)
    weights = np.maximum(_weights(table, split)[positions], 0.0)
    total = weights.sum(axis=0)
    even = np.full(positions.shape, 1.0 / len(positions))
    return np.asarray(np.divide(weights, total, out=even, where=total > 0))


def _share(value: object, name: str) -> float:
    if not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise ConcordanceError(f"split: the share of {name} is {value!r}, not a number between 0 and 1.")
    return float(value)


def _weights(table: IOTable, split: str) -> Array:
    if split == "output":
        return np.asarray(table.x.values.ravel())
    known = {**table.inputs, **{name: values for name, (values, _) in table.stressors.items()}}
    if split not in known:
        raise labels.unknown(split, "key to split by", ["output", *known])
    return known[split]
