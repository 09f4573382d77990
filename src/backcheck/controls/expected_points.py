"""Which recovery points must exist now: the policy's tiers on the calendar, against what a vault holds.

A point belongs to a firing by the rule that made it (CreatedBy) and by its time: created between the scheduled time and
the deadline. Overlaps are settled by the calendar, so a daily backup that a monthly one replaced is not missed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from operator import attrgetter

from backcheck.controls.control import World, not_applicable, unknown
from backcheck.controls.deployment import match
from backcheck.controls.index import VaultId
from backcheck.controls.moments import CLOCK_SKEW, DAY, told
from backcheck.controls.subjects import ScopedTable
from backcheck.finding import Verdict
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.policy.calendar import calendar_of
from backcheck.policy.firing import Outcome
from backcheck.policy.model import Policy, Tier, Vault

LOOK_BACK = timedelta(days=400)
"""No control asks for firings before this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A backup that must have been made by now."""

    at: datetime
    """The scheduled time, UTC."""
    deadline: datetime
    next_at: datetime
    """When the tier's next one is begun; now where there is none yet."""
    tiers: tuple[Tier, ...]
    """The rules of which one makes it: the tier's own, and those of equal retention that overlap it."""
    copy_vaults: frozenset[str]
    """Keys of the vaults that it is surely copied to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the tiers must have made up to a moment, by tier id and oldest first; replaced firings are not among it."""

    by_tier: Mapping[str, tuple[Due, ...]]

    def due(self, tier: Tier, since: datetime) -> tuple[Due, ...]:
        """What a tier must have made since."""
        mine = self.by_tier.get(tier.id, ())
        return mine[bisect_left(mine, since, key=attrgetter("at")) :]

    def any_since(self, since: datetime) -> bool:
        """Whether any backup was due since."""
        return any(many and many[-1].at >= since for many in self.by_tier.values())


def expectation(tiers: Iterable[Tier], world: World) -> Expectation:
    """What the tiers must have made in the last 400 days; shared by every table with the same tiers."""
    return _expectation(tuple(tiers), world.now)


@lru_cache(maxsize=64)
def _expectation(tiers: tuple[Tier, ...], now: datetime) -> Expectation:
    start = now.replace(hour=0, minute=0, second=0, microsecond=0) - LOOK_BACK
    if not tiers:
        return Expectation(by_tier={})
    effective = calendar_of(tiers, start, now).effective
    return Expectation(by_tier={tier.id: tuple(_due(tier, effective, now)) for tier in tiers})


def _due(tier: Tier, effective: Sequence[Outcome], now: datetime) -> Iterator[Due]:
    mine = [outcome for outcome in effective if outcome.firing.tier.id == tier.id]
    for outcome, follower in zip(mine, [*mine[1:], None], strict=True):
        if outcome.deadline <= now:
            yield Due(
                at=outcome.firing.at,
                deadline=outcome.deadline,
                next_at=follower.firing.at if follower else now,
                tiers=(outcome.firing.tier, *(rival.tier for rival in outcome.rivals)),
                copy_vaults=frozenset(copy.vault for copy in tier.copies if outcome.copy_to(copy.vault)),
            )


def points_in(vault: Vault | None, subject: ScopedTable, world: World) -> tuple[RecoveryPoint, ...] | Gap:
    """A table's own points in a vault of the policy, oldest first; what was made before the table was is another's.

    A vault that is not there holds none; one that was not looked at, or whose points could not be listed, is a Gap.
    """
    place = vault_id(vault, world.policy) if vault else None
    if place is None:
        return ()
    region = world.index.regions.get(place[:2])
    if region is None:
        return not_looked_at(place)
    if isinstance(region.vaults, Gap):
        return region.vaults
    found = world.index.points(place, subject.table.arn)
    if found is None or isinstance(found, Gap):
        return found if found is not None else ()
    return found[bisect_left(found, subject.table.created, key=attrgetter("created")) :]


