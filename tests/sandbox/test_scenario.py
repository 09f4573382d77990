"""Scenarios: the compliant one is compliant, each other one has the defect in its name, and errors are clear."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from backcheck.errors import UsageError
from backcheck.sandbox import Sandbox
from backcheck.sandbox.scenario import ScenarioError, load, merge, names

from .conftest import ACCOUNT, DR, PRIMARY

TABLE = "techmoda-products"


class Account:
    """What a scenario's account says, in few words."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.now = sandbox.clock.now()

    def client(self, service: str, region: str = PRIMARY) -> Any:
        return self.sandbox.client(service, region=region)

    def pitr(self) -> dict[str, Any]:
        reply = self.client("dynamodb").describe_continuous_backups(TableName=TABLE)
        found: dict[str, Any] = reply["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return found

    def table(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("dynamodb").describe_table(TableName=TABLE)["Table"]
        return found

    def points(self, region: str = PRIMARY) -> list[dict[str, Any]]:
        vault = {PRIMARY: "techmoda-vault", DR: "techmoda-vault-dr"}[region]
        pages = self.client("backup", region).get_paginator("list_recovery_points_by_backup_vault")
        return [p for page in pages.paginate(BackupVaultName=vault) for p in page["RecoveryPoints"]]

    def states(self, kind: str = "backup") -> list[str]:
        method, key = {"backup": ("list_backup_jobs", "BackupJobs"), "copy": ("list_copy_jobs", "CopyJobs")}[kind]
        pages = self.client("backup").get_paginator(method).paginate()
        return [job["State"] for page in pages for job in page[key]]

    def last_job(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("backup").list_backup_jobs(MaxResults=1000)["BackupJobs"][-1]
        return found

    def vault(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("backup").describe_backup_vault(BackupVaultName="techmoda-vault")
        return found

    def rules(self) -> set[str]:
        return {point["CreatedBy"]["BackupRuleName"] for point in self.points()}

    def subscriptions(self) -> list[str]:
        arn = f"arn:aws:sns:{PRIMARY}:{ACCOUNT}:techmoda-backup-alerts"
        reply = self.client("sns").list_subscriptions_by_topic(TopicArn=arn)
        return [row["SubscriptionArn"] for row in reply["Subscriptions"]]

    def refuses(self, code: str, service: str, method: str, **arguments: Any) -> bool:
        try:
            getattr(self.client(service), method)(**arguments)
        except ClientError as error:
            found: bool = error.response["Error"]["Code"] == code
            return found
        return False


@contextmanager
def opened(name: str) -> Iterator[Account]:
    with Sandbox.from_scenario(name) as sandbox:
        yield Account(sandbox)


def test_the_compliant_account() -> None:
    with opened("techmoda") as account:
        assert account.now == datetime(2026, 11, 22, 12, tzinfo=UTC)
        assert (account.pitr()["PointInTimeRecoveryStatus"], account.pitr()["RecoveryPeriodInDays"]) == ("ENABLED", 35)
        assert account.pitr()["EarliestRestorableDateTime"] == account.now - timedelta(days=35)
        assert account.table()["DeletionProtectionEnabled"] is True
        assert account.table()["ItemCount"] == 200
        assert set(account.states()) == set(account.states("copy")) == {"COMPLETED"}
        assert account.rules() == {"DailyBackups", "WeeklyBackups", "MonthlyBackups"}
        assert account.last_job()["CreatedBy"]["BackupRuleName"] == "WeeklyBackups"  # a Sunday
        for region in (PRIMARY, DR):
            points = account.points(region)
            assert {point["Status"] for point in points} == {"COMPLETED"}
            assert account.now - max(point["CreationDate"] for point in points) < timedelta(hours=13)
            kms = account.client("kms", region)
            [key] = {point["EncryptionKeyArn"] for point in points}
            assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] == "CUSTOMER"
            assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
        assert len(account.points(DR)) == len(account.points())
        assert (account.vault()["MinRetentionDays"], account.vault()["MaxRetentionDays"]) == (30, 365)
        assert "LockDate" not in account.vault()
        assert all(arn.startswith("arn:aws:sns:") for arn in account.subscriptions())


def test_its_monthly_point_is_cold_after_ninety_days() -> None:
    with opened("techmoda") as account:
        backup = account.client("backup")
        classes = {
            backup.describe_recovery_point(
                BackupVaultName="techmoda-vault", RecoveryPointArn=point["RecoveryPointArn"]
            )["StorageClass"]
            for point in account.points()
            if account.now - point["CreationDate"] > timedelta(days=90)
        }
        assert classes == {"COLD"}


def test_the_drills_clock_can_go_on() -> None:
    with opened("techmoda") as account:
        account.sandbox.clock.advance(days=2)
        assert account.points()[-1]["CreationDate"] > account.now


def weekly(account: Account) -> int:
    return sum(point["CreatedBy"]["BackupRuleName"] == "WeeklyBackups" for point in account.points())


def services(account: Account) -> set[str]:
    return {point["RecoveryPointArn"].split(":")[2] for point in account.points()}


def tables(account: Account) -> list[str]:
    found: list[str] = account.client("dynamodb").list_tables()["TableNames"]
    return found


def validator(account: Account) -> str:
    state: str = account.client("events").describe_rule(Name="techmoda-backup-validation")["State"]
    return state


def gone(account: Account) -> bool:
    return account.last_job()["RecoveryPointArn"] not in {p["RecoveryPointArn"] for p in account.points()}


DEFECTS: dict[str, Callable[[Account], bool]] = {
    "pitr-off": lambda a: a.pitr() == {"PointInTimeRecoveryStatus": "DISABLED"},
    "pitr-window-short": lambda a: a.pitr().get("RecoveryPeriodInDays") == 7,
    "pitr-reset": lambda a: a.now - a.pitr()["EarliestRestorableDateTime"] < timedelta(days=1),
    "deletion-protection-off": lambda a: a.table()["DeletionProtectionEnabled"] is False,
    "table-not-selected": lambda a: not a.points() and not a.states() and a.table()["ItemCount"] > 0,
    "tag-in-other-case": lambda a: not a.points() and not a.states(),
    "table-unprotected": lambda a: "techmoda-orders" in tables(a) and bool(a.points()),
    "daily-rule-missing": lambda a: a.rules() == {"WeeklyBackups", "MonthlyBackups"} and "FAILED" not in a.states(),
    "weekly-without-copy": lambda a: len(a.points(DR)) == len(a.points()) - weekly(a),
    "retention-below-lock": lambda a: "DailyBackups" not in a.rules() and "FAILED" in a.states(),
    "dr-vault-missing": lambda a: set(a.states("copy")) == {"FAILED"} and set(a.states()) == {"COMPLETED"},
    "vault-unlocked": lambda a: a.vault()["Locked"] is False,
    "vault-policy-missing": lambda a: a.refuses(
        "ResourceNotFoundException", "backup", "get_backup_vault_access_policy", BackupVaultName="techmoda-vault"
    ),
    "vault-key-disabled": lambda a: "Disabled" in a.last_job().get("StatusMessage", ""),
    "backup-role-missing": lambda a: set(a.states()) == {"FAILED"} and not a.points(),
    "advanced-features-off": lambda a: services(a) == {"dynamodb"} and not a.points(DR),
    "job-failed-last-night": lambda a: a.last_job()["State"] == "FAILED" and a.states().count("FAILED") == 1,
    "job-expired-last-night": lambda a: a.last_job()["State"] == "EXPIRED" and a.states().count("EXPIRED") == 1,
    "job-with-issues": lambda a: a.last_job()["State"] == "COMPLETED" and a.last_job()["MessageCategory"] != "SUCCESS",
    "newest-points-deleted": gone,
    "table-recreated": lambda a: a.table()["CreationDateTime"] == a.now - timedelta(days=1),
    "drill-table-left": lambda a: any(name.startswith("awsbackup-restore-test-bc-") for name in tables(a)),
    "subscription-unconfirmed": lambda a: a.subscriptions() == ["PendingConfirmation"],
    "validator-rule-disabled": lambda a: validator(a) == "DISABLED",
    "copy-jobs-denied": lambda a: a.refuses("AccessDeniedException", "backup", "list_copy_jobs"),
}
"""Each scenario but the compliant one, and what shows its defect."""


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_shows(name: str) -> None:
    with opened(name) as account:
        assert DEFECTS[name](account)
    assert load(name).title


def test_the_compliant_account_has_none_of_the_defects() -> None:
    with opened("techmoda") as account:
        assert [name for name, shows in DEFECTS.items() if shows(account)] == []


def test_every_scenario_loads() -> None:
    assert {"techmoda", *DEFECTS} <= set(names())
    for name in names():
        assert load(name).name == name


BASE = {
    "schema": "backcheck/scenario/v1",
    "title": "t",
    "account": ACCOUNT,
    "start": "2026-01-01T00:00:00+00:00",
    "days": 1,
}


def write(folder: Path, name: str = "mine", **changes: Any) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({**BASE, **changes}))
    return file


class TestErrors:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"tabels": {}}, r"Additional properties are not allowed \('tabels' was unexpected\)"),
            ({"account": "1"}, "/account: '1' does not match"),
            ({"tables": {"t": {"items": 1}}}, "/tables/t: 'key' is a required property"),
            ({"faults": [{"jobs": "backup", "outcome": "BROKEN"}]}, "/faults/0/outcome: 'BROKEN' is not one of"),
            ({"then": [{"day": 1}]}, "/then/0"),
            ({"days": -1}, "/days: -1 is less than the minimum"),
        ],
    )
    def test_each_problem_has_its_place(self, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(ScenarioError) as wrong:
            load(write(tmp_path, **changes))
        assert wrong.value.exit_code == 4
        text = wrong.value.diagnostics()
        assert re.search(message, text), text
        assert re.search(r"mine\.yaml:\d+:\d+: ", text), text

    def test_all_problems_are_told_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(ScenarioError) as wrong:
            load(write(tmp_path, account="1", days=-1))
        assert len(wrong.value.problems) == 2

    @pytest.mark.parametrize(
        ("text", "message"), [("a: [", "is no YAML"), ("- 1", "a scenario is a map"), ("", "a scenario is a map")]
    )
    def test_what_is_no_scenario(self, tmp_path: Path, text: str, message: str) -> None:
        file = tmp_path / "mine.yaml"
        file.write_text(text)
        with pytest.raises(UsageError, match=message):
            load(file)

    def test_an_unknown_name_lists_those_that_there_are(self) -> None:
        with pytest.raises(UsageError, match="there is no scenario 'techmoder'") as wrong:
            load("techmoder")
        assert "techmoda" in wrong.value.hint

    def test_a_circle_of_extensions(self, tmp_path: Path) -> None:
        write(tmp_path, "one", extends="two")
        with pytest.raises(UsageError, match="in a circle"):
            load(write(tmp_path, "two", extends="one"))

    def test_a_key_that_is_not_defined(self, tmp_path: Path) -> None:
        file = write(tmp_path, vaults={"v1": {"region": PRIMARY, "key": "nowhere"}})
        with pytest.raises(UsageError, match="vault v1 names a key 'nowhere'"), Sandbox.from_scenario(file):
            pass
        with Sandbox(start=datetime(2026, 1, 1, tzinfo=UTC)):
            pass  # the one that failed is closed


def test_a_region_can_be_out_of_reach(tmp_path: Path) -> None:
    denied = ["iam:ListRoles", {"operation": "*:*", "region": DR}]
    with Sandbox.from_scenario(write(tmp_path, denied=denied)) as sandbox:
        assert sandbox.client("backup").list_backup_vaults()["BackupVaultList"] == []
        for service, region in (("backup", DR), ("dynamodb", DR), ("iam", PRIMARY)):
            method = {"backup": "list_backup_vaults", "dynamodb": "list_tables", "iam": "list_roles"}[service]
            with pytest.raises(ClientError, match="AccessDenied"):
                getattr(sandbox.client(service, region=region), method)()


def test_merging() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge(base, {"a": {"b": None, "c": [3]}, "e": 2}) == {"a": {"c": [3]}, "d": 1, "e": 2}


def test_a_file_beside_its_base(tmp_path: Path) -> None:
    write(tmp_path, "base", tables={"orders": {"key": ["id:S", "at:N"], "items": 3, "ttl": "until"}})
    file = tmp_path / "mine.yaml"
    file.write_text("extends: base\ntitle: mine\ntables: {orders: {items: 30}}\n")
    with Sandbox.from_scenario(file) as sandbox:
        dynamodb = sandbox.client("dynamodb")
        assert dynamodb.scan(TableName="orders")["Count"] == 30
        assert dynamodb.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]["AttributeName"] == "until"
