"""The scenarios shipped with the package: policy questions, with parameters, their sources and bands."""

from functools import cache
from pathlib import Path

from nearshore_io.labels import unknown
from nearshore_io.scenarios.base import Scenario
from nearshore_io.scenarios.spec import read_scenarios
from nearshore_io.shipped import shipped


@cache
def gallery_files() -> dict[str, Path]:
    """Return the shipped scenario files by name: "S01", …, and "nearshoring"."""
    return {file.stem.partition("-")[0]: file for file in sorted(shipped("gallery").glob("*.toml"))}


def list_gallery() -> dict[str, str]:
    """Return the question of every gallery scenario by its name."""
    return {scenario.name: scenario.question for scenario in _gallery()}


def load_scenario(name: str) -> Scenario:
    """Return a gallery scenario, such as ``"S04"``.

    Raises
    ------
    LabelError
        If the gallery has none of that name.
    """
    known = {scenario.name: scenario for scenario in _gallery()}
    name = name.removeprefix("gallery:")
    if name not in known:
        raise unknown(name, "gallery scenario", known, {key: scenario.title for key, scenario in known.items()})
    return known[name]


@cache
def _gallery() -> tuple[Scenario, ...]:
    files = [file for name, file in gallery_files().items() if name.startswith("S")]
    return tuple(scenario for file in files for scenario in read_scenarios(file))
