"""A policy as a CloudFormation template of keys, vaults, plans and selections: a start that complies.

One template for every account and Region of the policy: conditions keep each resource where the policy has it. It takes
the IAM role as given, and leaves out what is not about backup. What AWS cannot express is an Error, not left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backcheck.errors import Error
from backcheck.policy.document import Json
from backcheck.policy.model import PRIMARY, Copy, KeyKind, Plan, Policy, TableScope, Tier, Vault
from backcheck.policy.render_yaml import write_yaml
from backcheck.policy.vault_access import admit, deny_deletion, sub

JsonMap = dict[str, Json]
Place = tuple[str, str]
"""Keys of an account and of a Region."""

ROLE_PARAMETER = "BackupRoleArn"


def to_cloudformation(policy: Policy) -> str:
    """The template as YAML. Raises Error where the policy asks for what no template can say."""
    return _HEADER.format(name=policy.name, places=_where(policy)) + write_yaml(template(policy))


_HEADER = """\
# Written by `backcheck policy render --to cloudformation` from the policy {name}.
# Deploy it once in each of: {places}. The vaults that copies go to come first.
"""


def template(policy: Policy) -> JsonMap:
    """The template as data."""
    made = _Template(policy, _places(policy), _logical_ids(policy))
    parameters: JsonMap = {
        ROLE_PARAMETER: {"Type": "String", "Description": "The role that AWS Backup assumes to back up and copy."}
    }
    conditions = made.conditions()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Backups as the policy {policy.name} {policy.version} asks for them.",
        **({"Parameters": parameters} if policy.roles.backup is None else {}),
        **({"Conditions": conditions} if conditions else {}),
        "Resources": made.resources(),
    }


def _where(policy: Policy) -> str:
    return ", ".join(f"{_account_id(policy, account)} {policy.regions[region]}" for account, region in _places(policy))


def _account_id(policy: Policy, key: str) -> str:
    account = policy.account(key)
    return account.id if account else key


def _places(policy: Policy) -> tuple[Place, ...]:
    return tuple(dict.fromkeys((vault.account, vault.region) for vault in policy.vaults))


def _logical_ids(policy: Policy) -> dict[str, str]:
    """Logical ids of `vault <key>`, `plan <key>` and `table <key>`: letters and digits, each one once."""
    wanted = [f"vault {vault.key}" for vault in policy.vaults]
    wanted += [f"plan {plan.key}" for plan in policy.plans]
    ids: dict[str, str] = {}
    for name in wanted:
        ids[name] = _unused(camel(name), set(ids.values()))
    return ids


def camel(name: str) -> str:
    """`vault shop-dr` as `VaultShopDr`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


def _unused(name: str, taken: set[str]) -> str:
    number = 1
    while (f"{name}{number}" if number > 1 else name) in taken:
        number += 1
    return f"{name}{number}" if number > 1 else name


