"""AWS's managed policies for AWS Backup, in the version that moto carries; of all others the name alone.

https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends

OTHERS = frozenset({
    "AWSDenyAll", "AWSLambdaBasicExecutionRole", "AWSLambdaDynamoDBExecutionRole", "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole", "AWSXRayDaemonWriteAccess", "AdministratorAccess", "AmazonDynamoDBFullAccess",
    "AmazonDynamoDBReadOnlyAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit",
})  # fmt: skip
"""Managed policies that roles around backups commonly have, and the one that takes every right away.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSDenyAll.html
"""

_OF_AWS = ":iam::aws:policy/"


def install(account: str) -> None:
    """Put them into an account; moto leaves all of AWS's out unless told to load every one."""
    backend = iam_backends[account]["aws"]
    for name, document in _documents().items():
        policy = AWSManagedPolicy.from_data(name, account, "aws", document)
        backend.aws_managed_policies.append(policy)
        backend.managed_policies[policy.arn] = policy


def is_of_aws(arn: str) -> bool:
    """Whether a policy is one of AWS's own."""
    return _OF_AWS in arn


def install_unread(account: str, arn: str) -> None:
    """Put one of AWS's own policies into an account that can be attached, and whose text nobody is given.

    It has no version: whoever asks for its text learns nothing, and must not take it for a policy that allows nothing.
    """
    path, _, name = arn.partition(_OF_AWS)[2].rpartition("/")
    data = {"Path": f"/{path}/" if path else "/", "CreateDate": _UNTOLD, "UpdateDate": _UNTOLD}
    policy = AWSManagedPolicy.from_data(name, account, "aws", data)
    policy.versions = []
    iam_backends[account]["aws"].managed_policies[policy.arn] = policy


_UNTOLD = datetime(2015, 2, 6, tzinfo=UTC).isoformat()
"""When most of them were made; no control reads it."""


@cache
def _documents() -> Mapping[str, Any]:
    every = json.loads(aws_managed_policies_data)
    return {name: data for name, data in every.items() if name.startswith("AWSBackup") or name in OTHERS}
