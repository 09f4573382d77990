"""The local engine: a killed run goes on where it was and ends with the same bytes; nothing is left out unnoticed."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.manifest.exports import line, orders, write_export

from backcheck.errors import Error
from backcheck.manifest.build import export_manifest, export_tasks
from backcheck.manifest.checkpoint import Checkpoint
from backcheck.manifest.document import FilterState, Manifest
from backcheck.manifest.engine import RunOptions, add_up, run
from backcheck.manifest.export import Export, open_export
from backcheck.manifest.reading import FileTask, read_items

KEY = ("customer", "order")


class Killed(BaseException):
    """What ends a run in the middle."""


class KillsAfter:
    """Ends the run once so many parts are finished."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.seen: list[tuple[int, int]] = []

    def advance(self, tasks: int, items: int) -> None:
        self.seen.append((tasks, items))
        if len(self.seen) > self.parts:
            raise Killed


@pytest.fixture
def export(tmp_path: Path) -> Export:
    lines = [line(item) for item in orders(60)]
    return open_export(str(write_export(tmp_path, [lines[n::6] for n in range(6)])))


def digested(export: Export, options: RunOptions, key: tuple[str, ...] | None = KEY) -> Manifest:
    return export_manifest(export, key, filter_state=FilterState.NONE, options=options)


def killed(export: Export, checkpoint: Path, parts: int = 3) -> None:
    with pytest.raises(Killed):
        digested(export, RunOptions(processes=1, checkpoint=checkpoint, progress=KillsAfter(parts)))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(export: Export, tmp_path: Path, processes: int) -> None:
    checkpoint = tmp_path / "m.partial"
    killed(export, checkpoint)
    assert checkpoint.exists()
    progress = KillsAfter(99)
    resumed = digested(export, RunOptions(processes=processes, checkpoint=checkpoint, progress=progress))
    assert progress.seen[0] == (3, 30)
    assert len(progress.seen) == 1 + 3
    assert resumed == digested(export, RunOptions(processes=1))
    assert not checkpoint.exists()


def test_a_file_that_changed_since_it_was_read_is_not_trusted(export: Export, tmp_path: Path) -> None:
    checkpoint = tmp_path / "m.partial"
    killed(export, checkpoint)
    first = Path(export.location.at(export.files[0].name))
    os.utime(first, ns=(1, 1))
    with pytest.raises(Error, match="changed since the run that is being resumed had read it") as caught:
        digested(export, RunOptions(processes=1, checkpoint=checkpoint))
    assert "m.partial" in caught.value.hint


def test_a_checkpoint_of_another_key_is_not_taken(export: Export, tmp_path: Path) -> None:
    checkpoint = tmp_path / "m.partial"
    killed(export, checkpoint)
    with pytest.raises(Error, match="a checkpoint of another run"):
        digested(export, RunOptions(processes=1, checkpoint=checkpoint), key=("order",))


@pytest.mark.parametrize("cut", [0, 10, 64, 65, 1000])
def test_a_checkpoint_that_was_cut_off_is_not_taken(export: Export, tmp_path: Path, cut: int) -> None:
    checkpoint = tmp_path / "m.partial"
    killed(export, checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:cut])
    with pytest.raises(Error, match="not a whole checkpoint"):
        digested(export, RunOptions(processes=1, checkpoint=checkpoint))


def test_a_checkpoint_holds_no_item_data(export: Export, tmp_path: Path) -> None:
    checkpoint = tmp_path / "m.partial"
    killed(export, checkpoint)
    assert b"customer" not in checkpoint.read_bytes()


def test_a_part_that_is_never_yielded_is_noticed(export: Export) -> None:
    tasks = export_tasks(export, KEY)
    checkpoint = Checkpoint(None, "x")
    checkpoint.finished["another part"] = ""
    with pytest.raises(Error, match="not every part was read"):
        add_up(read_items, tasks, checkpoint, RunOptions(processes=1))


def _die(task: FileTask) -> int:
    os._exit(9)


def test_a_worker_that_is_killed_is_an_error_and_no_result(export: Export) -> None:
    with pytest.raises(Error, match="a worker process died"):
        list(run(_die, export_tasks(export, KEY), processes=2))


def _opened(pipe: Path, process: subprocess.Popen[bytes], until: float) -> int:
    """The pipe's writing end, once somebody reads it."""
    while time.monotonic() < until and process.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        time.sleep(0.05)
    raise AssertionError("no worker reads the file")


def test_workers_end_when_the_run_is_killed(tmp_path: Path) -> None:
    """Two files that are named pipes: a worker waits for what is in them, and they lose their reader when it ends."""
    pipes = [tmp_path / "1.json", tmp_path / "2.json"]
    for pipe in pipes:
        os.mkfifo(pipe)
    code = (
        "from backcheck.manifest.engine import run; from backcheck.manifest.location import Folder; "
        "from backcheck.manifest.reading import FileTask, read_items; "
        f"tasks = [FileTask(location=Folder(path={str(tmp_path)!r}), name=name, key=None) "
        "for name in ('1.json', '2.json')]; list(run(read_items, tasks, processes=2))"
    )
    killed_run = subprocess.Popen([sys.executable, "-c", code])
    ends: list[int] = []
    try:
        ends += [_opened(pipe, killed_run, time.monotonic() + 60) for pipe in pipes]
        killed_run.send_signal(signal.SIGKILL)
        killed_run.wait()
        for end in ends:
            watch = select.poll()
            watch.register(end, select.POLLERR)
            assert watch.poll(10_000), "a worker still reads, 10 s after the run was killed"
    finally:
        killed_run.kill()
        killed_run.wait()
        for end in ends:
            os.close(end)
