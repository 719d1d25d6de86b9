"""What may be wrong with a table: the kinds there are, and how a file names them."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Protocol, cast, runtime_checkable

from nearshore_io.errors import FormatError, first_few
from nearshore_io.table import IOTable
from nearshore_io.uncertainty.dirichlet import DirichletErrors
from nearshore_io.uncertainty.lognormal import LognormalErrors
from nearshore_io.uncertainty.redrawn import Draw


@runtime_checkable
class TableErrors(Protocol):
    """A frozen dataclass that draws tables around one."""

    @property
    def kind(self) -> str:
        """The name of the kind in sweep files."""
        ...

    @property
    def described(self) -> dict[str, Any]:
        """What reproduces them, as JSON has it."""
        ...

    def around(self, table: IOTable) -> Draw:
        """Return what draws tables around one, by seed and number."""
        ...


KINDS: Mapping[str, type[Any]] = {kind.kind: kind for kind in (DirichletErrors, LognormalErrors)}


def errors_of(entry: Any, where: str) -> TableErrors:
    """Return errors of a table from a mapping, ``{"errors": "dirichlet", "home": 0.1, "across": 0.3}``.

    Raises
    ------
    FormatError
        An unknown kind, or what it does not take.
    """
    if not isinstance(entry, Mapping):
        if isinstance(entry, TableErrors):
            return entry
        raise FormatError(
            f"{where}: errors of a table are DirichletErrors(…) or LognormalErrors(…), not {entry!r:.60}."
        )
    kind = str(entry.get("errors"))
    if kind not in KINDS:
        raise FormatError(f"{where}: no errors of a table called {kind!r}; known: {', '.join(KINDS)}.")
    given = {key: value for key, value in entry.items() if key != "errors"}
    known = [part.name for part in fields(KINDS[kind])]
    if strange := [key for key in given if key not in known]:
        raise FormatError(f"{where}: {kind} errors have no {first_few(strange)}; they have {', '.join(known)}.")
    try:
        return cast(TableErrors, KINDS[kind](**given))
    except FormatError as error:
        raise FormatError(f"{where}: {error}") from error


def draw_tables(table: IOTable, errors: TableErrors, draws: int, seed: int = 0) -> Iterator[IOTable]:
    """Yield tables drawn around one, the same for the same seed; draw k does not depend on how many are asked for.

    Raises
    ------
    LabelError
        If nobody says how far the cells may be off: no grades, and no home and across.
    """
    for name, value in (("draws", draws), ("seed", seed)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise FormatError(f"draw_tables: {name} is a whole number of zero or more, not {value!r}.")
    draw = errors_of(errors, "draw_tables").around(table)
    for number in range(draws):
        yield draw(seed, number)
