"""What a plan can promise at most: the objectives of a draft, computed as RPO-01 does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory
from backcheck.policy.calendar import Calendar, calendar_of
from backcheck.policy.document import Json
from backcheck.policy.model import Policy
from backcheck.policy.protection import elsewhere, tier_sets, two_years
from backcheck.policy.rpo import worst_case

JsonMap = dict[str, Json]
HOUR = timedelta(hours=1)

UNCOMPUTED_HOURS = 24
"""Proposed where no bound can be computed."""
RTO_HOURS = 4
COPY_HOURS = 3
"""For copying, where no copy job shows how long it takes: AWS Backup has no window for copies."""


def objectives(policy: Policy, inventory: Inventory, year: int) -> tuple[JsonMap, dict[str, str]]:
    """The policy's `objectives`, and what is to be said beside each."""
    calendars = list(_calendars(policy, year))
    worst = [worst_case(calendar).total for calendar in calendars]
    marks = {"/objectives/rto_hours": "decide: nothing in the account says how long you can wait"}
    known = [one for one in worst if one is not None]
    if not known or len(known) < len(worst):
        marks["/objectives/rpo/backup_hours"] = "decide: no bound could be computed from the plans"
        return {"rpo": {"backup_hours": UNCOMPUTED_HOURS}, "rto_hours": RTO_HOURS}, marks
    rpo: JsonMap = {"backup_hours": _hours(max(known))}
    marks["/objectives/rpo/backup_hours"] = "decide: the most that these plans can lose; is it little enough?"
    copied = [worst_case(calendar, vaults).total for calendar, vaults in _copied(calendars, policy)]
    bounds = [one for one in copied if one is not None]
    if bounds and len(bounds) == len(calendars):
        copying, where = _copying(inventory)
        rpo["dr_hours"] = _hours(max(bounds)) + copying
        marks["/objectives/rpo/dr_hours"] = f"decide: the same from the copies, and {copying} h to copy ({where})"
    return {"rpo": rpo, "rto_hours": RTO_HOURS}, marks


def _calendars(policy: Policy, year: int) -> Iterator[Calendar]:
    for tiers in tier_sets(policy):
        if tiers:
            yield calendar_of(tiers, *two_years(year))


def _copied(calendars: list[Calendar], policy: Policy) -> Iterator[tuple[Calendar, tuple[str, ...]]]:
    for calendar in calendars:
        if vaults := elsewhere(calendar.tiers, policy):
            yield calendar, vaults


def _copying(inventory: Inventory) -> tuple[int, str]:
    """Hours, rounded up and one more, and where they come from."""
    took = [
        job.completed - job.created
        for region in inventory.regions()
        if not isinstance(region.copy_jobs, Gap)
        for job in region.copy_jobs
        if job.completed and job.state == "COMPLETED"
    ]
    return (_hours(max(took)) + 1, "the longest copy job, and one more") if took else (COPY_HOURS, "proposed")


def _hours(duration: timedelta) -> int:
    return -(-duration // HOUR)
