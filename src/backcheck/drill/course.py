"""What has happened so far in one restore; `Facts` once it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backcheck.drill.plan import Restore
from backcheck.drill.reach import says_nothing
from backcheck.drill.settings import SettingsComparison
from backcheck.drill.verdict import Boundary, Compared, Facts, Phase
from backcheck.errors import Error


@dataclass(slots=True, kw_only=True)
class Course:
    """One restore under way."""

    restore: Restore
    began: datetime
    at: datetime | None = None
    requested: datetime | None = None
    active: datetime | None = None
    verified: datetime | None = None
    restored_from: str | None = None
    restored_to: datetime | None = None
    compared: Compared | None = None
    settings: SettingsComparison | None = None
    has_canary: bool = False
    boundary: Boundary | None = None
    undetermined: bool = False
    cleaned_up: bool = False
    phases: list[Phase] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def failed(self, error: Exception) -> None:
        """It ended early; whether that says anything of the backup is kept, too."""
        self.undetermined |= says_nothing(error)
        self.errors.append(told(error))

    def facts(self, ended: datetime) -> Facts:
        """As they stand."""
        return Facts(
            restore=self.restore,
            began=self.began,
            ended=ended,
            at=self.at,
            requested=self.requested,
            active=self.active,
            verified=self.verified,
            restored_from=self.restored_from,
            restored_to=self.restored_to,
            compared=self.compared,
            settings=self.settings,
            boundary=self.boundary,
            undetermined=self.undetermined,
            cleaned_up=self.cleaned_up,
            phases=tuple(self.phases),
            errors=tuple(self.errors),
        )


def told(error: Exception) -> str:
    """What a failure says, for people."""
    return error.diagnostics() if isinstance(error, Error) else str(error)
