"""What a policy document allows, and what it leaves open."""

from __future__ import annotations

import pytest

from backcheck.controls import examples
from backcheck.controls.conditions import matches
from backcheck.controls.iam_policy import action_matches, admits, allows, denials, resource_matches
from backcheck.inventory.iam import Statement

TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
WHEN = (("StringEquals", "aws:RequestedRegion", ("us-east-1",)),)
ALLOW = examples.allow("dynamodb:StartAwsBackupJob")
DENY = examples.allow("dynamodb:*", effect="Deny")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "anything", True),
        ("arn:aws:dynamodb:*:*:table/*", TABLE, True),
        ("arn:aws:dynamodb:us-east-?:*", TABLE, True),
        ("arn:aws:dynamodb:us-west-?:*", TABLE, False),
        ("a.b", "axb", False),
        ("[ab]", "a", False),
    ],
)
def test_wildcards(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("statement", "action", "expected"),
    [
        (examples.allow("Backup:deleteRecoveryPoint"), "backup:DeleteRecoveryPoint", True),
        (examples.allow("backup:*"), "backup:DeleteRecoveryPoint", True),
        (examples.allow("backup:List*"), "backup:DeleteRecoveryPoint", False),
        (examples.allow(not_actions=("iam:*",)), "backup:DeleteRecoveryPoint", True),
        (examples.allow(not_actions=("backup:*",)), "backup:DeleteRecoveryPoint", False),
    ],
)
def test_actions(statement: Statement, action: str, expected: bool) -> None:
    assert action_matches(statement, action) is expected


def test_resources() -> None:
    assert resource_matches(examples.allow("x:y", resources=()), TABLE)
    assert not resource_matches(examples.allow("x:y", resources=(), not_resources=(TABLE,)), TABLE)
    assert not resource_matches(examples.allow("x:y", resources=(TABLE + "-2",)), TABLE)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((), False),
        ((ALLOW,), True),
        ((ALLOW, DENY), False),
        ((examples.allow("dynamodb:*", conditions=WHEN),), None),
        ((ALLOW, examples.allow("dynamodb:*", effect="Deny", conditions=WHEN)), None),
        ((examples.allow("dynamodb:*", effect="Deny", conditions=WHEN),), False),
        ((examples.allow("dynamodb:*", conditions=WHEN), ALLOW), True),
    ],
)
def test_a_deny_outweighs_and_a_condition_leaves_open(statements: tuple[Statement, ...], expected: bool | None) -> None:
    assert allows((examples.inline(*statements),), "dynamodb:StartAwsBackupJob", TABLE) is expected


def test_a_text_that_was_not_read_leaves_open_what_is_not_denied() -> None:
    unread = examples.managed("Whatever")
    assert allows((unread,), "dynamodb:StartAwsBackupJob", TABLE) is None
    assert allows((unread, examples.inline(ALLOW)), "dynamodb:StartAwsBackupJob", TABLE) is None, "it may deny"
    assert allows((unread, examples.inline(DENY)), "dynamodb:StartAwsBackupJob", TABLE) is False


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"principals": (("Service", "sns.amazonaws.com"),)}, False),
        ({"principals": (("AWS", "*"),)}, False),
        ({"principals": (("*", "*"),)}, True),
        ({"principals": (), "not_principals": (("Service", "events.amazonaws.com"),)}, False),
        ({"actions": ("sns:Subscribe",)}, False),
    ],
)
def test_whom_a_resource_admits(changes: dict[str, object], expected: bool) -> None:
    given = {"principals": (("Service", "events.amazonaws.com"),), "actions": ("sns:Publish",), **changes}
    document = examples.document(examples.allow("sns:Publish"), examples.allow(**given))
    assert admits(document, "events.amazonaws.com", "sns:Publish", "arn")[0] is expected


SERVICE = (("Service", "events.amazonaws.com"),)


@pytest.mark.parametrize("who", [SERVICE, (("AWS", "*"),), (("*", "*"),)])
def test_a_deny_keeps_a_service_out(who: tuple[tuple[str, str], ...]) -> None:
    document = examples.document(
        examples.allow("sns:Publish", principals=SERVICE), examples.allow("sns:*", effect="Deny", principals=who)
    )
    assert admits(document, "events.amazonaws.com", "sns:Publish", "arn") == (False, ())


@pytest.mark.parametrize(
    ("condition", "may_deny"),
    [
        (("Bool", "aws:SecureTransport", ("false",)), False),
        (("Bool", "aws:PrincipalIsAWSService", ("false",)), False),
        (("Null", "aws:SecureTransport", ("false",)), True),
        (("Bool", "aws:SecureTransport", ("False",)), False),
        (("StringNotEquals", "aws:SecureTransport", ("false",)), True),
        (("Null", "aws:PrincipalIsAWSService", ("false",)), True),
        (("StringNotEquals", "aws:SourceOrgID", ("o-1",)), True),
    ],
)
def test_a_deny_under_conditions_is_told_unless_it_spares_services(
    condition: tuple[str, str, tuple[str, ...]], may_deny: bool
) -> None:
    denied = examples.allow("sns:*", effect="Deny", principals=(("AWS", "*"),), conditions=(condition,))
    document = examples.document(examples.allow("sns:Publish", principals=SERVICE), denied)
    assert admits(document, "events.amazonaws.com", "sns:Publish", "arn")[0]
    assert bool(denials(document, "events.amazonaws.com", "sns:Publish", "arn")) is may_deny
