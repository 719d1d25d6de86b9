"""The package itself: its names, and what importing it loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nearshore_io as nio

HEAVY = ("numpy", "pandas", "polars", "pydantic", "scipy", "typer", "xarray")


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, nearshore_io; print([name for name in {HEAVY} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == "[]"
    )


def test_every_public_name_is_there_and_completes() -> None:
    for name in nio.__all__:
        assert getattr(nio, name) is not None
    assert set(nio.__all__) <= set(dir(nio))
    with pytest.raises(AttributeError, match="has no attribute 'relocate'"):
        nio.relocate  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_the_names_that_are_loaded() -> None:
    """What stands under TYPE_CHECKING, what is loaded on first use, and __all__ are one list."""
    tree = ast.parse(Path(nio.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(nio.__all__)
    assert {*nio._WHERE, *nio._MODULES} == set(nio.__all__)


def test_no_public_name_is_hidden_by_a_module_of_that_name() -> None:
    """Importing nearshore_io.x sets the attribute x of the package to the module, whatever x was to be."""
    from importlib.util import find_spec

    modules = {name for name in nio.__all__ if find_spec(f"nearshore_io.{name}") is not None}
    assert modules == {"balance", "plot", "solvers", "units"}


def test_every_error_travels_between_processes() -> None:
    import pickle

    for name in (name for name in nio.__all__ if name.endswith("Error")):
        kind = getattr(nio, name)
        error = (
            kind("figures", "matplotlib", "plot") if name == "MissingExtraError" else kind("what, where, what to do")
        )
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert str(again) == str(error)


def test_reading_results_and_tables_of_a_report_needs_no_matplotlib(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import nearshore_io as nio\n"
        "model = nio.Leontief(nio.load_table('north-america-2011'))\n"
        "found = nio.run(model, nio.Scenario('d', [nio.FinalDemand('MEX', 'c15', '1 million USD')]))\n"
        f"found.to_netcdf({str(tmp_path / 'r.nc')!r}, engine='h5netcdf')\n"
        f"read = nio.read_results({str(tmp_path / 'r.nc')!r})\n"
        f"print(nio.write_report(read, {str(tmp_path / 'r.md')!r}, model).name)\n"
        "try:\n"
        f"    nio.write_report(read, {str(tmp_path / 'r.html')!r}, model)\n"
        "except nio.MissingExtraError as error:\n    print(error.extra)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["r.md", "plot"]
    assert not (tmp_path / "r.html").exists()
