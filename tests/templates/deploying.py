"""Every stack into a sandbox, in the order that docs/deploy.md gives; and the audit of what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.templates.reading import text

from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.evaluate import evaluate
from backcheck.finding import Finding
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Topic
from backcheck.inventory.model import RegionInventory, Table
from backcheck.policy.load import load as load_policy
from backcheck.policy.model import Policy
from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_stacks import Stack
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.load import loads
from backcheck.template.resolve import resolve

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
OIDC = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
ORDER: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("dr", "us-west-2", {"AlertEndpoint": "operations@techmoda.example"}),
    ("primary", "us-east-1", {"AlertEndpoint": "operations@techmoda.example"}),
    ("restore-testing", "us-east-1", {}),
    ("auditor", "us-east-1", {"OidcProviderArn": OIDC}),
    ("drill", "us-east-1", {"SourceBucket": "techmoda-backcheck"}),
)
Change = Callable[[str, str], str]
"""A template's name and text to the text that is deployed."""


def techmoda() -> Policy:
    """The policy that the templates' defaults are for."""
    return load_policy(Path(__file__).parents[2] / "policies" / "techmoda.yaml")


def as_written(_name: str, content: str) -> str:
    """No change."""
    return content


def deploy_all(sandbox: Sandbox, change: Change = as_written, names: Iterable[str] = ()) -> dict[str, Stack]:
    """The stacks by name; all of them where none is named."""
    wanted = tuple(names) or tuple(name for name, _, _ in ORDER)
    return {
        name: deploy(
            loads(change(name, text(name)), file=f"templates/{name}.yaml"),
            into=account_in(sandbox.world, region=region),
            stack_name=f"a-stack-name-of-more-than-33-characters-{name}",
            parameters=parameters,
        )
        for name, region, parameters in ORDER
        if name in wanted
    }


def audited(sandbox: Sandbox, policy: Policy, change: Change = as_written) -> tuple[Finding, ...]:
    """What the controls that a template can answer say of the account."""
    target = Target(account=policy.accounts[0], session=sandbox.session(), kind=Kind.SANDBOX)
    inventory = collect([target], policy, lambda: START)
    accounts = tuple(replace(one, kind="template", regions=_kept(one.regions, change)) for one in inventory.accounts)
    world = World(policy=policy, now=START, inventory=replace(inventory, accounts=accounts))
    return evaluate(world, CONTROLS)


def _kept(regions: tuple[RegionInventory, ...], change: Change) -> tuple[RegionInventory, ...]:
    """With what only a template says, what becomes of the table when its stack goes; and with what people do by hand
    once a stack is there, confirm their subscription."""
    resolved = resolve(loads(change("primary", text("primary"))), parameters=ORDER[1][2]).resources["ProductsTable"]

    def kept(table: Table | Gap) -> Table | Gap:
        if isinstance(table, Gap):
            return table
        on_delete, on_replace = resolved.deletion_policy, resolved.update_replace_policy
        return replace(table, deletion_policy=on_delete, replace_policy=on_replace)

    def confirmed(topic: Topic | Gap) -> Topic | Gap:
        return topic if isinstance(topic, Gap) else replace(topic, confirmed_subscriptions=1)

    return tuple(
        replace(one, tables=tuple(map(kept, one.tables)), topics=tuple(map(confirmed, one.topics))) for one in regions
    )
