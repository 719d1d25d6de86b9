"""To and from pymrio: any database that it parses (EXIOBASE 3, WIOD 2016, Eora26, FIGARO, GLORIA, …) as a table."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from nearshore_io import labels
from nearshore_io.errors import FormatError, LabelError, MissingExtraError, UnitError, first_few
from nearshore_io.solvers.base import Array
from nearshore_io.solvers.dense import DenseLU
from nearshore_io.table import IOTable
from nearshore_io.table.iotable import RESIDUAL

VALUE_ADDED = ("value_added", "VA", "VALU", "VA+TAXSUB", "Value Added")
TAXES = ("taxes_less_subsidies", "TLS", "TXS_INT_FNL")
TAX_SUFFIX = "_TAXSUB"
INPUTS = "primary_inputs"
SATELLITES = "satellites"
CURRENCIES = {"m": "million", "mill": "million", "mio": "million", "million": "million", "millions": "million",
              "k": "thousand", "thousand": "thousand", "bn": "billion", "billion": "billion"}  # fmt: skip


def from_pymrio(
    system: Any,
    *,
    inputs: Mapping[str, Sequence[str]] | None = None,
    country: Mapping[str, str] | None = None,
    year: int | None = None,
    name: str | None = None,
) -> IOTable:
    """Return a pymrio ``IOSystem`` as a table; it is not changed, and needs no ``calc_all``.

    Parameters
    ----------
    inputs : rows of its extensions that are primary inputs, by our name, such as
        ``{"taxes_less_subsidies": ["Taxes", "Subsidies"]}``; rows of one name are summed. By default rows called as
        OECD calls them (VA, VALU, TLS, C_TAXSUB) are taken; without any, value added is the column residual.
    country : country of each region that is not one itself.

    Notes
    -----
    Flows are Z, or A x̂ where the system has coefficients only. Every other row of every extension becomes a stressor
    with its own unit, called by its index (levels joined by " | "), and by its extension before it where two have the
    same. What final users emit (F_Y) has no place in a table: the primary inputs they pay are kept, the rest is
    counted in ``meta["oddities"]``.

    Raises
    ------
    FormatError
        A system without Z, and without A and Y; cells that are no numbers.
    UnitError
        If not all sectors are in one unit of money.
    LabelError
        Rows asked for as inputs that no extension has; labels that differ between Z and Y.

    Source: Stadler (2021), Journal of Open Research Software 9, 8 (pymrio).
    """
    Y = _frame(system, "Y")
    x = _output(system, Y)
    Z = _flows(system, x)
    industries = list(Z.index)
    regions = labels.require_unique(dict.fromkeys(str(r) for r, _ in industries), "region")
    sectors = labels.require_unique(dict.fromkeys(str(s) for _, s in industries), "sector")
    if industries != [(r, s) for r in dict.fromkeys(r for r, _ in industries) for s in _sectors_of(industries)]:
        raise LabelError("Z is not a full region × sector grid, sectors in the same order in every region.")
    labels.require_same(
        [str(i) for i in industries], [str(i) for i in Y.index], "region/sector", ("rows of Z", "rows of Y")
    )
    demand = Y.loc[Z.index]
    final_regions, categories = _uses(demand)
    rows = _extension_rows(system, Z.index)
    chosen = _chosen_inputs(rows, inputs)
    values = {name: sum((rows[row].industries for row in names), np.zeros(len(Z))) for name, names in chosen.items()}
    paid = {name: _paid([rows[row].final for row in names]) for name, names in chosen.items()}
    facts: dict[str, Any] = {}
    if "value_added" not in values:
        rest = np.sum(list(values.values()), axis=0) if values else 0.0
        residual = Z.to_numpy().sum(axis=1) + demand.to_numpy().sum(axis=1) - Z.to_numpy().sum(axis=0) - rest
        values = {"value_added": residual, **values}
        facts["value_added"] = RESIDUAL
    used = {row for names in chosen.values() for row in names}
    left = [row for row, found in rows.items() if row not in used and found.final is not None and found.final.any()]
    if left:
        facts["oddities"] = (f"stressors of final users are left out: {first_few(left)}",)
    return IOTable.from_arrays(
        Z.to_numpy(dtype=np.float64),
        demand.to_numpy(dtype=np.float64),
        values,
        regions=regions,
        sectors=sectors,
        final_regions=final_regions,
        categories=categories,
        country=country,
        final_inputs={name: row for name, row in paid.items() if row is not None},
        stressors={row: (found.industries, found.unit) for row, found in rows.items() if row not in used},
        meta=_meta(system, year, name) | facts,
    )


def _paid(rows: Sequence[Array | None]) -> Array | None:
    """Return the sum of what final users pay, None where some row does not say."""
    known = [row for row in rows if row is not None]
    return np.sum(known, axis=0) if len(known) == len(rows) else None


class _Row:
    """A row of an extension: over industries, over final uses (None where the system has none), and its unit."""

    def __init__(self, extension: str, industries: Array, final: Array | None, unit: str) -> None:
        self.extension, self.industries, self.final, self.unit = extension, industries, final, unit


def _frame(system: Any, attribute: str) -> pd.DataFrame:
    found = getattr(system, attribute, None)
    if not isinstance(found, pd.DataFrame):
        raise FormatError(f"this is no pymrio system with {attribute}: {type(system).__name__}. Parse one first.")
    if not np.isfinite(found.to_numpy(dtype=np.float64)).all():
        raise FormatError(f"{attribute} of the pymrio system has cells that are no numbers.")
    return found


def _output(system: Any, Y: pd.DataFrame) -> Array | None:
    if isinstance(getattr(system, "Z", None), pd.DataFrame):
        return None
    x = getattr(system, "x", None)
    if x is not None:
        return np.asarray(x, dtype=np.float64).ravel()
    A = _frame(system, "A")
    demand = np.asarray(Y.loc[A.index].sum(axis=1), dtype=np.float64)
    return DenseLU().factorise(np.ascontiguousarray(A, dtype=np.float64)).solve(demand)


def _flows(system: Any, x: Array | None) -> pd.DataFrame:
    frame = _frame(system, "Z") if x is None else _frame(system, "A") * x
    if frame.index.nlevels != 2 or list(frame.index) != list(frame.columns):
        raise FormatError("Z of the pymrio system must have (region, sector) on both axes, in one order.")
    return frame


def _sectors_of(industries: list[Any]) -> list[Any]:
    return list(dict.fromkeys(sector for _, sector in industries))


def _uses(Y: pd.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = [(str(c[0]), str(c[1])) if isinstance(c, tuple) else (str(c), "final_demand") for c in Y.columns]
    regions, categories = (tuple(dict.fromkeys(pair[k] for pair in pairs)) for k in (0, 1))
    if pairs != [(r, c) for r in regions for c in categories]:
        raise LabelError("Y must have every category for every region, in one order.")
    return regions, categories


def _extension_rows(system: Any, industries: pd.Index) -> dict[str, _Row]:
    """Return every row of every extension by name."""
    extensions = [e for e in system.get_extensions(data=True) if isinstance(getattr(e, "F", None), pd.DataFrame)]
    names = [_row_name(row) for extension in extensions for row in extension.F.index]
    found: dict[str, _Row] = {}
    for extension in extensions:
        F = extension.F[industries]
        final = getattr(extension, "F_Y", None)
        units = getattr(extension, "unit", None)
        for row in F.index:
            name = _row_name(row)
            name = name if names.count(name) == 1 else f"{extension.name} | {name}"
            unit = str(np.ravel(units.loc[row])[0]) if units is not None and row in units.index else "unit not stated"
            paid = np.asarray(final.loc[row], dtype=np.float64) if final is not None and row in final.index else None
            found[name] = _Row(str(extension.name), np.asarray(F.loc[row], dtype=np.float64), paid, _unit(unit))
    return found


def _row_name(row: Any) -> str:
    return " | ".join(str(part) for part in row) if isinstance(row, tuple) else str(row)


def _chosen_inputs(rows: Mapping[str, _Row], wanted: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    if wanted is not None:
        for names in wanted.values():
            for row in labels.as_list(names):
                if row not in rows:
                    raise labels.unknown(row, "row of an extension", rows)
        return {name: labels.as_list(names) for name, names in wanted.items()}
    ours = [row for row in rows if rows[row].extension == INPUTS]
    if ours:
        return {row: [row] for row in ours}
    value_added = [row for row in rows if row in VALUE_ADDED]
    taxes = [row for row in rows if row in TAXES or row.endswith(TAX_SUFFIX)]
    found = {"value_added": value_added, "taxes_less_subsidies": taxes}
    return {name: names for name, names in found.items() if names and value_added}


def _unit(text: str) -> str:
    """Return a unit of money as "million EUR", whatever its spelling; other units as they are."""
    words = text.replace(".", " ").replace("_", " ").split()
    if len(words) == 2 and words[0].lower() in CURRENCIES:
        money = words[1].upper().replace("US$", "USD").replace("EURO", "EUR").replace("EURS", "EUR")
        return f"{CURRENCIES[words[0].lower()]} {money}" if len(money) == 3 else text
    return text


def _money(system: Any) -> str:
    units = getattr(system, "unit", None)
    if units is None:
        raise UnitError("the pymrio system says no unit: set system.unit before.")
    found = {_unit(str(unit)) for unit in np.ravel(units)}
    if len(found) != 1:
        raise UnitError(f"sectors of the pymrio system are in several units: {first_few(sorted(found))}.")
    return found.pop()


def _meta(system: Any, year: int | None, name: str | None) -> dict[str, Any]:
    meta = getattr(system, "meta", None)
    facts = {key: getattr(meta, key, None) for key in ("name", "version", "description", "system")}
    source = " ".join(str(facts[key]) for key in ("name", "version") if facts[key])
    history = [str(line) for line in (getattr(meta, "history", None) or ())]
    return {
        "name": name or str(facts["name"] or "table from pymrio"),
        "source": f"{source or 'unnamed database'} (by pymrio)",
        "year": year,
        "unit": _money(system),
        "licence": "see the database",
        "history": (*reversed(history), "brought from pymrio"),
    }


def to_pymrio(table: IOTable) -> Any:
    """Return a table as a pymrio ``IOSystem``, with extensions ``primary_inputs`` and ``satellites``.

    Units, currency and history go with it; stressors nobody published are NaN there too.

    Raises
    ------
    MissingExtraError
        If pymrio is not installed (``pip install "nearshore_io[pymrio]"``).
    LabelError
        If regions are parts of countries: pymrio knows regions only. `merge_regions` first.
    """
    if find_spec("pymrio") is None:
        raise MissingExtraError("to_pymrio", "pymrio", "pymrio")
    import pymrio

    parts = [region for region in table.regions if table.country[region] != region]
    if parts:
        raise LabelError(
            f"{first_few(parts)} are parts of {first_few(dict.fromkeys(table.country[p] for p in parts))}, and pymrio "
            "knows regions only: nio.merge_regions(table) first. That biases content (see there)."
        )
    industries = pd.MultiIndex.from_product([table.regions, table.sectors], names=["region", "sector"])
    uses = pd.MultiIndex.from_product([table.final_regions, table.categories], names=["region", "category"])
    Z = table.Z.toarray() if not isinstance(table.Z, np.ndarray) else table.Z
    names = list(table.inputs)
    extensions = {
        INPUTS: {
            "name": INPUTS,
            "F": pd.DataFrame(list(table.inputs.values()), index=pd.Index(names, name="stressor"), columns=industries),
            "unit": pd.DataFrame({"unit": table.unit}, index=pd.Index(names, name="stressor")),
        }
    }
    paid = table.paid_by_final_users
    if paid:
        known = pd.DataFrame(list(paid.values()), index=pd.Index(list(paid), name="stressor"), columns=uses)
        extensions[INPUTS]["F_Y"] = known.reindex(names, fill_value=0.0)
    if table.stressors:
        rows = pd.Index(list(table.stressors), name="stressor")
        extensions[SATELLITES] = {
            "name": SATELLITES,
            "F": pd.DataFrame([values for values, _ in table.stressors.values()], index=rows, columns=industries),
            "unit": pd.DataFrame({"unit": [unit for _, unit in table.stressors.values()]}, index=rows),
        }
    meta = pymrio.MRIOMetaData(name=table.name, description=str(table.meta.get("source", "")), version=str(table.year))
    for line in table.meta["history"]:
        meta.note(line)
    return pymrio.IOSystem(
        Z=pd.DataFrame(np.array(Z), index=industries, columns=industries),
        Y=pd.DataFrame(np.array(table.y), index=industries, columns=uses),
        unit=pd.DataFrame({"unit": table.unit}, index=industries),
        meta=meta,
        **extensions,
    )
