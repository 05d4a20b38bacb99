"""The site as a reader sees it: each page in a browser, its links, pictures, search and buttons."""

import functools
import html.parser
import inspect
import re
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import adamjax
from adamjax.__main__ import make_parser
from scripts.site import api, sources

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = adamjax.list_variants()
SOURCES = [
    *(file.name for file in (ROOT / "docs").glob("*.md")),
    *sources.PAGES.values(),
    *sources.NOTEBOOKS.values(),
    *(f"api/{part}.md" for part in ("index", *api.TITLES)),
    *(f"variants/{name}.md" for name in VARIANTS),
]
PAGES = sorted(re.sub(r"(^|/)index$", r"\1", s.removesuffix(".md")) for s in SOURCES)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

# Elements wider than the window, outside of boxes that scroll.
WIDE = """() => [...document.querySelectorAll(".md-content *")].filter(element => {
  if (element.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let box = element.parentElement; box; box = box.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return false;
  return getComputedStyle(element).position !== "absolute";
}).map(element => element.outerHTML.slice(0, 100))"""
EMPTY_PICTURES = """() => [...document.images].filter(image => !image.naturalWidth || !image.alt
    || !image.closest("a"))
  .map(image => image.outerHTML)"""


def in_site(page):
    """The address of a page within the site."""
    return f"{page.rstrip('/')}/" if page else ""


@functools.cache
def anchors(file):
    """The ids in a file."""
    ids = set()
    reader = html.parser.HTMLParser()
    reader.handle_starttag = lambda tag, attributes: ids.add(dict(attributes).get("id"))
    reader.feed(file.read_text(encoding="utf-8"))
    return ids


def broken(links, built):
    """The addresses on the site that lead nowhere."""
    for link in links:
        parts = urlsplit(link)
        file = built / unquote(parts.path).lstrip("/")
        file = file / "index.html" if file.is_dir() else file
        anchor = unquote(parts.fragment)
        if not file.is_file() or (anchor and anchor not in anchors(file)):
            yield link


def test_the_pages_are_complete(built):
    folders = {file.parent.relative_to(built).as_posix() for file in built.rglob("index.html")}
    assert folders == {page.rstrip("/") or "." for page in PAGES}
    assert len(PAGES) > len(VARIANTS) + 20
    text = "".join(file.read_text("utf-8") for file in built.glob("[av][ap]*/**/index.html"))
    functions = [f for name, f in inspect.getmembers(adamjax, inspect.isfunction) if name[0] != "_"]
    assert len(functions) > 120
    ids = [f'id="{f.__module__}.{f.__qualname__}"' for f in functions]
    assert [name for name in ids if name not in text] == []


@pytest.mark.parametrize("page", PAGES)
def test_page(page, tab, built, address):
    assert tab.goto(in_site(page)).status == 200
    assert tab.title() and tab.locator("h1").count() == 1
    links = tab.evaluate("() => [...document.links].map(link => link.href)")
    inside = [link for link in links if link.startswith(address)]
    assert len(inside) > 5
    assert list(broken(inside, built)) == []
    assert [link for link in links if not link.startswith((address, "https://"))] == []
    assert tab.evaluate(EMPTY_PICTURES) == []
    section, _, name = page.partition("/")
    if section == "variants" and name:
        check_variant(tab, adamjax.get_variant(name))
    for size in (DESK, PHONE):
        tab.set_viewport_size(size)
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert tab.evaluate(WIDE) == []


def check_variant(tab, record):
    """The page of a variant contains its record."""
    blocks = [text.strip() for text in tab.locator(".highlight code").all_text_contents()]
    formulas = "".join("".join(blocks).split())
    assert all("".join(part.split()) in formulas for part in record.formula.splitlines())
    assert record.paper.bibtex(record.name) in blocks
    picture = tab.get_by_role("img", name=re.compile(rf"^(Paths|Losses) of {record.name} and "))
    assert picture.count() == 1
    assert tab.locator(f'[id="{record.optimizer.__module__}.{record.name}"]').count() == 1
    text = " ".join(tab.locator("article").inner_text().split())
    for part in (record.paper.title, *record.styles.values(), *record.slots):
        assert " ".join(part.replace("`", "").split()) in text
    (command,) = (block for block in blocks if block.startswith("python -m adamjax"))
    options = make_parser().parse_args(shlex.split(command)[3:])
    assert [choice.label for choice in options.choices][1] == record.name


