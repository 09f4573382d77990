"""junit.xml from findings, for pipelines that show tests: UNKNOWN is an error, never a skip."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from backcheck.evidence import terminal
from backcheck.finding import Finding, Run, Status

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(run: Run) -> bytes:
    """One test case a finding: FAIL a failure, UNKNOWN an error, waived and not applicable skipped."""
    counts = run.summary
    suite = ET.Element(
        "testsuite",
        name="backcheck",
        tests=str(len(run.findings)),
        failures=str(counts.failed),
        errors=str(counts.unknown),
        skipped=str(counts.waived + counts.not_applicable),
        timestamp=run.clock.strftime("%Y-%m-%dT%H:%M:%S"),
    )
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", name="simulated", value=str(run.simulated).lower())
    for finding in run.findings:
        suite.append(_case(finding))
    root = ET.Element("testsuites")
    root.append(suite)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(finding: Finding) -> ET.Element:
    name = finding.resource + (f" ({finding.tier})" if finding.tier else "")
    case = ET.Element("testcase", classname=finding.control, name=_clean(name))
    if finding.location:
        case.set("file", finding.location.file)
        case.set("line", str(finding.location.line))
    kind = {Status.FAIL: "failure", Status.UNKNOWN: "error"}.get(finding.status)
    if kind:
        told = ET.SubElement(case, kind, message=_clean(finding.message), type=finding.status.value)
        told.text = _clean(terminal.explain(finding))
    elif finding.status is not Status.PASS:
        ET.SubElement(case, "skipped", message=_clean(f"{finding.status.value}: {finding.message}"))
    return case


def _clean(text: str) -> str:
    """XML has no form for most control characters."""
    return _NOT_XML.sub("\ufffd", text)
