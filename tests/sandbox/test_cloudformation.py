"""Stacks: what a template comes to in the account, what a service's refusal does to it, and what stays unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.sandbox.stacks import START, TEMPLATES, client, deployed, resource

from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_removal import delete
from backcheck.sandbox.sandbox import Sandbox

SHAPES = sorted(path.name for path in (TEMPLATES / "shapes").iterdir())

REFUSED = {"11.yaml": "StartWindowMinutes", "14.yaml": "less than 90 days apart"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start=START) as opened:
        yield opened


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_deploys(sandbox: Sandbox, shape: str) -> None:
    stack = deployed(sandbox, f"shapes/{shape}")
    assert (stack.status, stack.failure) == ("CREATE_COMPLETE", "")


def test_the_lab_is_refused_with_the_reason_that_aws_gives_and_nothing_of_it_stays(sandbox: Sandbox) -> None:
    stack = deployed(sandbox, "lab/template.yaml")
    assert stack.status == "ROLLBACK_COMPLETE"
    assert stack.failure.startswith("BackupPlan: Resource handler returned message:")
    assert "WeeklyBackups" in stack.failure
    assert "DeleteAfterDays cannot be less than 90 days apart from MoveToColdStorageAfterDays" in stack.failure
    assert stack.first_failure is not None
    failed = stack.resources[stack.first_failure.logical_id]
    assert (failed.logical_id, failed.line) == ("BackupPlan", 25)
    assert client(sandbox, "dynamodb").list_tables()["TableNames"] == []
    assert client(sandbox, "backup").list_backup_vaults()["BackupVaultList"] == []
    assert client(sandbox, "iam").list_roles()["Roles"] == []


def test_the_lab_corrected_deploys_whole(sandbox: Sandbox) -> None:
    stack = deployed(sandbox, "lab/mutations/00.yaml")
    assert stack.status == "CREATE_COMPLETE"
    assert [(r.logical_id, r.skipped) for r in stack.not_created] == [
        ("TestPITRRestore", "custom resources are recorded, not run")
    ]
    assert stack.incomplete == ()
    backup = client(sandbox, "backup")
    plan_id = stack.resources["BackupPlan"].physical_id
    rules = backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["Rules"]
    assert [rule["RuleName"] for rule in rules] == ["DailyBackups", "WeeklyBackups", "MonthlyBackups"]
    assert rules[2]["Lifecycle"] == {"DeleteAfterDays": 365, "MoveToColdStorageAfterDays": 90}
    copy = rules[0]["CopyActions"][0]["DestinationBackupVaultArn"]
    assert copy == "arn:aws:backup:us-west-2:123456789012:backup-vault:demo-vault-dr"
    selections = backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]
    selected = backup.get_backup_selection(BackupPlanId=plan_id, SelectionId=selections[0]["SelectionId"])
    assert selected["BackupSelection"]["Resources"] == ["arn:aws:dynamodb:us-east-1:123456789012:table/demo-products"]
    events = client(sandbox, "events")
    rule = events.list_rules()["Rules"][0]
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "cron(0 5 * * ? *)")
    assert (
        ":function:demo-ValidateBackupFunction-" in events.list_targets_by_rule(Rule=rule["Name"])["Targets"][0]["Arn"]
    )


def test_the_lab_corrected_is_backed_up_as_time_passes(sandbox: Sandbox) -> None:
    deployed(sandbox, "lab/mutations/00.yaml")
    sandbox.clock.advance(days=2)
    points = client(sandbox, "backup").list_recovery_points_by_backup_vault(BackupVaultName="demo-vault")
    assert points["RecoveryPoints"]


@pytest.mark.parametrize("mutation", sorted(path.name for path in (TEMPLATES / "lab" / "mutations").glob("*.yaml")))
def test_mutations_deploy_or_are_refused_as_aws_would(sandbox: Sandbox, mutation: str) -> None:
    stack = deployed(sandbox, f"lab/mutations/{mutation}")
    assert REFUSED.get(mutation, "") in stack.failure
    assert stack.status == ("ROLLBACK_COMPLETE" if mutation in REFUSED else "CREATE_COMPLETE")


def test_conditions_choose_what_exists(sandbox: Sandbox) -> None:
    deployed(sandbox, "shapes/conditions-everywhere.yaml", Stage="dev", DrRegion="")
    dynamodb = client(sandbox, "dynamodb")
    assert dynamodb.list_tables()["TableNames"] == ["demo-orders", "scratch"]
    table = dynamodb.describe_table(TableName="demo-orders")["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert client(sandbox, "backup").list_backup_vaults()["BackupVaultList"] == []


TABLE = """
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
    KeySchema: [{AttributeName: id, KeyType: HASH}]
