"""Results as the bytes of Parquet files, in long form; and changes by industry as chunks of a Zarr array."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nearshore_io.scenarios.base import PHASES, Phase
from nearshore_io.solvers.base import Array

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("scenario", "phase", "variable", "place", "sector", "value", "unit")


@dataclass(frozen=True)
class Words:
    """The words that stand in the columns of totals, the same for all files of a store.

    Columns of few different words are kept as codes, which are written four times as fast as text; where every file has
    the same list of words, any tool reads them together.
    """

    variable: tuple[str, ...]
    place: tuple[str, ...]
    sector: tuple[str, ...]
    unit: tuple[str, ...]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, str, str]]) -> "Words":
        """Return the different words of rows: variable, place, sector and unit of each."""
        listed = list(rows)
        return cls(*(tuple(dict.fromkeys(row[column] for row in listed)) for column in range(4)))


def totals(
    numbers: Any,
    phases: Sequence[Phase],
    rows: Sequence[tuple[str, str, str, str]],
    words: Words,
    values: Array,
    sd: Array | None,
) -> bytes:
    """Return totals in long form, one line for each scenario, phase and row.

    Parameters
    ----------
    numbers : of the scenarios, shape (k,). phases : of each, k names. values, sd : shape (k, rows).
    rows : variable, place, sector and unit of each. words : all that occur in the store.
    """
    import polars as pl

    k, width = values.shape

    def repeated(column: int, known: Sequence[str]) -> Any:
        codes = np.array([known.index(row[column]) for row in rows], dtype=np.uint32)
        return _coded(np.tile(codes, k), known)

    columns: dict[str, Any] = {
        "scenario": np.repeat(np.asarray(numbers, dtype=np.int64), width),
        "phase": _coded(np.repeat(np.array([PHASES.index(p) for p in phases], dtype=np.uint32), width), PHASES),
        "variable": repeated(0, words.variable),
        "place": repeated(1, words.place),
        "sector": repeated(2, words.sector),
        "value": _unknown(values),
    }
    if sd is not None:
        columns["sd"] = _unknown(sd)
    columns["unit"] = repeated(3, words.unit)
    return parquet(pl.DataFrame(columns))


def parquet(frame: "pl.DataFrame") -> bytes:
    """Return a frame as a Parquet file, the same bytes for the same frame."""
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd", compression_level=1, statistics=True)
    return content.getvalue()


def scenarios(numbers: Any, columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return the parameters of scenarios, one line for each: numbers as numbers, everything else as text."""
    import polars as pl

    return parquet(pl.DataFrame({"scenario": np.asarray(numbers, dtype=np.int64), **columns}))


def failures(numbers: Sequence[int], kinds: Sequence[str], messages: Sequence[str]) -> bytes:
    """Return scenarios without a result and why, one line for each."""
    import polars as pl

    schema = {"scenario": pl.Int64, "error": pl.String, "message": pl.String}
    return parquet(pl.DataFrame({"scenario": list(numbers), "error": list(kinds), "message": list(messages)}, schema))


def _unknown(values: Array) -> Any:
    """Return numbers as a column in which what nobody knows is null, as SQL and polars have it."""
    import polars as pl

    return pl.Series(values.ravel()).fill_nan(None)


def _coded(codes: Any, known: Sequence[str]) -> Any:
    """Return a column of words from codes, kept as codes."""
    import polars as pl

    return pl.Series(codes, dtype=pl.UInt32).cat.to(pl.Enum(list(known)))


def shown(value: Any) -> str:
    """Return the value of a parameter as text: several codes with a plus between them, shares by name."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(held)}" for key, held in value.items())
    if isinstance(value, (list, tuple)):
        return "+".join(shown(item) for item in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)
