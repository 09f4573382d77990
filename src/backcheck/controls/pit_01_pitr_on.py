"""PIT-01: point-in-time recovery is on."""

from collections.abc import Iterator
from typing import Any

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, expect, not_applicable, unread
from backcheck.controls.moments import few
from backcheck.controls.service_roles import as_named
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.controls.table_policy import RESTORING, open_question
from backcheck.controls.table_policy import denied as denied_by
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Statement
from backcheck.inventory.model import Table

AT = "DescribeContinuousBackups.PointInTimeRecoveryStatus"


def _restores_denied(**changes: Any) -> Statement:
    return examples.allow(RESTORING, effect="Deny", principals=(("AWS", "*"),), **changes)


@control(
    id="PIT-01",
    title="Point-in-time recovery is on",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=tables_in_scope,
    in_template={
        cfn.TABLE: ("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",),
        cfn.GLOBAL_TABLE: ("/Replicas",),
    },
    why="Without it a bad deployment costs everything since the last nightly backup.",
    remedy=(
        "aws dynamodb update-continuous-backups --table-name TABLE "
        "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true,RecoveryPeriodInDays=35"
    ),
    sources=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html",
    ),
    maps_to=(
        "NIST-800-53r5:CP-9",
        "SOC2:A1.2",
        "CIS-8.1:11.2",
    ),
    passes={"on": examples.world},
    fails={
        "off in a replica": lambda: examples.world(
            primary={"tables": (examples.table(replica_regions=(examples.THERE,)),)},
            dr={
                "tables": (
                    examples.table(
                        arn=examples.TABLE_ARN.replace(examples.HERE, examples.THERE),
                        region=examples.THERE,
                        pitr=examples.pitr(enabled=False),
                    ),
                ),
                "table_names": ("orders",),
            },
        ),
        "restores denied by the table's policy": lambda: examples.world(
            primary={"tables": (examples.table(policy=examples.document(_restores_denied())),)}
        ),
        "off": lambda: examples.world(primary={"tables": (examples.table(pitr=examples.pitr(enabled=False)),)}),
    },
    unknown={
        "restores denied under a condition": lambda: examples.world(
            primary={
                "tables": (
                    examples.table(
                        policy=examples.document(
                            _restores_denied(conditions=(("StringNotEquals", "aws:SourceVpc", ("vpc-1",)),))
                        )
                    ),
                )
            }
        ),
        "a replica that was not looked at": lambda: examples.world(
            primary={"tables": (examples.table(replica_regions=("eu-west-3",)),)}
        ),
        "throttled": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.gap("DescribeContinuousBackups", "ThrottlingException")),)}
        ),
    },
)
def pitr_is_on(subject: ScopedTable, world: World) -> Verdict:
    """PointInTimeRecoveryStatus is ENABLED; ContinuousBackupsStatus always is, and says nothing."""
    if not world.policy.pitr_of(subject.scope).enabled:
        return not_applicable("the policy does not ask for point-in-time recovery here")
    known = [subject.table, *_replicas(subject, world)]
    tables = [one for one in known if isinstance(one, Table)]
    off = [table for table in tables if not isinstance(table.pitr, Gap) and not table.pitr.enabled]
    gaps = [one for table in known if isinstance(one := table.pitr if isinstance(table, Table) else table, Gap)]
    denied = _denied(subject, world)
    if gaps and not off and denied is not True:
        return unread(gaps[0], resource=subject.resource)
    if isinstance(denied, Gap) and not off:
        return unread(denied, resource=subject.resource)
    name = subject.table.name
    message = f"{name} can be restored to any second of its window"
    if off:
        where = few([table.region for table in off])
        message = f"{name} cannot be restored to a point in time in {where}: switch recovery on, it starts from now"
    elif denied is True:
        message = f"{name} cannot be restored to a point in time: its own policy denies {RESTORING}"
    return expect(
        "DISABLED" if off else "denied by its policy" if denied is True else "ENABLED",
        equals="ENABLED",
        at=AT,
        message=message,
    )


def _denied(subject: ScopedTable, world: World) -> bool | Gap:
    """Whether the table's own policy keeps whoever drills from restoring it."""
    table = subject.table
    if table.policy is None or isinstance(table.policy, Gap):
        return table.policy or False
    role = as_named(world.policy.roles.drill or "whoever", table.account, world).resource
    found = denied_by(table.policy, table, role, (RESTORING,))
    return found if found is not None else open_question(table, f"its policy may deny {RESTORING} to {role}")


def _replicas(subject: ScopedTable, world: World) -> Iterator[Table | Gap]:
    """A global table's replicas, each of which has its own setting; a Gap for one that was not looked at."""
    for where in subject.table.replica_regions:
        region = world.index.regions.get((subject.table.account, where))
        tables = () if region is None else region.tables
        found = (one for one in tables if isinstance(one, Table) and one.name == subject.table.name)
        yield next(found, _not_looked_at(subject, where))


def _not_looked_at(subject: ScopedTable, where: str) -> Gap:
    return Gap(
        service="dynamodb",
        operation="DescribeContinuousBackups",
        region=where,
        account=subject.table.account,
        code="NotLookedAt",
        detail=f"its replica in {where} was not looked at: add --region {where}",
        resource=subject.table.name,
    )
