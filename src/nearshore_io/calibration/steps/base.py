"""What every step of a recipe is."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from nearshore_io.balance.fit import Progress
from nearshore_io.calibration.sections import Section
from nearshore_io.errors import FormatError
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Context:
    """Where a recipe runs: the folder of raw data, the recipe's own folder, exchange rates, and who watches."""

    raw: Path
    folder: Path
    exchange_rates: Mapping[str, float] = field(default_factory=dict)
    progress: Progress | None = None


@dataclass(frozen=True)
class StepResult:
    """The table after a step, and what the report says of it."""

    table: IOTable
    sections: tuple[Section, ...] = ()


def first_fault(error: ValidationError) -> str:
    """Return the first thing a validation found, with its place."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where or 'as a whole'}: {first['msg']}"


class Step(BaseModel):
    """One step of a recipe.

    Attributes
    ----------
    do : which step. rests_on : what it rests on, in words a national accountant reads in the report.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    do: str
    rests_on: str = ""

    @abstractmethod
    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return what the step makes of a table."""

    def raw_files(self, context: Context) -> list[Path]:
        """Return the files and folders the step reads: their checksums say whether its result still holds."""
        del context
        return []

    def modules(self) -> tuple[str, ...]:
        """Return the optional packages the step needs."""
        return ()

    def given(self, table: IOTable | None) -> IOTable:
        """Return the table so far. Raises `FormatError` if there is none."""
        if table is None:
            raise FormatError(f'step "{self.do}" needs a table: begin the recipe with a step that reads or builds one.')
        return table
