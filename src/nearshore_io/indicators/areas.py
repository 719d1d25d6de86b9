"""A model seen by areas: countries, or one bloc of them among the other countries; the blocks of A and L by area."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from nearshore_io import labels
from nearshore_io.errors import LabelError, ShockError, first_few
from nearshore_io.labels import Positions, Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable

AT_ONCE = 1500
"""Columns of L that are solved for in one block: 51 MB at 4,250 industries."""


@dataclass(frozen=True, eq=False)
class Areas:
    """A model's industries grouped by area, and what the accounting of exports needs of A and L.

    Notation: s the exporter, r, t, j other areas; A_sr, L_ss = (I − A_ss)⁻¹, B = (I − A)⁻¹; n industries, G areas, n_s
    industries of s. Nothing larger than a few columns of B is formed; B itself never is.

    Attributes
    ----------
    names : of the areas.
    rows : positions of each area's industries.
    v : value added per output, shape (n,); with ``taxes`` folded in it is 1 − 1ᵀA.
    Y : final demand by area, shape (n, G).
    """

    model: Leontief
    names: tuple[str, ...]
    rows: tuple[Positions, ...]
    v: Array
    Y: Array

    @cached_property
    def x(self) -> Array:
        """Gross output, shape (n,)."""
        return np.asarray(self.model.table.x.values.ravel())

    @cached_property
    def owner(self) -> Positions:
        """Area of each industry, shape (n,)."""
        found = np.empty(len(self.x), dtype=np.intp)
        for area, rows in enumerate(self.rows):
            found[rows] = area
        return found

    @cached_property
    def members(self) -> csr_array:
        """One where an industry belongs to an area, sparse (n, G)."""
        n = len(self.x)
        return csr_array((np.ones(n), (np.arange(n), self.owner)), shape=(n, len(self.names)))

    def by_area(self, values: Array) -> Array:
        """Return a vector with a column for each area that holds its own part, (n, G); of (n, G), its own column."""
        spread = np.zeros((len(self.x), len(self.names)))
        own = values if values.ndim == 1 else values[np.arange(len(self.x)), self.owner]
        spread[np.arange(len(self.x)), self.owner] = own
        return spread

    def sold(self, s: int, quantity: Array) -> Array:
        """Return A_sr q_r for every r, shape (n_s, G), of outputs q, shape (n,); the column of s itself is zero."""
        found = np.add.reduceat(self.bought_from[s] * quantity[self.order], self.starts, axis=1)
        found[:, s] = 0.0
        return found

    @cached_property
    def order(self) -> Positions:
        """Positions of all industries, area by area."""
        return np.concatenate(self.rows)

    @cached_property
    def starts(self) -> Positions:
        """Where each area begins in `order`."""
        return np.cumsum([0, *(len(rows) for rows in self.rows[:-1])])

    @cached_property
    def bought_from(self) -> tuple[Array, ...]:
        """Coefficients of the sales of each area, A_s·, with columns in `order`, each (n_s, n)."""
        A = self.model.table.A
        return tuple(np.ascontiguousarray(dense(A[rows])[:, self.order]) for rows in self.rows)

    def final_exports(self, s: int) -> Array:
        """Return Y_sr for every r, shape (n_s, G); the column of s itself is zero."""
        found = self.Y[self.rows[s]].copy()
        found[:, s] = 0.0
        return found

    def exports(self, s: int) -> Array:
        """Return E_sr = A_sr x_r + Y_sr for every r, shape (n_s, G)."""
        return self.sold(s, self.x) + self.final_exports(s)

    @cached_property
    def exported(self) -> Array:
        """Return e_s = Σ_r E_sr of every area, in one vector, shape (n,)."""
        total = np.zeros(len(self.x))
        for s in range(len(self.names)):
            total[self.rows[s]] = self.exports(s).sum(axis=1)
        return total

    @cached_property
    def VB(self) -> Array:
        """v_t B by origin t, shape (G, n): one transposed block solve."""
        with self.model.naming_industries():
            return self.model.factors.solve_transposed(self.weights).T

    @cached_property
    def weights(self) -> Array:
        """V by origin, shape (n, G): each column an area's own value added per output, zero elsewhere."""
        return np.asarray((self.members * self.v[:, None]).toarray())

    def foreign(self, s: int) -> Array:
        """Return Σ_t≠s v_t B_ts, foreign value added per unit of an area's products, shape (n_s,)."""
        rows = self.rows[s]
        return np.asarray(self.VB[:, rows].sum(axis=0) - self.VB[s, rows])

    @cached_property
    def BY(self) -> Array:
        """Output for the final demand of each area, B Y, shape (n, G): one block solve."""
        with self.model.naming_industries():
            return self.model.factors.solve(self.Y)

    def columns(self, areas: Sequence[int]) -> Iterator[tuple[int, Array]]:
        """Yield each area with its columns of B, shape (n, n_s), by blocks of right-hand sides."""
        waiting: list[int] = []
        for position, s in enumerate(areas):
            waiting.append(s)
            full = sum(len(self.rows[k]) for k in waiting) >= AT_ONCE
            if full or position == len(areas) - 1:
                ones = np.concatenate([self.rows[k] for k in waiting])
                with self.model.naming_industries():
                    found = self.model.factors.inverse_columns(ones)
                edges = np.cumsum([0, *(len(self.rows[k]) for k in waiting)])
                for k, start, stop in zip(waiting, edges[:-1], edges[1:], strict=True):
                    yield k, found[:, start:stop]
                waiting = []

    @cached_property
    def local(self) -> tuple[Array, ...]:
        """L_ss = (I − A_ss)⁻¹ of every area, each (n_s, n_s)."""
        A = self.model.table.A
        found = []
        for rows in self.rows:
            found.append(np.asarray(np.linalg.inv(np.eye(len(rows)) - dense(A[rows][:, rows]))))
        return tuple(found)

    @cached_property
    def output_at_home(self) -> Array:
        """Output for an area's own final demand without trade in inputs, L_rr Y_rr, in one vector, shape (n,)."""
        return self.solved_locally(np.asarray(self.Y[np.arange(len(self.x)), self.owner]))

    def solved_locally(self, demand: Array) -> Array:
        """Return L_rr d_r for every area, of d, shape (n,) or (n, k)."""
        found = np.empty_like(demand)
        for rows, inverse in zip(self.rows, self.local, strict=True):
            found[rows] = inverse @ demand[rows]
        return found

    def total_exports_of(self, s: int) -> Array:
        """Return the exports of an area; raise `ShockError` where there are none at all."""
        found = self.exports(s)
        if not np.abs(found).sum() > 0:
            raise ShockError(f"{self.names[s]} exports nothing in this table: there is nothing to decompose.")
        return found


