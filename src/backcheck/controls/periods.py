"""What the policy's schedules come to over two calendar years, for the controls that reckon with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls.control import World, unknown
from backcheck.cron import Cron, CronError, zone_of
from backcheck.finding import Verdict
from backcheck.policy.calendar import Calendar, calendar_of
from backcheck.policy.model import Policy
from backcheck.policy.protection import tier_sets, two_years


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The tiers that protect some tables together, and when they run."""

    policy: Policy
    tables: tuple[str, ...]
    """Keys of the table scopes."""
    calendar: Calendar
    plan_arn: str = ""
    """Of the deployed plan whose rules these are; empty: they are the policy's own."""
    tier: None = None

    @property
    def resource(self) -> str:
        """The deployed plan; else the tables, where there is but one; else the policy."""
        if self.plan_arn:
            return self.plan_arn
        return self.policy.resource(f"/tables/{self.tables[0]}" if len(self.policy.tables) == 1 else self.pointer)

    @property
    def pointer(self) -> str:
        """The first of the tables; a policy has no name for a set of tiers."""
        return f"/tables/{self.tables[0]}"

    @property
    def whom(self) -> str:
        """The tables, in words."""
        first = ", ".join(self.tables[:3])
        named = first if len(self.tables) <= 3 else f"{first} and {len(self.tables) - 3} more"
        return f"{named} as deployed" if self.plan_arn else named


def protections(world: World) -> Iterator[Protection | Verdict]:
    """Every set of tiers that protects a table, once. UNKNOWN where a schedule says nothing: POL-04 fails that."""
    start, end = two_years(world.now.year)
    for tiers, tables in tier_sets(world.policy).items():
        broken = [tier for tier in tiers if schedule_error(tier.schedule, tier.timezone)]
        if broken:
            at = f"{broken[0].pointer}/schedule"
            why = f"{broken[0].id} has no schedule to reckon with: see POL-04"
            yield unknown(why, at=at, resource=world.policy.resource(broken[0].pointer), tier=broken[0].id)
        elif tiers:
            calendar = calendar_of(tiers, start, end)
            yield Protection(policy=world.policy, tables=tables, calendar=calendar)


def schedule_error(schedule: str, timezone: str) -> str:
    """Why AWS would not take a schedule; empty where it would."""
    try:
        Cron.parse(schedule)
        zone_of(timezone)
    except CronError as error:
        return error.message
    return ""
