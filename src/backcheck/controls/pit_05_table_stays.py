"""PIT-05: the table cannot vanish."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, expect, unknown, unread, verdict
from backcheck.controls.keys import find_key
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.controls.table_policy import DELETING, admits_strangers
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import PolicyDocument
from backcheck.inventory.model import Table
from backcheck.policy.model import KeyKind

STANDING = frozenset({"ACTIVE", "UPDATING", "CREATING"})
"""Of TableStatus; the others are DELETING, ARCHIVING, ARCHIVED and INACCESSIBLE_ENCRYPTION_CREDENTIALS."""

RETAINING = frozenset({"Retain", "RetainExceptOnCreate"})
"""The second lets go only in the operation that creates the table, when there is nothing in it yet:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html."""
GUIDE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"


@control(
    id="PIT-05",
    title="The table cannot vanish",
    severity=Severity.HIGH,
    reads=BOTH,
    each=tables_in_scope,
    in_template={
        cfn.TABLE: ("/DeletionProtectionEnabled", "/SSESpecification"),
        cfn.GLOBAL_TABLE: ("/Replicas", "/SSESpecification"),
        cfn.KEY: ("",),
    },
    why="Deleting a stack, or replacing its table, takes the data and its recovery window with it.",
    remedy=(
        "aws dynamodb update-table --table-name TABLE --deletion-protection-enabled; "
        "in the template: DeletionPolicy: Retain, UpdateReplacePolicy: Retain, DeletionProtectionEnabled: true"
    ),
    sources=(
        f"{GUIDE}/WorkingWithTables.Basics.html",
        f"{GUIDE}/EncryptionAtRest.html",
        f"{GUIDE}/rbac-iam-actions.html",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "protected": examples.world,
        "a template that lets go of it only while it creates it": lambda: examples.world(
            account={"kind": "template"},
            primary={"tables": (examples.table(deletion_policy="RetainExceptOnCreate", replace_policy="Retain"),)},
        ),
        "with AWS's own key, as the policy says": lambda: examples.world(
            policy=examples.policy(scope=examples.encrypted_by(KeyKind.AWS_OWNED))
        ),
        "with the key that the policy asks for": lambda: examples.world(
            policy=examples.policy(scope=examples.encrypted_by(KeyKind.CUSTOMER)),
            primary={"tables": (examples.table(encryption_type="KMS", encryption_key_arn=examples.KEY_ARN),)},
        ),
    },
    fails={
        "another account may delete it": lambda: examples.world(
            primary={
                "tables": (
                    examples.table(
                        policy=examples.document(
                            examples.allow("dynamodb:DeleteTable", principals=(("AWS", "999988887777"),))
                        )
                    ),
                )
            }
        ),
        "another account, named by a condition, may delete it": lambda: examples.world(
            primary={
                "tables": (
                    examples.table(
                        policy=examples.document(
                            examples.allow(
                                "dynamodb:DeleteTable",
                                principals=(("AWS", "*"),),
                                conditions=(("StringEquals", "aws:PrincipalAccount", ("999988887777",)),),
                            )
                        )
                    ),
                )
            }
        ),
        "unprotected": lambda: examples.world(primary={"tables": (examples.table(deletion_protection=False),)}),
        "being deleted": lambda: examples.world(primary={"tables": (examples.table(status="DELETING"),)}),
        "with another key": lambda: examples.world(
            policy=examples.policy(scope=examples.encrypted_by(KeyKind.CUSTOMER))
        ),
        "a template without DeletionPolicy": lambda: examples.world(account={"kind": "template"}),
    },
    unknown={
        "table's policy not read": lambda: examples.world(
            primary={"tables": (examples.table(policy=examples.gap("GetResourcePolicy", service="dynamodb")),)}
        ),
        "key not read": lambda: examples.world(
            policy=examples.policy(scope=examples.encrypted_by(KeyKind.CUSTOMER)),
            primary={
                "tables": (examples.table(encryption_type="KMS", encryption_key_arn=examples.KEY_ARN),),
                "keys": (examples.gap("DescribeKey", service="kms", resource=examples.KEY_ARN),),
                "vaults": (),
            },
        ),
    },
)
def table_stays(subject: ScopedTable, world: World) -> Iterator[Verdict]:
    """Deletion protection, a retaining template, a status that is not on its way out, and the key that is asked for."""
    bad = list(_what_is_missing(subject, world))
    table = subject.table
    doubt = _doubt(table)
    if doubt and not bad:
        yield unknown(f"{table.name}: {doubt}", at="GetResourcePolicy")
        return
    if bad or subject.scope.encryption is None:
        yield verdict(
            not bad,
            expected="DeletionProtectionEnabled, a table that stays",
            observed=", ".join(bad) or "protected",
            at="DescribeTable.DeletionProtectionEnabled, TableStatus",
            message=f"{table.name} can be lost with its recovery window: {', '.join(bad)}"
            if bad
            else f"{table.name} is protected from deletion",
        )
    else:
        yield _encryption(table, subject.scope.encryption, world)


def _what_is_missing(subject: ScopedTable, world: World) -> Iterator[str]:
    table = subject.table
    if table.status not in STANDING:
        yield f"its status is {table.status}"
    if subject.scope.deletion_protection is not False and not table.deletion_protection:
        yield "deletion protection is off"
    if isinstance(table.policy, PolicyDocument) and admits_strangers(table.policy, table, DELETING):
        yield "its own policy lets another account delete or change it"
    if Reads.TEMPLATE in world.reads:
        for name, value in (("DeletionPolicy", table.deletion_policy), ("UpdateReplacePolicy", table.replace_policy)):
            if value not in RETAINING:
                yield f"{name} is {value or 'not set'}"


def _doubt(table: Table) -> str:
    """Why it is not known who may delete the table."""
    if isinstance(table.policy, Gap):
        return f"who may delete it could not be read: {table.policy}"
    known = table.policy is None or admits_strangers(table.policy, table, DELETING) is not None
    return "" if known else "whether its own policy lets another account delete it hangs on a condition"


def _encryption(table: Table, wanted: KeyKind, world: World) -> Verdict:
    """An AWS owned key is shown by the absence of SSEDescription (botocore, TableDescription)."""
    at = "DescribeTable.SSEDescription"
    if table.encryption_key_arn is None:
        kind = KeyKind.AWS_OWNED if table.encryption_type is None else None
    else:
        key = find_key(table.encryption_key_arn, world)
        if isinstance(key, Gap):
            return unread(key, resource=table.arn)
        kind = KeyKind.CUSTOMER if key.manager == "CUSTOMER" else KeyKind.AWS_MANAGED
    if kind is None:
        return unknown(f"{table.name} is encrypted by {table.encryption_type} with a key that is not shown", at=at)
    message = f"{table.name} is encrypted with an {kind} key; the policy says {wanted}".replace("an cust", "a cust")
    return expect(str(kind), equals=str(wanted), at=at, message=message)
