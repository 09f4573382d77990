"""Stacks: what a template comes to in the account, what a service's refusal does to it, and what stays unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_removal import delete
from backcheck.sandbox.cloudformation_stacks import DeployError, Stack
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.load import load, loads
from backcheck.template.node import TemplateError

TEMPLATES = Path(__file__).parents[2] / "fixtures" / "templates"
START = datetime(2026, 11, 1, tzinfo=UTC)
SHAPES = sorted(path.name for path in (TEMPLATES / "shapes").iterdir())
REFUSED = {"11.yaml": "StartWindowMinutes", "14.yaml": "less than 90 days apart"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start=START) as opened:
        yield opened


def deployed(
    sandbox: Sandbox, template: str, *, name: str = "demo", region: str = "us-east-1", **parameters: str
) -> Stack:
    path = TEMPLATES / template
    read = load(path) if "\n" not in template and path.is_file() else loads(template, file="t.yaml")
    return deploy(read, into=account_in(sandbox.world, region=region), stack_name=name, parameters=parameters)


def client(sandbox: Sandbox, service: str, region: str = "us-east-1") -> Any:
    return account_in(sandbox.world).clients(service, region)


def resource(kind: str, properties: str, more: str = "") -> str:
    return f"Resources:\n  R:\n    Type: {kind}\n    Properties: {properties}\n{more}"


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
    assert stack.failed is not None
    assert (stack.failed.logical_id, stack.failed.line) == ("BackupPlan", 25)
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
        Statement: [{Effect: Allow, Principal: {Service: backup.amazonaws.com}, Action: "sts:AssumeRole"}]
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


PLAN = "{BackupPlan: {BackupPlanName: p, BackupPlanRule: [{RuleName: r, TargetBackupVault: nope}]}}"
LOCKED = "{BackupVaultName: vault, LockConfiguration: {%s}}"
ROLE = "{AssumeRolePolicyDocument: {}, ManagedPolicyArns: ['arn:aws:iam::123456789012:policy/absent']}"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE_ARN = "arn:aws:iam::123456789012:role/elsewhere"
TOPIC = "{DisplayName: !Select [1, !Split ['/', !Ref T]]}"


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        ("AWS::Backup::BackupPlan", "{BackupPlan: {BackupPlanName: p}}", "required key [BackupPlanRule] not found"),
        ("AWS::Backup::BackupVault", "{}", 'Missing required parameter in input: "BackupVaultName"'),
        ("AWS::Backup::BackupVault", LOCKED % "MaxRetentionDays: 9", "required key [MinRetentionDays] not found"),
        (
            "AWS::Backup::BackupVault",
            LOCKED % "MinRetentionDays: soon",
            "#/LockConfiguration/MinRetentionDays: expected type: Integer, found: String",
        ),
        ("AWS::Backup::BackupVault", "{BackupVaultName: vault, BackupVaultTags: [a]}", "expected type: JSONObject"),
        ("AWS::DynamoDB::Table", "{KeySchema: {a: b}}", "#/KeySchema: expected type: JSONArray"),
        ("AWS::DynamoDB::GlobalTable", "{Replicas: [{Region: eu-west-1}]}", "own Region us-east-1"),
        ("AWS::DynamoDB::GlobalTable", "{}", "a list of replicas"),
        ("AWS::IAM::RolePolicy", "{RoleName: r}", "PolicyName"),
        ("AWS::SNS::Topic", TOPIC, "nonexistent value"),
    ],
)
def test_a_refusal_rolls_the_stack_back_with_its_reason(
    sandbox: Sandbox, kind: str, properties: str, reason: str
) -> None:
    stack = deployed(sandbox, resource(kind, properties, "  T: {Type: AWS::SNS::Topic}\n"))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert reason in stack.failure
    assert stack.reason == "The following resource(s) failed to create: [R]. "
    assert client(sandbox, "backup").list_backup_vaults()["BackupVaultList"] == []


@pytest.mark.parametrize(
    ("kind", "properties", "named"),
    [
        ("AWS::Backup::BackupPlan", PLAN, "nope"),
        ("AWS::IAM::Role", ROLE, "policy/absent"),
        ("AWS::Backup::BackupVault", f"{{BackupVaultName: vault, EncryptionKeyArn: {KEY}}}", "key/1234"),
        ("AWS::Lambda::Function", f"{{Handler: a.b, Runtime: python3.13, Role: {ROLE_ARN}, Code: {{}}}}", "be assumed"),
        ("AWS::SNS::Subscription", "{TopicArn: 'arn:aws:sns:us-east-1:123456789012:x', Protocol: email}", "Topic"),
        ("AWS::Events::Rule", "{EventBusName: other, EventPattern: {source: [a]}}", "Event bus other"),
        ("AWS::KMS::Alias", "{AliasName: alias/x, TargetKeyId: 1234abcd-12ab-34cd-56ef-1234567890ab}", "1234abcd"),
    ],
)
def test_what_only_the_account_may_have_is_no_refusal_of_aws(
    sandbox: Sandbox, kind: str, properties: str, named: str
) -> None:
    stack = deployed(sandbox, resource(kind, properties))
    assert stack.status == "CREATE_COMPLETE"
    assert stack.resources["R"].skipped.startswith("it could not be created here: ")
    assert named in stack.resources["R"].skipped


PROTECTED = """
Resources:
  Kept:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: {policy}
    Properties: {{TableName: kept, {table}}}
  Broken: {{Type: AWS::Backup::BackupVault, DependsOn: Kept, Properties: {{BackupVaultName: "not a name!"}}}}
