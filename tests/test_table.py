import numpy as np
import pandas as pd
import pytest
from conftest import random_table
from scipy.sparse import csr_array

import nearshore_io as nio
from nearshore_io.table import IOTable

PAIRS = pd.MultiIndex.from_product([["USA", "MEX"], ["s1", "s2"]])
FINAL = pd.MultiIndex.from_product([["USA", "MEX"], ["HFCE", "INVNT"]])


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    Z = pd.DataFrame(np.arange(16.0).reshape(4, 4), index=PAIRS, columns=PAIRS)
    Y = pd.DataFrame(np.full((4, 4), 20.0), index=PAIRS, columns=FINAL)
    return Z, Y


def test_frames_are_aligned_by_label() -> None:
    Z, Y = frames()
    straight = nio.from_frames(Z, Y)
    shuffled = nio.from_frames(Z.iloc[[3, 1, 0, 2], [2, 0, 3, 1]].loc[PAIRS], Y.iloc[[1, 0, 3, 2], [3, 2, 1, 0]])
    assert shuffled.flows("MEX", "s1", "USA", "s2").item() == straight.flows("MEX", "s1", "USA", "s2").item() == 9.0
    assert shuffled.x.sum() == straight.x.sum()


def test_values_given_either_way_round() -> None:
    Z, Y = frames()
    v = pd.DataFrame([[1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 0.3, 0.4]], index=["value_added", "taxes"], columns=PAIRS)
    assert nio.from_frames(Z, Y, v).sha256 == nio.from_frames(Z, Y, v.T).sha256


def test_the_residual_is_named_so() -> None:
    table = nio.from_frames(*frames())
    assert "column residual" in table.meta["value_added"]
    np.testing.assert_allclose(table.imbalance("inputs"), 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda Z, Y: (Z.iloc[:3], Y), nio.LabelError, r"missing in columns of Z|only in columns of Z: \[MEX/s2\]"),
        (lambda Z, Y: (Z.iloc[:3, :3], Y), nio.LabelError, r"not a full region × sector grid, Z lacks MEX/s2"),
        (lambda Z, Y: (Z, Y.iloc[:3]), nio.LabelError, r"missing in rows of Y: \[MEX/s2\]"),
        (lambda Z, Y: (Z, Y.iloc[:, :3]), nio.LabelError, r"Y lacks the columns MEX/INVNT"),
        (lambda Z, Y: (Z.iloc[[0, 1, 2, 2]], Y), nio.LabelError, r"rows of Z have duplicate labels: MEX/s1"),
        (lambda Z, Y: (Z.astype(object).replace(5.0, "five"), Y), nio.BalanceError, "cells that are not numbers"),
        (lambda Z, Y: (Z * 1j, Y), nio.BalanceError, "cells that are not numbers"),
        (lambda Z, Y: (Z > 3, Y), nio.BalanceError, "cells that are not numbers"),
        (lambda Z, Y: (Z.replace(5.0, np.nan), Y), nio.BalanceError, r"not numbers in the rows of USA/s2"),
        (
            lambda Z, Y: (Z, Y.replace(20.0, np.nan)),
            nio.BalanceError,
            r"Y has cells that are not numbers: USA/s1/USA/HFCE",
        ),
        (lambda Z, Y: (Z, Y.rename(columns={"MEX": "CAN"})), nio.LabelError, "CAN is no country of this table"),
        (
            lambda Z, Y: (Z.mul([1, 0, 1, 1], axis=0), Y.mul([1, 0, 1, 1], axis=0)),
            nio.BalanceError,
            "industries with flows but no output: USA/s2",
        ),
    ],
)
def test_a_spoiled_table_is_refused(spoil: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nio.from_frames(*spoil(*frames()))  # type: ignore[operator]


def test_arrays_are_read_only() -> None:
    table = random_table(1)
    for array in (
        table.Z if isinstance(table.Z, np.ndarray) else table.Z.data,
        table.A,
        table.Y.values,
        table.x.values,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_storage_follows_density() -> None:
    n = 12
    Z = np.zeros((n, n))
    Z[np.arange(n), np.roll(np.arange(n), 1)] = 1.0
    labels = {"regions": ["A", "B"], "sectors": list("uvwxyz"), "final_regions": ["A", "B"], "categories": ["HFCE"]}
    sparse = IOTable.from_arrays(Z, np.full((n, 2), 5.0), None, **labels)
    assert isinstance(sparse.Z, csr_array)
    assert isinstance(sparse.A, csr_array)
    assert isinstance(IOTable.from_arrays(Z + 0.1, np.full((n, 2), 5.0), None, **labels).Z, np.ndarray)
    both = nio.Leontief(sparse).output(sparse.Y.sum(["final_region", "category"]))
    np.testing.assert_allclose(both, sparse.x, rtol=1e-14)


def test_flows_of_any_selection_are_those_of_the_whole() -> None:
    table = random_table(3)
    part = table.flows(region="MEX", to_region=["CHN", "USA"], to_sector="s1")
    whole = table.flows().sel(region=["MX1", "MX2"], to_region=["CHN", "USA"], to_sector=["s1"])
    np.testing.assert_array_equal(part.values, whole.values)


def test_check_counts_what_was_put_in() -> None:
    table = random_table(5)
    report = table.check()
    assert report.ok
    assert report["zero-output industries"].count == int((table.x == 0).sum()) == 1
    assert report["negative final demand: INVNT"].count == int((table.Y.sel(category="INVNT") < 0).sum())
    assert "CHN" in report["missing jobs"].detail
    radius = np.abs(np.linalg.eigvals(np.asarray(table.A))).max()
    assert report["spectral radius of A"].value == pytest.approx(radius)
    assert "spectral radius of A" in str(report)


def test_check_reports_an_economy_that_uses_up_more_than_it_makes() -> None:
    index = ["a", "b"]
    Z = pd.DataFrame([[9.0, 4.0], [4.0, 9.0]], index=index, columns=index)
    table = nio.from_frames(Z, pd.Series([-2.0, -2.0], index=index))
    report = table.check()
    assert not report.ok
    assert report["spectral radius of A"].value == pytest.approx(13 / 11)
    with pytest.raises(nio.SolverError, match=r"spectral radius of A is 1\.18.*Industries: economy/[ab]"):
        nio.Leontief(table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"country": {"MEX": "MEX", "MXE": "MEX"}}, "country= names MXE, which is no region"),
        (
            {"F": pd.Series(1.0, index=PAIRS, name="jobs"), "stressor_units": {"job": "persons"}},
            "stressor_units names job",
        ),
        ({"F": pd.Series(1.0, index=PAIRS, name="output")}, "may not be called output"),
        ({"F": pd.Series(1.0, index=PAIRS, name="value_added")}, "two of them are"),
    ],
)
def test_names_nobody_can_place(options: dict[str, object], message: str) -> None:
    with pytest.raises(nio.LabelError, match=message):
        nio.from_frames(*frames(), **options)  # type: ignore[arg-type]


