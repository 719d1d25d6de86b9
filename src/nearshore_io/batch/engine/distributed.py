"""Parts of a sweep on a Dask cluster: tables and factors once for each worker, results streamed to one writer."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from nearshore_io.batch.engine.work import Finished, Work
from nearshore_io.errors import MissingExtraError, NearshoreError, StorageError, first_few

if TYPE_CHECKING:
    from distributed import Client

Todo = tuple[Work, int, int]
Cluster = Any
"""A running ``distributed.Client``, in the place of an address."""
LOCAL = "local"
WORKER_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1),
    **dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), 1 << 30),
}
"""One thread of BLAS for each worker; and memory that is kept: Dask has it given back at 64 kB, which made arrays of a
few hundred kB four times as slow."""
AHEAD = 3
"""Parts that are given out for each thread of a worker: enough to keep it busy, and few enough to hold in memory."""
PATIENCE = 10.0
"""Seconds until a scheduler that does not answer counts as out of reach."""
TRIES = 3
"""Times a part is given out again after workers were lost with it."""


def solved_on(
    scheduler: str | Cluster, workers: int | None, todo: Sequence[Todo], keep: Callable[[Finished], None]
) -> None:
    """Solve parts on the workers of a cluster, and hand each to ``keep`` in this process as it comes in.

    A lost worker costs the parts it was at: they are given to others.

    Raises
    ------
    StorageError
        If Dask is not installed, the scheduler cannot be reached, has no workers, or workers of another version.
    """
    with _client(scheduler, workers) as client:
        _require_workers(client)
        _stream(client, todo, keep)


@contextmanager
def environment_kept() -> Iterator[None]:
    """Give a process its environment back: Dask leaves what it sets for workers in that of their parent."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _client(scheduler: str | Cluster, workers: int | None) -> "Iterator[Client]":
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError("a scheduler", "Dask", "distributed") from error
    if isinstance(scheduler, distributed.Client):
        yield scheduler
        return
    if not isinstance(scheduler, str):
        raise StorageError(
            f'scheduler is "local", an address such as "tcp://10.0.0.1:8786", or a Client, not {scheduler!r}.'
        )
    if scheduler == LOCAL:
        import dask

        with environment_kept(), dask.config.set({"distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT}):
            cluster = distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=40
            )
        with environment_kept(), cluster, distributed.Client(cluster) as client:
            yield client
        return
    try:
        client = distributed.Client(scheduler, timeout=PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        raise StorageError(
            f"no scheduler answers at {scheduler} ({type(error).__name__}: {error}). Start one with `dask scheduler`, "
            'or say "local".'
        ) from error
    with client:
        yield client


def _version() -> str:
    return version("nearshore_io")


def _require_workers(client: "Client") -> None:
    """Raise unless there are workers, all of the package's version here."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        found = client.run(_version)
    except (TimeoutError, OSError) as error:
        raise StorageError(f"the scheduler has no workers ({error}): start some with `dask worker`.") from error
    except ImportError as error:
        raise StorageError(f"a worker cannot import nearshore_io ({error}): install the same version there.") from error
    here = version("nearshore_io")
    others = [f"{worker} has {theirs}" for worker, theirs in sorted(found.items()) if theirs != here]
    if others:
        raise StorageError(f"workers of another version than {here} here: {first_few(others)}. Install the same one.")


def solve_part(work: Work, part: int, number: int) -> Finished | NearshoreError:
    """Return a part as files, or the error that ends the run: what the task of a worker is."""
    try:
        return work.finished(part, number, *work.answer(*work.span(part)))
    except NearshoreError as error:
        return error


def _stream(client: "Client", todo: Sequence[Todo], keep: Callable[[Finished], None]) -> None:
    from distributed import CancelledError, as_completed

    waiting = list(reversed(todo))
    placed: dict[int, Any] = {}
    given: dict[Any, tuple[Todo, int]] = {}
    left = Counter(id(work) for work, _, _ in todo)
    running = as_completed()

    def give(item: Todo, tries: int) -> None:
        work, part, number = item
        if id(work) not in placed:
            placed[id(work)] = client.scatter(work, broadcast=True, hash=False)
        future = client.submit(solve_part, placed[id(work)], part, number, pure=False, retries=TRIES)
        given[future] = (item, tries)
        running.add(future)

    def threads() -> int:
        return max(1, int(sum(client.nthreads().values())))

    for _ in range(min(len(waiting), AHEAD * threads())):
        give(waiting.pop(), 0)
    while given:
        future = next(running)
        item, tries = given.pop(future)
        try:
            found = future.result()
        except CancelledError as error:
            placed.pop(id(item[0]), None)  # the only copy of the table was lost with its worker
            if tries >= TRIES:
                raise StorageError(f"workers were lost {TRIES} times with one part of the run: {error}.") from error
            give(item, tries + 1)
            continue
        except Exception as error:
            _refuse(error)
            raise
        if isinstance(found, NearshoreError):
            raise found
        keep(found)
        future.release()
        left[id(item[0])] -= 1
        if not left[id(item[0])]:
            placed.pop(id(item[0]), None)  # workers forget a table that is done
        while waiting and len(given) < AHEAD * threads():
            give(waiting.pop(), 0)


def _refuse(error: Exception) -> None:
    """Raise in words where Dask has given a part up."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        raise StorageError(
            f"a part of the run ended its worker again and again ({error}): most likely it has too little memory. Give "
            "workers more, or a smaller chunk."
        ) from error
