"""Totals asked for in words, "jobs by country", and the rows of numbers they stand for in a model."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nearshore_io import labels
from nearshore_io.errors import FormatError, LabelError, first_few
from nearshore_io.labels import Positions
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios.trade import final_uses
from nearshore_io.solvers import Functionals
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

WORLD = "world"
ALL = "all"
DIMS = ("country", "region", "sector")
_LINEAR = re.compile(
    r"(?P<variable>\w+)(?:\s+of\s+(?P<of>[\w-]+))?(?:\s+in\s+(?P<sectors>[\w-]+))?"
    r"(?:\s+by\s+(?P<by>\w+)(?:\s+and\s+(?P<also>\w+))?)?"
)
_CONTENT = re.compile(
    r"content\s+(?P<exporter>[\w-]+)\s*(?:→|->)\s*(?P<importer>[\w-]+)(?:\s+(?:of\s+(?P<of>[\w-]+)|(?P<every>by\s+origin)))?"
    r"(?P<before>\s+before)?"
)


@dataclass(frozen=True)
class Total:
    """One total, or one for each country, region or sector: "jobs by country", "value_added of MEX in C26 by region".

    Attributes
    ----------
    variable : "output", a primary input or a stressor.
    of : whose, a region, country or group; None for the world.
    sectors : in which, a code or group; None for all.
    by : a row for each "country", "region" or "sector", or for two of them.
    """

    variable: str
    of: str | None = None
    sectors: str | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Content:
    """Value added of an origin per dollar of what an exporter sells an importer, "content MEX→USA".

    Attributes
    ----------
    importer : a country, or "all" other countries.
    origins : whose value added; empty for every country.
    before : as the table has it before any change, beside which the one after it stands where tables are drawn.
    """

    exporter: str
    importer: str
    origins: tuple[str, ...]
    before: bool = False

    @property
    def flow(self) -> str:
        """The flow in one word."""
        return f"{self.exporter}→{self.importer}{' before' if self.before else ''}"


def read_totals(wanted: str | Iterable[str]) -> tuple[Total | Content, ...]:
    """Return totals from text, separated by commas, or from several texts.

    ``VARIABLE [of PLACE] [in SECTORS] [by country|region|sector [and …]]``, such as "jobs by country", "value_added of
    MEX by sector", "output"; and ``content EXPORTER→IMPORTER [of ORIGIN | by origin]``: value added per dollar
    exported, by default the importer's own ("content MEX→USA", written -> too); with ``before``, as the table has it.

    Raises
    ------
    FormatError
        If a text is none of these, or nothing is asked for.
    """
    texts: list[Any] = [wanted] if isinstance(wanted, str) or not isinstance(wanted, Iterable) else list(wanted)
    if not all(isinstance(text, str) for text in texts):
        raise FormatError(f'totals are words, such as "jobs by country", not {texts!r:.80}.')
    parts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    if not parts:
        raise FormatError('no totals were asked for: say "jobs by country, value_added by country".')
    return tuple(dict.fromkeys(_one(part) for part in parts))


def _one(text: str) -> Total | Content:
    if found := _CONTENT.fullmatch(text):
        exporter, importer = found["exporter"], found["importer"]
        if found["of"] is None and not found["every"] and importer == ALL:
            raise FormatError(f'total {text!r}: say whose, "content {exporter}→all of USA", or "by origin".')
        origins = () if found["every"] else (found["of"] or importer,)
        return Content(exporter, importer, origins, before=bool(found["before"]))
    found = _LINEAR.fullmatch(text)
    by = tuple(name for name in (found["by"], found["also"]) if name) if found else ()
    if (
        found is None
        or found["variable"] == "content"
        or not set(by) <= set(DIMS)
        or len(set(by)) < len(by)
        or set(by) == {"country", "region"}
    ):
        raise FormatError(
            f'total {text!r} cannot be read: write "jobs by country", "value_added of MEX by sector", "output of MX2 '
            'in C26", "content MEX→USA" or "content MEX→all by origin".'
        )
    return Total(found["variable"], found["of"], found["sectors"], by)


@dataclass(frozen=True)
class Row:
    """One number of a result.

    Attributes
    ----------
    variable : "jobs", or "content MEX→USA". place : country, region, group or origin. sector : code, group or "all".
    unit : of the number. members : industries it is the sum over, empty for content.
    """

    variable: str
    place: str
    sector: str
    unit: str
    members: Positions

    @property
    def name(self) -> str:
        """All of it in one text."""
        words = self.variable if self.place == WORLD else f"{self.variable} of {self.place}"
        return words if self.sector == ALL else f"{words} in {self.sector}"


@dataclass(frozen=True)
class Flow:
    """Exports whose content is wanted: sellers, buying industries and final uses, and the rows of its origins.

    Attributes
    ----------
    exporter, importer : as they were named; None for all other countries.
    origins : countries, one for each row. first : place of its first row among all. before : before any change.
    """

    name: str
    exporter: str
    importer: str | None
    sellers: Positions
    buyers: Positions
    uses: Positions
    origins: tuple[str, ...]
    first: int
    before: bool = False

    @property
    def triples(self) -> list[tuple[str, str, str | None]]:
        """Origin, exporter and importer of every row."""
        return [(origin, self.exporter, self.importer) for origin in self.origins]


@dataclass(frozen=True)
class Request:
    """Totals resolved on a model: R linear rows, then the rows of content.

    Attributes
    ----------
    rows : all rows, linear ones first.
    members : one where an industry belongs to a linear row, zero elsewhere, shape (R, n).
    weights : W, intensity of a row's variable where it is known, zero elsewhere, shape (R, n).
    unknown : True for linear rows with an industry nobody published the variable for, shape (R,).
    """

    model: Leontief
    rows: tuple[Row, ...]
    flows: tuple[Flow, ...]
    members: Array
    weights: Array
    unknown: Any

    @property
    def moving_flows(self) -> tuple[Flow, ...]:
        """Flows whose content after a change is wanted."""
        return tuple(flow for flow in self.flows if not flow.before)

    @property
    def linear(self) -> int:
        """How many linear rows there are."""
        return len(self.members)

    @cached_property
    def functionals(self) -> Functionals:
        """M = W L of the model's own system, by one transposed block solve."""
        with self.model.naming_industries():
            return Functionals.prepare(self.model.system, self.weights)

    def rows_of(self, variable: str) -> Positions:
        """Return the linear rows of a variable."""
        return np.array(
            [i for i, row in enumerate(self.rows[: self.linear]) if row.variable == variable], dtype=np.intp
        )

    def sums(self, variable: str, values: Array) -> tuple[Positions, Array]:
        """Return the rows of a variable, and their sums of values by industry, shape (n,); unknown stays unknown."""
        rows = self.rows_of(variable)
        return rows, np.array([values[self.rows[row].members].sum() for row in rows.tolist()])

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables of the linear rows."""
        return tuple(dict.fromkeys(row.variable for row in self.rows[: self.linear]))

    @classmethod
    def of(cls, model: Leontief, totals: Sequence[Total | Content]) -> "Request":
        """Return totals resolved on a model.

        Raises
        ------
        LabelError
            A variable, place or sector the table does not have.
        """
        table = model.table
        linear = [row for total in totals if isinstance(total, Total) for row in _rows(table, total)]
        linear = list({row.name: row for row in linear}.values())  # rows of one name are the same industries
        flows: list[Flow] = []
        contents: list[Row] = []
        for content in (total for total in totals if isinstance(total, Content)):
            flow, rows = _flow(table, content, len(linear) + len(contents))
            flows.append(flow)
            contents += rows
        members = np.zeros((len(linear), table.n))
        for k, row in enumerate(linear):
            members[k, row.members] = 1.0
        intensity = {name: intensity_of(table, name) for name in {row.variable for row in linear}}
        weights = np.array([np.where(members[k] > 0, intensity[row.variable], 0.0) for k, row in enumerate(linear)])
        weights = weights.reshape(-1, table.n)
        unknown = np.isnan(weights).any(axis=1) if linear else np.zeros(0, dtype=bool)
        weights[np.isnan(weights)] = 0.0
        return cls(model, (*linear, *contents), tuple(flows), members, weights, unknown)


def intensity_of(table: IOTable, name: str) -> Array:
    """Return a variable of results per unit of output, shape (n,): one for output; unknown stays unknown."""
    return np.ones(table.n) if name == "output" else table.intensity(name)


def unit_of(table: IOTable, variable: str) -> str:
    """Return the unit of a variable of results. Raises `LabelError` for one the table does not have."""
    if variable == "output" or variable in table.inputs:
        return table.unit
    if variable not in table.stressors:
        raise labels.unknown(variable, "variable", ["output", *table.inputs, *table.stressors], where=" in this table")
    return table.stressors[variable][1]


def _rows(table: IOTable, total: Total) -> list[Row]:
    """Return the rows of a total, in the table's order."""
    unit = unit_of(table, total.variable)
    width = len(table.sectors)
    inside = table.positions(None if total.of in (None, WORLD) else total.of, total.sectors)
    region, sector = inside // width, inside % width
    owners = np.array([table.country[name] for name in table.regions])
    place, kind = total.of or WORLD, total.sectors or ALL
    whole = {country: sum(own == country for own in owners) for country in owners.tolist()}
    parts = [(place, kind, np.ones(len(inside), dtype=bool))]
    for dim in total.by:
        if dim == "sector":
            split = [(table.sectors[s], sector == s) for s in dict.fromkeys(sector.tolist())]
            parts = [(p, name, mask & chosen) for p, _, mask in parts for name, chosen in split]
        else:
            names = owners if dim == "country" else np.array(table.regions)
            split = [(str(name), names[region] == name) for name in dict.fromkeys(names[region].tolist())]
            if dim == "country":  # a part of a country goes by the names of its regions
                split = [(_part_of(table, name, region[chosen], whole[name]), chosen) for name, chosen in split]
            parts = [(name, k, mask & chosen) for _, k, mask in parts for name, chosen in split]
    return [Row(total.variable, p, k, unit, inside[mask]) for p, k, mask in parts if mask.any()]


