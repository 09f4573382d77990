"""Fill a table with test products, straight or through the product API's URL; and take them away again.

    python -m functions.seed_products --table NAME [--count 10] [--delete]
    python -m functions.seed_products --api-url https://... [--count 10]

Straight to the table, the ids are ours (`seed-product-0001`): the same products every time, so that a restore can be
compared and the products removed. Through the API the ids are the API's own, and it cannot be undone here.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from backcheck.errors import Error, UsageError

BATCH = 25
"""BatchWriteItem's limit: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A test product, as the lab's script makes it."""

    name: str
    price: int
    description: str
    category: str
    stock: int


def products(count: int) -> Iterator[tuple[str, Product]]:
    """Id and product, the same for the same number."""
    for i in range(1, count + 1):
        yield (
            f"seed-product-{i:04}",
            Product(
                name=f"Test Product {i}",
                price=10 * i,
                description=f"Description for product {i}",
                category="Test",
                stock=5 * i,
            ),
        )


def item(key: str, product: Product) -> dict[str, dict[str, str]]:
    """As DynamoDB types it."""
    fields = {name: {"N": str(v)} if isinstance(v, int) else {"S": v} for name, v in asdict(product).items()}
    return {"id": {"S": key}, **fields}


def requests(count: int, *, delete: bool) -> Iterator[list[dict[str, Any]]]:
    """BatchWriteItem's requests, a batch at a time."""
    batch: list[dict[str, Any]] = []
    for key, product in products(count):
        batch.append(
            {"DeleteRequest": {"Key": {"id": {"S": key}}}} if delete else {"PutRequest": {"Item": item(key, product)}}
        )
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def write(table: str, count: int, *, delete: bool, dynamodb: Any) -> int:
    """Write or delete the products. Raises Error where DynamoDB keeps refusing some."""
    for batch in requests(count, delete=delete):
        left = {table: batch}
        for _ in range(8):
            left = dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems") or {}
            if not left:
                break
        else:
            raise Error(f"{len(left[table])} products were not taken after 8 tries", where=table)
    return count


def post(url: str, count: int) -> int:
    """Create the products through the API. Raises Error for any answer that is not 2xx."""
    import urllib3

    pool = urllib3.PoolManager(retries=False)
    for key, product in products(count):
        body = json.dumps(asdict(product)).encode()
        headers = {"content-type": "application/json"}
        try:
            status = pool.request("POST", f"{url.rstrip('/')}/products", body=body, headers=headers, timeout=10).status
        except urllib3.exceptions.HTTPError as error:
            raise Error(f"{key}: {type(error).__name__}", where=url) from error
        if not 200 <= status < 300:
            raise Error(f"{key}: the API answered {status}", where=url)
    return count


def main(arguments: Sequence[str]) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="seed_products", description="Fill a table with test products.")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--table")
    target.add_argument("--api-url")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--delete", action="store_true", help="remove them again (with --table)")
    given = parser.parse_args(arguments)
    try:
        if given.count < 1:
            raise UsageError("--count must be at least 1")
        if given.api_url and given.delete:
            raise UsageError("--delete works with --table: only the API knows its own ids")
        if given.api_url:
            done = post(given.api_url, given.count)
        else:
            import boto3

            done = write(given.table, given.count, delete=given.delete, dynamodb=boto3.client("dynamodb"))
    except Error as error:
        sys.stderr.write(f"{error.diagnostics()}\n")
        return error.exit_code
    sys.stdout.write(f"{done} products {'deleted' if given.delete else 'written'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
