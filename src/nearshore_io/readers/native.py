"""The native format of a table: one netCDF-4 file with a version and a checksum of its content inside."""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import h5netcdf
import h5py
import numpy as np
import xarray as xr
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import FormatError, NearshoreError
from nearshore_io.files import readable, write_atomically
from nearshore_io.readers.packed import read_array, storage_of, write_array
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

FORMAT = "nearshore_io table"
VERSION = 2


def write_table(table: IOTable, path: str | os.PathLike[str]) -> Path:
    """Write a table to a netCDF-4 file, whole or not at all.

    A sparse Z is stored sparse (CSR: ``Z_data``, ``Z_indices``, ``Z_indptr``). Flows and final demand are stored as
    whole numbers of their last decimal where that gives them back exactly. The file carries the format's version and
    ``IOTable.sha256``.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    # Made in memory first: HDF5 leaves open handles behind when a disk fills up under it.
    content = io.BytesIO()
    dataset = _to_dataset(table)
    encoding = {name: {"zlib": True, "complevel": 4, "shuffle": True} for name in dataset.data_vars}
    dataset.to_netcdf(content, engine="h5netcdf", encoding=encoding)
    large = _large(table)
    with h5netcdf.File(content, "a") as file:
        for name, values in large.items():
            dims = tuple(f"{name}_{axis}" for axis in ("row", "column")[: values.ndim])
            for dim, size in zip(dims, values.shape, strict=True):
                file.dimensions[dim] = size
            dtype, attrs, chunks = storage_of(values)
            empty = file.create_variable(
                name, dims, dtype=dtype, chunks=chunks, compression="gzip", compression_opts=1, shuffle=True
            )
            empty.attrs.update(attrs)
    with h5py.File(content, "r+") as file:
        for name, values in large.items():
            write_array(file, name, values)

    def write(file: BinaryIO) -> None:
        file.write(content.getbuffer())

    return write_atomically(path, write)


def read_table(path: str | os.PathLike[str]) -> IOTable:
    """Return a table from a file `write_table` made.

    Raises
    ------
    StorageError
        If the file does not exist or may not be read.
    FormatError
        If the file is cut short, changed since it was written, not such a table, or of another version.
    """
    file = readable(path)
    recorded = header(file)
    try:
        with xr.open_dataset(file, engine="h5netcdf", cache=False, mask_and_scale=False) as opened:
            dataset = opened.drop_vars([name for name in ("Z", "Z_data", "Y_flat") if name in opened]).load()
        with h5py.File(file, "r") as content:
            table = _from_dataset(dataset, content)
    except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
        if isinstance(error, NearshoreError):
            raise
        raise FormatError(f"{file} lacks part of a table ({error!r}): it may be cut short or corrupted.") from error
    if table.sha256 != recorded["sha256"] or _seal(dataset) != recorded["seal"]:
        raise FormatError(
            f"{file} is corrupted: the checksum of its content is {table.sha256[:12]}…, "
            f"it was written with {str(recorded['sha256'])[:12]}…. Read the original again."
        )
    return table


def header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a native file says of itself (format, version, sha256, seal, meta, country), without its numbers.

    Raises
    ------
    StorageError, FormatError
        As `read_table`, but for what only the numbers tell.
    """
    file = readable(path)
    try:
        with h5py.File(file, "r") as content:
            attrs = {key: np.ravel(value)[0] for key, value in content.attrs.items()}
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise FormatError(
            f"{file} is not a readable netCDF-4 file ({error}): it may be cut short or corrupted."
        ) from error
    _require_format(attrs, file)
    return attrs


def _require_format(attrs: Mapping[str, Any], file: Path) -> None:
    if attrs.get("format") != FORMAT:
        raise FormatError(f"{file} is a netCDF file, but not a table written by `write_table`.")
    missing = [name for name in ("version", "sha256", "seal", "meta", "country") if name not in attrs]
    if missing or not str(attrs["version"]).isdigit():
        raise FormatError(f"{file} lacks its {', '.join(missing) or 'version'}: it was changed since it was written.")
    if int(attrs["version"]) != VERSION:
        raise FormatError(
            f"{file} has version {attrs['version']} of the format, this package reads {VERSION}: "
            f"{'upgrade the package' if int(attrs['version']) > VERSION else 'import the published file again'}."
        )


def _large(table: IOTable) -> dict[str, Array]:
    """Return the arrays that are stored by chunks of rows: flows and final demand."""
    flows = {"Z_data": table.Z.data} if issparse(table.Z) else {"Z": table.Z}
    return {**({} if flows.get("Z_data") is not None and not table.Z.nnz else flows), "Y_flat": table.y}


def _to_dataset(table: IOTable) -> xr.Dataset:
    matrix: dict[str, Any] = {}
    if issparse(table.Z):
        matrix = {"Z_indices": ("entry", table.Z.indices), "Z_indptr": ("row_start", table.Z.indptr)}
    output = table.meta.get("output")
    parts = {"v": table.v, "F": table.F, "final_inputs": table.final_inputs.rename(input="final_input")}
    facts = {key: value for key, value in table.meta.items() if key != "output"}
    dataset = xr.Dataset(parts | ({} if output is None else {"output": output})).assign(matrix)
    dataset.attrs = {
        "format": FORMAT,
        "version": VERSION,
        "sha256": table.sha256,
        "meta": json.dumps(facts, ensure_ascii=False),
        "country": json.dumps(dict(table.country)),
    }
    dataset.attrs["seal"] = _seal(dataset)
    return dataset


def _seal(dataset: xr.Dataset) -> str:
    """Return a checksum of what `IOTable.sha256` leaves out: meta data, and the publisher's output."""
    digest = hashlib.sha256(f"{dataset.attrs['meta']}{dataset.attrs['country']}".encode())
    if "output" in dataset:
        digest.update(np.ascontiguousarray(dataset["output"].values, dtype=np.float64).tobytes())
    return digest.hexdigest()


def _from_dataset(dataset: xr.Dataset, content: h5py.File) -> IOTable:
    v, F, paid = (dataset[name] for name in ("v", "F", "final_inputs"))
    n = dataset.sizes["region"] * dataset.sizes["sector"]
    if "Z" in content:
        Z: Any = read_array(content, "Z")
    else:
        data = read_array(content, "Z_data") if "Z_data" in content else np.zeros(0)
        Z = csr_array((data, dataset["Z_indices"].values, dataset["Z_indptr"].values), shape=(n, n))
    meta = json.loads(dataset.attrs["meta"])
    meta |= {key: tuple(value) for key, value in meta.items() if isinstance(value, list)}
    units = F["stressor_unit"].values.tolist()
    table = IOTable.from_arrays(
        Z,
        read_array(content, "Y_flat"),
        {str(name): v.sel(input=name).values.ravel() for name in v["input"].values},
        regions=dataset["region"].values.tolist(),
        sectors=dataset["sector"].values.tolist(),
        final_regions=dataset["final_region"].values.tolist(),
        categories=dataset["category"].values.tolist(),
        country=json.loads(dataset.attrs["country"]),
        sector_names=dict(zip(v["sector"].values.tolist(), v["sector_name"].values.tolist(), strict=True)),
        final_inputs={str(name): paid.sel(final_input=name).values.ravel() for name in paid["final_input"].values},
        stressors={
            str(name): (F.sel(stressor=name).values.ravel(), unit)
            for name, unit in zip(F["stressor"].values, units, strict=True)
        },
        meta=meta,
    )
    return table.with_output(dataset["output"].values) if "output" in dataset else table
