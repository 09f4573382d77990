"""The mutation run: every change that a table, an export or a transfer can suffer is found; no re-spelling is reported.

Each mutation is made on a whole export and judged end to end: by the manifests of both, and by their raw lines.
"""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.manifest.exports import line, write_export, write_manifest_files
from tests.manifest.test_diff import diffed

from backcheck.errors import Error
from backcheck.manifest.build import export_manifest, export_tasks
from backcheck.manifest.diff import Outcome, compare
from backcheck.manifest.digest import Accumulator
from backcheck.manifest.document import FilterState, Manifest
from backcheck.manifest.encoding import encode_item, parse_line
from backcheck.manifest.engine import NoProgress, RunOptions
from backcheck.manifest.export import open_export
from backcheck.manifest.rawlines import compare_lines

Item = dict[str, Any]
Table = list[Item]
KEY = ("customer", "order")
BINARY = base64.b64encode(bytes(range(64))).decode()


def base_item(number: int) -> Item:
    """One item with every type at the top, in a list and in a map."""
    every = {
        "s": {"S": "value"},
        "n": {"N": "12345678901234567890123456789012345678"},
        "b": {"B": BINARY},
        "t": {"BOOL": True},
        "null": {"NULL": True},
        "ss": {"SS": ["a", "b", "1"]},
        "ns": {"NS": ["1", "2.5", "-3"]},
        "bs": {"BS": ["AAEC", "/w=="]},
    }
    nested = copy.deepcopy(every)
    return {
        "customer": {"S": f"c{number}"},
        "order": {"N": str(number)},
        **every,
        "l": {"L": [copy.deepcopy(value) for value in every.values()]},
        "m": {"M": {**nested, "deep": {"M": {"deeper": {"L": [{"N": "1"}]}}}}},
        "empty": {"S": ""},
        "none": {"B": ""},
        "nothing": {"L": []},
        "nobody": {"M": {}},
        "mine": {"S": f"only {number}"},
    }


def table() -> Table:
    return [base_item(number) for number in range(12)]


def _set(path: str, value: Any) -> Callable[[Table], None]:
    """Put `value` at a path of the third item, such as `m/M/s`."""

    def change(items: Table) -> None:
        *parents, last = path.split("/")
        at: Any = items[2]
        for step in parents:
            at = at[int(step)] if isinstance(at, list) else at[step]
        if isinstance(at, list):
            at[int(last)] = value
        else:
            at[last] = value

    return change


def _delete(name: str) -> Callable[[Table], None]:
    def change(items: Table) -> None:
        del items[2][name]

    return change


def _swap(name: str) -> Callable[[Table], None]:
    def change(items: Table) -> None:
        items[2][name], items[3][name] = items[3][name], items[2][name]

    return change


def _swap_names(items: Table) -> None:
    items[2]["s"], items[2]["mine"] = items[2]["mine"], items[2]["s"]


CHANGES: dict[str, Callable[[Table], Any]] = {
    "an item dropped": lambda items: items.pop(),
    "the first item dropped": lambda items: items.pop(0),
    "an item added": lambda items: items.append(base_item(99)),
    "an item duplicated": lambda items: items.append(copy.deepcopy(items[5])),
    "an item duplicated and another dropped": lambda items: items.__setitem__(5, copy.deepcopy(items[6])),
    "two items duplicated": lambda items: items.extend(copy.deepcopy(items[:2])),
    "every item duplicated": lambda items: items.extend(copy.deepcopy(items)),
    "all items gone": lambda items: items.clear(),
    "values swapped between two items": _swap("mine"),
    "keys swapped between two items": _swap("customer"),
    "values swapped between two attributes": _swap_names,
    "an attribute dropped": _delete("s"),
    "an empty string dropped": _delete("empty"),
    "an empty binary dropped": _delete("none"),
    "an empty list dropped": _delete("nothing"),
    "an empty map dropped": _delete("nobody"),
    "a null dropped": _delete("null"),
    "an attribute added": _set("new", {"NULL": True}),
    "another case in a name": _set("S", {"S": "value"}),
    "a letter": _set("s", {"S": "valuf"}),
    "another case": _set("s", {"S": "Value"}),
    "a space after": _set("s", {"S": "value "}),
    "a NUL after": _set("s", {"S": "value\0"}),
    "another Unicode spelling": _set("s", {"S": "valu\u0065\u0301"}),
    "S for N": _set("order", {"S": "2"}),
    "N for S": _set("s", {"N": "1"}),
    "S true for BOOL": _set("t", {"S": "true"}),
    "false for true": _set("t", {"BOOL": False}),
    "BOOL for NULL": _set("null", {"BOOL": True}),
    "S empty for NULL": _set("null", {"S": ""}),
    "S for B": _set("b", {"S": BINARY}),
    "B empty for S empty": _set("empty", {"B": ""}),
    "L empty for M empty": _set("nobody", {"L": []}),
    "SS for NS": _set("ns", {"SS": ["1", "2.5", "-3"]}),
    "NS for SS, one member alike": _set("ss", {"NS": ["1"]}),
    "BS for SS": _set("ss", {"BS": ["AAEC"]}),
    "L for SS": _set("ss", {"L": [{"S": "a"}, {"S": "b"}, {"S": "1"}]}),
    "a set's only member for the set": _set("ss", {"S": "a"}),
    "the 38th digit": _set("n", {"N": "12345678901234567890123456789012345679"}),
    "a sign": _set("n", {"N": "-12345678901234567890123456789012345678"}),
    "a decimal place": _set("n", {"N": "1234567890123456789012345678901234567.8"}),
    "a factor of ten": _set("n", {"N": "123456789012345678901234567890123456780"}),
    "a member of a string set gone": _set("ss", {"SS": ["a", "b"]}),
    "a member of a string set more": _set("ss", {"SS": ["a", "b", "1", ""]}),
    "a member of a number set": _set("ns", {"NS": ["1", "2.5", "3"]}),
    "a member of a binary set": _set("bs", {"BS": ["AAEC", "/g=="]}),
    "two members of a set joined": _set("ss", {"SS": ["ab", "1"]}),
    "a list's order": lambda items: items[2]["l"]["L"].reverse(),
    "a list's last element": lambda items: items[2]["l"]["L"].pop(),
    "a list in a list": lambda items: items[2]["l"].update({"L": [{"L": items[2]["l"]["L"]}]}),
    "a value in a list": _set("l/L/0", {"S": "valuf"}),
    "a number in a list": _set("l/L/1/N", "12345678901234567890123456789012345679"),
    "a value in a map": _set("m/M/s/S", "valuf"),
    "a name in a map": lambda items: items[2]["m"]["M"].update(z=items[2]["m"]["M"].pop("s")),
    "a value four levels down": _set("m/M/deep/M/deeper/L/0", {"S": "1"}),
    "a map raised a level": lambda items: items[2].update(items[2]["m"]["M"]["deep"]["M"]),
}


