"""Projections held against the table that was published later."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nearshore_io.calibration.projection import METHODS, Margins, margins_of, project
from nearshore_io.errors import LabelError
from nearshore_io.indicators import export_content
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable

KEPT = "coefficients kept"
"""The forecast every method must beat: the old table's coefficients and shares of final demand."""


def hold_out(
    base: IOTable,
    truth: IOTable,
    methods: Sequence[str] = METHODS,
    *,
    exporter: str = "MEX",
    importer: str = "USA",
    origin: str = "USA",
) -> pd.DataFrame:
    """Return errors of projecting a table to a later year by that year's margins alone, one row for each method.

    Columns: ``coefficients``, Σ|a − a*| x* / Σ a* x*, in per cent; ``multipliers``, the mean of |m/m* − 1| over
    industries weighted by output, where m is value added at home and abroad per unit of final demand met by the region
    itself (the domestic content of its products), ``multipliers_90`` what nine tenths of output stay within;
    ``content`` and ``true``, the value added of ``origin`` in exports of ``exporter`` to ``importer``, and ``error``
    its difference, in cents per dollar; ``worst_content``, the largest error over all exporters and origins;
    ``content_90``, what nine of ten of the errors of foreign origins stay within, relative to contents of a cent or
    more.

    Parameters
    ----------
    base, truth : tables of two years on the same labels. The margins are those of ``truth``: nothing else of it is
        used.

    Notes
    -----
    Changes in inventories are merged with fixed capital formation first: RAS and cross-entropy know no totals below
    zero.

    Raises
    ------
    LabelError
        If the tables are on other labels.
    """
    if (base.regions, base.sectors, base.final_regions, base.categories) != (
        truth.regions, truth.sectors, truth.final_regions, truth.categories
    ):  # fmt: skip
        raise LabelError("hold_out: the two tables are on other regions, sectors or categories.")
    base, truth = (_without_inventories(table) for table in (base, truth))
    margins = margins_of(truth)
    year = truth.year or 0
    rows = [{"method": KEPT, **_errors(_kept(base, margins, year), truth, exporter, importer, origin)}]
    for method in methods:
        found = project(base, year, margins, method=method, totals="outputs")  # type: ignore[arg-type]
        rows.append({"method": method, **_errors(found.table, truth, exporter, importer, origin)})
    return pd.DataFrame(rows).set_index("method")


def _without_inventories(table: IOTable) -> IOTable:
    if not {"INVNT", "GFCF"} <= set(table.categories):
        return table
    kept = [name for name in table.categories if name != "INVNT"]
    Y = table.Y.sel(category=kept).copy()
    Y.loc[{"category": "GFCF"}] += table.Y.sel(category="INVNT").values
    return IOTable.from_arrays(
        table.Z, Y.values.reshape(table.n, -1), table.inputs, regions=table.regions, sectors=table.sectors,
        final_regions=table.final_regions, categories=kept, country=table.country, meta={"year": table.year},
    )  # fmt: skip


def _kept(base: IOTable, margins: Margins, year: int) -> IOTable:
    """Return the old coefficients at the new outputs: its rows do not sum to output, and nothing is balanced."""
    x0 = base.x.values.ravel()
    A = dense(base.A)
    y0 = base.y.sum(axis=0)
    Y = np.divide(base.y, y0, out=np.zeros_like(base.y), where=y0 != 0) * margins.final_demand
    x = np.linalg.solve(np.eye(base.n) - A, Y.sum(axis=1))
    growth = np.divide(x, x0, out=np.zeros_like(x), where=x0 != 0)
    inputs = {name: values * growth for name, values in base.inputs.items()}
    return base.with_numbers(Z=A * x, Y=Y, inputs=inputs, stressors={}, meta={"year": year, "history": ()})


def _errors(found: IOTable, truth: IOTable, exporter: str, importer: str, origin: str) -> dict[str, float]:
    A, A0, x = dense(found.A), dense(truth.A), truth.x.values.ravel()
    ours, theirs = Leontief(found), Leontief(truth)
    all_ours, all_theirs = export_content(ours), export_content(theirs)
    shares = [
        content.sel(origin=[o for o in content["origin"].values if o != "taxes"]) for content in (all_ours, all_theirs)
    ]
    gap = np.abs((shares[0] - shares[1]).values)
    abroad = shares[1]["origin"] != shares[1]["exporter"]
    sizable = (shares[1].values >= 0.01) & np.asarray(
        abroad.transpose(*[d for d in shares[1].dims if d in abroad.dims])
    )
    own = [float(export_content(m, exporter, importer).sel(origin=origin)) for m in (ours, theirs)]
    home = [_domestic(model) for model in (ours, theirs)]
    weight = np.where(home[1] > 0, x, 0.0)
    ratio = np.divide(home[0], home[1], out=np.ones_like(x), where=home[1] > 0)
    return {
        "coefficients": 100 * float((np.abs(A - A0) * x).sum() / (np.abs(A0) * x).sum()),
        "multipliers": 100 * float((np.abs(ratio - 1) * weight).sum() / weight.sum()),
        "multipliers_90": 100 * _quantile(np.abs(ratio - 1), weight, 0.9),
        "content": 100 * own[0],
        "true": 100 * own[1],
        "error": 100 * (own[0] - own[1]),
        "worst_content": 100 * float(gap.max()),
        "content_90": 100 * float(np.quantile(gap[sizable] / shares[1].values[sizable], 0.9)),
    }


def _quantile(values: Array, weights: Array, share: float) -> float:
    """Return the value that ``share`` of the weights lie at or below."""
    order = np.argsort(values)
    below = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(below, share)])


def _domestic(model: Leontief) -> Array:
    """Return value added of a product's own country per unit of its final demand, v_c L, (n,)."""
    table = model.table
    owners = np.repeat([table.country[region] for region in table.regions], len(table.sectors))
    v = table.intensity("value_added")
    rows = np.array([np.where(owners == country, v, 0.0) for country in table.countries])
    M = model.factors.solve_transposed(rows.T)
    place = {country: i for i, country in enumerate(table.countries)}
    return np.asarray(M[np.arange(table.n), [place[owner] for owner in owners]])
