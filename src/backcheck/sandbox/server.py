"""The sandbox over HTTP, on 127.0.0.1 only, for any AWS client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.core.request import Request
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from backcheck.errors import UsageError
from backcheck.sandbox.wire import MOTO_NAMES, Answer, Wire

HOST = "127.0.0.1"
ADVANCE = "/_sandbox/advance"
"""POST with days=, hours= or minutes= in the query: lets time pass. For clients that are not in this process."""


class _Quiet(WSGIRequestHandler):
    """Requests are not logged: they carry item data."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


class _Served(Request):
    from_wsgi_server = True


class Server:
    """A server in a thread of its own."""

    def __init__(self, wire: Wire, *, port: int) -> None:
        """Listens at once. Raises UsageError where the port is taken."""
        self._wire = wire
        try:
            self._server = make_server(HOST, port, self._app, threaded=True, request_handler=_Quiet)
        except (OSError, SystemExit) as error:
            raise UsageError(f"cannot listen on {HOST}:{port}: {error}", hint="choose another --port") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="sandbox", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        return f"{HOST}:{self._server.server_port}"

    @property
    def url(self) -> str:
        """For AWS_ENDPOINT_URL."""
        return f"http://{self.address}"

    def close(self) -> None:
        """Stop listening and wait for the thread."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/_sandbox/"):
            status, headers, body = self._control(environ)
        else:
            status, headers, body = self._wire.answer(*_addressed(environ))
        return Response(body, status=status, headers=headers)(environ, start_response)

    def _control(self, environ: dict[str, Any]) -> Answer:
        if environ["PATH_INFO"] != ADVANCE or environ["REQUEST_METHOD"] != "POST":
            return 404, {}, "not found\n"
        query = parse_qs(environ["QUERY_STRING"])
        unknown = query.keys() - {"days", "hours", "minutes"}
        try:
            delay = {unit: float(values[-1]) for unit, values in query.items()}
        except ValueError:
            return 400, {}, "days, hours and minutes are numbers\n"
        if unknown or not delay or min(delay.values()) < 0:
            return 400, {}, "give days, hours or minutes, not negative\n"
        with self._wire.world.lock:
            self._wire.world.clock.advance(**delay)
            now = self._wire.world.clock.now().isoformat()
        return 200, {"content-type": "application/json"}, json.dumps({"now": now})


def _addressed(environ: dict[str, Any]) -> tuple[str, Request]:
    """The service, from the signature's scope, and the request as if it had been sent to AWS's own host."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
    region, service = (scope[2], scope[3]) if len(scope) == 5 else ("us-east-1", "unsigned request")
    request = _Served({**environ, "HTTP_HOST": f"{service}.{region}.amazonaws.com", "wsgi.url_scheme": "https"})
    return MOTO_NAMES.get(service, service), request
