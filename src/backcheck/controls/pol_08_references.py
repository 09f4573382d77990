"""POL-08: every reference leads somewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, verdict
from backcheck.controls.subjects import PolicySubject, the_policy
from backcheck.finding import Severity, Verdict
from backcheck.policy.model import Account, Policy, TableScope, Tier, Vault
from backcheck.policy.schema import nearest


@control(
    id="POL-08",
    title="Every vault, tier, table and Region that is named exists",
    severity=Severity.HIGH,
    reads=POLICY_ONLY,
    each=the_policy,
    why="A tier that no table uses, or a copy to a vault that nobody declared, is a promise without a backup.",
    remedy="Declare what is named, or name what is declared.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html",),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "all there": examples.world,
        "a Region that may be newer than we are: a note": lambda: _in_region("us-east-7"),
        "a tier without a table: a note": lambda: examples.world(policy=_scoped(tiers=("main/daily",))),
    },
    fails={
        "the tier's vault": lambda: _tier(vault="nowhere"),
        "the copy's vault": lambda: _tier(copies=(replace(examples.tier().copies[0], vault="d"),)),
        "a table's tier": lambda: examples.world(policy=_scoped(tiers=("main/daily", "hourly"))),
        "a Region that AWS cannot have": lambda: _in_region("us-esat-1"),
        "the drill's table": lambda: examples.world(policy=_drilled("order")),
        "a vault far from its tables": lambda: examples.world(policy=_scoped(region="dr")),
        "two vaults of one name": lambda: examples.world(policy=_same_vault_twice()),
        "two vaults of one name in one account of two names": lambda: examples.world(policy=_same_account_twice()),
        "two rules of one name": lambda: examples.world(
            policy=examples.policy(
                tiers=(examples.tier(), examples.tier(name="nightly", schedule="cron(0 13 * * ? *)"))
            )
        ),
    },
    no_unknown="the policy alone is read",
)
def references_resolve(subject: PolicySubject, world: World) -> Iterator[Verdict]:
    """Vaults of tiers, tiers of tables, tables of drills and Regions exist; a tier's vault is where its tables are."""
    policy = subject.policy
    wrong = [
        *_regions(policy, world.known_regions),
        *_tiers(policy),
        *_tables(policy),
        *_drills(policy),
        *_names(policy),
    ]
    yield from wrong
    if not wrong:
        counts = f"{len(policy.tiers)} tiers, {len(policy.vaults)} vaults and {len(policy.tables)} tables"
        yield verdict(
            True,
            expected="every reference resolves",
            observed="every reference resolves",
            at="/",
            message=f"{counts} fit together",
            notes=(*_new_regions(policy, world.known_regions), *_notes(policy)),
        )


def _notes(policy: Policy) -> Iterator[str]:
    used = {tier for scope in policy.tables for tier in scope.tiers}
    for tier in policy.tiers:
        if tier.id not in used:
            yield f"no table uses the tier {tier.id}"
    for plan in policy.plans:
        ids = {tier.id for tier in plan.tiers}
        for scope in policy.tables:
            if 0 < len(ids & set(scope.tiers)) < len(ids):
                yield f"{scope.key} uses some tiers of {plan.key}: AWS assigns whole plans, so it gets the others, too"


def _regions(policy: Policy, known: frozenset[str]) -> Iterator[Verdict]:
    """A Region that nobody knows and whose name has a word that no Region's has: misspelt."""
    for key, region in policy.regions.items():
        if known and region not in known and not _words(region) <= _words(*known):
            at = f"/regions/{key}"
            yield verdict(
                False,
                expected="a Region of AWS",
                observed=region,
                at=at,
                message=f"there is no Region `{region}`{_close(region, known)}",
                resource=policy.resource(at),
            )


def _new_regions(policy: Policy, known: frozenset[str]) -> Iterator[str]:
    for key, region in policy.regions.items():
        if known and region not in known:
            yield f"regions.{key}: {region} is no Region that the installed botocore knows{_close(region, known)}"


def _words(*regions: str) -> set[str]:
    """What stands between a Region's country, which may be a new one, and its number."""
    return {word for region in regions for word in region.split("-")[1:-1]}


def _close(region: str, known: frozenset[str]) -> str:
    close = get_close_matches(region, known, n=3, cutoff=0.7)
    return f": did you mean {' or '.join(f'`{name}`' for name in sorted(close))}?" if close else ""


