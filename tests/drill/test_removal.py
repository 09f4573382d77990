from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backcheck.controls import examples
from backcheck.drill.ledger import Account, Deed, Entry
from backcheck.drill.plan import RUN_TAG
from backcheck.drill.removal import ABSENT, JOB_CALL, PITR_CALL, Seen, why_not_ours
from backcheck.policy.model import Method

RUN = "20261122t120000z-abc123"
NAME = f"drill-{RUN}-pitr-orders"
ARN = examples.TABLE_ARN.replace("orders", NAME)


def entry(event: str, call: str, outcome: str = "", **data: Any) -> Entry:
    return Entry(at=examples.NOW, event=event, target=NAME, call=call, outcome=outcome, data=data)


RESTORED = (
    entry("note", ABSENT),
    entry("intent", PITR_CALL),
    entry("result", PITR_CALL, "ok", TableId="id-1"),
)

DEED = Deed(
    method=Method.PITR,
    account=examples.ACCOUNT,
    region="us-east-1",
    target=NAME,
    target_arn=ARN,
    source_arn=examples.TABLE_ARN,
    recovery_point_arn=None,
    tags={RUN_TAG: RUN},
)


def account(entries: tuple[Entry, ...] = RESTORED, prefix: str = "drill-", **deed: Any) -> Account:
    return Account(run_id=RUN, prefix=prefix, deed=replace(DEED, **deed), entries=entries)


def seen(**changes: Any) -> Seen:
    made = Seen(
        name=NAME,
        arn=ARN,
        table_id="id-1",
        status="ACTIVE",
        tags={RUN_TAG: RUN},
        restored_from=examples.TABLE_ARN,
        made_by_job=False,
    )
    return replace(made, **changes)


def test_what_everything_says_is_ours_is() -> None:
    assert why_not_ours(account(), seen()) == ""


@pytest.mark.parametrize(
    ("told", "table", "says"),
    [
        (account(entries=RESTORED[:1]), seen(), "does not say that a restore was begun"),
        (account(entries=RESTORED[1:]), seen(), "no such table before"),
        (account(), seen(name="orders"), "the ledger names"),
        (account(), seen(arn=examples.TABLE_ARN), "the ledger names"),
        (account(prefix="other-"), seen(), "not one that this run gives"),
        (account(prefix=""), seen(), "not one that this run gives"),
        (account(), seen(tags={}), "missing"),
        (account(), seen(tags={RUN_TAG: "another"}), "is another, not"),
        (account(), seen(table_id="id-2"), "another table of this name"),
        (account(), seen(restored_from=None), "names no source"),
        (account(), seen(restored_from="arn:customers"), "names arn:customers"),
        (
            account(entries=(RESTORED[0], entry("intent", JOB_CALL)), method=Method.BACKUP),
            seen(),
            "no restore job",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_doubt_is_enough(told: Account, table: Seen, says: str) -> None:
    assert says in why_not_ours(told, table)


def test_a_job_that_says_that_it_made_the_table_is_a_record_of_the_restore() -> None:
    told = account(entries=(RESTORED[0], entry("intent", JOB_CALL)), method=Method.BACKUP)
    assert why_not_ours(told, seen(made_by_job=True, restored_from=None)) == ""
