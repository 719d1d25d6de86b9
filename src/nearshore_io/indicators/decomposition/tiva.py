"""OECD's Trade in Value Added indicators of exports, by their published codes."""

import numpy as np
import xarray as xr

from nearshore_io.indicators.areas import Areas, areas_of, residual_value_added
from nearshore_io.leontief import Leontief
from nearshore_io.solvers.base import Array
from nearshore_io.units import stamp


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
    foreign = areas.foreign(s)[:, None] * E
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


CODES = {
    "EXGR": "gross exports",
    "EXGR_FNL": "gross exports of final products",
    "EXGR_INT": "gross exports of intermediates",
    "IMGR": "gross imports",
    "BALGR": "gross trade balance",
    "EXGR_DVA": "domestic value added in gross exports",
    "EXGR_DDC": "direct domestic value added in gross exports",
    "EXGR_IDC": "indirect domestic value added in gross exports",
    "EXGR_RIM": "re-imported domestic value added in gross exports",
    "EXGR_FVA": "foreign value added in gross exports",
    "EXGR_DVASH": "domestic value added, share of gross exports",
    "EXGR_FVASH": "foreign value added, share of gross exports",
    "FFD_DVA": "domestic value added in the partner's final demand",
    "DFD_FVA": "the partner's value added in domestic final demand",
    "BALVAFD": "balance of value added in final demand",
    "DEXFVAP": "the partner's value added in domestic exports, share of gross exports (backward participation)",
    "FEXDVAP": "domestic value added in the partner's exports, share of gross exports (forward participation)",
    "PROD": "production",
    "VALU": "value added",
}
WORLD = "WLD"


def tiva_indicators(model: Leontief) -> xr.Dataset:
    """Return OECD's TiVA indicators of every country and partner, by their published codes.

    Dims (country, partner), with the partner "WLD" for all; PROD and VALU over (country). Million USD, but for
    EXGR_DVASH, EXGR_FVASH, DEXFVAP and FEXDVAP, which are per cent; where a country exports nothing to a partner shares
    are NaN. Value added is 1 − 1ᵀA, product taxes folded in, as TiVA has it. EXGR_DDC takes what the exporting industry
    adds within its own country's chain, v_i l_ii, as direct.

    Source: OECD (2019, 2021, 2023), Guide to Trade in Value Added indicators.
    """
    table = model.table
    v = residual_value_added(table)
    areas, _ = areas_of(model, list(table.countries), v)
    G = len(areas.names)
    found = {code: np.zeros((G, G)) for code in CODES if code not in ("PROD", "VALU")}
    for s in range(G):
        for name, values in terms(areas, s).items():
            found[name.upper()][s] = values.sum(axis=0)
    earned = np.array([(v[rows][:, None] * areas.BY[rows]).sum(axis=0) for rows in areas.rows])
    in_exports = np.array([areas.VB[s] * areas.exported @ areas.members for s in range(G)])
    for square in (earned, in_exports):
        np.fill_diagonal(square, 0.0)
    found |= {"FFD_DVA": earned, "DFD_FVA": earned.T.copy(), "IMGR": found["EXGR"].T.copy()}
    whole = {code: np.column_stack([values, values.sum(axis=1)]) for code, values in found.items()}
    total = whole["EXGR"][:, -1:]
    whole["BALGR"] = whole["EXGR"] - whole["IMGR"]
    whole["BALVAFD"] = whole["FFD_DVA"] - whole["DFD_FVA"]
    for code, part in (("EXGR_DVASH", "EXGR_DVA"), ("EXGR_FVASH", "EXGR_FVA")):
        whole[code] = _percent(whole[part], whole["EXGR"])
    for code, values in (("DEXFVAP", in_exports.T), ("FEXDVAP", in_exports)):
        whole[code] = _percent(np.column_stack([values, values.sum(axis=1)]), np.broadcast_to(total, (G, G + 1)))
    coords = {"country": list(areas.names), "partner": [*areas.names, WORLD]}
    own = np.arange(G)
    result = xr.Dataset(attrs={**table.provenance, "source": "OECD TiVA indicators"})
    for code, values in whole.items():
        values[own, own] = np.nan
        unit = "per cent" if code in ("EXGR_DVASH", "EXGR_FVASH", "DEXFVAP", "FEXDVAP") else table.unit
        result[code] = stamp(xr.DataArray(values, dims=list(coords), coords=coords), unit, CODES[code], **table.marks)
    for code, values in (("PROD", areas.x), ("VALU", v * areas.x)):
        sums = np.array([values[rows].sum() for rows in areas.rows])
        result[code] = stamp(
            xr.DataArray(sums, dims="country", coords={"country": coords["country"]}), table.unit, CODES[code],
            **table.marks,
        )  # fmt: skip
    return result[list(CODES)]


def _percent(part: Array, whole: Array) -> Array:
    return np.asarray(np.divide(100.0 * part, whole, out=np.full(part.shape, np.nan), where=whole != 0))
