"""A bar for long work, on a terminal or in a notebook."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, ProgressColumn

Advance = Callable[[int, int | None], None]


@contextmanager
def progress(what: str, *columns: ProgressColumn) -> Iterator[Advance]:
    """Yield a callback that draws a bar once the work has taken a second: ``run(..., progress=callback)``.

    The bar is drawn on standard error where that is a terminal, and under the cell of a notebook; elsewhere nothing is.

    Examples
    --------
    >>> with nio.progress("scenarios") as advance:  # doctest: +SKIP
    ...     impact = nio.run(model, scenarios, progress=advance)
    """
    started = time.monotonic()
    console = Console(stderr=True, markup=False)
    seen = console.is_jupyter or sys.stderr.isatty()
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(what, total=None)

    def advance(done: int, total: int | None) -> None:
        if seen and not bar.live.is_started and time.monotonic() - started > 1.0:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
