"""Our templates with roles that may not use the keys, each in its own way: what fails, and what is said of it."""

from __future__ import annotations

from functools import cache

import pytest
from tests.gate.building import EVERY, LAB_00, Change, judged, ours, replaced, section, spec, text

from backcheck.finding import Finding, Status

PRIMARY, DR = text("primary"), text("dr")
BACKUP_ROLE = section(PRIMARY, "  BackupRole:\n", "  RestoreRole:\n")
RESTORE_ROLE = section(PRIMARY, "  RestoreRole:\n", "  # --- failures reach people")
DR_ROLE = section(DR, "  RestoreRole:\n", "  # --- failures reach people")
KEY_POLICY = "          - Sid: IamDecides\n"
ACCOUNT = "!Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:"
TO_ACCOUNT = f"{KEY_POLICY}            Effect: Allow\n            Principal:\n              AWS: {ACCOUNT}"
DENY = f"""\
          - Effect: Deny
            Principal:
              AWS: {ACCOUNT}role/${{Prefix}}-restore-dr
            Action: [kms:CreateGrant, kms:Decrypt, kms:GenerateDataKey]
            Resource: '*'
"""
GRANTS, GRANT = (f"GrantTheKey{s}ToAws\n                Effect: " for s in ("s", ""))
BACKS_UP, RESTORES, RESTORES_THERE = (
    {("IAM-01", "techmoda-backup")},
    {("IAM-02", "techmoda-restore")},
    {("IAM-02", "techmoda-restore-dr")},
)
SERVICE = "Service: backup.amazonaws.com"
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
    first = next(f"{line}\n" for line in part.splitlines() if line.lstrip().startswith("- Sid: UseTheKey"))
    return within(part, first, f"              - {{Effect: Deny, Action: {action}, Resource: '*'}}\n{first}")


def told(actions: str, vault: str, why: str) -> str:
    return f"it may not {actions} with the key of vault {vault}: {why}"


def known_as(names: str) -> str:
    return f"{NOT_ALLOWED} (the key's aliases: {names})"


