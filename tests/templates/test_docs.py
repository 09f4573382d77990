from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.templates.reading import FOLDER, NAMES, template

DEPLOY = (FOLDER.parent / "docs" / "deploy.md").read_text()


def test_the_steps_are_those_that_the_templates_need() -> None:
    steps = DEPLOY.partition("## In this order")[2].partition("## What happens when")[0]
    deployed = re.findall(r"(?:-t|--template-file) templates/([a-z-]+)\.yaml", steps)
    assert deployed == ["dr", "primary", "restore-testing", "auditor", "drill"]
    assert steps.index("update-region-settings") < steps.index("templates/dr.yaml")
    assert steps.index("make package") < steps.index("templates/dr.yaml")
    assert "Confirm both subscriptions" in steps


def test_every_parameter_without_a_default_is_given() -> None:
    for name in NAMES:
        command = re.search(rf"templates/{name}\.yaml(?:.*\\\n)*.*", DEPLOY.partition("## In this order")[2])
        assert command
        for parameter, told in template(name)["Parameters"].items():
            assert "Default" in told or f"{parameter}=" in command[0], f"{name} {parameter}"


def test_a_named_role_asks_for_the_capability() -> None:
    for name in NAMES:
        named = any("RoleName" in one.get("Properties", {}) for one in template(name)["Resources"].values())
        command = re.search(rf"templates/{name}\.yaml.*", DEPLOY.partition("## In this order")[2])
        assert command
        assert ("CAPABILITY_NAMED_IAM" in command[0]) is named, name


def test_what_is_named_in_the_text_is_what_the_templates_make() -> None:
    for function in re.findall(r"--function-name (\S+)", DEPLOY):
        made = [
            one["Properties"]["FunctionName"]["Fn::Sub"].replace("${Prefix}", "techmoda")
            for name in NAMES
            for one in template(name)["Resources"].values()
            if one["Type"] == "AWS::Serverless::Function"
        ]
        assert function in made


def test_the_drills_zip_is_all_that_its_build_installs(tmp_path: Path) -> None:
    found = re.search(r"zip -qr backcheck\.zip (.*?) &&", DEPLOY)
    assert found
    unzipped, wheels = tmp_path / "unzipped", tmp_path / "wheels"
    unzipped.mkdir()
    for name in found[1].split():
        one = FOLDER.parent / name
        left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.so")
        if one.is_dir():
            shutil.copytree(one, unzipped / name, ignore=left_out)
        else:
            shutil.copy(one, unzipped / name)
    assert (unzipped / template("drill")["Parameters"]["PolicyPath"]["Default"]).is_file()
    assert (unzipped / "requirements" / "dev.txt").is_file()
    built = subprocess.run(
        [sys.executable, "-c", f"import setuptools.build_meta as build; build.build_wheel({str(wheels)!r})"],
        cwd=unzipped,
        env=os.environ | {"CC": "false"},  # the compiled module is optional, and takes the longest
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = wheels.glob("*.whl")
    with ZipFile(wheel) as held:
        assert "backcheck/suites/tests_restore/__init__.py" in held.namelist()


def test_what_may_be_passed_over_in_a_rollback_is_the_restore_test() -> None:
    [skipped] = re.findall(r"--resources-to-skip (\S+)", DEPLOY)
    assert template("restore-testing")["Resources"][skipped]["Type"] == "Custom::TestRestore"
    assert "RestoreTestRun" in template("restore-testing")["Parameters"]


def test_the_outputs_that_pipelines_want_are_the_drills() -> None:
    for output in ("EvidenceBucketName", "WitnessBucketName"):
        assert f"`{output}`" in DEPLOY
        assert output in template("drill")["Outputs"]
    drill = re.search(r"--template-file templates/drill\.yaml(?:.*\\\n)*.*", DEPLOY)
    assert drill
    assert "AuditorRoleArn=" in drill[0]
