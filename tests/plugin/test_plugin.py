"""The pytest plugin: inert without a policy, loud about emptiness, the same on every worker, exit codes of its own."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path
from xml.etree.ElementTree import Element, parse

import pytest
from tests.drill.test_details import RECORD, restore, written
from tests.plugin.conftest import DENIED, changed
from tests.test_difference import FAIL, UNKNOWN
from tests.test_waivers import finding

from backcheck.controls import CONTROLS
from backcheck.difference import verdicts
from backcheck.drill import history
from backcheck.evidence.findings_json import PASSED
from backcheck.inventory import snapshot
from backcheck.inventory.gap import Gap
from backcheck.suite import Undetermined, claims

SUITE = ("--pyargs", "backcheck.suites.tests_policy", "-p", "no:cacheprovider", "-p", "no:randomly", "-q")


def audit(pytester: pytest.Pytester, policy: Path, snapshot: Path, *more: str) -> pytest.RunResult:
    run = pytester.runpytest_subprocess if "-n" in more else pytester.runpytest_inprocess
    return run(*SUITE, "--policy", str(policy), "--snapshot", str(snapshot), *more)


def lost(compliant: Path, nights: int) -> Path:
    """The compliant account without the daily points of some nights, eight days ago and before."""
    inventory = snapshot.read(compliant)
    gone = [inventory.taken_at.date() - timedelta(days=8 + n) for n in range(nights)]
    accounts = []
    for account in inventory.accounts:
        regions = []
        for region in account.regions:
            assert not isinstance(region.vaults, Gap)
            vaults = []
            for vault in region.vaults:
                assert not isinstance(vault.recovery_points, Gap)
                kept = tuple(one for one in vault.recovery_points if one.created.date() not in gone)
                vaults.append(replace(vault, recovery_points=kept))
            regions.append(replace(region, vaults=tuple(vaults)))
        accounts.append(replace(account, regions=tuple(regions)))
    path = compliant.with_name(f"lost-{nights}.json.gz")
    snapshot.write(replace(inventory, accounts=tuple(accounts)), path)
    return path


def failures(path: Path) -> list[Element]:
    return [case for case in cases(path) if case.find("failure") is not None]


def cases(path: Path) -> list[Element]:
    return list(parse(path).iter("testcase"))


def test_it_does_nothing_without_a_policy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(): pass")
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*SIMULATED*")


def test_it_imports_nothing_heavy_without_a_policy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\n"
        "def test_light():\n"
        "    assert not {'boto3', 'backcheck.suite', 'backcheck.controls', 'moto'} & sys.modules.keys()"
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_suite_without_a_policy_is_an_error(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(*SUITE)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*needs a policy: pytest --policy FILE and an account*"])


def test_a_compliant_account_is_green(pytester: pytest.Pytester, policy_file: Path, compliant: Path) -> None:
    result = audit(pytester, policy_file, compliant, "--out", "evidence")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["SIMULATED: *", "*0 fail, 0 unknown*compliant (exit 0)", "evidence: *evidence"])
    written = {path.name for path in (pytester.path / "evidence").iterdir()}
    assert written == {"findings.json", "junit.xml", "report.html", "snapshot.json.gz"}


def test_the_page_shows_the_drills_and_no_folder_of_the_machine(
    pytester: pytest.Pytester, policy_file: Path, denied: Path, pytestconfig: pytest.Config
) -> None:
    folder = pytester.mkdir("evidence")
    history.append(written(folder, restore()), [RECORD])
    assert audit(pytester, policy_file, denied, "--out", "evidence").ret == 2
    page = (folder / "report.html").read_text()
    assert "2 expected, 3 restored" in page
    assert "SIMULATED" in page
    assert str(pytestconfig.rootpath) not in page
    assert "PIT-01 UNKNOWN arn:aws:dynamodb:us-east-1:123456789012:table/techmoda-products" in page


def test_a_failure_is_exit_1(pytester: pytest.Pytester, policy_file: Path, without_pitr: Path) -> None:
    result = audit(pytester, policy_file, without_pitr, "--out", "evidence")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAIL * PIT-01 *techmoda-products*cannot be restored to a point in time*"])
    failed = [case for case in cases(pytester.path / "evidence" / "junit.xml") if case.find("failure") is not None]
    assert "PIT-01-techmoda-products" in " ".join(case.get("name", "") for case in failed)


def test_unknown_is_an_error_and_never_skipped(pytester: pytest.Pytester, policy_file: Path, denied: Path) -> None:
    result = audit(pytester, policy_file, denied, "--out", "evidence")
    assert result.ret == 2
    found = [c for c in cases(pytester.path / "evidence" / "junit.xml") if "PIT-01" in c.get("name", "")]
    assert [case.find("error") is not None for case in found] == [True]
    assert [case.find("skipped") for case in found] == [None]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["--policy", "missing.yaml", "--live"], 4, "*missing.yaml*"),
        (["--policy", "POLICY"], 4, "*no account is named*"),
        (["--policy", "POLICY", "--live", "--sandbox", "techmoda"], 4, "*more than one account is named*"),
        (["--policy", "POLICY", "--snapshot", "none.gz"], 4, "*none.gz: cannot be read*"),
        (["--policy", "POLICY", "--snapshot", "SNAPSHOT", "--at", "noon"], 4, "*--at noon is not a time*"),
        (["--policy", "POLICY", "--snapshot", "SNAPSHOT", "--at", "2026-11-22T12:00:00"], 4, "*has no time zone*"),
        (["--policy", "POLICY", "--snapshot", "SNAPSHOT", "--aws-profile", "x"], 4, "*profile or role means nothing*"),
        (["--policy", "POLICY", "--snapshot", "SNAPSHOT", "-k", "nothing_of_that_name"], 2, "*deselected*"),
    ],
)
def test_wrong_usage(
    arguments: list[str], code: int, line: str, pytester: pytest.Pytester, policy_file: Path, compliant: Path
) -> None:
    names = {"POLICY": str(policy_file), "SNAPSHOT": str(compliant)}
    result = pytester.runpytest_inprocess(*SUITE, *[names.get(one, one) for one in arguments])
    assert result.ret == code
    assert any(fnmatch(one, line) for one in result.outlines + result.errlines)


def test_workers_collect_the_same_and_agree(pytester: pytest.Pytester, policy_file: Path, without_pitr: Path) -> None:
    alone = audit(pytester, policy_file, without_pitr, "--out", "alone")
    spread = audit(pytester, policy_file, without_pitr, "--out", "spread", "-n", "2")
    assert (alone.ret, spread.ret) == (1, 1)
    names = [sorted(str(c.get("name")) for c in cases(pytester.path / o / "junit.xml")) for o in ("alone", "spread")]
    assert names[0] == names[1]
    findings = [(pytester.path / out / "findings.json").read_bytes() for out in ("alone", "spread")]
    assert findings[0] == findings[1]


def test_workers_get_a_snapshot_without_an_out_folder(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path
) -> None:
    assert audit(pytester, policy_file, compliant, "-n", "2").ret == 0


def test_equal_inputs_give_equal_bytes(pytester: pytest.Pytester, policy_file: Path, compliant: Path) -> None:
    for out in ("one", "two"):
        audit(pytester, policy_file, compliant, "--out", out)
    one, two = ((pytester.path / out / "findings.json").read_bytes() for out in ("one", "two"))
    assert one == two


def test_two_checkouts_give_equal_bytes(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first names the policy from where it stands, the second by its absolute path."""
    written = []
    for checkout, stem in (("one", Path("policies")), ("two", pytester.path / "two" / "policies")):
        folder = pytester.mkdir(checkout)
        (folder / "policies").mkdir()
        shutil.copy(policy_file, folder / "policies")
        monkeypatch.chdir(folder)
        assert audit(pytester, stem / policy_file.name, compliant, "--out", "evidence").ret == 0
        written.append((folder / "evidence" / "findings.json").read_bytes())
    places = {one["location"]["file"] for one in json.loads(written[0])["findings"] if one["location"]}
    assert places == {"policies/techmoda.yaml"}
    assert written[0] == written[1]


