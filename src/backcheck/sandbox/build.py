"""Builds a scenario's account through the same API that anybody would use, then lets its history pass."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from botocore import xform_name

from backcheck.cron import Cron
from backcheck.errors import UsageError
from backcheck.sandbox import points, topics
from backcheck.sandbox.scenario import Scenario

if TYPE_CHECKING:
    from backcheck.sandbox.sandbox import Sandbox

AWS_POLICIES = "arn:aws:iam::aws:policy/"
METRICS_A_CALL = 150
"""PutMetricData takes up to 1,000; moto answers small ones sooner."""


class Builder:
    """Builds one account. Each method makes one section of the scenario."""

    def __init__(self, sandbox: Sandbox, scenario: Scenario) -> None:
        """The sandbox is open and empty, its clock at the scenario's start."""
        self.sandbox, self.scenario = sandbox, scenario
        self._clients: dict[tuple[str, str], Any] = {}
        self._keys: dict[str, str] = {}

    def build(self) -> None:
        """Every section in the order in which they need one another, then the history."""
        section = self.scenario.document
        if "organization" in section:
            self.sandbox.organize(*section["organization"])
        sections = {
            "settings": self._region_settings,
            "keys": self._key,
            "roles": self._role,
            "tables": self._table,
            "topics": self._topic,
            "vaults": self._vault,
            "plans": self._plan,
            "functions": self._function,
            "rules": self._rule,
            "alarms": self._alarm,
            "restore_testing": self._restore_testing,
        }
        for name, make in sections.items():
            for key, wanted in section.get(name, {}).items():
                make(key, wanted)
        for fault in section.get("faults", ()):
            self._fault(fault)
        self._history()
        faults = self.sandbox.faults
        for fault, calls in ((faults.deny, "denied"), (faults.throttle, "throttled")):
            for call in section.get(calls, ()):
                which = call if isinstance(call, Mapping) else {"operation": call}
                fault(which["operation"], region=which.get("region", "*"))

    def _client(self, service: str, region: str = "us-east-1") -> Any:
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = self.sandbox.client(service, region=region)
        return self._clients[key]

    def _region_settings(self, region: str, wanted: Mapping[str, Any]) -> None:
        self._client("backup", region).update_region_settings(
            ResourceTypeOptInPreference=wanted.get("opt_in", {}),
            ResourceTypeManagementPreference=wanted.get("management", {}),
        )

    def _key(self, name: str, wanted: Mapping[str, Any]) -> None:
        kms = self._client("kms", wanted["region"])
        policy = {"Policy": json.dumps(wanted["policy"])} if "policy" in wanted else {}
        made = kms.create_key(Description=name, MultiRegion=wanted.get("multi_region", False), **policy)
        key_id = made["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key_id)
        if wanted.get("rotation", True):
            kms.enable_key_rotation(KeyId=key_id)
        self._keys[name] = made["KeyMetadata"]["Arn"]

    def _role(self, name: str, wanted: Mapping[str, Any]) -> None:
        iam = self._client("iam")
        trust = wanted.get("trust") or _trust(wanted["trusts"])
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        for policy in wanted.get("managed_policies", ()):
            arn = policy if policy.startswith("arn:") else AWS_POLICIES + policy
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        if statements := wanted.get("statements"):
            document = {"Version": "2012-10-17", "Statement": statements}
            iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(document))

    def _table(self, name: str, wanted: Mapping[str, Any]) -> None:
        dynamodb = self._client("dynamodb", wanted.get("region", "us-east-1"))
        dynamodb.create_table(TableName=name, **_table_arguments(wanted))
        for batch in _batches(wanted):
            dynamodb.batch_write_item(RequestItems={name: batch})
        if pitr := wanted.get("pitr"):
            specification = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": pitr["days"]}
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)
        if ttl := wanted.get("ttl"):
            specification = {"Enabled": True, "AttributeName": ttl}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)

    def _topic(self, name: str, wanted: Mapping[str, Any]) -> None:
        for region in wanted["regions"]:
            sns = self._client("sns", region)
            arn = sns.create_topic(Name=name)["TopicArn"]
            if "policy" in wanted:
                document = json.dumps(wanted["policy"]).replace("${topic}", arn)
                sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
            for endpoint in wanted.get("mail", ()):
                sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=endpoint)
            if wanted.get("confirmed", True):
                topics.confirm(self.sandbox.world.region(self.sandbox.account, region), arn)

    def _vault(self, name: str, wanted: Mapping[str, Any]) -> None:
        backup = self._client("backup", wanted["region"])
        key = {"EncryptionKeyArn": self._key_arn(wanted["key"], name)} if "key" in wanted else {}
        backup.create_backup_vault(BackupVaultName=name, **key)
        if "lock" in wanted:
            backup.put_backup_vault_lock_configuration(BackupVaultName=name, **wanted["lock"])
        if "notifications" in wanted:
            backup.put_backup_vault_notifications(BackupVaultName=name, **wanted["notifications"])
        if "policy" in wanted:
            # Last: it may deny to change itself.
            backup.put_backup_vault_access_policy(BackupVaultName=name, Policy=json.dumps(wanted["policy"]))

    def _key_arn(self, name: str, vault: str) -> str:
        if name not in self._keys:
            raise UsageError(f"vault {vault} names a key {name!r}, which the scenario {self.scenario.name} lacks")
        return self._keys[name]

    def _plan(self, name: str, wanted: Mapping[str, Any]) -> None:
        backup = self._client("backup", wanted["region"])
        rules = [{"RuleName": rule, **fields} for rule, fields in wanted["rules"].items()]
        plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": name, "Rules": rules})
        for selection, fields in wanted.get("selections", {}).items():
            document = {"SelectionName": selection, **fields}
            backup.create_backup_selection(BackupPlanId=plan["BackupPlanId"], BackupSelection=document)

    def _function(self, name: str, wanted: Mapping[str, Any]) -> None:
        functions = self._client("lambda", wanted.get("region", "us-east-1"))
        functions.create_function(
            FunctionName=name,
            Runtime=wanted["runtime"],
            Role=f"arn:aws:iam::{self.sandbox.account}:role/{wanted['role']}",
            Handler=wanted["handler"],
            Code={"ZipFile": _empty_archive()},
            Timeout=wanted["timeout_seconds"],
        )
        for rule in wanted.get("invoked_by_rules", ()):
            region = wanted.get("region", "us-east-1")
            functions.add_permission(
                FunctionName=name,
                StatementId=rule,
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=f"arn:aws:events:{region}:{self.sandbox.account}:rule/{rule}",
            )

    def _rule(self, name: str, wanted: Mapping[str, Any]) -> None:
        for region in wanted["regions"]:
            events = self._client("events", region)
            pattern = {"EventPattern": json.dumps(wanted["pattern"])} if "pattern" in wanted else {}
            schedule = {"ScheduleExpression": wanted["schedule"]} if "schedule" in wanted else {}
            events.put_rule(Name=name, State=wanted.get("state", "ENABLED"), **pattern, **schedule)
            targets = [arn.replace("${region}", region) for arn in wanted["targets"]]
            rows = [{"Id": f"target-{place}", "Arn": arn} for place, arn in enumerate(targets)]
            events.put_targets(Rule=name, Targets=rows)

    def _alarm(self, name: str, wanted: Mapping[str, Any]) -> None:
        arguments = {key: value for key, value in wanted.items() if key != "region"}
        self._client("cloudwatch", wanted.get("region", "us-east-1")).put_metric_alarm(AlarmName=name, **arguments)

    def _restore_testing(self, name: str, wanted: Mapping[str, Any]) -> None:
        backup = self._client("backup", wanted["region"])
        plan = {"RestoreTestingPlanName": name, **wanted["plan"]}
        backup.create_restore_testing_plan(RestoreTestingPlan=plan)
        for selection, fields in wanted.get("selections", {}).items():
            document = {"RestoreTestingSelectionName": selection, **fields}
            backup.create_restore_testing_selection(RestoreTestingPlanName=name, RestoreTestingSelection=document)

    def _fault(self, fault: Mapping[str, Any]) -> None:
        which = dict(fault)
        kind, outcome = which.pop("jobs"), which.pop("outcome")
        if "on_day" in which:
            which["on"] = self._day(which.pop("on_day")).date()
        if "since_day" in which:
            which["since"] = self._day(which.pop("since_day"))
        {"backup": self.sandbox.faults.backup_jobs, "copy": self.sandbox.faults.copy_jobs}[kind](outcome, **which)

    def _day(self, day: float) -> datetime:
        """A day of the history: 0 is its start; negative ones count from its end."""
        after = day if day >= 0 else self.scenario.days + day
        return self.scenario.start + timedelta(days=after)

    def _history(self) -> None:
        """Let the time pass, with what happens in between."""
        steps = sorted(
            [
                (self._day(step["day"]), place, step)
                for place, step in enumerate(self.scenario.document.get("then", ()))
            ],
            key=lambda step: step[:2],
        )
        end = self.scenario.start + timedelta(days=self.scenario.days)
        for moment, _, step in steps:
            self.sandbox.clock.advance_to(moment)
            self._step(step)
        self.sandbox.clock.advance_to(end)
        for metric in self.scenario.document.get("metrics", ()):
            self._metric(metric)

    def _step(self, step: Mapping[str, Any]) -> None:
        region = step.get("region", "us-east-1")
        if "delete_points" in step:
            self._delete_points(region, step["delete_points"])
        if "call" in step:
            service, _, name = step["call"].partition(":")
            params = _with_keys(step.get("params", {}), self._keys)
            getattr(self._client(service, region), xform_name(name))(**params)

    def _delete_points(self, region: str, which: Mapping[str, Any]) -> None:
        """By hand, past every lock and policy: as if somebody had found a way."""
        there = self.sandbox.world.region(self.sandbox.account, region)
        held = [point for point in there.points.values() if point.vault_name == which["vault"]]
        held = [p for p in held if which.get("rule") in (None, (p.created_by or {}).get("BackupRuleName"))]
        for point in sorted(held, key=lambda point: point.created)[-which.get("newest", len(held)) :]:
            points.discard(there, point)

    def _metric(self, wanted: Mapping[str, Any]) -> None:
        """One value for each run of a schedule: what a function that is not run here would have left behind."""
        dimensions = [{"Name": key, "Value": value} for key, value in wanted["dimensions"].items()]
        cloudwatch = self._client("cloudwatch", wanted.get("region", "us-east-1"))
        until = self._day(wanted["until_day"]) if "until_day" in wanted else self.sandbox.clock.now()
        row = {"MetricName": wanted["metric"], "Dimensions": dimensions, "Value": wanted["value"], "Unit": "Count"}
        runs = Cron.parse(wanted["schedule"]).between(self.scenario.start, until)
        rows = [{**row, "Timestamp": moment} for moment in runs]
        for start in range(0, len(rows), METRICS_A_CALL):
            batch = rows[start : start + METRICS_A_CALL]
            cloudwatch.put_metric_data(Namespace=wanted["namespace"], MetricData=batch)


