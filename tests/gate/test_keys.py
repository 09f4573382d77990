"""Our templates with roles that may not use the keys, each in its own way: what fails, and what is said of it."""

from __future__ import annotations

from functools import cache

import pytest
from tests.gate.building import EVERY, LAB_00, Change, judged, ours, replaced, section, spec, text

from backcheck.finding import Finding, Status

PRIMARY = text("primary")
BACKUP_ROLE = section(PRIMARY, "  BackupRole:\n", "  RestoreRole:\n")
RESTORE_ROLE = section(PRIMARY, "  RestoreRole:\n", "  # --- failures reach people")
KEY_POLICY = "          - Sid: IamDecides\n"
ACCOUNT = "!Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:"
TO_ACCOUNT = f"{KEY_POLICY}            Effect: Allow\n            Principal:\n              AWS: {ACCOUNT}"
DENY = f"""\
          - Effect: Deny
            Principal:
              AWS: {ACCOUNT}role/${{Prefix}}-restore
            Action: [kms:CreateGrant, kms:Decrypt, kms:GenerateDataKey]
            Resource: '*'
"""
GRANT = "GrantTheKeysToAws\n                Effect: "
BOTH, BACKS_UP, RESTORES = ("IAM-01", "IAM-02"), ("IAM-01",), ("IAM-02",)
USING = "kms:CreateGrant, kms:Decrypt, kms:GenerateDataKey"
HERE, THERE = "techmoda-vault", "techmoda-vault-dr"
DENIED, NOT_ALLOWED = "its own policies deny it", "none of its policies allows it"


def within(part: str, old: str, new: str) -> Change:
    """A change to one part of a template."""
    return replaced(part, replaced(old, new)(part))


def without(part: str, *sids: str) -> Change:
    """A role without these statements."""
    left = part
    for sid in sids:
        left = replaced(section(left, f"\n              - Sid: {sid}", "\n              - "), "")(left)
    return replaced(part, left)


def denying(part: str, action: str) -> Change:
    """A role with an explicit Deny of an action."""
    first = "              - Sid: UseTheKeys\n"
    return within(part, first, f"              - {{Effect: Deny, Action: {action}, Resource: '*'}}\n{first}")


def told(actions: str, vault: str, why: str) -> str:
    return f"it may not {actions} with the key of vault {vault}: {why}"


def known_as(names: str) -> str:
    return f"{NOT_ALLOWED} (the key's aliases: {names})"