def whole_countries(table: IOTable, name: str) -> tuple[set[str], list[str]]:
    """Return the countries a name stands for, and the regions of theirs that it leaves out."""
    if name in table.countries:
        return {name}, []
    regions = {table.regions[i] for i in table.region_positions(name)}
    countries = {table.country[region] for region in regions}
    return countries, [r for r in table.regions if table.country[r] in countries and r not in regions]


def importers_beside(table: IOTable, exporter: str, importer: Wanted | None) -> list[str] | None:
    """Return the importers named that have nothing of the exporter, None for all; for one exporter among several.

    Raises
    ------
    ShockError
        If none is left.
    """
    if importer is None:
        return None
    own = set(table.region_positions(exporter))
    found = [name for name in labels.as_list(importer) if not own & set(table.region_positions(name))]
    if not found:
        raise ShockError(f"{exporter} does not import from itself: leave it out, or name more importers.")
    return found


def residual_value_added(table: IOTable) -> Array:
    """Return v = 1 − 1ᵀA, all that is no input, shape (n,)."""
    return np.asarray(1.0 - np.asarray(table.A.sum(axis=0)).ravel())


def areas_of(model: Leontief, exporters: Sequence[str], v: Array) -> tuple[Areas, list[int]]:
    """Return a model by areas in which each exporter is one, and the positions of the exporters.

    A country is an area of its own; a group named as exporter is one area in the place of its countries.

    Raises
    ------
    LabelError
        If a name is unknown, names a part of a country, or two exporters overlap.
    """
    table = model.table
    owner = {country: country for country in table.countries}
    for exporter in exporters:
        countries, parts = whole_countries(table, exporter)
        if parts:
            raise LabelError(
                f"exporter {exporter!r} is only a part of {first_few(sorted(countries))}: exports are what leaves a "
                f"country. Name the country ({first_few(parts)} is left out)."
            )
        for country in countries:
            if owner[country] != country:
                raise LabelError(
                    f"{country} is in two exporters, {owner[country]} and {exporter}: decompose them apart."
                )
            owner[country] = exporter
    names = tuple(dict.fromkeys(owner[country] for country in table.countries))
    area = np.array([names.index(owner[table.country[region]]) for region in table.regions])
    industries = np.repeat(area, len(table.sectors))
    rows = tuple(np.flatnonzero(industries == k) for k in range(len(names)))
    Y = np.zeros((table.n, len(names)))
    demand = table.y.reshape(table.n, len(table.final_regions), -1).sum(axis=2)
    for k, country in enumerate(table.final_regions):
        Y[:, names.index(owner[country])] += demand[:, k]
    return Areas(model, names, rows, v, Y), [names.index(exporter) for exporter in exporters]


def importer_columns(areas: Areas, exporter: str, importer: Wanted | None) -> list[tuple[str, list[int]]]:
    """Return importers by name, each with the areas it is made of; all areas but the exporter where none is named.

    Raises
    ------
    ShockError
        An importer that is, or contains, the exporter; one that is named twice.
    LabelError
        An unknown name, or a part of a country or of a bloc.
    """
    table = areas.model.table
    own = areas.names.index(exporter)
    if importer is None:
        return [(name, [k]) for k, name in enumerate(areas.names) if k != own]
    found: list[tuple[str, list[int]]] = []
    taken: set[int] = set()
    for name in labels.as_list(importer):
        rows = table.positions(region=name)
        members = sorted(set(areas.owner[rows].tolist()))
        if own in members:
            raise ShockError(f"{name} does not import from itself: exporter {exporter} is, or is in, the importer.")
        partly = [k for k in members if not set(areas.rows[k].tolist()) <= set(rows.tolist())]
        if partly:
            raise LabelError(f"importer {name!r} is only a part of {areas.names[partly[0]]}: name all of it.")
        if taken & set(members):
            raise ShockError(f"importer {name!r} overlaps one named before: its imports would count twice.")
        taken |= set(members)
        found.append((name, members))
    return found
