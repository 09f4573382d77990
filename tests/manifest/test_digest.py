"""The digest's properties: no order, no split, no engine changes it; any single change does."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.manifest.exports import order, orders
from tests.manifest.strategies import items, values

from backcheck.errors import Error
from backcheck.manifest.digest import (
    BUCKETS,
    EMPTY,
    Accumulator,
    Digest,
    bucket_counts,
    differing_buckets,
    item_digest,
    merge,
    subtract,
)
from backcheck.manifest.encoding import encode_item

KEY = ("id",)


def digest_of(table: Iterable[dict[str, Any]], key: tuple[str, ...] | None = KEY) -> Digest:
    total = Accumulator(key)
    for item in copy.deepcopy(list(table)):
        total.add(item, encode_item(item))
    return total.digest()


@settings(max_examples=60)
@given(st.lists(items, max_size=20), st.data())
def test_any_order_and_any_split_give_one_digest(table: list[dict[str, Any]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(table))
    cut = data.draw(st.integers(0, len(table)))
    assert merge(digest_of(shuffled[:cut]), digest_of(shuffled[cut:])) == digest_of(table)


@given(st.lists(items, min_size=1, max_size=6), st.data())
def test_one_item_more_or_less_changes_it(table: list[dict[str, Any]], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(table) - 1))
    rest = table[:gone] + table[gone + 1 :]
    assert not digest_of(rest).same_content(digest_of(table))
    assert not digest_of([*table, table[gone]]).same_content(digest_of(table))
    assert subtract(digest_of(table), digest_of([table[gone]])) == digest_of(rest)


@given(items, values, values)
def test_another_value_changes_it(item: dict[str, Any], one: dict[str, Any], other: dict[str, Any]) -> None:
    a, b = {**item, "value": one}, {**item, "value": other}
    same = encode_item(copy.deepcopy(a)) == encode_item(copy.deepcopy(b))
    assert digest_of([a]).same_content(digest_of([b])) == same


@given(items)
def test_spelling_and_order_of_names_do_not_change_it(item: dict[str, Any]) -> None:
    turned = json.loads(json.dumps(dict(reversed(item.items())), indent=2))
    assert digest_of([turned]) == digest_of([item])


def test_two_copies_do_not_cancel() -> None:
    twice = digest_of([order(1), order(1)], ("customer", "order"))
    assert not twice.same_content(EMPTY)
    assert twice.items == 2


def test_values_swapped_between_items_are_seen() -> None:
    a = [order(1, total={"N": "1"}), order(2, total={"N": "2"})]
    b = [order(1, total={"N": "2"}), order(2, total={"N": "1"})]
    assert not digest_of(a, None).same_content(digest_of(b, None))


def test_buckets_name_the_keys_that_differ() -> None:
    key = ("customer", "order")
    a, b = orders(500), orders(500)
    b[7] = order(7, total={"N": "99"})
    assert len(differing_buckets(digest_of(a, key), digest_of(b, key))) == 1
    assert sum(bucket_counts(digest_of(a, key))) == 500


def test_sums_carry_across_all_their_limbs_and_back() -> None:
    table = orders(2000)
    all_of_it, half = digest_of(table, None), digest_of(table[:1000], None)
    assert subtract(all_of_it, half) == digest_of(table[1000:], None)
    by_hand = [0] * BUCKETS
    for item in copy.deepcopy(table):
        one = item_digest(item)
        by_hand[one[0] << 4 | one[1] >> 4] += int.from_bytes(one, "little")
    assert all_of_it.sums == b"".join((total % (1 << 256)).to_bytes(32, "little") for total in by_hand)


def test_more_than_there_is_cannot_be_taken_away() -> None:
    with pytest.raises(Error, match="more items to take away"):
        subtract(digest_of([{"id": {"S": "a"}}]), digest_of([{"id": {"S": "b"}}, {"id": {"S": "c"}}]))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"other": {"S": "a"}}, "without the key attribute 'id'"),
        ({"id": {"BOOL": True}}, "neither string, number nor binary"),
        ({"id": {"M": {}}}, "neither string, number nor binary"),
    ],
)
def test_an_item_without_a_proper_key_is_refused(item: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=message):
        digest_of([item])
