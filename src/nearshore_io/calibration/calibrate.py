"""Recipes run: step after step, each kept, so that an interrupted run goes on where it was."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from nearshore_io.balance.fit import Progress
from nearshore_io.calibration.adjust import explained
from nearshore_io.calibration.recipe import Recipe, read_recipe
from nearshore_io.calibration.sections import Report, Section
from nearshore_io.calibration.steps import Context, Step, StepResult
from nearshore_io.calibration.steps.numbers import BalanceStep
from nearshore_io.errors import FormatError, MissingExtraError, NearshoreError, StorageError, first_few
from nearshore_io.files import file_sha256, write_atomically
from nearshore_io.labels import unknown
from nearshore_io.library import cache_folder
from nearshore_io.readers.native import read_table, write_table
from nearshore_io.shipped import shipped
from nearshore_io.table import IOTable

Watch = Callable[[int, int, str], None]
"""Called before each step with its number, how many there are, and what it does."""


@dataclass(frozen=True)
class Calibration:
    """What a recipe made.

    Attributes
    ----------
    table : the table. report : its quality report. resumed : steps taken over from an earlier, interrupted run.
    """

    table: IOTable
    report: Report
    resumed: int
    recipe: Recipe
    tables: tuple[IOTable, ...]

    def explain(self, target: str, top: int = 15) -> pd.DataFrame:
        """Return the cells that moved most to meet a target of a balancing step, and against it.

        Raises
        ------
        LabelError
            If no balancing step has a target of that name.
        """
        names: list[str] = []
        for i, step in enumerate(self.recipe.steps):
            if not isinstance(step, BalanceStep):
                continue
            for given in step.targets(Context(Path(), self.recipe.path.parent)):
                names.append(given.name)
                if given.name == target:
                    return explained(self.tables[i - 1], self.tables[i], given, top)
        raise unknown(target, "target", names, where=f" in the balancing steps of {self.recipe.path.name}")


def calibrate(
    recipe: str | os.PathLike[str],
    raw: str | os.PathLike[str] | None = None,
    *,
    work: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    watch: Watch | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Return the table a recipe makes, with its quality report.

    Parameters
    ----------
    recipe : path of a TOML file, such as ``calibration/north-america-2022.toml``.
    raw : folder of the files it names; by default the recipe's own folder.
    work : where the table after each step is kept; by default in the cache folder. A later run takes over the steps
        whose recipe and files have not changed.
    fresh : take over nothing.

    Raises
    ------
    StorageError, FormatError
        A recipe or raw file that is missing or damaged; the message names the step.
    ConflictError
        Targets that cannot hold together.
    """
    plan = read_recipe(recipe)
    folder = plan.path.parent if raw is None else Path(raw).expanduser()
    if not folder.is_dir():
        raise StorageError(f"there is no folder {folder} of raw data: name it with raw=, or --raw.")
    context = Context(folder, plan.path.parent, plan.exchange_rates, progress)
    _require_runnable(plan, context)
    kept = (Path(work).expanduser() if work is not None else cache_folder() / "calibrate") / str(plan.table["name"])
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{kept} could not be made ({error.strerror or error}): name another with work=.") from error
    sources = _sources(plan, context)
    keys = _keys(plan, context, sources)
    table: IOTable | None = None
    tables: list[IOTable] = []
    sections: list[Section] = []
    resumed = 0
    for i, step in enumerate(plan.steps):
        found = None if fresh else _taken_over(kept / keys[i])
        if found is None:
            if watch is not None:
                watch(i, len(plan.steps), step.do)
            found = _applied(step, i + 1, table, context, plan)
            _keep(found, kept / keys[i])
        elif resumed == i:
            resumed += 1
        table = found.table
        tables.append(table)
        sections += found.sections
    if table is None:
        raise FormatError(f"{plan.path} makes no table.")
    _sweep(kept, keys)
    result = _described(table, plan)
    named = plan.path.name if Path(recipe).is_absolute() else os.fspath(recipe)
    report = Report(
        result.name,
        result.sha256,
        plan.path.name,
        f"nearshore calibrate {named} --raw <folder of the raw files> --out {result.name}.nc",
        str(result.meta.get("estimate", "")),
        tuple((path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name, digest)
              for path, digest in sources.items()),
        (*sections, _summary(result)),
    )  # fmt: skip
    return Calibration(result, report, resumed, plan, tuple(tables))


def _require_runnable(plan: Recipe, context: Context) -> None:
    """Raise before anything is done where an optional package is missing, or a target's name stands twice."""
    for number, step in enumerate(plan.steps, start=1):
        for module in step.modules():
            if find_spec(module) is None:
                raise MissingExtraError(f"step {number} ({step.do}) of {plan.path.name}", module, "calibrate")
    steps = [step for step in plan.steps if isinstance(step, BalanceStep)]
    names = [target.name for step in steps for target in step.targets(context)]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise FormatError(f"{plan.path.name}: targets share the name {first_few(twice)}: give each its own.")


