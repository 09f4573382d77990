"""All five templates in ministack's CloudFormation: they deploy, and what they ask for is there."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from tests.e2e.emulators import ACCOUNT, DR, PRIMARY
from tests.e2e.reductions import DROPPED, REDUCTIONS
from tests.e2e.stacks import REGION, Stack, create, packaged
from tests.e2e.stage import Stage, topic_arn

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", REGION)
def test_the_template_deploys_with_every_resource_that_is_left_in_it(name: str, stacks: dict[str, Stack]) -> None:
    made = stacks[name]
    assert made.status == "CREATE_COMPLETE", made.failures
    wanted = {key for key, one in packaged(name)["Resources"].items() if "Condition" not in one}
    assert wanted <= made.resources.keys()
    assert {one["ResourceStatus"] for one in made.resources.values()} == {"CREATE_COMPLETE"}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_reduction_is_still_needed(name: str, played: Stage) -> None:
    reduction = REDUCTIONS[name]
    with pytest.raises(ClientError, match=reduction.lacks):
        create(played.ministack, reduction.template, packaged(reduction.template, but=[name]), stack="unreduced")


@pytest.mark.parametrize("what", DROPPED)
def test_what_ministack_drops_it_still_drops(what: str, stacks: dict[str, Stack], played: Stage) -> None:
    ask, answer = DROPPED[what]
    assert ask(played.ministack) == answer


def test_the_table_is_as_asked_for(stacks: dict[str, Stack], played: Stage) -> None:
    table = played.ministack.client("dynamodb").describe_table(TableName="techmoda-products")["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_the_plan_has_three_rules_that_copy_to_the_vault_of_the_other_region(
    stacks: dict[str, Stack], played: Stage
) -> None:
    there = played.ministack.client("backup", DR).describe_backup_vault(BackupVaultName="techmoda-vault-dr")
    backup = played.ministack.client("backup")
    plan_id = stacks["primary"].physical("BackupPlan")
    rules = backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["Rules"]
    assert [one["RuleName"] for one in rules] == ["DailyBackups", "WeeklyBackups", "MonthlyBackups"]
    copies = {copy["DestinationBackupVaultArn"] for one in rules for copy in one["CopyActions"]}
    assert copies == {there["BackupVaultArn"]}


FUNCTIONS = {
    "techmoda-validate-backup": ("functions.validate_backup.handler", 300),
    "techmoda-restore-backup": ("functions.restore.handler", 60),
    "techmoda-restore-test": ("functions.restore_test.handler", 60),
    "techmoda-restore-validation": ("functions.restore_validation.handler", 60),
    "techmoda-restore-check": ("functions.restore_check.handler", 60),
    "techmoda-restore-compare": ("functions.restore_check.handler", 900),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_as_asked_for_and_knows_the_other_stacks(
    name: str, stacks: dict[str, Stack], played: Stage
) -> None:
    made = played.ministack.client("lambda").get_function_configuration(FunctionName=name)
    assert (made["Runtime"], made["Handler"], made["Timeout"]) == ("python3.13", *FUNCTIONS[name])
    table = f"arn:aws:dynamodb:{PRIMARY}:{ACCOUNT}:table/techmoda-products"
    variables = made["Environment"]["Variables"]
    assert variables.get("SOURCE_TABLE_ARN", table) == table
    assert "AWS_ENDPOINT_URL" not in variables


def test_a_function_that_fails_unheard_tells_the_topic(stacks: dict[str, Stack], played: Stage) -> None:
    functions = played.ministack.client("lambda")
    for name in ("techmoda-validate-backup", "techmoda-restore-validation"):
        config = functions.get_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST")
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == topic_arn("techmoda-backup-alerts")


RULES = {
    "techmoda-backup-failed": topic_arn("techmoda-backup-alerts"),
    "techmoda-backup-issues": topic_arn("techmoda-backup-alerts"),
    "techmoda-copy-failed": topic_arn("techmoda-backup-alerts"),
    "techmoda-restore-failed": topic_arn("techmoda-backup-alerts"),
    "techmoda-restore-check-failed": topic_arn("techmoda-backup-alerts"),
    "techmoda-drill-failed": topic_arn("techmoda-backup-alerts"),
    "techmoda-validate-backup": f"arn:aws:lambda:{PRIMARY}:{ACCOUNT}:function:techmoda-validate-backup",
    "techmoda-restore-test-finished": f"arn:aws:lambda:{PRIMARY}:{ACCOUNT}:function:techmoda-restore-validation",
    "techmoda-drill": f"arn:aws:codebuild:{PRIMARY}:{ACCOUNT}:project/techmoda-drill",
}


def test_every_rule_has_its_target(stacks: dict[str, Stack], played: Stage) -> None:
    events = played.ministack.client("events")
    rules = [one for one in events.list_rules(NamePrefix="techmoda-")["Rules"] if one["State"] == "ENABLED"]
    found = {one["Name"]: events.list_targets_by_rule(Rule=one["Name"])["Targets"] for one in rules}
    assert {name: [target["Arn"] for target in targets] for name, targets in found.items()} == {
        name: [arn] for name, arn in RULES.items()
    }


@pytest.mark.parametrize(
    ("function", "rule"),
    [
        ("techmoda-validate-backup", "techmoda-validate-backup"),
        ("techmoda-restore-validation", "techmoda-restore-test-finished"),
    ],
)
def test_only_its_rule_may_call_a_function(function: str, rule: str, stacks: dict[str, Stack], played: Stage) -> None:
    policy = json.loads(played.ministack.client("lambda").get_policy(FunctionName=function)["Policy"])
    [allowed] = policy["Statement"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"] == {"ArnLike": {"AWS:SourceArn": f"arn:aws:events:{PRIMARY}:{ACCOUNT}:rule/{rule}"}}


@pytest.mark.parametrize(("stack", "key"), [("restore-testing", "WitnessBucket"), ("drill", "EvidenceBucket")])
def test_a_bucket_with_items_or_evidence_is_private(
    stack: str, key: str, stacks: dict[str, Stack], played: Stage
) -> None:
    s3 = played.ministack.client("s3")
    name = stacks[stack].physical(key)
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    assert "OnlyOverTls" in s3.get_bucket_policy(Bucket=name)["Policy"]


@pytest.mark.parametrize(
    ("template", "region", "parameters", "says"),
    [
        ("auditor", PRIMARY, {"OidcProviderArn": ""}, "A role that nobody may assume audits nothing"),
        ("dr", DR, {"PrimaryRegion": DR}, "A copy next to its source dies with it"),
    ],
)
def test_a_rule_of_a_template_refuses_what_it_says(
    template: str, region: str, parameters: dict[str, str], says: str, played: Stage
) -> None:
    with pytest.raises(ClientError, match=says):
        create(played.ministack, template, packaged(template), stack="refused", **parameters)