"""
ONE_LINE_TABLE = (
    "BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: id, AttributeType: S}], "
    "KeySchema: [{AttributeName: id, KeyType: HASH}]"
)


@pytest.mark.parametrize(("policy", "stays"), [("Delete", False), ("Retain", True), ("RetainExceptOnCreate", False)])
def test_a_deletion_policy_decides_what_a_rollback_leaves(sandbox: Sandbox, policy: str, stays: bool) -> None:
    stack = deployed(sandbox, PROTECTED.format(policy=policy, table=ONE_LINE_TABLE))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert client(sandbox, "dynamodb").list_tables()["TableNames"] == (["kept"] if stays else [])


@pytest.mark.parametrize(("policy", "stays"), [("Delete", False), ("Retain", True), ("RetainExceptOnCreate", True)])
def test_a_deletion_policy_decides_what_a_delete_leaves(sandbox: Sandbox, policy: str, stays: bool) -> None:
    template = resource(
        "AWS::DynamoDB::Table", f"{{TableName: kept, {ONE_LINE_TABLE}}}", f"    DeletionPolicy: {policy}\n"
    )
    stack = deployed(sandbox, template)
    delete(stack, of=account_in(sandbox.world))
    assert stack.status == "DELETE_COMPLETE"
    assert client(sandbox, "dynamodb").list_tables()["TableNames"] == (["kept"] if stays else [])


def test_a_protected_table_makes_delete_and_rollback_fail(sandbox: Sandbox) -> None:
    properties = f"{{TableName: kept, DeletionProtectionEnabled: true, {ONE_LINE_TABLE}}}"
    stack = deployed(sandbox, resource("AWS::DynamoDB::Table", properties))
    delete(stack, of=account_in(sandbox.world))
    assert (stack.status, stack.resources["R"].status) == ("DELETE_FAILED", "DELETE_FAILED")
    assert "DeletionProtectionEnabled" in stack.resources["R"].reason
    table = f"DeletionProtectionEnabled: true, {ONE_LINE_TABLE}"
    rolled = deployed(sandbox, PROTECTED.format(policy="Delete", table=table).replace("kept", "other"), name="two")
    assert rolled.status == "ROLLBACK_FAILED"


def test_exports_serve_later_stacks_and_hold_their_own(sandbox: Sandbox) -> None:
    maker = resource("AWS::Backup::BackupVault", "{BackupVaultName: shared}", """
Outputs:
  Name: {Value: !Ref R, Export: {Name: !Sub "${AWS::StackName}-vault"}}
""")  # fmt: skip
    user = resource("AWS::Backup::BackupPlan", """
      BackupPlan:
        BackupPlanName: p
        BackupPlanRule: [{RuleName: r, TargetBackupVault: {Fn::ImportValue: first-vault}}]
