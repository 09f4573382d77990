"""What an audit of a real account loads: the sandbox and the gate bring moto and cfn-lint, which take seconds."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("moto", "cfnlint", "samtranslator", "werkzeug", "numpy", "backcheck.sandbox", "backcheck.gate")


def test_a_live_audit_loads_no_emulator() -> None:
    code = (
        "import sys, pytest, backcheck.cli, backcheck.commands.check, backcheck.suite, backcheck.inventory.collect\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
