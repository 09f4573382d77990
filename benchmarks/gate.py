"""The gate beside the command lines of cfn-lint and checkov: `python -m benchmarks.gate`.

Promised: on one template at most 1.5 times the slower of the two, on ten at most a quarter of running both commands on
each, and under 2 s of CPU for the controls themselves. checkov is found as the gate finds it; without it only cfn-lint
is compared, and that is said. Every tool has run once before it is timed, and runs from bytecode, as pip installs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.gate import checkov
from backcheck.gate.deployment import deployed
from backcheck.gate.stacks import parameters_of, stacks_of
from backcheck.policy.load import load

ROOT = Path(__file__).parents[1]
POLICY = ROOT / "policies" / "techmoda.yaml"
LAB = ROOT / "fixtures" / "templates" / "lab" / "mutations" / "00.yaml"
AT = datetime(2026, 11, 22, tzinfo=UTC)


def run(command: list[str], folder: str) -> None:
    """What it says and its code are not what is measured."""
    bytecode = {"PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run(command, capture_output=True, check=False, env={**os.environ, **bytecode})


def wall(command: list[str], folder: str) -> float:
    """Seconds of one run."""
    begun = time.perf_counter()
    run(command, folder)
    return time.perf_counter() - begun


def gate(templates: list[str], executable: Path | None, folder: str) -> list[str]:
    more = ["--checkov", str(executable)] if executable else []
    arguments = ["--policy", str(POLICY), "--out", f"{folder}/out", *more]
    return [sys.executable, "-m", "backcheck", "gate", *arguments, *templates]


def controls() -> float:
    """CPU seconds of every control on our primary and DR templates."""
    policy = load(POLICY)
    written = [str(ROOT / "templates" / "dr.yaml@dr"), str(ROOT / "templates" / "primary.yaml")]
    stacks = stacks_of(written, parameters_of(["AlertEndpoint=a@b.example"], None), policy)
    inventory = deployed(stacks, policy, AT).inventory
    begun = time.process_time()
    audit(World(policy=policy, now=AT, inventory=inventory), CONTROLS, "")
    return time.process_time() - begun


def main() -> None:
    print(f"controls on our templates: {controls():.2f} s CPU (promised: under 2)")
    executable = checkov.find(None)
    lint = [str(Path(sys.executable).with_name("cfn-lint"))]
    with tempfile.TemporaryDirectory() as folder:
        many = [str(shutil.copy(LAB, Path(folder) / f"t{number}.yaml")) for number in range(10)]
        named = [f"techmoda{number}={file}" for number, file in enumerate(many)]
        run([*lint, many[0]], folder)
        run(gate(named[:1], executable, folder), folder)
        one_lint = wall([*lint, many[0]], folder)
        one_checkov = 0.0
        if executable:
            run([*_bare(executable), "--file", many[0]], folder)
            one_checkov = wall([*_bare(executable), "--file", many[0]], folder)
        ours = wall(gate(named[:1], executable, folder), folder)
        print(f"one template: gate {ours:.1f} s, cfn-lint {one_lint:.1f} s, checkov {one_checkov:.1f} s; "
              f"gate / slower {ours / max(one_lint, one_checkov):.2f} (promised: at most 1.5)")  # fmt: skip
        both = sum(wall([*lint, file], folder) for file in many)
        both += sum(wall([*_bare(executable), "--file", file], folder) for file in many) if executable else 0.0
        ten = wall(gate(named, executable, folder), folder)
        print(f"ten templates: gate {ten:.1f} s, both commands on each {both:.1f} s; "
              f"gate / both {ten / both:.2f} (promised: at most 0.25)")  # fmt: skip
    if executable is None:
        print("checkov was not found: name it in BACKCHECK_CHECKOV")


def _bare(executable: Path | None) -> list[str]:
    """checkov as people run it, but offline: downloads would only slow it down."""
    return [str(executable), "--framework", "cloudformation", "--skip-download", "--quiet", "--compact"]


if __name__ == "__main__":
    main()
