"""Refusals in the protocol of a service, for codes that its model does not have: unsupported, denied, throttled."""

from __future__ import annotations

import json
from http import HTTPStatus
from xml.sax.saxutils import escape

from moto.core.exceptions import ServiceException

from backcheck.sandbox.refusal import UNSUPPORTED

Answer = tuple[int, dict[str, str], str]

QUERY = frozenset({"query", "ec2", "rest-xml"})


def write(refusal: ServiceException, protocol: str) -> Answer:
    """Status, headers and body; botocore finds the same code and message in every protocol."""
    status = _status(refusal.code, protocol)
    if protocol in QUERY:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(refusal.code)}</Code>"
            f"<Message>{escape(refusal.message)}</Message></Error><RequestId>sandbox</RequestId></ErrorResponse>"
        )
        if protocol == "ec2":
            body = (
                f"<Response><Errors><Error><Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}"
                "</Message></Error></Errors><RequestID>sandbox</RequestID></Response>"
            )
        return status, {"content-type": "text/xml", "status": str(status)}, body
    headers = {"content-type": "application/json", "x-amzn-errortype": refusal.code, "status": str(status)}
    return status, headers, json.dumps({"__type": refusal.code, "message": refusal.message})


def _status(code: str, protocol: str) -> int:
    if code == UNSUPPORTED:
        return HTTPStatus.NOT_IMPLEMENTED
    denied = code.startswith("AccessDenied") and protocol != "json"  # AWS's JSON protocol knows only 400
    return HTTPStatus.FORBIDDEN if denied else HTTPStatus.BAD_REQUEST
