"""AWS's managed policies for AWS Backup, in the version that moto carries.

https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends

OTHERS = frozenset({"ReadOnlyAccess", "SecurityAudit", "AdministratorAccess", "AWSLambdaBasicExecutionRole"})
"""Managed policies that roles around backups commonly have."""


def install(account: str) -> None:
    """Put them into an account; moto leaves all of AWS's out unless told to load every one."""
    backend = iam_backends[account]["aws"]
    for name, document in _documents().items():
        policy = AWSManagedPolicy.from_data(name, account, "aws", document)
        backend.aws_managed_policies.append(policy)
        backend.managed_policies[policy.arn] = policy


@cache
def _documents() -> Mapping[str, Any]:
    every = json.loads(aws_managed_policies_data)
    return {name: data for name, data in every.items() if name.startswith("AWSBackup") or name in OTHERS}
