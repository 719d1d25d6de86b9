"""Made numbers in the layout of any edition, for tests, documentation and benchmarks."""

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars

from nearshore_io.errors import LabelError, first_few
from nearshore_io.files import write_atomically
from nearshore_io.readers.icio.editions import Edition, edition_named
from nearshore_io.solvers.base import Array

REGIONS = ("USA", "MEX", "CAN", "CHN", "SAU", "ROW")
INDUSTRIES = 6
DECIMALS = 3
"""As the publisher prints the national tables of the 2025 edition."""


@dataclass(frozen=True, eq=False)
class Toy:
    """The numbers of a toy as they stand in its file, with labels: what a reading of it must give."""

    edition: Edition
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    industries: tuple[str, ...]
    Z: Array
    Y: Array
    value_added: Array
    taxes: Array
    final_taxes: Array
    discrepancy: Array

    @property
    def output(self) -> Array:
        """Row sums, shape (n,)."""
        return np.asarray(self.Z.sum(axis=1) + self.Y.sum(axis=1) + self.discrepancy)


def write_toy_icio(
    path: str | os.PathLike[str],
    edition: str = "2025-EXT",
    *,
    regions: Sequence[str] = REGIONS,
    industries: Sequence[str] | int = INDUSTRIES,
    seed: int = 0,
    full: bool = False,
) -> Toy:
    """Write a file of made numbers in the layout of an edition, and return its numbers.

    It has what the published ones have: rows and columns of MEX and CHN at zero beside their parts, negative changes in
    inventories and negative taxes, an industry without output (SAU mining coal), an industry without inputs (private
    households), labels in the edition's own syntax (quoted in 2016), three decimals, totals of rounded numbers.

    Parameters
    ----------
    path : the CSV to write; call it as the edition does ("2022.csv", "ICIO2018_2010.CSV").
    regions, industries : which of the edition's; a number takes that many, spread over the list.
    full : all regions and industries of the edition; a 2025-EXT file has 4,253 × 4,737 numbers and some 130 MB.

    Raises
    ------
    LabelError
        No such edition; regions or industries that it does not have.
    StorageError
        If the file cannot be written.
    """
    chosen = edition_named(edition)
    toy = _numbers(chosen, chosen.regions if full else tuple(regions), _codes(chosen, industries, full), seed)
    content = io.BytesIO()
    _frame(toy).write_csv(content, quote_style="non_numeric" if chosen.category_first else "necessary")

    def write(file: BinaryIO) -> None:
        file.write(content.getbuffer())

    write_atomically(Path(path), write)
    return toy


def _codes(edition: Edition, industries: Sequence[str] | int, full: bool) -> tuple[str, ...]:
    if full:
        return edition.industries
    if isinstance(industries, int):
        places = np.unique(np.linspace(0, len(edition.industries) - 1, industries).round().astype(int))
        return tuple(edition.industries[i] for i in places)
    return tuple(industries)


def _numbers(edition: Edition, regions: tuple[str, ...], industries: tuple[str, ...], seed: int) -> Toy:
    for what, wanted, known in (("region", regions, edition.regions), ("industry", industries, edition.industries)):
        strange = [label for label in wanted if label not in known]
        if strange:
            raise LabelError(f"edition {edition.name} has no {what} {first_few(strange)}: {first_few(known, 90)}.")
    accounts = (*regions, *(part for country, parts in edition.splits.items() if country in regions for part in parts))
    owner = np.array([_owner(account, edition, regions) for account in accounts])
    empty = np.array([account in edition.splits for account in accounts])
    rng = np.random.default_rng(seed)
    width, n = len(industries), len(accounts) * len(industries)
    account = np.repeat(np.arange(len(accounts)), width)
    size = rng.lognormal(6.0, 1.2, n) * np.repeat(np.where(empty, 0.0, rng.lognormal(0.0, 1.0, len(accounts))), width)
    idle = _idle(accounts, industries, account)
    size[idle] = 0.0
    without_inputs = np.tile([code in ("T", "97T98", "C95PVH") for code in industries], len(accounts))
    Z = _flows(rng, size, owner[account], without_inputs)
    Y = _final_demand(rng, size, owner[account], len(regions), edition)
    discrepancy = np.zeros(n)
    if "discrepancy" in edition.columns.values():
        discrepancy = (size * rng.normal(0.0, 0.01, n)).round(DECIMALS)
    output = Z.sum(axis=1) + Y.sum(axis=1) + discrepancy
    taxes = (output * rng.normal(0.02, 0.02, n)).round(DECIMALS)
    final_taxes = (Y.sum(axis=0) * rng.uniform(0.0, 0.1, Y.shape[1])).round(DECIMALS)
    value_added = (output - Z.sum(axis=0) - taxes).round(DECIMALS)
    return Toy(edition, accounts, regions, industries, Z, Y, value_added, taxes, final_taxes, discrepancy)


def _owner(account: str, edition: Edition, regions: tuple[str, ...]) -> int:
    parts = {part: country for country, split in edition.splits.items() for part in split}
    return regions.index(parts.get(account, account))


