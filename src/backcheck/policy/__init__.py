"""What the backups must be: load, schema, lint, calendar, render."""