""")  # fmt: skip
    first = deployed(sandbox, maker, name="first")
    second = deployed(sandbox, user, name="second")
    assert second.failure == ""
    assert second.imports == {"first-vault"}
    again = deployed(sandbox, maker.replace("shared", "another").replace("${AWS::StackName}", "first"), name="third")
    assert again.status == "ROLLBACK_COMPLETE"
    assert again.reason == "Export with name first-vault is already exported by stack first"
    assert again.exports == {}
    account = account_in(sandbox.world)
    with pytest.raises(DeployError, match="Export first-vault cannot be deleted as it is in use by second"):
        delete(first, of=account)
    delete(second, of=account)
    delete(first, of=account)
    assert first.status == "DELETE_COMPLETE"


def test_a_stack_reads_what_another_region_put_out(sandbox: Sandbox) -> None:
    dr = resource(
        "AWS::Backup::BackupVault", "{BackupVaultName: dr}", "\nOutputs: {Arn: {Value: !GetAtt R.BackupVaultArn}}\n"
    )
    deployed(sandbox, dr, name="dr", region="us-west-2")
    main = """
Resources:
  Vault: {Type: AWS::Backup::BackupVault, Properties: {BackupVaultName: main}}
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: p
        BackupPlanRule:
          - RuleName: r
            TargetBackupVault: !Ref Vault
            CopyActions:
              - DestinationBackupVaultArn:
                  Fn::GetStackOutput: {StackName: dr, OutputName: Arn, Region: us-west-2}
"""
    stack = deployed(sandbox, main, name="main")
    plan = client(sandbox, "backup").get_backup_plan(BackupPlanId=stack.resources["Plan"].physical_id)["BackupPlan"]
    copies = plan["Rules"][0]["CopyActions"]
    assert copies[0]["DestinationBackupVaultArn"] == "arn:aws:backup:us-west-2:123456789012:backup-vault:dr"


def test_what_could_not_be_resolved_is_left_out_and_reported(sandbox: Sandbox) -> None:
    stack = deployed(sandbox, "shapes/ssm-references.yaml")
    reported = {r.logical_id: [(pointer, why.line) for pointer, why in r.unresolved] for r in stack.incomplete}
    assert reported == {
        "Table": [("/Tags/0", 22)],
        "Vault": [("/EncryptionKeyArn", 28)],
        "Topic": [("/DisplayName", 33)],
    }
    assert "AWS::SecretsManager::Secret" in stack.resources["Topic"].unresolved[0][1].reason
    tags = client(sandbox, "dynamodb").list_tags_of_resource(
        ResourceArn="arn:aws:dynamodb:us-east-1:123456789012:table/techmoda-products"
    )["Tags"]
    assert {"Key": "owner", "Value": "retail"} in tags
    assert all(tag["Key"] != "cost-centre" for tag in tags)


def test_an_unknown_in_a_policy_keeps_its_place(sandbox: Sandbox) -> None:
    template = """
Parameters: {Who: {Type: String}}
Resources:
  Vault:
    Type: AWS::Backup::BackupVault
    Properties:
      BackupVaultName: vault
      AccessPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: !Ref Who}, Action: "backup:CopyIntoBackupVault", Resource: "*"}
"""
    stack = deployed(sandbox, template)
    assert stack.status == "CREATE_COMPLETE"
    assert stack.resources["Vault"].unresolved[0][0] == "/AccessPolicy/Statement/0/Principal/AWS"


def test_a_refusal_without_an_unknown_part_says_nothing_about_aws(sandbox: Sandbox) -> None:
    template = "Parameters: {Name: {Type: String}}\n" + resource(
        "AWS::Backup::BackupVault", "{BackupVaultName: !Ref Name}"
    )
    stack = deployed(sandbox, template)
    assert stack.status == "CREATE_COMPLETE"
    assert stack.not_created[0].skipped.startswith("it could not be created here")


def test_a_resource_whose_condition_is_not_known_is_reported(sandbox: Sandbox) -> None:
    template = """
