"""AWS::IAM::Role, ManagedPolicy, Policy, RolePolicy, and AWS::KMS::*.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_KMS.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from backcheck.sandbox import managed_policies
from backcheck.sandbox.cloudformation_kinds import Kind, Physical, Site
from backcheck.sandbox.cloudformation_properties import PropertyError, document_of, text_of, without

LONGEST_ROLE_NAME, LONGEST_POLICY_NAME = 64, 128


def _create_role(site: Site) -> Physical:
    settings = without(site.properties, "ManagedPolicyArns", "Policies")
    made = site.call("iam", "CreateRole", {**settings, "RoleName": site.name("RoleName", LONGEST_ROLE_NAME)})["Role"]
    attributes = {"Arn": made["Arn"], "RoleId": made["RoleId"]}
    return Physical(ref=made["RoleName"], arn=made["Arn"], attributes=attributes)


def _configure_role(site: Site, role: Physical) -> None:
    name = {"RoleName": role.ref}
    for arn in site.texts("ManagedPolicyArns"):
        _attach(site, role.ref, arn)
    for index, policy in enumerate(site.maps("Policies")):
        site.call("iam", "PutRolePolicy", {**_versioned(policy), **name}, at=f"/Policies/{index}")


def _versioned(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A policy whose document has a Version: moto wants one, where AWS takes 2008-10-17 for granted.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html: the two differ in policy
    variables only.
    """
    document = policy.get("PolicyDocument")
    if not isinstance(document, dict) or "Version" in document:
        return dict(policy)
    return {**policy, "PolicyDocument": {"Version": "2012-10-17", **document}}


def _attach(site: Site, role_name: str, arn: str) -> None:
    """Attach a policy; of one of AWS's own that the sandbox lacks only the text is missing, since AWS has it."""
    attached = {"RoleName": role_name, "PolicyArn": arn}
    try:
        site.call("iam", "AttachRolePolicy", attached)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity" or not managed_policies.is_of_aws(arn):
            raise
        managed_policies.install_unread(site.environment.account_id, arn)
        site.call("iam", "AttachRolePolicy", attached)


def _read_role(site: Site, role: Physical) -> Mapping[str, Any]:
    name = {"RoleName": role.ref}
    inline = site.call("iam", "ListRolePolicies", name)["PolicyNames"]
    attached = site.call("iam", "ListAttachedRolePolicies", name)["AttachedPolicies"]
    return {
        "AssumeRolePolicyDocument": site.call("iam", "GetRole", name)["Role"]["AssumeRolePolicyDocument"],
        "ManagedPolicyArns": sorted(policy["PolicyArn"] for policy in attached),
        "Policies": {
            policy: site.call("iam", "GetRolePolicy", {**name, "PolicyName": policy})["PolicyDocument"]
            for policy in sorted(inline)
        },
    }


def _delete_role(site: Site, role: Physical) -> None:
    name = {"RoleName": role.ref}
    for policy in site.call("iam", "ListRolePolicies", name)["PolicyNames"]:
        site.call("iam", "DeleteRolePolicy", {**name, "PolicyName": policy})
    for policy in site.call("iam", "ListAttachedRolePolicies", name)["AttachedPolicies"]:
        site.call("iam", "DetachRolePolicy", {**name, "PolicyArn": policy["PolicyArn"]})
    site.call("iam", "DeleteRole", name)


def _create_managed_policy(site: Site) -> Physical:
    site.ignore("Groups", "Users")
    settings = without(site.properties, "ManagedPolicyName", "Roles", "Groups", "Users")
    name = site.name("ManagedPolicyName", LONGEST_POLICY_NAME)
    arn = site.call("iam", "CreatePolicy", {**_versioned(settings), "PolicyName": name})["Policy"]["Arn"]
    return Physical(ref=arn, arn=arn, attributes={"PolicyArn": arn})


def _configure_managed_policy(site: Site, policy: Physical) -> None:
    for role in site.texts("Roles"):
        site.call("iam", "AttachRolePolicy", {"RoleName": role, "PolicyArn": policy.arn})


def _delete_managed_policy(site: Site, policy: Physical) -> None:
    entities = site.call("iam", "ListEntitiesForPolicy", {"PolicyArn": policy.arn})
    for role in entities.get("PolicyRoles", []):
        site.call("iam", "DetachRolePolicy", {"RoleName": role["RoleName"], "PolicyArn": policy.arn})
    site.call("iam", "DeletePolicy", {"PolicyArn": policy.arn})


