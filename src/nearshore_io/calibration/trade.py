"""Trade by product and partner that agrees with every region's exports and imports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from nearshore_io.balance import Balanced, kras, ras
from nearshore_io.solvers.base import Array, Flags, Positions

USES = ("intermediate", "final")


@dataclass(frozen=True)
class Known:
    """One thing known of trade: a weighted sum of cells, its value and its standard deviation.

    Attributes
    ----------
    name : what it is, for reports. cells : boolean, (exporter, product, importer, use). value, spread : million USD.
    """

    name: str
    cells: Flags
    value: float
    spread: float


@dataclass(frozen=True)
class Trade:
    """Trade X, shape (exporter, product, importer, use), and how it was reached."""

    X: Array
    fit: Balanced
    known: tuple[Known, ...]


def estimate(
    prior: Array,
    exports: Array,
    imports: Array,
    known: Sequence[Known],
    *,
    slack: Array,
    regions: Sequence[str],
    products: Sequence[str],
    rtol: float = 1e-6,
) -> Trade:
    """Return the trade nearest to a prior that meets exports, imports by use, and what else is known.

    Parameters
    ----------
    prior : shape (K, N, K, 2): exporter, product, importer, use. exports : (K, N). imports : (K, N, 2).
    slack : standard deviation of exports, (K, N); imports must hold. regions, products : names, for errors.

    Raises
    ------
    ConflictError
        If what must hold cannot hold together.

    Source: Lenzen, Gallego & Wood (2009), for conflicting information.
    """
    K, N = exports.shape
    start = np.where((exports > 0)[:, :, None, None] & (imports > 0).transpose(1, 0, 2)[None], prior, 0.0)
    matrix = start.reshape(K * N, K * 2)
    index = np.arange(matrix.size).reshape(start.shape)
    rows: list[Positions] = []
    values: list[float] = []
    spreads: list[float] = []
    names: list[str] = []
    for importer, product, use in np.ndindex(K, N, 2):
        if imports[importer, product, use] > 0:
            rows.append(index[:, product, importer, use])
            values.append(float(imports[importer, product, use]))
            spreads.append(0.0)
            names.append(f"imports of {products[product]} by {regions[importer]}, {USES[use]} use")
    for item in known:
        rows.append(index[item.cells])
        values.append(item.value)
        spreads.append(item.spread)
        names.append(item.name)
    cells = np.concatenate(rows)
    owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    G = csr_array((np.ones(len(cells)), (owners, cells)), shape=(len(rows), matrix.size))
    fit = kras(
        matrix,
        rows=exports.ravel(),
        constraints=G,
        values=values,
        spread=np.concatenate([slack.ravel(), np.zeros(K * 2), spreads]),
        names=names,
        rtol=rtol,
    )
    return Trade(np.asarray(fit.Z).reshape(start.shape), fit, tuple(known))


def pairs(partners: Array, exports: Array, imports: Array) -> Array:
    """Return trade between regions in the valuation of the accounts: customs totals scaled to exports and imports.

    Parameters
    ----------
    partners : customs trade, (exporter, importer). exports, imports : totals of the same products in the accounts.
    """
    return np.asarray(ras(partners, rows=exports, columns=imports * (exports.sum() / imports.sum())).Z)


def shared_out(use: Array, flows: Array, patterns: Mapping[int, Array], domestic: float) -> Array:
    """Return uses of one product by origin, (origins + 1, users): imports by partner, and domestic last.

    Each user keeps its total, each partner its flow; partners are used in proportion to use, or in a pattern of their
    own, and domestic products fill up.

    Parameters
    ----------
    use : ≥ 0, (users,). flows : by partner, (origins,). domestic : what is left for domestic products.
    patterns : shares over users of a partner's deliveries, by its position.
    """
    total = use.sum()
    if total == 0:
        return np.zeros((len(flows) + 1, len(use)))
    prior = np.outer(np.append(flows, domestic), use / total)
    for partner, pattern in patterns.items():
        fitting = np.where(use > 0, pattern, 0.0)
        if fitting.sum() > 0:
            # a tenth of the proportional pattern keeps every user reachable
            prior[partner] = flows[partner] * (0.9 * fitting / fitting.sum() + 0.1 * use / total)
    return np.asarray(ras(prior, rows=prior.sum(axis=1), columns=use, totals="rows", rtol=1e-9).Z)
