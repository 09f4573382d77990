"""Whether what a service publishes to a topic reaches people: the topic, its policy and key, and who subscribes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backcheck.controls import messages
from backcheck.controls.conditions import holds
from backcheck.controls.control import Reads, World
from backcheck.controls.iam_policy import admits, denials
from backcheck.controls.keys import find_key, key_policy, why_unusable
from backcheck.controls.messages import Message
from backcheck.inventory.gap import Gap, undecided
from backcheck.inventory.iam import Key, PolicyDocument, Statement, Subscription, Topic
from backcheck.inventory.model import RegionInventory
from backcheck.inventory.watch import Function

EVENTBRIDGE = "events.amazonaws.com"
BACKUP = "backup.amazonaws.com"
CLOUDWATCH = "cloudwatch.amazonaws.com"
SNS = "sns.amazonaws.com"

KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
"""What publishing to an encrypted topic takes (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html)."""


@dataclass(frozen=True, slots=True)
class Deaf:
    """Why a path ends before it reaches anybody."""

    why: str


Path = Deaf | Gap | None
"""None: the path reaches people."""


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
    return worst([*_obstacles(found, source, service, region, world), _delivered(found, told, region, world)])


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


def not_decided(service: str, operation: str, region: RegionInventory, resource: str, why: str) -> Gap:
    """What cannot be told, though everything was read."""
    return undecided(service, operation, why, account=region.account, region=region.region, resource=resource)


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
    return worst([best(_received(one, message, topic, region, world) for one in subscribed) for message in told])


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
    """A function that SNS may start and that can run; of a queue or a stream nothing is read.

    A version or an alias has a policy of its own, and may be missing though its function is there
    (https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html).
    """
    arn = subscription.endpoint
    if not arn:
        return None
    if subscription.protocol != "lambda" or arn.split(":")[3:5] != [region.region, region.account]:
        why = f"whether {arn} is there, admits the topic and is read by somebody is not read"
        return not_decided("sns", "GetSubscriptionAttributes", region, subscription.arn, why)
    found = next((one for one in region.functions if (one.resource if isinstance(one, Gap) else one.arn) == arn), None)
    if isinstance(found, Gap):
        return found
    if found is None and Reads.TEMPLATE in world.reads:
        why = f"the template does not have {arn}"
        return not_decided("lambda", "GetFunctionConfiguration", region, subscription.arn, why)
    return Deaf(f"function {arn} does not exist") if found is None else _starts(found, topic)


def _starts(function: Function, topic: Topic) -> Path:
    if isinstance(function.policy, Gap):
        return function.policy
    if why := next(cannot_run(function), None):
        return Deaf(why) if isinstance(why, str) else why
    action = "lambda:InvokeFunction"
    _, statements = admits(function.policy, SNS, action, function.arn) if function.policy else (False, ())
    if not any(lets_in(one, topic.arn, SNS) for one in statements):
        return Deaf(f"{topic.arn} may not start {function.name}: no permission for its ARN")
    return None


def cannot_run(function: Function) -> Iterator[str | Gap]:
    """Why a function would not run though it is started.

    "Functions can only be successfully invoked while active"
    (https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html); a reserved concurrency of 0 "stops your
    function from processing any events" (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).
    """
    if function.state not in ("", "Active"):
        yield f"{function.name} is {function.state}"
    if isinstance(function.reserved_concurrency, Gap):
        yield function.reserved_concurrency
    elif function.reserved_concurrency == 0:
        yield f"{function.name} has no concurrency: its reserved one is 0"


def lets_in(statement: Statement, source: str, service: str) -> bool:
    """Conditions on the source are met by this one. Any other condition is none that a service is known to meet."""
    account = source.split(":")[4]
    known = {"aws:sourcearn": (source,), "aws:sourceaccount": (account,)}
    if service == CLOUDWATCH:
        known["aws:sourceowner"] = (account,)
    return holds(statement, known) is True


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
    if refused:
        return Deaf(f"the key of {topic.arn} does not admit {service} to {', '.join(refused)}")
    if any(denials(policy, service, action, key.arn) for action in KEY_ACTIONS):
        return not_decided("kms", "GetKeyPolicy", region, key.arn, f"its policy may deny {service}")
    return None


def _may_use(key: Key, policy: PolicyDocument, action: str, service: str, source: str) -> bool:
    """Conditions on the source are 'not supported for EventBridge-to-encrypted topics' (sns-key-management)."""
    _, statements = admits(policy, service, action, key.arn)
    if service == EVENTBRIDGE:
        return any(not statement.conditions for statement in statements)
    return any(lets_in(statement, source, service) for statement in statements)


def best(paths: Iterator[Path]) -> Path:
    """The path that gets furthest; where none reaches anybody, every reason."""
    found = list(paths)
    if any(path is None for path in found):
        return None
    gap = next((path for path in found if isinstance(path, Gap)), None)
    if gap is not None:
        return gap
    return Deaf("; ".join(path.why for path in found if isinstance(path, Deaf)))


def worst(paths: list[Path]) -> Path:
    """The path that ends first: all of them are needed."""
    deaf = [path.why for path in paths if isinstance(path, Deaf)]
    if deaf:
        return Deaf("; ".join(dict.fromkeys(deaf)))
    return next((path for path in paths if isinstance(path, Gap)), None)