def _applied(step: Step, number: int, table: IOTable | None, context: Context, plan: Recipe) -> StepResult:
    """Return what a step makes; its errors say which step it was."""
    where = f"step {number} ({step.do}) of {plan.path.name}"
    try:
        return step.apply(table, context)
    except KeyError as error:
        if isinstance(error, NearshoreError):
            raise
        raise FormatError(f"{where}: {error} is missing.") from error
    except NearshoreError as error:
        error.args = (f"{where}: {error}",)
        raise


def _sweep(folder: Path, keys: Sequence[str]) -> None:
    """Remove what other versions of the recipe, its files or the package have left."""
    for file in [*folder.glob("*.nc"), *folder.glob("*.json")]:
        if file.stem not in keys:
            with suppress(OSError):  # another run may be sweeping too
                file.unlink()


def _sources(plan: Recipe, context: Context) -> dict[Path, str]:
    """Return the checksum of every file the steps read; a folder's is that of its files' names and checksums."""
    found: dict[Path, str] = {}
    for number, step in enumerate(plan.steps, start=1):
        for path in step.raw_files(context):
            if not path.exists():
                raise StorageError(
                    f"step {number} ({step.do}) of {plan.path.name}: there is no {path}. Is --raw the right folder?"
                )
            found[path] = file_sha256(path) if path.is_file() else _folder_sha256(path)
    return found


def _folder_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()} {file_sha256(file)}\n".encode())
    return digest.hexdigest()


@cache
def _code_sha256() -> str:
    """Return a checksum of the package's own code and lists: what others made is made again."""
    digest = hashlib.sha256()
    package, data = Path(__file__).resolve().parents[1], shipped("tables")
    for file in [*sorted(package.rglob("*.py")), *sorted(data.rglob("*.csv")), *sorted(data.rglob("*.toml"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _keys(plan: Recipe, context: Context, sources: dict[Path, str]) -> list[str]:
    """Return a name for the result of each step: all that it depends on, hashed."""
    digest = hashlib.sha256(f"{_code_sha256()} {sorted(plan.exchange_rates.items())}".encode())
    keys = []
    for step in plan.steps:
        digest.update(step.model_dump_json().encode())
        digest.update(repr([sources[path] for path in step.raw_files(context)]).encode())
        keys.append(digest.hexdigest()[:24])
    return keys


def _keep(result: StepResult, place: Path) -> None:
    """Write a step's result: the table first, then, whole or not at all, what marks it as complete."""
    write_table(result.table, place.with_suffix(".nc"))
    text = json.dumps(
        {"sha256": result.table.sha256, "sections": [section.to_dict() for section in result.sections]}, default=_plain
    )

    def write(file: BinaryIO) -> None:
        file.write(text.encode())

    write_atomically(place.with_suffix(".json"), write)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else str(value)


def _taken_over(place: Path) -> StepResult | None:
    note = place.with_suffix(".json")
    if not note.is_file() or not place.with_suffix(".nc").is_file():
        return None
    try:
        data = json.loads(note.read_text(encoding="utf-8"))
        table = read_table(place.with_suffix(".nc"))
        sections = tuple(Section.from_dict(section) for section in data["sections"])
        return StepResult(table, sections) if table.sha256 == data["sha256"] else None
    except (ValueError, KeyError, TypeError, FormatError, StorageError):  # a damaged copy: the step is done again
        return None


def _described(table: IOTable, plan: Recipe) -> IOTable:
    """Return the table rounded, so that every machine makes the same bytes, and with the recipe's own description."""
    stressors = table.stressors
    if plan.digits is not None:
        stressors = {name: (np.round(values, plan.digits), unit) for name, (values, unit) in stressors.items()}
    if plan.money_digits is None:
        return table.with_numbers(stressors=stressors, meta={**table.meta, **plan.table})
    digits = plan.money_digits
    Z = table.Z.round(digits) if hasattr(table.Z, "toarray") else np.round(table.Z, digits)
    Y = np.round(table.y, digits)
    x = Z.sum(axis=1) + Y.sum(axis=1)
    inputs = {name: np.round(values, digits) for name, values in table.inputs.items() if name != "value_added"}
    spent = Z.sum(axis=0) + np.sum(list(inputs.values()), axis=0) if inputs else Z.sum(axis=0)
    value_added = np.round(x - spent, digits)  # the residual takes the rounding: rows and columns stay equal
    ordered = {name: value_added if name == "value_added" else inputs[name] for name in table.inputs}
    meta = table.renumbered(f"rounded to {digits} decimals", **plan.table)
    return table.with_numbers(Z=Z, Y=Y, inputs=ordered, stressors=stressors, meta=meta)


def _summary(table: IOTable) -> Section:
    check = table.check()
    lines = tuple(
        f"{finding.what}: {finding.count}, {finding.value:,.6g} ({finding.detail})"
        for finding in check.findings
        if finding.severity != "info" or finding.what.startswith(("spectral", "row output"))
    )
    return Section("The table, checked", "", lines)
