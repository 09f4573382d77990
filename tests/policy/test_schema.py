"""The schema keeps the habits that its errors rely on, and both copies of it are one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from backcheck.policy import schema
from backcheck.policy.document import Json, pointer_to

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(schema.text())


def every_schema(value: Json, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield pointer, value
        for key, below in value.items():
            if key not in ("examples", "default", "enum", "const"):
                yield from every_schema(below, pointer_to(pointer, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from every_schema(below, pointer_to(pointer, index))


def keys() -> Iterator[tuple[str, dict[str, Any]]]:
    for pointer, value in every_schema(SCHEMA):
        if pointer.rpartition("/")[0].endswith("/properties") and "/if/" not in pointer:
            yield pointer, value


def test_is_draft_2020_12() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_the_copy_for_editors_is_the_one_that_loads() -> None:
    assert (ROOT / "policies" / "policy.schema.json").read_text(encoding="utf-8") == schema.text()


def test_every_key_is_described_with_examples() -> None:
    found = list(keys())
    assert len(found) > 100
    assert [pointer for pointer, value in found if not value.get("description") or "examples" not in value] == []


def test_every_example_is_valid() -> None:
    wrong = []
    for pointer, value in keys():
        checker = Draft202012Validator(SCHEMA | {"required": []}).evolve(schema={**value, "$defs": SCHEMA["$defs"]})
        wrong += [(pointer, example) for example in value["examples"] if not checker.is_valid(example)]
    assert wrong == []


def test_every_map_is_closed() -> None:
    open_maps = [
        pointer
        for pointer, value in every_schema(SCHEMA)
        if value.get("type") == "object" and "oneOf" not in value and "$ref" not in value
        if "additionalProperties" not in value
    ]
    assert open_maps == []


def test_every_pattern_says_what_it_wants() -> None:
    silent = [p for p, v in every_schema(SCHEMA) if isinstance(v.get("pattern"), str) and "errorMessage" not in v]
    assert silent == []


def test_the_branches_of_a_choice_differ_in_type() -> None:
    for pointer, value in every_schema(SCHEMA):
        if "oneOf" in value and "errorMessage" not in value:
            types = [branch["type"] for branch in value["oneOf"]]
            assert len(set(types)) == len(types), pointer


def test_numbers_have_their_unit_in_the_name() -> None:
    units = ("_minutes", "_hours", "_days", "_usd")
    numbers = {
        pointer.rpartition("/")[2]
        for pointer, value in keys()
        if value.get("type") in ("integer", "number")
        or value.get("$ref") in ("#/$defs/count", "#/$defs/days", "#/$defs/minutes")
    }
    assert {name for name in numbers if not name.endswith(units)} == set()
