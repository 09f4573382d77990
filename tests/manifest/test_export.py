"""Exports: what their manifest files state is held against the data, and what does not fit is an error."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.manifest.exports import EXPORT_ID, TABLE_ARN, line, order, orders, write_export, write_manifest_files

from backcheck.errors import Error, UsageError
from backcheck.manifest.build import changed_manifest, export_manifest, files_manifest
from backcheck.manifest.digest import EMPTY
from backcheck.manifest.document import FilterState, Manifest
from backcheck.manifest.engine import RunOptions
from backcheck.manifest.export import open_export

KEY = ("customer", "order")
ONE_PROCESS = RunOptions(processes=1)


def digested(place: Path, key: tuple[str, ...] | None = KEY) -> Manifest:
    return export_manifest(open_export(str(place)), key, filter_state=FilterState.NONE, options=ONE_PROCESS)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    lines = [line(item) for item in orders(100)]
    return write_export(tmp_path, [lines[:60], lines[60:], []])


def test_an_export_tells_table_time_and_count(whole: Path) -> None:
    manifest = digested(whole)
    assert (manifest.table.name, manifest.table.account, manifest.table.region) == (
        "orders",
        "123456789012",
        "us-east-1",
    )
    assert manifest.table.arn == TABLE_ARN
    assert manifest.witness.as_of is not None
    assert manifest.witness.as_of.isoformat() == "2026-11-01T00:00:00+00:00"
    assert manifest.digest.items == 100
    assert manifest.witness.notes == ()


def test_how_items_are_spread_over_files_means_nothing(whole: Path, tmp_path: Path) -> None:
    other = write_export(tmp_path / "other", [[line(item)] for item in reversed(orders(100))])
    assert digested(other).digest == digested(whole).digest


def test_spelling_means_nothing(whole: Path, tmp_path: Path) -> None:
    spelled = [
        {**item, "total": {"N": "1.250E1"}, "tags": {"SS": ["green", "red"]}, "sizes": {"NS": ["20.0", "3", "1E0"]}}
        for item in orders(100)
    ]
    text = [json.dumps({"Item": dict(reversed(item.items()))}, indent=None).encode() + b" \r" for item in spelled]
    assert digested(write_export(tmp_path / "other", [text])).digest == digested(whole).digest


def test_a_renamed_folder_and_the_other_checksum_name_are_fine(whole: Path, tmp_path: Path) -> None:
    moved = tmp_path / "copy"
    shutil.copytree(whole, moved)
    for checksum in moved.glob("*.checksum"):
        checksum.rename(checksum.with_suffix(".md5"))
    (moved / "_started").unlink()
    assert digested(moved).digest == digested(whole).digest


def test_a_missing_checksum_file_is_a_note(whole: Path) -> None:
    (whole / "manifest-files.checksum").unlink()
    assert digested(whole).witness.notes == ("manifest-files.json has no checksum file beside it: not compared",)


def _rewrite(place: Path, **summary: Any) -> None:
    fields = {**json.loads((place / "manifest-summary.json").read_text()), **summary}
    entries = [json.loads(text) for text in (place / "manifest-files.json").read_text().splitlines()]
    write_manifest_files(place, fields, entries)


def _entries(place: Path, change: Any) -> None:
    entries = [json.loads(text) for text in (place / "manifest-files.json").read_text().splitlines()]
    write_manifest_files(place, json.loads((place / "manifest-summary.json").read_text()), change(entries))


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ({"outputFormat": "ION"}, "Amazon Ion"),
        ({"outputFormat": "CSV"}, "a format that this version does not read"),
        ({"exportType": "PARTIAL"}, "an exportType that this version does not know"),
        ({"itemCount": 99}, "adds up to 100 items, manifest-summary.json states 99"),
        ({"itemCount": "100"}, "itemCount is not there"),
        ({"itemCount": True}, "itemCount is not there"),
        ({"filterSpecification": {"FilterExpression": "a = b"}}, "a filtered export"),
        ({"FilterExpression": "a = b"}, "a filtered export"),
        ({"projectionExpression": "a"}, "a filtered export"),
        ({"tableArn": "arn:aws:s3:::bucket"}, "not the ARN of a table"),
        ({"exportTime": "yesterday"}, "exportTime is not an RFC 3339 time"),
        ({"exportTime": "2026-11-01T00:00:00"}, "exportTime is not an RFC 3339 time"),
        ({"exportArn": None}, "exportArn is not there"),
    ],
)
def test_a_summary_that_cannot_be_evidence_is_refused(whole: Path, summary: dict[str, Any], message: str) -> None:
    _rewrite(whole, **summary)
    with pytest.raises(Error, match=message):
        open_export(str(whole))


@pytest.mark.parametrize("value", [None, "100", -1])
def test_a_count_that_the_summary_lacks_is_told_with_the_file(whole: Path, value: Any) -> None:
    _rewrite(whole, itemCount=value)
    with pytest.raises(Error, match="itemCount is not there, or is not a count") as caught:
        open_export(str(whole))
    assert caught.value.where == str(whole / "manifest-summary.json")


def test_a_count_that_the_list_of_files_lacks_is_told_with_file_and_line(whole: Path) -> None:
    _entries(whole, lambda entries: [entries[0], {**entries[1], "itemCount": None}, *entries[2:]])
    with pytest.raises(Error, match="itemCount is not there, or is not a count") as caught:
        open_export(str(whole))
    assert caught.value.where == f"{whole / 'manifest-files.json'}:2"


def test_a_field_that_no_page_documents_is_a_note(whole: Path) -> None:
    _rewrite(whole, newField=1, filterSpecification=None)
    assert "filterSpecification, newField" in digested(whole).witness.notes[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entries: [], "adds up to 0 items"),
        (lambda entries: entries[:-2], "adds up to 60 items"),
        (lambda entries: [*entries[:-1]], "1 data file.s. that manifest-files.json does not list"),
        (lambda entries: [*entries, entries[2]], "lists a data file twice"),
        (lambda entries: [{**entries[0], "md5Checksum": "%"}, *entries[1:]], "md5Checksum is not base64"),
        (lambda entries: [{**entries[0], "itemCount": -60}, *entries[1:]], "itemCount is not there"),
        (lambda entries: [{**entries[0], "dataFileS3Key": "../../secret.gz"}, *entries[1:]], "dataFileS3Key is not"),
        (lambda entries: [{**entries[0], "dataFileS3Key": 7}, *entries[1:]], "dataFileS3Key is not there"),
    ],
)
def test_a_list_of_files_that_does_not_hold_together_is_refused(whole: Path, change: Any, message: str) -> None:
    _entries(whole, change)
    with pytest.raises(Error, match=message):
        open_export(str(whole))


def _data(place: Path, number: int = 0) -> Path:
    return sorted((place / "data").iterdir())[number]


def test_a_missing_file_is_named(whole: Path) -> None:
    _data(whole).unlink()
    with pytest.raises(Error, match=r"1 data file\(s\) missing, such as .*part0.json.gz"):
        open_export(str(whole))


def test_a_file_too_many_is_named(whole: Path) -> None:
    (whole / "data" / "another.json.gz").write_bytes(gzip.compress(line(order(1000))))
    with pytest.raises(Error, match=r"does not list, such as .*another\.json\.gz"):
        open_export(str(whole))


@pytest.mark.parametrize("name", ["manifest-summary.json", "manifest-files.json"])
def test_a_missing_manifest_file_is_an_error_and_not_an_empty_table(whole: Path, name: str) -> None:
    (whole / name).unlink()
    with pytest.raises(Error, match="is missing"):
        open_export(str(whole))


@pytest.mark.parametrize("name", ["manifest-summary.json", "manifest-files.json"])
def test_an_edited_manifest_file_is_found(whole: Path, name: str) -> None:
    (whole / name).write_bytes((whole / name).read_bytes() + b"\n")
    with pytest.raises(Error, match=r"does not have the MD5 that its \.checksum file states"):
        open_export(str(whole))


def test_other_content_of_the_same_length_is_found_by_its_md5(whole: Path) -> None:
    lines = gzip.decompress(_data(whole).read_bytes()).replace(b'"12.5"', b'"12.6"', 1)
    _data(whole).write_bytes(gzip.compress(lines, mtime=0))
    with pytest.raises(Error, match="does not have the MD5"):
        digested(whole)


def test_an_empty_data_file_may_have_no_byte_at_all(tmp_path: Path) -> None:
    place = write_export(tmp_path, [[line(order(1))], []])
    _data(place, 1).write_bytes(b"")
    _entries(place, lambda entries: [entries[0], {**entries[1], "md5Checksum": "1B2M2Y8AsgTpgAmY7PhCfg=="}])
    assert digested(place).digest.items == 1


def test_an_empty_export_has_the_digest_of_nothing(tmp_path: Path) -> None:
    assert digested(write_export(tmp_path, [[]])).digest == EMPTY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"Item":{"customer":{"S":"c"},"order":{"N":"1"}},"x":1}', "one member, Item"),
        (b'{"customer":{"S":"c"},"order":{"N":"1"}}', "one member, Item"),
        (b'{"Item":{"customer":{"S":"c"}}}', "without the key attribute 'order'"),
        (b'{"Item":{"customer":{"S":"c"},"order":{"N":"1"}}', "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_a_line_that_is_no_item_is_an_error_with_its_place(tmp_path: Path, text: bytes, message: str) -> None:
    place = write_export(tmp_path, [[line(order(1)), text]])
    with pytest.raises(Error, match=message) as caught:
        digested(place)
    assert caught.value.where.endswith("part0.json.gz:2")


def test_no_error_quotes_the_data(tmp_path: Path) -> None:
    place = write_export(tmp_path, [[b'{"Item":{"customer":{"S":"secret"},"order":{"N":"secret"}}}']])
    with pytest.raises(Error) as caught:
        digested(place)
    assert "secret" not in caught.value.diagnostics()


def test_processes_give_the_same_bytes(whole: Path) -> None:
    export = open_export(str(whole))
    two = export_manifest(export, KEY, filter_state=FilterState.NONE, options=RunOptions(processes=2))
    assert two == digested(whole)


def test_a_worker_s_error_comes_through(whole: Path) -> None:
    _data(whole).write_bytes(b"junk")
    with pytest.raises(Error, match="cut off") as caught:
        export_manifest(open_export(str(whole)), KEY, filter_state=FilterState.NONE, options=RunOptions(processes=2))
    assert caught.value.where.endswith("part0.json.gz")
    assert caught.value.hint == "copy the file again"


def test_loose_files_are_read_and_said_to_be_loose(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(line(order(1)) + b"\n" + line(order(2)))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(line(order(3)) + b"\n"))
    (tmp_path / "readme.txt").write_text("not data")
    manifest = files_manifest(tmp_path, KEY, options=ONE_PROCESS)
    assert manifest.digest.items == 3
    assert manifest.witness.notes == ("2 loose files: nothing shows that the set is whole",)
    with pytest.raises(UsageError, match=r"no \.json or \.json\.gz file"):
        files_manifest(tmp_path / "nowhere", KEY, options=ONE_PROCESS)


def _change(keys: dict[str, Any], new: Any = None, old: Any = None) -> bytes:
    record = {"Metadata": {"WriteTimestampMicros": {"N": "1680109764000000"}}, "Keys": keys}
    images = {"NewImage": new, "OldImage": old}
    return json.dumps({**record, **{name: image for name, image in images.items() if image}}).encode()


def _keys(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in KEY}


def test_changes_added_to_a_base_give_the_table_as_of_their_end(tmp_path: Path) -> None:
    base = digested(write_export(tmp_path / "base", [[line(item) for item in orders(10)]]))
    changed = order(3, total={"N": "99"})
    changes = write_export(
        tmp_path / "changes",
        [
            [_change(_keys(order(10)), new=order(10)), _change(_keys(changed), new=changed, old=order(3))],
            [_change(_keys(order(5)), old=order(5))],
        ],
        incremental=True,
        export_id="01700000000001-11111111",
    )
    after = [item for item in orders(11) if item["order"]["N"] not in ("3", "5")] + [changed]
    expected = digested(write_export(tmp_path / "after", [[line(item) for item in after]]))
    found = changed_manifest(base, open_export(str(changes)), filter_state=FilterState.NONE, options=ONE_PROCESS)
    assert found.digest == expected.digest
    assert found.witness.as_of is not None
    assert found.witness.as_of.isoformat() == "2026-11-02T00:00:00+00:00"
    assert found.key == KEY


@pytest.mark.parametrize(
    ("summary", "record", "message"),
    [
        ({"outputView": "NEW_IMAGES"}, None, "new images only"),
        ({"outputView": "OLD"}, None, "an outputView that this version does not know"),
        ({"exportFromTime": "2026-10-31T00:00:00Z"}, None, "the changes begin at 2026-10-31"),
        ({"tableId": "another"}, None, "not an export of the same table"),
        ({}, _change(_keys(order(1))), "not a change with Metadata, Keys and at least one image"),
        ({}, _change({}, new=order(1)), "not a change with Metadata, Keys and at least one image"),
        ({}, line(order(1)), "not a change with Metadata, Keys and at least one image"),
        ({}, _change({"order": {"N": "1"}}, new=order(1)), "other names than the key of the base"),
        ({}, _change(_keys(order(2)), new=order(1)), "another key than its Keys"),
        ({}, _change(_keys(order(7)), old=order(7)), "do not fit the base"),
    ],
)
def test_changes_that_do_not_fit_the_base_are_refused(
    tmp_path: Path, summary: dict[str, Any], record: bytes | None, message: str
) -> None:
    base = digested(write_export(tmp_path / "base", [[line(order(1))]]))
    lines = [record] if record else []
    changes = write_export(tmp_path / "changes", [lines], incremental=True, summary=summary)
    with pytest.raises(Error, match=message):
        changed_manifest(base, open_export(str(changes)), filter_state=FilterState.NONE, options=ONE_PROCESS)


def test_changes_alone_are_no_table(tmp_path: Path) -> None:
    changes = write_export(tmp_path, [[]], incremental=True)
    with pytest.raises(UsageError, match="a set of changes, not a table"):
        digested(changes)


def test_the_places_of_exports(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        open_export(str(tmp_path / EXPORT_ID))
    with pytest.raises(UsageError, match="not an export's place in S3"):
        open_export("s3://bucket")
