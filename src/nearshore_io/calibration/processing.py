"""A country's economy that works for export, told apart from the rest of it: Mexico's global manufacturing, MX2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import coo_array, csr_array

from nearshore_io import labels
from nearshore_io.balance import Balanced, least_squares
from nearshore_io.errors import BalanceError, ConflictError, LabelError, first_few
from nearshore_io.products import inputs_by_product
from nearshore_io.solvers.base import Array, Positions, dense
from nearshore_io.table import IOTable

Keep = Literal["cells", "margins"]


@dataclass(frozen=True)
class ProcessingSplit:
    """A table with one region split, and how.

    Attributes
    ----------
    table : the split table. fit : the quadratic program. national_content : of the exporting region's output, before
        and after the program: 1 − imported inputs / output.
    """

    table: IOTable
    fit: Balanced
    national_content: tuple[float, float]


def split_processing(
    table: IOTable,
    region: str = "MEX",
    into: tuple[str, str] = ("MX1", "MX2"),
    *,
    exports: Mapping[str, float],
    national_content: float | None = None,
    keep: Keep = "cells",
    import_odds: float = 4.0,
) -> ProcessingSplit:
    """Split a region in two: one that sells abroad only and processes imports, and the rest.

    Of the exports of industry j the share ``exports[j]`` comes from the second region, cell by cell; it sells nothing
    at home. Its inputs z², domestic and imported, and its value added v² are those of the quadratic program

        min Σ (z − z⁰)²/z⁰   subject to   Σ_i z²_ij + v²_j + τ²_j = x²_j,   z¹ + z² = z,   0 ≤ z¹, z²,
        Σ imported z² = (1 − θ) Σ_j x²_j   where a national content θ is given.

    z⁰ has the industry's own recipe; imported inputs are ``import_odds`` times as likely in the second region.

    Parameters
    ----------
    exports : share of each industry's exports, 0 to 1; industries that are not named stay whole in the first region.
    national_content : θ, value added and domestic inputs over output, of the second region as a whole.
    keep : "cells" holds every cell of the parent: aggregated, the split table is the parent exactly. "margins" holds
        what each industry buys of each product, and the imports of each product for intermediate use as a whole by
        partner: which industry they go to is chosen by the program. Published tables share imports out in proportion
        to use, and that is what a processing economy does not do.
    import_odds : odds of an imported input in the second region, relative to the whole, before the program.

    Raises
    ------
    LabelError
        Unknown regions or industries; a name for a new region that is taken.
    BalanceError
        Shares outside 0 to 1; a share of an industry that exports nothing.
    ConflictError
        A content that cannot be reached; the message says which can.

    Source: Koopman, Wang & Wei (2012), Journal of Development Economics 99, 178–189, equations 15 to 21.
    """
    labels.position(region, table.regions, "region")
    labels.position(keep, ("cells", "margins"), "what a split keeps")
    taken = [name for name in into if name in table.regions]
    if taken or into[0] == into[1]:
        raise LabelError(f"into={into}: two new names are needed; {first_few(taken) or into[0]} is taken.")
    flows = _Flows.of(table, region, exports)
    problem = _Problem(flows, keep, import_odds)
    fit, before = problem.solve(national_content)
    return ProcessingSplit(
        _split_table(table, flows, problem, fit, into, keep), fit, (before, problem.content(fit.Z[0]))
    )


@dataclass(frozen=True)
class _Flows:
    """What is known of the region: rows of it in the table, what it buys, what the second region makes."""

    rows: Positions
    domestic: Array
    imported: Array
    value_added: Array
    taxes: Array
    output: Array
    exports: Array
    second: Array
    sectors: tuple[str, ...]
    region: str

    @classmethod
    def of(cls, table: IOTable, region: str, exports: Mapping[str, float]) -> "_Flows":
        N = len(table.sectors)
        strangers = [code for code in exports if code not in table.sectors]
        if strangers:
            raise LabelError(f"exports names {first_few(strangers)}: no sector of this table.")
        wrong = {code: share for code, share in exports.items() if not 0 <= share <= 1}
        if wrong:
            raise BalanceError(f"exports: shares from 0 to 1 are needed, not {wrong}.")
        rows = table.positions(region)
        Z = dense(table.Z)
        final = table.Y.values[table.regions.index(region)].sum(axis=2)
        foreign = np.array([name != table.country[region] for name in table.final_regions])
        abroad = np.delete(Z[rows], rows, axis=1).sum(axis=1) + final[:, foreign].sum(axis=1)
        share = np.array([exports.get(code, 0.0) for code in table.sectors])
        idle = [code for code, s, e in zip(table.sectors, share, abroad, strict=True) if s > 0 and e <= 0]
        if idle:
            raise BalanceError(f"{first_few(idle)} of {region} export nothing: no share of it can be split off.")
        domestic = Z[np.ix_(rows, rows)]
        columns = Z[:, rows]
        inputs = table.inputs
        taxes = sum((values[rows] for name, values in inputs.items() if name != "value_added"), np.zeros(N))
        return cls(
            rows, domestic, inputs_by_product(columns, N) - domestic, inputs["value_added"][rows], np.asarray(taxes),
            table.x.values.ravel()[rows], share, share * abroad, table.sectors, region,
        )  # fmt: skip


class _Problem:
    """The variables: inputs of the second region by product, industry and origin, then its value added."""

    def __init__(self, flows: _Flows, keep: Keep, odds: float) -> None:
        self.flows, self.keep = flows, keep
        N = len(flows.sectors)
        self.split = np.flatnonzero(flows.second > 0)
        part = np.divide(flows.second, flows.output, out=np.zeros(N), where=flows.output > 0)
        total = flows.domestic + flows.imported
        share = np.divide(flows.imported, total, out=np.zeros_like(total), where=total > 0)
        higher = share * odds / (1 - share + share * odds)
        self.imported2 = total * part * higher
        self.domestic2 = total * part - self.imported2
        if keep == "cells":
            self.imported2 = np.minimum(self.imported2, 0.98 * flows.imported)
            self.domestic2 = np.minimum(total * part - self.imported2, 0.98 * flows.domestic)
        self.value_added2 = flows.value_added * part
        self.taxes2 = flows.taxes * part
        self.users = np.arange(N) if keep == "margins" else self.split

    def start(self) -> tuple[Array, Positions]:
        """Return z⁰ of all variables, and where each block of them begins.

        Blocks: imported and domestic inputs of the second region, the same of the first (all industries where only
        margins are kept), value added of the second and of the first.
        """
        flows, at = self.flows, self.split
        first_imported = flows.imported[:, self.users] - self.imported2[:, self.users]
        first_domestic = flows.domestic[:, self.users] - self.domestic2[:, self.users]
        if self.keep == "margins":
            left = flows.imported.sum(axis=1) - self.imported2.sum(axis=1)
            whole = flows.imported.sum(axis=1)
            scale = np.divide(left, whole, out=np.zeros(len(left)), where=whole > 0)
            total1 = flows.domestic + flows.imported - self.imported2 - self.domestic2
            wanted = flows.imported * np.maximum(scale, 0.05)[:, None]
            first_imported = np.clip(wanted, 0.0, 0.98 * total1)[:, self.users]
            first_domestic = total1[:, self.users] - first_imported
        blocks = [
            self.imported2[:, at], self.domestic2[:, at], first_imported, first_domestic,
            self.value_added2[at], flows.value_added[at] - self.value_added2[at],
        ]  # fmt: skip
        sizes = np.cumsum([0, *(block.size for block in blocks)])
        return np.concatenate([np.maximum(block, 0.0).ravel() for block in blocks]), sizes

    def solve(self, content: float | None) -> tuple[Balanced, float]:
        start, sizes = self.start()
        G, c, names = self._constraints(sizes, content)
        before = self.content(start)
        try:
            return least_squares(start[None, :], constraints=G, values=c, names=names, rtol=1e-6), before
        except ConflictError as error:
            if content is None:
                raise
            raise ConflictError(
                f"a national content of {content:.1%} cannot be reached with what {self.flows.region} imports: its own "
                f"recipes and {self.keep} give {before:.1%}. Take a content nearer to it, smaller shares of exports"
                + (", or keep='margins'. " if self.keep == "cells" else ". ")
                + f"({error})",
                error.constraints,
            ) from error

    def content(self, z: Array) -> float:
        """Return 1 − imported inputs / output of the second region."""
        imported = z[: len(self.flows.sectors) * len(self.split)].sum()
        return float(1 - imported / self.flows.second.sum())

    def _constraints(self, sizes: Positions, content: float | None) -> tuple[csr_array, Array, list[str]]:
        flows, N, at = self.flows, len(self.flows.sectors), self.split
        place = {code: i for i, code in enumerate(at)}
        users = {code: i for i, code in enumerate(self.users)}
        entries: list[tuple[int, int]] = []
        values: list[float] = []
        names: list[str] = []

        def add(variables: list[int], value: float, name: str) -> None:
            entries.extend((len(values), int(v)) for v in variables)
            values.append(value)
            names.append(name)

        for p in range(N):
            for j, column in users.items():
                second = [sizes[b] + p * len(at) + place[j] for b in (0, 1)] if j in place else []
                first = [sizes[b] + p * len(self.users) + column for b in (2, 3)]
                label = f"{flows.sectors[p]} bought by {flows.sectors[j]}"
                if self.keep == "cells":
                    add([second[0], first[0]], flows.imported[p, j], f"imported {label}")
                    add([second[1], first[1]], flows.domestic[p, j], f"domestic {label}")
                else:
                    add([*second, *first], flows.imported[p, j] + flows.domestic[p, j], label)
            if self.keep == "margins":
                cells = [sizes[0] + p * len(at) + i for i in range(len(at))]
                cells += [sizes[2] + p * len(self.users) + i for i in range(len(self.users))]
                add(cells, flows.imported[p].sum(), f"imports of {flows.sectors[p]}")
        for i, j in enumerate(at):
            own = [sizes[b] + p * len(at) + i for b in (0, 1) for p in range(N)] + [sizes[4] + i]
            add(own, flows.second[j] - self.taxes2[j], f"output of {flows.sectors[j]}")
            add([sizes[4] + i, sizes[5] + i], flows.value_added[j], f"value added of {flows.sectors[j]}")
        if content is not None:
            add(list(range(sizes[1])), (1 - content) * flows.second.sum(), "national content")
        rows, columns = np.array(entries).T
        G = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(values), int(sizes[-1])))
        return csr_array(G), np.array(values), names


def _split_table(
    table: IOTable, flows: _Flows, problem: _Problem, fit: Balanced, into: tuple[str, str], keep: Keep
) -> IOTable:
    """Return the table with the region's rows and columns in two."""
    N, at, users = len(table.sectors), problem.split, problem.users
    _, sizes = problem.start()
    z = np.asarray(fit.Z[0])
    imported2, domestic2 = np.zeros((N, N)), np.zeros((N, N))
    imported2[:, at] = z[sizes[0] : sizes[1]].reshape(N, -1)
    domestic2[:, at] = z[sizes[1] : sizes[2]].reshape(N, -1)
    imported, domestic = flows.imported.copy(), flows.domestic.copy()
    if keep == "margins":
        imported[:, users] = imported2[:, users] + z[sizes[2] : sizes[3]].reshape(N, -1)
        total = flows.domestic + flows.imported
        domestic = total - imported
        domestic[np.abs(domestic) < 1e-12 * total] = 0.0  # bought abroad whole, but for rounding
    value_added2 = np.zeros(N)
    value_added2[at] = z[sizes[4] : sizes[5]]
    Z = dense(table.Z).copy()
    columns = Z[:, flows.rows]
    abroad = np.setdiff1d(np.arange(len(Z)), flows.rows)
    foreign = np.array([columns[abroad][abroad % N == p].sum() for p in range(N)])
    second = np.zeros_like(columns)
    for p in range(N):
        sellers = abroad[abroad % N == p]
        cells = columns[sellers]
        if keep == "margins":
            mix = cells.sum(axis=1) / foreign[p] if foreign[p] > 0 else np.zeros(len(sellers))
            columns[sellers], second[sellers] = np.outer(mix, imported[p]), np.outer(mix, imported2[p])
        else:
            part = np.divide(imported2[p], imported[p], out=np.zeros(N), where=imported[p] > 0)
            second[sellers] = cells * part
    columns[flows.rows], second[flows.rows] = domestic, domestic2
    first = columns - second
    first[np.abs(first) < 1e-12 * np.abs(columns)] = 0.0  # what rounding left of cells that went over whole
    return _assembled(table, flows, first, second, value_added2, problem.taxes2, into)


