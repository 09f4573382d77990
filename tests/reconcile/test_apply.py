"""What `apply` refuses, skips and never overwrites."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.reconcile.shop import LIVE, POLICY, RESTORED, Shop

from backcheck.cli import run
from backcheck.errors import Error, UsageError
from backcheck.manifest.scan import Connection
from backcheck.reconcile import document, ledger
from backcheck.reconcile.apply import Tally, apply
from backcheck.reconcile.document import Plan
from backcheck.reconcile.ledger import Outcome


def applied(shop: Shop, plan: Plan, path: Path, connection: Connection | None = None) -> Tally:
    with ledger.opened(path, plan.id) as book:
        return apply(plan, connection or shop.connection, book)


def between(shop: Shop, work: Callable[[str], None]) -> Connection:
    """A connection on which, once, somebody does `work` between our read of a damaged item and our write."""
    session = shop.sandbox.session()
    keys: list[str] = []

    def on_update(params: dict[str, Any], **_: Any) -> None:
        if not keys:
            keys.append(json.loads(params["body"])["Key"]["id"]["S"])
            work(keys[0])

    session.events.register("before-call.dynamodb.UpdateItem", on_update)
    return Connection(region="us-east-1", session=session)


def test_a_write_between_read_and_write_wins(shop: Shop, tmp_path: Path) -> None:
    sold: list[str] = []

    def sell(key: str) -> None:
        shop.dynamodb.update_item(
            TableName=LIVE,
            Key={"id": {"S": key}},
            UpdateExpression="SET stock.Bern = :n",
            ExpressionAttributeValues={":n": {"N": "1"}},
        )
        sold.append(key)

    tally = applied(shop, shop.plan(shop.bad_export()), tmp_path / "ledger", between(shop, sell))
    item = shop.content(LIVE)[sold[0]]
    assert (item["title"], item["stock"]["M"]["Bern"]) == ({"S": ""}, {"N": "1"})
    assert [outcome for _, outcome in tally.skipped] == [Outcome.CHANGED]


def test_an_attribute_that_is_added_between_read_and_write_stays(shop: Shop, tmp_path: Path) -> None:
    marked: list[str] = []

    def mark(key: str) -> None:
        shop.dynamodb.update_item(
            TableName=LIVE,
            Key={"id": {"S": key}},
            UpdateExpression="SET review = :n",
            ExpressionAttributeValues={":n": {"S": "mine"}},
        )
        marked.append(key)

    tally = applied(shop, shop.plan(shop.bad_export()), tmp_path / "ledger", between(shop, mark))
    assert shop.content(LIVE)[marked[0]] == {**shop.before[marked[0]], "review": {"S": "mine"}}
    assert [outcome for _, outcome in tally.skipped] == [Outcome.MERGED]


def test_a_lost_item_that_is_made_again_stays(shop: Shop, tmp_path: Path) -> None:
    plan = shop.plan(shop.bad_export())
    mine = {**shop.before[shop.lost[0]], "title": {"S": "mine"}}
    shop.put([mine])
    tally = applied(shop, plan, tmp_path / "ledger")
    assert shop.content(LIVE)[shop.lost[0]] == mine
    assert [outcome for _, outcome in tally.skipped] == [Outcome.CHANGED]


def test_a_restored_table_that_was_written_to_is_not_believed(shop: Shop, tmp_path: Path) -> None:
    plan = shop.plan(shop.bad_export())
    changed, gone = shop.lost[:2]
    shop.dynamodb.put_item(TableName=RESTORED, Item={**shop.before[changed], "title": {"S": "other"}})
    shop.dynamodb.delete_item(TableName=RESTORED, Key={"id": {"S": gone}})
    tally = applied(shop, plan, tmp_path / "ledger")
    assert not shop.content(LIVE).keys() & {changed, gone}
    assert (tally.source_changed, tally.complete) == (2, False)


def test_a_table_that_was_made_anew_is_refused(shop: Shop, tmp_path: Path) -> None:
    plan = shop.plan(shop.bad_export())
    other = replace(plan, live=replace(plan.live, id="another"))
    before = shop.content(LIVE)
    with pytest.raises(UsageError, match="not the table that the plan was made of"):
        applied(shop, other, tmp_path / "ledger")
    assert shop.content(LIVE) == before


def test_without_an_export_all_that_differs_needs_a_decision(shop: Shop) -> None:
    plan = shop.plan()
    assert {str(kind): count for kind, count in plan.counts.items()} == {"undetermined": len(plan.entries)}
    assert plan.undecided == len(plan.entries) > 0
    assert "without an export nothing tells who wrote what" in plan.notes[0]


def test_listed_keys_narrow_it_down(shop: Shop, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("".join(json.dumps({"id": {"S": key}}) + "\n" for key in shop.lost[:2]))
    plan = shop.plan(shop.bad_export(), keys=keys)
    back = {json.loads(entry.key or "")["id"]["S"] for entry in plan.entries if entry.decision == "restore"}
    assert back == set(shop.lost[:2])


def test_exports_that_cannot_be_judged_by_are_refused(shop: Shop) -> None:
    start, end = shop.window.start, shop.window.end
    with pytest.raises(UsageError, match="without old images"):
        shop.plan(shop.export(start, end, "NEW_IMAGE"))
    with pytest.raises(UsageError, match="overlap"):
        shop.plan(shop.export(start, end), shop.export(start, end))


def test_a_restore_of_the_bad_window_is_refused(shop: Shop) -> None:
    late = replace(shop.window, start=shop.window.start.replace(hour=9))
    with pytest.raises(UsageError, match="after the bad window began"):
        shop.plan(bad=late)


def test_a_write_under_way_at_the_end_of_a_run_is_repeated_and_told_of(shop: Shop, tmp_path: Path) -> None:
    plan, path = shop.plan(shop.bad_export()), tmp_path / "ledger"
    lost = next(entry for entry in plan.entries if entry.decision == "restore" and entry.live is None)
    with ledger.opened(path, plan.id) as book:
        book.intent(lost.digest)
    tally = applied(shop, plan, path)
    assert tally.outcomes[Outcome.REPEATED] == 1
    assert not tally.skipped


class TestTheCommand:
    @pytest.fixture
    def plan(self, shop: Shop, tmp_path: Path) -> Path:
        path = tmp_path / "plan.json"
        path.write_bytes(document.render(shop.plan(shop.bad_export())))
        return path

    def refused(self, shop: Shop, plan: Path, *more: str, policy: Path = POLICY) -> int:
        before = shop.content(LIVE)
        code = run(["reconcile", "apply", str(plan), "--policy", str(policy), *more])
        assert shop.content(LIVE) == before
        return code

    def test_nothing_is_written_unless_allowed(
        self, shop: Shop, plan: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.refused(shop, plan) == 4
        assert "nothing was begun" in capsys.readouterr().err

    def test_another_account_is_refused(
        self, shop: Shop, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        policy = tmp_path / "policy.yaml"
        policy.write_text(POLICY.read_text().replace('"123456789012"', '"210987654321"'))
        assert self.refused(shop, plan, "--allow-destructive", policy=policy) == 4
        assert "account 123456789012 is not one of the policy's" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda held: held.update(same=1), "in more than its decisions"),
            (lambda held: held["entries"].pop(), "in more than its decisions"),
            (lambda held: held.update(extra=1), "Additional properties"),
            (lambda held: _decide(held, "deleted", "restore"), "of class deleted stays as is"),
            (lambda held: _decide(held, "keep", "restore"), "is not a decision here"),
            (lambda held: _decide(held, "restore", None), "a decision that is missing"),
        ],
    )
    def test_a_plan_that_was_changed_is_refused(
        self,
        shop: Shop,
        plan: Path,
        capsys: pytest.CaptureFixture[str],
        change: Callable[[dict[str, Any]], None],
        message: str,
    ) -> None:
        held = json.loads(plan.read_bytes())
        change(held)
        plan.write_text(json.dumps(held))
        assert self.refused(shop, plan, "--allow-destructive") == 4
        assert message in capsys.readouterr().err

    def test_the_plan_holds_no_item_data(self, shop: Shop) -> None:
        plan = shop.plan(shop.bad_export())
        text = document.render(replace(plan, entries=tuple(replace(entry, key=None) for entry in plan.entries)))
        assert b"Jacket" not in text
        assert b"p0000" not in text


def _decide(held: dict[str, Any], kind: str, decision: str | None) -> None:
    next(entry for entry in held["entries"] if entry["class"] == kind)["decision"] = decision


class TestTheLedger:
    def test_of_another_plan(self, tmp_path: Path) -> None:
        with ledger.opened(tmp_path / "ledger", "a"):
            pass
        with pytest.raises(UsageError, match="another plan"), ledger.opened(tmp_path / "ledger", "b"):
            pass

    def test_in_use(self, tmp_path: Path) -> None:
        with (
            ledger.opened(tmp_path / "ledger", "a"),
            pytest.raises(UsageError, match="being applied already"),
            ledger.opened(tmp_path / "ledger", "a"),
        ):
            pass

    def test_damaged(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger"
        with ledger.opened(path, "a") as book:
            book.result(b"k", Outcome.RESTORED)
        path.write_bytes(path.read_bytes().replace(b"restored", b"resumed!"))
        with pytest.raises(Error, match="damaged"), ledger.opened(path, "a"):
            pass

    def test_a_line_that_was_being_written_is_left_out(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger"
        with ledger.opened(path, "a") as book:
            book.intent(b"k")
            book.result(b"k", Outcome.RESTORED)
        path.write_bytes(path.read_bytes() + b'{"event":"int')
        with ledger.opened(path, "a") as book:
            assert (book.outcomes, book.begun) == ({b"k": Outcome.RESTORED}, set())
            book.intent(b"n")
        with ledger.opened(path, "a") as book:
            assert book.begun == {b"n"}
