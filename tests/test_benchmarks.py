"""`make bench` runs what can be run, and says what cannot."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks import __main__ as bench


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The benchmarks that are begun; each ends well."""
    names: list[str] = []

    def run(command: list[str], **_: Any) -> SimpleNamespace:
        names.append(command[-1].removeprefix("benchmarks."))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    return names


def test_what_is_not_installed_is_left_out_and_named(
    begun: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "find_spec", lambda _name: None)
    assert bench.main([]) == 0
    assert {"gate", "audit_speed", "evaluate"} <= set(begun)
    assert not {"manifest_spark", "manifest_data"} & set(begun)
    assert "left out: pyspark is not installed" in capsys.readouterr().out


def test_what_is_asked_for_is_begun_whatever_is_installed(begun: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "find_spec", lambda _name: None)
    assert bench.main(["manifest_spark"]) == 0
    assert begun == ["manifest_spark"]


def test_what_is_no_benchmark_is_wrong_usage(begun: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["manifest_data"]) == 4
    assert "no such benchmark: manifest_data" in capsys.readouterr().out
    assert begun == []
