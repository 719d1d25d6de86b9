"""What a scenario asks of the table before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from nearshore_io.errors import ShockError

Kind = Literal["exposure", "regional_value_content", "exim", "market"]


@dataclass(frozen=True)
class Question:
    """An indicator that is read off the table before and after a scenario.

    Parameters
    ----------
    kind : "exposure" of users to suppliers, at face value and looked through; "regional_value_content" (USMCA); "exim",
        the US content of exports and the share of them that passes its threshold; "market", what of a country's
        exports, and of its value added abroad, one market takes.
    region, sector : the users, the industries the rule is about, or the exporter.
    to, to_sector : the suppliers of an exposure, or the market.
    excluded : of regional value content, the share of output that is not net cost.
    """

    kind: Kind
    region: str | Sequence[str] = "USA"
    sector: str | Sequence[str] = "manufacturing"
    to: str | Sequence[str] | None = None
    to_sector: str | Sequence[str] | None = None
    excluded: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ShockError(f"indicator kind must be one of {', '.join(get_args(Kind))}, not {self.kind!r}.")
        if (self.kind in ("exposure", "market")) != (self.to is not None):
            raise ShockError("indicator: an exposure and a market, and nothing else, need whom they are to: to=...")
        unused = {
            "exposure": ("excluded",),
            "regional_value_content": ("to_sector",),
            "exim": ("region", "to_sector", "excluded"),
            "market": ("sector", "to_sector", "excluded"),
        }[self.kind]
        changed = [name for name in unused if getattr(self, name) != type(self).__dataclass_fields__[name].default]
        if changed:
            raise ShockError(f"indicator {self.kind}: it has no {', '.join(changed)}; leave that out.")
        if self.kind == "market" and not (isinstance(self.region, str) and isinstance(self.to, str)):
            raise ShockError("indicator market: region and to are one country each.")
