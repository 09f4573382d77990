"""What a backup selection selects: one pure resolver, shared by the sandbox and by the audit.

Rules: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html (fields, OR and AND, limits),
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html (opt-in, wildcards, examples),
https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html (what plans ignore).
Where those pages conflict the resolver warns; where they are silent its verdict is None, which is never 'selected'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Literal

from backcheck.errors import Error

TAG_PREFIX = "aws:ResourceTag/"
"""Conditions name a tag with this prefix, ListOfTags without (API_ConditionParameter, API_Condition)."""

RESTORE_TEST = "awsbackup-restore-test"
"""Plans ignore resources with this tag, or with a name that starts so (restore-testing.html, 'Data deletion')."""

SHARED_ARN_TYPES = frozenset({"Aurora", "FSx"})
"""Types that share an ARN format: the opt-in is asked for even where the type is named ('Shared resource types')."""


class SelectionError(Error):
    """A selection document that is not one."""


class Operator(StrEnum):
    """The operators of `Conditions`; case sensitive."""

    STRING_EQUALS = "StringEquals"
    STRING_NOT_EQUALS = "StringNotEquals"
    STRING_LIKE = "StringLike"
    STRING_NOT_LIKE = "StringNotLike"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagEquals:
    """One entry of `ListOfTags`: a tag with exactly this value."""

    key: str
    """Without a prefix."""
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One entry of `Conditions`."""

    operator: Operator
    key: str
    """With the prefix, as it is written: `aws:ResourceTag/backup`."""
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A backup selection: (Resources united with ListOfTags) minus NotResources, filtered by every condition."""

    name: str
    iam_role_arn: str = ""
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    list_of_tags: tuple[TagEquals, ...] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What may be selected."""

    arn: str
    type: str
    """As in `ResourceTypeOptInPreference`: `DynamoDB`."""
    tags: Mapping[str, str] | None
    """None where they could not be read: a verdict that depends on them is None."""

    @property
    def name(self) -> str:
        """What follows the type in the ARN: a table's name."""
        return re.split("[:/]", self.arn.split(":", 5)[-1], maxsplit=1)[-1]


OptIn = Mapping[str, bool] | None
"""`ResourceTypeOptInPreference` of the resource's Region; None where it could not be read."""

