"""What a figure takes from results: one scenario, one phase, sums by country."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from nearshore_io.errors import LabelError, ShockError, first_few
from nearshore_io.labels import unknown

DIMS = {"scenario", "phase", "effect", "variant", "region", "sector"}


def one(results: xr.Dataset, variable: str, *, keep: Sequence[str] = (), **wanted: str | None) -> xr.DataArray:
    """Return a variable of one scenario and one phase, the table's facts among its attributes.

    Raises
    ------
    LabelError
        No such variable or label, or several to choose from.
    ShockError
        If these are no results of `run`.
    """
    if not isinstance(results, xr.Dataset) or "region" not in results.dims:
        raise ShockError("this figure takes results of nio.run(model, scenarios).")
    if variable not in results.data_vars or "region" not in results[variable].dims:
        known = [str(name) for name, values in results.data_vars.items() if "region" in values.dims]
        raise unknown(variable, "variable", known)
    found = results[variable]
    if "rate" in found.attrs:
        raise LabelError(f"{variable} is a rate ({found.attrs['units']}), which has no sums by country to draw.")
    strange = [str(dim) for dim in found.dims if dim not in (*DIMS, *keep)]
    if strange:
        known = [str(name) for name in found[strange[0]].values.tolist()]
        raise LabelError(
            f"results over {strange[0]}: choose one of it, results.sel({strange[0]}=...), of {first_few(known, 8)}."
        )
    for dim, label in wanted.items():
        if dim not in found.dims:
            continue
        known = [str(name) for name in found[dim].values.tolist()]
        if label is None and len(known) > 1:
            if dim == "phase":
                with_numbers = [name for name in known if bool(found.sel(phase=name).notnull().any())]
                label = with_numbers[0] if len(with_numbers) == 1 else None
            if label is None:
                raise LabelError(f"these results have several {dim}s: choose {dim}= one of {first_few(known, 8)}.")
        if label is not None and label not in known:
            raise unknown(label, dim, known)
        found = found.sel({dim: label or known[0]})
    return found


def central(values: xr.DataArray) -> xr.DataArray:
    """Return the central variant where there are several."""
    return values.sel(variant="central", drop=True) if "variant" in values.dims else values


def by_country(values: xr.DataArray, country: xr.DataArray | None = None) -> xr.DataArray:
    """Return sums over sectors and over the regions of each country, in the table's order; unknown stays unknown."""
    return merged(values.sum("sector", skipna=False) if "sector" in values.dims else values, country)


def merged(values: xr.DataArray, country: xr.DataArray | None = None) -> xr.DataArray:
    """Return sums over the regions of each country, in the table's order; unknown stays unknown."""
    of = (values["country"] if country is None else country).values
    names = list(dict.fromkeys(of.tolist()))
    parts = [values.isel(region=np.flatnonzero(of == name)).sum("region", skipna=False) for name in names]
    return xr.concat(parts, pd.Index(names, name="country"), coords="minimal", compat="override")
