"""What linters do not ask: names, partitions, permissions, alarms, and who may destroy what."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from tests.templates.reading import FOLDER, NAMES, everything, resources, statements, template, text, walk

LONGEST_PREFIX = "a" + "b" * 31
"""What Prefix lets pass; the lab derived its names from a stack's name, which may have 128 characters."""

LIMITS = {
    # https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html and the API pages of each name
    "BackupVaultName": 50,
    "BackupPlanName": 50,
    "SelectionName": 50,
    "RestoreTestingPlanName": 50,
    "RestoreTestingSelectionName": 50,
    "RoleName": 64,
    "FunctionName": 64,
    "TableName": 255,
    "TopicName": 256,
    "Name": 64,
    "AlarmName": 255,
    "AliasName": 256,
    "LogGroupName": 512,
    "RuleName": 50,
}


def longest(value: object) -> str:
    """A name with the longest prefix put in."""
    if isinstance(value, str):
        return value
    assert isinstance(value, dict), value
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).replace("${Prefix}", LONGEST_PREFIX)
    if "Fn::Join" in value:
        joiner, parts = value["Fn::Join"]
        return str(joiner).join(longest(parts["Fn::Split"][1]).split(parts["Fn::Split"][0]))
    raise AssertionError(value)


@pytest.mark.parametrize("name", NAMES)
def test_no_partition_region_or_account_is_written_down(name: str) -> None:
    body = {key: value for key, value in template(name).items() if key not in ("Parameters", "Description")}
    words = [str(value) for _, value in walk(body) if isinstance(value, str)]
    assert not [word for word in words if "arn:aws:" in word]
    assert not [word for word in words if re.search(r"\b(us|eu|ap|sa|ca|me|af|cn)-(gov-)?[a-z]+-\d\b", word)]
    assert not [word for word in words if re.search(r"(?<!\d)\d{12}(?!\d)", word)]


def test_every_name_fits_with_the_longest_prefix() -> None:
    found = 0
    for name in NAMES:
        for path, value in walk(template(name)["Resources"]):
            field = path.rpartition("/")[2]
            is_name = field in LIMITS and not path.endswith("EnvironmentVariables/0/Name")
            if not is_name or (isinstance(value, dict) and "Ref" in value) or "/Dimensions/" in path:
                continue
            if isinstance(value, dict) and "Fn::ImportValue" in value:
                continue
            found += 1
            assert len(longest(value)) <= LIMITS[field], f"{name}{path}: {longest(value)}"
    assert found > 30


def test_no_name_derives_from_the_stacks() -> None:
    assert not [name for name in NAMES if "AWS::StackName" in text(name)]


@pytest.mark.parametrize("name", NAMES)
def test_yaml_aliases_are_not_used(name: str) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html: CloudFormation takes none
    assert not [event for event in yaml.parse(text(name), yaml.SafeLoader) if isinstance(event, yaml.AliasEvent)]


def test_data_keys_and_vaults_stay_when_a_stack_goes() -> None:
    kept = {"AWS::DynamoDB::Table", "AWS::Backup::BackupVault", "AWS::Logs::LogGroup", "AWS::S3::Bucket"}
    for name, key, one in everything():
        if one["Type"] in kept or (one["Type"] == "AWS::KMS::Key" and key in ("VaultKey", "EvidenceKey")):
            assert one.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"), f"{name} {key}"
            assert one.get("UpdateReplacePolicy") == "Retain", f"{name} {key}"


UNDELETABLE = {"AWS::DynamoDB::Table": "DeletionProtectionEnabled", "AWS::Backup::BackupVault": "AccessPolicy"}
"""What protects them from the role that deploys, too: a rollback that had to delete them would fail."""


def test_a_creation_that_failed_does_not_stand_in_the_way_of_the_next() -> None:
    """What a rollback leaves behind must not have a name that the next creation wants, if it can be deleted at all."""
    found = 0
    for name, key, one in everything():
        fixed = {"LogGroupName", "BucketName", "Name", "AliasName", "TableName", "BackupVaultName"} & one[
            "Properties"
        ].keys()
        if one.get("DeletionPolicy") == "Retain" and fixed:
            found += 1
            assert UNDELETABLE[one["Type"]] in one["Properties"], f"{name} {key}"
    assert found == 3


