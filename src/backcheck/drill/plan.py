"""The plan of a drill: every table it would make, from what, at what cost. Pure; `run` does this and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backcheck.controls.roles import role_arn
from backcheck.controls.subjects import covers
from backcheck.drill.cost import Prices, estimate
from backcheck.errors import UsageError
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, PitrStatus, RegionInventory, Table
from backcheck.policy.model import CHECKS, Drill, Method, Policy, TableScope

RUN_TAG = "backcheck:drill"
"""On every table that a drill makes; the drill role may delete only what carries it (templates/drill.yaml)."""
POLICY_TAG = "backcheck:policy"
EXPIRES_TAG = "backcheck:expires"

NAME_AT_MOST = 255
"""Of a table (API_RestoreTableToPointInTime, TargetTableName)."""

CUSTOMER_KEY = "KMS"
AWS_OWNED_KEY = "Default"
"""encryptionType of a restore job; always said, since two pages differ on its default (restoring-dynamodb)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The two items that the drill writes into the source table and takes away again."""

    role_arn: str
    """Who writes them."""
    key_stem: str
    """How their partition keys begin: the policy's prefix and the run."""

    def key_value(self, half: str) -> str:
        """The partition key of the one before T, or after it."""
        return f"{self.key_stem}-{half}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """One table that the drill makes, and from what."""

    method: Method
    source: Table
    """As the inventory saw it."""
    account: str
    region: str
    """Where it is restored."""
    target: str
    """The new table's name."""
    at: datetime | None
    """The state that is to come back; None: the latest restorable time once the source was read a first time."""
    recovery_point_arn: str | None
    role_arn: str | None
    """What AWS Backup restores as."""
    encryption: str
    key_arn: str | None
    cost_usd: float
    tags: Mapping[str, str]
    checks: tuple[str, ...] = CHECKS
    """What it must show to have passed: Drill.checks."""
    rto_minutes: int | None = None
    """Objective of this way of recovery."""
    canary: Canary | None = None
    """None: the policy has none, or the way is from a recovery point, whose T is past."""
    notes: tuple[str, ...] = ()

    @property
    def target_arn(self) -> str:
        """The new table's ARN."""
        partition = self.source.arn.split(":")[1]
        return f"arn:{partition}:dynamodb:{self.region}:{self.account}:table/{self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """A restore that the policy wants and the account does not allow, or about which too little is known."""

    method: Method
    resource: str
    text: str
    known: bool
    """False: a call did not answer, so it is not known whether the way exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPlan:
    """Everything that a drill will do."""

    run_id: str
    policy: str
    """The policy's name."""
    made_at: datetime
    restores: tuple[Restore, ...]
    obstacles: tuple[Obstacle, ...]
    witness_bucket: str | None
    """Where the source is exported to as of T; None: the source is scanned before and after instead."""
    ceiling_usd: float

    @property
    def cost_usd(self) -> float:
        """What all of it costs at most."""
        return round(sum(one.cost_usd for one in self.restores), 2)

    @property
    def too_dear(self) -> bool:
        """Whether it costs more than the policy lets a drill cost: then it is not begun."""
        return self.cost_usd > self.ceiling_usd


