"""What a step of a recipe says of itself: the parts of a quality report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Cell = str | float | int | None


@dataclass(frozen=True)
class Section:
    """One part of a quality report.

    Attributes
    ----------
    title : of the part. rests_on : what the step rests on, in the recipe's words. lines : sentences.
    columns, rows : a table; numbers are shown with ``digits`` significant digits.
    """

    title: str
    rests_on: str = ""
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    digits: int = 4

    def to_dict(self) -> dict[str, Any]:
        """Return the section as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Section":
        """Return a section from plain data."""
        return cls(
            data["title"], data["rests_on"], tuple(data["lines"]), tuple(data["columns"]),
            tuple(tuple(row) for row in data["rows"]), data["digits"],
        )  # fmt: skip

    def shown(self) -> list[list[str]]:
        """Return the table's cells as text."""
        return [[self._text(cell) for cell in row] for row in self.rows]

    def _text(self, cell: Cell) -> str:
        if cell is None or cell != cell:
            return "–"
        if isinstance(cell, float):
            size = abs(cell)
            if size >= 1_000:
                return f"{cell:,.0f}"
            return f"{cell:.{self.digits}g}" if size else "0"
        return f"{cell:,}" if isinstance(cell, int) else str(cell)


def table_section(
    title: str, frame_rows: Sequence[Mapping[str, Cell]], rests_on: str = "", lines: Sequence[str] = (), digits: int = 4
) -> Section:
    """Return a section with a table of rows that all have the same columns."""
    columns = tuple(frame_rows[0]) if frame_rows else ()
    rows = tuple(tuple(row[column] for column in columns) for row in frame_rows)
    return Section(title, rests_on, tuple(lines), columns, rows, digits)


@dataclass(frozen=True)
class Report:
    """The quality report of a calibration.

    Attributes
    ----------
    name, sha256 : of the table. recipe : its path. command : what reproduces it. estimate : the note an estimated
        table carries. sources : path and checksum of every raw file. sections : of the steps, in order.
    """

    name: str
    sha256: str
    recipe: str
    command: str
    estimate: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = field(default=())
