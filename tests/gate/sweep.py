"""Every change of changes.py through the gate with all our templates: `python -m tests.gate.sweep [PATTERN]`.

A change is noticed where something that was green is not any more. What is not noticed must be in survivors.yaml,
with the reason; exit 1 on a difference in either direction, printed so that it can be copied there. A change costs
some 0.4 s of CPU, on two processes. Results are written as they come, and a run that was stopped goes on where it
was, as long as neither code nor templates have changed. PATTERN (a regular expression) tries the changes that match
only, and `--document` writes docs/gate-survivors.md anew.
"""

from __future__ import annotations

import gc
import hashlib
import json
import multiprocessing
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import yaml
from samtranslator.translator import translator
from tests.gate.building import NOW as WHEN
from tests.gate.building import ROOT, Key, policy
from tests.gate.changes import ADDITIONS, Change, every_change, our_stacks

from backcheck.errors import Error
from backcheck.finding import Status
from backcheck.gate.judge import judge
from backcheck.gate.stacks import StackSpec
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template import sam
from backcheck.template.node import Map

RESULTS = ROOT / ".cache" / "gate-sweep.jsonl"
SURVIVORS = Path(__file__).parent / "survivors.yaml"
DOCUMENT = ROOT / "docs" / "gate-survivors.md"
PROCESSES = 2
CHANGES_A_PROCESS = 50
"""Then another takes its place: each audit adds an event handler to the clients that are kept."""

APART = {"drill": "restore-testing", "restore-testing": "drill"}
"""Either is a schedule that tests restores (RST-01): together each hides what the other lacks."""


def noticed(change: Change) -> tuple[str, ...]:
    """The controls that turn from green with this change; nothing where it survives."""
    stacks = our_stacks()
    try:
        with_it = _bad((*stacks[: change.stack], change.spec, *stacks[change.stack + 1 :]), change.spec.name)
    except Error as error:
        return (f"refused: {error.message}",)
    return tuple(sorted({control for control, _, _ in with_it - _bad_before(change.spec.name)}))


def _bad(stacks: tuple[StackSpec, ...], changed: str) -> frozenset[Key]:
    line_up = tuple(one for one in stacks if one.name != APART.get(changed))
    found = judge(line_up, policy(), WHEN, lint=False).run.findings
    return frozenset(one.key for one in found if one.status in (Status.FAIL, Status.UNKNOWN))


@cache
def _bad_before(changed: str) -> frozenset[Key]:
    """Nothing, but that IAM-02 misses the drill role where drill.yaml stands apart."""
    return _bad(our_stacks(), changed)


@cache
def listed() -> Mapping[str, str]:
    """The survivors that survivors.yaml lists, each with the reason. `*` stands for anything, also for nothing.

    Raises AssertionError for a pattern that no change matches, and for a change that two match.
    """
    found: dict[str, str] = {}
    every = dict.fromkeys(change.name for change in every_change())
    for entry in yaml.safe_load(SURVIVORS.read_text()):
        for pattern in entry["changes"]:
            names = [pattern] if pattern in every else [name for name in every if fnmatchcase(name, pattern)]
            assert names, f"no change is like {pattern}"
            for name in names:
                assert name not in found, f"{name} is listed twice"
                found[name] = " ".join(entry["why"].split())
    return found


def document() -> str:
    """docs/gate-survivors.md."""
    survivors = listed()
    reasons: dict[str, list[str]] = {}
    for name, why in survivors.items():
        reasons.setdefault(why, []).append(name)
    tried = len(every_change())
    head = f"""# Changes to our templates that the gate does not notice
`python -m tests.gate.sweep` takes away (`-`) or alters (`~`) each property of `templates/*.yaml` that bears on backups,
and adds (`+`) what AWS lets a template say that silences, forbids, excludes or shortens (`tests/gate/additions.yaml`),
one at a time. It asks the gate, given all the templates together (drill.yaml and restore-testing.yaml without each
other, since either tests restores), whether anything that was green is not any more. Of
{tried} changes it notices {tried - len(survivors)}; {len(survivors)} are below, each with the reason. They are kept
in `tests/gate/survivors.yaml`; the sweep fails on a survivor that is not in it, and on one that no longer survives, and
`tests/gate/test_sweep.py` tries a sample each time. Linters are left out: what only cfn-lint would refuse is below too.
"""
    parts = [f"\n{why}\n\n" + "".join(f"- `{name}`\n" for name in names) for why, names in reasons.items()]
    return head + "".join(parts)


