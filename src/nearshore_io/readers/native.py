"""The native format of a table: one netCDF-4 file with a version and a checksum of its content inside."""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xarray as xr
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import FormatError, NearshoreError
from nearshore_io.readers.files import readable, write_atomically
from nearshore_io.table import IOTable

FORMAT = "nearshore_io table"
VERSION = 1


def write_table(table: IOTable, path: str | os.PathLike[str]) -> Path:
    """Write a table to a netCDF-4 file, whole or not at all.

    A sparse Z is stored sparse (CSR: ``Z_data``, ``Z_indices``, ``Z_indptr``). The file carries the format's version
    and ``IOTable.sha256``.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    # Made in memory first: HDF5 leaves open handles behind when a disk fills up under it.
    content = io.BytesIO()
    dataset = _to_dataset(table)
    encoding = {
        name: {"zlib": True, "complevel": 4, "shuffle": True} for name in dataset.data_vars if dataset[name].ndim
    }
    dataset.to_netcdf(content, engine="h5netcdf", encoding=encoding)

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
        If the file is cut short, changed since it was written, not such a table, or of a newer version.
    """
    file = readable(path)
    try:
        with xr.open_dataset(file, engine="h5netcdf", cache=False) as opened:
            dataset = opened.load()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise FormatError(
            f"{file} is not a readable netCDF-4 file ({error}): it may be cut short or corrupted."
        ) from error
    _require_format(dataset.attrs, file)
    try:
        table = _from_dataset(dataset)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        if isinstance(error, NearshoreError):
            raise
        raise FormatError(f"{file} lacks part of a table ({error!r}): it may be cut short or corrupted.") from error
    if table.sha256 != dataset.attrs["sha256"] or _seal(dataset) != dataset.attrs["seal"]:
        raise FormatError(
            f"{file} is corrupted: the checksum of its content is {table.sha256[:12]}…, "
            f"it was written with {str(dataset.attrs['sha256'])[:12]}…. Read the original again."
        )
    return table


def _require_format(attrs: Mapping[str, Any], file: Path) -> None:
    if attrs.get("format") != FORMAT:
        raise FormatError(f"{file} is a netCDF file, but not a table written by `write_table`.")
    missing = [name for name in ("version", "sha256", "seal", "meta", "country") if name not in attrs]
    if missing or not str(attrs["version"]).isdigit():
        raise FormatError(f"{file} lacks its {', '.join(missing) or 'version'}: it was changed since it was written.")
    if int(attrs["version"]) > VERSION:
        raise FormatError(
            f"{file} has version {attrs['version']} of the format, this package reads up to {VERSION}: upgrade it."
        )


def _to_dataset(table: IOTable) -> xr.Dataset:
    if issparse(table.Z):
        matrix: dict[str, Any] = {
            "Z_data": ("entry", table.Z.data),
            "Z_indices": ("entry", table.Z.indices),
            "Z_indptr": ("row_start", table.Z.indptr),
        }
    else:
        matrix = {"Z": (("row", "column"), table.Z)}
    output = table.meta.get("output")
    parts = {"Y": table.Y, "v": table.v, "F": table.F} | ({} if output is None else {"output": output})
    facts = {key: value for key, value in table.meta.items() if key != "output"}
    dataset = xr.Dataset(parts).assign(matrix)
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


def _from_dataset(dataset: xr.Dataset) -> IOTable:
    Y, v, F = (dataset[name].load() for name in ("Y", "v", "F"))
    n = Y.sizes["region"] * Y.sizes["sector"]
    if "Z" in dataset:
        Z: Any = dataset["Z"].values
    else:
        Z = csr_array((dataset["Z_data"].values, dataset["Z_indices"].values, dataset["Z_indptr"].values), shape=(n, n))
    meta = json.loads(dataset.attrs["meta"])
    meta["history"] = tuple(meta["history"])
    units = F["stressor_unit"].values.tolist()
    table = IOTable.from_arrays(
        Z,
        Y.values.reshape(n, -1),
        {str(name): v.sel(input=name).values.ravel() for name in v["input"].values},
        regions=Y["region"].values.tolist(),
        sectors=Y["sector"].values.tolist(),
        final_regions=Y["final_region"].values.tolist(),
        categories=Y["category"].values.tolist(),
        country=json.loads(dataset.attrs["country"]),
        sector_names=dict(zip(Y["sector"].values.tolist(), Y["sector_name"].values.tolist(), strict=True)),
        stressors={
            str(name): (F.sel(stressor=name).values.ravel(), unit)
            for name, unit in zip(F["stressor"].values, units, strict=True)
        },
        meta=meta,
    )
    return table.with_output(dataset["output"].values) if "output" in dataset else table
