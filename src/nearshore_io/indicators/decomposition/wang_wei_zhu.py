"""Wang, Wei & Zhu's sixteen terms of bilateral exports by sector."""

from functools import cached_property

import numpy as np

from nearshore_io.indicators.areas import Areas
from nearshore_io.solvers.base import Array

TERMS = (
    "dva_fin", "dva_int", "dva_int_rex_i1", "dva_int_rex_f", "dva_int_rex_i2", "rdv_fin", "rdv_fin2", "rdv_int",
    "ddc_fin", "ddc_int", "mva_fin", "ova_fin", "mva_int", "ova_int", "mdc", "odc",
)  # fmt: skip


class Paths:
    """Outputs that stand behind final demand by who makes it, shared by the exporters of one table.

    ``home`` is B with a right-hand side for each t, Y_tt in t's rows; ``sent`` the same of Σ_u≠t Y_tu: (n, G) each.
    """

    def __init__(self, areas: Areas) -> None:
        self.areas = areas

    @cached_property
    def home(self) -> Array:
        """B_rt Y_tt for every r and t, (n, G)."""
        return self._solved(self.areas.Y)

    @cached_property
    def sent(self) -> Array:
        """B_rt Σ_u≠t Y_tu for every r and t, (n, G)."""
        own = self.areas.Y[np.arange(len(self.areas.x)), self.areas.owner]
        return self._solved(self.areas.Y.sum(axis=1) - own)

    @cached_property
    def diagonal(self) -> tuple[Array, ...]:
        """B_rr of every area."""
        found = dict(self.areas.columns(range(len(self.areas.rows))))
        return tuple(found[r][rows] for r, rows in enumerate(self.areas.rows))

    def own(self, values: Array) -> Array:
        """Return the own column of each row, (n,): of B_rt …, t = r."""
        return np.asarray(values[np.arange(len(values)), self.areas.owner])

    def _solved(self, values: Array) -> Array:
        with self.areas.model.naming_industries():
            return self.areas.model.factors.solve(self.areas.by_area(values))


def terms(areas: Areas, s: int, paths: Paths) -> dict[str, Array]:
    """Return the sixteen terms, each (n_s, G) by exporting industry and importer.

    Weights are v_s B_ss (with final exports), v_s L_ss (with intermediate exports, A_sr times the output of r that
    stands behind the final demand named), and for foreign value added v_r B_rs (the importer's: mva, mdc) and
    Σ_t≠s,r v_t B_ts (others': ova, odc).

    Source: Wang, Wei & Zhu (2013), NBER Working Paper 19677, table A2 (revised 2018).
    """
    rows = areas.rows[s]
    own = areas.VB[s, rows][:, None]
    once = (areas.v[rows] @ areas.local[s])[:, None]
    for_s = np.empty(len(areas.x))  # B_rr Y_rs
    for r, block in enumerate(paths.diagonal):
        for_s[areas.rows[r]] = block @ areas.Y[areas.rows[r], s]
    home, sent = paths.own(paths.home), paths.own(paths.sent)
    outer = areas.BY[:, s] - paths.home[:, s] - for_s  # Σ_t≠s,r B_rt Y_ts
    behind = {
        "dva_int": home,
        "dva_int_rex_i1": paths.home.sum(axis=1) - home - paths.home[:, s],
        "dva_int_rex_f": sent - for_s,
        "dva_int_rex_i2": paths.sent.sum(axis=1) - sent - paths.sent[:, s] - outer,
        "rdv_fin": for_s,
        "rdv_fin2": outer,
        "rdv_int": paths.home[:, s],
        "ddc_fin": paths.sent[:, s],
    }
    final = areas.final_exports(s)
    importer = areas.VB[:, rows].T  # v_r B_rs by industry of s and importer r
    others = importer.sum(axis=1, keepdims=True) - importer - own
    absorbed = areas.sold(s, areas.output_at_home)
    sent_on = areas.sold(s, areas.solved_locally(areas.exported))
    return {
        "dva_fin": own * final,
        **{name: once * areas.sold(s, output) for name, output in behind.items()},
        "ddc_int": (own - once) * areas.sold(s, areas.x),
        "mva_fin": importer * final,
        "ova_fin": others * final,
        "mva_int": importer * absorbed,
        "ova_int": others * absorbed,
        "mdc": importer * sent_on,
        "odc": others * sent_on,
    }
