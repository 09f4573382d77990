"""Snapshots of accounts for the plugin's tests: made once, then only read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from backcheck.accounts import Choice, take
from backcheck.inventory import snapshot
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, PitrStatus, Table
from backcheck.policy.load import load

OFF = PitrStatus(enabled=False, window_days=None, earliest=None, latest=None)

DENIED = Gap(
    service="dynamodb",
    operation="DescribeContinuousBackups",
    region="us-east-1",
    account="123456789012",
    code="AccessDeniedException",
    detail="not authorized",
    resource="techmoda-products",
)


@pytest.fixture(scope="session")
def policy_file(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TechModa's policy, without the drills of which these accounts have no history."""
    text = (pytestconfig.rootpath / "policies" / "techmoda.yaml").read_text(encoding="utf-8")
    text, replaced = re.subn(r"^drill:\n(?:  .*\n)+", "drill: none\n", text, flags=re.MULTILINE)
    text, emptied = re.subn(r"^statements:.*\n(?:  .*\n)+", "statements: []\n", text, flags=re.MULTILINE)
    assert (replaced, emptied) == (1, 1)
    path = tmp_path_factory.mktemp("policies") / "techmoda.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def compliant(tmp_path_factory: pytest.TempPathFactory, policy_file: Path) -> Path:
    """The compliant account."""
    path = tmp_path_factory.mktemp("snapshots") / "compliant.json.gz"
    path.write_bytes(take(Choice(sandbox="techmoda"), load(policy_file)).data)
    return path


@pytest.fixture(scope="session")
def without_pitr(compliant: Path) -> Path:
    """The same with point-in-time recovery off: a FAIL."""
    return changed(compliant, "without-pitr", lambda table: replace(table, pitr=OFF))


@pytest.fixture(scope="session")
def denied(compliant: Path) -> Path:
    """The same with DescribeContinuousBackups denied: an UNKNOWN."""
    return changed(compliant, "denied", lambda table: replace(table, pitr=DENIED), gaps=(DENIED,))


def changed(compliant: Path, name: str, change: Callable[[Table], Table | Gap], gaps: tuple[Gap, ...] = ()) -> Path:
    """A snapshot with each table changed."""
    inventory = snapshot.read(compliant)
    path = compliant.with_name(f"{name}.json.gz")
    snapshot.write(replace(_each_table(inventory, change), gaps=gaps), path)
    return path


def _each_table(inventory: Inventory, change: Callable[[Table], Table | Gap]) -> Inventory:
    accounts = []
    for account in inventory.accounts:
        regions = tuple(
            replace(region, tables=tuple(change(one) if isinstance(one, Table) else one for one in region.tables))
            for region in account.regions
        )
        accounts.append(replace(account, regions=regions))
    return replace(inventory, accounts=tuple(accounts))


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_ADDOPTS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
