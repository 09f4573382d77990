"""The state machine that is deployed, run step by step with every way in which it can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.functions.building import CHECK_SETTINGS, NOW, SOURCE_ARN, check, continuous
from tests.functions.machine import CheckedClient, run
from tests.templates.reading import resources

from backcheck.errors import Error
from functions import restore_check
from functions.check import Check, Kind, NotProven, Verdict
from functions.restore import Clients
from functions.restore_check import STEPS, not_ours

DEFINITION = resources("restore-testing")["RestoreCheck"]["Properties"]["Definition"]
EXPORT_ARN = f"{SOURCE_ARN}/export/01693685827463-2d8752fd"
EQUAL = Verdict(equal=True, reason="10 items restored, all equal", items=10)
DIFFERENT = Verdict(equal=False, reason="1 missing", items=9, missing=1)


def denied(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)


@dataclass
class Account:
    """What the steps see of an account, on a clock that the state machine's waiting moves."""

    pitr_after: timedelta = timedelta(minutes=6)
    active_after: timedelta = timedelta(minutes=20)
    exported_after: timedelta = timedelta(minutes=10)
    export_status: str = "COMPLETED"
    restored_from: str = SOURCE_ARN
    verdict: Verdict = EQUAL
    failing: str = ""
    now: datetime = NOW
    restored_at: datetime | None = None
    restored_to: datetime | None = None
    deleted: list[str] = field(default_factory=list)
    replies: list[tuple[bool, str]] = field(default_factory=list)
    validations: list[tuple[str, str]] = field(default_factory=list)

    def clients(self) -> Clients:
        answers: dict[str, Callable[..., Any]] = {
            "describe_continuous_backups": self._continuous,
            "restore_table_to_point_in_time": self._restore,
            "export_table_to_point_in_time": self._begin_export,
            "describe_export": self._export,
            "describe_table": self._table,
            "delete_table": self._delete,
        }
        backup: dict[str, Callable[..., Any]] = {
            "describe_restore_job": lambda **_: {"RecoveryPointCreationDate": NOW - timedelta(days=1)},
            "put_restore_validation_result": self._validated,
        }
        return Clients(dynamodb=CheckedClient("dynamodb", answers), backup=CheckedClient("backup", backup))

    def _continuous(self, **_: Any) -> dict[str, Any]:
        ready = self.now >= NOW + self.pitr_after
        return continuous(earliest=NOW if ready else None, latest=self.now - timedelta(minutes=5) if ready else None)

    def _begin_export(self, **_: Any) -> dict[str, Any]:
        if self.failing == "export":
            raise denied("ExportTableToPointInTime")
        return {"ExportDescription": {"ExportArn": f"{SOURCE_ARN}/export/0123"}}

    def _restore(self, **arguments: Any) -> dict[str, Any]:
        if self.restored_at is not None:
            raise ClientError({"Error": {"Code": "TableAlreadyExistsException", "Message": "is there"}}, "Restore")
        self.restored_at, self.restored_to = self.now, arguments["RestoreDateTime"]
        return {}

    def _export(self, **_: Any) -> dict[str, Any]:
        status = self.export_status if self.now >= NOW + self.exported_after else "IN_PROGRESS"
        manifest = "p/AWSDynamoDB/0123/manifest-summary.json"
        return {
            "ExportDescription": {
                "ExportStatus": status,
                "S3Bucket": "witness",
                "ExportManifest": manifest,
                "FailureMessage": "no room",
            }
        }

    def _table(self, **arguments: Any) -> dict[str, Any]:
        if self.restored_at is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no table"}}, "DescribeTable")
        return {
            "Table": {
                "TableName": arguments["TableName"],
                "TableStatus": "ACTIVE" if self.now >= self.restored_at + self.active_after else "CREATING",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "CreationDateTime": self.restored_at,
                "RestoreSummary": {"SourceTableArn": self.restored_from, "RestoreDateTime": self.restored_to},
            }
        }

    def _delete(self, **arguments: Any) -> dict[str, Any]:
        if self.restored_at and self.now < self.restored_at + self.active_after:
            raise ClientError({"Error": {"Code": "ResourceInUseException", "Message": "CREATING"}}, "DeleteTable")
        self.deleted.append(arguments["TableName"])
        return {}

    def _validated(self, **arguments: Any) -> dict[str, Any]:
        self.validations.append((arguments["ValidationStatus"], arguments["ValidationStatusMessage"]))
        return {}


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[[Account, Check], list[str]]:
    """Run a check through the deployed definition with the real steps."""

    def played(account: Account, given: Check) -> list[str]:
        clients = account.clients()
        if given.kind is Kind.RESTORE_TESTING:
            account.restored_at = NOW
        monkeypatch.setattr("functions.compare.read_and_compare", lambda *_: account.verdict)
        monkeypatch.setattr(
            restore_check, "send", lambda _to, *, success, reason, data: account.replies.append((success, reason))
        )

        def call(event: dict[str, Any]) -> Any:
            if "waited" in event:
                account.now += timedelta(seconds=event["waited"])
                return None
            account.now += timedelta(seconds=1)
            if event["step"] == account.failing:
                raise denied(event["step"])
            step = STEPS[event["step"]]
            if event["step"] == "poll" and account.failing == "after the restore":
                step(Check.from_json(event["check"]), CHECK_SETTINGS, clients, account.now)
                if account.restored_at:
                    account.now += timedelta(hours=1)
                    raise denied("poll")
            return step(Check.from_json(event["check"]), CHECK_SETTINGS, clients, account.now).to_json()

        return run(DEFINITION, given.to_json(), call)

    return played


