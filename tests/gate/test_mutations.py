"""The lab's spoilt templates, and the same change applied to ours: what turns from PASS to FAIL, and nothing else."""

from __future__ import annotations

from functools import cache

import pytest
from tests.gate.building import (
    EVERY,
    ROOT,
    Change,
    Key,
    judged,
    ours,
    replaced,
    section,
    spec,
    text,
    verdicts,
)

from backcheck.finding import Finding, Status

PRIMARY = text("primary")
PLAN = "template:templates/primary.yaml#/Resources/BackupPlan"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/techmoda-products"
VAULT = "arn:aws:backup:us-east-1:123456789012:backup-vault:techmoda-vault"
SELECTION = section(PRIMARY, "  BackupSelection:\n    Type", "  # --- roles that AWS")
DAILY_COPY = section(PRIMARY, "            CopyActions:\n", "          - RuleName: WeeklyBackups")
OTHER_RULES = section(PRIMARY, "          - RuleName: WeeklyBackups\n", "\n  BackupSelection:")


def _cold_through_a_parameter(content: str) -> str:
    declared = replaced("Parameters:\n", "Parameters:\n  Cold: {Type: Number, Default: 30}\n")(content)
    kept = "              DeleteAfterDays: !Ref WeeklyRetentionDays\n"
    return replaced(kept, f"{kept}              MoveToColdStorageAfterDays: !Ref Cold\n")(declared)


def _of_the_plan(*pairs: tuple[str, str]) -> set[Key]:
    return {(control, PLAN, f"techmoda-backup-plan/{tier}" if tier else "") for control, tier in pairs}


REFUSED = {("TPL-01", "template:templates/primary.yaml", "")}
VALIDATOR_ROLE = "template:templates/primary.yaml#/Resources/ValidateBackupFunctionRole"
MUTATIONS: dict[str, tuple[Change, set[Key]]] = {
    "01": (replaced("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"), {("PIT-01", TABLE, "")}),
    "05": (replaced(SELECTION, ""), {("SEL-01", TABLE, "")}),
    "07": (replaced(DAILY_COPY, ""), _of_the_plan(("DR-01", "daily"), ("DRF-01", ""), ("RPO-01", ""))),
    "10": (
        replaced(OTHER_RULES, ""),
        _of_the_plan(("PLN-02", "weekly"), ("PLN-02", "monthly"), ("DRF-01", "")),
    ),
    "11": (replaced("StartWindowMinutes: !Ref DailyStartWindowMinutes", "StartWindowMinutes: 10"), REFUSED),
    "14": (_cold_through_a_parameter, REFUSED),
    "16": (
        replaced(
            "            Lifecycle:\n              DeleteAfterDays: !Ref DailyRetentionDays\n",
            "            Lifecycle: {OptInToArchiveForSupportedResources: false}\n",
        ),
        _of_the_plan(("PLN-04", "daily"), ("FEA-01", "daily"), ("PLN-06", ""), ("DRF-01", "")),
    ),
    "18": (
        replaced("MinRetentionDays: !Ref LockMinRetentionDays", "MinRetentionDays: 60"),
        {*_of_the_plan(("FEA-01", "daily")), ("VLT-03", VAULT, ""), ("DRF-01", VAULT, "")},
    ),
    "20": (
        replaced(
            "State: ENABLED\n      Targets:\n        - Id: validate",
            "State: DISABLED\n      Targets:\n        - Id: validate",
        ),
        {("ALR-02", "policy:techmoda-product-catalog#/validation", "")},
    ),
    "23": (
        replaced(
            "                - backup:DescribeRecoveryPoint\n                - backup:DescribeRegion",
            "                - backup:*\n                - iam:PassRole\n                - backup:DescribeRegion",
        ),
        {("IAM-03", VALIDATOR_ROLE, "")},
    ),
}
"""By the lab's number: the change to primary.yaml, and what it must fail: the control at fault, and those that see the
same from another side (the plan is no longer the policy's, the arithmetic of what can be lost)."""


@cache
def _baseline() -> dict[Key, Status]:
    return verdicts(judged(*ours(names=EVERY)).run.findings)


