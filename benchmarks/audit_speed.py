"""The audit side by side with its peers, in one run, against one moto server that adds 20 ms to each request.

`python -m benchmarks.audit_speed --tables 200 [--prowler BIN] [--custodian BIN] [--repeat N]`; prowler and custodian
(package c7n) live in environments of their own. Read ratios and counts: seconds depend on the machine.

Promised at 1000 tables: without our start-up at most 1.2 times the bare loop, at least 4 times faster than Custodian
and 10 times than prowler, and under 150 MB. Our start-up is the same command on the same server while it holds one
table. Every tool runs from bytecode, as pip installs it, and finds no cache of an account from an earlier run.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

HOST, PORT = "127.0.0.1", 5178
URL = f"http://{HOST}:{PORT}"
DELAY_SECONDS = 0.02
PLANS = VAULTS = 20
REGION = "us-east-1"

POLICY = """\
schema: backcheck/policy/v1
name: shop
account: "123456789012"
regions: {primary: us-east-1, dr: us-west-2}
tables: ["shop-*"]
tiers:
  daily: {schedule: "cron(0 1 * * ? *)", retention_days: 35}
objectives: {rpo_hours: 27, rto_hours: 4}
owner: ops@example.com
"""

CUSTODIAN = """\
policies:
  - {name: plans, resource: aws.backup-plan}
  - {name: vaults, resource: aws.backup-vault}
  - name: tables
    resource: aws.dynamodb-table
    filters:
      - {type: continuous-backup, key: PointInTimeRecoveryDescription.PointInTimeRecoveryStatus, value: ENABLED, op: ne}
"""

OURS, BARE, START_UP = "backcheck", "bare boto3, 16 threads", "backcheck, one table"

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


class Slowed:
    """Moto behind a counter and a delay."""

    def __init__(self) -> None:
        """Nothing is delayed until `delay` is set."""
        self.app = DomainDispatcherApplication(create_backend_app)
        self.delay = 0.0
        self.requests = 0
        self._lock = threading.Lock()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """One request."""
        with self._lock:
            self.requests += 1
        time.sleep(self.delay)
        return self.app(environ, start_response)


class Silent(WSGIRequestHandler):
    """Prints no line a request, and no traceback for what moto lacks."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one tool."""

    name: str
    seconds: float
    cpu: float
    megabytes: float
    requests: int
    code: int


@contextmanager
def served() -> Iterator[Slowed]:
    """The server, in this process, on threads."""
    app = Slowed()
    server = make_server(HOST, PORT, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()


def client(service: str) -> Any:
    """A client of the server."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=URL,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(max_pool_connections=16, retries={"total_max_attempts": 2}, parameter_validation=False),
    )


def fill(tables: int, first: int = 0) -> None:
    """Tables of the account, from number `first` on."""
    dynamodb = client("dynamodb")
    for number in range(first, tables):
        dynamodb.create_table(
            TableName=f"shop-{number}",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def plan() -> None:
    """The account's vaults and plans."""
    backup = client("backup")
    for number in range(VAULTS):
        backup.create_backup_vault(BackupVaultName=f"vault-{number}")
    for number in range(PLANS):
        rule = {"RuleName": "daily", "TargetBackupVaultName": "vault-0", "Lifecycle": {"DeleteAfterDays": 35}}
        backup.create_backup_plan(BackupPlan={"BackupPlanName": f"plan-{number}", "Rules": [rule]})


def bare(tables: int) -> None:
    """The bound: the calls of the audit in a loop on 16 threads, and nothing done with the answers."""
    dynamodb, backup = client("dynamodb"), client("backup")
    work: list[tuple[Callable[..., Any], dict[str, Any]]] = []
    for number in range(tables):
        work.append((dynamodb.describe_table, {"TableName": f"shop-{number}"}))
        work.append((dynamodb.describe_continuous_backups, {"TableName": f"shop-{number}"}))
    for vault in backup.list_backup_vaults()["BackupVaultList"]:
        name = {"BackupVaultName": vault["BackupVaultName"]}
        work.append((backup.get_backup_vault_access_policy, name))
        work.append((backup.get_backup_vault_notifications, name))
        work.append((backup.list_recovery_points_by_backup_vault, name))
    for plan in backup.list_backup_plans()["BackupPlansList"]:
        work.append((backup.get_backup_plan, {"BackupPlanId": plan["BackupPlanId"]}))
        work.append((backup.list_backup_selections, {"BackupPlanId": plan["BackupPlanId"]}))

    def call(one: tuple[Callable[..., Any], dict[str, Any]]) -> None:
        try:
            one[0](**one[1])
        except ClientError:
            return

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(call, work))


