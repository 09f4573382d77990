from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import package
from backcheck.errors import Error

HANDLERS = ("restore", "restore_test", "restore_validation", "restore_check", "validate_backup", "seed_products")
LOCK = r"""numpy==1 ; python_version < '3.12' \
    --hash=sha256:aa
numpy==2 ; python_version >= '3.12' \
    --hash=sha256:bb
    # via x
orjson==3 \
    --hash=sha256:cc
"""
PROVIDED = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "typing_extensions", "urllib3")
"""By Lambda's own runtime; and typing_extensions, which nothing asks for from Python 3.13 on."""
CALLED = {
    "attrs": "attr attrs",
    "pyyaml": "yaml _yaml",
    "rpds-py": "rpds",
    "jsonschema-specifications": "jsonschema_specifications",
}
"""What a distribution is imported as, where that is not its name."""
SCRIPT = """
import importlib, importlib.machinery, sys
allowed, modules = set(sys.argv[2].split()), sys.argv[3].split()

class OnlyWhatIsPackaged(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        found = super().find_spec(name, path, target)
        where = str(getattr(found, "origin", None) or "")
        return found if "site-packages" not in where or name.partition(".")[0] in allowed else None

sys.meta_path[:] = [f for f in sys.meta_path if f is not importlib.machinery.PathFinder and "editable" not in repr(f)]
sys.meta_path.append(OnlyWhatIsPackaged)
for module in modules:
    importlib.import_module(module)
import backcheck
assert backcheck.__file__.startswith(sys.argv[1]), backcheck.__file__
"""


def run_on(distributions: tuple[str, ...], modules: str, folder: Path) -> None:
    """Import modules of a package where only some distributions can be found."""
    allowed = " ".join(CALLED.get(name, name) for name in (*distributions, *PROVIDED))
    command = [sys.executable, "-c", SCRIPT, str(folder), allowed, modules]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("package")
    package.copy_code(into)
    return into


def test_every_handler_runs_on_what_is_packaged(folder: Path) -> None:
    run_on(package.SMALL, " ".join(f"functions.{name}" for name in HANDLERS) + " backcheck.inventory.collect", folder)


def test_the_comparison_runs_on_what_is_packaged(folder: Path) -> None:
    run_on(package.COMPARE, "functions.restore_check functions.compare boto3", folder)


def test_what_is_not_packaged_is_not_found_here_either(folder: Path) -> None:
    with pytest.raises(AssertionError, match="No module named 'blake3'"):
        run_on(package.SMALL, "functions.compare", folder)


def test_a_wheel_is_installed_as_the_lock_has_it() -> None:
    [numpy] = package.pinned(["numpy"], LOCK)
    assert numpy.count("--hash") == 2
    assert "python_version < '3.12'" in numpy


def test_what_the_lock_lacks_is_named() -> None:
    with pytest.raises(Error, match="does not pin polars"):
        package.pinned(["polars"], LOCK)


def test_a_policy_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert package.main(["--policy", "nowhere.yaml"]) == 4
    assert "no such policy" in capsys.readouterr().err
