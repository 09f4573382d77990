"""check, snapshot, diff, controls, permissions, recover from the command line: exit codes and what is printed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from tests.test_difference import FAIL, PASS, UNKNOWN, run

from backcheck import cli
from backcheck.controls import CONTROLS, examples
from backcheck.controls.examples import drills, world
from backcheck.drill import history
from backcheck.evidence.write import write_evidence
from backcheck.finding import Status
from backcheck.inventory import snapshot
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.model import Inventory

POLICY = str(Path(__file__).parents[2] / "policies" / "minimal.yaml")

Output = Callable[[], tuple[str, str]]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    """What was printed since: stdout and stderr."""

    def read() -> tuple[str, str]:
        found = capsys.readouterr()
        return found.out, found.err

    return read


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A snapshot of the controls' example account."""
    inventory = world().inventory
    assert inventory is not None
    path = tmp_path / "snapshot.json.gz"
    snapshot.write(inventory, path)
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--policy", POLICY, "--out", "x"], "no account is named"),
        (["check", "--policy", POLICY, "--live", "--sandbox", "s", "--out", "x"], "more than one account is named"),
        (["snapshot", "--policy", POLICY, "--snapshot", "a.gz", "--out", "x"], "a snapshot of a snapshot"),
        (["snapshot", "--policy", POLICY, "--live", "--out", POLICY], "is the policy itself"),
        (["recover", "t", "--policy", POLICY, "--snapshot", "none.gz"], "cannot be read"),
        (["permissions", "--policy", POLICY, "--account", "nobody"], "the policy has no account nobody"),
        (["permissions", "--policy", POLICY, "--profile", "x"], "nobody is asked without --check"),
        (["snapshot", "--policy", POLICY, "--endpoint-url", "127.0.0.1:1", "--out", "x"], "is not a URL\n  try: write"),
        (["snapshot", "--policy", POLICY, "--endpoint-url", "http://h:99999", "--out", "x"], "is not a URL"),
        (["snapshot", "--policy", POLICY, "--endpoint-url", "http://h:x", "--out", "x"], "is not a URL"),
        (["snapshot", "--policy", POLICY, "--endpoint-url", "", "--out", "x"], "is not a URL"),
        (
            ["recover", "t", "--policy", POLICY, "--live", "--region", "us east"],
            "'us east' is not the name of a Region",
        ),
        (["check", "--policy", POLICY, "--live", "--role-arn", "r", "--out", "x"], "'r' is not the ARN of a role"),
        (["controls", "PIT-99"], "there is no control PIT-99"),
        (["diff", "none.json", "none.json"], "cannot be read"),
    ],
)
def test_wrong_usage_is_exit_4(arguments: list[str], message: str, output: Output) -> None:
    assert cli.run(arguments) == 4
    assert message in output()[1]


def test_a_path_that_cannot_be_is_exit_4(tmp_path: Path, output: Output) -> None:
    (tmp_path / "file").write_text("")
    out = str(tmp_path / "file" / "below")
    assert cli.run(["check", "--policy", POLICY, "--sandbox", "techmoda", "--out", out]) == 4
    assert f"{out}: cannot be read or written: Not a directory\n  try: correct the path" in output()[1]