@pytest.mark.parametrize("name", ["primary", "dr"])
def test_a_vaults_key_keeps_the_alias_that_roles_have_their_rights_by(name: str) -> None:
    alias = resources(name)["VaultKeyAlias"]
    assert alias["Properties"]["TargetKeyId"] == {"Ref": "VaultKey"}
    assert (alias["DeletionPolicy"], alias["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    conditions = str([one["Condition"] for _, one in statements("primary") if "Condition" in one])
    assert f"'{alias['Properties']['AliasName']['Fn::Sub']}'" in conditions


RULE_FUNCTIONS = {"Ref", "Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::Not"}
RULE_FUNCTIONS |= {"Fn::Or", "Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"}
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html"""


@pytest.mark.parametrize("name", NAMES)
def test_rules_use_only_what_cloudformation_takes_in_them(name: str) -> None:
    used = {key for _, value in walk(template(name).get("Rules", {})) if isinstance(value, dict) for key in value}
    assert {key for key in used if key == "Ref" or key.startswith("Fn::")} <= RULE_FUNCTIONS


def test_the_table_cannot_vanish_and_can_be_restored_to_any_second() -> None:
    table = resources("primary", "AWS::DynamoDB::Table")["ProductsTable"]["Properties"]
    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True,
        "RecoveryPeriodInDays": {"Ref": "PitrWindowDays"},
    }


def test_every_key_rotates() -> None:
    keys = [one["Properties"]["EnableKeyRotation"] for _, _, one in everything() if one["Type"] == "AWS::KMS::Key"]
    assert len(keys) >= 6
    assert all(keys)


@pytest.mark.parametrize("name", ["primary", "dr"])
def test_only_break_glass_deletes_backups(name: str) -> None:
    vault = resources(name)["Vault"]["Properties"]
    [statement] = vault["AccessPolicy"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert {
        "backup:DeleteRecoveryPoint",
        "backup:UpdateRecoveryPointLifecycle",
        "backup:PutBackupVaultAccessPolicy",
        "backup:DeleteBackupVaultAccessPolicy",
    } <= set(statement["Action"])
    assert "BreakGlassRoleName" in str(statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"])
    assert {"MinRetentionDays", "MaxRetentionDays"} <= vault["LockConfiguration"].keys()


def test_every_rule_of_the_plan_copies_to_the_other_region_for_as_long() -> None:
    rules = resources("primary")["BackupPlan"]["Properties"]["BackupPlan"]["BackupPlanRule"]
    assert [rule["RuleName"] for rule in rules] == ["DailyBackups", "WeeklyBackups", "MonthlyBackups"]
    for rule in rules:
        [copy] = rule["CopyActions"]
        assert "${DrRegion}" in copy["DestinationBackupVaultArn"]["Fn::Sub"]
        assert copy["Lifecycle"] == rule["Lifecycle"]


def _function_of(target: dict[str, Any]) -> str | None:
    arn = target["Arn"]
    return arn["Fn::GetAtt"][0] if isinstance(arn, dict) and "Fn::GetAtt" in arn else None


def test_every_rule_that_starts_a_function_may_do_so() -> None:
    found = 0
    for name in NAMES:
        functions = resources(name, "AWS::Serverless::Function")
        permissions = [
            (one["Properties"]["FunctionName"]["Ref"], one["Properties"]["SourceArn"]["Fn::GetAtt"][0])
            for one in resources(name, "AWS::Lambda::Permission").values()
        ]
        for key, rule in resources(name, "AWS::Events::Rule").items():
            for target in rule["Properties"]["Targets"]:
                if (function := _function_of(target)) in functions:
                    found += 1
                    assert (function, key) in permissions, f"{name}: {key} may not invoke {function}"
    assert found == 2


def test_every_rule_is_on_and_reaches_somebody() -> None:
    for name in NAMES:
        for key, rule in resources(name, "AWS::Events::Rule").items():
            assert rule["Properties"]["State"] == "ENABLED", key
            assert rule["Properties"]["Targets"], key


def test_silence_is_an_alarm() -> None:
    alarms = resources("primary", "AWS::CloudWatch::Alarm")
    assert {alarm["Properties"]["MetricName"] for alarm in alarms.values()} == {"Errors", "Invocations"}
    for key, alarm in alarms.items():
        properties = alarm["Properties"]
        assert properties["TreatMissingData"] == "breaching", key
        assert properties["ActionsEnabled"] is True, key
        assert properties["AlarmActions"] == [{"Ref": "AlertTopic"}], key
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        assert properties["Period"] * properties["EvaluationPeriods"] <= 7 * 86400, key


@pytest.mark.parametrize("name", ["primary", "dr"])
def test_failures_of_backups_copies_and_restores_reach_a_topic_that_lets_them_in(name: str) -> None:
    wanted = {
        "Backup Job State Change": ("state", {"FAILED", "EXPIRED", "ABORTED", "PARTIAL"}),
        "Copy Job State Change": ("state", {"FAILED"}),
        # https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html: restore events say `status`
        "Restore Job State Change": ("status", {"FAILED", "ABORTED"}),
    }
    rules = [
        one["Properties"]
        for one in resources(name, "AWS::Events::Rule").values()
        if "EventPattern" in one["Properties"]
    ]
    for kind, (field, states) in wanted.items():
        heard: set[str] = set()
        for rule in rules:
            pattern = rule["EventPattern"]
            if pattern["detail-type"] == [kind] and set(pattern["detail"]) == {field}:
                assert rule["Targets"] == [{"Id": "people", "Arn": {"Ref": "AlertTopic"}}]
                heard |= set(pattern["detail"][field])
        assert states <= heard, kind
    key = resources(name)["AlertKey"]["Properties"]["KeyPolicy"]["Statement"][1]
    assert set(key["Principal"]["Service"]) == {"events.amazonaws.com", "cloudwatch.amazonaws.com"}
    assert set(key["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    assert "Condition" not in key
    policy = resources(name)["AlertTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    publishers = {one["Principal"]["Service"] for one in policy if one["Effect"] == "Allow"}
    assert publishers == {"events.amazonaws.com", "cloudwatch.amazonaws.com"}
    assert resources(name, "AWS::SNS::Subscription")


def test_custom_resources_do_not_wait_for_ever() -> None:
    custom = [one for _, _, one in everything() if one["Type"].startswith("Custom::")]
    assert [int(one["Properties"]["ServiceTimeout"]) for one in custom] == [3600]


def test_the_longest_check_fits_into_an_executions_history() -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html; a round is a wait, a task and a choice
    window = template("restore-testing")["Parameters"]["ValidationWindowHours"]["MaxValue"]
    waits = resources("restore-testing")["RestoreCheck"]["Properties"]["Definition"]["States"]["Wait"]["Seconds"]
    events_a_round = 2 + 5 + 2
    assert window * 3600 / waits * events_a_round < 25_000


def test_functions_have_a_current_runtime_and_enough_time() -> None:
    for name in NAMES:
        shared = template(name).get("Globals", {}).get("Function", {})
        for key, one in resources(name, "AWS::Serverless::Function").items():
            properties = {**shared, **one["Properties"]}
            assert properties["Runtime"] == "python3.13", key
            assert 60 <= properties["Timeout"] <= 900, key
            assert properties["MemorySize"] >= 512, key


@pytest.mark.parametrize("name", NAMES)
def test_a_handler_is_a_function_of_ours(name: str) -> None:
    for one in resources(name, "AWS::Serverless::Function").values():
        package, module, function = one["Properties"]["Handler"].split(".")
        assert package == "functions"
        assert f"def {function}(" in (FOLDER / "functions" / f"{module}.py").read_text()


def test_what_one_stack_imports_another_exports() -> None:
    exported = {
        output["Export"]["Name"]["Fn::Sub"]
        for name in NAMES
        for output in template(name)["Outputs"].values()
        if "Export" in output
    }
    imported = {
        value["Fn::ImportValue"]["Fn::Sub"]
        for name in NAMES
        for _, value in walk(template(name)["Resources"])
        if isinstance(value, dict) and "Fn::ImportValue" in value
    }
    assert imported
    assert imported <= exported


def test_restored_tables_do_not_begin_as_production_does() -> None:
    table = resources("primary")["ProductsTable"]["Properties"]["TableName"]["Fn::Sub"]
    assert table.startswith("${Prefix}")
    for name in NAMES:
        for key, parameter in template(name).get("Parameters", {}).items():
            if key.endswith("TablePrefix"):
                assert not parameter["Default"].startswith(template(name)["Parameters"]["Prefix"]["Default"])
                assert key != "DrillTablePrefix" or parameter["Default"].startswith("awsbackup-restore-test")
