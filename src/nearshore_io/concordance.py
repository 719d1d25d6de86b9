"""Concordances: from one list of labels to another, and tables aggregated or split by them."""

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, eye_array, issparse, kron

from nearshore_io import labels
from nearshore_io.errors import ConcordanceError, FormatError, LabelError, first_few
from nearshore_io.files import read_remarked_csv
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table import IOTable

Concordance: TypeAlias = pd.DataFrame | Mapping[str, str] | str | os.PathLike[str]
"""A long table ``from, to, weight``; a mapping from → to; or the path of a CSV of the long table."""

_TOLERANCE = 1e-9


def read_concordance(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return a concordance from a CSV with the columns from, to and (optional, default 1) weight.

    Raises
    ------
    StorageError, ConcordanceError
        If the file cannot be read, or lacks a column.
    """
    try:
        frame = read_remarked_csv(path)
    except FormatError as error:
        raise ConcordanceError(str(error)) from error
    missing = [name for name in ("from", "to") if name not in frame]
    if missing:
        raise ConcordanceError(f"{path} has no column {first_few(missing)}: a concordance has from, to and weight.")
    return frame


def aggregate(
    table: IOTable,
    *,
    regions: Concordance | None = None,
    sectors: Concordance | None = None,
    sector_names: Mapping[str, str] | None = None,
) -> IOTable:
    """Return the table on other regions and sectors: Z' = G Z Gᵀ, Y' = G Y H, v' = v Gᵀ, with G = regions ⊗ sectors.

    Parameters
    ----------
    regions, sectors : concordances. The weights of one label say how it is shared out; they sum to one, so that
        totals are kept. None keeps the labels.
    sector_names : readable names of new sectors.

    Notes
    -----
    Final regions follow the regions of their country. A cell of a stressor with an unknown part is unknown (NaN).
    A new region whose members belong to one country belongs to it too; otherwise it is a country of its own.
    Aggregating before solving biases multipliers and content (Miller & Blair 2009, section 4.9).

    Raises
    ------
    ConcordanceError
        Weights that do not sum to one, are negative or missing; a country whose regions part ways.
    LabelError
        Labels of the table without a row, or rows without a label of the table.
    """
    R, new_regions = _matrix(regions, table.regions, "region")
    S, new_sectors = _matrix(sectors, table.sectors, "sector")
    G = csr_array(kron(R, S, format="csr"))
    H, final_regions = _final(R, new_regions, table)
    K = csr_array(kron(csr_array(H), eye_array(table.Y.sizes["category"]), format="csr"))
    meta = dict(table.meta)
    output = meta.pop("output", None)
    meta.pop("grades", None)  # of cells that are no more
    history = f"aggregated to {len(new_regions)} regions × {len(new_sectors)} sectors"
    result = IOTable.from_arrays(
        _both_sides(G, table.Z),
        G @ table.y @ K.T,
        {name: G @ values for name, values in table.inputs.items()},
        regions=new_regions,
        sectors=new_sectors,
        final_regions=final_regions,
        categories=table.categories,
        country=_countries(R, new_regions, table),
        sector_names={**table.sector_names, **(sector_names or {})},
        final_inputs={name: K @ paid for name, paid in table.paid_by_final_users.items()},
        stressors={name: (known_sums(G, values), unit) for name, (values, unit) in table.stressors.items()},
        meta={**meta, "history": (*meta["history"], history)},
    )
    return result if output is None else result.with_output(G @ output.values.ravel())


def known_sums(G: csr_array, values: Array) -> Array:
    """Return G·values with NaN wherever a part with weight is NaN: unknown plus known is unknown."""
    unknown = np.isnan(values)
    sums = G @ np.where(unknown, 0.0, values)
    return np.where(G @ unknown.astype(float) > 0, np.nan, sums)


def _both_sides(G: csr_array, Z: Matrix) -> Matrix:
    product = (G @ (G @ csr_array(Z)).T).T
    return product if issparse(Z) else product.toarray()


def _long(concordance: Concordance, dim: str) -> pd.DataFrame:
    if isinstance(concordance, (str, os.PathLike)):
        frame = read_concordance(concordance)
    elif isinstance(concordance, pd.DataFrame):
        frame = concordance
    elif not isinstance(concordance, Mapping):
        raise ConcordanceError(f"{dim} concordance: a mapping, a long table or a path is needed, not {concordance!r}.")
    else:
        frame = pd.DataFrame({"from": list(concordance.keys()), "to": list(concordance.values())})
    if not {"from", "to"} <= set(frame):
        raise ConcordanceError(f"{dim} concordance: it needs the columns from and to, and has {first_few(frame)}.")
    frame = frame.assign(weight=1.0) if "weight" not in frame else frame
    weights = pd.to_numeric(frame["weight"], errors="coerce").to_numpy(dtype=np.float64)
    bad = frame[~(np.isfinite(weights) & (weights >= 0))]
    if len(bad):
        raise ConcordanceError(f"{dim} concordance: weights of {first_few(bad['from'])} are not numbers ≥ 0.")
    if frame.duplicated(["from", "to"]).any():
        twice = frame[frame.duplicated(["from", "to"])]
        raise ConcordanceError(f"{dim} concordance: {first_few(twice['from'])} has the same row twice.")
    return frame.assign(weight=weights)


def _matrix(concordance: Concordance | None, old: Sequence[str], dim: str) -> tuple[csr_array, tuple[str, ...]]:
    """Return the weights, shape (new, old), with the new labels in the order they first appear."""
    if concordance is None:
        return csr_array(eye_array(len(old))), tuple(old)
    frame = _long(concordance, dim)
    labels.require_same(list(old), list(dict.fromkeys(frame["from"])), dim, ("the table", "the concordance"))
    totals = frame.groupby("from", sort=False)["weight"].sum()
    off = totals[(totals - 1.0).abs() > _TOLERANCE]
    if len(off):
        raise ConcordanceError(
            f"{dim} concordance: the weights of {first_few(off.index)} sum to {first_few(off.round(6))}, not to one."
        )
    new = tuple(dict.fromkeys(frame["to"]))
    rows, columns = [new.index(label) for label in frame["to"]], [list(old).index(label) for label in frame["from"]]
    return csr_array((frame["weight"], (rows, columns)), shape=(len(new), len(old))), new


def _countries(R: csr_array, new: Sequence[str], table: IOTable) -> dict[str, str]:
    owners = np.array([table.country[region] for region in table.regions])
    result = {}
    for i, region in enumerate(new):
        members = set(owners[R[[i]].indices])
        whole = members and set(owners[R.indices]) and region not in table.country.values()
        result[region] = members.pop() if whole and len(members) == 1 else region
    return result


def _final(R: csr_array, new: Sequence[str], table: IOTable) -> tuple[Array, tuple[str, ...]]:
    """Return the weights of final regions, shape (new countries, old final regions)."""
    country = _countries(R, new, table)
    new_final = tuple(dict.fromkeys(country[region] for region in new))
    columns = []
    for old in table.final_regions:
        own = [i for i, region in enumerate(table.regions) if table.country[region] == old]
        shares = np.array([[float(R[j, i]) for i in own] for j in range(len(new))])
        merged = np.array([shares[[country[r] == c for r in new]].sum(axis=0) for c in new_final])
        if np.ptp(merged, axis=1).max(initial=0.0) > _TOLERANCE:
            raise ConcordanceError(
                f"the regions of {old} go to different countries, so its final demand has no single home: "
                "map them to regions of one country."
            )
        columns.append(merged[:, 0])
    if not columns:
        raise LabelError("the table has no final regions.")
    return np.array(columns).T, new_final
