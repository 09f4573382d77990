"""Which account is reached: overrides refused, the kind read off what was really called, quotas kept."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer
from tests.inventory.building import ACCOUNT, NOW, POLICY, policy, table, target

from backcheck.accounts import Choice, take
from backcheck.errors import UsageError
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, is_aws, targets
from backcheck.inventory.collect.failure import code_and_detail
from backcheck.inventory.collect.quota import Bucket
from backcheck.policy.model import Account


@pytest.fixture(scope="module")
def stock_moto() -> Iterator[str]:
    """Stock moto as a server: it lacks most of AWS Backup."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()  # its state is the process's
    client = boto3.client(
        "dynamodb", region_name="us-east-1", endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="y"
    )
    for name in ("shop-orders", "shop-carts", "elsewhere"):
        table(client, name)
    yield url
    server.stop()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_what_an_emulator_lacks_is_a_gap_and_the_kind_is_endpoint(stock_moto: str) -> None:
    inventory = collect([target(stock_moto)], POLICY, lambda: NOW)
    account = inventory.accounts[0]
    assert (account.kind, account.simulated) == ("endpoint", True)
    assert {one.name for one in inventory.tables()} == {"shop-carts", "shop-orders"}
    lacking = {f"{gap.service}:{gap.operation}" for gap in inventory.gaps}
    assert {"backup:DescribeRegionSettings", "backup:ListBackupJobs", "backup:ListCopyJobs"} <= lacking
    calls = {r.operation: r.calls for r in inventory.calls if r.region == "us-east-1" and r.service == "dynamodb"}
    assert calls == {"ListTables": 1, "DescribeTable": 2, "DescribeContinuousBackups": 2, "GetResourcePolicy": 2}


def test_an_emulator_is_an_endpoint_whatever_was_asked_for(stock_moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = take(Choice(endpoint_url=stock_moto), POLICY).inventory
    assert inventory.accounts[0].kind == "endpoint"


def test_no_network_is_touched_but_the_endpoint(stock_moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: set[tuple[str, int]] = set()
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> Any:
        reached.add(address[:2])
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    collect([target(stock_moto)], POLICY, lambda: NOW)
    host, port = re.findall(r"//(.*):(\d+)", stock_moto)[0]
    assert reached == {(host, int(port))}


def test_another_account_is_wrong_usage(stock_moto: str) -> None:
    other = policy(accounts=(Account(key="primary", id="999999999999"),))
    with pytest.raises(UsageError, match=f"are of account {ACCOUNT}, the policy's primary account is 999999999999"):
        take(Choice(endpoint_url=stock_moto), other)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"])
def test_live_with_an_override_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with pytest.raises(UsageError, match=f"--live, but {name} sends calls elsewhere") as caught:
        take(Choice(live=True), POLICY)
    assert caught.value.exit_code == 4


def test_live_with_an_override_in_the_profile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text("[profile lab]\nendpoint_url = http://127.0.0.1:1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with pytest.raises(UsageError, match="profile key endpoint_url"):
        targets(POLICY.accounts, kind=Kind.LIVE, profile="lab")


def test_no_override_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    (found,) = targets(POLICY.accounts, kind=Kind.LIVE)
    assert found.endpoint_url is None


def test_a_profile_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="could not be found"):
        targets(POLICY.accounts, kind=Kind.LIVE, profile="none-of-that-name")


@pytest.mark.parametrize(
    ("url", "aws"),
    [
        ("https://dynamodb.us-east-1.amazonaws.com", True),
        ("https://backup.cn-north-1.amazonaws.com.cn", True),
        ("https://vpce-1-a.dynamodb.us-east-1.vpce.amazonaws.com", True),
        ("http://127.0.0.1:5000", False),
        ("https://dynamodb.us-east-1.amazonaws.com.example.org", False),
        ("https://amazonaws.com.evil", False),
        ("", False),
    ],
)
def test_what_is_aws(url: str, aws: bool) -> None:
    assert is_aws(url) is aws


def test_an_account_in_this_process_is_never_live() -> None:
    from moto import mock_aws

    with mock_aws():
        inventory = collect([target(kind=Kind.ENDPOINT)], POLICY, lambda: NOW)
    assert (inventory.accounts[0].kind, inventory.accounts[0].simulated) == ("endpoint", True)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(), "no account is named"),
        (Choice(live=True, endpoint_url="http://x"), "more than one account is named"),
        (Choice(sandbox="techmoda", profile="x"), "means nothing to a sandbox"),
    ],
)
def test_exactly_one_account(choice: Choice, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choice.check()


def test_a_bucket_lets_a_burst_through_and_then_keeps_the_rate() -> None:
    time = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 6))

    bucket = Bucket(10, now=lambda: time[0], sleep=sleep)
    for _ in range(13):
        bucket.take()
    assert waits == [0.1, 0.2, 0.3]
    time[0] = 10.0
    bucket.take()
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotImplementedError("no such"), "Unsupported"),
        (ValueError("Invalid isoformat"), "Malformed"),
        (KeyError("x"), "Malformed"),
    ],
)
def test_what_a_failure_is_called(error: Exception, code: str) -> None:
    assert code_and_detail(error)[0] == code


def test_one_dead_endpoint_is_all_gaps() -> None:
    inventory = collect([target("http://127.0.0.1:9")], POLICY, lambda: NOW)
    assert {gap.code for gap in inventory.gaps} == {"Unreachable"}
