"""`backcheck policy`: the policy on its own."""

from __future__ import annotations

import click

from backcheck.commands.lazy import LazyGroup

SUBCOMMANDS: dict[str, str] = {
    "calendar": "backcheck.commands.policy_calendar:command",
    "init": "backcheck.commands.policy_init:command",
    "lint": "backcheck.commands.policy_lint:command",
    "render": "backcheck.commands.policy_render:command",
}


@click.group(cls=LazyGroup, targets=SUBCOMMANDS)
def command() -> None:
    """Check a policy, and write it down for people and for AWS. No account is needed."""
