"""Once a day: is there a usable backup for every tier that was due, here and in the DR region? Raises if not.

The audit's own collector and controls, with the policy that was packaged. What is raised is counted by Lambda's Errors
metric, on which the alarm is; and a run that could not tell is no better than one that found a backup missing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from backcheck.controls import CONTROLS
from backcheck.controls.control import AnyControl, World
from backcheck.errors import Error
from backcheck.evaluate import evaluate
from backcheck.finding import Finding, Status, Summary
from backcheck.inventory.model import Inventory
from backcheck.policy.load import load
from backcheck.policy.model import Policy, Roles
from backcheck.waivers import waive
from functions.event import Event

WANTED = ("PIT-01", "PIT-03", "DR-03", "DR-04", "RP-01", "RP-05", "JOB-01")
"""Is it there, is it fresh by tier, did it reach the DR region. The rest of the catalogue is the nightly audit's."""

MAX_LISTED = 20


class NotValidated(Error):  # noqa: N818  it is what Lambda calls the failure
    """Backups are missing, or it could not be told."""


def wanted(controls: Iterable[AnyControl]) -> tuple[AnyControl, ...]:
    """The controls of a daily validation. Raises Error if the package lacks one: fewer checks must not pass for all."""
    found = {control.id: control for control in controls if control.id in WANTED}
    if missing := [name for name in WANTED if name not in found]:
        raise Error(f"this package lacks the controls {', '.join(missing)}", hint="package the functions again")
    return tuple(found[name] for name in WANTED)


def needed(policy: Policy) -> Policy:
    """The policy as far as the collector must read for it: no alerts, drills or roles."""
    return replace(policy, validation=None, drill=None, roles=Roles())


def judge(policy: Policy, inventory: Inventory, now: datetime, controls: Iterable[AnyControl]) -> tuple[Finding, ...]:
    """The findings, with the waivers that are about these controls applied."""
    chosen = tuple(controls)
    ids = {control.id for control in chosen}
    findings = evaluate(World(policy=policy, now=now, inventory=inventory), chosen)
    about = replace(policy, waivers=tuple(waiver for waiver in policy.waivers if waiver.control in ids))
    return waive(findings, about, now.date())


def conclude(findings: Iterable[Finding]) -> dict[str, int]:
    """Counts by status. Raises NotValidated for any FAIL or UNKNOWN, and where nothing passed at all."""
    found = tuple(findings)
    summary = Summary.of(found)
    bad = [one for one in found if one.status in (Status.FAIL, Status.UNKNOWN)]
    if bad or summary.exit_code:
        lines = [_line(one) for one in bad[:MAX_LISTED]] or ["no control could be passed: nothing in scope"]
        more = [f"and {len(bad) - MAX_LISTED} more"] if len(bad) > MAX_LISTED else []
        raise NotValidated("\n".join((f"{summary.failed} failed, {summary.unknown} unknown", *lines, *more)))
    return {"pass": summary.passed, "waived": summary.waived, "not_applicable": summary.not_applicable}


def _line(finding: Finding) -> str:
    tier = f" {finding.tier}" if finding.tier else ""
    return f"{finding.status.upper()} {finding.control}{tier} {finding.resource}: {finding.message}"


def policy_path(environment: Mapping[str, str]) -> Path:
    """Where the packaged policy lies. Raises Error for a variable that is missing."""
    try:
        return Path(environment.get("LAMBDA_TASK_ROOT", "."), environment["POLICY_FILE"])
    except KeyError as error:
        raise Error(f"the function's environment has no {error.args[0]}") from error


def handler(_event: Event, _context: object) -> dict[str, int]:
    """Lambda's entry."""
    from backcheck.inventory.collect import collect
    from backcheck.inventory.collect.connect import Kind, targets

    policy = load(policy_path(os.environ))
    kind = Kind.ENDPOINT if os.environ.get("AWS_ENDPOINT_URL") else Kind.LIVE
    accounts = targets(policy.accounts, kind=kind, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
    inventory = collect(accounts, needed(policy), lambda: datetime.now(UTC))
    counts = conclude(judge(policy, inventory, inventory.taken_at, wanted(CONTROLS)))
    logging.getLogger().info("backups validated: %s", counts)
    return counts
