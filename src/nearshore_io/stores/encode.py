"""Results as the bytes of Parquet files, in long form; and changes by industry as chunks of a Zarr array."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nearshore_io.solvers.base import Array

if TYPE_CHECKING:
    import polars as pl

PHASES = ("build", "run", "event")
COLUMNS = ("scenario", "phase", "variable", "place", "sector", "value", "unit")


def totals(
    numbers: Any, phases: Sequence[str], rows: Sequence[tuple[str, str, str, str]], values: Array, sd: Array | None
) -> bytes:
    """Return totals in long form, one line for each scenario, phase and row.

    Parameters
    ----------
    numbers : of the scenarios, shape (k,). phases : of each, k names. values, sd : shape (k, rows).
    rows : variable, place, sector and unit of each.
    """
    import polars as pl

    k, width = values.shape
    columns: dict[str, Any] = {
        "scenario": np.repeat(np.asarray(numbers, dtype=np.int64), width),
        "phase": _chosen(PHASES, np.repeat(np.array([PHASES.index(p) for p in phases], dtype=np.uint32), width)),
    }
    for place, name in enumerate(("variable", "place", "sector")):
        columns[name] = _repeated([row[place] for row in rows], k)
    columns["value"] = _unknown(values)
    if sd is not None:
        columns["sd"] = _unknown(sd)
    columns["unit"] = _repeated([row[3] for row in rows], k)
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


def _repeated(texts: Sequence[str], repeat: int) -> Any:
    """Return texts repeated as a whole: a few of them by place, which is ten times as fast as one by one."""
    known = list(dict.fromkeys(texts))
    return _chosen(known, np.tile(np.array([known.index(text) for text in texts], dtype=np.uint32), repeat))


def _chosen(known: Sequence[str], places: Any) -> Any:
    import polars as pl

    return pl.Series(list(known), dtype=pl.String).gather(pl.Series(places))


def shown(value: Any) -> str:
    """Return the value of a parameter as text: several codes with a plus between them, shares by name."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(held)}" for key, held in value.items())
    if isinstance(value, (list, tuple)):
        return "+".join(shown(item) for item in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
