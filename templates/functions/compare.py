"""A restored table against its witnesses, item by item: by digest, so that no item stays in memory.

A witness is the source exported at a moment. A snapshot leaves a minute open on either side of its own moment; it is
compared with the source before and after that minute. What is the same in both must be in the restored table exactly
so; what is not was written within the minute, and is counted as unsettled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from backcheck.errors import Error
from backcheck.manifest.build import export_tasks
from backcheck.manifest.digest import item_digest, key_digest
from backcheck.manifest.encoding import Attributes
from backcheck.manifest.export import open_export
from backcheck.manifest.reading import ItemSource
from backcheck.manifest.scan import Connection, Segment
from functions.check import Check, Verdict

Digests: TypeAlias = Mapping[bytes, bytes]
"""Key digest to item digest."""


class TooLarge(Error):  # noqa: N818  it is what the answer says
    """More items than this function compares."""


def digests(items: Iterable[Attributes], key: tuple[str, ...], max_items: int) -> Digests:
    """The digests of a whole table. Raises TooLarge, and Error for two items with one key."""
    found: dict[bytes, bytes] = {}
    for item in items:
        digest = item_digest(item)  # makes the item canonical, which key_digest builds on
        pairing = key_digest(item, key)
        if pairing in found:
            raise Error("two items have the same key: this is not one table")
        if len(found) >= max_items:
            raise TooLarge(
                f"more than {max_items} items: not compared", hint="'backcheck drill' compares tables of any size"
            )
        found[pairing] = digest
    return found


def compare(restored: Digests, before: Digests, after: Digests, *, allow_empty: bool) -> Verdict:
    """The verdict on a restored table. `before` and `after` are the same where the moment is exact."""
    same = missing = extra = changed = unsettled = 0
    for key in restored.keys() | before.keys() | after.keys():
        was, became, now = before.get(key), after.get(key), restored.get(key)
        if was != became:
            unsettled += 1
        elif now is None:
            missing += 1
        elif was is None:
            extra += 1
        elif now != was:
            changed += 1
        else:
            same += 1
    nothing_there = not (restored or before or after)
    equal = not (missing or extra or changed) and (same > 0 or (allow_empty and nothing_there))
    reason = _reason(len(restored), missing, extra, changed, unsettled, equal=equal)
    return Verdict(
        equal=equal,
        reason=reason,
        items=len(restored),
        missing=missing,
        extra=extra,
        changed=changed,
        unsettled=unsettled,
    )


def _reason(items: int, missing: int, extra: int, changed: int, unsettled: int, *, equal: bool) -> str:
    blur = f"; {unsettled} written within the minute that a snapshot leaves open" if unsettled else ""
    if missing or extra or changed:
        return f"{items} items restored: {missing} missing, {extra} extra, {changed} changed{blur}"
    if not equal:
        return f"{items} items restored, none to compare: that proves nothing{blur}"
    if not items:
        return "the table was empty and so is the restored one, which AllowEmptyTable lets pass"
    return f"{items} items restored, all equal to the source's export{blur}"


def read_and_compare(check: Check, key: tuple[str, ...], max_items: int) -> Verdict:
    """Read the restored table and the witnesses, and compare. Raises Error where one cannot be read whole."""
    exported = [digests(_items(_files(one.place, check, key)), key, max_items) for one in check.witnesses]
    if not exported:
        raise Error("no witness to compare with")
    scan = Segment(
        connection=Connection(), table_name=check.target_table, key=key, number=0, segments=1, units_per_second=None
    )
    restored = digests(_items([scan]), key, max_items)
    return compare(restored, exported[0], exported[-1], allow_empty=check.allow_empty)


def _files(place: str, check: Check, key: tuple[str, ...]) -> Iterable[ItemSource]:
    export = open_export(place)
    if export.table.arn != check.source_table_arn:
        raise Error(f"the export is of {export.table.arn}, not of {check.source_table_arn}")
    return export_tasks(export, key)


def _items(sources: Iterable[ItemSource]) -> Iterable[Attributes]:
    return (item for source in sources for _, item, _ in source.items())
