"""Who hears an event: from AWS Backup, by EventBridge or a vault's notifications, through a topic, to people.

Backup and copy job events carry `detail.state`, restore job events `detail.status`; a pattern that asks for the wrong
one lets nothing through (https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html). Of the events that a
vault may notify of, some are never sent
(https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-notifications.html).

What must be heard is every end of a job that JOB-01 and DR-04 call bad, by the API's lists of states: a backup that
was stopped (ABORTED, "stopped by user") or is PARTIAL leaves its day without a backup just as one that FAILED.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from backcheck.controls import messages
from backcheck.controls.control import World
from backcheck.controls.delivery import BACKUP, EVENTBRIDGE, Deaf, Path, best, not_decided, reaches, worst
from backcheck.inventory.backup import Notifications, Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory
from backcheck.inventory.watch import EventRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that people must hear about."""

    name: str
    detail_type: str
    states: tuple[str, ...]
    by_status: bool
    notification: str
    """The vault notification that tells of it."""

    @property
    def field(self) -> str:
        """Where the event carries its state."""
        return "status" if self.by_status else "state"

    @property
    def kind(self) -> str:
        """The EventType of the vault's notification."""
        return self.detail_type.removesuffix(" State Change").replace(" ", "_").upper()


BACKUP_FAILED = Event(
    name="bad backups",
    detail_type="Backup Job State Change",
    states=("FAILED", "EXPIRED", "ABORTED", "PARTIAL"),
    by_status=False,
    notification="BACKUP_JOB_COMPLETED",
)
COPY_FAILED = Event(
    name="bad copies",
    detail_type="Copy Job State Change",
    states=("FAILED", "PARTIAL"),
    by_status=False,
    notification="COPY_JOB_FAILED",
)
RESTORE_FAILED = Event(
    name="bad restores",
    detail_type="Restore Job State Change",
    states=("FAILED", "ABORTED"),
    by_status=True,
    notification="RESTORE_JOB_COMPLETED",
)
BACKUP_HAD_ISSUES = Event(
    name="backups with issues",
    detail_type="Backup Job State Change",
    states=("COMPLETED",),
    by_status=False,
    notification="BACKUP_JOB_COMPLETED",
)
"""'Completed with issues' is COMPLETED with a status message (eventbridge page); of backup jobs only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The two paths that an event could take in a region."""

    by_rules: Path
    by_notifications: Path

    @property
    def best(self) -> Path:
        """The path that gets furthest: one that reaches people, else one of which it is not known."""
        return best(iter((self.by_rules, self.by_notifications)))


def hears(event: Event, region: RegionInventory, vaults: tuple[Vault, ...], topic: str, world: World) -> Heard:
    """How an event reaches people in a region: all its states by rules, or by what every vault there notifies of."""
    by_state = [best(_by_rules(event, state, region, topic, world)) for state in event.states]
    return Heard(by_rules=worst(by_state), by_notifications=_by_notifications(event, region, vaults, topic, world))


def _by_rules(event: Event, state: str, region: RegionInventory, topic: str, world: World) -> Iterator[Path]:
    if isinstance(region.rules, Gap):
        yield region.rules
        return
    about = [rule for rule in region.rules if _is_about(rule, event)]
    if not about:
        yield Deaf(f"no rule of {region.region} asks for {event.detail_type}")
    for rule in about:
        yield _by_rule(rule, event, state, region, topic, world)


def _is_about(rule: EventRule, event: Event) -> bool:
    source = not rule.sources or "aws.backup" in rule.sources
    return rule.schedule is None and source and (not rule.detail_types or event.detail_type in rule.detail_types)


def _by_rule(rule: EventRule, event: Event, state: str, region: RegionInventory, topic: str, world: World) -> Path:
    if not rule.enabled:
        return Deaf(f"rule {rule.name} is disabled")
    asked, other = (rule.statuses, rule.states) if event.by_status else (rule.states, rule.statuses)
    if other:
        field = "detail.state" if event.by_status else "detail.status"
        return Deaf(f"rule {rule.name} filters on {field}, which {event.detail_type} does not carry")
    if asked and state not in asked:
        return Deaf(f"rule {rule.name} leaves out {state}")
    if isinstance(rule.target_arns, Gap):
        return rule.target_arns
    whole = messages.event(event.detail_type, event.field, state, region.account, region.region)
    targets = [
        reaches(
            arn,
            rule.arn,
            EVENTBRIDGE,
            region,
            topic,
            world,
            [replace(whole, body=messages.ANYTHING) if arn in rule.altered_arns else whole],
        )
        for arn in rule.target_arns
    ]
    found = best(iter(targets)) if targets else Deaf(f"rule {rule.name} has no target")
    if found is None and rule.other_filters:
        return not_decided("events", "DescribeRule", region, rule.name, FILTERS)
    if found is None and rule.role_arns:
        return not_decided("events", "DescribeRule", region, rule.name, ROLE)
    return found


FILTERS = "its pattern filters on more than source, type and state"
ROLE = (
    "it names an execution role: one page says that EventBridge publishes and invokes with it, where it may, another "
    "that EventBridge ignores it (eb-use-resource-based, eb-troubleshooting)"
)


def _by_notifications(
    event: Event, region: RegionInventory, vaults: tuple[Vault, ...], topic: str, world: World
) -> Path:
    if not vaults:
        return Deaf("no vault notifies")
    return worst([_notifies(vault, event, region, topic, world) for vault in vaults])


def _notifies(vault: Vault, event: Event, region: RegionInventory, topic: str, world: World) -> Path:
    if isinstance(vault.notifications, Gap):
        return vault.notifications
    if vault.notifications is None or event.notification not in vault.notifications.events:
        listed = vault.notifications.events if isinstance(vault.notifications, Notifications) else ()
        return Deaf(f"vault {vault.name} does not notify of {event.notification}{_unsupported(listed)}")
    told = [messages.notification(event.kind, state, region.account) for state in event.states]
    return reaches(vault.notifications.topic_arn, vault.arn, BACKUP, region, topic, world, told)


def _unsupported(events: tuple[str, ...]) -> str:
    """The API takes more names than AWS Backup sends."""
    silent = [one for one in events if one in ("BACKUP_JOB_FAILED", "BACKUP_JOB_EXPIRED", "RESTORE_JOB_FAILED")]
    return f", and {', '.join(silent)} is taken by the API and never sent" if silent else ""
