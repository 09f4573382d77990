"""Who hears an event: from AWS Backup, by EventBridge or a vault's notifications, through a topic, to people.

Backup and copy job events carry `detail.state`, restore job events `detail.status`; a pattern that asks for the wrong
one lets nothing through (https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html). Of the events that a
vault may notify of, some are never sent
(https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-notifications.html).

What must be heard is every end of a job that JOB-01 and DR-04 call bad, by the API's lists of states: a backup that
was stopped (ABORTED, "stopped by user") or is PARTIAL leaves its day without a backup just as one that FAILED.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from backcheck.controls import messages
from backcheck.controls.conditions import matches
from backcheck.controls.control import Reads, World
from backcheck.controls.iam_policy import admits, denials
from backcheck.controls.keys import find_key, key_policy, why_unusable
from backcheck.controls.messages import Message
from backcheck.inventory.backup import Notifications, Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, PolicyDocument, Statement, Subscription, Topic
from backcheck.inventory.model import RegionInventory
from backcheck.inventory.watch import EventRule, Function

EVENTBRIDGE = "events.amazonaws.com"
BACKUP = "backup.amazonaws.com"
CLOUDWATCH = "cloudwatch.amazonaws.com"
SNS = "sns.amazonaws.com"

KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
"""What publishing to an encrypted topic takes (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html)."""


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


@dataclass(frozen=True, slots=True)
class Deaf:
    """Why a path ends before it reaches anybody."""

    why: str


Path = Deaf | Gap | None
"""None: the path reaches people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The two paths that an event could take in a region."""

    by_rules: Path
    by_notifications: Path

    @property
    def best(self) -> Path:
        """The path that gets furthest: one that reaches people, else one of which it is not known."""
        return _best(iter((self.by_rules, self.by_notifications)))


def hears(event: Event, region: RegionInventory, vaults: tuple[Vault, ...], topic: str, world: World) -> Heard:
    """How an event reaches people in a region: all its states by rules, or by what every vault there notifies of."""
    by_state = [_best(_by_rules(event, state, region, topic, world)) for state in event.states]
    return Heard(by_rules=_worst(by_state), by_notifications=_by_notifications(event, region, vaults, topic, world))


def reaches(
    arn: str, source: str, service: str, region: RegionInventory, topic: str, world: World, told: Iterable[Message]
) -> Path:
    """Whether each of the messages `told` that a service publishes to a topic reaches people.

    `source`: the ARN that publishes.
    """
    if arn.split(":")[2:3] != ["sns"] or arn.rpartition(":")[2] != topic:
        return Deaf(f"{arn} is not the topic {topic}")
    found = next((one for one in region.topics if (one.resource if isinstance(one, Gap) else one.arn) == arn), None)
    if isinstance(found, Gap):
        return found
    if found is None:
        return _elsewhere(arn) if Reads.TEMPLATE in world.reads else Deaf(f"topic {arn} does not exist")
    return _worst([*_obstacles(found, source, service, region, world), _delivered(found, told, region, world)])


def _elsewhere(arn: str) -> Gap:
    return Gap(
        service="sns",
        operation="GetTopicAttributes",
        region=arn.split(":")[3],
        account=arn.split(":")[4],
        code="NotInTemplate",
        detail="the template does not have this topic",
        resource=arn,
    )


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
    found = _best(iter(targets)) if targets else Deaf(f"rule {rule.name} has no target")
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


def not_decided(service: str, operation: str, region: RegionInventory, resource: str, why: str) -> Gap:
    """What cannot be told, though everything was read."""
    return Gap(
        service=service,
        operation=operation,
        region=region.region,
        account=region.account,
        code="NotDecided",
        detail=why,
        resource=resource,
    )


def _by_notifications(
    event: Event, region: RegionInventory, vaults: tuple[Vault, ...], topic: str, world: World
) -> Path:
    if not vaults:
        return Deaf("no vault notifies")
    return _worst([_notifies(vault, event, region, topic, world) for vault in vaults])


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


def _obstacles(topic: Topic, source: str, service: str, region: RegionInventory, world: World) -> Iterator[Path]:
    account = source.split(":")[4]
    if topic.fifo:
        yield Deaf(f"{topic.arn} is a FIFO topic, which AWS Backup and EventBridge's failures do not reach")
    if topic.arn.split(":")[4] != account:
        yield Deaf(f"{topic.arn} is another account's")
    if topic.policy is None:
        yield Deaf(f"{topic.arn} has no policy that admits {service}")
    else:
        admitted, statements = admits(topic.policy, service, "sns:Publish", topic.arn)
        if not admitted or not any(lets_in(one, source, service) for one in statements):
            yield Deaf(f"the policy of {topic.arn} does not admit {service} from {source}")
        elif denials(topic.policy, service, "sns:Publish", topic.arn):
            yield not_decided("sns", "GetTopicAttributes", region, topic.arn, f"its policy may deny {service}")
    if topic.key_id is not None:
        yield _key(topic, source, service, region, world)


def _delivered(topic: Topic, told: Iterable[Message], region: RegionInventory, world: World) -> Path:
    """Each message, to somebody."""
    if isinstance(topic.subscriptions, Gap):
        return topic.subscriptions
    if not topic.subscriptions:
        return Deaf(f"nobody has confirmed a subscription to {topic.arn}")
    subscribed = topic.subscriptions
    return _worst([_best(_received(one, message, topic, region, world) for one in subscribed) for message in told])


def _received(
    subscription: Subscription, message: Message, topic: Topic, region: RegionInventory, world: World
) -> Path:
    """Through its filter, to an endpoint that takes it."""
    policy = subscription.filter_policy
    if isinstance(policy, Gap):
        return policy
    passed = policy is None or messages.lets_through(policy, subscription.filters_body, message)
    if passed is False:
        return Deaf(f"the filter of a subscription to {topic.arn} leaves out {message.name}")
    endpoint = _endpoint(subscription, topic, region, world)
    if passed is None and not isinstance(endpoint, Deaf):
        why = f"whether its filter lets {message.name} through no page of AWS says: {policy}"
        return not_decided("sns", "GetSubscriptionAttributes", region, subscription.arn, why)
    return endpoint


def _endpoint(subscription: Subscription, topic: Topic, region: RegionInventory, world: World) -> Path:
    """A function that SNS may start and that can run; of a queue or a stream nothing is read."""
    arn = subscription.endpoint
    if not arn:
        return None
    if subscription.protocol != "lambda" or arn.split(":")[3:5] != [region.region, region.account]:
        why = f"whether {arn} is there, admits the topic and is read by somebody is not read"
        return not_decided("sns", "GetSubscriptionAttributes", region, subscription.arn, why)
    known = ((one.resource if isinstance(one, Gap) else one.arn, one) for one in region.functions)
    found = next((one for name, one in known if arn == name or arn.startswith(f"{name}:")), None)
    if isinstance(found, Gap):
        return found
    if found is None and Reads.TEMPLATE in world.reads:
        why = f"the template does not have {arn}"
        return not_decided("lambda", "GetFunctionConfiguration", region, subscription.arn, why)
    return Deaf(f"function {arn} does not exist") if found is None else _starts(found, topic)


def _starts(function: Function, topic: Topic) -> Path:
    if isinstance(function.policy, Gap):
        return function.policy
    if isinstance(function.reserved_concurrency, Gap):
        return function.reserved_concurrency
    if function.reserved_concurrency == 0:
        return Deaf(f"{function.name} has no concurrency: its reserved one is 0")
    action = "lambda:InvokeFunction"
    _, statements = admits(function.policy, SNS, action, function.arn) if function.policy else (False, ())
    if not any(lets_in(one, topic.arn, SNS) for one in statements):
        return Deaf(f"{topic.arn} may not start {function.name}: no permission for its ARN")
    return None


EQUALITY = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
"""Operators by which a condition names who may, in lower case; others, such as ArnNotEquals, are met by the rest."""


def lets_in(statement: Statement, source: str, service: str) -> bool:
    """Conditions on the source are met by this one. Any other condition is none that a service is known to meet."""
    account = source.split(":")[4]
    for operator, key, values in statement.conditions:
        name = key.lower()
        if operator.lower() not in EQUALITY:
            return False
        if name == "aws:sourcearn":
            if not any(matches(value, source) for value in values):
                return False
        elif name in ("aws:sourceaccount", "aws:sourceowner"):
            if account not in values or (name == "aws:sourceowner" and service != CLOUDWATCH):
                return False
        else:
            return False
    return True


def _key(topic: Topic, source: str, service: str, region: RegionInventory, world: World) -> Path:
    """A service publishes under a customer's key that admits it; the policy of AWS's own key cannot be changed."""
    wanted = topic.key_id or ""
    if wanted.endswith("alias/aws/sns"):
        return Deaf(f"{topic.arn} is under AWS's own key, which {service} may not use")
    home = f"{topic.arn.split(':sns:')[0]}:kms:{region.region}:{region.account}"
    arn = wanted if wanted.startswith("arn:") else f"{home}:key/{wanted}"
    key = find_key(arn, world)
    if isinstance(key, Gap):
        return key
    if why := next(why_unusable(key), ""):
        return Deaf(f"the key of {topic.arn} {why}")
    policy = key_policy(key)
    if isinstance(policy, Gap):
        return policy
    refused = [action for action in KEY_ACTIONS if not _may_use(key, policy, action, service, source)]
    return Deaf(f"the key of {topic.arn} does not admit {service} to {', '.join(refused)}") if refused else None


def _may_use(key: Key, policy: PolicyDocument, action: str, service: str, source: str) -> bool:
    """Conditions on the source are 'not supported for EventBridge-to-encrypted topics' (sns-key-management)."""
    _, statements = admits(policy, service, action, key.arn)
    if service == EVENTBRIDGE:
        return any(not statement.conditions for statement in statements)
    return any(lets_in(statement, source, service) for statement in statements)


def _best(paths: Iterator[Path]) -> Path:
    found = list(paths)
    if any(path is None for path in found):
        return None
    gap = next((path for path in found if isinstance(path, Gap)), None)
    if gap is not None:
        return gap
    return Deaf("; ".join(path.why for path in found if isinstance(path, Deaf)))


def _worst(paths: list[Path]) -> Path:
    deaf = [path.why for path in paths if isinstance(path, Deaf)]
    if deaf:
        return Deaf("; ".join(dict.fromkeys(deaf)))
    return next((path for path in paths if isinstance(path, Gap)), None)
