"""Random valid policies, for properties."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from backcheck.policy.document import Json

KEYS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,12}", fullmatch=True)
# Surrogates are not text, and a policy is written in YAML, which has no control characters.
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=40
).filter(lambda text: text.strip() != "")
DAYS = st.integers(1, 4000)
MINUTES = st.integers(1, 1000)
CRONS = st.sampled_from(["cron(0 1 * * ? *)", "cron(0 0 ? * SUN *)", "cron(30 2 L * ? *)", "cron(broken)"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"])
DATES = st.dates(date(2020, 1, 1), date(2040, 1, 1)).map(date.isoformat)
TAGS: st.SearchStrategy[Json] = st.dictionaries(TEXTS, TEXTS, max_size=3).map(dict)


def some(**values: st.SearchStrategy[Json]) -> st.SearchStrategy[dict[str, Json]]:
    """A map with any of these keys."""
    return st.fixed_dictionaries({}, optional=values)


def lists(items: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Json]:
    """Lists without repetition."""
    return st.lists(items, min_size=least, max_size=3, unique_by=repr).map(list)


@st.composite
def copies(draw: st.DrawFn, vaults: list[str]) -> Json:
    copy: dict[str, Json] = {"vault": draw(st.sampled_from([*vaults, "nowhere"]))}
    if draw(st.booleans()):
        copy["retention_days"] = draw(DAYS)
        if draw(st.booleans()):
            copy["cold_storage_after_days"] = draw(DAYS)
        return copy
    return draw(st.sampled_from([copy, copy["vault"]]))


def where_to(copy: Json) -> str:
    return str(copy["vault"] if isinstance(copy, dict) else copy)


@st.composite
def tiers(draw: st.DrawFn, vaults: list[str]) -> dict[str, Json]:
    tier = draw(
        some(
            rule=KEYS,
            timezone=ZONES,
            start_window_minutes=MINUTES,
            completion_window_minutes=MINUTES,
            cold_storage_after_days=DAYS,
            copies=st.lists(copies(vaults), max_size=3, unique_by=where_to).map(list),
            purpose=TEXTS,
            continuous=st.booleans(),
        )
    )
    return {"schedule": draw(CRONS), "retention_days": draw(DAYS), "vault": draw(st.sampled_from(vaults)), **tier}


LOCKS: st.SearchStrategy[Json] = some(min_retention_days=DAYS, max_retention_days=DAYS) | st.just("none")
COMPLIANCE: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"mode": st.just("compliance"), "changeable_for_days": st.integers(3, 30)}
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """What a valid policy file holds: everything by long and by short forms."""
    keys = draw(
        st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{1,9}", fullmatch=True), min_size=1, max_size=3, unique=True)
    )
    vault: st.SearchStrategy[Any] = some(
        name=st.from_regex(r"[A-Za-z0-9_-]{2,50}", fullmatch=True),
        region=st.sampled_from(["primary", "dr"]),
        account=st.sampled_from(["primary", "other"]),
        key=st.sampled_from(["customer", "aws-managed", "aws-owned"]),
        lock=LOCKS | COMPLIANCE,
        air_gapped=st.booleans(),
        deny_deletion=st.booleans(),
        allowed_principals=lists(TEXTS),
    )
    plans: dict[str, Any] = {
        plan: {"tiers": draw(st.dictionaries(KEYS, tiers(keys), min_size=1, max_size=3))}
        for plan in draw(st.lists(KEYS, min_size=1, max_size=2, unique=True))
    }
    ids = [f"{plan}/{tier}" for plan, held in plans.items() for tier in held["tiers"]]
    table = st.fixed_dictionaries(
        {},
        optional={
            "account": st.sampled_from(["primary", "other"]),
            "region": st.sampled_from(["primary", "dr"]),
            "tiers": lists(st.sampled_from([*ids, "no/such"]), least=1),
            "pitr": PITR,
            "deletion_protection": st.booleans(),
            "encryption": st.sampled_from(["customer", "aws-owned"]),
        },
    )
    which: st.SearchStrategy[dict[str, Json]] = st.sampled_from(
        [{"name": "shop-orders"}, {"pattern": "shop-*"}, {"tags": {"backup": "yes"}}]
    )
    tables: dict[str, Json] = {
        key: draw(which) | draw(table) for key in draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    }
    body = draw(OPTIONAL)
    return {
        "schema": "backcheck/policy/v1",
        "name": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{1,20}", fullmatch=True)),
        "owner": draw(TEXTS),
        "accounts": {"other": "210987654321", "primary": {"id": "123456789012", "external_id": draw(TEXTS)}},
        "regions": {"dr": "eu-west-1", "primary": "eu-central-1"},
        "tables": tables,
        "objectives": draw(OBJECTIVES),
        "plans": plans,
        "vaults": {key: draw(vault) for key in keys},
        **body,
    }


PITR = some(enabled=st.booleans(), window_days=st.integers(1, 35), max_lag_minutes=MINUTES)
OBJECTIVES = st.sampled_from(
    [
        {"rpo_hours": 27, "rto_hours": 4},
        {"rpo": {"dr_hours": 36}, "rto": {"pitr_minutes": 30}},
        {"rpo": {"pitr_minutes": 5, "backup_hours": 33}, "rto_hours": 2},
    ]
)
WAIVERS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("control", "resource", "owner", "ticket", "reason"), TEXTS),
        "granted": DATES,
        "expires": st.dates(date(2020, 1, 1), date(2040, 1, 1)).map(lambda day: (day + timedelta(days=9)).isoformat()),
    }
)
STATEMENTS = st.fixed_dictionaries(
    {"id": TEXTS, "says": TEXTS, "at": lists(st.sampled_from(["/pitr", "/plans", "/no/such"]), least=1)},
    optional={"deviation": TEXTS, "computed": TEXTS},
)
OPTIONAL = some(
    title=TEXTS,
    version=TEXTS,
    effective_from=DATES,
    next_review=DATES,
    timezone=ZONES,
    discovery=some(name_prefixes=lists(TEXTS), tags=TAGS, exclude=lists(TEXTS)),
    pitr=PITR,
    dynamodb_advanced_features=st.sampled_from(["required", "not-required"]),
    roles=some(backup=KEYS, restore=KEYS, drill=KEYS, auditor=KEYS, break_glass=lists(KEYS)),
    validation=st.fixed_dictionaries(
        {"schedule": CRONS},
        optional={
            "timezone": ZONES,
            "max_backup_age_hours": MINUTES,
            "function": TEXTS,
            "alerts": st.fixed_dictionaries(
                {"topic": st.just("alerts")},
                optional={"team": TEXTS, "on": lists(st.sampled_from(["backup-failed", "copy-failed"]), least=1)},
            ),
        },
    ),
    drill=st.just("none")
    | some(
        schedule=CRONS,
        timezone=ZONES,
        max_age_days=DAYS,
        methods=lists(st.sampled_from(["pitr", "backup", "dr-copy"]), least=1),
        tables=lists(TEXTS, least=1),
        checks=lists(st.sampled_from(["completed", "rto", "digest"]), least=1),
        cost_ceiling_usd=st.floats(0, 1000, allow_nan=False) | st.integers(0, 9),
        canary=st.fixed_dictionaries({"role": KEYS, "key_prefix": TEXTS}),
    ),
    procedures=some(pitr=lists(TEXTS, least=1), backup=lists(TEXTS, least=1)),
    duties=st.dictionaries(
        KEYS,
        st.fixed_dictionaries({"does": TEXTS}, optional={"every": st.just("P3M"), "shown_by": lists(st.just("drift"))}),
        max_size=2,
    ),
    waivers=lists(WAIVERS),
    statements=lists(STATEMENTS),
)
