"""What a template does not tell is UNKNOWN, with path, line and reason, and never PASS."""

from __future__ import annotations

import re

import pytest
from tests.gate.building import (
    CORE,
    EVERY,
    NOW,
    PARAMETERS,
    REGIONS,
    judged,
    only,
    ours,
    policy,
    replaced,
    section,
    spec,
    text,
)

from backcheck.controls.cfn import MUTE, ORGANIZATION
from backcheck.finding import Finding, Status
from backcheck.gate.deployment import deployed
from backcheck.gate.reads import SLICE

DAILY, WEEKLY = "techmoda-backup-plan/daily", "techmoda-backup-plan/weekly"


def _found(old: str, new: str, changed: str = "primary") -> tuple[Finding, ...]:
    def change(content: str) -> str:
        declared = replaced("Parameters:\n", "Parameters:\n  NotGiven: {Type: String}\n")(content)
        return replaced(old, new)(declared)

    return judged(*ours(changed, change)).run.findings


RETENTION = "            Lifecycle:\n              DeleteAfterDays: !Ref DailyRetentionDays\n            Copy"
CASES = {
    "PLN-04": (RETENTION, RETENTION.replace("DailyRetentionDays", "NotGiven"), DAILY, "DeleteAfterDays"),
    "PIT-01": ("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: !Ref NotGiven", None, "NotGiven"),
    "PIT-05": ("DeletionProtectionEnabled: true", "DeletionProtectionEnabled: !Ref NotGiven", None, "NotGiven"),
    "DR-02": (
        "                Lifecycle:\n                  DeleteAfterDays: !Ref DailyRetentionDays",
        "                Lifecycle:\n                  DeleteAfterDays: !Ref NotGiven",
        DAILY,
        "NotGiven",
    ),
    "SEL-04": (
        "        Resources:\n          - !GetAtt ProductsTable.Arn\n",
        "        NotResources: [!Ref NotGiven]\n        Resources:\n          - !GetAtt ProductsTable.Arn\n",
        None,
        "NotResources",
    ),
    "ALR-02": ("      State: ENABLED\n      Targets:\n        - Id: validate",
               "      State: !Ref NotGiven\n      Targets:\n        - Id: validate", None, "State"),
}  # fmt: skip


@pytest.mark.parametrize("control", CASES)
def test_a_parameter_without_a_value_makes_what_hangs_on_it_unknown(control: str) -> None:
    old, new, tier, named = CASES[control]
    found = _found(old, new)
    one = only(found, control, tier)
    assert one.status is Status.UNKNOWN, one.message
    assert named in one.message
    assert one.at.startswith("/Resources/")
    assert one.location is not None
    assert one.location.file == "templates/primary.yaml"
    assert one.location.line > 1


def test_a_value_that_is_not_known_does_not_excuse_another_tier() -> None:
    found = _found(RETENTION, RETENTION.replace("DailyRetentionDays", "NotGiven"))
    assert only(found, "PLN-04", WEEKLY).status is Status.PASS


def test_a_value_that_is_not_known_does_not_excuse_what_is_wrong_elsewhere() -> None:
    def change(content: str) -> str:
        declared = replaced("Parameters:\n", "Parameters:\n  X: {Type: String}\n")(content)
        lock = replaced("MinRetentionDays: !Ref LockMinRetentionDays", "MinRetentionDays: 60")(declared)
        return replaced("      EncryptionKeyArn: !GetAtt VaultKey.Arn", "      EncryptionKeyArn: !Ref X")(lock)

    found = [one for one in judged(*ours("primary", change)).run.findings if one.resource.endswith(":techmoda-vault")]
    assert only(found, "VLT-02").status is Status.UNKNOWN
    assert only(found, "VLT-03").status is Status.FAIL


def test_a_region_without_a_template_is_not_known() -> None:
    found = judged(*ours(names=("primary",))).run.findings
    assert {one.status for one in found if one.control == "VLT-01"} == {Status.PASS, Status.UNKNOWN}
    told = [one.message for one in found if one.control == "VLT-01" and one.status is Status.UNKNOWN]
    assert "no template for this account and region was given" in told[0]
    assert {one.status for one in found if one.control == "FEA-01"} == {Status.UNKNOWN}


def test_an_import_that_nobody_exports_is_not_known() -> None:
    found = judged(*ours(names=("restore-testing",))).run.findings
    [stack] = [one for one in found if one.control == "TPL-01"]
    assert stack.status is Status.UNKNOWN
    assert "no export named techmoda-" in stack.message
    assert stack.location is not None
    assert stack.location.line > 1