def _assembled(
    table: IOTable,
    flows: _Flows,
    first: Array,
    second: Array,
    value_added2: Array,
    taxes2: Array,
    into: tuple[str, str],
) -> IOTable:
    """Return the table in which the region's place is taken by two: columns as given, exports by their share."""
    N, r = len(table.sectors), table.regions.index(flows.region)
    exports = flows.exports
    Z = dense(table.Z).copy()
    Z[:, flows.rows] = first
    wide = np.hstack([Z[:, : (r + 1) * N], second, Z[:, (r + 1) * N :]])
    own = np.zeros(wide.shape[1], dtype=bool)
    own[r * N : (r + 2) * N] = True
    rows = wide[flows.rows]
    sold2 = np.where(own, 0.0, rows * exports[:, None])
    top, bottom = wide[: r * N], wide[(r + 1) * N :]
    Y = table.y
    width = len(table.categories)
    home = np.repeat([region == table.country[flows.region] for region in table.final_regions], width)
    final2 = np.where(home, 0.0, Y[flows.rows] * exports[:, None])
    Y = np.vstack([Y[: r * N], Y[flows.rows] - final2, final2, Y[(r + 1) * N :]])
    part = np.divide(value_added2, flows.value_added, out=np.zeros(N), where=flows.value_added != 0)
    tax_part = np.divide(taxes2, flows.taxes, out=np.zeros(N), where=flows.taxes != 0)

    def both(values: Array, share: Array) -> Array:
        mine = values[flows.rows]
        return np.concatenate([values[: r * N], mine - mine * share, mine * share, values[(r + 1) * N :]])

    regions = [*table.regions[:r], *into, *table.regions[r + 1 :]]
    country = {name: table.country[name] for name in table.regions if name != flows.region}
    country |= dict.fromkeys(into, table.country[flows.region])
    return IOTable.from_arrays(
        np.vstack([top, rows - sold2, sold2, bottom]),
        Y,
        {name: both(v, part if name == "value_added" else tax_part) for name, v in table.inputs.items()},
        regions=regions,
        sectors=table.sectors,
        final_regions=table.final_regions,
        categories=table.categories,
        country=country,
        sector_names=table.sector_names,
        final_inputs=table.paid_by_final_users,
        stressors={name: (both(v, part), unit) for name, (v, unit) in table.stressors.items()},
        meta=table.renumbered(f"{flows.region} split into {into[0]} and {into[1]} ({into[1]}: processing for export)"),
    )
