"""The metadata of a restore of a DynamoDB table.

https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-dynamodb.html. AWS's pages differ on the encryption of
a table for which none is asked (advanced-ddb-backup.html: the original's key): here it is by a key that AWS owns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backcheck.sandbox.refusal import Refusal, invalid

METADATA = {name.lower(): name for name in ("targetTableName", "encryptionType", "kmsMasterKeyArn")}
"""'The metadata is not case-sensitive.'"""

REQUEST_ID = "aws:backup:request-id"
ENCRYPTION = {"default": "Default", "kms": "KMS"}


def read(given: Mapping[str, str]) -> dict[str, str]:
    """Metadata under its documented names."""
    found: dict[str, str] = {}
    for key, value in given.items():
        name = METADATA.get(key.lower())
        if key.lower() == REQUEST_ID:
            continue
        if name is None or name in found:
            invalid(f"Invalid restore metadata: {key} is {'given twice' if name else 'not supported for DynamoDB'}")
        found[name] = value
    if not found.get("targetTableName"):
        raise Refusal("MissingParameterValueException", "Invalid restore metadata: targetTableName is missing")
    return found


def encryption(metadata: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Default: a key that AWS owns. KMS: kmsMasterKeyArn, or AWS's managed key for DynamoDB where that is omitted."""
    kind = ENCRYPTION.get(metadata.get("encryptionType", "Default").lower())
    key = metadata.get("kmsMasterKeyArn")
    if kind is None:
        invalid(f"Invalid restore metadata: encryptionType {metadata['encryptionType']} is neither Default nor KMS")
    if kind == "Default":
        if key is not None:
            invalid("Invalid restore metadata: kmsMasterKeyArn needs encryptionType KMS")
        return None
    chosen = {} if key is None else {"KMSMasterKeyId": key}
    return {"Enabled": True, "SSEType": "KMS", **chosen}
