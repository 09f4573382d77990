"""Schedules in words."""

from __future__ import annotations

import pytest

from backcheck.policy.cron_words import in_words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("cron(0 1 * * ? *)", "daily at 01:00 UTC"),
        ("cron(5 23 ? * * *)", "daily at 23:05 UTC"),
        ("cron(0 0 ? * SUN *)", "weekly on Sundays at 00:00 UTC"),
        ("cron(0 0 ? * 7 *)", "weekly on Saturdays at 00:00 UTC"),
        ("cron(0 0 1 * ? *)", "monthly on the 1st at 00:00 UTC"),
        ("cron(0 0 22 * ? *)", "monthly on the 22nd at 00:00 UTC"),
        ("cron(0 0 13 * ? *)", "monthly on the 13th at 00:00 UTC"),
    ],
)
def test_plain_schedules(schedule: str, words: str) -> None:
    assert in_words(schedule, "UTC") == words


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(0 0 ? * MON-FRI *)",
        "cron(0 0 ? * TUE#2 *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 1,15 * ? *)",
        "cron(0 0/6 * * ? *)",
        "cron(0 0 1 1 ? *)",
        "cron(0 0 * * ? 2027)",
        "cron(broken)",
    ],
)
def test_others_stay_as_they_are(schedule: str) -> None:
    assert in_words(schedule, "Europe/Berlin") == f"{schedule} Europe/Berlin"
