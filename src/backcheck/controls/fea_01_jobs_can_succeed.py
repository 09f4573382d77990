"""FEA-01: every job can succeed."""

from collections.abc import Iterator

from backcheck.controls import examples
from backcheck.controls.control import BOTH, Reads, World, control, unread, verdict
from backcheck.controls.deployment import DeployedRule, copy_lifecycle, deployed_rules, kept_for, partition, retention
from backcheck.controls.dr_05_dr_restores import advanced
from backcheck.controls.keys import NOT_THERE, find_key, why_unusable
from backcheck.controls.lifecycle import CONTINUOUS_MAXIMUM_DAYS, long_enough_in_cold
from backcheck.controls.moments import few
from backcheck.controls.vaults import find_vault_by_arn
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import Vault
from backcheck.inventory.gap import Gap

GUIDE = "https://docs.aws.amazon.com/aws-backup/latest/devguide"
LEAST_START_WINDOW = 60
"""Where a start window is given it is at least this long (botocore, BackupRuleInput.StartWindowMinutes)."""


@control(
    id="FEA-01",
    title="Every job can succeed",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=deployed_rules,
    why="AWS accepts rules whose every job then fails: against a vault's lock, a key, a vault that is not there.",
    remedy="Change the rule's retention or the vault's lock; create the vault; enable key or features.",
    sources=(
        f"{GUIDE}/vault-lock.html",
        f"{GUIDE}/advanced-ddb-backup.html",
        f"{GUIDE}/point-in-time-recovery.html",
        f"{GUIDE}/create-cross-account-backup.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={"nothing stands in the way": examples.world},
    fails={
        "kept longer than the lock allows": lambda: examples.world(
            primary={"vaults": (examples.vault(max_retention_days=90),)}
        ),
        "the copy is kept for less than the DR lock asks": lambda: examples.world(
            dr={"vaults": (examples.dr_vault(min_retention_days=60),)}
        ),
        "no DR vault": lambda: examples.world(dr={"vaults": ()}),
        "the key is disabled": lambda: examples.world(primary={"keys": (examples.key(state="Disabled"),)}),
        "continuous and cold": lambda: examples.world(
            primary={"plans": (examples.plan(rules=(examples.rule(), examples.rule("Monthly", continuous=True))),)}
        ),
        "a copy across accounts under AWS's key": lambda: examples.world(
            primary={
                "keys": (examples.key(manager="AWS"),),
                "plans": (
                    examples.plan(
                        rules=examples.rules(
                            copies=(
                                examples.copy_action(
                                    destination_vault_arn="arn:aws:backup:us-west-2:999988887777:backup-vault:theirs"
                                ),
                            )
                        )
                    ),
                ),
            }
        ),
    },
    unknown={
        "DR vaults not listed": lambda: examples.world(dr={"vaults": examples.gap("ListBackupVaults")}),
        "key not read": lambda: examples.world(
            primary={"keys": (examples.gap("DescribeKey", service="kms", resource=examples.KEY_ARN),)}
        ),
    },
)
def job_can_succeed(deployed: DeployedRule, world: World) -> Verdict:
    """Vaults, locks, keys and features of the rule and of its copies admit what the rule asks for."""
    found = [*_the_rule(deployed), *_backup(deployed, world), *_copies(deployed, world)]
    problems = [one for one in found if isinstance(one, str)]
    gaps = [one for one in found if isinstance(one, Gap)]
    if gaps and not problems:
        return unread(gaps[0], resource=deployed.resource, tier=deployed.tier)
    return verdict(
        not problems,
        expected="nothing that makes every job fail",
        observed="; ".join(problems) or "nothing",
        at=f"GetBackupPlan.Rules[{deployed.rule.name}], DescribeBackupVault, DescribeKey",
        message=f"rule {deployed.rule.name}: {few(problems) or 'its jobs can succeed'}",
        instances=problems,
    )


def _the_rule(deployed: DeployedRule) -> Iterator[str]:
    rule = deployed.rule
    if not long_enough_in_cold(retention(rule.delete_after_days), rule.move_to_cold_after_days):
        yield "it would be less than 90 days in cold storage, which AWS refuses"
    if rule.continuous and rule.move_to_cold_after_days is not None:
        yield "continuous backups cannot go to cold storage"
    if rule.continuous and (retention(rule.delete_after_days) or CONTINUOUS_MAXIMUM_DAYS + 1) > CONTINUOUS_MAXIMUM_DAYS:
        yield f"continuous backups are kept for at most {CONTINUOUS_MAXIMUM_DAYS} days"
    if rule.start_window_minutes is not None and rule.start_window_minutes < LEAST_START_WINDOW:
        yield f"a start window of {rule.start_window_minutes} min is less than AWS accepts"


def _backup(deployed: DeployedRule, world: World) -> Iterator[str | Gap]:
    plan, name = deployed.plan, deployed.rule.target_vault_name
    arn = f"arn:{partition(plan.region)}:backup:{plan.region}:{plan.account}:backup-vault:{name}"
    yield from _into(arn, retention(deployed.rule.delete_after_days), "backups", world)


def _copies(deployed: DeployedRule, world: World) -> Iterator[str | Gap]:
    source = world.index.regions.get((deployed.plan.account, deployed.plan.region))
    for action in deployed.rule.copies:
        yield from _into(action.destination_vault_arn, copy_lifecycle(action, deployed.rule)[0], "copies", world)
        if action.destination_vault_arn.split(":")[4:5] != [deployed.plan.account]:
            yield from _across_accounts(deployed, world)
    if deployed.rule.copies and source is not None and Reads.TEMPLATE not in world.reads:
        if isinstance(source.settings, Gap):
            yield source.settings
        elif not advanced(source.settings):
            yield f"without DynamoDB's advanced features in {source.region} nothing is copied"


def _into(arn: str, days: int | None, what: str, world: World) -> Iterator[str | Gap]:
    vault = find_vault_by_arn(arn, world)
    if vault is None:
        yield f"{what} go to {arn}, which does not exist"
    elif isinstance(vault, Gap):
        yield vault
    else:
        yield from _lock(vault, days, what)
        yield from _key(vault, what, world)


def _lock(vault: Vault, days: int | None, what: str) -> Iterator[str]:
    if not vault.locked:
        return
    low, high = vault.min_retention_days, vault.max_retention_days
    if high is not None and (days is None or days > high):
        yield f"{what} are kept {kept_for(days)}, and the lock of {vault.name} allows {high} days at most"
    if low is not None and days is not None and days < low:
        yield f"{what} are kept {kept_for(days)}, and the lock of {vault.name} asks for {low} days at least"


def _key(vault: Vault, what: str, world: World) -> Iterator[str | Gap]:
    if vault.key_arn is None:
        return
    key = find_key(vault.key_arn, world)
    if isinstance(key, Gap):
        yield f"the key of {vault.name} does not exist" if key.code in NOT_THERE else key
    else:
        yield from (f"{what}: the key of {vault.name} {why}" for why in why_unusable(key))


def _across_accounts(deployed: DeployedRule, world: World) -> Iterator[str]:
    """An AWS managed key cannot be shared with another account."""
    vault_name = deployed.rule.target_vault_name
    vault = world.index.vaults.get((deployed.plan.account, deployed.plan.region, vault_name))
    key = find_key(vault.key_arn, world) if vault and vault.key_arn else None
    if key is not None and not isinstance(key, Gap) and key.manager == "AWS":
        yield f"copies to another account cannot be made from {vault_name}, which is under an AWS managed key"