"""


def test_a_table_gets_everything_that_an_audit_reads(sandbox: Sandbox) -> None:
    template = f"""
Resources:
  Key: {{Type: AWS::KMS::Key, Properties: {{EnableKeyRotation: "true", Tags: [{{Key: a, Value: b}}]}}}}
  Alias: {{Type: AWS::KMS::Alias, Properties: {{AliasName: alias/backup, TargetKeyId: !Ref Key}}}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {TABLE.replace(chr(10) + "  ", chr(10) + "    ")}
      DeletionProtectionEnabled: "true"
      PointInTimeRecoverySpecification: {{PointInTimeRecoveryEnabled: "true", RecoveryPeriodInDays: "14"}}
      SSESpecification: {{SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !GetAtt Key.Arn}}
      StreamSpecification: {{StreamViewType: KEYS_ONLY}}
      TimeToLiveSpecification: {{AttributeName: expires, Enabled: true}}
      Tags: [{{Key: backup, Value: true}}]
Outputs:
  Stream: {{Value: !GetAtt Table.StreamArn}}
"""
    stack = deployed(sandbox, template)
    assert stack.failure == ""
    dynamodb = client(sandbox, "dynamodb")
    name = stack.resources["Table"].physical_id
    assert name.startswith("demo-Table-")
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert table["SSEDescription"]["KMSMasterKeyArn"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert stack.outputs["Stream"] == table["LatestStreamArn"]
    recovery = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 14
    assert dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["AttributeName"] == "expires"
    tags = {tag["Key"]: tag["Value"] for tag in dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]}
    assert tags["backup"] == "true"
    assert tags["aws:cloudformation:logical-id"] == "Table"
    kms = client(sandbox, "kms")
    assert kms.get_key_rotation_status(KeyId=stack.resources["Key"].physical_id)["KeyRotationEnabled"] is True
    assert kms.describe_key(KeyId="alias/backup")["KeyMetadata"]["KeyId"] == stack.resources["Key"].physical_id


def test_a_vault_gets_its_policy_lock_and_notifications(sandbox: Sandbox) -> None:
    template = """
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: email, Endpoint: ops@example.com}]}}
  Vault:
    Type: AWS::Backup::BackupVault
    Properties:
      BackupVaultName: locked
      BackupVaultTags: {team: retail}
      LockConfiguration: {MinRetentionDays: "7", MaxRetentionDays: 400}
      Notifications: {SNSTopicArn: !Ref Topic, BackupVaultEvents: [BACKUP_JOB_COMPLETED]}
      AccessPolicy:
        Version: "2012-10-17"
        Statement: [{Effect: Deny, Principal: "*", Action: "backup:DeleteRecoveryPoint", Resource: "*"}]
