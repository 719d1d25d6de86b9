"""Large arrays in HDF5: decimals as whole numbers, shuffled and deflated, by chunks of rows on all cores.

Published tables are printed with a few decimals. As integers times 10⁻ᵏ they take a quarter of the space of the floats
that hold them, and come back to the last bit: i / 10ᵏ is rounded correctly, as the decimal was when it was read. The
file stays plain netCDF-4 (gzip and shuffle filters, ``scale_factor``); only the compressing is spread over threads.
"""

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nearshore_io.solvers.base import Array

DECIMALS = "decimals"
MOST_DECIMALS = 9
LARGEST = 2.0**53
CHUNK_BYTES = 2**21
LEVEL = 1
"""zlib's fastest: level 6 saves another 6 % of a full ICIO table and takes 3.5 times as long."""


def decimals(values: Array) -> int | None:
    """Return the fewest decimals that give back every value exactly, None if nine are not enough."""
    flat = values.reshape(-1)
    sample = flat[:: max(flat.size // 65_536, 1)]
    for places in range(MOST_DECIMALS + 1):
        if _exact(sample, places):
            return next((k for k in range(places, MOST_DECIMALS + 1) if _all_exact(values, k)), None)
    return None


def _all_exact(values: Array, places: int) -> bool:
    rows = values.reshape(len(values), -1)
    step = max(CHUNK_BYTES // (8 * max(rows.shape[1], 1)), 1)
    return all(_exact(rows[start : start + step], places) for start in range(0, len(rows), step))


def _exact(values: Array, places: int) -> bool:
    with np.errstate(over="ignore"):  # what overflows is no whole number below 2⁵³ either
        whole = np.rint(values * 10.0**places)
    return bool((np.abs(whole) < LARGEST).all() and np.array_equal(whole / 10.0**places, values))


def _places(stored: h5py.Dataset) -> int | None:
    return int(np.ravel(stored.attrs[DECIMALS])[0]) if DECIMALS in stored.attrs else None


def write_array(file: h5py.File, name: str, values: Array) -> None:
    """Fill a dataset that stands in the file, empty, with `storage_of` its values; rows are chunks.

    Parameters
    ----------
    values : (rows, …), float64.
    """
    stored = file[name]
    places = _places(stored)
    step = stored.chunks[0]

    def pack(start: int) -> tuple[int, bytes]:
        rows = values[start : start + step]
        whole = rows if places is None else np.rint(rows * 10.0**places)
        block = np.zeros(stored.chunks, stored.dtype)  # the last chunk is a full one too
        block[: len(rows)] = whole
        shuffled = block.reshape(-1).view(np.uint8).reshape(-1, stored.dtype.itemsize).T
        return start, zlib.compress(shuffled.tobytes(), LEVEL)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start, chunk in pool.map(pack, range(0, len(values), step)):
            stored.id.write_direct_chunk((start, *(0 for _ in stored.shape[1:])), chunk)


def storage_of(values: Array) -> tuple[npt.DTypeLike, dict[str, Any], tuple[int, ...]]:
    """Return the type, the attributes and the chunk shape an array is stored with."""
    places = decimals(values)
    width = max(int(np.prod(values.shape[1:])), 1)
    chunks = (min(max(CHUNK_BYTES // (8 * width), 1), len(values)), *values.shape[1:])
    if places is None:
        return np.float64, {}, chunks
    most = float(max(values.max(initial=0.0), -values.min(initial=0.0))) * 10.0**places
    small = most < np.iinfo(np.int32).max
    return (np.int32 if small else np.int64), {DECIMALS: places, "scale_factor": 10.0**-places}, chunks


def read_array(file: h5py.File, name: str) -> Array:
    """Return an array `write_array` stored, float64.

    Raises
    ------
    KeyError, ValueError, OSError
        If the dataset is missing, was written otherwise, or is damaged.
    """
    stored = file[name]
    places = _places(stored)
    values = np.empty(stored.shape)
    if stored.chunks is None or stored.compression != "gzip" or not stored.shuffle:
        raise ValueError(f"{name} is not stored by chunks of rows")
    step = stored.chunks[0]
    offsets = [stored.id.get_chunk_info(i).chunk_offset for i in range(stored.id.get_num_chunks())]
    if sorted(offset[0] for offset in offsets) != list(range(0, len(values), step)):
        raise ValueError(f"{name} lacks some of its rows")

    reading = Lock()  # HDF5 is not made for threads: without it, reads of one file fail now and then

    def unpack(offset: tuple[int, ...]) -> None:
        with reading:
            packed = stored.id.read_direct_chunk(offset)[1]
        try:
            shuffled = np.frombuffer(zlib.decompress(packed), np.uint8)
        except zlib.error as error:
            raise ValueError(f"{name} is damaged: {error}") from error
        block = np.ascontiguousarray(shuffled.reshape(stored.dtype.itemsize, -1).T).view(stored.dtype)
        rows = values[offset[0] : offset[0] + step]
        whole = block.reshape(stored.chunks)[: len(rows)]
        if places is None:
            rows[:] = whole
        else:
            np.divide(whole, 10.0**places, out=rows)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(unpack, offsets))
    values.flags.writeable = False
    return values
