"""Restores under way in a Region, whoever began them: a drill waits its turn, and never takes the last places.

Tables are restored one at a time by design: a ledger then tells of one table in the making at most, and whoever has to
restore in earnest finds the quota free.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from backcheck.drill.reach import error_code

MOST_AT_ONCE = 50
"""'Up to 50 concurrent restores (any type of restore) in a given account.'
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html"""
KEPT_FREE = 10
"""For restores that are no drill."""


def are_too_many(restores: int) -> bool:
    """Whether a drill has to wait while so many restores are under way."""
    return restores >= MOST_AT_ONCE - KEPT_FREE


def under_way(client: Any) -> int | None:
    """How many tables of the client's Region are being restored, at most the quota; None: they may not be looked at.

    0 where there are not even enough tables to be in the way. ListTables says nothing of a table's state, so each is
    described: 2,500 a second may be (developer guide, Constraints). Raises botocore's other errors.
    """
    found = 0
    try:
        pages = client.get_paginator("list_tables").paginate()
        names = [name for page in pages for name in page.get("TableNames", ())]
        for name in names if are_too_many(len(names)) else ():
            found += _is_restoring(client, name)
            if found >= MOST_AT_ONCE:
                return found
    except ClientError as error:
        if "AccessDenied" in error_code(error):
            return None
        raise
    return found


def _is_restoring(client: Any, name: str) -> bool:
    try:
        table = client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":  # deleted since it was listed
            return False
        raise
    return table["TableStatus"] == "CREATING" and bool((table.get("RestoreSummary") or {}).get("RestoreInProgress"))
