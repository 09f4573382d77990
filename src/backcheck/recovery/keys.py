"""Whether the key of a way back can be used: without it, what is held is there and cannot be restored."""

from __future__ import annotations

from dataclasses import dataclass

from backcheck.controls.control import World
from backcheck.controls.keys import NOT_THERE, find_key, why_unusable
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the inventory knows of a key."""

    usable: bool | None
    """None: it was not read."""
    says: tuple[str, ...] = ()


def standing(arn: str | None, world: World) -> Standing:
    """Of a key by its ARN; what names none is under AWS's own key, which always works.

    "You will need that same key to restore those backups":
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    """
    if arn is None:
        return Standing(usable=True)
    key = find_key(arn, world)
    if isinstance(key, Gap) and key.code not in NOT_THERE:
        return Standing(usable=None, says=(f"KEY NOT READ, so whether it works is not known: {arn}: {key.code}",))
    why = ["does not exist"] if isinstance(key, Gap) else list(why_unusable(key))
    if not why:
        return Standing(usable=True)
    cure = "" if isinstance(key, Gap) else _cure(key)
    return Standing(usable=False, says=(f"ITS KEY IS NOT USABLE, nothing comes back this way: {arn} {why[0]}{cure}",))


def _cure(key: Key) -> str:
    """A key whose deletion was cancelled is disabled (https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html)."""
    named = f"--region {key.region} --key-id {key.arn}"
    enable = f"aws kms enable-key {named}"
    if key.deletion_date is not None or key.state == "PendingDeletion":
        return f"; first aws kms cancel-key-deletion {named}, then {enable}"
    return f"; first {enable}" if key.state == "Disabled" else ""
