"""What of moto's inside the sandbox relies on. A new moto that breaks one of these breaks here, by name."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from pathlib import Path
from typing import Any

import moto.core.responses as core
import moto.core.utils
import pytest
from moto import backends
from moto.backup.responses import BackupResponse
from moto.core.base_backend import BackendDict
from moto.core.botocore_stubber import MockRawResponse
from moto.core.exceptions import ServiceException
from moto.core.request import Request, normalize_request
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Backup, Table
from moto.iam.models import AWSManagedPolicy, IAMBackend, Role, iam_backends
from moto.kms.models import Key, KmsBackend
from moto.s3.models import S3Backend
from moto.sns.models import SNSBackend, Subscription
from moto.sts.models import sts_backends
from werkzeug.exceptions import HTTPException

from backcheck.sandbox import Sandbox, moto_seams

PINNED = "5.2.5"


def test_moto_is_pinned_to_the_version_that_was_read() -> None:
    assert version("moto") == PINNED
    pins = [line for line in Path("pyproject.toml").read_text().splitlines() if '"moto[' in line]
    assert [f"=={PINNED}" in line for line in pins] == [True]


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            core.BaseResponse,
            ["call_action", "get_current_account", "dispatch", "setup_class", "_get_action", "serialized"],
        ),
        (core.BaseResponse, ["parse_parameters", "_transform_response", "determine_response_protocol"]),
        (core.ActionResult, ["execute_result", "result"]),
        (moto.core.utils, ["utcnow", "unix_time", "unix_time_millis", "get_service_model", "create_loader"]),
        (BackendDict, ["reset"]),
        (Request, ["raw_url", "from_wsgi_server"]),
        (ServiceException, ["code", "message"]),
        (dynamodb_responses, ["DynamoResult", "DynamoHandler"]),
        (dynamodb_responses.DynamoHandler, ["describe_table", "scan", "dynamodb_backend", "call_action"]),
        (dynamodb_responses.DynamoHandler, ["delete_table"]),
        (Table, ["all_items", "describe", "get_item"]),
        (Backup, ["summary", "arn"]),
        (S3Backend, ["put_object"]),
        (DynamoType, ["__add__", "__sub__", "is_number"]),
        (Item, ["size", "is_within_segment"]),
        (IAMBackend, ["get_policy", "get_groups_for_user", "create_role"]),
        (AWSManagedPolicy, ["from_data"]),
        (KmsBackend, ["create_key", "create_alias", "get_key_id_from_alias", "disable_key", "enable_key"]),
        (SNSBackend, ["subscribe"]),
    ],
)
def test_names(owner: Any, names: list[str]) -> None:
    assert [name for name in names if not hasattr(owner, name)] == []


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (core.BaseResponse.call_action, ["self"]),
        (core.BaseResponse.get_current_account, ["self"]),
        (core.ActionResult.execute_result, ["self", "context"]),
        (normalize_request, ["request"]),
        (MockRawResponse.__init__, ["self", "response_input"]),
        (AWSManagedPolicy.from_data, ["name", "account_id", "region_name", "data"]),
        (BackupResponse.dispatch, ["args", "kwargs"]),
        (
            Table.__init__,
            [
                *["self", "table_name", "account_id", "region", "schema", "attr", "throughput", "billing_mode"],
                *["indexes", "global_indexes", "streams", "sse_specification", "tags", "deletion_protection_enabled"],
                "warm_throughput",
            ],
        ),
        (Backup.__init__, ["self", "account_id", "region_name", "name", "table", "status", "type_"]),
    ],
)
def test_signatures(function: Any, parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == parameters


def test_attributes_of_objects(sandbox: Sandbox) -> None:
    sandbox.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    sandbox.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": "x"}, "b": {"B": b"1"}})
    table: Any = dynamodb_backends[sandbox.account]["us-east-1"].tables["orders"]
    for name in (
        "name",
        "table_arn",
        "tags",
        "items",
        "created_at",
        "sse_specification",
        "hash_key_attr",
        "range_key_attr",
    ):
        assert hasattr(table, name), name
    [item] = table.all_items()
    assert (item.hash_key.type, item.hash_key.value, item.range_key) == ("S", "x", None)
    assert isinstance(item.attrs["b"], DynamoType)
    assert isinstance(item.attrs, LimitedSizeDict)
    assert sorted(item.__dict__) == ["attrs", "hash_key", "range_key"]
    sandbox.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    [role] = iam_backends[sandbox.account]["aws"].roles.values()
    assert isinstance(role, Role)
    for name in ("arn", "policies", "managed_policies", "assume_role_policy_document", "permissions_boundary_arn"):
        assert hasattr(role, name), name
    key_id = sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]
    key: Any = backends.get_backend("kms")[sandbox.account]["us-east-1"].keys[key_id]
    assert isinstance(key, Key)
    for name in ("arn", "key_state", "key_manager", "multi_region"):
        assert hasattr(key, name), name
    arn = sandbox.client("sns").create_topic(Name="t")["TopicArn"]
    sandbox.client("sns").subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.com")
    [subscription] = backends.get_backend("sns")[sandbox.account]["us-east-1"].subscriptions.values()
    assert isinstance(subscription, Subscription)
    for name in ("arn", "owner", "protocol", "endpoint", "topic_arn", "confirmed"):
        assert hasattr(subscription, name), name
    sandbox.session(role="r")
    [assumed] = sts_backends[sandbox.account]["aws"].assumed_roles
    assert (assumed.role_arn, len(assumed.access_key_id)) == (role.arn, 20)


def test_motos_older_errors_carry_their_reply() -> None:
    error = MockValidationException("no")
    assert isinstance(error, HTTPException)
    assert (error.code, "no" in str(error.description)) == (400, True)


def test_moto_is_itself_again_afterwards() -> None:
    before = (core.BaseResponse.call_action, core.BaseResponse.get_current_account, dynamodb_responses.DynamoResult)
    with Sandbox(start=moto.core.utils.utcnow().astimezone()):
        assert core.BaseResponse.call_action is not before[0]
    after = (core.BaseResponse.call_action, core.BaseResponse.get_current_account, dynamodb_responses.DynamoResult)
    assert after == before


def test_its_clock_is_the_machines_again_afterwards() -> None:
    with Sandbox(start=moto.core.utils.utcnow().astimezone()) as sandbox:
        sandbox.clock.advance(days=1000)
        assert moto.core.utils.utcnow() == sandbox.clock.now().replace(tzinfo=None)
    assert abs(moto.core.utils.unix_time() - moto_seams._stock_unix_time()) < 5
