"""Every list of AWS Backup gives pages, and the pages are the list."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session

from backcheck.sandbox.operations import OPERATIONS

from .conftest import ACCOUNT, DR, Bench, rule

COUNT = 7

LISTS = {
    "list_backup_vaults": ("BackupVaultList", {}),
    "list_backup_plans": ("BackupPlansList", {}),
    "list_backup_plan_versions": ("BackupPlanVersionsList", {"BackupPlanId": "plan"}),
    "list_backup_selections": ("BackupSelectionsList", {"BackupPlanId": "plan"}),
    "list_backup_jobs": ("BackupJobs", {}),
    "list_copy_jobs": ("CopyJobs", {}),
    "list_recovery_points_by_backup_vault": ("RecoveryPoints", {"BackupVaultName": "vault"}),
    "list_recovery_points_by_resource": ("RecoveryPoints", {"ResourceArn": "table"}),
    "list_protected_resources": ("Results", {}),
    "list_restore_testing_plans": ("RestoreTestingPlans", {}),
    "list_restore_testing_selections": ("RestoreTestingSelections", {"RestoreTestingPlanName": "plan_0"}),
    "list_legal_holds": ("LegalHolds", {}),
    "list_restore_jobs": ("RestoreJobs", {}),
    "list_restore_jobs_by_protected_resource": ("RestoreJobs", {"ResourceArn": "table"}),
}
"""Lists that can be filled; ListTags has a map, and the rest cannot be filled here."""

EMPTY = {"ListFrameworks", "ListReportPlans"}


@pytest.fixture
def full(bench: Bench) -> dict[str, str]:
    """At least seven of everything; what the placeholders above stand for. The restore tests of the second day fail."""
    for number in range(COUNT - 1):
        bench.vault(f"vault-{number}")
        bench.plan(
            {"RuleName": "r", "TargetBackupVaultName": "vault-0", "ScheduleExpression": "cron(0 0 1 1 ? 2030)"},
            name=f"p{number}",
        )
    bench.vault()
    bench.vault("dr", region=DR)
    role = bench.role()
    tables = [bench.table(f"table-{number}") for number in range(COUNT)]
    action = {"DestinationBackupVaultArn": f"arn:aws:backup:{DR}:{ACCOUNT}:backup-vault:dr"}
    plan_id = bench.plan(rule(CopyActions=[action]))
    for number, arn in enumerate(tables):
        selection = {"SelectionName": f"s{number}", "IamRoleArn": role, "Resources": [arn]}
        bench.backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection)
    for number in range(COUNT):
        document = {"BackupPlanName": f"v{number}", "Rules": [rule(CopyActions=[action])]}
        bench.backup.update_backup_plan(BackupPlanId=plan_id, BackupPlan=document)
        bench.backup.create_legal_hold(Title="t", Description="d")
        testing = {
            "RestoreTestingPlanName": f"plan_{number}",
            "ScheduleExpression": "cron(0 6 2 * ? *)",
            "RecoveryPointSelection": {
                "Algorithm": "LATEST_WITHIN_WINDOW",
                "RecoveryPointTypes": ["SNAPSHOT"],
                "IncludeVaults": ["*"],
            },
        }
        bench.backup.create_restore_testing_plan(RestoreTestingPlan=testing)
        chosen = {
            "RestoreTestingSelectionName": f"s{number}",
            "ProtectedResourceType": "DynamoDB",
            "ProtectedResourceArns": ["*"],
            "IamRoleArn": role,
        }
        bench.backup.create_restore_testing_selection(RestoreTestingPlanName="plan_0", RestoreTestingSelection=chosen)
    bench.advance(days=COUNT + 1)
    return {"plan": plan_id, "table": tables[0]}


def test_pages(bench: Bench, full: dict[str, str]) -> None:
    for name, (key, arguments) in LISTS.items():
        given = {k: full.get(v, v) for k, v in arguments.items()}
        whole = getattr(bench.backup, name)(**given, MaxResults=1000)
        assert "NextToken" not in whole, name
        assert len(whole[key]) >= COUNT, name
        pages = in_threes(bench, name, given)
        assert [row for page in pages for row in page[key]] == whole[key], name
        assert all(len(page[key]) == 3 for page in pages[:-1]), name


def in_threes(bench: Bench, name: str, given: dict[str, Any]) -> list[Any]:
    pages = [getattr(bench.backup, name)(**given, MaxResults=3)]
    while token := pages[-1].get("NextToken"):
        pages.append(getattr(bench.backup, name)(**given, MaxResults=3, NextToken=token))
    return pages


def test_a_page_is_not_the_whole_list_even_when_no_size_is_given(bench: Bench) -> None:
    for number in range(101):
        bench.vault(f"vault-{number}")
    reply = bench.backup.list_backup_vaults()
    assert len(reply["BackupVaultList"]) == 100
    assert reply["NextToken"]


def test_tags_come_in_pages(bench: Bench) -> None:
    arn = bench.vault()
    bench.backup.tag_resource(ResourceArn=arn, Tags={f"k{n}": "v" for n in range(COUNT)})
    first = bench.backup.list_tags(ResourceArn=arn, MaxResults=4)
    second = bench.backup.list_tags(ResourceArn=arn, MaxResults=4, NextToken=first["NextToken"])
    assert "NextToken" not in second
    assert len({**first["Tags"], **second["Tags"]}) == COUNT


@pytest.mark.parametrize("token", ["nonsense", "%%%", "QmFja3VwSm9iczox"])
def test_a_token_of_something_else_is_refused(bench: Bench, token: str) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*NextToken"):
        bench.backup.list_backup_vaults(NextToken=token)


@pytest.mark.parametrize("size", [1001, 10**6])
def test_the_size_of_a_page_is_bounded(bench: Bench, size: int) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*MaxResults"):
        bench.backup.list_backup_vaults(MaxResults=size)


def test_no_list_was_forgotten() -> None:
    model = get_session().get_service_model("backup")
    ours = {name for service, name in OPERATIONS if service == "backup"}
    paged = {name for name in ours if name.startswith("List")}
    tested = {"".join(part.capitalize() for part in name.split("_")) for name in LISTS} | EMPTY | {"ListTags"}
    assert paged == tested
    for name in paged:
        shape = model.operation_model(name).input_shape
        assert shape is not None
        assert {"MaxResults", "NextToken"} <= shape.members.keys()
