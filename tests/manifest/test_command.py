"""`backcheck manifest`, as a user calls it: exit codes, what is on stdout, what is in the file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from tests.manifest.exports import EXPORT_ID, line, order, orders, write_export

from backcheck import cli
from backcheck.manifest.document import FilterState, read


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    changed = [*orders(20)[:-2], order(19), order(18, total={"N": "13"})]
    tables = {"a": orders(20), "same": orders(20)[::-1], "changed": changed, "empty": []}
    return {
        name: str(write_export(tmp_path / name, [[line(item) for item in table]])) for name, table in tables.items()
    }


def run(*arguments: str) -> int:
    return cli.run(["manifest", *arguments])


def export(place: str, out: Path, *more: str) -> int:
    return run("export", place, "--key", "customer,order", "--unfiltered", "--processes", "1", "--out", str(out), *more)


def test_export_and_diff(places: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, place in places.items():
        assert export(place, tmp_path / f"{name}.json") == 0
    captured = capsys.readouterr()
    assert "orders: 20 items" in captured.out
    assert "the table is empty" in captured.err
    files = {name: str(tmp_path / f"{name}.json") for name in places}
    assert run("diff", files["a"], files["same"]) == 0
    assert run("diff", files["a"], files["changed"]) == 1
    assert run("diff", files["empty"], files["empty"]) == 2
    assert run("diff", files["a"], files["empty"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^EQUAL: the same 20 items$", out, re.MULTILINE)
    assert re.search(r"^DIFFERENT: the content differs$", out, re.MULTILINE)
    assert re.search(r"^COULD NOT TELL: both are empty: nothing was compared$", out, re.MULTILINE)
    assert not list(tmp_path.glob("*.partial"))


def test_diff_of_exports_names_the_keys_only_if_asked(
    places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("diff", places["a"], places["changed"], "--key", "customer,order", "--unfiltered", "--processes", "1")
    assert run(*arguments) == 1
    out = capsys.readouterr().out
    assert "1 changed" in out
    assert "customer" not in out.replace("total", "")
    assert run(*arguments, "--show-keys") == 1
    assert '{"customer":{"S":"c18"},"order":{"N":"18"}}  total' in capsys.readouterr().out


def test_json(places: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(places["a"], tmp_path / "a.json", "--json") == 0
    head = json.loads(capsys.readouterr().out)
    assert (head["items"], head["table"], head["digest"]) == (20, "orders", read(tmp_path / "a.json").digest.id)
    assert run("diff", str(tmp_path / "a.json"), places["changed"], "--data-a", places["a"], "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["outcome"] == "different"
    assert found["differences"]["counts"] == {"missing": 0, "extra": 0, "changed": 1, "duplicated": 0}


def test_a_filter_that_nobody_ruled_out(places: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diff", places["a"], places["same"], "--processes", "1") == 2
    assert "a filter left others out of A and B is not ruled out" in capsys.readouterr().out


def test_loose_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.json").write_bytes(line(order(1)))
    assert run("export", str(tmp_path / "data"), "--files", "--out", str(tmp_path / "m.json")) == 0
    assert "1 loose files: nothing shows that the set is whole" in capsys.readouterr().out


def test_an_incremental_export(tmp_path: Path, places: dict[str, str]) -> None:
    assert export(places["a"], tmp_path / "a.json") == 0
    changed = order(18, total={"N": "13"})
    record: dict[str, Any] = {"Keys": {name: changed[name] for name in ("customer", "order")}}
    text = json.dumps({**record, "NewImage": changed, "OldImage": order(18)}).encode()
    changes = str(write_export(tmp_path / "i", [[text]], incremental=True))
    assert export(changes, tmp_path / "x.json") == 4
    assert export(changes, tmp_path / "b.json", "--base", str(tmp_path / "a.json")) == 0
    assert export(places["changed"], tmp_path / "c.json") == 0
    assert run("diff", str(tmp_path / "b.json"), str(tmp_path / "c.json")) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("diff", "nothing.json", "nothing.json"), 2, "cannot read the manifest"),
        (("diff", "one"), 4, "Missing argument 'B'"),
        (("export", "nowhere", "--out", "m.json"), 4, "no such folder"),
        (("export", "s3://", "--out", "m.json"), 4, "not an export's place in S3"),
        (("export", ".", "--out", "m.json"), 2, "is missing"),
        (("export", ".", "--key", "a,a", "--out", "m.json"), 4, "HASH or HASH,RANGE"),
        (("export", ".", "--key", "a,b,c", "--out", "m.json"), 4, "HASH or HASH,RANGE"),
        (("export", "."), 4, "Missing option '--out'"),
        (("scan", "t", "--read-share", "2", "--out", "m.json"), 4, "2.0 is not in the range"),
        (("scan", "t", "--read-share", "nan", "--out", "m.json"), 4, "'--read-share': nan is not a number"),
        (("scan", "t", "--max-read-units", "nan", "--out", "m.json"), 4, "'--max-read-units': nan is not a number"),
        (("scan", "t", "--max-read-units", "inf", "--out", "m.json"), 4, "'--max-read-units': inf is not a number"),
        (
            ("scan", "t", "--region", "us-east-1", "--endpoint-url", "foo", "--out", "m.json"),
            4,
            "http://127.0.0.1:8000",
        ),
        (("diff", "a", "b", "--key", ""), 4, "HASH or HASH,RANGE"),
        (("export", ".", "--key", "", "--out", "m.json"), 4, "HASH or HASH,RANGE"),
    ],
)
def test_what_goes_wrong_is_told(
    arguments: tuple[str, ...],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not captured.out


def test_an_endpoint_in_the_environment_that_is_no_url_is_told(
    places: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from backcheck.manifest import location

    monkeypatch.setenv("AWS_ENDPOINT_URL", "foo")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    location._s3_client.cache_clear()  # another test's client would do
    out = str(tmp_path / "m.json")
    for place in ("s3://bucket/AWSDynamoDB/another-id/", places["a"]):
        assert run("export", place, "--describe", "--out", out) == 4
        assert "such as http://127.0.0.1:8000" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_told(
    places: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("export", places["a"], "--unfiltered", "--processes", "1", "--out", str(tmp_path / "no" / "m.json"))
    assert run(*arguments) == 4
    assert "no such folder" in capsys.readouterr().err
    (tmp_path / "m.json").mkdir()
    assert export(places["a"], tmp_path / "m.json") == 4
    assert "is a directory" in capsys.readouterr().err


def test_an_export_in_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Read over HTTP from moto, which does not know the export's ARN: DescribeExport does not rule a filter out."""
    from backcheck.manifest import location

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    location._s3_client.cache_clear()
    try:
        _upload(write_export(tmp_path, [[line(item)] for item in orders(5)]).parents[1], "exports", "some/prefix")
        place = f"s3://exports/some/prefix/AWSDynamoDB/{EXPORT_ID}/"
        out = ("--key", "customer,order", "--processes", "2", "--out", str(tmp_path / "m.json"))
        assert run("export", place, *out) == 0
        assert "orders: 5 items" in capsys.readouterr().out
        assert read(tmp_path / "m.json").witness.filter is FilterState.UNKNOWN
        assert run("export", place, "--unfiltered", *out) == 0
        assert read(tmp_path / "m.json").witness.filter is FilterState.STATED
        assert run("export", place.replace("some", "another"), *out) == 2
        assert "is missing" in capsys.readouterr().err
        assert run("export", place.replace("exports", "no-such-bucket"), *out) == 2
        assert "s3:get_object failed" in capsys.readouterr().err
    finally:
        location._s3_client.cache_clear()
        server.stop()


