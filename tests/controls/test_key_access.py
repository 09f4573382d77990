"""A role's policies and a key's, taken together: what they come to, and that a Deny always wins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.controls import examples
from backcheck.controls.key_access import DYNAMODB, USING, Need, refusals
from backcheck.controls.key_needs import WRITING
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, Role, Statement

THE_ROLE = examples.role()
ROOT, ITSELF = f"arn:aws:iam::{examples.ACCOUNT}:root", THE_ROLE.arn
EVERYBODY, ANOTHER = "*", f"arn:aws:iam::{examples.ACCOUNT}:role/another"
SESSION = f"arn:aws:sts::{examples.ACCOUNT}:assumed-role/shop-backup/restores"
OF = "it may not {} with the key of vault shop-vault: {}"
ALL = ", ".join(USING)
NOT_LEFT = OF.format(ALL, "the key's policy neither allows it nor leaves it to IAM")
NOT_ALLOWED = OF.format(ALL, "none of its policies allows it (the key's aliases: alias/shop-vault)")


def to(who: str, *actions: str, **changes: object) -> Statement:
    """A statement of a key's policy."""
    return examples.allow(*(actions or ("kms:*",)), principals=(("AWS", who),), **changes)


def key(*statements: Statement, **changes: object) -> Key:
    return examples.key(policy=examples.document(*statements), **changes)


def said(own: tuple[Statement, ...], of_key: Key, role: Role = THE_ROLE) -> list[str | Gap]:
    policies = (examples.inline(*own),)
    return list(refusals(role, policies, Need(key=of_key, of="vault shop-vault")))


USES = examples.use_keys()
VIA = "kms:ViaService"


@pytest.mark.parametrize(
    ("own", "of_key", "expected"),
    [
        ((USES,), key(to(ROOT)), ""),
        ((USES,), key(to(examples.ACCOUNT)), ""),
        ((), key(to(ROOT)), NOT_ALLOWED),
        ((), key(to(ITSELF)), ""),
        ((), key(to(EVERYBODY, conditions=(("StringEquals", "kms:CallerAccount", (examples.ACCOUNT,)),))), ""),
        ((USES,), key(to(ANOTHER)), NOT_LEFT),
        ((USES,), key(), NOT_LEFT),
        (
            (USES,),
            key(to(ROOT), to(ROOT, "kms:Decrypt", effect="Deny")),
            OF.format(USING[1], "the key's policy denies it"),
        ),
        ((USES,), key(to(ROOT), to(ANOTHER, effect="Deny")), ""),
        (
            (USES, examples.allow("kms:*", effect="Deny", resources=(examples.DR_KEY_ARN,))),
            key(to(ROOT)),
            "",
        ),
        (
            (USES, examples.allow("kms:CreateGrant", effect="Deny")),
            key(to(ITSELF)),
            OF.format(USING[0], "its own policies deny it"),
        ),
        (
            (examples.use_keys(resources=("arn:aws:kms:us-east-1:111122223333:alias/shop-vault",)),),
            key(to(ROOT)),
            NOT_ALLOWED,
        ),
    ],
)  # fmt: skip
def test_both_policies_decide(own: tuple[Statement, ...], of_key: Key, expected: str) -> None:
    assert said(own, of_key) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("own", "of_key", "about"),
    [
        ((examples.use_keys(("StringLike", VIA, ("backup.*.amazonaws.com",))),), key(to(ROOT)), USING[1:]),
        ((examples.use_keys(("StringLike", VIA, ("dynamodb.*.amazonaws.com",))),), key(to(ROOT)), USING[:1]),
        ((USES,), key(to(ROOT), to(SESSION, effect="Deny")), USING),
        ((USES,), key(to(ROOT), to("", effect="Deny", not_principals=(("AWS", ITSELF),))), USING),
        (
            (USES,),
            key(to(ROOT, conditions=(("ForAnyValue:StringEquals", "kms:ResourceAliases", ("alias/shop-vault",)),))),
            USING,
        ),
        ((USES, examples.allow("kms:*", effect="Deny", conditions=(("Bool", "aws:ViaAWSService", ("false",)),))),
         key(to(ROOT)), USING),
    ],
)  # fmt: skip
def test_where_no_page_tells_it_is_not_known(own: tuple[Statement, ...], of_key: Key, about: tuple[str, ...]) -> None:
    [gap] = said(own, of_key)
    assert isinstance(gap, Gap)
    assert gap.code == "NotDecided"
    assert f"whether it may {', '.join(about)} with the key of vault shop-vault hangs on a condition" in gap.detail