def test_the_clock_can_be_another(pytester: pytest.Pytester, policy_file: Path, compliant: Path) -> None:
    result = audit(pytester, policy_file, compliant, "--at", "2026-12-24T12:00:00Z", "--out", "evidence")
    assert result.ret == 1
    findings = json.loads((pytester.path / "evidence" / "findings.json").read_bytes())
    assert findings["run"]["clock"] == "2026-12-24T12:00:00+00:00"
    assert "RP-01" in {one["control"] for one in findings["findings"] if one["status"] == "fail"}


def test_known_failures_do_not_block(pytester: pytest.Pytester, policy_file: Path, without_pitr: Path) -> None:
    audit(pytester, policy_file, without_pitr, "--out", "before")
    result = audit(pytester, policy_file, without_pitr, "--baseline", "before/findings.json", "--out", "after")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*not compliant, but nothing new since the baseline (exit 0)"])
    findings = json.loads((pytester.path / "after" / "findings.json").read_bytes())
    assert findings["summary"]["fail"] > 0


def test_new_failures_block(pytester: pytest.Pytester, policy_file: Path, without_pitr: Path, compliant: Path) -> None:
    audit(pytester, policy_file, compliant, "--out", "before")
    assert audit(pytester, policy_file, without_pitr, "--baseline", "before/findings.json").ret == 1