def _create_inline_policy(site: Site) -> Physical:
    site.take("PolicyName", "PolicyDocument", "Roles")
    roles = site.texts("Roles")
    document = _versioned({key: site.properties.get(key, "") for key in ("PolicyName", "PolicyDocument")})
    for role in roles:
        site.call("iam", "PutRolePolicy", {**document, "RoleName": role})
    name = str(document["PolicyName"])
    return Physical(ref=name, attributes={"Id": name}, keys={"Roles": ",".join(roles)})


def _create_role_policy(site: Site) -> Physical:
    name, role = site.required("PolicyName"), site.required("RoleName")
    site.call("iam", "PutRolePolicy", _versioned(site.properties))
    return Physical(ref=name, keys={"Roles": role})


def _delete_inline_policy(site: Site, policy: Physical) -> None:
    for role in filter(None, policy.keys["Roles"].split(",")):
        site.call("iam", "DeleteRolePolicy", {"RoleName": role, "PolicyName": policy.ref})


def _create_key(site: Site) -> Physical:
    site.ignore("RotationPeriodInDays")
    days = text_of(site.properties.get("PendingWindowInDays", 30))
    if not days.isdecimal() or not 7 <= int(days) <= 30:
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
        raise PropertyError(f"#/PendingWindowInDays: {days} is not between 7 and 30")
    settings = without(
        site.properties, "Enabled", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "RotationPeriodInDays"
    )
    policy = {"Policy": text_of(site.properties["KeyPolicy"])} if "KeyPolicy" in site.properties else {}
    settings["Tags"] = _key_tags(site)
    made = site.call("kms", "CreateKey", {**settings, **policy})["KeyMetadata"]
    attributes = {"Arn": made["Arn"], "KeyId": made["KeyId"]}
    return Physical(ref=made["KeyId"], arn=made["Arn"], attributes=attributes, keys={"PendingWindowInDays": days})


def _key_tags(site: Site) -> list[dict[str, Any]]:
    return [{"TagKey": key, "TagValue": value} for key, value in site.tag_map().items()]


def _configure_key(site: Site, key: Physical) -> None:
    identity = {"KeyId": key.ref}
    if site.is_on("EnableKeyRotation"):
        site.call("kms", "EnableKeyRotation", identity)
    if not site.is_on("Enabled", default=True):
        site.call("kms", "DisableKey", identity)


def _read_key(site: Site, key: Physical) -> Mapping[str, Any]:
    identity = {"KeyId": key.ref}
    policy = site.call("kms", "GetKeyPolicy", {**identity, "PolicyName": "default"})["Policy"]
    return {
        "Enabled": site.call("kms", "DescribeKey", identity)["KeyMetadata"]["Enabled"],
        "EnableKeyRotation": site.call("kms", "GetKeyRotationStatus", identity)["KeyRotationEnabled"],
        "KeyPolicy": document_of(policy),
    }


def _delete_key(site: Site, key: Physical) -> None:
    """A key is never deleted at once: at least seven days pass (API_ScheduleKeyDeletion)."""
    site.call("kms", "ScheduleKeyDeletion", {**key.keys, "KeyId": key.ref})


def _create_alias(site: Site) -> Physical:
    site.call("kms", "CreateAlias", site.properties)
    return Physical(ref=site.required("AliasName"))


def _delete_alias(site: Site, alias: Physical) -> None:
    site.call("kms", "DeleteAlias", {"AliasName": alias.ref})


KINDS: Mapping[str, Kind] = {
    "AWS::IAM::Role": Kind(create=_create_role, configure=_configure_role, delete=_delete_role, read=_read_role),
    "AWS::IAM::ManagedPolicy": Kind(
        create=_create_managed_policy, configure=_configure_managed_policy, delete=_delete_managed_policy
    ),
    "AWS::IAM::Policy": Kind(create=_create_inline_policy, delete=_delete_inline_policy),
    "AWS::IAM::RolePolicy": Kind(create=_create_role_policy, delete=_delete_inline_policy),
    "AWS::KMS::Key": Kind(create=_create_key, configure=_configure_key, delete=_delete_key, read=_read_key),
    "AWS::KMS::Alias": Kind(create=_create_alias, delete=_delete_alias),
}
