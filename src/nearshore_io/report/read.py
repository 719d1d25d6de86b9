"""Results read back: a file of `nearshore run`, or the store of a sweep."""

import os
from pathlib import Path

import xarray as xr

from nearshore_io.errors import FormatError
from nearshore_io.files import readable
from nearshore_io.stores import SweepResults, open_results


def read_results(path: str | os.PathLike[str]) -> xr.Dataset | SweepResults:
    """Return results of `run` from the netCDF file they were written to, or those of a sweep from their store.

    Raises
    ------
    StorageError
        If there is no such file or store.
    FormatError
        If it is something else: CSV and Parquet keep the numbers, but not what they were made from.
    """
    place = Path(path).expanduser()
    if place.is_dir() or "://" in str(path):
        return open_results(path)
    file = readable(place)
    if file.suffix.lower() != ".nc":
        raise FormatError(
            f"{file}: a report needs the assumptions and the table's checksum, which {file.suffix or 'this'} does not "
            "keep: write results to .nc (nearshore run ... --out results.nc)."
        )
    try:
        found = xr.load_dataset(file, engine="h5netcdf")
    except (OSError, ValueError, KeyError) as error:
        raise FormatError(f"{file} is not readable as netCDF ({error}): it may be cut short.") from error
    if "assumptions" not in found.attrs:
        raise FormatError(f"{file} holds no results of a run: they would say what they were made from.")
    return found
