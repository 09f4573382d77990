"""`policy lint` as a user sees it: what it prints, where, and its exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.controls.test_own import CONTROL
from tests.policy.policies import files
from tests.policy.test_refused import REFUSED

from backcheck import cli
from backcheck.commands import policy_lint
from backcheck.finding import Status
from backcheck.policy.document import Json
from backcheck.policy.load import load, parse
from backcheck.policy.render_markdown import to_markdown

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
BAD = ROOT / "fixtures" / "policies" / "bad"
CLOCK = ("--at", "2026-11-22")


def lint(*arguments: str | Path) -> int:
    return cli.run(["policy", "lint", *map(str, arguments)])


@pytest.mark.parametrize("name", [name for name, _ in REFUSED])
def test_a_policy_that_does_not_load_is_exit_4_without_a_traceback(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lint(BAD / f"{name}.yaml") == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert f"{name}.yaml" in captured.err


def test_a_compliant_policy_is_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(POLICIES / "techmoda.yaml", *CLOCK) == 0
    out = capsys.readouterr().out
    assert "  PASS  POL-06  A rule that replaces another makes its copies" in out
    assert "24 h between them + 3 h start window + 6 h completion window of monthly = 33 h" in out
    assert "0 fail, 0 unknown" in out


def test_a_fail_says_where_what_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    path = BAD / "lab-as-written.yaml"
    assert lint(path, *CLOCK) == 1
    out = capsys.readouterr().out
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "retention_days: 90" in text)
    assert "  FAIL  POL-02  techmoda-backup-plan/weekly: cold after 30 days + 90 days in cold storage = 120 days" in out
    place = path.relative_to(Path.cwd())
    assert f"at:       {place}:{line}: /plans/techmoda-backup-plan/tiers/weekly/retention_days" in out
    assert "expected: kept at least 120 days" in out
    assert "observed: kept 90 days" in out
    assert "try:      Drop cold_storage_after_days, or make retention_days at least 90 days longer than it." in out


def test_several_policies_are_one_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(POLICIES / "minimal.yaml", BAD / "review-overdue.yaml", *CLOCK) == 1
    assert "policies/minimal.yaml: shop 1.0.0, as of 2026-11-22" in capsys.readouterr().out


def test_nothing_is_linted_where_one_of_several_does_not_load(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(POLICIES / "minimal.yaml", BAD / "empty.yaml", BAD / "tab.yaml") == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "empty.yaml: the file is empty" in captured.err
    assert "tab.yaml:11:1: not YAML: a tab" in captured.err


OWN_WAIVER = """
waivers:
  - {control: ACME-01, resource: "arn:aws:dynamodb:us-east-1:123456789012:table/shop", owner: a@example.com,
     ticket: T-1, reason: Moves in January, granted: 2026-11-01, expires: 2027-01-01}
