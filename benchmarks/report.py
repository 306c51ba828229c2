"""Measures the report: its size, and how long Chromium takes until it answers; with --picture it takes the README's.

    python benchmarks/report.py [REPORT] [--picture docs/report.png] [--out .bench/report.json]

Interactive is the time from the start of the navigation to the end of the page's script, which performance.mark says;
charts are drawn after it, each when it comes near the screen. The alternative is a page with the same pictures and no
script. Nine visits each in turn, in windows of a browser that has started.
"""

import argparse
import json
import re
import statistics
import tempfile
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, sync_playwright

LARGEST, SLOWEST = 5e6, 1.0  # bytes and seconds: the targets
LOADED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
INTERACTIVE = "performance.getEntriesByName('interactive')[0].startTime"


def visit(browser: Browser, file: Path, measure: str) -> float:
    """Seconds."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(file.resolve().as_uri(), wait_until="load")
    milliseconds: float = page.evaluate(measure)
    page.close()
    return milliseconds / 1000


def picture(browser: Browser, report: Path, target: Path) -> None:
    """What one sees first: the headline and the claims."""
    page = browser.new_page(viewport={"width": 900, "height": 1000})
    page.goto(report.resolve().as_uri())
    page.screenshot(path=target)
    page.close()


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="The size of the report, and the time until it answers.")
    parser.add_argument("report", type=Path, nargs="?", default=Path("report/index.html"))
    parser.add_argument("--picture", type=Path, help="take a picture of its beginning, too")
    parser.add_argument("--out", type=Path, default=Path(".bench/report.json"))
    options = parser.parse_args()
    text = options.report.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        plain = Path(folder) / "plain.html"
        plain.write_text(re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        pairs = [(visit(browser, options.report, INTERACTIVE), visit(browser, plain, LOADED)) for _ in range(9)]
        if options.picture:
            picture(browser, options.report, options.picture)
        browser.close()
    found = {
        "bytes": len(text.encode()),
        "interactive": statistics.median(pair[0] for pair in pairs),
        "without_scripts": statistics.median(pair[1] for pair in pairs),
        "ratio": statistics.median(pair[0] / pair[1] for pair in pairs),
    }
    print(
        f"{found['bytes'] / 1e6:.1f} MB (target {LARGEST / 1e6:g}); interactive after {found['interactive']:.2f} s "
        f"(target {SLOWEST:g}), {found['ratio']:.1f} times a page of the same pictures without scripts"
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
