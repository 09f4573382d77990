"""Calls that go wrong on request, and operations that are not there."""

from __future__ import annotations

import json

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from backcheck.errors import UsageError

from .conftest import DR, Bench

ONCE = Config(retries={"max_attempts": 0})


@pytest.mark.parametrize(
    ("service", "method", "code"),
    [
        ("backup", "list_backup_plans", "AccessDeniedException"),
        ("dynamodb", "list_tables", "AccessDeniedException"),
        ("kms", "list_keys", "AccessDeniedException"),
        ("iam", "list_roles", "AccessDenied"),
        ("sns", "list_topics", "AccessDenied"),
        ("sts", "get_caller_identity", "AccessDenied"),
        ("events", "list_rules", "AccessDeniedException"),
        ("lambda", "list_functions", "AccessDeniedException"),
        ("cloudwatch", "describe_alarms", "AccessDenied"),
        ("cloudtrail", "lookup_events", "AccessDeniedException"),
        ("resourcegroupstaggingapi", "get_resources", "AccessDeniedException"),
    ],
)
def test_a_denied_operation_says_so_in_each_protocol(bench: Bench, service: str, method: str, code: str) -> None:
    bench.sandbox.faults.deny(f"{service}:*")
    with pytest.raises(ClientError) as refused:
        getattr(bench.sandbox.client(service), method)()
    assert refused.value.response["Error"]["Code"] == code
    assert "is not authorized to perform" in refused.value.response["Error"]["Message"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


def test_a_denial_is_for_one_operation_and_region(bench: Bench) -> None:
    bench.sandbox.faults.deny("backup:ListCopyJobs", region=DR)
    assert bench.backup.list_copy_jobs()["CopyJobs"] == []
    there = bench.sandbox.client("backup", region=DR)
    assert there.list_backup_jobs()["BackupJobs"] == []
    with pytest.raises(ClientError, match="AccessDeniedException"):
        there.list_copy_jobs()


def test_throttling_passes(bench: Bench) -> None:
    bench.sandbox.faults.throttle("backup:ListBackupPlans", times=2)
    impatient = bench.sandbox.session().client("backup", config=ONCE)
    for _ in range(2):
        with pytest.raises(ClientError, match="ThrottlingException"):
            impatient.list_backup_plans()
    assert impatient.list_backup_plans()["BackupPlansList"] == []


def test_any_error_on_request(bench: Bench) -> None:
    bench.sandbox.faults.fail_calls("backup:ListBackupPlans", "ServiceUnavailableException", "later", times=1)
    with pytest.raises(ClientError, match=r"ServiceUnavailableException.*later"):
        bench.sandbox.session().client("backup", config=ONCE).list_backup_plans()


def test_an_outcome_that_does_not_exist(bench: Bench) -> None:
    with pytest.raises(UsageError, match="cannot end with BROKEN"):
        bench.sandbox.faults.backup_jobs("BROKEN")


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("backup", "list_scan_jobs", {}),
        ("backup", "create_framework", {"FrameworkName": "f", "FrameworkControls": []}),
        ("dynamodb", "describe_contributor_insights", {"TableName": "orders"}),
        ("iam", "simulate_custom_policy", {"PolicyInputList": ["{}"], "ActionNames": ["a:b"]}),
        ("kms", "describe_custom_key_stores", {}),
        ("cloudtrail", "list_channels", {}),
        ("ec2", "describe_regions", {}),
    ],
)
def test_what_is_not_there_is_unsupported_never_empty(
    bench: Bench, service: str, method: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(bench.sandbox.client(service), method)(**arguments)
    assert refused.value.response["Error"]["Code"] == "UnsupportedOperation"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


class TestTrail:
    def names(self, bench: Bench, **attribute: str) -> list[str]:
        given = [{"AttributeKey": key, "AttributeValue": value} for key, value in attribute.items()]
        pages = bench.sandbox.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=given)
        return [event["EventName"] for page in pages for event in page["Events"]]

    def test_changes_are_kept_newest_first_with_who_made_them(self, bench: Bench) -> None:
        bench.vault()
        bench.table()
        bench.backup.list_backup_vaults()
        bench.dynamodb.scan(TableName="orders")
        assert self.names(bench) == ["CreateTable", "CreateBackupVault"]
        [event] = bench.sandbox.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateBackupVault"}]
        )["Events"]
        detail = json.loads(event["CloudTrailEvent"])
        assert detail["userIdentity"]["arn"] == "arn:aws:iam::123456789012:root"
        assert event["EventTime"] == bench.clock.now()
        assert event["Resources"] == [{"ResourceName": "vault"}]

    def test_a_refused_change_is_kept_with_its_error(self, bench: Bench) -> None:
        bench.vault()
        with pytest.raises(ClientError):
            bench.vault()
        newest = bench.sandbox.client("cloudtrail").lookup_events()["Events"][0]
        assert json.loads(newest["CloudTrailEvent"])["errorCode"] == "AlreadyExistsException"

    def test_after_ninety_days_it_is_forgotten(self, bench: Bench) -> None:
        bench.vault()
        bench.advance(days=91)
        assert self.names(bench) == []

    def test_it_comes_in_pages(self, bench: Bench) -> None:
        for number in range(60):
            bench.vault(f"vault-{number}")
        assert len(bench.sandbox.client("cloudtrail").lookup_events()["Events"]) == 50
        assert len(self.names(bench, EventSource="backup.amazonaws.com")) == 60

    def test_only_one_attribute(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match="InvalidLookupAttributesException"):
            self.names(bench, EventName="A", ReadOnly="true")