def _respell(function: Callable[[Item], Item]) -> Callable[[Table], Table]:
    return lambda items: [function(item) for item in items]


def _set_all(name: str, value: Any) -> Callable[[Table], Table]:
    return _respell(lambda item: {**item, name: value})


SPELLINGS: dict[str, Callable[[Table], Table]] = {
    "items in another order": lambda items: random.Random(1).sample(items, len(items)),
    "names in another order": _respell(lambda item: dict(reversed(item.items()))),
    "names in a map in another order": _respell(
        lambda item: {**item, "m": {"M": dict(reversed(item["m"]["M"].items()))}}
    ),
    "sets in another order": _respell(
        lambda item: {
            **item,
            "ss": {"SS": ["1", "b", "a"]},
            "ns": {"NS": ["-3", "2.5", "1"]},
            "bs": {"BS": ["/w==", "AAEC"]},
        }
    ),
    "numbers with zeros": _respell(lambda item: {**item, "order": {"N": f"00{item['order']['N']}.000"}}),
    "numbers with an exponent": _set_all("n", {"N": "1.2345678901234567890123456789012345678E+37"}),
    "number sets respelled": _set_all("ns", {"NS": ["1E0", "25e-1", "-3.0"]}),
    "binary with unused bits": _set_all("bs", {"BS": ["AAEC", "/x=="]}),
}


def digested(place: Path) -> Manifest:
    export = open_export(str(place))
    return export_manifest(export, KEY, filter_state=FilterState.NONE, options=RunOptions(processes=1))


def outcomes(tmp_path: Path, a: Table, b: Table, write: Callable[[Item], bytes] = line) -> tuple[Outcome, Outcome]:
    """The verdict by manifests, and by raw lines."""
    made = [
        digested(write_export(tmp_path / name, [[to_line(item) for item in items[n::2]] for n in range(2)]))
        for name, items, to_line in (("ma", a, line), ("mb", b, write))
    ]
    return compare(*made).outcome, diffed(tmp_path / "raw", a, b).comparison.outcome


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_found(tmp_path: Path, change: Callable[[Table], Any]) -> None:
    changed = table()
    change(changed)
    assert outcomes(tmp_path, table(), changed) == (Outcome.DIFFERENT, Outcome.DIFFERENT)


