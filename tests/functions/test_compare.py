from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from tests.functions.building import SOURCE_ARN, check, export

from backcheck.errors import Error
from functions.check import Witness
from functions.compare import TooLarge, compare, digests, read_and_compare

KEY = ("id",)
TABLES = st.dictionaries(st.binary(min_size=1, max_size=4), st.binary(min_size=1, max_size=4), min_size=1, max_size=8)


def items(*stocks: int) -> list[dict[str, Any]]:
    return [{"id": {"S": f"p{i}"}, "stock": {"N": str(stock)}} for i, stock in enumerate(stocks)]


@pytest.mark.parametrize(
    ("restored", "before", "after", "equal", "says"),
    [
        ({b"a": b"1"}, {b"a": b"1"}, {b"a": b"1"}, True, "1 items restored, all equal"),
        ({}, {b"a": b"1"}, {b"a": b"1"}, False, "1 missing, 0 extra, 0 changed"),
        ({b"a": b"1", b"b": b"1"}, {b"a": b"1"}, {b"a": b"1"}, False, "0 missing, 1 extra, 0 changed"),
        ({b"a": b"2"}, {b"a": b"1"}, {b"a": b"1"}, False, "0 missing, 0 extra, 1 changed"),
        ({b"a": b"1", b"b": b"2"}, {b"a": b"1", b"b": b"1"}, {b"a": b"1", b"b": b"2"}, True, "1 written within"),
        ({b"b": b"2"}, {b"b": b"1"}, {b"b": b"2"}, False, "none to compare: that proves nothing"),
        ({}, {}, {}, False, "0 items restored, none to compare: that proves nothing"),
    ],
)
def test_a_restored_table_is_judged(
    restored: dict[bytes, bytes], before: dict[bytes, bytes], after: dict[bytes, bytes], equal: bool, says: str
) -> None:
    verdict = compare(restored, before, after, allow_empty=False)
    assert verdict.equal is equal
    assert says in verdict.reason


def test_an_empty_table_passes_only_if_that_is_allowed_and_says_so() -> None:
    assert compare({}, {}, {}, allow_empty=True).equal
    assert "AllowEmptyTable" in compare({}, {}, {}, allow_empty=True).reason
    assert not compare({}, {b"a": b"1"}, {}, allow_empty=True).equal


@given(TABLES)
def test_a_table_equals_itself_and_no_single_change_passes(table: dict[bytes, bytes]) -> None:
    assert compare(dict(reversed(table.items())), table, table, allow_empty=False).equal
    for key in table:
        without = {k: v for k, v in table.items() if k != key}
        assert not compare(without, table, table, allow_empty=False).equal
        assert not compare({**table, key: table[key] + b"!"}, table, table, allow_empty=False).equal
    assert not compare({**table, b"longer": b"1"}, table, table, allow_empty=False).equal


def test_more_items_than_allowed_are_not_compared() -> None:
    assert len(digests(items(1, 2), KEY, 2)) == 2
    with pytest.raises(TooLarge, match="more than 1 items: not compared"):
        digests(items(1, 2), KEY, 1)


def test_two_items_with_one_key_are_no_table() -> None:
    with pytest.raises(Error, match="the same key"):
        digests([*items(1), *items(2)], KEY, 10)


@pytest.mark.parametrize(
    ("restored", "equal", "says"),
    [
        (items(1, 2, 3), True, "3 items restored, all equal"),
        (items(1, 2), False, "1 missing"),
        (items(1, 2, 4), False, "1 changed"),
        (items(1, 2, 3, 4), False, "1 extra"),
    ],
)
def test_a_real_table_is_compared_with_a_real_export(
    restored: list[dict[str, Any]], equal: bool, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    place = export(tmp_path, items(1, 2, 3))
    asked = check(target_table="restored", witnesses=(Witness(export_arn="arn:e", place=place),))
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(
            TableName="restored",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        for item in restored:
            dynamodb.put_item(TableName="restored", Item=item)
        verdict = read_and_compare(asked, KEY, 100)
    assert verdict.equal is equal
    assert says in verdict.reason


def test_another_tables_export_is_no_witness(tmp_path: Path) -> None:
    place = export(tmp_path, items(1), table_arn=SOURCE_ARN + "-other")
    with pytest.raises(Error, match="the export is of"):
        read_and_compare(check(witnesses=(Witness(export_arn="arn:e", place=place),)), KEY, 100)


def test_without_a_witness_nothing_is_proven() -> None:
    with pytest.raises(Error, match="no witness"):
        read_and_compare(check(), KEY, 100)
