"""Accounts of regions from national tables: flows of domestic and imported products together, and trade in total."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nearshore_io.balance import gras
from nearshore_io.errors import FormatError, first_few
from nearshore_io.readers.iot import FINAL, NationalAccounts, read_national_accounts
from nearshore_io.solvers.base import Array

CATEGORIES = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR")
_ABROAD = ("CONS_NONRES", "EXPO")


@dataclass(frozen=True)
class RegionAccounts:
    """One region's accounts before trade has partners; N products are N industries. Million USD at basic prices.

    Attributes
    ----------
    Z : intermediate use by product and industry, domestic and imported, (N, N). F : final use by category, (N, 6).
    exports, imports : by product, (N,); exports hold what non-residents buy inside the region.
    value_added, taxes, compensation : by industry, (N,). final_taxes : taxes less subsidies on products by category,
        (6,). export_taxes : those on exports.
    other_imports : imports no product is given for, by industry and then by category, (N + 6,).
    output : gross output, (N,).
    """

    Z: Array
    F: Array
    exports: Array
    imports: Array
    value_added: Array
    taxes: Array
    compensation: Array
    final_taxes: Array
    export_taxes: float
    other_imports: Array
    output: Array

    @property
    def gdp(self) -> float:
        """Gross domestic product at market prices: value added and taxes less subsidies on products."""
        return float(self.value_added.sum() + self.taxes.sum() + self.final_taxes.sum() + self.export_taxes)

    @classmethod
    def of(cls, accounts: NationalAccounts) -> "RegionAccounts":
        """Return the accounts of one national table."""
        final = [FINAL.index(name) for name in CATEGORIES]
        abroad = [FINAL.index(name) for name in _ABROAD]
        taxes, other = accounts.paid["taxes_less_subsidies"], accounts.paid["imports_not_by_industry"]
        return cls(
            Z=accounts.Z,
            F=accounts.Y[:, final],
            exports=accounts.Y[:, abroad].sum(axis=1),
            imports=-accounts.Y[:, len(FINAL)],
            value_added=accounts.inputs["value_added"],
            taxes=accounts.inputs["taxes_less_subsidies"],
            compensation=accounts.parts["compensation"],
            final_taxes=taxes[final],
            export_taxes=float(taxes[abroad].sum()),
            other_imports=np.concatenate([accounts.inputs["imports_not_by_industry"], other[final]]),
            output=accounts.output,
        )

    def scaled(self, factor: float) -> "RegionAccounts":
        """Return the accounts times a factor."""
        return RegionAccounts(**{name: value * factor for name, value in vars(self).items()})


def together(parts: Sequence[RegionAccounts]) -> RegionAccounts:
    """Return the accounts of several economies as one region; trade among them stays in exports and imports."""
    return RegionAccounts(**{name: sum(vars(part)[name] for part in parts) for name in vars(parts[0])})


def read_regions(
    folder: Path, year: int, regions: Mapping[str, str]
) -> tuple[dict[str, RegionAccounts], dict[str, RegionAccounts], tuple[str, ...]]:
    """Return the accounts of regions and of their economies, and the industries.

    Parameters
    ----------
    folder : of files like ``MEX2022ttl.csv``. regions : region of each economy.

    Raises
    ------
    StorageError, FormatError
        If a table is missing or damaged, or is on other industries than the first.
    """
    economies: dict[str, RegionAccounts] = {}
    industries: tuple[str, ...] = ()
    for economy in regions:
        found = read_national_accounts(folder / f"{economy}{year}ttl.csv")
        industries = industries or found.industries
        if found.industries != industries:
            raise FormatError(f"the table of {economy} is on other industries than the others.")
        economies[economy] = RegionAccounts.of(found)
    order = dict.fromkeys(regions.values())
    members = {region: [economies[e] for e, r in regions.items() if r == region] for region in order}
    return {region: together(parts) for region, parts in members.items()}, economies, industries


@dataclass(frozen=True)
class Closed:
    """Accounts of a whole world, whose exports and imports of each product are equal.

    ``beyond`` are the economies without a table; ``given_products`` is what was booked of imports without a product,
    by product.
    """

    regions: dict[str, RegionAccounts]
    beyond: RegionAccounts
    given_products: Array


def closed(regions: Mapping[str, RegionAccounts], donors: Sequence[RegionAccounts], gdp_beyond: float) -> Closed:
    """Return the accounts with trade that adds up, product by product, over the whole world.

    What the regions sell abroad beyond what they buy goes, first, to the imports no product is given for; the rest is
    bought by the economies without a table, which sell what the regions buy beyond what they sell. Those economies have
    the input structure of ``donors`` at a GDP of their own, their final use adjusted by product; they trade net only.

    Raises
    ------
    FormatError
        If their exports of a product are more than they make.
    """
    excess = sum(account.exports - account.imports for account in regions.values())
    short = np.maximum(excess, 0.0)
    shares = short / short.sum()
    given = {region: _given_products(account, shares) for region, account in regions.items()}
    other = sum(float(account.other_imports.sum()) for account in regions.values())
    rest = np.asarray(excess - other * shares)
    donor = together(donors)
    return Closed(given, _beyond(donor.scaled(gdp_beyond / donor.gdp), rest), other * shares)


def _given_products(account: RegionAccounts, shares: Array) -> RegionAccounts:
    n = len(shares)
    more = np.outer(shares, account.other_imports)
    return replace(
        account,
        Z=account.Z + more[:, :n],
        F=account.F + more[:, n:],
        imports=account.imports + more.sum(axis=1),
        other_imports=np.zeros_like(account.other_imports),
    )


def _beyond(account: RegionAccounts, net_imports: Array) -> RegionAccounts:
    """Return accounts with given net imports by product: final use is scaled by product to what is left."""
    n = len(net_imports)
    exports, imports = np.maximum(-net_imports, 0.0), np.maximum(net_imports, 0.0)
    rows = account.output + net_imports
    if (rows < 0).any():
        at = first_few(np.flatnonzero(rows < 0))
        raise FormatError(f"economies without a table would export more than they make: products at {at}.")
    columns = np.concatenate([account.output - account.value_added - account.taxes, np.full(len(CATEGORIES), np.nan)])
    # A product that is neither made nor imported is used by nobody; the rest keeps its pattern.
    used = np.hstack([account.Z, np.maximum(account.F, 0.0)])
    fit = gras(used, rows=rows, columns=columns)
    return replace(
        account,
        Z=np.asarray(fit.Z[:, :n]),
        F=np.asarray(fit.Z[:, n:]),
        exports=exports,
        imports=imports,
        other_imports=np.zeros_like(account.other_imports),
    )
