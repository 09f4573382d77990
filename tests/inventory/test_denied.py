"""An account that does not answer: each operation denied, throttled or failing, one at a time.

Never green, never a crash, and the gap is named: a wrong PASS here is a company without a backup.
"""

from __future__ import annotations

import dataclasses

import pytest
from tests.inventory.conftest import judged, read

from backcheck.errors import Error
from backcheck.finding import Status
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory
from backcheck.inventory.operations import OPERATIONS
from backcheck.policy.model import Policy
from backcheck.sandbox import Sandbox

TAGS = ("resourcegroupstaggingapi:GetResources", "dynamodb:ListTagsOfResource")
"""Either stands in for the other."""

ALONE = [one.id for one in OPERATIONS if one.id not in ("sts:GetCallerIdentity", *TAGS)]
"""Operations whose denial alone leaves something unread."""


def gaps_of(inventory: Inventory) -> set[str]:
    return {f"{gap.service}:{gap.operation}" for gap in inventory.gaps}


def test_the_account_answers_everything(account: Sandbox, techmoda_policy: Policy) -> None:
    inventory = read(account, techmoda_policy)
    assert inventory.gaps == ()
    asked = {f"{record.service}:{record.operation}" for record in inventory.calls}
    assert asked == {one.id for one in OPERATIONS} - {"dynamodb:ListTagsOfResource"}
    assert judged(inventory, techmoda_policy).summary.exit_code == 0, "so that each other code is the fault's own"


@pytest.mark.parametrize("operation", ALONE)
def test_a_denied_operation_is_a_named_gap(operation: str, account: Sandbox, techmoda_policy: Policy) -> None:
    account.faults.deny(operation)
    inventory = read(account, techmoda_policy)
    assert operation in gaps_of(inventory)
    assert all("AccessDenied" in gap.code for gap in inventory.gaps)
    run = judged(inventory, techmoda_policy)
    assert {f"{gap.service}:{gap.operation}" for gap in run.gaps} == gaps_of(inventory)
    unknown = {finding.resource for finding in run.findings if finding.control == "COV-01"}
    assert {resource.rpartition("/")[2] for resource in unknown} == gaps_of(inventory)
    assert run.summary.exit_code != 0, f"green although {operation} was denied"


@pytest.mark.parametrize(
    ("code", "operations"),
    [
        ("ThrottlingException", ("dynamodb:DescribeTable", "backup:ListBackupJobs")),
        ("InternalServerError", ("dynamodb:ListTables", "backup:ListBackupPlans")),
        ("ExpiredTokenException", ("dynamodb:DescribeContinuousBackups", "backup:GetBackupPlan")),
        ("UnrecognizedClientException", ("backup:ListBackupVaults", "backup:DescribeRegionSettings")),
    ],
)
def test_other_refusals_are_gaps_as_well(
    code: str, operations: tuple[str, ...], account: Sandbox, techmoda_policy: Policy
) -> None:
    for operation in operations:
        account.faults.fail_calls(operation, code, "not today")
    inventory = read(account, techmoda_policy)
    assert gaps_of(inventory) == set(operations)
    assert {gap.code for gap in inventory.gaps} == {code}
    assert judged(inventory, techmoda_policy).summary.exit_code != 0


def test_a_region_that_refuses_everything_is_all_gaps(account: Sandbox, techmoda_policy: Policy) -> None:
    account.faults.deny("*", region="us-west-2")
    inventory = read(account, techmoda_policy)
    region = inventory.region("123456789012", "us-west-2")
    assert region is not None
    assert isinstance(region.table_names, Gap)
    assert isinstance(region.vaults, Gap)
    run = judged(inventory, techmoda_policy)
    assert run.summary.exit_code != 0
    dr = [finding for finding in run.findings if finding.control == "DR-03"]
    assert {finding.status for finding in dr} == {Status.UNKNOWN}


def test_refused_credentials_end_the_audit(account: Sandbox, techmoda_policy: Policy) -> None:
    account.faults.fail_calls("sts:GetCallerIdentity", "ExpiredToken", "The security token is expired")
    with pytest.raises(Error, match="the credentials were refused: The security token") as caught:
        read(account, techmoda_policy)
    assert caught.value.exit_code == 2


def test_a_denied_caller_identity_is_a_gap(account: Sandbox, techmoda_policy: Policy) -> None:
    account.faults.deny("sts:GetCallerIdentity")
    inventory = read(account, techmoda_policy)
    assert isinstance(inventory.accounts[0].caller, Gap)


def test_throttling_that_ends_is_no_gap(account: Sandbox, techmoda_policy: Policy) -> None:
    account.faults.throttle("dynamodb:DescribeTable", times=1)
    assert read(account, techmoda_policy).gaps == ()


def test_tags_come_one_by_one_where_the_bulk_is_denied(account: Sandbox, techmoda_policy: Policy) -> None:
    whole = read(account, techmoda_policy)
    account.faults.deny(TAGS[0])
    inventory = read(account, techmoda_policy)
    assert inventory.gaps == ()
    assert [table.tags for table in inventory.tables()] == [table.tags for table in whole.tables()]
    assert TAGS[1] in {f"{r.service}:{r.operation}" for r in inventory.calls}


def test_without_any_tags_what_hangs_on_them_is_unknown(account: Sandbox, techmoda_policy: Policy) -> None:
    for operation in TAGS:
        account.faults.deny(operation)
    inventory = read(account, techmoda_policy)
    assert gaps_of(inventory) == set(TAGS)
    assert judged(inventory, techmoda_policy).summary.exit_code != 0


def test_reading_twice_gives_the_same(account: Sandbox, techmoda_policy: Policy) -> None:
    first, second = read(account, techmoda_policy), read(account, techmoda_policy)
    assert dataclasses.replace(first, calls=()) == dataclasses.replace(second, calls=())