def _digest() -> str:
    """Of everything that a result hangs on."""
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "templates").glob("*.yaml"), ROOT / "policies" / "techmoda.yaml"]
    told = hashlib.sha256()
    for file in (*sorted(files), ADDITIONS, *sorted(Path(__file__).parent.glob("*.py"))):
        told.update(file.read_bytes())
    return told.hexdigest()


def _earlier(digest: str) -> dict[str, tuple[str, ...]]:
    """Results of a run that was stopped; none where something has changed since."""
    lines = RESULTS.read_text().splitlines() if RESULTS.is_file() else []
    if not lines or json.loads(lines[0]) != digest:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(digest) + "\n")
        return {}
    return {name: tuple(by) for name, by in map(json.loads, lines[1:])}


def swept(wanted: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """What notices each change, by its name. Only this process writes results."""
    done = _earlier(_digest())
    names = list(wanted)
    _bad_before("dr"), _bad_before("drill"), _bad_before("restore-testing")
    gc.freeze()
    forking = multiprocessing.get_context("fork")
    with RESULTS.open("a") as file, forking.Pool(PROCESSES, maxtasksperchild=CHANGES_A_PROCESS) as pool:
        for name, by in pool.imap_unordered(_tried, [name for name in names if name not in done]):
            done[name] = by
            file.write(json.dumps([name, by]) + "\n")
            file.flush()
    return {name: done[name] for name in names}


def _tried(name: str) -> tuple[str, tuple[str, ...]]:
    return name, noticed(_by_name()[name])


@cache
def _by_name() -> Mapping[str, Change]:
    return {change.name: change for change in every_change()}


@contextmanager
def _sparing() -> Iterator[None]:
    """What is the same for every change is made once: unchanged templates after SAM, SAM's own tables, clients."""
    expand, session, kept = sam.expand, Sandbox.session, {id(spec.template.root) for spec in our_stacks()}
    expanded: dict[tuple[int, str], Map] = {}

    def expand_once(root: Map, *, region: str, **rest: Any) -> Map:
        if id(root) not in kept:
            return expand(root, region=region, **rest)
        if (id(root), region) not in expanded:
            expanded[id(root), region] = expand(root, region=region, **rest)
        return expanded[id(root), region]

    @cache
    def session_once(account: str) -> Any:
        found: Any = session(cast("Sandbox", None), account=account)
        make, clients = found.client, {}

        def client(service: str, *, region_name: str, **rest: Any) -> Any:
            key = (service, region_name, "config" in rest)
            if key not in clients:
                clients[key] = make(service, region_name=region_name, **rest)
            return clients[key]

        found.client = client
        return found

    tables = "make_policy_template_for_function_plugin"
    with (
        patch.object(sam, "expand", expand_once),
        patch.object(translator, tables, cache(getattr(translator, tables))),
        patch.object(Sandbox, "session", lambda self, *, account=None: session_once(account or self.account)),
    ):
        yield


def main(pattern: str = "") -> int:
    """Sweep, compare with what is listed, and say what differs."""
    if pattern == "--document":
        DOCUMENT.write_text(document())
        return 0
    with _sparing():
        found = swept(change.name for change in every_change() if re.search(pattern, change.name))
    survivors = {name for name, by in found.items() if not by}
    expected = listed().keys() & found.keys()
    for name in found:
        if name in survivors - expected:
            print(f'    - "{name}"')
    for name in found:
        if name in expected - survivors:
            print(f"listed, and noticed by {', '.join(found[name])}: {name}")
    print(f"{len(found)} of {len(every_change())} changes tried, {len(survivors)} survived")
    return int(survivors != expected)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
