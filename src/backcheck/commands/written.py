"""Files that a command writes beside a policy, never over it."""

from __future__ import annotations

from pathlib import Path

from backcheck.errors import UsageError


def refuse_the_policy(file: Path | None, policy: Path) -> None:
    """Raises UsageError where the file to write is the policy itself, by whatever name: its only copy may be that."""
    if file is not None and file.exists() and policy.exists() and file.samefile(policy):
        raise UsageError("is the policy itself, and would be lost", where=str(file), hint="name another file")


def write(file: Path, text: str) -> None:
    """Write it as UTF-8; raises UsageError where the path is not one to write to."""
    try:
        file.write_bytes(text.encode("utf-8"))
    except OSError as error:
        hint = "name a file in a folder that is there"
        raise UsageError(f"cannot be written: {error.strerror}", where=str(file), hint=hint) from error
