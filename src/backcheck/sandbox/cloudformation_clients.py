"""The clients that stacks are built with: an account's own services, answered by the sandbox that is open."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3

from backcheck.sandbox import caller
from backcheck.sandbox.cloudformation_stacks import Account, Stack, find_stack
from backcheck.sandbox.models import botocore_session
from backcheck.sandbox.operations import Call
from backcheck.sandbox.refusal import Refusal
from backcheck.sandbox.world import World


def account_in(world: World, *, account: str = "", region: str = "us-east-1") -> Account:
    """An account of the world, its own by default, to deploy stacks into. Its sandbox must be open."""
    number = account or world.account
    return Account(
        world=world, account=number, region=region, clients=lambda service, place: _client(number, service, place)
    )


@cache
def _session(account: str) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=caller.access_key(account),
        aws_secret_access_key="sandbox",  # noqa: S106  nothing checks it
        botocore_session=botocore_session(),
    )


@cache
def _client(account: str, service: str, region: str) -> Any:
    """Clients keep no state of a sandbox, and are slow to make."""
    return _session(account).client(service, region_name=region)


def account_of(call: Call) -> Account:
    """The caller's account."""
    return account_in(call.world, account=call.region.account, region=call.region.name)


def stack_of(call: Call) -> Stack:
    """The stack that a call names, or the ValidationError that CloudFormation gives."""
    name = call.params["StackName"]
    stack = find_stack(call.world, call.region.account, call.region.name, name)
    if stack is None:
        raise Refusal("ValidationError", f"Stack with id {name} does not exist")
    return stack
