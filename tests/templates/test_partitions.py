from __future__ import annotations

import pytest
from tests.templates.deploying import ORDER
from tests.templates.reading import NAMES, template, text, walk

from backcheck.template.environment import Environment
from backcheck.template.load import loads
from backcheck.template.resolve import resolve


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
@pytest.mark.parametrize(("name", "_region", "parameters"), ORDER, ids=[name for name, _, _ in ORDER])
def test_a_template_speaks_of_the_partition_that_it_is_in(
    name: str, _region: str, parameters: dict[str, str], region: str, partition: str
) -> None:
    given = {key: value.replace(":aws:", f":{partition}:") for key, value in parameters.items()}
    resolved = resolve(loads(text(name)), parameters=given, environment=Environment(region=region))
    arns = [
        value
        for resource in resolved.resources.values()
        for _, value in walk(resource.properties)
        if isinstance(value, str) and value.startswith("arn:")
    ]
    assert arns
    assert {arn.split(":")[1] for arn in arns} == {partition}


def test_the_service_that_uses_a_key_for_its_caller_is_named_alike_in_every_partition() -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service"""
    named = [value for name in NAMES for path, value in walk(template(name)) if path.endswith("/kms:ViaService")]
    assert set(map(str, named)) == {"dynamodb.*.amazonaws.com"}
