"""CloudFormation's API, answered from the sandbox's own stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_of, stack_of
from backcheck.sandbox.cloudformation_drift import status_of
from backcheck.sandbox.cloudformation_properties import text_of
from backcheck.sandbox.cloudformation_removal import delete
from backcheck.sandbox.cloudformation_stacks import (
    DeployError,
    Stack,
    StackResource,
    find_stack,
    living_stacks,
    stacks_of,
)
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page, shown
from backcheck.sandbox.refusal import Refusal, Unsupported
from backcheck.template.load import loads
from backcheck.template.node import TemplateError
from backcheck.template.value import Unresolved, Value, is_known

SERVICE = "cloudformation"
MAX_BODY_BYTES = 51_200
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


@operation(SERVICE, "CreateStack")
def create_stack(call: Call) -> Reply:
    """Creates at once: the stack's status tells at the first look how it went."""
    params = call.params
    if "TemplateBody" not in params:
        raise Unsupported("templates in S3; give TemplateBody")
    if params.get("OnFailure", "ROLLBACK") != "ROLLBACK" or params.get("DisableRollback"):
        raise Unsupported("CreateStack without rollback")
    name, body = params["StackName"], params["TemplateBody"]
    if len(body.encode()) > MAX_BODY_BYTES:
        raise Refusal("ValidationError", f"TemplateBody is longer than {MAX_BODY_BYTES:,} bytes")
    given = {item["ParameterKey"]: item.get("ParameterValue", "") for item in params.get("Parameters", [])}
    try:
        stack = deploy(
            loads(body, file=name),
            into=account_of(call),
            stack_name=name,
            parameters=given,
            tags={tag["Key"]: tag["Value"] for tag in params.get("Tags", [])},
            capabilities=frozenset(params.get("Capabilities", [])),
            body=body,
        )
    except TemplateError as error:
        raise Refusal("ValidationError", f"Template format error: {error.diagnostics()}") from error
    except DeployError as error:
        raise Refusal(error.code, error.message) from error
    return {"StackId": stack.id}


@operation(SERVICE, "DeleteStack")
def delete_stack(call: Call) -> Reply:
    """A stack that does not exist is deleted already, as in AWS."""
    stack = find_stack(call.world, call.region.account, call.region.name, call.params["StackName"])
    if stack is None or stack.status == "DELETE_COMPLETE":
        return {}
    try:
        delete(stack, of=account_of(call))
    except DeployError as error:
        raise Refusal(error.code, error.message) from error
    return {}


@operation(SERVICE, "DescribeStacks")
def describe_stacks(call: Call) -> Reply:
    """A deleted stack is found by its id only."""
    call.response.RESPONSE_KEY_PATH_TO_TRANSFORMER = {}  # moto turns its own objects into replies; these are replies
    if call.params.get("StackName"):
        return {"Stacks": [_stack_row(call, stack_of(call))]}
    return page(call, "Stacks", [_stack_row(call, stack) for stack in _living(call)])


def _living(call: Call) -> list[Stack]:
    return list(living_stacks(call.world, call.region.account, call.region.name))


def _stack_row(call: Call, stack: Stack) -> dict[str, Any]:
    parameters = stack.template.parameters.values()
    return shown(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "Description": stack.template.description or None,
            "Parameters": [{"ParameterKey": p.name, "ParameterValue": _text(p.shown)} for p in parameters],
            "CreationTime": stack.created,
            "DeletionTime": stack.deleted,
            "StackStatus": stack.status,
            "StackStatusReason": stack.reason or None,
            "DisableRollback": False,
            "NotificationARNs": list(stack.template.environment.notification_arns),
            "Outputs": [_output_row(stack, name, value) for name, value in stack.outputs.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
            "DriftInformation": _drift_information(call, stack),
        }
    )


def _text(value: Value) -> str:
    if isinstance(value, Unresolved):
        return f"unresolved: {value.reason}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else text_of(value)


def _output_row(stack: Stack, name: str, value: Value) -> dict[str, Any]:
    exported = next((export for export, put_out in stack.exports.items() if put_out is value), None)
    known = _text(value) if is_known(value) else None
    return shown({"OutputKey": name, "OutputValue": known, "ExportName": exported})


