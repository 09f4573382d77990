from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import orjson
import pytest

from backcheck.cli import run
from backcheck.drill import history
from backcheck.drill.removal import Remover
from backcheck.drill.run import Drill

POLICY = "policies/techmoda.yaml"
ELSEWHERE = ["drill", "--policy", POLICY, "--endpoint-url", "http://127.0.0.1:9"]
DRILL = ["drill", "--policy", POLICY, "--sandbox", "techmoda"]


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a drill of the compliant scenario, by all three methods, leaves."""
    out = tmp_path_factory.mktemp("out")
    after = str(out / "after.json.gz")
    assert run([*DRILL, "--allow-destructive", "--out", str(out), "--inventory-after", after]) == 0
    return out


def test_a_dry_run_shows_everything_and_changes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = str(Path(POLICY).resolve())
    monkeypatch.chdir(tmp_path)
    assert run(["drill", "--policy", policy, "--sandbox", "techmoda", "--dry-run"]) == 0
    told = capsys.readouterr().out
    for word in (
        "pitr: arn:",
        "backup: arn:",
        "dr-copy: arn:",
        "backcheck:drill=",
        "role/techmoda-restore",
        "5.00 USD",
    ):
        assert word in told
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_says_what_is_not_possible(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "--policy", POLICY, "--sandbox", "pitr-off", "--method", "pitr", "--dry-run"]) == 1
    assert "not possible: point-in-time recovery is off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*DRILL, "--out", "x"], "nothing was begun"),
        ([*DRILL, "--allow-destructive"], "--out DIR"),
        (["drill", "--policy", POLICY, "--allow-destructive", "--out", "x"], "no account is named"),
        ([*DRILL, "--method", "magic", "--dry-run"], "Invalid value for '--method'"),
        ([*DRILL, "--target", "nothing", "--dry-run"], "drills no table nothing"),
        (
            [*ELSEWHERE, "--allow-destructive", "--out", "x", "--inventory-after", "x.gz"],
            "is for a sandbox",
        ),
    ],
)
def test_wrong_usage_is_exit_4_and_begins_nothing(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert run(arguments) == 4
    assert says in capsys.readouterr().err
    assert not Path("x").exists()


def test_a_drill_writes_its_history_and_its_evidence(drilled: Path) -> None:
    records = history.read(drilled / "drills.jsonl")
    assert isinstance(records, tuple)
    assert [(one.method, one.passed, one.simulated) for one in records] == [
        ("pitr", True, True),
        ("backup", True, True),
        ("dr-copy", True, True),
    ]
    folder = next((drilled / "drills").iterdir())
    document = orjson.loads((folder / "drill.json").read_bytes())
    assert document["simulated"] is True
    assert [one["integrity"] for one in document["restores"]] == ["equal"] * 3
    assert all(one["phases"] for one in document["restores"])
    findings = json.loads((folder / "findings.json").read_text())
    assert {one["control"] for one in findings["findings"]} == {"RST-01", "RST-02", "RST-03", "RST-04"}


def test_the_evidence_holds_no_item(drilled: Path) -> None:
    folder = next((drilled / "drills").iterdir())
    for path in (folder / "drill.json", folder / "findings.json", drilled / "drills.jsonl"):
        assert "sku-0000" not in path.read_text()


def test_an_audit_reads_the_history_and_turns_green(drilled: Path, capfd: pytest.CaptureFixture[str]) -> None:
    check = ["check", "--policy", POLICY, "--snapshot", str(drilled / "after.json.gz")]
    assert run([*check, "--out", str(drilled)]) == 0
    assert "SIMULATED" in capfd.readouterr().out


def test_without_a_history_no_drill_is_known(drilled: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    check = ["check", "--policy", POLICY, "--snapshot", str(drilled / "after.json.gz"), "--out", str(tmp_path)]
    assert run(check) == 2
    assert "no drill yet" in capfd.readouterr().out
    assert run([*check, "--drills", str(drilled / "drills.jsonl")]) == 0
    assert run([*check, "--drills", str(drilled / "none.jsonl")]) == 4


def test_a_damaged_history_is_unknown(drilled: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "drills.jsonl").write_text("{}\n")
    check = ["check", "--policy", POLICY, "--snapshot", str(drilled / "after.json.gz"), "--out", str(tmp_path)]
    assert run(check) == 2
    assert "drills.jsonl:1" in capfd.readouterr().out


def test_reap_has_nothing_to_do_after_a_drill_that_ended(drilled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["reap", "--policy", POLICY, "--sandbox", "techmoda", "--out", str(drilled)]
    assert run(arguments) == 4
    assert "reaping deletes tables: nothing was begun" in capsys.readouterr().err
    assert run([*arguments, "--allow-destructive"]) == 0
    assert "nothing to reap" in capsys.readouterr().out


def test_reap_says_when_it_was_given_another_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["reap", "--policy", POLICY, "--sandbox", "techmoda", "--allow-destructive", "--out"]
    typo = tmp_path / "typo"
    assert run([*arguments, str(typo)]) == 4
    assert f"{typo}: there is no such folder" in capsys.readouterr().err
    assert run([*arguments, str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert f"no ledger in {tmp_path}: is this the --out of the drill?" in told.err
    assert told.out == ""


def test_a_drill_that_is_terminated_takes_its_table_away_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # `timeout` sends its signal to the process and then to its group, which may well be twice
    remove, removed = Remover.remove, []

    def terminated(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def terminated_again(self: Remover, *arguments: Any, **options: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        removed.append(remove(self, *arguments, **options))
        return removed[-1]

    monkeypatch.setattr(Drill, "_compare_settings", terminated)
    monkeypatch.setattr(Remover, "remove", terminated_again)
    before = signal.getsignal(signal.SIGTERM)
    assert run([*DRILL, "--method", "pitr", "--allow-destructive", "--out", str(tmp_path)]) == 130
    assert "backcheck: interrupted" in capsys.readouterr().err
    assert [one.done for one in removed] == [True]
    assert signal.getsignal(signal.SIGTERM) is before
    assert (
        run(["reap", "--policy", POLICY, "--sandbox", "techmoda", "--allow-destructive", "--out", str(tmp_path)]) == 0
    )
    assert "nothing to reap" in capsys.readouterr().out