def _trust(services: list[str]) -> dict[str, Any]:
    kinds = {"Service": [s for s in services if s.endswith(".amazonaws.com")]}
    principals = [s for s in services if s.startswith("arn:")]
    principal = {**kinds, "AWS": principals} if principals else kinds
    allowed = {key: value for key, value in principal.items() if value}
    statement = {"Effect": "Allow", "Principal": allowed, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _table_arguments(wanted: Mapping[str, Any]) -> dict[str, Any]:
    kinds = [
        (*attribute.partition(":"), kind) for attribute, kind in zip(wanted["key"], ("HASH", "RANGE"), strict=False)
    ]
    return {
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, _, _, kind in kinds],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": of or "S"} for name, _, of, _ in kinds],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": wanted.get("deletion_protection", False),
        "Tags": [{"Key": key, "Value": value} for key, value in wanted.get("tags", {}).items()],
    }


def _batches(wanted: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """`items` numbered items of several types, 25 at a time."""
    rows = [{"PutRequest": {"Item": _item(wanted["key"], number)}} for number in range(wanted.get("items", 0))]
    for start in range(0, len(rows), 25):
        yield rows[start : start + 25]


def _item(key: list[str], number: int) -> dict[str, Any]:
    item: dict[str, Any] = {
        "title": {"S": f"Product {number}"},
        "price": {"N": f"{number}.95"},
        "tags": {"SS": [f"category-{number % 7}", "catalogue"]},
        "stock": {"M": {"warehouse": {"N": str(number % 50)}, "reserved": {"BOOL": number % 2 == 0}}},
    }
    for attribute in key:
        name, _, kind = attribute.partition(":")
        item[name] = {"N": str(number)} if kind == "N" else {"S": f"{name}-{number:06d}"}
    return item


def _with_keys(value: Any, keys: Mapping[str, str]) -> Any:
    """The parameters with `${key:NAME}` replaced by that key's ARN."""
    if isinstance(value, Mapping):
        return {name: _with_keys(inner, keys) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_keys(inner, keys) for inner in value]
    if isinstance(value, str) and value.startswith("${key:"):
        return keys[value.removeprefix("${key:").removesuffix("}")]
    return value


def _empty_archive() -> bytes:
    held = BytesIO()
    with ZipFile(held, "w") as archive:
        archive.writestr("handler.py", "")
    return held.getvalue()
