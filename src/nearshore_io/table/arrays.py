"""Arrays on their way into a table: stored as their density earns, read-only, fitting the labels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.sparse import csr_array, issparse

from nearshore_io.errors import BalanceError
from nearshore_io.labels import require_unique
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.units import stamp

INDUSTRY = ("region", "sector")
SPARSE_BELOW = 0.2
"""Density of Z under which it is stored as CSR: at n = 4,250 a CSR product takes 8.7 ms at density 0.69 and 2.0 ms
at 0.16, a dense one 3.05 ms at any."""


def stored(Z: Matrix) -> Matrix:
    """Return Z as a read-only float64 array or CSR array, whichever its density earns; a copy unless Z is read-only."""
    cells = Z.nnz if issparse(Z) else np.count_nonzero(Z)
    size = max(int(np.prod(Z.shape)), 1)
    sparse_pays = cells / size < SPARSE_BELOW
    if sparse_pays == issparse(Z) and unchangeable(Z):
        return Z
    if sparse_pays:
        sparse = csr_array(Z, dtype=np.float64, copy=True)
        sparse.eliminate_zeros()
        sparse.sort_indices()
        return frozen(sparse)
    return frozen(np.array(Z.toarray() if issparse(Z) else Z, dtype=np.float64, order="C"))


def frozen(matrix: Matrix) -> Matrix:
    """Return the same matrix with all its arrays read-only."""
    for part in (matrix.data, matrix.indices, matrix.indptr) if issparse(matrix) else (matrix,):
        part.flags.writeable = False
    return matrix


def unchangeable(matrix: Matrix) -> bool:
    """Return whether nobody can change a matrix: float64 in C order or CSR, read-only down to the memory it views."""
    parts = (matrix.data, matrix.indices, matrix.indptr) if issparse(matrix) else (matrix,)
    if parts[0].dtype != np.float64 or not all(part.flags.c_contiguous for part in parts):
        return False
    return all(not view.flags.writeable for part in parts for view in _views(part))


def _views(array: Array) -> Iterator[Array]:
    """Yield an array and the arrays it is a view of."""
    base: Any = array
    while isinstance(base, np.ndarray):
        yield base
        base = base.base


def require_shapes(Z: Matrix, Y: Array, n: int, columns: int) -> None:
    """Raise `BalanceError` unless Z is (n, n) and Y is (n, columns)."""
    if Z.shape != (n, n):
        raise BalanceError(f"Z has shape {Z.shape}, the labels ask for ({n}, {n}).")
    if Y.shape != (n, columns):
        raise BalanceError(f"Y has shape {Y.shape}, the labels ask for ({n}, {columns}).")


def final_demand_array(Y: Array, coords: Mapping[str, Any], final: Mapping[str, list[str]], unit: str) -> xr.DataArray:
    """Return final demand, (n, final uses), as DataArray (region, sector, final_region, category)."""
    values = Y.reshape(*_grid(coords), *(len(labels) for labels in final.values()))
    return _labelled(values, (*INDUSTRY, *final), {**coords, **final}, unit, "final demand")


def inputs_array(v: Mapping[str, Array], coords: Mapping[str, Any], unit: str) -> xr.DataArray:
    """Return primary inputs, each (n,), as DataArray (input, region, sector)."""
    names = list(require_unique(v, "input"))
    return _labelled(_stack(v, _grid(coords)), ("input", *INDUSTRY), {**coords, "input": names}, unit, "primary inputs")


def final_inputs_array(paid: Mapping[str, Array], final: Mapping[str, list[str]], unit: str) -> xr.DataArray:
    """Return primary inputs paid by final users, each (final uses,), as DataArray (input, final_region, category)."""
    coords: dict[str, Any] = {"input": np.array(list(paid), dtype="U"), **final}
    values = _stack(paid, (len(final["final_region"]), len(final["category"])))
    return _labelled(values, ("input", *final), coords, unit, "primary inputs paid by final users")


def stressors_array(stressors: Mapping[str, tuple[Array, str]], coords: Mapping[str, Any]) -> xr.DataArray:
    """Return stressors, each (n,) with its unit, as DataArray (stressor, region, sector)."""
    names = np.array(require_unique(stressors, "stressor"), dtype="U")
    units = np.array([unit for _, unit in stressors.values()], dtype="U")
    values = _stack({name: array for name, (array, _) in stressors.items()}, _grid(coords))
    labels = {**coords, "stressor": names, "stressor_unit": ("stressor", units)}
    return _labelled(values, ("stressor", *INDUSTRY), labels, "see stressor_unit", "stressors")


def _grid(coords: Mapping[str, Any]) -> tuple[int, int]:
    return len(coords["region"]), len(coords["sector"])


def _stack(rows: Mapping[str, Array], shape: tuple[int, int]) -> Array:
    """Return rows over industries, each (n,), as one array (rows, regions, sectors)."""
    size = shape[0] * shape[1]
    for name, values in rows.items():
        if np.size(values) != size:
            raise BalanceError(f"'{name}' has {np.size(values)} values, the labels ask for {size}.")
    return np.array([np.asarray(values, dtype=np.float64).ravel() for values in rows.values()]).reshape(-1, *shape)


def _labelled(
    values: Array, dims: Sequence[str], coords: Mapping[str, Any], units: str, long_name: str
) -> xr.DataArray:
    """Return a read-only, stamped DataArray."""
    values.flags.writeable = False
    return stamp(xr.DataArray(values, dims=dims, coords=dict(coords)), units, long_name)
