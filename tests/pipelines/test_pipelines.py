"""Pipelines run with other people's code and with our roles: pinned, and with no right that they do not need."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from backcheck.cli import run
from backcheck.controls import examples
from backcheck.drill import history
from backcheck.drill.run import REMOVAL_LIMIT

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, ROOT / "examples" / "gitlab-ci.yml", ROOT / ".pre-commit-hooks.yaml"]
CONTRACT = {
    "check": {"--policy", "--live", "--drills", "--out"},
    "gate": {"--policy", "--parameters", "--out"},
    "drill": {"--policy", "--live", "--method", "--dry-run", "--allow-destructive", "--witness-bucket", "--out"},
    "policy lint": set(),
}
"""The commands that pipelines call, and the options that they use of them."""


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_there_are_four_workflows() -> None:
    assert [path.stem for path in WORKFLOWS] == ["audit", "ci", "drill", "gate"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_digest_and_say_their_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for line in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_digest_everywhere() -> None:
    pins = {line for path in WORKFLOWS for line in re.findall(r"uses: (.*)", path.read_text())}
    assert len({line.partition("@")[0] for line in pins}) == len(pins)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_permitted_but_by_the_job_that_needs_it(path: Path) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        rights = job["permissions"]
        assert rights.pop("contents") == "read"
        assert set(rights) <= {"security-events", "actions", "id-token"}
        # both are upload-sarif's; the second in private repositories:
        # https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/uploading-a-sarif-file-to-github
        assert ("security-events" in rights) is ("actions" in rights) is (path.stem == "gate")
        assert rights.get("actions", "read") == "read"
        assert ("id-token" in rights) is (path.stem in ("audit", "drill"))
        assert job["timeout-minutes"] <= 360
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_text_of_others_reaches_a_shell(path: Path) -> None:
    for job in loaded(path)["jobs"].values():
        for step in job["steps"]:
            for expression in re.findall(r"\$\{\{(.*?)\}\}", step.get("run", "")):
                assert expression.strip().startswith("matrix."), expression


def texts(value: object) -> Iterator[str]:
    """Every text in a loaded file; folded lines are one line by then."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for child in value.values() if isinstance(value, dict) else value:
            yield from texts(child)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_are_called_as_their_contract_names_them(path: Path) -> None:
    lines = [line for text in texts(loaded(path)) for line in text.splitlines()]
    calls = [re.match(r"(?:timeout \d+m )?backcheck ((?:policy )?[a-z]+)(.*)", line) for line in lines]
    found = [(call[1], set(re.findall(r"--[a-z-]+", call[2]))) for call in calls if call]
    assert found or path.stem == "ci"
    for command, options in found:
        assert options <= CONTRACT[command], command


def test_templates_are_gated_in_the_order_in_which_they_are_deployed() -> None:
    gate = (ROOT / ".github" / "workflows" / "gate.yml").read_text()
    named = re.findall(r"templates/([a-z-]+)\.yaml", gate)
    assert named == ["dr", "primary", "restore-testing", "auditor", "drill"]


def test_only_a_drill_is_told_that_it_may_restore() -> None:
    for path in FILES:
        assert ("--allow-destructive" in path.read_text()) is (path.stem in ("drill", "gitlab-ci"))


def lines_of(path: Path, job: str) -> list[str]:
    """The shell lines of a job, folded lines as one."""
    if path in WORKFLOWS:
        return [line for step in loaded(path)["jobs"][job]["steps"] for line in step.get("run", "").splitlines()]
    return [line for text in loaded(path)[job]["script"] for line in text.splitlines()]


GITLAB = ROOT / "examples" / "gitlab-ci.yml"
DRILL = ROOT / ".github" / "workflows" / "drill.yml"
AUDIT = ROOT / ".github" / "workflows" / "audit.yml"
GATE = ROOT / ".github" / "workflows" / "gate.yml"


@pytest.mark.parametrize(("path", "limit_minutes"), [(DRILL, 355), (GITLAB, 24 * 60)], ids=["github", "gitlab"])
def test_a_drill_has_a_witness_and_time_to_clean_up(path: Path, limit_minutes: int) -> None:
    job = loaded(path)["jobs"]["drill"] if path in WORKFLOWS else loaded(path)["drill"]
    assert job.get("timeout-minutes", job.get("timeout")) in (limit_minutes, f"{limit_minutes // 60} hours")
    drills = [line for line in lines_of(path, "drill") if "--live" in line]
    assert drills
    assert all('--witness-bucket "$WITNESS_BUCKET"' in line for line in drills)
    [real] = [line for line in drills if "--allow-destructive" in line]
    given_up = re.match(r"timeout (\d+)m backcheck drill ", real)
    assert given_up
    assert int(given_up[1]) + REMOVAL_LIMIT / timedelta(minutes=1) < limit_minutes


