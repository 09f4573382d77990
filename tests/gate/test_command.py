"""`backcheck gate` from end to end, and every input that is no template."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import orjson
import pytest
import yaml
from tests.gate.building import ROOT

from backcheck.cli import run

POLICY = str(ROOT / "policies" / "techmoda.yaml")
BAD = ROOT / "fixtures" / "templates" / "bad"
LAB = ROOT / "fixtures" / "templates" / "lab" / "mutations"
NOTHING: dict[str, dict[str, list[object]]] = {"results": {"failed_checks": [], "parsing_errors": []}}


@pytest.fixture
def checkov(tmp_path: Path) -> Path:
    """A program that answers as checkov does and finds nothing."""
    return program(tmp_path, NOTHING)


def program(folder: Path, report: object, code: int = 0) -> Path:
    path = folder / "checkov"
    answer = json.dumps(report) if not isinstance(report, str) else report
    path.write_text(f"#!/bin/sh\necho \"$@\" > '{folder}/arguments'\ncat <<'END'\n{answer}\nEND\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def gate(tmp_path: Path, *arguments: str) -> int:
    return run(["gate", "--policy", POLICY, "--at", "2026-11-22", "--out", str(tmp_path / "out"), *arguments])


HUGE = "Resources:\n" + "".join(f"  R{i}: {{Type: AWS::SNS::Topic}}\n" for i in range(501))
CASES: dict[str, tuple[str, str | bytes, str]] = {
    "broken YAML": ("a.yaml", "Resources:\n  A: [1\n", "not valid YAML or JSON"),
    "broken JSON": ("a.json", '{"Resources": {"A": ', "not valid YAML or JSON"),
    "empty": ("a.yaml", "", "not a CloudFormation template"),
    "no resources": ("a.yaml", "Resources: {}\n", "At least one Resources member"),
    "a list": ("a.yaml", "- a\n- b\n", "top level must be a map"),
    "not text": ("a.yaml", b"\xff\xfe\x00R", "is not UTF-8 text"),
    "too large": ("a.yaml", "# " + "x" * 1_048_576, "CloudFormation takes at most"),
    "a macro": ("a.yaml", (BAD / "macro.yaml").read_text(), "macro MyCompanyMacro can be expanded in an account only"),
    "terraform": ("main.tf", (BAD / "main.tf").read_text(), "is Terraform"),
    "terraform as JSON": ("a.json", '{"resource": {"aws_backup_vault": {}}}', "is Terraform"),
    "a key twice": ("a.yaml", (BAD / "duplicate-key.yaml").read_text(), "is given twice"),
    "nested stack missing": (
        "a.yaml", (BAD / "nested-stack-missing.yaml").read_text(), "a.yaml:5: nested template "),
    "an unknown function": ("a.yaml", "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: !Nope x}\n", "unknown tag"),
    "deep nesting": ("a.yaml", "Resources: " + "[" * 3000 + "]" * 3000, "nested"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_template_is_told_and_is_exit_4(
    case: str, tmp_path: Path, checkov: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, message = CASES[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert gate(tmp_path, str(path), "--checkov", str(checkov)) == 4
    told = capsys.readouterr().err
    assert message in told
    assert name in told
    assert "Traceback" not in told
    assert "internal error" not in told


IN_TWO = "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref B}}\n  B: {Type: AWS::SNS::Topic}\n"
OFF = "Conditions: {Never: !Equals [a, b]}\n"
REFUSED: dict[str, tuple[str, str, int]] = {
    "too many resources": (HUGE, "501 resources; CloudFormation takes at most 500", 2),
    "a reference to nothing": (
        IN_TWO.replace("B:", "C:"), "Unresolved resource dependencies [B]: the template has no such resource", 2),
    "a reference to what a condition leaves out": (
        OFF + IN_TWO.replace("B: {", "B: {Condition: Never, "),
        "Unresolved resource dependencies [B]: its condition is false", 3),
    "an output of what a condition leaves out": (
        OFF + "Resources:\n  A: {Type: AWS::SNS::Topic}\n  B: {Type: AWS::SNS::Topic, Condition: Never}\nOutputs:\n"
        "  Arn:\n    Value: !Ref B\n", "its condition is false", 7),
    "resources in a circle": (
        IN_TWO.replace("B: {Type: AWS::SNS::Topic}", "B: {Type: AWS::SNS::Topic, DependsOn: A}"),
        "Circular dependency between resources: [A, B]", 2),
    "a condition that there is not": (
        IN_TWO.replace("B: {", "B: {Condition: No, "), "Unresolved condition dependency No", 3),
    "a default of the wrong type": (
        f"Parameters:\n  Days: {{Type: Number, Default: abc}}\n{IN_TWO}", "parameter Days: 'abc' must be a number", 2),
    "a function of Rules outside": (IN_TWO.replace("!Ref B", "!Contains [[a], a]"), "unknown function Fn::Contains", 2),
    "SAM that SAM refuses": (
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {Type: AWS::Serverless::Function,"
        " Properties: {Runtime: 3, Events: 7}}\n", "SAM cannot be expanded", 3),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cloudformation_refuses_before_it_begins_is_a_finding_with_its_line(
    case: str, tmp_path: Path, checkov: Path
) -> None:
    content, message, line = REFUSED[case]
    path = tmp_path / "a.yaml"
    path.write_text(content)
    assert gate(tmp_path, str(path), "--checkov", str(checkov)) == 1
    document = orjson.loads((tmp_path / "out" / "findings.json").read_bytes())
    [told] = [one for one in document["findings"] if one["control"] == "TPL-01"]
    assert told["status"] == "fail"
    assert message in told["message"]
    assert told["location"] == {"file": str(path), "line": line}
    assert {one["status"] for one in document["findings"] if one["control"] == "PLN-01"} == {"unknown"}


@pytest.mark.parametrize("kind", ["a device", "a pipe"])
def test_a_template_that_is_no_regular_file_is_not_read(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.yaml"
    if kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path)
    assert gate(tmp_path, str(path)) == 4
    assert "a.yaml: cannot be read: it is no regular file" in capsys.readouterr().err


WRONG = {
    "no such file": (["nothing.yaml"], "cannot be read"),
    "a region of nobody": ([f"{LAB}/00.yaml@eu-west-1"], "region eu-west-1 is not the policy's"),
    "an account of nobody": ([f"{LAB}/00.yaml@other/us-east-1"], "account other is not the policy's"),
    "one name twice": ([f"a={LAB}/00.yaml", f"a={LAB}/01.yaml"], "two stacks are named a"),
    "a parameter of nobody": ([f"{LAB}/00.yaml", "--parameter", "X=1"], "no parameter that any template has"),
    "a parameter of no stack": ([f"{LAB}/00.yaml", "--parameter", "b.X=1"], "there is no stack b"),
    "a parameter without a value": ([f"{LAB}/00.yaml", "--parameter", "X"], "not of the form NAME=VALUE"),
    "no checkov there": ([f"{LAB}/00.yaml", "--checkov", "/nothing"], "no program that can be run"),
    "no snapshot there": ([f"{LAB}/00.yaml", "--against", "/nothing"], "cannot be read"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_is_exit_4(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, message = WRONG[case]
    assert gate(tmp_path, *arguments) == 4
    assert message in capsys.readouterr().err


def test_a_gate_writes_its_evidence_and_annotates(
    tmp_path: Path, checkov: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.chdir(ROOT)
    assert gate(tmp_path, f"techmoda={LAB}/01.yaml", "--checkov", str(checkov)) == 1
    told = capsys.readouterr().out
    assert f"::error file={LAB.relative_to(ROOT)}/01.yaml,line=18,title=PIT-01 fail::" in told
    assert "SIMULATED" in told
    lines = told.splitlines()
    [failed] = [number for number, line in enumerate(lines) if line.startswith("FAIL    PIT-01 ")]
    assert lines[failed + 1].strip() == f"at: {LAB}/01.yaml:18"
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} >= {"findings.json", "findings.sarif", "junit.xml", "report.html"}
    document = orjson.loads((out / "findings.json").read_bytes())
    assert document["run"]["accounts"] == [
        {"kind": "template", "id": "123456789012", "regions": ["us-east-1"], "simulated": True}
    ]
    [pitr] = [one for one in document["findings"] if one["control"] == "PIT-01"]
    assert pitr["location"] == {"file": f"{LAB}/01.yaml", "line": 18}
    assert "simulated" in (out / "report.html").read_text().lower()


@pytest.mark.parametrize(("mark", "end"), [("\ufeff", "\n"), ("", "\r\n"), ("\ufeff", "\r\n")])
def test_a_file_from_windows_is_judged_like_any_other(mark: str, end: str, tmp_path: Path, checkov: Path) -> None:
    path = tmp_path / "techmoda.yaml"
    path.write_bytes((mark + (LAB / "01.yaml").read_text().replace("\n", end)).encode())
    assert gate(tmp_path, str(path), "--checkov", str(checkov)) == 1
    document = orjson.loads((tmp_path / "out" / "findings.json").read_bytes())
    [pitr] = [one for one in document["findings"] if one["control"] == "PIT-01"]
    assert (pitr["status"], pitr["location"]["line"]) == ("fail", 18)


def test_a_date_that_is_none_fails(tmp_path: Path, checkov: Path) -> None:
    path = tmp_path / "techmoda.yaml"
    path.write_text(
        (LAB / "00.yaml").read_text().replace("Resources:\n", "Metadata: {Due: 2026-13-45}\nResources:\n", 1)
    )
    assert gate(tmp_path, str(path), "--checkov", str(checkov)) == 1
    document = orjson.loads((tmp_path / "out" / "findings.json").read_bytes())
    [told] = [one for one in document["findings"] if one["control"] == "cfn-lint:E0000"]
    assert (told["status"], "month must be in 1..12" in told["message"]) == ("fail", True)


def test_sarif_names_files_from_the_root_of_the_repository(
    tmp_path: Path, checkov: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    infra = tmp_path / "infra"
    infra.mkdir()
    (tmp_path / ".git").mkdir()
    (infra / "techmoda.yaml").write_text((LAB / "01.yaml").read_text())
    monkeypatch.chdir(infra)
    assert gate(tmp_path, str(infra / "techmoda.yaml"), "--checkov", str(checkov)) == 1
    document = orjson.loads((tmp_path / "out" / "findings.sarif").read_bytes())
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"] for one in document["runs"][0]["results"]]
    assert {"uri": "infra/techmoda.yaml", "uriBaseId": "%SRCROOT%"} in places


def test_all_templates_go_to_checkov_at_once_and_offline(tmp_path: Path, checkov: Path) -> None:
    arguments = [f"a={LAB}/00.yaml", f"b={BAD}/../shapes/simple-table.yaml@dr", "--checkov", str(checkov)]
    gate(tmp_path, *arguments)
    said = (tmp_path / "arguments").read_text()
    assert said.count("--file") == 2
    assert "--skip-download" in said


@pytest.mark.parametrize(("report", "code"), [("", 1), ("no JSON", 0), ("[", 2)])
def test_a_checkov_that_breaks_is_unknown(tmp_path: Path, report: str, code: int) -> None:
    assert gate(tmp_path, f"techmoda={LAB}/00.yaml", "--checkov", str(program(tmp_path, report, code))) != 0
    document = orjson.loads((tmp_path / "out" / "findings.json").read_bytes())
    [told] = [one for one in document["findings"] if one["control"] == "checkov"]
    assert told["status"] == "unknown"
    assert "no report" in told["message"]


def test_without_checkov_the_report_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.delenv("BACKCHECK_CHECKOV", raising=False)
    gate(tmp_path, f"techmoda={LAB}/00.yaml")
    document = orjson.loads((tmp_path / "out" / "findings.json").read_bytes())
    [told] = [one for one in document["findings"] if one["control"] == "checkov"]
    assert (told["status"], told["message"]) == ("not_applicable", "checkov was not run: it was not found")


def test_what_the_pipeline_runs_on_our_templates_is_compliant(
    tmp_path: Path, checkov: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The workflow's own words, as .github/workflows/gate.yml, tox, GitLab's example and docs/gate.md all have them."""
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text())["jobs"]["gate"]["steps"]
    [words] = [step["run"].split() for step in steps if step.get("name") == "Gate"]
    called = " ".join(words[words.index("templates/dr.yaml@dr") : words.index("--out")])
    for other in ("tox.ini", "examples/gitlab-ci.yml", "docs/gate.md"):
        assert called in " ".join((ROOT / other).read_text().replace("\\\n", " ").split()), other
    monkeypatch.chdir(ROOT)
    words[words.index("--out") + 1] = str(tmp_path / "out")
    assert run([*words[1:], "--at", "2026-11-22", "--checkov", str(checkov)]) == 0, capsys.readouterr().out
