"""Reports as a workbook: a sheet for each table, numbers as they are."""

import io
from typing import Any

from nearshore_io.report.document import Document, Number, Table

SHEET = 31
"""Characters in the name of a sheet at most."""
FORMULA = ("=", "+", "-", "@")
"""How texts begin that a spreadsheet takes for formulas."""


def workbook(document: Document) -> bytes:
    """Return a workbook: a sheet of contents, then one for each table; numbers as they are, shown to two digits."""
    from openpyxl import Workbook

    book = Workbook()
    contents = book.active
    assert contents is not None
    contents.title = "contents"
    contents.append([_safe(document.title)])
    for table in document.tables:
        name = table.name[:SHEET]
        contents.append([name, _safe(table.title)])
        contents.cell(contents.max_row, 1).hyperlink = f"#'{name}'!A1"
        _sheet(book.create_sheet(name), table)
    contents.column_dimensions["A"].width, contents.column_dimensions["B"].width = 24, 100
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _sheet(sheet: Any, table: Table) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.append([_safe(table.title)])
    sheet.append([_safe(column) for column in table.columns])
    for row in table.rows:
        sheet.append([_value(cell) for cell in row])
    for cell in sheet[1] + sheet[2]:
        cell.font = Font(bold=True)
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if isinstance(cell.value, float):
                cell.number_format = "#,##0" if abs(cell.value) >= 100 else "0.00"
    for k, column in enumerate(table.columns):
        longest = max([len(str(column)), *(len(str(_value(row[k]))) for row in table.rows)])
        sheet.column_dimensions[sheet.cell(2, k + 1).column_letter].width = min(max(longest + 2, 10), 60)
    sheet.freeze_panes = "B3"


def _value(cell: str | Number) -> str | float:
    if isinstance(cell, Number):
        return cell.text if cell.value != cell.value else cell.value  # what nobody knows is said in words
    return _safe(cell)


def _safe(text: str) -> str:
    """Return a text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else str(text)