def test_each_method_has_a_job_of_a_hosted_runner() -> None:
    job = loaded(DRILL)["jobs"]["drill"]
    policy = yaml.safe_load((ROOT / "policies" / "techmoda.yaml").read_text())
    assert job["strategy"]["matrix"]["method"] == policy["drill"]["methods"]
    assert job["strategy"]["fail-fast"] is False
    assert job["strategy"]["max-parallel"] == 1


@pytest.mark.parametrize("path", [DRILL, GITLAB], ids=["github", "gitlab"])
def test_a_drills_history_goes_where_the_audit_looks(path: Path) -> None:
    kept = [line for line in lines_of(path, "drill") if "aws s3 cp" in line]
    assert [re.findall(r"reports/drill \"(s3://\$EVIDENCE_BUCKET/drills/)", line) for line in kept] == [
        ["s3://$EVIDENCE_BUCKET/drills/"]
    ]
    spec = (ROOT / "templates" / "drill.yaml").read_text()
    assert "s3://${EvidenceBucket}/drills" in spec


def fake_aws(folder: Path, bucket: Path) -> Path:
    """`aws s3 sync`, of a bucket that is a folder; what it is asked for beside drills.jsonl it would bring, too."""
    path = folder / "aws"
    path.write_text(
        "#!/bin/sh\n"
        '[ "$1 $2 $3" = "s3 sync s3://the-bucket/drills/" ] || { echo "asked for $*" >&2; exit 1; }\n'
        '[ "$5 $6 $7 $8" = "--exclude * --include */drills.jsonl" ] || { echo "asked for $*" >&2; exit 1; }\n'
        f'cp -r {bucket}/. "$4"\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("drilled", [("2026-11-02T0600Z-1", "2026-12-02T0600Z-2"), ()], ids=["twice", "never"])
@pytest.mark.parametrize("path", [AUDIT, GITLAB], ids=["github", "gitlab"])
def test_an_audit_is_given_the_history_of_all_drills(path: Path, drilled: tuple[str, ...], tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    for run_id in drilled:
        history.append(bucket / run_id / history.FILE, [examples.drill("pitr", run_id=run_id)])
    aws = fake_aws(tmp_path, bucket)
    lines = [line.replace("/tmp/aws/bin/aws", str(aws)) for line in lines_of(path, "audit")]
    first = lines.index("mkdir -p reports/history")
    [check] = [number for number, line in enumerate(lines) if line.startswith("backcheck check ")]
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, "-eo", "pipefail", "-c", "\n".join(lines[first:check])],
        cwd=tmp_path,
        env=os.environ | {"EVIDENCE_BUCKET": "the-bucket", "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [named] = re.findall(r"--drills (\S+)", lines[check])
    read = history.read(tmp_path / named)
    assert isinstance(read, tuple)
    assert [one.run_id for one in read] == list(drilled)


@pytest.mark.parametrize("path", [GATE, GITLAB], ids=["github", "gitlab"])
def test_checkov_has_an_environment_of_its_own(path: Path) -> None:
    lines = lines_of(path, "gate")
    [made] = [line.split()[3].strip('"') for line in lines if line.startswith("python -m venv ")]
    assert [
        line for line in lines if "checkov.txt" in line and f"{made}/bin/python" in line and "--require-hashes" in line
    ]
    assert f"BACKCHECK_CHECKOV={made}/bin/checkov" in path.read_text().replace(": ", "=")


def test_what_the_gate_reads_starts_it() -> None:
    started = loaded(GATE)[True]["pull_request"]["paths"]  # YAML 1.1 reads `on` as true
    [rule] = loaded(GITLAB)["gate"]["rules"]
    for folder in ("templates", "policies", "examples", "requirements"):
        assert f"{folder}/**" in started
        assert f"{folder}/**/*" in rule["changes"]


def test_the_hook_judges_what_its_documented_arguments_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [hook] = [one for one in loaded(ROOT / ".pre-commit-hooks.yaml") if one["id"] == "backcheck-gate"]
    assert hook["pass_filenames"] is False
    [written] = re.findall(r"```yaml\n(repos:.*?)```", (ROOT / "docs" / "gate.md").read_text(), re.DOTALL)
    [repo] = yaml.safe_load(written)["repos"]
    [arguments] = [one["args"] for one in repo["hooks"] if one["id"] == hook["id"]]
    monkeypatch.chdir(ROOT)
    arguments = [f"--out={tmp_path}" if one.startswith("--out=") else one for one in arguments]
    assert run([*hook["entry"].split()[1:], *arguments, "--at", "2026-11-22"]) == 0, capsys.readouterr().out
