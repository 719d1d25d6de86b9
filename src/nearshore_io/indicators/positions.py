"""Where an industry stands: how far from final use, how far from primary inputs, and how much it is linked."""

from dataclasses import replace
from typing import Literal

import numpy as np
import xarray as xr
from scipy.sparse import diags_array, issparse

from nearshore_io import labels
from nearshore_io.errors import BalanceError, ShockError, SolverError
from nearshore_io.households import Households
from nearshore_io.labels import Wanted
from nearshore_io.leontief import Leontief
from nearshore_io.solvers import Auto, Updated
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable
from nearshore_io.units import stamp


def upstreamness(model: Leontief, inventories: Literal["net", "ignored"] = "net") -> xr.DataArray:
    """Return U = (I − D)⁻¹ 1 with D_ij = Z_ij / x_i: the average number of steps of an industry's output to final use.

    D is similar to A, so U = x̂⁻¹ L x. With the net-inventory correction, sales and final demand are scaled by
    x_i / (x_i − N_i), where N_i are the changes in inventories of i's product: what is stored is taken to be used as
    the rest is, and (I − A p̂⁻¹) (p∘x∘U) = x − N with p = 1 − N/x.

    Parameters
    ----------
    inventories : "net" corrects (category INVNT); "ignored" takes them as final use.

    Returns
    -------
    DataArray (region, sector), steps, at least one; NaN where there is no output.

    Raises
    ------
    BalanceError
        If an industry stores as much as it makes, so that nothing of it is used; or if what is not stored is used more
        than once over.
    LabelError
        If the table has no changes in inventories to correct for.

    Source: Antràs, Chor, Fally & Hillberry (2012), American Economic Review 102(3), 412–416; Antràs & Chor (2018),
    in World Trade Evolution, section 2.2.
    """
    table = model.table
    x = table.x.values.ravel()
    labels.position(inventories, ("net", "ignored"), "way to treat inventories")
    if inventories == "ignored":
        with model.naming_industries():
            steps = model.factors.solve(x)
    else:
        labels.position("INVNT", table.categories, "category of final demand")
        stored = table.Y.sel(category="INVNT").sum("final_region").values.ravel()
        if ((x != 0) & (x - stored <= 0)).any():
            at = np.flatnonzero((x != 0) & (x - stored <= 0))
            raise BalanceError(f"{table.industry_names(at)} stores all it makes: it has no distance to final use.")
        used = 1.0 - table.per_output(stored)
        A = table.A @ diags_array(1.0 / used, format="csr") if issparse(table.A) else table.A / used
        try:
            with model.naming_industries():
                steps = Auto(block=len(table.sectors)).factorise(A).solve(x - stored) / used
        except SolverError as error:
            raise BalanceError(
                "with changes in inventories taken out, some output is used more than once over: there is no distance "
                f"to final use; see table.check(), or take inventories='ignored'. {error}"
            ) from error
    found = np.divide(steps, x, out=np.full(table.n, np.nan), where=x != 0)
    return table.labelled(found, "steps", "upstreamness: distance to final use", inventories=inventories)


def downstreamness(model: Leontief) -> xr.DataArray:
    """Return 1ᵀ (I − A)⁻¹: the average number of steps from primary inputs to an industry's output.

    It is the output multiplier too. NaN where there is no output.

    Inventories are not taken out, as they are from `upstreamness` by default.

    Source: Antràs & Chor (2018), section 2.2; Fally (2012).
    """
    table = model.table
    with model.naming_industries():
        found = model.factors.solve_transposed(np.ones(table.n))
    found = np.where(table.x.values.ravel() == 0, np.nan, found)
    return table.labelled(found, "steps", "downstreamness: distance from primary inputs")


def propagation_length(model: Leontief, region: str, sector: str) -> xr.DataArray:
    """Return the average propagation length from an industry to each buyer: [L (L − I)]_ij / [L − I]_ij.

    How many steps a change in i takes, on average, until it reaches j; NaN where it never does.

    Source: Dietzenbacher & Romero (2007), International Regional Science Review 30(4), 362–383.
    """
    table = model.table
    at = table.positions(region, sector)
    if len(at) != 1:
        raise ShockError(f"one industry is needed; {region} {sector} are {len(at)}.")
    seller = np.zeros(table.n)
    seller[at] = 1.0
    with model.naming_industries():
        row = model.factors.solve_transposed(seller)
        twice = model.factors.solve_transposed(row)
    once = row - seller
    length = np.divide(twice - row, once, out=np.full(table.n, np.nan), where=once > 1e-14)
    return table.labelled(length, "steps", f"average propagation length from {region}/{sector}")


