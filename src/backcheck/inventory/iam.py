"""Roles, keys and policies, as far as backups depend on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from backcheck.inventory.gap import Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of an IAM policy; every field that may be one string or a list is a tuple here."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    """(type, value) such as (`Service`, `backup.amazonaws.com`) or (`AWS`, `*`)."""
    not_principals: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    """(operator, key, values)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """A parsed IAM policy."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPolicy:
    """A policy attached to a role or written inside it."""

    name: str
    arn: str | None
    """None: inline."""
    document: PolicyDocument | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """An IAM role that the policy names or a selection uses."""

    name: str
    arn: str
    account: str
    created: datetime | None
    trust: PolicyDocument | Gap
    policies: tuple[NamedPolicy, ...] | Gap
    boundary_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What SimulatePrincipalPolicy said."""

    principal_arn: str
    action: str
    resource: str
    decision: str
    """allowed, explicitDeny or implicitDeny."""


SYMMETRIC = "SYMMETRIC_DEFAULT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A KMS key that a vault, a table or a recovery point uses."""

    arn: str
    region: str
    account: str
    manager: str
    """CUSTOMER or AWS."""
    state: str
    deletion_date: datetime | None
    multi_region: bool
    rotation: bool | Gap
    policy: PolicyDocument | Gap | None
    aliases: tuple[str, ...] | Gap
    """Names such as `alias/orders`, sorted: a role's rights may hang on them (kms:ResourceAliases)."""
    spec: str = SYMMETRIC
    deletion_policy: str | None = None
    """DeletionPolicy, of a template only; None: not written."""
    replace_policy: str | None = None
    """UpdateReplacePolicy, of a template only; None: not written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A confirmed subscription to an SNS topic."""

    arn: str
    protocol: str
    endpoint: str
    """The ARN of a queue, function or stream; empty for the addresses of people, which are nobody's business."""
    filter_policy: str | Gap | None
    """JSON; None: every message is delivered."""
    filters_body: bool
    """FilterPolicyScope: the filter is on the message's body; else on its attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """An SNS topic that failures go to."""

    arn: str
    region: str
    fifo: bool
    key_id: str | None
    policy: PolicyDocument | None
    subscriptions: tuple[Subscription, ...] | Gap
    """Those that are confirmed: whose ARN is not 'PendingConfirmation'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom the audit runs as."""

    arn: str
    account: str


Tags = Mapping[str, str]