def test_frames_must_be_labelled() -> None:
    Z, Y = frames()
    for bad in ((Z.to_numpy(), Y), (Z, Y.to_numpy())):
        with pytest.raises(nio.LabelError, match="must be a pandas frame"):
            nio.from_frames(*bad)
    with pytest.raises(nio.LabelError, match="Z is empty"):
        nio.from_frames(pd.DataFrame(), pd.DataFrame())


def test_integer_labels_are_codes() -> None:
    index = pd.MultiIndex.from_product([[1, 2], [10, 20]])
    Z = pd.DataFrame(np.ones((4, 4)), index=index, columns=index)
    v = pd.DataFrame([[4.0] * 4], index=["value_added"], columns=index)
    table = nio.from_frames(Z, pd.DataFrame(2.0, index=index, columns=[1, 2]), v)
    assert table.regions == ("1", "2")
    np.testing.assert_allclose(table.imbalance("inputs"), 0.0)


def test_final_demand_that_cancels_keeps_content_whole() -> None:
    """Real files have industries whose only flows are +1 and −1 of final demand: no output, no inputs, one origin."""
    Z, Y = frames()
    idle = PAIRS[1]
    Z.loc[idle], Z[idle] = 0.0, 0.0
    Y.loc[idle] = [5.0, 0.0, 0.0, -5.0]
    table = nio.from_frames(Z, Y)
    assert table.check()["final demand that cancels to zero output"].count == 1
    assert float(nio.export_content(nio.Leontief(table), "USA").sum()) == pytest.approx(1.0)


def test_columns_that_sum_to_one_are_counted() -> None:
    Z, Y = frames()
    Y.loc[PAIRS[0]] = (Z[PAIRS[0]].sum() - Z.loc[PAIRS[0]].sum()) / 4
    assert nio.from_frames(Z, Y).check()["columns of A that sum to one or more"].count == 1


def test_the_split_accounts_of_mexico_belong_to_mexico() -> None:
    """As OECD's extended tables have it: industries in MX1 and MX2, final users in MEX only."""
    index = pd.MultiIndex.from_product([["USA", "MX1", "MX2"], ["s"]])
    Z = pd.DataFrame(np.ones((3, 3)), index=index, columns=index)
    Y = pd.DataFrame(5.0, index=index, columns=pd.MultiIndex.from_product([["USA", "MEX"], ["HFCE"]]))
    table = nio.from_frames(Z, Y)
    assert dict(table.country) == {"USA": "USA", "MX1": "MEX", "MX2": "MEX"}
    exported = nio.export_content(nio.Leontief(table), "MEX").attrs["exports"]
    assert exported == pytest.approx(2 * 1.0 + 2 * 5.0)  # to the USA: no flows between MX1 and MX2
    assert nio.from_frames(Z, Y["USA"].rename(columns={"HFCE": "MX1"}).assign(MX2=1.0, USA=1.0)).country["MX1"] == "MX1"
