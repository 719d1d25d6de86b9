"""A world table from national tables: trade given partners, users given origins, and everything balanced once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from nearshore_io.balance import Balanced, gras
from nearshore_io.balance.fit import Progress
from nearshore_io.calibration.national import CATEGORIES, RegionAccounts, closed, read_regions, together
from nearshore_io.calibration.trade import Known, Trade, estimate, pairs, shared_out
from nearshore_io.classifications import industry_names, links, list_of
from nearshore_io.concordance import read_concordance
from nearshore_io.errors import BalanceError, FormatError, first_few
from nearshore_io.readers.baci import GoodsTrade, read_goods_trade
from nearshore_io.readers.import_matrices import read_import_matrix
from nearshore_io.readers.wiod import read_wiod
from nearshore_io.shipped import shipped
from nearshore_io.solvers.base import Array, Flags
from nearshore_io.table import IOTable

EXPORT_TAXES = "TXS_EXPO"
"""A category of final use without purchases: the exporter's product taxes on exports stand there, so GDP is whole."""
_GRAVITY = 0.02
"""Weight of trade proportional to exports and imports in the prior: what was not traded in 2011 may be now."""


class WorldData(BaseModel):
    """Where a world table is built from; paths are relative to the folder of raw data.

    Attributes
    ----------
    national_tables : folder of OECD's national tables. year : of the table.
    regions : concordance of economies to regions. others : the region that takes in economies without a table.
    donors : economies whose structure those have. goods_trade : folder of bilateral goods trade and GDP.
    structure : a WIOD table that says who buys which product from whom. structure_regions : its concordance.
    import_matrices : folder. importer : whose they are. partners : regions of each partner in them.
    held : partner regions whose products must be met; the others give patterns of use only.
    goods : products that customs count.
    pair_spread, export_spread : standard deviations of pairs and of exports, relative to the value.
    held_pair_spread : of pairs of the importer and the held partners. held_export_spread : of exports of the latter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    national_tables: str
    year: int
    regions: str
    others: str
    donors: tuple[str, ...]
    goods_trade: str
    structure: str
    structure_regions: str
    import_matrices: str
    importer: str
    partners: Mapping[str, tuple[str, ...]]
    held: tuple[str, ...]
    goods: tuple[str, ...]
    pair_spread: float = 0.1
    export_spread: float = 0.01
    held_pair_spread: float = 0.02
    held_export_spread: float = 0.1


@dataclass(frozen=True)
class World:
    """A world table, the trade in it, and what its making met.

    ``gdp`` and ``exports``, (regions, products), are what the national tables say; ``oddities`` what was odd about the
    sources.
    """

    table: IOTable
    trade: Trade
    fit: Balanced
    gdp: Mapping[str, float]
    exports: Array
    oddities: tuple[str, ...]


@dataclass(frozen=True)
class _Matrices:
    """Import matrices on the table's industries, by partner, (N, N); and partner regions in order."""

    by_partner: Mapping[str, Array]
    patterns: Mapping[int, Array]
    oddities: tuple[str, ...]


