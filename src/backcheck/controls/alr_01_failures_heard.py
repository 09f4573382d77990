"""ALR-01: failures are heard."""

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, unread, verdict
from backcheck.controls.delivery import Deaf
from backcheck.controls.deployment import Place, look_up, places
from backcheck.controls.listeners import (
    BACKUP_FAILED,
    BACKUP_HAD_ISSUES,
    COPY_FAILED,
    RESTORE_FAILED,
    Event,
    Heard,
    hears,
)
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import Notifications, Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory
from backcheck.policy.model import AlertEvent, Alerts

ASKED = {
    AlertEvent.BACKUP_FAILED: BACKUP_FAILED,
    AlertEvent.COPY_FAILED: COPY_FAILED,
    AlertEvent.RESTORE_FAILED: RESTORE_FAILED,
}
HELD = frozenset({COPY_FAILED, RESTORE_FAILED})
"""What can go wrong where copies are held. Which of its two regions reports a copy between them is not documented: the
events that AWS's page shows are of copies within one region
(https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html),
its metrics count a copy under the vault that it goes to (.../devguide/cloudwatch.html). So both regions must hear of
it. Backups run where their table is, and so do their plans."""

NOTIFYING = Notifications(
    topic_arn=examples.topic().arn,
    events=("BACKUP_JOB_COMPLETED", "COPY_JOB_FAILED", "RESTORE_JOB_COMPLETED"),
)


