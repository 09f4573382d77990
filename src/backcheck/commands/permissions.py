"""`backcheck permissions`: the least IAM policy that an audit needs, and whether the caller has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from backcheck.accounts import Choice
from backcheck.commands.options import policy_option
from backcheck.errors import Error, UsageError
from backcheck.permissions import Missing, document, missing, samples
from backcheck.policy.load import load
from backcheck.policy.model import Account, Policy

ACTIONS_AT_ONCE = 50
ASKED = "iam:SimulatePrincipalPolicy"


@click.command()
@policy_option
@click.option("--account", "account_key", metavar="KEY", help="An account of the policy; the primary one by default.")
@click.option("--check", is_flag=True, help="Ask AWS which of it the caller lacks.")
@click.option("--profile", metavar="NAME", help="The AWS profile to use with --check.")
@click.option("--role-arn", metavar="ARN", help="The role to assume first.")
@click.option("--endpoint-url", metavar="URL", help="Ask what answers there instead of AWS.")
def command(
    policy: Path,
    account_key: str | None,
    check: bool,
    profile: str | None,
    role_arn: str | None,
    endpoint_url: str | None,
) -> int:
    """Print the least IAM policy that an audit of a policy needs."""
    loaded = load(policy)
    account = _account(loaded, account_key)
    if not check and (profile or role_arn or endpoint_url):
        raise UsageError("nobody is asked without --check", hint="add --check, or leave out what names a caller")
    if not check:
        click.echo(orjson.dumps(document(loaded, account), option=orjson.OPT_INDENT_2).decode())
        return 0
    choice = Choice(live=endpoint_url is None, endpoint_url=endpoint_url, profile=profile, role_arn=role_arn)
    choice.check()
    lacking = _ask(choice, loaded, account)
    for one in lacking:
        click.echo(f"{one.action} on {one.resource}: {one.decision}")
    if not lacking:
        click.echo("the caller has every permission that the audit needs", err=True)
    return 1 if lacking else 0


def _account(policy: Policy, key: str | None) -> Account:
    found = policy.accounts[0] if key is None else policy.account(key)
    if found is None:
        known = ", ".join(account.key for account in policy.accounts)
        raise UsageError(f"the policy has no account {key}", hint=f"it has {known}")
    return found


def _ask(choice: Choice, policy: Policy, account: Account) -> tuple[Missing, ...]:
    """Simulate every action as the caller. Raises Error where AWS does not let the caller ask."""
    from botocore.exceptions import BotoCoreError, ClientError

    from backcheck.inventory.collect.connect import Kind, targets

    kind = Kind.LIVE if choice.live else Kind.ENDPOINT
    target = targets(
        (account,), kind=kind, profile=choice.profile, role_arn=choice.role_arn, endpoint_url=choice.endpoint_url
    )[0]
    try:
        caller = target.session.client("sts", region_name="us-east-1", endpoint_url=choice.endpoint_url)
        iam = target.session.client("iam", region_name="us-east-1", endpoint_url=choice.endpoint_url)
        identity = caller.get_caller_identity()
        if identity.get("Account") != account.id:
            raise UsageError(
                f"the credentials are of account {identity.get('Account')}, the policy's is {account.id}",
                hint="name another profile or role, or --account",
            )
        principal = _principal(identity["Arn"])
        return missing(_simulated(iam, principal, policy, account))
    except (ClientError, BotoCoreError) as error:
        raise Error(
            f"could not tell: {error}",
            where=ASKED,
            hint="ask somebody who may simulate, or run the audit: what is denied is named in its report",
        ) from error


def _simulated(iam: Any, principal: str, policy: Policy, account: Account) -> list[dict[str, Any]]:
    by_resource: dict[str, list[str]] = {}
    for action, resource in samples(policy, account):
        by_resource.setdefault(resource, []).append(action)
    found: list[dict[str, Any]] = []
    for resource, actions in by_resource.items():
        for start in range(0, len(actions), ACTIONS_AT_ONCE):
            asked = actions[start : start + ACTIONS_AT_ONCE]
            pages = iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=principal, ActionNames=asked, ResourceArns=[resource]
            )
            results = [result for page in pages for result in page.get("EvaluationResults", ())]
            told = [{**result, "EvalResourceName": resource} for result in results]
            if silent := sorted(set(asked) - {str(result.get("EvalActionName")) for result in told}):
                raise Error(f"could not tell: nothing was said of {', '.join(silent)}", where=ASKED)
            found += told
    return found


def _principal(arn: str) -> str:
    """The role behind an assumed-role session: only users, groups and roles can be simulated."""
    parts = arn.split(":")
    if parts[2] == "sts" and parts[5].startswith("assumed-role/"):
        return f"arn:{parts[1]}:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
    return arn
