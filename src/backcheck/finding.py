"""What the suite says: a verdict on one resource, the finding that carries it, and the run they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """A verdict. UNKNOWN and WAIVED are never counted as PASS."""

    PASS = "pass"  # noqa: S105  not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """How bad a FAIL is; the order of reports."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a file that a user can open."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a control claims about one resource, with what it takes to repeat the check by hand."""

    status: Status
    message: str
    """One sentence that a person acts on."""
    expected: str = ""
    observed: str = ""
    at: str = ""
    """API operation and field, template path, or policy pointer where `observed` was read."""
    resource: str = ""
    """ARN, or `policy:<name>#<pointer>`; where empty, evaluate puts the subject's own."""
    tier: str | None = None
    notes: tuple[str, ...] = ()
    """Warnings: shown, without effect on the exit code."""
    location: Location | None = None
    instances: tuple[str, ...] = ()
    """What a FAIL is made of, by names that stay from run to run: nights without a backup, ids of jobs and points.

    Never an age, which grows by itself. A baseline knows a FAIL whose instances it has all; empty: it is one thing.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedWaiver:
    """The approved exception that covers a finding."""

    owner: str
    ticket: str
    reason: str
    expires: str
    days_left: int
    original: Status
    """What the verdict was before the waiver: FAIL or UNKNOWN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One control's verdict on one resource."""

    control: str
    status: Status
    severity: Severity
    resource: str
    tier: str | None
    expected: str
    observed: str
    at: str
    message: str
    notes: tuple[str, ...]
    remediation: str
    maps_to: tuple[str, ...]
    location: Location | None = None
    waiver: AppliedWaiver | None = None
    instances: tuple[str, ...] = ()
    """Verdict.instances, sorted."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a finding the same one in another run: control, resource, tier."""
        return (self.control, self.resource, self.tier or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts by status."""

    passed: int = 0
    failed: int = 0
    unknown: int = 0
    waived: int = 0
    not_applicable: int = 0

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Summary:
        """Count findings by status."""
        counts = dict.fromkeys(Status, 0)
        for finding in findings:
            counts[finding.status] += 1
        return cls(
            passed=counts[Status.PASS],
            failed=counts[Status.FAIL],
            unknown=counts[Status.UNKNOWN],
            waived=counts[Status.WAIVED],
            not_applicable=counts[Status.NOT_APPLICABLE],
        )

    @property
    def exit_code(self) -> int:
        """0 compliant, 1 at least one FAIL, 2 could not determine: an UNKNOWN, or no PASS at all. 1 wins over 2."""
        if self.failed:
            return 1
        return 2 if self.unknown or not self.passed else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAccount:
    """An account that a run looked at."""

    kind: str
    """live, endpoint, sandbox, snapshot or template: read off the endpoint that was really called."""
    id: str
    regions: tuple[str, ...]
    simulated: bool
    """True for a sandbox or an emulator: the run shows that the suite works and is no evidence of a backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRecord:
    """A call whose answer is missing, as evidence shows it."""

    service: str
    operation: str
    region: str
    account: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that evidence is rendered from. Equal policy, snapshot and clock give equal runs."""

    id: str
    """Digest of policy, snapshot and clock."""
    clock: datetime
    policy_name: str
    policy_version: str
    policy_sha256: str
    accounts: tuple[AuditedAccount, ...]
    gaps: tuple[GapRecord, ...]
    findings: tuple[Finding, ...]
    snapshot_sha256: str = ""
    """Of the snapshot file that was judged; empty where there is none."""

    @property
    def summary(self) -> Summary:
        """Counts by status."""
        return Summary.of(self.findings)

    @property
    def simulated(self) -> bool:
        """True if any account was: the report then says so on every page."""
        return any(account.simulated for account in self.accounts)
