"""Where an export's files are: a folder on disk, or a prefix in S3. The one place that opens data files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from backcheck.errors import Error, UsageError
from backcheck.manifest.lines import Readable

ENDPOINT_HINT = "an endpoint is a URL, such as http://127.0.0.1:8000: --endpoint-url, AWS_ENDPOINT_URL or the profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder on disk."""

    path: str

    def __str__(self) -> str:
        return self.path

    def at(self, name: str) -> str:
        """A file's place, for messages."""
        return str(Path(self.path, name))

    def open(self, name: str) -> AbstractContextManager[Readable]:
        """The file's content. Raises Error where it cannot be read."""
        try:
            return Path(self.path, name).open("rb")
        except FileNotFoundError as error:
            raise _missing(self.at(name)) from error
        except OSError as error:
            raise Error(f"cannot be read: {error.strerror}", where=self.at(name)) from error

    def fingerprint(self, name: str) -> str:
        """Something that changes when the file does: a resumed run trusts it."""
        try:
            status = Path(self.path, name).stat()
        except FileNotFoundError as error:
            raise _missing(self.at(name)) from error
        return f"{status.st_size}-{status.st_mtime_ns}"

    def names(self, prefix: str) -> Iterator[str]:
        """The files under `prefix`, at any depth."""
        root = Path(self.path)
        return (str(file.relative_to(root)) for file in root.joinpath(prefix).rglob("*") if file.is_file())


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Prefix:
    """A prefix in an S3 bucket, read with boto3."""

    bucket: str
    prefix: str
    """Ends with a slash, or is empty."""
    profile: str | None = None
    client: Any = None
    """An S3 client to use instead of the profile's; it cannot leave this process."""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def at(self, name: str) -> str:
        """An object's place, for messages."""
        return f"{self}{name}"

    def open(self, name: str) -> AbstractContextManager[Readable]:
        """The object's content. Raises Error where it cannot be read."""
        return closing(_S3Body(self._call("get_object", name)["Body"], self.at(name)))

    def fingerprint(self, name: str) -> str:
        """The object's ETag and size."""
        head = self._call("head_object", name)
        return f"{head['ETag']}-{head['ContentLength']}"

    def names(self, prefix: str) -> Iterator[str]:
        """The objects under `prefix`."""
        from botocore.exceptions import BotoCoreError, ClientError

        pages = (self.client or _s3_client(self.profile)).get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix):
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(self.prefix)
        except (ClientError, BotoCoreError) as error:
            raise Error(f"s3:ListObjectsV2 failed: {error}", where=self.at(prefix)) from error

    def _call(self, operation: str, name: str) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self.client or _s3_client(self.profile), operation)(
                Bucket=self.bucket, Key=self.prefix + name
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise _missing(self.at(name)) from error
            raise Error(f"s3:{operation} failed: {error}", where=self.at(name)) from error
        except BotoCoreError as error:
            raise Error(f"s3:{operation} failed: {error}", where=self.at(name)) from error


Location: TypeAlias = Folder | S3Prefix


class _S3Body:
    """An object's body whose network errors are ours."""

    def __init__(self, body: Any, where: str) -> None:
        self._body = body
        self._where = where

    def read(self, size: int, /) -> bytes:
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        try:
            data: bytes = self._body.read(size)
        except (BotoCoreError, HTTPError) as error:
            raise Error(f"reading broke off: {type(error).__name__}", where=self._where, hint="run again") from error
        return data

    def close(self) -> None:
        self._body.close()


def _missing(where: str) -> Error:
    return Error("is missing", where=where, hint="copy the whole export again, data folder and manifest files")


@cache
def _s3_client(profile: str | None) -> Any:
    # Imported late: a worker that reads local files must not carry boto3's 40 MB.
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "max_attempts": 8}, user_agent_extra="backcheck")
    with client_of("S3"):
        return boto3.Session(profile_name=profile).client("s3", config=config)


@contextmanager
def client_of(service: str) -> Iterator[None]:
    """Where a client is made: raises Error without a profile or Region, UsageError for an endpoint that is no URL."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except BotoCoreError as error:
        raise Error(f"no client for {service}: {error}") from error
    except ValueError as error:  # botocore's own words name the endpoint, wherever it was set
        raise UsageError(f"no client for {service}: {error}", hint=ENDPOINT_HINT) from error


def locate(text: str, *, profile: str | None = None, client: Any = None) -> tuple[Location, str]:
    """The parent of the folder that `text` names, and the folder's own name. Raises UsageError for an odd S3 URL.

    The parent, because an incremental export keeps its data beside its own folder, in `AWSDynamoDB/data/`.
    """
    if text.startswith("s3://"):
        match = re.fullmatch(r"s3://([^/]+)/((?:.*/)?)([^/]+)/?", text)
        if match is None:
            raise UsageError(f"not an export's place in S3: {text!r}", hint="s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID/")
        return S3Prefix(bucket=match[1], prefix=match[2], profile=profile, client=client), match[3]
    folder = Path(text).resolve()
    if not folder.is_dir():
        raise UsageError("no such folder", where=text, hint="a folder, or s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID/")
    return Folder(path=str(folder.parent)), folder.name


def read_small(location: Location, name: str, limit: int) -> bytes:
    """A whole small file. Raises Error where it has more than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    with location.open(name) as source:
        while data := source.read(1 << 16):
            parts.append(data)
            size += len(data)
            if size > limit:
                raise Error(f"larger than {limit} bytes", where=location.at(name))
    return b"".join(parts)
