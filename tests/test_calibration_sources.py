"""The published files recipes are made from: read right, or refused with the place."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import require_wiod
from numpy.testing import assert_allclose

import nearshore_io as nio
from nearshore_io.calibration.export_plants import export_plants
from nearshore_io.calibration.labour import counted_jobs, jobs_by_pay, skill_shares
from nearshore_io.calibration.national import RegionAccounts
from nearshore_io.readers.accounts_2016 import read_accounts_2016
from nearshore_io.readers.baci import read_goods_trade
from nearshore_io.readers.import_matrices import read_import_matrix
from nearshore_io.readers.iot import read_national_accounts


@pytest.fixture(scope="module")
def raw() -> Path:
    return require_wiod().parent


MATRIX = "Import Matrix, Mexico, After Redefinitions_2022.csv"


def test_an_import_matrix_sums_to_what_its_lines_do(raw: Path) -> None:
    found = read_import_matrix(raw / "bea-import-matrices", "Mexico", 2022)
    lines = (raw / "bea-import-matrices" / MATRIX).read_text(encoding="utf-8-sig").splitlines()
    crops = next(line for line in lines if line.startswith("111,Crop"))
    assert_allclose(found.flows[found.products.index("111")].sum(), sum(map(float, crops.split(",")[2:])))
    total = found.flows.sum() + sum(found.left_out.values())
    assert 179_000 < total < 181_000  # 179.8 billion USD, as the publisher's total of 2022
    sectors = nio.load_table().sectors
    shares = np.linspace(1, 2, len(sectors))
    assert_allclose(found.on(sectors, "icio-2025", shares, shares).sum(), found.flows.sum())


def test_damaged_import_matrices_say_where(raw: Path, tmp_path: Path) -> None:
    text = (raw / "bea-import-matrices" / MATRIX).read_text(encoding="utf-8-sig")
    (tmp_path / MATRIX).write_text(text)
    with pytest.raises(nio.StorageError, match=r"no import matrix of 'Cuba'.*partners: Mexico"):
        read_import_matrix(tmp_path, "Cuba", 2022)
    for damage, message in (
        (text.replace("111,Crop production,321", "111,Crop production,many", 1), "row 111: 'many' is no number"),
        (text.replace("111,Crop production,321,", "111,Crop production,", 1), "row 111 has not 138 cells"),
        (text.replace("IOCode,Commodities", "Code,Commodities", 1), "no row begins with IOCode"),
        (text.replace("\n111,Crop", "\n999,Crop", 1), "none of the 138 industries: 999"),
    ):
        (tmp_path / MATRIX).write_text(damage)
        with pytest.raises(nio.FormatError, match=message):
            read_import_matrix(tmp_path, "Mexico", 2022)


def test_goods_trade_of_mexico_is_the_publishers(raw: Path) -> None:
    trade = read_goods_trade(raw / "baci-2023")
    at = trade.economies.index
    assert_allclose(trade.flows[at("MEX"), at("USA")] / 1e3, 459.1, atol=0.05)
    assert_allclose(trade.flows[at("USA"), at("MEX")] / 1e3, 292.8, atol=0.05)
    order = ("USA", "MEX", "ROW")
    among = trade.among({"USA": "USA", "MEX": "MEX"}, order, "ROW")
    assert_allclose(among[1, 0], trade.flows[at("MEX"), at("USA")])
    assert_allclose(np.nansum(among), np.nansum(trade.flows))


def test_trade_that_does_not_fit_its_labels_is_refused(raw: Path, tmp_path: Path) -> None:
    for file in ("country_labels.csv", "gdp.csv", "trade_cepii.csv"):
        shutil.copy(raw / "baci-2023" / file, tmp_path / file)
        (tmp_path / file).chmod(0o600)
    labels = (tmp_path / "country_labels.csv").read_text().splitlines()
    (tmp_path / "country_labels.csv").write_text("\n".join(labels[:-1]))
    with pytest.raises(nio.FormatError, match="193 labels, 194 GDPs"):
        read_goods_trade(tmp_path)
    (tmp_path / "country_labels.csv").write_text("\n".join([*labels[:-1], labels[1]]))
    with pytest.raises(nio.FormatError, match="ABW stand twice"):
        read_goods_trade(tmp_path)


def test_national_accounts_add_up(raw: Path) -> None:
    """Uses and inputs of an industry are its output; GDP by income is that of the published rows."""
    accounts = RegionAccounts.of(read_national_accounts(raw / "oecd-iot-2022" / "MEX2022ttl.csv"))
    used = accounts.Z.sum(axis=1) + accounts.F.sum(axis=1) + accounts.exports - accounts.imports
    assert_allclose(used, accounts.output, rtol=1e-4, atol=1.0)
    paid = accounts.Z.sum(axis=0) + accounts.taxes + accounts.value_added + accounts.other_imports[:50]
    assert_allclose(paid, accounts.output, rtol=1e-4, atol=1.0)
    assert_allclose(accounts.gdp, 1_427_688.963 + 67_381.602, rtol=1e-9)


def test_the_estimate_has_the_outputs_and_incomes_of_the_national_tables(raw: Path, estimated: nio.IOTable) -> None:
    for code, regions in (("USA", ["USA"]), ("MEX", ["MX1", "MX2"]), ("BRA", ["BRA"])):
        table = pd.read_csv(raw / "oecd-iot-2022" / f"{code}2022ttl.csv", index_col=0)
        sectors = list(estimated.sectors)
        products = [f"TTL_{sector}" for sector in sectors]
        for found, published in (
            (estimated.x, table.loc[products, "TOTAL"]),
            (estimated.v.sel(input="value_added"), table.loc["VALU", sectors]),
        ):
            ours = found.sel(region=regions).sum("region").values
            assert_allclose(ours, published.to_numpy(float), rtol=2e-6, atol=0.2, err_msg=code)
        abroad = [r for r in estimated.regions if r not in regions]
        sold = estimated.flows(regions, None, abroad).sum(["region", "to_region", "to_sector"]).values
        sold = sold + estimated.Y.sel(region=regions).drop_sel(final_region=code).sum(
            ["region", "final_region", "category"]
        )
        wanted = table.loc[products, ["EXPO", "CONS_NONRES"]].sum(axis=1).to_numpy(float)
        assert_allclose(float(sold.sum()), wanted.sum(), rtol=0.01)


@pytest.mark.slow
def test_jobs_by_pay_have_the_total_they_are_given(raw: Path, estimated: nio.IOTable) -> None:
    pay = estimated.F.sel(stressor="compensation", region="USA").values
    found = jobs_by_pay(raw / "wiod2016" / "sea.rda", "USA", 2014, estimated.sectors, pay, 152_200)
    assert_allclose(found.jobs, estimated.F.sel(stressor="jobs", region="USA").values, rtol=1e-6)
    accounts = read_accounts_2016(raw / "wiod2016" / "sea.rda", "USA", 2014)
    fishing = accounts.loc["C26"]
    at = estimated.sectors.index("C26")
    employees = found.jobs[at] * fishing["EMPE"] / fishing["EMP"]
    level = pay.sum() / 152_200 / (fishing["COMP"] / fishing["EMPE"])
    assert 0.3 < (pay[at] / employees) / (fishing["COMP"] / fishing["EMPE"]) / level < 3
    assert_allclose(found.hours[at] / employees, fishing["H_EMPE"] / fishing["EMPE"], rtol=1e-9)  # type: ignore[index]


def test_counted_jobs_are_the_nations_whatever_the_state(raw: Path, tmp_path: Path) -> None:
    sectors = nio.load_table().sectors
    pay = np.ones(len(sectors))
    found = counted_jobs(raw / "inegi-mip-2018" / "empleos_impuestos.tsv", sectors, pay, pay)
    assert_allclose(found.jobs.sum(), 58_958.0, atol=0.1)
    assert_allclose(found.informal.sum(), 31_991.3, atol=0.1)  # type: ignore[union-attr]
    (tmp_path / "jobs.tsv").write_text("scian\tregion\templeos\tinformales\n999\ta\t1\t1\n999\tb\t1\t1\n")
    with pytest.raises(nio.FormatError, match="SCIAN 999 is none of the 35"):
        counted_jobs(tmp_path / "jobs.tsv", sectors, pay, pay)


def test_skill_shares_are_those_of_the_accounts(raw: Path) -> None:
    found = skill_shares(raw / "wiod2013" / "WIOD_SEA.mat", "MEX", 2009, nio.load_table().sectors)
    total = np.sum(list(found.values()), axis=0)
    assert_allclose(total[np.isfinite(total)], 1.0)
    at = nio.load_table().sectors.index("C10T12")
    assert_allclose(found["high"][at], 0.087916, atol=2e-6)  # c3, food, in the accounts of 2009


def test_export_plants_make_four_fifths_of_manufactured_exports(raw: Path) -> None:
    sectors = nio.load_table().sectors
    chosen = tuple(code for code in sectors if code.startswith("C"))
    shares = export_plants(raw / "inegi-mip-2018" / "mipsBR.Rds", sectors, chosen, 0.5)
    assert_allclose([shares["C26"], shares["C31T33"]], [0.947, 0.868], atol=5e-4)
    stricter = export_plants(raw / "inegi-mip-2018" / "mipsBR.Rds", sectors, chosen, 0.9)
    assert all(stricter.get(code, 0.0) <= share for code, share in shares.items())
    floored = export_plants(raw / "inegi-mip-2018" / "mipsBR.Rds", sectors, chosen, 0.5, floor=0.05)
    assert floored["C16"] == 0.05
    assert "C16" not in shares


def test_accounts_of_a_country_nobody_has(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(nio.LabelError, match="has no ARG in 2014"):
        read_accounts_2016(raw / "wiod2016" / "sea.rda", "ARG", 2014)
    (tmp_path / "sea.rda").write_bytes(b"RDX3\nnothing")
    with pytest.raises(nio.FormatError, match="does not hold the accounts"):
        read_accounts_2016(tmp_path / "sea.rda", "USA", 2014)