@pytest.mark.parametrize("respell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_spelling_is_not_reported(tmp_path: Path, respell: Callable[[Table], Table]) -> None:
    assert outcomes(tmp_path, table(), respell(table())) == (Outcome.EQUAL, Outcome.EQUAL)


@pytest.mark.parametrize(
    "write",
    [
        lambda item: json.dumps({"Item": item}).encode(),
        lambda item: json.dumps({"Item": item}, indent=1).replace("\n", "\t").encode() + b"\r",
        lambda item: json.dumps({"Item": item}, ensure_ascii=True, separators=(" ,", " :")).encode(),
    ],
    ids=["spaces", "tabs", "more spaces"],
)
def test_white_space_and_escapes_are_not_reported(tmp_path: Path, write: Callable[[Item], bytes]) -> None:
    assert outcomes(tmp_path, table(), table(), write)[0] is Outcome.EQUAL


def _scalars(value: Any) -> list[tuple[dict[str, Any], str]]:
    """Every value that holds text, as (object, type): what a bit can be flipped in."""
    found = []
    for kind, inner in value.items():
        if kind in ("S", "N", "B") and inner:
            found.append((value, kind))
        elif kind == "L":
            found += [one for element in inner for one in _scalars(element)]
        elif kind == "M":
            found += [one for element in inner.values() for one in _scalars(element)]
    return found


def test_every_single_bit_of_every_value_matters() -> None:
    """Each bit of each string and binary is flipped in turn, at every depth; and each bit of a number's text."""
    item = base_item(2)
    places = [place for name in item for place in _scalars(item[name])]
    whole = _one(item)
    flips = refused = 0
    for holder, kind in places:
        text = holder[kind]
        raw = base64.b64decode(text) if kind == "B" else text.encode()
        for bit in range(8 * len(raw)):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            holder[kind] = base64.b64encode(flipped).decode() if kind == "B" else flipped.decode("latin-1")
            flips += 1
            try:
                assert _one(item) != whole
            except Error:
                refused += 1  # a number that is none any more
            holder[kind] = text
    assert flips > 2500
    assert 0 < refused < flips / 3
    assert _one(item) == whole


def _one(item: Item) -> bytes:
    total = Accumulator(KEY)
    fresh = copy.deepcopy(item)
    total.add(fresh, encode_item(fresh))
    return total.digest().lanes


def test_every_single_bit_of_a_line_is_found_or_refused() -> None:
    """What a disk or a wire flips in a line: another item, an error, or the very same item; never a wrong one."""
    small = {"customer": {"S": "c1"}, "order": {"N": "1.50"}, "x": {"L": [{"B": "AAE="}, {"SS": ["a", "b"]}]}}
    whole = line(small)
    expected = parse_line(whole)[1]
    same = []
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            encoded = parse_line(bytes(flipped))[1]
        except Error:
            continue
        if encoded == expected:
            same.append(bytes(flipped))
    # The only flips that leave the item as it was are in base64's unused bits.
    assert {text.replace(b'"AAE="', b"").replace(b'"AAF="', b"").replace(b'"AAG="', b"") for text in same} <= {
        whole.replace(b'"AAE="', b"")
    }


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    items = table()
    return write_export(tmp_path / "whole", [[line(item) for item in items[:6]], [line(item) for item in items[6:]]])


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _without_last_line(data: bytes) -> bytes:
    return gzip.compress(b"\n".join(gzip.decompress(data).split(b"\n")[:-2]) + b"\n", mtime=0)


def _cut_inside_a_line(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data)[:-20], mtime=0)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": _cut,
    "cut by one byte": lambda data: data[:-1],
    "cut to its header": lambda data: data[:10],
    "emptied": lambda data: b"",
    "an empty gzip file": lambda data: gzip.compress(b""),
    "a line dropped, a whole gzip file": _without_last_line,
    "cut inside a line, a whole gzip file": _cut_inside_a_line,
    "a second member": lambda data: data + gzip.compress(line(base_item(50)) + b"\n"),
    "zeros after": lambda data: data + b"\0" * 512,
    "a bit in the middle": lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
    "not compressed": gzip.decompress,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("md5_fits", [False, True], ids=["", "with an MD5 that fits"])
def test_a_damaged_data_file_is_an_error(
    tmp_path: Path, whole: Path, damage: Callable[[bytes], bytes], md5_fits: bool
) -> None:
    """Even where whoever did it put the right MD5 into the export's manifest."""
    undamaged = shutil.copytree(whole.parents[1], tmp_path / "undamaged") / "AWSDynamoDB" / whole.name
    data = sorted((whole / "data").iterdir())[1]
    data.write_bytes(damage(data.read_bytes()))
    if md5_fits:
        _put_md5_right(whole, data)
    with pytest.raises(Error):
        digested(whole)
    with pytest.raises(Error):
        _by_lines(whole, undamaged)


def _by_lines(*places: Path) -> None:
    tasks = [export_tasks(open_export(str(place)), KEY) for place in places]
    compare_lines(*tasks, processes=1, progress=NoProgress())


def _put_md5_right(place: Path, data: Path) -> None:
    entries = [json.loads(text) for text in (place / "manifest-files.json").read_text().splitlines()]
    entries[1]["md5Checksum"] = base64.b64encode(hashlib.md5(data.read_bytes()).digest()).decode()
    write_manifest_files(place, json.loads((place / "manifest-summary.json").read_text()), entries)


def test_a_file_swapped_for_another_s_is_an_error(whole: Path) -> None:
    one, other = sorted((whole / "data").iterdir())
    one.write_bytes(other.read_bytes())
    with pytest.raises(Error, match="does not have the MD5"):
        digested(whole)
