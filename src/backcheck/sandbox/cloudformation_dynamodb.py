"""AWS::DynamoDB::Table and AWS::DynamoDB::GlobalTable.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_DynamoDB.html
A global table is one table of the name in each replica's Region. They do not replicate to each other here, and
DescribeTable lists no replicas: an audit of each Region sees each replica's own settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from backcheck.sandbox.cloudformation_kinds import Kind, Physical, Site
from backcheck.sandbox.cloudformation_properties import PropertyError, mismatch, text_of, without

LONGEST_NAME = 255
_LATER = ("PointInTimeRecoverySpecification", "TimeToLiveSpecification", "ResourcePolicy")
_NOT_MODELLED = ("ContributorInsightsSpecification", "ImportSourceSpecification", "KinesisStreamSpecification")
_OF_THE_TABLE = (
    "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes",
)  # fmt: skip
_OF_A_GLOBAL_TABLE = (
    *_OF_THE_TABLE, "Replicas", "SSESpecification", "StreamSpecification", "TableName", "TimeToLiveSpecification",
)  # fmt: skip
_OF_A_REPLICA = (
    "DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "Region", "SSESpecification", "TableClass", "Tags",
    # not modelled, and nothing of a backup:
    "ContributorInsightsSpecification", "DisassociationProtectionEnabled", "GlobalSecondaryIndexes",
    "GlobalTableSettingsReplicationMode", "KinesisStreamSpecification", "ReadOnDemandThroughputSettings",
    "ReadProvisionedThroughputSettings", "ReplicaStreamSpecification",
)  # fmt: skip
_DRIFTS = (
    "AttributeDefinitions", "BillingModeSummary", "DeletionProtectionEnabled", "KeySchema", "SSEDescription",
    "StreamSpecification",
)  # fmt: skip


def _create_table(site: Site) -> Physical:
    site.ignore(*_NOT_MODELLED)
    settings = without(site.properties, *_LATER, *_NOT_MODELLED)
    region = site.environment.region
    return _physical(_create(site, settings, site.name("TableName", LONGEST_NAME), region), regions=region)


def _create(site: Site, settings: Mapping[str, Any], name: str, region: str) -> Mapping[str, Any]:
    """CreateTable, in the API's words; CloudFormation's tags come after the template's."""
    given = settings.get("Tags", [])
    if not isinstance(given, list):
        raise mismatch("JSONArray", given, "/Tags")
    own = [tag.get("Key") for tag in given if isinstance(tag, dict)]
    tags = [*given, *(tag for tag in site.stack_tags() if tag["Key"] not in own)]
    params: dict[str, Any] = {**settings, "TableName": name, "Tags": tags}
    params.setdefault("BillingMode", "PROVISIONED")
    stream, encryption = params.get("StreamSpecification"), params.get("SSESpecification")
    if isinstance(stream, dict):
        params["StreamSpecification"] = {**without(stream, "ResourcePolicy"), "StreamEnabled": True}
    if isinstance(encryption, dict):
        params["SSESpecification"] = {
            **without(encryption, "SSEEnabled"),
            "Enabled": encryption.get("SSEEnabled", False),
        }
    table: Mapping[str, Any] = site.call("dynamodb", "CreateTable", params, region=region)["TableDescription"]
    return table


def _physical(table: Mapping[str, Any], *, regions: str) -> Physical:
    attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", "")}
    if "LatestStreamArn" in table:
        attributes["StreamArn"] = table["LatestStreamArn"]
    return Physical(ref=table["TableName"], arn=table["TableArn"], attributes=attributes, keys={"Regions": regions})


def _configure_table(site: Site, table: Physical) -> None:
    _configure(site, site.properties, table.ref, site.environment.region, "")
    policy = site.map("ResourcePolicy")
    if policy is not None:
        params = {"ResourceArn": table.arn, "Policy": text_of(policy.get("PolicyDocument", {}))}
        site.call("dynamodb", "PutResourcePolicy", params, at="/ResourcePolicy")


def _configure(site: Site, settings: Mapping[str, Any], name: str, region: str, at: str) -> None:
    recovery, expiry = (settings.get(key) for key in _LATER[:2])
    if isinstance(recovery, dict) and recovery:
        params = {"TableName": name, "PointInTimeRecoverySpecification": recovery}
        site.call("dynamodb", "UpdateContinuousBackups", params, region=region, at=at)
    if isinstance(expiry, dict) and text_of(expiry.get("Enabled", False)) == "true":
        params = {"TableName": name, "TimeToLiveSpecification": expiry}
        site.call("dynamodb", "UpdateTimeToLive", params, region=region, at=at)


