"""The lab's defects in its template and its functions: how each shows on the lab's version, and which test holds ours.

Same rows as tests/defects.py, other layers: TPL (the template, after SAM where that matters), IAM (its policies),
LINT (cfn-lint), CODE (requests and replies held against botocore's models), TEXT (what the source or document says).
tests/test_defects_deploy.py runs every row. tests/lab.py reads the lab's files as they were written.
"""

from __future__ import annotations

from typing import Any

from botocore.session import get_session
from tests.defects import Defect
from tests.lab import (
    ACCOUNT,
    RESTORED,
    TABLE,
    arguments,
    calls,
    cannot_ask,
    lab,
    lacks,
    lacks_types,
    linted,
    names,
    never,
    properties,
    reads,
    refused,
    reply,
    says,
    schedules,
    seeded,
    statements,
    who_may,
)
from tests.templates.reading import walk

STRUCTURE = "tests/templates/test_structure.py"
RIGHTS = "tests/templates/test_rights.py"
FUNCTIONS = "tests/templates/test_function_permissions.py"
DEPLOYED = "tests/templates/test_deployed.py"
CHECK = "tests/functions/test_restore_check.py"
RESTORE = "tests/functions/test_restore.py"
VALIDATE = "tests/functions/test_validate_backup.py"

REGIONS = ("us-east-1", "us-west-2")
BACKUP_JOB = get_session().get_service_model("backup").shape_for("BackupJob")
LEFT_OUT = ("Tags", "StreamSpecification", "TimeToLiveSpecification", "PointInTimeRecoverySpecification")
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html"""
LAB_JOBS = {"ResourceType": "DynamoDB", "ByResource": {"TableName": "shop-products"}}
LAB_RESTORE = {"RecoveryPointArn": "arn", "ResourceType": "DynamoDB", "NewResourceName": "shop-products-restored-1"}
LAB_PITR = {"SourceTableName": "shop-products", "TargetTableName": "shop-restored", "UseLatestRestorableTime": "true"}


def application_tables() -> list[Any]:
    """What each function is told to be the table."""
    told = (properties(name).get("Environment") for name in ("RestoreBackupFunction", "ValidateBackupFunction"))
    return [one["Variables"]["PRODUCTS_TABLE"] for one in told if one]


def row(number: str, layer: str, what: str, shows: Any, expected: str, held_by: str) -> Defect:
    """A row."""
    return Defect(number=number, layer=layer, says=what, shows=shows, expected=expected, held_by=held_by)


DEFECTS: tuple[Defect, ...] = (
    row(
        "D02",
        "CODE",
        "The validator asks with two parameters that do not exist: it always fails, or sees every table's jobs",
        lambda: refused("backup", "ListBackupJobs", LAB_JOBS),
        'Unknown parameter in input: "ByResource"',
        f"{VALIDATE}::test_a_missing_backup_is_raised_and_so_is_one_that_cannot_be_seen",
    ),
    row(
        "D03",
        "TEXT",
        "The validator returns a 500, which is a successful invocation",
        lambda: says("validateBackup", "statusCode: 500") + " " + never("validateBackup", "throw"),
        "statusCode: 500 never throw",
        f"{VALIDATE}::test_a_missing_backup_is_raised_and_so_is_one_that_cannot_be_seen",
    ),
    row(
        "D04",
        "TPL",
        "'Validation failures trigger alerts': there is no topic, no alarm, no subscription",
        lambda: lacks_types("AWS::SNS::Topic", "AWS::CloudWatch::Alarm", "AWS::SNS::Subscription"),
        "no AWS::SNS::Topic no AWS::CloudWatch::Alarm no AWS::SNS::Subscription",
        f"{STRUCTURE}::test_failures_of_backups_copies_and_restores_reach_a_topic_that_lets_them_in",
    ),
    row(
        "D05",
        "TPL",
        "The rule may not invoke the validator: it never runs",
        lambda: lacks_types("AWS::Lambda::Permission"),
        "no AWS::Lambda::Permission",
        f"{STRUCTURE}::test_every_rule_that_starts_a_function_may_do_so",
    ),
    row(
        "D06",
        "TEXT",
        "The latest restorable time alone makes an invalid date of nothing",
        lambda: says("restoreBackup", "RestoreDateTime: new Date(event.restoreDateTime).toISOString()"),
        "new Date(event.restoreDateTime)",
        f"{RESTORE}::test_the_labs_events_are_understood",
    ),
    row(
        "D07",
        "CODE",
        "CloudFormation hands booleans over as text, which the SDK refuses",
        lambda: refused("dynamodb", "RestoreTableToPointInTime", LAB_PITR),
        "Invalid type for parameter UseLatestRestorableTime, value: true, type: <class 'str'>",
        "tests/functions/test_event.py::test_a_flag_is_what_it_says_as_text_and_as_boolean",
    ),
    row(
        "D08",
        "TEXT",
        "A time and the latest time are always sent together",
        lambda: says("restoreBackup", "toISOString(), UseLatestRestorableTime: event.useLatestRestorableTime || false"),
        "toISOString(), UseLatestRestorableTime",
        f"{RESTORE}::test_a_time_or_the_latest_is_sent_never_both",
    ),
    row(
        "D09",
        "CODE",
        "StartRestoreJob without its metadata, and with a name that it does not know",
        lambda: refused("backup", "StartRestoreJob", LAB_RESTORE),
        'Missing required parameter in input: "Metadata"',
        f"{RESTORE}::test_a_recovery_point_is_restored_by_metadata_with_a_role",
    ),
    row(
        "D10",
        "CODE",
        "A failed restore is reported as SUCCESS: of Invoke's reply neither the error nor the status is looked at",
        lambda: reads("restoreTest", "result", reply("lambda", "Invoke"), "FunctionError", "StatusCode"),
        "reads Payload; passes over FunctionError, StatusCode",
        f"{CHECK}::test_whatever_fails_whoever_waits_is_answered_once_in_time",
    ),
    row(
        "D11",
        "CODE",
        "Nobody waits for the restore, reads the table or compares: this is all that the two functions ask of AWS",
        lambda: f"{calls('restoreTest')} {calls('restoreBackup')}",
        "restoreTest: lambda.invoke. restoreBackup: dynamodb.restoreTableToPointInTime, backup.startRestoreJob.",
        f"{CHECK}::test_a_restore_is_waited_for_compared_removed_and_answered",
    ),
    row(
        "D11",
        "IAM",
        "Nor could they: no role may read a restored table",
        lambda: who_may("dynamodb:Scan", RESTORED),
        "dynamodb:Scan: nobody",
        f"{FUNCTIONS}::test_the_checks_functions_may_do_what_their_steps_call",
    ),
    row(
        "D12",
        "TPL",
        "The custom resource hangs for an hour where its function cannot answer: cfn-response is not packaged",
        lambda: (
            says("restoreTest", "require('cfn-response')")
            + " "
            + lacks(properties("TestPITRRestore"), "ServiceTimeout")
        ),
        "require('cfn-response') no ServiceTimeout",
        f"{STRUCTURE}::test_custom_resources_do_not_wait_for_ever",
    ),
    row(
        "D13",
        "TEXT",
        "The answer is sent from an async handler that does not wait for it",
        lambda: says("restoreTest", "async (event, context)", "return response.send("),
        "async (event, context) | return response.send(",
        "tests/functions/test_reply.py::test_an_answer_that_was_refused_is_not_called_delivered",
    ),
    row(
        "D14",
        "TPL",
        "'Monthly test restores': a custom resource runs on a change of its own; the validator alone has a schedule",
        schedules,
        "cron(0 5 * * ? *) starts ValidateBackupFunction.",
        "tests/templates/test_drill_stack.py::test_the_drill_has_a_schedule",
    ),
    row(
        "D15",
        "IAM",
        "A table that has just got PITR has no time to restore to, and nobody may ask whether it has one by now",
        lambda: who_may("dynamodb:DescribeContinuousBackups", TABLE),
        "dynamodb:DescribeContinuousBackups: nobody",
        f"{CHECK}::test_a_restore_is_waited_for_compared_removed_and_answered",
    ),
    row(
        "D16",
        "IAM",
        "Restored tables are never deleted: no role may",
        lambda: who_may("dynamodb:DeleteTable", RESTORED),
        "dynamodb:DeleteTable: nobody",
        f"{CHECK}::test_only_the_table_that_this_check_restored_is_deleted",
    ),
    row(
        "D17",
        "TPL",
        "'Update the application's configuration': what it is told is the table of the template, whose name is fixed",
        lambda: str([properties("ProductsTable")["TableName"], *application_tables()]),
        "[{'Fn::Sub': '${AWS::StackName}-products'}, {'Ref': 'ProductsTable'}, {'Ref': 'ProductsTable'}]",
        f"{RESTORE}::test_the_labs_events_are_understood",
    ),
    row(
        "D17",
        "CODE",
        "What a restore leaves out cannot be asked for",
        lambda: cannot_ask("dynamodb", "RestoreTableToPointInTime", *LEFT_OUT),
        "no Tags no StreamSpecification no TimeToLiveSpecification no PointInTimeRecoverySpecification",
        "tests/drill/test_settings.py::test_what_aws_leaves_out_is_listed_with_the_command_that_sets_it",
    ),
    row(
        "D17",
        "IAM",
        "And nobody may set it again",
        lambda: " ".join(who_may(f"dynamodb:{action}", RESTORED) for action in ("TagResource", "UpdateTimeToLive")),
        "dynamodb:TagResource: nobody dynamodb:UpdateTimeToLive: nobody",
        "tests/drill/test_settings.py::test_what_aws_leaves_out_is_listed_with_the_command_that_sets_it",
    ),
    row(
        "D20",
        "CODE",
        "Any job of any rule counts, also 'with issues'; a deleted recovery point still passes",
        lambda: reads("validateBackup", "job", BACKUP_JOB, "CreatedBy", "RecoveryPointArn", "MessageCategory"),
        "reads CompletionDate, State; passes over CreatedBy, RecoveryPointArn, MessageCategory",
        f"{VALIDATE}::test_good_backups_are_validated",
    ),
    row(
        "D20",
        "CODE",
        "Of the first page only",
        lambda: reads("validateBackup", "backupJobs", reply("backup", "ListBackupJobs"), "NextToken"),
        "reads BackupJobs; passes over NextToken",
        f"{VALIDATE}::test_good_backups_are_validated",
    ),
    row(
        "D21",
        "TPL",
        "The DR vault is made by hand, after the plan that names it",
        lambda: str(sum(one["Type"] == "AWS::Backup::BackupVault" for one in lab()["Resources"].values())) + " vault",
        "1 vault",
        f"{DEPLOYED}::test_every_stack_deploys_under_a_long_stack_name_and_the_audit_finds_nothing",
    ),
    row(
        "D22",
        "TPL",
        "The vaults have no key, no lock and no access policy",
        lambda: lacks(properties("BackupVault"), "EncryptionKeyArn", "LockConfiguration", "AccessPolicy"),
        "no EncryptionKeyArn no LockConfiguration no AccessPolicy",
        f"{STRUCTURE}::test_only_break_glass_deletes_backups",
    ),
    row(
        "D23",
        "TPL",
        "Region and partition are written down",
        lambda: " ".join(str(value) for _, value in walk(properties("BackupPlan")) if "us-west-2" in str(value)),
        "arn:aws:backup:us-west-2:",
        f"{STRUCTURE}::test_no_partition_region_or_account_is_written_down",
    ),
    row(
        "D24",
        "TEXT",
        "Copies and cold storage need advanced features, and no step turns them on",
        lambda: lacks(lab(), "UpdateRegionSettings", "update-region-settings"),
        "no UpdateRegionSettings no update-region-settings",
        "tests/templates/test_docs.py::test_the_steps_are_those_that_the_templates_need",
    ),
    row(
        "D26",
        "IAM",
        "Nothing restores in the DR region: what may make a table here may make none there",
        lambda: " ".join(who_may("dynamodb:CreateTable", RESTORED.replace("us-east-1", one)) for one in REGIONS),
        "dynamodb:CreateTable: RestoreBackupFunction dynamodb:CreateTable: nobody",
        f"{FUNCTIONS}::test_the_restore_function_may_do_what_it_calls",
    ),
    row(
        "D26",
        "TEXT",
        "And its clients ask the region that it runs in",
        lambda: says("restoreBackup", "new AWS.Backup();", "new AWS.DynamoDB();"),
        "new AWS.Backup(); | new AWS.DynamoDB();",
        f"{FUNCTIONS}::test_the_restore_function_may_do_what_it_calls",
    ),
    row(
        "D27",
        "TPL",
        "Deleting the stack, or changing a key attribute, destroys the table",
        lambda: lacks(lab()["Resources"]["ProductsTable"], "DeletionPolicy", "UpdateReplacePolicy"),
        "no DeletionPolicy no UpdateReplacePolicy",
        f"{STRUCTURE}::test_data_keys_and_vaults_stay_when_a_stack_goes",
    ),
    row(
        "D27",
        "TPL",
        "And nothing protects the table from being deleted by hand",
        lambda: lacks(properties("ProductsTable"), "DeletionProtectionEnabled"),
        "no DeletionProtectionEnabled",
        f"{STRUCTURE}::test_the_table_cannot_vanish_and_can_be_restored_to_any_second",
    ),
    row(
        "D28",
        "LINT",
        "A runtime that can no longer be created",
        linted,
        "E2531: Runtime 'nodejs14.x' was deprecated",
        f"{STRUCTURE}::test_functions_have_a_current_runtime_and_enough_time",
    ),
    row(
        "D29",
        "IAM",
        "A point-in-time restore writes to its target, for which the role has no right",
        lambda: " ".join(who_may(f"dynamodb:{action}", RESTORED) for action in ("BatchWriteItem", "PutItem", "Query")),
        "dynamodb:BatchWriteItem: nobody dynamodb:PutItem: nobody dynamodb:Query: nobody",
        f"{RIGHTS}::test_what_restores_may_fill_its_targets",
    ),
    row(
        "D30",
        "IAM",
        "The function that restores may write and delete production items",
        lambda: " ".join(who_may(f"dynamodb:{action}", TABLE) for action in ("PutItem", "DeleteItem")),
        "dynamodb:PutItem: RestoreBackupFunction dynamodb:DeleteItem: RestoreBackupFunction",
        f"{RIGHTS}::test_only_the_canary_writes_to_the_production_table",
    ),
    row(
        "D31",
        "IAM",
        "There is no restore role, and nobody may pass one",
        lambda: f"{lacks(lab(), 'ForRestores')}; {who_may('iam:PassRole', f'arn:aws:iam::{ACCOUNT}:role/restore')}",
        "no ForRestores; iam:PassRole: nobody",
        f"{RIGHTS}::test_roles_are_handed_to_aws_backup_only",
    ),
    row(
        "D32",
        "TPL",
        "Any recovery point of the account may be restored",
        lambda: " ".join(f"{one['Action'][0]} on {one['Resource']}" for one in statements() if one["Resource"] == "*"),
        "backup:StartRestoreJob on *",
        f"{RIGHTS}::test_a_star_stands_only_where_there_is_no_resource_form",
    ),
    row(
        "D32",
        "CODE",
        "And nothing looks whose recovery point it is",
        lambda: never("restoreBackup", "describeRecoveryPoint"),
        "never describeRecoveryPoint",
        f"{RESTORE}::test_another_tables_point_or_an_unusable_one_is_not_restored",
    ),
    row(
        "D33",
        "TPL",
        "The backup role's trust has no condition: a note, since nothing documents that AWS Backup sends one",
        lambda: lacks(properties("BackupRole")["AssumeRolePolicyDocument"], "aws:SourceAccount"),
        "no aws:SourceAccount",
        f"{RIGHTS}::test_aws_backups_roles_are_trusted_to_it_alone",
    ),
    row(
        "D34",
        "TPL",
        "Three seconds and 128 MB, with a call from function to function inside",
        lambda: lacks(properties("RestoreTestFunction"), "Timeout", "MemorySize"),
        "no Timeout no MemorySize",
        f"{STRUCTURE}::test_functions_have_a_current_runtime_and_enough_time",
    ),
    row(
        "D35",
        "TEXT",
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
        "The physical id, send's fifth argument, is left to the library: the log stream's name, another at each update",
        lambda: f"given {arguments('restoreTest', 'response.send')} arguments",
        "given 3, 4, 4 arguments",
        "tests/functions/test_reply.py::test_the_physical_id_is_stable_and_an_updates_own_is_kept",
    ),
    row(
        "D36",
        "TPL",
        "A stack's name of more than 33 characters makes a selection's name too long",
        names,
        "-backup-selection leaves 33",
        f"{STRUCTURE}::test_every_name_fits_with_the_longest_prefix",
    ),
    row(
        "D37",
        "TPL",
        "'35 days' is only AWS's default",
        lambda: lacks(properties("ProductsTable"), "RecoveryPeriodInDays"),
        "no RecoveryPeriodInDays",
        f"{STRUCTURE}::test_the_table_cannot_vanish_and_can_be_restored_to_any_second",
    ),
    row(
        "D41",
        "TEXT",
        "Test data has ids that nobody knows, and stays",
        seeded,
        "POST of name, price, description, category, stock; key id is not among them",
        "tests/functions/test_seed_products.py::test_products_have_ids_of_ours_and_go_away_again",
    ),
    row(
        "D42",
        "TEXT",
        "Any caller restores any ARN; a name that is taken already differs by its milliseconds",
        lambda: says("restoreBackup", "RecoveryPointArn: event.recoveryPointArn", "-restored-${Date.now()}"),
        "RecoveryPointArn: event.recoveryPointArn | -restored-${Date.now()}",
        f"{RESTORE}::test_an_event_that_cannot_be_carried_out_says_why",
    ),
    row(
        "D43",
        "TEXT",
        "Restored tables begin as production's do: a selection by prefix would back them up",
        lambda: says("restoreBackup", "`${process.env.PRODUCTS_TABLE}-restored-"),
        "`${process.env.PRODUCTS_TABLE}-restored-",
        f"{STRUCTURE}::test_restored_tables_do_not_begin_as_production_does",
    ),
    row(
        "D44",
        "TPL",
        "Vault, key and monitor live beside the data, and whoever administers it may remove them all",
        lambda: lacks(lab(), "Deny", "aws:PrincipalArn"),
        "no Deny no aws:PrincipalArn",
        f"{STRUCTURE}::test_only_break_glass_deletes_backups",
    ),
)
