"""Region and global settings, restore testing, tags and subscriptions."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import DR, OTHER, Bench

POINTS = {"Algorithm": "LATEST_WITHIN_WINDOW", "RecoveryPointTypes": ["SNAPSHOT"], "IncludeVaults": ["*"]}


class TestRegionSettings:
    def test_a_new_customer_has_advanced_dynamodb(self, bench: Bench) -> None:
        settings = bench.backup.describe_region_settings()
        assert settings["ResourceTypeOptInPreference"]["DynamoDB"] is True
        assert settings["ResourceTypeManagementPreference"]["DynamoDB"] is True

    def test_what_is_not_named_stays_and_regions_are_apart(self, bench: Bench) -> None:
        bench.backup.update_region_settings(ResourceTypeOptInPreference={"DynamoDB": False})
        here = bench.backup.describe_region_settings()
        there = bench.sandbox.client("backup", region=DR).describe_region_settings()
        assert (here["ResourceTypeOptInPreference"]["DynamoDB"], here["ResourceTypeOptInPreference"]["EBS"]) == (
            False,
            True,
        )
        assert here["ResourceTypeManagementPreference"]["DynamoDB"] is True
        assert there["ResourceTypeOptInPreference"]["DynamoDB"] is True

    def test_a_type_that_aws_does_not_have(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match=r"InvalidParameterValueException.*DynamoDb"):
            bench.backup.update_region_settings(ResourceTypeOptInPreference={"DynamoDb": True})

    def test_a_tag_selection_honours_the_opt_in(self, bench: Bench) -> None:
        bench.vault()
        bench.backup.update_region_settings(ResourceTypeOptInPreference={"DynamoDB": False})
        bench.table(backup="yes")
        rule = {"RuleName": "r", "TargetBackupVaultName": "vault", "ScheduleExpression": "cron(0 1 * * ? *)"}
        plan_id = bench.plan(rule)
        tags = [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}]
        selection = {"SelectionName": "s", "IamRoleArn": bench.role(), "ListOfTags": tags}
        bench.backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection)
        bench.advance(days=1)
        assert bench.jobs() == []


class TestGlobalSettings:
    def test_outside_an_organization_they_are_an_error(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match="InvalidRequestException"):
            bench.backup.describe_global_settings()

    def test_inside_one_they_are_kept(self, bench: Bench) -> None:
        bench.sandbox.organize(OTHER)
        assert bench.backup.describe_global_settings()["GlobalSettings"] == {"isCrossAccountBackupEnabled": "false"}
        bench.backup.update_global_settings(GlobalSettings={"isCrossAccountBackupEnabled": "true"})
        reply = bench.sandbox.client("backup", account=OTHER).describe_global_settings()
        assert reply["GlobalSettings"] == {"isCrossAccountBackupEnabled": "true"}
        assert reply["LastUpdateTime"] == bench.clock.now()

    def test_an_unknown_flag(self, bench: Bench) -> None:
        bench.sandbox.organize(OTHER)
        with pytest.raises(ClientError, match="InvalidParameterValueException"):
            bench.backup.update_global_settings(GlobalSettings={"isOn": "true"})


class TestRestoreTesting:
    def plan(self, bench: Bench, **fields: Any) -> str:
        document = {
            "RestoreTestingPlanName": "drill",
            "ScheduleExpression": "cron(0 6 2 * ? *)",
            "RecoveryPointSelection": POINTS,
            **fields,
        }
        arn: str = bench.backup.create_restore_testing_plan(RestoreTestingPlan=document)["RestoreTestingPlanArn"]
        return arn

    def test_a_plan_with_its_defaults(self, bench: Bench) -> None:
        arn = self.plan(bench)
        plan = bench.backup.get_restore_testing_plan(RestoreTestingPlanName="drill")["RestoreTestingPlan"]
        assert (plan["RestoreTestingPlanArn"], plan["StartWindowHours"]) == (arn, 24)
        assert plan["ScheduleExpressionTimezone"] == "Etc/UTC"
        assert plan["RecoveryPointSelection"] == POINTS

    @pytest.mark.parametrize(
        "fields",
        [
            {"RestoreTestingPlanName": "has-dash"},
            {"ScheduleExpression": "cron(0 6 * * *)"},
            {"ScheduleExpressionTimezone": "Nowhere/At_All"},
            {"StartWindowHours": 169},
            {"RecoveryPointSelection": {**POINTS, "SelectionWindowDays": 366}},
            {"RecoveryPointSelection": {"Algorithm": "LATEST_WITHIN_WINDOW", "IncludeVaults": ["*"]}},
            {"RecoveryPointSelection": {**POINTS, "Algorithm": "NEWEST"}},
        ],
    )
    def test_what_is_refused(self, bench: Bench, fields: dict[str, Any]) -> None:
        with pytest.raises(ClientError, match="InvalidParameterValueException"):
            self.plan(bench, **fields)

    def test_it_is_changed_and_deleted_only_without_selections(self, bench: Bench) -> None:
        self.plan(bench)
        chosen = {
            "RestoreTestingSelectionName": "s",
            "ProtectedResourceType": "DynamoDB",
            "ProtectedResourceArns": ["*"],
            "IamRoleArn": bench.role(),
        }
        names = {"RestoreTestingPlanName": "drill"}
        bench.backup.create_restore_testing_selection(**names, RestoreTestingSelection=chosen)
        bench.advance(days=1)
        bench.backup.update_restore_testing_plan(**names, RestoreTestingPlan={"StartWindowHours": 2})
        [plan] = bench.backup.list_restore_testing_plans()["RestoreTestingPlans"]
        assert (plan["StartWindowHours"], plan["LastUpdateTime"]) == (2, bench.clock.now())
        with pytest.raises(ClientError, match="InvalidRequestException"):
            bench.backup.delete_restore_testing_plan(**names)
        which = {**names, "RestoreTestingSelectionName": "s"}
        bench.backup.update_restore_testing_selection(**which, RestoreTestingSelection={"ValidationWindowHours": 8})
        kept = bench.backup.get_restore_testing_selection(**which)["RestoreTestingSelection"]
        assert (kept["ValidationWindowHours"], kept["ProtectedResourceArns"]) == (8, ["*"])
        bench.backup.delete_restore_testing_selection(**which)
        bench.backup.delete_restore_testing_plan(**names)
        assert bench.backup.list_restore_testing_plans()["RestoreTestingPlans"] == []

    @pytest.mark.parametrize(
        "fields",
        [
            {"ProtectedResourceArns": ["*", "arn:aws:dynamodb:us-east-1:1:table/t"]},
            {"ProtectedResourceArns": ["*"], "ValidationWindowHours": 169},
            {
                "ProtectedResourceArns": ["arn:aws:dynamodb:us-east-1:1:table/t"],
                "ProtectedResourceConditions": {"StringEquals": [{"Key": "aws:ResourceTag/a", "Value": "b"}]},
            },
        ],
    )
    def test_what_no_selection_is(self, bench: Bench, fields: dict[str, Any]) -> None:
        self.plan(bench)
        chosen = {
            "RestoreTestingSelectionName": "s",
            "ProtectedResourceType": "DynamoDB",
            "IamRoleArn": "arn:aws:iam::123456789012:role/r",
            **fields,
        }
        with pytest.raises(ClientError, match="InvalidParameterValueException"):
            bench.backup.create_restore_testing_selection(
                RestoreTestingPlanName="drill", RestoreTestingSelection=chosen
            )


class TestTags:
    def test_they_are_added_changed_and_removed(self, bench: Bench) -> None:
        arn = bench.backup.create_backup_vault(BackupVaultName="vault", BackupVaultTags={"a": "1"})["BackupVaultArn"]
        bench.backup.tag_resource(ResourceArn=arn, Tags={"a": "2", "b": "3"})
        bench.backup.untag_resource(ResourceArn=arn, TagKeyList=["b", "none"])
        assert bench.backup.list_tags(ResourceArn=arn)["Tags"] == {"a": "2"}

    def test_reserved_keys_and_too_many(self, bench: Bench) -> None:
        arn = bench.vault()
        with pytest.raises(ClientError, match=r"InvalidParameterValueException.*aws:"):
            bench.backup.tag_resource(ResourceArn=arn, Tags={"aws:x": "1"})
        with pytest.raises(ClientError, match="LimitExceededException"):
            bench.backup.tag_resource(ResourceArn=arn, Tags={f"k{n}": "v" for n in range(51)})

    def test_of_nothing(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            bench.backup.list_tags(ResourceArn="arn:aws:backup:us-east-1:123456789012:backup-vault:none")


def test_a_mail_subscription_is_pending_until_somebody_confirms_it(bench: Bench) -> None:
    from backcheck.sandbox import topics

    sns = bench.sandbox.client("sns")
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:queue")

    def state() -> tuple[list[bool], str, str]:
        rows = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        pending = [row["SubscriptionArn"] == "PendingConfirmation" for row in rows]
        return pending, attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"]

    assert state() == ([True, False], "1", "1")
    topics.confirm(bench.sandbox.world.region("123456789012", "us-east-1"), arn)
    assert state() == ([False, False], "2", "0")
