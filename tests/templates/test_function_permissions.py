"""Each function's role, as SAM expands it, may do all that the function asks of AWS: run in the sandbox and watched.

The table is under AWS's own key, and under a customer's: then DynamoDB uses the key with its caller's rights.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from tests.functions.building import REPLY_TO
from tests.functions.machine import run
from tests.templates.calls import ACCOUNT, Call, Watch, of_the_tables_key, watched
from tests.templates.deploying import START, deploy_all, techmoda

from backcheck.controls import CONTROLS
from backcheck.controls.conditions import Context
from backcheck.controls.iam_policy import allows
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind as TargetKind
from backcheck.inventory.collect.connect import Target
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.iam import NamedPolicy
from backcheck.inventory.operations import OPERATIONS, Need
from backcheck.manifest import location
from backcheck.sandbox.cloudformation_stacks import Stack
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.functions import bind
from backcheck.template.value import Reference, Value
from functions import restore, restore_check, restore_test, restore_validation
from functions.check import Check, Kind, Phase
from functions.validate_backup import judge, needed, wanted

TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/techmoda-products"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A sandbox with the stacks that have functions."""

    sandbox: Sandbox
    stacks: Mapping[str, Stack]
    key: str
    """The table's customer key; empty: AWS's own."""

    def resource(self, stack: str, logical_id: str) -> Any:
        """A resource as it is in the account."""
        physical = self.stacks[stack].resources[logical_id].physical
        assert physical is not None, logical_id
        return physical

    def role(self, stack: str, logical_id: str) -> tuple[NamedPolicy, ...]:
        """The role's own policies."""
        iam, name = self.sandbox.client("iam"), self.resource(stack, logical_id).ref
        found = tuple(
            NamedPolicy(name=one, arn=None, document=parse_document(document))
            for one in iam.list_role_policies(RoleName=name)["PolicyNames"]
            for document in (iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"],)
        )
        assert found
        return found

    def properties(self, stack: str, logical_id: str) -> Any:
        """A resource's properties, with what they refer to."""

        def look_up(reference: Reference) -> Value:
            physical = self.resource(stack, reference.logical_id)
            value: str = physical.attributes[reference.attribute] if reference.attribute else physical.ref
            return value

        return bind(self.stacks[stack].template.resources[logical_id].properties, look_up)

    def environment(self, stack: str, function: str) -> dict[str, str]:
        """What the template gives the function, and Lambda itself."""
        properties, region = self.properties(stack, function), self.stacks[stack].region
        return {**properties["Environment"]["Variables"], "AWS_REGION": region, "AWS_DEFAULT_REGION": region}

    def refused(self, stack: str, function: str, calls: set[Call]) -> set[Call]:
        """The calls of a function that its role does not surely allow."""
        region = self.stacks[stack].region
        asked = calls | (of_the_tables_key(calls, self.key) if self.key else set())
        policies = self.role(stack, f"{function}Role")
        return {call for call in asked if allows(policies, *call, _context(call[0], region)) is not True}


def _context(action: str, region: str) -> Context:
    """What a request carries: the service that a role is handed to, and the one that uses a key for its caller."""
    if action == "iam:PassRole":
        return {"iam:passedtoservice": ("backup.amazonaws.com",)}
    return {"kms:viaservice": (f"dynamodb.{region}.amazonaws.com",)} if action.startswith("kms:") else {}


@pytest.fixture(scope="module", params=[False, True], ids=["aws-owned-key", "customer-key"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """The stacks, five items, and two nights with their backups and copies."""
    with Sandbox(start=START) as opened:
        on = {"DynamoDB": True}
        for region in techmoda().regions.values():
            opened.client("backup", region=region).update_region_settings(
                ResourceTypeOptInPreference=on, ResourceTypeManagementPreference=on
            )
        key = opened.client("kms").create_key()["KeyMetadata"]["Arn"] if request.param else ""
        more = {name: {"TableKeyArn": key} for name in ("primary", "restore-testing")}
        stacks = deploy_all(opened, names=("dr", "primary", "restore-testing"), more=more)
        assert {stack.status for stack in stacks.values()} == {"CREATE_COMPLETE"}
        bucket = stacks["restore-testing"].resources["WitnessBucket"].physical
        assert bucket is not None
        opened.client("s3").create_bucket(Bucket=bucket.ref)  # the sandbox's CloudFormation names it and makes none
        for number in range(5):
            opened.client("dynamodb").put_item(TableName="techmoda-products", Item={"id": {"S": str(number)}})
        opened.clock.advance(days=2)
        yield Site(sandbox=opened, stacks=stacks, key=key)


def _acting(site: Site, stack: str, function: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The process as Lambda makes it for a function."""
    environment = site.environment(stack, function)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    location._s3_client.cache_clear()
    return environment


def _newest_point(site: Site, stack: str) -> str:
    vault, region = site.resource(stack, "Vault").ref, site.stacks[stack].region
    found = site.sandbox.client("backup", region=region).list_recovery_points_by_backup_vault(BackupVaultName=vault)
    return str(max(found["RecoveryPoints"], key=lambda one: one["CreationDate"])["RecoveryPointArn"])


@pytest.mark.parametrize(
    ("stack", "event"),
    [
        ("primary", {"restoreType": "PITR", "useLatestRestorableTime": True, "targetTableName": "restored-latest"}),
        ("primary", {"restoreType": "BACKUP", "targetTableName": "restored-backup"}),
        ("dr", {"restoreType": "BACKUP", "targetTableName": "restored-copy"}),
    ],
)
def test_the_restore_function_may_do_what_it_calls(
    stack: str, event: dict[str, Any], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    _acting(site, stack, "RestoreBackupFunction", monkeypatch)
    point = {"recoveryPointArn": _newest_point(site, stack)} if event["restoreType"] == "BACKUP" else {}
    with watched(Watch(judge_all=True)) as watch:
        restore.handler({**event, **point}, None)
    assert {action for action, _ in watch.calls} & {"dynamodb:RestoreTableToPointInTime", "backup:StartRestoreJob"}
    assert site.refused(stack, "RestoreBackupFunction", watch.calls) == set()


def _of_a_deployment(site: Site) -> Check:
    now = site.sandbox.clock.now()
    prefix = site.environment("restore-testing", "RestoreCheckFunction")["DRILL_TABLE_PREFIX"]
    return Check(
        kind=Kind.CUSTOM_RESOURCE,
        phase=Phase.AWAIT_PITR,
        source_table_arn=TABLE,
        target_table=f"{prefix}-deploy-1",
        started=now,
        deadline=now + timedelta(days=1),
        reply_to=REPLY_TO,
    )


def _of_aws_restore_testing(site: Site) -> Check:
    """Of the table that the restore testing plan restored on the 3rd."""
    backup, tests = site.sandbox.client("backup"), list[Any]()
    while not tests:
        site.sandbox.clock.advance(hours=1)
        jobs = backup.list_restore_jobs(ByStatus="COMPLETED")["RestoreJobs"]
        tests = [job for job in jobs if "RestoreTestingPlanArn" in job.get("CreatedBy", {})]
    [job] = tests
    now = site.sandbox.clock.now()
    return Check(
        kind=Kind.RESTORE_TESTING,
        phase=Phase.RESTORING,
        source_table_arn=TABLE,
        target_table=job["CreatedResourceArn"].rpartition("/")[2],
        started=now,
        deadline=now + timedelta(hours=7),
        restore_job_id=job["RestoreJobId"],
    )


def test_the_checks_functions_may_do_what_their_steps_call(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step with the role of the function that the state machine has do it."""
    monkeypatch.setattr(restore_check, "send", lambda *_, **__: None)
    definition, function_of = _machine(site)
    by_function: dict[str, set[Call]] = {}
    verdicts: list[str] = []

    def call(event: dict[str, Any]) -> Any:
        if "waited" in event:
            site.sandbox.clock.advance(minutes=30)
            return None
        function = function_of[event["step"]]
        environment = _acting(site, "restore-testing", function, monkeypatch)
        check = Check.from_json(json.loads(json.dumps(event["check"])))
        with watched(Watch(judge_all=True)) as watch:
            clients = restore.Clients(dynamodb=boto3.client("dynamodb"), backup=boto3.client("backup"))
            settings = restore_check.Settings.read(environment)
            done = restore_check.STEPS[event["step"]](check, settings, clients, site.sandbox.clock.now())
        by_function[function] = by_function.get(function, set()) | watch.calls
        verdicts.append(done.conclusion()[1])
        return done.to_json()

    for checked in (_of_aws_restore_testing, _of_a_deployment):
        run(definition, checked(site).to_json(), call)
        assert "5 items restored, all equal" in verdicts[-1]
    assert by_function.keys() == {"RestoreCheckFunction", "RestoreCompareFunction"}
    by_function["RestoreCompareFunction"].add(("kms:Decrypt", site.resource("restore-testing", "WitnessKey").arn))
    refused = {one: site.refused("restore-testing", one, calls) for one, calls in by_function.items()}
    assert {one: calls for one, calls in refused.items() if calls} == {}


def _machine(site: Site) -> tuple[Mapping[str, Any], dict[str, str]]:
    """The deployed definition, and the function that does each of its steps."""
    properties = site.properties("restore-testing", "RestoreCheck")
    text = properties["DefinitionString"]
    for name, arn in properties["DefinitionSubstitutions"].items():
        text = text.replace(f"${{{name}}}", arn)
    definition: Mapping[str, Any] = json.loads(text)
    arns = {
        site.resource("restore-testing", one).arn: one for one in ("RestoreCheckFunction", "RestoreCompareFunction")
    }
    tasks = [state for state in definition["States"].values() if state["Type"] == "Task"]
    return definition, {state["Parameters"]["step"]: arns[state["Resource"]] for state in tasks}


LOGS = (
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"),
    *("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
)
"""https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html; two more have a resource form."""


def test_the_state_machine_may_call_its_functions_and_log(site: Site) -> None:
    definition, _ = _machine(site)
    calls = {
        ("lambda:InvokeFunction", state["Resource"]) for state in definition["States"].values() if "Resource" in state
    }
    group = site.resource("restore-testing", "FunctionLogs").attributes["Arn"]
    calls |= {(f"logs:{action}", "*") for action in LOGS}
    calls |= {(f"logs:{action}", group) for action in ("CreateLogStream", "PutLogEvents")}
    policies = site.role("restore-testing", "RestoreCheckRole")
    assert {call for call in calls if allows(policies, *call) is not True} == set()


@pytest.mark.parametrize("function", ["RestoreTestFunction", "RestoreValidationFunction"])
def test_what_starts_a_check_may(function: str, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = _acting(site, "restore-testing", function, monkeypatch)
    check = _of_a_deployment(site)
    with watched(Watch(judge_all=True)) as watch:
        states = boto3.client("stepfunctions")
        with Stubber(states) as stub:  # the sandbox has no Step Functions
            stub.add_response("start_execution", {"executionArn": "arn:aws:states:x", "startDate": START})
            if function == "RestoreTestFunction":
                restore_test.start(check, restore_test.Settings.read(environment), "request-1", states)
            else:
                restore_validation.start(
                    replace(check, restore_job_id="1"), restore_validation.Settings.read(environment), states
                )
    assert watch.calls == {("states:StartExecution", site.resource("restore-testing", "RestoreCheck").arn)}
    assert site.refused("restore-testing", function, watch.calls) == set()


NOT_GRANTED = "iam:GetAccountAuthorizationDetails"
"""The collector asks for it; no control of a daily validation reads a role, and who reads all of IAM reads much."""


def test_the_validator_calls_what_its_role_may_and_judges_the_same_without_the_rest(site: Site) -> None:
    """tests/templates/test_rights.py holds that its role has just these."""
    policy = techmoda()
    target = Target(account=policy.accounts[0], session=site.sandbox.session(), kind=TargetKind.SANDBOX)

    def judged() -> list[tuple[str, str, str]]:
        inventory = collect([target], needed(policy), site.sandbox.clock.now)
        found = judge(policy, inventory, inventory.taken_at, wanted(CONTROLS))
        return [(one.control, one.resource, one.status) for one in found]

    with watched(Watch()) as watch:
        target = replace(target, session=site.sandbox.session())
        everything = judged()
    may = {one.id for one in OPERATIONS if one.need in (Need.ALWAYS, Need.TAGS) and one.service != "iam"}
    assert watch.calls == set()
    assert "backup:ListRecoveryPointsByBackupVault" in watch.audited
    assert watch.audited - may == {NOT_GRANTED}
    site.sandbox.faults.deny(NOT_GRANTED)
    assert judged() == everything


def test_a_failure_may_be_told_to_the_topic(site: Site) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html; the topic is encrypted."""
    told = 0
    key = site.resource("primary", "AlertKey").arn
    for name, stack in site.stacks.items():
        for logical_id, one in stack.template.resources.items():
            if one.type != "AWS::Lambda::EventInvokeConfig" or "DestinationConfig" not in one.properties:
                continue
            told += 1
            topic = site.properties(name, logical_id)["DestinationConfig"]["OnFailure"]["Destination"]
            assert topic == site.resource("primary", "AlertTopic").arn
            calls = {("sns:Publish", topic), ("kms:GenerateDataKey", key), ("kms:Decrypt", key)}
            policies = site.role(name, logical_id.removesuffix("EventInvokeConfig") + "Role")
            assert {call for call in calls if allows(policies, *call) is not True} == set()
    assert told == 2
