import pytest
from conftest import random_table

import nearshore_io as nio
from nearshore_io.table import IOTable


def test_a_country_means_all_its_regions() -> None:
    table = random_table(0)
    assert table.select(region="MEX") == {"region": ["MX1", "MX2"]}
    assert table.select(region=["MX2", "USA"]) == {"region": ["MX2", "USA"]}


def test_named_groups(wiod_2011: IOTable) -> None:
    assert wiod_2011.select(region="east_asia")["region"] == ["CHN", "JPN", "KOR", "TWN"]
    assert len(wiod_2011.select(region="EU27")["region"]) == 27
    assert wiod_2011.select(sector="manufacturing")["sector"] == [f"c{i}" for i in range(3, 17)]


def test_a_region_of_a_group_name_comes_before_the_group(bundled: IOTable) -> None:
    assert bundled.select(region="EU27") == {"region": ["EU27"]}


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"region": "MEXX"}, r"no region 'MEXX' in this table\. Nearest: MEX"),
        ({"sector": "C14"}, r"no sector 'C14' in this table\. Nearest: c14"),
        ({"sector": "electrical"}, r"Nearest: .*c14 \(Electrical and optical equipment\)"),
        ({"region": "east asia"}, r"Nearest: .*east_asia"),
        ({"region": "zzzzzz"}, r"Known: USA, MEX, CAN"),
        ({"region": []}, r"no region was named"),
    ],
)
def test_a_mistyped_label_teaches(bundled: IOTable, selection: dict[str, str], message: str) -> None:
    with pytest.raises(nio.LabelError, match=message):
        bundled.select(**selection)


def test_a_group_that_lacks_a_member_is_unknown() -> None:
    with pytest.raises(nio.LabelError, match="region group 'east_asia' needs JPN, KOR, TWN"):
        random_table(0).select(region="east_asia")


def test_every_error_has_a_builtin_parent() -> None:
    parents = {
        "LabelError": LookupError,
        "UnitError": ValueError,
        "StorageError": OSError,
        "SolverError": ArithmeticError,
    }
    for name, parent in parents.items():
        assert issubclass(getattr(nio, name), (nio.NearshoreError, parent))
        assert issubclass(getattr(nio, name), parent)


def test_a_slip_of_capitals_is_not_another_industry() -> None:
    """c29 is real estate in an older list of codes, C29 motor vehicles in this table's."""
    table = nio.load_table("north-america-2022")
    with pytest.raises(nio.LabelError, match=r"'c29' may be two things in this table: 'C29' \(Motor vehicles.*'L'"):
        table.positions("USA", "c29")
    assert table.positions("USA", "c14").tolist() == table.positions("USA", ["C26", "C27"]).tolist()
    older = nio.load_table("north-america-2011")
    assert len(older.positions("USA", "c29")) == 1
    with pytest.raises(nio.LabelError, match="Nearest: .*C29"):
        table.positions("USA", "C92")