@pytest.mark.parametrize("named", ["option", "environment"])
def test_a_scan_of_another_server_than_aws_says_so(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import boto3

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    try:
        boto3.client("dynamodb", region_name="us-east-1", endpoint_url=endpoint).create_table(
            TableName=named,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        option: tuple[str, ...] = ("--endpoint-url", endpoint)
        if named == "environment":
            option = ()
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        out = tmp_path / "m.json"
        assert run("scan", named, "--region", "us-east-1", "--processes", "1", *option, "--out", str(out)) == 0
        assert f"read from {endpoint}, which is not an endpoint of AWS's own" in capsys.readouterr().err
        assert read(out).witness.endpoint == endpoint
    finally:
        server.stop()


def test_a_scan_of_aws_has_nothing_to_say_of_its_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    from backcheck.commands.manifest import _tell_endpoint

    _tell_endpoint("https://dynamodb.eu-central-1.amazonaws.com")
    assert capsys.readouterr().err == ""


def _upload(folder: Path, bucket: str, prefix: str) -> None:
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    for file in folder.rglob("*"):
        if file.is_file():
            client.put_object(Bucket=bucket, Key=f"{prefix}/{file.relative_to(folder)}", Body=file.read_bytes())


class FakeDynamodb:
    def __init__(self, description: dict[str, Any] | Exception) -> None:
        self.description = description

    def describe_export(self, **_: str) -> dict[str, Any]:
        if isinstance(self.description, Exception):
            raise self.description
        return {"ExportDescription": self.description}


def test_describe_export_says_whether_there_was_a_filter() -> None:
    from botocore.exceptions import ClientError

    from backcheck.errors import Error
    from backcheck.manifest.build import described_filter

    complete = {"ExportStatus": "COMPLETED"}
    assert described_filter(FakeDynamodb(complete), "arn") is FilterState.NONE
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "DescribeExport")
    assert described_filter(FakeDynamodb(denied), "arn") is FilterState.UNKNOWN
    with pytest.raises(Error, match="a filtered export"):
        described_filter(FakeDynamodb({**complete, "FilterSpecification": {"FilterExpression": "a"}}), "arn")
    with pytest.raises(Error, match="whose status is IN_PROGRESS"):
        described_filter(FakeDynamodb({"ExportStatus": "IN_PROGRESS"}), "arn")
