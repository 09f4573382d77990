"""IAM-01: the role that backs up can."""

from collections.abc import Iterator
from dataclasses import replace

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, unread
from backcheck.controls.deployment import deployed_plans, partition
from backcheck.controls.iam_policy import allows
from backcheck.controls.key_needs import source_needs, used_vaults, vault_needs
from backcheck.controls.service_roles import AWS_POLICIES, FOR_BACKUP, NamedRole, as_named, as_on_its_page, judge_role
from backcheck.finding import Severity, Status, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, PolicyDocument, Statement


def backup_roles(world: World) -> Iterator[NamedRole | Verdict]:
    """The role that the policy names for backups, and those that the selections of its plans use."""
    home = world.policy.home
    copies = any(tier.copies for tier in world.policy.tiers)
    found: dict[str, NamedRole] = {}
    if world.policy.roles.backup:
        named = as_named(world.policy.roles.backup, home.id, world, copies=copies)
        found[named.resource] = named
    for deployed in deployed_plans(world):
        if isinstance(deployed, Verdict):
            continue  # PLN-01 and PLN-02 tell
        if isinstance(deployed.plan.selections, Gap):
            yield unread(deployed.plan.selections, resource=deployed.resource)
            continue
        for chosen in deployed.plan.selections:
            named = as_named(chosen.selection.iam_role_arn, deployed.plan.account, world, copies=copies)
            found.setdefault(named.resource, named)
    yield from found.values()


THE_ROLE = (("AWS", f"arn:aws:iam::{examples.ACCOUNT}:role/shop-backup"),)
TABLE_KEY = f"{examples.KEY_ARN}-orders"


def _own(*statements: Statement, **regions: examples.Changes) -> World:
    """The role with a policy of its own instead of AWS's."""
    backs_up = examples.allow("dynamodb:StartAwsBackupJob", "backup:CopyIntoBackupVault")
    policies = (examples.inline(backs_up, *statements),)
    return examples.world(
        account={"roles": examples.roles("backup", policies=policies)},
        primary=regions.get("primary"),
        dr=regions.get("dr"),
    )


def _but_for(source: str) -> PolicyDocument:
    """A trust policy that lets AWS Backup assume the role, but not for this source."""
    [statement] = examples.trust().statements
    return examples.document(replace(statement, conditions=(("ArnNotLike", "aws:SourceArn", (source,)),)))


def _dr_key(*statements: Statement) -> Key:
    return examples.key(examples.DR_KEY_ARN, policy=examples.document(*statements))


