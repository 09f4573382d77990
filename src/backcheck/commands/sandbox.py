"""`backcheck sandbox`: serve a simulated account over HTTP for any AWS client."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from backcheck.errors import Error, UsageError
from backcheck.sandbox import Sandbox

ACCOUNT = "123456789012"
STACK = "sandbox"


@click.command()
@click.option("--scenario", metavar="S", help="An account to begin with: a file, or a name in fixtures/scenarios.")
@click.option("--template", metavar="T", help="A CloudFormation or SAM template to deploy first, as stack `sandbox`.")
@click.option(
    "--parameter", "parameters", multiple=True, metavar="K=V", help="A parameter of the template; repeatable."
)
@click.option("--days", type=click.FloatRange(min=0), default=0.0, metavar="N", help="Days to let pass first.")
@click.option("--port", type=click.IntRange(0, 65535), default=4567, show_default=True, help="0 takes a free port.")
def command(scenario: str | None, template: str | None, parameters: tuple[str, ...], days: float, port: int) -> int:
    """Serve a simulated AWS account on 127.0.0.1 until Ctrl-C.

    It behaves as AWS Backup documents, on a clock of its own that follows the machine's. What it shows is no evidence
    of a backup.
    """
    if scenario is not None and template is not None:
        raise UsageError("--scenario and --template both name the account to begin with", hint="give one of them")
    given = _parameters(parameters, template)
    with _account(scenario) as sandbox:
        if template is not None:
            click.echo(_deployed(sandbox, template, given), err=True)
        sandbox.clock.advance(days=days)
        server = sandbox.serve(port=port)
        sandbox.clock.tick()
        click.echo(_how_to(server.url, sandbox))
        _wait()
    click.echo("stopped")
    return 0


def _account(scenario: str | None) -> Sandbox:
    if scenario is not None:
        return Sandbox.from_scenario(scenario)
    # The only place that looks at the machine's clock: an empty account begins now.
    return Sandbox(account=ACCOUNT, start=datetime.now(UTC).replace(microsecond=0))


def _parameters(pairs: tuple[str, ...], template: str | None) -> dict[str, str]:
    if pairs and template is None:
        raise UsageError("--parameter is for a --template")
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--parameter {pair} is not of the form NAME=VALUE")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _deployed(sandbox: Sandbox, template: str, parameters: dict[str, str]) -> str:
    """What came of the template. Raises Error with the service's words where AWS would refuse it."""
    from backcheck.sandbox.cloudformation import deploy
    from backcheck.sandbox.cloudformation_clients import account_in
    from backcheck.template.load import load

    into = account_in(sandbox.world)
    stack = deploy(load(Path(template)), into=into, stack_name=STACK, parameters=parameters)
    if stack.failure:
        raise Error(f"the stack is rolled back: {stack.failure}", where=template)
    missing = [f"  {resource.logical_id}: {resource.skipped}" for resource in stack.not_created]
    missing += [f"  {resource.logical_id}{pointer}: {why.reason}" for resource in stack.incomplete
                for pointer, why in resource.unresolved]  # fmt: skip
    head = f"deployed {template}: {len(stack.resources) - len(stack.not_created)} of {len(stack.resources)} resources"
    return "\n".join((head, *missing))


def _how_to(url: str, sandbox: Sandbox) -> str:
    return "\n".join(
        (
            f"sandbox: account {sandbox.account}, {sandbox.clock.now():%Y-%m-%d %H:%M} UTC, simulated",
            "",
            f"  export AWS_ENDPOINT_URL={url}",
            "  export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox AWS_DEFAULT_REGION=us-east-1",
            "",
            f"  backcheck check --policy P --endpoint-url {url} --at {sandbox.clock.now():%Y-%m-%dT%H:%MZ} --out DIR",
            f"  curl -X POST '{url}/_sandbox/advance?days=1'    lets a day pass",
            "  Ctrl-C ends it",
        )
    )


def _wait() -> None:
    """Until Ctrl-C or SIGTERM."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not ended.wait(1.0):
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
