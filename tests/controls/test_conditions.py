"""Conditions of statements, against what a request carries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.controls import examples
from backcheck.controls.conditions import NOTHING_KNOWN, Context, all_of, any_of, holds

CONTEXT: Context = {
    "aws:principalarn": ("arn:aws:iam::111122223333:role/shop",),
    "kms:viaservice": ("dynamodb.us-east-1.amazonaws.com",),
    "kms:grantisforawsresource": (),
    "kms:resourcealiases": ("alias/shop", "alias/old"),
    "kms:encryptioncontextkeys": ("aws:backup:backup-vault",),
}


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        ("StringEquals", "kms:ViaService", ("dynamodb.us-east-1.amazonaws.com",), True),
        ("StringEquals", "kms:ViaService", ("dynamodb.*.amazonaws.com",), False),
        ("StringLike", "KMS:viaservice", ("ec2.*.amazonaws.com", "dynamodb.*.amazonaws.com"), True),
        ("StringNotLike", "kms:ViaService", ("dynamodb.*.amazonaws.com",), False),
        ("StringEqualsIgnoreCase", "kms:ViaService", ("DynamoDB.us-east-1.amazonaws.com",), True),
        ("ArnNotEquals", "aws:PrincipalArn", ("arn:aws:iam::111122223333:role/break-glass",), True),
        ("ArnEquals", "aws:PrincipalArn", ("arn:aws:iam::*:role/shop",), True),
        ("Bool", "kms:GrantIsForAWSResource", ("true",), False),
        ("Bool", "kms:GrantIsForAWSResource", ("false",), False),
        ("BoolIfExists", "kms:GrantIsForAWSResource", ("true",), True),
        ("StringNotEquals", "kms:GrantIsForAWSResource", ("true",), True),
        ("Null", "kms:GrantIsForAWSResource", ("true",), True),
        ("Null", "kms:ViaService", ("true",), False),
        ("Null", "kms:ViaService", ("true", "false"), True),
        ("ForAnyValue:StringEquals", "kms:ResourceAliases", ("alias/shop",), True),
        ("ForAnyValue:StringEquals", "kms:ResourceAliases", ("alias/other",), False),
        ("ForAllValues:StringLike", "kms:ResourceAliases", ("alias/s*",), False),
        ("ForAllValues:StringLike", "kms:ResourceAliases", ("alias/*",), True),
        ("ForAnyValue:StringNotEquals", "kms:ResourceAliases", ("alias/shop",), True),
        ("StringEquals", "kms:ResourceAliases", ("alias/shop",), None),
        ("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ("aws:backup:backup-vault",), True),
        ("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ("aws:ebs:id",), None),
        ("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ("aws:backup:backup-vault",), None),
        ("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ("aws:ebs:id",), False),
        ("StringEquals", "aws:PrincipalOrgID", ("o-1",), None),
        ("NumericLessThan", "kms:ViaService", ("1",), None),
        ("StringEquals", "aws:PrincipalArn", ("arn:aws:iam::${aws:PrincipalAccount}:role/shop",), None),
    ],
)
def test_a_condition(operator: str, key: str, values: tuple[str, ...], expected: bool | None) -> None:
    assert holds(examples.allow("kms:Decrypt", conditions=((operator, key, values),)), CONTEXT) is expected


def test_every_condition_must_be_met() -> None:
    met = ("StringLike", "kms:ViaService", ("dynamodb.*",))
    unmet = ("StringLike", "kms:ViaService", ("ec2.*",))
    unknown = ("StringEquals", "aws:PrincipalOrgID", ("o-1",))
    assert holds(examples.allow("kms:Decrypt"), NOTHING_KNOWN) is True
    assert holds(examples.allow("kms:Decrypt", conditions=(met, unknown)), CONTEXT) is None
    assert holds(examples.allow("kms:Decrypt", conditions=(met, unknown, unmet)), CONTEXT) is False


@given(st.lists(st.sampled_from((True, False, None))))
def test_what_is_not_known_could_be_either(answers: list[bool | None]) -> None:
    """An answer is given only where no way of filling in what is not known changes it."""
    filled = [[one if one is not None else guess for one in answers] for guess in (True, False)]
    for join, plain in ((all_of, all), (any_of, any)):
        could = {plain(one) for one in filled}
        assert join(answers) is (could.pop() if len(could) == 1 else None)
