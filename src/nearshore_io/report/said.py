"""Numbers and phrases as a report says them."""

import math

from nearshore_io.report.document import Cell, English, Number
from nearshore_io.report.studied import Span
from nearshore_io.rounding import MINUS, significant
from nearshore_io.words import Words

DIGITS = 2


def phrase(words: Words, text: str) -> str:
    """Return a phrase in the language of the report, marked where it stays English."""
    return words(text) if words.knows(text) or text in words.countries else English(text)


def number(words: Words, value: float, digits: int = DIGITS, *, signed: bool = True) -> Number:
    """Return a number of two significant digits with its sign; what nobody knows is said in words."""
    if math.isnan(value):
        return Number(words.say("report.no_data"), value)
    text = significant(value, digits).replace("-", MINUS)
    return Number(text if signed else text.lstrip("+"), value)


def spread(words: Words, span: Span, scale: float = 1.0, unit: str = "") -> str:
    """Return a band before its centre, or the centre alone where there is no band."""
    if math.isnan(span.central):
        return words.say("report.no_data")
    tail = f" {unit}" if unit else ""
    middle = number(words, span.central * scale).text
    if not span.known:
        return f"{middle}{tail}"
    low, high = (number(words, end * scale).text for end in (span.low, span.high))
    return middle + tail if low == high else words.say("report.band", low=low, high=high, central=middle, unit=tail)


def share(words: Words, value: float) -> Cell:
    """Return a rank correlation or a share with two decimals."""
    return Number(words.say("report.no_data") if math.isnan(value) else f"{value:.2f}".replace("-", MINUS), value)
