"""Proves that AWS backups are what the policy says, and that they come back."""

__version__ = "0.1.0"