def test_our_templates_pass() -> None:
    bad = {key: status for key, status in _baseline().items() if status in (Status.FAIL, Status.UNKNOWN)}
    assert bad == {}
    assert sum(status is Status.PASS for status in _baseline().values()) > 100


@pytest.mark.parametrize("number", MUTATIONS)
def test_a_spoilt_template_fails_exactly_what_was_spoilt(number: str) -> None:
    change, expected = MUTATIONS[number]
    found = verdicts(judged(*ours("primary", change, EVERY)).run.findings)
    turned = {key for key, status in found.items() if status is Status.FAIL}
    assert turned == expected
    assert {_baseline()[key] for key in expected} == {Status.PASS}
    not_known = {key for key, status in found.items() if status is Status.UNKNOWN}
    assert not_known == set() or expected == REFUSED, "a stack that is refused leaves open what would be in it"


@pytest.mark.parametrize(
    ("number", "at"),
    [
        ("01", "PointInTimeRecoveryEnabled: false"),
        ("05", "  ProductsTable:"),  # nothing selects it, and there is no selection to correct
        ("07", "          - RuleName: DailyBackups"),
        ("10", "        BackupPlanRule:"),
        ("11", "StartWindowMinutes: 10"),
        ("14", "              DeleteAfterDays: !Ref WeeklyRetentionDays"),
        ("16", "            Lifecycle: {OptInToArchiveForSupportedResources: false}"),
        ("18", "      LockConfiguration:"),
        ("20", "      State: DISABLED"),
        ("23", "            Destination: !Ref AlertTopic"),  # the function's Policies are below it
    ],
)
def test_a_finding_stands_on_the_line_that_is_at_fault(number: str, at: str) -> None:
    change, expected = MUTATIONS[number]
    spoilt = change(PRIMARY)
    found = {one.key: one for one in judged(*ours("primary", change)).run.findings}
    lines = {place.line for key in expected if (place := found[key].location) is not None}
    at_line = next(index for index, line in enumerate(spoilt.splitlines(), 1) if at in line)
    assert any(at_line <= line <= at_line + 1 for line in lines), (at_line, lines)


FUNCTION = "      FunctionName: !Sub ${Prefix}-"
STOPPED = "\n      ReservedConcurrentExecutions: 0\n"
SUBSCRIBED = "      Protocol: !Ref AlertProtocol\n      Endpoint: !Ref AlertEndpoint\n"
ALERTS = ("ALR-01", "policy:techmoda-product-catalog#/validation/alerts", "")
VALIDATION_HEARD = ("ALR-03", "policy:techmoda-product-catalog#/validation", "")
DELETION = "      DeletionProtectionEnabled: true\n"


def denying(action: str) -> str:
    return (
        f"{{PolicyDocument: {{Version: 2012-10-17, Statement: "
        f"[{{Effect: Deny, Principal: '*', Action: '{action}', Resource: '*'}}]}}}}"
    )


OUR_SELECTION = "  BackupSelection:\n    Type"


def another_plan(schedule: str) -> str:
    return f"""\
  LegacyPlan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: legacy
        BackupPlanRule:
          - {{RuleName: Yearly, TargetBackupVault: !Ref Vault, ScheduleExpression: "{schedule}",
             StartWindowMinutes: 60, CompletionWindowMinutes: 120, Lifecycle: {{DeleteAfterDays: 365}}}}
  LegacySelection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref LegacyPlan
      BackupSelection:
        SelectionName: legacy
        IamRoleArn: !GetAtt BackupRole.Arn
        Resources: [!GetAtt ProductsTable.Arn]
"""


PUBLISHERS = section(PRIMARY, "          - Sid: ThoseWhoPublish", "\n  AlertTopic:")


