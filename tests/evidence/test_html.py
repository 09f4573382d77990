"""The report's page: whatever an account, or a policy, calls its things stays text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.test_difference import FAIL, PASS, UNKNOWN, run

from backcheck.audit import audit
from backcheck.controls.control import World
from backcheck.controls.examples import gap, world
from backcheck.evidence import html, terminal
from backcheck.finding import Run

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}\x1b[31m\u202e"


class Page(HTMLParser):
    """The tags and attributes of a fragment."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("src", "href"):
                self.links.append(value or "")


def hostile() -> Run:
    made = run(FAIL, UNKNOWN, PASS)
    findings = tuple(
        replace(
            one,
            resource=f"{HOSTILE}{i}",
            tier=HOSTILE,
            message=HOSTILE,
            expected=HOSTILE,
            observed=HOSTILE,
            at=HOSTILE,
            notes=(HOSTILE,),
            remediation=HOSTILE,
            maps_to=(HOSTILE,),
        )
        for i, one in enumerate(made.findings)
    )
    return replace(made, findings=findings, policy_name=HOSTILE)


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


def test_hostile_names_stay_text() -> None:
    page = parsed(html.sections(hostile(), world(), ()))
    assert not {"script", "img", "iframe", "object", "link"} & page.tags
    assert not {name for name in page.attributes if name.startswith("on")}
    assert page.links == []


def test_hostile_names_stay_text_in_the_table() -> None:
    for finding in hostile().findings:
        page = parsed("".join(html.row(finding)))
        assert page.tags == {"td", "div"}
        assert page.attributes == {"class"}


def test_the_text_under_a_row_is_text() -> None:
    findings = [*hostile().findings] * 10
    text = html.told(findings)
    assert "<" not in text
    assert text.endswith("and 10 more, in findings.json")


def test_notes_on_what_passes_are_shown_once_with_their_resources() -> None:
    made = run(*[PASS] * 5, FAIL)
    noted = replace(made, findings=tuple(replace(one, notes=("look here",)) for one in made.findings))
    page = " ".join(html.sections(noted, world(), ()).split())
    assert page.count("<td>look here</td>") == 1
    assert "<code>table/0</code>, <code>table/1</code>, <code>table/2</code> and 2 more" in page
    assert 'id="notes"' not in html.sections(made, world(), ())


def test_the_page_says_how_much_was_judged() -> None:
    one = world()
    assert "1 in the policy&#39;s scope, of 1 listed in 2 region(s)</td>" in html.sections(run(PASS), one, ())
    unlisted = world(primary={"table_names": gap("ListTables")})
    assert "of 0 listed in 2 region(s); 1 region(s) could not be listed</td>" in html.sections(run(PASS), unlisted, ())
    assert "no account was read" in html.sections(run(PASS), replace(one, inventory=None), ())
    made = replace(run(PASS), snapshot_sha256="ab" * 32)
    assert f"sha256 {'ab' * 32}" in html.sections(made, one, ())


def test_a_terminal_is_not_steered() -> None:
    text = "\n".join(terminal.summary(hostile(), None, 1)) + terminal.explain(hostile().findings[0])
    assert "\x1b" not in text
    assert "\\x1b[31m" in text


def test_a_pipelines_page_shows_no_markup() -> None:
    page = terminal.markdown(hostile(), 1)
    assert "<script" not in page
    assert "|" not in page.split("&#60;script")[1].split("\n")[0].split(" | ")[0]


def test_control_characters_are_spelled_out_on_the_page() -> None:
    page = html.sections(hostile(), world(), ()) + "".join(html.row(hostile().findings[0]))
    assert not {"\x1b", "\u202e"} & set(page)
    assert "\\x1b[31m\\x202e" in page


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_account_is_marked(simulated: bool) -> None:
    made = run(PASS)
    made = replace(made, accounts=tuple(replace(one, simulated=simulated) for one in made.accounts))
    page = html.sections(made, world(), ())
    assert ('class="bc-simulated"' in page) is simulated
    assert html.title(made).startswith("SIMULATED") is simulated


def test_every_printed_page_is_marked_and_nothing_is_covered() -> None:
    """What is fixed is on every page; at the left edge room is kept for it. tests/browser looks at real pages."""
    style = html.sections(run(PASS), world(), ()).partition("@media print")[2]
    banner, body = style.split("}")[:2]
    assert all(words in banner for words in ("position: fixed", "width: 30px", "writing-mode: vertical-rl"))
    assert "padding: 24px 20px 24px 50px" in body


def test_every_section_is_there() -> None:
    page = html.sections(run(FAIL, PASS), world(), ())
    for anchor in ("outstanding", "controls", "resources", "calendar", "rpo", "drills", "waivers", "coverage"):
        assert f'id="{anchor}"' in page


def test_a_world_of_examples_renders_with_its_calendar() -> None:
    one: World = world()
    page = html.sections(audit(one, (), "0"), one, ())
    assert "bc-lane" in page
    assert "worst case" in page.lower()
