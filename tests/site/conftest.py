"""The site, built once, served on this machine and opened in headless Chromium."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://github.com/someone/something"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The system's browser, or else the one of `playwright install chromium`.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """The project with an address, so that the links to it are tested as well."""
    folder = tmp_path_factory.mktemp("checkout")
    for file in ROOT.iterdir():
        if not file.name.startswith(".") and file.name not in ("pyproject.toml", "site", "runs"):
            (folder / file.name).symlink_to(file)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if "\n[project.urls]" not in project:
        project += f'\n[project.urls]\nRepository = "{ADDRESS}"\n'
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def built(checkout, tmp_path_factory):
    """The folder of the site, built as `make site` does: each warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=checkout,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def address(built):
    """Where the site is served."""
    handler = functools.partial(Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser, address):
    """Tabs share the cache."""
    with browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address) as context:
        yield context


@pytest.fixture
def tab(context, address):
    """A new tab, in which no error may occur and from which no request may leave the site."""
    tab, errors, requests = context.new_page(), [], []
    tab.on("console", lambda m: m.type == "error" and errors.append(f"console: {m.text}"))
    tab.on("pageerror", lambda error: errors.append(f"error: {error}"))
    tab.on("requestfailed", lambda r: errors.append(f"failed: {r.url} {r.failure}"))
    tab.on("response", lambda r: r.status >= 400 and errors.append(f"{r.status}: {r.url}"))
    tab.on("request", lambda request: requests.append(request.url))
    yield tab
    tab.close()
    assert errors == []
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []
