"""Results to files and to JSON, for machines."""

import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io.errors import FormatError
from nearshore_io.files import write_atomically

ENDINGS = (".nc", ".parquet", ".csv")


def require_format(path: Path) -> None:
    """Raise `FormatError` before any work when results cannot be written in the format asked for."""
    if path.suffix.lower() not in ENDINGS:
        raise FormatError(f"{path}: results are written to {', '.join(ENDINGS)} files, not to {path.suffix or 'this'}.")


def dataset(results: xr.Dataset, path: Path) -> None:
    """Write results whole or not at all: netCDF as they are, CSV and Parquet in long form with units."""
    require_format(path)
    content = io.BytesIO()
    ending = path.suffix.lower()
    if ending == ".nc":
        results.to_netcdf(content, engine="h5netcdf")
    elif ending == ".csv":
        content.write(long_form(results).to_csv(index=False).encode())
    else:
        import polars  # 0.2 s of import that only Parquet needs

        frame = long_form(results)
        polars.DataFrame({name: _column(frame[name]) for name in frame}).write_parquet(content)

    def write(file: BinaryIO) -> None:
        file.write(content.getbuffer())

    write_atomically(path, write)


def _column(values: pd.Series) -> Any:
    """Return a column for polars: text and the absence of text as a list, numbers as they are."""
    if values.dtype.kind in "fiu":
        return values.to_numpy()
    return values.astype(object).where(values.notna(), None).tolist()


def long_form(results: xr.Dataset) -> pd.DataFrame:
    """Return one row for each number: its labels, clock, basis, variable, value and unit; unknown numbers are empty.

    Phases a scenario does not have leave no rows.
    """
    frames = []
    for name, variable in results.data_vars.items():
        extra = [coord for coord in variable.coords if coord not in (*variable.dims, "clock", "basis", "residual")]
        frame = variable.drop_vars(extra).rename("value").to_dataframe().reset_index()
        if "residual" in frame:
            frame = frame[frame["residual"].notna()].drop(columns="residual")
        frames.append(frame.assign(variable=str(name), unit=variable.attrs.get("units", "")))
    return pd.concat(frames, ignore_index=True)


def as_json(results: xr.Dataset) -> str:
    """Return results as JSON: attributes, and the records of the long form (NaN becomes null)."""
    frame = long_form(results)
    records = frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
    attributes = {key: value.item() if isinstance(value, np.generic) else value for key, value in results.attrs.items()}
    return json.dumps({"attributes": attributes, "records": records}, ensure_ascii=False, allow_nan=False)
