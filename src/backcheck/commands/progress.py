"""Progress on a terminal's stderr; silent in a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def progress(stream: TextIO) -> Iterator[Callable[[int], None]]:
    """A function that is told how many requests there have been."""
    if not stream.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(file=stream).status("reading the account") as status:

        def told(requests: int) -> None:
            if requests % 25 == 0:
                status.update(f"reading the account: {requests} requests")

        yield told