Play = Callable[[Account, Check], list[str]]


def test_a_restore_is_waited_for_compared_removed_and_answered(play: Play) -> None:
    account, given = Account(), check()
    entered = play(account, given)
    assert account.replies == [(True, EQUAL.reason)]
    assert account.deleted == [given.target_table]
    assert entered[-3:] == ["Compare", "CleanUp", "Conclude"]
    assert entered.count("Poll") > 20


def test_a_finished_restore_of_awss_own_is_compared_and_recorded_but_left_to_aws(play: Play) -> None:
    account = Account()
    play(account, check(Kind.RESTORE_TESTING))
    assert account.validations == [("SUCCESSFUL", EQUAL.reason)]
    assert account.deleted == []


ANY_KIND = [
    (Account(verdict=DIFFERENT), "1 missing"),
    (Account(failing="begin"), "AccessDeniedException"),
    (Account(failing="poll"), "AccessDeniedException"),
    (Account(failing="compare"), "AccessDeniedException"),
    (Account(failing="clean-up"), "left behind"),
    (Account(export_status="FAILED"), "could not be exported: no room"),
    (Account(active_after=timedelta(hours=3)), "still restoring after 36 minutes"),
    (Account(exported_after=timedelta(hours=3)), "still restoring after 36 minutes"),
]
OUR_OWN = [
    (Account(pitr_after=timedelta(hours=3)), "no time can be restored to yet after 36 minutes"),
    (Account(restored_from=SOURCE_ARN + "-other"), "is not deleted: it was restored from"),
]


@pytest.mark.parametrize(
    ("kind", "account", "says"),
    [(kind, *case) for kind in Kind for case in ANY_KIND] + [(Kind.CUSTOM_RESOURCE, *case) for case in OUR_OWN],
)
def test_whatever_fails_whoever_waits_is_answered_once_in_time(
    kind: Kind, account: Account, says: str, play: Play
) -> None:
    account = replace(account, deleted=[], replies=[], validations=[])
    with pytest.raises(NotProven, match=says):
        play(account, check(kind))
    custom = kind is Kind.CUSTOM_RESOURCE
    answers = [(str(ok), reason) for ok, reason in account.replies] if custom else account.validations
    assert [answer for answer, _ in answers] == ["False" if custom else "FAILED"]
    assert says in answers[0][1]
    assert account.now - NOW < timedelta(minutes=59)


