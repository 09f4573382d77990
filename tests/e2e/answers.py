"""Where a custom resource answers: an HTTP server in the place of CloudFormation's presigned URL."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.emulators import until


@dataclass(slots=True)
class Answers:
    """What was PUT, in order."""

    url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    content_types: list[str | None] = field(default_factory=list)

    def of(self, request_id: str, *, seconds: float = 60) -> dict[str, Any]:
        """The answer to a request, once it has come."""
        return until(lambda: next(iter(self.to(request_id)), None), f"an answer to {request_id}", seconds=seconds)

    def to(self, request_id: str) -> list[dict[str, Any]]:
        """Every answer to a request so far."""
        return [one for one in self.received if one["RequestId"] == request_id]


@contextmanager
def answers() -> Iterator[Answers]:
    """A server on 127.0.0.1 that takes answers."""
    found = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            length = int(self.headers["Content-Length"])
            assert length <= 4096
            found.content_types.append(self.headers["Content-Type"])
            found.received.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            found.url = f"http://127.0.0.1:{server.server_port}/answer"
            yield found
        finally:
            server.shutdown()
            thread.join()
