from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import World
from backcheck.errors import Error
from backcheck.finding import Finding, Status
from backcheck.policy.model import Waiver
from functions.validate_backup import WANTED, NotValidated, conclude, judge, needed, policy_path, wanted


def findings(world: World) -> tuple[Finding, ...]:
    assert world.inventory is not None
    return judge(world.policy, world.inventory, world.now, wanted(CONTROLS))


def test_good_backups_are_validated() -> None:
    counts = conclude(findings(examples.world()))
    assert counts["pass"] >= len(WANTED)


BROKEN: dict[str, Callable[[], Mapping[str, Any]]] = {
    "FAIL RP-01 main/daily": lambda: {
        "vaults": (examples.vault(recovery_points=examples.points(examples.of_last_night)),)
    },
    "FAIL PIT-01": lambda: {"tables": (examples.table(pitr=examples.pitr(enabled=False)),)},
    "UNKNOWN RP-01": lambda: {"vaults": (examples.vault(recovery_points=examples.gap("ListRecoveryPoints")),)},
    "UNKNOWN JOB-01": lambda: {"backup_jobs": examples.gap("ListBackupJobs")},
}


@pytest.mark.parametrize("says", BROKEN)
def test_a_missing_backup_is_raised_and_so_is_one_that_cannot_be_seen(says: str) -> None:
    with pytest.raises(NotValidated) as raised:
        conclude(findings(examples.world(primary=BROKEN[says]())))
    assert says in str(raised.value)


def test_nothing_in_scope_is_no_success() -> None:
    world = examples.world(policy=examples.policy(scope={"name": "another"}))
    with pytest.raises(NotValidated):
        conclude(findings(world))
    with pytest.raises(NotValidated, match="nothing in scope"):
        conclude(())


def test_a_waiver_of_another_control_has_no_say_here() -> None:
    today = examples.NOW.date()
    waiver = Waiver(
        index=0,
        control="VLT-03",
        resource=examples.VAULT_ARN,
        owner="operations",
        ticket="T-1",
        reason="The lock comes with the next change",
        granted=today - timedelta(days=1),
        expires=date(today.year + 1, 1, 1),
    )
    world = examples.world(policy=examples.policy(waivers=(waiver,)))
    assert {finding.control for finding in findings(world) if finding.status is not Status.NOT_APPLICABLE} == set(
        WANTED
    )


def test_a_package_without_a_control_does_not_validate() -> None:
    with pytest.raises(Error, match="lacks the controls RP-01"):
        wanted(one for one in CONTROLS if one.id != "RP-01")


def test_the_collector_reads_only_what_validation_needs() -> None:
    asked = needed(examples.policy())
    assert (asked.validation, asked.drill, asked.roles.backup) == (None, None, None)
    assert replace(asked, validation=None).tables == examples.policy().tables


def test_the_packaged_policy_lies_beside_the_code() -> None:
    found = policy_path({"LAMBDA_TASK_ROOT": "/var/task", "POLICY_FILE": "policy.yaml"})
    assert found == Path("/var/task/policy.yaml")
    with pytest.raises(Error, match="no POLICY_FILE"):
        policy_path({})