Parameters: {Stage: {Type: "AWS::SSM::Parameter::Value<String>", Default: /stage}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  Vault: {Type: AWS::Backup::BackupVault, Condition: Prod, Properties: {BackupVaultName: vault}}
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Vault}}
"""
    stack = deployed(sandbox, template)
    assert stack.status == "CREATE_COMPLETE"
    assert "is not known: condition Prod" in stack.resources["Vault"].skipped
    assert stack.resources["Topic"].unresolved[0][0] == "/DisplayName"


def test_what_the_sandbox_does_not_model_is_no_refusal_of_aws(sandbox: Sandbox) -> None:
    properties = "{BackupVaultName: gap, MinRetentionDays: 7, MaxRetentionDays: 30}"
    stack = deployed(sandbox, resource("AWS::Backup::LogicallyAirGappedBackupVault", properties))
    assert stack.status == "CREATE_COMPLETE"
    vault = stack.resources["R"]
    assert vault.physical is not None or "UnsupportedOperation" in vault.skipped
    queue = deployed(sandbox, resource("AWS::Kinesis::Stream", "{}"), name="queue")
    assert queue.not_created[0].skipped == "AWS::Kinesis::Stream is not modelled in the sandbox"


def test_properties_that_are_not_modelled_are_named(sandbox: Sandbox) -> None:
    properties = f"{{TableName: t, {ONE_LINE_TABLE}, ContributorInsightsSpecification: {{Enabled: true}}, Typo: 1}}"
    stack = deployed(sandbox, resource("AWS::DynamoDB::Table", properties))
    assert stack.resources["R"].ignored == ("/ContributorInsightsSpecification", "/Typo")


def test_nested_stacks_are_deployed_where_their_template_is_at_hand(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text(
        "Parameters: {Name: {Type: String}, Days: {Type: CommaDelimitedList}}\n"
        + resource("AWS::Backup::BackupVault", "{BackupVaultName: !Ref Name}", "\nOutputs: {Vault: {Value: !Ref R}}\n")
    )
    parent = tmp_path / "parent.yaml"
    parent.write_text("""
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: child.yaml, Parameters: {Name: nested, Days: [1, 2]}}
  Packaged: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "https://s3.amazonaws.com/b/t.yaml"}}
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan: {BackupPlanName: p, BackupPlanRule: [{RuleName: r, TargetBackupVault: !GetAtt Child.Outputs.Vault}]}
""")
    account = account_in(sandbox.world)
    stack = deploy(load(parent), into=account, stack_name="parent")
    assert stack.failure == ""
    assert [(r.logical_id, r.skipped) for r in stack.not_created] == [
        ("Packaged", "its template https://s3.amazonaws.com/b/t.yaml is not at hand")
    ]
    delete(stack, of=account)
    assert client(sandbox, "backup").list_backup_vaults()["BackupVaultList"] == []
    itself = tmp_path / "itself.yaml"
    itself.write_text(resource("AWS::CloudFormation::Stack", "{TemplateURL: itself.yaml}"))
    with pytest.raises(DeployError, match="nested in itself"):
        deploy(load(itself), into=account, stack_name="itself")
    with pytest.raises(TemplateError, match=r"nested template .*not-there\.yaml cannot be read: No such file"):
        deploy(load(TEMPLATES / "bad/nested-stack-missing.yaml"), into=account, stack_name="missing")


def test_a_nested_stack_that_is_refused_fails_the_one_around_it(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text(resource("AWS::Backup::BackupVault", "{BackupVaultName: '!'}"))
    parent = tmp_path / "parent.yaml"
    parent.write_text(resource("AWS::CloudFormation::Stack", "{TemplateURL: child.yaml}"))
    stack = deploy(load(parent), into=account_in(sandbox.world), stack_name="parent")
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "Embedded stack" in stack.failure
    assert "BackupVaultName" in stack.failure
    parent.write_text(resource("AWS::CloudFormation::Stack", "{TemplateURL: child.yaml, Parameters: [a]}"))
    wrong = deploy(load(parent), into=account_in(sandbox.world), stack_name="wrong")
    assert "Parameters must be a map" in wrong.failure


@pytest.mark.parametrize(
    ("name", "template", "message"),
    [
        ("1st", resource("AWS::SNS::Topic", "{}"), "no name for a stack"),
        (
            "demo",
            "Resources:\n  A: {Type: T, DependsOn: B}\n  B: {Type: T, DependsOn: A}\n",
            r"Circular dependency.*\[A, B\]",
        ),
    ],
)
def test_what_cloudformation_does_not_even_begin(sandbox: Sandbox, name: str, template: str, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        deployed(sandbox, template, name=name)
    assert sandbox.world.region(sandbox.account, "us-east-1").stacks == {}


def test_two_runs_give_the_same_names(sandbox: Sandbox) -> None:
    first = deployed(sandbox, "lab/mutations/00.yaml")
    names = {r.logical_id: r.physical_id for r in first.resources.values()}
    sandbox.close()
    with Sandbox(start=START) as again:
        second = deployed(again, "lab/mutations/00.yaml")
        assert {r.logical_id: r.physical_id for r in second.resources.values()} == names