def test_the_page_on_encryption_gives_grants_through_aws_backup() -> None:
    grants = (
        ("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ("aws:backup:backup-vault",)),
        ("Bool", "kms:GrantIsForAWSResource", ("true",)),
        ("StringLike", VIA, ("backup.*.amazonaws.com",)),
    )
    of_key = key(to(ROOT, *USING[1:]), to(ROOT, USING[0], conditions=grants))
    assert said((USES,), of_key) == []


def test_aws_own_key_is_left_to_aws_but_for_what_the_role_is_denied() -> None:
    of_aws = examples.key(manager="AWS", policy=None, aliases=examples.gap("ListAliases", "NotAsked", service="kms"))
    assert said((), of_aws) == []
    [refused] = said((examples.allow("kms:Decrypt", effect="Deny"),), of_aws)
    assert refused == OF.format(USING[1], "its own policies deny it")


def test_another_accounts_key_must_let_the_role_in_and_the_role_may() -> None:
    foreign = key(to(ITSELF), arn="arn:aws:kms:us-east-1:444455556666:key/theirs", account="444455556666")
    assert said((USES,), foreign) == []
    assert said((), foreign) == [NOT_ALLOWED]
    assert said((USES,), replace(foreign, policy=examples.document(to("444455556666")))) == [NOT_LEFT]


def test_a_key_policy_that_was_not_read_is_named_but_a_deny_of_the_role_is_known() -> None:
    unread = examples.key(policy=examples.gap("GetKeyPolicy", service="kms"))
    assert said((USES,), unread) == [unread.policy]
    assert said((USES, examples.use_keys(effect="Deny")), unread) == [OF.format(ALL, "its own policies deny it")]


def test_a_table_under_the_key_takes_what_dynamodb_needs() -> None:
    example = examples.allow(*WRITING, conditions=(("StringLike", VIA, ("dynamodb.*.amazonaws.com",)),))
    need = Need(key=key(to(ROOT)), of="table orders", actions=WRITING, granted_by=DYNAMODB)
    assert list(refusals(THE_ROLE, (examples.inline(example),), need)) == []
    doubtful = replace(need, doubt="pages differ")
    [gap] = refusals(THE_ROLE, (examples.inline(),), doubtful)
    assert isinstance(gap, Gap)
    assert gap.detail.startswith("pages differ; it may not kms:CreateGrant, kms:Decrypt, kms:DescribeKey")


CONDITIONS = st.sampled_from(
    (
        (),
        (("Bool", "kms:GrantIsForAWSResource", ("true",)),),
        (("StringLike", VIA, ("dynamodb.*.amazonaws.com",)),),
        (("StringLike", VIA, ("backup.*.amazonaws.com",)),),
        (("StringNotEquals", "aws:PrincipalOrgID", ("o-1",)),),
        (examples.by_alias("shop-*"),),
        (examples.by_alias("other"),),
    )
)
STATEMENTS = st.lists(
    st.builds(
        lambda actions, effect, conditions, who: examples.allow(
            *actions, effect=effect, conditions=conditions, principals=(("AWS", who),)
        ),
        st.lists(st.sampled_from((*USING, "kms:*")), min_size=1, max_size=2),
        st.sampled_from(("Allow", "Deny")),
        CONDITIONS,
        st.sampled_from((ROOT, ITSELF, EVERYBODY, ANOTHER)),
    ),
    max_size=4,
)


@given(STATEMENTS, STATEMENTS)
def test_a_deny_without_conditions_always_refuses(own: list[Statement], of_key: list[Statement]) -> None:
    deny = examples.use_keys(effect="Deny", principals=(("AWS", EVERYBODY),))
    for answers in (said((*own, deny), key(*of_key)), said(tuple(own), key(*of_key, deny))):
        assert [one for one in answers if isinstance(one, str)]
        assert {action for action in USING for one in answers if isinstance(one, str) and action in one} == set(USING)


@given(STATEMENTS, STATEMENTS)
def test_without_an_allow_nothing_is_allowed(own: list[Statement], of_key: list[Statement]) -> None:
    denying = [one for one in of_key if one.effect == "Deny"]
    assert all(isinstance(one, str) for one in said(tuple(own), key(*denying)))
    assert said(tuple(own), key(*denying))


@given(STATEMENTS, STATEMENTS)
def test_one_allow_more_never_refuses_more(own: list[Statement], of_key: list[Statement]) -> None:
    before = {one for one in said(tuple(own), key(*of_key)) if isinstance(one, str)}
    after = {one for one in said((*own, USES), key(*of_key)) if isinstance(one, str)}
    refused = {action for action in USING if any(action in one for one in before)}
    assert {action for action in USING if any(action in one for one in after)} <= refused
