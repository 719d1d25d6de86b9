"""What a result rests on, read back from it."""

import pandas as pd
import xarray as xr

from nearshore_io.errors import FormatError
from nearshore_io.scenarios import Scenario, assumptions

MODEL = ("table", "table_sha256", "table_year", "price_basis", "closure", "package")


def assumptions_of(results: xr.Dataset) -> pd.DataFrame:
    """Return everything results rest on: table, closure, and every parameter and field of every shock.

    Columns: scenario, shock (its number; 0 for what holds for the whole scenario, empty scenario for the model),
    kind, parameter, value, unit, low, high, source.

    Raises
    ------
    FormatError
        If these are no results of `run`.
    """
    model = [
        {"scenario": "", "shock": 0, "kind": "model", "parameter": name, "value": results.attrs[name]}
        for name in MODEL
        if name in results.attrs
    ]
    rest = assumptions.table_of(scenarios_of(results))
    return pd.concat([pd.DataFrame(model, columns=list(rest.columns)), rest], ignore_index=True)


def scenarios_of(results: xr.Dataset) -> list[Scenario]:
    """Return the scenarios that results were run from, ready to be run again. Raises `FormatError`."""
    if "assumptions" not in results.attrs:
        raise FormatError("these are no results of nio.run: they say nothing of their assumptions.")
    return assumptions.from_json(str(results.attrs["assumptions"]))
