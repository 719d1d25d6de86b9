"""Files that are damaged, or not what they seem: one error that names file, row and column."""

import contextlib
import multiprocessing
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nearshore_io as nio
from nearshore_io import library
from nearshore_io.cli import main
from nearshore_io.readers.icio import cells
from nearshore_io.readers.icio.source import LARGEST
from nearshore_io.readers.published import read_published


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "2022.csv"
    nio.write_toy_icio(path, "2025-EXT")
    return path


def lines_of(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def rewrite(file: Path, lines: list[str]) -> None:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def with_cell(line: str, column: int, cell: str) -> str:
    cells = line.split(",")
    cells[column] = cell
    return ",".join(cells)


Damage = Callable[[list[str]], list[str]]
CASES: dict[str, tuple[Damage, str]] = {
    "cut in a row": (lambda ls: [*ls[:20], ls[20][:40]], r"2022\.csv, line 21 \(row CHN_C16\) has \d+ cells, the header has \d+: it ends before column MEX_F\. The file may be cut short"),
    "cut between rows": (lambda ls: ls[:30], r"lacks the row of SAU_T, ROW_A01, .*the last row is SAU_J62_63\. The file may be cut short"),
    "cut before the bottom": (lambda ls: ls[:-3], r"lacks the row TLS, VA, OUT of edition 2025-EXT; the last row is CN2_T"),
    "cut before the last row": (lambda ls: ls[:-1], r"lacks the row OUT of edition 2025-EXT; the last row is VA"),
    "header alone": (lambda ls: ls[:1], r"lacks the row of USA_A01"),
    "cut in the header": (lambda ls: [ls[0][:200]], r"has no columns of final demand|neither an industry"),
    "a missing row": (lambda ls: [*ls[:4], *ls[5:]], r"lacks the row of USA_F, whose column it has"),
    "a row twice": (lambda ls: [*ls[:5], ls[4], *ls[5:]], r"row USA_F stands twice, on line 5 and on line 6"),
    "a missing column": (lambda ls: [",".join(line.split(",")[:4] + line.split(",")[5:]) for line in ls], r"lacks the column USA_F: every region needs every industry"),
    "a missing final use": (lambda ls: [",".join(c for i, c in enumerate(line.split(",")) if ls[0].split(",")[i] != "CAN_GFCF") for line in ls], r"lacks the column CAN_GFCF"),
    "a column twice": (lambda ls: [",".join([*line.split(",")[:5], line.split(",")[4], *line.split(",")[5:]]) for line in ls], r"column USA_F stands twice, as number 5 and 6"),
    "a word for a number": (lambda ls: [*ls[:7], with_cell(ls[7], 3, "n.a."), *ls[8:]], r"2022\.csv, line 8 \(row MEX_A01\), column USA_C26: 'n\.a\.' is no number"),
    "infinity": (lambda ls: [*ls[:2], with_cell(ls[2], 3, "inf"), *ls[3:]], r"line 3 \(row USA_C16\), column USA_C26: 'inf' is no number"),
    "NaN": (lambda ls: [*ls[:2], with_cell(ls[2], 3, "NaN"), *ls[3:]], r"line 3 \(row USA_C16\), column USA_C26: 'NaN' is no number"),
    "an empty cell": (lambda ls: [*ls[:2], with_cell(ls[2], 3, ""), *ls[3:]], r"line 3 \(row USA_C16\), column USA_C26: the cell is empty\. Nothing is filled in"),
    "empty cells at the bottom": (lambda ls: [*ls[:-2], with_cell(ls[-2], -2, ""), ls[-1]], r"\(row VA\), column ROW_DPABR: the cell is empty"),
    "a row without a label": (lambda ls: [*ls[:2], with_cell(ls[2], 0, ""), *ls[3:]], r"line 3 \(row without a label\): its first cell is empty"),
    "too many cells": (lambda ls: [*ls[:2], ls[2] + ",1", *ls[3:]], r"line 3 \(row USA_C16\) has \d+ cells, the header has \d+\."),
    "decimal commas": (lambda ls: [line.replace(",", ";").replace(".", ",") for line in ls], r"line 2 \(row USA_A01\), column USA_A01: '\d+,\d+' is no number\. Decimal commas: save the file with decimal points"),
    "an unknown row": (lambda ls: [*ls, ls[-1].replace("OUT", "GROSS", 1)], r"row GROSS has no column, and is no known row under the industries \(TLS, VA, OUT\)"),
    "an unknown column": (lambda ls: [ls[0] + ",REMARK", *(line + ",0" for line in ls[1:])], r"column 'REMARK' is neither an industry \(MX2_C29\), nor final demand"),
    "a header of numbers": (lambda ls: ls[1:], r"the first line holds numbers; a header of labels is missing|neither an industry"),
    "an empty header cell": (lambda ls: [with_cell(ls[0], 3, ""), *ls[1:]], r"the header has no label in column 4"),
    "a trailing separator": (lambda ls: [line + "," for line in ls], r"the header ends in an empty cell"),
    "a total that disagrees": (lambda ls: [*ls[:2], with_cell(ls[2], 3, "123456.0"), *ls[3:]], r"2022\.csv: the cells of row USA_C16 sum to [\d,.]+, its total column says [\d,.]+"),
    "an output row that disagrees": (lambda ls: [*ls[:-1], with_cell(ls[-1], 2, "1.0")], r"2022\.csv: the cells of column USA_C16 sum to [\d,.]+, the output row says 1"),
    "nothing": (lambda ls: [], r"is no CSV table: its first line has no columns"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_damage_is_named(file: Path, case: str) -> None:
    damage, message = CASES[case]
    rewrite(file, damage(lines_of(file)))
    with pytest.raises((nio.FormatError, nio.BalanceError), match=message):
        nio.read_icio(file)


def test_a_total_that_disagrees_can_be_read_and_is_reported(file: Path) -> None:
    lines = lines_of(file)
    right = nio.read_icio(file)
    off = round(float(lines[2].split(",")[-1]) * 0.9, 3)
    rewrite(file, [*lines[:2], with_cell(lines[2], -1, f"{off:.3f}"), *lines[3:]])
    with pytest.raises(nio.BalanceError, match='totals="report"'):
        nio.read_icio(file)
    table = nio.read_icio(file, totals="report")
    assert table.sha256 == right.sha256
    gap = table.imbalance("output")
    assert float(gap.sel(region="USA", sector="C16")) == pytest.approx(
        off - right.x.sel(region="USA", sector="C16").item()
    )
    assert "USA/C16" in table.check()["row sum against publisher's output"].detail


def test_small_disagreement_is_reported_and_not_refused(file: Path) -> None:
    """The 2025 edition has a small cell whose output is 2 % off."""
    lines = lines_of(file)
    total = float(lines[2].split(",")[-1])
    rewrite(file, [*lines[:2], with_cell(lines[2], -1, f"{total * 1.02:.3f}"), *lines[3:]])
    table = nio.read_icio(file)
    assert table.check()["row sum against publisher's output"].severity == "note"
    assert float(table.imbalance().sel(region="USA", sector="C16")) == pytest.approx(0.02 * total, rel=1e-3)


@given(st.floats(0.0, 1.0))
def test_no_truncated_file_is_read_as_another_table(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    """Wherever a file ends too early, it raises, or only a total was cut that the table does not hold."""
    file = tmp_path_factory.mktemp("cut") / "2022.csv"
    nio.write_toy_icio(file, "2025-EXT", industries=4)
    whole = file.read_bytes()
    expected = nio.read_icio(file).sha256
    file.write_bytes(whole[: int(share * len(whole))])
    with contextlib.suppress(nio.FormatError, nio.BalanceError):
        assert nio.read_icio(file).sha256 == expected


def test_a_missing_tax_row_of_one_country(tmp_path: Path) -> None:
    """2018 and 2021 have one tax row for each country; without one, that country's taxes would be lost unseen."""
    file = tmp_path / "ICIO2021_2017.csv"
    nio.write_toy_icio(file, "2021")
    rewrite(file, [line for line in lines_of(file) if not line.startswith(("USA_TAXSUB", '"USA_TAXSUB'))])
    with pytest.raises(nio.FormatError, match="lacks the row USA_TAXSUB of edition 2021"):
        nio.read_icio(file)


@pytest.mark.parametrize(("edition", "column"), [("2025-EXT", "OUT"), ("2021", "TOTAL"), ("2016", "DISC")])
def test_a_missing_total_column_is_said(tmp_path: Path, edition: str, column: str) -> None:
    file = tmp_path / "ICIO2016_2011.csv"
    nio.write_toy_icio(file, edition)
    at = lines_of(file)[0].replace('"', "").split(",").index(column)
    rewrite(file, [",".join(c for i, c in enumerate(line.split(",")) if i != at) for line in lines_of(file)])
    table = nio.read_icio(file)
    assert f"without the column {column}: rows cannot be held against it" in table.meta["oddities"]
    assert any("oddity" in finding.what for finding in table.check().findings)


def test_rows_of_2016_are_held_against_its_output_row(tmp_path: Path) -> None:
    """The edition has no total column, so a damaged cell shows in the output row: said, since both cannot be right."""
    file = tmp_path / "ICIO2016_2011.csv"
    nio.write_toy_icio(file, "2016")
    lines = lines_of(file)
    at = lines[0].replace('"', "").split(",").index("GFCF_USA")
    rewrite(file, [*lines[:3], with_cell(lines[3], at, "99999999"), *lines[4:]])
    told = "; ".join(nio.read_icio(file).meta["oddities"])
    assert "the cells of 1 rows miss the output row: USA_" in told


def test_a_part_of_an_edition_goes_by_its_year(tmp_path: Path) -> None:
    """C26, C29 and F are in 2023 and in 2025 alike; a table of 2022 is of the edition that has that year."""
    file = tmp_path / "2022_SML.csv"
    nio.write_toy_icio(file, "2025-SML", industries=["C26", "C29", "F"])
    assert nio.read_icio(file).meta["edition"] == "2025-SML"
    with pytest.raises(nio.FormatError, match="is not of edition 2025-EXT: it has none of MX1, MX2, CN1, CN2"):
        nio.read_icio(file, edition="2025-EXT")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"V1,USA_A01\rUSA_A01,1\r", "lines end in CR alone"),
        (b'V1,"' + b"x" * 200_000, "the first line is no row of a CSV"),
        (b"V\x001\x00,\x00U\x00\n", "holds NUL bytes"),
    ],
)
def test_lines_that_are_none(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "2022.csv"
    file.write_bytes(content)
    with pytest.raises(nio.FormatError, match=message):
        nio.read_icio(file)


def test_a_line_without_an_end(tmp_path: Path, file: Path) -> None:
    archive = tmp_path / "2022.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("2022.csv", lines_of(file)[0] + "\n" + "0," * 60_000_000)
    with pytest.raises(nio.FormatError, match="line 2 is longer than"):
        nio.read_icio(archive)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_read_and_their_damage_is_named(tmp_path: Path, file: Path, method: int) -> None:
    archive = tmp_path / "2022.zip"
    with zipfile.ZipFile(archive, "w", method) as content:
        content.write(file, "2022.csv")
    assert nio.read_icio(archive).sha256 == nio.read_icio(file).sha256
    data = bytearray(archive.read_bytes())
    for at in range(len(data) // 3, len(data) // 3 + 40):
        data[at] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(nio.FormatError, match=r"2022\.zip: 2022\.csv cannot be unpacked"):
        nio.read_icio(archive)


@pytest.mark.parametrize(
    "case",
    [
        "a row without a label",
        "an empty cell",
        "a word for a number",
        "too many cells",
        "cut in a row",
        "trailing commas",
    ],
)
def test_the_frugal_parser_says_the_same(file: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a limit of addresses files are read line by line: the same checksum, and the same words about a fault."""
    right = nio.read_icio(file).sha256
    monkeypatch.setattr(cells, "address_space", lambda: 2**31)
    assert nio.read_icio(file).sha256 == right
    lines = lines_of(file)
    broken = [lines[0], *(line + "," for line in lines[1:])] if case == "trailing commas" else CASES[case][0](lines)
    rewrite(file, broken)
    told = []
    for limit in (2**31, 2**40):
        monkeypatch.setattr(cells, "address_space", lambda limit=limit: limit)
        with pytest.raises(nio.FormatError) as error:
            nio.read_icio(file)
        told.append(str(error.value))
    assert told[0] == told[1]


def test_a_folder_with_a_readme_workbook(tmp_path: Path, file: Path) -> None:
    (tmp_path / "ReadMe_ICIO_small.xlsx").write_bytes(b"PK")
    with pytest.raises(SystemExit) as stopped:
        main(["import", str(tmp_path), "--year", "2022"])
    assert not stopped.value.code
    (tmp_path / "empty").mkdir()
    with pytest.raises(nio.FormatError, match="is a folder without published tables"):
        read_published(tmp_path / "empty")


@pytest.mark.parametrize(
    ("forced", "error", "message"),
    [
        ("2021", nio.FormatError, r"is not of edition 2021: that has no industries A01, .* Its labels are those of edition 2025-EXT"),
        ("2025-SML", nio.FormatError, "is not of edition 2025-SML: that has no regions MX1, MX2"),
        ("2025", nio.LabelError, "edition '2025' has variants: name one of 2025-SML, 2025-EXT"),
        ("2024", nio.LabelError, "no ICIO edition '2024'. Nearest: 20"),
    ],
)  # fmt: skip
def test_a_wrong_edition_forced(file: Path, forced: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nio.read_icio(file, edition=forced)


def test_archives_that_are_damaged(tmp_path: Path, file: Path) -> None:
    archive = tmp_path / "2016-2022_EXT.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        content.write(file, "2022.csv")
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(nio.FormatError, match="is not a whole zip archive .*Download it again"):
        nio.read_icio(archive)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    archive.write_bytes(flipped)
    with pytest.raises(nio.FormatError, match="2022.csv"):
        nio.read_icio(archive)
    archive.write_bytes(b"<html>not found</html>")
    with pytest.raises(nio.FormatError, match="is not a whole zip archive"):
        nio.read_icio(archive)
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("ReadMe.txt", "hello")
    with pytest.raises(nio.FormatError, match="holds no CSV"):
        nio.read_icio(archive)


def test_two_candidates_in_an_archive(tmp_path: Path, file: Path) -> None:
    archive = tmp_path / "two.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.write(file, "a/2022.csv")
        content.write(file, "b/2022.csv")
    with pytest.raises(nio.StorageError, match=r"holds 2 tables \(a/2022.csv, b/2022.csv\): name the file itself"):
        nio.read_icio(archive, 2022)


def test_an_archive_that_would_unpack_to_too_much(tmp_path: Path) -> None:
    """A zip bomb is refused by what it declares, and by what it yields where it lies; so is one inside another."""
    bomb = tmp_path / "2022.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("2022.csv", b"0," * 5_000_000)
    assert bomb.stat().st_size < 50_000
    with pytest.raises(nio.FormatError, match="would unpack to 10,000,000 bytes, more than the limit of 1,000,000"):
        nio.read_icio(bomb, largest=1_000_000)
    nested = tmp_path / "outer_2022.zip"
    with zipfile.ZipFile(nested, "w") as content:
        content.write(bomb, "inner.zip")
    with pytest.raises(nio.FormatError, match=r"inner.zip: 2022.csv would unpack to 10,000,000 bytes"):
        nio.read_icio(nested, largest=1_000_000)
    assert LARGEST == 2 * 2**30


def test_an_encrypted_archive(tmp_path: Path, file: Path) -> None:
    archive = tmp_path / "2022.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.write(file, "2022.csv")
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    archive.write_bytes(data)
    with pytest.raises(nio.FormatError, match="2022.csv is encrypted"):
        nio.read_icio(archive)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\xff\xfeV\x001\x00", "is UTF-16, not a CSV"),
        (b"\x1f\x8b\x08", "is gzip"),
        (b"V1,\xe9\xe9\n", "no text in UTF-8"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, start: bytes, message: str) -> None:
    file = tmp_path / "2022.csv"
    file.write_bytes(start)
    with pytest.raises(nio.FormatError, match=message):
        nio.read_icio(file)


def test_bytes_that_are_no_text_further_down(file: Path) -> None:
    data = file.read_bytes()
    at = data.index(b"USA_F,", 2000)
    file.write_bytes(data[:at] + b"\xe9" + data[at + 1 :])
    with pytest.raises(nio.FormatError, match="near line 2: bytes that are no text in UTF-8"):
        nio.read_icio(file)


def test_an_interrupted_import_leaves_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the file is written: no table, no temporary file, and what was there before is there still."""
    table = nio.read_icio(file)
    library.keep(table, "icio-2022")
    before = (library.tables_folder() / "icio-2022.nc").read_bytes()

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        library.keep(table, "icio-2022")
    with pytest.raises(KeyboardInterrupt):
        library.keep(table, "another")
    assert [path.name for path in library.tables_folder().iterdir()] == ["icio-2022.nc"]
    assert (library.tables_folder() / "icio-2022.nc").read_bytes() == before


def _import(file: str) -> int:
    try:
        main(["import", file])
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def test_two_imports_at_once(file: Path) -> None:
    """Two processes import the same file into the same folder: both succeed, and one whole table is there."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_import, [str(file), str(file)]) == [0, 0]
    assert nio.load_table("icio-2022").sha256 == nio.read_icio(file).sha256
    assert [path.name for path in library.tables_folder().iterdir()] == ["icio-2022.nc"]


@pytest.mark.slow
def test_a_full_table_in_two_gigabytes(tmp_path: Path) -> None:
    """A 2025-EXT table is imported, checked and solved in a process that may not have more than 2 GiB."""
    file = tmp_path / "2022.csv"
    toy = nio.write_toy_icio(file, "2025-EXT", full=True)
    code = (
        "import nearshore_io as nio; from nearshore_io.cli import main\n"
        f"try:\n    main(['import', {str(file)!r}])\nexcept SystemExit as stopped:\n    assert not stopped.code, stopped\n"
        "table = nio.load_table('icio-2022')\n"
        "print(table.n, float(nio.export_content(nio.Leontief(table), 'MEX', 'USA').sum()))"
    )

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        preexec_fn=limited,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    n, total = done.stdout.split()[-2:]
    assert int(n) == 83 * 50
    assert float(total) == pytest.approx(1.0, abs=1e-4)
    size = next(library.tables_folder().glob("*.nc")).stat().st_size
    assert size < file.stat().st_size / 4
    table = nio.load_table("icio-2022")
    kept = [i for i, account in enumerate(toy.accounts) if account not in toy.edition.splits]
    rows = np.array([i * 50 + j for i in kept for j in range(50)])
    assert np.array_equal(table.Z, toy.Z[np.ix_(rows, rows)])
    assert isinstance(table.Z.base, np.memmap) or isinstance(table.Z, np.memmap)
