from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from tests.functions.building import REPLY_TO

from functions.reply import MAX_BODY_BYTES, NotDelivered, ReplyTo, body, send

EVENT = {
    "RequestType": "Create",
    "ResponseURL": "https://cloudformation.example/reply",
    "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/shop/guid",
    "RequestId": "request-1",
    "LogicalResourceId": "TestPITRRestore",
}


class Server(HTTPServer):
    """Remembers what was put, and answers with one status."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = status
        self.got: list[tuple[str | None, dict[str, Any]]] = []


class Handler(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        assert isinstance(self.server, Server)
        content = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.headers.get("content-type"), json.loads(content)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(getattr(request, "param", 200))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_the_physical_id_is_stable_and_an_updates_own_is_kept() -> None:
    assert ReplyTo.of(EVENT).physical_id == "shop-TestPITRRestore"
    assert ReplyTo.of({**EVENT, "PhysicalResourceId": "as-it-was"}).physical_id == "as-it-was"


@pytest.mark.parametrize("success", [True, False])
def test_cloudformation_gets_status_reason_and_an_empty_content_type(server: Server, success: bool) -> None:
    to = replace(REPLY_TO, url=f"http://127.0.0.1:{server.server_port}/reply")
    send(to, success=success, reason="3 missing", data={"Items": 10})
    [(content_type, answer)] = server.got
    assert content_type == ""
    assert answer == {
        "Status": "SUCCESS" if success else "FAILED",
        "Reason": "3 missing",
        "PhysicalResourceId": "shop-TestPITRRestore",
        "StackId": REPLY_TO.stack_id,
        "RequestId": "request-1",
        "LogicalResourceId": "TestPITRRestore",
        "Data": {"Items": 10},
    }


@pytest.mark.parametrize("server", [403], indirect=True)
def test_an_answer_that_was_refused_is_not_called_delivered(server: Server) -> None:
    with pytest.raises(NotDelivered, match="answered 403"):
        send(replace(REPLY_TO, url=f"http://127.0.0.1:{server.server_port}/reply"), success=True, reason="fine")


def test_an_unreachable_url_is_an_error_with_a_name() -> None:
    with pytest.raises(NotDelivered, match="was not reached"):
        send(replace(REPLY_TO, url="http://127.0.0.1:9/reply"), success=True, reason="fine")


def test_an_answer_fits_into_what_cloudformation_takes() -> None:
    answer = body(REPLY_TO, success=False, reason="x" * 9000, data={"Long": "y" * 9000})
    assert len(answer) <= MAX_BODY_BYTES
    assert json.loads(answer)["Status"] == "FAILED"
