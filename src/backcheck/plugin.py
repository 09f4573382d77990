"""The pytest plugin. It does nothing unless `--policy` is given."""
