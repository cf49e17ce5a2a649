"""Opens a page in a headless browser that may load nothing else, and checks what was asked for.

    browser.py PAGE.html CHECK...

Every check is a function here; each gets a page that was opened anew. A failed one shows its message and makes the exit code 1.
With CARNET_SCREENSHOTS=DIR pictures stay there.
"""

import os
import sys
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, Page, sync_playwright

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


class Looker:
    """One browser, and what pages said in it that they should not have."""

    def __init__(self, browser: Browser, file: Path) -> None:
        self.browser = browser
        self.url = file.resolve().as_uri()
        self.said: list[str] = []

    def open(self, fragment: str = "", **options: object) -> Page:
        options.setdefault("viewport", DESK)
        page = self.browser.new_context(**options).new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("popup", lambda popup: self.said.append(f"popup: {popup.url}"))
        page.route("**", self.load)
        page.goto(self.url + fragment)
        return page

    def load(self, route) -> None:
        if route.request.url.split("#")[0] == self.url and route.request.is_navigation_request():
            route.continue_()
        else:
            self.said.append(f"request: {route.request.url[:200]}")
            route.abort()


def quiet(looker: Looker) -> None:
    """It opens, the verdict is the first line, and the browser has nothing to say."""
    page = looker.open()
    first = page.locator("body").inner_text().strip().splitlines()
    first = [line for line in first if line.strip() and "Skip to" not in line]
    verdict = page.locator("h1").inner_text().strip()
    assert verdict and verdict.splitlines()[-1] in " ".join(first[:2]), first[:3]
    assert page.title().strip()
    page.wait_for_timeout(200)


def narrow(looker: Looker) -> None:
    """No page is wider than a phone or a desk, with everything opened."""
    for viewport in (PHONE, DESK):
        page = looker.open(viewport=viewport)
        picture(page, f"{viewport['width']}")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0, f"too wide at {viewport['width']}"
        page.evaluate("for (const it of [...document.querySelectorAll('details')].slice(0, 400)) it.open = true")
        page.wait_for_timeout(200)
        culprit = """[...document.querySelectorAll('body *')].find((it) => it.getBoundingClientRect().right > innerWidth + 1
          && !it.closest('.scroll, .hide, pre, .skip'))?.outerHTML.slice(0, 200)"""
        assert page.evaluate(wide) <= 0, f"too wide at {viewport['width']} when open: {page.evaluate(culprit)}"
        picture(page, f"{viewport['width']}-open", full=True)


def plain(looker: Looker) -> None:
    """Without JavaScript everything opens, and no control stands there that would do nothing."""
    page = looker.open(java_script_enabled=False)
    assert page.locator("button:visible, input:visible, select:visible").count() == 0
    closed = page.locator(".cell:not([open])")
    if closed.count():
        cell = closed.first.element_handle()
        cell.query_selector("summary").click()
        assert cell.get_attribute("open") is not None
    if page.locator(".cell").count():
        anchor = page.locator(".cell > .body").last.get_attribute("id")
        other = looker.open("#" + anchor, java_script_enabled=False)
        assert other.locator(".cell").last.get_attribute("open") is not None, "a deep link opens no cell without JavaScript"


def open(looker: Looker) -> None:  # noqa: A001
    """A click in the matrix opens the cell, with its reason, its failed tests and what differs."""
    page = looker.open()
    page.locator(".chip", has_text="error").first.click()
    cell = page.locator(".cell.is-error")
    assert cell.get_attribute("open") is not None
    text = cell.inner_text()
    assert "manifest unknown" in text and "What to do" in text, text
    failed = page.locator(".cell", has_text="desy-naf").first
    if failed.get_attribute("open") is None:
        failed.locator("summary").first.click()
    text = failed.inner_text()
    for wanted in ["has no attribute 'trapezoid'", "What differs from the reference", "1.19.5", "network not cut", "failed since"]:
        assert wanted.lower() in text.lower(), f"{wanted} not in {text}"
    output = failed.locator("details.test pre").first
    assert output.is_visible() and "tests/test_yields.py:14" in output.inner_text()
    failed.locator("details.evidence > summary").click()
    assert "registry.example.org/naf/el9:2026.1" in failed.inner_text()


def keyboard(looker: Looker) -> None:
    """The first step leads past the head, Enter opens a cell, a slash leads to the filter; what has the focus shows it."""
    page = looker.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.cell:not([open]) > summary')"):
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "the focus can't be seen"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "words"


