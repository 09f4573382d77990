"""Pages: every list takes MaxResults and NextToken."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from backcheck.sandbox.operations import Call, Reply
from backcheck.sandbox.refusal import invalid

T = TypeVar("T")

DEFAULT_PAGE = 100
"""AWS documents only the bounds of MaxResults; a page that is smaller than the list keeps callers honest."""


def page(call: Call, key: str, rows: Sequence[Mapping[str, Any]]) -> Reply:
    """One page of `rows` under `key`, with a token while there are more."""
    return page_of(call, key, rows, lambda row: row)


def page_of(call: Call, key: str, things: Sequence[T], row: Callable[[T], Mapping[str, Any]]) -> Reply:
    """One page of `things` under `key`; only those on the page are written out as rows."""
    start = _offset(call.params.get("NextToken"), key)
    end = start + (call.params.get("MaxResults") or DEFAULT_PAGE)
    reply: dict[str, Any] = {key: [shown(row(thing)) for thing in things[start:end]]}
    if end < len(things):
        reply["NextToken"] = base64.urlsafe_b64encode(f"{key}:{end}".encode()).decode()
    return reply


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A reply without the members that have no value: AWS leaves them out."""
    return {name: value for name, value in row.items() if value is not None}


def in_period(call: Call, moment: datetime | None, before: str, after: str) -> bool:
    """Whether `moment` lies between the filters named `before` and `after`, where those were given."""
    earliest, latest = _aware(call.params.get(after)), _aware(call.params.get(before))
    if earliest is None and latest is None:
        return True
    if moment is None:
        return False
    return (earliest is None or moment > earliest) and (latest is None or moment < latest)


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _offset(token: str | None, key: str) -> int:
    if not token:
        return 0
    try:
        of, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        invalid("Invalid NextToken")
    if of != key or not offset.isdigit():
        invalid("Invalid NextToken")
    return int(offset)
