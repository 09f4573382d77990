"""`policy calendar`, run as a user runs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import parse

import click
import pytest

from backcheck.commands.policy_calendar import command
from backcheck.cron import CronError
from backcheck.errors import Error, PolicyError, UsageError
from backcheck.policy.load import load

ROOT = Path(__file__).parents[2]
TECHMODA = str(ROOT / "policies" / "techmoda.yaml")
BAD = ROOT / "fixtures" / "policies" / "bad"
LAB = str(BAD / "lab-as-written.yaml")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The lines of a run that ends with exit code 0."""
    assert command.main(list(arguments), standalone_mode=False) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    return out.splitlines()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


@pytest.mark.parametrize(("first", "last"), [("2026-10-25", "2026-10-26"), ("2026-03-29", "2026-03-30")])
def test_a_day_on_which_the_clocks_change_is_a_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str, last: str
) -> None:
    policy = tmp_path / "p.yaml"
    schedule = 'schedule: "cron(30 23 * * ? *)"'
    text = (ROOT / "policies" / "minimal.yaml").read_text().replace('schedule: "cron(0 1 * * ? *)"', schedule)
    policy.write_text(f"{text}timezone: Europe/Berlin\n")
    lines = run(capsys, str(policy), "--at", first, "--days", "1")
    assert lines[1].startswith(f"{first} to {last} (Europe/Berlin)")
    assert [line.split()[1:3] for line in lines if " taken " in line] == [[first, "23:30"]]


def test_each_firing_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, TECHMODA, "--at", "2027-01-31", "--days", "2")
    at = next(n for n, line in enumerate(lines) if "fires" in line)
    assert [cells(line) for line in lines[at + 2 : at + 6]] == [
        ["Sun 2027-01-31 00:00", "weekly", "taken", "until 2027-05-01", "until 2027-05-01"],
        ["Sun 2027-01-31 01:00", "daily", "replaced by weekly", "-", "-"],
        ["Mon 2027-02-01 00:00", "monthly", "taken", *2 * ["cold 2027-05-02, until 2028-02-01"]],
        ["Mon 2027-02-01 01:00", "daily", "replaced by monthly", "-", "-"],
    ]


def test_the_worst_case_is_shown_with_its_arithmetic(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, TECHMODA, "--at", "2026-11-22")
    assert "  24 h between them + 3 h start window + 6 h completion window of monthly = 33 h" in lines
    assert "  within the objective of 33 h" in lines
    assert "  within the objective of 36 h, which leaves 3 h for the copy" in lines
    assert "Days without a DR copy in 400 days: 0" in lines


def test_the_lab_s_rules(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, LAB, "--at", "2026-11-28", "--days", "3")
    text = "\n".join(lines)
    assert any(cells(line)[-1] == "no copy" for line in lines if line.strip().startswith("Sun 2026-11-29 00:00"))
    assert any("51 h could be lost" in line for line in lines if line.strip().startswith("Mon 2026-11-30"))
    assert "  NOT within the objective of 36 h" in lines
    assert "Days without a DR copy in 400 days: 70: 2026-11-29, 2026-12-01," in text
    assert "weekly replaces daily without its copy to techmoda-vault-dr on" in text


def test_the_picture_is_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "calendar.svg"
    run(capsys, TECHMODA, "--at", "2026-11-22", "--svg", str(file))
    assert parse(file).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_picture_that_cannot_be_written_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(Error, match="cannot be written: No such file") as refused:
        command.main([TECHMODA, "--svg", str(tmp_path / "no" / "c.svg")], standalone_mode=False)
    assert refused.value.exit_code == 4


def test_a_terminal_gets_its_own_width_and_colours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    command.main([LAB, "--at", "2026-11-28", "--days", "3"], standalone_mode=False)
    out = capsys.readouterr().out
    assert "\x1b[31m" in out
    assert "replaced by weekly" in out


def test_today_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert any("as if in force since" in line for line in run(capsys, TECHMODA, "--days", "1"))


def test_a_policy_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        command.main([str(tmp_path / "none.yaml")], standalone_mode=False)


@pytest.mark.parametrize(
    "arguments",
    [["--days", "0"], ["--days", "401"], ["--at", "tomorrow"], ["--at", "0001-01-01"], ["--at", "9999-12-31"]],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        command.main([TECHMODA, *arguments], standalone_mode=False)


def test_nothing_on_the_calendar_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = replace(load(Path(TECHMODA)), tables=())
    monkeypatch.setattr("backcheck.commands.policy_calendar.load", lambda _: bare)
    with pytest.raises(UsageError, match="no table has a tier"):
        command.main([TECHMODA], standalone_mode=False)


def test_a_schedule_that_aws_would_not_take_is_told() -> None:
    with pytest.raises(CronError, match="has 5 fields, AWS wants six"):
        command.main([str(BAD / "cron-of-five-fields.yaml")], standalone_mode=False)


def test_the_policy_is_not_drawn_over(tmp_path: Path) -> None:
    policy, link = tmp_path / "p.yaml", tmp_path / "p.svg"
    policy.write_bytes(Path(TECHMODA).read_bytes())
    link.symlink_to(policy)
    for target in (policy, link):
        with pytest.raises(UsageError, match="is the policy itself"):
            command.main([str(policy), "--svg", str(target)], standalone_mode=False)
    assert policy.read_bytes() == Path(TECHMODA).read_bytes()
