"""Performing a plan: the only writer. Each restore is made, verified, timed and taken away, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from backcheck.drill import quota, settings
from backcheck.drill.canary import Canaries, Half
from backcheck.drill.course import Course, told
from backcheck.drill.ledger import Deed, Ledger
from backcheck.drill.plan import CUSTOMER_KEY, DrillPlan, Restore
from backcheck.drill.reach import (
    BUSY,
    FAILED_CALLS,
    Clock,
    GaveUpError,
    NoTurnError,
    NoWitnessError,
    Patience,
    Reach,
    error_code,
)
from backcheck.drill.removal import ABSENT, JOB_CALL, PITR_CALL, Remover, describe, tag
from backcheck.drill.settings import SettingsComparison
from backcheck.drill.verdict import UNCERTAIN, Facts, Phase
from backcheck.drill.witness import Reading, Witnesses, held_against_export, held_against_scans
from backcheck.errors import Error, UsageError
from backcheck.policy.model import Method

Result = TypeVar("Result")
Told = Callable[[str], None]

REMOVAL_LIMIT = timedelta(hours=2)


class Drill:
    """One run of a plan."""

    def __init__(
        self, plan: DrillPlan, reach: Reach, ledger: Ledger, clock: Clock, patience: Patience, tell: Told
    ) -> None:
        """`ledger` is new and this run's; `tell` hears what is being done."""
        self._plan, self._reach, self._ledger, self._clock = plan, reach, ledger, clock
        self._patience, self._tell = patience, tell
        self._canaries = Canaries(reach, ledger, clock, patience)
        self._witnesses = Witnesses(reach, ledger, clock, patience)
        self._remover = Remover(reach, ledger, clock, patience)

    def perform(self) -> Iterator[Facts]:
        """Every restore of the plan, one after the other. Raises UsageError before anything is begun, where it must."""
        if self._plan.too_dear:
            raise UsageError(
                f"the drill may cost {self._plan.cost_usd:.2f} USD, the policy's ceiling is "
                f"{self._plan.ceiling_usd:.2f} USD: nothing was begun",
                hint="drill one table or method at a time, or raise drill.cost_ceiling_usd",
            )
        places = {(one.account, one.region) for one in self._plan.restores}
        places |= {(one.source.account, one.source.region) for one in self._plan.restores}
        self._reach.check_callers(places)
        for restore in self._plan.restores:
            yield self._perform(restore)

    def _perform(self, restore: Restore) -> Facts:
        course = Course(restore=restore, began=self._clock.now(), has_canary=restore.canary is not None)
        self._tell(f"{restore.method}: {restore.source.name} into {restore.target} in {restore.region}")
        try:
            with self._cleaned_up(course):
                self._restore_and_verify(course)
        except (*FAILED_CALLS, Error) as error:
            course.failed(error)
        return course.facts(self._clock.now())

    @contextmanager
    def _cleaned_up(self, course: Course) -> Iterator[None]:
        """Whatever happens inside, the table is taken away afterwards; that it could not be is a fact of the drill."""
        restore = course.restore
        self._ledger.deed(_deed(restore))
        try:
            yield
        finally:
            removed = self._timed(course, "clean up", lambda: self._remover.remove(restore.target, limit=REMOVAL_LIMIT))
            course.cleaned_up = removed.done
            if not removed.done:
                course.errors.append(removed.text)

    def _restore_and_verify(self, course: Course) -> None:
        restore, bucket = course.restore, self._plan.witness_bucket
        client = self._reach.client("dynamodb", restore.account, restore.region)
        if describe(client, restore.target) is not None:
            raise Error("there is a table of this name already: a drill never touches one", where=restore.target_arn)
        self._ledger.note(restore.target, ABSENT)
        self._put_canary(course, Half.BEFORE)
        if bucket is not None:
            at = course.at = (restore.at or self._time_of_export(course)).astimezone(UTC).replace(microsecond=0)
            self._put_canary(course, Half.AFTER)
            witness = self._witness(course, lambda: self._export(restore, at, bucket))
            restored = self._restored(course, client)
            course.compared = held_against_export(
                restore, at, witness, restored, lambda moment: self._export(restore, moment, bucket)
            )
        else:
            before = self._witness(course, lambda: self._scan_source(restore))
            course.at = self._timed(course, "wait for T", lambda: self._time_after(restore))
            self._put_canary(course, Half.AFTER)
            restored = self._restored(course, client)
            after = self._timed(course, "witness again", lambda: self._scan_source(restore))
            of_t = restore.method is Method.PITR
            course.compared = held_against_scans(before, after, restored, of_t=of_t)
        course.settings = self._timed(course, "settings", lambda: self._compare_settings(restore))

    def _time_of_export(self, course: Course) -> datetime:
        """T of a drill that writes a canary first: every other export has its T in the plan."""
        found = self._timed(course, "wait for T", lambda: self._time_after(course.restore))
        assert found is not None, "a restore by PITR has a T"
        return found

    def _put_canary(self, course: Course, half: Half) -> None:
        """Write one of the canaries, where the plan has them. Without it the boundary is not asserted, and said so."""
        restore = course.restore
        if restore.canary is None or not course.has_canary:
            return
        try:
            if half is Half.BEFORE:
                self._canaries.announce(restore)
            self._timed(course, f"canary {half} T", lambda: self._canaries.write(restore.target, half))
        except (*FAILED_CALLS, Error) as error:
            course.has_canary = False
            course.errors.append(f"the boundary at T is not asserted, the canary could not be written: {told(error)}")

    def _look_for_canaries(self, course: Course) -> None:
        """Which of them came back; then the one after T is removed, so that the source is again as it was at T."""
        if not course.has_canary:
            return
        try:
            course.boundary = self._canaries.came_back(course.restore)
            problem = self._canaries.remove(course.restore.target, Half.AFTER)
        except (*FAILED_CALLS, Error) as error:
            problem = f"the canary could not be read or removed: {told(error)}"
        if problem:
            course.errors.append(problem)

    def _restored(self, course: Course, client: Any) -> Reading:
        """Restore, wait, tag, read: what the RTO is about."""
        restore = course.restore
        if restore.method is Method.PITR:
            table = self._timed(course, "restore", lambda: self._by_pitr(course, client))
            course.restored_to = (table.get("RestoreSummary") or {}).get("RestoreDateTime")
            course.restored_from = (table.get("RestoreSummary") or {}).get("SourceTableArn")
        else:
            job = self._timed(course, "restore", lambda: self._by_job(course, client))
            course.restored_from = job.get("SourceResourceArn")
        course.active = self._clock.now()
        tag(self._reach, self._ledger, self._ledger.account(restore.target))
        scanned = self._timed(
            course, "verify", lambda: self._witnesses.scan(restore.account, restore.region, restore.target)
        )
        course.verified = self._clock.now()
        self._look_for_canaries(course)
        return scanned

    def _by_pitr(self, course: Course, client: Any) -> Any:
        restore = course.restore
        work = partial(
            client.restore_table_to_point_in_time,
            SourceTableArn=restore.source.arn,
            TargetTableName=restore.target,
            RestoreDateTime=course.at,
        )
        self._begun(course, PITR_CALL, work)
        return self._patience.wait(lambda: _active(client, restore.target), self._clock, restore.target_arn)

    def _by_job(self, course: Course, client: Any) -> Any:
        """The job, once it has made the table of our name and that is ACTIVE."""
        restore = course.restore
        backup = self._reach.client("backup", restore.account, restore.region)
        metadata = {"targetTableName": restore.target, "encryptionType": restore.encryption}
        if restore.encryption == CUSTOMER_KEY and restore.key_arn:
            metadata["kmsMasterKeyArn"] = restore.key_arn
        work = partial(
            backup.start_restore_job,
            RecoveryPointArn=restore.recovery_point_arn,
            Metadata=metadata,
            IamRoleArn=restore.role_arn,
            ResourceType="DynamoDB",
            IdempotencyToken=restore.target,
        )
        job_id = self._begun(course, JOB_CALL, work)["RestoreJobId"]
        job = self._patience.wait(lambda: _completed(backup, job_id), self._clock, f"restore job {job_id}")
        if job.get("CreatedResourceArn") != restore.target_arn:
            raise Error(f"the job made {job.get('CreatedResourceArn')}, not {restore.target_arn}", where=job_id)
        self._patience.wait(lambda: _active(client, restore.target), self._clock, restore.target_arn)
        return job

    def _begun(self, course: Course, call: str, work: Callable[[], Result]) -> Result:
        """The request, once there is room for it: others' restores count, and AWS may say that there are too many.

        The RTO's clock runs from when AWS was first asked: the places that a drill leaves free are its own manners.
        """
        restore = course.restore
        dynamodb = self._reach.client("dynamodb", restore.account, restore.region)
        why = "AWS says that too much is under way"

        def attempt() -> Result | None:
            nonlocal why
            restores = quota.under_way(dynamodb)
            if restores is not None and quota.are_too_many(restores):
                why = f"{restores} restores are under way, the quota is {quota.MOST_AT_ONCE}"
                self._tell(f"  waiting for a turn: {why}, of which {quota.KEPT_FREE} are left to others")
                return None
            course.requested = course.requested or self._clock.now()
            try:
                return self._ledger.call(restore.target, call, work)
            except ClientError as error:
                if error_code(error) not in BUSY:
                    raise
                self._tell(f"  waiting for a turn: {error}")
                return None

        try:
            return self._patience.wait(attempt, self._clock, call)
        except GaveUpError as error:
            raise NoTurnError(f"no turn for a restore, {why}: {error.message}", where=error.where) from error

    def _time_after(self, restore: Restore) -> datetime | None:
        """T for a restore by PITR: a minute after the source was read, once AWS can restore to it.

        The minute covers clocks that differ. The source is read again afterwards; that both readings are equal is what
        says that T's state is theirs.
        """
        if restore.method is not Method.PITR:
            return restore.at
        wanted = self._clock.now().replace(microsecond=0) + UNCERTAIN
        client = self._reach.client("dynamodb", restore.source.account, restore.source.region)

        def look() -> datetime | None:
            found = client.describe_continuous_backups(TableName=restore.source.name)["ContinuousBackupsDescription"]
            latest = found["PointInTimeRecoveryDescription"].get("LatestRestorableDateTime")
            return wanted if latest is not None and latest >= wanted else None

        return self._patience.wait(look, self._clock, f"the latest restorable time of {restore.source.name}")

    def _witness(self, course: Course, read: Callable[[], Reading]) -> Reading:
        """The source before the restore. Raises NoWitnessError where it cannot be had: that is no backup's fault."""
        try:
            return self._timed(course, "witness", read)
        except (*FAILED_CALLS, Error) as error:
            raise NoWitnessError(f"no witness, so no restore was asked for: {told(error)}") from error

    def _scan_source(self, restore: Restore) -> Reading:
        return self._witnesses.scan(restore.source.account, restore.source.region, restore.source.name)

    def _export(self, restore: Restore, at: datetime, bucket: str) -> Reading:
        return self._witnesses.export(restore, at, bucket, self._plan.run_id)

    def _compare_settings(self, restore: Restore) -> SettingsComparison:
        here = (restore.source.account, restore.source.region)
        there = (restore.account, restore.region)
        source = settings.read(lambda service: self._reach.client(service, *here), restore.source.name)
        restored = settings.read(lambda service: self._reach.client(service, *there), restore.target)
        return settings.compare(source, restored, same_region=here == there)

    def _timed(self, course: Course, name: str, work: Callable[[], Result]) -> Result:
        self._tell(f"  {name}")
        start = self._clock.now()
        try:
            return work()
        finally:
            course.phases.append(Phase(name=name, seconds=(self._clock.now() - start).total_seconds()))


def _deed(restore: Restore) -> Deed:
    return Deed(
        method=restore.method,
        account=restore.account,
        region=restore.region,
        target=restore.target,
        target_arn=restore.target_arn,
        source_arn=restore.source.arn,
        recovery_point_arn=restore.recovery_point_arn,
        tags=dict(restore.tags),
    )


def _active(client: Any, name: str) -> Any:
    """The table once it is ACTIVE and its items are back; None before."""
    table = describe(client, name)
    if table is None or table["TableStatus"] != "ACTIVE":
        return None
    return None if (table.get("RestoreSummary") or {}).get("RestoreInProgress") else table


def _completed(backup: Any, job_id: str) -> Any:
    """The job once it is complete; None before. Raises Error where it never will be."""
    job = backup.describe_restore_job(RestoreJobId=job_id)
    if job["Status"] in ("ABORTED", "FAILED"):
        why = job.get("StatusMessage") or "no message"
        raise Error(f"the restore job is {job['Status']}: {why}", where=job_id)
    return job if job["Status"] == "COMPLETED" else None
