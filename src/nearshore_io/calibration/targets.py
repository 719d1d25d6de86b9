"""What a table should say: totals of any selection, with unit, source and reliability."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from nearshore_io import labels
from nearshore_io.errors import FormatError, LabelError, UnitError, first_few
from nearshore_io.files import read_remarked_csv
from nearshore_io.labels import Wanted
from nearshore_io.units import is_number

Quantity = Literal[
    "flows", "final_demand", "sales", "output", "exports", "imports", "value_added", "primary_input", "gdp",
    "national_content",
]  # fmt: skip
QUANTITIES: tuple[str, ...] = get_args(Quantity)
_USES = {
    "flows": {"region", "sector", "to_region", "to_sector"},
    "final_demand": {"region", "sector", "to_region", "category"},
    "sales": {"region", "sector", "to_region"},
    "output": {"region", "sector"},
    "exports": {"region", "sector", "to_region"},
    "imports": {"to_region", "region", "sector"},
    "value_added": {"region", "sector"},
    "primary_input": {"region", "sector", "input"},
    "gdp": {"region"},
    "national_content": {"region", "sector"},
}
COLUMNS = ("name", "quantity", "region", "sector", "to_region", "to_sector", "category", "input", "value", "unit",
           "year", "date", "reliability", "source")  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One thing a table should say.

    Attributes
    ----------
    name : what reports and errors call it.
    quantity : ``flows`` between industries; ``final_demand``; ``sales``, both together; ``output``; ``exports`` of a
        country to others and ``imports`` of one from others, for all uses; ``value_added``; ``primary_input``, any row
        of v; ``gdp``, value added with the taxes of industries and of final users; ``national_content``, 1 − imported
        inputs over output.
    region, sector : who sells or produces; to_region, to_sector, category : who buys; codes, countries or groups, one
        or several; None takes all. input : name of a primary input.
    value : text with a unit ("67.4 billion USD"), or a number together with ``unit``; a content is a plain share.
    year, source, date : what it is of, where it is from, and when that was published or read.
    reliability : 0 < ρ ≤ 1; the standard deviation is (1 − ρ) times the value, so that 1 must be met.
    """

    name: str
    quantity: Quantity
    value: Any
    unit: str | None = None
    region: Wanted | None = None
    sector: Wanted | None = None
    to_region: Wanted | None = None
    to_sector: Wanted | None = None
    category: Wanted | None = None
    input: str | None = None
    year: int | None = None
    date: str | None = None
    source: str = ""
    reliability: float = 1.0

    def __post_init__(self) -> None:
        labels.position(self.quantity, QUANTITIES, "quantity of a target")
        given = {name for name in (*_USES["flows"], "category", "input") if getattr(self, name) is not None}
        if extra := given - _USES[self.quantity]:
            raise LabelError(
                f"target {self.name!r}: {first_few(sorted(extra))} says nothing of {self.quantity}, which takes "
                f"{first_few(sorted(_USES[self.quantity]))}."
            )
        if not (is_number(self.reliability) and 0 < self.reliability <= 1):
            raise UnitError(f"target {self.name!r}: reliability {self.reliability!r}: more than 0, and 1 at most.")


def read_targets(path: str | os.PathLike[str]) -> tuple[Target, ...]:
    """Return targets from a long CSV: one row each, columns as the attributes of `Target`, several labels by a space.

    Raises
    ------
    StorageError, FormatError
        A missing file, column or value; a value that is no number.
    LabelError, UnitError
        As `Target`.
    """
    file = Path(path)
    frame = read_remarked_csv(path)
    strange = [column for column in frame if column not in COLUMNS]
    missing = [column for column in ("name", "quantity", "value", "unit", "source") if column not in frame]
    if strange or missing:
        raise FormatError(
            f"{file}: {'no column' if missing else 'unknown column'} {first_few(missing or strange)}; targets have "
            f"{', '.join(COLUMNS)}."
        )
    if frame["name"].duplicated().any():
        raise FormatError(f"{file}: two targets are called {first_few(frame['name'][frame['name'].duplicated()])}.")
    rows = zip(frame.index, frame.to_dict("records"), strict=True)
    return tuple(_target(dict(row), f"{file}, line {line}") for line, row in rows)


def _target(row: dict[str, str], where: str) -> Target:
    try:
        value = float(row["value"].replace("_", "no number"))
    except ValueError as error:
        raise FormatError(f"{where}: value {row['value']!r} is no number.") from error
    lists = {
        key: row[key].split() for key in ("region", "sector", "to_region", "to_sector", "category") if row.get(key)
    }
    try:
        return Target(
            name=row["name"],
            quantity=row["quantity"],  # type: ignore[arg-type]
            value=value,
            unit=row["unit"] or None,
            input=row.get("input") or None,
            year=int(row["year"]) if row.get("year") else None,
            date=row.get("date") or None,
            source=row["source"],
            reliability=float(row["reliability"]) if row.get("reliability") else 1.0,
            **lists,
        )
    except (LabelError, UnitError) as error:
        raise type(error)(f"{where}: {error}") from error
    except ValueError as error:
        raise FormatError(f"{where}: {error}.") from error
