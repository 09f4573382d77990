"""The compliance suite inside pytest: one item is one control on one resource, and asserts a finding made before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from backcheck import coverage, waivers
from backcheck.accounts import Choice, Taken, known_regions, moment, take
from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import AnyControl, World
from backcheck.controls.own import own_controls
from backcheck.difference import Known, Verdicts, compare, known, read, verdicts
from backcheck.drill import details, history
from backcheck.drill.record import DrillRecord
from backcheck.errors import Error, UsageError
from backcheck.evidence import changes, drills, html, terminal
from backcheck.evidence.write import SNAPSHOT, append_summary, remove_earlier, write_evidence
from backcheck.finding import Finding, Run, Status
from backcheck.inventory.gap import Gap
from backcheck.policy.load import load

GROUP_ABOVE = 1500
"""Above so many findings an item is a control with all its resources: an item costs some 3 ms of CPU with its reports,
which at 200 tables was more than the audit itself; and Chromium takes 1.7 s to open a page of so many rows, so that
twice as many would not open in 3 s."""

FINDING = "finding"
"""The property of an item, also in JUnit, that names its finding: control, resource and tier, a line each."""

KNOWN = {one.id for one in CONTROLS} | {waivers.CONTROL, coverage.CONTROL}

OWN = "own"
"""In a mark: every control that is not of the catalogue."""

TOLD_AT_MOST = 20
"""Findings that an item's message spells out."""

WORST = (Status.FAIL, Status.UNKNOWN, Status.WAIVED, Status.PASS, Status.NOT_APPLICABLE)


class Undetermined(Exception):  # noqa: N818  it is the verdict's name
    """A claim that could not be judged; JUnit shows it as an error."""


@dataclass(frozen=True, slots=True, repr=False)
class Claim:
    """What a test asserts: one finding, or all findings of one control."""

    id: str
    findings: tuple[Finding, ...]
    known: bool = False
    """Everything in it that fails failed already in the baseline."""

    @property
    def status(self) -> Status:
        """The worst verdict among the findings; failures that are known do not hide what could not be determined."""
        found = {finding.status for finding in self.findings}
        if self.known and Status.UNKNOWN in found:
            return Status.UNKNOWN
        return next(status for status in WORST if status in found)

    @property
    def holds(self) -> bool:
        """Whether nothing failed."""
        return self.status is not Status.FAIL

    def settle(self) -> None:
        """Leave the test where there is nothing to assert: not known, waived, or not applicable."""
        if self.status is Status.UNKNOWN:
            raise Undetermined(str(self))
        if self.status is Status.WAIVED:
            pytest.xfail(str(self))
        if self.status is Status.NOT_APPLICABLE:
            pytest.skip(str(self))
        if self.known:
            pytest.xfail(f"failed already in the baseline\n{self}")

    @property
    def key(self) -> str:
        """What names the first finding that decides, for reports."""
        return "\n".join(next(self._deciding()).key)

    def __repr__(self) -> str:
        return f"<{self.id}>"

    def __str__(self) -> str:
        """The findings that decide, one a paragraph."""
        return "\n".join(terminal.explain(finding) for finding in islice(self._deciding(), TOLD_AT_MOST))

    def _deciding(self) -> Iterator[Finding]:
        status = self.status  # once: a claim may have 100,000 findings
        return (finding for finding in self.findings if finding.status is status)


def claims(findings: Iterable[Finding], baseline: Verdicts | None, *, grouped: bool) -> tuple[Claim, ...]:
    """The claims of some findings: one each, or one a control."""
    if not grouped:
        return tuple(Claim(_item_id(one), (one,), _is_known((one,), baseline)) for one in findings)
    by_control: dict[str, list[Finding]] = {}
    for finding in findings:
        by_control.setdefault(finding.control, []).append(finding)
    return tuple(Claim(name, tuple(found), _is_known(found, baseline)) for name, found in by_control.items())


def _is_known(findings: Iterable[Finding], baseline: Verdicts | None) -> bool:
    failed = [finding for finding in findings if finding.status is Status.FAIL]
    if not failed or baseline is None:
        return False
    return all(_is_the_same(baseline.get(finding.key), finding) for finding in failed)


def _is_the_same(before: Known | None, finding: Finding) -> bool:
    """It failed already, and for all that it fails for now: a second night without a backup is news."""
    return before is not None and before.status is Status.FAIL and not before.added(known(finding))


def _item_id(finding: Finding) -> str:
    """For display only; what a finding is about is in the finding. pytest escapes what does not print."""
    short = finding.resource.rpartition("/")[2] or finding.resource
    return f"{finding.control}-{short}-{finding.tier}" if finding.tier else f"{finding.control}-{short}"


