"""The page in a real browser: Chromium without a screen. The names of this experiment's classes try to be HTML."""

import csv
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.page.made_up_page import CLASSES, experiment, files
from winnow.datasets.label_file import read_labels
from winnow.page.page import page as page_of

CHROMIUM = which("chromium") or which("google-chrome")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium here: apt-get install chromium")
WIDTHS = (360, 800, 1400)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(page_of(experiment(), {"main": files()}), encoding="utf-8")
    return file


def opened(browser: Browser, report: Path, **options: Any) -> tuple[Page, list[str]]:
    """The page, with all charts drawn; and what went wrong in it: errors, and whatever it tried to fetch."""
    page, wrong = browser.new_page(**options), list[str]()
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    inside = ("file:", "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(inside) else wrong.append(request.url))
    page.goto(report.as_uri())
    for place in range(0, page.evaluate("document.documentElement.scrollHeight"), 500):
        page.evaluate(f"window.scrollTo(0, {place})")
        page.wait_for_timeout(20)
    page.wait_for_timeout(300)
    return page, wrong


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_fetches_nothing_and_runs_nothing_of_the_data(browser: Browser, report: Path, width: int) -> None:
    page, wrong = opened(browser, report, viewport={"width": width, "height": 800})
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.broken") is None
    assert page.locator("svg.marks").count() >= 3  # of Vega
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, report: Path, scheme: str) -> None:
    page, _ = opened(browser, report, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = Axe().run(page).response["violations"]
    serious = {
        each["id"]: [node["html"][:200] for node in each["nodes"][:3]]
        for each in found
        if each["impact"] in ("serious", "critical")
    }
    assert serious == {}
    page.close()


def test_without_scripts_and_on_paper_every_figure_is_a_picture(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    shown = page.locator("figure img")
    assert shown.count() == page.locator("figure").count() * 2  # of two experiments
    assert all(shown.nth(place).is_visible() for place in range(shown.count()))
    assert not page.locator("#gallery").is_visible()
    context.close()


def test_a_click_sorts_by_number_and_the_other_way_round(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report)
    head = page.locator("#claims-table th").filter(has_text="claim").first
    orders = []
    for _ in range(2):
        head.locator("button").click()
        orders.append((head.get_attribute("aria-sort"), page.locator("#claims-table tbody th").all_inner_texts()))
    assert orders == [
        ("ascending", ["D1", "D2", "D10", "U1"]),
        ("descending", ["U1", "D10", "D2", "D1"]),
    ]
    page.select_option("#verdict", "holds")
    assert page.locator("#claims-table tbody tr:visible").count() == 1
    page.close()


def test_marked_labels_are_saved_as_a_file_that_the_pipeline_reads(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    page, _ = opened(browser, report)
    marked = {}
    for place, label in ((0, CLASSES[1]), (3, CLASSES[2])):
        tile = page.locator("#tiles button").nth(place)
        tile.press("Enter")  # by keyboard
        marked[page.locator("#known dd").first.inner_text()] = label
        page.select_option("#right", label=label) if "\n" not in label else page.select_option("#right", index=3)
    with page.expect_download() as download:
        page.locator("#save").click()
    saved = tmp_path / "labels.csv"
    download.value.save_as(saved)
    assert {row.id: row.label for row in read_labels(saved, "label")} == marked
    assert len(list(csv.reader(saved.open(newline="")))) == 3
    page.reload()
    assert "2 images marked" in page.locator("#marks").inner_text()
    page.close()
