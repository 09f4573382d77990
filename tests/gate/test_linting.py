"""What other tools say: merged with ours, never a PASS."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from tests.gate.building import NOW, ROOT, only, policy, spec, text
from tests.gate.test_mutations import LAB

from backcheck.errors import Error
from backcheck.finding import Finding, Severity, Status
from backcheck.gate import cfn_lint, checkov
from backcheck.gate.judge import judge
from backcheck.gate.linting import Lint, merged

FILE = "a.yaml"
KINDS = {(FILE, "Table"): "AWS::DynamoDB::Table", (FILE, "Plan"): "AWS::Backup::BackupPlan", (FILE, "F"): "AWS::EC2::X"}
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/t"
OWNERS = {(FILE, "Table"): (ARN, "template:a.yaml#/Resources/Table")}


def lint(rule: str, logical_id: str = "Table", *, tool: str = "checkov", is_error: bool = True, line: int = 3) -> Lint:
    return Lint(tool=tool, rule=rule, title="t", file=FILE, line=line, logical_id=logical_id, message="m",
                is_error=is_error)  # fmt: skip


def ours(control: str, status: Status, resource: str = ARN) -> Finding:
    return Finding(control=control, status=status, severity=Severity.HIGH, resource=resource, tier=None, expected="",
                   observed="", at="", message="", notes=(), remediation="", maps_to=())  # fmt: skip


def test_what_both_say_stands_once() -> None:
    [one] = merged([ours("PIT-01", Status.FAIL)], [lint("CKV_AWS_28")], KINDS, OWNERS)
    assert one.control == "PIT-01"
    assert one.notes == ("checkov:CKV_AWS_28, line 3: m",)


def test_an_objection_to_another_table_is_not_swallowed() -> None:
    found = merged([ours("PIT-01", Status.FAIL, f"{ARN}-other")], [lint("CKV_AWS_28")], KINDS, OWNERS)
    assert {one.control: one.status for one in found} == {"PIT-01": Status.FAIL, "checkov:CKV_AWS_28": Status.FAIL}


@pytest.mark.parametrize("status", [Status.PASS, Status.UNKNOWN, Status.NOT_APPLICABLE])
def test_an_objection_that_we_do_not_share_stays(status: Status) -> None:
    found = merged([ours("PIT-01", status)], [lint("CKV_AWS_28")], KINDS, OWNERS)
    assert only(found, "checkov:CKV_AWS_28").status is Status.FAIL


@pytest.mark.parametrize(
    ("objection", "status", "note"),
    [
        (lint("E3012", tool="cfn-lint"), Status.FAIL, None),
        (lint("E3012", "F", tool="cfn-lint"), Status.NOT_APPLICABLE, "it says nothing about backup"),
        (
            lint("W3011", tool="cfn-lint", is_error=False),
            Status.NOT_APPLICABLE,
            "a warning: shown, and decides nothing",
        ),
        (lint("E0000", "", tool="cfn-lint"), Status.FAIL, None),
        (lint("CKV_AWS_119"), Status.NOT_APPLICABLE, "it says nothing about backup"),
        (lint("CKV_AWS_115", "F"), Status.NOT_APPLICABLE, "it says nothing about backup"),
    ],
)
def test_only_what_is_about_backup_counts(objection: Lint, status: Status, note: str | None) -> None:
    [one] = merged([], [objection], KINDS, OWNERS)
    assert (one.status, one.notes) == (status, (note,) if note else ())


def test_where_the_policy_asks_for_something_else_the_policy_decides() -> None:
    found = merged([ours("VLT-02", Status.PASS)], [lint("CKV_AWS_166")], KINDS, OWNERS)
    assert only(found, "checkov:CKV_AWS_166").status is Status.NOT_APPLICABLE


def test_three_lines_of_one_resource_are_one_finding() -> None:
    found = merged([], [lint("E3012", tool="cfn-lint", line=line) for line in (3, 4, 9)], KINDS, OWNERS)
    assert [one.at for one in found] == ["a.yaml line 3, 4, 9"]


def test_cfn_lint_says_which_resource() -> None:
    found = cfn_lint.lints([spec((LAB.parent / "template.yaml").read_text(), file=str(LAB.parent / "template.yaml"))])
    assert [(one.control, one.logical_id, one.line) for one in found if one.rule == "E3504"] == [
        ("cfn-lint:E3504", "BackupPlan", 48)
    ]


TOPIC = "Resources: {Failures: {Type: AWS::SNS::Topic, Properties: {Name: failures}}}\n"


def test_cfn_lint_tells_templates_apart(tmp_path: Path) -> None:
    """Together or one by one is the same, and a file's name is no pattern."""
    lab = (LAB.parent / "template.yaml").read_text()
    files = [tmp_path / "a[1].yaml", tmp_path / "b.yaml", tmp_path / "c.yaml"]
    for file, body in zip(files, (lab, TOPIC, lab.replace("BackupPlan:", "Nightly:")), strict=True):
        file.write_text(body)
    regions = ("us-east-1", "us-west-2", "us-east-1")
    stacks = [
        spec(one.read_text(), file=str(one), region=at, name=one.stem[0])
        for one, at in zip(files, regions, strict=True)
    ]
    together = cfn_lint.lints(stacks)
    assert {one.file for one in together} == {str(file) for file in files}
    assert sorted(together, key=repr) == sorted((one for stack in stacks for one in cfn_lint.lints([stack])), key=repr)


