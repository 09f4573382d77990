"""The list of operations against botocore's models: a name that AWS does not have would be a permission for nothing."""

from __future__ import annotations

import botocore.session
import pytest

from backcheck.inventory.operations import BY_ID, OPERATIONS, Operation


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_aws_has_the_operation(operation: Operation) -> None:
    model = botocore.session.get_session().get_service_model(operation.service)
    assert operation.name in model.operation_names


def test_an_audit_only_reads() -> None:
    reads = ("Get", "List", "Describe", "Lookup", "Simulate")
    assert [operation.id for operation in OPERATIONS if not operation.name.startswith(reads)] == []


def test_each_operation_stands_once() -> None:
    assert len(BY_ID) == len(OPERATIONS)
