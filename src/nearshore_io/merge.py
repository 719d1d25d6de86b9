"""Regions of one country merged into it: of a table before solving, or of results after it."""

from typing import Any, overload

import xarray as xr

from nearshore_io.concordance import aggregate
from nearshore_io.errors import LabelError
from nearshore_io.table import IOTable


@overload
def merge_regions(of: IOTable) -> IOTable: ...
@overload
def merge_regions(of: xr.DataArray) -> xr.DataArray: ...
@overload
def merge_regions(of: xr.Dataset) -> xr.Dataset: ...
def merge_regions(of: Any) -> Any:
    """Return a table or a result with the regions of each country (MX1, MX2) merged into the country (MEX).

    Results are summed over the regions of a country: nothing is lost. A table is aggregated, Z' = G Z Gᵀ, before
    anything is solved, and that biases what follows: (I − A')⁻¹ G ≠ G (I − A)⁻¹ unless the merged industries have the
    same input structure, and Mexico's export plants do not buy as the rest of its industry does. Merge results where
    that matters, and tables only where a method or another program knows countries alone.

    Parameters
    ----------
    of : `IOTable`; or a DataArray or Dataset over region with the coordinate ``country``. Unknown (NaN) plus known is
        unknown.

    Raises
    ------
    LabelError
        If a result has no region, or is a rate (per unit of something), which cannot be summed.

    Source: Miller & Blair (2009), section 4.9 (aggregation bias); Koopman, Wang & Wei (2012), Journal of Development
    Economics 99, 178–189 (processing trade).
    """
    if isinstance(of, IOTable):
        return aggregate(of, regions=dict(of.country))
    if not isinstance(of, (xr.DataArray, xr.Dataset)) or "region" not in of.dims or "country" not in of.coords:
        raise LabelError("only a table, or results over region with their countries, can be merged.")
    variables = of.data_vars.values() if isinstance(of, xr.Dataset) else [of]
    rates = [
        v for v in variables if "region" in v.dims and ("rate" in v.attrs or " per " in str(v.attrs.get("units", "")))
    ]
    if rates:
        raise LabelError(
            f"{rates[0].name} is a rate ({rates[0].attrs['units']}): that of a country is no sum over its regions. "
            f"Merge what it is a rate of, and divide; or leave it out, .drop_vars({[str(v.name) for v in rates]})."
        )
    order = list(dict.fromkeys(of["country"].values.tolist()))
    kept = {name: of.coords[name] for name in of.coords if "region" in of.coords[name].dims and name != "region"}
    plain = of.drop_vars(list(kept))
    elsewhere = (
        [name for name, variable in of.data_vars.items() if "region" not in variable.dims]
        if isinstance(of, xr.Dataset)
        else []
    )
    summed = (plain.drop_vars(elsewhere) if elsewhere else plain).groupby(of["country"]).sum(skipna=False)
    merged = summed.rename(country="region").sel(region=order)
    merged = merged.assign_coords(country=("region", order))
    merged.attrs = dict(of.attrs)
    if isinstance(of, xr.Dataset):
        for name, variable in of.data_vars.items():
            merged[name] = variable.drop_vars(list(kept), errors="ignore") if name in elsewhere else merged[name]
            merged[name] = merged[name].transpose(*variable.dims)
            merged[name].attrs = dict(variable.attrs)
    else:
        merged = merged.transpose(*of.dims)
    return merged
