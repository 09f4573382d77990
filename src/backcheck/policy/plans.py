"""Plans, tiers, copies, vaults and locks, with the defaults that a first policy leans on.

A policy that names no vaults gets `<name>` in the primary Region, and `<name>-<region>` for each Region with copies.
A vault without a word on its lock gets one in governance mode, from the shortest to the longest retention stored there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from backcheck.errors import Problem
from backcheck.policy.model import PRIMARY, Copy, KeyKind, Lock, LockMode, Plan, Tier, Vault
from backcheck.policy.schema import nearest
from backcheck.policy.section import Section

START_WINDOW_MINUTES = 60
COMPLETION_WINDOW_MINUTES = 120

_VAULT_NAME = re.compile(r"[A-Za-z0-9_-]{2,50}")
LONGEST_VAULT_NAME = 50
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html"""

LIMIT_DAYS = 36_500
"""The longest retention that AWS Backup knows: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the rest of the file declares, as plans and vaults refer to it."""

    policy: str
    timezone: str
    regions: Mapping[str, str]
    accounts: Mapping[str, str]


def plans_of(policy: Section, names: Names, problems: list[Problem]) -> tuple[tuple[Plan, ...], tuple[Vault, ...]]:
    """The plans and the vaults. A reference that names nothing stays as it is written: POL-08 judges it."""
    sections = [(names.policy, policy)] if "tiers" in policy else list(policy.children("plans"))
    vaults = _vaults(policy, sections, names, problems)
    plans = tuple(
        Plan(
            key=key,
            name=section.text("name", key) if "plans" in policy else key,
            tiers=tuple(_tier(key, name, tier, vaults, names, problems) for name, tier in section.children("tiers")),
        )
        for key, section in sections
    )
    return plans, _with_locks(policy, vaults, plans)


def _vaults(
    policy: Section, sections: list[tuple[str, Section]], names: Names, problems: list[Problem]
) -> dict[str, Vault]:
    if "vaults" in policy:
        return {key: _vault(key, section, names, problems) for key, section in policy.children("vaults")}
    targets = _copy_targets(sections) - {PRIMARY}
    made = {names.policy: PRIMARY} | {f"{names.policy}-{alias}": alias for alias in names.regions if alias in targets}
    for key in made:
        if len(key) > LONGEST_VAULT_NAME:
            message = f"the vault would be called `{key}`: AWS takes {LONGEST_VAULT_NAME} characters"
            problems.append(Problem(message=message, path="/name", hint="shorten the name, or write `vaults`"))
    return {key: Vault(key=key, name=key, region=alias) for key, alias in made.items()}


def _copy_targets(sections: Iterable[tuple[str, Section]]) -> set[str]:
    copies = (copy for _, section in sections for _, tier in section.children("tiers") for copy in tier.items("copies"))
    return {copy if isinstance(copy, str) else copy.text("vault", "") for copy in copies}


def _vault(key: str, section: Section, names: Names, problems: list[Problem]) -> Vault:
    vault = Vault(
        key=key,
        name=section.text("name", key),
        region=section.text("region", PRIMARY),
        account=section.text("account", PRIMARY),
        encryption=KeyKind(section.text("key", KeyKind.CUSTOMER)),
        air_gapped=section.flag("air_gapped", False),
        deny_deletion=section.flag("deny_deletion", True),
        allowed_principals=section.texts("allowed_principals"),
    )
    check_place(section, vault.account, vault.region, names, problems)
    if not _VAULT_NAME.fullmatch(vault.name):
        message = "is the vault's name in AWS, too, and AWS takes 2 to 50 letters, digits, - and _ for one"
        problems.append(Problem(message=f"`{key}` {message}", path=section.pointer, hint="add `name`"))
    return vault


def check_place(section: Section, account: str, region: str, names: Names, problems: list[Problem]) -> None:
    """A Region or account that does not exist leaves nowhere to look, so the file does not load."""
    if region not in names.regions:
        message = f"there is no Region named `{region}` in `regions`"
        problems.append(Problem(message=message, path=section.at("region"), hint=nearest(region, list(names.regions))))
    if account not in names.accounts:
        message = f"there is no account named `{account}` in `accounts`"
        problems.append(
            Problem(message=message, path=section.at("account"), hint=nearest(account, list(names.accounts)))
        )


