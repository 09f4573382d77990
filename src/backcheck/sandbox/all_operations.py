"""Loads every module that answers operations; each registers its own."""

from __future__ import annotations

import importlib

MODULES = (
    "attached_policies",
    "cloudformation_operations",
    "continuous",
    "copies",
    "dynamodb",
    "exports",
    "holds",
    "iam_simulator",
    "identity",
    "job_calls",
    "keys",
    "listings",
    "plans",
    "point_in_time",
    "points",
    "region_settings",
    "restore_jobs",
    "restore_test_runs",
    "restore_testing",
    "selections",
    "table_backups",
    "tagging",
    "topics",
    "trail",
    "vaults",
)


def load() -> None:
    """Import them once."""
    for name in MODULES:
        importlib.import_module(f"backcheck.sandbox.{name}")
