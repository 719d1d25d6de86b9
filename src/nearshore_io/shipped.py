"""Where the files shipped with the package lie: tables, concordances, the scenario gallery.

In a wheel they stand inside the package; in a source checkout they stand beside ``src``.
"""

from functools import cache
from pathlib import Path

from nearshore_io.errors import StorageError

_PACKAGE = Path(__file__).resolve().parent


@cache
def shipped(*parts: str) -> Path:
    """Return the path of a shipped file or folder, such as ``shipped("tables", "groups.toml")``.

    Raises
    ------
    StorageError
        If the installation is incomplete.
    """
    candidates = [root.joinpath(*parts) for root in (_PACKAGE, _PACKAGE.parents[1])]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise StorageError(
        f"{'/'.join(parts)} is not part of this installation: looked for {candidates[0]}. Reinstall nearshore_io."
    )
