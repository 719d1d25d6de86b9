"""What a table should say: totals of any selection, with unit, source and reliability."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ConflictError, FormatError, LabelError, UnitError, first_few
from nearshore_io.labels import Wanted
from nearshore_io.readers.files import read_remarked_csv
from nearshore_io.solvers.base import Array, Positions, dense
from nearshore_io.table import IOTable
from nearshore_io.units import is_number, money

Quantity = Literal[
    "flows", "final_demand", "sales", "output", "exports", "imports", "value_added", "primary_input", "gdp",
    "national_content",
]  # fmt: skip
QUANTITIES: tuple[str, ...] = (
    "flows", "final_demand", "sales", "output", "exports", "imports", "value_added", "primary_input", "gdp",
    "national_content",
)  # fmt: skip
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


@dataclass(frozen=True)
class Row:
    """A target as a linear constraint Σ g z = c on the cells of [[Z, Y], [v, 0]].

    ``wanted`` is c and ``spread`` its standard deviation, in c's unit; ``value`` is what the target says.
    """

    target: Target
    cells: Positions
    weights: Array
    wanted: float
    spread: float
    value: float


@dataclass(frozen=True)
class System:
    """The cells of a table as one matrix [[Z, Y], [v, 0]], and sums of selections of it."""

    table: IOTable
    exchange_rates: Mapping[str, float] = field(default_factory=dict)
    deflator: Mapping[int, float] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Return the shape of the matrix."""
        return self.table.n + len(self.table.inputs), self.table.n + self.table.y.shape[1]

    @cached_property
    def matrix(self) -> Array:
        """Return [[Z, Y], [v, 0]]."""
        table = self.table
        n = table.n
        M = np.zeros(self.shape)
        M[:n, :n] = dense(table.Z)
        M[:n, n:] = table.y
        M[n:, :n] = np.array(list(table.inputs.values()))
        return M

    def of(self, target: Target) -> Row:
        """Return a target as a constraint.

        Raises
        ------
        LabelError
            A label the table does not have.
        UnitError
            A value that does not convert into the table's unit.
        ConflictError
            A target on cells that are all zero.
        """
        rows, columns = self.lines(target)
        cells = (rows[:, None] * self.shape[1] + columns[None, :]).ravel()
        weights = np.ones(len(cells))
        wanted = value = self._amount(target)
        if target.quantity in ("exports", "imports"):
            cells, weights = self._abroad(rows, columns)
        elif target.quantity == "national_content":
            cells, weights = self._content(columns, value)
            wanted = 0.0
        elif target.quantity == "gdp":
            wanted -= self._final_taxes(target)
        size = np.abs(weights * self.matrix.ravel()[cells])
        if size.sum() == 0:
            raise ConflictError(
                f"target {target.name!r} ({target.quantity}) is on cells that are all zero: nothing can be scaled to "
                "meet it. Give those cells a value first, or drop the target.",
                (target.name,),
            )
        scale = abs(value)
        if target.quantity == "national_content":
            scale *= float(self.matrix[:, columns].sum())
        elif value == 0:
            scale = float(size.sum())
        return Row(target, cells, weights, wanted, (1 - target.reliability) * scale, value)

    def measured(self, target: Target) -> float:
        """Return what the table says of a target's quantity, in the table's unit."""
        rows, columns = self.lines(target)
        flat = self.matrix.ravel()
        if target.quantity in ("exports", "imports"):
            cells, weights = self._abroad(rows, columns)
            return float(weights @ flat[cells])
        if target.quantity == "national_content":
            cells, weights = self._content(columns, 1.0)  # imported inputs alone
            return 1 - float(weights @ flat[cells]) / float(self.matrix[:, columns].sum())
        found = float(self.matrix[np.ix_(rows, columns)].sum())
        return found + self._final_taxes(target) if target.quantity == "gdp" else found

    def _amount(self, target: Target) -> float:
        table = self.table
        if target.quantity == "national_content":
            if not is_number(target.value) or target.unit not in (None, "share") or not 0 < target.value < 1:
                raise UnitError(f"target {target.name!r}: a content is a share between 0 and 1, without a unit.")
            return float(target.value)
        if (is_number(target.value) and target.value < 0) or str(target.value).lstrip().startswith("-"):
            raise UnitError(
                f"target {target.name!r} is negative ({target.value}): totals of sales and incomes are not. A net "
                "figure is two targets, one of each side."
            )
        return money(
            target.value, target.unit, table_unit=table.unit, table_year=table.year, deflator=self.deflator,
            what=f"target {target.name!r}", exchange_rates=self.exchange_rates,
        )  # fmt: skip

    def lines(self, target: Target) -> tuple[Positions, Positions]:
        """Return rows and columns of [[Z, Y], [v, 0]] that a target is about."""
        table, n = self.table, self.table.n
        quantity = target.quantity
        try:
            if quantity in ("value_added", "primary_input", "gdp"):
                names = list(table.inputs)
                inputs = names if quantity == "gdp" else [target.input or "value_added"]
                rows = n + np.array([labels.position(name, names, "input") for name in inputs])
                return rows, table.positions(target.region, target.sector)
            if quantity == "national_content":
                return np.arange(n), table.positions(target.region, target.sector)
            rows = table.positions(target.region, target.sector)
            if quantity == "flows":
                return rows, table.positions(target.to_region, target.to_sector)
            final = self._final_columns(target)
            if quantity == "final_demand":
                return rows, final
            return rows, np.concatenate([table.positions(target.to_region), final])
        except LabelError as error:
            if str(error).startswith("target "):
                raise
            raise LabelError(f"target {target.name!r}: {error}") from error

    def _final_columns(self, target: Target) -> Positions:
        table = self.table
        wanted = None if target.to_region is None else self._whole(target.to_region, target)
        categories = (
            list(table.categories)
            if target.category is None
            else [table.categories[labels.position(name, table.categories, "category")]
                  for name in labels.as_list(target.category)]
        )  # fmt: skip
        width = len(table.categories)
        return np.array(
            [
                table.n + i * width + table.categories.index(category)
                for i, region in enumerate(table.final_regions)
                if wanted is None or region in wanted
                for category in categories
            ],
            dtype=np.intp,
        )

    def _whole(self, named: Wanted, target: Target) -> set[str]:
        """Return the countries of regions, where final users are; a region that is part of one has none of its own."""
        table = self.table
        countries = table.countries_of(named)
        chosen = {table.regions[i] for i in table.region_positions(named)}
        partial = [c for c in countries if not {r for r in table.regions if table.country[r] == c} <= chosen]
        if partial:
            raise LabelError(
                f"target {target.name!r}: {target.quantity} counts final users, and {first_few(sorted(chosen))} is "
                f"part of {first_few(partial)} only, whose final users are one: name the country, or take flows."
            )
        return countries

    @cached_property
    def _homes(self) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
        """Return the country of every row and of every column, "" for primary inputs."""
        table = self.table
        owners = np.repeat([table.country[region] for region in table.regions], len(table.sectors))
        final = np.repeat(list(table.final_regions), len(table.categories))
        return np.append(owners, [""] * len(table.inputs)), np.concatenate([owners, final])

    def _abroad(self, rows: Positions, columns: Positions) -> tuple[Positions, Array]:
        sellers, buyers = self._homes
        foreign = sellers[rows][:, None] != buyers[columns][None, :]
        cells = (rows[:, None] * self.shape[1] + columns[None, :])[foreign]
        return cells, np.ones(len(cells))

    def _content(self, columns: Positions, content: float) -> tuple[Positions, Array]:
        """Return Σ foreign − (1 − θ) Σ all inputs = 0 as weights."""
        sellers, buyers = self._homes
        rows = np.arange(self.shape[0])
        foreign = (sellers[:, None] != buyers[columns][None, :]) & (sellers != "")[:, None]
        cells = rows[:, None] * self.shape[1] + columns[None, :]
        return cells.ravel(), (foreign - (1 - content)).ravel()

    def _final_taxes(self, target: Target) -> float:
        wanted = None if target.region is None else self._whole(target.region, target)
        at = [i for i, region in enumerate(self.table.final_regions) if wanted is None or region in wanted]
        return float(self.table.final_inputs.values[:, at].sum())


def constraint_matrix(rows: Sequence[Row], size: int) -> csr_array:
    """Return constraints as a sparse matrix over the cells of [[Z, Y], [v, 0]], row by row."""
    owners = np.repeat(np.arange(len(rows)), [len(row.cells) for row in rows])
    cells = np.concatenate([row.cells for row in rows]) if rows else np.zeros(0, dtype=np.intp)
    weights = np.concatenate([row.weights for row in rows]) if rows else np.zeros(0)
    return csr_array((weights, (owners, cells)), shape=(len(rows), size))


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
