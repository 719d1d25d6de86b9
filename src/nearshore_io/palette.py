"""One colour for each country, in figures and pages alike."""

from collections.abc import Mapping

PALETTE: Mapping[str, str] = {
    "USA": "#0072B2", "MEX": "#009E73", "CHN": "#D55E00", "CAN": "#CC79A7", "JPN": "#E69F00", "KOR": "#56B4E9",
    "TWN": "#882255", "VNM": "#44AA99", "IND": "#AA4499", "EU27": "#B8A200", "GBR": "#332288", "BRA": "#117733",
    "MYS": "#999933", "THA": "#661100", "ROW": "#707070", "taxes": "#444444",
}  # fmt: skip
"""Okabe & Ito (2008) for the countries most figures have, Tol (2021) for the rest: both are colour-blind-safe."""
PARTS = {"MX1": "MEX", "MX2": "MEX", "CN1": "CHN", "CN2": "CHN"}
POOLED = "others"
_SPARE = ("#6699CC", "#997700", "#994455", "#004488", "#EE99AA", "#EECC66", "#225555", "#777777")


def colour(name: str) -> str:
    """Return the colour of a country, a region or a tax; of one the palette lacks, always the same spare one."""
    known = PALETTE.get(PARTS.get(name, name))
    if known is not None:
        return known
    return "#B0B0B0" if name == POOLED else _SPARE[sum(map(ord, name)) % len(_SPARE)]
