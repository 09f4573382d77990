"""AWS::Backup::*.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Backup.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from backcheck.sandbox.cloudformation_kinds import Kind, Physical, Site
from backcheck.sandbox.cloudformation_properties import PropertyError, document_of, text_of, without

ABSENT = "ResourceNotFoundException"


def _create_vault(site: Site) -> Physical:
    settings = without(site.properties, "AccessPolicy", "Notifications", "LockConfiguration")
    made = site.call("backup", "CreateBackupVault", settings)
    arn = made["BackupVaultArn"]
    return Physical(ref=made["BackupVaultName"], arn=arn, attributes=_vault_attributes(made["BackupVaultName"], arn))


def _create_air_gapped_vault(site: Site) -> Physical:
    settings = without(site.properties, "AccessPolicy", "Notifications", "MpaApprovalTeamArn")
    site.ignore("MpaApprovalTeamArn")
    made = site.call("backup", "CreateLogicallyAirGappedBackupVault", settings)
    name, arn = made["BackupVaultName"], made["BackupVaultArn"]
    described = site.call("backup", "DescribeBackupVault", {"BackupVaultName": name})
    extra = {key: described[key] for key in ("EncryptionKeyArn", "VaultState", "VaultType") if key in described}
    return Physical(ref=name, arn=arn, attributes={**_vault_attributes(name, arn), **extra})


def _vault_attributes(name: str, arn: str) -> Mapping[str, str]:
    return {"BackupVaultName": name, "BackupVaultArn": arn}


def _configure_vault(site: Site, vault: Physical) -> None:
    name = {"BackupVaultName": vault.ref}
    policy, notifications = site.properties.get("AccessPolicy"), site.map("Notifications")
    if policy is not None:
        params = {**name, "Policy": text_of(policy)}
        site.call("backup", "PutBackupVaultAccessPolicy", params, at="/AccessPolicy")
    if notifications is not None:
        site.call("backup", "PutBackupVaultNotifications", {**notifications, **name}, at="/Notifications")
    lock = site.map("LockConfiguration")
    if lock is not None:
        if "MinRetentionDays" not in lock:
            raise PropertyError("#/LockConfiguration: required key [MinRetentionDays] not found")
        site.call("backup", "PutBackupVaultLockConfiguration", {**lock, **name}, at="/LockConfiguration")


def _read_vault(site: Site, vault: Physical) -> Mapping[str, Any]:
    name = {"BackupVaultName": vault.ref}
    described = site.call("backup", "DescribeBackupVault", name)
    kept = {key: described.get(key) for key in ("EncryptionKeyArn", "Locked", "MinRetentionDays", "MaxRetentionDays")}
    policy = _optional(site, "GetBackupVaultAccessPolicy", name).get("Policy")
    notifications = _optional(site, "GetBackupVaultNotifications", name)
    return {
        **kept,
        "AccessPolicy": document_of(policy) if policy else None,
        "Notifications": {key: notifications.get(key) for key in ("SNSTopicArn", "BackupVaultEvents")},
    }


def _optional(site: Site, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The reply, or nothing where the vault has no such setting."""
    try:
        reply: Mapping[str, Any] = site.call("backup", operation, params)
    except ClientError as error:
        if error.response["Error"]["Code"] != ABSENT:
            raise
        return {}
    return reply


def _delete_vault(site: Site, vault: Physical) -> None:
    site.call("backup", "DeleteBackupVault", {"BackupVaultName": vault.ref})


def _create_plan(site: Site) -> Physical:
    made = site.call("backup", "CreateBackupPlan", {**site.properties, "BackupPlan": _plan_document(site)})
    _as_written(site, "/BackupPlan/Rules/", "/BackupPlan/BackupPlanRule/")
    plan_id, arn = made["BackupPlanId"], made["BackupPlanArn"]
    attributes = {"BackupPlanId": plan_id, "BackupPlanArn": arn, "VersionId": made["VersionId"]}
    return Physical(ref=plan_id, arn=arn, attributes=attributes)


def _plan_document(site: Site) -> Any:
    """CloudFormation's names differ from the API's in two places."""
    plan = site.map("BackupPlan") or {}
    if not isinstance(plan.get("BackupPlanRule"), list):
        raise PropertyError("#/BackupPlan: required key [BackupPlanRule] not found")
    rules = [_renamed(rule, "TargetBackupVault", "TargetBackupVaultName") for rule in plan["BackupPlanRule"]]
    return {**without(plan, "BackupPlanRule"), "Rules": rules}