AT = (
    "ListRules.EventPattern, ListTargetsByRule, GetTopicAttributes.Policy, ListSubscriptionsByTopic, "
    "GetSubscriptionAttributes.FilterPolicy"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A region in which something can fail, and what must be heard there."""

    alerts: Alerts
    events: tuple[Event, ...]
    region: RegionInventory
    vaults: tuple[Vault, ...] | Gap
    resource: str
    tier: None = None


def stations(world: World) -> Iterator[Station | Verdict]:
    """Regions with plans, where backups, copies and restores run; and those that hold copies, where HELD can happen."""
    alerts = world.policy.validation.alerts if world.policy.validation else None
    if alerts is None:
        return
    asked = tuple(ASKED[event] for event in alerts.on if event in ASKED)
    homes = list(dict.fromkeys(place for plan in world.policy.plans for place in places(plan, world.policy)))
    held = list(dict.fromkeys(Place(account=vault.account, region=vault.region) for vault in world.policy.vaults))
    for place in [*homes, *(place for place in held if place not in homes)]:
        resource = world.policy.resource(f"/validation/alerts{place.suffix()}")
        region = look_up(place, world)
        events = asked if place in homes else tuple(event for event in asked if event in HELD)
        if isinstance(region, Gap):
            yield unread(region, resource=resource)
        elif events:
            vaults = _vaults(place, region, world)
            yield Station(alerts=alerts, events=events, region=region, vaults=vaults, resource=resource)


def _topic(**changes: object) -> World:
    return examples.world(primary={"topics": (examples.topic(**changes),)})


def _filtered(policy: str | Gap, *, filters_body: bool = True) -> World:
    return _topic(subscriptions=(examples.subscription(filter_policy=policy, filters_body=filters_body),))


@control(
    id="ALR-01",
    title="Failures are heard",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=stations,
    in_template={
        cfn.RULE: ("",),
        **cfn.TOPICS,
        cfn.VAULT: ("/Notifications",),
        cfn.AIR_GAPPED: ("",),
    },
    why=(
        "A backup that has failed for a month, with nobody told, is found on the day when it is needed. AWS does not "
        "document which of its two regions reports a copy between them: both must hear of one that fails."
    ),
    remedy=(
        "aws events put-rule --name backup-failures --event-pattern file://pattern.json; aws events put-targets ...; "
        "aws sns set-topic-attributes --attribute-name Policy (admit events.amazonaws.com); aws sns subscribe ..."
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-notifications.html",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "SOC2:A1.2"),
    passes={
        "by EventBridge": examples.world,
        "through a filter that every bad end passes": lambda: _filtered(
            '{"source": ["aws.backup"], "detail-type": [{"suffix": " Job State Change"}]}'
        ),
        "to one who filters, and one who does not": lambda: _topic(
            subscriptions=(
                examples.subscription(filter_policy='{"severity": ["high"]}', filters_body=True),
                examples.subscription(),
            )
        ),
        "by the vault's notifications": lambda: examples.world(
            primary={
                "rules": (examples.validation_rule(), examples.drill_rule()),
                "vaults": (examples.vault(notifications=NOTIFYING),),
                "topics": (
                    examples.topic(
                        policy=examples.document(
                            examples.allow("sns:Publish", principals=(("Service", "backup.amazonaws.com"),))
                        )
                    ),
                ),
            }
        ),
    },
    fails={
        "no rule": lambda: examples.world(primary={"rules": (examples.validation_rule(), examples.drill_rule())}),
        "no rule in the DR region": lambda: examples.world(dr={"rules": ()}),
        "no rule for copies in the DR region": lambda: examples.world(
            dr={"rules": (examples.restore_failure_rule(examples.THERE),)}
        ),
        "disabled": lambda: examples.world(
            primary={"rules": (examples.failure_rule(enabled=False), examples.restore_failure_rule())}
        ),
        "expired ones left out": lambda: examples.world(
            primary={"rules": (examples.failure_rule(states=("FAILED",)), examples.restore_failure_rule())}
        ),
        "stopped ones left out": lambda: examples.world(
            primary={
                "rules": (
                    examples.failure_rule(states=("FAILED", "EXPIRED", "PARTIAL")),
                    examples.restore_failure_rule(),
                )
            }
        ),
        "stopped restores left out": lambda: examples.world(
            primary={"rules": (examples.failure_rule(), examples.restore_failure_rule(statuses=("FAILED",)))}
        ),
        "restores by state, which they do not carry": lambda: examples.world(
            primary={
                "rules": (
                    examples.failure_rule(
                        detail_types=(
                            "Backup Job State Change",
                            "Copy Job State Change",
                            "Restore Job State Change",
                        )
                    ),
                )
            }
        ),
        "nobody has confirmed": lambda: _topic(subscriptions=()),
        "a filter on what no event has": lambda: _filtered('{"severity": ["high"]}'),
        "a filter that leaves out the state": lambda: _filtered('{"detail": {"state": ["COMPLETED"]}}'),
        "a function that nobody lets the topic start": lambda: _topic(
            subscriptions=(examples.subscription(protocol="lambda", endpoint=examples.function().arn),)
        ),
        "the topic admits nobody": lambda: _topic(policy=examples.document()),
        "a FIFO topic": lambda: _topic(fifo=True),
        "under AWS's own key": lambda: _topic(key_id="alias/aws/sns"),
        "events that AWS Backup never sends": lambda: examples.world(
            primary={
                "rules": (),
                "vaults": (
                    examples.vault(
                        notifications=Notifications(topic_arn=examples.topic().arn, events=("BACKUP_JOB_FAILED",))
                    ),
                ),
            }
        ),
    },
    unknown={
        "rules not listed": lambda: examples.world(primary={"rules": examples.gap("ListRules", service="events")}),
        "a pattern with more in it": lambda: examples.world(
            primary={"rules": (examples.failure_rule(other_filters=True), examples.restore_failure_rule())}
        ),
        "published with a role": lambda: examples.world(
            primary={
                "rules": (
                    examples.failure_rule(role_arns=(f"arn:aws:iam::{examples.ACCOUNT}:role/events",)),
                    examples.restore_failure_rule(),
                )
            }
        ),
        "subscriptions not listed": lambda: _topic(
            subscriptions=examples.gap("ListSubscriptionsByTopic", service="sns")
        ),
        "filter not read": lambda: _filtered(examples.gap("GetSubscriptionAttributes", service="sns")),
        "a filter on attributes, of which no page says that an event has any": lambda: _filtered(
            '{"state": ["FAILED"]}', filters_body=False
        ),
        "a queue, which is not read": lambda: _topic(
            subscriptions=(examples.subscription(protocol="sqs", endpoint="arn:aws:sqs:us-east-1:111122223333:alerts"),)
        ),
    },
)
def failures_are_heard(station: Station, world: World) -> Verdict:
    """Each bad end of a job reaches the policy's topic, which admits it and has somebody subscribed."""
    heard = {event: _heard(event, station, world) for event in station.events}
    deaf = [f"{event.name} are not heard: {how.best.why}" for event, how in heard.items() if isinstance(how.best, Deaf)]
    gaps = [how.best for how in heard.values() if isinstance(how.best, Gap)]
    if deaf and isinstance(station.vaults, Gap):
        return unread(station.vaults, resource=station.resource)
    if gaps and not deaf:
        return unread(gaps[0], resource=station.resource)
    where = station.region.region
    asked = "; ".join(f"{event.name} ({', '.join(event.states)})" for event in station.events)
    return verdict(
        not deaf,
        expected=f"{asked} reach {station.alerts.topic}",
        observed="; ".join(deaf) or "they do",
        at=AT,
        message=f"{where}: {'; '.join(deaf) or f'failures are heard by {station.alerts.team}'}",
        notes=() if deaf else tuple(_notes(heard, station, world)),
    )


def _heard(event: Event, station: Station, world: World) -> Heard:
    vaults = () if isinstance(station.vaults, Gap) else station.vaults
    return hears(event, station.region, vaults, station.alerts.topic, world)


def _notes(heard: dict[Event, Heard], station: Station, world: World) -> Iterator[str]:
    """What is not documented, and what is no failure but is worth hearing."""
    told = [event.notification for event, how in heard.items() if how.by_rules is not None]
    if told:
        yield (
            f"only by the vaults' {', '.join(told)}: AWS's page shows its messages of FAILED and EXPIRED jobs, "
            "and does not say whether ABORTED and PARTIAL ones are told too; a rule would hear them"
        )
    if BACKUP_FAILED in heard and isinstance(_heard(BACKUP_HAD_ISSUES, station, world).best, Deaf):
        yield "a backup that completes with issues is COMPLETED with a status message: nobody hears of one"


def _vaults(place: Place, region: RegionInventory, world: World) -> tuple[Vault, ...] | Gap:
    names = {v.name for v in world.policy.vaults if (v.account, v.region) == (place.account, place.region)}
    if isinstance(region.vaults, Gap):
        return region.vaults
    return tuple(vault for vault in region.vaults if vault.name in names)