@control(
    id="IAM-01",
    title="The role that backs up can",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=backup_roles,
    in_template={
        cfn.ORGANIZATION: ("",),
        cfn.ROLE: ("/AssumeRolePolicyDocument", "/ManagedPolicyArns", "/Policies"),
        cfn.SELECTION: ("",),
        **cfn.ROLES,
        **cfn.KEYS,
    },
    why=(
        "With a role that AWS Backup cannot assume, or that may not back up a table, every job fails; with one that "
        "may not use the key, says AWS, the job is successful and nothing is backed up."
    ),
    remedy=(
        f"aws iam attach-role-policy --role-name ROLE --policy-arn {AWS_POLICIES}/{FOR_BACKUP}; "
        "in the key's policy kms:* for the account's root, so that IAM decides, and no Deny for the role"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html",
        f"https://docs.aws.amazon.com/aws-managed-policy/latest/reference/{FOR_BACKUP}.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-service-confused-deputy-prevention.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "AWS's policy": examples.world,
        "trusted for this account": lambda: examples.world(
            account={
                "roles": examples.roles("backup", trust=examples.trust(key="aws:SourceAccount", value=examples.ACCOUNT))
            }
        ),
        "its own policy": lambda: _own(examples.use_keys()),
        "its own policy, with the keys by their aliases": lambda: _own(examples.use_keys(examples.by_alias("shop-*"))),
        "keys whose policies let the role in themselves": lambda: _own(
            primary={"keys": (examples.key(policy=examples.document(examples.use_keys(principals=THE_ROLE))),)},
            dr={"keys": (_dr_key(examples.use_keys(principals=THE_ROLE)),)},
        ),
    },
    fails={
        "it trusts another service": lambda: examples.world(
            account={"roles": examples.roles("backup", trust=examples.trust("lambda.amazonaws.com"))}
        ),
        "it trusts AWS Backup for another account": lambda: examples.world(
            account={
                "roles": examples.roles("backup", trust=examples.trust(key="aws:SourceAccount", value="999988887777"))
            }
        ),
        "it may back up another table": lambda: examples.world(
            account={
                "roles": examples.roles(
                    "backup",
                    policies=(
                        examples.inline(
                            examples.allow(
                                "dynamodb:StartAwsBackupJob",
                                resources=(examples.TABLE_ARN.replace("orders", "customers"),),
                            ),
                            examples.allow("backup:CopyIntoBackupVault"),
                        ),
                    ),
                )
            }
        ),
        "it may use no key": lambda: _own(),
        "it may use keys of another alias": lambda: _own(examples.use_keys(examples.by_alias("shop-old"))),
        "it may grant the keys to people only": lambda: _own(
            examples.use_keys(("Bool", "kms:GrantIsForAWSResource", ("false",)))
        ),
        "it may use keys through another service only": lambda: _own(
            examples.use_keys(("StringLike", "kms:ViaService", ("ec2.*.amazonaws.com",)))
        ),
        "it is denied the key": lambda: _own(examples.use_keys(), examples.use_keys(effect="Deny")),
        "the key's policy denies it": lambda: _own(
            examples.use_keys(),
            dr={
                "keys": (
                    _dr_key(
                        examples.allow("kms:*", principals=(("AWS", examples.ACCOUNT),)),
                        examples.use_keys(principals=THE_ROLE, effect="Deny"),
                    ),
                )
            },
        ),
        "the key's policy leaves nothing to IAM": lambda: _own(
            examples.use_keys(),
            dr={"keys": (_dr_key(examples.use_keys(principals=(("AWS", f"{THE_ROLE[0][1]}-old"),))),)},
        ),
        "it may not read a table under a key of its own": lambda: _own(
            examples.use_keys(examples.by_alias("shop-vault*")),
            primary={
                "tables": (examples.table(encryption_type="KMS", encryption_key_arn=TABLE_KEY),),
                "keys": (examples.key(), examples.key(TABLE_KEY, aliases=("alias/orders",))),
            },
        ),
        "it may nothing": lambda: examples.world(account={"roles": examples.roles("backup", policies=())}),
        "it does not exist": lambda: examples.world(
            account={
                "roles": (
                    examples.gap("GetRole", "NoSuchEntity", service="iam", resource="shop-backup"),
                    *examples.roles()[1:],
                )
            }
        ),
    },
    unknown={
        "it trusts AWS Backup for any source but this account's": lambda: examples.world(
            account={"roles": examples.roles("backup", trust=_but_for(f"arn:aws:backup:*:{examples.ACCOUNT}:*"))}
        ),
        "the key's policy not read": lambda: examples.world(
            primary={"keys": (examples.key(policy=examples.gap("GetKeyPolicy", service="kms")),)}
        ),
        "the aliases not read that its rights hang on": lambda: _own(
            examples.use_keys(examples.by_alias("shop-*")),
            primary={"keys": (examples.key(aliases=examples.gap("ListAliases", service="kms")),)},
        ),
        "a condition that nobody can tell": lambda: _own(
            examples.use_keys(("StringEquals", "aws:PrincipalTag/team", ("data",)))
        ),
        "role not read": lambda: examples.world(
            account={"roles": (examples.gap("GetRole", service="iam", resource="shop-backup"), *examples.roles()[1:])}
        ),
        "its trust hangs on an organisation": lambda: examples.world(
            account={
                "roles": examples.roles("backup", trust=examples.trust(key="aws:SourceOrgID", value="o-1234567890"))
            }
        ),
        "another policy that was not read": lambda: examples.world(
            account={"roles": examples.roles("backup", policies=(examples.managed(FOR_BACKUP), examples.managed("X")))}
        ),
        "a boundary that was not read": lambda: examples.world(
            account={"roles": examples.roles("backup", boundary_arn="arn:aws:iam::111122223333:policy/boundary")}
        ),
    },
)
def backup_role_works(named: NamedRole, world: World) -> Verdict:
    """It trusts AWS Backup, may start backups of tables and copy into vaults, and may use the keys of both.

    API_BackupJob wants `AWSBackup` or `AwsBackup` in a role's name; the pages on roles do not, so it is not judged.
    """
    actions = ["dynamodb:StartAwsBackupJob", *(["backup:CopyIntoBackupVault"] if named.copies else [])]
    needs = (*vault_needs(used_vaults(world.policy), named.account, world), *source_needs(named.account, world))
    judged = judge_role(named, actions, FOR_BACKUP, world, needs)
    return replace(judged, notes=(*judged.notes, *_notes(named, judged, world)))


def _notes(named: NamedRole, judged: Verdict, world: World) -> Iterator[str]:
    """What one page asks for and no other, of a role that copies across Regions (encryption)."""
    if judged.status is not Status.PASS or not named.copies or isinstance(named.role, Gap):
        return
    listed = () if isinstance(named.role.policies, Gap) else named.role.policies
    policies = tuple(as_on_its_page(policy, FOR_BACKUP, []) for policy in listed)
    region = list(world.policy.regions.values())[-1]
    key = f"arn:{partition(region)}:kms:{region}:{named.account}:key/of-aws"
    if allows(policies, "kms:DescribeKey", key, {"kms:resourcealiases": ("alias/aws/backup",)}) is False:
        yield "for copies across Regions a page asks for kms:DescribeKey on the key alias/aws/backup, which it may not"