def _as_written(site: Site, sent: str, written: str) -> None:
    """What is ignored stands in the request elsewhere than in the template."""
    site.ignored[:] = [written + one.removeprefix(sent) if one.startswith(sent) else one for one in site.ignored]


def _renamed(document: Any, old: str, new: str) -> Any:
    if not isinstance(document, dict) or old not in document:
        return document
    return {new if key == old else key: value for key, value in document.items()}


def _read_plan(site: Site, plan: Physical) -> Mapping[str, Any]:
    document = dict(site.call("backup", "GetBackupPlan", {"BackupPlanId": plan.ref})["BackupPlan"])
    document["Rules"] = [without(rule, "RuleId") for rule in document.get("Rules", [])]
    return document


def _delete_plan(site: Site, plan: Physical) -> None:
    site.call("backup", "DeleteBackupPlan", {"BackupPlanId": plan.ref})


def _create_selection(site: Site) -> Physical:
    made = site.call("backup", "CreateBackupSelection", site.properties)
    plan_id, selection_id = made["BackupPlanId"], made["SelectionId"]
    # The page says that Ref gives the BackupSelectionId, and lists the same as Id and SelectionId.
    attributes = {"BackupPlanId": plan_id, "SelectionId": selection_id, "Id": selection_id}
    return Physical(ref=selection_id, attributes=attributes, keys={"BackupPlanId": plan_id})


def _selection_key(selection: Physical) -> dict[str, str]:
    return {**selection.keys, "SelectionId": selection.ref}


def _read_selection(site: Site, selection: Physical) -> Mapping[str, Any]:
    document: Mapping[str, Any] = site.call("backup", "GetBackupSelection", _selection_key(selection))[
        "BackupSelection"
    ]
    return document


def _delete_selection(site: Site, selection: Physical) -> None:
    site.call("backup", "DeleteBackupSelection", _selection_key(selection))


def _create_testing_plan(site: Site) -> Physical:
    document = without(site.properties, "Tags")
    params = {"RestoreTestingPlan": document, "Tags": site.tag_map()}
    made = site.call("backup", "CreateRestoreTestingPlan", params)
    _as_written(site, "/RestoreTestingPlan/", "/")
    name, arn = made["RestoreTestingPlanName"], made["RestoreTestingPlanArn"]
    return Physical(ref=name, arn=arn, attributes={"RestoreTestingPlanArn": arn, "RestoreTestingPlanName": name})


def _read_testing_plan(site: Site, plan: Physical) -> Mapping[str, Any]:
    reply = site.call("backup", "GetRestoreTestingPlan", {"RestoreTestingPlanName": plan.ref})["RestoreTestingPlan"]
    return without(reply, "CreationTime", "LastExecutionTime", "LastUpdateTime", "CreatorRequestId")


def _delete_testing_plan(site: Site, plan: Physical) -> None:
    site.call("backup", "DeleteRestoreTestingPlan", {"RestoreTestingPlanName": plan.ref})


def _create_testing_selection(site: Site) -> Physical:
    plan = site.required("RestoreTestingPlanName")
    document = without(site.properties, "RestoreTestingPlanName")
    made = site.call(
        "backup",
        "CreateRestoreTestingSelection",
        {"RestoreTestingPlanName": plan, "RestoreTestingSelection": document},
    )
    _as_written(site, "/RestoreTestingSelection/", "/")
    name = made["RestoreTestingSelectionName"]
    keys = {"RestoreTestingPlanName": plan, "RestoreTestingSelectionName": name}
    return Physical(ref=f"{plan}|{name}", attributes=keys, keys=keys)


def _delete_testing_selection(site: Site, selection: Physical) -> None:
    site.call("backup", "DeleteRestoreTestingSelection", selection.keys)


KINDS: Mapping[str, Kind] = {
    "AWS::Backup::BackupVault": Kind(
        create=_create_vault, configure=_configure_vault, delete=_delete_vault, read=_read_vault
    ),
    "AWS::Backup::LogicallyAirGappedBackupVault": Kind(
        create=_create_air_gapped_vault, configure=_configure_vault, delete=_delete_vault, read=_read_vault
    ),
    "AWS::Backup::BackupPlan": Kind(create=_create_plan, delete=_delete_plan, read=_read_plan),
    "AWS::Backup::BackupSelection": Kind(create=_create_selection, delete=_delete_selection, read=_read_selection),
    "AWS::Backup::RestoreTestingPlan": Kind(
        create=_create_testing_plan, delete=_delete_testing_plan, read=_read_testing_plan
    ),
    "AWS::Backup::RestoreTestingSelection": Kind(create=_create_testing_selection, delete=_delete_testing_selection),
}
