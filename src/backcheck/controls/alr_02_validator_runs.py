"""ALR-02: the scheduled check runs."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, sorted_out, unknown, unread, verdict
from backcheck.controls.delivery import EVENTBRIDGE, cannot_run, lets_in, not_decided
from backcheck.controls.iam_policy import admits
from backcheck.controls.listeners import ROLE
from backcheck.controls.runtimes import deprecated
from backcheck.controls.validator import Validator, validators
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Statement
from backcheck.inventory.watch import EventRule, Function

LEAST_TIMEOUT_SECONDS = 60
ACCOUNT = (
    "its permission is for aws:SourceAccount: one page says that this 'prevents EventBridge from being able to invoke "
    "the function', another lists the key as one that it sends (eb-troubleshooting, eb-use-conditions)"
)
AT = (
    "DescribeRule, ListTargetsByRule, lambda GetFunctionConfiguration, GetFunctionConcurrency, GetPolicy, "
    "AWS/Lambda Invocations"
)


def _function(**changes: object) -> World:
    return examples.world(primary={"functions": (examples.function(**changes),)})


def _rules(**changes: object) -> World:
    return examples.world(
        primary={
            "rules": (
                examples.failure_rule(),
                examples.restore_failure_rule(),
                examples.drill_rule(),
                examples.validation_rule(**changes),
            )
        }
    )


@control(
    id="ALR-02",
    title="The scheduled check runs",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=validators,
    in_template={cfn.RULE: ("/State", "/ScheduleExpression", ""), cfn.FUNCTION: ("",), cfn.PERMISSION: ("",)},
    why="A check that never runs finds nothing wrong, and that is just how it looks.",
    remedy=(
        "aws lambda add-permission --function-name NAME --statement-id events --action lambda:InvokeFunction "
        "--principal events.amazonaws.com --source-arn RULE_ARN; aws events enable-rule --name RULE"
    ),
    sources=(
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html",
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "SOC2:A1.2"),
    passes={
        "ran last night": examples.world,
        "found by the rule's target": lambda: examples.world(
            policy=examples.policy(validation=examples.validation(function=None))
        ),
        "one of it at a time": lambda: _function(reserved_concurrency=1),
    },
    fails={
        "no permission": lambda: _function(policy=None),
        "permission for another rule": lambda: _function(
            policy=examples.document(
                examples.allow(
                    "lambda:InvokeFunction",
                    principals=(("Service", EVENTBRIDGE),),
                    conditions=(("ArnLike", "AWS:SourceArn", (examples.VALIDATOR_RULE_ARN + "-old",)),),
                )
            )
        ),
        "its rule starts a function of that name in another account": lambda: _rules(
            target_arns=("arn:aws:lambda:us-east-1:999988887777:function:shop-validate",)
        ),
        "its rule starts a function of that name in another region": lambda: _rules(
            target_arns=(f"arn:aws:lambda:us-west-2:{examples.ACCOUNT}:function:shop-validate",)
        ),
        "did not run": lambda: _function(invocations_26h=0),
        "three seconds to live": lambda: _function(timeout_seconds=3),
        "throttled always": lambda: _function(reserved_concurrency=0),
        "a runtime that is no more": lambda: _function(runtime="nodejs14.x"),
        "disabled": lambda: _rules(enabled=False),
        "at another time": lambda: _rules(schedule="cron(0 10 ? * MON *)"),
        "the rule cannot start it": lambda: _rules(failed_invocations_26h=1),
        "no such function": lambda: examples.world(primary={"functions": ()}),
    },
    unknown={
        "rules not listed": lambda: examples.world(primary={"rules": examples.gap("ListRules", service="events")}),
        "metrics not read": lambda: _function(invocations_26h=examples.gap("GetMetricData", service="cloudwatch")),
        "concurrency not read": lambda: _function(
            reserved_concurrency=examples.gap("GetFunctionConcurrency", service="lambda")
        ),
        "permission for the account": lambda: _function(
            policy=examples.document(
                examples.allow(
                    "lambda:InvokeFunction",
                    principals=(("Service", EVENTBRIDGE),),
                    conditions=(("StringEquals", "AWS:SourceAccount", (examples.ACCOUNT,)),),
                )
            )
        ),
        "started with a role": lambda: _rules(role_arns=(f"arn:aws:iam::{examples.ACCOUNT}:role/events",)),
        "permission not read": lambda: _function(policy=examples.gap("GetPolicy", service="lambda")),
        "not in UTC": lambda: examples.world(
            policy=examples.policy(validation=examples.validation(timezone="Europe/Berlin"))
        ),
    },
)
def check_runs(subject: Validator, world: World) -> Verdict:
    """An enabled rule with the policy's schedule may start a function that lives, and that ran in the last 26 hours."""
    rules = subject.rules
    if isinstance(rules, Gap):
        return unread(rules, resource=subject.resource)
    if not subject.in_utc:
        return unknown(
            f"rules of EventBridge run in UTC, the policy's check in {subject.validation.timezone}, and schedules of "
            "EventBridge Scheduler are not read",
            at="ListRules.ScheduleExpression",
        )
    problems, gap = sorted_out([*_rule(subject, rules), *_function_of(subject, rules, world)])
    if gap:
        return unread(gap, resource=subject.resource)
    return verdict(
        not problems,
        expected=f"{subject.name or 'a function'} started by {subject.validation.schedule}",
        observed="; ".join(problems) or "it is",
        at=AT,
        message=f"the scheduled check: {'; '.join(problems) or f'{subject.name} runs'}",
        notes=tuple(_notes(subject, world)),
    )


