"""Templates in the shapes that people write; each resolves, and to what it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backcheck.template.load import load
from backcheck.template.resolve import resolve
from backcheck.template.result import ResolvedTemplate
from backcheck.template.value import Value

SHAPES = Path(__file__).parents[2] / "fixtures" / "templates" / "shapes"


def rules(done: ResolvedTemplate) -> list[dict[str, Value]]:
    plan = done.resources["Plan"].properties["BackupPlan"]
    assert isinstance(plan, dict)
    listed = plan["BackupPlanRule"]
    assert isinstance(listed, tuple)
    return [dict(rule) for rule in listed if isinstance(rule, dict)]


def test_conditions_everywhere() -> None:
    done = resolve(load(SHAPES / "conditions-everywhere.yaml"))
    assert list(done.resources) == ["Orders", "Vault", "Plan"]
    assert "SSESpecification" not in done.resources["Orders"].properties
    assert done.resources["Orders"].properties["Tags"] == ({"Key": "backup", "Value": "true"},)
    assert rules(done)[0]["Lifecycle"] == {"DeleteAfterDays": 35}
    copies = rules(done)[0]["CopyActions"]
    assert copies == ({"DestinationBackupVaultArn": "arn:aws:backup:us-west-2:123456789012:backup-vault:dr"},)
    dev = resolve(load(SHAPES / "conditions-everywhere.yaml"), parameters={"Stage": "dev", "DrRegion": ""})
    assert list(dev.resources) == ["Orders", "Scratch"]
    assert "PointInTimeRecoverySpecification" not in dev.resources["Orders"].properties


def test_mappings() -> None:
    done = resolve(load(SHAPES / "mappings.yaml"))
    assert done.resources["Table"].properties["TableName"] == "orders"
    assert [rule["Lifecycle"] for rule in rules(done)] == [
        {"DeleteAfterDays": 35},
        {"DeleteAfterDays": 365, "MoveToColdStorageAfterDays": 90},
    ]


def test_nested_if_in_lists() -> None:
    done = resolve(load(SHAPES / "nested-if-in-lists.yaml"))
    assert [rule["RuleName"] for rule in rules(done)] == ["daily", "weekly"]
    copies = rules(done)[0]["CopyActions"]
    assert copies == ({"DestinationBackupVaultArn": "arn:aws:backup:us-west-2:123456789012:backup-vault:one"},)


def test_imports_not_taken() -> None:
    done = resolve(load(SHAPES / "imports-not-taken.yaml"))
    assert done.unresolved == ()
    taken = resolve(load(SHAPES / "imports-not-taken.yaml"), parameters={"ParentVaultStack": "parent"})
    assert [unresolved.reason for unresolved in taken.unresolved] == ["no export named parent-VaultName in us-east-1"]


def test_ssm_references_are_reported_with_their_lines() -> None:
    done = resolve(load(SHAPES / "ssm-references.yaml"))
    assert [(unresolved.path, unresolved.line) for unresolved in done.unresolved] == [
        ("/Resources/Table/Properties/Tags/0/Value", 22),
        ("/Resources/Vault/Properties/EncryptionKeyArn", 28),
        ("/Resources/Secret/Properties/SecretString", 37),
    ]


def test_sixty_parameters() -> None:
    done = resolve(load(SHAPES / "sixty-parameters.json"))
    assert len(done.parameters) == 60
    assert done.resources["Table"].properties["TableName"] == "value-1-prod-b"
    assert rules(done)[0]["Lifecycle"] == {"DeleteAfterDays": "35"}  # a Number becomes a string
    assert "not-a-real-one" not in repr(done)


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("for-each.yaml", lambda done: len(done.resources) == 8 and set(done.outputs) == {"OrdersArn", "InvoicesArn"}),
        ("global-table.yaml", lambda done: len(done.resources["Orders"].properties["Replicas"]) == 2),
        ("globals.yaml", lambda done: done.resources["Validate"].properties["Timeout"] == 90),
        ("simple-table.yaml", lambda done: "ValidateDailyPermission" in done.resources),
        ("long-forms.json", lambda done: done.resources["Vault"].properties["BackupVaultName"] == "long-vault"),
    ],
)
def test_the_other_shapes(name: str, check: Callable[[ResolvedTemplate], bool]) -> None:
    done = resolve(load(SHAPES / name))
    assert check(done)
    assert done.unresolved == ()


def test_every_shape_is_tested() -> None:
    assert len(list(SHAPES.iterdir())) == 11