SEARCHES = {
    "amsgrad": "variants/amsgrad/",
    "scale_by_lion": "variants/lion/",
    "8bit": "storage/",
    "from_torch": "interop/",
}


@pytest.mark.parametrize(("words", "page"), SEARCHES.items())
def test_search(words, page, tab):
    tab.goto("")
    tab.get_by_role("textbox", name="Search").click()
    tab.keyboard.type(words)
    results = tab.locator(".md-search-result__item > .md-search-result__link")
    results.first.wait_for()
    addresses = results.evaluate_all("all => all.map(result => result.href)")
    places = [n for n, address in enumerate(addresses) if f"/{page}" in address]
    assert places and places[0] < 3, addresses[:9]
    results.nth(places[0]).click()
    tab.wait_for_url(f"**/{page}**")
    assert words in tab.locator("article").inner_text()


# Words that readers search for, and the pages of which one must be the first result.
BEST = {
    "fine-tune": ["choose/"],
    "gradient accumulation": ["how-to/"],
    "attention": ["matrices/"],
    "freeze": ["how-to/"],
    "EMA": ["how-to/"],
    "learning rate schedule": ["how-to/", "quickstart/"],
    "mixed precision": ["how-to/"],
    "checkpoint": ["how-to/", "quickstart/"],
    "LoRA": ["how-to/", "choose/"],
    "warmup": ["how-to/", "quickstart/"],
    "clip": ["quickstart/", "how-to/"],
    "NaN": ["how-to/"],
    "TensorBoard": ["how-to/"],
    "weights and biases": ["how-to/"],
    "resume": ["how-to/", "quickstart/"],
    "8-bit": ["storage/"],
    "bfloat16": ["how-to/", "storage/"],
    "out of memory": ["storage/"],
    "FSDP": ["sharding/"],
    "ZeRO": ["how-to/", "sharding/"],
    "sparse": ["how-to/"],
    "torch": ["interop/"],
    "Keras": ["interop/"],
    "Muon": ["variants/muon/"],
    "sweep": ["how-to/", "sweep/"],
    "GAN": ["choose/"],
    "reinforcement": ["choose/"],
    "diffusion": ["choose/"],
    "complex": ["choose/"],
    "donate": ["how-to/"],
}


def test_search_finds_the_guide_to_a_word(tab, address):
    tab.goto("")
    box = tab.get_by_role("textbox", name="Search")
    box.click()
    results, found = tab.locator(".md-search-result__item > .md-search-result__link"), {}
    for words in BEST:
        before = results.evaluate_all("all => all.map(result => result.href)")
        box.fill(words)
        box.press("End")
        tab.wait_for_function(
            """before => {
              const links = [...document.querySelectorAll(".md-search-result__item > a")];
              return links.length && links.map(link => link.href).join() !== before.join();
            }""",
            arg=before,
        )
        found[words] = results.first.get_attribute("href").removeprefix(address).partition("?")[0]
    assert {words: page for words, page in found.items() if page not in BEST[words]} == {}


def test_paths_are_played_by_keyboard(tab):
    tab.goto("see-adam-work/")
    plot = tab.locator(".path-plot canvas")

    def shows(text):
        tab.wait_for_function(
            "text => RegExp(text).test(document.querySelector('.path-plot canvas')?.ariaLabel)",
            arg=text,
        )

    shows("Paths on beale, learning rate 0.1, distance to the optimum after step 100: adam")
    tab.get_by_role("slider", name="Learning rate").press("ArrowLeft")
    shows("learning rate 0.03")
    tab.get_by_role("slider", name="Step").press("Home")
    shows("after step 0: adam 2.28, lion 2.28, rmsprop 2.28")
    tab.get_by_role("checkbox", name="sgd").press("Space")
    tab.get_by_role("button", name="Play").press("Enter")
    shows("step [1-9]")
    tab.get_by_role("button", name="Stop").press("Enter")
    shows("sgd")
    tab.get_by_role("combobox", name="Surface").select_option("logistic")
    shows("logistic")
    light = plot.screenshot()
    tab.get_by_title("Dark").click()
    assert tab.evaluate("document.body.dataset.mdColorScheme") == "slate"
    tab.wait_for_timeout(100)
    assert plot.screenshot() != light


def test_paths_without_javascript_are_a_picture(browser, address):
    with browser.new_context(java_script_enabled=False, base_url=address) as context:
        tab = context.new_page()
        tab.goto("see-adam-work/")
        assert tab.get_by_role("img", name=re.compile("^Paths of Adam, Lion")).count() == 1