def linkages(model: Leontief) -> xr.Dataset:
    """Return Rasmussen's and Hirschman's linkages of every industry, each with a mean of one.

    Variables (region, sector): ``backward`` n Σ_i l_ij / Σ l, the power of dispersion; ``forward`` n Σ_j l_ij / Σ l,
    the sensitivity of dispersion by row sums of L; ``forward_supply`` the same by row sums of the Ghosh inverse, x̂⁻¹ L
    x̂, which does not depend on the size of other industries. ``key`` where backward and forward_supply are above one.

    Source: Rasmussen (1957); Hirschman (1958); Jones (1976) for the supply side; Miller & Blair (2009), section 12.2.
    """
    table = model.table
    x = table.x.values.ravel()
    active = x != 0
    with model.naming_industries():
        backward = model.factors.solve_transposed(active.astype(float))
        forward = model.factors.solve(np.column_stack([active.astype(float), x]))
    supply = np.divide(forward[:, 1], x, out=np.full(table.n, np.nan), where=active)
    parts = {"backward": backward, "forward": forward[:, 0], "forward_supply": supply}
    found = {}
    for name, values in parts.items():
        known = np.where(active, values, np.nan)
        found[name] = table.labelled(known / np.nanmean(known), "1 (mean of all industries)", f"{name} linkage")
    found["key"] = (found["backward"] > 1) & (found["forward_supply"] > 1)
    found["key"].attrs = {"long_name": "key industry", **table.marks}
    return xr.Dataset(found, attrs=table.provenance)


def multiplier_table(
    model: Leontief, stressor: str = "value_added", households: Households | None = None
) -> xr.Dataset:
    """Return multipliers of a stressor, types I and II, each with its denominator in its name and unit.

    Variables (region, sector), for the industry whose product is demanded:

    - ``direct``: s_j, stressor per unit of its own output
    - ``per_final_demand_type_i``: (s L)_j, stressor of the world per unit of final demand
    - ``per_direct_type_i``: (s L)_j / s_j, stressor of the world per unit of its own: the ratio that explodes where
      s_j is small
    - ``per_final_demand_type_ii`` and ``per_direct_type_ii``: the same with households in the loop, an upper bound;
      left out where the table has no labour income.

    Raises
    ------
    LabelError, ShockError
        An unknown stressor; intensities that are unknown somewhere.

    Source: Miller & Blair (2009), sections 6.2 and 6.3.
    """
    table = model.table
    direct = model.intensities(stressor)
    unit = str(direct.attrs["units"])
    amount = unit.split(" per ")[0]
    s = direct.values.ravel()
    first = Leontief(table, solver=model.solver).multipliers(direct)
    found = {"direct": direct.copy()}
    found |= _both(table, first, s, unit, amount, "type_i")
    if any(name in table.stressors for name in ("labour_income", "compensation", "labour_compensation")):
        closed = replace(model, closure=households or Households())
        found |= _both(table, closed.multipliers(direct), s, unit, amount, "type_ii")
    return xr.Dataset(found, attrs={"stressor": stressor, **table.provenance})


def _both(table: IOTable, total: xr.DataArray, s: Array, unit: str, amount: str, kind: str) -> dict[str, xr.DataArray]:
    values = total.values.ravel()
    ratio = np.divide(values, s, out=np.full(table.n, np.nan), where=s > 0)
    per_direct = f"{amount} per {amount} of its own"
    return {
        f"per_final_demand_{kind}": stamp(
            total.rename(None), f"{unit} of final demand", f"multiplier, {kind}", **table.marks
        ),
        f"per_direct_{kind}": table.labelled(ratio, per_direct, f"ratio to the direct effect, {kind}"),
    }


def extraction(model: Leontief, region: Wanted, sector: Wanted, share: float = 1.0) -> xr.Dataset:
    """Return the output and value added that go when industries are hypothetically extracted, wholly or by a share.

    Forward: what they sell, a'_kj = (1 − α) a_kj and f'_k = (1 − α) f_k. Backward: what they buy, a'_ik = (1 − α) a_ik.
    Total: both, with cells among themselves reduced once. Dims (kind, region, sector); ``shared`` is
    forward + backward − total, what both hold.

    Parameters
    ----------
    share : α in (0, 1].

    Raises
    ------
    LabelError, ShockError
        Unknown industries; a share outside (0, 1].

    Source: Dietzenbacher & Lahr (2013), Economic Systems Research 25(3), 341–360; Paelinck, de Caevel & Degueldre
    (1965).
    """
    if not 0.0 < share <= 1.0:
        raise ShockError(f"share is {share}: it must be above 0 and at most 1.")
    table = model.table
    at = table.positions(region, sector)
    y = table.y.sum(axis=1)
    demand = y.copy()
    demand[at] *= 1.0 - share
    rows, columns = dense(table.A[at]), dense(table.A[:, at])
    outside = columns.copy()
    outside[at] = 0.0
    unit = np.zeros((table.n, len(at)))
    unit[at, np.arange(len(at))] = 1.0
    changes = {
        "forward": (-share * unit, rows, demand),
        "backward": (-share * columns, unit.T, y),
        "total": (np.hstack([-share * unit, -share * outside]), np.vstack([rows, unit.T]), demand),
    }
    x = table.x.values.ravel()
    losses = {}
    for kind, (P, Q, f) in changes.items():
        with model.naming_industries():
            losses[kind] = x - Updated(model.factors, P, Q).solve(f)
    losses["shared"] = losses["forward"] + losses["backward"] - losses["total"]
    v = table.intensity("value_added") if "value_added" in table.inputs else np.full(table.n, np.nan)
    dims = xr.DataArray(list(losses), dims="kind", name="kind")
    output = [table.labelled(loss, table.unit, "output lost") for loss in losses.values()]
    added = [table.labelled(v * loss, table.unit, "value added lost") for loss in losses.values()]
    found = xr.Dataset({"output": xr.concat(output, dims), "value_added": xr.concat(added, dims)})
    found.attrs = {"share": share, "industries": table.industry_names(at), **table.provenance}
    return found