def plan(
    policy: Policy,
    inventory: Inventory,
    *,
    now: datetime,
    suffix: str,
    methods: tuple[Method, ...] = (),
    target: str | None = None,
    witness_bucket: str | None = None,
    prices: Prices | None = None,
) -> DrillPlan:
    """What to restore. `suffix` makes the run's id unique; `methods` and `target` (key, name or ARN) narrow it.

    Raises UsageError where the policy wants no drill, none of this method, or none of this table.
    """
    drill = policy.drill
    if drill is None:
        raise UsageError("the policy has no drill section", where=policy.source.file, hint="add one: policy lint helps")
    wanted = methods or drill.methods
    if odd := [method for method in wanted if method not in drill.methods]:
        raise UsageError(f"the policy wants no drill by {odd[0]}", hint=f"it has {', '.join(drill.methods)}")
    planner = _Planner(
        policy=policy,
        drill=drill,
        inventory=inventory,
        run_id=f"{now.astimezone(UTC):%Y%m%dt%H%M%Sz}-{suffix}",
        now=now,
        exported=witness_bucket is not None,
        prices=prices or Prices(),
    )
    found = list(planner.everything(wanted, target))
    return DrillPlan(
        run_id=planner.run_id,
        policy=policy.name,
        made_at=now,
        restores=tuple(one for one in found if isinstance(one, Restore)),
        obstacles=tuple(one for one in found if isinstance(one, Obstacle)),
        witness_bucket=witness_bucket,
        ceiling_usd=drill.cost_ceiling_usd,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planner:
    policy: Policy
    drill: Drill
    inventory: Inventory
    run_id: str
    now: datetime
    exported: bool
    prices: Prices

    def everything(self, methods: tuple[Method, ...], target: str | None) -> Iterator[Restore | Obstacle]:
        matched = False
        for key in self.drill.tables:
            scope = next((one for one in self.policy.tables if one.key == key), None)
            if scope is None:
                raise UsageError(f"the policy has no tables {key}", hint="see POL-08")
            for table in self._tables(scope):
                if isinstance(table, Gap):
                    matched = True
                    yield from (self._unread(method, table) for method in methods)
                elif target in (None, key, table.name, table.arn):
                    matched = True
                    yield from (self._one(method, table) for method in methods)
        if not matched:
            what = f"the policy drills no table {target}" if target else "no table of the account is to be drilled"
            raise UsageError(what, hint=f"the policy drills {', '.join(self.drill.tables)}")

    def _tables(self, scope: TableScope) -> Iterator[Table | Gap]:
        account = self.policy.account(scope.account)
        region = self.inventory.region(account.id, self.policy.regions[scope.region]) if account else None
        for table in region.tables if region else ():
            if isinstance(table, Gap) or (covers(scope, table) and not table.name.startswith(self.drill.name_prefix)):
                yield table

    def _unread(self, method: Method, gap: Gap) -> Obstacle:
        return Obstacle(method=method, resource=gap.resource, text=f"could not be read: {gap}", known=False)

    def _one(self, method: Method, table: Table) -> Restore | Obstacle:
        return self._by_pitr(table) if method is Method.PITR else self._by_point(method, table)

    def _by_pitr(self, table: Table) -> Restore | Obstacle:
        obstacle = _obstacle(Method.PITR, table)
        pitr = table.pitr
        if isinstance(pitr, Gap):
            return obstacle(f"could not be read: {pitr}", known=False)
        if not pitr.enabled or pitr.latest is None:
            return obstacle("point-in-time recovery is off")
        if table.size_bytes is None:
            return obstacle("its size is not known, so neither is what a restore costs", known=False)
        # With a canary T comes after it is written: it is chosen when the drill is under way.
        at = _export_time(pitr) if self.exported and self.drill.canary is None else None
        encryption, key = _encryption(table)
        return self._restore(Method.PITR, table, table.account, table.region, at=at, encryption=encryption, key_arn=key)

    def _by_point(self, method: Method, table: Table) -> Restore | Obstacle:
        obstacle = _obstacle(method, table)
        if self._role(method) is None:
            return obstacle("the policy names no restore role (roles.restore)")
        found = list(self._points(method, table))
        points = [one for one in found if isinstance(one, RecoveryPoint)]
        gaps = [one for one in found if isinstance(one, Gap)]
        if not points and gaps:
            return obstacle(f"could not be read: {gaps[0]}", known=False)
        if not points:
            return obstacle("there is no usable recovery point")
        point = max(points, key=lambda one: one.created)
        at, notes = self._state_of(point)
        encryption, key = _encryption(table) if method is Method.BACKUP else self._elsewhere(table, point)
        return self._restore(
            method,
            table,
            point.account,
            point.region,
            at=at,
            point=point,
            encryption=encryption,
            key_arn=key,
            notes=notes,
        )

    def _role(self, method: Method) -> str | None:
        roles = self.policy.roles
        return roles.restore_away if method is Method.DR_COPY else roles.restore

    def _points(self, method: Method, table: Table) -> Iterator[RecoveryPoint | Gap]:
        """Usable points of this very table in the policy's vaults: at home for `backup`, away for `dr-copy`."""
        for region in self.inventory.regions():
            at_home = (region.account, region.region) == (table.account, table.region)
            if at_home is not (method is Method.BACKUP):
                continue
            if isinstance(region.vaults, Gap):
                yield region.vaults
                continue
            ours = self._vault_names(region)
            for vault in region.vaults:
                if vault.name not in ours:
                    continue
                if isinstance(vault.recovery_points, Gap):
                    yield vault.recovery_points
                    continue
                yield from (one for one in vault.recovery_points if _is_of(one, table))

    def _vault_names(self, region: RegionInventory) -> set[str]:
        accounts = {account.key for account in self.policy.accounts if account.id == region.account}
        return {
            vault.name
            for vault in self.policy.vaults
            if vault.account in accounts and self.policy.region_of(vault) == region.region
        }

    def _state_of(self, point: RecoveryPoint) -> tuple[datetime, tuple[str, ...]]:
        """The time of the state that a point holds. A copy was made later than the point that it is a copy of."""
        if point.source_vault_arn is None:
            return point.created, ()
        original = self._original(point)
        if original is not None:
            return original.created, ()
        return point.created, ("the point that this is a copy of is not listed any more: T is when the copy was made",)

    def _original(self, copy: RecoveryPoint) -> RecoveryPoint | None:
        for region in self.inventory.regions():
            for job in () if isinstance(region.copy_jobs, Gap) else region.copy_jobs:
                if job.destination_recovery_point_arn == copy.arn:
                    source = job.source_recovery_point_arn
                    return next((one for one in self.inventory.recovery_points() if one.arn == source), None)
        return None

    def _elsewhere(self, table: Table, point: RecoveryPoint) -> tuple[str, str | None]:
        """A key works in its own region only: where the source has a customer's, the vault's is taken there."""
        if table.encryption_key_arn is None:
            return AWS_OWNED_KEY, None
        region = self.inventory.region(point.account, point.region)
        vaults = () if region is None or isinstance(region.vaults, Gap) else region.vaults
        key = next((vault.key_arn for vault in vaults if vault.name == point.vault_name), None)
        return (CUSTOMER_KEY, key) if key else (AWS_OWNED_KEY, None)

    def _restore(
        self,
        method: Method,
        table: Table,
        account: str,
        region: str,
        *,
        at: datetime | None,
        encryption: str,
        key_arn: str | None,
        point: RecoveryPoint | None = None,
        notes: tuple[str, ...] = (),
    ) -> Restore | Obstacle:
        target = self._name(method, table)
        place = self.inventory.region(account, region)
        if place is not None and not isinstance(place.table_names, Gap) and target in place.table_names:
            return _obstacle(method, table)(f"there is a table {target} already: a drill never touches one")
        sizes = [size for size in (table.size_bytes, point.size_bytes if point else None) if size is not None]
        if not sizes:
            return _obstacle(method, table)("its size is not known, so neither is what a restore costs", known=False)
        hours = self.drill.cleanup_after_hours
        cold = point is not None and point.storage_class == "COLD"
        partition = table.arn.split(":")[1]
        return Restore(
            method=method,
            source=table,
            account=account,
            region=region,
            target=target,
            at=at,
            recovery_point_arn=point.arn if point else None,
            role_arn=role_arn(self._role(method) or "", account, partition, self.inventory) if point else None,
            encryption=encryption,
            key_arn=key_arn,
            cost_usd=estimate(max(sizes), hours=hours, cold=cold, exported=self.exported, prices=self.prices),
            checks=self.drill.checks,
            rto_minutes=_rto_minutes(self.policy, method),
            canary=self._canary(table) if method is Method.PITR else None,
            tags={
                RUN_TAG: self.run_id,
                POLICY_TAG: self.policy.name,
                EXPIRES_TAG: (self.now + timedelta(hours=hours)).isoformat(timespec="seconds"),
            },
            notes=(*notes, *(("the point is in cold storage",) if cold else ())),
        )

    def _canary(self, table: Table) -> Canary | None:
        canary = self.drill.canary
        if canary is None:
            return None
        partition = table.arn.split(":")[1]
        return Canary(
            role_arn=f"arn:{partition}:iam::{table.account}:role/{canary.role}",
            key_stem=f"{canary.key_prefix}{self.run_id}",
        )

    def _name(self, method: Method, table: Table) -> str:
        """Prefix, run, method, table; a name that is cut off ends with a digest of the ARN, so no two are the same."""
        name = f"{self.drill.name_prefix}{self.run_id}-{method}-{table.name}"
        if len(name) <= NAME_AT_MOST:
            return name
        mark = hashlib.sha256(table.arn.encode()).hexdigest()[:12]
        return f"{name[: NAME_AT_MOST - 13]}-{mark}"


def _rto_minutes(policy: Policy, method: Method) -> int | None:
    rto = policy.objectives.rto
    return {Method.PITR: rto.pitr_minutes, Method.BACKUP: rto.backup_minutes, Method.DR_COPY: rto.dr_minutes}[method]


def _obstacle(method: Method, table: Table) -> Callable[..., Obstacle]:
    def made(text: str, *, known: bool = True) -> Obstacle:
        return Obstacle(method=method, resource=table.arn, text=text, known=known)

    return made


def _export_time(pitr: PitrStatus) -> datetime | None:
    """The latest whole second that can be both exported and restored, with a minute on its far side to explain with."""
    if pitr.latest is None:
        return None
    at = pitr.latest.replace(microsecond=0) - timedelta(seconds=60)
    return at if pitr.earliest is None or at >= pitr.earliest else pitr.latest.replace(microsecond=0)


def _is_of(point: RecoveryPoint, table: Table) -> bool:
    """A point from before the table was made is of an earlier table of this name."""
    return point.resource_arn == table.arn and point.usable and point.created >= table.created


def _encryption(table: Table) -> tuple[str, str | None]:
    return (CUSTOMER_KEY, table.encryption_key_arn) if table.encryption_key_arn else (AWS_OWNED_KEY, None)
