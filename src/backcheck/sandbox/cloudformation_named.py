"""Types that exist here in name only: what Ref and Fn::GetAtt give, so that policies and patterns can name them.

Nothing of them is modelled. Without their names a role that may read one bucket would be a role of which nothing is
known. Return values: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html,
.../aws-resource-logs-loggroup.html, .../aws-resource-stepfunctions-statemachine.html, .../aws-resource-sqs-queue.html,
.../aws-resource-codebuild-project.html
"""

from __future__ import annotations

from collections.abc import Callable

from backcheck.sandbox.cloudformation_kinds import Kind, Physical, Site


def _bucket(site: Site) -> Physical:
    name = site.name("BucketName", 63)
    name = name if "BucketName" in site.properties else name.lower()
    partition = site.environment.partition
    return Physical(ref=name, arn=f"arn:{partition}:s3:::{name}", attributes={"Arn": f"arn:{partition}:s3:::{name}"})


def _log_group(site: Site) -> Physical:
    name = site.name("LogGroupName", 512)
    return Physical(ref=name, attributes={"Arn": f"{_arn(site, 'logs', f'log-group:{name}')}:*"})


def _state_machine(site: Site) -> Physical:
    name = site.name("StateMachineName", 80)
    arn = _arn(site, "states", f"stateMachine:{name}")
    return Physical(ref=arn, arn=arn, attributes={"Arn": arn, "Name": name})


def _queue(site: Site) -> Physical:
    name = site.name("QueueName", 80)
    where = site.environment
    arn = _arn(site, "sqs", name)
    url = f"https://sqs.{where.region}.{where.url_suffix}/{where.account_id}/{name}"
    return Physical(ref=url, arn=arn, attributes={"Arn": arn, "QueueName": name, "QueueUrl": url})


def _build_project(site: Site) -> Physical:
    name = site.name("Name", 150)
    arn = _arn(site, "codebuild", f"project/{name}")
    return Physical(ref=name, arn=arn, attributes={"Arn": arn})


def _arn(site: Site, service: str, resource: str) -> str:
    where = site.environment
    return f"arn:{where.partition}:{service}:{where.region}:{where.account_id}:{resource}"


def _nothing(site: Site, physical: Physical) -> None:
    """There is nothing to take down."""


def _in_name_only(create: Callable[[Site], Physical]) -> Kind:
    return Kind(create=create, delete=_nothing)


KINDS = {
    "AWS::CodeBuild::Project": _in_name_only(_build_project),
    "AWS::Logs::LogGroup": _in_name_only(_log_group),
    "AWS::S3::Bucket": _in_name_only(_bucket),
    "AWS::SQS::Queue": _in_name_only(_queue),
    "AWS::StepFunctions::StateMachine": _in_name_only(_state_machine),
}
