"""Rules of origin and content tests on a table's industries: content, threshold, gap, and what a claim would need.

An industry of a table is no product and its average purchases are no bill of materials: these are what the rules
would say of an industry's average, not of a shipment.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
import xarray as xr
from scipy.special import ndtr

from nearshore_io import labels
from nearshore_io.errors import LabelError, ShockError
from nearshore_io.labels import Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.shipped import shipped
from nearshore_io.solvers.base import Array, Flags
from nearshore_io.table import IOTable

SHARE = "share of the denominator"
ROUNDS = 10_000


@cache
def content_rules() -> Mapping[str, Any]:
    """Return the shipped thresholds, ``tables/content-rules.toml``, each with its source and the day it began."""
    with shipped("tables", "content-rules.toml").open("rb") as file:
        return tomllib.load(file)


def _in_force(entries: Sequence[Mapping[str, Any]], day: str) -> Mapping[str, Any]:
    begun = [entry for entry in entries if entry["since"] <= day]
    if not begun:
        raise ShockError(f"the rule was not in force on {day}; it began on {entries[0]['since']}.")
    return begun[-1]


def regional_value_content(
    model: Leontief,
    region: Wanted = "MEX",
    sector: Wanted | None = None,
    measure: Literal["direct", "roll_up", "traced"] = "direct",
    method: Literal["net_cost", "transaction_value"] = "net_cost",
    day: str = "2023-07-01",
    threshold: float | None = None,
    excluded: float | None = None,
) -> xr.Dataset:
    """Return USMCA's regional value content of industries, with the gap to its threshold.

    With NA the three countries, and a denominator of 1 − ``excluded`` per unit of output:

    - direct: 1 − Σ_k∉NA a_kj / NC_j, what comes from outside at the first tier
    - roll_up: an originating part counts whole, another not at all: VNM_j = Σ_i∉NA a_ij + Σ_i∈NA a_ij (1 − o_i)
      with o_i = 1 if 1 − VNM_i/NC_i reaches the threshold; the greatest such o, from o = 1 downwards
    - traced: Σ_k∈NA v_k L_·j / NC_j, value added in the region anywhere in the chain; below direct by foreign value in
      inputs of the region, above it by the region's value in inputs from outside

    Parameters
    ----------
    method : "net_cost" leaves profits out of the denominator; "transaction_value" takes the whole price.
    day : on which the rule is applied.
    threshold : in the place of the rule's own, in [0, 1].
    excluded : profits, royalties and shipping per unit of output that net cost leaves out; by default what value added
        exceeds labour income by is not known to be profit, so 0, and the result says so.

    Returns
    -------
    Dataset over (region, sector): ``content``, ``threshold``, ``gap`` (threshold − content, at least 0) and ``passes``.

    Raises
    ------
    LabelError
        A table without the United States, Mexico and Canada; unknown industries.
    ShockError
        A threshold outside [0, 1]; excluded costs outside [0, 1); a day before the rule.

    Source: USMCA, chapter 4 and annex 4-B; ``tables/content-rules.toml``.
    """
    rule = content_rules()["usmca"]
    labels.position(measure, ("direct", "roll_up", "traced"), "measure of content")
    labels.position(method, ("net_cost", "transaction_value"), "method of valuation")
    wanted = float(_in_force(rule["regional_value"], day)[method]) if threshold is None else threshold
    _require_share(wanted, "threshold")
    base = 1.0 - (0.0 if method == "transaction_value" or excluded is None else excluded)
    if not 0.0 < base <= 1.0:
        raise ShockError(f"excluded is {excluded}: a share of output in [0, 1).")
    table = model.table
    inside = _region(table, rule["region"])
    if measure == "traced":
        v = np.where(inside, table.intensity("value_added"), 0.0)
        with model.naming_industries():
            content = model.factors.solve_transposed(v) / base
    elif measure == "direct":
        content = 1.0 - _bought(table, ~inside) / base
    else:
        content = _rolled_up(table, inside, wanted, base)
    assumptions = [
        "industry averages stand for a good's bill of materials",
        "net cost is taken to be the whole of output" if base == 1.0 and method == "net_cost" else "",
        "product taxes count as originating" if measure != "traced" else "product taxes count as not originating",
    ]
    return _result(
        table, content, wanted, region, sector, assumptions, rule["source"], measure=measure, method=method, day=day
    )


def _region(table: IOTable, countries: Sequence[str]) -> Flags:
    """Return whether each industry is inside the region; raise `LabelError` where the table lacks a country of it."""
    missing = [country for country in countries if country not in table.countries]
    if missing:
        raise LabelError(
            f"the rule is about {', '.join(countries)}, and {table.name} has no {', '.join(missing)}: take a table "
            "that tells them from the rest of the world."
        )
    inside = np.zeros(table.n, dtype=bool)
    inside[table.positions(region=list(countries))] = True
    return inside


def _bought(table: IOTable, sellers: Flags) -> Array:
    """Return what each industry buys from some, per unit of output, (n,)."""
    return np.asarray(sellers.astype(float) @ table.A).ravel()


def _rolled_up(table: IOTable, inside: Flags, threshold: float, base: float) -> Array:
    outside = _bought(table, ~inside)
    originating = inside.copy()
    for _ in range(ROUNDS):
        content = 1.0 - (outside + _bought(table, inside & ~originating)) / base
        still = originating & (content >= threshold)
        if (still == originating).all():
            return content
        originating = still
    raise ShockError("the roll-up did not settle.")


def labour_value_content(
    model: Leontief,
    region: Wanted = "MEX",
    sector: Wanted | None = None,
    vehicle: Literal["passenger_vehicle", "truck"] = "passenger_vehicle",
    income: str = "compensation",
    hours: str = "hours",
    spread: float = 0.5,
    technology: float = 0.0,
    assembly: bool = False,
    wage: float | None = None,
    excluded: float = 0.0,
    day: str = "2023-07-01",
    threshold: float | None = None,
) -> xr.Dataset:
    """Return USMCA's labour value content of industries: the part of their cost made at a high wage.

        LVC_j = [H_j w_j + Σ_k∈NA a_kj H_k] / NC_j + min(0.10, technology) + 0.05 if assembly

    H_k is the share of industry k's hours paid at the wage or more, 1 − Φ((ln wage − μ_k)/σ), with wages lognormal
    around their mean m_k = income_k / hours_k, μ_k = ln m_k − σ²/2, and w_j labour income per unit of output.

    Parameters
    ----------
    income, hours : stressors of the table, million USD and million hours.
    spread : σ, the standard deviation of the log of wages within an industry.
    technology, assembly : credits, as the rule allows them.
    wage : USD an hour; by default the rule's 16, a base wage without benefits, which compensation includes.

    Raises
    ------
    LabelError
        A table without the stressors, or without the three countries.
    ShockError
        Unknown wages in what is asked for; shares outside their ranges.

    Source: USMCA, annex 4-B, appendix, article 7.
    """
    rule = content_rules()["usmca"]
    wanted = float(_in_force(rule["labour_value"], day)[vehicle]) if threshold is None else threshold
    _require_share(wanted, "threshold")
    if not (0.0 <= technology <= 1.0 and spread > 0 and 0.0 <= excluded < 1.0):
        raise ShockError("technology lies in [0, 1], spread above 0, excluded in [0, 1).")
    table = model.table
    inside = _region(table, rule["region"])
    for name in (income, hours):
        labels.position(name, list(table.stressors), "stressor")
    paid, worked = table.stressors[income][0], table.stressors[hours][0]
    mean = np.divide(paid, worked, out=np.full(table.n, np.nan), where=worked > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.log(mean) - spread**2 / 2
    high = 1.0 - ndtr((np.log(rule["wage"] if wage is None else wage) - centre) / spread)
    needed = inside & (table.x.values.ravel() != 0)
    unknown = np.flatnonzero(needed & np.isnan(high) & (paid != 0))
    if unknown.size:
        raise ShockError(f"wages are unknown in {table.industry_names(unknown)}: labour value content cannot be told.")
    high = np.where(np.isnan(high), 0.0, high)
    suppliers = np.asarray(np.where(inside, high, 0.0) @ table.A).ravel()
    content = (high * table.per_output(paid) + suppliers) / (1.0 - excluded)
    content = content + min(0.10, technology) + (0.05 if assembly else 0.0)
    assumptions = [
        "industry averages stand for a plant",
        f"wages are lognormal with spread {spread}",
        "pay includes benefits",
    ]
    return _result(table, content, wanted, region, sector, assumptions, rule["source"], vehicle=vehicle, day=day)


def metals_content(
    model: Leontief,
    metals: Wanted,
    region: Wanted = "MEX",
    sector: Wanted | None = None,
    threshold: float | None = None,
) -> xr.Dataset:
    """Return the share of industries' purchases of steel and aluminium that comes from the three countries.

    Parameters
    ----------
    metals : the sectors that make them, such as ["C24A", "C24B"] or "c12".

    Raises
    ------
    LabelError, ShockError
        Unknown sectors; a table without the three countries; a threshold outside [0, 1].

    Source: USMCA, annex 4-B, appendix, article 6: 70 % of a producer's purchases.
    """
    rule = content_rules()["usmca"]
    wanted = float(rule["steel_and_aluminium"]) if threshold is None else threshold
    _require_share(wanted, "threshold")
    table = model.table
    inside = _region(table, rule["region"])
    metal = np.zeros(table.n, dtype=bool)
    metal[table.positions(sector=metals)] = True
    total = _bought(table, metal)
    share = np.divide(_bought(table, metal & inside), total, out=np.full(table.n, np.nan), where=total > 0)
    assumptions = [
        "an industry's purchases stand for a producer's",
        "all that the sectors make counts as steel or aluminium",
    ]
    return _result(table, share, wanted, region, sector, assumptions, rule["source"])


def exim_content(
    model: Leontief,
    sector: Wanted | None = None,
    exporter: str = "USA",
    policy: Literal["transformational", "standard"] = "transformational",
    measure: Literal["direct", "traced"] = "direct",
    threshold: float | None = None,
) -> xr.Dataset:
    """Return US content of industries' output by EXIM's test, and what part of a contract it supports.

    direct is 1 − Σ_k∉US a_kj, the nearest to the legal test; traced is v_US L_·j. Under the transformational policy
    content of 51 % supports up to 85 % of the contract; under the standard one the support is the lesser of 85 % and
    the content.

    Returns
    -------
    Dataset over (region, sector): ``content``, ``threshold``, ``gap``, ``passes`` and ``support``, a share of the
    contract.

    Raises
    ------
    LabelError, ShockError
        Unknown names; a threshold outside [0, 1].

    Source: EXIM (2020), content policy; ``tables/content-rules.toml``.
    """
    rule = content_rules()["exim"]
    labels.position(policy, ("transformational", "standard"), "policy")
    labels.position(measure, ("direct", "traced"), "measure of content")
    wanted = float(rule["transformational"] if policy == "transformational" else rule["standard"])
    wanted = wanted if threshold is None else threshold
    _require_share(wanted, "threshold")
    table = model.table
    inside = _region(table, [exporter])
    if measure == "direct":
        content = 1.0 - _bought(table, ~inside)
    else:
        v = np.where(inside, table.intensity("value_added"), 0.0)
        with model.naming_industries():
            content = model.factors.solve_transposed(v)
    assumptions = ["industry averages stand for a contract's goods"]
    found = _result(
        table, content, wanted, exporter, sector, assumptions, rule["source"], policy=policy, measure=measure
    )
    most = float(rule["standard"])
    supported = most * found["passes"] if policy == "transformational" else found["content"].clip(max=most)
    support = supported.where(found["content"].notnull())
    support.attrs = {"units": "share of the contract", "long_name": "support", **model.table.marks}
    return found.assign(support=support)


def _require_share(value: float, what: str) -> None:
    if not 0.0 <= value <= 1.0:
        raise ShockError(f"{what} is {value}: a share lies between 0 and 1.")


def _result(
    table: IOTable,
    content: Array,
    threshold: float,
    region: Wanted,
    sector: Wanted | None,
    assumptions: Sequence[str],
    source: str,
    **attrs: str,
) -> xr.Dataset:
    """Return content against its threshold, for the industries asked for; NaN, not passed, where there is no output."""
    values = np.where(table.x.values.ravel() == 0, np.nan, content)
    share = table.labelled(values, SHARE, "content").sel(table.select(region, sector))
    gap = (threshold - share).clip(min=0.0)
    gap.attrs = {"units": SHARE, "long_name": "threshold less content, at least zero", **table.marks}
    passes = (share >= threshold) & share.notnull()
    passes.attrs = {"long_name": "content reaches the threshold", **table.marks}
    return xr.Dataset(
        {"content": share, "gap": gap, "passes": passes, "threshold": xr.DataArray(threshold, attrs={"units": SHARE})},
        attrs={
            "assumptions": "; ".join(line for line in assumptions if line), "source": source, **table.provenance,
            **attrs,
        },
    )  # fmt: skip