def _missing(policy: Policy, what: str, name: str, known: Iterable[str], at: str) -> Verdict:
    names = list(known)
    hint = nearest(name, names)
    return verdict(
        False,
        expected=f"a {what} of the policy: {', '.join(names)}",
        observed=name,
        at=at,
        message=f"there is no {what} `{name}`" + (f": {hint}" if hint else ""),
        resource=policy.resource(at),
    )


def _tiers(policy: Policy) -> Iterator[Verdict]:
    vaults = [vault.key for vault in policy.vaults]
    for tier in policy.tiers:
        if tier.vault not in vaults:
            yield _missing(policy, "vault", tier.vault, vaults, f"{tier.pointer}/vault")
        for index, copy in enumerate(tier.copies):
            if copy.vault not in vaults:
                yield _missing(policy, "vault", copy.vault, vaults, f"{tier.pointer}/copies/{index}/vault")


def _tables(policy: Policy) -> Iterator[Verdict]:
    known = {tier.id: tier for tier in policy.tiers}
    for scope in policy.tables:
        for name in scope.tiers:
            if name not in known:
                yield _missing(policy, "tier", name, known, f"/tables/{scope.key}/tiers")
            else:
                yield from _far(policy, scope, known[name])


def _far(policy: Policy, scope: TableScope, tier: Tier) -> Iterator[Verdict]:
    """AWS Backup stores in a vault of the rule's own account and Region; only copies go further."""
    vault = policy.vault(tier.vault)
    if vault is None or (vault.account, vault.region) == (scope.account, scope.region):
        return
    at = f"/tables/{scope.key}/tiers"
    yield verdict(
        False,
        expected=f"a vault of account {scope.account} in Region {scope.region}, where the table is",
        observed=f"{vault.key}: account {vault.account}, Region {vault.region}",
        at=at,
        message=f"{scope.key} is in {scope.account}/{scope.region}, and the vault of {tier.id} is in "
        f"{vault.account}/{vault.region}: give it a plan with a vault of its own",
        resource=policy.resource(at),
    )


def _drills(policy: Policy) -> Iterator[Verdict]:
    known = [scope.key for scope in policy.tables]
    for name in policy.drill.tables if policy.drill else ():
        if name not in known:
            yield _missing(policy, "table", name, known, "/drill/tables")


def _names(policy: Policy) -> Iterator[Verdict]:
    """Two keys for one thing in AWS."""
    vaults = Counter((_account_id(policy, vault), policy.region_of(vault), vault.name) for vault in policy.vaults)
    plans = Counter(plan.name for plan in policy.plans)
    for (_, _, name), count in vaults.items():
        if count > 1:
            yield _twice(policy, "vault", name, "an account and Region", "/vaults")
    for name, count in plans.items():
        if count > 1:
            yield _twice(policy, "plan", name, "an account and Region", "/plans")
    # Recovery points of long ago say the rule's name only: with one name for two tiers, each would pass for the other.
    for plan in policy.plans:
        for name, count in Counter(tier.rule for tier in plan.tiers).items():
            if count > 1:
                yield _twice(policy, "rule", name, "a plan", f"/plans/{plan.key}/tiers")


def _account_id(policy: Policy, vault: Vault) -> str:
    """Two names may stand for one account."""
    account = policy.account(vault.account)
    return account.id if account else vault.account


def _twice(policy: Policy, what: str, name: str, within: str, at: str) -> Verdict:
    return verdict(
        False,
        expected=f"one {what} of a name in {within}",
        observed=f"several named {name}",
        at=at,
        message=f"several {what}s of the policy are the one named {name} in AWS",
        resource=policy.resource(at),
    )


def _tier(**changes: Any) -> World:
    return examples.world(policy=examples.policy(tiers=(examples.tier(**changes),)))


def _in_region(name: str) -> World:
    made = examples.world(policy=examples.policy(regions={"primary": examples.HERE, "dr": examples.THERE, "new": name}))
    return replace(made, known_regions=frozenset({examples.HERE, examples.THERE}))


def _scoped(**changes: Any) -> Policy:
    return examples.policy(scope=changes)


def _drilled(table: str) -> Policy:
    base = examples.policy()
    assert base.drill is not None
    return replace(base, drill=replace(base.drill, tables=(table,)))


def _same_vault_twice() -> Policy:
    base = examples.policy()
    return replace(base, vaults=(*base.vaults, replace(base.vaults[0], key="again")))


def _same_account_twice() -> Policy:
    base = _same_vault_twice()
    again = Account(key="vaults", id=base.accounts[0].id)
    *vaults, last = base.vaults
    return replace(base, accounts=(*base.accounts, again), vaults=(*vaults, replace(last, account="vaults")))
