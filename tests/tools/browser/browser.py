"""Checks an HTML report in a headless browser that can load nothing else.

    browser.py PAGE.html CHECK...

Every check is a function of this file. It gets a new browser context. Failed checks are printed, and the exit code is 1.
CARNET_SCREENSHOTS=DIR stores screenshots in this directory.
"""

import os
import sys
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, Page, sync_playwright

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

OPEN_ALL = "for (const it of [...document.querySelectorAll('details')].slice(0, 400)) it.open = true"


class Report:
    """A page, and the events that must not occur in it."""

    def __init__(self, browser: Browser, file: Path) -> None:
        self.browser = browser
        self.url = file.resolve().as_uri()
        self.events: list[str] = []

    def open(self, fragment: str = "", **options: object) -> Page:
        """Opens the page in a new context."""
        options.setdefault("viewport", DESKTOP)
        page = self.browser.new_context(**options).new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.events.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.events.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.events.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("popup", lambda popup: self.events.append(f"popup: {popup.url}"))
        page.route("**", self.load)
        page.goto(self.url + fragment)
        return page

    def load(self, route) -> None:
        """Loads only the page itself."""
        if route.request.url.split("#")[0] == self.url and route.request.is_navigation_request():
            route.continue_()
        else:
            self.events.append(f"request: {route.request.url[:200]}")
            route.abort()


