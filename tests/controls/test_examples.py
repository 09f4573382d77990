"""Every control's own examples are its tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from _pytest.mark import ParameterSet

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import AnyControl, Reads, World
from backcheck.evaluate import evaluate
from backcheck.finding import Finding, Status

Build = Callable[[], World]


def _cases(kind: str) -> list[ParameterSet]:
    return [
        pytest.param(one, build, id=f"{one.id}-{name}")
        for one in CONTROLS
        for name, build in getattr(one, kind).items()
    ]


def _findings(one: AnyControl, build: Build) -> tuple[Finding, ...]:
    return evaluate(build(), [one])


@pytest.mark.parametrize(("one", "build"), _cases("passes"))
def test_a_passing_example_passes(one: AnyControl, build: Build) -> None:
    findings = _findings(one, build)
    assert Status.PASS in {finding.status for finding in findings}
    assert not [f"{f.resource} {f.tier} {f.message}" for f in findings if f.status in (Status.FAIL, Status.UNKNOWN)]


@pytest.mark.parametrize(("one", "build"), _cases("fails"))
def test_a_failing_example_fails_and_says_so(one: AnyControl, build: Build) -> None:
    failed = [finding for finding in _findings(one, build) if finding.status is Status.FAIL]
    assert failed
    for finding in failed:
        assert len(finding.message) > 15
        assert finding.expected
        assert finding.observed
        assert finding.at
        assert finding.resource


@pytest.mark.parametrize(("one", "build"), _cases("unknown"))
def test_an_unknown_example_is_unknown_and_says_where(one: AnyControl, build: Build) -> None:
    findings = _findings(one, build)
    unknown = [finding for finding in findings if finding.status is Status.UNKNOWN]
    assert unknown
    assert all(finding.at and finding.message and "control itself failed" not in finding.message for finding in unknown)
    assert not [finding.message for finding in findings if finding.status is Status.FAIL]


@pytest.mark.parametrize("one", CONTROLS, ids=lambda one: one.id)
def test_a_control_of_templates_says_what_it_reads_there(one: AnyControl) -> None:
    """Without it no doubt about a template would reach its PASS."""
    assert bool(one.in_template) is (Reads.TEMPLATE in one.reads)
    assert all(
        pointer == "" or pointer.startswith("/") for pointers in one.in_template.values() for pointer in pointers
    )


@pytest.mark.parametrize("one", CONTROLS, ids=lambda one: one.id)
def test_the_record_is_whole(one: AnyControl) -> None:
    assert one.passes
    assert one.fails
    assert bool(one.unknown) is not bool(one.no_unknown), "an unknown example, or why there can be none"
    assert one.why
    assert one.remedy
    assert one.sources
    assert all(url.startswith("https://") for url in one.sources)
    assert one.claim.__doc__


def test_ids_are_unique_and_in_order() -> None:
    ids = [one.id for one in CONTROLS]
    assert len(set(ids)) == len(ids)


def test_the_example_world_is_compliant() -> None:
    bad = {Status.FAIL, Status.UNKNOWN}
    assert not [f"{f.control} {f.resource} {f.tier}: {f.message}" for f in _all() if f.status in bad]


def test_the_example_world_stands_at_a_known_moment() -> None:
    assert isinstance(examples.NOW, datetime)
    assert examples.NOW.tzinfo is not None


def test_findings_can_be_told_apart() -> None:
    """Baselines and waivers know a finding by control, resource and tier."""
    keys = [finding.key for finding in _all()]
    assert len(set(keys)) == len(keys)


def _all() -> tuple[Finding, ...]:
    return evaluate(examples.world(), CONTROLS)