SILENCED: dict[str, tuple[str, Change, set[Key], set[Key]]] = {
    "the validator never runs": (
        "primary", replaced(f"{FUNCTION}validate-backup\n", f"{FUNCTION}validate-backup{STOPPED}"),
        {("ALR-02", "policy:techmoda-product-catalog#/validation", "")}, set()),
    "what validates a restore test never runs": (
        "restore-testing", replaced(f"{FUNCTION}restore-validation\n", f"{FUNCTION}restore-validation{STOPPED}"),
        {("RST-01", TABLE, "")}, set()),
    "a filter on what no event has": (
        "primary", replaced(SUBSCRIBED, f"{SUBSCRIBED}      FilterPolicyScope: MessageBody\n"
                                        "      FilterPolicy: {severity: [high]}\n"),
        {ALERTS}, {VALIDATION_HEARD}),
    "a filter that an event passes, and an alarm does not": (
        "primary", replaced(SUBSCRIBED, f"{SUBSCRIBED}      FilterPolicyScope: MessageBody\n"
                                        "      FilterPolicy: {$or: [{source: [aws.backup]}, {NewStateValue: [OK]}]}\n"),
        set(), {VALIDATION_HEARD}),
    "a filter on attributes, of which no page says that there are any": (
        "primary", replaced(SUBSCRIBED, f"{SUBSCRIBED}      FilterPolicy: {{severity: [high]}}\n"),
        set(), {ALERTS, VALIDATION_HEARD}),
    "a queue that no template makes": (
        "primary", replaced(SUBSCRIBED, "      Protocol: sqs\n"
                                        "      Endpoint: arn:aws:sqs:us-east-1:123456789012:gone\n"),
        set(), {ALERTS, VALIDATION_HEARD}),
    "a function that no template makes": (
        "primary", replaced(SUBSCRIBED, "      Protocol: lambda\n      Endpoint: "
                                        "arn:aws:lambda:us-east-1:123456789012:function:gone\n"),
        set(), {ALERTS, VALIDATION_HEARD}),
    "a function that nobody lets the topic start": (
        "primary", replaced(SUBSCRIBED, "      Protocol: lambda\n"
                                        "      Endpoint: !GetAtt ValidateBackupFunction.Arn\n"),
        {ALERTS, VALIDATION_HEARD}, set()),
    "a table's policy that denies its backup": (
        "primary", replaced(DELETION, f"{DELETION}      ResourcePolicy: {denying('dynamodb:StartAwsBackupJob')}\n"),
        _of_the_plan(("FEA-01", "daily"), ("FEA-01", "weekly"), ("FEA-01", "monthly")), set()),
    "a table's policy that denies what a backup may take": (
        "primary", replaced(DELETION, f"{DELETION}      ResourcePolicy: {denying('dynamodb:ListTagsOfResource')}\n"),
        set(), _of_the_plan(("FEA-01", "daily"), ("FEA-01", "weekly"), ("FEA-01", "monthly"))),
    "another plan that overlaps, kept for longer": (
        "primary", replaced(OUR_SELECTION, f"{another_plan('cron(0 1 ? * * *)')}{OUR_SELECTION}"),
        set(), _of_the_plan(("PLN-06", ""))),
    "another plan at another time": (
        "primary", replaced(OUR_SELECTION, f"{another_plan('cron(0 20 ? * * *)')}{OUR_SELECTION}"),
        set(), set()),
    "a statement of the topic's key that has no effect": (
        "primary", replaced(PUBLISHERS, PUBLISHERS.replace('            Resource: "*"\n', "")),
        {ALERTS, VALIDATION_HEARD}, set()),
}  # fmt: skip
"""What leaves a company without a backup, or without news of it, while every tool is green: what it fails, and what it
leaves open."""


@pytest.mark.parametrize("case", SILENCED)
def test_a_silenced_template_fails_exactly_what_was_silenced(case: str) -> None:
    changed, change, failed, unknown = SILENCED[case]
    found = verdicts(judged(*ours(changed, change, EVERY)).run.findings)
    assert {key for key, status in found.items() if status is Status.FAIL} == failed
    assert {key for key, status in found.items() if status is Status.UNKNOWN} == unknown
    assert {_baseline()[key] for key in failed | unknown} <= {Status.PASS}


SILENT = "Description: A copy job of this region ended without a copy\n      State: "
NAME, MISNAMED = "VaultName: !Sub ${Prefix}-vault", "VaultName: !Sub ${Prefix}-misnamed\n"
AT_NAME = "      BackupVaultName:"
MISPLACED: dict[str, tuple[str, Change, str, str]] = {
    "a rule of the primary region": (
        "primary", replaced(f"{SILENT}ENABLED", f"{SILENT}DISABLED"), "ALR-01",
        "      State: DISABLED"),
    "a vault of the primary region": ("primary", replaced(f"{NAME}\n", MISNAMED), "VLT-01", AT_NAME),
    "a vault of the DR region": ("dr", replaced(f"{NAME}-dr\n", MISNAMED), "VLT-01", AT_NAME),
}  # fmt: skip


