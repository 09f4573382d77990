"""What the sandbox does not model of a template is UNKNOWN, and never dropped without a word."""

from __future__ import annotations

import re

import pytest
from tests.gate.building import (
    EVERY,
    NOW,
    PARAMETERS,
    REGIONS,
    found_with,
    judged,
    ours,
    policy,
    spec,
    text,
)

from backcheck.controls.cfn import MUTE, ORGANIZATION
from backcheck.finding import Status
from backcheck.gate.deployment import deployed
from backcheck.gate.reads import SLICE

OTHER_TYPES = """\
Resources:
  Global:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      Replicas: [{Region: us-east-1, NoSuchProperty: x}]
  Vault:
    Type: AWS::Backup::LogicallyAirGappedBackupVault
    Properties:
      BackupVaultName: gapped
      MinRetentionDays: 7
      MaxRetentionDays: 30
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: a.b
      Role: !GetAtt Role.Arn
      Code: {ZipFile: x}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: {Effect: Allow, Action: "s3:*", Resource: "*"}}
  Inline:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: inline
      Roles: [!Ref Role]
      PolicyDocument: {Statement: {Effect: Allow, Action: "s3:*", Resource: "*"}}
  OfTheRole:
    Type: AWS::IAM::RolePolicy
    Properties:
      PolicyName: role
      RoleName: !Ref Role
      PolicyDocument: {Statement: {Effect: Allow, Action: "s3:*", Resource: "*"}}
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: other
  TopicInline:
    Type: AWS::SNS::TopicInlinePolicy
    Properties:
      TopicArn: !Ref Topic
      PolicyDocument: {Statement: {Effect: Allow, Principal: "*", Action: "sns:Publish", Resource: "*"}}
"""
"""Types that our templates do not have, and that a control reads."""


_WRITTEN = re.compile(r"(\n    Type: AWS::(?!Serverless).*(?:\n    (?:[#A-Z ]).*)*?\n    Properties:\n)")


def test_a_property_that_nobody_models_is_noticed_in_every_type_that_a_control_reads() -> None:
    """What the sandbox does not know it would drop without a word, and a control would pass what is left."""

    def with_more(content: str) -> str:
        inside = content.replace("          - RuleName:", "          - NoSuchProperty: x\n            RuleName:")
        return _WRITTEN.sub(r"\1      NoSuchProperty: x\n", inside)

    stacks = [
        spec(with_more(text(name)), name=name, region=REGIONS.get(name, "us-east-1"), parameters=PARAMETERS.get(name))
        for name in EVERY
    ]
    stacks.append(spec(with_more(OTHER_TYPES), name="others"))
    done = deployed(stacks, policy(), NOW)
    assert [outcome.refusal for outcome in done.outcomes] == [""] * len(stacks)
    noticed = {made.resource.type for made in done.made() if "/NoSuchProperty" in made.resource.ignored}
    assert SLICE - noticed == {MUTE, ORGANIZATION}  # of these nothing is modelled: each is a doubt as a whole
    rules = [f"/BackupPlan/BackupPlanRule/{index}/NoSuchProperty" for index in range(3)]
    [plan] = [made.resource for made in done.made() if made.resource.type == "AWS::Backup::BackupPlan"]
    assert set(rules) < set(plan.ignored)
    [table] = [made.resource for made in done.made() if made.resource.type == "AWS::DynamoDB::GlobalTable"]
    assert "/Replicas/0/NoSuchProperty" in table.ignored


@pytest.mark.parametrize(
    ("old", "new", "control"),
    [
        (
            "      KmsMasterKeyId: !GetAtt AlertKey.Arn\n",
            "      KmsMasterKeyId: !GetAtt AlertKey.Arn\n      DataProtectionPolicy: {Name: x, Statement: []}\n",
            "ALR-01",
        ),
        (
            "      KmsMasterKeyId: !GetAtt AlertKey.Arn\n",
            "      KmsMasterKeyId: !GetAtt AlertKey.Arn\n      MaximumMessageSize: 1024\n",
            "ALR-01",
        ),
        (
            "      BackupVaultName: !Sub ${Prefix}-vault\n",
            "      BackupVaultName: !Sub ${Prefix}-vault\n      NewInTwoYears: true\n",
            "VLT-01",
        ),
        (
            "      Statistic: Sum\n",
            "      Statistic: Sum\n      WarmUpConfiguration: {WarmUpPeriodDurationInMinutes: 1440}\n",
            "ALR-03",
        ),
        (
            "      Principal: events.amazonaws.com\n",
            "      Principal: events.amazonaws.com\n      InvokedViaFunctionUrl: true\n",
            "ALR-02",
        ),
    ],
)
def test_a_property_that_is_not_modelled_makes_what_hangs_on_it_unknown(old: str, new: str, control: str) -> None:
    before = {one.key for one in judged(*ours()).run.findings if one.status is Status.UNKNOWN}
    found = [one for one in found_with(old, new) if one.status is Status.UNKNOWN and one.key not in before]
    told = [one for one in found if one.control == control]
    name = new.splitlines()[-1].split(":")[0].strip()
    assert told
    assert all(name in one.message and "is not modelled" in one.message for one in told)
    assert all(one.location is not None and one.location.file == "templates/primary.yaml" for one in told)


ADDED = {
    "alarms that are muted": (
        """
  Quiet:
    Type: AWS::CloudWatch::AlarmMuteRule
    Properties: {Name: quiet, Rule: {Schedule: {Expression: "cron(0 0 * * *)", Duration: P15D}}}
""",
        {"ALR-03"},
    ),
    "an organisation's policy": (
        """
  Forbidden:
    Type: AWS::Organizations::Policy
    Properties: {Name: scp, Type: SERVICE_CONTROL_POLICY, Content: {Statement: []}}
""",
        {"IAM-01"},  # IAM-02 is UNKNOWN as it is: the drill role stands in another template
    ),
}


@pytest.mark.parametrize("what", ADDED)
def test_what_silences_or_forbids_and_is_not_modelled_is_a_doubt_as_a_whole(what: str) -> None:
    resource, controls = ADDED[what]
    found = found_with("\nOutputs:\n", f"{resource}\nOutputs:\n")
    before = {one.key for one in judged(*ours()).run.findings if one.status is Status.UNKNOWN}
    assert {one.control for one in found if one.status is Status.UNKNOWN and one.key not in before} == controls
