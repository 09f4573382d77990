"""KMS keys, as far as backups depend on them."""

from __future__ import annotations

from typing import Any

from moto.kms.models import Key, kms_backends

from backcheck.sandbox.refusal import invalid
from backcheck.sandbox.world import Region

MANAGED_ALIAS = "alias/aws/backup"
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html: the default key of a vault."""


def existing(region: Region, key_arn: str) -> str:
    """A key of this Region that can be used, or InvalidParameterValueException."""
    if problem := unusable(key_arn, region.name):
        invalid(f"Invalid encryption key {key_arn}: {problem}")
    return key_arn


def managed(region: Region) -> str:
    """The ARN of AWS's managed key for AWS Backup in this Region, made when first needed."""
    backend = kms_backends[region.account][region.name]
    key_id = backend.get_key_id_from_alias(MANAGED_ALIAS)
    if key_id is None:
        key = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "Default key for backups", None)
        key.key_manager = "AWS"
        backend.create_alias(key.id, MANAGED_ALIAS)
        key_id = key.id
    arn: str = backend.keys[key_id].arn
    return arn


def is_customer_managed(key_arn: str) -> bool:
    """Whether a customer, not AWS, manages the key."""
    key = _find(key_arn)
    return key is not None and key.key_manager == "CUSTOMER"


def is_multi_region(key_arn: str) -> bool:
    """Whether the key can be replicated to other Regions."""
    key = _find(key_arn)
    return key is not None and bool(key.multi_region)


def unusable(key_arn: str, region: str) -> str | None:
    """Why nothing can be encrypted or decrypted with this key in `region`; None where it can."""
    parts = key_arn.split(":")
    if len(parts) != 6 or parts[2] != "kms" or not parts[5].startswith("key/"):
        return "it is not the ARN of a KMS key"
    if parts[3] != region:
        return f"it is in {parts[3]}, not in {region}"
    key = _find(key_arn)
    if key is None:
        return "it does not exist"
    state: str = key.key_state
    return None if state == "Enabled" else f"its state is {state}"


def _find(key_arn: str) -> Any:
    _, _, _, region, account, name = key_arn.split(":", 5)
    key: Key | None = kms_backends[account][region].keys.get(name.removeprefix("key/"))
    return key
