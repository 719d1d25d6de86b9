"""Sectors and regions split by proxy, known cells put in, and the rest sampled for a band."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, issparse, vstack

from nearshore_io import labels
from nearshore_io.balance import Balanced, kras
from nearshore_io.calibration.system import System, constraint_matrix
from nearshore_io.calibration.targets import Target
from nearshore_io.errors import BalanceError, ConcordanceError, LabelError, first_few
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable

Weights = Mapping[str, float] | Mapping[str, Mapping[str, float]]
"""Output shares of the parts: for all regions (or sectors) alike, or by region (or sector)."""


@dataclass(frozen=True)
class Split:
    """A table with something split.

    Attributes
    ----------
    table : the split table; aggregated, it is ``parent``. parent : the table before. parts : the new labels.
    weights : share of every part in what it was split from, (new industries, old industries): S.
    known, exchange_rates : what was put in.
    fit : the balancing that put known cells in; None where none were given.
    """

    table: IOTable
    parent: IOTable
    parts: tuple[str, ...]
    weights: csr_array
    known: tuple[Target, ...] = ()
    exchange_rates: Mapping[str, float] | None = None
    fit: Balanced | None = None

    def sample(self, draws: int, seed: int, spread: float = 0.3) -> Iterator[IOTable]:
        """Yield tables whose free cells vary: a band for what the split cannot know.

        Cells of the parts are drawn lognormally around the proxy, with a relative standard deviation ``spread``, and
        balanced: each draw aggregates to the parent, has the same outputs, and the known cells.

        Source: Wolsky (1984), Review of Economics and Statistics 66, 283–291; Lindner, Legault & Guan (2012), Economic
        Systems Research 24, 329–347.
        """
        generator = np.random.default_rng(seed)
        sigma = np.sqrt(np.log1p(spread**2))
        for _ in range(draws):
            noise = np.exp(generator.normal(-(sigma**2) / 2, sigma, System(self.table).shape))
            yield _balanced(self, noise)[0]


def split_sector(
    table: IOTable,
    sector: str,
    into: Weights,
    *,
    names: Mapping[str, str] | None = None,
    known: Sequence[Target] = (),
    exchange_rates: Mapping[str, float] | None = None,
) -> Split:
    """Return the table with a sector split: rows z_(k)j = w_k z_j, columns z_i(l) = w_l z_i, own flows w_k w_l z.

    Parameters
    ----------
    into : output shares w of the parts, summing to one; one set for all regions, or one by region.
    known : totals of the parts that are known; the other cells of the parts move, the parent does not.

    Notes
    -----
    Σ_k z_(k)j = z_j, Σ_l z_i(l) = z_i and Σ_kl z_(k)(l) = z hold exactly: aggregation returns the parent. By proxy
    alone the parts have the same multipliers; only known cells tell them apart.

    Raises
    ------
    LabelError
        Unknown sector or regions; new names that are taken.
    ConcordanceError
        Shares that are negative or do not sum to one.
    ConflictError
        Known totals the parts cannot have.

    Source: Wolsky (1984); Lindner, Legault & Guan (2012).
    """
    labels.position(sector, table.sectors, "sector")
    shares, parts = _shares(into, table.regions, "region")
    if taken := [part for part in parts if part in table.sectors and part != sector]:
        raise LabelError(f"into: {first_few(taken)} is a sector of the table already.")
    at = table.sectors.index(sector)
    sectors = [*table.sectors[:at], *parts, *table.sectors[at + 1 :]]
    pairs = [
        ((r, sectors.index(new)), (r, s), shares[region][new] if old == sector else 1.0)
        for r, region in enumerate(table.regions)
        for s, old in enumerate(table.sectors)
        for new in (parts if old == sector else (old,))
    ]
    S = _matrix(pairs, len(table.regions), len(sectors), len(table.sectors))
    result = _applied(
        table, S, table.regions, sectors, table.country, names or {}, f"{sector} split into {', '.join(parts)}"
    )
    return _with_known(Split(result, table, parts, S), known, exchange_rates)


def split_region(
    table: IOTable,
    region: str,
    into: Weights,
    *,
    known: Sequence[Target] = (),
    exchange_rates: Mapping[str, float] | None = None,
) -> Split:
    """Return the table with a region split into accounts of the same country, by proxy as in `split_sector`.

    Parameters
    ----------
    into : output shares of the parts, summing to one; one set for all sectors, or one by sector.

    Raises
    ------
    LabelError, ConcordanceError, ConflictError
        As `split_sector`.
    """
    labels.position(region, table.regions, "region")
    shares, parts = _shares(into, table.sectors, "sector")
    if taken := [part for part in parts if part in table.regions and part != region]:
        raise LabelError(f"into: {first_few(taken)} is a region of the table already.")
    at = table.regions.index(region)
    regions = [*table.regions[:at], *parts, *table.regions[at + 1 :]]
    pairs = [
        ((regions.index(new), s), (r, s), shares[sector][new] if old == region else 1.0)
        for r, old in enumerate(table.regions)
        for s, sector in enumerate(table.sectors)
        for new in (parts if old == region else (old,))
    ]
    S = _matrix(pairs, len(regions), len(table.sectors), len(table.sectors))
    country = {name: table.country[region if name in parts else name] for name in regions}
    result = _applied(table, S, regions, table.sectors, country, {}, f"{region} split into {', '.join(parts)}")
    return _with_known(Split(result, table, parts, S), known, exchange_rates)


def _shares(into: Weights, over: Sequence[str], dim: str) -> tuple[dict[str, Mapping[str, float]], tuple[str, ...]]:
    """Return shares of the parts by region or sector, checked, and the parts."""
    nested = {key: value for key, value in into.items() if isinstance(value, Mapping)}
    alike = {key: value for key, value in into.items() if not isinstance(value, Mapping)}
    if nested and alike:
        raise ConcordanceError(f"into: shares of all {dim}s alike, or by {dim}; not some of each.")
    if nested:
        labels.require_same(list(over), list(nested), dim, ("the table", "into"))
    sets: dict[str, Mapping[str, float]] = nested or dict.fromkeys(over, alike)
    parts = tuple(next(iter(sets.values())))
    for place, shares in sets.items():
        values = np.array(list(shares.values()), dtype=float)
        if set(shares) != set(parts) or not np.isfinite(values).all() or (values < 0).any():
            raise ConcordanceError(f"into: {place} needs a share ≥ 0 of each of {', '.join(parts)}.")
        if abs(values.sum() - 1) > 1e-9:
            raise ConcordanceError(f"into: the shares of {place} sum to {values.sum():.10g}, not to one.")
    if len(parts) < 2:
        raise ConcordanceError("into: a split needs two parts or more.")
    return sets, parts


def _matrix(
    pairs: list[tuple[tuple[int, int], tuple[int, int], float]], regions: int, width: int, old_width: int
) -> csr_array:
    rows = [r * width + s for (r, s), _, _ in pairs]
    columns = [r * old_width + s for _, (r, s), _ in pairs]
    old = max(columns) + 1
    return csr_array(([share for _, _, share in pairs], (rows, columns)), shape=(regions * width, old))


def _applied(
    table: IOTable,
    S: csr_array,
    regions: Sequence[str],
    sectors: Sequence[str],
    country: Mapping[str, str],
    names: Mapping[str, str],
    note: str,
) -> IOTable:
    """Return Z' = S Z Sᵀ, Y' = S Y, v' = v Sᵀ."""
    flows = table.Z if issparse(table.Z) else np.asarray(table.Z)
    Z = (S @ (S @ flows).T).T
    return IOTable.from_arrays(
        csr_array(Z) if issparse(table.Z) else np.asarray(Z),
        S @ table.y,
        {name: S @ v for name, v in table.inputs.items()},
        regions=regions,
        sectors=sectors,
        final_regions=table.final_regions,
        categories=table.categories,
        country=country,
        sector_names={**table.sector_names, **names},
        final_inputs=table.paid_by_final_users,
        stressors={name: (_shared_out(S, v), unit) for name, (v, unit) in table.stressors.items()},
        meta=table.moved(note),
    )