CASES: dict[str, tuple[str, Change, set[tuple[str, str]], str]] = {
    "another alias in the role's condition": (
        "primary",
        within(BACKUP_ROLE, "- !Sub alias/${Prefix}-vault\n", "- !Sub alias/${Prefix}-tresor\n"),
        BACKS_UP,
        told("kms:Decrypt, kms:GenerateDataKey", HERE, known_as("alias/techmoda-vault")),
    ),
    "the alias renamed": (
        "primary",
        replaced("AliasName: !Sub alias/${Prefix}-vault", "AliasName: !Sub alias/${Prefix}-tresor"),
        BACKS_UP,
        told(USING, HERE, known_as("alias/techmoda-tresor")),
    ),
    "the DR region's alias renamed": (
        "dr",
        replaced("AliasName: !Sub alias/${Prefix}-vault-dr", "AliasName: !Sub alias/${Prefix}-tresor-dr"),
        BACKS_UP,
        told(USING, THERE, known_as("alias/techmoda-tresor-dr")),
    ),
    "the alias of another key": (
        "primary",
        replaced("TargetKeyId: !Ref VaultKey", "TargetKeyId: !Ref AlertKey"),
        BACKS_UP,
        told(USING, HERE, known_as("none")),
    ),
    "a key that leaves nothing to IAM": (
        "primary",
        replaced(f"{TO_ACCOUNT}root", f"{TO_ACCOUNT}role/administrator"),
        BACKS_UP | RESTORES,
        told(USING, HERE, "the key's policy neither allows it nor leaves it to IAM"),
    ),
    "the DR region's key leaves nothing to IAM": (
        "dr",
        replaced(f"{TO_ACCOUNT}root", f"{TO_ACCOUNT}role/administrator"),
        BACKS_UP | RESTORES_THERE,
        told(USING, THERE, "the key's policy neither allows it nor leaves it to IAM"),
    ),
    "a key that denies the restore role": (
        "dr",
        replaced(KEY_POLICY, f"{DENY}{KEY_POLICY}"),
        RESTORES_THERE,
        told(USING, THERE, "the key's policy denies it"),
    ),
    "GrantTheKeysToAws denies the backup role": (
        "primary",
        within(BACKUP_ROLE, f"{GRANTS}Allow", f"{GRANTS}Deny"),
        BACKS_UP,
        told("kms:CreateGrant", HERE, DENIED),
    ),
    "GrantTheKeyToAws denies the restore role": (
        "primary",
        within(RESTORE_ROLE, f"{GRANT}Allow", f"{GRANT}Deny"),
        RESTORES,
        told("kms:CreateGrant", HERE, DENIED),
    ),
    "GrantTheKeyToAws denies the DR region's restore role": (
        "dr",
        within(DR_ROLE, f"{GRANT}Allow", f"{GRANT}Deny"),
        RESTORES_THERE,
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
        told("kms:Decrypt", HERE, DENIED),
    ),
    "the DR region's restore role is denied to decrypt": (
        "dr",
        denying(DR_ROLE, "kms:Decrypt"),
        RESTORES_THERE,
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
        without(RESTORE_ROLE, "UseTheKey", "GrantTheKeyToAws"),
        RESTORES,
        told(USING, HERE, NOT_ALLOWED),
    ),
    "a restore role of the DR region with another key": (
        "dr",
        replaced(DR_ROLE, DR_ROLE.replace("!GetAtt VaultKey.Arn", "!GetAtt AlertKey.Arn")),
        RESTORES_THERE,
        told(USING, THERE, NOT_ALLOWED),
    ),
    "a restore role of the DR region that trusts another service": (
        "dr",
        within(DR_ROLE, SERVICE, "Service: lambda.amazonaws.com"),
        RESTORES_THERE,
        "it does not trust backup.amazonaws.com",
    ),
    "a restore role of the DR region that may restore nothing": (
        "dr",
        without(DR_ROLE, "FromThisTablesBackups"),
        RESTORES_THERE,
        "it may not dynamodb:RestoreTableFromAwsBackup on arn:aws:dynamodb:us-east-1:",
    ),
    "the drill role may pass the backup role and not the DR region's": (
        "drill",
        replaced("role/${Prefix}-restore-dr", "role/${Prefix}-backup"),
        RESTORES | RESTORES_THERE,
        "techmoda-drill may ",
    ),
}
"""The template, the change to it, the roles that fail and by which control, and what each says."""


@cache
def _green() -> frozenset[tuple[str, str, str]]:
    found = judged(*ours(names=EVERY)).run.findings
    return frozenset(one.key for one in found if one.status is Status.PASS)


def _turned(changed: str, change: Change) -> dict[tuple[str, str], Finding]:
    found = judged(*ours(changed, change, EVERY)).run.findings
    turned = [one for one in found if one.key in _green() and one.status is not Status.PASS]
    return {(one.control, one.resource.rpartition("/")[2]): one for one in turned}


@pytest.mark.parametrize("case", CASES)
def test_a_role_that_may_not_use_a_key_fails_and_why_is_said(case: str) -> None:
    changed, change, roles, said = CASES[case]
    turned = _turned(changed, change)
    assert turned.keys() == roles
    for (_, name), one in turned.items():
        assert one.status is Status.FAIL
        assert one.message.startswith(f"role {name}: ")
        assert said in one.message


def test_without_the_dr_regions_role_nobody_knows_whether_copies_come_back() -> None:
    """A stack that the gate was not given may have it."""
    named = "RoleName: !Sub ${Prefix}-restore-dr"
    turned = _turned("dr", replaced(named, named.replace("-dr", "-there")))
    assert {control for control, _ in turned} == {"DR-05", "IAM-02"}
    for one in turned.values():
        assert one.status is Status.UNKNOWN
        assert "no template that was given has the role techmoda-restore-dr" in one.message


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
