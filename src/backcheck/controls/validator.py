"""The scheduled check that the policy asks for: the rule that starts it, and the function that performs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls.control import World, unread
from backcheck.controls.deployment import Place, look_up, partition, same_zone
from backcheck.cron import same_schedule
from backcheck.finding import Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory
from backcheck.inventory.watch import EventRule, Function
from backcheck.policy.model import PRIMARY, Validation


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """What should run, and what there is of it."""

    validation: Validation
    region: RegionInventory
    resource: str
    tier: None = None

    @property
    def rules(self) -> tuple[EventRule, ...] | Gap:
        """The rules that run when the policy says (EventBridge rules run in UTC)."""
        if isinstance(self.region.rules, Gap):
            return self.region.rules
        return tuple(rule for rule in self.region.rules if rule.schedule and self._is_due_with(rule.schedule))

    @property
    def in_utc(self) -> bool:
        """Whether an EventBridge rule can have this schedule at all."""
        return same_zone(self.validation.timezone, "UTC")

    def functions_of(self, rule: EventRule) -> tuple[str, ...]:
        """The names of the functions of this account and region that a rule starts, of those that the policy means."""
        arns = () if isinstance(rule.target_arns, Gap) else rule.target_arns
        where = self.region
        here = f"arn:{partition(where.region)}:lambda:{where.region}:{where.account}:function:"
        names = [function_name(arn) for arn in arns if arn.startswith(here)]
        return tuple(name for name in names if self.validation.function in (None, name))

    @property
    def name(self) -> str | None:
        """The function's name: the policy's, or that of the first target."""
        if self.validation.function:
            return self.validation.function
        rules = () if isinstance(self.rules, Gap) else self.rules
        return next((name for rule in rules for name in self.functions_of(rule)), None)

    @property
    def unnamed(self) -> Gap | None:
        """Why the name is not known, where a call that was not answered is the reason."""
        rules = self.rules
        if self.name is not None:
            return None
        if isinstance(rules, Gap):
            return rules
        return next((rule.target_arns for rule in rules if isinstance(rule.target_arns, Gap)), None)

    @property
    def function(self) -> Function | Gap | None:
        """The function as it is; None where there is none of that name."""
        for one in self.region.functions:
            if isinstance(one, Gap):
                if function_name(one.resource) == self.name:
                    return one
            elif one.name == self.name:
                return one
        return None

    def _is_due_with(self, schedule: str) -> bool:
        return self.in_utc and same_schedule(schedule, self.validation.schedule)


def validators(world: World) -> Iterator[Validator | Verdict]:
    """The policy's validation, in its primary account and region."""
    if world.policy.validation is None:
        return
    resource = world.policy.resource("/validation")
    region = look_up(Place(account=PRIMARY, region=PRIMARY), world)
    if isinstance(region, Gap):
        yield unread(region, resource=resource)
    else:
        yield Validator(validation=world.policy.validation, region=region, resource=resource)


def function_name(arn: str) -> str:
    """The name in a function's ARN, with or without a version or an alias behind it."""
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 else arn
