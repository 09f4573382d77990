"""What changed between two runs: findings.json read back and compared by control, resource and tier."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from backcheck.errors import UsageError
from backcheck.evidence.findings_json import PASSED, SCHEMA
from backcheck.finding import Finding, Status

Key = tuple[str, str, str]
"""Control, resource, tier: what makes a finding the same one in another run."""

BAD = frozenset({Status.FAIL, Status.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One finding whose verdict is not what it was. None: it was, or is, not there."""

    key: Key
    before: Status | None
    after: Status | None
    message: str
    added: tuple[str, ...] = ()
    """Of a FAIL that was one before: what it is made of now and was not then, such as another night's backup."""

    @property
    def worse(self) -> bool:
        """It fails now and did not before, or for more; or it is unknown now and was neither; or it was not there."""
        return (self.after is Status.FAIL and (self.before is not Status.FAIL or bool(self.added))) or (
            self.after is Status.UNKNOWN and self.before not in BAD
        )

    @property
    def better(self) -> bool:
        """It failed or was unknown, and is now neither or gone."""
        return self.before in BAD and self.after not in BAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a run said of one key."""

    status: Status
    message: str = ""
    instances: frozenset[str] = frozenset()
    """Finding.instances. A run of an earlier version has none: then every one of a later run is new."""

    def added(self, later: Known) -> tuple[str, ...]:
        """What a later FAIL is made of and this one was not. A night that is no longer looked at is no change."""
        if self.status is not Status.FAIL or later.status is not Status.FAIL:
            return ()
        return tuple(sorted(later.instances - self.instances))


Verdicts = Mapping[Key, Known]


def read(path: Path) -> Verdicts:
    """The verdicts of a findings.json. Raises UsageError for what is not one."""
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except orjson.JSONDecodeError as error:
        raise UsageError(f"is not JSON: {error}", where=str(path), hint="name a findings.json") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"is no run of schema {SCHEMA}", where=str(path), hint="name a findings.json")
    try:
        found = {_key(one): _known(one) for one in document["findings"]}
        if document.get("passed"):
            found.update(_passed(path.with_name(PASSED)))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"is a damaged run: {error!r}", where=str(path)) from error
    return found


def verdicts(findings: Iterable[Finding]) -> Verdicts:
    """The verdicts of a run that is at hand."""
    return {one.key: known(one) for one in findings}


def known(finding: Finding) -> Known:
    """What a later run will know of a finding."""
    return Known(status=finding.status, message=finding.message, instances=frozenset(finding.instances))


def compare(before: Verdicts, after: Verdicts) -> tuple[Change, ...]:
    """Every finding whose verdict changed, appeared, went away, or fails for more; sorted, the worse ones first."""
    changes = []
    for key in before.keys() | after.keys():
        was, is_ = before.get(key), after.get(key)
        then, now = was.status if was else None, is_.status if is_ else None
        added = was.added(is_) if was and is_ else ()
        if added or then is not now:
            message = is_.message if is_ else was.message if was else ""
            changes.append(Change(key=key, before=then, after=now, message=message, added=added))
    return tuple(sorted(changes, key=lambda change: (not change.worse, not change.better, change.key)))


def _key(one: Mapping[str, Any]) -> Key:
    return (str(one["control"]), str(one["resource"]), str(one["tier"] or ""))


def _known(one: Mapping[str, Any]) -> Known:
    instances = frozenset(str(name) for name in one.get("instances", ()))
    return Known(status=Status(one["status"]), message=str(one["message"]), instances=instances)


def _passed(path: Path) -> Iterator[tuple[Key, Known]]:
    """The verdicts that findings.json only counts, from the side file next to it."""
    try:
        document = orjson.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, zlib.error, orjson.JSONDecodeError) as error:
        raise UsageError(f"the run's side file cannot be read: {error}", where=str(path)) from error
    for group in document["passed"]:
        for resource in group["resources"]:
            yield (group["control"], resource, group["tier"] or ""), Known(status=Status.PASS)
