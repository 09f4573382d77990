"""Restores that are really performed, verified and cleaned up."""
