"""A group of commands that are imported when they are called: `policy lint` must not wait for boto3."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Lazy(NamedTuple):
    """A command that is not imported yet."""

    target: str
    """`module:attribute`."""
    summary: str
    """The first sentence of the command's own help, which a test compares: a list of commands imports none."""


class LazyGroup(click.Group):
    """Commands by name."""

    def __init__(self, *args: Any, targets: Mapping[str, Lazy], **kwargs: Any) -> None:
        """`targets` may still grow after this."""
        super().__init__(*args, **kwargs)
        self.targets = targets

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, without importing anything."""
        return sorted(self.targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None where there is no such name."""
        lazy = self.targets.get(cmd_name)
        if lazy is None:
            return None
        module, attribute = lazy.target.split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.targets[name].summary) for name in self.list_commands(ctx)])
