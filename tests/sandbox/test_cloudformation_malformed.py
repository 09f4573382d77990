"""Whatever stands in a template's properties, a deployment ends with a stack: nothing crashes on the way."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_removal import delete
from backcheck.sandbox.cloudformation_types import KINDS
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.load import loads

KEYS = {
    "AWS::Backup::BackupPlan": ["BackupPlan", "BackupPlanTags", "BackupPlanName", "BackupPlanRule", "RuleName"],
    "AWS::Backup::BackupVault": ["BackupVaultName", "AccessPolicy", "Notifications", "LockConfiguration"],
    "AWS::DynamoDB::GlobalTable": ["Replicas", "Region", "KeySchema", "TableName", "Tags", "StreamSpecification"],
    "AWS::DynamoDB::Table": ["TableName", "KeySchema", "Tags", "ResourcePolicy", "PointInTimeRecoverySpecification"],
    "AWS::IAM::Role": ["AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "PolicyDocument", "RoleName"],
    "AWS::KMS::Key": ["KeyPolicy", "Tags", "EnableKeyRotation", "PendingWindowInDays"],
    "AWS::Lambda::Function": ["Code", "Role", "Tags", "Environment", "Handler", "PackageType"],
    "AWS::SNS::Topic": ["Subscription", "Tags", "FifoTopic", "TopicName", "Protocol"],
    "AWS::Events::Rule": ["Targets", "EventPattern", "ScheduleExpression", "State", "Name"],
}
OTHERS = ["Roles", "PolicyName", "RoleName", "Topics", "TopicArn", "FunctionName", "AliasName", "Tags", "BackupPlanId"]
names = itertools.count()
scalars = st.one_of(st.booleans(), st.integers(-1, 99), st.floats(0, 1), st.text(max_size=3), st.just("eu-west-1"))


def properties(kind: str) -> st.SearchStrategy[dict[str, object]]:
    keys = st.sampled_from([*KEYS.get(kind, OTHERS), "Key", "Value"])
    values = st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(keys, inner, max_size=3)),
        max_leaves=6,
    )
    return st.dictionaries(keys, values, max_size=5)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start=datetime(2026, 11, 1, tzinfo=UTC)) as opened:
        yield opened


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_malformed_properties_end_in_a_stack(sandbox: Sandbox, kind: str) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(properties(kind))
    def check(drawn: dict[str, object]) -> None:
        body = json.dumps({"Resources": {"R": {"Type": kind, "Properties": drawn}}})
        stack = deploy(loads(body), into=account_in(sandbox.world), stack_name=f"s{next(names)}")
        assert stack.status in {"CREATE_COMPLETE", "ROLLBACK_COMPLETE"}
        assert stack.failure or stack.status == "CREATE_COMPLETE"
        delete(stack, of=account_in(sandbox.world))
        assert stack.status == "DELETE_COMPLETE"

    check()
