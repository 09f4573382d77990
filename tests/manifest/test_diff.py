"""Comparing: equal, different, or not to be told; and with the data at hand, which keys and which attributes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.manifest.exports import line, order, orders, write_export
from tests.manifest.test_document import manifest, some_digest

from backcheck.errors import Error, UsageError
from backcheck.manifest import differences, operands, repeats
from backcheck.manifest.diff import Outcome, compare
from backcheck.manifest.differences import Difference, Kind
from backcheck.manifest.digest import EMPTY, key_digest
from backcheck.manifest.document import FilterState, WitnessKind, render
from backcheck.manifest.engine import RunOptions
from backcheck.manifest.operands import DiffOptions, DiffReport

KEY = ("customer", "order")


def test_equal_content_is_equal() -> None:
    comparison = compare(manifest(), manifest())
    assert (comparison.outcome, comparison.reason, comparison.buckets) == (Outcome.EQUAL, "the same 50 items", ())


def test_other_content_is_different_whatever_the_witness() -> None:
    comparison = compare(manifest(), manifest(some_digest(51), filter=FilterState.UNKNOWN))
    assert comparison.outcome is Outcome.DIFFERENT
    assert comparison.buckets is not None
    assert len(comparison.buckets) == 1


def test_two_empty_tables_show_nothing() -> None:
    comparison = compare(manifest(EMPTY), manifest(EMPTY))
    assert (comparison.outcome, comparison.reason) == (Outcome.UNKNOWN, "both are empty: nothing was compared")


def test_an_empty_table_is_not_a_full_one() -> None:
    assert compare(manifest(), manifest(EMPTY)).outcome is Outcome.DIFFERENT


@pytest.mark.parametrize("which", ["A", "B"])
def test_a_filter_that_is_not_ruled_out_leaves_equality_open(which: str) -> None:
    unsure = manifest(filter=FilterState.UNKNOWN)
    comparison = compare(*((unsure, manifest()) if which == "A" else (manifest(), unsure)))
    assert comparison.outcome is Outcome.UNKNOWN
    assert f"left others out of {which} is not ruled out" in comparison.reason


def test_the_operator_s_word_is_noted() -> None:
    comparison = compare(manifest(filter=FilterState.STATED), manifest())
    assert comparison.outcome is Outcome.EQUAL
    assert "A: that the export has no filter is the operator's word" in comparison.notes


def test_a_scan_is_noted() -> None:
    scanned = manifest(kind=WitnessKind.SCAN, until=datetime(2026, 11, 2, tzinfo=UTC), consistent=True)
    assert "B: a scan shows one moment only if nothing was written while it ran" in compare(manifest(), scanned).notes


def test_two_keys_for_one_content_leave_it_open() -> None:
    comparison = compare(manifest(), replace(manifest(), key=("customer",)))
    assert comparison.outcome is Outcome.UNKNOWN
    assert "name different keys" in comparison.reason
    assert compare(manifest(), replace(manifest(), key=("order", "customer"))).outcome is Outcome.EQUAL


def test_without_a_key_on_one_side_content_is_still_compared() -> None:
    comparison = compare(manifest(), replace(manifest(), key=None))
    assert (comparison.outcome, comparison.buckets) == (Outcome.EQUAL, None)


def test_buckets_that_contradict_the_lanes_are_a_forgery() -> None:
    forged = replace(some_digest(), sums=some_digest(51).sums)
    comparison = compare(manifest(), manifest(forged))
    assert comparison.outcome is Outcome.UNKNOWN
    assert "forged" in comparison.reason


Table = list[dict[str, Any]]


def diffed(tmp_path: Path, a: Table, b: Table, **options: Any) -> DiffReport:
    given_options = {"key": KEY, "unfiltered": True, "run": RunOptions(processes=1), **options}
    places = [
        str(write_export(tmp_path / name, [[line(item) for item in table[n::3]] for n in range(3)]))
        for name, table in (("a", a), ("b", b))
    ]
    chosen = DiffOptions(**given_options)
    operand_a, operand_b = (
        operands.resolve(name, place, None, chosen) for name, place in zip("AB", places, strict=True)
    )
    return operands.diff(operand_a, operand_b, chosen)


def listed(report: DiffReport) -> list[tuple[str, str | None, tuple[str, ...]]]:
    assert report.differences is not None
    return sorted((one.kind.value, one.key, one.attributes) for one in report.differences.listed)


def _key(number: int) -> str:
    return json.dumps({name: order(number)[name] for name in KEY}, separators=(",", ":"))


def test_every_difference_is_classified(tmp_path: Path) -> None:
    a, b = orders(50), orders(50)
    del b[3]
    b.append(order(70))
    b[10] = order(11, total={"N": "1"}, extra={"S": "new"})
    del b[10]["note"]
    report = diffed(tmp_path, a, [*b, order(20)], show_keys=True)
    assert report.comparison.outcome is Outcome.DIFFERENT
    assert listed(report) == [
        ("changed", _key(11), ("extra", "note", "total")),
        ("duplicated", _key(20), ()),
        ("extra", _key(70), ()),
        ("missing", _key(3), ()),
    ]


def test_keys_appear_as_digests_unless_asked_for(tmp_path: Path) -> None:
    report = diffed(tmp_path, orders(5), orders(4))
    assert report.differences is not None
    [one] = report.differences.listed
    assert one == Difference(kind=Kind.MISSING, digest=one.digest)
    assert len(bytes.fromhex(one.digest)) == 32


def test_without_a_key_differences_are_found_but_not_paired(tmp_path: Path) -> None:
    report = diffed(tmp_path, [order(1), order(2)], [order(1), order(2, total={"N": "1"})], key=None)
    assert report.differences is not None
    assert report.differences.counts == {Kind.MISSING: 1, Kind.EXTRA: 1}


def test_all_are_counted_and_only_some_listed(tmp_path: Path) -> None:
    report = diffed(tmp_path, orders(40), orders(10), limit=5)
    assert report.differences is not None
    assert report.differences.counts == {Kind.MISSING: 30}
    assert len(report.differences.listed) == 5


def test_a_group_at_a_time_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "GROUP_ITEMS", 3)
    report = diffed(tmp_path, orders(40), orders(10))
    assert report.differences is not None
    assert report.differences.counts == {Kind.MISSING: 30}


def test_exports_with_the_same_lines_are_equal_without_parsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(line: bytes) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("backcheck.manifest.rawlines.parse_line", fail)
    monkeypatch.setattr("backcheck.manifest.reading.parse_line", fail)
    assert diffed(tmp_path / "1", orders(40), orders(40)).comparison.outcome is Outcome.EQUAL
    assert diffed(tmp_path / "2", orders(40), orders(40)[::-1]).comparison.outcome is Outcome.EQUAL


def test_only_lines_that_differ_are_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backcheck.manifest import encoding

    parsed: list[bytes] = []

    def parse_line(line: bytes) -> Any:
        parsed.append(line)
        return encoding.parse_line(line)

    monkeypatch.setattr("backcheck.manifest.rawlines.parse_line", parse_line)
    respelled = [*orders(399), order(399, total={"N": "1.25E1"})]
    assert diffed(tmp_path, orders(400), respelled).comparison.outcome is Outcome.EQUAL
    assert 2 <= len(parsed) < 20


TWICE = {
    "one item twice": [*orders(9), order(4)],
    "two items under one key": [*orders(9), order(4, total={"N": "1"})],
    "one key in two spellings": [*orders(9), order(4, order={"N": "4.0"})],
}


@pytest.mark.parametrize("table", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("processes", [1, 2])
def test_equal_exports_that_hold_a_key_twice_are_not_equal_tables(tmp_path: Path, table: Table, processes: int) -> None:
    report = diffed(tmp_path, table, table[::-1], run=RunOptions(processes=processes))
    digest = key_digest(order(4), KEY)
    assert report.comparison.outcome is Outcome.UNKNOWN
    assert "the same 10 items, but a key is among them more than once" in report.comparison.reason
    assert f"key digest {digest.hex()}, bucket {digest.hex()[:3]}" in report.comparison.reason


def test_a_key_that_is_there_twice_is_found_whatever_the_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "KEYS_AT_ONCE", 3)
    assert diffed(tmp_path / "1", orders(40), orders(40)).comparison.outcome is Outcome.EQUAL
    table = [*orders(40), order(39)]
    assert diffed(tmp_path / "2", table, table).comparison.outcome is Outcome.UNKNOWN


def test_keys_that_only_begin_alike_are_not_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "heads_of", lambda task, buckets: bytes(8 * task.stated_items))
    assert diffed(tmp_path, orders(40), orders(40)).comparison.outcome is Outcome.EQUAL


def test_without_a_key_the_verdict_says_what_was_not_looked_for(tmp_path: Path) -> None:
    comparison = diffed(tmp_path, TWICE["one item twice"], TWICE["one item twice"], key=None).comparison
    assert comparison.outcome is Outcome.EQUAL
    assert "nor a key that is there twice be seen" in comparison.notes[-1]


def test_a_key_that_the_items_do_not_have_is_told_where_all_lines_are_the_same(tmp_path: Path) -> None:
    with pytest.raises(Error, match="without the key attribute 'id'") as caught:
        diffed(tmp_path, orders(4), orders(4), key=("id",))
    assert caught.value.where.endswith(".json.gz:1")


def test_data_beside_equal_manifests_is_looked_through_too(tmp_path: Path) -> None:
    options = DiffOptions(run=RunOptions(processes=1), unfiltered=True)
    places = {}
    for name, table in (("twice", TWICE["one item twice"]), ("other", orders(3))):
        places[name] = str(write_export(tmp_path / name, [[line(item) for item in table]]))
        made = operands.manifest_of(operands.resolve(name, places[name], None, options), KEY, options)
        (tmp_path / f"{name}.json").write_bytes(render(made))
    twice = str(tmp_path / "twice.json")
    alone = operands.resolve("A", twice, None, options)
    assert operands.diff(alone, alone, options).comparison.outcome is Outcome.EQUAL
    for place, data in ((twice, places["twice"]), (places["twice"], None)):
        one = operands.resolve("B", place, data, options)
        assert operands.diff(alone, one, options).comparison.outcome is Outcome.UNKNOWN
    wrong = operands.resolve("B", twice, places["other"], options)
    with pytest.raises(Error, match="the data given for B is not what its manifest was made of"):
        operands.diff(alone, wrong, options)


def test_empty_exports_show_nothing(tmp_path: Path) -> None:
    assert diffed(tmp_path, [], []).comparison.outcome is Outcome.UNKNOWN


def test_exports_whose_filter_is_not_ruled_out_leave_it_open(tmp_path: Path) -> None:
    assert diffed(tmp_path, orders(4), orders(4), unfiltered=False).comparison.outcome is Outcome.UNKNOWN


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_raw_lines_and_canonical_digests_never_disagree(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    spellings = ("12.5", "1.25E1", "012.50", "13")
    tables = [
        [
            order(number, total={"N": data.draw(st.sampled_from(spellings))})
            for number in data.draw(st.permutations(range(5)))[: data.draw(st.integers(4, 5))]
        ]
        for _ in "ab"
    ]
    values = [sorted((item["order"]["N"], item["total"]["N"] == "13") for item in table) for table in tables]
    found = diffed(tmp_path_factory.mktemp("raw"), *tables).comparison.outcome
    assert found is (Outcome.EQUAL if values[0] == values[1] else Outcome.DIFFERENT)


def test_a_manifest_with_its_data_names_the_keys(tmp_path: Path) -> None:
    options = DiffOptions(run=RunOptions(processes=1), unfiltered=True, key=KEY, show_keys=True)
    places = {
        name: write_export(tmp_path / name, [[line(order(n)) for n in table]])
        for name, table in (("a", range(5)), ("b", range(4)), ("c", range(5)))
    }
    for name, place in places.items():
        made = operands.manifest_of(operands.resolve(name, str(place), None, options), KEY, options)
        (tmp_path / f"{name}.json").write_bytes(render(made))
    a = operands.resolve("A", str(tmp_path / "a.json"), str(places["a"]), options)
    b = operands.resolve("B", str(tmp_path / "b.json"), str(places["b"]), options)
    assert listed(operands.diff(a, b, options)) == [("missing", _key(4), ())]
    without = operands.resolve("B", str(tmp_path / "b.json"), None, options)
    assert operands.diff(a, without, options).differences is None
    wrong = operands.resolve("B", str(tmp_path / "b.json"), str(places["c"]), options)
    with pytest.raises(Error, match="the data given for B is not what its manifest was made of"):
        operands.diff(a, wrong, options)
    export = operands.resolve("B", str(places["b"]), None, options)
    assert operands.diff(a, export, options).comparison.outcome is Outcome.DIFFERENT
    with pytest.raises(UsageError, match="is an export already"):
        operands.resolve("B", str(places["b"]), str(places["b"]), options)
