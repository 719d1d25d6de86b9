"""What a scenario asks of the table before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from nearshore_io.errors import ShockError

Kind = Literal["exposure", "regional_value_content", "exim"]


@dataclass(frozen=True)
class Question:
    """An indicator that is read off the table before and after a scenario.

    Parameters
    ----------
    kind : "exposure" of users to suppliers, at face value and looked through; "regional_value_content" (USMCA); "exim",
        the US content of exports and the share of them that passes its threshold.
    region, sector : the users, or the industries the rule is about.
    to, to_sector : the suppliers, for an exposure.
    """

    kind: Kind
    region: str | Sequence[str] = "USA"
    sector: str | Sequence[str] = "manufacturing"
    to: str | Sequence[str] | None = None
    to_sector: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ShockError(f"indicator kind must be one of {', '.join(get_args(Kind))}, not {self.kind!r}.")
        if (self.kind == "exposure") != (self.to is not None):
            raise ShockError("indicator: an exposure, and nothing else, needs the suppliers it is to: to=...")
