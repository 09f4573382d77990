"""Region settings: which services are opted in, and whether DynamoDB has AWS Backup's advanced features.

https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html
"""

from __future__ import annotations

from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.refusal import invalid, invalid_request
from backcheck.sandbox.world import GlobalSettings, Region

RESOURCE_TYPES = (
    "Aurora", "CloudFormation", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "EKS", "FSx", "Neptune", "RDS",
    "Redshift", "S3", "Timestream", "VirtualMachine",
)  # fmt: skip
"""The types that ListBackupJobs' ByResourceType names, but for the two with spaces in them: the guide's example has
'Storage Gateway' among these settings, while the API's pattern for a resource type allows no space."""

MANAGED_TYPES = ("DynamoDB", "EFS")
"""The keys of ResourceTypeManagementPreference in the guide's example."""


def set_defaults(region: Region) -> None:
    """A customer who began after November 2021: 'advanced DynamoDB backup features enabled by default'.

    Which other types are opted in at the start is not documented; here every one is.
    """
    region.opt_in = dict.fromkeys(RESOURCE_TYPES, True)
    region.management = dict.fromkeys(MANAGED_TYPES, True)


def has_advanced_dynamodb(region: Region) -> bool:
    """Both preferences must be true: cold storage, copies, tags and the vault's key depend on it."""
    return region.opt_in.get("DynamoDB", False) and region.management.get("DynamoDB", False)


@operation("backup", "DescribeRegionSettings")
def describe_region_settings(call: Call) -> Reply:
    """Both preferences."""
    return {
        "ResourceTypeOptInPreference": dict(call.region.opt_in),
        "ResourceTypeManagementPreference": dict(call.region.management),
    }


@operation("backup", "UpdateRegionSettings")
def update_region_settings(call: Call) -> Reply:
    """Change what is named; what is not named stays."""
    opt_in = call.params.get("ResourceTypeOptInPreference") or {}
    management = call.params.get("ResourceTypeManagementPreference") or {}
    for name in (*opt_in.keys() - set(RESOURCE_TYPES), *management.keys() - set(MANAGED_TYPES)):
        invalid(f"Unsupported resource type: {name}")
    call.region.opt_in.update(opt_in)
    call.region.management.update(management)
    return {}


@operation("backup", "GetSupportedResourceTypes")
def supported_types(call: Call) -> Reply:
    """The types that AWS Backup names."""
    return {"ResourceTypes": list(RESOURCE_TYPES)}


@operation("backup", "DescribeGlobalSettings")
def describe_global_settings(call: Call) -> Reply:
    """Cross-account backup. 'Returns an error if the account is not a member of an Organizations organization.'"""
    _in_organization(call)
    settings = call.world.global_settings
    values = settings.values if settings else {"isCrossAccountBackupEnabled": "false"}
    reply: dict[str, object] = {"GlobalSettings": dict(values)}
    return {**reply, "LastUpdateTime": settings.updated} if settings else reply


@operation("backup", "UpdateGlobalSettings")
def update_global_settings(call: Call) -> Reply:
    """Only the flags that the API names."""
    _in_organization(call)
    given = call.params.get("GlobalSettings") or {}
    known = {"isCrossAccountBackupEnabled", "isMpaEnabled", "isDelegatedAdministratorEnabled"}
    for name in given.keys() - known:
        invalid(f"Invalid global setting: {name}")
    before = call.world.global_settings.values if call.world.global_settings else {}
    call.world.global_settings = GlobalSettings(values={**before, **given}, updated=call.now)
    return {}


def _in_organization(call: Call) -> None:
    if call.region.account not in call.world.organization:
        invalid_request("Your account is not a member of an organization")
