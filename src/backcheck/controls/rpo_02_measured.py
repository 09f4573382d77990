"""RPO-02: what would have been lost at worst, measured on the recovery points that are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unread, verdict
from backcheck.controls.expected_points import expectation, in_force_since, nothing_due, points_in, usable
from backcheck.controls.moments import instant, told
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.policy.rpo import spell

LOOK_BACK = timedelta(days=30)

Held = list[tuple[str, int | None]]
"""Keys of vaults with how many days points are kept there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The longest time in which nothing newer could have been restored."""

    place: str
    start: datetime
    end: datetime
    objective: timedelta
    empty: bool
    """There is no point at all: it goes back to the table's creation."""
    too_long: tuple[str, ...]
    """Every stretch that is longer than the objective, by the point that it follows."""

    @property
    def within(self) -> bool:
        """It is no longer than the objective."""
        return self.end - self.start <= self.objective

    def __str__(self) -> str:
        """As a verdict shows it."""
        return f"{self.place} {spell(self.end - self.start)} ({told(self.start)} to {told(self.end)})"


@control(
    id="RPO-02",
    title="Measured on recovery points, the RPO was kept",
    severity=Severity.CRITICAL,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="What a plan promises is one thing; the distance between the points that exist is what would have been lost.",
    remedy="See RP-02 and DR-03 for what is missing, and JOB-01 and DR-04 for why; back up on demand now.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByBackupVault.html",),
    maps_to=("NIST-800-53r5:CP-9", "NIST-800-53r5:CP-10", "NIST-800-53r5:CP-6(2)"),
    passes={
        "33 h kept": examples.world,
        "the missed night was made up for": lambda: examples.world(
            primary={
                "vaults": (
                    examples.vault(
                        recovery_points=(
                            *examples.points(lambda one: one.created.day == 10),
                            examples.point(datetime(2026, 11, 10, 9, tzinfo=UTC), plan_id=None, rule_id=None),
                        )
                    ),
                )
            }
        ),
    },
    fails={
        "two nights without": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.points(lambda one: one.created.day == 10)),)}
        ),
        "no copy for two days": lambda: examples.world(
            dr={
                "vaults": (
                    examples.dr_vault(
                        recovery_points=examples.copies(lambda one: one.created > examples.NOW - timedelta(days=2))
                    ),
                )
            }
        ),
    },
    unknown={
        "copies not listed": lambda: examples.world(
            dr={"vaults": (examples.dr_vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
    },
)
def rpo_was_kept(subject: ScopedTable, world: World) -> Verdict:
    """In 30 days, or as long as all points are kept, no usable two are further apart than the objective; nor is now."""
    objectives = world.policy.objectives.rpo
    made: Held = [(tier.vault, tier.retention_days) for tier in subject.tiers]
    copied: Held = [(copy.vault, copy.retention_days) for tier in subject.tiers for copy in tier.copies]
    wanted = [("primary", made, objectives.backup_hours), ("DR", copied, objectives.dr_hours)]
    found = [
        _stretch(place, held, hours, subject, world) for place, held, hours in wanted if held and hours is not None
    ]
    gaps = [one for one in found if isinstance(one, Gap)]
    measured = [one for one in found if isinstance(one, Stretch)]
    kept = all(one.within for one in measured)
    if gaps and kept:
        return unread(gaps[0], resource=subject.resource)
    asked = expectation(subject.tiers, world)
    if kept and any(one.empty for one in measured) and not asked.any_since(subject.table.created):
        return nothing_due(subject, world, what="no backup")
    if not measured:
        return not_applicable("the policy states no objective for this table's backups")
    return verdict(
        kept,
        expected=", ".join(f"{one.place} at most {spell(one.objective)}" for one in measured),
        observed=", ".join(map(str, measured)),
        at="ListRecoveryPointsByBackupVault.CreationDate, Status",
        message=f"longest without a newer backup of {subject.table.name}: {', '.join(map(str, measured))}",
        instances=(name for one in measured for name in one.too_long),
    )


def _stretch(place: str, held: Held, hours: int, subject: ScopedTable, world: World) -> Stretch | Gap:
    times: set[datetime] = set()
    for key in dict(held):
        points = points_in(world.policy.vault(key), subject, world)
        if isinstance(points, Gap):
            return points
        times |= {point.created for point in usable(points, world.now)}
    shortest = min((days for _, days in held if days is not None), default=LOOK_BACK.days)
    opening = world.now - min(LOOK_BACK, timedelta(days=shortest))
    objective = timedelta(hours=hours)
    pairs = _stretches(sorted(times), opening, subject, world)
    start, end = max(pairs, key=lambda pair: pair[1] - pair[0])
    too_long = [f"{place} {_name(pair, times, opening)}" for pair in pairs if pair[1] - pair[0] > objective]
    return Stretch(
        place=place, start=start, end=end, objective=objective, empty=not times, too_long=tuple(dict.fromkeys(too_long))
    )


def _name(pair: tuple[datetime, datetime], times: set[datetime], opening: datetime) -> str:
    """By what stays from run to run: not by now, nor by a look-back that moves with it."""
    start, end = pair
    before = [time for time in times if time <= start]
    if before or start > opening:
        return f"after {instant(max(before, default=start))}"
    return f"before {instant(end)}" if end in times else "all along"


def _stretches(
    times: Sequence[datetime], opening: datetime, subject: ScopedTable, world: World
) -> list[tuple[datetime, datetime]]:
    """From `opening`, before which points may be gone by their retention; or from when backups were first due.

    Without any point all is lost that came since the table was made, however young its plan is.
    """
    in_force = min((in_force_since(subject, tier, world) for tier in subject.tiers), default=subject.table.created)
    if not times:
        in_force = subject.table.created
    earlier = any(time <= opening for time in times)
    since = opening if earlier else max(opening, in_force)
    within = [time for time in times if time > opening]
    marks = sorted([since, *within, max(world.now, since)])
    return list(pairwise(marks))
