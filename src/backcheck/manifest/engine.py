"""The local engine: one process a core, constant memory, sums merged as files are finished."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from backcheck.errors import Error
from backcheck.manifest.checkpoint import Checkpoint
from backcheck.manifest.digest import Digest
from backcheck.manifest.reading import FileTask, ItemSource, Partial

Source = TypeVar("Source", bound=ItemSource)

Task = TypeVar("Task")
Result = TypeVar("Result")


class Progress(Protocol):
    """Told how far a run is."""

    def advance(self, tasks: int, items: int) -> None:
        """So many more tasks are finished, with so many items."""
        ...


class NoProgress:
    """Shows nothing."""

    def advance(self, tasks: int, items: int) -> None:
        """Nothing."""


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run is done. Nothing here changes the digest."""

    processes: int = 0
    """0 takes one a core."""
    checkpoint: Path | None = None
    """Where a killed run leaves what it has; None keeps nothing."""
    progress: Progress = field(default_factory=NoProgress)
    elsewhere: Callable[[Sequence[FileTask]], tuple[Digest, Digest]] | None = None
    """Another engine for files, such as Spark's; the rest here is then not looked at."""


def add_up(
    work: Callable[[Source], Partial], sources: Sequence[Source], checkpoint: Checkpoint, options: RunOptions
) -> tuple[Digest, Digest]:
    """What was added and what was removed in all sources; those that the checkpoint has finished are not read again.

    Raises Error for a source that changed since the checkpoint was written.
    """
    fingerprints = _fingerprints(sources, checkpoint)
    rest = [source for source in sources if source.name not in checkpoint.finished]
    options.progress.advance(len(sources) - len(rest), checkpoint.added.items)
    for partial in run(work, rest, processes=options.processes or cores()):
        checkpoint.finish(partial, fingerprints.get(partial.name, ""))
        options.progress.advance(1, partial.added.items + partial.removed.items)
    if checkpoint.finished.keys() != {source.name for source in sources}:
        raise Error("not every part was read")  # cannot be, unless the engine is wrong; then nothing may be said
    checkpoint.discard()
    return checkpoint.added, checkpoint.removed


def _fingerprints(sources: Sequence[ItemSource], checkpoint: Checkpoint) -> dict[str, str]:
    """Each source's state before it is read; not asked for if nothing is kept."""
    if checkpoint.path is None:
        return {}
    fingerprints = {source.name: source.fingerprint() for source in sources}
    for name, fingerprint in checkpoint.finished.items():
        if fingerprints.get(name) != fingerprint:
            hint = f"remove {checkpoint.path} to start anew"
            raise Error("changed since the run that is being resumed had read it", where=name, hint=hint)
    return fingerprints


def run(work: Callable[[Task], Result], tasks: Sequence[Task], *, processes: int) -> Iterator[Result]:
    """`work` done on every task, results in the order in which they are ready.

    With one process nothing is started. Else `work` and the tasks must pickle. The first error ends the run: what was
    yielded until then stands. Raises Error where a process was killed.
    """
    if processes <= 1 or len(tasks) <= 1:
        with _without_cycle_search():
            yield from map(work, tasks)
        return
    # Spawned, not forked: a fork would carry the parent's threads' locks, boto3's among them.
    context = multiprocessing.get_context("spawn")
    workers = min(processes, len(tasks))
    with ProcessPoolExecutor(max_workers=workers, mp_context=context, initializer=_begin) as pool:
        try:
            yield from _results(pool, work, tasks, waiting=2 * processes)
        except BrokenProcessPool as error:
            raise Error("a worker process died; was memory short?", hint="run again, with fewer --processes") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """What a worker does first: no search for cycles, and a watch on the process that started it.

    One that was killed tells no worker to end, and a worker's read may go on for minutes.
    """
    gc.disable()
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    """Wait on the pipe that multiprocessing keeps open from the parent: it is at its end when the parent is gone."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _without_cycle_search() -> Iterator[None]:
    """Items hold no cycles; looking for some would cost 5 % of a file's time, and more of a page's, as a worker's."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _results(
    pool: ProcessPoolExecutor, work: Callable[[Task], Result], tasks: Sequence[Task], *, waiting: int
) -> Iterator[Result]:
    """Hands out a few tasks ahead, so that a million of them do not wait in memory."""
    rest = iter(tasks)
    pending: set[Future[Result]] = set()
    while True:
        while len(pending) < waiting and (task := next(rest, None)) is not None:
            pending.add(pool.submit(work, task))
        if not pending:
            return
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()
