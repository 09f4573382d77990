"""`policy init`: what is there, written down so that it loads and the account it came from is what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gate.building import LAB_00, ROOT

from backcheck.cli import run
from backcheck.policy.load import load
from backcheck.policy.model import LockMode, Policy

OURS = [
    *("--from-template", f"{ROOT}/templates/dr.yaml@us-west-2", "--from-template", f"{ROOT}/templates/primary.yaml"),
    *("--parameter", "AlertEndpoint=operations@techmoda.example", "--name", "ours", "--at", "2026-11-22"),
]


def init(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Policy, str]:
    assert run(["policy", "init", *arguments]) == 0
    written = capsys.readouterr().out
    path = tmp_path / "policy.yaml"
    path.write_text(written)
    return load(path), written


def test_our_templates_come_back_as_our_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, _ = init(tmp_path, capsys, *OURS)
    ours = load(ROOT / "policies" / "techmoda.yaml")
    wanted, found = ours.plans[0].tiers, policy.plans[0].tiers
    fields = ("rule", "schedule", "retention_days", "cold_storage_after_days", "start_window_minutes", "vault")
    assert [[getattr(tier, name) for name in fields] for tier in found] == [
        [getattr(tier, name) for name in fields] for tier in wanted
    ]
    assert [[(copy.vault, copy.retention_days) for copy in tier.copies] for tier in found] == [
        [(copy.vault, copy.retention_days) for copy in tier.copies] for tier in wanted
    ]
    assert dict(policy.regions) == {"primary": "us-east-1", "dr": "us-west-2"}
    assert [vault.lock.mode for vault in policy.vaults if vault.lock] == [LockMode.GOVERNANCE] * 2
    assert policy.pitr.window_days == 35


def test_roles_that_the_templates_state_are_written_down_and_the_others_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy, written = init(tmp_path, capsys, *OURS)
    assert policy.roles.backup == "techmoda-backup"
    assert policy.roles.break_glass == ("techmoda-break-glass",)
    assert policy.roles.restore is None
    assert "# fill in roles.restore: one of techmoda-restore, techmoda-restore-dr\n" in written
    assert "# fill in roles.drill, roles.auditor: " in written
    alone, written = init(tmp_path, capsys, *OURS[2:])
    assert alone.roles.restore == "techmoda-restore"
    assert "fill in roles.restore" not in written


def test_what_is_wrong_stands_above_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, written = init(tmp_path, capsys, "--from-template", f"techmoda={LAB_00}", "--at", "2026-11-22")
    comments = [line for line in written.splitlines() if line.startswith("#   ")]
    assert any(line.startswith("#   POL-06 fail (techmoda-backup-plan/weekly)") for line in comments)
    assert any(line.startswith("#   PIT-05 fail") for line in comments)
    assert [tier.name for tier in policy.tiers] == ["daily", "weekly", "monthly"]


def test_an_account_is_written_down_from_its_snapshot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "account.json.gz"
    techmoda = str(ROOT / "policies" / "techmoda.yaml")
    assert run(["snapshot", "--policy", techmoda, "--sandbox", "techmoda", "--out", str(taken)]) == 0
    capsys.readouterr()
    policy, _ = init(tmp_path, capsys, "--from-snapshot", str(taken))
    assert [tier.retention_days for tier in policy.tiers] == [30, 90, 365]


def test_tables_without_a_plan_get_a_tier_that_is_marked_as_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = ROOT / "fixtures" / "templates" / "shapes" / "simple-table.yaml"
    policy, written = init(tmp_path, capsys, "--from-template", str(template))
    assert "proposed" in written
    assert "PLN-01 fail" in written
    assert len(policy.tiers) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name either templates or one snapshot"),
        (["--from-template", "a", "--from-snapshot", "b"], "name either templates or one snapshot"),
        (["--from-template", "nothing.yaml"], "cannot be read"),
        (["--from-template", str(ROOT / "fixtures/templates/bad/macro.yaml")], "macro MyCompanyMacro"),
        (["--from-template", str(LAB_00.with_name("11.yaml"))], "it would be refused: BackupPlan"),
        (["--from-template", str(ROOT / "templates" / "auditor.yaml")], "there is no table"),
    ],
)
def test_what_cannot_be_written_down_is_told(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "init", *arguments]) == 4
    assert message in capsys.readouterr().err
