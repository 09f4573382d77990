"""What a failed call says, as the code and the detail of a Gap."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from backcheck.inventory.collect.reply import Malformed

DETAIL_AT_MOST = 300

UNSUPPORTED = frozenset(
    {"404", "501", "NotImplemented", "NotImplementedError", "UnknownOperation", "UnknownOperationException"}
    | {"UnsupportedOperation", "UnsupportedOperationException", "InvalidAction"}
)
"""Codes by which an endpoint says that it has no such operation; a bare HTTP status stands where it sent no code."""

CREDENTIALS = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException"}
    | {"InvalidAccessKeyId", "SignatureDoesNotMatch", "NoCredentialsError", "PartialCredentialsError"}
    | {"TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "CredentialRetrievalError"}
)
"""Codes by which a service, or botocore itself, refuses the credentials and not the call."""

FAILURES = (
    BotoCoreError,
    ClientError,
    ResponseParserError,
    Malformed,
    NotImplementedError,
    # what botocore's parsers raise on a body that is not what its model says (a list for a map leaves a name unset)
    NameError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
)
"""Everything that a call which did not answer can raise."""


def code_and_detail(error: BaseException) -> tuple[str, str]:
    """A Gap's code and detail; the detail is shortened."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        code = str(said.get("Code") or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or "Unknown")
        detail = _short(str(said.get("Message") or error))
        return ("Unsupported", _short(f"{code}: {detail}")) if code in UNSUPPORTED else (code, detail)
    if isinstance(error, NotImplementedError):
        return "Unsupported", _short(str(error) or "the endpoint has no such operation")
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return "Timeout", _short(str(error))
    if isinstance(error, EndpointConnectionError):
        return "Unreachable", _short(str(error))
    if isinstance(error, IncompleteReadError | ConnectionClosedError):
        return "Truncated", _short(str(error))
    if isinstance(error, BotoCoreError):
        return type(error).__name__, _short(str(error))
    return "Malformed", _short(str(error))


def _short(text: str) -> str:
    if text.lstrip().startswith("<"):
        return "the endpoint answered with a page instead of a reply"
    return " ".join(text.split())[:DETAIL_AT_MOST]
