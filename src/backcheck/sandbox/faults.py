"""What goes wrong on request: denied and throttled operations, and jobs that do not end well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase

from backcheck.errors import UsageError
from backcheck.sandbox.refusal import Refusal

JOB_OUTCOMES = ("FAILED", "EXPIRED", "PARTIAL", "ABORTED", "ISSUES", "STUCK", "LOST")
"""How a backup job can go wrong. ISSUES: COMPLETED, with a message. STUCK: RUNNING for ever. LOST: never created."""

COPY_OUTCOMES = ("FAILED", "PARTIAL", "STUCK", "LOST")
RESTORE_OUTCOMES = ("FAILED", "ABORTED", "STUCK")


@dataclass(slots=True, kw_only=True)
class CallFault:
    """Calls that are answered with an error."""

    operation: str
    """`backup:ListCopyJobs`, `backup:*`; globs, case sensitive."""
    code: str
    message: str
    region: str = "*"
    account: str = "*"
    times: int | None = None
    """How often it happens; None for always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFault:
    """Jobs that do not end well."""

    outcome: str
    resource: str = "*"
    """Glob over the resource's ARN."""
    rule: str = "*"
    """Glob over the rule's name; an on-demand job has none, which only `*` matches."""
    on: date | None = None
    """The day (UTC) on which the job was created; None for every day."""
    since: datetime | None = None
    """From this moment on; None for always."""
    message: str = ""
    category: str = ""


@dataclass(slots=True)
class Faults:
    """The faults of one sandbox. Empty is the normal case."""

    calls: list[CallFault] = field(default_factory=list)
    backups: list[JobFault] = field(default_factory=list)
    copies: list[JobFault] = field(default_factory=list)
    restores: list[JobFault] = field(default_factory=list)
    copy_lag: timedelta = timedelta()
    """How much longer than usual a copy takes."""
    pitr_lag: timedelta = timedelta()
    """How much further than usual the latest restorable time is behind."""

    def deny(self, operation: str, *, region: str = "*", account: str = "*") -> None:
        """Answer `operation` with the service's access-denied error from now on."""
        self.calls.append(CallFault(operation=operation, code="", message="", region=region, account=account))

    def throttle(self, operation: str, *, times: int | None = None, region: str = "*") -> None:
        """Answer `operation` with ThrottlingException, `times` times or for ever."""
        message = "Rate exceeded"
        fault = CallFault(operation=operation, code="ThrottlingException", message=message, region=region, times=times)
        self.calls.append(fault)

    def fail_calls(self, operation: str, code: str, message: str, *, times: int | None = None) -> None:
        """Answer `operation` with any other error."""
        self.calls.append(CallFault(operation=operation, code=code, message=message, times=times))

    def backup_jobs(self, outcome: str, **which: object) -> None:
        """Have backup jobs end with `outcome`, one of JOB_OUTCOMES; `which` are JobFault's fields."""
        self.backups.append(_job_fault(outcome, JOB_OUTCOMES, which))

    def copy_jobs(self, outcome: str, **which: object) -> None:
        """Have copy jobs end with `outcome`, one of COPY_OUTCOMES; `which` are JobFault's fields."""
        self.copies.append(_job_fault(outcome, COPY_OUTCOMES, which))

    def restore_jobs(self, outcome: str, **which: object) -> None:
        """Have restore jobs end with `outcome`, one of RESTORE_OUTCOMES; `which` are JobFault's fields."""
        self.restores.append(_job_fault(outcome, RESTORE_OUTCOMES, which))

    def of_call(self, service: str, action: str, *, region: str, account: str, caller: str) -> Refusal | None:
        """The error that this call gets, if any; counts it."""
        name = f"{service}:{action}"
        for fault in self.calls:
            place = fnmatchcase(region, fault.region) and fnmatchcase(account, fault.account)
            if not place or not fnmatchcase(name, fault.operation) or fault.times == 0:
                continue
            if fault.times is not None:
                fault.times -= 1
            if fault.code:
                return Refusal(fault.code, fault.message)
            message = f"User: {caller} is not authorized to perform: {name} because no identity-based policy allows it"
            return Refusal(access_denied_code(service), message)
        return None


def access_denied_code(service: str) -> str:
    """The services that speak the query protocol say AccessDenied, the others AccessDeniedException."""
    query = {"iam", "sts", "sns", "cloudformation", "cloudwatch", "s3"}
    return "AccessDenied" if service in query else "AccessDeniedException"


def job_fault(faults: list[JobFault], *, resource: str, rule: str, created: datetime) -> JobFault | None:
    """The first fault that this job has."""
    return next(_matching(faults, resource, rule, created), None)


def _matching(faults: list[JobFault], resource: str, rule: str, created: datetime) -> Iterator[JobFault]:
    for fault in faults:
        when = (fault.on is None or fault.on == created.date()) and (fault.since is None or created >= fault.since)
        if when and fnmatchcase(resource, fault.resource) and fnmatchcase(rule, fault.rule):
            yield fault


def _job_fault(outcome: str, outcomes: tuple[str, ...], which: dict[str, object]) -> JobFault:
    if outcome not in outcomes:
        raise UsageError(f"a job cannot end with {outcome}", hint=f"use one of {', '.join(outcomes)}")
    return JobFault(outcome=outcome, **which)  # type: ignore[arg-type]  # a wrong name is a TypeError that says so
