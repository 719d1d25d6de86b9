"""Tables and methods themselves: positions in the chain, where a table has flows, how long solvers take."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from scipy.sparse import issparse

from nearshore_io import labels
from nearshore_io.errors import LabelError, ShockError
from nearshore_io.labels import unknown
from nearshore_io.plot import style
from nearshore_io.plot.style import Words
from nearshore_io.table import IOTable

LABELLED = 10


def positions(
    upstreamness: xr.DataArray,
    content: xr.DataArray,
    origin: str = "USA",
    region: str | None = None,
    *,
    ax: Axes | None = None,
    words: Words = str,
) -> Axes:
    """Draw industries by their distance to final use and by what an export dollar of theirs holds of an origin.

    Parameters
    ----------
    upstreamness : from `upstreamness`, dims (region, sector).
    content : from ``export_content(model, exporter, importer, by="sector")``.
    region : whose upstreamness; by default the exporter's, where it has one region (MX2 of Mexico).

    Raises
    ------
    ShockError
        If the arrays have other dims.
    LabelError
        No such origin or region.
    """
    if set(upstreamness.dims) != {"region", "sector"} or set(content.dims) != {"origin", "sector"}:
        raise ShockError("this figure needs nio.upstreamness(model) and nio.export_content(..., by='sector').")
    if origin not in content["origin"].values:
        raise unknown(origin, "origin", content["origin"].values.tolist())
    regions = upstreamness["region"].values.tolist()
    chosen = region or _exporting(content, regions, upstreamness["country"].values.tolist())
    if chosen not in regions:
        raise unknown(chosen, "region", regions)
    steps = upstreamness.sel(region=chosen)
    cents = 100.0 * content.sel(origin=origin)
    frame = pd.DataFrame(
        {
            "sector": steps["sector"].values,
            "upstreamness": steps.values,
            "content": cents.sel(sector=steps["sector"]).values,
        }
    ).dropna()
    if not len(frame):
        raise ShockError(f"{chosen} has no industry with both numbers: nothing to draw.")
    ax = style.axes(ax, 7.0, 4.4)
    goods = frame["sector"].isin(_manufacturing(steps))
    for mask, colour, label in (
        (goods, style.colour(origin), "manufacturing"),
        (~goods, "#999999", "other industries"),
    ):
        if mask.any():
            ax.scatter(frame["upstreamness"][mask], frame["content"][mask], color=colour, s=26, label=words(label))
    for row in frame.nlargest(LABELLED, "content").itertuples():
        ax.annotate(row.sector, (row.upstreamness, row.content), textcoords="offset points", xytext=(4, 3), fontsize=8)
    ax.set_xlabel(f"{style.labelled(upstreamness, words)}; {chosen}")
    ax.set_ylabel(f"{words(origin)}: {words('cents per dollar of exports')}")
    ax.legend(frameon=False, fontsize=8)
    style.bare(ax)
    return style.record(ax, frame.assign(region=chosen, origin=origin, unit="steps; cents per dollar"))


def _manufacturing(steps: xr.DataArray) -> list[str]:
    """Return the sectors that are manufacturing, none where the list of industries has no such group."""
    sectors = steps["sector"].values.tolist()
    names = (
        dict(zip(sectors, steps["sector_name"].values.tolist(), strict=True)) if "sector_name" in steps.coords else {}
    )
    try:
        return [sectors[i] for i in labels.sector_positions("manufacturing", sectors, names).tolist()]
    except LabelError:
        return []


def _exporting(content: xr.DataArray, regions: Sequence[str], countries: Sequence[str]) -> str:
    """Return the region that exports: the only one of the exporter, or the second account of Mexico and China."""
    exporter = str(content.attrs["long_name"]).partition(" of exports of ")[2].partition(" to ")[0]
    own = [region for region, country in zip(regions, countries, strict=True) if exporter in (region, country)]
    if not own:
        raise LabelError(f"name the region whose upstreamness is drawn: {exporter or 'the exporter'} is none.")
    return next((region for region in own if region in ("MX2", "CN2")), own[0])


def spy(table: IOTable, *, floor: float = 1e-6, ax: Axes | None = None, words: Words = str) -> Axes:
    """Draw where a table has coefficients: log₁₀ of A, regions apart, nothing under a floor.

    Parameters
    ----------
    floor : coefficients under it are left white.

    Raises
    ------
    ShockError
        If it is no table.
    """
    if not isinstance(table, IOTable):
        raise ShockError("spy draws a table: nio.load_table().")
    A = np.abs(table.A.toarray() if issparse(table.A) else np.asarray(table.A))
    grid = _coarse(A, 800)
    shown = np.where(grid > floor, np.log10(np.maximum(grid, floor)), np.nan)
    ax = style.axes(ax, 6.2, 5.6)
    image = ax.imshow(shown, cmap=style.LEVELS, extent=(0, table.n, table.n, 0), interpolation="nearest")
    edges = np.arange(len(table.regions) + 1.0) * len(table.sectors)
    for edge in edges.tolist():
        ax.axhline(edge, color="#BBBBBB", linewidth=0.4)
        ax.axvline(edge, color="#BBBBBB", linewidth=0.4)
    middle = (edges[:-1] + edges[1:]) / 2
    ax.set_xticks(middle, table.regions, rotation=90, fontsize=7)
    ax.set_yticks(middle, table.regions, fontsize=7)
    ax.tick_params(length=0)
    share = float(np.count_nonzero(A) / A.size)
    ax.set_xlabel(f"{words('buyers')}; {table.n:,} × {table.n:,}, {100 * share:.2g} % {words('of cells are not zero')}")
    ax.set_ylabel(words("sellers"))
    ax.figure.colorbar(image, ax=ax, label=words("log₁₀ of input per unit of output"), shrink=0.8)
    size = len(table.sectors)
    blocks = A.reshape(len(table.regions), size, len(table.regions), size).sum(axis=(1, 3))
    cells = (A != 0).reshape(len(table.regions), size, len(table.regions), size).sum(axis=(1, 3))
    frame = pd.DataFrame(
        [
            (seller, buyer, float(blocks[i, j]), int(cells[i, j]))
            for i, seller in enumerate(table.regions)
            for j, buyer in enumerate(table.regions)
        ],
        columns=["sellers", "buyers", "sum_of_coefficients", "cells"],
    )
    return style.record(ax, frame)


def _coarse(values: np.ndarray, most: int) -> np.ndarray:
    """Return the largest number of every block, so that a matrix has no more rows than can be seen."""
    step = -(-len(values) // most)
    if step == 1:
        return values
    padded = np.zeros((-(-len(values) // step) * step,) * 2)
    padded[: len(values), : len(values)] = values
    blocks = len(padded) // step
    return np.asarray(padded.reshape(blocks, step, blocks, step).max(axis=(1, 3)))


def solver_benchmark(
    report: Mapping[str, Any],
    against: str = "n",
    *,
    problems: Sequence[str] = ("wiod", "icio", "exiobase", "gloria"),
    drivers: Sequence[str] = ("auto", "gmres", "lu", "mixed", "numpy.linalg.solve", "pymrio"),
    ax: Axes | None = None,
    words: Words = str,
) -> Axes:
    """Draw median times of one shock from nothing: against the number of industries, or of right-hand sides.

    Parameters
    ----------
    report : what `make bench` wrote, read from its JSON.
    against : "n" (one right-hand side each), or "right-hand sides" (of the table in OECD's shape).

    Raises
    ------
    ShockError
        If it is no such report.
    LabelError
        If ``against`` is something else.
    """
    if not isinstance(report, Mapping) or not {"rows", "machine"} <= set(report):
        raise ShockError("this figure needs a report of `make bench`, read from its JSON.")
    if against not in ("n", "right-hand sides"):
        raise LabelError(f"against must be 'n' or 'right-hand sides', not {against!r}.")
    cold = [row for row in report["rows"] if "failed" not in row and row["case"] == "cold"]
    ax = style.axes(ax, 6.0, 4.4)
    found = []
    for driver in drivers:
        mine = [row for row in cold if row["driver"].split()[0] == driver]
        if against == "n":
            mine = [row for row in mine if row["number"] in (None, 1) and row["problem"] in problems]
            points = sorted((row["n"], row["median_s"]) for row in mine)
        else:
            points = sorted((row["number"] or 1, row["median_s"]) for row in mine if row["problem"] == "icio")
        if not points or (against != "n" and len(points) < 2):
            continue
        ax.loglog(*zip(*points, strict=True), marker="o", label=driver)
        found += [(driver, where, seconds) for where, seconds in points]
    if against == "n":
        sizes = sorted({where for _, where, _ in found})
        read = report["machine"]["read_gb_per_s"] * 1e9
        ax.loglog(sizes, [8 * n**2 / read for n in sizes], "k:", label=words("A read once"))
        ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
        ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(words("industries" if against == "n" else "right-hand sides"))
    ax.set_ylabel(words("seconds"))
    ax.legend(frameon=False, fontsize=8)
    ax.grid(alpha=0.3, which="both")
    return style.record(ax, pd.DataFrame(found, columns=["driver", against, "median_s"]))
