"""A small shop in a sandbox, and a drill of it whose steps a test can interfere with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backcheck.controls import examples
from backcheck.drill import ledger
from backcheck.drill.opening import SandboxClock
from backcheck.drill.plan import DrillPlan, plan
from backcheck.drill.reach import Patience, Reach
from backcheck.drill.run import Drill
from backcheck.drill.verdict import Facts
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.policy.model import Method, Policy
from backcheck.sandbox import Sandbox

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
TABLE = "orders"

Step = Callable[[str], None]
"""Told of each step before it is done."""


def policy(**drill: Any) -> Policy:
    """The shop's, with what is changed in its drill section."""
    made = examples.policy()
    assert made.drill is not None
    return replace(made, drill=replace(made.drill, **drill))


@dataclass
class Shop:
    """The shop's account."""

    sandbox: Sandbox
    folder: Path
    policy: Policy

    def __post_init__(self) -> None:
        self.dynamodb = self.sandbox.client("dynamodb")
        self.clock = SandboxClock(self.sandbox.clock)
        self.targets = tuple(
            Target(account=account, session=self.sandbox.session(account=account.id), kind=Kind.SANDBOX)
            for account in self.policy.accounts
        )
        self.reach = Reach(self.targets)

    def table(self, name: str = TABLE, *, items: int = 30, **changes: Any) -> None:
        """A table with an index and a history of a day."""
        names = ("id", "city")
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in names],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-city",
                    "KeySchema": [{"AttributeName": "city", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
            **changes,
        )
        on = {"PointInTimeRecoveryEnabled": True}
        self.dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=on)
        for number in range(items):
            self.put(number, table=name)
        self.sandbox.clock.advance(days=1)

    def put(self, number: int, *, table: str = TABLE, amount: int = 1) -> None:
        """One order."""
        item = {"id": {"S": f"{number:04d}"}, "city": {"S": "Bern"}, "amount": {"N": str(amount)}}
        self.dynamodb.put_item(TableName=table, Item=item)

    def delete(self, number: int, *, table: str = TABLE) -> None:
        """Away with one order."""
        self.dynamodb.delete_item(TableName=table, Key={"id": {"S": f"{number:04d}"}})

    def plan(self, *methods: Method, suffix: str = "abc123", **more: Any) -> DrillPlan:
        """The plan of a drill."""
        inventory = collect(self.targets, self.policy, self.clock.now)
        return plan(self.policy, inventory, now=self.clock.now(), suffix=suffix, methods=methods, **more)

    def backed_up(self) -> None:
        """A vault here and one in the DR region, the restore role, and a point of the table in each."""
        self.role("shop-restore", "service-role/AWSBackupServiceRolePolicyForRestores")
        backup_role = self.role("shop-backup", "service-role/AWSBackupServiceRolePolicyForBackup")
        on = {"DynamoDB": True}
        for region, vault in (("us-east-1", "shop-vault"), ("us-west-2", "shop-vault-dr")):
            backup = self.sandbox.client("backup", region=region)
            backup.update_region_settings(ResourceTypeOptInPreference=on, ResourceTypeManagementPreference=on)
            backup.create_backup_vault(BackupVaultName=vault)
        backup = self.sandbox.client("backup")
        backup.start_backup_job(BackupVaultName="shop-vault", ResourceArn=examples.TABLE_ARN, IamRoleArn=backup_role)
        self.sandbox.clock.advance(hours=6)
        points = backup.list_recovery_points_by_backup_vault(BackupVaultName="shop-vault")["RecoveryPoints"]
        backup.start_copy_job(
            RecoveryPointArn=points[0]["RecoveryPointArn"],
            SourceBackupVaultName="shop-vault",
            DestinationBackupVaultArn=examples.DR_VAULT_ARN,
            IamRoleArn=backup_role,
        )
        self.sandbox.clock.advance(hours=6)

    def role(self, name: str, managed: str) -> str:
        """A role that AWS Backup may take on."""
        iam = self.sandbox.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{managed}")
        return arn

    def bucket(self) -> str:
        """Where exports go."""
        self.sandbox.client("s3").create_bucket(Bucket="shop-evidence")
        return "shop-evidence"

    def drill(self, made: DrillPlan, step: Step = lambda _: None) -> list[Facts]:
        """Perform it; `step` may interfere."""
        with self.ledger(made) as book:
            return list(Drill(made, self.reach, book, self.clock, Patience(), step).perform())

    def ledger(self, made: DrillPlan) -> Any:
        """The plan's ledger, new."""
        assert self.policy.drill is not None
        return ledger.opened(self.folder, made.run_id, self.policy.drill.name_prefix, self.clock.now)

    def tables(self, region: str = "us-east-1") -> list[str]:
        """Every table there is."""
        names: list[str] = self.sandbox.client("dynamodb", region=region).list_tables()["TableNames"]
        return names
