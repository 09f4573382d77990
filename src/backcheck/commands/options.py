"""The options that name an account, the same for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from backcheck.accounts import Choice

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

_ACCOUNT = (
    click.option("--live", is_flag=True, help="AWS itself."),
    click.option("--endpoint-url", metavar="URL", help="What answers there, such as an emulator."),
    click.option("--sandbox", metavar="SCENARIO", help="The embedded account of a scenario, by file or name."),
    click.option("--snapshot", type=FILE, help="An inventory that was taken before."),
    click.option("--profile", metavar="NAME", help="The AWS profile to use."),
    click.option("--role-arn", metavar="ARN", help="The role to assume in the primary account."),
    click.option("--region", "regions", metavar="REGION", multiple=True, help="Look here as well; may be repeated."),
)

policy_option = click.option("--policy", required=True, type=FILE, help="The policy file.")


def account_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name an account; the command gets them by name, `choice_of` puts them together."""
    for option in reversed(_ACCOUNT):
        command = option(command)
    return command


def choice_of(
    *,
    live: bool,
    endpoint_url: str | None,
    sandbox: str | None,
    snapshot: Path | None,
    profile: str | None,
    role_arn: str | None,
    regions: tuple[str, ...],
) -> Choice:
    """The options as a choice of one account. Raises UsageError unless exactly one is named."""
    from backcheck.accounts import Choice

    choice = Choice(
        live=live,
        endpoint_url=endpoint_url,
        sandbox=sandbox,
        snapshot=snapshot,
        profile=profile,
        role_arn=role_arn,
        regions=regions,
    )
    choice.check()
    return choice
