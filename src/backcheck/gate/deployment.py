"""Templates as an account: deployed into a sandbox in order, read by the audit's own collector."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from backcheck.gate.reads import BACKUP_RULES
from backcheck.gate.stacks import StackSpec
from backcheck.inventory.backup import Vault
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, Topic
from backcheck.inventory.model import AccountInventory, Inventory, RegionInventory, Table
from backcheck.policy.model import Policy
from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_stacks import DeployError, Stack, StackResource, stacks_of
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.result import ResolvedResource
from backcheck.template.value import Value

_WORD = re.compile(r"[A-Za-z]+")
_RULE_NAMED = re.compile(r"\brule ([A-Za-z0-9_.-]+[A-Za-z0-9])")

Place = tuple[str, str]
"""(account id, region)."""

Kept = TypeVar("Kept", Table, Vault, Key)
"""What a template says DeletionPolicy and UpdateReplacePolicy of that a control reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A resource of a template, and what became of it."""

    file: str
    """The template's, a nested one's own."""
    place: Place
    resource: StackResource
    wanted: ResolvedResource | None
    """None where it is not even known whether it would be created."""

    @property
    def arn(self) -> str:
        """Empty where the sandbox did not create it, or it has none."""
        return self.resource.physical.arn if self.resource.physical else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one template."""

    spec: StackSpec
    stacks: tuple[Stack, ...]
    """The stack, then those nested in it; nothing where CloudFormation would not even begin."""
    refusal: str
    """AWS's words; empty where the stack was created."""
    line: int
    """Of what was refused; 0 where the whole template was."""

    @property
    def place(self) -> Place:
        """Where it was deployed."""
        return (self.spec.account, self.spec.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Every template, and the account that they come to."""

    outcomes: tuple[Outcome, ...]
    inventory: Inventory

    def made(self) -> Iterable[Made]:
        """Every resource of every stack that stands."""
        for outcome in self.outcomes:
            for stack in () if outcome.refusal else outcome.stacks:
                for logical_id, resource in stack.resources.items():
                    wanted = stack.template.resources.get(logical_id)
                    yield Made(file=stack.template.file, place=outcome.place, resource=resource, wanted=wanted)


def deployed(stacks: Iterable[StackSpec], policy: Policy, now: datetime) -> Deployment:
    """Deploy `stacks` in order into an empty account and read what is there.

    Regions that no template is for, and regions of a stack that was refused, are not in the inventory: what would be
    there is not known. Raises TemplateError for what cannot be expanded outside an account.
    """
    with Sandbox(account=policy.accounts[0].id, start=now) as sandbox:
        sandbox.organize(*(account.id for account in policy.accounts))
        outcomes = tuple(_deploy(spec, sandbox) for spec in stacks)
        told = {outcome.place for outcome in outcomes} - {one.place for one in outcomes if one.refusal}
        targets = [
            Target(account=account, session=sandbox.session(account=account.id), kind=Kind.TEMPLATE)
            for account in policy.accounts
            if any(outcome.spec.account == account.id for outcome in outcomes)
        ]
        inventory = collect(targets, policy, lambda: now, every_role=True)
        subscribed = _subscribed(sandbox, inventory)
    bare = Deployment(outcomes=outcomes, inventory=inventory)
    policies = {made.arn: made.wanted for made in bare.made() if made.wanted and made.arn}
    accounts = tuple(_as_template(one, told, policies, subscribed) for one in inventory.accounts)
    return replace(bare, inventory=replace(inventory, accounts=accounts))


def _deploy(spec: StackSpec, sandbox: Sandbox) -> Outcome:
    into = account_in(sandbox.world, account=spec.account, region=spec.region)
    before = set(stacks_of(sandbox.world, spec.account, spec.region))
    try:
        stack = deploy(spec.template, into=into, stack_name=spec.name, parameters=spec.parameters, for_drift=False)
    except DeployError as error:
        return Outcome(spec=spec, stacks=(), refusal=f"{error.code}: {error.message}", line=0)
    after = stacks_of(sandbox.world, spec.account, spec.region)
    nested = (one for key, one in after.items() if key not in before and one is not stack)
    failed = next((one for one in stack.events if one.status == "CREATE_FAILED"), None)
    refused = stack.template.resources.get(failed.logical_id) if failed else None
    line = _line_of_refusal(refused, failed.reason) if failed and refused else 0
    return Outcome(spec=spec, stacks=(stack, *nested), refusal=stack.failure, line=line)


def _line_of_refusal(refused: ResolvedResource, words: str) -> int:
    """The line of a property that AWS's words name, in the rule that they name; else the resource's."""
    said = set(_WORD.findall(words))
    rules = _RULE_NAMED.search(words)
    named = [pointer for pointer in refused.lines if pointer.rpartition("/")[2] in said]
    if rules:
        names = list(rule_names(refused))
        index = names.index(rules[1]) if rules[1] in names else -1
        named = [pointer for pointer in named if f"{BACKUP_RULES}/{index}/" in pointer] or named
    return refused.lines[named[0]] if named else refused.line


def rule_names(plan: ResolvedResource) -> Iterator[Value]:
    """The names of a plan's rules, in order."""
    value: Value = plan.properties
    for token in BACKUP_RULES.strip("/").split("/"):
        value = value.get(token, "") if isinstance(value, Mapping) else ""
    for rule in value if isinstance(value, tuple) else ():
        yield rule.get("RuleName", "") if isinstance(rule, Mapping) else ""


def _subscribed(sandbox: Sandbox, inventory: Inventory) -> Mapping[str, int]:
    """Subscriptions of each topic, confirmed or not: people confirm them once the stack is there."""
    found = {}
    for region in inventory.regions():
        sns = sandbox.client("sns", region=region.region, account=region.account)
        for topic in region.topics:
            if isinstance(topic, Topic):
                pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic.arn)
                found[topic.arn] = sum(len(page["Subscriptions"]) for page in pages)
    return found


def _as_template(
    account: AccountInventory,
    told: set[Place],
    wanted: Mapping[str, ResolvedResource],
    subscribed: Mapping[str, int],
) -> AccountInventory:
    regions = tuple(
        with_what_only_templates_say(region, wanted, subscribed)
        for region in account.regions
        if (region.account, region.region) in told
    )
    return replace(account, kind=Kind.TEMPLATE, simulated=True, regions=regions)


def with_what_only_templates_say(
    region: RegionInventory, wanted: Mapping[str, ResolvedResource], subscribed: Mapping[str, int]
) -> RegionInventory:
    """What becomes of tables, vaults and keys when their stack goes, by ARN; and how many subscribe to each topic."""

    def kept(one: Kept) -> Kept:
        written = wanted.get(one.arn)
        if written is None:
            return one
        return replace(one, deletion_policy=written.deletion_policy, replace_policy=written.update_replace_policy)

    def topic(one: Topic | Gap) -> Topic | Gap:
        return one if isinstance(one, Gap) else replace(one, confirmed_subscriptions=subscribed.get(one.arn, 0))

    return replace(
        region,
        tables=tuple(one if isinstance(one, Gap) else kept(one) for one in region.tables),
        vaults=region.vaults if isinstance(region.vaults, Gap) else tuple(kept(one) for one in region.vaults),
        keys=tuple(one if isinstance(one, Gap) else kept(one) for one in region.keys),
        topics=tuple(map(topic, region.topics)),
    )
