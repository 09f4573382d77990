"""The schedule against the pages' own examples; tests/test_cron_agrees.py has it against brute force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backcheck.cron import Cron, CronError, zone_of


def runs(text: str, start: str, end: str, zone: str = "UTC") -> list[str]:
    """The runs as local wall times, for reading."""
    first, last = (datetime.fromisoformat(t).replace(tzinfo=ZoneInfo(zone)) for t in (start, end))
    found = Cron.parse(text).between(first, last, zone)
    return [f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}" for moment in found]


DOCUMENTED = [
    # eb-scheduled-rule-pattern.html, table of examples and the commands below it
    ("0 10 * * ? *", "2026-06-01", "2026-06-03", ["Mon 2026-06-01 10:00", "Tue 2026-06-02 10:00"]),
    ("15 12 * * ? *", "2026-06-01", "2026-06-02", ["Mon 2026-06-01 12:15"]),
    ("0 18 ? * MON-FRI *", "2026-06-05", "2026-06-09", ["Fri 2026-06-05 18:00", "Mon 2026-06-08 18:00"]),
    ("0 8 1 * ? *", "2026-06-01", "2026-08-01", ["Mon 2026-06-01 08:00", "Wed 2026-07-01 08:00"]),
    ("0/15 * * * ? *", "2026-06-01T00:50", "2026-06-01T01:16", [f"Mon 2026-06-01 01:{m}" for m in ("00", "15")]),
    (
        "0/10 * ? * MON-FRI *",
        "2026-06-05T23:40",
        "2026-06-08T00:01",
        ["Fri 2026-06-05 23:40", "Fri 2026-06-05 23:50", "Mon 2026-06-08 00:00"],
    ),
    (
        "0/5 8-17 ? * MON-FRI *",
        "2026-06-05T17:50",
        "2026-06-08T08:01",
        ["Fri 2026-06-05 17:50", "Fri 2026-06-05 17:55", "Mon 2026-06-08 08:00"],
    ),
    (
        "0/30 20-2 ? * MON-FRI *",
        "2026-06-08",
        "2026-06-08T20:31",
        [f"Mon 2026-06-08 {t}" for t in ("00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "20:00", "20:30")],
    ),
    ("cron(0 12 * * ? *)", "2026-06-01", "2026-06-02", ["Mon 2026-06-01 12:00"]),
    ("cron(5,35 14 * * ? *)", "2026-06-01", "2026-06-02", ["Mon 2026-06-01 14:05", "Mon 2026-06-01 14:35"]),
    ("cron(15 10 ? * 6L 2019-2022)", "2022-11-01", "2024-01-01", ["Fri 2022-11-25 10:15", "Fri 2022-12-30 10:15"]),
    # ... and the wildcards
    (
        "1/10 0 1 1 ? *",
        "2026-01-01",
        "2026-01-02",
        [f"Thu 2026-01-01 00:{m}" for m in ("01", "11", "21", "31", "41", "51")],
    ),
    ("0 0 3W * ? *", "2026-01-01", "2026-03-01", ["Fri 2026-01-02 00:00", "Tue 2026-02-03 00:00"]),
    ("0 0 ? * 3#2 *", "2026-06-01", "2026-07-01", ["Tue 2026-06-09 00:00"]),
    # backup, plan-options-and-configuration.html
    ("15 * ? * * *", "2026-06-01", "2026-06-01T02:00", ["Mon 2026-06-01 00:15", "Mon 2026-06-01 01:15"]),
    ("cron(0 5 ? * * *)", "2026-06-01", "2026-06-02", ["Mon 2026-06-01 05:00"]),
    # ... 'every 12 hours' twice a day, and once where it starts after 11:59
    ("0 11/12 * * ? *", "2026-06-01", "2026-06-02", ["Mon 2026-06-01 11:00", "Mon 2026-06-01 23:00"]),
    ("0 12/12 * * ? *", "2026-06-01", "2026-06-03", ["Mon 2026-06-01 12:00", "Tue 2026-06-02 12:00"]),
]


@pytest.mark.parametrize(("text", "start", "end", "expected"), DOCUMENTED)
def test_runs_as_the_pages_say(text: str, start: str, end: str, expected: list[str]) -> None:
    assert runs(text, start, end) == expected


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("0 0 L * ? *", "2026-02-01", "2026-04-01", ["Sat 2026-02-28 00:00", "Tue 2026-03-31 00:00"]),
        ("0 0 L 2 ? *", "2028-02-01", "2028-03-01", ["Tue 2028-02-29 00:00"]),
        ("0 0 LW * ? *", "2026-01-01", "2026-03-01", ["Fri 2026-01-30 00:00", "Fri 2026-02-27 00:00"]),
        ("0 0 ? * L *", "2026-06-01", "2026-06-10", ["Sat 2026-06-06 00:00"]),
        ("0 0 1W * ? *", "2026-08-01", "2026-09-30", ["Mon 2026-08-03 00:00", "Tue 2026-09-01 00:00"]),
        ("0 0 31W * ? *", "2026-04-01", "2026-06-01", ["Fri 2026-05-29 00:00"]),
        ("0 0 ? * SUN#5 *", "2026-01-01", "2026-06-01", ["Sun 2026-03-29 00:00", "Sun 2026-05-31 00:00"]),
        ("0 0 ? 2 TUE#5 *", "2027-01-01", "2057-01-01", ["Tue 2028-02-29 00:00", "Tue 2056-02-29 00:00"]),
        (
            "0 0 ? * FRI-MON *",
            "2026-06-04",
            "2026-06-09",
            ["Fri 2026-06-05 00:00", "Sat 2026-06-06 00:00", "Sun 2026-06-07 00:00", "Mon 2026-06-08 00:00"],
        ),
        ("0 0 29 2 ? *", "2096-03-01", "2105-01-01", ["Fri 2104-02-29 00:00"]),
        ("0 0 30 2 ? *", "2026-01-01", "2036-01-01", []),
        ("0 0 1 JAN ? 2026/2", "2026-01-01", "2030-01-01", ["Thu 2026-01-01 00:00", "Sat 2028-01-01 00:00"]),
        (
            "0 0 1 nov-feb ? 2026",
            "2026-01-01",
            "2027-06-01",
            ["Thu 2026-01-01 00:00", "Sun 2026-02-01 00:00", "Sun 2026-11-01 00:00", "Tue 2026-12-01 00:00"],
        ),
    ],
)
def test_days(text: str, start: str, end: str, expected: list[str]) -> None:
    assert runs(text, start, end) == expected


BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


@pytest.mark.parametrize(
    ("text", "start", "end", "zone", "expected"),
    [
        # 02:00 becomes 03:00 on 29 March 2026 in Berlin
        ("30 2 * * ? *", "2026-03-28", "2026-03-31", BERLIN, ["Sat 2026-03-28 02:30", "Mon 2026-03-30 02:30"]),
        ("0 3 * * ? *", "2026-03-29", "2026-03-30", BERLIN, ["Sun 2026-03-29 03:00"]),
        # 03:00 becomes 02:00 on 25 October
        ("30 2 * * ? *", "2026-10-25", "2026-10-26", BERLIN, ["Sun 2026-10-25 02:30"]),
        (
            "0 * * * ? *",
            "2026-10-25T01:00",
            "2026-10-25T04:00",
            BERLIN,
            ["Sun 2026-10-25 01:00", "Sun 2026-10-25 02:00", "Sun 2026-10-25 03:00"],
        ),
        ("30 1 * * ? *", "2026-11-01", "2026-11-02", NEW_YORK, ["Sun 2026-11-01 01:30"]),
        # a half-hour shift, and a whole day that Samoa left out
        ("15 2 * * ? *", "2026-10-04", "2026-10-06", "Australia/Lord_Howe", ["Mon 2026-10-05 02:15"]),
        ("0 12 * * ? *", "2011-12-29", "2012-01-01", "Pacific/Apia", ["Thu 2011-12-29 12:00", "Sat 2011-12-31 12:00"]),
    ],
)
def test_daylight_saving(text: str, start: str, end: str, zone: str, expected: list[str]) -> None:
    assert runs(text, start, end, zone) == expected


def test_a_time_that_comes_twice_runs_before_the_shift() -> None:
    day = datetime(2026, 10, 25, tzinfo=UTC)
    assert list(Cron.parse("30 2 * * ? *").between(day, day + timedelta(days=1), BERLIN)) == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    ]


def test_the_period_is_half_open() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    assert list(Cron.parse("0 0 * * ? *").between(start, start + timedelta(days=1))) == [start]


def test_the_period_wants_aware_times() -> None:
    with pytest.raises(ValueError, match="must carry a time zone"):
        next(Cron.parse("0 0 * * ? *").between(datetime(2026, 1, 1), datetime(2026, 1, 2)))


def test_the_period_may_be_all_time() -> None:
    ends = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    found = list(Cron.parse("0 0 1 1 ? *").between(*ends))
    assert (found[0].year, found[-1].year, len(found)) == (1970, 2199, 230)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cron(0 0 ? * SUN *)", "0 0 ? * 1 *"),
        ("cron(0 0 ? * SUN *)", "0 0 ? * 1/7 *"),
        ("0 0 ? * sun *", "  cron( 0  0 ? * SUN * ) "),
        ("0 0 ? * L *", "0 0 ? * SAT *"),
        ("0 0 ? * 7 *", "0 0 ? * SAT *"),
        ("0 0 * * ? *", "0 0 ? * * *"),
        ("0 0 1-31 * ? *", "0 0 ? * SUN-SAT 1970-2199"),
        ("0 */6 * 1-12 ? *", "00 0,6,12,18 * JAN-DEC ? *"),
        ("0/15 0 * * ? *", "0,15,30,45 0 * * ? *"),
        ("0 20-2 * * ? *", "0 0-2,20-23 * * ? *"),
        ("0 0 ? * TUE#2 *", "0 0 ? * 3#2 *"),
    ],
)
def test_equal_in_meaning(one: str, other: str) -> None:
    assert Cron.parse(one) == Cron.parse(other)
    assert Cron.parse(one).normal == Cron.parse(other).normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0 0 ? * L *", "0 0 ? * 7L *"),
        ("0 0 L * ? *", "0 0 LW * ? *"),
        ("0 0 1 * ? *", "0 0 1W * ? *"),
        ("0 0 ? * 3#1 *", "0 0 ? * 3#2 *"),
        ("0 0 ? * 1 *", "0 0 1 * ? *"),
        ("0 0 * * ? *", "0 0 * * ? 2026"),
    ],
)
def test_unlike_in_meaning(one: str, other: str) -> None:
    assert Cron.parse(one) != Cron.parse(other)
    assert Cron.parse(one).normal != Cron.parse(other).normal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cron(0 1 * * ? *)", "cron(0 1 * * ? *)"),
        ("0 0 ? * FRI-MON *", "cron(0 0 ? * 1,2,6,7 *)"),
        ("0/30 8-17 ? JAN-MAR mon-fri 2026-2028", "cron(0,30 8-17 ? 1-3 2-6 2026-2028)"),
        ("5 4 15w * ? *", "cron(5 4 15W * ? *)"),
        ("5 4 ? * FRIL *", "cron(5 4 ? * 6L *)"),
    ],
)
def test_normal(text: str, expected: str) -> None:
    assert Cron.parse(text).normal == expected


@pytest.mark.parametrize(
    ("text", "part", "why"),
    [
        ("rate(1 day)", "expression", "AWS Backup documents only cron"),
        ("at(2026-01-01T00:00:00)", "expression", "AWS Backup documents only cron"),
        ("", "expression", "has 0 fields, AWS wants six: minutes, hours, day-of-month, month, day-of-week, year"),
        ("0 1 * * *", "expression", "has 5 fields"),
        ("cron(0 1 * * ? * *)", "expression", "has 7 fields"),
        ("cron(0 1 * * ? *", "minutes", "'CRON(0' is not a form that AWS documents here"),
        ("0 0 1 * MON *", "day-of-month and day-of-week", "'1' and 'MON' are both given, one of the two must be '?'"),
        ("0 0 * * * *", "day-of-month and day-of-week", "both given"),
        ("0 0 ? * ? *", "day-of-month and day-of-week", "both are '?'"),
        ("60 0 * * ? *", "minutes", "'60' is not one of 0-59"),
        ("? 0 * * ? *", "minutes", r"'?' is not a form"),
        ("-1 0 * * ? *", "minutes", "'' is not a form"),
        ("0 24 * * ? *", "hours", "'24' is not one of 0-23"),
        ("0 */0 * * ? *", "hours", "the step of '*/0' must be 1 to 24"),
        ("0 0/25 * * ? *", "hours", "must be 1 to 24"),
        ("0 1- * * ? *", "hours", "is not a form"),
        ("0 1,,2 * * ? *", "hours", "is not a form"),
        ("0 ٣ * * ? *", "hours", "is not a form"),
        ("0 0 0 * ? *", "day-of-month", "'0' is not one of 1-31"),
        ("0 0 32W * ? *", "day-of-month", "'32' is not one of 1-31"),
        ("0 0 1,L * ? *", "day-of-month", "'L' is not a form"),
        ("0 0 L-3 * ? *", "day-of-month", "'L' is not a form"),
        ("0 0 1W,15W * ? *", "day-of-month", "'1W' is not a form"),
        ("0 0 1 13 ? *", "month", "'13' is not one of 1-12 or JAN-DEC"),
        ("0 0 1 MAI ? *", "month", "'MAI' is not a form"),
        ("0 0 ? * 0 *", "day-of-week", "'0' is not one of 1-7 or SUN-SAT"),
        ("0 0 ? * 3#6 *", "day-of-week", "no month has more than five"),
        ("0 0 ? * 3#1,6#3 *", "day-of-week", "with # only one expression may be given"),
        ("0 0 ? * 8L *", "day-of-week", "'8' is not one of 1-7"),
        ("0 0 ? * 2W *", "day-of-week", "'2W' is not a form"),
        ("0 0 1 1 ? 1969", "year", "'1969' is not one of 1970-2199"),
        ("0 0 1 1 ? 2030-2026", "year", "2030-2026 ends before it begins"),
    ],
)
def test_refuses(text: str, part: str, why: str) -> None:
    with pytest.raises(CronError) as refused:
        Cron.parse(text)
    assert refused.value.part == part
    assert why in refused.value.why
    assert repr(text) in refused.value.diagnostics()


def test_a_zone_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(CronError, match="'Europe/Berlim': timezone: is not in the IANA") as refused:
        zone_of("Europe/Berlim")
    assert refused.value.hint == "did you mean Europe/Berlin?"


def test_a_zone_is_read_once() -> None:
    assert zone_of("Europe/Berlin") is zone_of("Europe/Berlin")


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "Mars/Olympus", "europe"])
def test_a_zone_that_resembles_nothing(name: str) -> None:
    with pytest.raises(CronError, match="timezone"):
        zone_of(name)
