"""What an audit of a real account loads: the sandbox and the gate bring moto and cfn-lint, which take seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from backcheck.controls.examples import world
from backcheck.inventory import snapshot

POLICY = Path(__file__).parents[2] / "policies" / "minimal.yaml"

HEAVY = ("moto", "cfnlint", "samtranslator", "werkzeug", "numpy", "backcheck.sandbox", "backcheck.gate")


def test_a_live_audit_loads_no_emulator() -> None:
    code = (
        "import sys, pytest, backcheck.cli, backcheck.commands.check, backcheck.suite, backcheck.inventory.collect\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_an_audit_loads_no_plugin_that_it_has_no_use_for(tmp_path: Path) -> None:
    """Installed beside us, each would be loaded by pytest; hypothesis alone takes longer than judging 200 tables."""
    inventory = world().inventory
    assert inventory is not None
    snapshot.write(inventory, tmp_path / "snapshot.json.gz")
    given = ["check", "--policy", str(POLICY), "--snapshot", "snapshot.json.gz", "--out", "out"]
    code = (
        f"import sys, backcheck.cli; backcheck.cli.run({given!r})\n"
        "print(*[name for name in ('hypothesis', 'xdist') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == ""
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"findings.json", "junit.xml", "report.html"}
