"""What is said of a stack that is nested in another stands in its own file."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gate.building import ACCOUNT, judged, only

from backcheck.finding import Finding, Location, Status
from backcheck.gate.stacks import StackSpec
from backcheck.template.load import load

PARENT = """\
Resources:
  First: {Type: AWS::SNS::Topic}
  Middle:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: middle.yaml}
"""
MIDDLE = """\
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./inner.yaml
"""
VAULT = """\
Resources:
  Vault:
    Type: AWS::Backup::BackupVault
    Properties:
      BackupVaultTags: {Team: platform}
      BackupVaultName: %s
"""
CASES = {
    "a service refuses": (VAULT % "'not a name'", Status.FAIL, 6, "BackupVaultName"),
    "CloudFormation refuses": (VAULT % "!Ref Nothing", Status.FAIL, 6, "Unresolved resource dependencies [Nothing]"),
    "an import of nothing": (VAULT % "!ImportValue other", Status.UNKNOWN, 6, "no export named other"),
    "a template at a URL": (
        MIDDLE.replace("./inner.yaml", "https://bucket.s3.amazonaws.com/a.yaml"), Status.UNKNOWN, 2, "is not at hand"),
    "an output of nothing": (
        f"{VAULT % 'good'}Outputs:\n  Name:\n    Value: !Select [3, !Split [',', !Ref Vault]]\n", Status.FAIL, 8,
        "Output Name"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_finding_on_a_nested_stack_names_the_nested_file_and_its_line(case: str, tmp_path: Path) -> None:
    inner, status, line, words = CASES[case]
    told = _told(tmp_path, inner)
    assert told.status is status, told.message
    assert words in told.message
    assert told.resource == f"template:{tmp_path / 'parent.yaml'}"
    assert told.location == Location(file=str(tmp_path / "inner.yaml"), line=line)


def _told(folder: Path, inner: str) -> Finding:
    for name, text in {"parent.yaml": PARENT, "middle.yaml": MIDDLE, "inner.yaml": inner}.items():
        (folder / name).write_text(text)
    template = load(folder / "parent.yaml")
    spec = StackSpec(name="parent", template=template, account=ACCOUNT, region="us-east-1")
    return only(judged(spec).run.findings, "TPL-01")
