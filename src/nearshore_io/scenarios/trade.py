"""Which cells of a table lie between regions."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ShockError, first_few
from nearshore_io.labels import Positions, Wanted
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

Pair = Sequence[str]
Direction = Literal["both", "forward", "backward"]
DIRECTIONS = ("both", "forward", "backward")
EVERYBODY = "all"
"""As one of a pair: every country that is not the other."""


def checked_pairs(pairs: Any, what: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of names as tuples; raise `ShockError` unless they are pairs of different names."""
    listed = pairs if isinstance(pairs, (list, tuple)) else ()
    good = [isinstance(p, (list, tuple)) and len(p) == 2 and all(isinstance(name, str) for name in p) for p in listed]
    if not listed or not all(good):
        raise ShockError(f'{what} pairs must be pairs of countries, [("USA", "MEX")], not {pairs!r}.')
    if any(first == second for first, second in listed):
        raise ShockError(f"{what} pairs: a country and itself are no pair.")
    return tuple((first, second) for first, second in listed)


def flows_between(
    table: IOTable, pairs: Sequence[Pair], direction: Direction, what: str
) -> list[tuple[Positions, Positions]]:
    """Return sellers and buyers, as positions of regions, of every flow between the pairs.

    Raises
    ------
    LabelError, ShockError
        Unknown names; a country on both sides (its trade with itself is domestic); a flow that is named twice.
    """
    found = []
    for first, second in pairs:
        one = _others(table, second) if first == EVERYBODY else table.region_positions(first)
        two = _others(table, first) if second == EVERYBODY else table.region_positions(second)
        both = _owners(table, one) & _owners(table, two)
        if both:
            raise ShockError(f"{what} pairs: {first_few(sorted(both))} stands on both sides.")
        if direction in ("both", "forward"):
            found.append((one, two))
        if direction in ("both", "backward"):
            found.append((two, one))
    each = [(seller, buyer) for sellers, buyers in found for seller in sellers.tolist() for buyer in buyers.tolist()]
    if len(set(each)) < len(each):
        seller, buyer = next(flow for flow in each if each.count(flow) > 1)
        raise ShockError(f"{what} pairs: what {table.regions[seller]} sells to {table.regions[buyer]} is named twice.")
    return found


def _owners(table: IOTable, regions: Positions) -> set[str]:
    return {table.country[table.regions[i]] for i in regions.tolist()}


def _others(table: IOTable, name: str) -> Positions:
    """Return the regions of every country that is not the one named."""
    owners = table.countries_of(name)
    return np.array([i for i, region in enumerate(table.regions) if table.country[region] not in owners], dtype=np.intp)


def industries_of(table: IOTable, regions: Positions, sectors: Wanted | None = None) -> Positions:
    """Return the positions of the industries of some regions, region by region."""
    width = len(table.sectors)
    chosen = np.arange(width) if sectors is None else table.sector_positions(sectors)
    return np.asarray((regions[:, None] * width + chosen).ravel(), dtype=np.intp)


def final_uses(table: IOTable, regions: Positions) -> list[int]:
    """Return the columns of final demand of the countries all of whose regions are among these."""
    here = set(regions.tolist())
    k = len(table.categories)
    return [place * k + j for place, own in enumerate(table.regions_of_final) if here.issuperset(own) for j in range(k)]


def chosen_uses(table: IOTable, final_region: str | None, category: str | None = None) -> Array:
    """Return one for the final uses of a country and category, or of all, zero for others, shape (m,). `LabelError`."""
    chosen = np.ones((table.Y.sizes["final_region"], table.Y.sizes["category"]))
    if final_region is not None:
        known = table.final_regions
        chosen[np.arange(len(known)) != labels.position(final_region, known, "final_region")] = 0.0
    if category is not None:
        known = table.categories
        chosen[:, np.arange(len(known)) != labels.position(category, known, "category")] = 0.0
    return np.asarray(chosen.ravel())


def sales_mix(table: IOTable, industries: Positions, chosen: Array) -> Array:
    """Return shares of sales over chosen final uses: as industries sell there now, else even; rows sum to one."""
    existing = np.maximum(table.y[industries], 0.0) * chosen
    sold = existing.sum(axis=1, keepdims=True) > 0
    totals = existing.sum(axis=1, keepdims=True)
    return np.asarray(np.where(sold, existing / np.where(sold, totals, 1.0), chosen / chosen.sum()))


def on_trade(
    table: IOTable,
    sellers: Positions,
    buyers: Positions,
    sectors: Wanted | None,
    rate: float,
    uses: Collection[str] = ("intermediate", "final"),
) -> csr_array:
    """Return a rate on what some regions sell to others, sparse (n, n + m): to industries, to final uses."""
    rows = industries_of(table, sellers, sectors)
    columns = industries_of(table, buyers) if "intermediate" in uses else np.zeros(0, dtype=np.intp)
    final = np.array(final_uses(table, buyers) if "final" in uses else [], dtype=np.intp) + table.n
    at = np.concatenate([columns, final])
    cells = (np.repeat(rows, len(at)), np.tile(at, len(rows)))
    return csr_array((np.full(len(rows) * len(at), rate), cells), shape=(table.n, table.n + table.y.shape[1]))
