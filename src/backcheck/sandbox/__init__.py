"""An AWS account in a process: moto plus our AWS Backup model, on a clock that can be moved."""
