"""What a run has finished, on disk, so that a killed run goes on where it was.

It holds sums and file names, no item data: a scan's place inside a segment would be a key, so what is resumed is whole
files and whole segments.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import orjson
from blake3 import blake3

from backcheck import __version__
from backcheck.errors import Error
from backcheck.manifest.digest import BUCKETS, EMPTY, LANE_BYTES, SUM_BYTES, Digest, merge
from backcheck.manifest.reading import Partial

_VERSION = "backcheck/manifest-checkpoint/v1"


class Checkpoint:
    """The sums of the tasks finished so far. Bound to `identity`: another source, key or version starts anew.

    One sum for all tasks, not one a task: the file stays at 460 kB however many there are.
    """

    def __init__(self, path: Path | None, identity: str, plan: dict[str, str] | None = None) -> None:
        """`path` of None keeps nothing. Raises Error where the file is not a whole checkpoint, or another run's."""
        self.path = path
        self._identity = hashlib.sha256(f"{__version__}\n{identity}".encode()).hexdigest()
        self.plan = plan or {}
        """How the run was split when it began: the file's, where there is one."""
        self.finished: dict[str, str] = {}
        """Task name to the fingerprint that its source had."""
        self.added = EMPTY
        self.removed = EMPTY
        if path is not None and path.exists():
            self._load(path)

    def finish(self, partial: Partial, fingerprint: str) -> None:
        """Take a finished task in, and write the file."""
        self.finished[partial.name] = fingerprint
        self.added = merge(self.added, partial.added)
        self.removed = merge(self.removed, partial.removed)
        if self.path is not None:
            self._write(self.path)

    def discard(self) -> None:
        """Remove the file: the run is complete."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _write(self, path: Path) -> None:
        document = {
            "schema": _VERSION,
            "identity": self._identity,
            "plan": self.plan,
            "finished": self.finished,
            "added": _to_json(self.added),
            "removed": _to_json(self.removed),
        }
        text = orjson.dumps(document)
        temporary = path.with_name(path.name + ".new")
        try:
            with temporary.open("wb") as file:
                file.write(blake3(text).hexdigest().encode() + b"\n" + text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            raise Error(f"cannot be written: {error.strerror}", where=str(temporary)) from error

    def _load(self, path: Path) -> None:
        hint = f"remove {path} to start anew"
        try:
            stated, _, text = path.read_bytes().partition(b"\n")
        except OSError as error:
            raise Error(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
        if blake3(text).hexdigest().encode() != stated:
            raise Error("not a whole checkpoint", where=str(path), hint=hint)
        document = orjson.loads(text)
        if (document["schema"], document["identity"]) != (_VERSION, self._identity):
            raise Error("a checkpoint of another run: its source, key or version differs", where=str(path), hint=hint)
        self.plan = document["plan"]
        self.finished = document["finished"]
        self.added = _from_json(document["added"])
        self.removed = _from_json(document["removed"])


def _to_json(digest: Digest) -> dict[str, Any]:
    return {
        "items": digest.items,
        "size_bytes": digest.size_bytes,
        **{name: b64encode(getattr(digest, name)).decode() for name in ("lanes", "counts", "sums")},
    }


def _from_json(fields: dict[str, Any]) -> Digest:
    lanes, counts, sums = (b64decode(fields[name]) for name in ("lanes", "counts", "sums"))
    if (len(lanes), len(counts), len(sums)) != (LANE_BYTES, 8 * BUCKETS, SUM_BYTES * BUCKETS):
        raise Error("a checkpoint of another version")
    return Digest(items=fields["items"], size_bytes=fields["size_bytes"], lanes=lanes, counts=counts, sums=sums)
