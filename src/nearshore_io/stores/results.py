"""Results of a sweep, opened where they lie: totals, scenarios, failures and changes by industry."""

import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io import notebook
from nearshore_io.errors import LabelError, StorageError, first_few
from nearshore_io.stores import samples
from nearshore_io.stores.encode import shown
from nearshore_io.stores.manifest import Entry, entries, opened
from nearshore_io.stores.sinks import Folder, Sink, sink_at
from nearshore_io.stores.vectors import ROOT, require_zarr
from nearshore_io.units import stamp

if TYPE_CHECKING:
    import os

    import polars as pl

KEYS = ("table", "year", "phase", "variable", "place", "sector")
"""What tells one total of a scenario from another."""
LEVELS = (0.05, 0.5, 0.95)
_TEXT = {"totals": (*KEYS, "unit"), "failures": ("table", "year", "error", "message"), "scenarios": ()}


class SweepResults:
    """Results of a sweep; nothing is read before it is asked for.

    Attributes
    ----------
    manifest : what was run: sweep, seed, tables with their checksums, package, machine.
    complete : True when every part is there.
    kept : how many scenarios were in the store before the run that returned these results.
    """

    def __init__(self, sink: Sink, kept: int = 0) -> None:
        found = opened(sink)
        if found is None:
            raise StorageError(f"{sink.where} holds no results of a sweep (there is no manifest.json).")
        self._sink = sink
        self.kept = kept
        self.manifest: Mapping[str, Any] = found

    @cached_property
    def entries(self) -> list[Entry]:
        """The ledger: one entry for each part that is done."""
        return list(entries(self._sink))  # parts with a file missing or cut short are not among them

    @property
    def where(self) -> str:
        """Where the store is."""
        return self._sink.where

    @property
    def complete(self) -> bool:
        """True when every part is there."""
        return bool(len(self.entries) == sum(table["parts"] for table in self.manifest["tables"]))

    @property
    def failed(self) -> int:
        """How many scenarios have no result, over all tables."""
        return sum(entry.failed for entry in self.entries)

    @property
    def residual(self) -> float:
        """The largest relative residual of the solves."""
        return max((entry.residual for entry in self.entries), default=float("nan"))

    @property
    def checked(self) -> float:
        """How far scenarios that took two routes were apart at most, relative to the largest number; NaN: none did."""
        return max((entry.checked for entry in self.entries if entry.checked is not None), default=float("nan"))

    def __repr__(self) -> str:
        listed = first_few(table["table"] for table in self.manifest["tables"])
        state = "" if self.complete else f", {len(self.entries)} parts of it so far"
        failed = f", {self.failed:,} without a result" if self.failed else ""
        return (
            f"<SweepResults {self.manifest['name']}: {self.manifest['scenarios']:,} scenarios on {listed}{state}"
            f"{failed}, in {self._sink.where}>"
        )

    def _repr_html_(self) -> str:
        sweep = self.manifest["sweep"]
        facts = {
            "title": str(sweep.get("title") or ""),
            "scenarios": f"{self.manifest['scenarios']:,}, {self.failed:,} without a result",
            "tables": first_few(table["table"] for table in self.manifest["tables"]),
            "state": "complete" if self.complete else f"{len(self.entries)} parts so far",
            "variables": first_few(self.variables, 12),
            "kept in": str(self._sink.where),
        }
        return notebook.card(f"SweepResults {self.manifest['name']}", facts)

    @property
    def scenarios(self) -> "pl.LazyFrame":
        """Parameters, one line for each scenario: ``scenario``, ``sample`` where there are draws, and parameters."""
        return self._frame("scenarios")

    @property
    def totals(self) -> "pl.LazyFrame":
        """Totals in long form: table, year, scenario, phase, variable, place, sector, value, sd, unit."""
        return self._frame("totals")

    @property
    def failures(self) -> "pl.LazyFrame":
        """Scenarios without a result: table, year, scenario, error, message."""
        return self._frame("failures")

    def to_polars(self, variable: str | None = None) -> "pl.DataFrame":
        """Return totals (of one variable) beside the parameters of their scenarios."""
        totals = self.totals if variable is None else self._of(variable)
        return totals.join(self.scenarios, on="scenario", how="left", maintain_order="left").collect()

    @property
    def variables(self) -> list[str]:
        """Variables there are totals of."""
        rows = [row for table in self.manifest["tables"] for row in table["variables"]]
        return list(dict.fromkeys(rows))

    def _of(self, variable: str) -> "pl.LazyFrame":
        """Return the totals of one variable; "->" is read as "→". Raises `LabelError`."""
        import polars as pl

        name = variable.replace(" ->", "->").replace("-> ", "->").replace("->", "→")
        if name not in self.variables:
            raise LabelError(f"no totals of {variable!r}; there are {first_few(self.variables, 12) or 'none'}.")
        return self.totals.filter(pl.col("variable") == name)

    def to_pandas(self, variable: str | None = None) -> pd.DataFrame:
        """Return totals (of one variable) beside the parameters of their scenarios."""
        frame = self.to_polars(variable)
        return pd.DataFrame({name: frame[name].to_numpy() for name in frame.columns})

    def to_xarray(self, variable: str) -> xr.DataArray:
        """Return totals of one variable over table (or year), phase, case, every axis, sample, place and sector.

        Several tables of different years are told apart by a dim ``year``, others by ``table``. Dims of one label are
        dropped. Scenarios without a result are unknown.

        Raises
        ------
        LabelError
            If there are no totals of that variable.
        """
        frame = self.to_polars(variable)
        if not len(frame):
            raise LabelError(f"no scenario has a result, so there is no {variable} to lay out; see failures.")
        dims, rest = self._dims(), frame["scenario"].to_numpy()
        places: dict[str, tuple[Any, list[Any]]] = {}
        slowest = "sample" if self._sample_first else None
        for name in [name for name in reversed(dims) if name != slowest] + ([slowest] if slowest else []):
            rest, at = np.divmod(rest, len(dims[name]))
            places[name] = (at, list(dims[name]))
        for name in ("phase", "place", "sector"):
            labels = frame[name].unique(maintain_order=True).to_list()
            places[name] = (_codes(frame[name].to_list(), labels), labels)
        dim, beside = self._tables
        places[dim] = (
            _codes(list(zip(frame["table"], frame["year"], strict=True)), list(beside)),
            list(beside.values()),
        )
        kept = [name for name in (dim, "phase", *dims, "place", "sector") if len(places[name][1]) > 1]
        array = np.full([len(places[name][1]) for name in kept], np.nan)
        array[tuple(places[name][0] for name in kept)] = frame["value"].fill_null(float("nan")).to_numpy()
        coords: dict[str, Any] = {name: places[name][1] for name in kept}
        coords |= {name: labels[0] for name, (_, labels) in places.items() if name not in kept and name != "case"}
        other = "table" if dim == "year" else "year"
        names = [pair[other == "year"] for pair in beside]
        coords[other] = (dim, names) if dim in kept else names[0]
        found = xr.DataArray(array, dims=kept, coords=coords, name=variable)
        words = f"{variable} of sweep {self.manifest['name']}"
        units = first_few(frame["unit"].unique().to_list())
        return stamp(found, units, words, sweep_sha256=self.manifest["sweep_sha256"])

    @property
    def _tables(self) -> tuple[str, dict[tuple[str, str], str]]:
        """Return the dim that tells tables apart, their year where it does, and the label of each (table, year)."""
        pairs = [
            tuple(part.partition("=")[2] for part in table["partition"].split("/")) for table in self.manifest["tables"]
        ]
        years = [year for _, year in pairs]
        if len(set(years)) == len(years) and len(years) > 1:
            return "year", {(name, year): year for name, year in pairs}
        alone = len({name for name, _ in pairs}) == len(pairs)
        return "table", {(name, year): name if alone else f"{name} {year}" for name, year in pairs}

    @property
    def _sample_first(self) -> bool:
        return self.manifest["sweep"]["table_errors"] is not None

    def _dims(self) -> dict[str, Sequence[Any]]:
        """Return the labels of every dim a scenario's number counts through, the slowest first."""
        sweep = self.manifest["sweep"]
        cases = [" ".join(str(value) for value in case.values()) for case in sweep["cases"]]
        dims: dict[str, Sequence[Any]] = {"case": cases or [""]}
        for name, values in sweep["axes"].items():
            numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
            dims[name] = values if numeric else [shown(value) for value in values]
        return dims | {"sample": list(range(sweep["samples"] or 1))}

    def vectors(self, table: str | None = None, year: int | str | None = None) -> xr.Dataset:
        """Return changes by industry of one table, Dataset (scenario, phase, region, sector), read as it is looked at.

        Raises
        ------
        LabelError
            If the run kept none, or there are several tables and none is named.
        """
        require_zarr()
        listed = [part for part in self.manifest["tables"] if table in (None, part["table"])]
        listed = [part for part in listed if year is None or str(part["year"]) == str(year)]
        if not self.manifest["vectors"]:
            raise LabelError('this run kept totals only: run it with vectors=["output"].')
        if len(listed) != 1:
            known = first_few(f"{part['table']} ({part['year']})" for part in self.manifest["tables"])
            raise LabelError(f"name one of the tables, and its year where one has several: {known}.")
        group = listed[0]["group"]
        found = xr.open_dataset(self._address(f"{ROOT}/{group}"), engine="zarr", consolidated=False, chunks=None)
        return found.assign_coords(scenario=np.arange(found.sizes["scenario"]))

    def _address(self, name: str) -> Any:
        if self._sink.where != "memory":
            return f"{self._sink.where}/{name}"
        from zarr.core.buffer import default_buffer_prototype
        from zarr.storage import MemoryStore

        make = default_buffer_prototype().buffer.from_bytes
        return MemoryStore(
            {file.removeprefix(f"{name}/"): make(self._sink.read(file) or b"") for file in self._sink.names(name)}
        )

    def quantiles(
        self, variable: str, by: str | Sequence[str] = (), levels: Sequence[float] = LEVELS, confidence: float = 0.9
    ) -> pd.DataFrame:
        """Return quantiles of totals over samples (or over all scenarios), with how sure they are.

        One line for each total and each combination of ``by``: count, mean, the quantiles, and for each of them
        ``low`` and ``high``, an interval of that confidence from order statistics. It takes draws as independent, which
        overstates the width for Sobol' points and hypercubes.

        Parameters
        ----------
        by : parameters to keep apart.

        Source: David & Nagaraja (2003), Order Statistics, section 7.1.
        """
        if not all(0 < level < 1 for level in levels) or not 0 < confidence < 1:
            raise LabelError(
                f"levels and confidence are probabilities between 0 and 1, not {levels!r} and {confidence!r}."
            )
        apart = list(dict.fromkeys(name for name in _listed(by) if name not in KEYS))
        frame = self._of(variable)
        if apart:
            frame = frame.join(self.scenarios, on="scenario", how="left", maintain_order="left")
        return samples.quantiles(frame, [*KEYS, *apart], levels, confidence)

    def convergence(self, variable: str, place: str, level: float = 0.5, **chosen: Any) -> pd.DataFrame:
        """Return a quantile of one total after 2, 4, 8, … samples, with its interval: has it settled.

        Parameters
        ----------
        chosen : values of phase, sector, table and parameters that pick one total, where there are several.
        """
        if not 0 < level < 1:
            raise LabelError(f"level is a probability between 0 and 1, not {level!r}.")
        frame = self._one(variable, place, chosen)
        if len(frame) > (self.manifest["sweep"]["samples"] or 1):
            dims = [name for name in self._dims() if name in frame and frame[name].nunique() > 1]
            which = f"choose {dims[0]}, of {first_few(frame[dims[0]].unique())}" if dims else "choose one case"
            raise LabelError(f"convergence is over samples of one combination: {which}.")
        return samples.convergence(frame, level)

    def tornado(self, variable: str, place: str, **chosen: Any) -> pd.DataFrame:
        """Return what moves one total: a line for each parameter that varies, the strongest first.

        Of numbers, ``correlation`` is Spearman's, between −1 and 1, taken within each combination of the text
        parameters and averaged, with the ``lowest`` and ``highest`` among them; of text (products, partners) it is the
        correlation ratio of ranks, between 0 and 1: how much of the ranking is between its values. ``measure`` says
        which.

        Source: Spearman (1904); correlation ratio, Fisher (1925), on ranks as in Kruskal & Wallis (1952).

        Parameters
        ----------
        chosen : as in `convergence`.
        """
        names = [name for name in self.scenarios.collect_schema().names() if name not in ("scenario", "sample")]
        return samples.tornado(self._one(variable, place, chosen), names)

    def _one(self, variable: str, place: str, chosen: Mapping[str, Any]) -> pd.DataFrame:
        frame = self.to_pandas(variable)
        for name, value in {"place": place, **chosen}.items():
            if name not in frame:
                raise LabelError(f"there is no parameter {name!r}; there are {first_few(frame.columns, 20)}.")
            if not (frame[name] == value).any():
                raise LabelError(
                    f"no {name} {value!r} among totals of {variable!r}: {first_few(frame[name].unique())}."
                )
            frame = frame[frame[name] == value]
        several = [name for name in KEYS if frame[name].nunique() > 1]
        if several:
            raise LabelError(
                f"several totals of {variable!r}: choose {several[0]}, of {first_few(frame[several[0]].unique())}."
            )
        return frame

    def _frame(self, kind: Literal["totals", "scenarios", "failures"]) -> "pl.LazyFrame":
        """Return the files of one kind that belong to parts that are done, as one frame."""
        import polars as pl

        files = [name for entry in self.entries for name in entry.files if name.startswith(f"{kind}/")]
        if not files:
            numbers = {"scenario": pl.Int64, **({"value": pl.Float64} if kind == "totals" else {})}
            return pl.LazyFrame(schema={**dict.fromkeys(_TEXT[kind], pl.String), **numbers})
        frames = []
        for folder in dict.fromkeys(name.rpartition("/")[0] for name in files):
            mine = [name for name in files if name.startswith(f"{folder}/")]
            frame = self._scan(mine)
            frame = frame.with_columns(pl.col(pl.Enum).cast(pl.String))
            if kind != "scenarios":
                table, year = (part.partition("=")[2] for part in folder.split("/")[1:3])
                frame = frame.select(pl.lit(table).alias("table"), pl.lit(year).alias("year"), pl.all())
            frames.append(frame)
        return pl.concat(frames)

    def _scan(self, names: Sequence[str]) -> "pl.LazyFrame":
        import polars as pl

        if isinstance(self._sink, Folder):
            return pl.scan_parquet([self._sink.path / name for name in names], hive_partitioning=False, glob=False)
        return pl.concat([pl.read_parquet(io.BytesIO(self._sink.read(name) or b"")) for name in names]).lazy()


def _codes(values: Sequence[Any], labels: Sequence[Any]) -> Any:
    """Return the place of every value among labels, (k,)."""
    known = {label: code for code, label in enumerate(labels)}
    return np.array([known[value] for value in values], dtype=np.intp)


def _listed(by: str | Sequence[str]) -> list[str]:
    return [by] if isinstance(by, str) else list(by)


def open_results(store: "str | os.PathLike[str]") -> SweepResults:
    """Return the results in a store, finished or not.

    Raises
    ------
    StorageError
        If there are none.
    """
    return SweepResults(sink_at(store))