CASES: dict[str, tuple[str, Change, tuple[str, ...], str]] = {
    "another alias in the role's condition": (
        "primary",
        within(BACKUP_ROLE, "- !Sub alias/${Prefix}-vault\n", "- !Sub alias/${Prefix}-tresor\n"),
        BACKS_UP,
        told("kms:Decrypt, kms:GenerateDataKey", HERE, known_as("alias/techmoda-vault")),
    ),
    "the alias renamed": (
        "primary",
        replaced("AliasName: !Sub alias/${Prefix}-vault", "AliasName: !Sub alias/${Prefix}-tresor"),
        BOTH,
        told(USING, HERE, known_as("alias/techmoda-tresor")),
    ),
    "the DR region's alias renamed": (
        "dr",
        replaced("AliasName: !Sub alias/${Prefix}-vault-dr", "AliasName: !Sub alias/${Prefix}-tresor-dr"),
        BOTH,
        told(USING, THERE, known_as("alias/techmoda-tresor-dr")),
    ),
    "the alias of another key": (
        "primary",
        replaced("TargetKeyId: !Ref VaultKey", "TargetKeyId: !Ref AlertKey"),
        BOTH,
        told(USING, HERE, known_as("none")),
    ),
    "a key that leaves nothing to IAM": (
        "primary",
        replaced(f"{TO_ACCOUNT}root", f"{TO_ACCOUNT}role/administrator"),
        BOTH,
        told(USING, HERE, "the key's policy neither allows it nor leaves it to IAM"),
    ),
    "a key that denies the restore role": (
        "dr",
        replaced(KEY_POLICY, f"{DENY}{KEY_POLICY}"),
        RESTORES,
        told(USING, THERE, "the key's policy denies it"),
    ),
    "GrantTheKeysToAws denies the backup role": (
        "primary",
        within(BACKUP_ROLE, f"{GRANT}Allow", f"{GRANT}Deny"),
        BACKS_UP,
        told("kms:CreateGrant", HERE, DENIED),
    ),
    "GrantTheKeysToAws denies the restore role": (
        "primary",
        within(RESTORE_ROLE, f"{GRANT}Allow", f"{GRANT}Deny"),
        RESTORES,
        told("kms:CreateGrant", THERE, DENIED),
    ),
    "the backup role is denied data keys": (
        "primary",
        denying(BACKUP_ROLE, "kms:GenerateDataKey*"),
        BACKS_UP,
        told("kms:GenerateDataKey", HERE, DENIED),
    ),
    "the restore role is denied to decrypt": (
        "primary",
        denying(RESTORE_ROLE, "kms:Decrypt"),
        RESTORES,
        told("kms:Decrypt", THERE, DENIED),
    ),
    "grants that are not for AWS": (
        "primary",
        within(BACKUP_ROLE, 'kms:GrantIsForAWSResource: "true"', 'kms:GrantIsForAWSResource: "false"'),
        BACKS_UP,
        told("kms:CreateGrant", HERE, NOT_ALLOWED),
    ),
    "a backup role without keys": (
        "primary",
        without(BACKUP_ROLE, "UseTheKeys", "GrantTheKeysToAws"),
        BACKS_UP,
        told(USING, HERE, NOT_ALLOWED),
    ),
    "a restore role without keys": (
        "primary",
        without(RESTORE_ROLE, "UseTheKeys", "GrantTheKeysToAws"),
        RESTORES,
        told(USING, THERE, NOT_ALLOWED),
    ),
}
"""The template, the change to it, the controls that fail, and what each says."""


@cache
def _green() -> frozenset[tuple[str, str, str]]:
    found = judged(*ours(names=EVERY)).run.findings
    return frozenset(one.key for one in found if one.status is Status.PASS)


def _turned(changed: str, change: Change) -> dict[str, Finding]:
    found = judged(*ours(changed, change, EVERY)).run.findings
    return {one.control: one for one in found if one.key in _green() and one.status is not Status.PASS}


@pytest.mark.parametrize("case", CASES)
def test_a_role_that_may_not_use_a_key_fails_and_why_is_said(case: str) -> None:
    changed, change, controls, said = CASES[case]
    turned = _turned(changed, change)
    assert turned.keys() == set(controls)
    for one in turned.values():
        assert one.status is Status.FAIL
        assert one.message.startswith("role techmoda-")
        assert said in one.message


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:CreateGrant", "kms:GenerateDataKey"])
def test_the_labs_role_is_denied_a_key(action: str) -> None:
    """Its vault is under AWS's own key, which lets the account in: a Deny of the role's own counts there too."""
    document = f"{{Version: '2012-10-17', Statement: [{{Effect: Deny, Action: '{action}', Resource: '*'}}]}}"
    policies = f"      Policies: [{{PolicyName: no-keys, PolicyDocument: {document}}}]\n"
    lab = replaced("      ManagedPolicyArns:\n", f"{policies}      ManagedPolicyArns:\n")(LAB_00.read_text())
    found = judged(spec(lab, file="lab.yaml")).run.findings
    [failed] = [one for one in found if one.control == "IAM-01" and one.status is Status.FAIL]
    assert told(action, HERE, DENIED) in failed.message
    assert failed.location is not None
    assert failed.location.file == "lab.yaml"


def test_a_copying_role_that_may_not_see_aws_backups_own_key_is_noted() -> None:
    change = without(BACKUP_ROLE, "SeeAwsBackupsOwnKey")
    found = {one.control: one for one in judged(*ours("primary", change, EVERY)).run.findings}
    assert found["IAM-01"].status is Status.PASS
    assert any("kms:DescribeKey on the key alias/aws/backup" in note for note in found["IAM-01"].notes)
    assert not any("kms:DescribeKey" in note for one in judged(*ours()).run.findings for note in one.notes)