@pytest.mark.parametrize("case", MISPLACED)
@pytest.mark.parametrize("names", [("dr", "primary"), ("primary", "dr")])
def test_a_finding_stands_in_a_template_of_its_own_region(case: str, names: tuple[str, ...]) -> None:
    changed, change, control, at = MISPLACED[case]
    found = judged(*ours(changed, change, names)).run.findings
    [place] = [one.location for one in found if one.control == control and one.status is Status.FAIL]
    assert place is not None
    assert place.file == f"templates/{changed}.yaml"
    at_line = next(index for index, line in enumerate(change(text(changed)).splitlines(), 1) if line.startswith(at))
    assert at_line <= place.line <= at_line + 3


LAB = ROOT / "fixtures" / "templates" / "lab" / "mutations"
DAILY, WEEKLY, MONTHLY = (f"techmoda-backup-plan/{tier}" for tier in ("daily", "weekly", "monthly"))
LAB_PLAN = "template:lab.yaml#/Resources/BackupPlan"
EXPECTED: dict[str, set[Key]] = {
    "01": {("PIT-01", TABLE, "")},
    "05": {("SEL-01", TABLE, "")},
    "07": {("DR-01", LAB_PLAN, DAILY)},
    "10": {("PLN-02", LAB_PLAN, WEEKLY), ("PLN-02", LAB_PLAN, MONTHLY)},
    "11": {("TPL-01", "template:lab.yaml", "")},
    "14": {("TPL-01", "template:lab.yaml", "")},
    "16": {("PLN-04", LAB_PLAN, WEEKLY)},
    "18": {("FEA-01", LAB_PLAN, DAILY)},
    "20": set(),
    "23": set(),
}
"""What each change of the lab's own turns to FAIL, and nothing else."""
WRONG_BEFORE = {
    "18": ("VLT-03", "its minimum of 60 days"),
    "20": ("ALR-02", "is disabled"),
    "23": ("IAM-03", "backup:*"),
}
"""What the lab's template fails even unchanged; the finding then says the new reason, too."""


def _of_the_lab(number: str) -> tuple[Finding, ...]:
    return judged(spec((LAB / f"{number}.yaml").read_text(), file="lab.yaml")).run.findings


@cache
def _failed_before() -> frozenset[Key]:
    return frozenset(one.key for one in _of_the_lab("00") if one.status is Status.FAIL)


@pytest.mark.parametrize("number", EXPECTED)
def test_the_labs_own_mutations_fail_exactly_what_they_spoil(number: str) -> None:
    found = _of_the_lab(number)
    assert {one.key for one in found if one.status is Status.FAIL} - _failed_before() == EXPECTED[number]
    if number in WRONG_BEFORE:
        control, why = WRONG_BEFORE[number]
        assert any(control == one.control and one.status is Status.FAIL and why in one.message for one in found)


def test_every_mutation_of_the_lab_is_tried() -> None:
    numbers = {line.partition(".")[0] for line in (LAB / "expected.tsv").read_text().splitlines()[2:]}
    assert numbers == set(EXPECTED) == set(MUTATIONS)


def test_the_words_of_aws_are_told_with_the_resource_that_it_refuses() -> None:
    found = judged(*ours("primary", MUTATIONS["14"][0])).run.findings
    [refused] = [one for one in found if one.control == "TPL-01" and one.status is Status.FAIL]
    assert "BackupPlan: " in refused.message
    assert "rule WeeklyBackups. DeleteAfterDays cannot be less than 90 days apart" in refused.message


def test_another_plan_that_takes_the_table_is_told() -> None:
    change = replaced(OUR_SELECTION, f"{another_plan('cron(0 20 ? * * *)')}{OUR_SELECTION}")
    [one] = [one for one in judged(*ours("primary", change)).run.findings if one.control == "PLN-06"]
    assert any("plan legacy backs up techmoda-products too (Yearly, kept 365 days)" in note for note in one.notes)
