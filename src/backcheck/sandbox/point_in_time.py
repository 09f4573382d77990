"""RestoreTableToPointInTime: a new table with the items as they were, and the settings as they are now.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
That a request may name the time in one way only is not in the model: here it must be exactly one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backcheck.sandbox import dynamodb, keys, restored, tables
from backcheck.sandbox.continuous import Continuous
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.refusal import Refusal, Unsupported
from backcheck.sandbox.restored import Restored, Settings


@operation("dynamodb", "RestoreTableToPointInTime")
def restore(call: Call) -> Reply:
    """The table is there at once, and CREATING for some minutes."""
    params, region, now = call.params, call.region, call.now
    source, name = _source(call), params["TargetTableName"]
    continuous = recovery_of(call, source)
    moment = _moment(call, continuous)
    settings = overridden(call, Settings.of(source))
    restored.refuse_target(region, name, now)
    origin = Restored(
        source_table_arn=source.table_arn,
        source_backup_arn=None,
        as_of=moment,
        active=now + restored.duration(call.world, name),
    )
    items = region.histories[tables.table_id(source)].at(moment)
    table = restored.create(region, name, settings, items, origin)
    return {"TableDescription": dynamodb.described(call, table)}


def recovery_of(call: Call, table: Any) -> Continuous:
    """A table's point-in-time recovery, or PointInTimeRecoveryUnavailableException."""
    known = call.region.continuous.get(tables.table_id(table))
    if known is None:
        message = f"Point in time recovery is not enabled for table '{table.name}'"
        raise Refusal("PointInTimeRecoveryUnavailableException", message)
    return known


def window_of(call: Call, continuous: Continuous) -> tuple[datetime, datetime]:
    """The first and the last second that can be asked for: requests carry whole seconds."""
    latest = continuous.latest(call.now, lag=call.world.faults.pitr_lag)
    return continuous.earliest(call.now).replace(microsecond=0), latest


def aware(moment: datetime) -> datetime:
    """moto parses a timestamp without its zone, which is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _source(call: Call) -> Any:
    arn, name = call.params.get("SourceTableArn"), call.params.get("SourceTableName")
    if arn is None and name is None:
        raise _invalid("One of SourceTableName and SourceTableArn must be given")
    wanted = arn or call.region.arn("dynamodb", f"table/{name}")
    if name is not None and wanted.split("/", 1)[-1] != name:
        raise _invalid(f"SourceTableName {name} and SourceTableArn {arn} are different tables")
    found = tables.table_of(call.region, wanted)
    if found is None:
        raise Refusal("TableNotFoundException", f"Table not found: {arn or name}")
    return found


def _moment(call: Call, continuous: Continuous) -> datetime:
    asked, latest_wanted = call.params.get("RestoreDateTime"), call.params.get("UseLatestRestorableTime")
    earliest, latest = window_of(call, continuous)
    if asked is not None and latest_wanted:
        raise _invalid("RestoreDateTime and UseLatestRestorableTime cannot both be given")
    if asked is None and not latest_wanted:
        raise _invalid("One of RestoreDateTime and UseLatestRestorableTime must be given")
    if asked is None:
        return latest
    moment = aware(asked)
    if not earliest <= moment <= latest:
        message = f"Restore time {moment.isoformat()} is not between {earliest.isoformat()} and {latest.isoformat()}"
        raise Refusal("InvalidRestoreTimeException", message)
    return moment


def overridden(call: Call, settings: Settings) -> Settings:
    """The settings with the request's overrides, or ValidationException."""
    params = call.params
    for member in ("VectorIndexOverride", "OnDemandThroughputOverride"):
        if params.get(member):
            raise Unsupported(member)
    globals_, locals_ = params.get("GlobalSecondaryIndexOverride"), params.get("LocalSecondaryIndexOverride")
    if any("WarmThroughput" in index for index in globals_ or ()):
        raise _invalid("WarmThroughput is not supported in GlobalSecondaryIndexOverride")
    if globals_ is not None:
        settings = replace(settings, global_indexes=_subset(globals_, settings.global_indexes, "global"))
    if locals_ is not None:
        settings = replace(settings, local_indexes=_subset(locals_, settings.local_indexes, "local"))
    settings = _capacity(settings, params.get("BillingModeOverride"), params.get("ProvisionedThroughputOverride"))
    encryption = params.get("SSESpecificationOverride")
    if encryption is not None:
        settings = replace(settings, encryption=_encryption(call, encryption))
    return settings


def _subset(wanted: list[dict[str, Any]], existing: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """'The indexes provided should match existing secondary indexes.'"""
    known = {index["IndexName"]: index for index in existing}
    kept: list[dict[str, Any]] = []
    for index in wanted:
        match = known.get(index["IndexName"])
        if match is None or any(index[part] != match[part] for part in ("KeySchema", "Projection")):
            raise _invalid(f"The {kind} secondary index {index['IndexName']} does not match one of the source table")
        kept.append({**match, **index})
    return kept


def _capacity(settings: Settings, billing_mode: str | None, units: dict[str, int] | None) -> Settings:
    mode = billing_mode or settings.billing_mode
    if mode == "PAY_PER_REQUEST":
        if units is not None:
            raise _invalid("ProvisionedThroughputOverride cannot be given for billing mode PAY_PER_REQUEST")
        bare = [{k: v for k, v in index.items() if k != "ProvisionedThroughput"} for index in settings.global_indexes]
        return replace(settings, billing_mode=mode, throughput=None, global_indexes=bare)
    throughput = units or settings.throughput
    if throughput is None or any("ProvisionedThroughput" not in index for index in settings.global_indexes):
        raise _invalid("Billing mode PROVISIONED needs the throughput of the table and of each global secondary index")
    return replace(settings, billing_mode=mode, throughput=throughput)


def _encryption(call: Call, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """None: 'if disabled (false) or not specified, server-side encryption is set to AWS owned key'."""
    if not wanted.get("Enabled"):
        if wanted.get("KMSMasterKeyId"):
            raise _invalid("KMSMasterKeyId needs Enabled in SSESpecificationOverride")
        return None
    key = wanted.get("KMSMasterKeyId")
    if key is None:
        return {"Enabled": True, "SSEType": "KMS"}
    if key.startswith("alias/") or ":alias/" in key:
        raise Unsupported("aliases of keys in SSESpecificationOverride")
    arn = key if key.startswith("arn:") else call.region.arn("kms", f"key/{key}")
    if broken := keys.unusable(arn, call.region.name):
        raise _invalid(f"The KMS key {key} cannot be used: {broken}")
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn}


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
