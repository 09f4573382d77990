"""What says nothing of a backup is UNKNOWN, never a failed restore: no operation, no permission, no answer, no room."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from tests.drill.building import Shop, policy

from backcheck.controls import examples
from backcheck.drill.opening import Opened, as_drill_role
from backcheck.drill.quota import KEPT_FREE, MOST_AT_ONCE, are_too_many, under_way
from backcheck.drill.reach import Patience, Reach, says_nothing
from backcheck.drill.run import Drill
from backcheck.drill.session import perform
from backcheck.drill.verdict import Facts, Flaw, flaws, record
from backcheck.errors import Error
from backcheck.finding import Status
from backcheck.policy.model import Method

CLIENT_ERRORS = [
    ("UnknownOperationException", 400, True),
    ("501", 501, True),
    ("AccessDeniedException", 400, True),
    ("ExpiredTokenException", 400, True),
    ("InternalServerError", 500, True),
    ("LimitExceededException", 400, True),
    ("PointInTimeRecoveryUnavailableException", 400, False),
    ("InvalidRestoreTimeException", 400, False),
    ("TableAlreadyExistsException", 400, False),
    ("ValidationException", 400, False),
]


def refusal(code: str, status: int) -> ClientError:
    reply: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(reply, "RestoreTableToPointInTime")


@pytest.mark.parametrize(("code", "status", "nothing"), CLIENT_ERRORS)
def test_a_refusal_of_the_restore_counts_and_a_call_that_was_not_taken_does_not(
    code: str, status: int, nothing: bool
) -> None:
    error = refusal(code, status)
    assert says_nothing(error) is nothing
    wrapped = Error("could not be read")
    wrapped.__cause__ = error
    assert says_nothing(wrapped) is nothing


def test_no_answer_says_nothing_and_an_error_of_its_own_says_something() -> None:
    assert says_nothing(EndpointConnectionError(endpoint_url="https://x"))
    assert not says_nothing(Error("the restore job is FAILED"))


def tried(shop: Shop, method: Method = Method.PITR) -> Facts:
    return shop.drill(shop.plan(method))[0]


@pytest.mark.parametrize(
    ("method", "operation", "code"),
    [
        (Method.PITR, "dynamodb:RestoreTableToPointInTime", "UnknownOperationException"),
        (Method.PITR, "dynamodb:DescribeContinuousBackups", "UnsupportedOperation"),
        (Method.BACKUP, "backup:StartRestoreJob", "NotImplemented"),
        (Method.BACKUP, "backup:DescribeRestoreJob", "AccessDeniedException"),
        (Method.PITR, "dynamodb:Scan", "AccessDeniedException"),
    ],
)
def test_what_an_account_cannot_or_may_not_do_is_not_known(
    shop: Shop, method: Method, operation: str, code: str
) -> None:
    shop.table()
    shop.backed_up()
    made = shop.plan(method)
    shop.sandbox.faults.fail_calls(operation, code, "no such thing here")
    facts = shop.drill(made)[0]
    found = record(facts, run_id="run", simulated=True)
    assert (found.passed, found.active_minutes) == (False, None)
    assert Flaw.UNTRIED in flaws(facts)
    assert "could not be tried" in found.detail
    assert "no such thing here" in found.detail


def test_a_restore_that_is_refused_has_failed(shop: Shop) -> None:
    shop.table()
    made = shop.plan(Method.PITR)
    code = "PointInTimeRecoveryUnavailableException"
    shop.sandbox.faults.fail_calls("dynamodb:RestoreTableToPointInTime", code, "off")
    facts = shop.drill(made)[0]
    assert Flaw.NOT_RESTORED in flaws(facts)
    found = record(facts, run_id="run", simulated=True)
    assert (found.passed, found.undetermined) == (False, False)


@pytest.mark.parametrize(
    ("code", "status", "exit_code"),
    [("UnknownOperationException", Status.UNKNOWN, 2), ("InvalidRestoreTimeException", Status.FAIL, 1)],
)
def test_the_run_says_unknown_with_the_reason(
    shop: Shop, tmp_path: Path, code: str, status: Status, exit_code: int
) -> None:
    shop.table()
    shop.policy = replace(policy(methods=(Method.PITR,)), roles=replace(shop.policy.roles, drill=None))
    shop.sandbox.faults.fail_calls("dynamodb:RestoreTableToPointInTime", code, "not in this emulator")
    account = Opened(targets=shop.targets, acting=shop.targets, clock=shop.clock)
    done = perform(shop.policy, account, {}, Patience(), tmp_path / "out")
    found = {one.control: one for one in done.run.findings}
    assert found["RST-01"].status is status
    assert done.run.summary.exit_code == exit_code
    if status is Status.UNKNOWN:
        assert "not in this emulator" in found["RST-01"].message


@pytest.mark.parametrize("method", list(Method))
def test_a_witness_bucket_that_does_not_exist_says_nothing_of_the_backup(
    shop: Shop, tmp_path: Path, method: Method
) -> None:
    shop.table()
    shop.backed_up()
    shop.policy = replace(policy(methods=(method,)), roles=replace(shop.policy.roles, drill=None))
    account = Opened(targets=shop.targets, acting=shop.targets, clock=shop.clock)
    done = perform(shop.policy, account, {"witness_bucket": "no-such-bucket"}, Patience(), tmp_path / "out")
    assert [(one.passed, one.undetermined, one.active_minutes) for one in done.records] == [(False, True, None)]
    assert flaws(done.facts[0]) == (Flaw.UNTRIED, Flaw.NOT_PROVEN)
    assert done.facts[0].requested is None
    found = {one.control: one for one in done.run.findings}
    assert found["RST-01"].status is Status.UNKNOWN
    assert "no witness, so no restore was asked for" in found["RST-01"].message
    assert "The bucket no-such-bucket does not exist" in found["RST-01"].message
    assert done.run.summary.exit_code == 2
    assert (shop.tables(), shop.tables("us-west-2")) == (["orders"], [])


def test_a_source_that_cannot_be_read_says_nothing_of_the_backup_either(shop: Shop) -> None:
    shop.table()
    made = shop.plan(Method.PITR)
    shop.sandbox.faults.fail_calls("dynamodb:Scan", "ResourceNotFoundException", "no such table")
    facts = shop.drill(made)[0]
    found = record(facts, run_id="run", simulated=True)
    assert (found.passed, found.undetermined, facts.requested) == (False, True, None)
    assert "no such table" in found.detail


def crowded(shop: Shop, restores: int, whose: str = "theirs") -> None:
    """So many restores of somebody else under way."""
    for number in range(restores):
        shop.dynamodb.restore_table_to_point_in_time(
            SourceTableName="orders", TargetTableName=f"{whose}-{number:02d}", UseLatestRestorableTime=True
        )


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at a table that is CREATING lets no time pass, so that many can be looked at at one moment."""
    monkeypatch.setattr("backcheck.sandbox.restored.POLL", timedelta())


