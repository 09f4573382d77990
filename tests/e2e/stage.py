"""The same stacks in both emulators: in the sandbox they make backups, in ministack their functions run."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e import emulators
from tests.e2e.emulators import PRIMARY, Emulator, until
from tests.e2e.packages import Packages
from tests.e2e.reductions import WITNESSES
from tests.e2e.stacks import create
from tests.templates.reading import template

from functions.seed_products import write

DAYS = 45
"""Enough for each tier to have been due: the plan of primary.yaml makes a month's backups and copies."""
PRODUCTS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a test plays."""

    aws: Emulator
    """The sandbox: DynamoDB, AWS Backup and S3, with what primary.yaml has made in it."""
    ministack: Emulator
    """CloudFormation, Lambda, Step Functions, EventBridge, CloudWatch, SNS and SQS."""


@contextmanager
def stage(folder: Path, packages: Packages) -> Iterator[Stage]:
    """Both emulators: an account that is 45 days old, and one with nothing in it but the packages."""
    for name in ("aws", "ministack"):
        (folder / name).mkdir()
    with emulators.sandbox(folder / "aws", days=DAYS) as aws:
        _account(aws)
        with emulators.ministack(folder / "ministack", functions_call=aws.url) as ministack:
            packages.upload(ministack)
            yield Stage(aws=aws, ministack=ministack)


def _account(aws: Emulator) -> None:
    """The templates, unreduced, into the sandbox; products into the table; then time."""
    schedules = {
        "restore-testing": {"RestoreTestSchedule": _schedule(datetime.now(UTC)), "RestoreTestStartWindowHours": "1"}
    }
    for name in ("dr", "primary", "restore-testing"):
        made = create(aws, name, template(name), **schedules.get(name, {}))
        assert made.status == "CREATE_COMPLETE", made.failures
    write("techmoda-products", PRODUCTS, delete=False, dynamodb=aws.client("dynamodb"))
    aws.client("s3").create_bucket(Bucket=WITNESSES)
    advance = urllib.request.Request(f"{aws.url}/_sandbox/advance?days={DAYS}", method="POST")
    urllib.request.urlopen(advance, timeout=120).close()


def _schedule(now: datetime) -> str:
    """Two restore tests a day; today's have both ended by now, and their tables wait for a verdict."""
    hours = [(now - timedelta(hours=ago)).hour for ago in (4, 2)]
    return f"cron({now.minute} {hours[0]},{hours[1]} * * ? *)"


def queue(stage: Stage, topic: str, region: str = PRIMARY) -> str:
    """A queue that hears what the topic of a name says."""
    sqs, sns = stage.ministack.client("sqs", region), stage.ministack.client("sns", region)
    url = str(sqs.create_queue(QueueName=f"hears-{topic}")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic_arn(topic, region), Protocol="sqs", Endpoint=arn)
    return url


def topic_arn(name: str, region: str = PRIMARY) -> str:
    """A topic of this account."""
    return f"arn:aws:sns:{region}:{emulators.ACCOUNT}:{name}"


def heard(stage: Stage, url: str, wanted: str, *, seconds: float = 60) -> dict[str, Any]:
    """The first message with this text in its subject or body, as the topic sent it; others are passed over."""
    sqs = stage.ministack.client("sqs")

    def look() -> dict[str, Any] | None:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            told: dict[str, Any] = json.loads(message["Body"])
            if wanted in f"{told.get('Subject')}\n{told['Message']}":
                return told
        return None

    return until(look, f"a message with {wanted!r}", seconds=seconds)


def invoke(stage: Stage, function: str, event: object, region: str = PRIMARY) -> tuple[bool, Any]:
    """Call a function as a person does: whether it came back without an error, and what it said."""
    reply = stage.ministack.client("lambda", region).invoke(FunctionName=function, Payload=json.dumps(event))
    return "FunctionError" not in reply, json.loads(reply["Payload"].read())


def active(stage: Stage, table: str, region: str = PRIMARY) -> int:
    """How many items a table has, once it is there; looking lets the sandbox's time pass."""
    dynamodb = stage.aws.client("dynamodb", region)

    def look() -> bool:
        return bool(dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")

    until(look, f"{table} is ACTIVE")
    return int(dynamodb.scan(TableName=table)["Count"])
