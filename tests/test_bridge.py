"""To and from pymrio: two programs, the same numbers."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pymrio
import pytest
from conftest import random_table

import nearshore_io as nio


@pytest.fixture
def system() -> pymrio.IOSystem:
    return pymrio.load_test()


def test_pymrios_own_multipliers(system: pymrio.IOSystem) -> None:
    """Its test system, brought over before it has calculated anything, gives the multipliers it calculates."""
    table = nio.from_pymrio(system, year=2000)
    assert (table.unit, table.year) == ("million USD", 2000)
    system.calc_all()
    np.testing.assert_allclose(table.x.values.ravel(), system.x.to_numpy().ravel(), rtol=1e-12)
    model = nio.Leontief(table)
    for name, row in (("emission_type1 | air", 0), ("emission_type2 | water", 1)):
        assert table.stressors[name][1] == "kg"
        expected = system.emissions.M.iloc[row].to_numpy()
        np.testing.assert_allclose(model.multipliers(name).values.ravel(), expected, rtol=1e-9)
    value_added = system.factor_inputs.F.loc["Value Added"].to_numpy()
    np.testing.assert_allclose(table.inputs["value_added"], value_added.ravel(), rtol=1e-12)
    assert "stressors of final users are left out: emission_type1 | air" in table.meta["oddities"][0]


def test_there_and_back(system: pymrio.IOSystem) -> None:
    table = nio.from_pymrio(system)
    again = nio.from_pymrio(nio.to_pymrio(table))
    assert again.sha256 == table.sha256
    assert again.stressors.keys() == table.stressors.keys()
    assert again.unit == table.unit


def test_a_split_table_must_be_merged_first(tmp_path: Path) -> None:
    nio.write_toy_icio(tmp_path / "2022.csv", "2025-EXT")
    table = nio.read_icio(tmp_path / "2022.csv")
    with pytest.raises(
        nio.LabelError, match=r"MX1, MX2, CN1, CN2 are parts of MEX, CHN.*nio.merge_regions\(table\) first"
    ):
        nio.to_pymrio(table)
    merged = nio.merge_regions(table)
    back = nio.from_pymrio(nio.to_pymrio(merged), year=2022)
    assert back.sha256 == merged.sha256
    assert back.paid_by_final_users.keys() == merged.paid_by_final_users.keys()


@pytest.mark.parametrize("edition", ["2016", "2018", "2021", "2023-SML", "2025-EXT"])
def test_pymrio_reads_the_same_table(tmp_path: Path, edition: str) -> None:
    """A toy of an edition by pymrio's own parser, which sums MX1 and MX2 on reading, and by ours, merged after it."""
    file = tmp_path / ("ICIO2016_2010.csv" if edition == "2016" else "ICIO2021_2010.csv")
    nio.write_toy_icio(file, edition)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        system = pymrio.parse_oecd(file)
    ours = nio.merge_regions(nio.read_icio(file))
    flows = ours.flows().to_series()
    theirs = system.Z.loc[list(ours.regions), list(ours.regions)]
    assert flows.sum() == pytest.approx(theirs.to_numpy().sum(), rel=1e-12)
    for region in ours.regions:
        block = ours.flows(region="USA", to_region=region).values.reshape(6, 6)
        expected = theirs.loc["USA", region].reindex(index=list(ours.sectors), columns=list(ours.sectors))
        np.testing.assert_allclose(block, expected.to_numpy(), rtol=1e-12)
    assert float(ours.Y.sum()) == pytest.approx(system.Y.to_numpy().sum(), rel=1e-12)
    value_added = system.factor_inputs.F.filter(regex="^VA", axis=0).to_numpy().sum()
    assert ours.inputs["value_added"].sum() == pytest.approx(value_added, rel=1e-12)


def test_coefficients_alone_are_enough(system: pymrio.IOSystem) -> None:
    expected = nio.from_pymrio(system)
    system.calc_all()
    system.Z = None
    by_output = nio.from_pymrio(system)
    np.testing.assert_allclose(by_output.Z, expected.Z, rtol=1e-12)
    system.x = None
    np.testing.assert_allclose(nio.from_pymrio(system).Z, expected.Z, rtol=1e-9)


def test_inputs_that_are_named(system: pymrio.IOSystem) -> None:
    table = nio.from_pymrio(system, inputs={"value_added": ["Value Added"]})
    assert list(table.inputs) == ["value_added"]
    with pytest.raises(nio.LabelError, match="no row of an extension 'Value added'. Nearest: Value Added"):
        nio.from_pymrio(system, inputs={"value_added": ["Value added"]})


def test_systems_that_cannot_be_tables(system: pymrio.IOSystem) -> None:
    with pytest.raises(nio.FormatError, match="no pymrio system with Y: dict"):
        nio.from_pymrio({})
    broken = system.Z.copy()
    broken.iloc[0, 0] = np.nan
    system.Z = broken
    with pytest.raises(nio.FormatError, match="Z of the pymrio system has cells that are no numbers"):
        nio.from_pymrio(system)
    system.Z = pymrio.load_test().Z
    system.unit = pd.DataFrame({"unit": ["M.EUR"] * 47 + ["kt"]}, index=system.Z.index)
    with pytest.raises(nio.UnitError, match="several units: kt, million EUR"):
        nio.from_pymrio(system)


def test_the_bridge_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nearshore_io.readers.bridge.find_spec", lambda _: None)
    with pytest.raises(nio.MissingExtraError, match=r"to_pymrio needs pymrio: .*nearshore_io\[pymrio\]"):
        nio.to_pymrio(random_table(0))
