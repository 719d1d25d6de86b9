"""OECD's Trade in Value Added indicators of exports, by their published codes."""

import numpy as np

from nearshore_io.indicators.areas import Areas
from nearshore_io.solvers.base import Array


def terms(areas: Areas, s: int) -> dict[str, Array]:
    """Return the indicators of exports, each (n_s, G) by exporting industry and partner.

        exgr_ddc = v_s diag(L_ss) # E_sr      direct domestic, of the exporting industry itself
        exgr_idc = v_s (L_ss − diag) # E_sr   indirect domestic, of its suppliers at home
        exgr_rim = v_s (B_ss − L_ss) # E_sr   domestic value added that comes back in imports
        exgr_dva = the three together,  exgr_fva = Σ_t≠s v_t B_ts # E_sr

    Source: OECD (2019, 2021, 2023), Guide to Trade in Value Added indicators.
    """
    rows = areas.rows[s]
    E = areas.exports(s)
    v = areas.v[rows]
    local = areas.local[s]
    direct = (v * np.diagonal(local))[:, None] * E
    home = (v @ local)[:, None] * E
    all_home = areas.VB[s, rows][:, None] * E
    foreign = (areas.VB[:, rows].sum(axis=0) - areas.VB[s, rows])[:, None] * E
    final = areas.final_exports(s)
    return {
        "exgr": E,
        "exgr_fnl": final,
        "exgr_int": E - final,
        "exgr_dva": all_home,
        "exgr_ddc": direct,
        "exgr_idc": home - direct,
        "exgr_rim": all_home - home,
        "exgr_fva": foreign,
    }


def by_origin(areas: Areas, s: int) -> dict[str, Array]:
    """Return the indicators of final demand, each (n_s or n, G): by industry of origin and partner.

    ffd_dva = v_s (B Y_r)_s, r ≠ s   domestic value added in the partner's final demand
    dfd_fva = v_r (B Y_s)_r, r ≠ s   the partner's value added in domestic final demand, in the rows of r
    """
    rows = areas.rows[s]
    earned = areas.v[rows][:, None] * areas.BY[rows]
    abroad = earned.copy()
    abroad[:, s] = 0.0
    paid = areas.by_area(areas.v * areas.BY[:, s])
    paid[:, s] = 0.0
    return {"ffd_dva": abroad, "dxd_dva": earned[:, [s]], "dfd_fva": paid}