@dataclass(frozen=True, slots=True)
class _Template:
    policy: Policy
    places: tuple[Place, ...]
    ids: dict[str, str]

    def conditions(self) -> JsonMap:
        """One a place, where there are several."""
        return {_condition(place): self._is_here(place) for place in self.places} if len(self.places) > 1 else {}

    def _is_here(self, place: Place) -> JsonMap:
        account, region = place
        here: Json = {"Fn::Equals": [{"Ref": "AWS::Region"}, self.policy.regions[region]]}
        if len({account for account, _ in self.places}) == 1:
            return {"Fn::Equals": [{"Ref": "AWS::Region"}, self.policy.regions[region]]}
        mine: Json = {"Fn::Equals": [{"Ref": "AWS::AccountId"}, _account_id(self.policy, account)]}
        return {"Fn::And": [mine, here]}

    def resources(self) -> JsonMap:
        resources: JsonMap = {}
        for vault in self.policy.vaults:
            logical = self.ids[f"vault {vault.key}"]
            if vault.encryption is KeyKind.CUSTOMER:
                resources[f"{logical}Key"] = self._key(vault)
            resources[logical] = self._air_gapped(vault) if vault.air_gapped else self._vault(vault)
        for plan in self.policy.plans:
            resources[self.ids[f"plan {plan.key}"]] = self._plan(plan)
            for scope in self.policy.tables:
                if {tier.id for tier in plan.tiers} & set(scope.tiers):
                    name = _unused(self.ids[f"plan {plan.key}"] + camel(scope.key), set(resources))
                    resources[name] = self._selection(plan, scope)
        return resources

    def _resource(self, kind: str, place: Place, properties: JsonMap, *, keep: bool = False) -> JsonMap:
        condition: JsonMap = {"Condition": _condition(place)} if len(self.places) > 1 else {}
        retain: JsonMap = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"} if keep else {}
        return {"Type": kind, **condition, **retain, "Properties": properties}

    def _key(self, vault: Vault) -> JsonMap:
        owner: JsonMap = {
            "Sid": "TheAccountDecides",
            "Effect": "Allow",
            "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
            "Action": "kms:*",
            "Resource": "*",
        }
        properties: JsonMap = {
            "Description": f"Backups in the vault {vault.name}",
            "EnableKeyRotation": True,
            "PendingWindowInDays": 30,
            "KeyPolicy": {"Version": "2012-10-17", "Statement": [owner]},
        }
        return self._resource("AWS::KMS::Key", _place(vault), properties, keep=True)

    def _encryption(self, vault: Vault) -> JsonMap:
        if vault.encryption is not KeyKind.CUSTOMER:
            return {}
        return {"EncryptionKeyArn": {"Fn::GetAtt": [f"{self.ids[f'vault {vault.key}']}Key", "Arn"]}}

    def _vault(self, vault: Vault) -> JsonMap:
        lock: JsonMap = {}
        if vault.lock:
            bounds: JsonMap = {
                "MinRetentionDays": vault.lock.min_retention_days,
                "MaxRetentionDays": vault.lock.max_retention_days,
            }
            if vault.lock.changeable_for_days:
                bounds["ChangeableForDays"] = vault.lock.changeable_for_days
            lock = {"LockConfiguration": bounds}
        properties = {"BackupVaultName": vault.name, **self._encryption(vault), **lock, **self._access(vault)}
        return self._resource("AWS::Backup::BackupVault", _place(vault), properties, keep=True)

    def _air_gapped(self, vault: Vault) -> JsonMap:
        if vault.lock is None:
            raise Error(
                f"the air-gapped vault {vault.key} has no lock, and AWS wants its bounds",
                where=f"/vaults/{vault.key}/lock",
                hint="say lock: {min_retention_days: 7, max_retention_days: 365}",
            )
        properties: JsonMap = {
            "BackupVaultName": vault.name,
            "MinRetentionDays": vault.lock.min_retention_days,
            "MaxRetentionDays": vault.lock.max_retention_days,
            **self._encryption(vault),
            **self._access(vault),
        }
        return self._resource("AWS::Backup::LogicallyAirGappedBackupVault", _place(vault), properties, keep=True)

    def _access(self, vault: Vault) -> JsonMap:
        statements: list[Json] = [deny_deletion(self.policy.roles.break_glass)] if vault.deny_deletion else []
        statements += [admit(principal) for principal in vault.allowed_principals]
        return {"AccessPolicy": {"Version": "2012-10-17", "Statement": statements}} if statements else {}

    def _plan(self, plan: Plan) -> JsonMap:
        places = {_place(vault) for tier in plan.tiers if (vault := self.policy.vault(tier.vault))}
        if len(places) != 1:
            raise Error(
                f"the tiers of the plan {plan.key} store in {len(places)} places, and AWS has a plan in one",
                where=f"/plans/{plan.key}",
                hint="give each account and Region a plan of its own; `policy lint` names vaults that do not exist",
            )
        rules: list[Json] = [self._rule(tier) for tier in plan.tiers]
        properties: JsonMap = {"BackupPlan": {"BackupPlanName": plan.name, "BackupPlanRule": rules}}
        return self._resource("AWS::Backup::BackupPlan", places.pop(), properties)

    def _rule(self, tier: Tier) -> JsonMap:
        vault = self.policy.vault(tier.vault)
        if vault and vault.air_gapped:
            raise Error(
                f"{tier.id} stores straight into the air-gapped vault {vault.key}, which is not supported here",
                where=f"{tier.pointer}/vault",
                hint="store in a vault, and copy to the air-gapped one",
            )
        rule: JsonMap = {
            "RuleName": tier.rule,
            "TargetBackupVault": {"Ref": self.ids[f"vault {tier.vault}"]},
            "ScheduleExpression": tier.schedule,
            "ScheduleExpressionTimezone": tier.timezone,
            "StartWindowMinutes": tier.start_window_minutes,
            "CompletionWindowMinutes": tier.completion_window_minutes,
            "Lifecycle": _lifecycle(tier),
        }
        copies: list[Json] = [self._copy(copy, tier) for copy in tier.copies]
        if copies:
            rule["CopyActions"] = copies
        return rule | ({"EnableContinuousBackup": True} if tier.continuous else {})

    def _copy(self, copy: Copy, tier: Tier) -> JsonMap:
        vault = self.policy.vault(copy.vault)
        if vault is None:
            raise Error(
                f"{tier.id} copies to the vault {copy.vault}, which the policy does not have",
                where=f"{tier.pointer}/copies",
                hint="`policy lint` names what comes closest",
            )
        place = f"{self.policy.region_of(vault)}:{_account_id(self.policy, vault.account)}"
        arn = f"arn:${{AWS::Partition}}:backup:{place}:backup-vault:{vault.name}"
        return {"DestinationBackupVaultArn": sub(arn), "Lifecycle": _lifecycle(copy)}

    def _selection(self, plan: Plan, scope: TableScope) -> JsonMap:
        role: Json = {"Ref": ROLE_PARAMETER}
        if self.policy.roles.backup:
            role = sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{self.policy.roles.backup}")
        selection: JsonMap = {
            "SelectionName": f"{scope.key}"[:50],
            "IamRoleArn": role,
            "Resources": [_resources(scope)],
        }
        if scope.tags:
            equals: list[Json] = [
                {"ConditionKey": f"aws:ResourceTag/{key}", "ConditionValue": value} for key, value in scope.tags.items()
            ]
            selection["Conditions"] = {"StringEquals": equals}
        properties: JsonMap = {
            "BackupPlanId": {"Ref": self.ids[f"plan {plan.key}"]},
            "BackupSelection": selection,
        }
        return self._resource("AWS::Backup::BackupSelection", (scope.account, scope.region), properties)


def _place(vault: Vault) -> Place:
    return vault.account, vault.region


def _condition(place: Place) -> str:
    account, region = place
    return f"Is{camel(region)}" if account == PRIMARY else f"Is{camel(account)}{camel(region)}"


def _lifecycle(one: Tier | Copy) -> JsonMap:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-backup-backupplan-lifecycleresourcetype.html"""
    lifecycle: JsonMap = {} if one.retention_days is None else {"DeleteAfterDays": one.retention_days}
    cold: JsonMap = {"MoveToColdStorageAfterDays": one.cold_storage_after_days} if one.cold_storage_after_days else {}
    return lifecycle | cold


def _resources(scope: TableScope) -> Json:
    """The ARN, or the ARN with a wildcard, that selects a scope's tables; tags are a condition on all of them."""
    if scope.arn:
        return scope.arn
    if scope.pattern and "?" in scope.pattern:
        raise Error(
            f"the pattern {scope.pattern} has a ?, and AWS Backup's selections know * only",
            where=f"/tables/{scope.key}/pattern",
            hint="write *, or name the tables",
        )
    name = scope.name or scope.pattern or "*"
    return sub(f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{name}")
