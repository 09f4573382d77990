"""Servers that lack operations, cut their replies or fail: UNKNOWN with the reason, exit 2, and few attempts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer
from tests.inventory.building import NOW, POLICY, target
from tests.inventory.conftest import read
from tests.inventory.emulated import POLICY as SHOP
from tests.inventory.emulated import fill

from backcheck.accounts import Choice, take
from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.finding import Run, Status
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import config
from backcheck.policy.load import load
from backcheck.policy.model import Policy
from backcheck.sandbox import Sandbox
from backcheck.sandbox.faults import CallFault

Handle = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def stock_moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # Its state is the process's: xdist may tear this down and set it up again between two modules.
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    fill(f"http://{host}:{port}")
    yield f"http://{host}:{port}"
    server.stop()


def judged(url: str, folder: Path) -> Run:
    file = folder / "policy.yaml"
    file.write_text(SHOP)
    policy = load(file)
    inventory = take(Choice(endpoint_url=url), policy).inventory
    return audit(World(policy=policy, now=inventory.taken_at, inventory=inventory), CONTROLS, "0" * 64)


def test_an_account_that_is_right_as_far_as_moto_tells_is_exit_2(stock_moto: str, tmp_path: Path) -> None:
    run = judged(stock_moto, tmp_path)
    assert [f"{one.control}: {one.message}" for one in run.findings if one.status is Status.FAIL] == []
    assert (run.summary.exit_code, run.simulated) == (2, True)
    unsupported = {f"{gap.service}:{gap.operation}" for gap in run.gaps if gap.code == "Unsupported"}
    assert {
        "backup:DescribeRegionSettings",
        "backup:ListBackupJobs",
        "backup:ListProtectedResources",
        "backup:ListRecoveryPointsByBackupVault",
    } <= unsupported
    assert {f"{gap.service}:{gap.operation}" for gap in run.gaps if gap.code == "500"} >= {
        "backup:ListBackupSelections"
    }
    reasons = {one.control: one.message for one in run.findings if one.status is Status.UNKNOWN}
    assert "backup:ListRecoveryPointsByBackupVault of shop in us-east-1: Unsupported: 404" in reasons["RP-01"]
    assert "backup:ListBackupJobs in us-east-1: Unsupported: 404" in reasons["JOB-01"]
    assert "backup:ListBackupSelections" in reasons["SEL-01"]
    assert reasons["VLT-01"] == "the reply has no VaultState for shop"


@contextmanager
def serving(handle: Handle) -> Iterator[tuple[str, list[str]]]:
    """A server that answers every request in its own way; the list grows by the operation of each."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size).decode()
            asked.append(f"{self.headers.get('X-Amz-Target', '')} {self.command} {self.path} {body}")
            handle(self)

        do_GET = do_POST = answer  # noqa: N815  http.server's names

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def cut_short(request: BaseHTTPRequestHandler) -> None:
    """Fewer bytes than promised, then the connection is closed."""
    request.send_response(200)
    request.send_header("Content-Type", "application/x-amz-json-1.0")
    request.send_header("Content-Length", "400")
    request.end_headers()
    request.wfile.write(b'{"TableNames": ["shop-')
    request.close_connection = True


def half_a_document(request: BaseHTTPRequestHandler) -> None:
    """As long as promised, and no whole document."""
    body = b'{"TableNames": ["shop-'
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def broken(request: BaseHTTPRequestHandler) -> None:
    """500."""
    request.send_response(500)
    request.send_header("Content-Length", "0")
    request.end_headers()


def slow(request: BaseHTTPRequestHandler) -> None:
    """Later than anybody waits."""
    time.sleep(0.5)
    half_a_document(request)


@pytest.mark.parametrize(
    ("handle", "codes"),
    [(cut_short, {"Truncated", "Malformed"}), (half_a_document, {"Malformed"}), (broken, {"500"}), (slow, {"Timeout"})],
)
def test_a_server_that_answers_nothing_whole_leaves_only_gaps(
    handle: Handle, codes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    monkeypatch.setattr(
        "backcheck.inventory.collect.calls.config",
        lambda kind: config(kind).merge(Config(read_timeout=0.2 if handle is slow else 5)),
    )
    with serving(handle) as (url, asked):
        inventory = collect([target(url)], POLICY, lambda: NOW)
    assert {gap.code for gap in inventory.gaps} <= codes
    assert {gap.operation for gap in inventory.gaps} >= {"ListTables", "ListBackupVaults", "ListBackupPlans"}
    assert list(inventory.tables()) == []
    calls = sum(record.calls for record in inventory.calls)
    assert len(asked) <= 2 * calls, f"{len(asked)} requests for {calls} calls"
    run = audit(World(policy=POLICY, now=NOW, inventory=inventory), CONTROLS, "0" * 64)
    assert run.summary.exit_code != 0
    assert run.summary.unknown >= len(inventory.gaps)


def test_a_region_that_is_not_enabled_is_named(account: Sandbox, techmoda_policy: Policy) -> None:
    """AWS's answer to a call into a Region that the account has not enabled: the credentials are not known there."""
    refusal = "The security token included in the request is invalid."
    account.faults.calls.append(
        CallFault(operation="*", code="UnrecognizedClientException", message=refusal, region="us-west-2")
    )
    inventory = read(account, techmoda_policy)
    assert {gap.region for gap in inventory.gaps} == {"us-west-2"}
    assert {gap.code for gap in inventory.gaps} == {"UnrecognizedClientException"}
    run = audit(World(policy=techmoda_policy, now=inventory.taken_at, inventory=inventory), CONTROLS, "0" * 64)
    assert run.summary.exit_code != 0
    told = [one.message for one in run.findings if one.control == "COV-01" and one.status is Status.UNKNOWN]
    assert any("backup:ListBackupVaults in us-west-2" in message and "security token" in message for message in told)
