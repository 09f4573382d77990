"""DR-05: the other region is ready to restore."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, sorted_out, unread, verdict
from backcheck.controls.coverage import DYNAMODB
from backcheck.controls.keys import NOT_THERE, find_key, why_unusable
from backcheck.controls.roles import find_role
from backcheck.controls.vaults import PresentVault, present_vaults
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RegionSettings
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory

MADE_BY_CODE = "aws:cloudformation:stack-name"
NATIVE = RegionSettings(opt_in={"DynamoDB": True}, management={"DynamoDB": False})


def dr_vaults(world: World) -> Iterator[PresentVault | Verdict]:
    """The vaults that copies go to."""
    copied_to = {copy.vault for tier in world.policy.tiers for copy in tier.copies}
    for subject in present_vaults(world):
        if isinstance(subject, Verdict) or subject.wanted.key in copied_to:
            yield subject


@control(
    id="DR-05",
    title="The other region can restore",
    severity=Severity.HIGH,
    reads=BOTH,
    each=dr_vaults,
    in_template={**cfn.VAULTS, cfn.ROLE: ("/RoleName",), cfn.KEY: ("",)},
    why="A copy that no role can restore, under a key that does not work, is storage and no recovery.",
    remedy=(
        "aws backup update-region-settings --region REGION --resource-type-management-preference DynamoDB=true "
        "--resource-type-opt-in-preference DynamoDB=true; deploy the DR template for vault, key and role"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-dynamodb.html",
    ),
    maps_to=("NIST-800-53r5:CP-6", "NIST-800-53r5:CP-6(2)"),
    passes={"ready": examples.world},
    fails={
        "advanced features off there": lambda: examples.world(dr={"settings": NATIVE}),
        "advanced features off here": lambda: examples.world(primary={"settings": NATIVE}),
        "no restore role of the DR Region's own": lambda: examples.world(
            policy=examples.policy(roles=examples.role_names(restore_dr="shop-restore-dr"))
        ),
        "no restore role": lambda: examples.world(
            account={
                "roles": tuple(
                    examples.gap("GetRole", "NoSuchEntity", service="iam", resource=role.name)
                    if role.name == "shop-restore"
                    else role
                    for role in examples.roles()
                )
            }
        ),
        "its key disabled": lambda: examples.world(dr={"keys": (examples.key(examples.DR_KEY_ARN, state="Disabled"),)}),
    },
    unknown={
        "settings not read": lambda: examples.world(dr={"settings": examples.gap("DescribeRegionSettings")}),
    },
)
def dr_region_can_restore(subject: PresentVault, world: World) -> Verdict:
    """Advanced features in both regions, a restore role that exists, a usable key, a vault that code made."""
    problems, gap = sorted_out([*_features(subject, world), *_role(subject, world), *_key(subject, world)])
    if gap:
        return unread(gap, resource=subject.resource)
    return verdict(
        not problems,
        expected="advanced features, restore role and key are there",
        observed="; ".join(problems) or "they are",
        at="DescribeRegionSettings, GetRole, DescribeKey",
        message=f"{subject.vault.region}: {'; '.join(problems) or 'ready to restore'}",
        notes=tuple(_notes(subject)),
    )


def _features(subject: PresentVault, world: World) -> Iterator[str | Gap]:
    """'Both must be true' (advanced-ddb-backup). A template does not show them."""
    if not world.policy.advanced_features_required or Reads.TEMPLATE in world.reads:
        return
    for region in _regions(subject, world):
        if isinstance(region.settings, Gap):
            yield region.settings
        elif not advanced(region.settings):
            yield f"DynamoDB's advanced features are off in {region.region}"


def advanced(settings: RegionSettings) -> bool:
    """Advanced DynamoDB backup is on where both preferences are."""
    return settings.opt_in.get(DYNAMODB) is True and settings.management.get(DYNAMODB) is True


def _regions(subject: PresentVault, world: World) -> Iterator[RegionInventory]:
    """Where the copies come from, and where they are."""
    sources = {(scope.account, scope.region) for scope in world.policy.tables}
    places = [
        (account.id, world.policy.regions[region])
        for key, region in sorted(sources)
        if (account := world.policy.account(key))
    ]
    for place in dict.fromkeys([*places, (subject.vault.account, subject.vault.region)]):
        if place in world.index.regions:
            yield world.index.regions[place]


def _role(subject: PresentVault, world: World) -> Iterator[str | Gap]:
    name = world.policy.roles.restore_away
    if name is None:
        return
    role = find_role(name, subject.vault.account, world)
    if isinstance(role, Gap):
        yield f"there is no restore role {name}" if role.code in NOT_THERE else role


def _key(subject: PresentVault, world: World) -> Iterator[str | Gap]:
    if subject.vault.key_arn is None:
        return
    key = find_key(subject.vault.key_arn, world)
    if isinstance(key, Gap):
        yield "the vault's key does not exist" if key.code in NOT_THERE else key
    else:
        yield from (f"the vault's key {why}" for why in why_unusable(key))


def _notes(subject: PresentVault) -> Iterator[str]:
    tags = subject.vault.tags
    if not isinstance(tags, Gap) and MADE_BY_CODE not in tags:
        yield f"{subject.vault.name} carries no tag of a stack: if it was made by hand, no deployment keeps it right"
