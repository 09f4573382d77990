"""drill.yaml: its schedule, its build and time, its witness, and who reads its history."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import yaml
from tests.templates.deploying import techmoda
from tests.templates.reading import resources, statements, template

from backcheck.drill.run import REMOVAL_LIMIT


def test_the_drill_has_a_schedule() -> None:
    rule = resources("drill")["DrillScheduleRule"]["Properties"]
    assert rule["ScheduleExpression"] == {"Ref": "DrillSchedule"}
    assert template("drill")["Parameters"]["DrillSchedule"]["Default"] == "cron(0 6 2 * ? *)"


def _build() -> tuple[dict[str, Any], dict[str, str]]:
    """The drill's buildspec, and the text of each of its phases."""
    spec = yaml.safe_load(resources("drill")["DrillProject"]["Properties"]["Source"]["BuildSpec"])
    return spec, {name: "\n".join(phase["commands"]) for name, phase in spec["phases"].items()}


def test_the_drills_build_has_a_python_that_backcheck_runs_on() -> None:
    # https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html: the image's, not its default
    spec, _ = _build()
    assert spec["phases"]["install"]["runtime-versions"] == {"python": "3.13"}
    image = resources("drill")["DrillProject"]["Properties"]["Environment"]["Image"]
    assert image == "aws/codebuild/amazonlinux-aarch64-standard:3.0"


def test_the_drill_is_given_up_before_its_build_is() -> None:
    """A container that CodeBuild ends takes its ledger with it; no page says that any command still runs."""
    spec, commands = _build()
    margin = re.search(
        r'timeout "\$\(\(TIMEOUT_MINUTES - (\d+)\)\)m" /tmp/backcheck/bin/backcheck drill ', commands["build"]
    )
    assert margin
    assert timedelta(minutes=int(margin[1])) > REMOVAL_LIMIT
    [uploaded] = spec["phases"]["build"]["finally"]  # run even if a command in the commands block fails
    assert 'reports/drill "$EVIDENCE/' in uploaded
    parameter = template("drill")["Parameters"]["TimeoutMinutes"]
    rto, drill = techmoda().objectives.rto, techmoda().drill
    assert drill
    assert (rto.pitr_minutes, rto.backup_minutes, rto.dr_minutes) == (240, 240, 480)
    one_after_the_other = (240 + 240 + 480) * len(drill.tables)
    assert parameter["Default"] - int(margin[1]) > one_after_the_other > 0
    assert parameter["MinValue"] > int(margin[1])
    # https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
    assert parameter["Default"] <= parameter["MaxValue"] == 2160


def test_the_drills_witness_is_an_export_that_does_not_stay() -> None:
    project = resources("drill")["DrillProject"]["Properties"]
    variables = {one["Name"]: one["Value"] for one in project["Environment"]["EnvironmentVariables"]}
    assert variables["WITNESS"] == {"Ref": "WitnessBucket"}
    assert '--witness-bucket "$WITNESS"' in _build()[1]["build"]
    witness = resources("drill")["WitnessBucket"]["Properties"]
    assert "ObjectLockEnabled" not in witness
    [rule] = witness["LifecycleConfiguration"]["Rules"]
    longest_build = template("drill")["Parameters"]["TimeoutMinutes"]["MaxValue"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 2)
    assert rule["ExpirationInDays"] * 24 * 60 > longest_build
    [encryption] = witness["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": ["WitnessKey", "Arn"]}


def test_the_auditor_reads_the_drills_history_and_no_items() -> None:
    auditor = {"AWS": {"Ref": "AuditorRoleArn"}}
    granted = [
        (key, one["Action"], one["Resource"]) for key, one in statements("drill") if one.get("Principal") == auditor
    ]
    assert granted == [
        ("EvidenceKey", "kms:Decrypt", "*"),
        ("EvidenceBucketPolicy", "s3:ListBucket", {"Fn::GetAtt": ["EvidenceBucket", "Arn"]}),
        ("EvidenceBucketPolicy", "s3:GetObject", {"Fn::Sub": "${EvidenceBucket.Arn}/drills/*"}),
    ]
    # the key of the exports is another one
    assert "AuditorRoleArn" not in str(resources("drill")["WitnessKey"])
