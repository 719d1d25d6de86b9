"""Koopman, Wang & Wei's nine terms of a country's total exports."""

import numpy as np

from nearshore_io.indicators.areas import Areas
from nearshore_io.solvers.base import Array

TERMS = ("dva_fin", "dva_int", "dva_intrex", "rdv_fin", "rdv_int", "ddc", "fva_fin", "fva_int", "fdc")


def terms(areas: Areas, s: int) -> dict[str, Array]:
    """Return the nine terms, each (1, G) by the importer r that first takes the exports; only their sums mean anything.

        dva_fin = v_s B_ss Y_sr        dva_int = v_s B_sr Y_rr        dva_intrex = v_s B_sr Σ_t≠s,r Y_rt
        rdv_fin = v_s B_sr Y_rs        rdv_int = v_s B_sr A_rs L_ss Y_ss      ddc = v_s B_sr A_rs L_ss e_s
        fva_fin = F Y_sr   fva_int = F A_sr L_rr Y_rr   fdc = F A_sr L_rr e_r,   F = Σ_t≠s v_t B_ts

    Source: Koopman, Wang & Wei (2014), American Economic Review 104, 459–494, eq. 36.
    """
    rows = areas.rows[s]
    v = areas.VB[s]
    foreign = areas.foreign(s)
    own_demand = areas.Y[np.arange(len(areas.x)), areas.owner]
    back_final = np.zeros(len(areas.x))
    back_exports = np.zeros(len(areas.x))
    back_final[rows] = areas.local[s] @ areas.Y[rows, s]
    back_exports[rows] = areas.local[s] @ areas.exports(s).sum(axis=1)
    abroad = (areas.owner != s).astype(float)
    A = areas.model.table.A

    def of_each(values: Array) -> Array:
        """Return v_s B_sr w_r for each r, (1, G)."""
        return np.asarray((v * abroad * values) @ areas.members)[None]

    final = areas.final_exports(s)
    return {
        "dva_fin": v[rows][None] @ final,
        "dva_int": of_each(own_demand),
        "dva_intrex": of_each(areas.Y.sum(axis=1) - own_demand - areas.Y[:, s]),
        "rdv_fin": of_each(areas.Y[:, s]),
        "rdv_int": of_each(A @ back_final),
        "ddc": of_each(A @ back_exports),
        "fva_fin": foreign[None] @ final,
        "fva_int": foreign[None] @ areas.sold(s, areas.output_at_home),
        "fdc": foreign[None] @ areas.sold(s, areas.solved_locally(areas.exported)),
    }
