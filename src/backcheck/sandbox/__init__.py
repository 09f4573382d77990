"""The sandbox: an AWS account in a process, that behaves as AWS Backup documents.

It extends a pinned moto. Clients talk to it through botocore, in this process or over HTTP on 127.0.0.1.
"""

from backcheck.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