def _tier(
    plan: str, name: str, section: Section, vaults: Mapping[str, Vault], names: Names, problems: list[Problem]
) -> Tier:
    tier = Tier(
        plan=plan,
        name=name,
        rule=section.text("rule", name),
        schedule=section.text("schedule", ""),
        timezone=section.text("timezone", names.timezone),
        start_window_minutes=section.number("start_window_minutes", START_WINDOW_MINUTES),
        completion_window_minutes=section.number("completion_window_minutes", COMPLETION_WINDOW_MINUTES),
        vault=section.text("vault") or _only_vault(section, vaults, problems),
        retention_days=section.number("retention_days"),
        cold_storage_after_days=section.number("cold_storage_after_days"),
        purpose=section.text("purpose", ""),
        continuous=section.flag("continuous", False),
    )
    copies = tuple(_copy(copy, section, tier, vaults, problems) for copy in section.items("copies"))
    for vault, count in Counter(copy.vault for copy in copies).items():
        if count > 1:
            message = f"{count} copies go to the vault `{vault}`"
            problems.append(Problem(message=message, path=section.at("copies"), hint="keep one of them"))
    return replace(tier, copies=copies)


def _only_vault(tier: Section, vaults: Mapping[str, Vault], problems: list[Problem]) -> str:
    here = [v for v in vaults.values() if v.region == PRIMARY and v.account == PRIMARY and not v.air_gapped]
    if len(here) == 1:
        return here[0].key
    what = "there are several vaults" if here else "there is no vault"
    message = f"`vault` is missing, and {what} in the primary account and Region to choose from"
    hint = nearest("", [vault.key for vault in here or vaults.values()])
    problems.append(Problem(message=message, path=tier.pointer, hint=hint))
    return ""


def _copy(
    copy: str | Section, around: Section, tier: Tier, vaults: Mapping[str, Vault], problems: list[Problem]
) -> Copy:
    """A copy without a lifecycle has its tier's, as in AWS: a lifecycle of its own stands alone.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CopyAction.html
    """
    target = copy if isinstance(copy, str) else copy.text("vault", "")
    vault = _target(target, around, vaults, problems)
    if isinstance(copy, str) or "retention_days" not in copy:
        return Copy(
            vault=vault, retention_days=tier.retention_days, cold_storage_after_days=tier.cold_storage_after_days
        )
    return Copy(
        vault=vault,
        retention_days=copy.number("retention_days"),
        cold_storage_after_days=copy.number("cold_storage_after_days"),
    )


def _target(target: str, tier: Section, vaults: Mapping[str, Vault], problems: list[Problem]) -> str:
    """The key of the vault that a copy names: by its own key, or by a Region that has one vault."""
    if target in vaults:
        return target
    there = [vault.key for vault in vaults.values() if vault.region == target]
    if len(there) > 1:
        message = f"the Region `{target}` has several vaults: {', '.join(there)}"
        problems.append(Problem(message=message, path=tier.at("copies"), hint="name the vault"))
    return there[0] if there else target


def _with_locks(policy: Section, vaults: Mapping[str, Vault], plans: tuple[Plan, ...]) -> tuple[Vault, ...]:
    around = policy.child("vaults")
    locked = []
    for vault in vaults.values():
        stored = stored_days(vault.key, plans)
        section = around.child(vault.key)
        if section.data.get("lock") == "none" or ("lock" not in section and not stored):
            locked.append(vault)
        else:
            locked.append(replace(vault, lock=_lock(section.child("lock"), stored)))
    return tuple(locked)


def stored_days(vault: str, plans: Iterable[Plan]) -> tuple[int, ...]:
    """Every retention that the tiers and their copies ask of one vault, shortest first."""
    tiers = [tier for plan in plans for tier in plan.tiers]
    days = [tier.retention_days for tier in tiers if tier.vault == vault]
    days += [copy.retention_days for tier in tiers for copy in tier.copies if copy.vault == vault]
    return tuple(sorted(d for d in days if d is not None))


def _lock(section: Section, stored: tuple[int, ...]) -> Lock:
    return Lock(
        mode=LockMode(section.text("mode", LockMode.GOVERNANCE)),
        min_retention_days=section.number("min_retention_days", stored[0] if stored else 1),
        max_retention_days=section.number("max_retention_days", stored[-1] if stored else LIMIT_DAYS),
        changeable_for_days=section.number("changeable_for_days"),
    )
