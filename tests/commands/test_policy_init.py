"""`policy init`: what is there, written down so that it loads and the account it came from is what it says."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from tests.gate.building import LAB_00, ROOT

from backcheck.cli import run
from backcheck.policy.load import load
from backcheck.policy.model import LockMode, Policy
from backcheck.sandbox import Sandbox

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
    assert policy.roles.restore == "techmoda-restore"
    assert policy.roles.restore_dr == "techmoda-restore-dr"
    assert "restore: techmoda-restore  # decide: " in written
    assert "restore_dr: techmoda-restore-dr  # decide: " in written
    assert "#   roles.drill, roles.auditor: " in written


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


def scenario(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "scenario.yaml"
    path.write_text("schema: backcheck/scenario/v1\n" + "\n".join(lines) + "\n")
    return str(path)


BARE = (
    "title: One table",
    'account: "123456789012"',
    'start: "2026-11-20T12:00:00+00:00"',
    "days: 2",
    "tables: {shop: {region: us-east-1, key: [id]}}",
)


def checked(tmp_path: Path, *account: str) -> tuple[int, dict[str, set[str]]]:
    """The exit code of an audit with the policy that was written, and the controls by status."""
    code = run(["check", "--policy", str(tmp_path / "policy.yaml"), *account, "--out", str(tmp_path / "out")])
    found: dict[str, set[str]] = {}
    for finding in orjson.loads((tmp_path / "out" / "findings.json").read_bytes())["findings"]:
        found.setdefault(finding["status"], set()).add(finding["control"])
    return code, found


def test_an_account_is_written_down_and_checked_against_what_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy, written = init(tmp_path, capsys, "--from-account", "--sandbox", "techmoda", "--region", "us-east-1")
    assert dict(policy.regions) == {"primary": "us-east-1", "dr": "us-west-2"}, "where copies go is looked at, too"
    assert "backup_hours: 33  # decide: the most that these plans can lose" in written
    assert policy.roles.break_glass == ("techmoda-break-glass",)
    assert run(["policy", "lint", str(tmp_path / "policy.yaml")]) == 0
    code, found = checked(tmp_path, "--sandbox", "techmoda")
    assert (code, found.get("fail")) == (2, None), "no restore was ever drilled"
    assert found["unknown"] == {"RST-01", "RST-02", "RST-03", "RST-04"}


def test_a_bare_account_fails_in_nothing_but_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = scenario(tmp_path, *BARE)
    policy, written = init(tmp_path, capsys, "--from-account", "--sandbox", bare)
    assert "tiers:  # decide: proposed, since there is no backup plan" in written
    assert "pitr:  # decide: off: only whole backups come back" in written
    assert "deletion_protection: false  # decide: off" in written
    assert "shop:  # decide: nothing backs it up" in written
    assert run(["policy", "lint", str(tmp_path / "policy.yaml")]) == 0
    code, found = checked(tmp_path, "--sandbox", bare)
    assert code == 1
    assert found["fail"] == {"PLN-01", "SEL-01", "VLT-01", "RP-01", "RP-02", "JOB-01", "RPO-02"}, "it has no backup"
    assert [tier.name for tier in policy.tiers] == ["daily"]


def test_what_an_account_does_not_let_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    denied = scenario(
        tmp_path,
        "extends: techmoda",
        "title: Much is denied",
        "denied: ['backup:ListBackupSelections', 'dynamodb:DescribeContinuousBackups', 'kms:DescribeKey']",
    )
    assert run(["policy", "init", "--from-account", "--sandbox", denied]) == 2
    written, told = capsys.readouterr()
    (tmp_path / "policy.yaml").write_text(written)
    assert run(["policy", "lint", str(tmp_path / "policy.yaml")]) == 0
    for operation in ("backup:ListBackupSelections", "dynamodb:DescribeContinuousBackups", "kms:DescribeKey"):
        assert f"backcheck: not read: {operation}" in told
        assert f"#   {operation}" in written
    assert "decide: whether a selection takes it could not be told; its point-in-time recovery could not" in written
    assert written.count("could not be read") >= 4
    code, found = checked(tmp_path, "--sandbox", denied)
    assert (code, found.get("fail")) == (2, None)


@pytest.mark.parametrize(
    ("denied", "message"),
    [
        ("dynamodb:ListTables", "no table could be read: dynamodb:ListTables in us-east-1: AccessDeniedException"),
        ("dynamodb:DescribeTable", "no table could be read: dynamodb:DescribeTable of techmoda-products"),
    ],
)
def test_without_any_table_nothing_is_written(
    denied: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("extends: techmoda", "title: Tables are denied", f"denied: ['{denied}']")
    assert run(["policy", "init", "--from-account", "--sandbox", scenario(tmp_path, *lines)]) == 2
    written, told = capsys.readouterr()
    assert written == ""
    assert message in told


def test_an_account_behind_a_url(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox.from_scenario(scenario(tmp_path, *BARE)) as sandbox:
        url = sandbox.serve().url
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        policy, _ = init(tmp_path, capsys, "--from-account", "--endpoint-url", url, "--region", "us-east-1")
        assert policy.accounts[0].id == "123456789012"
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        monkeypatch.delenv("AWS_REGION", raising=False)
        assert run(["policy", "init", "--from-account", "--endpoint-url", url]) == 4
        assert "nothing says which Region to look at\n  try: --region" in capsys.readouterr().err
        sandbox.faults.fail_calls("sts:GetCallerIdentity", "ExpiredToken", "The token is expired")
        named = ["policy", "init", "--from-account", "--endpoint-url", url, "--region", "us-east-1"]
        assert run(named) == 2
        assert "whose account it is cannot be told: sts:GetCallerIdentity" in capsys.readouterr().err


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
        ([], "name either an account, templates or one snapshot"),
        (["--from-template", "a", "--from-snapshot", "b"], "name either an account, templates or one snapshot"),
        (["--from-account"], "no account is named"),
        (["--from-account", "--live", "--sandbox", "techmoda"], "more than one account is named"),
        (
            ["--from-account", "--sandbox", "techmoda", "--account", "1"],
            "the policy to be written:4:10: /account: must be",
        ),
        (["--from-template", "a", "--live"], "no account is read here"),
        (["--from-template", "a", "--region", "us-east-1", "--region", "us-west-2"], "one Region of their own"),
        (["--from-template", "nothing.yaml"], "cannot be read"),
        (["--from-template", str(ROOT / "fixtures/templates/bad/macro.yaml")], "macro MyCompanyMacro"),
        (["--from-template", str(LAB_00.with_name("11.yaml"))], "it would be refused: BackupPlan"),
        (["--from-template", str(ROOT / "templates" / "auditor.yaml")], "A role that nobody may assume audits nothing"),
        (
            ["--from-template", str(ROOT / "templates" / "auditor.yaml"), "--parameter", "OidcProviderArn=x"],
            "there is no table",
        ),
    ],
)
def test_what_cannot_be_written_down_is_told(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "init", *arguments]) == 4
    assert message in capsys.readouterr().err
