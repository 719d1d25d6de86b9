"""Changes by industry as Zarr arrays (scenario, phase, region, sector), one chunk for each part of a run."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nearshore_io.errors import MissingExtraError
from nearshore_io.solvers.base import Array
from nearshore_io.stores.sinks import Sink

ROOT = "vectors"
DIMS = ("scenario", "phase", "region", "sector")


def require_zarr() -> None:
    """Raise `MissingExtraError` where the library that reads the arrays is missing."""
    try:
        import zarr  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("keeping changes by industry", "zarr", "zarr") from error


def describe(
    sink: Sink,
    group: str,
    variables: Mapping[str, tuple[str, str]],
    coords: Mapping[str, Sequence[Any]],
    chunk: int,
    attributes: Mapping[str, Any],
) -> None:
    """Write what the arrays of one table are: shapes, dims, units and labels, without any number of a scenario.

    Parameters
    ----------
    variables : units and long name by name. coords : labels of every dim; of scenarios their count.
    chunk : scenarios in one chunk.
    """
    shape = [int(coords["scenario"][0]), *(len(coords[dim]) for dim in DIMS[1:])]
    members: dict[str, Any] = {}
    for name, (units, long_name) in variables.items():
        chunks = [min(chunk, shape[0]), *shape[1:]]
        members[name] = _array(shape, chunks, "float64", DIMS, {"units": units, "long_name": long_name}, "NaN")
    for dim in DIMS[1:]:
        labels = [str(label) for label in coords[dim]]
        width = max(len(label.encode("utf-32-le")) // 4 for label in labels)
        fixed = {"name": "fixed_length_utf32", "configuration": {"length_bytes": 4 * width}}
        members[dim] = _array([len(labels)], [len(labels)], fixed, [dim], {}, "")
        sink.write(f"{ROOT}/{group}/{dim}/c/0", np.array(labels, dtype=f"<U{width}").tobytes())
    for name, meta in members.items():
        sink.write(f"{ROOT}/{group}/{name}/zarr.json", _json(meta))
    sink.write(
        f"{ROOT}/{group}/zarr.json", _json({"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)})
    )


def chunk_file(group: str, variable: str, number: int) -> str:
    """Return the name of the file that holds one chunk of an array, the same for every chunk of one run."""
    return f"{ROOT}/{group}/{variable}/c/{number}/0/0/0"


def chunk_bytes(
    values: Array, places: Any, phases: Sequence[str], known: Sequence[str], chunk: int, shape: tuple[int, int]
) -> bytes:
    """Return one chunk as its bytes: (chunk, phases, regions, sectors), unknown where a scenario has no such phase.

    Parameters
    ----------
    values : (k, n). places : which scenario of the chunk each is. known : the phases the array has.
    """
    whole = np.full((chunk, len(known), *shape), np.nan, dtype="<f8")
    at = np.array([known.index(phase) for phase in phases], dtype=np.intp)
    whole[np.asarray(places), at] = values.reshape(len(values), *shape)
    return whole.tobytes()


def _array(
    shape: Sequence[int],
    chunks: Sequence[int],
    kind: Any,
    dims: Sequence[str],
    attributes: Mapping[str, Any],
    fill: Any,
) -> dict[str, Any]:
    """Return the description of an array, as version 3 of Zarr has it: plain bytes, chunks in folders by number."""
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": kind,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunks)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "dimension_names": list(dims),
        "attributes": dict(attributes),
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True).encode()
