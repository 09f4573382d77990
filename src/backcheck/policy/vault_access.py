"""Statements of a vault's access policy, as CloudFormation writes them.

https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html
"""

from __future__ import annotations

import re

from backcheck.policy.document import Json

JsonMap = dict[str, Json]

DENIED: list[Json] = [
    "backup:DeleteRecoveryPoint",
    "backup:UpdateRecoveryPointLifecycle",
    "backup:PutBackupVaultAccessPolicy",
    "backup:DeleteBackupVaultAccessPolicy",
]
"""What would let backups vanish, or let someone lift this statement."""


def sub(text: str) -> JsonMap:
    """Text with `${...}` in it, for CloudFormation to fill in."""
    return {"Fn::Sub": text}


def deny_deletion(break_glass: tuple[str, ...]) -> JsonMap:
    """Without a break-glass role the root user keeps a way in: a Deny of everybody could never be lifted again."""
    role = "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{}"
    spared: list[Json] = [sub(role.format(name)) for name in break_glass]
    return {
        "Sid": "NobodyDeletes",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": list(DENIED),
        "Resource": "*",
        "Condition": {
            "ArnNotEquals": {"aws:PrincipalArn": spared or [sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")]}
        },
    }


def admit(principal: str) -> JsonMap:
    """Cross-account access to a vault is for copying into it only, says the page on access policies."""
    statement: JsonMap = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "backup:CopyIntoBackupVault",
        "Resource": "*",
    }
    if re.fullmatch(r"\d{12}", principal):
        statement["Principal"] = {"AWS": sub(f"arn:${{AWS::Partition}}:iam::{principal}:root")}
    elif principal.startswith("o-"):
        statement["Principal"] = {"AWS": "*"}
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": principal}}
    return statement
