"""Loading: shorthand, defaults, the places that stay; any bytes end in a Policy or a PolicyError."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backcheck.errors import PolicyError
from backcheck.policy.load import load, parse
from backcheck.policy.model import Copy, KeyKind, Lock, LockMode, Method, Pitr, Policy, TableScope

ROOT = Path(__file__).parents[2]
MINIMAL = (ROOT / "policies" / "minimal.yaml").read_text(encoding="utf-8")


def policy(text: str = MINIMAL, **replaced: str) -> Policy:
    for key, line in replaced.items():
        lines = [line if old.startswith(f"{key}:") else old for old in text.splitlines()]
        text = "\n".join(lines if line in lines else [*lines, line])
    return parse(text, file="p.yaml")


def told(text: str) -> str:
    with pytest.raises(PolicyError) as raised:
        parse(text, file="p.yaml")
    return raised.value.diagnostics()


def test_a_first_policy_has_ten_lines() -> None:
    lines = [line for line in MINIMAL.splitlines() if line and not line.startswith("#")]
    assert len(lines) <= 10


def test_defaults() -> None:
    made = policy()
    (tier,) = made.tiers
    assert made.pitr == Pitr(enabled=True, window_days=35, max_lag_minutes=15)
    assert (tier.start_window_minutes, tier.completion_window_minutes) == (60, 120)
    assert (tier.timezone, tier.rule, tier.vault) == ("UTC", "daily", "shop")
    assert tier.copies == (Copy(vault="shop-dr", retention_days=35, cold_storage_after_days=None),)
    assert [(vault.key, vault.name, vault.region) for vault in made.vaults] == [
        ("shop", "shop", "primary"),
        ("shop-dr", "shop-dr", "dr"),
    ]
    derived = Lock(mode=LockMode.GOVERNANCE, min_retention_days=35, max_retention_days=35)
    assert [vault.lock for vault in made.vaults] == [derived, derived]
    assert {vault.encryption for vault in made.vaults} == {KeyKind.CUSTOMER}
    assert made.drill is not None
    assert made.drill.schedule == "cron(0 6 2 * ? *)"
    assert made.drill.methods == (Method.PITR, Method.BACKUP, Method.DR_COPY)
    assert made.drill.tables == ("shop",)
    assert made.validation is None


def test_a_file_below_the_working_directory_is_called_by_its_path_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policies").mkdir()
    path = tmp_path / "policies" / "p.yaml"
    path.write_text(MINIMAL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load(path).source.file == load(Path("policies/p.yaml")).source.file == "policies/p.yaml"
    monkeypatch.chdir(tmp_path / "policies")
    assert load(Path("../policies/p.yaml")).source.file == "../policies/p.yaml"
    monkeypatch.chdir("/")
    assert load(path).source.file == path.relative_to("/").as_posix()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(path).source.file == str(path)


def test_the_tables_of_a_list_are_names_patterns_or_arns() -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/shop-orders"
    made = policy(tables=f'tables: [shop-orders, "shop-*", "*", {arn}]')
    every = ("shop/daily",)
    assert made.tables == (
        TableScope(key="shop-orders", name="shop-orders", tiers=every),
        TableScope(key="shop", pattern="shop-*", tiers=every),
        TableScope(key="all", pattern="*", tiers=every),
        TableScope(key="shop-orders-2", arn=arn, tiers=every),
    )


def test_an_arn_says_where_its_table_is() -> None:
    arn = "arn:aws:dynamodb:us-west-2:123456789012:table/shop-orders"
    made = policy(tables=f"tables: [{arn}]")
    assert (made.tables[0].region, made.tables[0].account) == ("dr", "primary")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("{arn: ARN, region: primary}", "/tables/t/region: the ARN's region is us-west-2, and not us-east-1"),
        ("{arn: ARN2}", "/tables/t/arn: the ARN's region is eu-west-1, which `regions` does not have"),
        ("{arn: ARN3}", "/tables/t/arn: the ARN's account is 999999999999, which `accounts` does not have"),
    ],
)
def test_an_arn_and_its_account_and_region_agree(table: str, expected: str) -> None:
    arn = "arn:aws:dynamodb:us-west-2:123456789012:table/shop-orders"
    for name, one in {
        "ARN2": arn.replace("us-west-2", "eu-west-1"),
        "ARN3": arn.replace("123456789012", "999999999999"),
        "ARN": arn,
    }.items():
        table = table.replace(name, one)
    assert expected in told(MINIMAL.replace('["shop-*"]', f"{{t: {table}}}"))


def test_an_arn_of_a_list_is_found_where_it_stands() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-orders"
    assert ":7:18: /tables/1: the ARN's region is eu-west-1" in told(MINIMAL.replace('["shop-*"]', f"[orders, {arn}]"))


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("35 days", "write 35, without"),
        ('"35"', "write 35, without"),
        ("35d", "write 35, without"),
        ("0x23", ""),
        ("3_5", ""),
        ("1:30", ""),
        (".inf", ""),
    ],
)
def test_no_other_number_is_advised_than_was_meant(written: str, advice: str) -> None:
    told_of = told(MINIMAL.replace("retention_days: 35", f"retention_days: {written}"))
    assert "must be a whole number" in told_of
    assert advice in told_of
    assert ("try:" in told_of) == bool(advice)


def test_text_that_is_empty_is_told_once() -> None:
    assert told(MINIMAL.replace("ops@example.com", '""')).count("/owner: must be text, and not blank") == 1


@pytest.mark.parametrize("line", ['account: "123456789012\\n"', 'name: "shop\\n"'])
def test_a_line_end_is_no_end(line: str) -> None:
    key = line.partition(":")[0]
    assert f"/{key}: must be " in told(MINIMAL.replace(f"{key}: ", f"{line}\n# "))


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        ("[dr]", Copy(vault="shop-dr", retention_days=400, cold_storage_after_days=30)),
        ("[{vault: dr}]", Copy(vault="shop-dr", retention_days=400, cold_storage_after_days=30)),
        ("[{vault: dr, retention_days: 90}]", Copy(vault="shop-dr", retention_days=90, cold_storage_after_days=None)),
        ("[nowhere]", Copy(vault="nowhere", retention_days=400, cold_storage_after_days=30)),
    ],
)
def test_a_copy_has_its_tiers_lifecycle_or_one_of_its_own(copies: str, expected: Copy) -> None:
    text = MINIMAL.replace("retention_days: 35, copies: [dr]", "")
    tier = f"retention_days: 400, cold_storage_after_days: 30, copies: {copies}"
    assert policy(text.replace('* ? *)", ', f'* ? *)", {tier}')).tiers[0].copies == (expected,)


def test_a_vault_of_its_own_gets_a_lock_from_what_is_stored_there_unless_it_says_none() -> None:
    made = policy(vaults="vaults: {here: {}, there: {region: dr, lock: none}, gap: {air_gapped: true}}")
    least = {vault.key: vault.lock and vault.lock.min_retention_days for vault in made.vaults}
    assert least == {"here": 35, "there": None, "gap": None}
    assert [copy.vault for copy in made.tiers[0].copies] == ["there"]


def test_a_region_with_two_vaults_is_not_enough_for_a_copy() -> None:
    text = told(MINIMAL + "vaults: {here: {}, there: {region: dr}, too: {region: dr}}\n")
    assert "/tiers/daily/copies: the Region `dr` has several vaults: there, too" in text


def test_two_copies_to_one_vault_are_one_too_many() -> None:
    text = told(MINIMAL.replace("[dr]", "[dr, shop-dr]"))
    assert "/tiers/daily/copies: 2 copies go to the vault `shop-dr`" in text


@pytest.mark.parametrize("key", ["v", "shop.main"])
def test_a_vaults_key_that_aws_would_not_take_wants_a_name(key: str) -> None:
    text = told(f"{MINIMAL}vaults: {{{key}: {{}}, shop-dr: {{region: dr}}}}\n")
    assert f"/vaults/{key}: `{key}` is the vault's name in AWS, too" in text
    assert (
        policy(vaults=f"vaults: {{{key}: {{name: shop-main}}, shop-dr: {{region: dr}}}}").vaults[0].name == "shop-main"
    )


def test_one_of_several_plans_is_named_by_plan_and_tier() -> None:
    text = (ROOT / "fixtures" / "policies" / "bad" / "tier-of-two-plans.yaml").read_text(encoding="utf-8")
    made = policy(text.replace("tiers: [daily]", "tiers: [b/daily, nosuch]"))
    assert made.tables[0].tiers == ("b/daily", "nosuch")
    assert [tier.id for tier in made.tiers_of(made.tables[0])] == ["b/daily"]


def test_no_drill_has_to_be_said() -> None:
    assert policy(drill="drill: none").drill is None


def test_the_primary_account_comes_first() -> None:
    text = (
        'accounts: {other: "210987654321", primary: {id: "123456789012", role_arn: "arn:aws:iam::123456789012:role/r"}}'
    )
    made = policy(MINIMAL.replace('account: "123456789012"', text))
    assert [(account.key, account.id, account.role_arn) for account in made.accounts] == [
        ("primary", "123456789012", "arn:aws:iam::123456789012:role/r"),
        ("other", "210987654321", None),
    ]


@pytest.mark.parametrize(
    "word", ["NO", "on", "yes", "y", "1:30", "1_000", "0x1F", "2026-11-22", ".inf", "=", "~x", "9" * 31, "1e999"]
)
def test_text_stays_text(word: str) -> None:
    assert policy(title=f"title: {word}").title == word


@pytest.mark.parametrize(
    ("written", "amount"), [("5", 5.0), ("0.5", 0.5), ("1e2", 100.0), ("1.0e-07", 1e-07), (".5", 0.5)]
)
def test_numbers(written: str, amount: float) -> None:
    drill = policy(drill=f"drill: {{cost_ceiling_usd: {written}}}").drill
    assert drill is not None
    assert drill.cost_ceiling_usd == amount


def test_the_long_forms_pointers_lead_to_the_short_forms_lines() -> None:
    source = policy().source
    line = next(n for n, text in enumerate(MINIMAL.splitlines(), 1) if "daily:" in text)
    assert source.line_of("/plans/shop/tiers/daily/retention_days") == line
    assert source.line_of("/plans/shop/tiers/daily/start_window_minutes") == line
    assert source.line_of("/tables/shop") == line - 2
    assert source.line_of("/vaults/shop") == 0


def test_statements_point_into_the_long_form() -> None:
    text = "statements: [{id: S1, says: x, at: [/tiers/daily, /tables/0, /account, /objectives/rpo_hours]}]"
    assert policy(statements=text).statements[0].at == (
        "/plans/shop/tiers/daily",
        "/tables/shop",
        "/accounts/primary/id",
        "/objectives/rpo/backup_hours",
    )


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(file).name == "shop"


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(MINIMAL)
    with pytest.raises(PolicyError, match="problem") as raised:
        load(tmp_path / "polcy.yaml")
    assert raised.value.diagnostics().startswith(f"{tmp_path / 'polcy.yaml'}: there is no such file")
    assert raised.value.problems[0].hint == f"did you mean {tmp_path / 'policy.yaml'}?"
    with pytest.raises(PolicyError) as raised:
        load(tmp_path / "nothing" / "p.yaml")
    assert raised.value.problems[0].hint == "there is no .yaml file next to it either"


def test_an_objective_with_a_unit_is_shown_how_it_is_written() -> None:
    text = told(MINIMAL.replace("{rpo_hours: 27, rto_hours: 4}", "{rpo: 24h, rto: 4h}"))
    assert '/objectives/rpo: must be a map of keys, found the text "24h"' in text
    assert "try: rpo: {pitr_minutes: 15, backup_hours: 33, dr_hours: 36}" in text


def test_a_directory_names_the_policies_in_it() -> None:
    with pytest.raises(PolicyError) as raised:
        load(ROOT / "policies")
    assert "this is a directory, a policy is one file" in raised.value.diagnostics()
    assert "minimal.yaml" in raised.value.diagnostics()


def test_a_file_of_ten_megabytes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    with file.open("wb") as big:
        big.truncate(10_000_000)
    with pytest.raises(PolicyError) as raised:
        load(file)
    assert "more than 1,000,000 bytes" in raised.value.diagnostics()


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PolicyError) as raised:
        load(Path("p.yaml"))
    assert raised.value.diagnostics() == "p.yaml: the file may not be read\n  try: chmod u+r p.yaml"


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(PolicyError) as raised:
        load(Path("a\0b"))
    assert "the file cannot be read" in raised.value.diagnostics()


def test_many_problems_are_cut_short() -> None:
    many = told(MINIMAL + "".join(f"strange{n}: 1\n" for n in range(200)))
    assert many.count("there is no key") == 50
    assert many.endswith("and 150 more")


def test_a_vault_that_gets_its_name_from_the_policy_may_not_be_too_long() -> None:
    long = "frankfurt"
    text = (
        MINIMAL.replace("name: shop", f"name: {'n' * 45}").replace("dr: us", f"{long}: us").replace("[dr]", f"[{long}]")
    )
    assert f"/name: the vault would be called `{'n' * 45}-{long}`: AWS takes 50 characters" in told(text)


def test_nothing_is_told_twice() -> None:
    lines = told(
        MINIMAL.replace("retention_days: 35", "retention_days: 3.5").replace("rpo_hours: 27", "rpo_hours: 0.5")
    )
    assert lines.count("p.yaml:") == 2


@pytest.mark.parametrize(
    ("line", "expected", "hint"),
    [
        ("dynamodb_advanced_features: on", 'must be one of required, not-required, found the text "on"', ""),
        ("dynamodb_advanced_features: requird", "must be one of required, not-required", "did you mean `required`?"),
        ("title: true", "must be text, found true", 'put it in quotes: "true"'),
        ("title: {a: b}", "must be text, found a map of keys", ""),
        ("title: []", "must be text, found a list", ""),
        ("title: '  '", 'must be text, and not blank, found the text "  "', ""),
        (f"title: {'x' * 2001}", "is too long: at most 2000, found 2001", ""),
        ("roles: {break_glass: [a, a]}", "holds the same entry twice", ""),
        ("pitr: {window_days: 36}", "must be at most 35, found the number 36", ""),
        ("drill: {methods: [restore]}", "must be one of pitr, backup, dr-copy", ""),
        ("name: shop\nname: shop", "this key came before", "keep one of them"),
        ("title: @x", "not YAML: unquoted text cannot begin with `@`", "put it in quotes"),
        ("title: `x`", "not YAML: unquoted text cannot begin with ```", "put it in quotes"),
        ("timezone: Mars/Olympus", 'the time zone "Mars/Olympus" is not in the IANA', ""),
        ("vaults: {shop: {account: backup}}", "there is no account named `backup` in `accounts`", ""),
        ("vaults: {shop-dr: {region: dr}}", "`vault` is missing, and there is no vault in the primary", ""),
    ],
)
def test_says_what_was_expected(line: str, expected: str, hint: str) -> None:
    key = line.partition(":")[0]
    kept = [old for old in MINIMAL.splitlines() if not old.startswith(f"{key}:")]
    text = told("\n".join([*kept, line]))
    assert expected in text
    assert hint in text


WORDS = MINIMAL.split()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_policy_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    file.write_bytes(data)
    with pytest.raises(PolicyError) as raised:
        load(file)
    assert raised.value.problems


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_damage_to_a_policy_ends_in_a_policy_or_a_policy_error(data: st.DataObject) -> None:
    text = MINIMAL
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        until = data.draw(st.integers(at, min(at + 20, len(text))))
        text = text[:at] + data.draw(st.text(max_size=8) | st.sampled_from(WORDS)) + text[until:]
    assert outcome(text) in ("policy", "problems in order")


def outcome(text: str) -> str:
    try:
        made = parse(text, file="p.yaml")
    except PolicyError as error:
        ordered = sorted(error.problems, key=lambda p: (p.line, p.column))
        return "problems in order" if error.problems and list(error.problems) == ordered else "disorder"
    return "policy" if made.tiers and made.tables else "nothing"
