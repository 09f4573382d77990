"""Who hears an event: every obstacle between a failure and a person."""

from __future__ import annotations

import dataclasses
from typing import Any

import botocore.session
import pytest

from backcheck.controls import examples
from backcheck.controls.alr_01_failures_heard import failures_are_heard
from backcheck.controls.alr_03_check_failure_heard import failed_check_is_heard
from backcheck.controls.control import World
from backcheck.controls.delivery import CLOUDWATCH, EVENTBRIDGE, Deaf, reaches
from backcheck.controls.listeners import BACKUP_FAILED, COPY_FAILED, RESTORE_FAILED, Event, hears
from backcheck.controls.messages import event as told
from backcheck.finding import Status, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory

TOPIC = examples.topic().arn
RULE = examples.failure_rule().arn
TOLD = (told("Backup Job State Change", "state", "FAILED", examples.ACCOUNT, examples.HERE),)


def here(world: World) -> RegionInventory:
    return world.index.regions[examples.ACCOUNT, examples.HERE]


def path(service: str = EVENTBRIDGE, source: str = RULE, /, **changes: Any) -> Deaf | Gap | None:
    topic = examples.topic(**changes)
    world = examples.world(primary={"topics": (topic,)})
    return reaches(topic.arn, source, service, here(world), "shop-alerts", world, TOLD)


def admitting(service: str, *conditions: tuple[str, str, tuple[str, ...]]) -> dict[str, object]:
    statement = examples.allow("sns:Publish", principals=(("Service", service),), conditions=conditions)
    return {"policy": examples.document(statement)}


def test_the_example_reaches_people() -> None:
    assert path() is None
    assert path(CLOUDWATCH, examples.alarm().arn) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fifo": True}, "FIFO"),
        ({"policy": None}, "has no policy that admits"),
        ({"subscriptions": ()}, "nobody has confirmed"),
        ({"key_id": "alias/aws/sns"}, "AWS's own key"),
        (admitting("s3.amazonaws.com"), "does not admit events.amazonaws.com"),
        (admitting(EVENTBRIDGE, ("ArnLike", "aws:SourceArn", ("arn:aws:events:*:*:rule/other",))), "does not admit"),
        (admitting(EVENTBRIDGE, ("StringEquals", "aws:SourceArn", ("arn:aws:events:*:*:rule/*",))), "does not admit"),
        (admitting(EVENTBRIDGE, ("StringEquals", "aws:SourceAccount", ("999988887777",))), "does not admit"),
        (admitting(EVENTBRIDGE, ("StringEquals", "aws:SourceOwner", (examples.ACCOUNT,))), "does not admit"),
        (admitting(EVENTBRIDGE, ("StringNotEquals", "aws:SourceOwner", ("999988887777",))), "does not admit"),
        (admitting(EVENTBRIDGE, ("StringEqualsIfExists", "aws:SourceOwner", (examples.ACCOUNT,))), "does not admit"),
        (admitting(EVENTBRIDGE, ("Bool", "aws:SecureTransport", ("true",))), "does not admit"),
    ],
)
def test_what_stands_in_the_way(changes: dict[str, object], why: str) -> None:
    found = path(**changes)
    assert isinstance(found, Deaf)
    assert why in found.why


@pytest.mark.parametrize(
    "conditions",
    [
        (("ArnLike", "aws:SourceArn", ("arn:aws:events:*:*:rule/shop-*",)),),
        (("StringEquals", "AWS:SourceAccount", (examples.ACCOUNT,)),),
        (("StringEqualsIfExists", "aws:SourceAccount", (examples.ACCOUNT,)),),
        (("ArnNotEquals", "aws:SourceArn", (f"{RULE}-old",)),),
    ],
)
def test_conditions_that_the_source_meets(conditions: tuple[tuple[str, str, tuple[str, ...]], ...]) -> None:
    assert path(**admitting(EVENTBRIDGE, *conditions)) is None


def test_an_encrypted_topic_whose_key_is_not_known() -> None:
    topic = examples.topic(key_id=examples.KEY_ARN)
    world = examples.world(primary={"topics": (topic,), "keys": (examples.key(policy=None),)})
    assert isinstance(reaches(TOPIC, RULE, EVENTBRIDGE, here(world), "shop-alerts", world, TOLD), Gap), "not asked for"
    assert isinstance(path(key_id="unknown-key"), Gap)


