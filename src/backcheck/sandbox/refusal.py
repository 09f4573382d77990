"""How the sandbox says no: with the codes that AWS documents."""

from __future__ import annotations

from typing import NoReturn

from moto.core.exceptions import ServiceException

UNSUPPORTED = "UnsupportedOperation"
"""The code of what the sandbox does not have; never an empty list, which would say that there is nothing."""


class Refusal(ServiceException):
    """A service error, serialised in the protocol of whichever service was called."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is the shape's name in botocore's model, such as ResourceNotFoundException."""
        super().__init__(code, message)


class Unsupported(Refusal):
    """The sandbox does not model this. AWS might accept it."""

    def __init__(self, message: str) -> None:
        """`message` says what is not modelled."""
        super().__init__(UNSUPPORTED, f"the sandbox does not support {message}")


def not_found(message: str) -> NoReturn:
    """ResourceNotFoundException."""
    raise Refusal("ResourceNotFoundException", message)


def invalid(message: str) -> NoReturn:
    """InvalidParameterValueException."""
    raise Refusal("InvalidParameterValueException", message)


def invalid_request(message: str) -> NoReturn:
    """InvalidRequestException."""
    raise Refusal("InvalidRequestException", message)


def already_exists(message: str) -> NoReturn:
    """AlreadyExistsException."""
    raise Refusal("AlreadyExistsException", message)


def limit_exceeded(message: str) -> NoReturn:
    """LimitExceededException."""
    raise Refusal("LimitExceededException", message)
