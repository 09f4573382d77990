"""Reading templates: marks, short tags, limits, and a clear refusal of everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from backcheck.template.compose import MAX_DEPTH
from backcheck.template.load import MAX_BYTES, load, loads
from backcheck.template.node import Map, Scalar, Sequence, TemplateError, plain, text_of

BAD = Path(__file__).parents[2] / "fixtures" / "templates" / "bad"


def value_of(yaml: str) -> object:
    template = loads(f"Resources: {{A: {{Type: T}}}}\nMetadata:\n  x: {yaml}\n")
    metadata = template.section("Metadata")
    node = metadata.get("x")
    assert node is not None
    return plain(node)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!Condition A", {"Condition": "A"}),
        ("!Sub 'x${A}'", {"Fn::Sub": "x${A}"}),
        ("!GetAtt A.Arn", {"Fn::GetAtt": ["A", "Arn"]}),
        ("!GetAtt A.Outputs.Arn", {"Fn::GetAtt": ["A", "Outputs.Arn"]}),
        ("!GetAtt [A, Arn]", {"Fn::GetAtt": ["A", "Arn"]}),
        ("!If [C, !Ref A, !Ref 'AWS::NoValue']", {"Fn::If": ["C", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]}),
        ("!Equals [!Ref A, 1]", {"Fn::Equals": [{"Ref": "A"}, 1]}),
        ("yes", True),
        ("'yes'", "yes"),
        ("2012-10-17", "2012-10-17"),
        ("012345678901", "012345678901"),
        ("012345670123", "012345670123"),
        ("12:30:45", "12:30:45"),
        ("1.10", 1.1),
        ("-7", -7),
        ("~", None),
        ("'{\"a\": 1}'", '{"a": 1}'),
    ],
)
def test_tags_and_scalars(written: str, read: object) -> None:
    assert value_of(written) == read


def test_every_node_knows_its_place() -> None:
    template = loads(
        "Resources:\n  Table:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      TableName: !Ref Name\n"
    )
    entry = template.section("Resources").entry("Table")
    assert entry is not None
    assert (entry.mark.line, entry.mark.column) == (2, 3)
    assert isinstance(entry.value, Map)
    properties = entry.value.get("Properties")
    assert isinstance(properties, Map)
    name = properties.entry("TableName")
    assert name is not None
    assert (name.mark.line, name.mark.column, name.value.mark.column) == (5, 7, 18)


def test_json_is_read_with_tabs_and_surrogate_pairs() -> None:
    template = loads(
        '{\n\t"Resources": {\n\t\t"A": {"Type": "T", "Properties": {"x": "\\ud83d\\udcbe", "y": "\\\\ud83d"}}\n\t}\n}'
    )
    entry = template.section("Resources").entry("A")
    assert entry is not None
    assert entry.mark.line == 3
    assert plain(entry.value) == {"Type": "T", "Properties": {"x": "\U0001f4be", "y": "\\ud83d"}}


def test_aliases_and_merges_are_written_out_with_a_warning() -> None:
    template = loads(
        "Metadata:\n  base: &base {a: 1, b: 2}\n  list: &l [1]\n"
        "Resources:\n  A: {Type: T, Properties: {<<: *base, b: 3, c: *l}}\n"
    )
    resource = template.section("Resources").get("A")
    assert isinstance(resource, Map)
    properties = resource.get("Properties")
    assert isinstance(properties, Map)
    assert plain(properties) == {"b": 3, "c": [1], "a": 1}
    assert [mark.line for mark, _ in template.warnings] == [5, 5]
    assert "refuses YAML aliases" in template.warnings[0][1]


def laughs() -> str:
    lines = ["Metadata:", "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    return "\n".join([*lines, "Resources: {A: {Type: T}}"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: {A: {Type: T}, A: {Type: T}}", r"A is given twice \(first on line 1\)"),
        ("Resources: {A: {Type: T, Properties: {x: !Nope 1}}}", "unknown tag !Nope"),
        (
            "Resources: {A: {Type: T, Properties: {x: !!timestamp 2001-01-01}}}",
            "does not support the YAML tag !!timestamp",
        ),
        ("Resources: {A: *a}", r"\*a is an alias to nothing"),
        ("Resources: &r {A: *r}", r"\*r is an alias to itself"),
        ("Resources: {A: {Type: T}}\n---\nResources: {}", "more than one YAML document"),
        ("Resources: {[1]: x}", "a key must be a string"),
        ("Resources: [", "not valid YAML or JSON"),
        ("", "top level must be a map with a Resources section"),
        ("- 1", "top level must be a map"),
        ("Resources: {}", "At least one Resources member must be defined"),
        ("Resources: []", "Resources must be a map"),
        ("Resource: {A: {Type: T}}", r"Invalid template property or properties \[Resource\]"),
        ("AWSTemplateFormatVersion: 2010-09-10\nResources: {A: {Type: T}}", "must be 2010-09-09"),
        ("Resources: {A: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "}", f"more than {MAX_DEPTH} levels"),
        (laughs(), "holds more than 200,000 values"),
        ("#" * MAX_BYTES + "\nResources: {}", "CloudFormation takes at most 1,048,576"),
        ('{"resource": {"aws_backup_vault": {}}, "terraform": {}}', "is Terraform"),
        ('resource "aws_backup_plan" "p" {\n}', "is Terraform"),
        ('{"Resources": "\\ud83d"}', "not valid YAML or JSON"),
    ],
)
def test_what_is_no_template_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message) as caught:
        loads(text, file="t.yaml")
    assert caught.value.where.startswith("t.yaml")


@pytest.mark.parametrize(
    ("name", "where"),
    [("broken.yaml", ":3:1"), ("duplicate-key.yaml", ":3:3"), ("main.tf", "main.tf"), ("absent.yaml", "absent.yaml")],
)
def test_bad_files_are_refused(name: str, where: str) -> None:
    with pytest.raises(TemplateError) as caught:
        load(BAD / name)
    assert caught.value.where.endswith(where)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateError, match="not UTF-8"):
        load(path)
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(TemplateError, match="at most"):
        load(path)


def test_text_of_tells_null_and_structures_from_text() -> None:
    assert text_of(Scalar(None, "")) is None
    assert text_of(Sequence(())) is None
    assert text_of(None) is None
    assert text_of(Scalar(1.1, "1.10")) == "1.10"
