"""Goods trade of the world's economies with each other, and their gross domestic products: one year, as CSV files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nearshore_io.errors import FormatError, first_few
from nearshore_io.files import readable
from nearshore_io.solvers.base import Array


@dataclass(frozen=True)
class GoodsTrade:
    """Customs trade in goods.

    Attributes
    ----------
    flows : million USD, exporter × importer; NaN where the file has no number. gdp : million USD, NaN where unknown.
    """

    economies: tuple[str, ...]
    flows: Array
    gdp: Array

    def among(self, regions: Mapping[str, str], order: tuple[str, ...], others: str) -> Array:
        """Return trade among regions; NaN where no pair of their economies has a number.

        Parameters
        ----------
        regions : region of each economy; economies that are not named belong to ``others``.
        """
        at = np.array([order.index(regions.get(code, others)) for code in self.economies])
        given = np.isfinite(self.flows)
        sums = np.zeros((len(order), len(order)))
        known = np.zeros(sums.shape, dtype=bool)
        pairs = np.ix_(at, at)
        np.add.at(sums, pairs, np.where(given, self.flows, 0.0))
        np.logical_or.at(known, pairs, given)
        return np.where(known, sums, np.nan)


def read_goods_trade(folder: str | os.PathLike[str]) -> GoodsTrade:
    """Return bilateral trade and GDP from a folder with ``trade_cepii.csv``, ``country_labels.csv`` and ``gdp.csv``.

    Rows of trade and of GDP, and columns of trade, have no labels of their own: they are in the order of the labels.

    Raises
    ------
    StorageError, FormatError
        A missing file; a matrix that does not fit its labels; a cell that is no number.

    Source: CEPII, BACI, built on UN Comtrade (Gaulier & Zignago 2010, CEPII working paper 2010-23); thousand USD.
    """
    place = Path(folder).expanduser()
    try:
        labels = pd.read_csv(readable(place / "country_labels.csv"), keep_default_na=False)
        gdp = pd.read_csv(readable(place / "gdp.csv"))["gdp"].to_numpy(dtype=np.float64)
        trade = pd.read_csv(readable(place / "trade_cepii.csv"))
        if [str(name) for name in trade] != [f"export_ij{i + 1}" for i in range(trade.shape[1])]:
            raise FormatError(f"{place / 'trade_cepii.csv'}: columns export_ij1, export_ij2, … are expected.")
        flows = trade.to_numpy(dtype=np.float64)
        codes = tuple(labels["iso3"])
    except (KeyError, ValueError, pd.errors.ParserError) as error:
        raise FormatError(f"{place}: {error}. Such a folder has columns iso3, gdp and a matrix of numbers.") from error
    if flows.shape != (len(codes), len(codes)) or len(gdp) != len(codes):
        raise FormatError(f"{place}: {len(codes)} labels, {len(gdp)} GDPs and a matrix of {flows.shape} do not fit.")
    if len(set(codes)) < len(codes):
        twice = [code for code in codes if codes.count(code) > 1]
        raise FormatError(f"{place}: {first_few(dict.fromkeys(twice))} stand twice among the labels.")
    return GoodsTrade(codes, flows / 1e3, gdp / 1e6)
