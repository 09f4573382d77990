"""docs/drills.md names every class of failure and every check, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from backcheck.drill.quota import KEPT_FREE, MOST_AT_ONCE
from backcheck.drill.verdict import Flaw
from backcheck.policy.model import ALWAYS_CHECKED, CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "drills.md").read_text(encoding="utf-8")


def first_column(heading: str) -> list[str]:
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return [name for row in rows[1:] for name in row.split(", ")]


def test_every_class_of_failure_is_explained() -> None:
    assert sorted(first_column("What a failure means")) == sorted(Flaw)


def test_every_check_is_explained() -> None:
    assert tuple(first_column("What it shows")) == CHECKS
    assert all(f"`{one}`" in PAGE for one in ALWAYS_CHECKED)


def test_the_quota_is_the_codes() -> None:
    assert f"AWS allows {MOST_AT_ONCE} at once" in PAGE
    assert f"waits while {MOST_AT_ONCE - KEPT_FREE} are under way" in PAGE
