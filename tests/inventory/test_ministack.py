"""Another emulator, ministack, in a process of its own: what it does not tell is UNKNOWN with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e import emulators
from tests.inventory.emulated import ACCOUNT, POLICY, fill

from backcheck.accounts import Choice, take
from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.finding import Run, Status
from backcheck.policy.load import load

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL."""
    with emulators.ministack(tmp_path_factory.mktemp("ministack")) as started:
        yield started.url


@pytest.fixture(scope="module")
def judged(ministack: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """An audit of the account by a policy's text; ministack takes a key of twelve digits for the account's id."""

    def judge(text: str) -> Run:
        file: Path = tmp_path_factory.mktemp("policy") / "policy.yaml"
        file.write_text(text)
        policy = load(file)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            inventory = take(Choice(endpoint_url=ministack), policy).inventory
        return audit(World(policy=policy, now=inventory.taken_at, inventory=inventory), CONTROLS, "0" * 64)

    fill(ministack, ACCOUNT)
    return judge


@pytest.fixture(scope="module")
def run(judged: Callable[[str], Run]) -> Run:
    """By the policy as it is."""
    return judged(POLICY)


def test_what_a_reply_lacks_is_unknown_with_the_reason(run: Run) -> None:
    reasons = {one.control: one.message for one in run.findings if one.status is Status.UNKNOWN}
    assert reasons["PIT-02"] == "the reply has no RecoveryPeriodInDays"
    assert reasons["VLT-01"] == "the reply has no VaultState for shop"
    assert reasons["RPO-03"] == "AWS shows no next runs"


def test_nothing_fails_but_what_ministack_says_itself(run: Run) -> None:
    """It stores no access policy and answers, as AWS does, that there is none: a FAIL, which wins over UNKNOWN."""
    assert {one.control for one in run.findings if one.status is Status.FAIL} == {"VLT-04"}
    assert run.simulated
    assert run.summary.exit_code == 1


def test_an_account_that_is_right_as_far_as_ministack_tells_is_exit_2(judged: Callable[[str], Run]) -> None:
    """By a policy that does not ask for what ministack cannot hold."""
    asked = "vaults: {shop: {region: primary, lock: none"
    assert asked in POLICY
    run = judged(POLICY.replace(asked, f"{asked}, deny_deletion: false"))
    assert [f"{one.control}: {one.message}" for one in run.findings if one.status is Status.FAIL] == []
    assert run.summary.unknown
    assert run.summary.exit_code == 2
