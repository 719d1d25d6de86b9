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
