"""OECD's national tables, all of them as published."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import WIOD

import nearshore_io as nio

FOLDER = WIOD.parent / "oecd-iot-2022"


def files() -> list[Path]:
    if not FOLDER.is_dir():
        missing = f"the published national tables are not at {FOLDER}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return sorted(FOLDER.glob("*.csv"))


def dense(table: nio.IOTable) -> np.ndarray:
    return np.asarray(table.Z.toarray() if hasattr(table.Z, "toarray") else table.Z)


def test_published_value_added() -> None:
    """24,836 and 1,427.7 billion USD of value added in 2022."""
    files()
    for country, expected in (("USA", 24_836e3), ("MEX", 1_427.7e3)):
        table = nio.read_oecd_iot(FOLDER / f"{country}2022ttl.csv")
        assert table.year == 2022
        assert table.inputs["value_added"].sum() == pytest.approx(expected, rel=5e-5)
        parts = [table.stressors[name][0] for name in (
            "compensation", "other_taxes_on_production", "consumption_of_fixed_capital", "net_operating_surplus",
        )]  # fmt: skip
        np.testing.assert_allclose(np.sum(parts, axis=0), table.inputs["value_added"], atol=0.01)


def test_every_table_splits_into_what_was_published() -> None:
    """Domestic + imported = published, by row and column, in all 80 tables; output is the publisher's; models solve."""
    for file in files():
        frame = pd.read_csv(file, index_col=0)
        industries = [row.removeprefix("TTL_") for row in frame.index if row.startswith("TTL_") and "FNL" not in row]
        table = nio.read_oecd_iot(file, imports="separate")
        total = frame.loc[[f"TTL_{code}" for code in industries], industries].to_numpy()
        columns = dense(table).sum(axis=0) + table.inputs["imports"]
        np.testing.assert_allclose(columns, total.sum(axis=0), atol=1e-6 * total.sum())
        bought = table.inputs["imports"].sum() + table.paid_by_final_users["imports"].sum()
        assert bought == pytest.approx(-frame.loc[[f"TTL_{c}" for c in industries], "IMPO"].sum(), rel=1e-6), file.name
        output = frame.loc[[f"TTL_{code}" for code in industries], "TOTAL"].to_numpy()
        np.testing.assert_allclose(table.x.values.ravel(), output, atol=0.02)
        made = output != 0
        assert not dense(table)[~made].any()
        assert not dense(table)[:, ~made].any()
        model = nio.Leontief(table)
        whole = sum(model.multipliers(name) for name in table.inputs)
        assert np.abs(whole.values.ravel() - 1.0)[output > 100.0].max() < 1e-3, file.name


def test_parts_of_value_added_that_do_not_add_up_are_said() -> None:
    """New Zealand's refineries: 71.0 in parts, 23.8 in all."""
    files()
    table = nio.read_oecd_iot(FOLDER / "NZL2022ttl.csv", imports="separate")
    assert table.meta["oddities"] == ("compensation, taxes, capital and surplus miss value added in C19",)
    assert "oddities" not in nio.read_oecd_iot(FOLDER / "MEX2022ttl.csv").meta


def test_flows_as_published_are_no_model(tmp_path: Path) -> None:
    files()
    mexico = FOLDER / "MEX2022ttl.csv"
    table = nio.read_oecd_iot(mexico)
    frame = pd.read_csv(mexico, index_col=0)
    np.testing.assert_array_equal(dense(table)[0], frame.loc["TTL_A01"].to_numpy()[:50])
    assert table.flows("MEX", "C29", "MEX", "C29").item() == frame.loc["TTL_C29", "C29"]
    with pytest.raises(
        nio.ClosureError, match='count foreign production as domestic. Read the table with imports="sep'
    ):
        nio.Leontief(table)
    with pytest.raises(nio.BalanceError, match='SAU/B05.*imports="separate" reads it'):
        nio.read_oecd_iot(FOLDER / "SAU2022ttl.csv")


def test_damaged_national_tables(tmp_path: Path) -> None:
    files()
    text = (FOLDER / "MEX2022ttl.csv").read_text(encoding="utf-8")
    file = tmp_path / "MEX2022ttl.csv"
    for changed, message in (
        (text.replace('"VALU"', '"VALUE"'), "row VALUE has no column, and is no known row of such a table"),
        (text.replace('"EXPO"', '"EXPORTS"'), "it lacks EXPO"),
        (text.replace("7594.957", "", 1), "row TTL_A01, column A01: the cell is empty"),
        (text.replace("7594.957", "x", 1), "'x' is no number"),
        (text.replace("7594.957", "99994.957", 1), "the cells of row TTL_A01 sum to 174,012.*its total says 81,612"),
        (text[:20_000], "may be cut short|lacks"),
        ("\n".join(line for line in text.split("\n") if not line.startswith('"TTL_S"')), "it lacks TTL_S"),
        ("\n".join(line for line in text.split("\n") if not line.startswith('"LABR"')), "it lacks LABR"),
    ):
        file.write_text(changed, encoding="utf-8")
        with pytest.raises(nio.FormatError, match=message):
            nio.read_oecd_iot(file)
