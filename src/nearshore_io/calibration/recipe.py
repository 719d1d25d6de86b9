"""Recipes: TOML files that say, step by step, how a table is made."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from nearshore_io.calibration.steps import KINDS, Step
from nearshore_io.errors import FormatError, first_few
from nearshore_io.labels import unknown
from nearshore_io.readers.files import readable
from nearshore_io.units import is_number

_PARTS = ("table", "exchange_rates", "round", "step")


@dataclass(frozen=True)
class Recipe:
    """A recipe.

    Attributes
    ----------
    path : where it was read from; what it names is beside it or in the folder of raw data.
    table : name, source and whatever else describes the table.
    exchange_rates : units of each currency per unit of the table's.
    digits : decimals kept of stressors. money_digits : decimals kept of flows and primary inputs; None keeps all.
    steps : in order.
    """

    path: Path
    table: dict[str, Any]
    exchange_rates: dict[str, float]
    digits: int | None
    money_digits: int | None
    steps: tuple[Step, ...]


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Return a recipe from a TOML file.

    Raises
    ------
    StorageError
        If there is no such file.
    FormatError
        If it is no recipe; the message says which step and which entry.
    """
    file = readable(path)
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{file} is not valid TOML: {error}.") from error
    strange = [key for key in data if key not in _PARTS]
    if strange or "table" not in data or not data.get("step"):
        why = f"unknown part {first_few(strange)}" if strange else "it needs [table] and [[step]]"
        raise FormatError(f"{file} is no recipe: {why}; a recipe has {', '.join(_PARTS)}.")
    if not isinstance(data["table"].get("name"), str):
        raise FormatError(f"{file}: [table] needs a name.")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", data["table"]["name"]):
        raise FormatError(f"{file}: {data['table']['name']!r} is no name for a table: letters, digits, '.', '_', '-'.")
    rounding = data.get("round", {})
    if extra := [key for key in rounding if key not in ("digits", "money_digits")]:
        raise FormatError(f"{file}: [round] has digits and money_digits, not {first_few(extra)}.")
    return Recipe(
        file,
        dict(data["table"]),
        _rates(data.get("exchange_rates", {}), file),
        rounding.get("digits"),
        rounding.get("money_digits"),
        tuple(_step(given, i + 1, file) for i, given in enumerate(data["step"])),
    )


def _rates(given: dict[str, Any], file: Path) -> dict[str, float]:
    found = {}
    for currency, entry in given.items():
        if not isinstance(entry, dict) or not is_number(entry.get("rate")) or not entry.get("source"):
            raise FormatError(
                f"{file}: exchange_rates.{currency} needs rate (per unit of the table's currency) and source."
            )
        found[currency] = float(entry["rate"])
    return found


def _step(given: dict[str, Any], number: int, file: Path) -> Step:
    kinds = {str(get_args(kind.model_fields["do"].annotation)[0]): kind for kind in KINDS}
    name = given.get("do")
    if name not in kinds:
        if not isinstance(name, str):
            raise FormatError(f"{file}, step {number}: it does not say what to do; steps: {', '.join(kinds)}.")
        raise unknown(name, f"step (number {number} of {file.name})", list(kinds))
    try:
        return kinds[name](**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FormatError(f"{file}, step {number} ({name}), {where or 'as a whole'}: {first['msg']}.") from error
