"""The drill's role may do all that a drill calls: a drill in the sandbox is watched to see what that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.templates.calls import ACCOUNT, Watch
from tests.templates.deploying import START, deploy_all, techmoda

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


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """All our stacks, five items, and two nights."""
    with Sandbox(start=START) as opened:
        on = {"DynamoDB": True}
        for region in techmoda().regions.values():
            opened.client("backup", region=region).update_region_settings(
                ResourceTypeOptInPreference=on, ResourceTypeManagementPreference=on
            )
        bucket = deploy_all(opened)["drill"].resources["WitnessBucket"].physical
        assert bucket is not None
        opened.client("s3").create_bucket(Bucket=bucket.ref)  # the sandbox's CloudFormation names it and makes none
        for number in range(5):
            opened.client("dynamodb").put_item(TableName="techmoda-products", Item={"id": {"S": str(number)}})
        opened.clock.advance(days=2)
        yield Site(sandbox=opened, bucket=bucket.ref)


@pytest.fixture(scope="module")
def role(site: Site) -> tuple[NamedPolicy, ...]:
    iam = site.sandbox.client("iam")
    names = iam.list_role_policies(RoleName="techmoda-drill")["PolicyNames"]
    documents = {name: iam.get_role_policy(RoleName="techmoda-drill", PolicyName=name) for name in names}
    assert documents
    return tuple(
        NamedPolicy(name=name, arn=None, document=parse_document(found["PolicyDocument"]))
        for name, found in documents.items()
    )


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
    answers = {call: allows(role, *call) for call in watch.calls}
    actions = {action for action, _ in answers}
    assert actions >= {"dynamodb:RestoreTableToPointInTime", "backup:StartRestoreJob", "dynamodb:DeleteTable"}
    assert ("s3:GetObject" in actions) is exported
    assert {call for call, answer in answers.items() if answer is False} == set()
    assert {action for (action, _), answer in answers.items() if answer is None} <= ASKED_BY_CONDITION