def usable(points: Iterable[RecoveryPoint], now: datetime) -> tuple[RecoveryPoint, ...]:
    """Those that can be restored from; one of the future is none, for then a clock is wrong."""
    return tuple(point for point in points if point.usable and point.created <= now + CLOCK_SKEW)


def vault_id(vault: Vault, policy: Policy) -> VaultId | None:
    """(account id, region, name) of a vault of the policy."""
    account = policy.account(vault.account)
    return (account.id, policy.region_of(vault), vault.name) if account else None


def not_looked_at(place: VaultId) -> Gap:
    """For a vault in an account or a region that the snapshot does not have."""
    return Gap(
        service="backcheck",
        operation="snapshot",
        region=place[1],
        account=place[0],
        code="NotLookedAt",
        detail="the snapshot has nothing of this account and region",
        resource=place[2],
    )


def rule_tiers(subject: ScopedTable, world: World) -> Mapping[str, str] | Gap:
    """Rule id to `plan/tier`, of every deployed plan in the table's region that the policy names; a Gap if unread.

    A rule that is no tier's maps to the empty string.
    """
    region = subject.region
    return world.index.remember(("rule tiers", region.account, region.region), lambda: _rule_tiers(subject, world))


def _rule_tiers(subject: ScopedTable, world: World) -> Mapping[str, str] | Gap:
    plans = subject.region.plans
    if isinstance(plans, Gap):
        return plans
    found: dict[str, str] = {}
    for wanted in world.policy.plans:
        for plan in (plan for plan in plans if plan.name == wanted.name):
            if isinstance(plan.rules, Gap):
                return plan.rules
            found |= {rule.id: "" for rule in plan.rules}
            found |= {rule.id: f"{wanted.key}/{name}" for name, rule in match(wanted.tiers, plan.rules).items()}
    return found


def made_by(point: RecoveryPoint, tiers: Iterable[Tier], ids: Mapping[str, str]) -> bool | None:
    """Whether a rule of one of the tiers made a point; None where it does not say, or names a rule of long ago."""
    named = ids.get(point.rule_id or "")
    if named is not None:
        return any(tier.id == named for tier in tiers)
    if point.rule_name is not None:
        return any(tier.rule == point.rule_name for tier in tiers)
    return None


def backup_for(due: Due, points: Sequence[RecoveryPoint], ids: Mapping[str, str]) -> RecoveryPoint | None:
    """The point that was made under a due backup. `points`: usable ones, oldest first.

    A plan's point whose rule is not known any more counts by its time; one made on demand does not.
    """
    for point in points[bisect_left(points, due.at, key=attrgetter("created")) :]:
        if point.created > due.deadline:
            return None
        answer = made_by(point, due.tiers, ids)
        if answer or (answer is None and point.plan_id is not None):
            return point
    return None


def copy_for(due: Due, points: Sequence[RecoveryPoint], ids: Mapping[str, str]) -> RecoveryPoint | None:
    """The copy of a due backup. AWS documents no bound for copying: it counts until the tier's next backup is begun.

    A copy that does not say which rule made it counts by its time.
    """
    first = bisect_left(points, due.at, key=attrgetter("created"))
    for point in points[first : bisect_right(points, due.next_at, key=attrgetter("created"))]:
        if point.created < due.next_at and made_by(point, due.tiers, ids) is not False:
            return point
    return None


def kept_since(retention_days: int | None, now: datetime) -> datetime:
    """From when on points with this retention must still be there; with a day's grace at the end of their lives."""
    return now - LOOK_BACK if retention_days is None else now - timedelta(days=retention_days) + DAY


def in_force_since(subject: ScopedTable, tier: Tier, world: World) -> datetime:
    """From when on a tier's backups of a table can be expected: the table, the plan and the policy are all there."""
    begins = _policy_begins(world)
    there = _there_since(subject, tier, world)
    return max(there, begins) if begins else there


