"""A table unpacked on disk as plain arrays that are mapped into memory: its coefficients are there in milliseconds.

An unpacked table is a copy that can be made again from its native file at any time, and is thrown away as freely.
"""

import json
import shutil
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.sparse import issparse

from nearshore_io.errors import FormatError, StorageError
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.table.arrays import final_demand_array, final_inputs_array, inputs_array, stressors_array

FORMAT = "nearshore_io mapped table 1"
EXACT = 1e-12
"""What A x may miss the stored sums of rows by, relative to the largest: rounding of n terms in any order."""


def write_mapped(table: IOTable, folder: Path) -> Path:
    """Unpack a dense table into a folder, whole or not at all.

    Raises
    ------
    StorageError
        If it cannot be written.
    FormatError
        If the table is sparse: its native file is small and quick to read.
    """
    if issparse(table.Z):
        raise FormatError(f"{table.name} is sparse: only dense tables are unpacked.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise StorageError(f"{folder} could not be made ({error.strerror or error}).") from error
    try:
        for name, array in _arrays(table).items():
            np.save(temporary / f"{name}.npy", array)
        (temporary / "table.json").write_text(json.dumps(_facts(table), ensure_ascii=False), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    except OSError as error:
        if folder.exists():  # another process has unpacked the same content meanwhile
            return folder
        raise StorageError(f"{folder} could not be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _arrays(table: IOTable) -> dict[str, Array]:
    output = table.meta.get("output")
    return {
        "Z": table.Z,
        "A": table.A,
        "Y": table.y,
        "v": table.v.values,
        "final_inputs": table.final_inputs.values,
        "F": table.F.values,
        "rows": table.Z.sum(axis=1),
    } | ({} if output is None else {"output": output.values})


def _facts(table: IOTable) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "sha256": table.sha256,
        "regions": table.regions,
        "sectors": table.sectors,
        "sector_names": table.sector_names,
        "final_regions": table.final_regions,
        "categories": table.categories,
        "inputs": list(table.inputs),
        "paid": list(table.paid_by_final_users),
        "stressors": {name: unit for name, (_, unit) in table.stressors.items()},
        "country": dict(table.country),
        "meta": {key: value for key, value in table.meta.items() if key != "output"},
    }


def read_mapped(folder: Path) -> IOTable:
    """Return an unpacked table, its large arrays mapped from disk.

    One product with the coefficients is compared with the sums of rows that were stored with them; the checksum is the
    one taken when the table was unpacked.

    Raises
    ------
    FormatError
        If the folder is no unpacked table, of another version, or its arrays are damaged.
    """
    try:
        facts = json.loads((folder / "table.json").read_text(encoding="utf-8"))
        if facts["format"] != FORMAT:
            raise FormatError(f"{folder} is of another version: {facts['format']}.")
        table = _restored(folder, facts)
        rows = np.load(folder / "rows.npy")
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{folder} is no unpacked table ({error}).") from error
    if np.abs(table.A @ table.x.values.ravel() - rows).max() > EXACT * np.abs(rows).max():
        raise FormatError(f"{folder} is damaged: its coefficients do not give its flows.")
    return table


def _restored(folder: Path, facts: dict[str, Any]) -> IOTable:
    Z, A, Y = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("Z", "A", "Y"))
    v, paid, F = (np.load(folder / f"{name}.npy") for name in ("v", "final_inputs", "F"))
    meta = {key: tuple(value) if isinstance(value, list) else value for key, value in facts["meta"].items()}
    owners = facts["country"]
    coords: dict[str, Any] = {
        "region": facts["regions"],
        "sector": facts["sectors"],
        "country": ("region", [owners[region] for region in facts["regions"]]),
        "sector_name": ("sector", [facts["sector_names"][sector] for sector in facts["sectors"]]),
    }
    final = {"final_region": facts["final_regions"], "category": facts["categories"]}
    unit = str(meta["unit"])
    units = facts["stressors"]
    table = IOTable.restored(
        A=A.view(np.ndarray),
        sha256=facts["sha256"],
        Z=Z.view(np.ndarray),
        Y=final_demand_array(Y.view(np.ndarray), coords, final, unit),
        v=inputs_array(dict(zip(facts["inputs"], v, strict=True)), coords, unit),
        final_inputs=final_inputs_array(dict(zip(facts["paid"], paid, strict=True)), final, unit),
        F=stressors_array({name: (F[i], units[name]) for i, name in enumerate(units)}, coords),
        country=MappingProxyType(owners),
        meta=MappingProxyType(meta),
    )
    output = folder / "output.npy"
    return table.with_output(np.load(output)) if output.exists() else table


def size_of(folder: Path) -> int:
    """Return the bytes of an unpacked table."""
    return sum(file.stat().st_size for file in folder.iterdir())
