"""Templates as an account: deployed into a sandbox in order, read by the audit's own collector."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from backcheck.finding import Location
from backcheck.gate.stacks import StackSpec
from backcheck.gate.wording import place_of
from backcheck.inventory.backup import Vault
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key
from backcheck.inventory.model import AccountInventory, Inventory, RegionInventory, Table
from backcheck.policy.model import Policy
from backcheck.sandbox import topics
from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_stacks import DeployError, Stack, StackResource, stacks_of
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.node import RefusedTemplateError
from backcheck.template.result import ResolvedResource
from backcheck.template.value import Unresolved

_NAME = re.compile(r"[A-Za-z0-9]+")

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
    refused_at: Location | None = None
    """Where what was refused is written, a nested template's own file; None where nothing was."""

    @property
    def place(self) -> Place:
        """Where it was deployed."""
        return (self.spec.account, self.spec.region)

    def adding(self) -> Iterator[tuple[Location, Unresolved]]:
        """What adds resources of which nothing is known: macros, and loops over what is not known."""
        for stack in self.stacks:
            for one in stack.template.unresolved:
                if one.path == "/Resources" or re.fullmatch(r"/Resources/Fn::ForEach::[^/]+", one.path):
                    yield Location(file=stack.template.file, line=one.line or 1), one


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
        for region in {outcome.place for outcome in outcomes}:
            topics.confirm_all(sandbox.world.region(*region))
        inventory = collect(targets, policy, lambda: now, every_role=True)
    bare = Deployment(outcomes=outcomes, inventory=inventory)
    policies = {made.arn: made.wanted for made in bare.made() if made.wanted and made.arn}
    accounts = tuple(_as_template(one, told, policies) for one in inventory.accounts)
    return replace(bare, inventory=replace(inventory, accounts=accounts))


def _deploy(spec: StackSpec, sandbox: Sandbox) -> Outcome:
    into = account_in(sandbox.world, account=spec.account, region=spec.region)
    before = set(stacks_of(sandbox.world, spec.account, spec.region))
    try:
        stack = deploy(spec.template, into=into, stack_name=spec.name, parameters=spec.parameters, for_drift=False)
    except RefusedTemplateError as error:
        at = Location(file=error.file, line=error.mark.line or 1)
        return Outcome(spec=spec, stacks=(), refusal=f"ValidationError: {error.message}", refused_at=at)
    except DeployError as error:
        at = Location(file=error.where or spec.file, line=error.line or 1)
        return Outcome(spec=spec, stacks=(), refusal=f"{error.code}: {error.message}", refused_at=at)
    after = stacks_of(sandbox.world, spec.account, spec.region)
    nested = tuple(one for key, one in after.items() if key not in before and one is not stack)
    refused_at = _place_of_refusal(stack, nested) if stack.failure else None
    return Outcome(spec=spec, stacks=(stack, *nested), refusal=stack.failure, refused_at=refused_at)


def _place_of_refusal(stack: Stack, nested: tuple[Stack, ...]) -> Location:
    """Where the first resource that failed is written; where it is a nested stack, what failed in that."""
    failed, template = stack.first_failure, stack.template
    if failed is None:  # an output
        named = (one.line for one in template.outputs.values() if one.name in _NAME.findall(stack.failure))
        return Location(file=template.file, line=next(named, 1))
    inner = next((one for one in nested if f" {one.id} " in failed.reason), None)
    if inner is not None:
        return _place_of_refusal(inner, nested)
    refused = template.resources[failed.logical_id]
    return Location(file=template.file, line=refused.line_of(place_of(failed.reason, refused)))


def _as_template(
    account: AccountInventory,
    told: set[Place],
    wanted: Mapping[str, ResolvedResource],
) -> AccountInventory:
    regions = tuple(
        with_what_only_templates_say(region, wanted)
        for region in account.regions
        if (region.account, region.region) in told
    )
    return replace(account, kind=Kind.TEMPLATE, simulated=True, regions=regions)


def with_what_only_templates_say(region: RegionInventory, wanted: Mapping[str, ResolvedResource]) -> RegionInventory:
    """What becomes of tables, vaults and keys when their stack goes, by ARN."""

    def kept(one: Kept) -> Kept:
        written = wanted.get(one.arn)
        if written is None:
            return one
        return replace(one, deletion_policy=written.deletion_policy, replace_policy=written.update_replace_policy)

    return replace(
        region,
        tables=tuple(one if isinstance(one, Gap) else kept(one) for one in region.tables),
        vaults=region.vaults if isinstance(region.vaults, Gap) else tuple(kept(one) for one in region.vaults),
        keys=tuple(one if isinstance(one, Gap) else kept(one) for one in region.keys),
    )