def test_a_condition_that_is_not_known_leaves_open_whether_there_is_a_selection() -> None:
    def change(content: str) -> str:
        declared = replaced("Parameters:\n", "Parameters:\n  X: {Type: String}\n")(content)
        with_condition = replaced("\nResources:\n", '\nConditions:\n  Wanted: !Equals [!Ref X, "yes"]\n\nResources:\n')
        selection = "  BackupSelection:\n    Type: AWS::Backup::BackupSelection\n"
        return replaced(selection, f"{selection}    Condition: Wanted\n")(
            declared.replace("\nConditions:\n", '\nConditions:\n  Wanted: !Equals [!Ref X, "yes"]\n')
            if "\nConditions:\n" in declared
            else with_condition(declared)
        )

    found = judged(*ours("primary", change)).run.findings
    one = only(found, "SEL-01")
    assert one.status is Status.UNKNOWN
    assert "whether it is created" in one.message


NESTED = """
Resources:
  Backups:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: "https://bucket.s3.amazonaws.com/backups.yaml"}
  Products:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TableName: techmoda-products
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35}
"""


def test_what_may_be_in_a_nested_stack_that_is_not_at_hand_is_not_known() -> None:
    found = judged(spec(NESTED)).run.findings
    assert only(found, "TPL-01").status is Status.UNKNOWN
    assert "is not at hand" in only(found, "TPL-01").message
    assert only(found, "PLN-01").status is Status.UNKNOWN
    assert only(found, "SEL-01").status is Status.UNKNOWN
    assert only(found, "PIT-01").status is Status.PASS
    assert only(found, "PIT-05").status is Status.FAIL  # deletion protection is off, whatever is in the other


STACKSET = NESTED.replace("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet")
SET = section(STACKSET, "  Backups:\n", "  Products:")
BESIDES = {
    "a template at a URL": STACKSET,
    "a template written in": STACKSET.replace("TemplateURL", "TemplateBody"),
    "beside all that the policy wants": replaced("\nResources:\n", f"\nResources:\n{SET}")(text("primary")),
}


@pytest.mark.parametrize("case", BESIDES)
def test_what_a_stack_set_makes_is_not_known(case: str) -> None:
    content = BESIDES[case]
    told = only(judged(spec(content)).run.findings, "TPL-01")
    assert told.status is Status.UNKNOWN
    assert "/Resources/Backups: its stacks" in told.message
    assert "are not looked into" in told.message
    at = next(number for number, one in enumerate(content.splitlines(), 1) if one == "  Backups:")
    assert told.location is not None
    assert (told.location.file, told.location.line) == ("techmoda.yaml", at)


def test_what_a_policy_wants_and_no_template_has_may_be_in_a_stack_set() -> None:
    found = judged(spec(STACKSET)).run.findings
    assert only(found, "PLN-01").status is Status.UNKNOWN
    assert only(found, "SEL-01").status is Status.UNKNOWN


MACRO = "  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/more.yaml}}\n"
LOOP = """\
  Fn::ForEach::Tables:
    - Name
    - !Ref NotGiven
    - Table${Name}: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref Name}}
"""
EXTENDED = "Transform: AWS::LanguageExtensions\nParameters:\n  NotGiven: {Type: CommaDelimitedList}\n"
ADDING = {
    "a macro": (f"Resources:\n{MACRO}  T: {{Type: AWS::SNS::Topic}}\n", 2, "a macro adds resources"),
    "a loop over what is not known": (
        f"{EXTENDED}Resources:\n{LOOP}  T: {{Type: AWS::SNS::Topic}}\n", 7, "parameter NotGiven has no value"),
}  # fmt: skip


@pytest.mark.parametrize("case", ADDING)
def test_what_adds_resources_that_nobody_knows_leaves_open_what_is_missing(case: str) -> None:
    content, line, why = ADDING[case]
    found = judged(spec(content)).run.findings
    stack = only(found, "TPL-01")
    assert stack.status is Status.UNKNOWN
    assert why in stack.message
    assert stack.location is not None
    assert stack.location.line == line
    assert [one.control for one in found if one.status is Status.FAIL] == []
    assert f"techmoda.yaml:{line} adds resources that are not known" in only(found, "PLN-01").message


def test_a_macro_among_the_properties_leaves_the_resource_open() -> None:
    named = "      BackupVaultName: !Sub ${Prefix}-vault\n"
    lock = section(text("primary"), "      LockConfiguration:\n", "      AccessPolicy:")

    def change(content: str) -> str:
        return replaced(lock, "")(replaced(named, f"{named}    {MACRO}")(content))

    found = judged(*ours("primary", change)).run.findings
    told = [one for one in found if one.control == "VLT-03" and one.resource.endswith(":techmoda-vault")]
    assert [one.status for one in told] == [Status.UNKNOWN]
    assert "AWS::Include is a macro that runs in the account only" in told[0].message


