"""Every stack into a sandbox, in the order that docs/deploy.md gives; and the audit of what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from tests.templates.reading import text

from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.evaluate import evaluate
from backcheck.finding import Finding
from backcheck.gate.deployment import with_what_only_templates_say
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.policy.load import load as load_policy
from backcheck.policy.model import Policy
from backcheck.sandbox import topics
from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_stacks import Stack, stacks_of
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.load import loads
from backcheck.template.result import ResolvedResource

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
OIDC = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
AUDITOR = "arn:aws:iam::123456789012:role/techmoda-auditor"
ORDER: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("dr", "us-west-2", {"AlertEndpoint": "operations@techmoda.example"}),
    ("primary", "us-east-1", {"AlertEndpoint": "operations@techmoda.example"}),
    ("restore-testing", "us-east-1", {}),
    ("auditor", "us-east-1", {"OidcProviderArn": OIDC}),
    ("drill", "us-east-1", {"SourceBucket": "techmoda-backcheck", "AuditorRoleArn": AUDITOR}),
)
Change = Callable[[str, str], str]
"""A template's name and text to the text that is deployed."""


def techmoda() -> Policy:
    """The policy that the templates' defaults are for."""
    return load_policy(Path(__file__).parents[2] / "policies" / "techmoda.yaml")


def as_written(_name: str, content: str) -> str:
    """No change."""
    return content


def deploy_all(
    sandbox: Sandbox,
    change: Change = as_written,
    names: Iterable[str] = (),
    more: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> dict[str, Stack]:
    """The stacks by name; all of them where none is named. `more` are parameters, by stack."""
    wanted = tuple(names) or tuple(name for name, _, _ in ORDER)
    return {
        name: deploy(
            loads(change(name, text(name)), file=f"templates/{name}.yaml"),
            into=account_in(sandbox.world, region=region),
            stack_name=f"a-stack-name-of-more-than-33-characters-{name}",
            parameters={**parameters, **more.get(name, {})},
        )
        for name, region, parameters in ORDER
        if name in wanted
    }


def audited(sandbox: Sandbox, policy: Policy) -> tuple[Finding, ...]:
    """What the controls that a template can answer say of the account, with every subscription confirmed."""
    target = Target(account=policy.accounts[0], session=sandbox.session(), kind=Kind.SANDBOX)
    for region in policy.regions.values():
        topics.confirm_all(sandbox.world.region(sandbox.account, region))
    inventory = collect([target], policy, lambda: START)
    wanted = _as_resolved(sandbox, policy)
    accounts = tuple(
        replace(
            one,
            kind="template",
            regions=tuple(with_what_only_templates_say(region, wanted) for region in one.regions),
        )
        for one in inventory.accounts
    )
    world = World(policy=policy, now=START, inventory=replace(inventory, accounts=accounts))
    return evaluate(world, CONTROLS)


def _as_resolved(sandbox: Sandbox, policy: Policy) -> dict[str, ResolvedResource]:
    """Every resource of every stack by its ARN."""
    return {
        resource.physical.arn: stack.template.resources[logical_id]
        for region in policy.regions.values()
        for stack in stacks_of(sandbox.world, policy.accounts[0].id, region).values()
        for logical_id, resource in stack.resources.items()
        if resource.physical is not None and logical_id in stack.template.resources
    }
