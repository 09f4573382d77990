"""What words are about: the property of a resource that a service's refusal or a finding's message names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from backcheck.controls.cfn import (
    ALARM,
    BACKUP_RULES,
    KEY,
    PERMISSION,
    ROLE,
    RULE,
    SELECTION,
    TABLE,
    TESTED,
    TESTING,
    TOPIC,
    TOPIC_POLICY,
    VAULT,
)
from backcheck.template.result import ResolvedResource
from backcheck.template.value import Value

PROPERTIES = "/Properties"

SAID: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = tuple(
    (re.compile(words), kind, pointers)
    for words, kind, pointers in (
        (
            r"none of its policies allows it|own policies deny|there, and on no new one",
            ROLE,
            ("/Properties/Policies", "/Properties/ManagedPolicyArns"),
        ),
        (r"its policy lets nobody|its key lets|the key of |GetKeyPolicy", KEY, ("/Properties/KeyPolicy",)),
        (r"key is not rotated|GetKeyRotationStatus", KEY, ("/Properties/EnableKeyRotation",)),
        (r"key's DeletionPolicy", KEY, ("/DeletionPolicy",)),
        (r"key's UpdateReplacePolicy", KEY, ("/UpdateReplacePolicy",)),
        (r"vault's DeletionPolicy", VAULT, ("/DeletionPolicy",)),
        (r"vault's UpdateReplacePolicy", VAULT, ("/UpdateReplacePolicy",)),
        (r"\bUpdateReplacePolicy is", TABLE, ("/UpdateReplacePolicy",)),
        (r"\bDeletionPolicy is", TABLE, ("/DeletionPolicy",)),
        (r"the policy of arn:\S+:sns:|GetTopicAttributes", TOPIC_POLICY, ("/Properties/PolicyDocument",)),
        (r"rule \S+ leaves out|no rule of \S+ asks for", RULE, ("/Properties/EventPattern",)),
        (r"rule \S+ is disabled|is DISABLED", RULE, ("/Properties/State",)),
        (r"the actions of alarm \S+ are off", ALARM, ("/Properties/ActionsEnabled",)),
        (r"is not the topic", ALARM, ("/Properties/AlarmActions",)),
        (r"no alarm of", ALARM, (PROPERTIES,)),
        (r"kms:DescribeKey of ", TOPIC, ("/Properties/KmsMasterKeyId",)),
        (r"kms:DescribeKey of ", VAULT, ("/Properties/EncryptionKeyArn",)),
        (r"nothing drills it", TESTED, (PROPERTIES,)),
        (r"restore testing plan .* runs at ", TESTING, ("/Properties/ScheduleExpression",)),
        (r"restore testing plan .* takes no ", TESTING, ("/Properties/RecoveryPointSelection",)),
        (r"does not take the table|has conditions on tags", TESTED, ("/Properties/ProtectedResourceArns",)),
        (r"it restores as ", TESTED, ("/Properties/IamRoleArn",)),
        (r"iam:GetRole of ([^\s:]+)", ROLE, ("/Properties/RoleName",)),
        (r"does not trust", ROLE, ("/Properties/AssumeRolePolicyDocument",)),
        (r"it may not ", ROLE, ("/Properties/Policies", "/Properties/ManagedPolicyArns")),
        (r"no permission for", PERMISSION, (PROPERTIES,)),
        (r"selection \S+: ", SELECTION, ("/Properties/BackupSelection",)),
    )
)
"""What a message says, the type that it says it of, and the properties of it that decide, the likeliest first.

