"""POL-03: the windows are ones that AWS takes."""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, verdict
from backcheck.controls.subjects import TierSubject, tiers
from backcheck.finding import Severity, Verdict

LEAST_MINUTES = 60
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html, for the start window."""


@control(
    id="POL-03",
    title="The windows are at least an hour",
    severity=Severity.HIGH,
    reads=POLICY_ONLY,
    each=tiers,
    why="AWS refuses a start window below 60 minutes; one that is too short to finish in cancels backups by night.",
    remedy="Set start_window_minutes and completion_window_minutes to 60 or more.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html",),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "60 and 120 minutes": examples.world,
        "completion shorter than start: a note": lambda: examples.world(
            policy=examples.policy(
                tiers=(examples.tier(start_window_minutes=240, completion_window_minutes=60),),
            )
        ),
    },
    fails={
        "start": lambda: examples.world(policy=examples.policy(tiers=(examples.tier(start_window_minutes=59),))),
        "completion": lambda: examples.world(
            policy=examples.policy(tiers=(examples.tier(completion_window_minutes=30),))
        ),
    },
    no_unknown="the policy alone is read",
)
def windows_are_an_hour(subject: TierSubject, world: World) -> Iterator[Verdict]:
    """Both windows are 60 minutes or more; nothing documents how they must relate, so that is a note."""
    tier = subject.rule
    notes: tuple[str, ...] = ()
    if tier.completion_window_minutes < tier.start_window_minutes:
        notes = ("the completion window is shorter than the start window: AWS does not document whether that is taken",)
    for name, minutes in (
        ("start_window_minutes", tier.start_window_minutes),
        ("completion_window_minutes", tier.completion_window_minutes),
    ):
        yield verdict(
            minutes >= LEAST_MINUTES,
            expected=f"{name} >= {LEAST_MINUTES}",
            observed=f"{minutes} min",
            at=f"{tier.pointer}/{name}",
            message=f"{tier.id}: {name} is {minutes} min",
            notes=notes if name.startswith("completion") else (),
        )