OF_THE_ACCOUNT = (("StringEquals", "aws:SourceAccount", (examples.ACCOUNT,)),)


@pytest.mark.parametrize(
    ("service", "source", "statement", "key", "admitted"),
    [
        (EVENTBRIDGE, RULE, {"actions": ("kms:*",)}, {}, True),
        (EVENTBRIDGE, RULE, {"actions": ("kms:GenerateDataKey*", "kms:Decrypt")}, {}, True),
        (EVENTBRIDGE, RULE, {"actions": ("kms:Decrypt",)}, {}, False),
        (EVENTBRIDGE, RULE, {"actions": ("kms:*",), "conditions": OF_THE_ACCOUNT}, {}, False),
        (EVENTBRIDGE, RULE, {"actions": ("kms:*",)}, {"state": "Disabled"}, False),
        (CLOUDWATCH, examples.alarm().arn, {"actions": ("kms:*",), "conditions": OF_THE_ACCOUNT}, {}, True),
    ],
)
def test_an_encrypted_topic_asks_its_key(
    service: str, source: str, statement: dict[str, Any], key: dict[str, Any], admitted: bool
) -> None:
    allowed = examples.allow(principals=(("Service", service),), **statement)
    made = examples.key(policy=examples.document(allowed), **key)
    world = examples.world(primary={"topics": (examples.topic(key_id="here"),), "keys": (made,)})
    found = reaches(TOPIC, source, service, here(world), "shop-alerts", world, TOLD)
    assert (found is None) is admitted, found


def test_another_topic_or_none() -> None:
    world = examples.world()
    for arn, why in ((TOPIC + "-2", "is not the topic"), ("arn:aws:lambda:us-east-1:1:function:x", "is not the topic")):
        found = reaches(arn, RULE, EVENTBRIDGE, here(world), "shop-alerts", world, TOLD)
        assert isinstance(found, Deaf)
        assert why in found.why
    gone = examples.world(primary={"topics": ()})
    assert isinstance(reaches(TOPIC, RULE, EVENTBRIDGE, here(gone), "shop-alerts", gone, TOLD), Deaf)
    template = examples.world(account={"kind": "template"}, primary={"topics": ()})
    assert isinstance(reaches(TOPIC, RULE, EVENTBRIDGE, here(template), "shop-alerts", template, TOLD), Gap)


def test_states_may_be_heard_by_two_rules() -> None:
    rules = tuple(examples.failure_rule(name=state, states=(state,)) for state in BACKUP_FAILED.states)
    world = examples.world(primary={"rules": rules})
    assert hears(BACKUP_FAILED, here(world), (), "shop-alerts", world).best is None
    half = examples.world(primary={"rules": rules[:1]})
    found = hears(BACKUP_FAILED, here(half), (), "shop-alerts", half).best
    assert isinstance(found, Deaf)
    assert "leaves out EXPIRED" in found.why


def test_a_rule_without_any_filter_hears_everything() -> None:
    rule = examples.failure_rule(sources=(), detail_types=(), states=())
    world = examples.world(primary={"rules": (rule,)})
    for event in (BACKUP_FAILED, RESTORE_FAILED):
        assert hears(event, here(world), (), "shop-alerts", world).best is None


def _verdict(world: World) -> Verdict:
    return next(failures_are_heard.judge(world))


def test_what_is_no_failure_or_not_documented_is_noted() -> None:
    (issues,) = _verdict(examples.world()).notes
    assert "completes with issues" in issues
    every_end = examples.failure_rule(states=(*BACKUP_FAILED.states, "COMPLETED"))
    heard = examples.world(primary={"rules": (every_end, examples.restore_failure_rule())})
    assert _verdict(heard).notes == ()
    notified = failures_are_heard.passes["by the vault's notifications"]()
    (note,) = _verdict(notified).notes
    assert "does not say whether ABORTED and PARTIAL ones are told" in note


def _states(shape: str) -> frozenset[str]:
    model = botocore.session.get_session().get_service_model("backup")
    return frozenset(model.shape_for(shape).enum)


