"""A real browser: started, looked through, and asked what it thinks of a page."""

import base64
import json
from pathlib import Path

import axe_playwright_python
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from support.provider import PATIENCE

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
# Everything that WCAG 2.2 AA asks and a program can judge, and what axe's authors recommend beyond.
AXE_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {
  preload: false,
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
}).then(result => done(JSON.stringify(result)), error => done(JSON.stringify({error: String(error)})));
"""

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
WIDTHS = {1280: 900, 390: 844}
SCHEMES = ("light", "dark")

SCREENSHOTS = Path(__file__).parents[3] / "target" / "screenshots"


class Chromium:
    """A browser with an empty profile."""

    def __init__(self, profile: Path):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(PATIENCE)

    def close(self) -> None:
        self.driver.quit()

    def devtools(self, command: str, **parameters) -> dict:
        return self.driver.execute_cdp_cmd(command, parameters)

    def reset(self) -> None:
        """As new: no cookies, no messages, scripts allowed, wide and light."""
        self.driver.get("about:blank")
        self.devtools("Network.clearBrowserCookies")
        self.devtools("Emulation.setScriptExecutionDisabled", value=False)
        self.window(1280, "light")
        self.messages()

    # What a person does.

    def open(self, address: str) -> None:
        self.driver.get(address)

    def see(self, css: str):
        """The one element that fits, once it is there."""
        found = WebDriverWait(self.driver, PATIENCE).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, css))
        assert len(found) == 1, f"{len(found)} elements for {css}"
        return found[0]

    def until(self, what):
        """Waits until `what()` answers, whatever is exchanged on the page meanwhile."""
        stale = (StaleElementReferenceException,)
        return WebDriverWait(self.driver, PATIENCE, ignored_exceptions=stale).until(lambda _: what())

    def told(self, css: str, text: str) -> None:
        """Waits until the element says this."""
        self.until(lambda: text in self.see(css).text)

    def all(self, css: str) -> list:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def click(self, css: str) -> None:
        """Follows a button or link to the next page."""
        element = self.see(css)
        element.click()
        self.gone(element)

    def gone(self, element) -> None:
        """Waits until the page that has `element` is left."""

        def left(_) -> bool:
            try:
                element.is_enabled()
            except Exception as error:  # noqa: BLE001 - stale, or no such document any more
                return "stale" in type(error).__name__.lower() or "stale" in str(error).lower()
            return False

        WebDriverWait(self.driver, PATIENCE, poll_frequency=0.02).until(left)

    def heading(self) -> str:
        return self.see("h1").text

    def press(self, *keys: str) -> None:
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def activate(self, key: str) -> None:
        """Presses `key` on what has the focus, which leads to the next page."""
        element = self.driver.switch_to.active_element
        self.press(key)
        self.gone(element)

    def focused(self) -> str:
        """The id of what has the focus."""
        return self.driver.switch_to.active_element.get_attribute("id")

    def tab(self, *, back: bool = False) -> str:
        """Moves the focus on, or back, and tells where it is; where it is must be visible."""
        actions = webdriver.ActionChains(self.driver)
        if back:
            actions.key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
        else:
            actions.send_keys(Keys.TAB).perform()
        where, visible = self.driver.execute_script(
            """
            const element = document.activeElement;
            const style = getComputedStyle(element);
            const box = element.getBoundingClientRect();
            const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
            const inside = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0;
            return [element.id || element.textContent.trim(), element.matches(':focus-visible') && outlined && inside];
            """
        )
        assert visible, f"the focus on {where!r} cannot be seen"
        return where

    def login(self, username: str = "alice", password: str = "alice") -> None:
        for css, text in (("#username", username), ("#password", password)):
            field = self.see(css)
            field.clear()
            field.send_keys(text)
        self.click("#submit")

    # What is judged.

    def window(self, width: int, scheme: str) -> None:
        size = {"width": width, "height": WIDTHS[width], "deviceScaleFactor": 1, "mobile": width < 600}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def messages(self) -> list[str]:
        """What the console said since the last time, without the addresses' own refusals: those are statuses."""
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        return [text for text in said if "the server responded with a status of 4" not in text]

    def violations(self) -> list[str]:
        """What axe has to say against the page."""
        self.driver.execute_script(AXE)
        result = json.loads(self.driver.execute_async_script(AXE_RUN))
        assert "error" not in result, result
        assert len(result["passes"]) > 5
        return [
            f"{rule['id']} ({rule['impact']}): {node['html'][:160]} {node['failureSummary']}"
            for rule in result["violations"]
            for node in rule["nodes"]
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return self.driver.execute_script(script)

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        shot = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def inspect(self, name: str, *, scripts: bool = False) -> list[str]:
        """What is wrong with the page, at both widths and in both colour schemes. Its pictures are kept."""
        query = "return document.querySelectorAll(arguments[0]).length"
        forbidden = ["[style]", "[onclick]", "script:not([src])" if scripts else "script"]
        wrong = [f"{name} has {what}" for what in forbidden if self.driver.execute_script(query, what)]
        for width in WIDTHS:
            for scheme in SCHEMES:
                self.window(width, scheme)
                self.picture(f"{name}-{width}-{scheme}")
                if self.overflow() > 0:
                    wrong.append(f"{name} scrolls sideways at {width}")
                wrong += [f"{name} at {width}, {scheme}: {violation}" for violation in self.violations()]
        self.window(1280, "light")
        return wrong + [f"{name}: {message}" for message in self.messages()]
