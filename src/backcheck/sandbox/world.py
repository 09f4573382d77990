"""Everything that exists in the sandbox, by account and Region. Plain state; the rules live beside each idea."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from backcheck.sandbox.clock import Clock
from backcheck.sandbox.faults import Faults

if TYPE_CHECKING:
    from backcheck.sandbox.cloudformation_stacks import Stack
    from backcheck.sandbox.continuous import Continuous
    from backcheck.sandbox.copies import CopyJob
    from backcheck.sandbox.exports import Export
    from backcheck.sandbox.history import History
    from backcheck.sandbox.holds import LegalHold
    from backcheck.sandbox.jobs import BackupJob
    from backcheck.sandbox.plans import Plan
    from backcheck.sandbox.points import RecoveryPoint
    from backcheck.sandbox.restore_jobs import RestoreJob
    from backcheck.sandbox.restore_testing import RestoreTestingPlan
    from backcheck.sandbox.restored import Restored
    from backcheck.sandbox.trail import TrailEvent
    from backcheck.sandbox.vaults import Vault


def partition_of(region: str) -> str:
    """The partition that a Region's name belongs to."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


@dataclass(slots=True, kw_only=True)
class Region:
    """AWS Backup's state, and what the sandbox adds to DynamoDB's, in one Region of one account."""

    account: str
    name: str
    vaults: dict[str, Vault] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    backup_jobs: dict[str, BackupJob] = field(default_factory=dict)
    copy_jobs: dict[str, CopyJob] = field(default_factory=dict)
    restore_jobs: dict[str, RestoreJob] = field(default_factory=dict)
    points: dict[str, RecoveryPoint] = field(default_factory=dict)
    """By ARN, every vault of the Region."""
    protected: dict[str, RecoveryPoint] = field(default_factory=dict)
    """By resource ARN, the newest recovery point ever made: it stays listed when the point is gone."""
    restore_testing: dict[str, RestoreTestingPlan] = field(default_factory=dict)
    holds: dict[str, LegalHold] = field(default_factory=dict)
    opt_in: dict[str, bool] = field(default_factory=dict)
    management: dict[str, bool] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    continuous: dict[str, Continuous] = field(default_factory=dict)
    """Point-in-time recovery, by table id."""
    histories: dict[str, History] = field(default_factory=dict)
    """What it remembers, by table id: of the tables that have it on."""
    restored: dict[str, Restored] = field(default_factory=dict)
    """Where the tables that a restore has made come from, by table id."""
    exports: dict[str, Export] = field(default_factory=dict)
    """Exports to S3, by ARN."""
    counts: dict[str, tuple[datetime, int, int]] = field(default_factory=dict)
    """When a table's items were last counted, how many there were, and how many bytes; by table id."""
    trail: list[TrailEvent] = field(default_factory=list)
    stacks: dict[str, Stack] = field(default_factory=dict)
    """CloudFormation's stacks by id."""
    drift_detections: dict[str, str] = field(default_factory=dict)
    """CloudFormation's drift detections: detection id to stack name."""

    def arn(self, service: str, rest: str) -> str:
        """`arn:<partition>:<service>:<region>:<account>:<rest>`."""
        return f"arn:{partition_of(self.name)}:{service}:{self.name}:{self.account}:{rest}"


@dataclass(slots=True, kw_only=True)
class GlobalSettings:
    """What UpdateGlobalSettings sets, for an organisation."""

    values: dict[str, str]
    updated: datetime


class World:
    """All accounts and Regions, one clock, one lock, one source of chance."""

    def __init__(self, *, account: str, start: datetime, seed: int) -> None:
        """`account` is the one that a caller without credentials of ours is taken to be in."""
        self.account = account
        self.seed = seed
        self.lock = threading.RLock()
        self.clock = Clock(start, self.lock)
        self.faults = Faults()
        self.organization: frozenset[str] = frozenset()
        """Accounts of one organisation; empty: none of them is in one."""
        self.global_settings: GlobalSettings | None = None
        self._random = random.Random(seed)  # noqa: S311  names and delays, not secrets
        self._regions: dict[tuple[str, str], Region] = {}

    def region(self, account: str, name: str) -> Region:
        """One Region of one account, empty when first asked for."""
        key = (account, name)
        if key not in self._regions:
            self._regions[key] = Region(account=account, name=name)
            from backcheck.sandbox.region_settings import set_defaults

            set_defaults(self._regions[key])
        return self._regions[key]

    def regions(self) -> Iterator[Region]:
        """Every Region that was ever asked for."""
        return iter(tuple(self._regions.values()))

    def new_id(self) -> str:
        """A UUID, the same in every run of one seed."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def chance(self, *about: str) -> random.Random:
        """Chance that depends on the seed and on what it is about, not on the order of calls."""
        return random.Random("/".join((str(self.seed), *about)))  # noqa: S311