def test_a_table_that_is_still_being_created_is_reported_as_left_behind(play: Play) -> None:
    account = Account(active_after=timedelta(hours=3))
    with pytest.raises(NotProven, match=f"{check().target_table} is left behind: ClientError"):
        play(account, check())
    assert account.deleted == []


def test_nothing_is_restored_that_cannot_be_compared(play: Play) -> None:
    account = Account(failing="export")
    with pytest.raises(NotProven, match="AccessDeniedException"):
        play(account, check())
    assert account.restored_at is None


def test_a_step_that_is_cut_off_after_the_restore_leaves_no_table_behind(play: Play) -> None:
    account, given = Account(failing="after the restore"), check()
    with pytest.raises(NotProven, match="AccessDeniedException"):
        play(account, given)
    assert account.deleted == [given.target_table]


def test_a_step_that_is_tried_again_goes_on_with_the_table_that_it_made() -> None:
    """Its first answer got lost; meanwhile the latest restorable time moved on, and the table is of the earlier one."""
    account, given = Account(), check()
    account.now += account.pitr_after
    first = restore_check.poll(given, CHECK_SETTINGS, account.clients(), account.now)
    account.now += timedelta(minutes=1)
    assert restore_check.poll(given, CHECK_SETTINGS, account.clients(), account.now) == first
    assert first.at == account.restored_to


def test_a_table_of_the_same_name_that_is_anothers_is_left_alone() -> None:
    account = Account(restored_at=NOW - timedelta(hours=1), now=NOW + timedelta(minutes=6))
    with pytest.raises(Error, match=r"there is a table .* already: it is older than this check"):
        restore_check.poll(check(), CHECK_SETTINGS, account.clients(), account.now)


@pytest.mark.parametrize(
    ("changes", "check_changes", "why"),
    [
        ({}, {}, ""),
        ({"RestoreSummary": {"SourceTableArn": "arn:other"}}, {}, "restored from arn:other"),
        ({"RestoreSummary": {}}, {}, "restored from None"),
        ({"CreationDateTime": NOW - timedelta(seconds=1)}, {}, "older than this check"),
        ({"TableName": "shop-products"}, {}, "not called"),
        ({"TableName": "shop-products"}, {"target_table": "shop-products"}, "not called"),
    ],
)
def test_only_the_table_that_this_check_restored_is_deleted(
    changes: dict[str, Any], check_changes: dict[str, Any], why: str
) -> None:
    given = check(**check_changes)
    ours = {
        "TableName": given.target_table,
        "CreationDateTime": NOW,
        "RestoreSummary": {"SourceTableArn": SOURCE_ARN},
    }
    found = not_ours({**ours, **changes}, given, CHECK_SETTINGS)
    assert (why in found) if why else not found


def test_a_production_tables_name_is_refused_at_once() -> None:
    with pytest.raises(Error, match="is not called like a test"):
        restore_check.begin(check(target_table="shop-products"), CHECK_SETTINGS, Account().clients(), NOW)


def test_a_retried_step_asks_for_the_same_export() -> None:
    first = restore_check.export_call(check(), NOW, CHECK_SETTINGS)
    later = restore_check.export_call(check(), NOW + timedelta(seconds=1), CHECK_SETTINGS)
    assert first == restore_check.export_call(check(), NOW, CHECK_SETTINGS)
    assert first["ClientToken"] != later["ClientToken"]


def test_every_step_of_the_definition_is_one_of_ours() -> None:
    named = {one["Parameters"]["step"] for one in DEFINITION["States"].values() if one["Type"] == "Task"}
    assert named == set(STEPS)
