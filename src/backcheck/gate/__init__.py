"""Judges a template before it is deployed."""
