"""What carries an alert: AWS::SNS::*, AWS::Events::Rule, AWS::Lambda::*, AWS::CloudWatch::Alarm.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
Functions are recorded with their settings and a stand-in for their code; they are never run.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from backcheck.sandbox.cloudformation_kinds import Kind, Physical, Site
from backcheck.sandbox.cloudformation_properties import PropertyError, text_of, without
from backcheck.sandbox.iam_policy import Decision, Request, decide, statements

LONGEST_TOPIC_NAME, LONGEST_RULE_NAME, LONGEST_FUNCTION_NAME, LONGEST_ALARM_NAME = 256, 64, 64, 255
_TOPIC_ATTRIBUTES = (
    "ContentBasedDeduplication", "DisplayName", "FifoTopic", "KmsMasterKeyId", "SignatureVersion", "TracingConfig",
)  # fmt: skip
_SUBSCRIPTION_ATTRIBUTES = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn",
)  # fmt: skip
_PERMISSION = ("Action", "FunctionName", "Principal", "PrincipalOrgID", "SourceAccount", "SourceArn")
_ALARM = (
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm",
    "Dimensions", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions", "MetricName", "Metrics",
    "Namespace", "OKActions", "Period", "Statistic", "Tags", "Threshold", "TreatMissingData", "Unit",
)  # fmt: skip
"""What is read of them. The API has more that decides, such as a warm-up in which an alarm performs no actions."""
_NOT_MODELLED_FUNCTION = (
    "CapacityProviderConfig", "CodeSigningConfigArn", "DurableConfig", "FileSystemConfigs", "FunctionScalingConfig",
    "Layers", "PublishToLatestPublished", "RecursiveLoop", "RuntimeManagementConfig",
    "SnapStart", "TenancyConfig", "VpcConfig",
)  # fmt: skip
"""Settings that no verdict on a backup rests on, and that name things outside of the template."""


def _create_topic(site: Site) -> Physical:
    attributes = {key: text_of(site.properties[key]) for key in _TOPIC_ATTRIBUTES if key in site.properties}
    site.take(*_TOPIC_ATTRIBUTES, "TopicName", "Tags", "Subscription")
    name = site.name("TopicName", LONGEST_TOPIC_NAME)
    if attributes.get("FifoTopic") == "true" and "TopicName" not in site.properties:
        name += ".fifo"
    params = {"Name": name, "Attributes": attributes, "Tags": site.properties.get("Tags", [])}
    arn = site.call("sns", "CreateTopic", params)["TopicArn"]
    return Physical(ref=arn, arn=arn, attributes={"TopicArn": arn, "TopicName": name})


def _configure_topic(site: Site, topic: Physical) -> None:
    for index, subscription in enumerate(site.maps("Subscription")):
        site.call("sns", "Subscribe", {**subscription, "TopicArn": topic.arn}, at=f"/Subscription/{index}")


def _delete_topic(site: Site, topic: Physical) -> None:
    site.call("sns", "DeleteTopic", {"TopicArn": topic.arn})


def _read_topic(site: Site, topic: Physical) -> Mapping[str, Any]:
    attributes = site.call("sns", "GetTopicAttributes", {"TopicArn": topic.arn})["Attributes"]
    return {key: attributes.get(key) for key in ("DisplayName", "FifoTopic", "KmsMasterKeyId")}


def _create_subscription(site: Site) -> Physical:
    attributes = {key: text_of(site.properties[key]) for key in _SUBSCRIPTION_ATTRIBUTES if key in site.properties}
    wanted = ("TopicArn", "Protocol", "Endpoint")
    site.take(*_SUBSCRIPTION_ATTRIBUTES, *wanted, "Region")
    params: dict[str, Any] = {key: site.properties[key] for key in wanted if key in site.properties}
    region = str(site.properties.get("Region", ""))
    made = site.call(
        "sns", "Subscribe", {**params, "Attributes": attributes, "ReturnSubscriptionArn": True}, region=region
    )
    arn = made["SubscriptionArn"]
    return Physical(ref=arn, arn=arn, attributes={"Arn": arn}, keys={"Region": region})


def _delete_subscription(site: Site, subscription: Physical) -> None:
    params = {"SubscriptionArn": subscription.arn}
    site.call("sns", "Unsubscribe", params, region=subscription.keys["Region"])


def _create_topic_policy(site: Site) -> Physical:
    site.take("PolicyDocument", "Topics")
    policy = text_of(site.properties.get("PolicyDocument", {}))
    topics = site.texts("Topics")
    for topic in topics:
        _set_policy(site, topic, policy)
    return Physical(ref=site.name("", 128), keys={"Topics": ",".join(topics)})


def _create_inline_topic_policy(site: Site) -> Physical:
    topic = site.required("TopicArn")
    site.take("PolicyDocument", "TopicArn")
    _set_policy(site, topic, text_of(site.properties.get("PolicyDocument", {})))
    return Physical(ref=topic, keys={"Topics": topic})


def _set_policy(site: Site, topic: str, policy: str) -> None:
    params = {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policy}
    site.call("sns", "SetTopicAttributes", params)


def _leave(_site: Site, _physical: Physical) -> None:
    """Goes with what it belongs to."""


def _create_rule(site: Site) -> Physical:
    settings = without(site.properties, "Targets", "Name")
    name = site.name("Name", LONGEST_RULE_NAME)
    arn = site.call("events", "PutRule", {**settings, "Name": name})["RuleArn"]
    bus = str(site.properties.get("EventBusName", ""))
    return Physical(ref=name if not bus else f"{bus}|{name}", arn=arn, attributes={"Arn": arn}, keys=_rule(name, bus))


def _rule(name: str, bus: str) -> dict[str, str]:
    return {"Rule": name, **({"EventBusName": bus} if bus else {})}


def _configure_rule(site: Site, rule: Physical) -> None:
    targets = site.properties.get("Targets")
    if targets:
        site.call("events", "PutTargets", {**rule.keys, "Targets": targets})


def _read_rule(site: Site, rule: Physical) -> Mapping[str, Any]:
    key = {"Name": rule.keys["Rule"], **without(rule.keys, "Rule")}
    described = site.call("events", "DescribeRule", key)
    targets = site.call("events", "ListTargetsByRule", rule.keys)["Targets"]
    kept = {name: described.get(name) for name in ("ScheduleExpression", "EventPattern", "State", "Description")}
    return {**kept, "Targets": {target["Id"]: target["Arn"] for target in targets}}


def _delete_rule(site: Site, rule: Physical) -> None:
    targets = [target["Id"] for target in site.call("events", "ListTargetsByRule", rule.keys)["Targets"]]
    if targets:
        site.call("events", "RemoveTargets", {**rule.keys, "Ids": targets})
    site.call("events", "DeleteRule", {"Name": rule.keys["Rule"], **without(rule.keys, "Rule")})


def _create_function(site: Site) -> Physical:
    site.ignore(*_NOT_MODELLED_FUNCTION)
    settings = without(site.properties, "Code", "Tags", "ReservedConcurrentExecutions", *_NOT_MODELLED_FUNCTION)
    if "KmsKeyArn" in settings:
        settings["KMSKeyArn"] = settings.pop("KmsKeyArn")
    params = {
        **settings,
        "FunctionName": site.name("FunctionName", LONGEST_FUNCTION_NAME),
        "Code": {"ZipFile": _stand_in()},
        "Tags": site.tag_map(),
    }
    if params.get("PackageType") == "Image":
        params["Code"] = {"ImageUri": "not-built:latest"}
    if not _is_trusted(site, text_of(params.get("Role", ""))):
        raise PropertyError("#/Role: The role defined for the function cannot be assumed by Lambda.")
    made = site.call("lambda", "CreateFunction", params)
    return Physical(ref=made["FunctionName"], arn=made["FunctionArn"], attributes={"Arn": made["FunctionArn"]})


def _is_trusted(site: Site, role_arn: str) -> bool:
    """Whether a role of this account lets Lambda assume it; of another role nothing is known.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    name = role_arn.rpartition("/")[2]
    try:
        trust = site.call("iam", "GetRole", {"RoleName": name})["Role"]["AssumeRolePolicyDocument"]
    except ClientError:
        return True  # CreateFunction says what there is to say
    bare = [{key: one[key] for key in one if key != "Condition"} for one in statements(trust) if _decides(one)]
    request = Request(action="sts:AssumeRole", resource="*", context={}, principal="lambda.amazonaws.com")
    return decide([{"Statement": bare}], request) is Decision.ALLOWED