def _rule(subject: Validator, rules: tuple[EventRule, ...]) -> Iterator[str | Gap]:
    if not rules:
        yield f"no rule runs at {subject.validation.schedule}"
        return
    starting = [rule for rule in rules if subject.functions_of(rule)]
    yield from (rule.target_arns for rule in rules if isinstance(rule.target_arns, Gap) and not starting)
    if not starting and not any(isinstance(rule.target_arns, Gap) for rule in rules):
        yield f"rule {rules[0].name} does not start {subject.name or 'a function'}"
    if starting and not any(rule.enabled for rule in starting):
        yield f"rule {starting[0].name} is disabled"
    for rule in starting:
        if isinstance(rule.failed_invocations_26h, Gap):
            yield rule.failed_invocations_26h
        elif rule.failed_invocations_26h:
            yield f"rule {rule.name} failed to start it {rule.failed_invocations_26h} times in 26 h"


def _function_of(subject: Validator, rules: tuple[EventRule, ...], world: World) -> Iterator[str | Gap]:
    function = subject.function
    if function is None:
        if subject.name:
            yield f"there is no function {subject.name}"
    elif isinstance(function, Gap):
        yield function
    else:
        yield from _health(function, world)
        yield from _permission(subject, function, [rule for rule in rules if subject.functions_of(rule)])


def _health(function: Function, world: World) -> Iterator[str | Gap]:
    if function.timeout_seconds < LEAST_TIMEOUT_SECONDS:
        yield f"{function.name} has {function.timeout_seconds} s, and needs {LEAST_TIMEOUT_SECONDS}"
    if deprecated(function.runtime, world.now.date()):
        yield f"{function.name} has the runtime {function.runtime}, which AWS has deprecated"
    yield from cannot_run(function)
    if Reads.TEMPLATE in world.reads:
        return
    if isinstance(function.invocations_26h, Gap):
        yield function.invocations_26h
    elif function.invocations_26h < 1:
        yield f"{function.name} did not run in 26 h"


def _permission(subject: Validator, function: Function, rules: list[EventRule]) -> Iterator[str | Gap]:
    if isinstance(function.policy, Gap):
        yield function.policy
        return
    for rule in rules:
        admitted, statements = (
            admits(function.policy, EVENTBRIDGE, "lambda:InvokeFunction", function.arn)
            if function.policy
            else (False, ())
        )
        met = [statement for statement in statements if lets_in(statement, rule.arn, EVENTBRIDGE)]
        if not admitted or not met:
            yield f"rule {rule.name} may not start {function.name}: no permission for its ARN"
        elif all(_names_the_account(statement) for statement in met):
            yield not_decided("events", "DescribeRule", subject.region, rule.name, ACCOUNT)
        elif rule.role_arns:
            yield not_decided("events", "DescribeRule", subject.region, rule.name, ROLE)


def _names_the_account(statement: Statement) -> bool:
    return any(key.lower() == "aws:sourceaccount" for _, key, _ in statement.conditions)


def _notes(subject: Validator, world: World) -> Iterator[str]:
    function = subject.function
    if not isinstance(function, Function):
        return
    if deprecated(function.runtime, world.now.date()) is None:
        yield f"whether AWS has deprecated the runtime {function.runtime} is not known to this version"
    if isinstance(function.errors_26h, Gap):
        yield f"its errors could not be read: {function.errors_26h}"
    elif function.errors_26h:
        yield f"{function.name} ended with an error {function.errors_26h} times in 26 h"