SelectedBy = Literal["resources", "tags", "everything", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Whether one selection takes one resource, and why."""

    selected: bool | None
    """None: not known, either because something could not be read or because AWS does not document it."""
    reason: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    verdict: bool | None
    reason: str


def resolve(selection: Selection, resource: Resource, opt_in: OptIn) -> Membership:
    """Whether `selection` takes `resource`. A definite no outweighs what is not known; that outweighs a yes."""
    included = _included(selection, resource, opt_in)
    steps = [_not_a_restore_test(resource), _not_excluded(selection, resource)]
    steps += [_condition(condition, resource) for condition in selection.conditions]
    steps.append(included)
    for verdict in (False, None):
        if step := next((step for step in steps if step.verdict is verdict), None):
            return Membership(selected=verdict, reason=step.reason, warnings=_warnings(selection))
    return Membership(selected=True, reason=included.reason, warnings=_warnings(selection))


def parse_selection(document: Mapping[str, object]) -> Selection:
    """Read a `BackupSelection` as the API and templates write it.

    Raises SelectionError for an operator, a key or a shape that the API does not have.
    """
    known = {"SelectionName", "IamRoleArn", "Resources", "NotResources", "ListOfTags", "Conditions"}
    if unknown := sorted(document.keys() - known):
        raise SelectionError(f"a BackupSelection has no {unknown[0]}", hint=f"use {', '.join(sorted(known))}")
    return Selection(
        name=_text(document.get("SelectionName", "")),
        iam_role_arn=_text(document.get("IamRoleArn", "")),
        resources=tuple(_text(arn) for arn in _items(document.get("Resources"))),
        not_resources=tuple(_text(arn) for arn in _items(document.get("NotResources"))),
        list_of_tags=tuple(_tag_equals(_fields(entry)) for entry in _items(document.get("ListOfTags"))),
        conditions=tuple(_conditions(_fields(document.get("Conditions") or {}))),
    )


def matches(pattern: str, text: str) -> bool:
    """Whether `*` in `pattern` stands for zero or more characters of `text` that are not white space. Case sensitive.

    'The `*` wildcard does not match whitespace characters' (assigning-resources-json.html).
    """
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(r"\S*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def _not_a_restore_test(resource: Resource) -> _Step:
    if resource.name.startswith(RESTORE_TEST):
        return _Step(False, f"backup plans ignore names that start with {RESTORE_TEST}")
    tags = resource.tags or {}
    if RESTORE_TEST in tags:
        return _Step(False, f"backup plans ignore resources with the tag {RESTORE_TEST}")
    if any(key.startswith(RESTORE_TEST) for key in tags):
        return _Step(None, f"whether a tag key that only starts with {RESTORE_TEST} excludes is not documented")
    return _Step(True, "")


def _not_excluded(selection: Selection, resource: Resource) -> _Step:
    for pattern in selection.not_resources:
        matched = _arn_matches(pattern, resource.arn)
        if matched is not False:
            why = f"NotResources {pattern} excludes it" if matched else _empty_fields(pattern)
            return _Step(False if matched else None, why)
    return _Step(True, "")


def _included(selection: Selection, resource: Resource, opt_in: OptIn) -> _Step:
    """The union of what Resources and ListOfTags name ('all FSx, one cluster, and all tagged backup=true')."""
    ways = [*_by_resources(selection, resource, opt_in), *_by_tags(selection, resource, opt_in)]
    if not selection.resources and not selection.list_of_tags:
        # "Otherwise, Backup attempts to select all supported and opted-in storage resources" (API_BackupSelection)
        said = "only conditions are given" if selection.conditions else "nothing is given"
        ways.append(_if_opted_in(_Step(True, f"{said}: every opted-in resource is taken"), resource, opt_in))
    for verdict in (True, None, False):
        found = next((way for way in ways if way.verdict is verdict), None)
        if found is not None:
            return found
    return _Step(False, "neither Resources nor ListOfTags names it")


def _by_resources(selection: Selection, resource: Resource, opt_in: OptIn) -> Iterable[_Step]:
    for pattern in selection.resources:
        matched = _arn_matches(pattern, resource.arn)
        if matched is False:
            continue
        step = _Step(matched, f"Resources {pattern} names it" if matched else _empty_fields(pattern))
        explicit = _names_a_type(pattern) and resource.type not in SHARED_ARN_TYPES
        yield step if explicit else _if_opted_in(step, resource, opt_in)


def _by_tags(selection: Selection, resource: Resource, opt_in: OptIn) -> Iterable[_Step]:
    if selection.list_of_tags and resource.tags is None:
        yield _if_opted_in(_Step(None, "ListOfTags asks for tags that could not be read"), resource, opt_in)
        return
    for wanted in selection.list_of_tags:
        if (resource.tags or {}).get(wanted.key) == wanted.value:
            tagged = _Step(True, f"ListOfTags {wanted.key}={wanted.value} names it")
            yield _if_opted_in(tagged, resource, opt_in)


def _if_opted_in(step: _Step, resource: Resource, opt_in: OptIn) -> _Step:
    """'If resource assignments are only based on tags, then service opt-in settings are applied.'"""
    opted = None if opt_in is None else opt_in.get(resource.type)
    if opted is False:
        return _Step(False, f"{step.reason}, but {resource.type} is not opted in and its type is not named")
    if opted is None and step.verdict:
        return _Step(None, f"{step.reason}, if {resource.type} is opted in, which could not be read")
    return step


def _names_a_type(pattern: str) -> bool:
    """'Selection by service name' (`arn:aws:ec2:*`) as against 'by resource type' (`arn:aws:ec2:::instance/*`)."""
    parts = pattern.split(":", 5)
    return len(parts) == 6 and not parts[5].startswith("*")


def _arn_matches(pattern: str, arn: str) -> bool | None:
    """None for a pattern with empty fields: the guide writes `arn:aws:ec2:::instance/*` but not what it matches."""
    if matches(pattern, arn):
        return True
    parts = pattern.split(":", 5)
    if len(parts) == 6 and not (parts[3] and parts[4]):
        filled = ":".join([*parts[:3], parts[3] or "*", parts[4] or "*", parts[5]])
        return None if matches(filled, arn) else False
    return False


def _empty_fields(pattern: str) -> str:
    return f"{pattern} leaves the Region or account empty: AWS does not document whether that matches every one"


def _condition(condition: Condition, resource: Resource) -> _Step:
    """An absent tag satisfies the negated operators, 'similar to IAM policies' (assigning-resources-json.html)."""
    shown = f"Conditions.{condition.operator} {condition.key}={condition.value}"
    if not condition.key.startswith(TAG_PREFIX):
        return _Step(None, f"{shown}: the key lacks the prefix {TAG_PREFIX}; what AWS makes of it is not documented")
    if resource.tags is None:
        return _Step(None, f"{shown} asks for tags that could not be read")
    value = resource.tags.get(condition.key.removeprefix(TAG_PREFIX))
    if condition.operator in (Operator.STRING_LIKE, Operator.STRING_NOT_LIKE):
        equal = value is not None and matches(condition.value, value)
    else:
        equal = value == condition.value
    negated = condition.operator in (Operator.STRING_NOT_EQUALS, Operator.STRING_NOT_LIKE)
    seen = "no such tag" if value is None else f"the tag is {value!r}"
    return _Step(equal is not negated, f"{shown} is {'met' if equal is not negated else 'not met'}: {seen}")


def _warnings(selection: Selection) -> tuple[str, ...]:
    found = [
        f"{pattern}: the API reference accepts * only at the end of an ARN, the guide's examples have it inside"
        for pattern in (*selection.resources, *selection.not_resources)
        if "*" in pattern[:-1]
    ]
    found += [
        f"ListOfTags {tag.key}: a tag key cannot start with aws:, so this matches nothing; write it without the prefix"
        for tag in selection.list_of_tags
        if tag.key.startswith("aws:")
    ]
    return tuple(found)


def _tag_equals(entry: Mapping[str, object]) -> TagEquals:
    kind = _text(entry.get("ConditionType", ""))
    if kind.upper() != "STRINGEQUALS":  # the API's enumeration is STRINGEQUALS, its examples say StringEquals
        raise SelectionError(f"ListOfTags supports only StringEquals, not {kind or 'nothing'}")
    return TagEquals(key=_text(entry.get("ConditionKey", "")), value=_text(entry.get("ConditionValue", "")))


def _conditions(document: Mapping[str, object]) -> Iterable[Condition]:
    for name, entries in document.items():
        if name not in tuple(Operator):
            raise SelectionError(f"Conditions has no operator {name}", hint=f"use {', '.join(Operator)}; case matters")
        for entry in map(_fields, _items(entries)):
            key, value = _text(entry.get("ConditionKey", "")), _text(entry.get("ConditionValue", ""))
            yield Condition(operator=Operator(name), key=key, value=value)


def _items(value: object) -> Sequence[object]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SelectionError(f"expected a list in a BackupSelection, found {value!r}")
    return value


def _fields(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise SelectionError(f"expected an object in a BackupSelection, found {value!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise SelectionError(f"expected a string in a BackupSelection, found {value!r}")
    return value
