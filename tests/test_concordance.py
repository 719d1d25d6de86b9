from pathlib import Path

import pandas as pd
import pytest
from conftest import random_table

import nearshore_io as nio

WHOLE = {"USA": "USA", "MX1": "MEX", "MX2": "MEX", "CHN": "CHN"}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"from": ["USA", "MX1", "MX2"], "to": ["a", "b", "c"]},
            nio.LabelError,
            r"missing in the concordance: \[CHN\]",
        ),
        (
            {"from": [*WHOLE, "CAN"], "to": [*WHOLE.values(), "CAN"]},
            nio.LabelError,
            r"only in the concordance: \[CAN\]",
        ),
        (
            {"from": list(WHOLE), "to": list(WHOLE), "weight": [1, 1, 0.5, 1]},
            nio.ConcordanceError,
            "weights of MX2 sum to 0.5",
        ),
        (
            {"from": list(WHOLE), "to": list(WHOLE), "weight": [1, 1, -1, 1]},
            nio.ConcordanceError,
            "weights of MX2 are not",
        ),
        (
            {"from": list(WHOLE), "to": list(WHOLE), "weight": [1, 1, "x", 1]},
            nio.ConcordanceError,
            "weights of MX2 are not",
        ),
        ({"from": [*WHOLE, "USA"], "to": [*WHOLE.values(), "USA"]}, nio.ConcordanceError, "USA has the same row twice"),
        (
            {"from": list(WHOLE), "to": ["USA", "CHN", "MX2", "CHN"]},
            nio.ConcordanceError,
            "regions of MEX go to different countries",
        ),
    ],
)
def test_a_concordance_that_loses_or_invents(
    change: dict[str, list[object]], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nio.aggregate(random_table(0), regions=pd.DataFrame(change))


def test_concordances_from_files(tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    file.write_text("from,to\n" + "".join(f"{a},{b}\n" for a, b in WHOLE.items()))
    assert nio.aggregate(random_table(0), regions=file).regions == ("USA", "MEX", "CHN")
    file.write_text("old,new\nUSA,USA\n")
    with pytest.raises(nio.ConcordanceError, match="no column from, to"):
        nio.aggregate(random_table(0), regions=file)
    for content in (b"", b'from,to\n"a,b\n', b"from,to\n\xff\xfe,a\n"):
        file.write_bytes(content)
        with pytest.raises(nio.ConcordanceError, match="has no header|1 cells, and the header has 2|not text in UTF-8"):
            nio.read_concordance(file)
    with pytest.raises(nio.ConcordanceError, match="a mapping, a long table or a path"):
        nio.aggregate(random_table(0), regions=3)  # type: ignore[arg-type]


def test_merging_the_accounts_of_a_country_keeps_the_country() -> None:
    table = nio.aggregate(random_table(0), regions=WHOLE)
    assert table.country["MEX"] == "MEX"
    assert table.final_regions == ("USA", "MEX", "CHN")


def test_collapsing_mexico_before_solving_biases_content() -> None:
    """The two accounts buy differently, so content differs when they are merged first."""
    table = random_table(2)
    split, merged = (nio.export_content(nio.Leontief(t), "MEX").sel(origin="USA").item() for t in (
        table, nio.aggregate(table, regions=WHOLE)))  # fmt: skip
    assert abs(split - merged) > 1e-4