def test_a_refused_stack_leaves_the_roles_of_others_open() -> None:
    change = replaced("MaxRetentionDays: !Ref LockMaxRetentionDays", "MaxRetentionDays: never")
    found = judged(*ours("dr", change, EVERY)).run.findings
    assert [one.control for one in found if one.status is Status.FAIL] == ["TPL-01"]
    assert only(found, "IAM-01").message == "cannot be told: stack dr is refused (see TPL-01), and it may be in there"


def test_a_refused_stack_is_one_failure_and_the_rest_is_not_known() -> None:
    change = replaced("StartWindowMinutes: !Ref DailyStartWindowMinutes", "StartWindowMinutes: 10")
    found = judged(*ours("primary", change, CORE)).run.findings
    failed = [one.control for one in found if one.status is Status.FAIL]
    assert failed == ["TPL-01"]
    assert only(found, "PIT-01").status is Status.UNKNOWN


def test_nothing_of_the_policy_is_judged_as_a_template() -> None:
    found = judged(*ours()).run.findings
    places = {one.location.file for one in found if one.control.startswith("POL-") and one.location}
    assert places == {policy().source.file}


DENIED = "arn:aws:iam::aws:policy/AWSDenyAll"
ELSEWHERE = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
ROLES = {"IAM-01": "backup", "IAM-02": "restore"}


def _with_policies(role: str, *arns: str) -> Finding:
    named = f"      RoleName: !Sub ${{Prefix}}-{role}\n"
    change = replaced(named, f"{named}      ManagedPolicyArns: [{', '.join(arns)}]\n")
    found = judged(*ours("primary", change, EVERY)).run.findings
    control = next(control for control, one in ROLES.items() if one == role)
    return next(one for one in found if one.control == control and one.resource.endswith(f"role/techmoda-{role}"))


@pytest.mark.parametrize("role", ROLES.values())
def test_a_policy_of_aws_that_denies_everything_fails_the_role(role: str) -> None:
    told = _with_policies(role, DENIED)
    assert told.status is Status.FAIL
    assert "it may not " in told.message


@pytest.mark.parametrize("role", ROLES.values())
@pytest.mark.parametrize("beside", [(), ("arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",)])
def test_a_policy_of_aws_whose_text_is_not_at_hand_leaves_the_role_open(role: str, beside: tuple[str, ...]) -> None:
    told = _with_policies(role, ELSEWHERE, *beside)
    assert told.status is Status.UNKNOWN
    assert "a policy that was not read" in told.message
    assert told.location is not None
    assert told.location.file == "templates/primary.yaml"


@pytest.mark.parametrize(("control", "role"), ROLES.items())
def test_the_policy_of_aws_for_the_role_is_known(control: str, role: str) -> None:
    purpose = {"IAM-01": "Backup", "IAM-02": "Restores"}[control]
    own = f"arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor{purpose}"
    assert _with_policies(role, own).status is Status.PASS


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
    ],
)
def test_a_property_that_is_not_modelled_makes_what_hangs_on_it_unknown(old: str, new: str, control: str) -> None:
    before = {one.key for one in judged(*ours()).run.findings if one.status is Status.UNKNOWN}
    found = [one for one in _found(old, new) if one.status is Status.UNKNOWN and one.key not in before]
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
    found = _found("\nOutputs:\n", f"{resource}\nOutputs:\n")
    before = {one.key for one in judged(*ours()).run.findings if one.status is Status.UNKNOWN}
    assert {one.control for one in found if one.status is Status.UNKNOWN and one.key not in before} == controls


def test_a_role_with_a_path_is_not_the_one_that_an_arn_without_it_names() -> None:
    def change(content: str) -> str:
        with_path = replaced(
            "      RoleName: !Sub ${Prefix}-backup\n", "      RoleName: !Sub ${Prefix}-backup\n      Path: /service/\n"
        )
        named = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Prefix}-backup"
        return replaced("IamRoleArn: !GetAtt BackupRole.Arn", f"IamRoleArn: !Sub {named}")(with_path(content))

    found = judged(*ours("primary", change)).run.findings
    failed = [one for one in found if one.status is Status.FAIL]
    assert {one.control for one in failed} - {"RST-01"} == {"IAM-01", "SEL-04"}
    assert any(
        "its role of that name is arn:aws:iam::123456789012:role/service/techmoda-backup" in one.message
        for one in failed
    )


def test_a_function_whose_role_lambda_cannot_assume_is_refused() -> None:
    def change(content: str) -> str:
        return replaced(
            "      Handler: functions.validate_backup.handler\n",
            "      Handler: functions.validate_backup.handler\n      Role: !GetAtt RestoreRole.Arn\n",
        )(content)

    [told] = [
        one
        for one in judged(*ours("primary", change)).run.findings
        if one.control == "TPL-01" and one.status is Status.FAIL
    ]
    assert "cannot be assumed by Lambda" in told.message