def prepare(config: pytest.Config) -> None:
    """For the destructive tier, which drills before anything is audited: reports beside its evidence, no audit."""
    if config.getoption("out") and not hasattr(config, "workerinput"):
        _ask_for_reports(config, config.invocation_params.dir / config.getoption("out"))


def start(config: pytest.Config) -> None:
    """Audit the account that the options name and register the suite. Errors end the session with their own code."""
    try:
        config.pluginmanager.register(_suite(config), "backcheck-suite")
    except UsageError as error:
        raise pytest.UsageError(error.diagnostics()) from error
    except Error as error:
        pytest.exit(f"backcheck: {error.diagnostics()}", returncode=error.exit_code)


def _suite(config: pytest.Config) -> Suite:
    folder = config.invocation_params.dir
    policy = load(folder / config.getoption("policy"))
    given = getattr(config, "workerinput", None)
    choice = Choice(snapshot=Path(given["backcheck_snapshot"])) if given else choice_of(config, folder)
    out = folder / config.getoption("out") if config.getoption("out") else None
    baseline = read(folder / config.getoption("baseline")) if config.getoption("baseline") else None
    if out and not given:
        remove_earlier(out)
    taken = take(choice, policy)
    now = moment(config.getoption("at")) or taken.inventory.taken_at
    own = own_controls([folder / name for name in config.getoption("controls")])
    world = World(
        policy=policy,
        now=now,
        inventory=taken.inventory,
        drills=_drills(config, folder, out),
        own=frozenset(one.id for one in own),
        known_regions=known_regions(),
    )
    run = audit(world, (*CONTROLS, *own), taken.sha256)
    if not run.findings:
        raise UsageError("nothing is selected: no control has anything to say about this policy")
    if out and not given:
        _ask_for_reports(config, out)
    return Suite(run, world, taken, out, baseline, own, _history(config, folder, out))


def choice_of(config: pytest.Config, folder: Path) -> Choice:
    """The account that the options name."""

    def path(name: str) -> Path | None:
        return folder / config.getoption(name) if config.getoption(name) else None

    return Choice(
        live=config.getoption("live"),
        endpoint_url=config.getoption("endpoint_url"),
        sandbox=config.getoption("sandbox"),
        snapshot=path("snapshot"),
        profile=config.getoption("aws_profile"),
        role_arn=config.getoption("aws_role_arn"),
        regions=tuple(config.getoption("aws_region")),
    )


def _drills(config: pytest.Config, folder: Path, out: Path | None) -> tuple[DrillRecord, ...] | Gap:
    """The history that is named, or the one beside the evidence. None there: no drill is on record."""
    named = config.getoption("drills")
    if named and not (folder / named).is_file():
        raise UsageError(f"there is no drill history {named}", hint="backcheck drill --out DIR writes DIR/drills.jsonl")
    path = _history(config, folder, out)
    return history.read(path) if named or (out and path.is_file()) else ()


def _history(config: pytest.Config, folder: Path, out: Path | None) -> Path:
    named = config.getoption("drills")
    return folder / named if named else (out or folder) / history.FILE


def _ask_for_reports(config: pytest.Config, out: Path) -> None:
    """Have pytest's own JUnit report, and pytest-html's page where it is installed, written beside the findings."""
    out.mkdir(parents=True, exist_ok=True)
    config.option.xmlpath = config.option.xmlpath or str(out / "junit.xml")
    if hasattr(config.option, "htmlpath"):
        config.option.htmlpath = config.option.htmlpath or str(out / "report.html")
        config.option.self_contained_html = True


