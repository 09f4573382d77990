"""How much can be lost at worst, with the arithmetic behind it (POL-09, RPO-01).

Just before a backup completes, the newest one to go back to is the one before it. So the worst case is the longest time
between two successive firings that take effect, plus the start window and the completion window of the later one:
weekly on a Sunday at midnight, then monthly on Monday the 1st, is 24 h + 3 h + 6 h = 33 h.

A point that is deleted before the next one is complete does not count: then an older one does, if one is still there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backcheck.cron import zone_of
from backcheck.policy.calendar import Calendar
from backcheck.policy.firing import Firing, Outcome, kept

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """The worst case at one place. Its value is `total`; `lines` is how it comes about."""

    place: str
    """`primary`, or the keys of the vaults that copies go to."""
    total: timedelta | None
    """None: no bound was found: too few firings take effect, or points are deleted before the next one is there."""
    gap: timedelta
    """Between the two firings; with `total` None, the longest stretch that was seen, and it may be longer."""
    earlier: Firing | None
    """The firing that is gone back to; None where the stretch begins before the period."""
    later: Firing | None
    """The firing that the wait is for; None where the stretch goes on beyond the period."""
    start_window: timedelta
    completion_window: timedelta
    copy_allowance: timedelta
    """What the caller allows for copying: AWS documents no bound, so nothing is added by itself."""
    lines: tuple[str, ...]

    @property
    def hours(self) -> float | None:
        """The total in hours."""
        return None if self.total is None else self.total / timedelta(hours=1)

    def within(self, objective_hours: int) -> bool:
        """Whether the objective can be kept; never where there is no bound."""
        return self.total is not None and self.total <= timedelta(hours=objective_hours)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From the content of one backup to the completion of the next."""

    loss: timedelta
    earlier: Firing | None
    later: Firing | None
    deleted: Firing | None = None
    """The firing before `later`, where its point is gone before `later` is complete and no other is left."""

    @property
    def closed(self) -> bool:
        """Whether both ends are firings, so that it is a bound."""
        return self.earlier is not None and self.later is not None


def worst_case(
    calendar: Calendar, vaults: Collection[str] = (), *, copy_allowance_minutes: int = 0, zone: str = "UTC"
) -> Arithmetic:
    """The worst case in the calendar's period: of backups where they are made or, with `vaults`, of copies in those.

    `zone` is for the dates in the lines only.
    """
    place = ", ".join(sorted(vaults)) or "primary"
    outcomes = calendar.copies_to(vaults) if vaults else calendar.effective
    worst = max(_stretches(calendar, outcomes, vaults), key=lambda stretch: (stretch.loss, stretch.closed))
    allowance = timedelta(minutes=copy_allowance_minutes if vaults else 0)
    later = worst.later
    start_window = later.start_by - later.at if later else timedelta(0)
    completion_window = later.deadline - later.start_by if later else timedelta(0)
    return Arithmetic(
        place=place,
        total=worst.loss + allowance if worst.closed else None,
        gap=worst.loss - start_window - completion_window,
        earlier=worst.earlier,
        later=later,
        start_window=start_window,
        completion_window=completion_window,
        copy_allowance=allowance,
        lines=tuple(_lines(worst, allowance, calendar, place, zone)),
    )


def _stretches(calendar: Calendar, outcomes: Sequence[Outcome], vaults: Collection[str]) -> Iterator[_Stretch]:
    """One for each completion, and the ends of the period, beyond which nothing is known.

    Each takes the ones before it for complete. One that is not yet is later than the wait for it, which counts as well.
    """
    before: list[Outcome] = []
    for outcome in outcomes:
        last = _newest_at(outcome.deadline, before, vaults)
        gone = before[-1].firing if before and last is None else None
        yield _Stretch(outcome.deadline - _since(last, calendar), last, outcome.latest, gone)
        before.append(outcome)
    last = before[-1].firing if before else None
    yield _Stretch(calendar.end - _since(last, calendar), last, None)


def _since(firing: Firing | None, calendar: Calendar) -> datetime:
    return calendar.start if firing is None else firing.at


def _newest_at(moment: datetime, outcomes: Sequence[Outcome], vaults: Collection[str]) -> Firing | None:
    """The newest whose point is not deleted before the moment."""
    return next((o.firing for o in reversed(outcomes) if o.firing.at + _kept_for(o, vaults) >= moment), None)


def _kept_for(outcome: Outcome, vaults: Collection[str]) -> timedelta:
    if not vaults:
        return _duration(outcome.firing.tier.retention_days)
    copies = [copy for vault in vaults if (copy := outcome.copy_to(vault))]
    return _duration(max(copies, key=lambda copy: kept(copy.retention_days)).retention_days)


def _duration(retention_days: int | None) -> timedelta:
    # 100 years is the most that AWS keeps by number; a calendar is shorter.
    return timedelta(days=36_500 if retention_days is None else retention_days)


def _lines(worst: _Stretch, allowance: timedelta, calendar: Calendar, place: str, zone: str) -> Iterator[str]:
    earlier, later = worst.earlier, worst.later
    if earlier is None or later is None:
        yield from _unbounded(worst, calendar, place, zone)
        return
    yield f"{place}: {_told(earlier, zone)}, then {_told(later, zone)}"
    parts = [
        f"{spell(worst.loss - (later.deadline - later.at))} between them",
        f"{spell(later.start_by - later.at)} start window",
        f"{spell(later.deadline - later.start_by)} completion window of {later.tier.name}",
    ]
    if allowance:
        parts.append(f"{spell(allowance)} for the copy")
    yield f"{' + '.join(parts)} = {spell(worst.loss + allowance)}"
    if place != "primary" and not allowance:
        yield "and the time that copying takes, for which AWS Backup has no window"


def _unbounded(worst: _Stretch, calendar: Calendar, place: str, zone: str) -> Iterator[str]:
    if worst.deleted and worst.later:
        gone, wanted = _told(worst.deleted, zone), _told(worst.later, zone)
        yield f"{place}: no bound: the point of {gone} is deleted before {wanted} is complete; no other is left"
        return
    begun = f"after {_told(worst.earlier, zone)}" if worst.earlier else f"from {_moment(calendar.start, zone)}"
    ended = f"until {_told(worst.later, zone)} is complete" if worst.later else f"to {_moment(calendar.end, zone)}"
    what = "backup" if place == "primary" else "copy"
    yield f"{place}: no bound: no {what} {begun} {ended}, {spell(worst.loss)} or more"


def _told(firing: Firing, zone: str) -> str:
    return f"{firing.tier.name} on {_moment(firing.at, zone)}"


def _moment(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(zone_of(zone)):%a %Y-%m-%d %H:%M} {zone}"


def spell(duration: timedelta) -> str:
    """A duration as people write it: `33 h`, `24 h 30 min`, `72 h (3 days)`."""
    hours, minutes = divmod(round(duration / timedelta(minutes=1)), 60)
    whole_days = f"({hours // 24} days)" if hours >= 48 and hours % 24 == 0 and not minutes else ""
    words = (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", whole_days)
    return " ".join(word for word in words if word) or "0 min"
