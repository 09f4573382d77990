"""The suites that are shipped: tests_policy and, once it works, tests_restore, mapped here by pyproject.toml."""
