"""Tables the tests share: a textbook example, random tables, and the published ones where their files are at hand."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browser import executable
from hypothesis import settings
from hypothesis import strategies as st

import nearshore_io as nio
from nearshore_io.table import IOTable

settings.register_profile("default", deadline=None, max_examples=25)
settings.register_profile("ci", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))

WIOD = Path(os.environ.get("NEARSHORE_RAW", Path(__file__).parents[2] / "shared" / "data")) / "wiod2013"


def require_wiod() -> Path:
    """Return the folder of the published files, or skip the test saying so."""
    if not WIOD.is_dir():
        missing = f"the published WIOD files are not at {WIOD}; set NEARSHORE_RAW to the folder that holds wiod2013"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return WIOD


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep imported tables and unpacked copies of every test to itself."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("NEARSHORE_TABLES", str(home / "tables"))
    monkeypatch.setenv("NEARSHORE_CACHE", str(home / "cache"))


@pytest.fixture(scope="session")
def wiod_2011() -> IOTable:
    return nio.read_wiod(require_wiod() / "wiot_2011.RData")


@pytest.fixture(scope="session")
def wiod_model(wiod_2011: IOTable) -> nio.Leontief:
    return nio.Leontief(wiod_2011)


@pytest.fixture(scope="session")
def bundled() -> IOTable:
    return nio.load_table("north-america-2011")


@pytest.fixture(scope="session")
def estimated() -> IOTable:
    return nio.load_table("north-america-2022")


@pytest.fixture(scope="session")
def model(bundled: IOTable) -> nio.Leontief:
    return nio.Leontief(bundled)


@pytest.fixture
def textbook() -> IOTable:
    """Return the two-sector economy of Miller & Blair (2009), table 2.3."""
    sectors = ["1", "2"]
    Z = pd.DataFrame([[150.0, 500.0], [200.0, 100.0]], index=sectors, columns=sectors)
    return nio.from_frames(Z, pd.Series([350.0, 1700.0], index=sectors))


def random_table(seed: int, sectors: int = 3, *, idle: bool = True, tax: bool = True) -> IOTable:
    """Return a random table of USA, CHN and a Mexico in two accounts: an idle industry, negative inventories, taxes."""
    rng = np.random.default_rng(seed)
    regions = ["USA", "MX1", "MX2", "CHN"]
    country = {"MX1": "MEX", "MX2": "MEX"}
    countries = ["USA", "MEX", "CHN"]
    categories = ["HFCE", "GFCF", "INVNT"]
    n = len(regions) * sectors
    Z = rng.lognormal(0.0, 1.5, (n, n)) * (rng.random((n, n)) < 0.8)
    Y = rng.lognormal(3.0, 0.8, (n, len(countries), len(categories)))
    Y[:, :, 2] *= rng.choice([-0.2, 0.2], (n, len(countries)))
    if idle and sectors > 1:
        gone = int(rng.integers(n))
        Z[gone, :] = Z[:, gone] = 0.0
        Y[gone] = 0.0
    short = Z.sum(axis=0) * 1.3 - Z.sum(axis=1) - Y.sum(axis=(1, 2))
    Y[:, 0, 0] += np.maximum(short, 0.0)
    x = Z.sum(axis=1) + Y.sum(axis=(1, 2))
    primary = x - Z.sum(axis=0)
    taxes = primary * rng.uniform(-0.05, 0.15, n) if tax else np.zeros(n)
    jobs = rng.uniform(0.001, 0.05, n) * x
    jobs[3 * sectors :] = np.nan
    income = 0.6 * (primary - taxes)
    income[3 * sectors :] = np.nan
    return IOTable.from_arrays(
        Z,
        Y.reshape(n, -1),
        {"value_added": primary - taxes} | ({"taxes_less_subsidies": taxes} if tax else {}),
        regions=regions,
        sectors=[f"s{i}" for i in range(sectors)],
        final_regions=countries,
        categories=categories,
        country=country,
        stressors={"jobs": (jobs, "thousand persons"), "compensation": (income, "million USD")},
        meta={"name": f"random {seed}", "year": 2020},
    )


@st.composite
def tables(draw: Any, **options: Any) -> IOTable:
    """Draw random tables."""
    return random_table(draw(st.integers(0, 10_000)), draw(st.integers(1, 4)), **options)


def active(table: IOTable, region: str) -> str:
    """Return a sector of a region that has output."""
    x = table.x.sel(region=table.select(region=region)["region"]).min("region")
    return str(x["sector"].values[int(x.values.argmax())])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        yield chromium
        chromium.close()