def build_world(raw: Path, data: WorldData, progress: Progress | None = None) -> World:
    """Return a balanced world table from national tables, customs trade, a structure and import matrices.

    1. National accounts are added up by region, and trade is closed over the world (`closed`).
    2. Trade X by exporter, product, importer and use is estimated (`estimate`): exports and imports of the accounts,
       goods trade of pairs of regions, and the importer's matrices, from the structure's pattern.
    3. Users' purchases of a product get origins: each partner's deliveries in proportion to use, or in the matrices'
       pattern; domestic products fill up (`shared_out`).
    4. GRAS brings rows to output and columns to output less value added and taxes, both as published.

    Raises
    ------
    StorageError, FormatError
        A raw file that is missing or damaged.
    ConflictError
        Information that must hold and cannot.
    """
    mapping = read_concordance(shipped("tables", "concordances", data.regions))
    owners = dict(zip(mapping["from"], mapping["to"], strict=True))
    regions, economies, industries = read_regions(raw / data.national_tables, data.year, owners)
    customs = read_goods_trade(raw / data.goods_trade)
    world = closed(regions, [economies[code] for code in data.donors], _gdp_beyond(customs, economies))
    accounts = dict(world.regions)
    accounts[data.others] = together([accounts[data.others], world.beyond])
    order = tuple(accounts)
    matrices = _matrices(raw, data, order, industries, regions[data.importer])
    trade, missing = _trade(raw, data, order, industries, accounts, customs, owners, matrices)
    Z, Y = _origins(accounts, order, industries, trade.X, order.index(data.importer), matrices.patterns)
    n = len(Z)
    output = np.concatenate([accounts[region].output for region in order])
    value_added = np.concatenate([accounts[region].value_added for region in order])
    taxes = np.concatenate([accounts[region].taxes for region in order])
    fit = gras(
        np.hstack([Z, Y]),
        rows=output,
        columns=np.concatenate([output - value_added - taxes, np.full(Y.shape[1], np.nan)]),
        rtol=1e-9,
        progress=progress,
    )
    table = _table(data, order, industries, accounts, fit.Z[:, :n], fit.Z[:, n:], value_added, taxes)
    booked = (
        f"{world.given_products.sum():,.0f} million USD of imports without a product were given products in "
        "proportion to what the regions sell abroad beyond what they buy; uses of these products are higher by so much "
        "than published: "
        + first_few(f"{industries[p]} {world.given_products[p]:,.0f}" for p in np.argsort(-world.given_products)[:8])
    )
    beyond = (
        f"economies without a table: GDP {world.beyond.gdp:,.0f} million USD, from their GDP of the trade file's year"
    )
    exports = np.array([accounts[region].exports for region in order])
    oddities = (*matrices.oddities, *missing, booked, beyond)
    return World(table, trade, fit, {region: account.gdp for region, account in accounts.items()}, exports, oddities)


def _gdp_beyond(customs: GoodsTrade, economies: Mapping[str, RegionAccounts]) -> float:
    """Return the GDP of economies without a table, moved to the tables' year as the others' GDP moved."""
    known = dict(zip(customs.economies, customs.gdp, strict=True))
    both = [code for code in economies if np.isfinite(known.get(code, np.nan))]
    ratio = sum(economies[code].gdp for code in both) / sum(known[code] for code in both)
    return float(ratio * sum(gdp for code, gdp in known.items() if code not in economies and np.isfinite(gdp)))


def _matrices(
    raw: Path, data: WorldData, order: tuple[str, ...], industries: tuple[str, ...], importer: RegionAccounts
) -> _Matrices:
    list_name = list_of(industries)
    by_partner: dict[str, Array] = {}
    patterns: dict[int, Array] = {}
    oddities = []
    for partner, members in data.partners.items():
        matrix = read_import_matrix(raw / data.import_matrices, partner, data.year)
        flows = matrix.on(industries, list_name, importer.imports, importer.output)
        by_partner[partner] = flows
        below = flows < 0
        if below.any():
            largest = np.argsort(np.where(below, flows, 0).sum(axis=1))[:3]
            oddities.append(
                f"import matrix of {partner}: {int(below.sum())} negative cells, {flows[below].sum():,.0f} million USD "
                f"in all, largest in {first_few(industries[i] for i in largest)}; not used in patterns"
            )
        for region in members:
            patterns[order.index(region)] = np.where(below, 0.0, flows)
    return _Matrices(by_partner, patterns, tuple(oddities))