@pytest.mark.usefixtures("patient")
def test_others_restores_are_counted(shop: Shop) -> None:
    shop.table(items=1)
    crowded(shop, 3)
    assert under_way(shop.dynamodb) == 0  # four tables cannot be in the way, so none is looked at
    crowded(shop, MOST_AT_ONCE - KEPT_FREE, "more")
    assert under_way(shop.dynamodb) == MOST_AT_ONCE - KEPT_FREE + 3
    assert [are_too_many(number) for number in (0, MOST_AT_ONCE - KEPT_FREE - 1, MOST_AT_ONCE - KEPT_FREE)] == [
        False,
        False,
        True,
    ]


@pytest.mark.usefixtures("patient")
def test_a_drill_waits_for_its_turn_and_leaves_room_to_others(shop: Shop) -> None:
    shop.table(items=1)
    made = shop.plan(Method.PITR)
    told: list[str] = []

    def step(text: str) -> None:
        told.append(text)
        if text == "  restore":
            crowded(shop, MOST_AT_ONCE - KEPT_FREE)

    facts = shop.drill(made, step)[0]
    assert flaws(facts) == ()
    assert any("waiting for a turn: 40 restores are under way, the quota is 50" in one for one in told)
    assert facts.requested is not None
    assert facts.active is not None
    restore = next(one for one in facts.phases if one.name == "restore")
    assert (facts.active - facts.requested).total_seconds() < restore.seconds  # waiting is no part of the RTO


