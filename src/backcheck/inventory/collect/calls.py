"""Making calls: bounded, rate-limited, paged, and each outcome recorded. What does not answer is a Gap."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from botocore.exceptions import ClientError, UnknownRegionError

from backcheck.errors import UsageError
from backcheck.inventory.collect.connect import Kind, Target, config, is_aws, is_intercepted
from backcheck.inventory.collect.failure import FAILURES, code_and_detail
from backcheck.inventory.collect.paging import PAGES_AT_MOST, PAGING
from backcheck.inventory.collect.quota import Quotas
from backcheck.inventory.collect.reply import Malformed, Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import CallRecord

T = TypeVar("T")

Progress = Callable[[int], None]
"""Told after each request how many there have been."""


@dataclass(slots=True, kw_only=True)
class Count:
    """What the ledger adds up for one operation in one region."""

    calls: int = 0
    pages: int = 0
    failed: int = 0


class Calls:
    """The calls of one account. Safe to use from many threads."""

    def __init__(self, target: Target, pool: ThreadPoolExecutor, progress: Progress = lambda _: None) -> None:
        """`pool` bounds how many requests are under way; `progress` is told of each."""
        self.account = target.account.id
        self._target = target
        self._pool = pool
        self._progress = progress
        self._config = config(target.kind)
        self._quotas = Quotas() if target.kind is Kind.LIVE else None
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._counts: dict[tuple[str, str, str], Count] = {}
        self._gaps: list[Gap] = []
        self._urls: set[str] = set()
        self._made = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Do blocking work on the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def one(
        self, service: str, operation: str, region: str, parse: Callable[[Reply], T], *, about: str = "", **params: Any
    ) -> T | Gap:
        """One request, parsed on the pool. `about` names the resource in a Gap."""
        return await self.run(lambda: self.ask(service, operation, region, parse, about=about, **params))

    async def pages(
        self,
        service: str,
        operation: str,
        region: str,
        parse: Callable[[Reply], tuple[T, ...]],
        *,
        about: str = "",
        **params: Any,
    ) -> tuple[T, ...] | Gap:
        """A whole list, or a Gap: part of a list is not an answer."""
        return await self.run(lambda: self.ask_pages(service, operation, region, parse, about=about, **params))

    async def maybe(
        self,
        service: str,
        operation: str,
        region: str,
        parse: Callable[[Reply], T],
        *,
        absent: tuple[str, ...],
        about: str = "",
        **params: Any,
    ) -> T | Gap | None:
        """As `one`; None where the service answers with one of the error codes `absent`: there is none."""

        return await self.run(
            lambda: self.ask_maybe(service, operation, region, parse, absent=absent, about=about, **params)
        )

    def ask(
        self, service: str, operation: str, region: str, parse: Callable[[Reply], T], *, about: str = "", **params: Any
    ) -> T | Gap:
        """As `one`, blocking."""
        try:
            return parse(Reply(self._request(service, operation, region, params)))
        except FAILURES as error:
            return self._failed(service, operation, region, error, about)

    def ask_maybe(
        self,
        service: str,
        operation: str,
        region: str,
        parse: Callable[[Reply], T],
        *,
        absent: tuple[str, ...],
        about: str = "",
        **params: Any,
    ) -> T | Gap | None:
        """As `maybe`, blocking."""
        try:
            return parse(Reply(self._request(service, operation, region, params)))
        except FAILURES as error:
            return None if says(error, absent) else self._failed(service, operation, region, error, about)

    def ask_pages(
        self,
        service: str,
        operation: str,
        region: str,
        parse: Callable[[Reply], tuple[T, ...]],
        *,
        about: str = "",
        absent: tuple[str, ...] = (),
        **params: Any,
    ) -> tuple[T, ...] | Gap:
        """As `pages`, blocking. Error codes in `absent` mean that there is none: the list is then empty."""
        try:
            return self._all_pages(service, operation, region, parse, params)
        except FAILURES as error:
            return () if says(error, absent) else self._failed(service, operation, region, error, about)

    def not_asked(self, service: str, operation: str, region: str, about: str = "") -> Gap:
        """Something that nothing in the policy needs; it is no gap of the audit, so the ledger does not show it."""
        return self._gap(service, operation, region, "NotAsked", "nothing in the policy needs it", about)

    def missing(self, service: str, operation: str, region: str, detail: str, about: str = "") -> Gap:
        """Something that a reply should have held and did not."""
        found = self._gap(service, operation, region, "Malformed", detail, about)
        with self._lock:
            self._gaps.append(found)
        return found

    def make_good(self, gap: Gap) -> None:
        """Another call has told what this one did not; that it failed stays in the records."""
        with self._lock:
            self._gaps.remove(gap)

    def partition(self, region: str) -> str:
        """The partition of a region: aws, aws-cn, aws-us-gov."""
        try:
            return str(self._target.session.get_partition_for_region(region))
        except UnknownRegionError:
            return "aws"

    def _gap(self, service: str, operation: str, region: str, code: str, detail: str, about: str) -> Gap:
        return Gap(
            service=service,
            operation=operation,
            region=region,
            account=self.account,
            code=code,
            detail=detail,
            resource=about,
        )

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Everything that was not read, sorted."""
        return tuple(sorted(set(self._gaps), key=lambda g: (g.region, g.service, g.operation, g.resource, g.code)))

    @property
    def records(self) -> tuple[CallRecord, ...]:
        """The coverage ledger of this account, sorted."""
        return tuple(
            CallRecord(
                service=service,
                operation=operation,
                region=region,
                account=self.account,
                calls=count.calls,
                pages=count.pages,
                failed=count.failed,
            )
            for (region, service, operation), count in sorted(self._counts.items())
        )

    @property
    def kind(self) -> Kind:
        """What was really called: a live account is one of which every request went to AWS's own hosts."""
        if self._target.kind in (Kind.SANDBOX, Kind.TEMPLATE):
            return self._target.kind
        urls = self._urls or {self._target.endpoint_url or ""}
        return Kind.LIVE if all(map(is_aws, urls)) and not is_intercepted() else Kind.ENDPOINT

    def _all_pages(
        self, service: str, operation: str, region: str, parse: Callable[[Reply], tuple[T, ...]], params: dict[str, Any]
    ) -> tuple[T, ...]:
        paging = PAGING[f"{service}:{operation}"]
        asked = dict(params)
        if paging.size:
            asked[paging.size] = paging.most
        found: list[T] = []
        tokens: set[str] = set()
        for _ in range(PAGES_AT_MOST):
            page = Reply(self._request(service, operation, region, asked))
            found += parse(page)
            self._count(service, operation, region, pages=1)
            token = page.maybe_text(paging.told)
            if not token:
                return tuple(found)
            if token in tokens:
                raise Malformed(f"page {len(tokens) + 2} has the token of an earlier page")
            tokens.add(token)
            asked[paging.ask] = token
        raise Malformed(f"more than {PAGES_AT_MOST} pages")

    def _request(self, service: str, operation: str, region: str, params: dict[str, Any]) -> object:
        client = self._client(service, region)
        if self._quotas:
            self._quotas.take(service, operation, region)
        self._count(service, operation, region, calls=1)
        # botocore's own entry for any operation: the generated methods differ only in their names
        return client._make_api_call(operation, params)

    def _client(self, service: str, region: str) -> Any:
        key = (service, region)
        found = self._clients.get(key)
        if found is None:
            with self._lock:  # a session must not make clients in two threads at once
                found = self._clients.get(key) or self._made_client(service, region)
                self._clients[key] = found
        return found

    def _made_client(self, service: str, region: str) -> Any:
        client = self._target.session.client(
            service, region_name=region, endpoint_url=self._target.endpoint_url, config=self._config
        )
        url = client.meta.endpoint_url
        if self._target.kind is Kind.LIVE and not is_aws(url):
            raise UsageError(
                f"--live, but {service} would be called at {url}",
                hint="unset the endpoint override, or say --endpoint-url",
            )
        client.meta.events.register("before-send", self._sent)
        client.meta.events.register("before-parse.lambda.GetFunctionConcurrency", _is_an_object)
        return client

    def _sent(self, request: Any, **_: Any) -> None:
        self._urls.add(request.url.split("/", 3)[0] + "//" + request.url.split("/", 3)[2])

    def _failed(self, service: str, operation: str, region: str, error: BaseException, about: str) -> Gap:
        self._count(service, operation, region, failed=1)
        code, detail = code_and_detail(error)
        found = self._gap(service, operation, region, code, detail, about)
        with self._lock:
            self._gaps.append(found)
        return found

    def _count(
        self, service: str, operation: str, region: str, *, calls: int = 0, pages: int = 0, failed: int = 0
    ) -> None:
        key = (region, service, operation)
        with self._lock:
            count = self._counts.setdefault(key, Count())
            count.calls += calls
            count.pages += pages
            count.failed += failed
            self._made += calls
        if calls:
            self._progress(self._made)


async def all_or_gap(asked: Iterable[Awaitable[T | Gap]]) -> tuple[T, ...] | Gap:
    """Every answer, or the first Gap: one that cannot be read may be the one that decides."""
    found: list[T] = []
    for one in await asyncio.gather(*asked):
        if isinstance(one, Gap):
            return one
        found.append(one)
    return tuple(found)


def _is_an_object(response_dict: Mapping[str, Any], **_: Any) -> None:
    """A reply of which an empty object means something is one: botocore takes a body that is no JSON for `{}`."""
    if response_dict["status_code"] >= HTTPStatus.MULTIPLE_CHOICES:
        return
    try:
        found = orjson.loads(response_dict["body"])
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the reply is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Malformed("the reply is no object")


def says(error: BaseException, codes: tuple[str, ...]) -> bool:
    """Whether the service answered with one of these error codes."""
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in codes