def _decides(statement: Mapping[str, Any]) -> bool:
    """What a condition keeps from Lambda is not judged here: an Allow counts without its own, a Deny does not."""
    return statement.get("Effect") == "Allow" or not statement.get("Condition")


def _configure_function(site: Site, function: Physical) -> None:
    if "ReservedConcurrentExecutions" in site.properties:
        reserved = site.properties["ReservedConcurrentExecutions"]
        params = {"FunctionName": function.ref, "ReservedConcurrentExecutions": reserved}
        site.call("lambda", "PutFunctionConcurrency", params)


def _stand_in() -> bytes:
    """A zip file with nothing of the template's in it, the same in every run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("not-the-code.txt"), "The sandbox does not run functions.\n")
    return buffer.getvalue()


def _read_function(site: Site, function: Physical) -> Mapping[str, Any]:
    described = site.call("lambda", "GetFunctionConfiguration", {"FunctionName": function.ref})
    return {key: described.get(key) for key in ("Handler", "MemorySize", "Role", "Runtime", "Timeout", "Environment")}


def _delete_function(site: Site, function: Physical) -> None:
    site.call("lambda", "DeleteFunction", {"FunctionName": function.ref})


def _create_permission(site: Site) -> Physical:
    site.take(*_PERMISSION)  # of the others moto makes no condition, and AWS does
    statement = site.name("", 100)
    params = {**site.properties, "StatementId": statement}
    site.call("lambda", "AddPermission", params)
    function = site.required("FunctionName")
    return Physical(ref=statement, attributes={"Id": statement}, keys={"FunctionName": function})


def _delete_permission(site: Site, permission: Physical) -> None:
    site.call("lambda", "RemovePermission", {**permission.keys, "StatementId": permission.ref})


def _create_alarm(site: Site) -> Physical:
    site.take(*_ALARM)
    name = site.name("AlarmName", LONGEST_ALARM_NAME)
    site.call("cloudwatch", "PutMetricAlarm", {**site.properties, "AlarmName": name})
    described = site.call("cloudwatch", "DescribeAlarms", {"AlarmNames": [name]})
    arn = described["MetricAlarms"][0]["AlarmArn"]
    return Physical(ref=name, arn=arn, attributes={"Arn": arn})


def _read_alarm(site: Site, alarm: Physical) -> Mapping[str, Any]:
    found = site.call("cloudwatch", "DescribeAlarms", {"AlarmNames": [alarm.ref]})["MetricAlarms"]
    names = ("AlarmActions", "ActionsEnabled", "MetricName", "Namespace", "Threshold", "TreatMissingData")
    return {key: found[0].get(key) for key in names} if found else {}


def _delete_alarm(site: Site, alarm: Physical) -> None:
    site.call("cloudwatch", "DeleteAlarms", {"AlarmNames": [alarm.ref]})


KINDS: Mapping[str, Kind] = {
    "AWS::SNS::Topic": Kind(create=_create_topic, configure=_configure_topic, delete=_delete_topic, read=_read_topic),
    "AWS::SNS::Subscription": Kind(create=_create_subscription, delete=_delete_subscription),
    "AWS::SNS::TopicPolicy": Kind(create=_create_topic_policy, delete=_leave),
    "AWS::SNS::TopicInlinePolicy": Kind(create=_create_inline_topic_policy, delete=_leave),
    "AWS::Events::Rule": Kind(create=_create_rule, configure=_configure_rule, delete=_delete_rule, read=_read_rule),
    "AWS::Lambda::Function": Kind(
        create=_create_function, configure=_configure_function, delete=_delete_function, read=_read_function
    ),
    "AWS::Lambda::Permission": Kind(create=_create_permission, delete=_delete_permission),
    "AWS::CloudWatch::Alarm": Kind(create=_create_alarm, delete=_delete_alarm, read=_read_alarm),
}
