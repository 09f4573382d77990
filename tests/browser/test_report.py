"""report.html as a reader meets it: in Chromium, opened, filtered, printed, with names that try to be markup."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from benchmarks.scale import POLICY, grown, wide

from backcheck.accounts import Choice, take
from backcheck.inventory import snapshot
from backcheck.inventory.model import Inventory
from backcheck.policy.load import load

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

TABLES = 10_000

TABLES_WITH_A_ROW_EACH = 42
"""About as many as have a row for every finding (suite.GROUP_ABOVE): the longest page that there is."""

LIMIT_SECONDS = 3.0
LIMIT_BYTES = 15_000_000

HOSTILE = "techmoda-products-<img src=x onerror=\"owned='img'\"><script>owned='script'</script>'}}{{7*7}}</template>"

BANNER = "SIMULATED: this account is an emulator"


@dataclass(slots=True)
class Seen:
    """What a page did that it should not, and how long it took."""

    performance: Any
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def busy_seconds(self) -> float:
        """The main thread's own time so far: what a reader waits for where nothing else runs."""
        metrics = self.performance.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


Opened = Callable[[Path], tuple[Any, Seen]]


@pytest.fixture(scope="module")
def compliant() -> Inventory:
    return take(Choice(sandbox="techmoda"), load(POLICY)).inventory


@pytest.fixture(scope="module")
def chromium(compliant: Inventory) -> Iterator[Any]:
    """After the account was read: playwright keeps an event loop running in this thread, and reading runs its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opened]:
    """Opens a file in a page of its own and notes what the page does."""
    contexts = []

    def open_file(path: Path) -> tuple[Any, Seen]:
        contexts.append(chromium.new_context(viewport={"width": 1280, "height": 900}))
        page = contexts[-1].new_page()
        seen = Seen(performance=contexts[-1].new_cdp_session(page))
        seen.performance.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("dialog", lambda dialog: dialogs(seen, dialog))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.goto(path.as_uri())
        return page, seen

    yield open_file
    for context in contexts:
        context.close()


def audited(folder: Path, account: bytes) -> Path:
    """The report of an audit in a process of its own."""
    policy, taken, out = folder / "policy.yaml", folder / "snapshot.json.gz", folder / "out"
    policy.write_text(wide(POLICY.read_text()))
    taken.write_bytes(account)
    command = ["check", "--policy", str(policy), "--snapshot", str(taken), "--out", str(out)]
    done = subprocess.run([sys.executable, "-m", "backcheck", *command], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1, 2), done.stderr
    return out / "report.html"


def renamed(account: bytes) -> bytes:
    """A snapshot whose tables bear a hostile name, wherever the name stands: ARNs, points, jobs."""
    name = json.dumps(HOSTILE)[1:-1].encode()
    return gzip.compress(gzip.decompress(account).replace(b"techmoda-products", name))


@pytest.fixture(scope="module")
def big(compliant: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audited(tmp_path_factory.mktemp("big"), snapshot.dumps(grown(compliant, TABLES)))


@pytest.fixture(scope="module")
def long(compliant: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audited(tmp_path_factory.mktemp("long"), snapshot.dumps(grown(compliant, TABLES_WITH_A_ROW_EACH)))


@pytest.fixture(scope="module")
def hostile(compliant: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small enough that pytest-html has a row for each finding."""
    return audited(tmp_path_factory.mktemp("hostile"), renamed(snapshot.dumps(grown(compliant, 3))))


def dialogs(seen: Seen, dialog: Any) -> None:
    """A script's alert: note it, and let the page go on."""
    seen.dialogs.append(dialog.message)
    dialog.dismiss()


def rows(page: Any) -> int:
    return int(page.locator("#results-table tbody.results-table-row").count())


@pytest.mark.parametrize(("kind", "rows_at_least"), [("big", 50), ("long", 1400)])
def test_a_big_report_opens_and_filters_in_time(
    kind: str, rows_at_least: int, opened: Opened, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(kind)
    page, seen = opened(path)
    page.locator("#results-table tbody.results-table-row").first.wait_for()
    took_open = seen.busy_seconds()
    every = rows(page)
    assert every >= rows_at_least
    page.locator("input.filter[data-test-result=passed]").uncheck()
    page.wait_for_function(
        "n => document.querySelectorAll('#results-table tbody.results-table-row').length < n", arg=every
    )
    took_filter = seen.busy_seconds() - took_open
    assert 0 < rows(page) < every
    assert page.locator("#results-table td.col-result", has_text="Passed").count() == 0
    assert took_open < LIMIT_SECONDS
    assert took_filter < LIMIT_SECONDS
    assert seen.errors == []
    print(f"{kind}: {every} rows, opened in {took_open:.2f} s CPU, filtered in {took_filter:.2f} s")


@pytest.mark.parametrize("kind", ["big", "long"])
def test_a_big_report_is_no_big_file(kind: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(kind).stat().st_size < LIMIT_BYTES


@pytest.mark.parametrize("kind", ["big", "hostile"])
def test_nothing_is_requested_but_the_file(kind: str, opened: Opened, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(kind)
    page, seen = opened(path)
    page.wait_for_load_state("networkidle")
    assert [url for url in seen.requests if not url.startswith("data:")] == [path.as_uri()]


def test_hostile_names_are_text_everywhere(hostile: Path, opened: Opened) -> None:
    page, seen = opened(hostile)
    page.locator("#show_all_details").click()
    page.locator("input.filter[data-test-result=passed]").uncheck()
    page.locator("input.filter[data-test-result=passed]").check()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("typeof owned") == "undefined"
    assert page.locator("img[src=x], script:text(\"owned='script'\")").count() == 0
    assert (seen.dialogs, seen.errors) == ([], [])
    name = HOSTILE.rpartition("/template>")[0]
    assert name in page.locator(".bc").inner_text()
    assert name in page.locator("#results-table").inner_text()


def test_hostile_names_are_in_pytests_own_rows_too(hostile: Path, opened: Opened) -> None:
    page, _ = opened(hostile)
    page.locator("#show_all_details").click()
    cells = page.locator("#results-table td.col-resource", has_text="<img src=x onerror")
    assert cells.count() > 3
    logs = page.locator("#results-table .logwrapper .log", has_text="<script>owned='script'</script>")
    assert logs.count() > 0


@pytest.mark.parametrize("kind", ["big", "hostile"])
def test_every_printed_page_says_that_it_is_simulated(
    kind: str, opened: Opened, request: pytest.FixtureRequest
) -> None:
    from pypdf import PdfReader

    page, _ = opened(request.getfixturevalue(kind))
    printed = [one.extract_text() for one in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages]
    assert len(printed) > 3
    assert [number for number, text in enumerate(printed, 1) if BANNER not in " ".join(text.split())] == []


def test_the_printed_banner_covers_nothing(hostile: Path, opened: Opened) -> None:
    page, _ = opened(hostile)
    page.emulate_media(media="print")
    banner = page.locator(".bc-simulated").bounding_box()
    beside = [page.locator(place).bounding_box() for place in ("#title", ".bc-verdict", ".bc-table >> nth=0")]
    beside.append(page.locator("#results-table").bounding_box())
    assert all(box["x"] >= banner["x"] + banner["width"] for box in beside)