def sifted(page: Page) -> None:
    """Waits until the page took up the words, which it does a moment after they were typed."""
    page.locator("#found:not(:empty)").wait_for()


def filter(looker: Looker) -> None:  # noqa: A001
    """Words and results hide the cells that don't fit, and the address leads to the same view again."""
    page = looker.open()
    cells = page.locator(".cell")
    total = cells.count()
    page.locator("#words").fill("naf" if total < 100 else "facility-07")
    sifted(page)
    shown = page.locator(".cell:visible").count()
    assert 0 < shown < total, shown
    assert page.locator(".chip:visible").count() == shown
    assert f"{shown} of {total} cells" in page.locator("#found").inner_text()
    again = looker.open("#" + page.url.split("#")[1])
    sifted(again)
    assert again.locator(".cell:visible").count() == shown, "the address does not keep the filter"
    page.keyboard.press("Escape")
    assert page.locator(".cell:visible").count() == total
    page.locator("[data-only=failed]").click()
    assert page.locator(".cell:visible").count() == page.locator(".cell.is-failed").count()
    assert page.locator("[data-only=failed]").get_attribute("aria-pressed") == "true"
    page.locator("#words").fill("no such thing anywhere")
    page.locator(".none").wait_for()


def link(looker: Looker) -> None:
    """A deep link opens the cell or the finding, also one that was closed again."""
    page = looker.open()
    anchor = page.locator(".cell > .body").last.get_attribute("id")
    deep = looker.open("#" + anchor)
    body = deep.locator(".cell > .body").last
    assert body.is_visible() and deep.evaluate("document.activeElement.id") == anchor
    top = body.bounding_box()["y"]
    assert -60 <= top < DESK["height"], f"not in sight: {top}"
    deep.locator(".cell > summary").last.click()
    assert not body.is_visible()
    if deep.locator(".hit").count():
        finding = deep.locator(".hit").last.get_attribute("id")
        found = looker.open("#" + finding)
        assert found.locator(".hit").last.is_visible() and found.evaluate("document.activeElement.id") == finding


def side(looker: Looker) -> None:
    """Any two environments stand side by side; what isn't used comes only when asked for."""
    page = looker.open()
    page.locator("#left").select_option(index=0)
    options = page.locator("#right option").count()
    page.locator("#right").select_option(index=options - 1)
    page.wait_for_timeout(100)
    few = page.locator("#sides tbody tr").count()
    assert few > 0 and "differ" in page.locator("#differing").inner_text()
    page.locator("#all").check()
    assert page.locator("#sides tbody tr").count() >= few
    page.locator("#right").select_option(index=0)
    assert page.locator("#sides .direct").count() == 0
    again = looker.open("#" + page.url.split("#")[1])
    assert again.locator("#left").evaluate("it => it.selectedIndex") == 0
    button = page.locator(".compare:visible")
    if button.count():
        button.first.click()
        assert page.locator("#sides tbody tr").count() > 0


def names(looker: Looker) -> None:
    """Names of passed tests are made when they are asked for."""
    page = looker.open()
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


def inert(looker: Looker) -> None:
    """Nothing that others wrote became an element, a link or an attribute."""
    page = looker.open()
    page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
    page.wait_for_timeout(300)
    assert page.locator("script").count() == 2 and page.locator("img, svg, iframe, object, b").count() == 0
    assert page.locator("[onclick], [onerror], [onload], [style]").count() == 0
    links = page.locator("a").evaluate_all("all => all.map((it) => it.getAttribute('href'))")
    assert all(link.startswith("#") or link.startswith("https://") for link in links), links
    text = page.evaluate("document.documentElement.outerHTML")
    for bad in ("\x1b", "\x00", "\u202e", "\u2028"):
        assert bad not in text, f"{bad!r} is in the page"
    assert "<script>alert(1)</script>" in page.locator(".cell .body").first.inner_text(), "the text is no longer what it was"
    page.locator(".lazy > summary").first.wait_for()
    page.locator("#words").fill("<script>")
    sifted(page)
    assert page.locator(".cell:visible").count() > 0


def print(looker: Looker) -> None:  # noqa: A001
    """On paper what failed is open, and what can't be pressed is gone."""
    page = looker.open(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("button:visible, input:visible, select:visible, nav:visible").count() == 0
    closed = page.locator(".cell.is-failed:not([open]), .cell.is-error:not([open])").count()
    assert closed == 0, f"{closed} bad cells are closed on paper"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)", ground
    pdf = page.pdf()
    assert pdf[:4] == b"%PDF"
    page.evaluate("dispatchEvent(new Event('afterprint'))")


