"""Our templates and the lab's through the gate, without linters unless a test is about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from backcheck.finding import Finding, Status
from backcheck.gate.judge import Judged, judge
from backcheck.gate.stacks import StackSpec
from backcheck.policy.load import load as load_policy
from backcheck.policy.model import Policy
from backcheck.template.load import loads

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCOUNT = "123456789012"
REGIONS = {"dr": "us-west-2"}
PARAMETERS = {
    "dr": {"AlertEndpoint": "operations@techmoda.example"},
    "primary": {"AlertEndpoint": "operations@techmoda.example"},
    "auditor": {"OidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
    "drill": {"SourceBucket": "techmoda-backcheck"},
}
EVERY = ("dr", "primary", "restore-testing", "auditor", "drill")
CORE = ("dr", "primary")
Change = Callable[[str], str]
Key = tuple[str, str, str]


@cache
def policy() -> Policy:
    return load_policy(ROOT / "policies" / "techmoda.yaml")


def text(name: str) -> str:
    return (ROOT / "templates" / f"{name}.yaml").read_text()


def spec(
    content: str,
    *,
    name: str = "techmoda",
    region: str = "us-east-1",
    parameters: Mapping[str, str] | None = None,
    file: str = "",
) -> StackSpec:
    template = loads(content, file=file or f"{name}.yaml")
    return StackSpec(name=name, template=template, account=ACCOUNT, region=region, parameters=parameters or {})


def ours(changed: str = "", change: Change = str, names: Iterable[str] = CORE) -> tuple[StackSpec, ...]:
    """Our templates, one of them changed."""
    return tuple(
        spec(
            change(text(name)) if name == changed else text(name),
            name=name,
            region=REGIONS.get(name, "us-east-1"),
            parameters=PARAMETERS.get(name),
            file=f"templates/{name}.yaml",
        )
        for name in names
    )


def judged(*stacks: StackSpec) -> Judged:
    return judge(stacks, policy(), NOW, lint=False)


def verdicts(found: Iterable[Finding]) -> dict[Key, Status]:
    """The worst verdict under each key: a control may look at one resource from two sides."""
    worst = (Status.NOT_APPLICABLE, Status.WAIVED, Status.PASS, Status.UNKNOWN, Status.FAIL)
    return {one.key: one.status for one in sorted(found, key=lambda one: worst.index(one.status))}


def only(found: Iterable[Finding], control: str, tier: str | None = None) -> Finding:
    [one] = [one for one in found if one.control == control and one.tier == tier]
    return one


def replaced(old: str, new: str) -> Change:
    def change(content: str) -> str:
        assert old in content
        return content.replace(old, new, 1)

    return change


def section(content: str, first: str, end: str) -> str:
    """From the line `first` up to `end`."""
    return first + content.partition(first)[2].partition(end)[0]


LAB_00 = ROOT / "fixtures" / "templates" / "lab" / "mutations" / "00.yaml"


def found_with(old: str, new: str, changed: str = "primary") -> tuple[Finding, ...]:
    """What the gate says of dr and primary with a change to one of them, which may use a parameter without a value."""

    def change(content: str) -> str:
        declared = replaced("Parameters:\n", "Parameters:\n  NotGiven: {Type: String}\n")(content)
        return replaced(old, new)(declared)

    return judged(*ours(changed, change)).run.findings
