"""Statements of a key's policy that KMS takes and that have no effect."""

from __future__ import annotations

from typing import Any

import pytest

from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.collect.keys import in_effect

WHOLE = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}


@pytest.mark.parametrize("missing", ["Action", "Resource"])
def test_a_statement_without_one_has_no_effect(missing: str) -> None:
    partial: dict[str, Any] = {key: value for key, value in WHOLE.items() if key != missing}
    whole = parse_document({"Statement": [WHOLE]})
    assert in_effect(parse_document({"Statement": [partial, WHOLE]})) == whole
    assert in_effect(parse_document({"Statement": partial})).statements == ()
