"""Accounts, tables and what is found beside them: whom and what a policy is about."""

from __future__ import annotations

import re

from backcheck.policy.model import (
    PRIMARY,
    Account,
    Discovery,
    KeyKind,
    Pitr,
    TableScope,
)
from backcheck.policy.section import Section


def accounts_of(policy: Section) -> tuple[Account, ...]:
    """The accounts, the primary one first."""
    if "account" in policy:
        return (Account(key=PRIMARY, id=policy.text("account", "")),)
    written = policy.child("accounts")
    accounts = [_account(written, key) for key in written.data]
    return tuple(sorted(accounts, key=lambda account: account.key != PRIMARY))


def _account(accounts: Section, key: str) -> Account:
    if isinstance(accounts.data[key], str):
        return Account(key=key, id=accounts.text(key, ""))
    account = accounts.child(key)
    return Account(
        key=key, id=account.text("id", ""), role_arn=account.text("role_arn"), external_id=account.text("external_id")
    )


def tables_of(policy: Section) -> tuple[TableScope, ...]:
    """The table scopes; `tiers` as the file names them, not resolved yet."""
    if isinstance(policy.data["tables"], list):
        written = policy.texts("tables")
        return tuple(_listed(key, name) for key, name in zip(keys_for(written), written, strict=True))
    return tuple(_mapped(key, table) for key, table in policy.children("tables"))


def keys_for(tables: tuple[str, ...]) -> list[str]:
    """Keys for tables that a list gives without any: what a pattern or an ARN has of a name, numbered where needed."""
    keys: list[str] = []
    for written in tables:
        name = written.rpartition("table/")[2]
        stem = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "all"
        key, count = stem, 1
        while key in keys:
            count += 1
            key = f"{stem}-{count}"
        keys.append(key)
    return keys


def _listed(key: str, written: str) -> TableScope:
    if written.startswith("arn:"):
        return TableScope(key=key, arn=written)
    if set("*?") & set(written):
        return TableScope(key=key, pattern=written)
    return TableScope(key=key, name=written)


def _mapped(key: str, table: Section) -> TableScope:
    encryption = table.text("encryption")
    return TableScope(
        key=key,
        name=table.text("name"),
        pattern=table.text("pattern"),
        arn=table.text("arn"),
        tags=table.tags("tags"),
        account=table.text("account", PRIMARY),
        region=table.text("region", PRIMARY),
        tiers=table.texts("tiers"),
        pitr=pitr_of(table.child("pitr")) if "pitr" in table else None,
        deletion_protection=table.flag("deletion_protection"),
        encryption=KeyKind(encryption) if encryption else None,
    )


def pitr_of(section: Section, default: Pitr | None = None) -> Pitr:
    """A PITR promise; what it leaves open is as in `default`."""
    base = default or Pitr()
    return Pitr(
        enabled=section.flag("enabled", base.enabled),
        window_days=section.number("window_days", base.window_days),
        max_lag_minutes=section.number("max_lag_minutes", base.max_lag_minutes),
    )


def discovery_of(policy: Section) -> Discovery:
    """What looks like ours."""
    discovery = policy.child("discovery")
    return Discovery(
        name_prefixes=discovery.texts("name_prefixes"),
        tags=discovery.tags("tags"),
        exclude=discovery.texts("exclude"),
    )
