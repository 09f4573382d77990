"""The drill's role may do all that a drill calls: a drill in the sandbox is watched to see what that is.

The table is under AWS's own key, and under a customer's: then DynamoDB uses keys with its caller's rights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.templates.calls import ACCOUNT, Call, Watch, of_the_tables_key
from tests.templates.deploying import START, deploy_all, techmoda

from backcheck.controls.conditions import Context
from backcheck.controls.iam_policy import allows
from backcheck.drill.opening import Opened, SandboxClock
from backcheck.drill.reach import Patience
from backcheck.drill.session import perform
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.iam import NamedPolicy
from backcheck.permissions import samples
from backcheck.sandbox.sandbox import Sandbox

ASKED_BY_CONDITION = {"dynamodb:DeleteTable", "iam:PassRole"}
"""Allowed on a tag, and to one service: statements whose conditions tests/templates/test_rights.py holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A sandbox with our stacks, and the bucket of the drill's witnesses."""

    sandbox: Sandbox
    bucket: str
    key: str
    """The table's customer key; empty: AWS's own."""


@pytest.fixture(scope="module", params=[False, True], ids=["aws-owned-key", "customer-key"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """All our stacks, five items, and two nights."""
    with Sandbox(start=START) as opened:
        on = {"DynamoDB": True}
        for region in techmoda().regions.values():
            opened.client("backup", region=region).update_region_settings(
                ResourceTypeOptInPreference=on, ResourceTypeManagementPreference=on
            )
        key = opened.client("kms").create_key()["KeyMetadata"]["Arn"] if request.param else ""
        more = {name: {"TableKeyArn": key} for name in ("primary", "restore-testing", "drill")}
        more["drill"] |= {"EnableCanary": "true"}
        bucket = deploy_all(opened, more=more)["drill"].resources["WitnessBucket"].physical
        assert bucket is not None
        opened.client("s3").create_bucket(Bucket=bucket.ref)  # the sandbox's CloudFormation names it and makes none
        for number in range(5):
            opened.client("dynamodb").put_item(TableName="techmoda-products", Item={"id": {"S": str(number)}})
        opened.clock.advance(days=2)
        yield Site(sandbox=opened, bucket=bucket.ref, key=key)


def policies_of(site: Site, role: str) -> tuple[NamedPolicy, ...]:
    iam = site.sandbox.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = {name: iam.get_role_policy(RoleName=role, PolicyName=name) for name in names}
    assert documents
    return tuple(
        NamedPolicy(name=name, arn=None, document=parse_document(found["PolicyDocument"]))
        for name, found in documents.items()
    )


@pytest.fixture(scope="module")
def role(site: Site) -> tuple[NamedPolicy, ...]:
    return policies_of(site, "techmoda-drill")


def test_the_drill_role_may_audit(role: tuple[NamedPolicy, ...]) -> None:
    # roles are all that an audit simulates
    asked = {(action, one.replace(f":iam::{ACCOUNT}:*", f":iam::{ACCOUNT}:role/*"))
             for action, one in samples(techmoda(), techmoda().accounts[0])}  # fmt: skip
    assert {one for one in asked if allows(role, *one) is not True} == set()


@pytest.mark.parametrize("exported", [False, True])
def test_the_drill_role_may_do_what_a_drill_calls(
    site: Site, role: tuple[NamedPolicy, ...], tmp_path: Path, *, exported: bool
) -> None:
    watch = Watch()
    session = site.sandbox.session()
    session.events.register("before-parameter-build", watch)
    target = Target(account=techmoda().accounts[0], session=session, kind=Kind.SANDBOX)
    account = Opened(targets=(target,), acting=(target,), clock=SandboxClock(site.sandbox.clock))
    wanted = {"witness_bucket": site.bucket} if exported else {}
    done = perform(techmoda(), account, wanted, Patience(), tmp_path)
    assert {record.passed for record in done.records} == {True}
    used = used_keys(site, watch.calls)
    assert len({key for _, key in used}) == (2 if site.key else 0)
    assert {call for call, context in used.items() if allows(role, *call, context) is not True} == set()
    answers = {call: allows(role, *call) for call in watch.calls}
    actions = {action for action, _ in answers}
    assert actions >= {"dynamodb:RestoreTableToPointInTime", "backup:StartRestoreJob", "dynamodb:DeleteTable"}
    assert ("s3:GetObject" in actions) is exported
    assert {call for call, answer in answers.items() if answer is False} == set()
    assert {action for (action, _), answer in answers.items() if answer is None} <= ASKED_BY_CONDITION


def used_keys(site: Site, calls: set[Call]) -> Mapping[Call, Context]:
    """What DynamoDB does with its caller's rights to the keys of the tables, and what such a request carries.

    A copy is restored under the key of its vault where its source is under a customer's: no other works in that region.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-cmk-trail
    """
    if not site.key:
        return {}
    there = {call for call in calls if ":us-west-2:" in call[1]}
    vault = site.sandbox.client("backup", region="us-west-2").describe_backup_vault(BackupVaultName="techmoda-vault-dr")
    here_context = {"kms:viaservice": ("dynamodb.us-east-1.amazonaws.com",)}
    there_context = {
        "kms:viaservice": ("dynamodb.us-west-2.amazonaws.com",),
        "kms:resourcealiases": ("alias/techmoda-vault-dr",),
    }
    return dict.fromkeys(of_the_tables_key(calls - there, site.key), here_context) | dict.fromkeys(
        of_the_tables_key(there, vault["EncryptionKeyArn"]), there_context
    )


def test_the_canary_role_may_use_the_key_of_the_table_that_it_writes_to(site: Site) -> None:
    canary = policies_of(site, "techmoda-canary")
    context = {"kms:viaservice": ("dynamodb.us-east-1.amazonaws.com",)}
    key = site.key or f"arn:aws:kms:us-east-1:{ACCOUNT}:key/another"
    assert allows(canary, "kms:Decrypt", key, context) is bool(site.key)
