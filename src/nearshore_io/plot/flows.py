"""Where a dollar goes: the waterfall of an export dollar, the Sankey of a shock, value added between countries."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Curve

from nearshore_io.batch.tiers import COLUMNS, OWN, SHOCK, TAXES
from nearshore_io.errors import LabelError, ShockError
from nearshore_io.labels import unknown
from nearshore_io.plot import style
from nearshore_io.plot.style import POOLED, Words

LARGER = {"million USD": ("billion USD", 1e-3), "thousand persons": ("million persons", 1e-3)}
"""Units that large numbers are shown in instead, and by how much they are multiplied."""
SMALL = 0.5
"""Cents under which an origin is added to the others."""
NODE = 0.035
"""Width of a node of the Sankey, of 1."""
PART = 0.02
"""Part of the shock under which a node is pooled."""


def waterfall(content: xr.DataArray, *, ax: Axes | None = None, words: Words = str) -> Axes:
    """Draw 100 cents of an export dollar by origin: the largest first, small ones pooled, product taxes last.

    Parameters
    ----------
    content : from `export_content`, with the dim ``origin`` alone.

    Raises
    ------
    ShockError
        If it is something else, or has further dims.
    """
    if not isinstance(content, xr.DataArray) or content.dims != ("origin",):
        raise ShockError(
            "a waterfall needs content with the dim origin alone: nio.export_content(model, 'MEX', 'USA')."
        )
    cents = 100.0 * content.to_series()
    taxes = cents[[name for name in cents.index if name == "taxes"]]
    origins = cents.drop(taxes.index).sort_values(ascending=False)
    large = origins[origins >= SMALL]
    rest = float(origins[origins < SMALL].sum())
    steps = pd.concat([large, pd.Series({POOLED: rest}) if rest else large.iloc[:0], taxes])
    ax = style.axes(ax, 7.0, 0.9 + 0.34 * (len(steps) + 1))
    start = 0.0
    for k, (name, value) in enumerate(steps.items()):
        ax.barh(k, value, left=start, color=style.colour(str(name)), height=0.66)
        ax.text(max(start, start + value) + 1, k, style.short(value, 3), va="center", fontsize=8)
        if k:
            ax.plot([start, start], [k - 1.33, k + 0.33], color="#777777", linewidth=0.6)
        start += float(value)
    ax.barh(len(steps), start, color="#D0D0D0", height=0.66)
    ax.text(start + 1, len(steps), style.short(start, 3), va="center", fontsize=8)
    ax.set_yticks(range(len(steps) + 1), [*(words(str(name)) for name in steps.index), words("sum")])
    ax.set(xlim=(0, 112), xticks=range(0, 101, 20))
    ax.invert_yaxis()
    ax.set_xlabel(words("cents per dollar of exports, by origin of value added"))
    style.bare(ax, "top", "right", "left")
    ax.tick_params(left=False)
    frame = pd.DataFrame({"origin": cents.index, "value": cents.to_numpy(), "unit": "cents per dollar"})
    return style.record(ax, frame)


def sankey(flows: pd.DataFrame, direction: str = "gained", *, ax: Axes | None = None, words: Words = str) -> Axes:
    """Draw where the money of a shock goes: producers, what they buy at the first tier, whose value added it becomes.

    Parameters
    ----------
    flows : from `demand_flows`.
    direction : "gained" or "lost".

    Raises
    ------
    ShockError
        If these are no flows of a shock, or there are none in that direction.
    """
    if not isinstance(flows, pd.DataFrame) or list(flows.columns) != COLUMNS:
        raise ShockError("a Sankey needs the flows of a shock: nio.demand_flows(model, scenario).")
    if direction not in ("gained", "lost"):
        raise LabelError(f"direction must be 'gained' or 'lost', not {direction!r}.")
    chosen = flows[flows["direction"] == direction]
    total = float(chosen.loc[chosen["tier"] == 1, "value"].sum())
    if not total > 0:
        raise ShockError(f"this shock has no demand that is {direction}.")
    links = _pooled(chosen, total)
    missing = float(chosen.loc[chosen["tier"] == 3, "value"].sum() - links.loc[links["tier"] == 3, "value"].sum())
    ax = style.axes(ax, 8.0, 4.6)
    tops = _stack(links)
    for column in range(4):
        for name, (y, height) in tops[column].items():
            _node(ax, column, name, y, height, total, str(flows["unit"].iloc[0]), words)
    starts, ends = _ends(links, tops, total)
    for tier, source, target, value in links.itertuples(index=False):
        left, right = starts[tier, source, target], ends[tier, source, target]
        colour = style.colour(target if source in (SHOCK, OWN) else source)
        _ribbon(ax, tier - 1, left, right, value / total, colour)
    top = max(y + h for column in tops for y, h in column.values())
    ax.set(xlim=(-0.12, 3.55), ylim=(top + 0.02, -0.1))
    for column, title in enumerate(("shock", "producers", "first tier", "value added")):
        ax.text(column, -0.05, words(title), ha="center", va="bottom", fontsize=9, fontweight="bold")
    if abs(missing) >= 5e-3 * total:
        ax.text(
            3.5, top, f"{words('not drawn (negative or very small)')}: {style.short(missing)}", ha="right", fontsize=7
        )
    ax.set_axis_off()
    return style.record(ax, chosen)


def _pooled(chosen: pd.DataFrame, total: float) -> pd.DataFrame:
    """Return links with small nodes of every tier pooled, each node under the same name on both of its sides."""
    kept: dict[int, set[str]] = {}
    for tier in (1, 2, 3):
        sums = chosen[chosen["tier"] == tier].groupby("target")["value"].sum()
        kept[tier] = {str(name) for name, value in sums.items() if value >= PART * total} | {OWN, TAXES}
    links = chosen[["tier", "source", "target", "value"]].copy()
    for side, shift in (("source", 1), ("target", 0)):
        tiers = links["tier"] - shift
        stays = [t == 0 or name in kept[t] for t, name in zip(tiers, links[side], strict=True)]
        links[side] = links[side].where(stays, POOLED)
    links = links.groupby(["tier", "source", "target"], as_index=False)["value"].sum()
    return links[links["value"] >= 1e-4 * total]


Link = tuple[int, str, str]


def _ends(
    links: pd.DataFrame, tops: list[dict[str, tuple[float, float]]], total: float
) -> tuple[dict[Link, float], dict[Link, float]]:
    """Return where each link leaves its source and reaches its target: in the order of the nodes on the other side."""
    starts: dict[Link, float] = {}
    ends: dict[Link, float] = {}
    for (tier, name), part in links.groupby(["tier", "source"]):
        y = tops[tier - 1][name][0]
        for row in sorted(part.itertuples(), key=lambda link: tops[link.tier][link.target][0]):
            starts[tier, name, row.target] = y
            y += row.value / total
    for (tier, name), part in links.groupby(["tier", "target"]):
        y = tops[tier][name][0]
        for row in sorted(part.itertuples(), key=lambda link: tops[link.tier - 1][link.source][0]):
            ends[tier, row.source, name] = y
            y += row.value / total
    return starts, ends


def _stack(links: pd.DataFrame) -> list[dict[str, tuple[float, float]]]:
    """Return the nodes of the four columns, each with its top and its height as parts of the shock."""
    total = float(links.loc[links["tier"] == 1, "value"].sum())
    columns: list[dict[str, tuple[float, float]]] = []
    for column in range(4):
        tier, side = (1, "source") if column == 0 else (column, "target")
        sums = links[links["tier"] == tier].groupby(side, sort=False)["value"].sum() / total
        found: dict[str, tuple[float, float]] = {}
        y = 0.0
        for name in sorted(sums.index, key=lambda n: (n in (TAXES, POOLED), n != OWN, -sums[n])):
            found[str(name)] = (y, float(sums[name]))
            y += float(sums[name]) + 0.025
        columns.append(found)
    return columns


def _node(ax: Axes, column: int, name: str, y: float, height: float, total: float, unit: str, words: Words) -> None:
    colour = "#666666" if name in (SHOCK, OWN) else style.colour(name)
    ax.add_patch(Rectangle((column - NODE, y), 2 * NODE, height, color=colour, linewidth=0))
    if column == 0:
        said = f"{style.short(height * total)}\n{words(unit)}"
        ax.text(-0.06, y + height / 2, said, ha="right", va="center", fontsize=8, rotation=90)
        return
    ax.text(column + 0.05, y + height / 2, f"{words(name)} {style.short(height * total)}", va="center", fontsize=8)


def _ribbon(ax: Axes, column: int, start: float, end: float, height: float, colour: str) -> None:
    """Draw a link as a band between two cubic curves."""
    left, right = column + NODE, column + 1 - NODE
    middle = (left + right) / 2
    points = [
        (left, start), (middle, start), (middle, end), (right, end),
        (right, end + height), (middle, end + height), (middle, start + height), (left, start + height), (left, start),
    ]  # fmt: skip
    codes = [Curve.MOVETO, *[Curve.CURVE4] * 3, Curve.LINETO, *[Curve.CURVE4] * 3, Curve.CLOSEPOLY]
    ax.add_patch(PathPatch(Curve(points, codes), facecolor=colour, alpha=0.38, linewidth=0))


def bilateral(
    matrix: xr.DataArray,
    before: xr.DataArray | None = None,
    *,
    countries: int = 8,
    ax: Axes | None = None,
    words: Words = str,
) -> Axes:
    """Draw value added (or another stressor) of each country in the final demand of each other one.

    Parameters
    ----------
    matrix : from `footprint` or `embodied_in_exports`, dims (origin, destination).
    before : the same before a scenario: the change is drawn, in diverging colours.

    Raises
    ------
    ShockError
        If it is something else, or nothing changes.
    """
    if not isinstance(matrix, xr.DataArray) or set(matrix.dims) != {"origin", "destination"}:
        raise ShockError("this figure needs a matrix by origin and destination: nio.footprint(model).")
    values = matrix if before is None else matrix - before
    frame = pd.DataFrame(
        values.transpose("origin", "destination").values,
        index=matrix["origin"].values,
        columns=matrix["destination"].values,
    ).dropna(axis="index", how="all")
    abroad = frame.copy()
    for name in set(frame.index) & set(frame.columns):
        abroad.loc[name, name] = np.nan
    size = abroad.abs().sum(axis="columns").add(abroad.abs().sum(), fill_value=0.0)
    listed = [name for name in ("USA", "MEX") if name in frame.index]
    listed += size.drop(listed).nlargest(max(countries - len(listed), 0)).index.tolist()
    rows = [name for name in listed if name in frame.index]
    part = abroad.loc[rows, listed]
    numbers = np.abs(part.to_numpy())
    limit = float(np.nanmax(numbers))
    if not limit > 0:
        raise ShockError("nothing changes between these countries: nothing to draw.")
    ax = style.axes(ax, 1.6 + 0.66 * len(listed), 1.2 + 0.42 * len(rows))
    norm: Normalize
    if before is None:
        norm, cmap = LogNorm(max(limit / 1e4, float(numbers[numbers > 0].min())), limit), style.LEVELS
    else:
        norm, cmap = TwoSlopeNorm(0.0, -limit, limit), style.CHANGES
    ax.imshow(part.to_numpy(), cmap=cmap, norm=norm, aspect="auto")
    unit = str(matrix.attrs["units"])
    shown, scale = LARGER.get(unit, (unit, 1.0)) if limit >= 1e5 else (unit, 1.0)
    for i in range(len(rows)):
        for j in range(len(listed)):
            value = float(part.iloc[i, j])
            if not np.isnan(value) and abs(value) >= (0.0 if before is None else 0.005 * limit):
                ink = style.ink(cmap(norm(value)))
                ax.text(j, i, style.short(value * scale), ha="center", va="center", fontsize=7, color=ink)
    ax.set_xticks(range(len(listed)), [style.wrapped(words(name)) for name in listed], fontsize=8)
    ax.set_yticks(range(len(rows)), [words(name) for name in rows], fontsize=8)
    ax.xaxis.tick_top()
    ax.set_ylabel(words("value added of"))
    what = words("in final demand of") if before is None else words("in final demand of, change")
    ax.set_xlabel(f"{what} ({words(shown)})")
    ax.tick_params(length=0)
    style.bare(ax, "top", "right", "left", "bottom")
    long = frame.rename_axis("origin").reset_index().melt("origin", var_name="destination", value_name="value")
    return style.record(ax, long.assign(unit=unit))


def content_bars(content: xr.DataArray, *, ax: Axes | None = None, words: Words = str) -> Axes:
    """Draw content of exports before and after a scenario, in cents per dollar.

    Parameters
    ----------
    content : the variable ``content`` of ``run(model, scenarios, content=True)``, of one scenario and phase.

    Raises
    ------
    ShockError
        If it is something else.
    """
    if not isinstance(content, xr.DataArray) or set(content.dims) != {"flow", "when"}:
        raise ShockError("this figure needs results.content of one scenario and one phase.")
    frame = 100.0 * content.transpose("flow", "when").to_pandas()
    if not {"before", "after"} <= set(frame.columns):
        raise unknown("after", "when", list(map(str, frame.columns)))
    ax = style.axes(ax, 7.0, 0.9 + 0.55 * len(frame))
    places = np.arange(len(frame))
    colours = [style.colour(str(name).partition(" in exports")[0]) for name in frame.index]
    ax.barh(places - 0.19, frame["before"], height=0.34, color=colours, alpha=0.45)
    ax.barh(places + 0.19, frame["after"], height=0.34, color=colours)
    for shift, when in ((-0.19, "before"), (0.19, "after")):
        for place, value in zip(places, frame[when], strict=True):
            if not np.isnan(value):
                ax.text(value, place + shift, f" {words(when)} {style.short(value, 3)}", va="center", fontsize=8)
    ax.set_yticks(places, [words(str(name)) for name in frame.index])
    ax.invert_yaxis()
    ax.margins(x=0.25)
    ax.set_xlabel(words("cents per dollar of exports"))
    style.bare(ax, "top", "right", "left")
    ax.tick_params(left=False)
    long = frame.rename_axis("flow").reset_index().melt("flow", var_name="when", value_name="value")
    return style.record(ax, long.assign(unit="cents per dollar"))