"""


@pytest.mark.parametrize(
    ("offers", "code", "says"),
    [
        (None, 2, "????  POL-11  ACME-01 is in no catalogue; whether it is a control of your own is not known here"),
        ("ACME-01", 0, "PASS  POL-11"),
        (
            "ACME-02",
            1,
            "FAIL  POL-11  the waiver of ACME-01 on arn:aws:dynamodb:us-east-1:123456789012:table/shop names",
        ),
    ],
)
def test_a_waiver_of_a_control_of_ones_own(
    offers: str | None, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy, own = tmp_path / "policy.yaml", tmp_path / "own.py"
    policy.write_text((POLICIES / "minimal.yaml").read_text() + OWN_WAIVER)
    own.write_text(CONTROL.format(id=offers))
    assert lint(policy, *CLOCK, *(("--controls", own) if offers else ())) == code
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(("at", "code"), [("2027-03-01", 0), ("2027-03-02", 1), ("2027-03-01T23:59:59Z", 0)])
def test_at_sets_the_clock(at: str, code: int) -> None:
    assert lint(POLICIES / "techmoda.yaml", "--at", at) == code


@pytest.mark.parametrize(
    "arguments",
    [(), ("--at", "spring"), ("--at", "0001-01-01"), ("--at", "9999-12-31T23:59-05:00"), ("--document", "nowhere.md")],
)
def test_wrong_usage_is_exit_4(arguments: tuple[str, ...]) -> None:
    assert lint(*([POLICIES / "minimal.yaml"] if arguments else []), *arguments) == 4


def test_explain_prints_a_policy_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(POLICIES / "minimal.yaml", "--explain", *CLOCK) == 0
    captured = capsys.readouterr()
    explained = parse(captured.out, file="explained.yaml")
    assert explained.tiers == load(POLICIES / "minimal.yaml").tiers
    assert "start_window_minutes: 60  # default" in captured.out
    assert "0 fail" in captured.err


def test_the_document_is_held_to_the_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, document = POLICIES / "techmoda.yaml", ROOT / "docs" / "policies" / "backup-policy.md"
    assert lint(policy, *CLOCK, "--document", document) == 0
    assert "  PASS  DRF-02" in capsys.readouterr().out
    changed = tmp_path / "changed.md"
    changed.write_text(to_markdown(load(policy)).replace("| 30 days |", "| 31 days |", 1), encoding="utf-8")
    assert lint(policy, *CLOCK, "--document", changed) == 1
    assert "  FAIL  DRF-02  the document differs from the policy in line" in capsys.readouterr().out
    assert lint(policy, POLICIES / "minimal.yaml", "--document", document) == 4


def test_what_the_policy_waives_is_shown_and_does_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "waived.yaml"
    waiver = (
        "waivers:\n  - {control: POL-12, resource: 'policy:shop#/duties/operations', owner: a, ticket: OPS-7,"
        " reason: Evidence comes with the new tool, granted: 2026-11-01, expires: 2027-01-31}\n"
    )
    bad.write_text((BAD / "duty-without-evidence.yaml").read_text() + waiver)
    assert lint(bad, *CLOCK) == 0
    out = capsys.readouterr().out
    assert "  WAIV  POL-12  operations: Responds to failures: nothing shows that it is done" in out
    assert "waived:   OPS-7, 70 days left: Evidence comes with the new tool" in out
    assert "1 waived" in out


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
@given(files())
def test_no_control_crashes_and_every_fail_can_be_acted_on(data: dict[str, Json]) -> None:
    policy = parse(json.dumps(data, ensure_ascii=False), file="random.yaml")
    found = policy_lint.lint(policy, datetime(2026, 11, 22, tzinfo=UTC))
    assert not [finding.message for finding in found if "control itself failed" in finding.message]
    for finding in found:
        assert finding.status is not Status.FAIL or (finding.expected and finding.observed and finding.at)


def test_a_policy_that_does_not_hold_yet_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text((POLICIES / "minimal.yaml").read_text() + "effective_from: 2062-11-01\n")
    assert lint(policy, *CLOCK) == 0
    assert "note: the policy holds from 2062-11-01 only: until then no backup is due" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("region", "code", "says"),
    [
        ("us-esat-1", 1, "FAIL  POL-08  there is no Region `us-esat-1`: did you mean `us-east-1` or `us-"),
        (
            "us-east-7",
            0,
            "note: regions.primary: us-east-7 is no Region that the installed botocore knows: did you mean",
        ),
        ("nz-north-1", 0, "note: regions.primary: nz-north-1 is no Region that the installed botocore knows"),
        ("us-gov-west-1", 0, "  PASS  POL-08"),
    ],
)
def test_a_region_that_nobody_knows_is_misspelt_or_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], region: str, code: int, says: str
) -> None:
    text = (POLICIES / "minimal.yaml").read_text()
    path = tmp_path / "policy.yaml"
    path.write_text(
        text.replace("us-east-1", region).replace("us-west-2", "us-gov-east-1" if "gov" in region else "us-west-2")
    )
    found = lint(path, *CLOCK)
    out = capsys.readouterr().out
    assert says in out
    assert found == code
