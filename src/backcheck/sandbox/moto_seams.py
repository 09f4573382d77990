"""Where the sandbox takes hold of moto. Everything of moto's internals that is relied on is named here.

moto is pinned to the patch level for this reason, and tests/sandbox/test_moto_contract.py checks each name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import ModuleType
from typing import Any

import moto.core.utils
import moto.dynamodb.responses
import moto.kms.models
from moto import backends
from moto.core.base_backend import BackendDict
from moto.core.loaders import create_loader
from moto.core.model_instances import reset_model_data
from moto.core.responses import BaseResponse
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.kms.utils import generate_private_key

moto.core.utils.create_loader = cache(create_loader)  # type: ignore[attr-defined]  # imported there by name
"""moto makes a loader for each service, and each looks for the models of all of AWS's services anew."""

Handler = Callable[[Any, str, Any], Any]
"""moto's URL handlers: (request, url, headers) to (status, headers, body)."""

Now = Callable[[], datetime]
Act = Callable[[Any], Any]
Account = Callable[[Any], str]

_now: Now | None = None
_act: Act | None = None
_account: Account | None = None

_stock_utcnow = moto.core.utils.utcnow
_stock_unix_time = moto.core.utils.unix_time
_stock_unix_time_millis = moto.core.utils.unix_time_millis
_stock_call_action = BaseResponse.call_action
_stock_current_account = BaseResponse.get_current_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What takes the place of moto's own."""

    now: Now
    act: Act
    """Answers a call, given moto's response object."""
    account: Account
    """The account of a call, given moto's response object."""
    dynamo_result: type
    """Writes replies with items."""
    add: Callable[[Any, Any], Any]
    """Adds two numbers, given as moto's attribute values."""
    subtract: Callable[[Any, Any], Any]
    private_key: Callable[[str], Any]
    """What a KMS key of some spec signs with."""


_STOCK_ATTRIBUTES: tuple[tuple[Any, str, Any], ...] = (
    (BaseResponse, "call_action", _stock_call_action),
    (BaseResponse, "get_current_account", _stock_current_account),
    (moto.dynamodb.responses, "DynamoResult", moto.dynamodb.responses.DynamoResult),
    (DynamoType, "__add__", DynamoType.__add__),
    (DynamoType, "__sub__", DynamoType.__sub__),
    (moto.kms.models, "generate_private_key", generate_private_key),
)
"""Owner, name and moto's own value of all that is replaced while a sandbox is open."""


def engage(seams: Seams) -> None:
    """Give moto our clock, our accounts, and our say in every call."""
    global _now, _act, _account
    _now, _act, _account = seams.now, seams.act, seams.account
    ours = (_call_action, _current_account, seams.dynamo_result, seams.add, seams.subtract, seams.private_key)
    for (owner, name, _), value in zip(_STOCK_ATTRIBUTES, ours, strict=True):
        setattr(owner, name, value)
    _patch_time()


def release() -> None:
    """Give moto back to itself, empty."""
    global _now, _act, _account
    _now = _act = _account = None
    for owner, name, value in _STOCK_ATTRIBUTES:
        setattr(owner, name, value)
    reset()


def reset() -> None:
    """Empty every backend of moto's."""
    BackendDict.reset()
    reset_model_data()


def stock_call_action(response: Any) -> Any:
    """What moto itself would answer."""
    return _stock_call_action(response)


def stock_account(response: Any) -> str:
    """The account that moto finds for the request's access key."""
    account: str = _stock_current_account(response)
    return account


def _call_action(response: Any) -> Any:
    return _stock_call_action(response) if _act is None else _act(response)


def _current_account(response: Any) -> str:
    return stock_account(response) if _account is None else _account(response)


def _utcnow() -> datetime:
    """Naive UTC, as moto keeps moments."""
    moment: datetime = _stock_utcnow() if _now is None else _now().replace(tzinfo=None)
    return moment


def _unix_time(dt: datetime | None = None) -> float:
    return (dt or _utcnow()).replace(tzinfo=UTC).timestamp()


def _unix_time_millis(dt: datetime | None = None) -> float:
    return _unix_time(dt) * 1000.0


OURS = {"utcnow": _utcnow, "unix_time": _unix_time, "unix_time_millis": _unix_time_millis}
_STOCK = {"utcnow": _stock_utcnow, "unix_time": _stock_unix_time, "unix_time_millis": _stock_unix_time_millis}
_patched: set[str] = set()


def _patch_time() -> None:
    """moto's modules import the clock by name: those that are loaded get ours, later ones find it at its source."""
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and name not in _patched and isinstance(module, ModuleType):
            _patched.add(name)
            for function, ours in OURS.items():
                if module.__dict__.get(function) is _STOCK[function]:
                    setattr(module, function, ours)


@cache
def _handlers(service: str) -> tuple[tuple[re.Pattern[str], Handler], ...]:
    """The URL patterns of one of moto's services, compiled once."""
    backend_dict: Any = backends.get_backend(service)  # type: ignore[call-overload]
    regions = backend_dict["123456789012"] if isinstance(backend_dict, BackendDict) else backend_dict
    backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
    return tuple((re.compile(url), handler) for url, handler in backend.urls.items())


def handler_of(service: str, url: str) -> Handler | None:
    """What moto answers this URL with; None where it knows nothing there."""
    if service == "backup":
        from moto.backup.responses import BackupResponse

        dispatch: Handler = BackupResponse.dispatch
        return dispatch
    return next((handler for pattern, handler in _handlers(service) if pattern.match(url)), None)