def _idle(accounts: tuple[str, ...], industries: tuple[str, ...], account: Any) -> Any:
    coal = [i for i, code in enumerate(industries) if code in ("B05", "B05_06", "05T06")]
    sau = accounts.index("SAU") if "SAU" in accounts else -1
    return (account == sau) & np.isin(np.tile(np.arange(len(industries)), len(accounts)), coal)


def _flows(rng: np.random.Generator, size: Array, country: Any, without_inputs: Any) -> Array:
    """Return rounded flows whose columns use about half of what the industries make; a country buys mostly at home."""
    n = len(size)
    Z = np.exp(rng.normal(0.0, 1.6, (n, n)))
    Z *= rng.random((n, n)) < 0.8
    Z *= np.where(country[:, None] == country[None, :], 40.0, 1.0)
    Z *= size[:, None] / max(size.max(), 1e-300)
    Z[:, without_inputs] = 0.0
    sums = Z.sum(axis=0)
    Z *= np.where(sums > 0, 0.5 * size / np.where(sums > 0, sums, 1.0), 0.0)
    return np.asarray(Z.round(DECIMALS))


def _final_demand(rng: np.random.Generator, size: Array, country: Any, regions: int, edition: Edition) -> Array:
    """Return rounded final demand, (n, regions × categories), region-major; inventories change in both directions."""
    codes = list(edition.categories.values())
    share = np.array([0.5, 0.05, 0.2, 0.2, 0.03, 0.02])[: len(codes)]
    Y = rng.lognormal(0.0, 1.0, (len(size), regions, len(codes))) * share
    Y *= np.where(country[:, None] == np.arange(regions)[None, :], 20.0, 1.0)[:, :, None]
    Y[:, :, codes.index("INVNT")] *= rng.choice([-1.0, 1.0], Y.shape[:2])
    Y *= (0.8 * size / Y.sum(axis=(1, 2)))[:, None, None]
    return np.asarray(Y.reshape(len(size), -1).round(DECIMALS))


def _frame(toy: Toy) -> polars.DataFrame:
    """Return the file's content: a column of labels, then numbers."""
    edition, width = toy.edition, len(toy.edition.categories)
    industries = [f"{account}_{code}" for account in toy.accounts for code in toy.industries]
    pairs = [(region, category) for region in toy.regions for category in edition.categories]
    order = np.arange(len(pairs)).reshape(-1, width).T.ravel() if edition.category_first else np.arange(len(pairs))
    final = [
        f"{pairs[i][1]}_{pairs[i][0]}" if edition.category_first else f"{pairs[i][0]}_{pairs[i][1]}" for i in order
    ]
    rows = _bottom(toy)
    cells = np.vstack([np.hstack([toy.Z, toy.Y[:, order]]), *(np.append(z, y[order]) for z, y in rows.values())])
    beside = []
    for name, kind in edition.columns.items():
        extra = toy.discrepancy if kind == "discrepancy" else toy.output
        below = np.zeros(len(rows)) if kind == "discrepancy" else cells[len(industries) :].sum(axis=1)
        beside.append((name, np.append(extra, below).round(DECIMALS)))
    names = [*industries, *final, *(name for name, _ in beside)]
    cells = np.hstack([cells, *(column[:, None] for _, column in beside)])
    cells[cells == 0] = 0.0  # no negative zeros
    frame = polars.DataFrame(cells, schema=names, orient="row")
    blank = [len(industries) + list(rows).index(name) for name in edition.blank_in_final]
    if blank:
        after = names[len(industries) :]
        empty = polars.int_range(polars.len()).is_in(blank)
        frame = frame.with_columns(polars.when(empty).then(None).otherwise(polars.col(after)).name.keep())
    return frame.insert_column(0, polars.Series("V1" if "EXT" in edition.name else "", [*industries, *rows]))


def _bottom(toy: Toy) -> Mapping[str, tuple[Array, Array]]:
    """Return the rows under the industries: under industries, under final uses."""
    n, uses = len(toy.taxes), len(toy.final_taxes)
    rows: dict[str, tuple[Array, Array]] = {}
    width, categories = len(toy.industries), len(toy.edition.categories)
    buyers = np.repeat([_owner(account, toy.edition, toy.regions) for account in toy.accounts], width)
    for suffix in toy.edition.row_suffixes:
        for i, region in enumerate(toy.regions):
            own = np.repeat(np.arange(len(toy.regions)), categories) == i
            rows[f"{region}_{suffix}"] = np.where(buyers == i, toy.taxes, 0.0), np.where(own, toy.final_taxes, 0.0)
    for name, meaning in toy.edition.rows.items():
        combined = meaning == "value_added" and "taxes_less_subsidies" not in {
            *toy.edition.rows.values(), *toy.edition.row_suffixes.values()
        }  # fmt: skip
        under = {
            "taxes_less_subsidies": (toy.taxes, toy.final_taxes),
            "value_added": (toy.value_added + (toy.taxes if combined else 0.0), np.zeros(uses)),
            "output": (
                toy.Z.sum(axis=0) + toy.value_added + toy.taxes,
                toy.Y.sum(axis=0) + (0.0 if combined else toy.final_taxes),
            ),
        }[meaning]
        rows[name] = (under[0].round(DECIMALS), under[1].round(DECIMALS))
    assert all(z.shape == (n,) and y.shape == (uses,) for z, y in rows.values())
    return rows
