"""What no table may have: cells that are no numbers, flows without output, names that results need for themselves."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from nearshore_io.errors import BalanceError, LabelError, first_few

if TYPE_CHECKING:
    from nearshore_io.table.iotable import IOTable

RESERVED = frozenset(
    {"output", "scenario", "phase", "effect", "region", "sector", "country", "sector_name"}
    | {"title", "basis", "clock", "residual", "redirected"}
)
"""Names results use themselves."""

SPLIT_ACCOUNTS = MappingProxyType(
    {f"MX{i}": "MEX" for i in (1, 2, 3)}
    | {f"CN{i}": "CHN" for i in (1, 2, 3, 4)}  # as OECD's extended tables name them
)
"""Row accounts that are known to be parts of a country: Mexico's and China's export-processing economies."""


def countries_of(regions: Sequence[str], final_regions: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the country of each region: as given, a known part of a country, or a country itself.

    Raises
    ------
    LabelError
        If a given region is none of the table, or a final region is no country of it.
    """
    strangers = [region for region in given if region not in regions]
    if strangers:
        raise LabelError(
            f"country= names {first_few(strangers)}, which is no region; regions: {first_few(regions, 12)}."
        )
    parts = {} if set(final_regions) & set(SPLIT_ACCOUNTS) else SPLIT_ACCOUNTS
    owners = {region: str(given.get(region, parts.get(region, region))) for region in regions}
    stray = [label for label in final_regions if label not in owners.values()]
    if stray:
        raise LabelError(
            f"final_region {first_few(stray)} is no country of this table: final demand must belong to one of "
            f"{first_few(dict.fromkeys(owners.values()), 12)}."
        )
    return owners


def require_sound(table: "IOTable") -> None:
    """Raise `BalanceError` where the flows cannot be a table."""
    rows = np.asarray(table.Z.sum(axis=1)).ravel()
    if not np.isfinite(rows).all():  # a row with a cell that is no number has no finite sum
        bad = np.flatnonzero(~np.isfinite(rows))
        raise BalanceError(
            f"Z has cells that are not numbers in the rows of {table.industry_names(bad)}. "
            "Nothing is filled in: mend the file, or leave those industries out."
        )
    for part, what in ((table.Y, "Y"), (table.v, "v"), (table.final_inputs, "final_inputs")):
        cells = np.argwhere(~np.isfinite(part.values)).tolist()
        if cells:
            where = [
                "/".join(str(part[dim].values[i]) for dim, i in zip(part.dims, cell, strict=True)) for cell in cells
            ]
            raise BalanceError(f"{what} has cells that are not numbers: {first_few(where)}. Nothing is filled in.")
    if np.isinf(table.F.values).any():
        raise BalanceError("a stressor is infinite; a cell nobody published is NaN.")
    _require_output(table)


def _require_output(table: "IOTable") -> None:
    idle = np.flatnonzero(table.x.values.ravel() == 0)
    sales = np.asarray(abs(table.Z[idle]).sum(axis=1)).ravel()
    inputs = np.asarray(abs(table.Z[:, idle]).sum(axis=0)).ravel()
    bad = idle[(inputs > 0) | (sales > 0)]
    if bad.size:
        raise BalanceError(
            f"industries with flows but no output: {table.industry_names(bad)}. Their input coefficients are "
            "undefined: correct the flows, or aggregate the industry into another one."
        )


def require_free_names(names: Sequence[str]) -> None:
    """Raise where an input or stressor would hide another result: each becomes a variable beside ``output``."""
    taken = [name for name in names if name in RESERVED]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if taken or twice:
        raise LabelError(
            f"inputs and stressors may not be called {first_few(taken or twice)}: "
            f"{'results have something of that name' if taken else 'two of them are'}. Rename them."
        )
