"""Numbers for people: two or three significant digits, and values of assumptions without their brackets."""

import math
from collections.abc import Mapping
from typing import Any

UNKNOWN = "no data"
MINUS = "−"


def significant(value: float, digits: int = 3) -> str:
    """Return a number with a sign, thousands separators and so many significant digits."""
    if math.isnan(value):
        return UNKNOWN
    if abs(value) < 5e-7:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):+,.{max(decimals, 0)}f}"


def plain(value: float) -> str:
    """Return a number without a plus: whole numbers whole, others to three digits."""
    return f"{value:g}" if value == int(value) and abs(value) < 1e4 else significant(value).lstrip("+")


def worded(value: Any, joined: str = "and") -> str:
    """Return a value of an assumption for people: mappings and lists without their brackets."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {worded(held, joined)}" for name, held in value.items())
    if isinstance(value, (list, tuple)):
        return f" {joined} ".join(worded(held, joined) for held in value)
    return str(value)
