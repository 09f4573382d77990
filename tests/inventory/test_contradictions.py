"""A snapshot that cannot be true is refused, with what is wrong in it; one that the collector wrote never is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.inventory.replaying import recorded

from backcheck.controls.examples.account import world
from backcheck.controls.examples.backups import table
from backcheck.controls.examples.jobs import backup_jobs, copy_jobs
from backcheck.controls.examples.points import point, vault
from backcheck.controls.examples.shop import NOW
from backcheck.errors import UsageError
from backcheck.inventory import snapshot
from backcheck.inventory.contradictions import ANSWERS, contradictions
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, RegionInventory
from backcheck.policy.load import load

HOUR = timedelta(hours=1)
JOB, COPY, POINT = backup_jobs()[0], copy_jobs()[0], point()
DENIED = Gap(service="backup", operation="x", region="us-east-1", account="123456789012", code="Denied", detail="")


def account(**primary: Any) -> Inventory:
    found = world(primary=primary).inventory
    assert found is not None
    return found


def holding(**changes: Any) -> Inventory:
    """An account whose vault holds one point, with something changed in it."""
    return account(vaults=(vault(recovery_points=(replace(POINT, **changes),)),))


def test_the_examples_and_a_collected_account_are_sound() -> None:
    assert list(contradictions(account())) == []
    policy = load(Path("policies/techmoda.yaml"))
    assert list(contradictions(recorded("techmoda", policy).read())) == []


@pytest.mark.parametrize(
    ("inventory", "message"),
    [
        (account(backup_jobs=(JOB, JOB)), f"the backup job {JOB.id} 2 times in us-east-1"),
        (account(copy_jobs=(COPY, COPY)), f"the copy job {COPY.id} 2 times"),
        (account(tables=(table(), table())), "the table .*table/orders 2 times"),
        (account(vaults=(vault(recovery_points=(POINT, POINT)),)), "the recovery point of vault .* 2 times"),
        (account(vaults=(vault(), vault())), "the vault .* 2 times"),
        (account(backup_jobs=(replace(JOB, completed=JOB.created - 2 * HOUR),)), "completed .* before it was created"),
        (holding(completed=POINT.created - 2 * HOUR), "recovery point .* completed .* before it was created"),
        (account(backup_jobs=(replace(JOB, created=NOW + 2 * HOUR, completed=None),)), "from after the snapshot was"),
        (holding(created=NOW + 2 * HOUR, completed=None), "recovery point .* from after the snapshot was taken"),
        (holding(resource_type="S3"), "of a table, with the resource type S3"),
        (holding(region="eu-west-1"), "of eu-west-1 of .* in vault"),
        (replace(account(), calls=()), "table_names without a call of dynamodb:ListTables in the ledger"),
        (replace(account(), accounts=account().accounts * 2), "the account .* 2 times"),
    ],
    ids=range(13),
)
def test_what_cannot_be_true_is_refused(tmp_path: Path, inventory: Inventory, message: str) -> None:
    path = tmp_path / "snapshot.json.gz"
    snapshot.write(inventory, path)
    with pytest.raises(UsageError, match=rf"cannot be true: .*{message}") as caught:
        snapshot.read(path)
    assert caught.value.where == str(path)
    assert "take it anew" in caught.value.hint


@pytest.mark.parametrize("field", ANSWERS)
def test_an_answer_needs_its_call_and_a_gap_needs_none(field: str) -> None:
    service, operation = ANSWERS[field].split(":")
    for inventory, expected in ((account(), 2), (account(**{field: DENIED}), 1)):
        calls = tuple(one for one in inventory.calls if (one.service, one.operation) != (service, operation))
        found = list(contradictions(replace(inventory, calls=calls)))
        assert len(found) == expected
        assert all(f"{field} without a call of {service}:{operation}" in one for one in found)


def test_every_field_that_may_be_a_gap_has_its_call() -> None:
    kinds = RegionInventory.__dataclass_fields__
    assert {name for name, field in kinds.items() if str(field.type).endswith("| Gap")} == ANSWERS.keys()


def test_a_few_contradictions_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    snapshot.write(replace(account(), calls=()), tmp_path / "s")
    with pytest.raises(UsageError, match=r"ListBackupVaults in the ledger in us-east-1 of 111122223333, and 21 more"):
        snapshot.read(tmp_path / "s")


def test_a_simulated_account_may_be_ahead_of_our_clock() -> None:
    ahead = holding(created=NOW + 2 * HOUR, completed=None)
    assert list(contradictions(replace(ahead, accounts=(replace(ahead.accounts[0], simulated=True),)))) == []
