"""The compliance suite: read-only."""
