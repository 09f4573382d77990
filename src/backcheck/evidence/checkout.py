"""Paths as a code host wants them: from the root of the repository, whichever folder the tool ran in.

https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
takes a relative path as from the repository's root, and so does a workflow command.
"""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path, PurePath


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Where the repository is, and where in it the tool runs; both absolute."""

    root: PurePath
    here: PurePath

    def path(self, file: str) -> PurePath:
        """From the root, for a file below it; else absolute."""
        path = PurePath(os.path.normpath(self.here / file))
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path


def checkout_at(here: Path) -> Checkout:
    """The repository that a folder is in; the folder itself where there is none."""
    above = (here, *here.parents)
    return Checkout(root=next((one for one in above if (one / ".git").exists()), here), here=here)
