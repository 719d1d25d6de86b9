"""What a report is made of, whatever it is written as: sections of texts, tables and figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Number:
    """A number as people read it, and as it is."""

    text: str
    value: float


class English(str):
    """A text that nobody has translated; pages in other languages mark it as English."""

    __slots__ = ()


Cell = str | Number


@dataclass(frozen=True)
class Text:
    """A paragraph: plain, the headline, the flag under it (gross or net), or a note."""

    text: str
    kind: Literal["plain", "headline", "flag", "note"] = "plain"


@dataclass(frozen=True)
class Listing:
    """Several short texts."""

    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    """Something to type, or for a program to read; with a title, it is folded away."""

    text: str
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table: its name as a sheet, its title, columns and rows; the first column names the rows.

    Attributes
    ----------
    name : short and unique in the report, letters and hyphens: the sheet of a workbook.
    words_in : columns of words, beside the first.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    words_in: Sequence[int] = ()


@dataclass(frozen=True)
class Figure:
    """A figure: how it is drawn, its title, what it says in words, and the name of its data."""

    name: str
    title: str
    says: str
    draw: Callable[[], "Axes"] = field(repr=False)


Block = Text | Listing | Code | Table | Figure


@dataclass(frozen=True)
class Section:
    """Blocks under a heading; level 2 for the sections of a report, 3 within them."""

    title: str
    blocks: Sequence[Block]
    name: str
    level: int = 2


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes
    ----------
    lang : of its words.
    calculator : the calculator as a part of a page, "" for none.
    """

    title: str
    lang: str
    sections: Sequence[Section]
    calculator: str = ""

    def __post_init__(self) -> None:
        names = [
            (type(block), block.name)
            for section in self.sections for block in section.blocks if isinstance(block, Table | Figure)
        ]  # fmt: skip
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"parts of a report share names: {twice}.")

    @property
    def tables(self) -> list[Table]:
        """All tables, in their order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Table)]
