"""A table unpacked on disk as plain arrays that are mapped into memory: its coefficients are there in milliseconds.

An unpacked table is a copy that can be made again from its native file at any time, and is thrown away as freely.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse

from nearshore_io.errors import FormatError, StorageError
from nearshore_io.files import TEMPORARY
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.table.arrays import final_demand_array, final_inputs_array, inputs_array, stressors_array

FORMAT = "nearshore_io mapped table 2"


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
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=TEMPORARY))
    except OSError as error:
        raise StorageError(f"{folder} could not be made ({error.strerror or error}).") from error
    try:
        arrays = _arrays(table)
        for name, array in arrays.items():
            np.save(temporary / f"{name}.npy", array)
        facts = _facts(table) | {"prints": {name: fingerprint(array) for name, array in arrays.items()}}
        text = json.dumps(facts, ensure_ascii=False)
        (temporary / "table.json").write_text(text, encoding="utf-8")
        (temporary / "table.sha256").write_text(_digest(text), encoding="utf-8")
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

    Every array is compared with the fingerprint that was taken when it was unpacked, the labels with their checksum.

    Raises
    ------
    FormatError
        If the folder is no unpacked table, of another version, or any of it is damaged.
    """
    try:
        text = (folder / "table.json").read_text(encoding="utf-8")
        if _digest(text) != (folder / "table.sha256").read_text(encoding="utf-8"):
            raise FormatError(f"{folder} is damaged: its labels are not those that were stored.")
        facts = json.loads(text)
        if facts["format"] != FORMAT:
            raise FormatError(f"{folder} is of another version: {facts['format']}.")
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode=_mode(name)) for name in facts["prints"]}
        damaged = [name for name, array in arrays.items() if fingerprint(array) != facts["prints"][name]]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{folder} is no unpacked table ({error}).") from error
    if damaged:
        raise FormatError(f"{folder} is damaged: {', '.join(damaged)}.")
    return _restored({name: array.view(np.ndarray) for name, array in arrays.items()}, facts)


def _mode(name: str) -> Literal["r"] | None:
    return "r" if name in ("Z", "A", "Y") else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(array: Array) -> str:
    """Return a checksum at the speed of memory: the sums of an array's bits by row and by column, hashed.

    One changed bit changes two sums, two cells that change places change four.
    """
    bits = np.ascontiguousarray(array).view(np.uint64).reshape(max(len(array), 1) if array.size else 1, -1)
    sums = bits.sum(axis=0, dtype=np.uint64).tobytes() + bits.sum(axis=1, dtype=np.uint64).tobytes()
    return hashlib.sha256(repr(array.shape).encode() + sums).hexdigest()


def _restored(arrays: dict[str, Array], facts: dict[str, Any]) -> IOTable:
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
        A=arrays["A"],
        sha256=facts["sha256"],
        Z=arrays["Z"],
        Y=final_demand_array(arrays["Y"], coords, final, unit),
        v=inputs_array(dict(zip(facts["inputs"], arrays["v"], strict=True)), coords, unit),
        final_inputs=final_inputs_array(dict(zip(facts["paid"], arrays["final_inputs"], strict=True)), final, unit),
        F=stressors_array({name: (arrays["F"][i], units[name]) for i, name in enumerate(units)}, coords),
        country=MappingProxyType(owners),
        meta=MappingProxyType(meta),
    )
    return table.with_output(arrays["output"]) if "output" in arrays else table


def size_of(folder: Path) -> int:
    """Return the bytes of an unpacked table."""
    return sum(file.stat().st_size for file in folder.iterdir())
