"""KMS keys, as far as backups depend on them."""

from __future__ import annotations

import json
from typing import Any

from moto.kms.models import Key, kms_backends
from moto.kms.utils import generate_private_key

from backcheck.sandbox.operations import Call, Raw, Reply, operation
from backcheck.sandbox.refusal import Refusal, invalid
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


def created(call: Call) -> Raw:
    """moto's key; one whose material is somebody's own cannot be used until that is imported, which moto leaves out.

    https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-create-cmk.html
    """
    made = call.response.create_key()
    key = _backend(call).keys[json.loads(made)["KeyMetadata"]["KeyId"]]
    if key.origin == "EXTERNAL":
        key.key_state, key.enabled = "PendingImport", False
    return Raw(json.dumps(key.to_dict()))


@operation("kms", "DisableKey")
def disable_key(call: Call) -> Reply:
    """moto takes only a key's id here; AWS takes its ARN as well."""
    _backend(call).disable_key(_key_id(call))
    return {}


@operation("kms", "EnableKey")
def enable_key(call: Call) -> Reply:
    """The reverse."""
    _backend(call).enable_key(_key_id(call))
    return {}


class Symmetric:
    """In place of the RSA key that moto makes for every symmetric key, at up to a third of a second each."""

    def public_key(self) -> bytes:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html takes asymmetric keys only."""
        raise Refusal("UnsupportedOperationException", "a symmetric key has no public key")


def private_key(key_spec: str) -> Any:
    """What a key signs with. moto refuses to sign with a symmetric one before it looks at this."""
    return Symmetric() if key_spec == "SYMMETRIC_DEFAULT" else generate_private_key(key_spec)


def _backend(call: Call) -> Any:
    return kms_backends[call.region.account][call.region.name]


def _key_id(call: Call) -> str:
    key_id: str = call.params["KeyId"].rsplit("/", 1)[-1]
    if key_id not in _backend(call).keys:
        raise Refusal("NotFoundException", f"Key {call.params['KeyId']} does not exist")
    return key_id
