"""checkov, in an environment of its own, since it pins a boto3 that is older than ours needs: once, and offline.

https://www.checkov.io/2.Basics/CLI%20Command%20Reference.html
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from backcheck.errors import Error, UsageError
from backcheck.gate.linting import Lint
from backcheck.gate.stacks import StackSpec

TOOL = "checkov"
FOUND_BY = "BACKCHECK_CHECKOV"
"""The environment variable that names the executable, where --checkov does not."""
SECONDS_AT_MOST = 300
_OURS = ("AWS_", "BC_", "PRISMA_", "CKV_", "GITHUB_", "PYTHON")
"""Settings that checkov must not see: credentials, keys of a platform, and our own interpreter's."""


def find(named: Path | None) -> Path | None:
    """The executable: the one named, else by BACKCHECK_CHECKOV, beside our own, or on the PATH; None without one.

    Raises UsageError where the one that is named cannot be run.
    """
    given = named or (Path(os.environ[FOUND_BY]) if os.environ.get(FOUND_BY) else None)
    if given is not None:
        if not (given.is_file() and os.access(given, os.X_OK)):
            raise UsageError(f"{given} is no program that can be run", hint="name checkov's executable")
        return given
    beside = shutil.which(TOOL, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(TOOL)
    return Path(found) if found else None


@dataclass(slots=True)
class Running:
    """checkov at work, while the rest of the gate goes on."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]
    errors: IO[bytes]
    files: tuple[str, ...]

    def lints(self) -> tuple[Lint, ...]:
        """Its failed checks, once it is done. Raises Error where it broke, or did not end in time."""
        try:
            code = self.process.wait(SECONDS_AT_MOST)
        except subprocess.TimeoutExpired as error:
            self.stop()
            raise Error(f"did not end in {SECONDS_AT_MOST} s", where=TOOL) from error
        self.output.seek(0)
        self.errors.seek(0)
        raw, told = self.output.read(), self.errors.read().decode(errors="replace").strip()
        try:
            reports = json.loads(raw)
        except ValueError as error:
            last = told.splitlines()[-1] if told else "nothing"
            raise Error(f"ended with {code} and no report; it said: {last}", where=TOOL) from error
        return tuple(_lints(reports if isinstance(reports, list) else [reports], self.files))

    def stop(self) -> None:
        """End it, if it runs, and close what it wrote to."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()
        self.errors.close()


@contextmanager
def at_work(named: Path | None, stacks: Iterable[StackSpec]) -> Iterator[Running | None]:
    """checkov on every template at once while the block lasts; None where there is none. Raises as `find`, `start`."""
    executable = find(named)
    running = start(executable, stacks) if executable else None
    try:
        yield running
    finally:
        if running is not None:
            running.stop()


def start(executable: Path, stacks: Iterable[StackSpec]) -> Running:
    """Start it on every template at once. Raises Error where it cannot be started."""
    files = tuple(dict.fromkeys(spec.file for spec in stacks))
    output, errors = TemporaryFile(), TemporaryFile()  # noqa: SIM115  they close with what reads them
    try:
        process = subprocess.Popen(  # noqa: S603  the user names the program; the arguments are a list, no shell reads it
            command(executable, files), stdout=output, stderr=errors, env=_environment()
        )
    except OSError as error:
        output.close()
        errors.close()
        raise Error(f"cannot be started: {error.strerror}", where=str(executable)) from error
    return Running(process, output, errors, files)


def command(executable: Path, files: Iterable[str]) -> list[str]:
    """The command line. Without --skip-download checkov asks a platform for its rules' texts."""
    named = [part for file in files for part in ("--file", file)]
    options = ["--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json"]
    return [str(executable), *options, *named]


def _environment() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false"}


def _lints(reports: list[Any], files: tuple[str, ...]) -> Iterator[Lint]:
    for report in reports:
        results = report.get("results", {}) if isinstance(report, dict) else {}
        for check in results.get("failed_checks", ()):
            yield _lint(check, files)
        for file in results.get("parsing_errors", ()):
            yield _lint({"check_id": "parsing-error", "check_name": "the template cannot be parsed",
                         "file_abs_path": file, "resource": ""}, files)  # fmt: skip


def _lint(check: Mapping[str, Any], files: tuple[str, ...]) -> Lint:
    path = str(check.get("file_abs_path") or check.get("file_path") or "")
    lines = check.get("file_line_range") or [1]
    return Lint(
        tool=TOOL,
        rule=str(check["check_id"]),
        title=str(check.get("check_name") or ""),
        file=next((file for file in files if Path(file).resolve() == Path(path).resolve()), path),
        line=int(lines[0]) or 1,
        logical_id=str(check.get("resource") or "").rpartition(".")[2],
        message=str(check.get("check_name") or ""),
        is_error=True,
    )
