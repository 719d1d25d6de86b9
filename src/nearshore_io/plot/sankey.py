"""The Sankey of a shock: from what is asked for, through suppliers, to whose value added it becomes."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Curve

from nearshore_io.batch.tiers import COLUMNS, OWN, SHOCK, TAXES
from nearshore_io.errors import LabelError, ShockError
from nearshore_io.plot import style
from nearshore_io.plot.style import POOLED, Words

NODE = 0.035
"""Width of a node of the Sankey, of 1."""
PART = 0.02
"""Part of the shock under which a node is pooled."""


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
