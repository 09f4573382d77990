"""ALR-03: a failed check is heard, and so is one that does not run."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from backcheck.controls import cfn, examples, messages
from backcheck.controls.control import BOTH, World, control, not_applicable, sorted_out, unknown, unread, verdict
from backcheck.controls.delivery import CLOUDWATCH, Deaf, reaches
from backcheck.controls.moments import few
from backcheck.controls.validator import Validator, validators
from backcheck.cron import Cron, CronError
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.watch import Alarm
from backcheck.policy.model import AlertEvent

AT = "DescribeAlarms.MetricName, Dimensions, TreatMissingData, ActionsEnabled, AlarmActions"
BELOW = frozenset({"LessThanThreshold", "LessThanOrEqualToThreshold"})
LONGEST_WINDOW = timedelta(days=7)
"""'The maximum evaluation period': API_PutMetricAlarm, EvaluationPeriods."""
LONGEST_SECONDS = 26 * 3600
"""A daily check that is missing is heard before the next one is due to be missed."""


def _alarms(errors: examples.Changes | None = None, runs: examples.Changes | None = None) -> World:
    alarms = (examples.alarm(**(errors or {})), examples.alarm("Invocations", **(runs or {})))
    return examples.world(primary={"alarms": alarms})


def _filtered(policy: str) -> World:
    subscribed = examples.subscription(filter_policy=policy, filters_body=True)
    return examples.world(primary={"topics": (examples.topic(subscriptions=(subscribed,)),)})


@control(
    id="ALR-03",
    title="A failed or missing check is heard",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=validators,
    in_template={
        cfn.ALARM: ("",),
        cfn.MUTE: ("",),
        **cfn.TOPICS,
        cfn.RULE: ("/Targets",),
    },
    why="The check that fails in silence is worse than none: everybody relies on it.",
    remedy=(
        "aws cloudwatch put-metric-alarm --namespace AWS/Lambda --metric-name Invocations --statistic Sum "
        "--period 86400 --evaluation-periods 1 --threshold 1 --comparison-operator LessThanThreshold "
        "--treat-missing-data breaching --dimensions Name=FunctionName,Value=NAME --alarm-actions TOPIC; and on Errors"
    ),
    sources=(
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "SOC2:A1.2"),
    passes={
        "both alarms": examples.world,
        "through a filter on the state": lambda: _filtered('{"NewStateValue": ["ALARM"]}'),
    },
    fails={
        "none": lambda: examples.world(primary={"alarms": ()}),
        "none on missing runs": lambda: examples.world(primary={"alarms": (examples.alarm(),)}),
        "missing data is taken as good": lambda: _alarms(runs={"treat_missing_data": "notBreaching"}),
        "actions are off": lambda: _alarms(errors={"actions_enabled": False}),
        "it tells nobody": lambda: _alarms(errors={"action_arns": ()}),
        "on another function": lambda: _alarms(errors={"dimensions": (("FunctionName", "shop-api"),)}),
        "a threshold that is never reached": lambda: _alarms(errors={"threshold": 100.0}),
        "one failure is not enough": lambda: _alarms(errors={"evaluation_periods": 2}),
        "a filter on the state of another message": lambda: _filtered('{"NewStateValue": ["OK"]}'),
        "it counts another unit": lambda: _alarms({"unit": "Seconds"}),
        "it rings even when the check has run": lambda: _alarms(runs={"threshold": 2.0}),
        "it rings in each hour without a check": lambda: _alarms(
            runs={"period_seconds": 3600, "evaluation_periods": 26, "datapoints_to_alarm": 1}
        ),
        "it rings without an error": lambda: _alarms(errors={"threshold": 0.0}),
        "it rings between two good checks": lambda: _alarms(
            errors={"period_seconds": 60, "treat_missing_data": "breaching"}
        ),
        "three failures in a row": lambda: _alarms(errors={"evaluation_periods": 3, "treat_missing_data": "breaching"}),
    },
    unknown={
        "an alarm on an expression": lambda: examples.world(
            primary={"alarms": (examples.alarm(), examples.alarm("", name="shop-computed", metric=""))}
        ),
        "alarms not read": lambda: examples.world(
            primary={"alarms": examples.gap("DescribeAlarms", service="cloudwatch")}
        ),
        "a filter on what no page says that an alarm has": lambda: _filtered('{"severity": ["high"]}'),
        "topic not read": lambda: examples.world(
            primary={"topics": (examples.gap("GetTopicAttributes", service="sns", resource=examples.topic().arn),)}
        ),
    },
)
def failed_check_is_heard(subject: Validator, world: World) -> Verdict:
    """One alarm on the function's errors and one on its missing runs, enabled, reach the policy's topic."""
    alerts = subject.validation.alerts
    if alerts is None:
        return not_applicable("the policy asks for no alerts")
    alarms = subject.region.alarms
    if isinstance(alarms, Gap):
        return unread(alarms, resource=subject.resource)
    if unnamed := subject.unnamed:
        return unread(unnamed, resource=subject.resource)
    mine = [alarm for alarm in alarms if _watches(alarm, subject.name)]
    runs = _runs(subject, world)
    found: list[str | Gap] = []
    if AlertEvent.VALIDATION_FAILED in alerts.on:
        found += _heard("failed checks", [a for a in mine if _on_errors(a, runs)], subject, alerts.topic, world)
    if AlertEvent.VALIDATION_MISSING in alerts.on:
        found += _heard("missing checks", [a for a in mine if _on_missing(a, runs)], subject, alerts.topic, world)
    problems, gap = sorted_out(found)
    if problems and (computed := [alarm.name for alarm in alarms if _computes(alarm, alerts.topic)]):
        return unknown(f"{'; '.join(problems)}; but what {few(computed)} computes is not judged", at=AT)
    if gap:
        return unread(gap, resource=subject.resource)
    return verdict(
        not problems,
        expected=f"alarms on errors and missing runs of {subject.name} reach {alerts.topic}",
        observed="; ".join(problems) or "they do",
        at=AT,
        message="; ".join(problems) or f"failed and missing checks are heard by {alerts.team}",
        notes=tuple(f"alarm {alarm.name} is in {alarm.state}" for alarm in mine if alarm.state not in ("OK", "")),
    )


def _watches(alarm: Alarm, name: str | None) -> bool:
    """An alarm of another unit than the metric's gets no data (API_PutMetricAlarm); Lambda's counts are of Count."""
    if alarm.unit not in ("", "Count"):
        return False
    return alarm.namespace == "AWS/Lambda" and alarm.dimensions == (("FunctionName", name),)


def _computes(alarm: Alarm, topic: str) -> bool:
    """An alarm on an expression, of which nothing is read but whom it tells."""
    return not alarm.metric and alarm.actions_enabled and any(arn.endswith(f":{topic}") for arn in alarm.action_arns)


def _on_errors(alarm: Alarm, runs: Sequence[datetime]) -> bool:
    """One failed check sets it off, and good ones do not: an alarm that rings all the time tells of no failure.

    Where periods without a check count as bad, it must be that one failure makes the difference; elsewhere two periods
    in a row never breach, since a check runs once in many.
    """
    at_one = 0 < alarm.threshold <= 1 and alarm.comparison == "GreaterThanOrEqualToThreshold"
    at_one = at_one or (0 <= alarm.threshold < 1 and alarm.comparison == "GreaterThanThreshold")
    whole = alarm.statistic in ("Sum", "Maximum")
    if alarm.treat_missing_data == "breaching":
        bad = _most_bad(alarm, runs, lambda count: count > 0)
        enough = bad < _needed(alarm) <= bad + 1
    else:
        enough = _needed(alarm) <= 1
    return alarm.metric == "Errors" and at_one and whole and enough


def _on_missing(alarm: Alarm, runs: Sequence[datetime]) -> bool:
    """No run, and so no data, sets it off within a day; as many as the schedule makes do not.

    An alarm that rings all the time changes its state no more, and tells nobody when a check is missing.
    """

    def is_good(count: int) -> bool:
        return count >= alarm.threshold if alarm.comparison == "LessThanThreshold" else count > alarm.threshold

    none = alarm.comparison in BELOW and not is_good(0)
    soon = 0 < alarm.period_seconds * alarm.evaluation_periods <= LONGEST_SECONDS
    counted = alarm.statistic in ("Sum", "SampleCount")
    quiet = soon and _most_bad(alarm, runs, is_good) < _needed(alarm)
    return alarm.metric == "Invocations" and none and counted and quiet and alarm.treat_missing_data == "breaching"


def _needed(alarm: Alarm) -> int:
    """'M out of N': how many of the periods must breach; all of them where the alarm does not say (PutMetricAlarm)."""
    return alarm.datapoints_to_alarm or alarm.evaluation_periods


def _most_bad(alarm: Alarm, runs: Sequence[datetime], is_good: Callable[[int], bool]) -> int:
    """Of the periods that the alarm looks back on, the most that are not good though every check ran as scheduled.

    That is when a check has just fallen out of sight. A period without a check is not good.
    """
    period, seconds = alarm.period_seconds, [round(run.timestamp()) for run in runs]
    span = alarm.evaluation_periods * period
    gaps = tuple(later - earlier for earlier, later in pairwise(seconds))
    # A schedule repeats itself: only windows that differ are counted out.
    windows = {
        gaps[index : bisect_right(seconds, out + span) - 1]
        for index, out in enumerate(seconds)
        if period and out + span <= seconds[-1]
    }
    counts = (Counter(-(-passed // period) for passed in accumulate(window)) for window in windows)
    fewest = min((sum(map(is_good, count.values())) for count in counts), default=0)
    return alarm.evaluation_periods - fewest


def _runs(subject: Validator, world: World) -> tuple[datetime, ...]:
    """When the policy's schedule starts the check, as far ahead as any alarm looks back, and a week more."""
    schedule, zone = subject.validation.schedule, subject.validation.timezone
    try:
        return tuple(Cron.parse(schedule).between(world.now, world.now + 2 * LONGEST_WINDOW, zone))
    except CronError:  # POL-04 fails that
        return ()


def _heard(what: str, alarms: list[Alarm], subject: Validator, topic: str, world: World) -> Iterator[str | Gap]:
    """One alarm that reaches people is enough."""
    if not alarms:
        yield f"{what} are not heard: no alarm of {subject.name or 'the function'} goes off then, and only then"
        return
    paths = [path for alarm in alarms for path in _paths(alarm, subject, topic, world)]
    if None in paths:
        return
    gap = next((path for path in paths if isinstance(path, Gap)), None)
    yield gap or f"{what} are not heard: {'; '.join(path.why for path in paths if isinstance(path, Deaf))}"


def _paths(alarm: Alarm, subject: Validator, topic: str, world: World) -> Iterator[Deaf | Gap | None]:
    if not alarm.actions_enabled:
        yield Deaf(f"the actions of alarm {alarm.name} are off")
    elif not alarm.action_arns:
        yield Deaf(f"alarm {alarm.name} tells nobody")
    else:
        for arn in alarm.action_arns:
            told = messages.alarm(alarm.name, alarm.arn, subject.region.account, alarm.metric)
            yield reaches(arn, alarm.arn, CLOUDWATCH, subject.region, topic, world, [told])
