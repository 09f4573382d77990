"""Plans: what AWS accepts and refuses, versions, previews, selections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, DR, Bench, rule

DESTINATION = f"arn:aws:backup:{DR}:{ACCOUNT}:backup-vault:dr"


def copy_to(arn: str, **lifecycle: int) -> dict[str, Any]:
    return {"DestinationBackupVaultArn": arn, **({"Lifecycle": lifecycle} if lifecycle else {})}


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        pytest.param(
            {"Lifecycle": {"DeleteAfterDays": 90, "MoveToColdStorageAfterDays": 30}},
            "InvalidParameterValueException",
            "DeleteAfterDays cannot be less than 90 days apart from MoveToColdStorageAfterDays",
            id="90 days of retention, cold after 30",
        ),
        pytest.param(
            {"Lifecycle": {"DeleteAfterDays": 0}}, "InvalidParameterValueException", "from 1 to 36500", id="0"
        ),
        pytest.param(
            {"Lifecycle": {"DeleteAfterDays": 30, "DeleteAfterEvent": "DELETE_AFTER_COPY"}},
            "InvalidParameterValueException",
            "DeleteAfterEvent is not valid as an input",
            id="gone once it is copied",
        ),
        pytest.param({"StartWindowMinutes": 10}, "InvalidParameterValueException", "at least 60", id="start window"),
        pytest.param(
            {"CompletionWindowMinutes": 52_560_001}, "InvalidParameterValueException", "52560000", id="completion"
        ),
        pytest.param({"ScheduleExpression": "cron(0 1 * * *)"}, "InvalidParameterValueException", "", id="five fields"),
        pytest.param({"ScheduleExpression": "cron(0 1 * * * *)"}, "InvalidParameterValueException", "", id="no ?"),
        pytest.param(
            {"ScheduleExpression": "cron(0/30 * * * ? *)"}, "InvalidParameterValueException", "hourly", id="half-hourly"
        ),
        pytest.param({"ScheduleExpression": "rate(1 day)"}, "UnsupportedOperation", "only cron", id="rate"),
        pytest.param(
            {"ScheduleExpressionTimezone": "Europe/Nowhere"}, "InvalidParameterValueException", "time zone", id="zone"
        ),
        pytest.param({"TargetBackupVaultName": "none"}, "InvalidParameterValueException", "does not exist", id="vault"),
        pytest.param({"RuleName": "a b"}, "InvalidParameterValueException", "RuleName", id="rule name"),
        pytest.param(
            {"EnableContinuousBackup": True, "Lifecycle": {"DeleteAfterDays": 36}},
            "InvalidParameterValueException",
            "from 1 to 35",
            id="continuous too long",
        ),
        pytest.param(
            {"CopyActions": [copy_to("arn:aws:s3:::bucket")]}, "InvalidParameterValueException", "ARN", id="copy ARN"
        ),
        pytest.param(
            {"CopyActions": [copy_to(DESTINATION, DeleteAfterDays=100, MoveToColdStorageAfterDays=30)]},
            "InvalidParameterValueException",
            "copy action",
            id="copy lifecycle",
        ),
        pytest.param(
            {"CopyActions": [copy_to(DESTINATION)] * 6}, "LimitExceededException", "5 copy actions", id="copies"
        ),
        pytest.param(
            {"RecoveryPointTags": {f"k{n}": "v" for n in range(11)}}, "LimitExceededException", "10 tags", id="tags"
        ),
        pytest.param(
            {"TargetLogicallyAirGappedBackupVaultArn": DESTINATION}, "UnsupportedOperation", "AirGapped", id="air gap"
        ),
    ],
)
def test_what_is_refused(bench: Bench, fields: dict[str, Any], code: str, message: str) -> None:
    bench.vault()
    with pytest.raises(ClientError, match=f"{code}.*{message}") as refused:
        bench.plan(rule(**fields))
    assert refused.value.response["Error"]["Code"] == code
    assert bench.backup.list_backup_plans()["BackupPlansList"] == []


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"Lifecycle": {"DeleteAfterDays": 120, "MoveToColdStorageAfterDays": 30}}, id="exactly 90 more"),
        pytest.param({"Lifecycle": {}}, id="kept for ever"),
        pytest.param({"Lifecycle": {"DeleteAfterDays": -1, "MoveToColdStorageAfterDays": -1}}, id="-1 is for ever"),
        pytest.param({"StartWindowMinutes": 60, "CompletionWindowMinutes": 1}, id="windows of any relation"),
        pytest.param({"CopyActions": [copy_to(DESTINATION)]}, id="a copy to a vault that does not exist"),
        pytest.param({"EnableContinuousBackup": True, "Lifecycle": {"DeleteAfterDays": 35}}, id="continuous"),
    ],
)
def test_what_is_accepted(bench: Bench, fields: dict[str, Any]) -> None:
    bench.vault()
    plan_id = bench.plan(rule(**fields))
    [kept] = bench.backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["Rules"]
    for name, value in fields.items():
        assert kept[name] == value


def test_defaults_are_shown(bench: Bench) -> None:
    bench.vault()
    plan_id = bench.plan({"RuleName": "r", "TargetBackupVaultName": "vault"})
    [kept] = bench.backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["Rules"]
    assert kept.pop("RuleId")
    assert kept == {
        "RuleName": "r",
        "TargetBackupVaultName": "vault",
        "ScheduleExpression": "cron(0 5 ? * * *)",
        "ScheduleExpressionTimezone": "Etc/UTC",
        "StartWindowMinutes": 480,
        "CompletionWindowMinutes": 10_080,
    }


def test_a_plan_has_at_most_ten_rules(bench: Bench) -> None:
    bench.vault()
    bench.plan(*(rule(f"r{n}") for n in range(10)))
    with pytest.raises(ClientError, match="LimitExceededException"):
        bench.plan(*(rule(f"r{n}") for n in range(11)), name="eleven")


@pytest.mark.parametrize("name", ["a b", "a" * 51, ""])
def test_a_plan_name_is_checked(bench: Bench, name: str) -> None:
    bench.vault()
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*plan name"):
        bench.plan(rule(), name=name)


def test_the_same_document_again_already_exists(bench: Bench) -> None:
    bench.vault()
    bench.plan(rule())
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        bench.plan(rule())
    bench.plan(rule("other"))
    assert len(bench.backup.list_backup_plans()["BackupPlansList"]) == 2


def test_the_same_creator_request_returns_the_plan(bench: Bench) -> None:
    bench.vault()
    document = {"BackupPlanName": "plan", "Rules": [rule()]}
    made = [bench.backup.create_backup_plan(BackupPlan=document, CreatorRequestId="once") for _ in range(2)]
    assert made[0]["BackupPlanId"] == made[1]["BackupPlanId"]


class TestVersions:
    def test_an_update_is_a_new_version_and_the_old_one_stays(self, bench: Bench) -> None:
        bench.vault()
        plan_id = bench.plan(rule())
        before = bench.backup.get_backup_plan(BackupPlanId=plan_id)
        bench.advance(days=1)
        changed = {"BackupPlanName": "plan", "Rules": [rule(Lifecycle={"DeleteAfterDays": 60})]}
        after = bench.backup.update_backup_plan(BackupPlanId=plan_id, BackupPlan=changed)
        assert after["VersionId"] != before["VersionId"]
        versions = bench.backup.list_backup_plan_versions(BackupPlanId=plan_id)["BackupPlanVersionsList"]
        assert [v["VersionId"] for v in versions] == [before["VersionId"], after["VersionId"]]
        old = bench.backup.get_backup_plan(BackupPlanId=plan_id, VersionId=before["VersionId"])
        assert old["BackupPlan"] == before["BackupPlan"]
        new = bench.backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["Rules"][0]
        assert new["Lifecycle"] == {"DeleteAfterDays": 60}

    def test_points_keep_the_lifecycle_they_were_made_with(self, bench: Bench) -> None:
        bench.vault()
        plan_id = bench.plan(rule(), resources=[bench.table()], role=bench.role())
        bench.advance(days=1)
        changed = {"BackupPlanName": "plan", "Rules": [rule(Lifecycle={"DeleteAfterDays": 60})]}
        bench.backup.update_backup_plan(BackupPlanId=plan_id, BackupPlan=changed)
        bench.advance(days=1)
        assert [point["Lifecycle"]["DeleteAfterDays"] for point in bench.points()] == [30, 60]

    def test_an_unknown_version_is_not_found(self, bench: Bench) -> None:
        bench.vault()
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            bench.backup.get_backup_plan(BackupPlanId=bench.plan(rule()), VersionId="none")


def test_the_preview_is_the_next_runs_of_every_rule(bench: Bench) -> None:
    bench.vault()
    plan_id = bench.plan(rule(), rule("weekly", ScheduleExpression="cron(0 0 ? * SUN *)"))
    reply = bench.backup.get_backup_plan(BackupPlanId=plan_id, MaxScheduledRunsPreview=4)
    rules = {r["RuleId"]: r["RuleName"] for r in reply["BackupPlan"]["Rules"]}
    assert [(rules[run["RuleId"]], run["ExecutionTime"]) for run in reply["ScheduledRunsPreview"]] == [
        ("daily", datetime(2026, 1, 2, 1, tzinfo=UTC)),
        ("daily", datetime(2026, 1, 3, 1, tzinfo=UTC)),
        ("weekly", datetime(2026, 1, 4, 0, tzinfo=UTC)),
        ("daily", datetime(2026, 1, 4, 1, tzinfo=UTC)),
    ]
    assert "ScheduledRunsPreview" not in bench.backup.get_backup_plan(BackupPlanId=plan_id)


def test_a_plan_with_selections_cannot_be_deleted(bench: Bench) -> None:
    bench.vault()
    plan_id = bench.plan(rule(), resources=[bench.table()], role=bench.role())
    with pytest.raises(ClientError, match=r"InvalidRequestException.*must be deleted prior"):
        bench.backup.delete_backup_plan(BackupPlanId=plan_id)
    [selection] = bench.backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]
    bench.backup.delete_backup_selection(BackupPlanId=plan_id, SelectionId=selection["SelectionId"])
    bench.backup.delete_backup_plan(BackupPlanId=plan_id)
    assert bench.backup.list_backup_plans()["BackupPlansList"] == []
    [deleted] = bench.backup.list_backup_plans(IncludeDeleted=True)["BackupPlansList"]
    assert deleted["DeletionDate"] == bench.clock.now()
    bench.advance(days=3)
    assert bench.jobs() == []


class TestSelections:
    def test_it_is_kept_as_it_was_given(self, bench: Bench) -> None:
        bench.vault()
        plan_id = bench.plan(rule())
        document = {
            "SelectionName": "s",
            "IamRoleArn": bench.role(),
            "Resources": ["arn:aws:dynamodb:*:*:table/*"],
            "NotResources": ["arn:aws:dynamodb:*:*:table/tmp-*"],
            "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}],
            "Conditions": {"StringLike": [{"ConditionKey": "aws:ResourceTag/env", "ConditionValue": "p*"}]},
        }
        made = bench.backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=document)
        reply = bench.backup.get_backup_selection(BackupPlanId=plan_id, SelectionId=made["SelectionId"])
        assert reply["BackupSelection"] == document

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"Resources": [f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t{n}" for n in range(501)]}, "500 ARNs"),
            (
                {"Resources": [f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t{n}*" for n in range(31)]},
                "30 with wildcards",
            ),
            (
                {
                    "ListOfTags": [
                        {"ConditionType": "STRINGEQUALS", "ConditionKey": f"k{n}", "ConditionValue": "v"}
                        for n in range(31)
                    ]
                },
                "30 tags",
            ),
        ],
    )
    def test_limits(self, bench: Bench, fields: dict[str, Any], message: str) -> None:
        bench.vault()
        document = {"SelectionName": "s", "IamRoleArn": bench.role(), **fields}
        with pytest.raises(ClientError, match=f"InvalidParameterValueException.*{message}"):
            bench.backup.create_backup_selection(BackupPlanId=bench.plan(rule()), BackupSelection=document)

    def test_names_are_taken_once_in_a_plan(self, bench: Bench) -> None:
        bench.vault()
        plan_id = bench.plan(rule(), resources=["*"], role=bench.role())
        with pytest.raises(ClientError, match="AlreadyExistsException"):
            bench.backup.create_backup_selection(
                BackupPlanId=plan_id, BackupSelection={"SelectionName": "all", "IamRoleArn": "arn:aws:iam::1:role/r"}
            )

    def test_a_resource_in_two_selections_is_backed_up_once(self, bench: Bench) -> None:
        bench.vault()
        role, arn = bench.role(), bench.table(backup="yes")
        plan_id = bench.plan(rule(), resources=[arn], role=role)
        tags = [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}]
        bench.backup.create_backup_selection(
            BackupPlanId=plan_id, BackupSelection={"SelectionName": "tagged", "IamRoleArn": role, "ListOfTags": tags}
        )
        bench.advance(days=1)
        assert len(bench.jobs()) == 1

    def test_tags_choose_the_tables(self, bench: Bench) -> None:
        bench.vault()
        wanted = bench.table("wanted", backup="yes")
        bench.table("not-wanted", backup="no")
        bench.table("other-case", Backup="yes")
        plan_id = bench.plan(rule())
        tags = [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}]
        bench.backup.create_backup_selection(
            BackupPlanId=plan_id,
            BackupSelection={"SelectionName": "tagged", "IamRoleArn": bench.role(), "ListOfTags": tags},
        )
        bench.advance(days=1)
        assert [job["ResourceArn"] for job in bench.jobs()] == [wanted]

    def test_restore_tests_are_ignored(self, bench: Bench) -> None:
        bench.vault()
        bench.table("awsbackup-restore-test-x")
        bench.plan(rule(), resources=["arn:aws:dynamodb:*:*:table/*"], role=bench.role())
        bench.advance(days=1)
        assert bench.jobs() == []
