"""`backcheck policy`: the policy on its own."""

from __future__ import annotations

import click

from backcheck.commands.lazy import Lazy, LazyGroup

SUBCOMMANDS: dict[str, Lazy] = {
    "calendar": Lazy(
        "backcheck.commands.policy_calendar:command",
        "Show which backups take effect, and which recovery points exist where, in which storage class.",
    ),
    "init": Lazy(
        "backcheck.commands.policy_init:command",
        "Write today's set-up down as a policy, on standard output: "
        "what is there, and above it what is wrong with that.",
    ),
    "lint": Lazy(
        "backcheck.commands.policy_lint:command",
        "Check policies: format, arithmetic, schedules, overlaps, objectives, waivers, references.",
    ),
    "render": Lazy(
        "backcheck.commands.policy_render:command",
        "Write a policy as the document that people read, as YAML with nothing left to defaults, or as CloudFormation.",
    ),
}


@click.group(cls=LazyGroup, targets=SUBCOMMANDS)
def command() -> None:
    """Check a policy, and write it down for people and for AWS. No account is needed."""
