"""What linters do not ask: names, partitions, permissions, alarms, and who may destroy what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml
from tests.templates.deploying import techmoda
from tests.templates.reading import FOLDER, NAMES, resources, template, text, walk

from backcheck.drill.run import REMOVAL_LIMIT
from backcheck.inventory.operations import OPERATIONS, Need, Operation

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

WRITES = re.compile(r"dynamodb:(Put|Update|Delete|BatchWrite|CreateTable|PartiQL|\*)")


def everything() -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, key, one) for name in NAMES for key, one in resources(name).items()]


def statements(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of an IAM policy in a template, with the resource that has it; both sides of Fn::If."""
    for key, one in resources(name).items():
        for _, value in walk(one):
            if isinstance(value, dict) and "Effect" in value and ("Action" in value or "NotAction" in value):
                yield key, value


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


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
    [statement] = canary["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
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


def test_the_drill_has_a_schedule() -> None:
    rule = resources("drill")["DrillScheduleRule"]["Properties"]
    assert rule["ScheduleExpression"] == {"Ref": "DrillSchedule"}
    assert template("drill")["Parameters"]["DrillSchedule"]["Default"] == "cron(0 6 2 * ? *)"


def _build() -> tuple[dict[str, Any], dict[str, str]]:
    """The drill's buildspec, and the text of each of its phases."""
    spec = yaml.safe_load(resources("drill")["DrillProject"]["Properties"]["Source"]["BuildSpec"])
    return spec, {name: "\n".join(phase["commands"]) for name, phase in spec["phases"].items()}


def test_the_drills_build_has_a_python_that_backcheck_runs_on() -> None:
    # https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html: the image's, not its default
    spec, _ = _build()
    assert spec["phases"]["install"]["runtime-versions"] == {"python": "3.13"}
    image = resources("drill")["DrillProject"]["Properties"]["Environment"]["Image"]
    assert image == "aws/codebuild/amazonlinux-aarch64-standard:3.0"


def test_the_drill_is_given_up_before_its_build_is() -> None:
    """A container that CodeBuild ends takes its ledger with it; no page says that any command still runs."""
    spec, commands = _build()
    margin = re.search(
        r'timeout "\$\(\(TIMEOUT_MINUTES - (\d+)\)\)m" /tmp/backcheck/bin/backcheck drill ', commands["build"]
    )
    assert margin
    assert timedelta(minutes=int(margin[1])) > REMOVAL_LIMIT
    [uploaded] = spec["phases"]["build"]["finally"]  # run even if a command in the commands block fails
    assert 'reports/drill "$EVIDENCE/' in uploaded
    parameter = template("drill")["Parameters"]["TimeoutMinutes"]
    rto, drill = techmoda().objectives.rto, techmoda().drill
    assert drill
    assert (rto.pitr_minutes, rto.backup_minutes, rto.dr_minutes) == (240, 240, 480)
    one_after_the_other = (240 + 240 + 480) * len(drill.tables)
    assert parameter["Default"] - int(margin[1]) > one_after_the_other > 0
    assert parameter["MinValue"] > int(margin[1])
    # https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
    assert parameter["Default"] <= parameter["MaxValue"] == 2160


def test_the_drills_witness_is_an_export_that_does_not_stay() -> None:
    project = resources("drill")["DrillProject"]["Properties"]
    variables = {one["Name"]: one["Value"] for one in project["Environment"]["EnvironmentVariables"]}
    assert variables["WITNESS"] == {"Ref": "WitnessBucket"}
    assert '--witness-bucket "$WITNESS"' in _build()[1]["build"]
    witness = resources("drill")["WitnessBucket"]["Properties"]
    assert "ObjectLockEnabled" not in witness
    [rule] = witness["LifecycleConfiguration"]["Rules"]
    longest_build = template("drill")["Parameters"]["TimeoutMinutes"]["MaxValue"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 2)
    assert rule["ExpirationInDays"] * 24 * 60 > longest_build
    [encryption] = witness["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": ["WitnessKey", "Arn"]}


def test_the_auditor_reads_the_drills_history_and_no_items() -> None:
    auditor = {"AWS": {"Ref": "AuditorRoleArn"}}
    granted = [
        (key, one["Action"], one["Resource"]) for key, one in statements("drill") if one.get("Principal") == auditor
    ]
    assert granted == [
        ("EvidenceKey", "kms:Decrypt", "*"),
        ("EvidenceBucketPolicy", "s3:ListBucket", {"Fn::GetAtt": ["EvidenceBucket", "Arn"]}),
        ("EvidenceBucketPolicy", "s3:GetObject", {"Fn::Sub": "${EvidenceBucket.Arn}/drills/*"}),
    ]
    # the key of the exports is another one
    assert "AuditorRoleArn" not in str(resources("drill")["WitnessKey"])


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


def test_restored_tables_do_not_begin_as_production_does() -> None:
    table = resources("primary")["ProductsTable"]["Properties"]["TableName"]["Fn::Sub"]
    assert table.startswith("${Prefix}")
    for name in NAMES:
        for key, parameter in template(name).get("Parameters", {}).items():
            if key.endswith("TablePrefix"):
                assert not parameter["Default"].startswith(template(name)["Parameters"]["Prefix"]["Default"])
                assert key != "DrillTablePrefix" or parameter["Default"].startswith("awsbackup-restore-test")
