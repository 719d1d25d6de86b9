"""Which cells of a table lie between countries."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.errors import ShockError, first_few
from nearshore_io.labels import Wanted
from nearshore_io.table import IOTable

Pair = Sequence[str]
Direction = Literal["both", "forward", "backward"]
DIRECTIONS = ("both", "forward", "backward")
EVERYBODY = "all"
"""As one of a pair: every country that is not the other."""


def checked_pairs(pairs: Any, what: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of countries as tuples; raise `ShockError` unless they are pairs of different names."""
    listed = pairs if isinstance(pairs, (list, tuple)) else ()
    good = [isinstance(p, (list, tuple)) and len(p) == 2 and all(isinstance(name, str) for name in p) for p in listed]
    if not listed or not all(good):
        raise ShockError(f'{what} pairs must be pairs of countries, [("USA", "MEX")], not {pairs!r}.')
    if any(first == second for first, second in listed):
        raise ShockError(f"{what} pairs: a country and itself are no pair.")
    return tuple((first, second) for first, second in listed)


def flows_between(
    table: IOTable, pairs: Sequence[Pair], direction: Direction, what: str
) -> list[tuple[set[str], set[str]]]:
    """Return sellers and buyers, as sets of countries, of every flow between the pairs.

    Raises
    ------
    LabelError, ShockError
        Unknown names; a country on both sides; a flow that is named twice.
    """
    found = []
    for first, second in pairs:
        one = table.countries_of(first) if first != EVERYBODY else set(table.countries) - table.countries_of(second)
        two = table.countries_of(second) if second != EVERYBODY else set(table.countries) - one
        if one & two:
            raise ShockError(f"{what} pairs: {first_few(sorted(one & two))} stands on both sides.")
        if direction in ("both", "forward"):
            found.append((one, two))
        if direction in ("both", "backward"):
            found.append((two, one))
    each = [(seller, buyer) for sellers, buyers in found for seller in sellers for buyer in buyers]
    if len(set(each)) < len(each):
        seller, buyer = next(flow for flow in each if each.count(flow) > 1)
        raise ShockError(f"{what} pairs: what {seller} sells to {buyer} is named twice.")
    return found


def final_uses(table: IOTable, countries: Collection[str]) -> list[int]:
    """Return the columns of final demand of some countries."""
    k = table.Y.sizes["category"]
    return [p * k + j for p, name in enumerate(table.final_regions) if name in countries for j in range(k)]


def on_trade(
    table: IOTable,
    sellers: Collection[str],
    buyers: Collection[str],
    sectors: Wanted | None,
    rate: float,
    uses: Collection[str] = ("intermediate", "final"),
) -> csr_array:
    """Return a rate on what some countries sell to others, sparse (n, n + m): to industries, to final uses."""
    rows = table.positions(sorted(sellers), sectors)
    columns = table.positions(sorted(buyers)) if "intermediate" in uses else np.zeros(0, dtype=np.intp)
    final = np.array(final_uses(table, buyers) if "final" in uses else [], dtype=np.intp) + table.n
    at = np.concatenate([columns, final])
    cells = (np.repeat(rows, len(at)), np.tile(at, len(rows)))
    return csr_array((np.full(len(rows) * len(at), rate), cells), shape=(table.n, table.n + table.y.shape[1]))
