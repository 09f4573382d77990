"""Drills on the page: every figure of the last ones, simulated or not, and nothing that is markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.drill.test_details import RECORD, restore, written
from tests.evidence.test_html import HOSTILE, parsed
from tests.test_difference import PASS, run

from backcheck.controls.control import World
from backcheck.controls.examples import gap, world
from backcheck.drill.details import read
from backcheck.drill.record import DrillRecord
from backcheck.evidence import drills, html
from backcheck.finding import Status


def page(*records: DrillRecord, details: drills.Details | None = None) -> str:
    one: World = replace(world(), drills=records)
    return " ".join(html.sections(run(PASS), one, (), details).split())


def test_every_figure_of_a_drill_is_on_the_page(tmp_path: Path) -> None:
    details = read(written(tmp_path, restore()), [RECORD])
    shown = page(RECORD, details=details)
    for text in (
        "<b>pitr</b>",
        "2026-11-02 06:00",
        "2026-11-02T05:59:00+00:00",
        "35 min 00 s",
        "ACTIVE after 30 min 00 s",
        "restore 30 min 00 s",
        "not independent of the backup",
        "2 expected, 3 restored",
        "<code>aa</code> expected, <code>bb</code> restored",
        "0 missing, 1 extra, 0 changed, 0 explained",
        "extra: key <code>cc</code>",
        "alarms: errors: gone",
        "drill.json, settings.runbook: 2 lines",
        "aws one two",
    ):
        assert text in shown, text
    assert "price" not in shown


def test_the_objective_stands_beside_what_was_measured() -> None:
    limit = world().policy.objectives.rto.pitr_minutes
    assert limit is not None
    assert f"<td>{limit} min</td>" in page(RECORD)
    assert "too late" not in page(RECORD)
    assert "too late" in page(replace(RECORD, verified_minutes=limit + 0.1))
    assert "<td>never</td>" in page(replace(RECORD, verified_minutes=None, passed=False))


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_drill_is_marked(simulated: bool) -> None:
    shown = page(replace(RECORD, simulated=simulated))
    assert ('<div class="bc-mark">simulated</div>' in shown) is simulated
    assert ("an emulator restored it" in shown) is simulated


@pytest.mark.parametrize(
    ("passed", "undetermined", "outcome"),
    [(True, False, Status.PASS), (False, False, Status.FAIL), (False, True, Status.UNKNOWN)],
)
def test_a_drill_that_shows_nothing_has_not_failed(passed: bool, undetermined: bool, outcome: Status) -> None:
    record = replace(RECORD, passed=passed, undetermined=undetermined)
    assert [one.outcome for one in drills.section(replace(world(), drills=(record,)), {}).drills] == [outcome]


def test_only_the_last_drill_of_a_method_counts_and_failed_ones_come_first() -> None:
    later = replace(RECORD, run_id="later", started=RECORD.started + timedelta(days=1))
    failed = replace(RECORD, run_id="failed", method="dr-copy", passed=False)
    section = drills.section(replace(world(), drills=(RECORD, later, failed)), {})
    assert [one.record.run_id for one in section.drills] == ["failed", "later"]
    assert (section.on_record, section.more) == (3, 0)


def test_many_drills_are_counted_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "SHOWN_AT_MOST", 2)
    records = tuple(replace(RECORD, table_arn=f"{RECORD.table_arn}{i}") for i in range(5))
    assert "And 3 more, in the history." in page(*records)


def test_a_document_that_contradicts_the_history_is_named(tmp_path: Path) -> None:
    details = read(written(tmp_path, restore(integrity="different")), [RECORD])
    assert "integrity: the history says equal, the drill&#39;s own document different" in page(RECORD, details=details)
    assert "contradict" not in page(RECORD)


def test_without_its_document_a_drill_is_shown_and_says_what_is_missing(tmp_path: Path) -> None:
    shown = page(RECORD, details=read(tmp_path / "drills.jsonl", [RECORD]))
    assert "restore 30 min 00 s" in shown
    assert "is not beside the history" in shown


def test_no_drill_and_no_history() -> None:
    assert "No drill is on record." in page()
    unread = replace(world(), drills=gap("read", service="ledger"))
    assert "The history of drills is not known" in html.sections(run(PASS), unread, ())


def test_what_a_drill_calls_its_things_stays_text(tmp_path: Path) -> None:
    hostile = restore(
        restored=HOSTILE,
        recovery_point=HOSTILE,
        settings={"verdict": "x", HOSTILE: [HOSTILE], "runbook": [HOSTILE]},
        phases=[{"name": HOSTILE, "seconds": 1}],
        more={HOSTILE: HOSTILE},
    )
    record = replace(RECORD, table_arn=RECORD.table_arn + HOSTILE, phases=((HOSTILE, 1.0),), detail=HOSTILE)
    details = read(written(tmp_path, {**hostile, "source": record.table_arn}), [record])
    shown = html.sections(run(PASS), replace(world(), drills=(record,)), (), details)
    assert shown.count("&lt;script&gt;") > 8
    tags = parsed(shown)
    assert not {"script", "img", "iframe", "object", "link"} & tags.tags
    assert not {name for name in tags.attributes if name.startswith("on")}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.42, "0.4 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (192.5, "3 min 12 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_seconds_are_spelled(seconds: float, said: str) -> None:
    assert drills.spell_seconds(seconds) == said