def _trade(
    raw: Path,
    data: WorldData,
    order: tuple[str, ...],
    industries: tuple[str, ...],
    accounts: Mapping[str, RegionAccounts],
    customs: GoodsTrade,
    owners: Mapping[str, str],
    matrices: _Matrices,
) -> tuple[Trade, tuple[str, ...]]:
    exports = np.array([accounts[region].exports for region in order])
    imports = np.array([_by_use(accounts[region]) for region in order])
    whole = np.array([list(owners.values()).count(region) > 1 for region in order])  # several economies: they trade
    prior = _prior(raw, data, order, industries, exports, imports, whole)
    goods = np.array([industries.index(code) for code in data.goods])
    partners = customs.among(owners, order, data.others)
    inside = np.eye(len(order), dtype=bool) & ~whole
    unknown = np.isnan(partners) & ~inside
    guess = prior[:, goods].sum(axis=(1, 3))
    guess *= np.nansum(partners) / guess[np.isfinite(partners)].sum()
    basic = pairs(
        np.where(inside, 0.0, np.where(unknown, guess, partners)),
        exports[:, goods].sum(axis=1),
        imports[:, goods].sum(axis=(1, 2)),
    )
    known, notes = _held(data, order, industries, prior.shape, matrices)
    held = {data.importer, *data.held}
    for i, j in np.argwhere(~inside & ~unknown):
        cells = np.zeros(prior.shape, dtype=bool)
        cells[i, goods, j] = True
        both = {order[i], order[j]} <= held
        spread = (data.held_pair_spread if both else data.pair_spread) * basic[i, j]
        known.append(Known(f"goods {order[i]} to {order[j]}", cells, float(basic[i, j]), float(spread)))
    slack = exports * data.export_spread
    for region in data.held:
        slack[order.index(region)] = exports[order.index(region)] * data.held_export_spread
    trade = estimate(prior, exports, imports, known, slack=slack, regions=order, products=industries)
    if unknown.any():
        listed = [f"{order[i]} to {order[j]}" for i, j in np.argwhere(unknown)]
        notes.append(f"no customs trade between regions, taken from the structure instead: {first_few(listed, 40)}")
    return trade, tuple(notes)


def _by_use(account: RegionAccounts) -> Array:
    """Return imports of intermediate and of final use, in proportion to use, (N, 2)."""
    within, final = account.Z.sum(axis=1), np.maximum(account.F.sum(axis=1), 0.0)
    total = within + final
    share = np.divide(within, total, out=np.ones_like(within), where=total > 0)
    return np.column_stack([account.imports * share, account.imports * (1 - share)])


def _prior(
    raw: Path,
    data: WorldData,
    order: tuple[str, ...],
    industries: tuple[str, ...],
    exports: Array,
    imports: Array,
    whole: Flags,
) -> Array:
    """Return the structure's trade on the table's regions and products, and a little gravity, at today's size."""
    world = read_wiod(raw / data.structure, accounts=None)
    mapping = read_concordance(shipped("tables", "concordances", data.structure_regions))
    owners = dict(zip(mapping["from"], mapping["to"], strict=True))
    known = tuple(dict.fromkeys(owners.values()))
    G = np.array([[owners[region] == name for region in world.regions] for name in known], dtype=np.float64)
    width = len(world.sectors)
    flows = np.asarray(world.Z.toarray() if hasattr(world.Z, "toarray") else world.Z)
    within = flows.reshape(len(world.regions), width, len(world.regions), width).sum(axis=3)
    final = world.Y.values.sum(axis=3)
    uses = np.stack([np.einsum("ar,rpl,bl->apb", G, part, G) for part in (within, final)], axis=-1)
    at = [known.index(region if region in known else data.others) for region in order]
    to = links(list_of(industries), list_of(world.sectors))
    prior = np.empty((len(order), len(industries), len(order), 2))
    for p, code in enumerate(industries):
        rows = [world.sectors.index(other) for other in to[code]]
        prior[:, p] = np.maximum(uses[np.ix_(at, rows, at)].sum(axis=1), 0.0)
    sold = exports.sum(axis=0)
    gravity = np.einsum("kp,lpc->kplc", exports, imports) / np.where(sold > 0, sold, 1.0)[:, None, None]
    for i in np.flatnonzero(~whole):
        prior[i, :, i] = gravity[i, :, i] = 0.0
    size = prior.sum(axis=(0, 2, 3))
    scale = np.divide(gravity.sum(axis=(0, 2, 3)), size, out=np.zeros_like(size), where=size > 0)
    return np.asarray(prior * scale[:, None, None] + _GRAVITY * gravity)


def _held(
    data: WorldData, order: tuple[str, ...], industries: tuple[str, ...], shape: tuple[int, ...], matrices: _Matrices
) -> tuple[list[Known], list[str]]:
    """Return the products of held partners that must be met, and what could not be used."""
    known, notes = [], []
    importer = order.index(data.importer)
    for partner, members in data.partners.items():
        if len(members) != 1 or members[0] not in data.held:
            continue
        sums = matrices.by_partner[partner].sum(axis=1)
        for p, code in enumerate(industries):
            if code not in data.goods:
                continue
            name = f"intermediate imports of {data.importer} from {members[0]}: {code}"
            if sums[p] <= 0:
                notes.append(f"dropped: {name} = {sums[p]:,.0f} million USD is not positive")
                continue
            cells = np.zeros(shape, dtype=bool)
            cells[order.index(members[0]), p, importer, 0] = True
            known.append(Known(name, cells, float(sums[p]), 0.0))
    return known, notes