def test_where_no_place_comes_free_it_says_so_and_nothing_was_begun(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.table(items=1)
    made = shop.plan(Method.PITR)
    monkeypatch.setattr("backcheck.drill.quota.under_way", lambda _: MOST_AT_ONCE)
    with shop.ledger(made) as book:
        drill = Drill(made, shop.reach, book, shop.clock, Patience(limit=timedelta(minutes=10)), lambda _: None)
        facts = next(drill.perform())
    assert flaws(facts) == (Flaw.UNTRIED, Flaw.NOT_PROVEN)
    assert "no turn for a restore, 50 restores are under way" in facts.errors[0]
    assert facts.cleaned_up
    assert shop.tables() == ["orders"]


def test_where_tables_may_not_be_looked_at_aws_itself_says_whether_there_is_room(shop: Shop) -> None:
    shop.table(items=1)
    made = shop.plan(Method.PITR)
    shop.sandbox.faults.deny("dynamodb:ListTables")
    assert under_way(shop.dynamodb) is None
    code = "LimitExceededException"
    shop.sandbox.faults.fail_calls("dynamodb:RestoreTableToPointInTime", code, "too many", times=2)
    assert flaws(shop.drill(made)[0]) == ()


def test_the_drill_acts_as_the_policys_role(shop: Shop) -> None:
    named = replace(shop.policy, roles=replace(shop.policy.roles, drill="shop-drill"))
    unnamed = replace(shop.policy, roles=replace(shop.policy.roles, drill=None))
    acting = as_drill_role(shop.targets, named)
    reach = Reach(acting)
    arn = reach.client("sts", examples.ACCOUNT, "us-east-1").get_caller_identity()["Arn"]
    assert ":assumed-role/shop-drill/" in arn
    assert as_drill_role(acting, named) == acting  # a build that runs as it already
    assert as_drill_role(shop.targets, unnamed) == shop.targets


def test_all_that_changes_something_is_done_as_that_role(shop: Shop, tmp_path: Path) -> None:
    shop.table()
    named = replace(policy(methods=(Method.PITR,)), roles=replace(shop.policy.roles, drill="shop-drill"))
    account = Opened(targets=shop.targets, acting=as_drill_role(shop.targets, named), clock=shop.clock)
    shop.policy = named
    begun = len(shop.sandbox.world.region(examples.ACCOUNT, "us-east-1").trail)
    done = perform(named, account, {}, Patience(), tmp_path / "out")
    assert [one.passed for one in done.records] == [True]
    events = shop.sandbox.world.region(examples.ACCOUNT, "us-east-1").trail[begun:]
    changes = {one.name: one.caller for one in events if one.source.startswith("dynamodb")}
    assert changes.keys() == {"RestoreTableToPointInTime", "TagResource", "DeleteTable"}
    assert {caller.rpartition(":")[2] for caller in changes.values()} == {"role/shop-drill"}


def test_a_role_that_cannot_be_taken_on_is_said_before_anything_is_begun(shop: Shop) -> None:
    named = replace(shop.policy, roles=replace(shop.policy.roles, drill="shop-drill"))
    shop.sandbox.faults.deny("sts:AssumeRole")
    with pytest.raises(Error, match="the drill role shop-drill could not be taken on"):
        as_drill_role(shop.targets, named)
