"""A gate's evidence in a folder."""

from __future__ import annotations

from pathlib import Path

from backcheck.controls import CONTROLS
from backcheck.evidence import junit, page, sarif
from backcheck.evidence.checkout import Checkout
from backcheck.evidence.write import write_evidence
from backcheck.gate.judge import Judged


def write(judged: Judged, file: str, out: Path, checkout: Checkout) -> None:
    """findings.json, findings.sarif, junit.xml, report.html and the snapshot; all rendered before any is written.

    `file` is where SARIF puts what has no place of its own; its paths are from the root of `checkout`.
    """
    run = judged.run
    files = {
        "findings.sarif": sarif.render(run, CONTROLS, file, checkout),
        "junit.xml": junit.render(run),
        "report.html": page.render(run, judged.world, CONTROLS),
    }
    write_evidence(run, judged.snapshot, out)
    for name, data in files.items():
        (out / name).write_bytes(data)
