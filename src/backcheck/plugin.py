"""pytest's way into the suite: options, the `claim` fixture, the `controls` mark. Does nothing without `--policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from backcheck.suite import Claim

MARK = "controls(*ids): the controls that a test of the compliance suite asserts, by id; see backcheck controls"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's options. Those that other plugins also like to have are prefixed."""
    group = parser.getgroup("backcheck", "backcheck: prove that backups are what the policy says")
    group.addoption("--policy", metavar="FILE", help="the policy; without it the suite does nothing")
    group.addoption("--live", action="store_true", help="audit AWS itself")
    group.addoption("--endpoint-url", metavar="URL", help="audit what answers there")
    group.addoption("--sandbox", metavar="SCENARIO", help="audit the embedded account of a scenario, by file or name")
    group.addoption("--snapshot", metavar="FILE", help="audit an inventory that was taken before")
    group.addoption("--aws-profile", metavar="NAME", help="the AWS profile to use")
    group.addoption("--aws-role-arn", metavar="ARN", help="the role to assume in the primary account")
    group.addoption("--aws-region", metavar="REGION", action="append", default=[], help="look here as well")
    group.addoption("--at", metavar="TIME", help="judge as of this time instead of when the snapshot was taken")
    group.addoption("--baseline", metavar="FINDINGS", help="an earlier findings.json: only what is new or worse blocks")
    group.addoption("--controls", metavar="FILE", action="append", default=[], help="controls of your own, in Python")
    group.addoption("--drills", metavar="FILE", help="the drill history; drills.jsonl in --out where it is not given")
    group.addoption("--allow-destructive", action="store_true", help="let tests_restore make tables and delete them")
    group.addoption("--out", metavar="DIR", help="write findings.json, report.html, junit.xml and the snapshot there")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Take the snapshot before anything is collected, so that collection reads a file and is the same everywhere."""
    config.addinivalue_line("markers", MARK)
    if config.getoption("policy"):
        from backcheck.suite import prepare, start

        prepare(config) if config.getoption("allow_destructive") else start(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The compliance suite without a policy asserts nothing: say so, instead of passing."""
    if "claim" in metafunc.fixturenames and metafunc.config.getoption("allow_destructive"):
        raise pytest.UsageError("the compliance suite only reads: run it apart from --allow-destructive")
    if "claim" in metafunc.fixturenames and not metafunc.config.getoption("policy"):
        raise pytest.UsageError(f"{metafunc.module.__name__} needs a policy: pytest --policy FILE and an account")


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> Claim:
    """What one control found on one resource. UNKNOWN is an error, waived an xfail, not applicable a skip."""
    found: Claim = request.param
    request.node.user_properties.append(("finding", found.key))
    found.settle()
    return found
