"""KMS keys: symmetric ones encrypt and have nothing to sign with."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from backcheck.sandbox import Sandbox


def test_a_symmetric_key_encrypts(sandbox: Sandbox) -> None:
    kms = sandbox.client("kms")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key_id, Plaintext=b"orders")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"orders"


def test_a_symmetric_key_has_no_public_key_and_signs_nothing(sandbox: Sandbox) -> None:
    kms = sandbox.client("kms")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(ClientError, match="UnsupportedOperationException"):
        kms.get_public_key(KeyId=key_id)
    with pytest.raises(ClientError, match="SIGN_VERIFY"):
        kms.sign(KeyId=key_id, Message=b"orders", SigningAlgorithm="RSASSA_PSS_SHA_256")


def test_an_asymmetric_key_signs(sandbox: Sandbox) -> None:
    kms = sandbox.client("kms")
    key_id = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    asked = {"KeyId": key_id, "Message": b"orders", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert kms.verify(**asked, Signature=kms.sign(**asked)["Signature"])["SignatureValid"]
