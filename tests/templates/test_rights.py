"""Who may do what in our templates, and on what: roles, trust, stars, and the data of production."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.templates.reading import NAMES, listed, resources, statements

from backcheck.inventory.operations import OPERATIONS, Need, Operation

WRITES = re.compile(r"dynamodb:(Put|Update|Delete|BatchWrite|CreateTable|PartiQL|\*)")


NO_RESOURCE_FORM = {
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html and those of the services
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "backup:CopyFromBackupVault",
    "backup:DescribeRestoreJob",
    "backup:ListRestoreJobs",
    "backup:PutRestoreValidationResult",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
} | {operation.action for operation in OPERATIONS if operation.resource == "*"}


def _is_identity_policy(one: dict[str, Any]) -> bool:
    return "Principal" not in one


@pytest.mark.parametrize("name", NAMES)
def test_a_star_stands_only_where_there_is_no_resource_form(name: str) -> None:
    for key, one in statements(name):
        if not _is_identity_policy(one) or one["Effect"] != "Allow":
            continue
        assert not [action for action in listed(one["Action"]) if action.endswith("*")], f"{name} {key}: {one}"
        if "*" in listed(one["Resource"]):
            assert set(listed(one["Action"])) <= NO_RESOURCE_FORM, f"{name} {key}: {one.get('Sid')}"


def _is_production(resource: object) -> bool:
    """Whether a resource could be the table itself, and not only its restored or drill copies."""
    written = str(resource)
    copies = ("${RestoredTablePrefix}", "${DrillTablePrefix}")
    if any(prefix in written for prefix in copies) or "/backup/" in written or "/export/" in written:
        return False
    return "ProductsTable" in written or "TableArn" in written or ":table/" in written


@pytest.mark.parametrize("name", NAMES)
def test_only_the_canary_writes_to_the_production_table(name: str) -> None:
    for key, one in statements(name):
        if not _is_identity_policy(one) or one["Effect"] != "Allow":
            continue
        writes = [
            action for action in listed(one["Action"]) if WRITES.match(action) and action != "dynamodb:CreateBackup"
        ]
        # a backup's own deletion is of `table/*/backup/*`
        touched = [resource for resource in listed(one["Resource"]) if _is_production(resource)]
        if writes and touched:
            assert key == "CanaryRole", f"{name} {key}: {writes} on {touched}"


def test_the_canary_is_limited_by_its_leading_key_and_needs_to_be_asked_for() -> None:
    canary = resources("drill")["CanaryRole"]
    assert canary["Condition"] == "HasCanary"
    [statement] = [one for key, one in statements("drill") if key == "CanaryRole" and one.get("Sid") == "OnlyCanaries"]
    others = [one for key, one in statements("drill") if key == "CanaryRole" and _is_identity_policy(one)]
    assert [one["Action"] for one in others if one is not statement] == ["kms:Decrypt"]
    assert statement["Condition"]["ForAllValues:StringLike"] == {
        "dynamodb:LeadingKeys": [{"Fn::Sub": "${CanaryKeyPrefix}*"}]
    }
    # ForAllValues holds where the key is absent, as in a Scan
    assert statement["Condition"]["Null"] == {"dynamodb:LeadingKeys": "false"}


def test_roles_are_handed_to_aws_backup_only() -> None:
    found = 0
    for name in NAMES:
        for key, one in statements(name):
            if "iam:PassRole" in listed(one["Action"]):
                found += 1
                assert one["Condition"] == {"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}}, key
                assert "*" not in str(one["Resource"]), key
    assert found == 3


def test_a_drill_deletes_only_what_has_its_prefix_and_its_tag() -> None:
    deleting = [
        one
        for _, one in statements("drill")
        if one["Effect"] == "Allow" and "dynamodb:DeleteTable" in listed(one["Action"])
    ]
    [statement] = deleting
    assert all("${DrillTablePrefix}*" in str(resource) for resource in statement["Resource"])
    assert statement["Condition"] == {"Null": {"aws:ResourceTag/backcheck:drill": "false"}}


def _needed(operations: list[Operation]) -> set[tuple[str, str]]:
    written = {"{partition}": "${AWS::Partition}", "{region}": "*", "{account}": "${AWS::AccountId}"}
    needed = set()
    for one in operations:
        resource = one.resource
        for name, value in written.items():
            resource = resource.replace(name, value)
        needed |= {(one.action, resource)} if one.action else set()
    return needed


def _granted(name: str, key: str) -> set[tuple[str, str]]:
    return {
        (action, resource["Fn::Sub"] if isinstance(resource, dict) else resource)
        for owner, one in statements(name)
        if owner == key and _is_identity_policy(one)
        for action in listed(one["Action"])
        for resource in listed(one["Resource"])
        if isinstance(resource, str) or "Fn::Sub" in resource
    }


def test_the_auditor_may_do_exactly_what_the_collector_does() -> None:
    # roles are all that an audit simulates, so the template says roles where the list says everything of IAM
    needed = {(action, resource.replace(":iam::${AWS::AccountId}:*", ":iam::${AWS::AccountId}:role/*"))
              for action, resource in _needed(list(OPERATIONS))}  # fmt: skip
    assert _granted("auditor", "AuditorRole") == needed


def test_the_validator_may_do_what_the_collector_does_for_it() -> None:
    # not IAM's: no control of a daily validation reads a role, and who reads all of IAM reads much
    asked = [one for one in OPERATIONS if one.need in (Need.ALWAYS, Need.TAGS) and one.service != "iam"]
    assert _granted("primary", "ValidateBackupFunction") == _needed(asked)


FILLING = {
    f"dynamodb:{name}" for name in ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
}
"""What a restore does to its target with its caller's rights:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html"""


def test_what_restores_may_fill_its_targets() -> None:
    restoring = ("dynamodb:RestoreTableToPointInTime", "dynamodb:RestoreTableFromAwsBackup")
    found = 0
    for name in NAMES:
        for key, one in statements(name):
            into_copies = "TablePrefix}" in str(one.get("Resource"))
            if into_copies and one["Effect"] == "Allow" and set(restoring) & set(listed(one["Action"])):
                found += 1
                assert set(listed(one["Action"])) >= FILLING, f"{name} {key}"
    assert found == 5


def test_aws_backups_roles_are_trusted_to_it_alone() -> None:
    trusts = [
        resources(name)[key]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for name, key in (("primary", "BackupRole"), ("primary", "RestoreRole"), ("dr", "RestoreRole"))
    ]
    # nothing documents that AWS Backup sends aws:SourceAccount; a condition on it could stop every backup
    wanted = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert trusts == [[wanted]] * 3
