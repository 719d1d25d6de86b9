"""OECD's harmonised national input-output tables: domestic and imported flows together, no partner split."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nearshore_io import labels
from nearshore_io.classifications import industry_names, list_of
from nearshore_io.errors import BalanceError, ConcordanceError, FormatError, first_few
from nearshore_io.files import file_sha256, readable
from nearshore_io.readers.icio.cells import blocks, read_header
from nearshore_io.readers.icio.source import year_in
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.table.iotable import IN_FLOWS

PREFIX = "TTL_"
FINAL = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR", "CONS_NONRES", "EXPO")
IMPORTS = "IMPO"
INPUTS = {"VALU": "value_added", "TXS_INT_FNL": "taxes_less_subsidies", "IMP_OTHER": "imports_not_by_industry"}
PARTS = {
    "LABR": "compensation",
    "OTXS": "other_taxes_on_production",
    "CFC": "consumption_of_fixed_capital",
    "NOPS": "net_operating_surplus",
}
TOTALS = ("TTL_INT_FNL", "OUTPUT")


@dataclass(frozen=True)
class NationalAccounts:
    """The blocks of a national table: flows of domestic and imported products together.

    Attributes
    ----------
    Z : intermediate use, shape (n, n). Y : the final uses `FINAL` and, last, imports (negative), shape (n, 9).
    inputs : primary inputs of industries, (n,). paid : the same of final users, (9,). parts : of value added, (n,).
    output : gross output as published, (n,). Million USD.
    """

    industries: tuple[str, ...]
    Z: Array
    Y: Array
    inputs: dict[str, Array]
    paid: dict[str, Array]
    parts: dict[str, Array]
    output: Array


def read_oecd_iot(
    path: str | os.PathLike[str],
    *,
    country: str | None = None,
    year: int | None = None,
    imports: Literal["in_flows", "separate"] = "in_flows",
) -> IOTable:
    """Return a national table of OECD's Input-Output Database, such as ``MEX2022ttl.csv``.

    Parameters
    ----------
    country, year : by default as the file's name says.
    imports : "in_flows" gives the flows as published, domestic and imported together, with imports as a negative
        category IMPO of final demand; no model can be solved on that, since its multipliers would count foreign
        production as domestic, and `Leontief` says so. "separate" takes imports out by product, in proportion to
        domestic use, mᵢ = importsᵢ / (outputᵢ + importsᵢ − exportsᵢ): Z = (1 − m̂) Z_ttl, and Σᵢ mᵢ z_ij becomes the
        input ``imports``. Exports are taken to be of domestic origin, but for products the country does not make.

    Notes
    -----
    Million USD at current basic prices. Inputs: ``value_added``, ``taxes_less_subsidies``,
    ``imports_not_by_industry``. Parts of value added come as stressors: ``compensation``,
    ``other_taxes_on_production``, ``consumption_of_fixed_capital``, ``net_operating_surplus``.

    Raises
    ------
    StorageError, FormatError
        No such file; not laid out as such a table; a cell that is empty or no number; a total that disagrees.

    Source: OECD (2025), Input-Output Tables; import proportionality: Miller & Blair (2009), section 4.2.
    """
    labels.position(imports, ("in_flows", "separate"), "way to treat imports")
    file = readable(path)
    where = str(file)
    accounts = read_national_accounts(file)
    industries, Z, Y = list(accounts.industries), accounts.Z, accounts.Y
    inputs, paid, output = accounts.inputs, accounts.paid, accounts.output
    own = country or file.name[:3].upper()
    year = year or year_in(file.name)
    meta: dict[str, Any] = {
        "name": f"iot-{own.lower()}-{year or 'unknown-year'}",
        "source": "OECD harmonised national input-output table",
        "year": year,
        "unit": "million USD",
        "price_basis": "current basic prices",
        "value_added": "as published",
        "flows": IN_FLOWS,
        "licence": "CC BY 4.0",
        "citation": "OECD, Input-Output Tables, 2025 edition",
        "file": file.name,
        "sha256": file_sha256(file),
        "history": (f"read from {file.name}",),
    }
    parts = np.sum(list(accounts.parts.values()), axis=0)
    missed = np.flatnonzero(np.abs(parts - inputs["value_added"]) > np.maximum(0.01 * np.abs(parts), 1.0))
    if missed.size:
        named = first_few(industries[i] for i in missed)
        meta["oddities"] = (f"compensation, taxes, capital and surplus miss value added in {named}",)
    categories: tuple[str, ...] = (*FINAL, IMPORTS)
    if imports == "separate":
        Z, Y, inputs, paid = _separated(Z, Y, inputs, paid, output, industries, where)
        categories = FINAL
        line = "imports taken out by product in proportion to domestic use"
        meta |= {"flows": f"domestic, {line}", "history": (f"read from {file.name}", line)}
    try:
        table = IOTable.from_arrays(
            Z,
            Y,
            inputs,
            regions=[own],
            sectors=industries,
            final_regions=[own],
            categories=categories,
            sector_names=_names(industries),
            final_inputs=paid,
            stressors={name: (values, "million USD") for name, values in accounts.parts.items()},
            meta=meta,
        )
    except BalanceError as error:
        hint = "" if imports == "separate" else ' What is only imported has no output: imports="separate" reads it.'
        raise BalanceError(f"{where}: {error}{hint}") from error
    return table.with_output(output)


def read_national_accounts(path: str | os.PathLike[str]) -> NationalAccounts:
    """Return the blocks of a national table as published.

    Raises
    ------
    StorageError, FormatError
        No such file; not laid out as such a table; a cell that is empty or no number; a total that disagrees.
    """
    file = readable(path)
    rows, columns = _cells(file)
    where = str(file)
    industries = columns[: columns.index(FINAL[0])] if FINAL[0] in columns else []
    expected = {*(PREFIX + code for code in industries), *INPUTS, *PARTS, *TOTALS}
    strange = [label for label in rows if industries and label not in expected]
    if strange:
        raise FormatError(f"{where}: row {first_few(strange)} has no column, and is no known row of such a table.")
    needed = [*industries, *FINAL, IMPORTS, "TOTAL"]
    missing = [label for label in needed if label not in columns]
    missing += [
        label for label in (*(PREFIX + code for code in industries), *INPUTS, *PARTS, *TOTALS) if label not in rows
    ]
    if missing or not industries:
        raise FormatError(f"{where} is no national table of OECD's: it lacks {first_few(missing or ['TTL_A01'])}.")
    n = len(industries)
    at = [columns.index(label) for label in needed]
    Z = np.array([rows[PREFIX + code][at[:n]] for code in industries])
    Y = np.array([rows[PREFIX + code][at[n:-1]] for code in industries])
    inputs = {name: rows[row][at[:n]] for row, name in INPUTS.items()}
    output = np.array([rows[PREFIX + code][at[-1]] for code in industries])
    _require_totals(Z.sum(axis=1) + Y.sum(axis=1), output, industries, f"{where}: the cells of row TTL_")
    below = Z.sum(axis=0) + np.sum(list(inputs.values()), axis=0)
    _require_totals(below, rows["OUTPUT"][at[:n]], industries, f"{where}: the cells of column ")
    return NationalAccounts(
        industries=tuple(industries),
        Z=Z,
        Y=Y,
        inputs=inputs,
        paid={name: rows[row][at[n:-1]] for row, name in INPUTS.items()},
        parts={name: rows[row][at[:n]] for row, name in PARTS.items()},
        output=output,
    )


def _cells(file: Path) -> tuple[dict[str, Array], list[str]]:
    """Return rows by label, over all columns, and the labels of the columns."""
    found: dict[str, Array] = {}
    with file.open("rb") as stream:
        head = read_header(stream, str(file))
        for block in blocks(stream, head, str(file), file.stat().st_size + 1):
            for label, values in zip(block.labels, block.values, strict=True):
                if label in found:
                    raise FormatError(f"{file}: row {label} stands twice.")
                empty = np.flatnonzero(np.isnan(values))
                if empty.size:
                    raise FormatError(f"{file}, row {label}, column {head.columns[empty[0]]}: the cell is empty.")
                found[label] = values
    return found, list(labels.require_unique(head.columns, "column"))


def _require_totals(found: Array, total: Array, industries: list[str], line: str) -> None:
    bad = np.flatnonzero(np.abs(found - total) > np.maximum(0.01 * np.abs(total), 1.0))
    if bad.size:
        i = int(bad[0])
        raise FormatError(f"{line}{industries[i]} sum to {found[i]:,.10g}, its total says {total[i]:,.10g}.")


def _separated(
    Z: Array,
    Y: Array,
    inputs: dict[str, Array],
    paid: dict[str, Array],
    output: Array,
    industries: list[str],
    where: str,
) -> tuple[Array, Array, dict[str, Array], dict[str, Array]]:
    """Return flows and final demand of domestic origin, and imports as an input; Y ends in exports and −imports.

    A product without output is imported whole, and what is exported of it is exported again.
    """
    made = output != 0
    use = Z.sum(axis=1) + Y[:, :-2].sum(axis=1)
    share = np.divide(-Y[:, -1], use, out=np.zeros(len(use)), where=made & (use != 0))
    share[~made] = 1.0
    if (share > 1.0).any():
        beyond = [industries[i] for i in np.flatnonzero(share > 1.0)]
        raise FormatError(
            f"{where}: more of {first_few(beyond)} is imported than used at home; imports cannot be separated."
        )
    bought = share[:, None] * np.hstack([Z, Y[:, :-2]])
    again = np.where(made, 0.0, Y[:, -2])
    final = np.column_stack([Y[:, :-2] - bought[:, len(Z) :], Y[:, -2] - again])
    inputs = inputs | {"imports": bought[:, : len(Z)].sum(axis=0)}
    paid = {name: row[:-1] for name, row in paid.items()}
    paid |= {"imports": np.append(bought[:, len(Z) :].sum(axis=0), again.sum())}
    return Z - bought[:, : len(Z)], final, inputs, paid


def _names(industries: list[str]) -> dict[str, str]:
    try:
        return industry_names(list_of(industries))
    except ConcordanceError:
        return {}
