"""The errors that reach a user: what failed, where, what to try. What crosses a border is one of these."""

from __future__ import annotations

from dataclasses import dataclass


class Error(Exception):
    """Something went wrong and a user can be told what. Exit code 2: nothing could be determined."""

    exit_code = 2

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        """`where` is file:line:column:key, or an ARN and a call; `hint` says what to try."""
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def diagnostics(self) -> str:
        """The text for a terminal: one line that says what and where, and one that says what to try."""
        first = f"{self.where}: {self.message}" if self.where else self.message
        return f"{first}\n  try: {self.hint}" if self.hint else first


class UsageError(Error):
    """The command was called wrongly. Exit code 4."""

    exit_code = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a file."""

    message: str
    """What is wrong and what was expected."""
    path: str = ""
    """The key's JSON Pointer, such as `/plans/main/tiers/daily/retention_days`."""
    line: int = 0
    """1-based; 0 where the whole file is meant."""
    column: int = 0
    hint: str = ""

    def at(self, file: str) -> str:
        """`file:line:column: /pointer: message`, with a line of advice."""
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        head = f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"
        return f"{head}\n  try: {self.hint}" if self.hint else head


class PolicyError(UsageError):
    """A policy that does not load: every problem found, in file order."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        """`problems` is never empty."""
        super().__init__(f"{len(problems)} problem(s) in {file}", where=file)
        self.file = file
        self.problems = problems

    def diagnostics(self) -> str:
        """One line a problem."""
        return "\n".join(problem.at(self.file) for problem in self.problems)