class Suite:
    """The hooks of one audited run."""

    def __init__(
        self,
        run: Run,
        world: World,
        taken: Taken,
        out: Path | None,
        baseline: Verdicts | None = None,
        own: tuple[AnyControl, ...] = (),
        drill_history: Path | None = None,
    ) -> None:
        """`out` is None where no evidence is asked for."""
        self._drill_history = drill_history
        self.run = run
        self._world = world
        self._baseline = baseline
        self._taken = taken
        self._out = out
        self._own = own
        self._codes: set[int] = set()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Without controls of one's own there is nothing to assert about them."""
        return True if collection_path.name == "test_own.py" and not self._own else None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrize `claim` with the findings of the controls that the test is marked with."""
        if "claim" not in metafunc.fixturenames:
            return
        wanted = {name for mark in metafunc.definition.iter_markers("controls") for name in mark.args}
        if not wanted:
            raise pytest.UsageError(f"{metafunc.definition.nodeid} has no mark `controls`: it would assert nothing")
        own = {one.id for one in self._own}
        wanted = wanted - {OWN} | own if OWN in wanted else wanted
        if odd := sorted(wanted - KNOWN - own):
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: there is no control {odd[0]}")
        findings = (one for control in sorted(wanted) for one in self._by_control.get(control, ()))
        found = claims(findings, self._baseline, grouped=self._grouped)
        metafunc.parametrize("claim", found, ids=[one.id for one in found], indirect=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give xdist's workers the controller's snapshot: none of them reads the account again."""
        node.workerinput["backcheck_snapshot"] = str(self._snapshot_file())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what an item says about the exit code: a failed call is FAIL, a failed set-up could not tell."""
        if report.failed:
            self._codes.add(1 if report.when == "call" else 2)
        elif report.when == "call" and report.passed:
            self._codes.add(0)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the evidence and set the exit code; on the controller only."""
        if hasattr(session.config, "workerinput"):
            return
        if self._out:
            write_evidence(self.run, self._taken.data, self._out)
        if self._temporary:
            self._temporary.cleanup()
        session.exitstatus = self._exit_code(exitstatus)
        page = os.environ.get("GITHUB_STEP_SUMMARY")
        if page:
            known = _is_known(self.run.findings, self._baseline)
            append_summary(terminal.markdown(self.run, session.exitstatus, known=known), Path(page))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """The verdict, and where the evidence is."""
        terminalreporter.write_line("")
        code = self._exit_code(exitstatus)
        if self._baseline is not None:
            for line in changes.since_baseline(compare(self._baseline, verdicts(self.run.findings))):
                terminalreporter.write_line(line)
        for line in terminal.summary(self.run, self._out, code, known=_is_known(self.run.findings, self._baseline)):
            terminalreporter.write_line(line)

    @pytest.hookimpl(optionalhook=True)
    def pytest_metadata(self, metadata: dict[str, Any]) -> None:
        """pytest-metadata lists the machine's plugins and CI variables: none of that belongs into evidence."""
        metadata.clear()

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """The verdict in the title, what pytest's outcomes mean, and only what needs action unfolded."""
        report.title = html.title(self.run)
        for outcome, label in html.OUTCOMES.items():
            report.outcomes[outcome]["label"] = label
        report.set_data("renderCollapsed", ["passed", "skipped"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Our sections, above pytest-html's table of every finding."""
        shown, _ = drills.shown(self._world.drills)
        found = details.read(self._drill_history, shown) if self._drill_history else {}
        prefix.append(html.sections(self.run, self._world, (*CONTROLS, *self._own), found))

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Result, then what the finding is about; durations and links say nothing here."""
        cells[1:] = html.header()

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: Any, cells: list[str]) -> None:
        """The finding that the item asserted; an item that is none of ours keeps its name."""
        finding = self._found(report)
        cells[1:] = html.row(finding) if finding else [f"<td>{escape(report.nodeid)}</td>", *["<td></td>"] * 3]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: Any, data: list[str]) -> None:
        """The finding in full instead of pytest's own words, which name the machine's folders."""
        finding = self._found(report)
        if finding is None:
            return
        among = self._by_control[finding.control] if self._grouped else [finding]
        data[:] = [html.told([one for one in among if one.status is finding.status])]

    def _found(self, report: Any) -> Finding | None:
        """The finding that an item asserted, the first that decides where it asserted several."""
        key = dict(report.user_properties).get(FINDING)
        return self._by_key.get(tuple(key.split("\n"))) if key else None

    def _exit_code(self, exitstatus: int) -> int:
        """1 wins over 2; no item passed, or pytest itself failed, is 'could not determine'."""
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return 4 if exitstatus == pytest.ExitCode.USAGE_ERROR else 2
        if 1 in self._codes:
            return 1
        return 0 if self._codes == {0} else 2

    @cached_property
    def _by_key(self) -> dict[tuple[str, ...], Finding]:
        return {finding.key: finding for finding in self.run.findings}

    @cached_property
    def _by_control(self) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = {}
        for finding in self.run.findings:
            found.setdefault(finding.control, []).append(finding)
        return found

    @property
    def _grouped(self) -> bool:
        return len(self.run.findings) > GROUP_ABOVE

    def _snapshot_file(self) -> Path:
        folder = self._out
        if folder is None:
            self._temporary = self._temporary or tempfile.TemporaryDirectory(prefix="backcheck-")
            folder = Path(self._temporary.name)
        path = folder / SNAPSHOT
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._taken.data)
        return path
