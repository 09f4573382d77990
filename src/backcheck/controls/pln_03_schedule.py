"""PLN-03: each rule runs when the policy says, in windows as the policy has them."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, verdict
from backcheck.controls.deployment import DEFAULT_SCHEDULE, DeployedRule, deployed_rules, same_schedule
from backcheck.finding import Severity, Verdict


@control(
    id="PLN-03",
    title="Rules run when the policy says",
    severity=Severity.HIGH,
    reads=BOTH,
    each=deployed_rules,
    in_template={
        cfn.PLAN: (
            f"{cfn.BACKUP_RULE}/ScheduleExpression",
            f"{cfn.BACKUP_RULE}/ScheduleExpressionTimezone",
            f"{cfn.BACKUP_RULE}/StartWindowMinutes",
            f"{cfn.BACKUP_RULE}/CompletionWindowMinutes",
        )
    },
    why="A rule that runs at another time, or may start hours later, breaks the RPO without a single failed job.",
    remedy=(
        "Set ScheduleExpression, ScheduleExpressionTimezone, StartWindowMinutes and CompletionWindowMinutes: "
        "aws backup update-backup-plan --backup-plan-id ID --backup-plan file://plan.json"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "the same time, written otherwise": examples.world,
        "another name for UTC": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(timezone="Etc/UTC")),)}
        ),
    },
    fails={
        "weekly": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(schedule="cron(0 1 ? * SUN *)")),)}
        ),
        "local time": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(timezone="Europe/Berlin")),)}
        ),
        "no start window": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(start_window_minutes=None)),)}
        ),
        "a longer completion window": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(completion_window_minutes=10080)),)}
        ),
    },
    unknown={"plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)})},
)
def rules_run_when_they_should(deployed: DeployedRule, world: World) -> Verdict:
    """Schedule and zone mean the same; both windows are equal. A window that is not stated is AWS's choice."""
    rule, tier = deployed.rule, deployed.wanted
    bad = list(_what_differs(deployed))
    return verdict(
        not bad,
        expected=_shown(tier.schedule, tier.timezone, tier.start_window_minutes, tier.completion_window_minutes),
        observed=_shown(
            rule.schedule or f"{DEFAULT_SCHEDULE} by default",
            rule.timezone,
            rule.start_window_minutes,
            rule.completion_window_minutes,
        ),
        at=f"GetBackupPlan.Rules[{rule.name}].ScheduleExpression, StartWindowMinutes, CompletionWindowMinutes",
        message=f"rule {rule.name} has another {' and another '.join(bad)} than the policy"
        if bad
        else f"rule {rule.name} runs when the policy says",
    )


def _what_differs(deployed: DeployedRule) -> Iterator[str]:
    rule, tier = deployed.rule, deployed.wanted
    if not same_schedule(tier, rule):
        yield "schedule"
    if rule.start_window_minutes != tier.start_window_minutes:
        yield "start window"
    if rule.completion_window_minutes != tier.completion_window_minutes:
        yield "completion window"


def _shown(schedule: str, zone: str, start: int | None, complete: int | None) -> str:
    return f"{schedule} {zone}, start within {_minutes(start)}, complete within {_minutes(complete)}"


def _minutes(minutes: int | None) -> str:
    return "a time that is not set" if minutes is None else f"{minutes} min"
