"""A drill that dies at a point of a test's choosing, and what an account looks like before and after."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from botocore.exceptions import ReadTimeoutError
from tests.drill.building import Shop

from backcheck.drill.plan import RUN_TAG, DrillPlan, Restore
from backcheck.drill.reach import Reach
from backcheck.drill.verdict import Facts
from backcheck.inventory.collect.connect import Target, assumed


class Killed(BaseException):
    """The process has ended here."""


class Fuse:
    """Counts a run's points and ends it at one of them; a dead process does nothing more.

    A point is a line of the ledger, torn and whole, and a call that has taken effect and whose answer never comes.
    Calls of one kind in a row are one point: looking again and again changes nothing.
    """

    def __init__(self, at: int = 0) -> None:
        """`at`: the point's number, from 1; 0 never ends the run."""
        self.at = at
        self.points: list[str] = []
        self.dead = False

    def calling(self) -> None:
        """Before a call."""
        self._die_again()

    def called(self, what: str) -> None:
        """AWS has done it."""
        if not self.points or self.points[-1] != what:
            self._burn(what)

    def synced(self, handle: int, sync: Callable[[int], None]) -> None:
        """In place of a ledger's fsync: the line is half on disk, or whole."""
        self._die_again()
        file = os.fstat(handle)
        if len(self.points) + 1 == self.at and stat.S_ISREG(file.st_mode):
            os.ftruncate(handle, file.st_size - 7)
        self._burn("ledger torn")
        sync(handle)
        self._burn("ledger whole")

    def _burn(self, what: str) -> None:
        self.points.append(what)
        if len(self.points) == self.at:
            self.dead = True
            raise Killed(what)

    def _die_again(self) -> None:
        if self.dead:
            raise Killed("dead already")


class Lost:
    """A network that takes requests and loses the answer to one of them, or to everything from it on."""

    def __init__(self, at: int, *, for_good: bool) -> None:
        """`at`: the call's number, from 1."""
        self.at, self.for_good, self.seen = at, for_good, 0

    def calling(self) -> None:
        """Every request arrives."""

    def called(self, what: str) -> None:
        """Its answer, maybe not."""
        self.seen += 1
        if self.seen == self.at or (self.for_good and self.seen > self.at):
            raise ReadTimeoutError(endpoint_url=f"https://{what}")


class Line:
    """The shop's accounts through one more set of sessions, whose calls somebody hears of."""

    def __init__(self, shop: Shop) -> None:
        """`hears` is changed from run to run; clients are kept, since making them is what takes the time."""
        self.hears: Fuse | Lost = Fuse()
        targets = [replace(one, session=shop.sandbox.session(account=one.account.id)) for one in shop.targets]
        for one in targets:
            self._listen(one.session.events)
        self._shop, self.reach = shop, Reach(targets)

    def drill(self, made: DrillPlan, hears: Fuse | Lost) -> list[Facts]:
        """Drill over it."""
        self.hears, kept = hears, self._shop.reach
        self._shop.reach = self.reach
        try:
            return self._shop.drill(made)
        finally:
            self._shop.reach, self.hears = kept, Fuse()

    def assumed(self, target: Target, role_arn: str) -> Any:
        """In place of `connect.assumed`: a role's calls are heard, too."""
        session = assumed(target, role_arn)
        self._listen(session.events)
        return session

    def _listen(self, events: Any) -> None:
        events.register("before-call", self._calling)
        events.register("after-call", self._called)

    def _calling(self, **_: Any) -> None:
        self.hears.calling()

    def _called(self, model: Any, **_: Any) -> None:
        self.hears.called(f"{model.service_model.service_name}.{model.name}")


@contextmanager
def fused_ledger(patch: pytest.MonkeyPatch, fuse: Fuse) -> Iterator[None]:
    """A ledger whose fsync is a point."""
    sync = os.fsync
    with patch.context() as patched:
        patched.setattr("backcheck.drill.ledger.os.fsync", lambda handle: fuse.synced(handle, sync))
        yield


def as_run(made: DrillPlan, number: int) -> DrillPlan:
    """The same plan as another run's."""
    run_id = f"{made.run_id[:-6]}{number:06d}"

    def renamed(one: Restore) -> Restore:
        tags = {**one.tags, RUN_TAG: run_id}
        canary = one.canary and replace(one.canary, key_stem=one.canary.key_stem.replace(made.run_id, run_id))
        return replace(one, target=one.target.replace(made.run_id, run_id), tags=tags, canary=canary)

    return replace(made, run_id=run_id, restores=tuple(renamed(one) for one in made.restores))


VOLATILE = ("ItemCount", "TableSizeBytes", "LatestRestorableDateTime", "EarliestRestorableDateTime")


def everything(shop: Shop, *regions: str) -> bytes:
    """All that is in the account, items too, but for what time alone changes."""
    return orjson.dumps({region: _region(shop, region) for region in regions}, option=orjson.OPT_SORT_KEYS, default=str)


def _region(shop: Shop, region: str) -> dict[str, Any]:
    dynamodb, backup = (shop.reach.client(service, shop.sandbox.account, region) for service in ("dynamodb", "backup"))
    vaults = [one["BackupVaultName"] for one in backup.list_backup_vaults()["BackupVaultList"]]
    return {
        "tables": {name: _table(dynamodb, name) for name in dynamodb.list_tables()["TableNames"]},
        "backups": dynamodb.list_backups()["BackupSummaries"],
        "points": {
            name: backup.list_recovery_points_by_backup_vault(BackupVaultName=name)["RecoveryPoints"] for name in vaults
        },
    }


def _table(dynamodb: Any, name: str) -> dict[str, Any]:
    table = dynamodb.describe_table(TableName=name)["Table"]
    pitr = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return {
        "settings": {key: value for key, value in table.items() if key not in VOLATILE},
        "pitr": {key: value for key, value in pitr["PointInTimeRecoveryDescription"].items() if key not in VOLATILE},
        "ttl": dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
        "tags": dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"],
        "items": sorted(dynamodb.scan(TableName=name)["Items"], key=lambda item: str(item["id"]["S"])),
    }