def _create_global(site: Site) -> Physical:
    """The stack's own replica; the others follow when it exists, so that a refusal leaves nothing behind."""
    site.take(*_OF_A_GLOBAL_TABLE)
    replicas, own = _replicas(site), site.environment.region
    if own not in replicas:
        # The page: the stack's Region must be among the replicas.
        raise PropertyError(f"#/Replicas: a replica in the stack's own Region {own} is required")
    made = _create(site, _settings_of(site, replicas[own]), site.name("TableName", LONGEST_NAME), own)
    return _physical(made, regions=",".join([own, *(region for region in replicas if region != own)]))


def _replicas(site: Site) -> dict[str, dict[str, Any]]:
    replicas = site.maps("Replicas")
    if not replicas or not all("Region" in replica for replica in replicas):
        raise PropertyError("#/Replicas: a list of replicas, each with a Region, is required")
    for index, replica in enumerate(replicas):
        site.ignored += [f"/Replicas/{index}/{name}" for name in without(replica, *_OF_A_REPLICA)]
    return {text_of(replica["Region"]): replica for replica in replicas}


def _settings_of(site: Site, replica: Mapping[str, Any]) -> dict[str, Any]:
    """What one replica's CreateTable gets: the table's schema, and what the replica says itself."""
    settings = {key: site.properties[key] for key in _OF_THE_TABLE if key in site.properties}
    settings |= {key: replica[key] for key in ("DeletionProtectionEnabled", "TableClass", "Tags") if key in replica}
    if "StreamSpecification" in site.properties:
        settings["StreamSpecification"] = site.properties["StreamSpecification"]
    encryption, key = site.properties.get("SSESpecification"), replica.get("SSESpecification")
    if isinstance(encryption, dict):
        settings["SSESpecification"] = {**encryption, **(key if isinstance(key, dict) else {})}
    if settings.get("BillingMode", "PROVISIONED") == "PROVISIONED":
        # Capacity follows auto scaling in a global table; the least is as good as any for an audit.
        settings["ProvisionedThroughput"] = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    return settings


def _configure_global(site: Site, table: Physical) -> None:
    expiry = {"TimeToLiveSpecification": site.properties.get("TimeToLiveSpecification")}
    for region, replica in _replicas(site).items():
        if region != site.environment.region:
            _create(site, _settings_of(site, replica), table.ref, region)
        _configure(site, {**replica, **expiry}, table.ref, region, f"/Replicas/{region}")


def _read_table(site: Site, table: Physical) -> Mapping[str, Any]:
    return {region: _settings(site, table.ref, region) for region in table.keys["Regions"].split(",")}


def _settings(site: Site, name: str, region: str) -> Mapping[str, Any]:
    def ask(operation: str, params: Mapping[str, str]) -> Any:
        return site.call("dynamodb", operation, params, region=region)

    described = ask("DescribeTable", {"TableName": name})["Table"]
    recovery = ask("DescribeContinuousBackups", {"TableName": name})["ContinuousBackupsDescription"]
    status = recovery.get("PointInTimeRecoveryDescription", {})
    tags = ask("ListTagsOfResource", {"ResourceArn": described["TableArn"]}).get("Tags", [])
    return {
        **{key: described.get(key) for key in _DRIFTS},
        "PointInTimeRecovery": {key: status.get(key) for key in ("PointInTimeRecoveryStatus", "RecoveryPeriodInDays")},
        "TimeToLive": ask("DescribeTimeToLive", {"TableName": name})["TimeToLiveDescription"],
        "Tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


def _delete_table(site: Site, table: Physical) -> None:
    for region in table.keys["Regions"].split(","):
        try:
            site.call("dynamodb", "DeleteTable", {"TableName": table.ref}, region=region)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise


KINDS: Mapping[str, Kind] = {
    "AWS::DynamoDB::Table": Kind(
        create=_create_table, configure=_configure_table, delete=_delete_table, read=_read_table
    ),
    "AWS::DynamoDB::GlobalTable": Kind(
        create=_create_global, configure=_configure_global, delete=_delete_table, read=_read_table
    ),
}