def test_a_known_failure_that_fails_for_more_blocks(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path
) -> None:
    """RP-02 fails in both runs, for one lost night and then for two."""
    one, two = (lost(compliant, nights) for nights in (1, 2))
    audit(pytester, policy_file, one, "--out", "before")
    same = audit(pytester, policy_file, one, "--baseline", "before/findings.json")
    assert same.ret == 0
    same.stdout.no_fnmatch_line("NEW *")
    more = audit(pytester, policy_file, two, "--baseline", "before/findings.json", "--out", "after")
    assert more.ret == 1
    more.stdout.fnmatch_lines(["NEW     RP-02 * (*/daily): fail, now also for 2026-11-13T01:00:00+00:00: *"])
    assert any("RP-02" in str(c.get("name")) for c in failures(pytester.path / "after" / "junit.xml"))


def test_unknown_blocks_in_spite_of_a_baseline(pytester: pytest.Pytester, policy_file: Path, denied: Path) -> None:
    audit(pytester, policy_file, denied, "--out", "before")
    assert audit(pytester, policy_file, denied, "--baseline", "before/findings.json").ret == 2


def test_unknown_beside_known_failures_is_said_to_be_what_blocks(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path
) -> None:
    path = changed(lost(compliant, 1), "lost-and-denied", lambda table: replace(table, pitr=DENIED), gaps=(DENIED,))
    audit(pytester, policy_file, path, "--out", "before")
    result = audit(pytester, policy_file, path, "--baseline", "before/findings.json")
    assert result.ret == 2
    said = "*not compliant: the failures are known from the baseline, the * unknown block all the same (exit 2)"
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*judged by the items that ran*")


def test_failures_that_did_not_run_are_not_called_known(
    pytester: pytest.Pytester, policy_file: Path, without_pitr: Path, compliant: Path
) -> None:
    audit(pytester, policy_file, compliant, "--out", "before")
    result = audit(pytester, policy_file, without_pitr, "--baseline", "before/findings.json", "-k", "PLN-01")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*not compliant, but every item that ran passed (exit 0)"])


def test_known_failures_of_a_group_do_not_hide_what_is_unknown() -> None:
    known, denied = finding(FAIL, resource="table/0"), finding(UNKNOWN, resource="table/1")
    (claim,) = claims([known, denied], verdicts([known]), grouped=True)
    with pytest.raises(Undetermined, match="UNKNOWN table/1"):
        claim.settle()


def test_a_part_of_the_suite_does_not_speak_of_a_baseline(
    pytester: pytest.Pytester, policy_file: Path, without_pitr: Path
) -> None:
    result = audit(pytester, policy_file, without_pitr, "-k", "PLN-01")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*not compliant, but every item that ran passed (exit 0)"])


