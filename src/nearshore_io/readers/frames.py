"""Tables from pandas frames a user has at hand."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nearshore_io import labels
from nearshore_io.errors import BalanceError, LabelError, first_few
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.table.sound import SPLIT_ACCOUNTS

ONE_REGION = "economy"


def from_frames(
    Z: pd.DataFrame,
    Y: pd.DataFrame | pd.Series,
    v: pd.DataFrame | pd.Series | None = None,
    F: pd.DataFrame | pd.Series | None = None,
    *,
    country: Mapping[str, str] | None = None,
    stressor_units: Mapping[str, str] | None = None,
    unit: str = "million USD",
    year: int | None = None,
    name: str = "table from frames",
    sector_names: Mapping[str, str] | None = None,
) -> IOTable:
    """Return a table from frames of flows, aligned by label.

    Parameters
    ----------
    Z : intermediate flows, (region, sector) index on both axes. Plain sector labels stand for one region, "economy".
    Y : final demand, rows as Z; columns (final_region, category), or final regions alone, or — with one
        country — categories alone. A Series is one category, ``final_demand``, of the only country.
    v : primary inputs, one row each, columns as Z; a Series is ``value_added``. None: the column residual.
    F : stressors, one row each, columns as Z; NaN where nobody published a number.
    country : country of each region that is not one itself; OECD's MX1, MX2, CN1 and CN2 are known to be parts.
    stressor_units : unit of each stressor in F.

    Raises
    ------
    LabelError
        Labels that are duplicated, missing on one side, or leave holes in the region × sector grid.
    BalanceError
        Cells that are not numbers; an industry with inputs and no output.
    """
    for letter, frame in (("Z", Z), ("Y", Y), ("v", v), ("F", F)):
        if not isinstance(frame, (pd.DataFrame, pd.Series, type(None))) or (
            letter == "Z" and not isinstance(Z, pd.DataFrame)
        ):
            raise LabelError(f"{letter} must be a pandas frame with labels, not {type(frame).__name__}.")
    if Z.empty:
        raise LabelError("Z is empty: a table needs at least one industry.")
    rows = _industries(Z.index, "rows of Z")
    columns = _industries(Z.columns, "columns of Z")
    _require_same_industries(rows, columns, "rows of Z", "columns of Z")
    regions = tuple(dict.fromkeys(region for region, _ in rows))
    sectors = tuple(dict.fromkeys(sector for _, sector in rows))
    grid = pd.MultiIndex.from_product([regions, sectors])
    holes = [f"{region}/{sector}" for region, sector in grid if (region, sector) not in set(rows)]
    if holes:
        raise LabelError(f"not a full region × sector grid, Z lacks {first_few(holes)}. Add zero rows and columns.")
    owners = {**SPLIT_ACCOUNTS, **(country or {})}
    countries = list(dict.fromkeys([*regions, *(str(owners.get(region, region)) for region in regions)]))
    flows = pd.DataFrame(_numbers(Z, "Z"), index=rows, columns=columns).loc[grid, grid]
    demand = _final_demand(Y, grid, countries)
    stressors = {} if F is None else _rows(F, grid, "F")
    units = dict(stressor_units or {})
    if strangers := [name for name in units if name not in stressors]:
        raise LabelError(
            f"stressor_units names {first_few(strangers)}, which F lacks: {first_few(stressors) or 'none'}."
        )
    return IOTable.from_arrays(
        flows.to_numpy(),
        demand.to_numpy(),
        None if v is None else _rows(v, grid, "v"),
        regions=regions,
        sectors=sectors,
        final_regions=tuple(dict.fromkeys(demand.columns.get_level_values(0))),
        categories=tuple(dict.fromkeys(demand.columns.get_level_values(1))),
        country=country,
        sector_names=sector_names,
        stressors={key: (values, units.get(key, "unit not stated")) for key, values in stressors.items()},
        meta={"name": name, "source": "frames", "unit": unit, "year": year, "history": ("built from frames",)},
    )


def _industries(index: pd.Index, what: str) -> pd.MultiIndex:
    if index.nlevels > 2:
        raise LabelError(f"{what} have {index.nlevels} levels; give (region, sector).")
    pairs = [
        (str(label[0]), str(label[1])) if index.nlevels == 2 else (ONE_REGION, str(label)) for label in index.to_list()
    ]
    repeated = [f"{region}/{sector}" for region, sector in dict.fromkeys(pairs) if pairs.count((region, sector)) > 1]
    if repeated:
        raise LabelError(f"{what} have duplicate labels: {first_few(repeated)}.")
    return pd.MultiIndex.from_tuples(pairs)


def _require_same_industries(left: pd.MultiIndex, right: pd.MultiIndex, left_name: str, right_name: str) -> None:
    labels.require_same(
        [f"{r}/{s}" for r, s in left], [f"{r}/{s}" for r, s in right], "region/sector", (left_name, right_name)
    )


def _numbers(frame: pd.DataFrame, what: str) -> Array:
    values = frame.to_numpy()
    odd = values.dtype.kind not in "iufO" or (
        values.dtype.kind == "O" and any(isinstance(cell, (bool, complex)) for cell in values.ravel())
    )
    if odd:
        raise BalanceError(f"{what} has cells that are not numbers: its type is {values.dtype}.")
    try:
        return np.asarray(frame.to_numpy(dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise BalanceError(f"{what} has cells that are not numbers: {error}.") from error


def _rows(frame: pd.DataFrame | pd.Series, grid: pd.MultiIndex, what: str) -> dict[str, Array]:
    """Return rows over industries by name, turning the frame where its industries stand in the index."""
    if isinstance(frame, pd.Series):
        frame = frame.to_frame("value_added" if what == "v" else frame.name).T
    if _as_text(frame.columns) != _as_text(_plain(grid, frame.columns)):
        frame = frame.T
    columns = _industries(frame.columns, f"columns of {what}")
    _require_same_industries(grid, columns, "Z", f"columns of {what}")
    names = labels.require_unique(frame.index, f"rows of {what}")
    aligned = pd.DataFrame(_numbers(frame, what), index=list(names), columns=columns)[grid]
    return {name: aligned.loc[name].to_numpy() for name in names}


def _as_text(labels_: Iterable[Any]) -> set[tuple[str, ...]]:
    return {tuple(map(str, label)) if isinstance(label, tuple) else (str(label),) for label in labels_}


def _plain(grid: pd.MultiIndex, like: pd.Index) -> list[Any]:
    return list(grid) if like.nlevels == 2 else [sector for _, sector in grid]


def _final_demand(Y: pd.DataFrame | pd.Series, grid: pd.MultiIndex, countries: list[str]) -> pd.DataFrame:
    frame = Y.to_frame("final_demand") if isinstance(Y, pd.Series) else Y
    rows = _industries(frame.index, "rows of Y")
    _require_same_industries(grid, rows, "Z", "rows of Y")
    columns = _final_columns(frame.columns, countries)
    full = pd.MultiIndex.from_product(
        [dict.fromkeys(region for region, _ in columns), dict.fromkeys(category for _, category in columns)]
    )
    demand = pd.DataFrame(_numbers(frame, "Y"), index=rows, columns=columns)
    holes = [f"{region}/{category}" for region, category in full if (region, category) not in set(columns)]
    if holes:
        raise LabelError(f"Y lacks the columns {first_few(holes)}: give every final region every category.")
    return demand.loc[grid, full]


def _final_columns(columns: pd.Index, countries: list[str]) -> pd.MultiIndex:
    if columns.nlevels == 2:
        pairs = [(str(region), str(category)) for region, category in columns]
    elif set(map(str, columns)) <= set(countries):
        pairs = [(str(region), "final_demand") for region in columns]
    elif len(set(countries)) == 1:
        pairs = [(countries[0], str(category)) for category in columns]
    else:
        raise LabelError(
            f"columns of Y ({first_few(columns)}) name neither (final_region, category) nor the countries "
            f"{first_few(countries)}."
        )
    repeated = [f"{r}/{c}" for r, c in dict.fromkeys(pairs) if pairs.count((r, c)) > 1]
    if repeated:
        raise LabelError(f"Y has duplicate columns: {first_few(repeated)}.")
    return pd.MultiIndex.from_tuples(pairs)
