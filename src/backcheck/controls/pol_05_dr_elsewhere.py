"""POL-05: DR is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, not_applicable, verdict
from backcheck.controls.deployment import partition
from backcheck.controls.subjects import TierSubject, tiers
from backcheck.finding import Severity, Verdict
from backcheck.policy.model import Policy, Vault


@control(
    id="POL-05",
    title="Copies go to another Region of the same partition",
    severity=Severity.CRITICAL,
    reads=POLICY_ONLY,
    each=tiers,
    why="A copy in the Region that fails is lost with it; one in another partition is never made.",
    remedy="Give `regions` a dr Region other than the primary one, and copy to a vault there.",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
    ),
    maps_to=("NIST-800-53r5:CP-6", "NIST-800-53r5:CP-6(1)"),
    passes={
        "another Region": examples.world,
        "another account, and another Region": lambda: examples.world(policy=_policy(us_west="us-west-2")),
    },
    fails={
        "the same Region": lambda: examples.world(policy=_policy(us_west=examples.HERE)),
        "another partition": lambda: examples.world(policy=_policy(us_west="cn-north-1")),
    },
    no_unknown="the policy alone is read",
)
def dr_is_elsewhere(subject: TierSubject, world: World) -> Iterator[Verdict]:
    """Every copy leaves its tier's Region (or its account, beside one that leaves the Region), none the partition."""
    policy, tier = subject.policy, subject.rule
    home = policy.vault(tier.vault)
    targets = [(index, policy.vault(copy.vault)) for index, copy in enumerate(tier.copies)]
    known = [(index, vault) for index, vault in targets if vault]
    if home is None or not known:
        yield not_applicable(f"{tier.id} has no copy" if not tier.copies else f"{tier.id} names no vault: see POL-08")
        return
    here = policy.region_of(home)
    leaves = any(policy.region_of(vault) != here for _, vault in known)
    for index, vault in known:
        yield _judge(policy, home, vault, leaves=leaves, at=f"{tier.pointer}/copies/{index}", who=tier.id)


def _judge(policy: Policy, home: Vault, vault: Vault, *, leaves: bool, at: str, who: str) -> Verdict:
    here, there = policy.region_of(home), policy.region_of(vault)
    same_partition = partition(here) == partition(there)
    isolated = leaves and vault.account != home.account
    message = f"{who}: from {home.key} in {here} to {vault.key} in {there}"
    notes = ("this copy stays in its Region, for another account; another copy leaves it",) if isolated else ()
    return verdict(
        same_partition and (here != there or isolated),
        expected=f"a Region of partition {partition(here)} other than {here}",
        observed=f"{there}, partition {partition(there)}",
        at=at,
        message=message if same_partition else f"{message}: nothing is copied between partitions",
        notes=notes if here == there else (),
    )


def _policy(us_west: str) -> Policy:
    return examples.policy(regions={"primary": examples.HERE, "dr": us_west})
