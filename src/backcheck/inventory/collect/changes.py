"""CloudTrail: who changed plans and continuous backups in the last 30 days. Two requests, at two a second."""

from __future__ import annotations

from datetime import datetime, timedelta

from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.reply import Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.watch import Change

EVENTS = ("UpdateBackupPlan", "UpdateContinuousBackups")
"""A lookup filters by one attribute only (API_LookupEvents), so each event is a request of its own."""

LOOKED_BACK = timedelta(days=30)


async def changes(calls: Calls, region: str, now: datetime) -> tuple[Change, ...] | Gap:
    """The changes, oldest first."""
    found: list[Change] = []
    for event in EVENTS:
        pages = await calls.pages(
            "cloudtrail",
            "LookupEvents",
            region,
            lambda page: tuple(_change(part) for part in page.parts("Events")),
            about=event,
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": event}],
            StartTime=now - LOOKED_BACK,
            EndTime=now,
        )
        if isinstance(pages, Gap):
            return pages
        found += pages
    return tuple(sorted(found, key=lambda change: (change.time, change.event, change.resource)))


def _change(reply: Reply) -> Change:
    resources = reply.optional_parts("Resources")
    return Change(
        time=reply.time("EventTime"),
        event=reply.text("EventName"),
        principal=reply.maybe_text("Username") or "",
        resource=(resources[0].maybe_text("ResourceName") or "") if resources else "",
        read_only=reply.flag_in_text("ReadOnly"),
    )
