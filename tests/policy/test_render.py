"""Rendering: YAML that loads as the same policy, the document for people, and CloudFormation that linters accept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cfnlint.api import lint_all
from hypothesis import HealthCheck, Phase, given, settings
from tests.policy.policies import files

from backcheck import cli
from backcheck.errors import Error
from backcheck.policy import schema
from backcheck.policy.document import Document, Json
from backcheck.policy.load import load, parse
from backcheck.policy.long_form import long_form
from backcheck.policy.model import Policy
from backcheck.policy.render_cloudformation import template, to_cloudformation
from backcheck.policy.render_markdown import to_markdown
from backcheck.policy.render_yaml import explain, to_yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = ["techmoda", "minimal", "organisation"]
# Not shrunk: that takes minutes here, and a random policy is short enough to read.
RANDOM = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def example(name: str) -> Policy:
    return load(ROOT / "policies" / f"{name}.yaml")


def modulo_source(policy: Policy) -> Policy:
    return replace(policy, source=replace(policy.source, file="", sha256="", places={}))


@RANDOM
@given(files())
def test_what_is_written_loads_as_the_same_policy(data: dict[str, Json]) -> None:
    policy = parse(json.dumps(data, ensure_ascii=False), file="random.yaml")
    again = parse(to_yaml(policy), file="again.yaml")
    assert modulo_source(again) == modulo_source(policy)
    assert yaml.safe_load(to_yaml(policy)) == long_form(policy), "readers of YAML 1.1 see something else"
    assert modulo_source(parse(explain(policy), file="explained.yaml")) == modulo_source(policy)


@settings(RANDOM, max_examples=10)
@given(files())
def test_the_long_form_is_valid_and_a_document_can_be_made(data: dict[str, Json]) -> None:
    policy = parse(json.dumps(data, ensure_ascii=False), file="random.yaml")
    assert schema.problems_in(Document(value=long_form(policy), keys={}, values={})) == []
    assert to_markdown(policy).count("\n## ") >= 9


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_written_back(name: str) -> None:
    policy = example(name)
    assert modulo_source(parse(to_yaml(policy), file="again.yaml")) == modulo_source(policy)
    # Readers of YAML 1.1 see the same data.
    assert yaml.safe_load(to_yaml(policy)) == long_form(policy)


def test_explain_marks_what_the_file_does_not_say() -> None:
    lines = explain(example("minimal")).splitlines()
    assert "timezone: UTC  # default" in lines
    assert "        start_window_minutes: 60  # default" in lines
    assert "        retention_days: 35" in lines
    assert "    backup_hours: 27" in lines
    assert "vaults:  # default" in lines
    assert '    id: "123456789012"' in lines
    marked = [
        line for line in explain(parse(to_yaml(example("minimal")), file="x")).splitlines() if "# default" in line
    ]
    assert marked == []


def test_the_document_in_docs_is_the_rendered_policy() -> None:
    document = (ROOT / "docs" / "policies" / "backup-policy.md").read_bytes()
    assert document == to_markdown(example("techmoda")).encode()


@pytest.mark.parametrize(
    "sentence",
    [
        "| daily | daily at 01:00 UTC | 1 h | 2 h | techmoda-vault | 30 days | never | techmoda-vault-dr",
        "| monthly | monthly on the 1st at 00:00 UTC | 3 h | 6 h | techmoda-vault | 365 days | after 90 days |",
        "weekly replaces techmoda-backup-plan/daily 49 times in 2026 and 51 times in 2027, and makes its copies",
        "24 h between them + 3 h start window + 6 h completion window of monthly = 33 h",
        "| Copy in the DR Region | 36 h | 8 h |",
        "1. Identify the point in time to restore to",
        "| security | Reviews backup configuration and access controls | every 3 months | next_review |",
        "- **S05** (Weekly moved to cold storage after 30 days): Not possible with 90 days of retention; dropped",
        "on 61 days of 2026 and 63 of 2027",
    ],
)
def test_the_document_says(sentence: str) -> None:
    assert sentence in to_markdown(example("techmoda"))


def test_nothing_in_a_policy_is_markup() -> None:
    odd = replace(example("minimal"), owner="a|b <script> *x* `y` [z](u)", title="T\n# U")
    text = to_markdown(odd)
    assert r"a\|b &lt;script> \*x\* \`y\` \[z\](u)" in text
    assert text.startswith("# T # U\n")


@pytest.mark.parametrize("name", ["techmoda", "organisation"])
def test_cloudformation_passes_cfn_lint(name: str) -> None:
    found = lint_all(to_cloudformation(example(name)))
    # I: information, such as the wish for a Metadata block of its own.
    assert [str(match) for match in found if not match.rule.id.startswith("I")] == []


def test_cloudformation_keeps_each_resource_where_the_policy_has_it() -> None:
    made = template(example("techmoda"))
    resources = made["Resources"]
    assert isinstance(resources, dict)
    conditions = {name: r["Condition"] for name, r in resources.items() if isinstance(r, dict)}
    assert conditions["VaultTechmodaVault"] == "IsPrimary"
    assert conditions["VaultTechmodaVaultDr"] == conditions["VaultTechmodaVaultDrKey"] == "IsDr"
    assert conditions["PlanTechmodaBackupPlan"] == conditions["PlanTechmodaBackupPlanProducts"] == "IsPrimary"
    assert "arn:${AWS::Partition}:backup:us-west-2:123456789012:backup-vault:techmoda-vault-dr" in json.dumps(made)


def test_cloudformation_has_each_kind_of_vault_and_selection() -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/shop-orders"
    text = (ROOT / "policies" / "minimal.yaml").read_text(encoding="utf-8").replace('"shop-*"', f"shop-items, {arn}")
    vaults = (
        "{here: {name: shop, key: aws-managed, lock: {mode: compliance, changeable_for_days: 3}}, he-re: {region: dr}}"
    )
    made = template(parse(text.replace("copies: [dr]", "copies: [he-re]") + f"vaults: {vaults}\n", file="p.yaml"))
    resources = made["Resources"]
    assert isinstance(resources, dict)
    assert {"VaultHere", "VaultHeRe", "VaultHeReKey", "PlanShop"} <= set(resources)
    written = json.dumps(resources)
    assert '"ChangeableForDays": 3' in written
    assert arn in written
    assert "table/shop-items" in written


def test_a_policy_without_a_role_takes_it_as_a_parameter() -> None:
    assert list(template(example("minimal"))["Parameters"] or {}) == ["BackupRoleArn"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["shop-*"]', '["shop-?"]', "the pattern shop-? has a ?"),
        ("[dr]", "[offsite]", "copies to the vault offsite, which the policy does not have"),
        (
            "owner:",
            "vaults: {shop: {air_gapped: true}, shop-dr: {region: dr}}\nowner:",
            "stores straight into the air-gapped vault shop",
        ),
        ("copies: [dr]", "copies: [dr], vault: nowhere", "store in 0 places, and AWS has a plan in one"),
        ("owner:", "vaults: {shop: {}, shop-dr: {region: dr, air_gapped: true, lock: none}}\nowner:", "has no lock"),
    ],
)
def test_what_aws_cannot_say_is_an_error(old: str, new: str, message: str) -> None:
    text = (ROOT / "policies" / "minimal.yaml").read_text(encoding="utf-8").replace(old, new)
    if "air_gapped: true}," in new:
        text = text.replace("copies: [dr]", "copies: [dr], vault: shop")
    with pytest.raises(Error) as raised:
        to_cloudformation(parse(text, file="p.yaml"))
    assert message in raised.value.diagnostics()
    assert raised.value.hint


def test_the_command_writes_a_file_or_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(ROOT / "policies" / "minimal.yaml")
    assert cli.run(["policy", "render", source]) == 0
    printed = capsys.readouterr().out
    assert printed == to_markdown(load(Path(source)))
    assert cli.run(["policy", "render", source, "--out", str(tmp_path / "p.md")]) == 0
    assert (tmp_path / "p.md").read_text(encoding="utf-8") == printed
    assert cli.run(["policy", "render", source, "--out", str(tmp_path / "no" / "p.md")]) == 4
    assert "cannot be written" in capsys.readouterr().err
    assert cli.run(["policy", "render", source, "--to", "pdf"]) == 4


def test_the_policy_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "p.yaml"
    written = (ROOT / "policies" / "minimal.yaml").read_bytes()
    policy.write_bytes(written)
    for form in ("markdown", "yaml", "cloudformation"):
        assert cli.run(["policy", "render", str(policy), "--to", form, "--out", str(policy)]) == 4
        assert "is the policy itself, and would be lost" in capsys.readouterr().err
    assert policy.read_bytes() == written
