"""What a program asks of AWS, and of what: its clients are watched, and what AWS does with its rights is added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

from backcheck.inventory.operations import BY_ID

ACCOUNT = "123456789012"
Call = tuple[str, str]
"""An action, and the resource that it is asked of."""


@dataclass
class Watch:
    """Notes what is asked for by every call that no permission of an audit covers; an audit's are noted apart."""

    judge_all: bool = False
    """Whether an audit's calls are noted with the rest."""
    calls: set[Call] = field(default_factory=set)
    audited: set[str] = field(default_factory=set)
    """`service:operation` of an audit's calls."""

    def __call__(self, params: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: object) -> None:
        """botocore's before-parameter-build."""
        service, operation = str(model.service_model.service_name), str(model.name)
        if f"{service}:{operation}" in BY_ID and not self.judge_all:
            self.audited.add(f"{service}:{operation}")
        else:
            self.calls |= set(asked(service, operation, params, str(context["client_region"])))


@contextmanager
def watched(watch: Watch) -> Iterator[Watch]:
    """Every client of every session that is made in the block is watched."""
    entry = ("before-parameter-build", watch)
    BUILTIN_HANDLERS.append(entry)
    try:
        yield watch
    finally:
        BUILTIN_HANDLERS.remove(entry)


def asked(service: str, operation: str, params: Mapping[str, Any], region: str) -> Iterator[Call]:
    """What AWS asks permission for: https://docs.aws.amazon.com/service-authorization/latest/reference/."""
    table = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/"
    if service == "s3":
        object_or_bucket = f"/{params['Key']}" if "Key" in params else ""
        action = {"ListObjectsV2": "ListBucket"}.get(operation, operation)
        yield f"s3:{action}", f"arn:aws:s3:::{params['Bucket']}{object_or_bucket}"
        if operation == "GetObject":  # an object that is not there is a 404 only to who may list (API_GetObject)
            yield "s3:ListBucket", f"arn:aws:s3:::{params['Bucket']}"
    elif operation == "RestoreTableToPointInTime":
        yield (
            f"dynamodb:{operation}",
            params["SourceTableArn"] if "SourceTableArn" in params else (table + params["SourceTableName"]),
        )
        yield f"dynamodb:{operation}", table + params["TargetTableName"]
        for action in FILLING:  # with its caller's rights (backuprestore_IAM)
            yield action, table + params["TargetTableName"]
    elif operation == "ExportTableToPointInTime":
        yield f"dynamodb:{operation}", params["TableArn"]
        for action in ("s3:PutObject", "s3:AbortMultipartUpload", "s3:PutObjectAcl"):  # S3DataExport_Requesting
            yield action, f"arn:aws:s3:::{params['S3Bucket']}/{params['S3Prefix']}/x"
        if key := params.get("S3SseKmsKeyId"):
            yield "kms:GenerateDataKey", key
            yield "kms:Decrypt", key
    elif operation == "StartRestoreJob":
        yield "backup:StartRestoreJob", params["RecoveryPointArn"]
        yield "iam:PassRole", params["IamRoleArn"]
    elif operation == "DescribeRecoveryPoint":
        yield "backup:DescribeRecoveryPoint", params["RecoveryPointArn"]
    elif operation == "StartExecution":
        yield "states:StartExecution", params["stateMachineArn"]
    elif operation in ("DescribeRestoreJob", "PutRestoreValidationResult") or service == "application-autoscaling":
        yield f"{service}:{operation}", "*"
    elif service == "dynamodb":
        named = params.get("ResourceArn") or params.get("ExportArn") or table + params["TableName"]
        yield f"dynamodb:{operation}", named
    else:
        raise AssertionError(f"what does {service}:{operation} ask permission for? {params}")


FILLING = tuple(
    f"dynamodb:{name}" for name in ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
)
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html"""

TABLES_KEY = tuple(
    f"kms:{name}"
    for name in (
        "CreateGrant",
        "Decrypt",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    )
)
"""What DynamoDB asks of who chooses a customer key for a table:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html"""


def of_the_tables_key(calls: set[Call], key: str) -> set[Call]:
    """What the same calls ask of the customer key that their table, and a table restored from it, are under."""
    actions = {action for action, _ in calls}
    if actions & {"dynamodb:RestoreTableToPointInTime", "dynamodb:RestoreTableFromAwsBackup"}:
        return {(action, key) for action in TABLES_KEY}
    return {("kms:Decrypt", key)} if actions & {"dynamodb:Scan", "dynamodb:ExportTableToPointInTime"} else set()
