"""Which vaults do not deny deletion, as VLT-04 itself sees it: a draft must not promise what the account does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from backcheck.controls.control import World
from backcheck.controls.vaults import present_vaults
from backcheck.controls.vlt_04_access_policy import policy_keeps_points
from backcheck.finding import Status, Verdict


def undenied(world: World) -> Mapping[str, str]:
    """The policy's key of each such vault, and what its access policy lacks."""
    found: dict[str, str] = {}
    for subject in present_vaults(world):
        if isinstance(subject, Verdict) or not subject.wanted.deny_deletion:
            continue
        asked = policy_keeps_points.claim(subject, world)
        otherwise = replace(subject, wanted=replace(subject.wanted, deny_deletion=False))
        unasked = policy_keeps_points.claim(otherwise, world)
        assert isinstance(asked, Verdict)
        assert isinstance(unasked, Verdict)
        if asked.status is Status.FAIL and asked.observed != unasked.observed:
            found[subject.wanted.key] = asked.observed
    return found
