"""What a worker needs to solve any part of a sweep on one table, and the files it makes of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from nearshore_io.batch.engine.part import ROUTES, Answer, answer
from nearshore_io.batch.engine.prepared import Prepared
from nearshore_io.errors import NearshoreError, ShockError
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Phase
from nearshore_io.scenarios.base import PHASES
from nearshore_io.stores import encode, vectors
from nearshore_io.stores.manifest import Entry
from nearshore_io.sweeps import Points, Sweep
from nearshore_io.totals import Content, Total
from nearshore_io.uncertainty import DirichletErrors
from nearshore_io.uncertainty.redrawn import Draw

MANY, FEW = 8192, 256
"""Scenarios of a part: where a closed form answers them, and where they are solved one by one."""
DRAWN = 32
"""Drawn tables of a part."""
CHUNK = 64_000_000
"""Bytes of changes by industry that a part holds at most, of one variable."""


@dataclass(frozen=True)
class Finished:
    """A part as it goes to the store: files by name, and the line of the ledger that is written after them."""

    files: Mapping[str, bytes]
    entry: Entry
    failures: Sequence[tuple[int, str]]


@dataclass(frozen=True, eq=False)
class Work:
    """A sweep on one table.

    Attributes
    ----------
    model : its solver factorises at once, since very many right-hand sides will come.
    sweep : with axes filled in.
    totals, vectors : what is kept of each scenario.
    errors : of the table's cells, for standard deviations in closed form.
    first : True for the first table of a run, which writes the parameters of scenarios too.
    words : all words in the store's columns; None for those of this table alone.
    chunk : scenarios of a part; None takes what the route suggests.
    """

    model: Leontief
    sweep: Sweep
    totals: tuple[Total | Content, ...]
    vectors: tuple[str, ...]
    errors: DirichletErrors | None
    first: bool
    chunk: int | None = None
    words: encode.Words | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a worker rebuilds it from; factors are made where they are used."""
        return type(self), tuple(getattr(self, part.name) for part in fields(self))

    def with_words(self, words: encode.Words) -> "Work":
        """Return the same work for a store with these words, what was worked out included."""
        found = replace(self, words=words)
        vars(found).update({name: value for name, value in vars(self).items() if name not in vars(found)})
        return found

    @cached_property
    def prepared(self) -> Prepared:
        """The request on this table, with its factors and functionals."""
        return Prepared.of(self.model, self.totals, self.vectors, self.errors)

    def release(self) -> None:
        """Forget factors and functionals, which are made again where they are needed: tables of many years come by."""
        for name in ("prepared", "_draw"):
            vars(self).pop(name, None)
        for name in ("factors", "system"):
            vars(self.model).pop(name, None)

    @cached_property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Variable, place, sector and unit of every row of totals."""
        return [(row.variable, row.place, row.sector, row.unit) for row in self.prepared.request.rows]

    @property
    def partition(self) -> str:
        """The folder of this table's results, "table=…/year=…"."""
        table = self.model.table
        name = re.sub(r"[^\w.-]+", "-", table.name).strip("-") or "table"
        return f"table={name}/year={table.year or 'none'}"

    @property
    def group(self) -> str:
        """The name of this table among arrays."""
        return self.partition.split("=", 1)[1].replace("/year=", "-")

    @cached_property
    def by_closed_form(self) -> bool:
        """True where a route of many answers this sweep."""
        return any(kind.of(self.sweep, self.prepared) is not None for kind in ROUTES)

    @cached_property
    def size(self) -> int:
        """Scenarios of a part, the same whenever the same sweep is run on the same table."""
        wanted = self.chunk or (MANY if self.by_closed_form else FEW)
        if self.sweep.sample_first and self.chunk is None:
            wanted = min(MANY, DRAWN * max(1, len(self.sweep) // (self.sweep.samples or 1)))
        if self.vectors:
            wanted = min(wanted, max(1, CHUNK // (8 * self.model.table.n * len(self.phases))))
        return min(wanted, len(self.sweep))

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phases that scenarios of this sweep have, as a few of them say."""
        found: set[Phase] = set()
        for values in self.sweep.probes():
            try:
                found |= set(self.sweep.scenario(values).changes(self.model.table))
            except NearshoreError:
                continue
        return tuple(phase for phase in PHASES if phase in (found or {"run"}))

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return -(-len(self.sweep) // self.size)

    def span(self, part: int) -> tuple[int, int]:
        """Return the scenarios of a part, first and one after the last."""
        return part * self.size, min((part + 1) * self.size, len(self.sweep))

    def answer(self, start: int, stop: int) -> tuple[Points, Answer]:
        """Return results of scenarios start … stop − 1, on the table or on the tables drawn for them."""
        points = self.sweep.points(start, stop)
        if not self.sweep.sample_first:
            return points, answer(self.prepared, self.sweep, points)
        return points, _joined([answer(*found) for found in self._drawn(points)], self._members(points))

    @cached_property
    def _draw(self) -> Draw:
        errors = self.sweep.table_errors
        assert errors is not None
        return errors.around(self.model.table)

    def _members(self, points: Points) -> list[Any]:
        """Return the places of the scenarios of each draw."""
        assert points.samples is not None
        return [np.flatnonzero(points.samples == sample) for sample in np.unique(points.samples)]

    def _drawn(self, points: Points) -> Iterator[tuple[Prepared, Sweep, Points]]:
        """Yield the table of each draw, prepared, with its scenarios."""
        samples = points.samples
        assert samples is not None
        for members in self._members(points):
            table = self._draw(self.sweep.seed, int(samples[members[0]]))
            model = replace(self.model, table=table)
            start, stop = int(points.numbers[members[0]]), int(points.numbers[members[-1]]) + 1
            prepared = Prepared.of(model, self.totals, self.vectors, None)
            yield prepared, self.sweep, self.sweep.points(start, stop)

    def finished(self, part: int, number: int, points: Points, found: Answer) -> Finished:
        """Return the files of a part, number ``number`` of the whole run."""
        rows = self.rows
        words = self.words or encode.Words.of(rows)
        name = f"part-{number:07d}.parquet"
        files: dict[str, bytes] = {}
        if rows:
            numbers = points.numbers[found.places]
            files[f"totals/{self.partition}/{name}"] = encode.totals(
                numbers, found.phases, rows, words, found.values, found.sd
            )
        if self.first:
            columns: dict[str, Any] = {} if points.samples is None else {"sample": points.samples}
            for key, column in points.columns.items():
                columns |= column.shown(key)
            files[f"scenarios/{name}"] = encode.scenarios(points.numbers, columns)
        grid = (len(self.model.table.regions), len(self.model.table.sectors))
        for variable, values in found.vectors.items():
            files[vectors.chunk_file(self.group, variable, part)] = vectors.chunk_bytes(
                values, found.places, found.phases, self._known(found), self.size, grid
            )
        failures = [(int(points.numbers[failure.place]), failure.error) for failure in found.failures]
        if failures:
            kinds = [type(error).__name__ for _, error in failures]
            messages = [str(error) for _, error in failures]
            content = encode.failures([place for place, _ in failures], kinds, messages)
            files[f"failures/{self.partition}/{name}"] = content
        start, stop = int(points.numbers[0]), int(points.numbers[-1]) + 1
        entry = Entry(
            number, self.partition, start, stop, len(found.places), len(failures),
            None if np.isnan(found.checked) else found.checked, found.residual,
            {key: len(content) for key, content in files.items()},
        )  # fmt: skip
        return Finished(files, entry, [(place, str(error)) for place, error in failures])

    def _known(self, found: Answer) -> tuple[Phase, ...]:
        strange = set(found.phases) - set(self.phases)
        if strange:
            raise ShockError(
                f"some scenarios have a {', '.join(sorted(strange))} phase and the first ones have none: run them as "
                "sweeps apart, or ask for totals alone."
            )
        return self.phases


def _joined(answers: Sequence[Answer], members: Sequence[Any]) -> Answer:
    """Return the answers of several blocks as one, whose places are those of the whole."""
    checked = [found.checked for found in answers if not np.isnan(found.checked)]
    names = answers[0].vectors
    return Answer(
        places=np.concatenate([own[found.places] for found, own in zip(answers, members, strict=True)]),
        phases=[phase for found in answers for phase in found.phases],
        values=np.concatenate([found.values for found in answers]),
        sd=None,
        vectors={name: np.concatenate([found.vectors[name] for found in answers]) for name in names},
        failures=[
            replace(failure, place=int(own[failure.place]))
            for found, own in zip(answers, members, strict=True)
            for failure in found.failures
        ],
        checked=max(checked, default=float("nan")),
        residual=max(found.residual for found in answers),
    )
