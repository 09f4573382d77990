"""Two emulators, each in a process of its own: ministack runs the functions, the sandbox is the AWS that they call."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config

ACCOUNT = "123456789012"
PRIMARY, DR = "us-east-1", "us-west-2"
REGIONS = (PRIMARY, DR)

STARTED_WITHIN_SECONDS = 90
WAIT_SCALE = "0.005"
"""What ministack multiplies the waits of a state machine with: a minute is 0.3 seconds."""

AHEAD = timedelta(minutes=2)
"""How far ahead the sandbox's clock is of the machine's: what it makes is never older than the check that asked."""

SCENARIO = """\
schema: backcheck/scenario/v1
title: An account with nothing in it but DynamoDB's advanced features
account: "{account}"
start: "{start}"
days: 0
settings:
  us-east-1: {{opt_in: {{DynamoDB: true}}, management: {{DynamoDB: true}}}}
  us-west-2: {{opt_in: {{DynamoDB: true}}, management: {{DynamoDB: true}}}}
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Emulator:
    """An account, as it answers at a URL."""

    url: str

    def client(self, service: str, region: str = PRIMARY) -> Any:
        """A client of one service; both emulators take a key of twelve digits for the account's id."""
        return _client(self.url, service, region)


@cache
def _client(url: str, service: str, region: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=300)
    session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="test", region_name=region)
    return session.client(service, endpoint_url=url, config=config)


def until(wanted: Callable[[], T | None], what: str, *, seconds: float = 60) -> T:
    """The first answer that is something; fails with `what` was waited for."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if answer := wanted():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:.0f} seconds: {what}")


@contextmanager
def ministack(folder: Path, *, functions_call: str = "") -> Iterator[Emulator]:
    """ministack, with `functions_call` as the endpoint of everything that functions call but Step Functions.

    So a function's own settings stay as the template has them, and what it restores is restored. Empty: itself.
    """
    port = _free_port()
    here = f"http://127.0.0.1:{port}"
    environment = {
        "HOME": str(folder),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFN_WAIT_SCALE": WAIT_SCALE,
        "AWS_ENDPOINT_URL": functions_call or here,
        "AWS_ENDPOINT_URL_SFN": here,
    }
    with _running([executable()], environment, folder) as log:
        until(lambda: _listens(port), f"ministack listens; its log is {log}", seconds=STARTED_WITHIN_SECONDS)
        yield Emulator(here)


def executable() -> str:
    """ministack's, which tox -e e2e installs in an environment of its own."""
    found = os.environ.get("BACKCHECK_MINISTACK", "")
    assert found, "BACKCHECK_MINISTACK does not name ministack's executable: run tox -e e2e"
    return found


@contextmanager
def sandbox(folder: Path, *, days: int) -> Iterator[Emulator]:
    """An empty account that is `days` behind the machine's clock; let them pass when there is something in it."""
    start = (datetime.now(UTC) - timedelta(days=days) + AHEAD).replace(microsecond=0)
    scenario = folder / "scenario.yaml"
    scenario.write_text(SCENARIO.format(account=ACCOUNT, start=start.isoformat()))
    command = [sys.executable, "-u", "-m", "backcheck", "sandbox", "--scenario", str(scenario), "--port", "0"]
    with _running(command, {"HOME": str(folder)}, folder) as log:
        found = until(
            lambda: re.search(r"AWS_ENDPOINT_URL=(\S+)[^$]*Ctrl-C", log.read_text()),
            f"the sandbox listens; its log is {log}",
            seconds=STARTED_WITHIN_SECONDS,
        )
        yield Emulator(found[1])


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Iterator[Path]:
    """A process and its log; stopped by its own id, also when the tests fail."""
    log = folder / "log"
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env={**kept, **environment}, stdout=out, stderr=out)
        try:
            yield log
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
