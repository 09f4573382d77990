"""`python -m benchmarks [NAME...]`: run every benchmark, each in a process of its own, and print what it prints.

What needs more than requirements/dev.txt is left out, and named, where that is not installed.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

DATA = "manifest_data"
"""What others measure with: no benchmark."""
NEEDS = {"manifest_spark": "pyspark"}
"""From requirements/spark.txt, with Java."""


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; 1 if one of them could not run."""
    here = Path(__file__).parent
    found = sorted(path.stem for path in here.glob("*.py") if not path.stem.startswith("_") and path.stem != DATA)
    if unknown := set(names) - set(found):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(found)}")
        return 4
    failed = False
    for name in names or found:
        print(f"== {name}", flush=True)
        if not names and name in NEEDS and find_spec(NEEDS[name]) is None:
            print(f"left out: {NEEDS[name]} is not installed (requirements/spark.txt)")
            continue
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
