"""Lists of what cannot be made here: truly empty, since the operations that would fill them are unsupported."""

from __future__ import annotations

from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page


@operation("backup", "ListFrameworks")
def list_frameworks(call: Call) -> Reply:
    """CreateFramework is unsupported."""
    return page(call, "Frameworks", [])


@operation("backup", "ListReportPlans")
def list_report_plans(call: Call) -> Reply:
    """CreateReportPlan is unsupported."""
    return page(call, "ReportPlans", [])
