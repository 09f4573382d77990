"""Every file that must not load, and what its author is told: place, pointer, and how the message begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from backcheck.errors import PolicyError
from backcheck.policy.load import load

BAD = Path(__file__).parents[2] / "fixtures" / "policies" / "bad"

REFUSED: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("account-and-accounts", [("1:1", "", "needs `account` (one account) or `accounts` (several")]),
    ("account-begins-with-0", [("3:10", "/account", "012345678901 means different numbers to different re")]),
    ("account-too-short", [("3:10", "/account", 'must be 12 digits in quotes, such as "123456789012",')]),
    ("account-unquoted", [("3:10", "/account", "must be text, found the number 123456789012")]),
    ("alias-bomb", [("1:4", "", "the anchor `&a` is not supported: each thing is said")]),
    ("alias", [("9:7", "", "the alias `*pitr` is not supported: each thing is sa")]),
    ("boolean-of-yaml-1.1", [("10:17", "/pitr/enabled", 'must be true or false, found the text "yes"')]),
    (
        "cold-copy-without-retention",
        [("7:71", "/tiers/daily/copies/0", "sets cold_storage_after_days without retention_days")],
    ),
    (
        "compliance-lock-without-days",
        [("10:17", "/vaults/shop/lock", "mode: compliance needs `changeable_for_days`: the da")],
    ),
    ("control-character", [("9:11", "", "the character U+0007 is not allowed in YAML")]),
    ("copies-not-a-list", [("7:70", "/tiers/daily/copies", 'must be a list, found the text "dr"')]),
    (
        "cron-unquoted-in-braces",
        [("7:21", "/tiers/daily/schedule", "a schedule within { } must stand in quotes: a comma,")],
    ),
    (
        "cron-unquoted-with-comma",
        [
            ("7:21", "/tiers/daily/schedule", "a schedule within { } must stand in quotes: a comma,"),
            ("7:30", "/tiers/daily/13 * * ? *)", "there is no key"),
        ],
    ),
    ("date-impossible", [("10:14", "/next_review", "must be a date written year-month-day, such as 2026-")]),
    ("date-in-words", [("10:14", "/next_review", "must be a date written year-month-day, such as 2026-")]),
    ("deep-nesting", [("1:20", "", "more than 12 lists and maps within each other")]),
    ("drill-misspelt-none", [("10:8", "/drill", 'must be none or a map of keys, found the text "no"')]),
    ("duplicate-key", [("10:1", "/owner", "this key came before, on line 9")]),
    ("empty", [("0:0", "", "the file is empty")]),
    ("key-misspelt", [("7:42", "/tiers/daily/retention_dys", "there is no key `retention_dys` here")]),
    ("key-not-text", [("7:3", "", "a key must be text")]),
    ("key-unknown", [("10:1", "/regressions", "there is no key `regressions` here")]),
    ("list-at-the-top", [("1:1", "", "must be a map of keys, found a list")]),
    (
        "many-problems",
        [
            ("4:20", "/regions/primary", "must be an AWS Region, such as us-east-1, found the"),
            ("7:58", "/tiers/daily/retention_days", 'must be a whole number, found the text "35 days"'),
            ("9:1", "/ownr", "there is no key `ownr` here"),
        ],
    ),
    ("merge-key", [("7:11", "/tiers/daily/<<", "merge keys are not supported")]),
    ("missing-objectives", [("1:1", "", "`objectives` is missing. How much may be lost (RPO)")]),
    ("missing-rto", [("8:13", "/objectives", "needs `rto_hours` or `rto` (by way of recovery), and")]),
    ("no-vault-to-choose", [("7:10", "/tiers/daily", "`vault` is missing, and there are several vaults in")]),
    ("not-utf-8", [("9:11", "", "byte 0xe9 is not UTF-8")]),
    (
        "number-begins-with-0",
        [("7:58", "/tiers/daily/retention_days", "035 means different numbers to different readers of")],
    ),
    ("number-in-quotes", [("7:58", "/tiers/daily/retention_days", 'must be a whole number, found the text "35"')]),
    ("number-with-unit", [("7:58", "/tiers/daily/retention_days", 'must be a whole number, found the text "35 days"')]),
    ("only-a-comment", [("0:0", "", "the file is empty")]),
    ("quote-never-closed", [("10:1", "", "not YAML: a quote is opened and never closed (what i")]),
    ("region-unknown", [("10:38", "/vaults/shop-dr/region", "there is no Region named `d` in `regions`")]),
    ("second-colon", [("9:12", "", "not YAML: a second `:` on this line, or a line that")]),
    ("several-documents", [("10:1", "", "a second document begins here; a policy file holds o")]),
    ("tab", [("11:1", "", "not YAML: a tab; YAML is indented with spaces")]),
    ("table-by-name-and-pattern", [("5:16", "/tables/shop", "needs exactly one of name, pattern, arn and tags: th")]),
    ("tables-empty", [("5:9", "/tables", "is empty, and needs at least one entry")]),
    ("tables-not-a-list", [("5:9", "/tables", 'must be a list or a map of keys, found the text "sho')]),
    ("tag-of-yaml", [("9:8", "", "the tag `!!python/name:os.system` is not supported")]),
    ("template-not-policy", [("0:0", "", "this is a CloudFormation template, not a policy")]),
    ("tier-of-two-plans", [("5:43", "/tables/shop/tiers", "`daily` is a tier of several plans")]),
    ("timezone-unknown", [("10:11", "/timezone", 'the time zone "Europe/Berln" is not in the IANA time')]),
    ("utf-16", [("1:1", "", "the file is UTF-16")]),
    ("value-missing", [("9:7", "/owner", "must be text, found nothing")]),
    ("version-unquoted", [("10:10", "/version", "must be text, found the number 1.10")]),
    ("waiver-without-expiry", [("11:5", "/waivers/0", "`expires` is missing. The last day on which it holds")]),
    ("wrong-indentation", [("8:2", "", "not YAML: this line is indented differently from tho")]),
]


@pytest.mark.parametrize(("name", "expected"), REFUSED, ids=[name for name, _ in REFUSED])
def test_says_where_and_what(name: str, expected: list[tuple[str, str, str]]) -> None:
    with pytest.raises(PolicyError) as raised:
        load(BAD / f"{name}.yaml")
    told = [(f"{p.line}:{p.column}", p.path, p.message) for p in raised.value.problems]
    assert [(place, path) for place, path, _ in told] == [(place, path) for place, path, _ in expected]
    for (_, _, message), (_, _, beginning) in zip(told, expected, strict=True):
        assert message.startswith(beginning)
