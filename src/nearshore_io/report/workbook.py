"""Reports as a workbook: a sheet for each table, numbers as they are."""

import io
import re
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from nearshore_io.report.document import Block, Document, Listing, Number, Table, Text

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that a workbook cannot hold."""
WRITTEN = datetime(2000, 1, 1)
"""The date every workbook carries: what it holds depends on the results alone."""
SHEET = 31
"""Characters in the name of a sheet at most."""
FORMULA = ("=", "+", "-", "@")
"""How texts begin that a spreadsheet takes for formulas."""


def workbook(document: Document) -> bytes:
    """Return a workbook: a sheet of contents with all that is said, then one for each table; numbers as they are."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

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
    contents.append([])
    for section in document.sections:
        texts = [text for block in section.blocks for text in _texts(block)]
        if texts:
            contents.append([_safe(section.title)])
            contents.cell(contents.max_row, 1).font = Font(bold=True)
        for text in texts:
            contents.append(["", _safe(text)])
            contents.cell(contents.max_row, 2).alignment = Alignment(wrap_text=True, vertical="top")
    contents.column_dimensions["A"].width, contents.column_dimensions["B"].width = 24, 100
    book.properties.created = book.properties.modified = WRITTEN
    file = io.BytesIO()
    book.save(file)
    return _undated(file)


def _texts(block: Block) -> list[str]:
    """Return what a block says in sentences; of tables and figures, nothing."""
    if isinstance(block, Text):
        return [block.text]
    return list(block.items) if isinstance(block, Listing) else []


def _undated(file: io.BytesIO) -> bytes:
    """Return an archive with one date on all its members: same report, same bytes."""
    done = io.BytesIO()
    with ZipFile(file) as source, ZipFile(done, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":  # the time of saving is written over what was set
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), content)
            target.writestr(ZipInfo(name, WRITTEN.timetuple()[:6]), content, ZIP_DEFLATED)
    return done.getvalue()


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
    known = CONTROL.sub("", text)
    return f"'{known}" if known.startswith(FORMULA) else known