def _part_of(table: IOTable, country: str, regions: Positions, all_of_them: int) -> str:
    """Return a country's code, or those of its regions where some of them are left out."""
    mine = dict.fromkeys(regions.tolist())
    return country if len(mine) == all_of_them else "+".join(table.regions[i] for i in mine)


def _flow(table: IOTable, content: Content, first: int) -> tuple[Flow, list[Row]]:
    if "value_added" not in table.inputs:
        raise LabelError(f"content {content.flow}: {table.name} has no value added by industry.")
    exporters = table.countries_of(content.exporter)
    if len(exporters) != 1:
        raise LabelError(f"content {content.flow}: one exporting country, not {first_few(sorted(exporters))}.")
    abroad = [c for c in table.countries if c not in exporters]
    if content.importer != ALL:
        wanted = table.countries_of(content.importer)
        if wanted & exporters:
            raise LabelError(f"content {content.flow}: {content.exporter} does not export to itself.")
        abroad = [c for c in table.countries if c in wanted]
    origins = content.origins or table.countries
    for origin in origins:
        labels.position(origin, table.countries, "origin")
    sellers = table.positions(region=content.exporter)
    uses = np.array(final_uses(table, table.region_positions(abroad)), dtype=np.intp)
    importer = None if content.importer == ALL else content.importer
    flow = Flow(
        content.flow,
        content.exporter,
        importer,
        sellers,
        table.positions(region=abroad),
        uses,
        tuple(origins),
        first,
        content.before,
    )
    unit = f"{table.unit} per {table.unit}"
    nobody = np.zeros(0, dtype=np.intp)
    return flow, [Row(f"content {content.flow}", origin, ALL, unit, nobody) for origin in origins]