def test_check_runs_the_whole_suite_whatever_pytest_is_told(
    pytester: pytest.Pytester, policy_file: Path, without_pitr: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k PLN-01")
    given = ("check", "--policy", str(policy_file), "--snapshot", str(without_pitr), "--out", "evidence")
    assert pytester.run(sys.executable, "-m", "backcheck", *given).ret == 1


def test_a_test_without_a_mark_asserts_nothing_and_is_refused(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path
) -> None:
    pytester.makepyfile("def test_bare(claim): assert claim.holds")
    result = pytester.runpytest_inprocess("--policy", str(policy_file), "--snapshot", str(compliant))
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*has no mark `controls`: it would assert nothing*"])


def test_a_control_that_does_not_exist_is_refused(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path
) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.controls('PIT-99')\ndef test_it(claim):\n    assert claim.holds")
    result = pytester.runpytest_inprocess("--policy", str(policy_file), "--snapshot", str(compliant))
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*there is no control PIT-99*"])


def test_a_test_of_ones_own_can_assert_claims(pytester: pytest.Pytester, policy_file: Path, compliant: Path) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.controls('PIT-01')\ndef test_it(claim):\n    assert claim.holds")
    result = pytester.runpytest_inprocess("--policy", str(policy_file), "--snapshot", str(compliant))
    result.assert_outcomes(passed=1)


def test_the_checkouts_folder_works_as_well(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path, pytestconfig: pytest.Config
) -> None:
    shutil.copytree(pytestconfig.rootpath / "tests_policy", pytester.path / "tests_policy")
    result = pytester.runpytest_subprocess(
        "tests_policy", "-q", "--policy", str(policy_file), "--snapshot", str(compliant), "--import-mode=importlib"
    )
    assert result.ret == 0


def test_above_some_thousands_an_item_is_a_control(
    pytester: pytest.Pytester, policy_file: Path, without_pitr: Path
) -> None:
    pytester.makeconftest(
        "import backcheck.suite as s, backcheck.evidence.findings_json as f\ns.GROUP_ABOVE = f.GROUP_ABOVE = 3"
    )
    shutil.copytree(Path(sys.modules["tests.plugin.test_plugin"].__file__ or "").parents[2] / "tests_policy", "suite")
    result = pytester.runpytest_subprocess(
        "suite",
        "-q",
        "--policy",
        str(policy_file),
        "--snapshot",
        str(without_pitr),
        "--out",
        "evidence",
        "--import-mode=importlib",
    )
    assert result.ret == 1
    names = [case.get("name") for case in cases(pytester.path / "evidence" / "junit.xml")]
    assert len(names) == len(set(names))
    assert "test_point_in_time_recovery_is_on[PIT-01]" in names
    assert (pytester.path / "evidence" / PASSED).exists()


def test_a_pipelines_page_gets_the_summary(
    pytester: pytest.Pytester, policy_file: Path, without_pitr: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = pytester.path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    audit(pytester, policy_file, without_pitr)
    text = page.read_text()
    assert "not compliant" in text
    assert "SIMULATED" in text
    assert "| fail | PIT-01 |" in text


OWN_CONTROL = """
from backcheck.controls.control import ACCOUNT_ONLY, control, expect
from backcheck.controls.subjects import tables_in_scope
from backcheck.finding import Severity

@control(
    id="ACME-01", title="Names are short", severity=Severity.LOW, reads=ACCOUNT_ONLY, each=tables_in_scope,
    why="w", remedy="r", sources=(), passes={}, fails={},
)
def name_is_short(subject, world):
    return expect(len(subject.table.name) < 4, equals=True, at="DescribeTable.TableName", message="the name is long")
"""


def test_a_control_of_ones_own_is_judged_like_the_others(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path
) -> None:
    pytester.path.joinpath("mine.py").write_text(OWN_CONTROL)
    result = audit(pytester, policy_file, compliant, "--controls", "mine.py", "--out", "evidence")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAIL * ACME-01 *techmoda-products*the name is long*"])


WAIVER = """waivers:
  - {control: ACME-01, resource: "arn:aws:dynamodb:us-east-1:123456789012:table/techmoda-products",
     owner: a@example.com, ticket: T-1, reason: Renamed in January, granted: 2026-11-01, expires: 2027-01-01}
"""


def test_a_control_of_ones_own_can_be_waived(pytester: pytest.Pytester, policy_file: Path, compliant: Path) -> None:
    text = policy_file.read_text(encoding="utf-8")
    waived = pytester.path / "waived.yaml"
    waived.write_text(re.sub(r"^waivers: \[\].*\n", WAIVER, text, flags=re.MULTILINE), encoding="utf-8")
    pytester.path.joinpath("mine.py").write_text(OWN_CONTROL)
    assert audit(pytester, waived, compliant, "--controls", "mine.py").ret == 0
    without = audit(pytester, waived, compliant)
    assert without.ret == 1, "its waiver is for nothing that was judged"
    without.stdout.fnmatch_lines(["FAIL * POL-11 *ACME-01*names a control that does not exist*"])


def test_every_finding_of_the_catalogue_is_asserted(pytestconfig: pytest.Config) -> None:
    folder = pytestconfig.rootpath / "tests_policy"
    marked = [name for path in folder.glob("test_*.py") for name in re.findall(r'"([A-Z]+-\d\d)"', path.read_text())]
    assert sorted(marked) == sorted({one.id for one in CONTROLS} | {"COV-01", "WVR-01"})


def test_a_run_that_dies_leaves_no_earlier_verdict(
    pytester: pytest.Pytester, policy_file: Path, compliant: Path
) -> None:
    out = pytester.path / "evidence"
    assert audit(pytester, policy_file, compliant, "--out", "evidence").ret == 0
    broken = pytester.path / "broken.json.gz"
    broken.write_bytes(b"not a snapshot")
    assert audit(pytester, policy_file, broken, "--out", "evidence").ret in (2, 4)
    assert not {"findings.json", "report.html", "junit.xml"} & {path.name for path in out.iterdir()}


def test_the_baseline_may_be_the_last_run_in_the_same_folder(
    pytester: pytest.Pytester, policy_file: Path, without_pitr: Path
) -> None:
    audit(pytester, policy_file, without_pitr, "--out", "evidence")
    again = audit(pytester, policy_file, without_pitr, "--baseline", "evidence/findings.json", "--out", "evidence")
    assert again.ret == 0