@pytest.mark.parametrize(
    ("event", "shape"),
    [(BACKUP_FAILED, "BackupJobState"), (COPY_FAILED, "CopyJobState"), (RESTORE_FAILED, "RestoreJobStatus")],
)
def test_every_bad_end_that_the_api_knows_must_be_heard(event: Event, shape: str) -> None:
    under_way_or_well = {"CREATED", "PENDING", "RUNNING", "ABORTING", "COMPLETED"}
    assert set(event.states) == _states(shape) - under_way_or_well


@pytest.mark.parametrize(
    "rules",
    [
        examples.gap("ListRules", service="events"),
        (examples.validation_rule(target_arns=examples.gap("ListTargetsByRule", service="events")),),
    ],
)
def test_an_alarm_on_a_function_that_could_not_be_named_is_unknown_and_not_missing(rules: object) -> None:
    policy = examples.policy(validation=examples.validation(function=None))
    (found,) = failed_check_is_heard.judge(examples.world(policy=policy, primary={"rules": rules}))
    assert found.status is Status.UNKNOWN
    assert "could not be read: events:List" in found.message


BY_STATE = examples.subscription(filter_policy='{"detail": {"state": ["FAILED"]}}', filters_body=True)


def test_a_filter_is_asked_for_every_state() -> None:
    world = examples.world(primary={"topics": (examples.topic(subscriptions=(BY_STATE,)),)})
    found = hears(BACKUP_FAILED, here(world), (), "shop-alerts", world).best
    assert isinstance(found, Deaf)
    assert "leaves out EXPIRED" in found.why


def test_of_another_text_than_the_event_nobody_knows_what_a_filter_makes() -> None:
    rule = examples.failure_rule(altered_arns=(TOPIC,))
    every = examples.subscription(filter_policy='{"source": ["aws.backup"]}', filters_body=True)
    world = examples.world(primary={"rules": (rule,), "topics": (examples.topic(subscriptions=(every,)),)})
    assert isinstance(hears(BACKUP_FAILED, here(world), (), "shop-alerts", world).best, Gap)


STARTED = examples.function(
    policy=examples.document(
        examples.allow(
            "lambda:InvokeFunction",
            principals=(("Service", "sns.amazonaws.com"),),
            conditions=(("ArnLike", "AWS:SourceArn", (TOPIC,)),),
        )
    )
)


def started(endpoint: str = STARTED.arn, kind: str = "sandbox", **changes: Any) -> Deaf | Gap | None:
    topic = examples.topic(subscriptions=(examples.subscription(protocol="lambda", endpoint=endpoint),))
    functions = (dataclasses.replace(STARTED, **changes),)
    world = examples.world(account={"kind": kind}, primary={"topics": (topic,), "functions": functions})
    return reaches(TOPIC, RULE, EVENTBRIDGE, here(world), "shop-alerts", world, TOLD)


def test_a_function_that_the_topic_starts() -> None:
    assert started() is None
    assert started(f"{STARTED.arn}:live", arn=f"{STARTED.arn}:live") is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"policy": None}, "may not start"),
        ({"policy": examples.function().policy}, "may not start"),
        ({"reserved_concurrency": 0}, "its reserved one is 0"),
        ({"state": "Failed"}, "is Failed"),
        ({"endpoint": f"{STARTED.arn}-gone"}, "does not exist"),
        ({"endpoint": f"{STARTED.arn}:live"}, "does not exist"),
    ],
)
def test_a_function_that_the_topic_does_not_start(changes: dict[str, Any], why: str) -> None:
    found = started(**changes)
    assert isinstance(found, Deaf)
    assert why in found.why


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": examples.gap("GetPolicy", service="lambda")},
        {"reserved_concurrency": examples.gap("GetFunctionConcurrency", service="lambda")},
        {"endpoint": STARTED.arn.replace(examples.HERE, examples.THERE)},
        {"endpoint": f"{STARTED.arn}-gone", "kind": "template"},
    ],
)
def test_a_function_of_which_it_is_not_known(changes: dict[str, Any]) -> None:
    assert isinstance(started(**changes), Gap)
