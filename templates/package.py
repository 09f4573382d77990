"""Put together what the functions run on: build/functions, and build/restore-compare with numpy and blake3 besides.

    python templates/package.py --policy policies/techmoda.yaml

boto3 is Lambda's own. Wheels are taken for Lambda's Python and processor, whatever machine this runs on; they are as
pinned, with hashes, as everything else (requirements/dev.txt).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

from backcheck.errors import Error, UsageError  # noqa: E402  after the path is set
from backcheck.policy.load import load  # noqa: E402

PYTHON = "3.13"
"""The Runtime that the templates name."""
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
"""Lambda's python3.13 runs on Amazon Linux 2023, whose glibc is 2.34."""

MODULES = ("controls", "drill", "inventory", "manifest", "policy", "template")
"""The parts of backcheck that the handlers use, directly or through each other; single files all go in."""

SMALL = (
    "attrs",
    "jinja2",
    "jsonschema",
    "jsonschema-specifications",
    "markupsafe",
    "orjson",
    "pyyaml",
    "referencing",
    "rpds-py",
    "tzdata",
)
"""To read a policy and judge by it."""

COMPARE = (*SMALL, "blake3", "isal", "numpy")
"""To digest items and to read exports, besides."""

NOT_NEEDED = ("tests", "test", "__pycache__", "*.dist-info", "*.pyi", "*.so.dbg", "f2py", "*.a")


def pinned(names: Iterable[str], lock: str) -> list[str]:
    """The lock file's own entries for some names, hashes, markers and all. Raises Error for a name that it lacks."""
    entries: dict[str, str] = {}
    for match in re.finditer(r"^([A-Za-z0-9_.-]+)==(?:[^\n]*\\\n)*[^\n]*\n", lock, re.MULTILINE):
        entries[match[1].lower()] = entries.get(match[1].lower(), "") + match[0]
    if missing := [name for name in names if name not in entries]:
        raise Error(f"requirements/dev.txt does not pin {', '.join(missing)}", hint="make lock")
    return [entries[name] for name in names]


def install(names: Iterable[str], into: Path, architecture: str, python: str) -> None:
    """Wheels for Lambda into a folder. Raises Error where one cannot be had."""
    wanted = into.with_suffix(".txt")
    wanted.write_text("".join(pinned(names, (ROOT / "requirements" / "dev.txt").read_text())))
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise UsageError("uv is not installed", hint="pip install -r requirements/dev.txt")
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--python-version", python, "--python-platform", PLATFORMS[architecture]]
    command += ["--target", str(into), "-r", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  fixed words and our own paths
    wanted.unlink()
    if done.returncode:
        raise Error(f"the wheels could not be installed: {done.stderr.strip()[-400:]}")


def copy_code(into: Path) -> None:
    """The handlers, and the parts of backcheck that they use."""
    ignored = shutil.ignore_patterns("__pycache__", "_plain.*")  # compiled for this machine, and optional
    shutil.copytree(ROOT / "templates" / "functions", into / "functions", ignore=ignored)
    source, target = ROOT / "src" / "backcheck", into / "backcheck"
    target.mkdir()
    for file in source.glob("*.py"):
        if file.name not in ("cli.py", "__main__.py", "plugin.py", "suite.py", "accounts.py"):
            shutil.copy(file, target)
    for module in MODULES:
        shutil.copytree(source / module, target / module, ignore=ignored)


def strip(folder: Path) -> None:
    """Take away what is never imported: tests, stubs, metadata."""
    for pattern in NOT_NEEDED:
        for found in sorted(folder.rglob(pattern), reverse=True):
            if "backcheck" in found.relative_to(folder).parts or not found.exists():
                continue
            shutil.rmtree(found) if found.is_dir() else found.unlink()


def build(policy: Path, out: Path, architecture: str, python: str = PYTHON) -> dict[str, int]:
    """Both packages. Returns their sizes in bytes, as a zip has them. Raises Error for a policy that does not load."""
    load(policy)
    sizes = {}
    for name, wheels in (("functions", SMALL), ("restore-compare", COMPARE)):
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(wheels, folder, architecture, python)
        copy_code(folder)
        shutil.copy(policy, folder / "policy.yaml")
        strip(folder)
        zipped = Path(shutil.make_archive(str(folder), "zip", folder))
        sizes[name] = zipped.stat().st_size
        zipped.unlink()
    return sizes


def main(arguments: Sequence[str]) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="templates/package.py", description="Package the Lambda functions.")
    parser.add_argument("--policy", type=Path, required=True, help="what the validator judges by")
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    parser.add_argument("--architecture", choices=sorted(PLATFORMS), default="arm64", help="as in the templates")
    parser.add_argument("--python", default=PYTHON, metavar="X.Y", help="another one, for an emulator that has its own")
    given = parser.parse_args(arguments)
    try:
        if not given.policy.is_file():
            raise UsageError("no such policy", where=str(given.policy))
        sizes = build(given.policy, given.out, given.architecture, given.python)
    except Error as error:
        sys.stderr.write(f"{error.diagnostics()}\n")
        return error.exit_code
    for name, size in sizes.items():
        sys.stdout.write(f"{given.out / name}: {size / 1e6:.1f} MB zipped\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
