"""The destructive tier as users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TECHMODA = ["--policy", "policies/techmoda.yaml"]


def tier(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_named_but_not_allowed_it_says_why_it_does_nothing() -> None:
    found = tier("tests_restore", *TECHMODA, "--sandbox", "techmoda", "-k", "pitr")
    assert found.returncode != 0
    assert "say --allow-destructive" in found.stdout
    assert "passed" not in found.stdout


def test_not_named_it_is_left_out() -> None:
    found = tier("--collect-only", "-q", "--ignore=tests", "--ignore=tests_policy", "--ignore=benchmarks", ".")
    assert "tests_restore" not in found.stdout
    assert "deselected" in found.stdout


def test_a_restore_that_cannot_be_done_breaks_its_promises(tmp_path: Path) -> None:
    found = tier(
        "tests_restore", *TECHMODA, "--sandbox", "pitr-off", "--allow-destructive", "--out", str(tmp_path), "-k", "pitr"
    )
    assert found.returncode == 1
    assert "test_it_comes_back[pitr]" in found.stdout
    assert "point-in-time recovery is off" in found.stdout
    assert (tmp_path / "junit.xml").is_file()


def test_the_read_only_suite_is_run_apart(tmp_path: Path) -> None:
    found = tier("tests_policy", *TECHMODA, "--sandbox", "techmoda", "--allow-destructive", "--out", str(tmp_path))
    assert found.returncode != 0
    assert "run it apart" in found.stdout + found.stderr


@pytest.mark.parametrize("argument", ["-n2"])
def test_workers_do_not_drill_each_for_itself(tmp_path: Path, argument: str) -> None:
    found = tier(
        "tests_restore", *TECHMODA, "--sandbox", "techmoda", "--allow-destructive", "--out", str(tmp_path), argument
    )
    assert found.returncode != 0
    assert "without -n" in found.stdout
    assert not (tmp_path / "ledgers").exists()
