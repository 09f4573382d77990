"""POL-11: waivers are narrow, approved and short."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, unknown, verdict
from backcheck.finding import Severity, Verdict
from backcheck.policy.model import Policy, Waiver

LONGEST_DAYS = 180
SOON_DAYS = 14

OWN_ID = re.compile(r"[A-Z]{2,8}-\d{2}")
"""What the id of a control of one's own looks like."""

_FROM_OTHERS = re.compile(r"(cfn-lint:[EWI]\d{4}|checkov:[A-Z0-9_]+)")
"""Findings of the gate's linters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverSubject:
    """One waiver."""

    policy: Policy
    waiver: Waiver
    tier: None = None

    @property
    def resource(self) -> str:
        """`policy:<name>#/waivers/<index>`."""
        return self.policy.resource(self.waiver.pointer)


def _waivers(world: World) -> Iterator[WaiverSubject]:
    for waiver in world.policy.waivers:
        yield WaiverSubject(policy=world.policy, waiver=waiver)


@control(
    id="POL-11",
    title="Waivers name one resource, a person and an end",
    severity=Severity.HIGH,
    reads=POLICY_ONLY,
    each=_waivers,
    why="An exception without an end, or for everything, is how a control is switched off without anyone deciding it.",
    remedy="Renew the waiver with its ticket, for one resource and at most 180 days, or remove it.",
    sources=("https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final",),
    maps_to=("NIST-800-53r5:CA-5",),
    passes={
        "one resource, for 90 days": lambda: _world(),
        "for a control of your own": lambda: replace(_world(control="ACME-01"), own=frozenset({"ACME-01"})),
        "exactly 180 days, and today is the last": lambda: _world(
            granted=examples.NOW.date() - timedelta(days=180), expires=examples.NOW.date()
        ),
    },
    fails={
        "expired yesterday": lambda: _world(expires=examples.NOW.date() - timedelta(days=1)),
        "181 days": lambda: _world(expires=date(2026, 11, 1) + timedelta(days=181)),
        "every resource": lambda: _world(resource="*"),
        "many resources": lambda: _world(resource="arn:aws:dynamodb:us-east-1:111122223333:table/*"),
        "no such control": lambda: _world(control="PIT-99"),
        "no such control, and none of your own either": lambda: replace(_world(control="ACME-01"), own=frozenset()),
        "granted tomorrow": lambda: _world(granted=examples.NOW.date() + timedelta(days=1)),
        "expires before it was granted": lambda: _world(granted=date(2026, 11, 10), expires=date(2026, 11, 9)),
    },
    unknown={"perhaps a control of your own, which was not loaded": lambda: _world(control="ACME-01")},
)
def waiver_is_narrow_and_short(subject: WaiverSubject, world: World) -> Verdict:
    """It is for a control that exists and for one resource, has been granted, and ends within 180 days of that."""
    waiver, today = subject.waiver, world.now.date()
    wrong = list(_wrong(waiver, today, world.own))
    if not wrong and not _is_known(waiver.control, world.own or frozenset()):
        message = f"{waiver.control} is in no catalogue; whether it is a control of your own is not known here"
        return unknown(f"{message}: name its file with --controls", at=waiver.pointer)
    left = (waiver.expires - today).days
    about = f"{waiver.control} on {waiver.resource}"
    return verdict(
        not wrong,
        expected=f"one resource, a control that exists, granted, and ending within {LONGEST_DAYS} days",
        observed="; ".join(wrong) or f"granted {waiver.granted}, expires {waiver.expires}",
        at=waiver.pointer,
        message=f"the waiver of {about} " + (", and ".join(wrong) or f"holds for {left} more days"),
        notes=(f"it expires in {left} days: {waiver.ticket}",) if not wrong and left <= SOON_DAYS else (),
    )


def _wrong(waiver: Waiver, today: date, own: frozenset[str] | None) -> Iterator[str]:
    if "*" in waiver.resource or "?" in waiver.resource:
        yield "means more than one resource"
    if not _is_known(waiver.control, own or frozenset()) and (own is not None or not _may_be_own(waiver.control)):
        yield "names a control that does not exist"
    if waiver.expires < today:
        yield f"expired on {waiver.expires}"
    if waiver.granted > today:
        yield f"is granted on {waiver.granted} only"
    days = (waiver.expires - waiver.granted).days
    if days > LONGEST_DAYS:
        yield f"holds for {days} days, {LONGEST_DAYS} are allowed"
    if days < 0:
        yield "expires before it is granted"


def _is_known(control: str, own: frozenset[str]) -> bool:
    return control in _ids() or control in own or _FROM_OTHERS.fullmatch(control) is not None


def _may_be_own(control: str) -> bool:
    """Of the form that ids have, and of no family of the catalogue: PIT-99 is a slip of the pen."""
    families = {one.partition("-")[0] for one in _ids()}
    return OWN_ID.fullmatch(control) is not None and control.partition("-")[0] not in families


def _ids() -> frozenset[str]:
    # Imported here since CONTROLS holds this very control.
    from backcheck.controls import CONTROLS

    return frozenset(control.id for control in CONTROLS)


def _world(
    *,
    control: str = "PIT-01",
    resource: str = examples.TABLE_ARN,
    granted: date = date(2026, 11, 1),
    expires: date = date(2027, 1, 30),
) -> World:
    waiver = Waiver(
        index=0,
        control=control,
        resource=resource,
        owner="security@example.com",
        ticket="SEC-1234",
        reason="The table moves to another account in January",
        granted=granted,
        expires=expires,
    )
    return examples.world(policy=examples.policy(waivers=(waiver,)))