def test_checkov_sees_none_of_our_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "BC_API_KEY", "PRISMA_API_URL", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "secret")
    program = tmp_path / "checkov"
    program.write_text("#!/bin/sh\nenv >&2\necho no report\nexit 3\n")
    program.chmod(0o755)
    running = checkov.start(program, [spec(text("dr"), name="dr")])
    with pytest.raises(Error, match="ended with 3 and no report"):
        running.lints()
    running.errors.seek(0)
    assert b"secret" not in running.errors.read()
    running.stop()


@pytest.fixture
def real() -> Path:
    found = checkov.find(None)
    assert found is not None, "tox -e gate installs checkov"
    return found


@pytest.mark.checkov
def test_checkov_calls_nobody(real: Path) -> None:
    """Every request would go to a proxy that listens here; without --skip-download one does."""
    template = str(ROOT / "fixtures" / "templates" / "lab" / "template.yaml")
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    heard.append(connection.recv(200))

        thread = threading.Thread(target=listen)
        thread.start()
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
        environment = {**os.environ, "HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "https_proxy": proxy}
        try:
            quiet = checkov.command(real, [template])
            subprocess.run(quiet, env=environment, capture_output=True, timeout=280, check=False)
            with_skip = list(heard)
            loud = [part for part in quiet if part != "--skip-download"]
            subprocess.run(loud, env=environment, capture_output=True, timeout=280, check=False)
        finally:
            done.set()
            thread.join()
    assert with_skip == []
    assert heard != []


@pytest.mark.checkov
def test_what_checkov_passes_unresolved_is_no_pass(real: Path, tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    path.write_text(
        "Parameters: {On: {Type: String}}\n"
        "Resources:\n"
        "  Products:\n"
        "    Type: AWS::DynamoDB::Table\n"
        "    Properties:\n"
        "      TableName: techmoda-products\n"
        "      BillingMode: PAY_PER_REQUEST\n"
        "      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]\n"
        "      KeySchema: [{AttributeName: id, KeyType: HASH}]\n"
        "      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: !Ref On}\n"
    )
    stacks = (spec(path.read_text(), file=str(path)),)
    with checkov.at_work(real, stacks) as running:
        found = judge(stacks, policy(), NOW, running=running).run.findings
    assert [one for one in found if one.control.startswith("checkov:") and one.status is Status.PASS] == []
    assert [one.status for one in found if one.control == "PIT-01"] == [Status.UNKNOWN]
