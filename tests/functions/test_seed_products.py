from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from backcheck.errors import Error
from functions.seed_products import main, requests, write


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="shop-products",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield client


def test_products_have_ids_of_ours_and_go_away_again(dynamodb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    dynamodb.put_item(TableName="shop-products", Item={"id": {"S": "real"}})
    assert main(["--table", "shop-products", "--count", "60"]) == 0
    found = dynamodb.scan(TableName="shop-products")["Items"]
    assert len(found) == 61
    first = next(item for item in found if item["id"]["S"] == "seed-product-0001")
    assert first["price"] == {"N": "10"}
    assert first["name"] == {"S": "Test Product 1"}
    assert main(["--table", "shop-products", "--count", "60", "--delete"]) == 0
    assert [item["id"]["S"] for item in dynamodb.scan(TableName="shop-products")["Items"]] == ["real"]
    assert capsys.readouterr().out == "60 products written\n60 products deleted\n"


def test_batches_have_the_size_that_dynamodb_takes() -> None:
    assert [len(batch) for batch in requests(60, delete=False)] == [25, 25, 10]


def test_what_dynamodb_keeps_refusing_is_an_error() -> None:
    class Busy:
        def batch_write_item(self, **arguments: Any) -> dict[str, Any]:
            return {"UnprocessedItems": arguments["RequestItems"]}

    with pytest.raises(Error, match="10 products were not taken after 8 tries"):
        write("shop-products", 10, delete=False, dynamodb=Busy())


class Api(BaseHTTPRequestHandler):
    posted: list[dict[str, Any]]

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.posted.append(content)
        self.send_response(500 if content["price"] > 30 else 201)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


def test_products_go_through_the_api_until_it_refuses_one(capsys: pytest.CaptureFixture[str]) -> None:
    Api.posted = []
    server = HTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        assert main(["--api-url", url, "--count", "3"]) == 0
        assert main(["--api-url", url, "--count", "4"]) == 2
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [product["price"] for product in Api.posted] == [10, 20, 30, 10, 20, 30, 40]
    assert "seed-product-0004: the API answered 500" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--api-url", "http://x", "--delete"], ["--table", "t", "--count", "0"]])
def test_what_cannot_be_done_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 4
    assert capsys.readouterr().err
