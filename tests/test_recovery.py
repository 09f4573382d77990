"""The ways back of a table, from examples: what is there, what is not known, and what to paste."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from backcheck.controls.examples import (
    KEY_ARN,
    NOW,
    copied,
    copy_job,
    dr_vault,
    drills,
    gap,
    key,
    pitr,
    point,
    role_names,
    table,
    vault,
    world,
)
from backcheck.drill.record import DrillRecord
from backcheck.errors import UsageError
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key
from backcheck.inventory.model import Inventory, PitrStatus, Table
from backcheck.policy.model import Method
from backcheck.recovery import recovery


def inventory() -> Inventory:
    return inventory_of()


def inventory_of(**changes: Any) -> Inventory:
    found = world(**changes).inventory
    assert found is not None
    return found


def name() -> str:
    return next(inventory().tables()).name


def with_pitr(value: PitrStatus | Gap) -> Inventory:
    found = inventory()
    accounts = tuple(
        replace(
            account,
            regions=tuple(
                replace(r, tables=tuple(replace(t, pitr=value) if isinstance(t, Table) else t for t in r.tables))
                for r in account.regions
            ),
        )
        for account in found.accounts
    )
    return replace(found, accounts=accounts)


def test_the_latest_state_by_pitr_first_then_points_of_each_region() -> None:
    found = recovery(name(), world().policy, inventory())
    first, *points = found.ways
    assert first.name == "point in time"
    assert "--use-latest-restorable-time" in first.command
    assert f"--target-table-name {name()}-restored" in first.command
    assert {way.name.rpartition(" ")[2] for way in points} == {"us-east-1", "us-west-2"}
    moments = [way.moment for way in points if way.name.endswith("us-east-1") and way.moment]
    assert moments == sorted(moments, reverse=True)
    assert all("aws backup start-restore-job" in way.command for way in points)
    assert found.measured == ("never measured: no drill of this table is on record",)
    assert set(found.expected) == {"not known: no drill of this table has gone this way"}


@pytest.mark.parametrize("there", ["shop-restore-dr", None])
def test_each_region_is_restored_with_its_own_role(there: str | None) -> None:
    named = world(policy=replace(world().policy, roles=role_names(restore_dr=there)))
    ways = recovery(name(), named.policy, inventory()).ways[1:]
    roles = {
        (way.name.rpartition(" ")[2], way.command.partition("--iam-role-arn ")[2].partition(" ")[0].rpartition("/")[2])
        for way in ways
    }
    assert roles == {("us-east-1", "shop-restore"), ("us-west-2", there or "shop-restore")}


def test_a_copy_is_as_old_as_what_it_was_copied_from() -> None:
    source = point()
    copy = copied(source, created=source.created + timedelta(minutes=30))
    job = copy_job(source_recovery_point_arn=source.arn, destination_recovery_point_arn=copy.arn)
    found = inventory_of(
        primary={"vaults": (vault(recovery_points=(source,)),), "copy_jobs": (job,)},
        dr={"vaults": (dr_vault(recovery_points=(copy,)),)},
    )
    pitr, here, there = recovery(name(), world().policy, found).ways
    assert (pitr.name, here.moment, there.moment) == ("point in time", source.created, source.created)
    assert here.name.endswith("us-east-1"), "of one state, the one that is nearer first"
    assert f"copied at {copy.created:%Y-%m-%d %H:%M:%S}" in there.says
    unmapped = inventory_of(primary={"copy_jobs": ()}, dr={"vaults": (dr_vault(recovery_points=(copy,)),)})
    (there,) = (way for way in recovery(name(), world().policy, unmapped).ways if way.method is Method.DR_COPY)
    assert (there.moment, "a copy: what it holds is older" in there.says) == (copy.created, True)


def drilled(method: str, days: int, **changes: Any) -> DrillRecord:
    (record,) = (one for one in drills() if one.method == method)
    finished = inventory().taken_at - timedelta(days=days)
    return replace(record, started=finished - timedelta(hours=1), finished=finished, **changes)


def test_what_drills_have_measured_stands_beside_each_way() -> None:
    history = (
        drilled("pitr", 40, active_minutes=11.0),
        drilled("pitr", 10, active_minutes=21.0, verified_minutes=34.0),
        drilled("backup", 20, active_minutes=30.0, verified_minutes=None),
        drilled("backup", 5, active_minutes=None, verified_minutes=None, passed=False, detail="the restore failed"),
        drilled("dr-copy", 3, simulated=True),
        replace(drilled("dr-copy", 1), table_arn="arn:aws:dynamodb:us-east-1:111122223333:table/other"),
    )
    found = recovery(name(), world().policy, inventory(), history)
    by_method = {way.method: told for way, told in zip(found.ways, found.expected, strict=True)}
    assert by_method[Method.PITR] == (
        "21 min until the table was active, 34 min to a verified read in the drill of 2026-11-12"
    )
    assert by_method[Method.BACKUP] == "30 min until the table was active in the drill of 2026-11-02"
    assert by_method[Method.DR_COPY].endswith("in the drill of 2026-11-19 (SIMULATED: it says nothing about AWS)")
    pitr, failed, passed, copy = found.measured
    assert pitr.startswith("pitr: restored on 2026-11-12 11:00 UTC, 21 min until the table was active, 34 min")
    assert failed == "backup: restored on 2026-11-17 11:00 UTC, never active, did not pass (the restore failed)"
    assert passed == (
        "backup: restored on 2026-11-02 11:00 UTC, 30 min until the table was active, passed, the last that did"
    )
    assert "SIMULATED" in copy


def test_a_history_that_cannot_be_read_is_no_reason_to_stop() -> None:
    unread = Gap(service="backcheck", operation="drill history", region="", account="", code="Malformed", detail="l. 3")
    found = recovery(name(), world().policy, inventory(), unread)
    assert found.measured == ("not known: l. 3",)
    assert found.ways[0].command


def test_the_tables_own_key_is_used_where_it_is() -> None:
    keyed = table(encryption_key_arn=KEY_ARN)
    found = recovery(name(), world().policy, inventory_of(primary={"tables": (keyed,)}))
    here = next(way for way in found.ways if way.method is Method.BACKUP)
    there = next(way for way in found.ways if way.method is Method.DR_COPY)
    assert f'"encryptionType":"KMS","kmsMasterKeyArn":"{KEY_ARN}"' in here.command
    assert '"encryptionType":"Default"' in there.command
    assert "comes back under AWS's own key: the table's is in us-east-1" in there.says


DYING = key(state="PendingDeletion", deletion_date=NOW + timedelta(days=7))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (DYING, f"{KEY_ARN} is to be deleted on 2026-11-29; first aws kms cancel-key-deletion --region us-east-1"),
        (
            key(state="Disabled"),
            f"{KEY_ARN} is Disabled; first aws kms enable-key --region us-east-1 --key-id {KEY_ARN}",
        ),
        (gap("DescribeKey", service="kms", code="NotFoundException", resource=KEY_ARN), f"{KEY_ARN} does not exist"),
    ],
)
def test_a_way_whose_key_cannot_be_used_stands_behind_those_that_work(state: Key | Gap, says: str) -> None:
    found = recovery(name(), world().policy, inventory_of(primary={"keys": (state,)}))
    here = [way for way in found.ways if way.method is Method.BACKUP]
    assert here
    assert all(f"ITS KEY IS NOT USABLE, nothing comes back this way: {says}" in way.says for way in here)
    assert found.ways[0].name == "point in time"
    assert found.ways[-len(here) :] == tuple(here), "behind the older copies, too"
    assert [way.works for way in found.ways] == [way.method is not Method.BACKUP for way in found.ways]


def test_points_whose_key_is_gone_hide_none_that_works() -> None:
    older = point(NOW - timedelta(days=9), key_arn=None)
    lost = [point(NOW - timedelta(days=days)) for days in range(1, 8)]
    held = vault(recovery_points=(older, *lost))
    found = recovery(name(), world().policy, inventory_of(primary={"keys": (DYING,), "vaults": (held,)}))
    here = [way.moment for way in found.ways if way.method is Method.BACKUP]
    assert here == [older.created, *(one.created for one in lost[:5])]


def test_a_key_that_was_not_read_is_said_and_a_copy_of_the_same_state_comes_first() -> None:
    source = point()
    copy = copied(source)
    job = copy_job(source_recovery_point_arn=source.arn, destination_recovery_point_arn=copy.arn)
    found = inventory_of(
        primary={"keys": (), "vaults": (vault(recovery_points=(source,)),), "copy_jobs": (job,)},
        dr={"vaults": (dr_vault(recovery_points=(copy,)),)},
    )
    _, there, here = recovery(name(), world().policy, found).ways
    assert (there.method, there.key_usable, here.key_usable, here.works) == (Method.DR_COPY, True, None, True)
    assert here.says.startswith(f"KEY NOT READ, so whether it works is not known: {KEY_ARN}: NotAsked")


def test_a_tables_own_key_that_cannot_be_used_is_asked_of_no_restore() -> None:
    own = KEY_ARN.replace("key/", "key/own-")
    primary = {"tables": (table(encryption_key_arn=own),), "keys": (key(), key(own, state="Disabled"))}
    found = recovery(name(), world().policy, inventory_of(primary=primary))
    here = next(way for way in found.ways if way.method is Method.BACKUP)
    assert '"encryptionType":"Default"' in here.command
    assert "comes back under AWS's own key: the table's cannot be used" in here.says
    assert (found.ways[-1].name, found.ways[-1].works) == ("point in time", False)


def test_the_restored_table_has_a_name_that_is_free() -> None:
    taken = inventory_of(primary={"table_names": (name(), f"{name()}-restored")})
    found = recovery(name(), world().policy, taken)
    assert f"--target-table-name {name()}-restored-2 " in found.ways[0].command
    assert any(f"--table-name {name()}-restored-2 --deletion-protection-enabled" in one for one in found.afterwards)


def test_what_a_restore_leaves_behind() -> None:
    rich = table(replica_regions=("eu-west-1",), tags={"team": "shop"}, pitr=pitr(window_days=7))
    told = recovery(name(), world().policy, inventory_of(primary={"tables": (rich,)})).afterwards
    assert "tags, stream, TTL, point-in-time recovery" in told[0]
    assert any("PointInTimeRecoveryEnabled=true,RecoveryPeriodInDays=7" in one for one in told)
    assert any("replicated to eu-west-1" in one for one in told)
    assert any("its tags were on: team" in one for one in told)


def test_a_moment_inside_the_window() -> None:
    at = inventory().taken_at - timedelta(days=3)
    found = recovery(name(), world().policy, inventory(), at=at)
    assert f"--restore-date-time {at.isoformat()}" in found.ways[0].command
    assert all(way.moment and way.moment <= at for way in found.ways[1:])


def test_a_moment_outside_the_window() -> None:
    found = recovery(name(), world().policy, inventory(), at=inventory().taken_at - timedelta(days=300))
    (pitr,) = (way for way in found.ways if way.name == "point in time")
    assert "is outside the window" in pitr.says
    assert pitr.command == ""


@pytest.mark.parametrize("seconds", [1, 61, 179])
def test_a_moment_in_the_last_minutes_is_first_the_latest_that_pitr_has(seconds: int) -> None:
    now = inventory().taken_at
    latest, at = now - timedelta(minutes=5), now - timedelta(minutes=5) + timedelta(seconds=seconds)
    minutes = -(-seconds // 60)
    found = recovery(name(), world().policy, inventory(), at=at)
    first = found.ways[0]
    assert (first.name, first.moment, found.notes) == ("point in time", latest, ())
    assert f" --restore-date-time {latest.isoformat()}" in first.command, "later it would not be what was asked for"
    assert f"{minutes} min before what you asked for: wait {minutes} min for the rest" in first.says
    assert first.says.endswith(f"--restore-date-time {at.isoformat()}")
    assert found.expected[0]


def test_a_moment_in_the_future_is_said_to_be_one() -> None:
    now = inventory().taken_at
    at = (now + timedelta(hours=2)).astimezone(timezone(timedelta(hours=1)))
    found = recovery(name(), world().policy, inventory(), at=at)
    assert found.ways[0].says.endswith("125 min before what you asked for, which is in the future of this inventory")
    assert f" --restore-date-time {(now - timedelta(minutes=5)).isoformat()}" in found.ways[0].command
    (note,) = found.notes
    assert note.startswith("2026-11-22 14:00:00 UTC is in the future of this inventory, which was taken at")
    assert recovery(name(), world().policy, with_pitr(pitr(enabled=False)), at=at).notes == (note,)


@pytest.mark.parametrize(
    ("value", "says"),
    [(pitr(enabled=False), "off: this way does not exist"), (gap("DescribeContinuousBackups"), "not known: ")],
)
def test_without_pitr(value: PitrStatus | Gap, says: str) -> None:
    found = recovery(name(), world().policy, with_pitr(value))
    assert found.ways[-1].says.startswith(says)
    assert found.ways[-1].command == found.expected[-1] == ""
    assert all(way.command for way in found.ways[:-1])


def test_a_table_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="the inventory has no table nonsense"):
        recovery("nonsense", world().policy, inventory())


def test_a_table_that_was_deleted_comes_back_from_its_points() -> None:
    found = inventory()
    accounts = tuple(
        replace(account, regions=tuple(replace(region, tables=()) for region in account.regions))
        for account in found.accounts
    )
    back = recovery(name(), world().policy, replace(found, accounts=accounts))
    assert back.table.arn == next(found.tables()).arn
    assert "--backup-type SYSTEM" in back.ways[-1].says
    assert "which key the table had is not known" in back.ways[0].says
    assert back.afterwards[-1] == "how this table was set up is not known: look into its template"
    assert {way.name.rpartition(" ")[2] for way in back.ways if way.command} == {"us-east-1", "us-west-2"}
