"""Between a client's bytes and the operations: one path for calls in this process and for served ones."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import UnknownServiceError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.exceptions import ServiceException
from moto.core.request import Request, normalize_request
from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from backcheck.errors import Error
from backcheck.sandbox import caller, dynamodb, history, moto_seams, restored, shapes, tables, trail, wire_errors
from backcheck.sandbox.operations import OPERATIONS, OWN_SERVICES, Call, Raw
from backcheck.sandbox.refusal import Unsupported
from backcheck.sandbox.world import World

Answer = tuple[int, dict[str, str], str | bytes]

MOTO_NAMES = {
    "resource-groups-tagging-api": "resourcegroupstaggingapi",
    "tagging": "resourcegroupstaggingapi",
    "eventbridge": "events",
    "monitoring": "cloudwatch",
    "lambda": "awslambda",
    "application-auto-scaling": "applicationautoscaling",
    "application-autoscaling": "applicationautoscaling",
}
"""moto's name of a service by botocore's (in process) or by its signing name (served), where they differ."""

SERVICES = frozenset(
    {
        "backup", "dynamodb", "sts", "resourcegroupstaggingapi", "iam", "kms", "sns", "events", "cloudwatch",
        "awslambda", "cloudtrail", "cloudformation", "s3", "applicationautoscaling",
    }
)  # fmt: skip
"""What this account has. moto has more, which is not looked after here, so it is unsupported."""


class LeavesSandboxError(Error):
    """A request was about to leave the process."""


class Wire:
    """Answers requests from one world."""

    def __init__(self, world: World) -> None:
        """Nothing is shared with another wire but moto's own state."""
        self.world = world
        self.served_at: set[str] = set()
        """`127.0.0.1:port` of our own servers: requests to them pass."""
        self.calls = 0

    def before_send(self, event_name: str, request: AWSPreparedRequest) -> AWSResponse | None:
        """botocore's hook: answers the request, so that it never reaches a socket."""
        place = urlsplit(request.url)
        if place.netloc in self.served_at:
            return None
        host = place.hostname or ""
        if not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
            raise LeavesSandboxError(f"a sandbox is open in this process, and {request.url} is outside of it")
        service = event_name.split(".")[1]
        status, headers, body = self.answer(MOTO_NAMES.get(service, service), normalize_request(request))
        return AWSResponse(request.url, status, headers, MockRawResponse(body))

    def answer(self, service: str, request: Request) -> Answer:
        """Status, headers and body for one request to one of moto's services."""
        with self.world.lock:
            self.world.clock.catch_up()
            self.calls += 1
            place = request.raw_url.partition("?")[0]  # S3's patterns end with the path
            handler = moto_seams.handler_of(service, place) if service in SERVICES else None
            if handler is None:
                return _unsupported(f"{service} {request.method} {request.path}", request)
            status, headers, body = handler(request, request.raw_url, request.headers)
            return int(status), {key: str(value) for key, value in headers.items()}, body

    def act(self, response: Any) -> Any:
        """In place of moto's `call_action`: faults first, then our operations, then moto's, else 'unsupported'."""
        service, action = response.boto3_service_name, response._get_action()
        if not action:
            return _unsupported(f"{service} {response.method} {response.path}", response.normalized_request)
        who = caller.arn_of(response)
        account, region = response.current_account, response.region
        faults, error = self.world.faults, None
        try:
            if (fault := faults.of_call(service, action, region=region, account=account, caller=who)) is not None:
                raise fault
            if service == "dynamodb":
                tables.written(account, region) if action not in READS else None
                place = self.world.region(account, region)
                restored.refuse_unfinished(place, action, response.body, self.world.clock.now())
            answer = self._operate(response, service, action, who)
        except ServiceException as refusal:
            answer, error = _refuse(response, service, refusal), refusal.code
        except HTTPException as refusal:  # moto's older errors carry their reply
            headers = {**dict(refusal.get_headers() or ()), "status": str(refusal.code)}
            answer, error = (refusal.code, headers, refusal.description), refusal.name
        if service == "dynamodb" and action not in READS:
            history.note(self.world.region(account, region), action, response.body, self.world.clock.now())
        trail.record(self.world, response, action, who, error)
        return answer

    def _operate(self, response: Any, service: str, action: str, who: str) -> Any:
        handler = OPERATIONS.get((service, action))
        if handler is None:
            return self._leave_to_moto(response, service, action)
        response.parse_parameters(response.normalized_request)
        params = plain(response.params)
        if service == "dynamodb":
            response.body = response.params
        operation = get_service_model(service).operation_model(action)
        shapes.check_request(service, operation, params)
        region = self.world.region(response.current_account, response.region)
        reply = handler(Call(world=self.world, region=region, params=params, caller=who, response=response))
        if isinstance(reply, Raw):
            headers = {**response.response_headers, "content-type": "application/x-amz-json-1.0"}
            return HTTPStatus.OK, headers, reply.body
        shapes.check_reply(operation, reply)
        status, headers, body = response.serialized(ActionResult(reply))
        return response._transform_response(headers, (status, headers, body))

    def _leave_to_moto(self, response: Any, service: str, action: str) -> Any:
        if service in OWN_SERVICES:
            raise Unsupported(f"{service}:{action}")
        if service == "dynamodb":
            dynamodb.prepare(response.body)
        try:
            status, headers, body = moto_seams.stock_call_action(response)
        except NotImplementedError:
            raise Unsupported(f"{service}:{action}") from None
        shapes.check_wire(get_service_model(service).operation_model(action), status, headers, body)
        return status, headers, body


READS = frozenset(
    {
        "GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems", "DescribeTable", "ListTables",
        "DescribeContinuousBackups", "DescribeTimeToLive", "ListTagsOfResource", "ExportTableToPointInTime",
        "DescribeExport", "ListExports",
    }
)  # fmt: skip
"""DynamoDB's operations that change nothing; after any other a table's content may be a new one."""


def plain(value: Any) -> Any:
    """moto's parsed parameters as ordinary dicts, so that nothing later depends on their class."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _refuse(response: Any, service: str, refusal: ServiceException) -> Any:
    """By moto's serializer where the service's model has the code, else by ours."""
    model = get_service_model(service)
    if refusal.code in {shape.name for shape in model.error_shapes}:
        status, headers, body = response.serialized(ActionResult(refusal))
        headers["status"] = str(status)
        return status, headers, body
    return wire_errors.write(refusal, response.determine_response_protocol(model))


def _unsupported(what: str, request: Request) -> Answer:
    return wire_errors.write(Unsupported(what), _protocol(what.split()[0], request))


def _protocol(service: str, request: Request) -> str:
    """A service's protocol by its model, so that a client can read the refusal; the name may be an id or a host."""
    for name in (service, service.replace("-", "")):
        try:
            protocol: str = get_service_model(name).protocol
        except UnknownServiceError:
            continue
        return protocol
    return "query" if request.content_type.startswith("application/x-www-form-urlencoded") else "json"
