"""Borin & Mancini's decompositions: what is counted once, and at which border."""

import numpy as np
from scipy.linalg import blas

from nearshore_io.indicators.areas import Areas
from nearshore_io.solvers.base import Array

Terms = dict[str, Array]
"""Terms by name, each (n_s, G): by exporting industry and importer."""


def source(areas: Areas, s: int, B: Array) -> Terms:
    """Return the exporter's perspective, source-based: value added counts when it first leaves the exporter.

    With B̸ the inverse in which A_sj = 0 for j ≠ s, so that v_t B̸_ts = v_t B_ts B_ss⁻¹ L_ss:

        dva = v_s L_ss # E_sr        ddc = v_s (B_ss − L_ss) # E_sr
        fva = Σ_t≠s v_t B̸_ts # E_sr  fdc = Σ_t≠s v_t B_ts # E_sr − fva
        davax = v_s L_ss # (Y_sr + A_sr L_rr Y_rr)
        ref = v_s L_ss # A_sr L_rr [Y_rs + Σ_j≠r A_rj (B Y)_js] = v_s L_ss # A_sr (B Y)_rs,  vax = dva − ref

    Parameters
    ----------
    B : columns of B of the exporter, (n, n_s).

    Source: Borin & Mancini (2019), World Bank Policy Research Working Paper 8804; (2023), Economic Systems Research 35.
    """
    rows = areas.rows[s]
    E = areas.exports(s)
    once = (areas.v[rows] @ areas.local[s])[:, None]
    own, foreign = areas.VB[s, rows][:, None], areas.foreign(s)[:, None]
    first = np.linalg.solve(B[rows].T, areas.foreign(s)) @ areas.local[s]
    dva, fva = once * E, first[:, None] * E
    davax = once * (areas.final_exports(s) + areas.sold(s, areas.output_at_home))
    ref = once * areas.sold(s, areas.BY[:, s])
    terms = {"dva": dva, "ddc": own * E - dva, "fva": fva, "fdc": foreign * E - fva}
    return _with_totals(terms, E, {"davax": davax, "ref": ref, "vax": dva - ref})


def sink(areas: Areas, s: int, B: Array) -> Terms:
    """Return the exporter's perspective, sink-based: value added counts when it last leaves the exporter.

    What r sends on and s exports again is counted then. With u_s = B_ss⁻¹ L_ss e_s, the part of r's output that comes
    back into s's exports is (B̸ e_s)_r = (B u_s)_r, and

        dva = v_s B_ss # (E_sr − A_sr (B u_s)_r)         ddc = v_s B_ss # A_sr (B u_s)_r
        fva, fdc: the same with Σ_t≠s v_t B_ts
        ref = v_s B_ss # A_sr (B̸ Y̸)_rs,  vaxim = v_s B_ss # (Y_sr + A_sr (B̸ Y̸)_rr),  vax = dva − ref

    with Y̸ = Y without s's final exports.

    Source: Borin & Mancini (2019), World Bank Policy Research Working Paper 8804.
    """
    rows = areas.rows[s]
    E = areas.exports(s)
    own, foreign = areas.VB[s, rows][:, None], areas.foreign(s)[:, None]
    home = areas.local[s] @ np.column_stack([E.sum(axis=1), areas.Y[rows, s]])
    asked = np.column_stack([home[:, 0], areas.BY[rows, s] - home[:, 1], areas.BY[rows]])
    # scipy's product, as its pool of threads has just solved for B: numpy's would wait for it
    through_s = np.asarray(blas.dgemm(1.0, B, np.linalg.solve(B[rows], asked)))
    again, for_s, through_s = through_s[:, 0], areas.BY[:, s] - through_s[:, 1], through_s[:, 2:]
    counted_later = areas.sold(s, again)
    core = E - counted_later
    ref = own * areas.sold(s, for_s)
    industries = np.arange(len(B))
    for_importer = areas.BY[industries, areas.owner] - through_s[industries, areas.owner]
    vaxim = own * (areas.final_exports(s) + areas.sold(s, for_importer))
    dva = own * core
    terms = {"dva": dva, "ddc": own * counted_later, "fva": foreign * core, "fdc": foreign * counted_later}
    return _with_totals(terms, E, {"vaxim": vaxim, "ref": ref, "vax": dva - ref})


def world_source(areas: Areas, s: int, B: Array) -> Terms:
    """Return the world's perspective, source-based: value added counts when it first leaves its own country.

        dva = v_s L_ss # E_sr, fva = Σ_t≠s v_t L_tt A_ts L_ss # E_sr; the rest of each content is counted twice.

    Source: Borin & Mancini (2019); Miroudot & Ye (2021), Economic Systems Research 33, 67–87.
    """
    del B
    rows = areas.rows[s]
    E = areas.exports(s)
    own, foreign = areas.VB[s, rows][:, None], areas.foreign(s)[:, None]
    dva = (areas.v[rows] @ areas.local[s])[:, None] * E
    fva = (_first_crossing(areas, s) @ areas.local[s])[:, None] * E
    return _with_totals({"dva": dva, "ddc": own * E - dva, "fva": fva, "fdc": foreign * E - fva}, E, {})


def world_sink(areas: Areas, s: int, B: Array) -> Terms:
    """Return the world's perspective, sink-based: value added counts when it last crosses any border.

    It does so in what the importer does not export again:

        dva = v_s B_ss # (Y_sr + A_sr L_rr Y_rr)   ddc = v_s B_ss # A_sr L_rr e_r;   fva, fdc with Σ_t≠s v_t B_ts

    Source: Borin & Mancini (2019); its foreign terms are those of Koopman, Wang & Wei (2014).
    """
    del B
    rows = areas.rows[s]
    E = areas.exports(s)
    own, foreign = areas.VB[s, rows][:, None], areas.foreign(s)[:, None]
    absorbed = areas.final_exports(s) + areas.sold(s, areas.output_at_home)
    sent_on = E - absorbed
    terms = {"dva": own * absorbed, "ddc": own * sent_on, "fva": foreign * absorbed, "fdc": foreign * sent_on}
    return _with_totals(terms, E, {})


def _first_crossing(areas: Areas, s: int) -> Array:
    """Return Σ_t≠s v_t L_tt A_ts, shape (n_s,)."""
    once = np.zeros(len(areas.x))
    for t, rows in enumerate(areas.rows):
        if t != s:
            once[rows] = areas.v[rows] @ areas.local[t]
    return np.asarray(areas.model.table.A[:, areas.rows[s]].T @ once)


def _with_totals(terms: Terms, E: Array, more: Terms) -> Terms:
    """Return terms with exports, content by side, and — where davax is known — participation in value chains."""
    found = {"exports": E, **terms, "dc": terms["dva"] + terms["ddc"], "fc": terms["fva"] + terms["fdc"], **more}
    if "davax" in more:
        gvc, backward = E - more["davax"], found["fc"] + terms["ddc"]
        found |= {"gvc": gvc, "gvcb": backward, "gvcf": gvc - backward}
    return found
