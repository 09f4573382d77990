"""The sandbox over HTTP: the same answers, on 127.0.0.1 only, and a clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from backcheck.errors import UsageError
from backcheck.sandbox import Sandbox
from backcheck.sandbox.server import Server

from .conftest import ACCOUNT, DR, OTHER, START, Bench, rule


@pytest.fixture
def server(sandbox: Sandbox) -> Server:
    return sandbox.serve()


def over_http(server: Server, service: str, *, region: str = "us-east-1", key: str = "anything", **config: Any) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=server.url,
        aws_access_key_id=key,
        aws_secret_access_key="anything",
        config=Config(retries={"max_attempts": 0}, **config),
    )


def post(server: Server, path: str) -> tuple[int, str]:
    request = urllib.request.Request(server.url + path, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_is_the_same_account_as_in_process(bench: Bench, server: Server) -> None:
    backup, dynamodb = over_http(server, "backup"), over_http(server, "dynamodb")
    backup.create_backup_vault(BackupVaultName="vault")
    arn = bench.table(items=3)
    assert dynamodb.scan(TableName="orders")["Count"] == 3
    bench.plan(rule(), resources=[arn], role=bench.role())
    status, body = post(server, "/_sandbox/advance?days=2")
    assert (status, json.loads(body)["now"]) == (200, (START + timedelta(days=2)).isoformat())
    served = backup.list_recovery_points_by_backup_vault(BackupVaultName="vault")["RecoveryPoints"]
    assert served == bench.points()
    assert len(served) == 2


@pytest.mark.parametrize(
    ("service", "method"),
    [
        ("sts", "get_caller_identity"),
        ("iam", "list_roles"),
        ("kms", "list_keys"),
        ("sns", "list_topics"),
        ("events", "list_rules"),
        ("cloudwatch", "describe_alarms"),
        ("lambda", "list_functions"),
        ("cloudtrail", "lookup_events"),
        ("resourcegroupstaggingapi", "get_resources"),
        ("cloudformation", "list_stacks"),
        ("s3", "list_buckets"),
        ("dynamodb", "list_tables"),
        ("backup", "describe_region_settings"),
    ],
)
def test_each_service_answers(server: Server, service: str, method: str) -> None:
    assert getattr(over_http(server, service), method)()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_paths_with_arns_and_trailing_slashes_arrive(bench: Bench, server: Server) -> None:
    backup = over_http(server, "backup")
    bench.vault()
    arn, role = bench.table(), bench.role()
    backup.start_backup_job(BackupVaultName="vault", ResourceArn=arn, IamRoleArn=role)
    bench.advance(hours=1)
    [point] = bench.points()
    which = {"BackupVaultName": "vault", "RecoveryPointArn": point["RecoveryPointArn"]}
    assert backup.describe_recovery_point(**which)["ResourceArn"] == arn
    backup.tag_resource(ResourceArn=point["RecoveryPointArn"], Tags={"a b": "c/d"})
    assert backup.list_tags(ResourceArn=point["RecoveryPointArn"])["Tags"] == {"a b": "c/d"}
    assert len(backup.list_recovery_points_by_resource(ResourceArn=arn)["RecoveryPoints"]) == 1
    backup.delete_recovery_point(**which)
    assert bench.points() == []


def test_regions_and_accounts_are_apart(bench: Bench, server: Server) -> None:
    over_http(server, "backup").create_backup_vault(BackupVaultName="here")
    assert over_http(server, "backup", region=DR).list_backup_vaults()["BackupVaultList"] == []
    for key in (f"AKIASBOX{OTHER}", OTHER):
        assert over_http(server, "sts", key=key).get_caller_identity()["Account"] == OTHER
        assert over_http(server, "backup", key=key).list_backup_vaults()["BackupVaultList"] == []
    assert over_http(server, "sts").get_caller_identity()["Account"] == ACCOUNT


def test_refusals_are_the_same_over_http(server: Server) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        over_http(server, "backup").describe_backup_vault(BackupVaultName="none")
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        over_http(server, "backup").list_scan_jobs()
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        over_http(server, "rds").describe_db_instances()
    raw = over_http(server, "backup", parameter_validation=False)
    with pytest.raises(ClientError, match="MissingParameterValueException"):
        raw.create_backup_plan(BackupPlan={"BackupPlanName": "p"})


def test_it_listens_on_the_loopback_only(server: Server) -> None:
    assert server.address.startswith("127.0.0.1:")


def test_a_port_that_is_taken(sandbox: Sandbox, server: Server) -> None:
    with pytest.raises(UsageError, match="cannot listen on 127"):
        sandbox.serve(port=int(server.address.rpartition(":")[2]))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_sandbox/advance", 400),
        ("/_sandbox/advance?days=x", 400),
        ("/_sandbox/advance?days=-1", 400),
        ("/_sandbox/advance?weeks=1", 400),
        ("/_sandbox/other", 404),
    ],
)
def test_wrong_control_requests(sandbox: Sandbox, server: Server, path: str, status: int) -> None:
    assert post(server, path)[0] == status
    assert sandbox.clock.now() == START


def test_after_closing_nobody_listens() -> None:
    with Sandbox(start=START) as sandbox:
        server = sandbox.serve()
        assert post(server, "/_sandbox/advance?days=0")[0] == 200
    with pytest.raises(urllib.error.URLError):
        post(server, "/_sandbox/advance?days=0")


SECONDS = float(os.environ.get("BACKCHECK_STRESS_SECONDS", "3"))
"""Ten, where there is time for it."""


def test_eight_threads_at_once_lose_nothing(bench: Bench, server: Server) -> None:
    """Three write, three scan, two back up; no call may fail, and every item written must be there."""
    bench.vault()
    arn, role = bench.table(items=0), bench.role()
    until = time.monotonic() + SECONDS

    def write(who: int) -> int:
        dynamodb, count = over_http(server, "dynamodb"), 0
        while time.monotonic() < until:
            batch = [{"PutRequest": {"Item": {"id": {"S": f"{who}-{count + n:06d}"}}}} for n in range(10)]
            assert dynamodb.batch_write_item(RequestItems={"orders": batch})["UnprocessedItems"] == {}
            count += 10
        return count

    def scan(who: int) -> int:
        dynamodb, seen = over_http(server, "dynamodb"), 0
        while time.monotonic() < until:
            found = sum(page["Count"] for page in dynamodb.get_paginator("scan").paginate(TableName="orders"))
            assert found >= seen
            seen = found
        return 0

    def back_up(who: int) -> int:
        backup = over_http(server, "backup")
        while time.monotonic() < until:
            backup.start_backup_job(BackupVaultName="vault", ResourceArn=arn, IamRoleArn=role)
            assert post(server, "/_sandbox/advance?minutes=10")[0] == 200
        return 0

    work: list[Callable[[int], int]] = [write, write, write, scan, scan, scan, back_up, back_up]
    with ThreadPoolExecutor(8) as pool:
        written = sum(pool.map(lambda task: task[1](task[0]), enumerate(work)))
    pages = bench.dynamodb.get_paginator("scan").paginate(TableName="orders")
    assert sum(page["Count"] for page in pages) == written > 0
    bench.advance(hours=1)
    assert {job["State"] for job in bench.jobs()} == {"COMPLETED"}
    assert len(bench.points()) == len(bench.jobs()) > 0


class TestCommand:
    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "backcheck", "sandbox", "--port", "0", *arguments]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def url(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        for line in process.stdout:
            if "AWS_ENDPOINT_URL=" in line:
                return line.strip().rpartition("=")[2]
        raise AssertionError(process.stderr.read() if process.stderr else "")

    @pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
    def test_it_serves_says_how_and_ends_cleanly(self, end: signal.Signals) -> None:
        process = self.start("--days", "1")
        try:
            client = boto3.client(
                "backup",
                region_name="us-east-1",
                endpoint_url=self.url(process),
                aws_access_key_id="x",
                aws_secret_access_key="x",
            )
            assert client.list_backup_vaults()["BackupVaultList"] == []
        finally:
            process.send_signal(end)
            out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        assert out.endswith("stopped\n")

    def test_an_unknown_scenario_is_wrong_usage(self) -> None:
        process = self.start("--scenario", "nowhere")
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out) == (4, "")
        assert "there is no scenario 'nowhere'" in err
        assert "techmoda" in err
