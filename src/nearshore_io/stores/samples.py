"""What samples say: quantiles with their own uncertainty, whether they have settled, and what moves them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nearshore_io.errors import LabelError, first_few
from nearshore_io.solvers.base import Array

if TYPE_CHECKING:
    import polars as pl


def order_interval(values: Array, level: float, confidence: float) -> tuple[float, float]:
    """Return the order statistics that hold a quantile with at least this confidence, whatever the distribution.

    P(X_(l) ≤ q < X_(u)) = B(u − 1) − B(l − 1) with B binomial(n, level). Infinite where n is too small.

    Source: David & Nagaraja (2003), Order Statistics, section 7.1.
    """
    from scipy import stats

    ordered, n = np.sort(values), len(values)
    tail = (1.0 - confidence) / 2
    low = int(stats.binom.ppf(tail, n, level))
    if stats.binom.cdf(low - 1, n, level) > tail:
        low -= 1
    high = int(stats.binom.ppf(1.0 - tail, n, level)) + 1
    return (
        float(ordered[low - 1]) if low >= 1 else float("-inf"),
        float(ordered[high - 1]) if high <= n else float("inf"),
    )


def quantiles(frame: "pl.LazyFrame", keys: Sequence[str], levels: Sequence[float], confidence: float) -> pd.DataFrame:
    """Return count, mean and quantiles with their intervals for every combination of keys, values unknown left out.

    The count is of values that are known; ``unknown`` says how many are not. Where every total has a standard deviation
    from errors of the table, ``sd`` is the median of them.

    Raises
    ------
    LabelError
        A key that is no column.
    """
    import polars as pl

    known_names = frame.collect_schema().names()
    if missing := [key for key in keys if key not in known_names]:
        raise LabelError(f"no parameter {missing[0]!r}; there are {first_few(known_names, 20)}.")
    listed = [pl.col(name) for name in ("value", "sd") if name in known_names]
    grouped = frame.group_by(list(keys), maintain_order=True).agg(pl.col("unit").first(), *listed)
    rows = []
    for row in grouped.collect().iter_rows(named=True):
        values = np.array(row.pop("value"), dtype=np.float64)
        known = values[~np.isnan(values)]
        errors = np.array(row.pop("sd"), dtype=np.float64) if "sd" in row else None
        row |= {"count": len(known), "unknown": len(values) - len(known)}
        row["mean"] = float(known.mean()) if known.size else float("nan")
        if errors is not None:
            row["sd"] = float(np.nanmedian(errors)) if known.size else float("nan")
        for level in levels:
            name = f"P{100 * level:g}"
            low, high = order_interval(known, level, confidence) if known.size else (float("nan"), float("nan"))
            row[name] = float(np.quantile(known, level)) if known.size else float("nan")
            row |= {f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def convergence(frame: pd.DataFrame, level: float, confidence: float = 0.9) -> pd.DataFrame:
    """Return a quantile after 2, 4, 8, … scenarios in their order, and after all; with its interval."""
    values = frame.sort_values("scenario")["value"].to_numpy(dtype=np.float64)
    if np.isnan(values).any():
        raise LabelError("this total is unknown in some scenarios, so it has no quantiles.")
    counts = [1 << k for k in range(1, len(values).bit_length()) if 1 << k < len(values)] + [len(values)]
    rows = []
    for count in counts:
        low, high = order_interval(values[:count], level, confidence)
        rows.append({"samples": count, "quantile": float(np.quantile(values[:count], level)), "low": low, "high": high})
    return pd.DataFrame(rows)


def tornado(frame: pd.DataFrame, parameters: Sequence[str]) -> pd.DataFrame:
    """Return rank correlations of values with numbers, within each combination of texts, and ratios for the texts.

    Raises
    ------
    LabelError
        If nothing varies, or a value is unknown.
    """
    if frame["value"].isna().any():
        raise LabelError("this total is unknown in some scenarios, so it has no rank correlations.")
    varying = [name for name in parameters if name in frame and frame[name].nunique() > 1]
    numbers = [name for name in varying if pd.api.types.is_numeric_dtype(frame[name])]
    texts = [name for name in varying if name not in numbers]
    groups = [part for _, part in frame.groupby(texts, sort=False)] if texts else [frame]
    rows = [{"parameter": name, "measure": "rank correlation", **_correlation(groups, name)} for name in numbers]
    ranks = frame["value"].rank()
    for name in texts:
        between = ranks.groupby(frame[name]).transform("mean").var(ddof=0)
        ratio = float(np.sqrt(between / ranks.var(ddof=0))) if ranks.var(ddof=0) > 0 else 0.0
        rows.append(
            {"parameter": name, "measure": "correlation ratio", "correlation": ratio, "lowest": ratio, "highest": ratio}
        )
    if not rows:
        raise LabelError(f"nothing varies among {first_few(parameters) or 'no parameters'}: nothing to rank.")
    found = pd.DataFrame(rows).sort_values("correlation", key=abs, ascending=False, ignore_index=True)
    return found.set_index("parameter")


def _correlation(groups: Sequence[pd.DataFrame], name: str) -> dict[str, float]:
    """Return the mean, lowest and highest of Spearman's correlations with a number over groups."""
    found = []
    for part in groups:
        given, values = part[name].rank().to_numpy(), part["value"].rank().to_numpy()
        if np.ptp(given) > 0 and np.ptp(values) > 0:
            found.append(float(np.corrcoef(given, values)[0, 1]))
    if not found:
        return {"correlation": 0.0, "lowest": 0.0, "highest": 0.0}
    return {"correlation": float(np.mean(found)), "lowest": min(found), "highest": max(found)}
