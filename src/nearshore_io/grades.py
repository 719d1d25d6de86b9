"""How reliable each cell of an estimated table is, by rules that name blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from nearshore_io import labels
from nearshore_io.errors import FormatError, LabelError
from nearshore_io.labels import Wanted
from nearshore_io.table import IOTable
from nearshore_io.units import stamp

LETTERS = ("A", "B", "C", "D", "E")


@dataclass(frozen=True)
class Grade:
    """What a block of cells rests on.

    Attributes
    ----------
    grade : A (published by industry), B (published in total, shared out by published patterns), C (estimated from
        published margins), D (older structure), E (assumption). basis : what it rests on, in words.
    spread : relative standard deviation of a cell of flows.
    region, sector, to_region, to_sector : which cells, by code, country or group; None takes all.
    across : only cells between different countries (True), only within one (False), or both (None).
    """

    grade: Literal["A", "B", "C", "D", "E"]
    basis: str
    spread: float
    region: Wanted | None = None
    sector: Wanted | None = None
    to_region: Wanted | None = None
    to_sector: Wanted | None = None
    across: bool | None = None

    def __post_init__(self) -> None:
        labels.position(self.grade, LETTERS, "grade")
        if not self.spread >= 0:
            raise FormatError(
                f"grade {self.grade}: the spread is a relative standard deviation ≥ 0, not {self.spread!r}."
            )


def graded(table: IOTable, grades: Sequence[Grade]) -> IOTable:
    """Return the table with rules for the reliability of its cells; later rules overrule earlier ones.

    Raises
    ------
    LabelError
        If a rule names what the table does not have.
    FormatError
        If a cell of flows is under no rule.
    """
    for grade in grades:
        table.positions(grade.region, grade.sector)
        table.positions(grade.to_region, grade.to_sector)
    rules = [{key: value for key, value in asdict(grade).items() if value is not None} for grade in grades]
    result = table.with_numbers(meta=table.noted("cells graded by reliability", grades=rules))
    missing = (reliability(result)["grade"].values == "").sum()
    if missing:
        raise FormatError(f"{missing} cells of flows are under no rule: begin with a rule for all of them.")
    return result


def reliability(
    table: IOTable,
    region: Wanted | None = None,
    sector: Wanted | None = None,
    to_region: Wanted | None = None,
    to_sector: Wanted | None = None,
) -> xr.Dataset:
    """Return the grade of flows and their relative standard deviation, Dataset (region, sector, to_region, to_sector).

    ``grade`` is a letter, ``spread`` a share of the cell; the attribute ``basis`` says what each rule rests on.

    Raises
    ------
    LabelError
        If a name is not in the table, or the table's cells have no grades, as in published tables.
    """
    rules: Sequence[Mapping[str, Any]] = table.meta.get("grades", ())
    if not rules:
        raise LabelError(
            f"{table.name} has no grades: its cells were published, or its labels changed after they were graded."
        )
    flows = table.flows(region, sector, to_region, to_sector)
    grade = np.full(flows.shape, "", dtype="U1")
    spread = np.full(flows.shape, np.nan)
    sellers = np.array([table.country[name] for name in flows["region"].values])
    buyers = np.array([table.country[name] for name in flows["to_region"].values])
    for rule in rules:
        chosen = [
            np.isin(flows[dim].values, table.select(**{kind: rule[dim]})[kind])
            if dim in rule
            else np.ones(flows.sizes[dim], bool)
            for dim, kind in (
                ("region", "region"),
                ("sector", "sector"),
                ("to_region", "region"),
                ("to_sector", "sector"),
            )
        ]
        mask = np.einsum("a,b,c,d->abcd", *chosen)
        if rule.get("across") is not None:
            mask &= ((sellers[:, None] != buyers[None, :]) == rule["across"])[:, None, :, None]
        grade[mask], spread[mask] = rule["grade"], rule["spread"]
    found = xr.Dataset({"grade": (flows.dims, grade), "spread": (flows.dims, spread)}, coords=flows.coords)
    stamp(found["spread"], "1", "relative standard deviation of a cell")
    found.attrs = {"table": table.name, "basis": "; ".join(f"{rule['grade']}: {rule['basis']}" for rule in rules)}
    return found
