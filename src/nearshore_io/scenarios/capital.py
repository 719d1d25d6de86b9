"""Capital expenditure as purchases: assets, margins and taxes, products, origins."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import ShockError
from nearshore_io.shipped import shipped
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Spending:
    """Capital expenditure by product and origin, with what stays with the tax office.

    Attributes
    ----------
    demand : Δf, sparse (n, m), in the host's capital formation. Money.
    taxes : product taxes on it; with 1ᵀΔf they sum to the expenditure. Money.
    """

    demand: csr_array
    taxes: float


@cache
def capital_assets() -> Mapping[str, Any]:
    """Return the shipped bridge from assets to products, ``tables/capital-assets.toml``."""
    with shipped("tables", "capital-assets.toml").open("rb") as file:
        return tomllib.load(file)["asset"]  # type: ignore[no-any-return]


def capital_formation(
    table: IOTable,
    host: str,
    amount: float,
    category: str,
    *,
    profile: Mapping[str, float] | None = None,
    assets: Mapping[str, float] | None = None,
) -> Spending:
    """Return what capital expenditure in a country buys, and where.

        g^pp = B α I,   g^bp = M g^pp,   Δf_(k,i) = θ_(k,i) g^bp_i,   1ᵀΔf + taxes = I,

    B the bridge from assets to products, M what margins and taxes leave of a purchase (margins go to trade and
    transport), θ the origins of the host's capital formation.

    Parameters
    ----------
    amount : I, at purchasers' prices. Money.
    profile : shares of I by product at basic prices, in the place of assets. By default the host's own mix.
    assets : α, shares of I by asset of `capital_assets`.

    Raises
    ------
    ShockError
        A product the host does not buy for capital formation; an asset nobody knows.
    """
    region = labels.position(host, table.final_regions, "final_region")
    use = region * table.Y.sizes["category"] + labels.position(category, table.categories, "category")
    column = np.maximum(table.y[:, use], 0.0)
    taxes = 0.0
    if assets is not None:
        profile, taxes = _products(assets)
    if profile is None:
        if not column.sum() > 0:
            raise ShockError(f"{host} has no capital formation ({category}) in the table; give a profile.")
        shares = np.asarray(column / column.sum())
    else:
        shares = _shares(table, column, profile, host)
    rows = np.flatnonzero(shares)
    demand = csr_array((amount * shares[rows], (rows, np.full(rows.size, use))), shape=table.y.shape)
    return Spending(demand, amount * taxes)


def _products(assets: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """Return shares of the expenditure by product at basic prices, and the share of product taxes."""
    known = capital_assets()
    profile: dict[str, float] = {}
    taxes = 0.0
    for asset, share in assets.items():
        labels.position(asset, list(known), "asset")
        entry = known[asset]
        taxes += share * entry["taxes"]
        parts = {name: part * (1.0 - entry["margins"] - entry["taxes"]) for name, part in entry["products"].items()}
        for name, part in entry["margin_products"].items():
            parts[name] = parts.get(name, 0.0) + part * entry["margins"]
        for name, part in parts.items():
            profile[name] = profile.get(name, 0.0) + share * part
    return {name: share for name, share in profile.items() if share > 0}, taxes


def _shares(table: IOTable, column: Array, profile: Mapping[str, float], host: str) -> Array:
    """Return shares by supplying industry, shape (n,), summing to the shares of the profile."""
    shares = np.zeros(table.n)
    for sector, share in profile.items():
        rows = table.positions(sector=sector)
        bought = column[rows]
        if share > 0 and not bought.sum() > 0:
            raise ShockError(
                f"{host} buys no {sector} for capital formation, so its origin is unknown. "
                "Leave it out, or put its share on a product that is bought."
            )
        shares[rows] += share * bought / bought.sum() if share > 0 else 0.0
    return shares
