"""GitHub's workflow commands: findings on the lines of a pull request.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.evidence.checkout import Checkout
from backcheck.finding import Finding, Run, Status


def commands(run: Run, checkout: Checkout) -> Iterator[str]:
    """A line for each FAIL and UNKNOWN; both block, so both are errors."""
    for finding in run.findings:
        if finding.status in (Status.FAIL, Status.UNKNOWN):
            yield _command(finding, checkout)


def _command(finding: Finding, checkout: Checkout) -> str:
    place = finding.location
    where = f"file={_property(checkout.path(place.file).as_posix())},line={max(place.line, 1)}," if place else ""
    title = _property(f"{finding.control} {finding.status.value}")
    return f"::error {where}title={title}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
