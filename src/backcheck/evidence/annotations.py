"""GitHub's workflow commands: findings on the lines of a pull request.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.evidence.checkout import Checkout
from backcheck.finding import Finding, Run, Status


def commands(run: Run, checkout: Checkout) -> Iterator[str]:
    """A line for each FAIL, then one for each reason of an UNKNOWN; both block, so both are errors.

    GitHub shows ten of a step: what is wrong must not be buried under what hangs on it.
    """
    failed = [finding for finding in run.findings if finding.status is Status.FAIL]
    yield from (_command(finding, checkout) for finding in sorted(failed, key=lambda one: one.severity.rank))
    unknown = {finding.message: finding for finding in reversed(run.findings) if finding.status is Status.UNKNOWN}
    yield from (_command(finding, checkout) for finding in reversed(unknown.values()))


def _command(finding: Finding, checkout: Checkout) -> str:
    place = finding.location
    where = f"file={_property(checkout.path(place.file).as_posix())},line={max(place.line, 1)}," if place else ""
    title = _property(f"{finding.control} {finding.status.value}")
    return f"::error {where}title={title}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
