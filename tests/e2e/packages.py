"""The functions' packages, as templates/package.py builds them, for the Python that ministack runs functions on."""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.emulators import PRIMARY, REGIONS, Emulator, executable

import package

ROOT = Path(__file__).parents[2]
NAMES = ("functions", "restore-compare")
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Packages:
    """Zips by the name of their folder below build/."""

    zips: dict[str, Path]

    def upload(self, to: Emulator) -> None:
        """As `sam package` does: into a bucket of each region."""
        for region in REGIONS:
            s3 = to.client("s3", region)
            there = {} if region == PRIMARY else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            s3.create_bucket(Bucket=bucket(region), **there)
            for name, file in self.zips.items():
                s3.put_object(Bucket=bucket(region), Key=f"{name}.zip", Body=file.read_bytes())


def bucket(region: str) -> str:
    """Where the code of a region's functions lies."""
    return f"packages-{region}"


def build(folder: Path) -> Packages:
    """What `make package` builds, but for this machine: ministack has no other Python than its own."""
    package.build(
        ROOT / "policies" / "techmoda.yaml", folder, ARCHITECTURES[platform.machine().lower()], _ministacks_python()
    )
    return Packages({name: Path(shutil.make_archive(str(folder / name), "zip", folder / name)) for name in NAMES})


def _ministacks_python() -> str:
    python = Path(executable()).with_name("python")
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", script], check=True, capture_output=True, text=True).stdout.strip()
