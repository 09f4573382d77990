"""What becomes of stacks: refused and rolled back, deleted, nested, and what one reads of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sandbox.stacks import ONE_LINE_TABLE, START, TEMPLATES, client, deployed, resource

from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_removal import delete
from backcheck.sandbox.cloudformation_stacks import DeployError
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.load import load
from backcheck.template.node import TemplateError


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start=START) as opened:
        yield opened


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


NAMED = {
    "AWS::SNS::Topic": "TopicName: mine",
    "AWS::Events::Rule": "Name: mine, ScheduleExpression: rate(1 day)",
    "AWS::CloudWatch::Alarm": (
        "AlarmName: mine, Namespace: N, MetricName: M, Statistic: Sum, Period: 60, EvaluationPeriods: 1, "
        "Threshold: 1, ComparisonOperator: LessThanThreshold"
    ),
}


@pytest.mark.parametrize("kind", NAMED)
def test_a_name_is_taken_once_where_the_service_would_overwrite_what_has_it(sandbox: Sandbox, kind: str) -> None:
    template = resource(kind, f"{{{NAMED[kind]}}}")
    first = deployed(sandbox, template, name="first")
    second = deployed(sandbox, template, name="second")
    assert (first.status, second.status) == ("CREATE_COMPLETE", "ROLLBACK_COMPLETE")
    assert "mine already exists" in second.failure
    assert deployed(sandbox, template, name="elsewhere", region="us-west-2").status == "CREATE_COMPLETE"
    delete(first, of=account_in(sandbox.world))
    assert deployed(sandbox, template, name="third").status == "CREATE_COMPLETE"
