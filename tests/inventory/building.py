"""A small policy and a way to point the collector at moto, for the tests of the inventory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3

from backcheck.inventory.collect.connect import Kind, Target
from backcheck.policy.model import (
    Account,
    Copy,
    Discovery,
    Objectives,
    Pitr,
    Plan,
    Policy,
    Roles,
    RpoObjectives,
    RtoObjectives,
    TableScope,
    Tier,
    Vault,
)
from backcheck.policy.source import Source

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCOUNT = "123456789012"

DAILY = Tier(
    plan="shop",
    name="daily",
    rule="Daily",
    schedule="cron(0 1 * * ? *)",
    timezone="UTC",
    start_window_minutes=60,
    completion_window_minutes=120,
    vault="shop-vault",
    retention_days=35,
    copies=(Copy(vault="shop-vault-dr", retention_days=35),),
)

POLICY = Policy(
    source=Source(file="shop.yaml", sha256="0" * 64),
    name="shop",
    title="Shop",
    version="1",
    owner="ops@shop.example",
    timezone="UTC",
    effective_from=None,
    next_review=None,
    accounts=(Account(key="primary", id=ACCOUNT),),
    regions={"primary": "us-east-1", "dr": "us-west-2"},
    tables=(TableScope(key="shop", pattern="shop-*", tiers=("shop/daily",)),),
    discovery=Discovery(name_prefixes=("shop-",)),
    objectives=Objectives(rpo=RpoObjectives(), rto=RtoObjectives()),
    pitr=Pitr(),
    plans=(Plan(key="shop", name="shop", tiers=(DAILY,)),),
    vaults=(
        Vault(key="shop-vault", name="shop-vault", region="primary"),
        Vault(key="shop-vault-dr", name="shop-vault-dr", region="dr"),
    ),
    advanced_features_required=True,
    roles=Roles(),
    validation=None,
    drill=None,
    procedures=(),
    duties=(),
    waivers=(),
    statements=(),
)


def policy(**changes: Any) -> Policy:
    """The policy with other fields."""
    return replace(POLICY, **changes)


def target(endpoint_url: str | None = None, kind: Kind = Kind.ENDPOINT) -> Target:
    """The primary account, with credentials that no service checks."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return Target(account=POLICY.accounts[0], session=session, kind=kind, endpoint_url=endpoint_url)


def table(client: Any, name: str, *, pitr: bool = True) -> None:
    """Make a table."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    if pitr:
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
