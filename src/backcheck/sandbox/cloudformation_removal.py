"""Takes stacks away again: after a failure, or on request.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import ClientError

from backcheck.sandbox.cloudformation_kinds import Physical, ServiceBrokeError, Site
from backcheck.sandbox.cloudformation_stacks import (
    Account,
    DeployError,
    Stack,
    StackResource,
    living_stacks,
    stacks_of,
)
from backcheck.sandbox.cloudformation_types import KINDS, NESTED
from backcheck.sandbox.refusal import UNSUPPORTED

_KEPT_ON_DELETE = frozenset({"Retain", "RetainExceptOnCreate"})
_ABSENT = re.compile(r"does not exist|not found|cannot be assumed by Lambda|Cross-account pass role")
KEPT_ON_ROLLBACK = frozenset({"Retain"})


def delete(stack: Stack, *, of: Account) -> None:
    """Delete a stack and what it created, newest first; what its DeletionPolicy retains stays and is no longer its own.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    Raises DeployError while another stack imports one of its exports.
    """
    for other in living_stacks(of.world, stack.account, stack.region):
        used = sorted(other.imports & stack.exports.keys())
        if used and other is not stack:
            raise DeployError("ValidationError", f"Export {used[0]} cannot be deleted as it is in use by {other.name}")
    stack.move("DELETE_IN_PROGRESS", of.world.clock.now())
    failed = take_down(stack, of, keep=_KEPT_ON_DELETE)
    if failed:
        stack.move("DELETE_FAILED", of.world.clock.now(), failed_to("delete", failed))
        return
    stack.exports.clear()
    stack.deleted = of.world.clock.now()
    stack.move("DELETE_COMPLETE", stack.deleted)


def take_down(stack: Stack, account: Account, *, keep: frozenset[str]) -> list[str]:
    """Delete the stack's resources, newest first; the logical ids of those that could not be."""
    failed = []
    for resource in reversed(list(stack.resources.values())):
        now = account.world.clock.now()
        if resource.physical is None or resource.deletion_policy in keep:
            status = "DELETE_COMPLETE" if resource.physical is None else "DELETE_SKIPPED"
            stack.record(resource, status, now)
            continue
        try:
            _remove(stack, resource, resource.physical, account)
        except ClientError as error:
            if is_absent(error):
                stack.record(resource, "DELETE_COMPLETE", now)
                continue
            stack.record(resource, "DELETE_FAILED", now, service_message(error))
            failed.append(resource.logical_id)
            continue
        except ServiceBrokeError as error:
            stack.record(resource, "DELETE_FAILED", now, error.message)
            failed.append(resource.logical_id)
            continue
        resource.physical = None
        stack.record(resource, "DELETE_COMPLETE", now)
    return failed


def _remove(stack: Stack, resource: StackResource, physical: Physical, account: Account) -> None:
    if resource.type != NESTED:
        KINDS[resource.type].delete(site_of(stack, resource, account), physical)
        return
    nested = stacks_of(account.world, stack.account, stack.region)[physical.ref]
    if nested.status != "DELETE_COMPLETE":
        delete(nested, of=account)
    if nested.status != "DELETE_COMPLETE":
        raise ServiceBrokeError(f"nested stack {nested.name} is {nested.status}: {nested.reason}")


def is_absent(error: ClientError) -> bool:
    """Whether the service says that there is no such thing."""
    code = str(error.response["Error"]["Code"])
    return code.startswith(("ResourceNotFound", "NoSuchEntity", "NotFound"))


def is_about_elsewhere(error: ClientError) -> bool:
    """Whether the refusal says nothing about AWS: the sandbox has no such operation, or not the thing that is named.

    What the template makes itself exists by now; a key, role, vault or topic that it only names may well exist in the
    account that it is for, and an empty sandbox cannot know.
    """
    code, message = str(error.response["Error"]["Code"]), str(error.response["Error"]["Message"])
    return code == UNSUPPORTED or is_absent(error) or _ABSENT.search(message) is not None


def site_of(stack: Stack, resource: StackResource, account: Account) -> Site:
    """A place to delete or read a resource from, long after it was created."""
    return Site(
        clients=account.clients,
        environment=stack.template.environment,
        stack_id=stack.id,
        logical_id=resource.logical_id,
        properties={},
    )


def settings_of(stack: Stack, resource: StackResource, account: Account) -> Mapping[str, Any] | None:
    """The settings that drift detection compares; None where they cannot be read or are not compared."""
    kind = KINDS.get(resource.type)
    if kind is None or kind.read is None or resource.physical is None:
        return None
    try:
        return kind.read(site_of(stack, resource, account), resource.physical)
    except (ClientError, ServiceBrokeError):
        return None


def service_message(error: ClientError) -> str:
    """A service's refusal as CloudFormation reports it, the service's own words inside."""
    response = cast("Mapping[str, Any]", error.response)
    code, message = response["Error"]["Code"], response["Error"]["Message"]
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return f'Resource handler returned message: "{message} (Status Code: {status})" (ErrorCode: {code})'


def failed_to(verb: str, logical_ids: list[str]) -> str:
    """CloudFormation's words for a stack that did not get there."""
    return f"The following resource(s) failed to {verb}: [{', '.join(logical_ids)}]. "
