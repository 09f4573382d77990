"""The bytes of a policy file, and why they cannot be read."""

from __future__ import annotations

import codecs
import difflib
import hashlib
from pathlib import Path

from backcheck.errors import PolicyError, Problem

MAX_BYTES = 1_000_000
"""A policy of 200 tables and 20 tiers has about 30,000 bytes."""


def shown(path: Path) -> str:
    """What a file is called in findings: below the working directory by its path from there, else as it was given.

    Equal runs in two checkouts then have equal bytes, and code scanning finds the file in the repository.
    """
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def read_text(path: Path) -> tuple[str, str]:
    """The file's text, and the SHA-256 of its bytes. Raises PolicyError."""
    data = _bytes_of(path)
    if len(data) > MAX_BYTES:
        raise _refused(
            path,
            f"the file has more than {MAX_BYTES:,} bytes; a policy is a few kilobytes",
            hint="cover many tables with `pattern` or `tags`, and split what is not one policy",
        )
    return decode(data, str(path)), hashlib.sha256(data).hexdigest()


def decode(data: bytes, file: str) -> str:
    """UTF-8, with or without a byte order mark, to text. Raises PolicyError at the first wrong byte."""
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
        utf16 = data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        message = "the file is UTF-16" if utf16 else f"byte 0x{body[error.start]:02x} is not UTF-8"
        problem = Problem(message=message, line=line, column=column, hint="save the file as UTF-8")
        raise PolicyError(file, (problem,)) from error


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise _refused(path, "there is no such file", hint=_neighbours(path)) from error
    except IsADirectoryError as error:
        raise _refused(path, "this is a directory, a policy is one file", hint=_policies_in(path)) from error
    except PermissionError as error:
        raise _refused(path, "the file may not be read", hint=f"chmod u+r {path}") from error
    except (OSError, ValueError) as error:  # a null byte in the name is a ValueError
        raise _refused(path, f"the file cannot be read: {error}") from error


def _refused(path: Path, message: str, *, hint: str = "") -> PolicyError:
    return PolicyError(str(path), (Problem(message=message, hint=hint),))


def _policies_in(directory: Path) -> str:
    names = _yaml_files(directory)
    return f"one of {', '.join(names[:5])}" if names else ""


def _neighbours(path: Path) -> str:
    names = _yaml_files(path.parent)
    close = difflib.get_close_matches(str(path), names, n=1, cutoff=0.8)
    if close:
        return f"did you mean {close[0]}?"
    return f"one of {', '.join(names[:5])}" if names else "there is no .yaml file next to it either"


def _yaml_files(directory: Path) -> list[str]:
    try:
        return sorted(str(p) for p in directory.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file())
    except OSError:
        return []
