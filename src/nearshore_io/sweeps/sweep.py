"""`Sweep`: one template of shocks, and how its parameters vary."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from nearshore_io.errors import FormatError, NearshoreError, ShockError, first_few
from nearshore_io.scenarios import Scenario
from nearshore_io.scenarios.base import Shock
from nearshore_io.scenarios.kinds import KINDS
from nearshore_io.scenarios.parameters import substituted
from nearshore_io.stores.encode import shown
from nearshore_io.sweeps.axes import LABEL_COLUMNS, axis_values, case_rows, distinct, members, plain, size_of
from nearshore_io.sweeps.design import Design, require_design, unit_points
from nearshore_io.sweeps.distributions import Distribution, distribution_of
from nearshore_io.sweeps.points import Codes, Column, Points
from nearshore_io.table import IOTable
from nearshore_io.uncertainty import TableErrors, errors_of
from nearshore_io.units import is_number

RESERVED = (
    "scenario",
    "sample",
    "case",
    "table",
    "year",
    "phase",
    "variable",
    "place",
    "sector",
    "value",
    "sd",
    "unit",
)
"""Names that results have columns or dims of, and parameters may not take."""
PROBED = 16
"""Scenarios over a whole sweep that are tried before any is run."""
LARGEST = 1 << 40
"""Scenarios of one sweep at most: their numbers are counted in 64 bits."""


@dataclass(frozen=True)
class Sweep:
    """Many scenarios from one template: every parameter ``"$name"`` in its shocks takes each of its values.

    Cases × axes × samples, numbered in this order, the last one fastest; where the table itself is drawn as well, each
    sample has a table of its own, and samples come first.

    Parameters
    ----------
    name : what results are called.
    shocks : mappings as in a scenario file, ``{"kind": "relocation", "sectors": "$product", "share": "$share", …}``.
    axes : values by parameter: a list; ``{"from": 0.05, "to": 0.5, "steps": 10}``, evenly spaced or with
        ``"spacing": "geometric"``; ``{"sectors": "manufacturing"}``, every sector of a group the table has, or
        ``{"countries": "all"}``, ``{"regions": …}``. All combinations are run.
    cases : rows that belong together, mappings of values by parameter, each the same keys.
    distributions : by parameter, drawn together.
    samples, design, seed : how many draws, "sobol" (powers of two), "latin_hypercube" or "random", and from which seed.
        Every combination of cases and axes gets the same draws, so that differences between them are not noise.
    constants : parameters that do not vary.
    table_errors : draw the table's coefficients too, a table for each sample (`uncertainty.DirichletErrors`,
        `uncertainty.LognormalErrors`).
    totals : what is kept of each scenario, such as "jobs by country" (`batch.Total`); `run` may say otherwise.
    tables : names or paths of tables, for `nearshore batch`; or mappings with ``table`` and ``years``.
    title, deflator : as in `Scenario`.

    Raises
    ------
    FormatError
        A sweep without scenarios or shocks; a parameter that varies twice, is used by no shock, or is not given;
        values twice on an axis; cases of different keys; a distribution a shock refuses.
    """

    name: str
    shocks: Sequence[Mapping[str, Any]]
    axes: Mapping[str, Any] = field(default_factory=dict)
    cases: Sequence[Mapping[str, Any]] = ()
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    samples: int | None = None
    design: Design = "sobol"
    seed: int = 0
    constants: Mapping[str, Any] = field(default_factory=dict)
    table_errors: TableErrors | None = None
    totals: Sequence[str] = ()
    tables: Sequence[Any] = ()
    title: str = ""
    deflator: Mapping[int, float] | str = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        where = f"sweep {self.name!r}"
        if not self.name or not isinstance(self.name, str):
            raise FormatError("a sweep needs a name.")
        if not isinstance(self.shocks, Sequence) or not self.shocks:
            raise FormatError(f'{where} has no shocks: give [[shock]] tables, or shocks=[{{"kind": "relocation", …}}].')
        for shock in self.shocks:
            _require_kind(shock, where)
        for kind in ("axes", "distributions", "constants"):
            if not isinstance(getattr(self, kind), Mapping):
                raise FormatError(f"{where}: {kind} are a mapping by parameter, not {getattr(self, kind)!r:.60}.")
        if not isinstance(self.totals, (str, Sequence)) or not isinstance(self.tables, (list, tuple)):
            raise FormatError(f"{where}: totals are words, and tables a list of names.")
        given: dict[str, Any] = {
            "shocks": tuple(plain(shock) for shock in self.shocks),
            "constants": plain(self.constants),
            "axes": {name: axis_values(values, f"{where}, axis {name!r}") for name, values in self.axes.items()},
            "cases": case_rows(self.cases, where),
            "distributions": {
                name: distribution_of(entry, f"{where}, distribution of {name!r}")
                for name, entry in self.distributions.items()
            },
            "totals": (self.totals,) if isinstance(self.totals, str) else tuple(self.totals),
            "tables": tuple(self.tables),
            "table_errors": None if self.table_errors is None else errors_of(self.table_errors, where),
        }
        for name, value in given.items():
            object.__setattr__(self, name, value)
        self._require_samples(where)
        self._require_parameters(where)

    def _require_samples(self, where: str) -> None:
        drawn = bool(self.distributions) or self.table_errors is not None
        if drawn and (not isinstance(self.samples, int) or isinstance(self.samples, bool) or self.samples < 1):
            raise FormatError(f"{where} draws, and needs samples, one or more, not {self.samples!r}.")
        if not drawn and self.samples is not None:
            raise FormatError(f"{where} has samples = {self.samples!r} and nothing to draw: give distributions.")
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed < 0:
            raise FormatError(f"{where}: the seed is a whole number of zero or more, not {self.seed!r}.")
        if self.distributions:
            require_design(self.design, self.samples or 0, self._width)

    def _require_parameters(self, where: str) -> None:
        """Raise unless every parameter varies in one way and is used, and every one that is used is given."""
        sources = [*self.axes, *(self.cases[0] if self.cases else ()), *self.distributions, *self.constants]
        twice = [name for name in dict.fromkeys(sources) if sources.count(name) > 1]
        if twice:
            raise FormatError(f"{where}: {first_few(twice)} varies in two ways, or is constant too; keep one.")
        if taken := [name for name in sources if name in RESERVED]:
            raise FormatError(
                f"{where}: results have a column {taken[0]!r} of their own; call the parameter otherwise."
            )
        wanted = dict.fromkeys(used(self.shocks))
        if missing := [name for name in wanted if name not in sources]:
            known = first_few(sources, 12) or "none"
            raise FormatError(f'{where}: a shock uses "${missing[0]}", which is no parameter; known: {known}.')
        if unused := [name for name in sources if name not in wanted and name not in LABEL_COLUMNS]:
            raise FormatError(f'{where}: no shock uses {unused[0]!r}; write "${unused[0]}" where it belongs.')

    @cached_property
    def _width(self) -> int:
        return sum(distribution.width for distribution in self.distributions.values())

    @property
    def sample_first(self) -> bool:
        """True where samples are the slowest to vary, because each has a table of its own."""
        return self.table_errors is not None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of what varies, in the order of the columns of results."""
        return (*(self.cases[0] if self.cases else ()), *self.axes, *self.distributions)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many cases, values on each axis, and samples there are; an axis to be looked up in a table counts none.

        Raises
        ------
        FormatError
            If there are no scenarios, or more than anybody counts.
        """
        return (len(self.cases) or 1, *(size_of(values) for values in self.axes.values()), self.samples or 1)

    def __len__(self) -> int:
        return int(np.prod([int(size) for size in self.shape], dtype=object))

    def on(self, table: IOTable) -> "Sweep":
        """Return the sweep with axes that name groups filled from a table.

        Raises
        ------
        FormatError
            If an axis has no members in the table, or the sweep has no or too many scenarios.
        """
        axes = {
            name: members(values, table, f"sweep {self.name!r}, axis {name!r}") for name, values in self.axes.items()
        }
        found = replace(self, axes=axes)
        if not 0 < len(found) <= LARGEST:
            raise FormatError(
                f"sweep {self.name!r} has {len(found):,} scenarios; between 1 and {LARGEST:,} can be run."
            )
        return found

    def points(self, start: int, stop: int) -> Points:
        """Return scenarios start … stop − 1."""
        numbers = np.arange(start, stop, dtype=np.int64)
        sizes = list(self.shape)
        order = [len(sizes) - 1, *range(len(sizes) - 1)] if self.sample_first else list(range(len(sizes)))
        places: dict[int, Codes] = {}
        rest = numbers
        for place in reversed(order):
            rest, places[place] = np.divmod(rest, sizes[place])
        columns: dict[str, Column] = {}
        for name in self.cases[0] if self.cases else ():
            options = [case[name] for case in self.cases]
            columns[name] = Column.of_options(*distinct(options, places[0]))
        for place, (name, values) in enumerate(self.axes.items(), start=1):
            columns[name] = Column.of_options(values, places[place])
        samples = places[len(sizes) - 1] if self.samples else None
        if samples is not None:
            columns |= self._drawn(samples)
        return Points(numbers, samples, columns, self.constants)

    def _drawn(self, samples: Codes) -> dict[str, Column]:
        """Return the drawn parameters at samples, each drawn once however often it occurs."""
        if not self.distributions:
            return {}
        wanted, place = np.unique(samples, return_inverse=True)
        low, high = int(wanted[0]), int(wanted[-1]) + 1
        unit = unit_points(self.design, self.samples or 1, self._width, self.seed, low, high)[wanted - low]
        columns, first = {}, 0
        for name, distribution in self.distributions.items():
            values = distribution.values(unit[:, first : first + distribution.width])
            first += distribution.width
            if isinstance(values, np.ndarray):
                columns[name] = Column.drawn(values[place])
            else:
                columns[name] = Column.of_options(values, place.astype(np.int64))
        return columns

    def scenario(self, values: Mapping[str, Any], name: str = "") -> Scenario:
        """Return the scenario in which the parameters have these values.

        Raises
        ------
        NearshoreError
            If a shock refuses its values.
        """
        return Scenario(name or self.name, self._shocks(values), title=self.title, deflator=self.deflator)

    def _shocks(self, values: Mapping[str, Any]) -> list[Shock]:
        found = []
        for number, entry in enumerate(self.shocks, start=1):
            filled = substituted(entry, values, f"sweep {self.name!r}, shock {number}")
            kind = filled.pop("kind")
            try:
                found.append(KINDS[kind](**filled))
            except TypeError as error:
                raise ShockError(f"shock {number} ({kind}): {error}.") from error
        return found

    def first_values(self) -> dict[str, Any]:
        """Return every parameter of the first scenario; the name of a group where its members are not known yet."""
        groups_of = {
            name: next(iter(values.values())) for name, values in self.axes.items() if isinstance(values, Mapping)
        }
        listed = replace(self, axes={**self.axes, **{name: [group] for name, group in groups_of.items()}})
        return listed.points(0, 1).values(0)

    def probes(self) -> Iterator[dict[str, Any]]:
        """Yield the parameters of at most `PROBED` scenarios, evenly over the whole sweep."""
        for place in dict.fromkeys(np.linspace(0, len(self) - 1, PROBED).astype(int).tolist()):
            yield self.points(place, place + 1).values(0)

    def usual(self) -> dict[str, Any]:
        """Return the parameters of the first of a few scenarios over the sweep whose shocks can be made.

        Raises
        ------
        FormatError
            If none of them can; the message is that of the first.
        """
        first: NearshoreError | None = None
        for values in self.probes():
            try:
                self.scenario(values)
            except NearshoreError as error:
                first = first or error
            else:
                return values
        given = ", ".join(f"{name} = {shown(value)}" for name, value in self.points(0, 1).values(0).items())
        raise FormatError(f"sweep {self.name!r}, first scenario ({given}): {first}") from first

    def require_domains(self) -> None:
        """Raise unless the shocks take the ends of every distribution, and every value of every axis, one at a time.

        Raises
        ------
        FormatError
            The message names the parameter, the value and what the shock says of it.
        """
        usual = self.usual()
        for name, values in self.axes.items():
            for value in values:
                if is_number(value):
                    self._require_taken(name, value, usual, f"axis {name!r} has {shown(value)}", "Leave it out.")
        for name, distribution in self.distributions.items():
            for end in distribution.ends:
                what = f"the {distribution.kind} distribution of {name!r} reaches {shown(end)}"
                self._require_taken(name, end, usual, what, "Narrow it, or choose one with ends (triangular, beta).")

    def _require_taken(self, name: str, value: Any, usual: Mapping[str, Any], what: str, then: str) -> None:
        """Raise `FormatError` unless the shocks take a value of a parameter, others as in the first scenario."""
        try:
            self._shocks({**usual, name: value})
        except NearshoreError as error:
            raise FormatError(f"sweep {self.name!r}: {what}, which the shock refuses: {error} {then}") from error

    def to_json(self) -> str:
        """Return everything the sweep consists of as JSON, the same text for the same sweep."""
        return json.dumps(dict(self._plain()), ensure_ascii=False)

    def _plain(self) -> Iterator[tuple[str, Any]]:
        for name in ("name", "shocks", "axes", "cases", "samples", "design", "seed", "constants", "title"):
            yield name, plain(getattr(self, name))
        yield "distributions", {name: plain(_described(part)) for name, part in self.distributions.items()}
        yield "table_errors", None if self.table_errors is None else self.table_errors.described
        yield "deflator", plain(self.deflator)


def _described(distribution: Any) -> dict[str, Any]:
    """Return a distribution as a sweep file has it."""
    given = {part.name: getattr(distribution, part.name) for part in fields(distribution) if part.init}
    return {"distribution": distribution.kind, **given}


def _require_kind(shock: Any, where: str) -> None:
    kind = shock.get("kind") if isinstance(shock, Mapping) else None
    if kind is None:
        raise FormatError(f'{where}: a shock is a mapping with a kind, {{"kind": "relocation", …}}, not {shock!r:.60}.')
    if kind not in KINDS:
        near = get_close_matches(str(kind), KINDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known kinds: {', '.join(KINDS)}."
        raise FormatError(f"{where}: no kind of shock {kind!r}: {hint}")


def used(content: Any) -> Iterator[str]:
    """Yield the names of parameters in a template, ``"$name"``."""
    if isinstance(content, str) and content.startswith("$"):
        yield content[1:]
    elif isinstance(content, Mapping):
        for held in content.values():
            yield from used(held)
    elif isinstance(content, (list, tuple)):
        for held in content:
            yield from used(held)
