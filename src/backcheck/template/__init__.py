"""CloudFormation templates, resolved lazily: a value that cannot be known is a value that says why."""
