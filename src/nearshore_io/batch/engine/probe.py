"""A few scenarios tried before any is run: what is wrong with all of them is wrong with the sweep."""

from collections.abc import Mapping
from typing import Any

from nearshore_io.batch.engine.work import Work
from nearshore_io.errors import FormatError, LabelError, NearshoreError
from nearshore_io.labels import groups
from nearshore_io.stores.encode import shown


def require_runnable(work: Work) -> None:
    """Raise unless every name on an axis or in a case is in the table, and some of the scenarios tried can be run.

    Raises
    ------
    LabelError
        A region or sector the table does not have, with the axis that names it.
    FormatError
        If none of the scenarios tried over the whole sweep can be run; the message is that of the first.
    """
    _require_names(work)
    failed: NearshoreError | None = None
    for values in work.sweep.probes():
        error = _tried(work, values)
        if error is None:
            return
        failed = failed or error
    raise FormatError(
        f"none of the scenarios of sweep {work.sweep.name!r} that were tried on {work.model.table.name} can be run; "
        f"the first one because: {failed}"
    )


def _require_names(work: Work) -> None:
    """Raise `LabelError` for a value of an axis or a case that names what the table does not have."""
    usual = work.sweep.usual()
    values: list[tuple[str, Any, Mapping[str, Any]]] = []
    for name, options in work.sweep.axes.items():
        values += [(name, option, {name: option}) for option in options]
    values += [("case", ", ".join(map(shown, case.values())), case) for case in work.sweep.cases]
    table = work.model.table
    known = {*table.regions, *table.countries, *table.sectors, *groups("regions"), *groups("sectors")}
    for name, option, changed in values:
        if all(
            isinstance(value, (int, float)) or (name != "case" and value in known)
            for value in map(_text, changed.values())
        ):
            continue  # a code the table has somewhere, or no code at all
        error = _tried(work, {**usual, **changed})
        if isinstance(error, LabelError):
            where = f"{'case' if name == 'case' else f'axis {name!r}'}, {shown(option)}"
            raise LabelError(f"sweep {work.sweep.name!r}, {where}: {error}") from error


def _text(value: Any) -> Any:
    """Return what can be looked up among codes: texts and numbers as they are, everything else as a text."""
    return value if isinstance(value, (str, int, float)) else shown(value)


def _tried(work: Work, values: Mapping[str, Any]) -> NearshoreError | None:
    """Return why the scenario of these parameters cannot be run, None if it can."""
    try:
        work.sweep.scenario(values).changes(work.model.table)
    except NearshoreError as error:
        return error
    return None
