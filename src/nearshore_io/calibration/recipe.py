"""Recipes: TOML files that say, step by step, how a table is made."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nearshore_io.calibration.steps import KINDS, Step
from nearshore_io.calibration.steps.base import first_fault
from nearshore_io.errors import FormatError, first_few
from nearshore_io.files import readable
from nearshore_io.labels import unknown

_PARTS = ("table", "exchange_rates", "round", "step")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Rate(_Part):
    rate: float = Field(gt=0)
    source: str = Field(min_length=1)


class _Round(_Part):
    digits: int | None = Field(default=None, ge=0, le=9)
    money_digits: int | None = Field(default=None, ge=0, le=9)


class _File(_Part):
    table: dict[str, Any]
    exchange_rates: dict[str, _Rate] = Field(default_factory=dict)
    round: _Round = _Round()
    step: list[dict[str, Any]] = Field(min_length=1)


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
    try:
        plan = _File(**data)
    except ValidationError as error:
        raise FormatError(f"{file} is no recipe: {first_fault(error)}. A recipe has {', '.join(_PARTS)}.") from error
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", str(plan.table.get("name", ""))):
        raise FormatError(
            f"{file}: [table] needs a name of letters, digits, '.', '_' and '-', not {plan.table.get('name')!r}."
        )
    if given := [key for key in ("unit", "year") if key in plan.table]:
        raise FormatError(
            f"{file}: [table] cannot say {first_few(given)}: the steps do, and nothing would be converted."
        )
    return Recipe(
        file,
        dict(plan.table),
        {currency: entry.rate for currency, entry in plan.exchange_rates.items()},
        plan.round.digits,
        plan.round.money_digits,
        tuple(_step(given, i + 1, file) for i, given in enumerate(plan.step)),
    )


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
        raise FormatError(f"{file}, step {number} ({name}), {first_fault(error)}.") from error
