"""Memory: what the system has left, and a refusal before a method starts that would not fit."""

import psutil

from nearshore_io.errors import SolverError

MARGIN = 0.9
"""Share of the available memory a method may take."""


def available() -> int:
    """Return the bytes that can be had without swapping."""
    return int(psutil.virtual_memory().available)


def fits(needed: float) -> bool:
    """Tell whether so many bytes can be had."""
    return needed <= MARGIN * available()


def require(needed: float, what: str) -> None:
    """Raise `SolverError` when a method would take more memory than there is."""
    if not fits(needed):
        raise SolverError(
            f"{what} needs {needed / 1e9:.1f} GB and {available() / 1e9:.1f} GB are available: "
            "use Krylov(), which needs a few vectors beside A, or a smaller table."
        )