def settle(page: Page) -> None:
    """Waits until the browser has dispatched pending events and drawn the page."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def open_all(page: Page) -> None:
    """Opens the `details` elements."""
    page.evaluate(OPEN_ALL)
    settle(page)


def silence(report: Report) -> None:
    """The page opens without events, and the verdict is its first line."""
    page = report.open()
    lines = page.locator("body").inner_text().strip().splitlines()
    lines = [line for line in lines if line.strip() and "Skip to" not in line]
    verdict = page.locator("h1").inner_text().strip()
    assert verdict and verdict.splitlines()[-1] in " ".join(lines[:2]), lines[:3]
    assert page.title().strip()
    settle(page)


def width(report: Report) -> None:
    """The page fits the width of a phone and of a desktop, also with everything opened."""
    for viewport in (PHONE, DESKTOP):
        page = report.open(viewport=viewport)
        screenshot(page, f"{viewport['width']}")
        excess = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(excess) <= 0, f"too wide at {viewport['width']}"
        open_all(page)
        culprit = """[...document.querySelectorAll('body *')].find((it) => it.getBoundingClientRect().right > innerWidth + 1
          && !it.closest('.scroll, .hide, pre, .skip'))?.outerHTML.slice(0, 200)"""
        assert page.evaluate(excess) <= 0, f"too wide at {viewport['width']} when open: {page.evaluate(culprit)}"
        screenshot(page, f"{viewport['width']}-open", full=True)


def without_javascript(report: Report) -> None:
    """Without JavaScript, cells open, deep links work, and controls are hidden."""
    page = report.open(java_script_enabled=False)
    assert page.locator("button:visible, input:visible, select:visible").count() == 0
    closed = page.locator(".cell:not([open])")
    if closed.count():
        cell = closed.first.element_handle()
        cell.query_selector("summary").click()
        assert cell.get_attribute("open") is not None
    if page.locator(".cell").count():
        anchor = page.locator(".cell > .body").last.get_attribute("id")
        linked = report.open("#" + anchor, java_script_enabled=False)
        assert linked.locator(".cell").last.get_attribute("open") is not None, "a deep link does not open its cell"


def cell_details(report: Report) -> None:
    """A click in the matrix opens the cell with its reason, failed tests and differences."""
    page = report.open()
    page.locator(".chip", has_text="infrastructure error").first.click()
    cell = page.locator(".cell.is-error")
    assert cell.get_attribute("open") is not None
    text = cell.inner_text()
    for expected in ["manifest unknown", "Help: check the reference"]:
        assert expected in text, f"{expected} not in {text}"
    failed = page.locator(".cell", has_text="desy-naf").first
    if failed.get_attribute("open") is None:
        failed.locator("summary").first.click()
    text = failed.inner_text()
    for expected in [
        "has no attribute 'trapezoid'",
        "Differences from the reference",
        "1.19.5",
        "network: not disabled",
        "failed since",
    ]:
        assert expected.lower() in text.lower(), f"{expected} not in {text}"
    output = failed.locator("details.test pre").first
    assert output.is_visible() and "tests/test_yields.py:14" in output.inner_text()
    failed.locator("details.evidence > summary").click()
    assert "registry.example.org/naf/el9:2026.1" in failed.inner_text()


def keyboard(report: Report) -> None:
    """The first tab stop skips the header, Enter opens a cell, `/` focuses the filter, and the focus is visible."""
    page = report.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.cell:not([open]) > summary')"):
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "the focus is invisible"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "words"


def wait_for_filter(page: Page) -> None:
    """Waits until the page has applied the filter, which it does with a delay."""
    page.locator("#found:not(:empty)").wait_for()


def filter(report: Report) -> None:  # noqa: A001
    """The filter hides cells by text and by result, and the URL stores it."""
    page = report.open()
    cells = page.locator(".cell")
    total = cells.count()
    page.locator("#words").fill("naf" if total < 100 else "facility-07")
    wait_for_filter(page)
    shown = page.locator(".cell:visible").count()
    assert 0 < shown < total, shown
    assert page.locator(".chip:visible").count() == shown
    assert f"{shown} of {total} cells" in page.locator("#found").inner_text()
    reopened = report.open("#" + page.url.split("#")[1])
    wait_for_filter(reopened)
    assert reopened.locator(".cell:visible").count() == shown, "the URL does not store the filter"
    page.keyboard.press("Escape")
    assert page.locator(".cell:visible").count() == total
    page.locator("[data-only=failed]").click()
    assert page.locator(".cell:visible").count() == page.locator(".cell.is-failed").count()
    assert page.locator("[data-only=failed]").get_attribute("aria-pressed") == "true"
    page.locator("#words").fill("text of no cell")
    page.locator(".none").wait_for()


def deep_links(report: Report) -> None:
    """A deep link opens its cell or finding."""
    page = report.open()
    anchor = page.locator(".cell > .body").last.get_attribute("id")
    linked = report.open("#" + anchor)
    body = linked.locator(".cell > .body").last
    assert body.is_visible() and linked.evaluate("document.activeElement.id") == anchor
    top = body.bounding_box()["y"]
    assert -60 <= top < DESKTOP["height"], f"outside of the viewport: {top}"
    linked.locator(".cell > summary").last.click()
    assert not body.is_visible()
    if linked.locator(".hit").count():
        finding = linked.locator(".hit").last.get_attribute("id")
        linked = report.open("#" + finding)
        assert linked.locator(".hit").last.is_visible() and linked.evaluate("document.activeElement.id") == finding


def comparison(report: Report) -> None:
    """Any two environments can be compared, and unused items are hidden by default."""
    page = report.open()
    page.locator("#left").select_option(index=0)
    options = page.locator("#right option").count()
    page.locator("#right").select_option(index=options - 1)
    used = page.locator("#sides tbody tr").count()
    assert used > 0 and "differ" in page.locator("#differing").inner_text()
    page.locator("#all").check()
    assert page.locator("#sides tbody tr").count() >= used
    page.locator("#right").select_option(index=0)
    assert page.locator("#sides .direct").count() == 0
    reopened = report.open("#" + page.url.split("#")[1])
    assert reopened.locator("#left").evaluate("it => it.selectedIndex") == 0
    button = page.locator(".compare:visible")
    if button.count():
        button.first.click()
        assert page.locator("#sides tbody tr").count() > 0


def test_names(report: Report) -> None:
    """The names of passed tests are added when their list is opened."""
    page = report.open()
    page.locator(".cell.is-passed > summary").first.click()
    cell = page.locator(".cell.is-passed").first
    assert cell.locator(".lazy li").count() == 0
    cell.locator(".lazy > summary").click()
    cell.locator(".lazy li").first.wait_for()
    assert "test_bin[" in cell.locator(".lazy li").first.inner_text()
    more = cell.locator(".lazy button")
    if more.count():
        before = cell.locator(".lazy li").count()
        more.click()
        assert cell.locator(".lazy li").count() > before


def escaping(report: Report) -> None:
    """Text of external origin never becomes an element, a link or an attribute."""
    page = report.open()
    page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
    settle(page)
    page.locator(".lazy li").first.wait_for()
    assert page.locator("script").count() == 2 and page.locator("img, svg, iframe, object, b").count() == 0
    assert page.locator("[onclick], [onerror], [onload], [style]").count() == 0
    links = page.locator("a").evaluate_all("all => all.map((it) => it.getAttribute('href'))")
    assert all(link.startswith("#") or link.startswith("https://") for link in links), links
    text = page.evaluate("document.documentElement.outerHTML")
    for control in ("\x1b", "\x00", "\u202e", "\u2028"):
        assert control not in text, f"{control!r} is in the page"
    assert "<script>alert(1)</script>" in page.locator(".cell .body").first.inner_text(), "the text was changed"
    page.locator("#words").fill("<script>")
    wait_for_filter(page)
    assert page.locator(".cell:visible").count() > 0


def printing(report: Report) -> None:
    """In print, failed cells are open, controls are hidden, and the background is white."""
    page = report.open(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("button:visible, input:visible, select:visible, nav:visible").count() == 0
    closed = page.locator(".cell.is-failed:not([open]), .cell.is-error:not([open])").count()
    assert closed == 0, f"{closed} failed cells are closed in print"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)", background
    pdf = page.pdf()
    assert pdf[:4] == b"%PDF"
    page.evaluate("dispatchEvent(new Event('afterprint'))")


def themes(report: Report) -> None:
    """The theme follows the system or the button, and its contrast is sufficient."""
    page = report.open(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(22, 25, 29)", page.evaluate(background)
    screenshot(page, "dark")
    contrast(page)
    for theme in ("light", "dark", "automatic"):
        page.locator("#theme").click()
        assert theme in page.locator("#theme").inner_text()
    page.locator("#theme").click()
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    contrast(page)


def contrast(page: Page) -> None:
    """Every text has a contrast of at least 4.5 with its background (WCAG 2, level AA)."""
    page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
    low = page.evaluate(
        """() => {
          const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
          const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
            .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
            .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
          const background = (it) => {
            for (; it; it = it.parentElement) {
              const color = rgb(getComputedStyle(it).backgroundColor);
              if (color.length === 3 || color[3] > 0) return color;
            }
            return [255, 255, 255];
          };
          const low = [];
          for (const it of document.querySelectorAll('body *')) {
            const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
            if (!own || it.closest('script, style, noscript, option') || !it.checkVisibility()) continue;
            const values = [luminance(rgb(getComputedStyle(it).color)), luminance(background(it))];
            const [a, b] = values.sort((x, y) => y - x);
            if ((a + 0.05) / (b + 0.05) < 4.5) low.push(`${it.className} ${it.textContent.trim().slice(0, 40)}`);
          }
          return low.slice(0, 10);
        }"""
    )
    assert not low, f"too little contrast: {low}"


def structure(report: Report) -> None:
    """The page has landmarks, nested headings, labelled controls, unique ids, working links and results as text."""
    page = report.open()
    for landmark in ("header", "nav[aria-label]", "main", "footer", "[role=search]"):
        assert page.locator(landmark).count() == 1, landmark
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map((it) => Number(it.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:])), levels
    ids = page.locator("[id]").evaluate_all("all => all.map((it) => it.id)")
    duplicates = {name for name in ids if ids.count(name) > 1}
    assert not duplicates, f"duplicate ids: {duplicates}"
    broken = page.locator("a[href^='#']").evaluate_all(
        "all => all.map((it) => it.getAttribute('href').slice(1)).filter((id) => !document.getElementById(id))"
    )
    assert not broken, f"links without a target: {broken}"
    unlabelled = page.locator("button, select, input, a").evaluate_all(
        "all => all.filter((it) => !(it.innerText || it.textContent || it.labels?.[0]?.innerText || '').trim())"
        ".map((it) => it.outerHTML)"
    )
    assert not unlabelled, unlabelled
    results = page.locator("#matrix .result").all_inner_texts()
    expected = ["14 passed", "1 flaky", "1 failed, 12 passed", "3 failed", "as expected", "infrastructure error", "not run"]
    for result in expected:
        assert any(result in text for text in results), f"{result} is not in {results}"


def accessibility(report: Report) -> None:
    """axe-core finds no violations in either theme."""
    source = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
    for scheme in ("light", "dark"):
        page = report.open(color_scheme=scheme)
        page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
        page.evaluate(source)
        violations = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        texts = [f"{hit['id']}: {hit['help']}: {hit['nodes'][0]['html'][:200]}" for hit in violations]
        assert not texts, f"{scheme}: {texts}"


def size(report: Report) -> None:
    """A large report has a limited number of elements before lists are opened."""
    page = report.open()
    elements = page.evaluate("document.querySelectorAll('*').length")
    characters = page.evaluate("document.documentElement.outerHTML.length")
    assert elements < 60_000 and characters < 4_000_000, f"{elements} elements, {characters} characters"


def screenshot(page: Page, name: str, full: bool = False) -> None:
    """Stores a screenshot in CARNET_SCREENSHOTS, of the full page if it is not too high."""
    directory = os.environ.get("CARNET_SCREENSHOTS")
    if directory:
        stem = Path(sys.argv[1]).stem
        full = full and page.evaluate("document.documentElement.scrollHeight") < 12_000
        page.screenshot(path=Path(directory) / f"{stem}-{name}.png", full_page=full)


CHECKS = {
    check.__name__: check
    for check in (
        silence,
        width,
        without_javascript,
        cell_details,
        keyboard,
        filter,
        deep_links,
        comparison,
        test_names,
        escaping,
        printing,
        themes,
        structure,
        accessibility,
        size,
    )
}


def main() -> int:
    file, *names = sys.argv[1:]
    failed = 0
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        for name in names:
            check = CHECKS[name]
            report = Report(browser, Path(file))
            try:
                check(report)
                assert not report.events, f"unexpected events: {report.events[:5]}"
            except Exception as error:  # noqa: BLE001
                failed += 1
                sys.stderr.write(f"{name}: {error}\n")
            for context in browser.contexts:
                context.close()
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
