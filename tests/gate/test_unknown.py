"""What a template does not tell is UNKNOWN, with path, line and reason, and never PASS."""

from __future__ import annotations

import pytest
from tests.gate.building import (
    CORE,
    EVERY,
    found_with,
    judged,
    only,
    ours,
    policy,
    replaced,
    section,
    spec,
    text,
)

from backcheck.finding import Status

DAILY, WEEKLY = "techmoda-backup-plan/daily", "techmoda-backup-plan/weekly"


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


OF_THE_ALERT_KEY = "      Description: !Sub Messages of ${Prefix}-backup-alerts\n"
BY_PEOPLE = """\
      Protocol: !Ref AlertProtocol
      Endpoint: !Ref AlertEndpoint

  AlertTopicPolicy:
"""
BY_A_FUNCTION = """\
      Protocol: lambda
      Endpoint: !GetAtt Hear.Arn

  HearRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
  Hear:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: a.b
      Role: !GetAtt HearRole.Arn
      Code: {ZipFile: x}
      ReservedConcurrentExecutions: 1
  MayStartIt:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref Hear
      Principal: sns.amazonaws.com
      SourceArn: !Ref AlertTopic

  AlertTopicPolicy:
"""
ON_THE_WAY = {
    "whether the topic's key is enabled": (OF_THE_ALERT_KEY, f"{OF_THE_ALERT_KEY}      Enabled: !Ref NotGiven\n"),
    "of what kind the topic's key is": (OF_THE_ALERT_KEY, f"{OF_THE_ALERT_KEY}      KeySpec: !Ref NotGiven\n"),
    "who may start the subscribed function": (
        BY_PEOPLE, BY_A_FUNCTION.replace("SourceArn: !Ref AlertTopic", "SourceArn: !Ref NotGiven")),
    "whether the subscribed function can run": (
        BY_PEOPLE, BY_A_FUNCTION.replace("Executions: 1", "Executions: !Ref NotGiven")),
}  # fmt: skip


@pytest.mark.parametrize("what", ON_THE_WAY)
def test_what_is_not_known_of_the_way_to_people_leaves_open_whether_they_hear(what: str) -> None:
    found = found_with(*ON_THE_WAY[what])
    heard = {(one.control, one.status) for one in found if one.control in ("ALR-01", "ALR-03")}
    assert heard == {("ALR-01", Status.UNKNOWN), ("ALR-03", Status.UNKNOWN)}


def test_a_subscribed_function_of_which_all_is_known_is_heard() -> None:
    found = found_with(BY_PEOPLE, BY_A_FUNCTION)
    assert {one.status for one in found if one.control in ("ALR-01", "ALR-03")} == {Status.PASS}


def test_who_else_may_start_a_function_says_nothing_of_the_way_to_people() -> None:
    by_s3 = BY_A_FUNCTION.replace("sns.amazonaws.com", "s3.amazonaws.com").replace("!Ref AlertTopic", "!Ref NotGiven")
    found = found_with(
        BY_PEOPLE,
        by_s3.replace("Protocol: lambda\n      Endpoint: !GetAtt Hear.Arn", BY_PEOPLE.partition("\n\n")[0].strip()),
    )
    assert {one.status for one in found if one.control in ("ALR-01", "ALR-03")} == {Status.PASS}


@pytest.mark.parametrize("control", CASES)
def test_a_parameter_without_a_value_makes_what_hangs_on_it_unknown(control: str) -> None:
    old, new, tier, named = CASES[control]
    found = found_with(old, new)
    one = only(found, control, tier)
    assert one.status is Status.UNKNOWN, one.message
    assert named in one.message
    assert one.at.startswith("/Resources/")
    assert one.location is not None
    assert one.location.file == "templates/primary.yaml"
    assert one.location.line > 1


def test_a_value_that_is_not_known_does_not_excuse_another_tier() -> None:
    found = found_with(RETENTION, RETENTION.replace("DailyRetentionDays", "NotGiven"))
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


SECOND_POLICY = """
  Subscribable:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref AlertTopic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: "sns:Subscribe", Resource: !Ref AlertTopic}]
"""


def test_a_topic_with_two_policies_has_the_one_that_comes_last_and_nothing_says_which() -> None:
    found = judged(*ours("primary", replaced("\nResources:\n", f"\nResources:\n{SECOND_POLICY}"))).run.findings
    for control in ("ALR-01", "ALR-03"):
        told = next(one for one in found if one.control == control and "AlertTopicPolicy" in one.message + one.at)
        assert told.status is Status.UNKNOWN
        assert "nothing says which of the two comes last" in told.message


@pytest.mark.parametrize(("first", "status"), [("AlertTopicPolicy", Status.FAIL), ("Subscribable", Status.PASS)])
def test_where_the_template_says_which_policy_comes_last_that_one_is_judged(first: str, status: Status) -> None:
    def change(content: str) -> str:
        last = "Subscribable" if first == "AlertTopicPolicy" else "AlertTopicPolicy"
        added = replaced("\nResources:\n", f"\nResources:\n{SECOND_POLICY}")(content)
        head = f"  {last}:\n    Type: AWS::SNS::TopicPolicy\n"
        return replaced(head, f"{head}    DependsOn: {first}\n")(added)

    found = judged(*ours("primary", change)).run.findings
    assert {one.status for one in found if one.control == "ALR-03"} == {status}