It narrows a place down and judges nothing: a message that is put otherwise leaves the finding on its control's own
property (`reads.READS`). tests/gate/test_lines.py holds how often the line is the one at fault.
"""

_POINTER = re.compile(r"#((?:/[A-Za-z0-9]+)+)")
_PARAMETER = re.compile(r"(?:Request|Input)\.([A-Za-z]+(?:\[\d+\]|\.[A-Za-z]+)*)")
_RULE_NAMED = re.compile(r"\brule ([A-Za-z0-9_.-]+[A-Za-z0-9])")
_PREAMBLE = re.compile(r"^.*?(?:with message: |returned message: )", re.S)
_DOCUMENT = re.compile(r"(/(?:EventPattern|PolicyDocument|KeyPolicy|AccessPolicy|AssumeRolePolicyDocument))/.*")
"""What a policy or a pattern lacks has no line of its own: the whole of it is meant."""
_SHORT = 4
"""Keys and values of fewer characters, such as Id, are said by chance."""


def place_of(words: str, resource: ResolvedResource) -> str:
    """The JSON Pointer below `resource` of what a refusal in these words is about; empty where none is named."""
    said = _PREAMBLE.sub("", words)
    exact = _POINTER.search(said) or _PARAMETER.search(said)
    if exact:
        found = _nearest([token for token in re.split(r"[/.\[\]]+", exact[1]) if token], resource.lines)
        if found:
            return found
    rule = _rule_of(said, resource)
    return said_below(said, resource, rule or PROPERTIES) or rule


def said_below(words: str, resource: ResolvedResource, pointer: str) -> str:
    """Below `pointer`, the first value that the words name, else the first key; empty where there is neither.

    A name is what is spoken of, and not what is wrong.
    """
    below = [one for one in resource.lines if one.startswith(f"{pointer}/")]
    values = (one for one in below if not one.endswith("Name") and _is_said(_value_at(resource, one), words))
    keys = (one for one in below if _is_key_said(one.rpartition("/")[2], words))
    return _DOCUMENT.sub(r"\1", next(values, "") or next(keys, ""))


def likeness(words: str, texts: Sequence[str]) -> list[float]:
    """How much each text has of the words, however they are written: CopyFailed has copy and failed.

    A word that all of them have, such as a common prefix, tells none of them apart and weighs little.
    """
    told = _words(words)
    common = [told & _words(text) for text in texts]
    return [sum(1 / sum(word in other for other in common) for word in own) for own in common]


def _words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]{3,}", text)}


def written_in(resource: ResolvedResource, name: str) -> str:
    """The pointer of a value that is this name, or an ARN that ends with it; empty where there is none."""
    texts = ((one, _value_at(resource, one)) for one in resource.lines if not one.endswith("Name"))
    return next((one for one, text in texts if isinstance(text, str) and re.split("[:/]", text)[-1] == name), "")


def texts_in(value: Value) -> Iterator[str]:
    """Every string in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, Mapping)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(part)


def _nearest(tokens: list[str], pointers: Collection[str]) -> str:
    """The pointer of the tokens, or of the deepest that holds them; else one that ends alike and shares most."""
    for end in range(len(tokens), 1, -1):
        exact = "/".join([PROPERTIES, *tokens[:end]])
        if exact in pointers:
            return exact
    split = [(one, one.split("/")[2:]) for one in pointers if one.startswith(f"{PROPERTIES}/")]
    for end in range(len(tokens), 0, -1):
        alike = [(one, parts) for one, parts in split if parts[-1] == tokens[end - 1]]
        if alike and not tokens[end - 1].isdigit():
            return max(alike, key=lambda pair: (_shared(tokens[:end], pair[1]), -len(pair[1])))[0]
    return ""


def _shared(tokens: list[str], parts: list[str]) -> int:
    """How many tokens two paths have in common, from their ends on and in order."""
    left = list(parts)
    count = 0
    for token in reversed(tokens):
        if token in left:
            while left.pop() != token:
                pass
            count += 1
    return count


def _rule_of(words: str, plan: ResolvedResource) -> str:
    named = _RULE_NAMED.search(words)
    names = list(rule_names(plan))
    return f"{PROPERTIES}{BACKUP_RULES}/{names.index(named[1])}" if named and named[1] in names else ""


def rule_names(plan: ResolvedResource) -> Iterator[Value]:
    """The names of a plan's rules, in order."""
    value = _value_at(plan, f"{PROPERTIES}{BACKUP_RULES}")
    for rule in value if isinstance(value, tuple) else ():
        yield rule.get("RuleName", "") if isinstance(rule, Mapping) else ""


def _value_at(resource: ResolvedResource, pointer: str) -> Value:
    """The value at a pointer below Properties; an empty string where there is none."""
    value: Value = resource.properties
    for token in pointer.split("/")[2:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(key, "")
        elif isinstance(value, tuple) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return ""
    return value


def _is_said(value: Value, words: str) -> bool:
    return isinstance(value, str) and len(value) >= _SHORT and _stands_in(value, words)


def _is_key_said(key: str, words: str) -> bool:
    """Also `destination backup vault ARN` for DestinationBackupVaultArn."""
    squashed = words.replace(" ", "").lower()
    return len(key) >= _SHORT and (_stands_in(key, words) or (_humps(key) > 1 and key.lower() in squashed))


def _stands_in(word: str, words: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", words) is not None


def _humps(key: str) -> int:
    return len(re.findall(r"[A-Z][a-z]+", key))
