"""The page at `/` in a real headless Chromium: from signing in to sending the corrected rows, without a mouse."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aiqleads_pipeline_tests.doors.upload_world import Sender, UploadWorld, sender, upload_world

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("no Chromium here: apt-get install chromium", allow_module_level=True)
playwright_api = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install -e '.[dev]'")
from playwright.sync_api import Browser, Page, expect  # noqa: E402

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def world(make_database: Callable[[], str]) -> Iterator[UploadWorld]:
    with upload_world(make_database) as world:
        yield world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright_api.sync_playwright() as playwright:
        # As root Chromium has no sandbox of its own; it sees nothing but this test's service.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, world: UploadWorld) -> Iterator[Page]:
    """A fresh tab on the page; whatever it complains about (content policy, script errors) fails the test."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{world.service.port}", accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert complaints == []


def run_beside(world: UploadWorld) -> None:
    """Look once as the runner does; in a thread, as the browser's driver has an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(world.run).result()


def sign_in(page: Page, client: Sender) -> None:
    page.goto("/")
    page.keyboard.type(client.key)  # the field has the focus
    page.keyboard.press("Enter")
    expect(page.locator("#who-name")).to_have_text(f"{client.client} (client)")


def correct_and_send(world: UploadWorld, page: Page, folder: Path, tag: str) -> None:
    """Fetch the rejected rows of the batch that is shown, correct them and send them."""
    page.get_by_role("button", name="Download the rejected rows").focus()
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    listed = folder / "errors.csv"
    downloading.value.save_as(listed)
    assert listed.read_text().splitlines()[1].startswith("Birch,,'=1+1,3,,unreachable,Give an e-mail")
    corrected = folder / "corrected.csv"
    corrected.write_text(listed.read_text().replace("Birch,,", f"Birch,bob@{tag}.com,"))
    page.get_by_role("button", name="Send the corrected file").click()
    page.get_by_label("File of leads").set_input_files(corrected)
    expect(page.locator("#columns-note")).to_contain_text("corrected list")
    expect(page.get_by_label("Meaning of Wohin")).to_have_value("email")  # as it was said before
    expect(page.get_by_role("status")).to_contain_text("recognised")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#state")).to_have_text("waiting")
    run_beside(world)
    expect(page.get_by_role("status")).to_contain_text("Done. 1 rows: 1 routed, 0 rejected")


def test_from_a_file_to_its_corrected_rows_by_keyboard(world: UploadWorld, page: Page, tmp_path: Path) -> None:
    client = sender(world.service)
    tag = client.client
    file = tmp_path / "fair.csv"
    evil = '<img src=x onerror="document.title=1">'
    file.write_text(
        f"Who,Wohin,Note\nAlder,ann@{tag}.com,{evil}\nBirch,,=1+1\nCedar,cid@{tag}.com,plain\n".replace('"', "'")
    )
    sign_in(page, client)
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]
    expect(page.get_by_label("File of leads")).to_be_focused()
    page.get_by_label("File of leads").set_input_files(file)
    expect(page.get_by_role("status")).to_contain_text("No column means an e-mail address")
    expect(page.locator("#columns-rows")).to_contain_text("<img src=x")
    assert page.locator("#columns-rows img").count() == 0
    for column, meaning in (("Who", "last_name"), ("Wohin", "email")):
        choice = page.get_by_label(f"Meaning of {column}")
        choice.focus()
        choice.select_option(meaning)
        expect(page.locator("#rows-head")).to_contain_text(meaning)
        expect(choice).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("recognised")
    page.get_by_role("button", name="Start", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("waiting")
    run_beside(world)
    expect(page.get_by_role("status")).to_contain_text("Done. 3 rows: 2 routed, 1 rejected")
    expect(page.locator("#count-routed")).to_have_text("2")
    expect(page.locator("#tables .written")).to_have_count(8)
    expect(page.locator("#rejected-rows")).to_contain_text("Give an e-mail address")
    correct_and_send(world, page, tmp_path, tag)
    page.reload()  # the tab still knows who it is and what it watched
    expect(page.get_by_role("status")).to_contain_text("Done. 1 rows: 1 routed")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0


def test_refusals_are_told_and_a_batch_is_cancelled(world: UploadWorld, page: Page, tmp_path: Path) -> None:
    page.goto("/")
    page.get_by_label("API key").fill("aiq_wrong.key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("No valid key")
    client = sender(world.service)
    sign_in(page, client)
    picture, file = tmp_path / "picture.png", tmp_path / "leads.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    file.write_text(f"Last Name,Email\nAlder,ann@{client.client}.com\n")
    page.get_by_label("File of leads").set_input_files(picture)
    expect(page.get_by_role("alert")).to_contain_text("no table of leads")
    # Dropping does what picking does.
    dropped = page.evaluate_handle(
        """([name, text]) => {
            const moved = new DataTransfer();
            moved.items.add(new File([text], name));
            return moved;
        }""",
        ["dropped.csv", file.read_text()],
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    expect(page.get_by_role("status")).to_contain_text("recognised")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_contain_text("Cancelled.")


def test_the_page_allows_nothing_from_elsewhere_and_nothing_inline(world: UploadWorld) -> None:
    for path in ("/", "/page/page.js", "/page/page.css"):
        reply = world.service.get(path)
        policy = reply.headers["content-security-policy"]
        assert reply.status == 200
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert b"http://" not in reply.body
        assert b"https://" not in reply.body
    text = world.service.get("/").body.decode()
    assert "<style" not in text
    assert " style=" not in text
    assert "onclick" not in text
    assert world.service.get("/page/page.html").code == "not_found"
    assert world.service.get("/page/..%2fpage.py").code == "not_found"


def test_every_control_has_a_name_and_focus_is_never_lost(world: UploadWorld, page: Page) -> None:
    sign_in(page, sender(world.service))
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input, select, progress')].filter((each) =>
            !(each.labels && each.labels.length) && !each.getAttribute('aria-label') && !each.textContent.trim()
        ).map((each) => each.outerHTML)"""
    )
    assert nameless == []
    assert page.evaluate("document.documentElement.lang") == "en"
    page.locator("body").press("Tab")
    reached = set()
    for _ in range(8):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        page.keyboard.press("Tab")
    assert {"skip", "sign-out", "source", "file"} <= reached | {"skip"}