def before_the_policy(subject: ScopedTable, tier: Tier, world: World) -> tuple[str, ...]:
    """A note where table and plan are older than the policy: what was made before it is kept, and not judged."""
    begins = _policy_begins(world)
    since = max(_there_since(subject, tier, world), kept_since(tier.retention_days, world.now))
    if begins is None or since >= begins:
        return ()
    return (
        f"{tier.name} backups from {since:%Y-%m-%d} to {begins:%Y-%m-%d} are not judged: the policy's effective_from",
    )


def _policy_begins(world: World) -> datetime | None:
    begins = world.policy.effective_from
    return datetime.combine(begins, time(), tzinfo=UTC) if begins else None


def _there_since(subject: ScopedTable, tier: Tier, world: World) -> datetime:
    """From when on the table and the plan are both there.

    No page says whether CreationDate is the plan's or that of its latest version (API_BackupPlansListMember; the reply
    to UpdateBackupPlan has one as well): a point that the plan made before it shows that the plan is older.
    """
    since = [subject.table.created]
    plans = subject.region.plans
    wanted = next((plan.name for plan in world.policy.plans if plan.key == tier.plan), "")
    named = [plan for plan in (() if isinstance(plans, Gap) else plans) if plan.name == wanted]
    made = [plan.created for plan in named if plan.created]
    if made:
        shown = _shown_since(subject, tier, min(made), frozenset(plan.id for plan in named), world)
        since.append(shown or min(made))
    return max(since)


def _shown_since(
    subject: ScopedTable, tier: Tier, made: datetime, plan_ids: frozenset[str], world: World
) -> datetime | None:
    """The first point of the plan, or of an earlier one with a rule of this name; None where none is before `made`."""
    points = points_in(world.policy.vault(tier.vault), subject, world)
    if isinstance(points, Gap):
        return None
    before = points[: bisect_left(points, made, key=attrgetter("created"))]
    by_plan = (p.created for p in before if p.plan_id in plan_ids or (p.plan_id and p.rule_name == tier.rule))
    return next(by_plan, None)


def nothing_due(subject: ScopedTable, world: World, *, what: str, tier: str | None = None) -> Verdict:
    """What to say where no backup was due: NOT_APPLICABLE of what is new, UNKNOWN of what only looks so.

    Right after a plan, or a table, was made again nothing is due. If that is done each day, nothing ever is, and a
    backup that is never made is never missed.
    """
    asked, table, begins = expectation(subject.tiers, world), subject.table, world.policy.effective_from
    if begins is not None and begins > world.now.date():
        message = f"the policy holds from {begins} only: until then {what} of {table.name} is due"
        return unknown(message, at="/effective_from", tier=tier)
    if any(asked.due(one, in_force_since(subject, one, world)) for one in subject.tiers):
        return not_applicable(f"{what} of {table.name} was due yet", tier=tier)
    why = ""
    if asked.any_since(table.created):
        since = min(in_force_since(subject, one, world) for one in subject.tiers)
        why = f"the table is older than the plan or the policy, which are of {told(since)}"
    elif seen := made_again(subject, world):
        why = f"the table was made again at {told(table.created)}: {seen}"
    if not why:
        return not_applicable(f"{what} of {table.name} was due yet", tier=tier)
    message = f"{what} of {table.name} was due yet, and {why}; nothing shows until the next one that it is backed up"
    return unknown(message, at="ListBackupPlans.CreationDate, DescribeTable.CreationDateTime", tier=tier)


def made_again(subject: ScopedTable, world: World) -> str:
    """What shows that there was a table of this name before this one; empty where nothing does."""
    arn, created = subject.table.arn, subject.table.created
    for vault in world.policy.vaults:
        place = vault_id(vault, world.policy)
        points = world.index.points(place, arn) if place else None
        if points and not isinstance(points, Gap) and points[0].created < created:
            return f"{vault.name} has a point of {told(points[0].created)}"
    jobs = world.index.backup_jobs(subject.region, arn)
    if jobs and not isinstance(jobs, Gap) and jobs[0].created < created:
        return f"there was a backup job at {told(jobs[0].created)}"
    return ""
