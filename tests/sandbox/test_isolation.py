"""Nothing leaves the process, nothing of the machine comes in, nothing is left behind."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from backcheck.errors import UsageError
from backcheck.sandbox import Sandbox
from backcheck.sandbox.wire import LeavesSandboxError

from .conftest import ACCOUNT, OTHER, START, Bench, rule

ONCE = Config(retries={"max_attempts": 0}, connect_timeout=1, read_timeout=1)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every attempt to connect is noted and refused."""
    attempts: list[object] = []

    def refuse(self: socket.socket, address: object) -> NoReturn:
        attempts.append(address)
        raise AssertionError(f"somebody connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: refuse(None, a))  # type: ignore[arg-type]
    return attempts


def test_a_history_is_made_and_read_without_a_network(no_network: list[object]) -> None:
    with Sandbox(start=START) as sandbox:
        bench = Bench(sandbox)
        bench.vault()
        bench.plan(rule(), resources=[bench.table()], role=bench.role())
        bench.advance(days=3)
        assert len(bench.points()) == 3
        assert boto3.client("sts").get_caller_identity()["Account"] == ACCOUNT
        assert sandbox.session(role="backup").client("sts").get_caller_identity()["Arn"].endswith("/backup/sandbox")
    assert no_network == []


@pytest.mark.parametrize("service", ["ec2", "ecs", "rds", "route53", "organizations", "bedrock", "ssm"])
def test_other_services_are_unsupported_not_called(sandbox: Sandbox, no_network: list[object], service: str) -> None:
    calls = {
        "ec2": "describe_instances",
        "ecs": "list_clusters",
        "rds": "describe_db_instances",
        "route53": "list_hosted_zones",
        "organizations": "describe_organization",
        "bedrock": "list_custom_models",
        "ssm": "describe_parameters",
    }
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        getattr(sandbox.client(service), calls[service])()
    assert no_network == []


def test_an_endpoint_elsewhere_is_refused(sandbox: Sandbox, no_network: list[object]) -> None:
    elsewhere = boto3.client("backup", endpoint_url="http://198.51.100.7:9", config=ONCE)
    with pytest.raises(LeavesSandboxError, match=r"198\.51\.100\.7:9/.* is outside of it"):
        elsewhere.list_backup_vaults()
    assert no_network == []


def test_the_machines_settings_are_out_of_sight(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / "credentials"
    secrets.write_text("[work]\naws_access_key_id = AKIAREALREALREALREAL\naws_secret_access_key = real\n")
    real = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_BACKUP": "http://127.0.0.1:1",
        "AWS_PROFILE": "work",
        "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_SHARED_CREDENTIALS_FILE": str(secrets),
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/dev/null",
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/real",
    }
    for name, value in real.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with Sandbox(start=START) as sandbox:
        assert not {name for name in os.environ if "ENDPOINT" in name or "PROFILE" in name or "TOKEN" in name}
        assert "AKIAREAL" not in str({k: v for k, v in os.environ.items() if k.startswith("AWS_")})
        for session in (boto3.Session(), sandbox.session()):
            found = session.get_credentials()
            assert found is not None
            assert found.get_frozen_credentials().secret_key == "sandbox"
        assert boto3.client("backup").list_backup_vaults()["BackupVaultList"] == []
    assert dict(os.environ) == before


def test_the_environment_is_restored_after_an_error() -> None:
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), Sandbox(start=START):
        raise ZeroDivisionError
    assert dict(os.environ) == before


def test_one_sandbox_leaves_nothing_to_the_next() -> None:
    for _ in range(2):
        with Sandbox(start=START) as sandbox:
            bench = Bench(sandbox)
            assert bench.backup.list_backup_vaults()["BackupVaultList"] == []
            assert bench.dynamodb.list_tables()["TableNames"] == []
            assert sandbox.client("iam").list_roles()["Roles"] == []
            assert sandbox.client("kms").list_keys()["Keys"] == []
            bench.vault()
            bench.plan(rule(), resources=[bench.table()], role=bench.role())
            bench.advance(days=2)
            sandbox.faults.deny("backup:*")


def test_two_histories_of_one_seed_are_equal() -> None:
    seen = []
    for seed in (1, 1, 2):
        with Sandbox(start=START, seed=seed) as sandbox:
            bench = Bench(sandbox)
            bench.vault()
            bench.plan(rule(), resources=[bench.table()], role=bench.role())
            bench.advance(days=5)
            seen.append([(point["RecoveryPointArn"], point["CreationDate"]) for point in bench.points()])
    assert seen[0] == seen[1]
    assert [point[1] for point in seen[0]] != [point[1] for point in seen[2]]


def test_only_one_is_open_at_a_time(sandbox: Sandbox) -> None:
    second = Sandbox(start=START)
    with pytest.raises(UsageError, match="open already"):
        second.__enter__()
    assert sandbox.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_accounts_are_apart(sandbox: Sandbox) -> None:
    for account in (ACCOUNT, OTHER):
        identity = sandbox.client("sts", account=account).get_caller_identity()
        assert (identity["Account"], identity["Arn"]) == (account, f"arn:aws:iam::{account}:root")
    Bench(sandbox).table()
    assert sandbox.client("dynamodb", account=OTHER).list_tables()["TableNames"] == []


@pytest.mark.parametrize("account", ["1", "12345678901x"])
def test_an_account_has_twelve_digits(account: str) -> None:
    with pytest.raises(UsageError, match="twelve digits"):
        Sandbox(account=account, start=START)


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(UsageError, match="no time zone"):
        Sandbox(start=datetime(2026, 1, 1))


class TestClock:
    def test_it_stands_still(self, sandbox: Sandbox) -> None:
        assert sandbox.clock.now() == sandbox.clock.now() == START

    def test_it_does_not_go_back(self, sandbox: Sandbox) -> None:
        with pytest.raises(UsageError, match="cannot go back"):
            sandbox.clock.advance_to(datetime(2025, 1, 1, tzinfo=UTC))

    def test_what_is_due_happens_in_order_at_its_moment(self, sandbox: Sandbox) -> None:
        seen: list[tuple[str, datetime]] = []
        clock = sandbox.clock

        def first() -> None:
            seen.append(("first", clock.now()))
            clock.after(START - START, lambda: seen.append(("third", clock.now())))

        clock.at(START.replace(hour=14), lambda: seen.append(("last", clock.now())))
        clock.at(START.replace(hour=13), first)
        clock.at(START.replace(hour=13), lambda: seen.append(("second", clock.now())))
        clock.advance(hours=3)
        assert seen == [
            ("first", START.replace(hour=13)),
            ("second", START.replace(hour=13)),
            ("third", START.replace(hour=13)),
            ("last", START.replace(hour=14)),
        ]
        assert clock.now() == START.replace(hour=15)
