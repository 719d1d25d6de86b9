"""The errors of the package: one base class, each child with a builtin second parent.

A message says what is wrong, where, and what to do; long lists are cut after the first few offenders.
"""

import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

_PACKAGE = str(Path(__file__).parent)


class NearshoreError(Exception):
    """Base class of every error this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows: the message, which says what to do, and not the way through the package."""
        frames = [f for f in traceback.extract_tb(self.__traceback__) if not f.filename.startswith(_PACKAGE)]
        at = [f"----> {frames[-1].line}", ""] if frames and frames[-1].line else []
        return [*at, f"{type(self).__name__}: {self}", "", "(%debug goes to where it was raised.)"]


class LabelError(NearshoreError, LookupError):
    """A region, sector, category, input or stressor that the table does not have, or has twice."""


class UnitError(NearshoreError, ValueError):
    """An amount without a unit, with a unit of the wrong kind, or in a price year nobody can convert."""


class BalanceError(NearshoreError, ValueError):
    """A table that breaks a law of accounting (inputs without output, cells that are not numbers)."""


class ConflictError(BalanceError):
    """Targets that cannot all be met; ``constraints`` names those that stand against each other."""

    def __init__(self, message: str, constraints: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.constraints = tuple(constraints)


class ShockError(NearshoreError, ValueError):
    """A shock that says something impossible, or that the table cannot carry."""


class ClosureError(NearshoreError, ValueError):
    """A model closure the table has no data for, or that an operation is not defined under."""


class ConcordanceError(NearshoreError, ValueError):
    """A concordance that loses or invents flows."""


class FormatError(NearshoreError, ValueError):
    """A file whose content is not what its format promises."""


class StorageError(NearshoreError, OSError):
    """A file that cannot be read or written."""


class MissingExtraError(NearshoreError, ImportError):
    """An optional package that is not installed; ``extra`` is the extra of this package that brings it."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f'{what} needs {package}: python -m pip install "nearshore_io[{extra}]".')
        self.said = (what, package, extra)

    @property
    def extra(self) -> str:
        """The extra that brings the package."""
        return self.said[2]

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), self.said


class SolverError(NearshoreError, ArithmeticError):
    """A linear system that has no trustworthy solution.

    ``industries`` holds the positions of the industries at fault, so that a caller who knows the labels can name them.
    """

    def __init__(self, message: str, industries: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.industries = tuple(int(i) for i in industries)


def first_few(items: Iterable[object], limit: int = 5) -> str:
    """Return the first ``limit`` items as text, with a count of the rest."""
    listed = [str(item) for item in items]
    shown = ", ".join(listed[:limit])
    return shown if len(listed) <= limit else f"{shown}, … ({len(listed) - limit} more)"