"""
    stack = deployed(sandbox, template)
    assert stack.failure == ""
    backup = client(sandbox, "backup")
    vault = backup.describe_backup_vault(BackupVaultName="locked")
    assert (vault["Locked"], vault["MinRetentionDays"], vault["MaxRetentionDays"]) == (True, 7, 400)
    policy = json.loads(backup.get_backup_vault_access_policy(BackupVaultName="locked")["Policy"])
    assert policy["Statement"][0]["Effect"] == "Deny"
    assert backup.get_backup_vault_notifications(BackupVaultName="locked")["BackupVaultEvents"] == [
        "BACKUP_JOB_COMPLETED"
    ]
    tags = backup.list_tags(ResourceArn=vault["BackupVaultArn"])["Tags"]
    assert (tags["team"], tags["aws:cloudformation:stack-name"]) == ("retail", "demo")


def test_restore_testing_alarms_and_permissions(sandbox: Sandbox) -> None:
    template = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: [backup.amazonaws.com, lambda.amazonaws.com]}
            Action: "sts:AssumeRole"
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores
        - !Ref Managed
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "backup:List*", Resource: "*"}]}
  Inline:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: more
      Roles: [!Ref Role]
      PolicyDocument: {Statement: [{Effect: Allow, Action: "sns:Publish", Resource: "*"}]}
  Plan:
    Type: AWS::Backup::RestoreTestingPlan
    Properties:
      RestoreTestingPlanName: monthly
      ScheduleExpression: cron(0 6 1 * ? *)
      StartWindowHours: 4
      RecoveryPointSelection: {Algorithm: LATEST_WITHIN_WINDOW, IncludeVaults: ["*"], RecoveryPointTypes: [SNAPSHOT]}
      Tags: [{Key: a, Value: b}]
  Selection:
    Type: AWS::Backup::RestoreTestingSelection
    Properties:
      RestoreTestingPlanName: !Ref Plan
      RestoreTestingSelectionName: tables
      ProtectedResourceType: DynamoDB
      ProtectedResourceArns: ["*"]
      IamRoleArn: !GetAtt Role.Arn
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      {Namespace: AWS/Backup, MetricName: NumberOfBackupJobsFailed, Statistic: Sum, Period: "300", EvaluationPeriods: 1,
       Threshold: 0, ComparisonOperator: GreaterThanThreshold, TreatMissingData: breaching, AlarmActions: [!Ref Topic]}
  Topic: {Type: AWS::SNS::Topic}
  Function:
    Type: AWS::Lambda::Function
    Properties: {Runtime: python3.13, Handler: a.b, Timeout: 120, Role: !GetAtt Role.Arn, Code: {S3Bucket: b, S3Key: k}}
  Schedule:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: "cron(0 9 * * ? *)", Targets: [{Id: f, Arn: !GetAtt Function.Arn}]}
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Function
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceArn: !GetAtt Schedule.Arn
"""
    stack = deployed(sandbox, template)
    assert stack.failure == ""
    assert stack.not_created == ()
    backup = client(sandbox, "backup")
    assert backup.list_restore_testing_selections(RestoreTestingPlanName="monthly")["RestoreTestingSelections"]
    alarm = client(sandbox, "cloudwatch").describe_alarms()["MetricAlarms"][0]
    assert (alarm["Period"], alarm["TreatMissingData"]) == (300, "breaching")
    policy = json.loads(
        client(sandbox, "lambda").get_policy(FunctionName=stack.resources["Function"].physical_id)["Policy"]
    )
    assert policy["Statement"][0]["Condition"]["ArnLike"]["AWS:SourceArn"].endswith(
        stack.resources["Schedule"].physical_id
    )
    role = {"RoleName": stack.resources["Role"].physical_id}
    assert len(client(sandbox, "iam").list_attached_role_policies(**role)["AttachedPolicies"]) == 2
    assert client(sandbox, "iam").list_role_policies(**role)["PolicyNames"] == ["more"]
    delete(stack, of=account_in(sandbox.world))
    assert stack.status == "DELETE_COMPLETE"
    assert client(sandbox, "iam").list_roles()["Roles"] == []


def test_a_global_table_is_a_table_in_each_region_with_its_own_settings(sandbox: Sandbox) -> None:
    stack = deployed(sandbox, "shapes/global-table.yaml")
    found: dict[str, Any] = {}
    for region in ("us-east-1", "us-west-2"):
        dynamodb = client(sandbox, "dynamodb", region=region)
        table = dynamodb.describe_table(TableName="global-orders")["Table"]
        recovery = dynamodb.describe_continuous_backups(TableName="global-orders")["ContinuousBackupsDescription"]
        status = recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
        found[region] = (status, table["DeletionProtectionEnabled"])
    assert found == {"us-east-1": ("ENABLED", True), "us-west-2": ("DISABLED", False)}
    assert stack.exports == {"demo-orders-arn": "arn:aws:dynamodb:us-east-1:123456789012:table/global-orders"}


def test_two_runs_give_the_same_names(sandbox: Sandbox) -> None:
    first = deployed(sandbox, "lab/mutations/00.yaml")
    names = {r.logical_id: r.physical_id for r in first.resources.values()}
    sandbox.close()
    with Sandbox(start=START) as again:
        second = deployed(again, "lab/mutations/00.yaml")
        assert {r.logical_id: r.physical_id for r in second.resources.values()} == names


LAMBDA = '{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"%s}'


@pytest.mark.parametrize(
    ("statements", "status"),
    [
        (LAMBDA % "", "CREATE_COMPLETE"),
        (LAMBDA % ', Condition: {StringEquals: {"aws:SourceAccount": "123456789012"}}', "CREATE_COMPLETE"),
        (LAMBDA.replace("lambda.", "backup.") % "", "ROLLBACK_COMPLETE"),
        (f"{LAMBDA % ''}, {LAMBDA.replace('Allow', 'Deny') % ''}", "ROLLBACK_COMPLETE"),
    ],
    ids=["trusted", "trusted under a condition", "trusts another service", "denied"],
)
def test_a_function_is_refused_whose_role_lambda_cannot_assume(sandbox: Sandbox, statements: str, status: str) -> None:
    role = f"""
  Role:
    Type: AWS::IAM::Role
    Properties: {{AssumeRolePolicyDocument: {{Version: "2012-10-17", Statement: [{statements}]}}}}
"""
    function = "{Runtime: python3.13, Handler: a.b, Role: !GetAtt Role.Arn, Code: {S3Bucket: b, S3Key: k}}"
    stack = deployed(sandbox, resource("AWS::Lambda::Function", function, role))
    assert stack.status == status
    assert ("cannot be assumed by Lambda" in stack.failure) is (status == "ROLLBACK_COMPLETE")