def _shared_out(S: csr_array, values: Array) -> Array:
    """Return a stressor of the parts; where that of the whole is not known, neither is theirs."""
    unknown = np.isnan(values)
    return np.where(S @ unknown > 0, np.nan, S @ np.where(unknown, 0.0, values))


def _with_known(split: Split, known: Sequence[Target], rates: Mapping[str, float] | None) -> Split:
    if not known:
        return split
    asked = replace(split, known=tuple(known), exchange_rates=rates)
    table, fit = _balanced(asked, None)
    return replace(asked, table=table, fit=fit)


def _balanced(split: Split, noise: Array | None) -> tuple[IOTable, Balanced]:
    """Return the split table with known cells, free cells scaled, outputs and the parent's cells as they are.

    Only cells that belong to parts are free. Each group of them that was one cell of the parent sums to it; each part's
    sales and inputs sum to its output.
    """
    table, S = split.table, split.weights
    system = System(table, split.exchange_rates or {})
    n, inputs = table.n, len(table.inputs)
    parent = S.indices  # every new industry has one it was split from
    alone = np.bincount(parent, minlength=split.parent.n)[parent] == 1
    M = system.matrix
    free = np.zeros(M.shape, dtype=bool)
    free[:n][~alone] = True
    free[:, :n][:, ~alone] = True
    start = np.where(free, M if noise is None else M * noise, 0.0)
    old_rows = np.append(parent, split.parent.n + np.arange(inputs))
    old_columns = np.append(parent, split.parent.n + np.arange(table.y.shape[1]))
    width = split.parent.n + table.y.shape[1]
    rows, columns = np.nonzero(free & (M != 0))
    group = old_rows[rows] * width + old_columns[columns]
    groups, owners = np.unique(group, return_inverse=True)
    cells = rows * M.shape[1] + columns
    sums = csr_array((np.ones(len(cells)), (owners, cells)), shape=(len(groups), M.size))
    parts = [sums]
    wanted = [sums @ M.ravel()]
    names = [f"parent cell {g}" for g in groups]
    held = M.ravel() * ~free.ravel()
    listed = [system.of(target) for target in split.known]
    for row in listed:
        if not free.ravel()[row.cells].any():
            raise BalanceError(
                f"known: {row.target.name!r} is about nothing that was split ({', '.join(split.parts)})."
            )
    if listed:
        G = constraint_matrix(listed, M.size)
        parts.append(G)
        wanted.append(np.array([row.wanted for row in listed]) - G @ held)
        names += [row.target.name for row in listed]
    part = np.flatnonzero(~alone & (table.x.values.ravel() != 0))
    row_targets, column_targets = np.full(M.shape[0], np.nan), np.full(M.shape[1], np.nan)
    row_targets[part], column_targets[part] = M[part].sum(axis=1), M[:, part].sum(axis=0)
    fit = kras(
        start, rows=row_targets, columns=column_targets, constraints=csr_array(vstack(parts)),
        values=np.concatenate(wanted), names=names, rtol=1e-8, maxiter=20_000,
    )  # fmt: skip
    found = np.where(free, np.asarray(fit.Z), M)
    result = table.with_numbers(
        Z=csr_array(found[:n, :n]) if issparse(table.Z) else found[:n, :n],
        Y=found[:n, n:],
        inputs={name: found[n + i, :n] for i, name in enumerate(table.inputs)},
    )
    return result, fit
