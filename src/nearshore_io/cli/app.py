"""All commands together, and what an error looks like from a shell."""

import sys
from collections.abc import Sequence

from nearshore_io.cli import batch, calibrate, pages, results, show, tables
from nearshore_io.cli.options import app
from nearshore_io.errors import NearshoreError, SolverError

COMMANDS = (results, pages, batch, tables, calibrate)
"""The modules whose import adds commands, in the order in which the help lists them."""
app.registered_commands.sort(
    key=lambda command: [part.__name__ for part in COMMANDS].index(command.callback.__module__)
)
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (MemoryError, 5),
    (SolverError, 3),
    (OSError, 4),
    (NearshoreError, 1),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every error is one paragraph on standard error and an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        app(args=[argument for argument in given if argument != "--debug"], prog_name="nearshore", obj=given)
    except Exception as error:
        if debug:
            raise
        known = isinstance(error, (NearshoreError, OSError))
        if isinstance(error, MemoryError):
            text = (
                f"Error: not enough memory ({error}). A table of n industries takes about 32 n² bytes to read and "
                "solve, 0.6 GB at 4,250: close other programs, or raise the limit (ulimit -v)."
            )
        else:
            text = (
                f"Error: {error}" if known else f"Unexpected error: {type(error).__name__}: {error}. Run with --debug."
            )
        show.console(stderr=True).print(text, soft_wrap=True)
        sys.exit(next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 70))
