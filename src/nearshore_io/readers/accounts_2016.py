"""The Socio-Economic Accounts of the WIOD 2016 release: 43 countries × 56 industries, 2000–2014."""

import os
import warnings

import numpy as np
import pandas as pd

from nearshore_io.errors import FormatError, LabelError, first_few
from nearshore_io.files import readable

LIST = "wiod-2016"
VARIABLES = ("EMP", "EMPE", "COMP", "H_EMPE", "LAB", "VA", "GO")
"""Thousand persons, million hours, million of national currency."""


def read_accounts_2016(path: str | os.PathLike[str], country: str, year: int) -> pd.DataFrame:
    """Return a country's accounts of a year, industries × `VARIABLES`.

    Raises
    ------
    StorageError, FormatError
        A missing file, or one that is not laid out as the accounts are.
    LabelError
        No such country or year.

    Source: Gouma, Chen, Woltjer & Timmer (2018), WIOD Socio-Economic Accounts 2016, sources and methods.
    """
    import rdata

    file = readable(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the file names R classes the reader does not need
            frame = rdata.read_rda(str(file))["sea"]
        frame = frame[["country", "code", "year", *VARIABLES]].astype({"country": str, "code": str, "year": int})
    except (KeyError, ValueError, TypeError, NotImplementedError, EOFError) as error:
        raise FormatError(f"{file} does not hold the accounts of the 2016 release: {error}.") from error
    found = frame[(frame["country"] == country) & (frame["year"] == year)].set_index("code")
    if found.empty:
        there = first_few(sorted(frame["country"].unique()), 50)
        raise LabelError(f"{file} has no {country} in {year}; countries: {there}; years 2000 to 2014.")
    values = found[list(VARIABLES)].astype(np.float64)
    if not np.isfinite(values.to_numpy()).all():
        raise FormatError(f"{file}: {country} in {year} has cells without a number.")
    return values
