"""After an incident: which items a bad deployment lost or damaged, and bringing them back under what came since.

reading -> classify -> document (the plan that people review) -> apply. Only `apply` writes; docs/runbooks/incident.md
shows it from alarm to done.
"""