def dark(looker: Looker) -> None:
    """It is as dark as the system, or as the button says; words can be read on every ground."""
    page = looker.open(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(22, 25, 29)", page.evaluate(ground)
    picture(page, "dark")
    unreadable(page)
    for wanted in ("light", "dark", "automatic"):
        page.locator("#theme").click()
        assert wanted in page.locator("#theme").inner_text()
    page.locator("#theme").click()
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    unreadable(page)


def unreadable(page: Page) -> None:
    """Contrast of every text with the ground it stands on (WCAG 2, level AA)."""
    page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
    found = page.evaluate(
        """() => {
          const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
          const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
            .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
            .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
          const ground = (it) => {
            for (; it; it = it.parentElement) {
              const color = rgb(getComputedStyle(it).backgroundColor);
              if (color.length === 3 || color[3] > 0) return color;
            }
            return [255, 255, 255];
          };
          const bad = [];
          for (const it of document.querySelectorAll('body *')) {
            const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
            if (!own || it.closest('script, style, noscript, option') || !it.checkVisibility()) continue;
            const [a, b] = [light(rgb(getComputedStyle(it).color)), light(ground(it))].sort((x, y) => y - x);
            if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(`${it.className} ${it.textContent.trim().slice(0, 40)}`);
          }
          return bad.slice(0, 10);
        }"""
    )
    assert not found, f"too little contrast: {found}"


def aria(looker: Looker) -> None:
    """Landmarks, one main heading, no heading left out, names for every control, unique ids, links that lead somewhere."""
    page = looker.open()
    for landmark in ("header", "nav[aria-label]", "main", "footer", "[role=search]"):
        assert page.locator(landmark).count() == 1, landmark
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map((it) => Number(it.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:])), levels
    ids = page.locator("[id]").evaluate_all("all => all.map((it) => it.id)")
    twice = {name for name in ids if ids.count(name) > 1}
    assert not twice, f"ids that stand twice: {twice}"
    lost = page.locator("a[href^='#']").evaluate_all(
        "all => all.map((it) => it.getAttribute('href').slice(1)).filter((id) => !document.getElementById(id))"
    )
    assert not lost, f"links that lead nowhere: {lost}"
    nameless = page.locator("button, select, input, a").evaluate_all(
        "all => all.filter((it) => !(it.innerText || it.textContent || it.labels?.[0]?.innerText || '').trim())"
        ".map((it) => it.outerHTML)"
    )
    assert not nameless, nameless
    for status in ("failed", "passed", "error", "not run", "flaky", "as expected"):
        assert status in page.locator("#matrix").inner_text(), f"{status} is told by colour alone"


def axe(looker: Looker) -> None:
    """Deque's axe-core, the accessibility checker that browsers' own tools use, finds nothing in either theme."""
    source = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
    for scheme in ("light", "dark"):
        page = looker.open(color_scheme=scheme)
        page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
        page.evaluate(source)
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        told = [f"{hit['id']}: {hit['help']}: {hit['nodes'][0]['html'][:200]}" for hit in found]
        assert not told, f"{scheme}: {told}"


def light(looker: Looker) -> None:
    """A large page has few elements until names are asked for: time is measured elsewhere, but this is what decides it."""
    page = looker.open()
    elements = page.evaluate("document.querySelectorAll('*').length")
    characters = page.evaluate("document.documentElement.outerHTML.length")
    sys.stderr.write(f"{elements} elements, {characters} characters\n")
    assert elements < 60_000 and characters < 4_000_000, f"{elements} elements, {characters} characters"


def picture(page: Page, name: str, full: bool = False) -> None:
    directory = os.environ.get("CARNET_SCREENSHOTS")
    if directory:
        stem = Path(sys.argv[1]).stem
        full = full and page.evaluate("document.documentElement.scrollHeight") < 12_000
        page.screenshot(path=Path(directory) / f"{stem}-{name}.png", full_page=full)


def main() -> int:
    file, *checks = sys.argv[1:]
    failed = 0
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        for check in checks:
            looker = Looker(browser, Path(file))
            try:
                globals()[check](looker)
                assert not looker.said, f"the browser said: {looker.said[:5]}"
            except Exception as error:  # noqa: BLE001
                failed += 1
                sys.stderr.write(f"{check}: {error}\n")
            for context in browser.contexts:
                context.close()
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
