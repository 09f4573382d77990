"""Another emulator, ministack, in a process of its own: what it does not tell is UNKNOWN with the reason."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.inventory.emulated import ACCOUNT, POLICY, fill

from backcheck.accounts import Choice, take
from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.finding import Run, Status
from backcheck.policy.load import load

pytestmark = pytest.mark.e2e

STARTED_WITHIN_SECONDS = 60


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL. BACKCHECK_MINISTACK names the executable, which tox -e e2e installs in an environment of its own."""
    port = _free_port()
    folder = tmp_path_factory.mktemp("ministack")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [os.environ["BACKCHECK_MINISTACK"]], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + STARTED_WITHIN_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"ministack does not listen on {port}, exit code {process.poll()}")


@pytest.fixture(scope="module")
def run(ministack: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An audit of the account; ministack takes a key of twelve digits for the account's id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        fill(ministack, ACCOUNT)
        file: Path = tmp_path_factory.mktemp("policy") / "policy.yaml"
        file.write_text(POLICY)
        policy = load(file)
        inventory = take(Choice(endpoint_url=ministack), policy).inventory
    return audit(World(policy=policy, now=inventory.taken_at, inventory=inventory), CONTROLS, "0" * 64)


def test_what_a_reply_lacks_is_unknown_with_the_reason(run: Run) -> None:
    reasons = {one.control: one.message for one in run.findings if one.status is Status.UNKNOWN}
    assert reasons["PIT-02"] == "the reply has no RecoveryPeriodInDays"
    assert reasons["VLT-01"] == "the reply has no VaultState for shop"
    assert reasons["RPO-03"] == "AWS shows no next runs"


def test_nothing_fails_but_what_ministack_says_itself(run: Run) -> None:
    """It stores no access policy and answers, as AWS does, that there is none: a FAIL, which wins over UNKNOWN."""
    assert {one.control for one in run.findings if one.status is Status.FAIL} == {"VLT-04"}
    assert run.simulated
    assert run.summary.exit_code == 1
