"""Targets as linear constraints on the cells of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.calibration.targets import Target
from nearshore_io.errors import ConflictError, LabelError, UnitError, first_few
from nearshore_io.labels import Wanted
from nearshore_io.solvers.base import Array, Positions, dense
from nearshore_io.table import IOTable
from nearshore_io.units import is_number, money


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