def _drift_information(call: Call, stack: Stack) -> dict[str, Any]:
    if not stack.drifts:
        return {"StackDriftStatus": "NOT_CHECKED"}
    last = next(reversed(stack.drifts.values()))
    return {"StackDriftStatus": status_of(last), "LastCheckTimestamp": last[0].at if last else call.now}


@operation(SERVICE, "ListStacks")
def list_stacks(call: Call) -> Reply:
    """Every stack, deleted ones included, unless a status filter says otherwise."""
    wanted = call.params.get("StackStatusFilter")
    rows = [
        shown(
            {
                "StackId": stack.id,
                "StackName": stack.name,
                "CreationTime": stack.created,
                "DeletionTime": stack.deleted,
                "StackStatus": stack.status,
                "StackStatusReason": stack.reason or None,
            }
        )
        for stack in stacks_of(call.world, call.region.account, call.region.name).values()
        if not wanted or stack.status in wanted
    ]
    return page(call, "StackSummaries", rows)


@operation(SERVICE, "ListStackResources")
def list_stack_resources(call: Call) -> Reply:
    """What is not in the sandbox is listed with the reason."""
    rows = [_resource_row(resource, "LastUpdatedTimestamp") for resource in stack_of(call).resources.values()]
    return page(call, "StackResourceSummaries", rows)


@operation(SERVICE, "DescribeStackResources")
def describe_stack_resources(call: Call) -> Reply:
    """By stack; finding a stack by a resource of it is not modelled."""
    if "StackName" not in call.params:
        raise Unsupported("DescribeStackResources by PhysicalResourceId")
    stack, wanted = stack_of(call), call.params.get("LogicalResourceId")
    rows = [_detail_row(stack, r) for r in stack.resources.values() if wanted in (None, r.logical_id)]
    return {"StackResources": rows}


@operation(SERVICE, "DescribeStackResource")
def describe_stack_resource(call: Call) -> Reply:
    """One resource."""
    stack, name = stack_of(call), call.params["LogicalResourceId"]
    resource = stack.resources.get(name)
    if resource is None:
        raise Refusal("ValidationError", f"Resource {name} does not exist for stack {stack.name}")
    row = _resource_row(resource, "LastUpdatedTimestamp")
    return {"StackResourceDetail": {**row, "StackId": stack.id, "StackName": stack.name}}


def _resource_row(resource: StackResource, moment: str) -> dict[str, Any]:
    return shown(
        {
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id or None,
            "ResourceType": resource.type,
            moment: resource.changed,
            "ResourceStatus": resource.status,
            "ResourceStatusReason": resource.reason or None,
        }
    )


def _detail_row(stack: Stack, resource: StackResource) -> dict[str, Any]:
    return {**_resource_row(resource, "Timestamp"), "StackId": stack.id, "StackName": stack.name}


@operation(SERVICE, "DescribeStackEvents")
def describe_stack_events(call: Call) -> Reply:
    """Newest first."""
    stack = stack_of(call)
    rows = [
        shown(
            {
                "StackId": stack.id,
                "EventId": f"{number:08d}",
                "StackName": stack.name,
                "LogicalResourceId": event.logical_id,
                "PhysicalResourceId": event.physical_id or None,
                "ResourceType": event.type,
                "Timestamp": event.at,
                "ResourceStatus": event.status,
                "ResourceStatusReason": event.reason or None,
            }
        )
        for number, event in enumerate(stack.events)
    ]
    return page(call, "StackEvents", rows[::-1])


@operation(SERVICE, "ListExports")
def list_exports(call: Call) -> Reply:
    """Exports of this Region whose values are known."""
    rows = [
        {"ExportingStackId": stack.id, "Name": name, "Value": _text(value)}
        for stack in _living(call)
        for name, value in stack.exports.items()
        if is_known(value)
    ]
    return page(call, "Exports", rows)


@operation(SERVICE, "GetTemplate")
def get_template(call: Call) -> Reply:
    """The template as it was given."""
    if call.params.get("TemplateStage", "Original") != "Original":
        raise Unsupported("GetTemplate of the processed template")
    return {"TemplateBody": stack_of(call).body, "StagesAvailable": ["Original"]}