def test_a_snapshot_with_gaps_is_written_and_exit_2(
    tmp_path: Path, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    file = tmp_path / "s.json.gz"
    nobody = ["--endpoint-url", "http://127.0.0.1:1"]
    assert cli.run(["snapshot", "--policy", POLICY, *nobody, "--out", str(file)]) == 2
    assert "backcheck: not read: dynamodb:ListTables in us-east-1: Unreachable" in output()[1]
    assert len(snapshot.read(file).gaps) > 5


def test_controls_lists_the_catalogue(output: Output) -> None:
    assert cli.run(["controls"]) == 0
    assert [line.split()[0] for line in output()[0].splitlines()] == [one.id for one in CONTROLS]


def test_controls_as_a_page(output: Output) -> None:
    assert cli.run(["controls", "--markdown"]) == 0
    text = output()[0]
    assert all(f"\n## {one.id}\n" in text for one in CONTROLS)


def test_permissions_prints_a_policy(output: Output) -> None:
    assert cli.run(["permissions", "--policy", POLICY]) == 0
    assert orjson.loads(output()[0])["Version"] == "2012-10-17"


@pytest.mark.parametrize(
    ("before", "after", "code", "line"),
    [
        (PASS, PASS, 0, "0 worse, 0 better, 0 otherwise changed"),
        (PASS, FAIL, 1, "1 worse, 0 better, 0 otherwise changed"),
        (PASS, UNKNOWN, 2, "1 worse, 0 better, 0 otherwise changed"),
        (UNKNOWN, FAIL, 1, "1 worse, 0 better, 0 otherwise changed"),
        (FAIL, PASS, 0, "0 worse, 1 better, 0 otherwise changed"),
    ],
)
def test_diff(before: Status, after: Status, code: int, line: str, tmp_path: Path, output: Output) -> None:
    for name, status in (("a", before), ("b", after)):
        write_evidence(run(status), b"", tmp_path / name)
    assert cli.run(["diff", str(tmp_path / "a" / "findings.json"), str(tmp_path / "b" / "findings.json")]) == code
    assert line in output()[0]


def kept(folder: Path, inventory: Inventory) -> str:
    """The findings of a run that passed, with the snapshot that it judged beside them."""
    data = snapshot.dumps(inventory)
    write_evidence(replace(run(PASS), snapshot_sha256=hashlib.sha256(data).hexdigest()), data, folder)
    return str(folder / "findings.json")


def with_points(*points: RecoveryPoint, days: int = 0) -> Inventory:
    """The example account as of `days` later, with just these points in its vault."""
    made = world(primary={"vaults": (examples.vault(recovery_points=points),)}).inventory
    assert made is not None
    return replace(made, taken_at=made.taken_at + timedelta(days=days))


def test_diff_tells_of_points_that_are_gone_before_their_time(tmp_path: Path, output: Output) -> None:
    point = examples.point()
    assert point.delete_at is not None
    for_ever = replace(point, arn=f"{point.arn}-2", delete_at=None, delete_after_days=None)
    due = replace(point, arn=f"{point.arn}-3", delete_at=examples.NOW + timedelta(hours=1))
    before = kept(tmp_path / "a", with_points(point, for_ever, due))
    after = kept(tmp_path / "b", with_points(days=1))
    assert cli.run(["diff", before, after]) == 1
    out = output()[0]
    assert f"worse  {point.arn} of {examples.TABLE_ARN}, made {point.created:%Y-%m-%d %H:%M} UTC, is gone from" in out
    assert f"to be kept until {point.delete_at:%Y-%m-%d}" in out
    assert "it was to be kept for ever" in out
    assert due.arn not in out
    assert "2 recovery points are gone before their retention ended\n0 worse" in out
    assert cli.run(["diff", before, before]) == 0
    assert "recovery point" not in output()[0]


def test_diff_the_other_way_round_loses_no_point(tmp_path: Path, output: Output) -> None:
    newer = replace(examples.point(), created=examples.NOW + timedelta(hours=12), completed=None)
    before, after = kept(tmp_path / "a", with_points()), kept(tmp_path / "b", with_points(newer, days=1))
    assert cli.run(["diff", after, before]) == 0
    assert "gone" not in output()[0]


def test_diff_says_where_points_could_not_be_compared(tmp_path: Path, output: Output) -> None:
    before = kept(tmp_path / "a", with_points(examples.point()))
    denied = world(primary={"vaults": examples.gap("ListBackupVaults")}).inventory
    assert denied is not None
    assert cli.run(["diff", before, kept(tmp_path / "b", denied)]) == 0
    assert f"vault {examples.vault().arn} held 1 recovery points, and was not read again" in output()[0]
    (tmp_path / "b" / "snapshot.json.gz").write_bytes(b"another")
    assert cli.run(["diff", before, str(tmp_path / "b" / "findings.json")]) == 0
    told = output()[0]
    assert "recovery points were not compared: snapshot.json.gz beside" in told
    assert "is not there, or another run's" in told


def test_recover_prints_commands(taken: Path, output: Output) -> None:
    table = next(snapshot.read(taken).tables())
    assert cli.run(["recover", table.name, "--policy", POLICY, "--snapshot", str(taken)]) == 0
    text = output()[0]
    assert "aws dynamodb restore-table-to-point-in-time" in text
    assert "aws backup start-restore-job" in text


def test_recover_says_how_long_the_last_drill_took(taken: Path, tmp_path: Path, output: Output) -> None:
    table = next(snapshot.read(taken).tables())
    file = tmp_path / "drills.jsonl"
    asked = ["recover", table.name, "--policy", POLICY, "--snapshot", str(taken), "--drills", str(file)]
    assert cli.run(asked) == 0, "a history that is not there keeps nobody from restoring"
    assert f"not known: {file}: No such file" in output()[0]
    history.append(file, drills())
    assert cli.run(asked) == 0
    text = output()[0]
    assert "takes: 40 min until the table was active" in text
    assert "pitr: restored on" in text
    assert "no drill history was named" not in text
    assert text.index("1. point in time") < text.index("2. ") < text.index("after any restore")


def test_recover_says_that_a_moment_is_in_the_future(taken: Path, output: Output) -> None:
    found = snapshot.read(taken)
    table, at = next(found.tables()).name, found.taken_at + timedelta(hours=1)
    assert cli.run(["recover", table, "--policy", POLICY, "--snapshot", str(taken), "--at", at.isoformat()]) == 0
    assert f"NOTE: {at:%Y-%m-%d %H:%M:%S} UTC is in the future of this inventory" in output()[0]


def test_recover_of_a_table_that_is_not_there(taken: Path, output: Output) -> None:
    assert cli.run(["recover", "nonsense", "--policy", POLICY, "--snapshot", str(taken)]) == 4
    assert "the inventory has no table nonsense" in output()[1]