def _origins(
    accounts: Mapping[str, RegionAccounts],
    order: tuple[str, ...],
    industries: tuple[str, ...],
    X: Array,
    importer: int,
    patterns: Mapping[int, Array],
) -> tuple[Array, Array]:
    """Return intermediate and final flows by origin, (K·N, K·N) and (K·N, K·(categories + 1))."""
    K, N = X.shape[:2]
    width = len(CATEGORIES) + 1
    Z, Y = np.zeros((K, N, K, N)), np.zeros((K, N, K, width))
    for j, region in enumerate(order):
        account = accounts[region]
        final = np.maximum(account.F, 0.0)
        for p in range(N):
            own = {i: pattern[p] for i, pattern in patterns.items()} if j == importer else {}
            Z[:, p, j] += _spread(account.Z[p], X[:, p, j, 0], own, f"{region}, {industries[p]}")[:-1]
            Z[j, p, j] += account.Z[p] - Z[:, p, j].sum(axis=0)
            Y[:, p, j, :-1] += _spread(final[p], X[:, p, j, 1], {}, f"{region}, {industries[p]}")[:-1]
            Y[j, p, j, :-1] += account.F[p] - Y[:, p, j, :-1].sum(axis=0)
    # Exports that moved leave more or less at home: what is sold abroad is known better.
    for j, region in enumerate(order):
        sold = Z[j].sum(axis=(1, 2)) + Y[j].sum(axis=(1, 2))
        home = Z[j, :, j].sum(axis=1) + Y[j, :, j].sum(axis=1)
        wanted = home + accounts[region].output - sold
        scale = np.divide(wanted, home, out=np.ones(N), where=(home > 0) & (wanted > 0))
        Z[j, :, j] *= scale[:, None]
        Y[j, :, j] *= scale[:, None]
    Z[np.abs(Z) < 1e-9], Y[np.abs(Y) < 1e-9] = 0.0, 0.0  # rounding of a hundredth of a cent
    return Z.reshape(K * N, K * N), Y.reshape(K * N, K * width)


def _spread(use: Array, flows: Array, patterns: Mapping[int, Array], where: str) -> Array:
    domestic = float(use.sum() - flows.sum())
    if domestic < -1e-4 * max(use.sum(), 1.0):
        raise BalanceError(f"{where}: imports of {flows.sum():,.1f} are more than the use of {use.sum():,.1f}.")
    return shared_out(use, flows, patterns, max(domestic, 0.0))


def _table(
    data: WorldData,
    order: tuple[str, ...],
    industries: tuple[str, ...],
    accounts: Mapping[str, RegionAccounts],
    Z: Array,
    Y: Array,
    value_added: Array,
    taxes: Array,
) -> IOTable:
    paid = [np.append(accounts[region].final_taxes, accounts[region].export_taxes) for region in order]
    pay = np.concatenate([accounts[region].compensation for region in order])
    meta: dict[str, Any] = {
        "year": data.year,
        "unit": "million USD",
        "price_basis": "current basic prices",
        "value_added": "as published by industry",
        "history": (
            f"built from {len(read_concordance(shipped('tables', 'concordances', data.regions)))} national tables",
        ),
    }
    if not np.isfinite(Z).all():
        raise FormatError("the world table has cells that are not numbers.")
    return IOTable.from_arrays(
        Z,
        Y,
        {"value_added": value_added, "taxes_less_subsidies": taxes},
        regions=order,
        sectors=industries,
        final_regions=order,
        categories=(*CATEGORIES, EXPORT_TAXES),
        sector_names=industry_names(list_of(industries)),
        final_inputs={"taxes_less_subsidies": np.concatenate(paid)},
        stressors={"compensation": (pay, "million USD")},
        meta=meta,
    )