def measure(name: str, command: list[str], app: Slowed, folder: Path) -> Measured:
    """Process start to result, in a home folder that nothing has been left in."""
    home = tempfile.mkdtemp(prefix="home-", dir=folder)
    environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": URL, "HOME": home}
    environment |= {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    before, began = app.requests, time.monotonic()
    log = (folder / f"{name.split()[0]}.log").open("w")
    with log, subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log) as process:
        megabytes = 0.0
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            megabytes = max(megabytes, peak(process.pid))
            time.sleep(0.02)
        _, status, usage = ended
        process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(
        name=name,
        seconds=time.monotonic() - began,
        cpu=usage.ru_utime + usage.ru_stime,
        megabytes=megabytes,
        requests=app.requests - before,
        code=process.returncode,
    )


def peak(pid: int) -> float:
    """Megabytes at most so far, by Linux; the maximum in a child's resource usage begins with its parent's."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def commands(arguments: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """What is run, by name."""
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "custodian.yaml").write_text(CUSTODIAN)
    environment_python = sys.executable
    found = {
        BARE: [environment_python, str(Path(__file__).resolve()), "--bare", str(arguments.tables)],
        OURS: [
            *(environment_python, "-m", "backcheck", "check", "--policy", "policy.yaml"),
            *("--endpoint-url", URL, "--out", "out"),
        ],
    }
    if arguments.custodian:
        found["custodian"] = [
            *(arguments.custodian, "run", "-s", "c7n", "--region", REGION, "--cache-period", "0", "custodian.yaml")
        ]
    if arguments.prowler:
        found["prowler"] = [
            *(arguments.prowler, "aws", "--services", "dynamodb", "backup", "--region", REGION),
            *("--output-formats", "csv", "--output-directory", str(folder / "prowler"), "--no-banner"),
        ]
    return found


def main() -> None:
    """Print one line a tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--prowler", help="the prowler executable")
    parser.add_argument("--custodian", help="the custodian executable")
    parser.add_argument("--bare", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare is not None:
        bare(arguments.bare)
        return
    logging.disable(logging.CRITICAL)  # flask reports each operation that moto lacks
    with served() as app, tempfile.TemporaryDirectory(prefix="backcheck-speed-") as name:
        folder = Path(name)
        tools = commands(arguments, folder)
        print(f"{arguments.tables} tables, {PLANS} plans, {VAULTS} vaults, {DELAY_SECONDS * 1000:.0f} ms a request")
        plan()
        fill(1)
        for tool, command in tools.items():
            measure(tool, command, app, folder)  # writes the bytecode
        app.delay = DELAY_SECONDS
        seconds = {START_UP: repeated(START_UP, tools[OURS], app, folder, arguments.repeat)}
        app.delay = 0
        fill(arguments.tables, first=1)
        app.delay = DELAY_SECONDS
        for tool, command in tools.items():
            seconds[tool] = repeated(tool, command, app, folder, arguments.repeat)
    for line in ratios(seconds):
        print(line)


def repeated(name: str, command: list[str], app: Slowed, folder: Path, times: int) -> float:
    """Print the run whose wall time is the median, and return that."""
    runs = [measure(name, command, app, folder) for _ in range(times)]
    middle = median([run.seconds for run in runs])
    one = min(runs, key=lambda run: abs(run.seconds - middle))
    print(
        f"{one.name:24} {middle:7.1f} s {one.cpu:6.1f} s CPU {one.megabytes:5.0f} MB"
        f" {one.requests:5} requests  exit {one.code}",
        flush=True,
    )
    return middle


def ratios(seconds: dict[str, float]) -> Iterator[str]:
    """What is promised, and what was measured."""
    ours, start_up, bare_loop = seconds[OURS], seconds[START_UP], seconds[BARE]
    yield f"(backcheck - its start-up) / bare: {(ours - start_up) / bare_loop:.2f} (promised: at most 1.2)"
    for peer, factor in (("custodian", 4), ("prowler", 10)):
        if peer in seconds:
            yield f"{peer} / backcheck: {seconds[peer] / ours:.1f} (promised: at least {factor})"


if __name__ == "__main__":
    main()
