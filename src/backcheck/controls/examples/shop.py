"""The shop itself: its account, Regions, names and the day on which it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backcheck.inventory.gap import Gap

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BORN = datetime(2026, 1, 10, 9, tzinfo=UTC)
"""When the shop's table, plan and vaults were made."""
ACCOUNT = "111122223333"
HERE = "us-east-1"
THERE = "us-west-2"
TABLE_ARN = f"arn:aws:dynamodb:{HERE}:{ACCOUNT}:table/orders"
PLAN_ARN = f"arn:aws:backup:{HERE}:{ACCOUNT}:backup-plan:plan-1"
VAULT_ARN = f"arn:aws:backup:{HERE}:{ACCOUNT}:backup-vault:shop-vault"
DR_VAULT_ARN = f"arn:aws:backup:{THERE}:{ACCOUNT}:backup-vault:shop-vault-dr"
KEY_ARN = f"arn:aws:kms:{HERE}:{ACCOUNT}:key/here"
DR_KEY_ARN = f"arn:aws:kms:{THERE}:{ACCOUNT}:key/there"
VALIDATOR_ARN = f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:shop-validate"
VALIDATOR_RULE_ARN = f"arn:aws:events:{HERE}:{ACCOUNT}:rule/shop-validate"
Changes = Mapping[str, Any]
"""Fields of a dataclass with their new values: builders take any of them."""


def gap(operation: str = "GetBackupPlan", code: str = "AccessDeniedException", **changes: Any) -> Gap:
    """A denied call."""
    made = Gap(service="backup", operation=operation, region=HERE, account=ACCOUNT, code=code, detail="not authorized")
    return replace(made, **changes)
